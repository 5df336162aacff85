//! The event pattern language of EventBridge, also that of SNS filter policies.
//!
//! Source: "Amazon EventBridge event patterns" and "Comparison operators for use in event
//! patterns", EventBridge User Guide, 2026-11. A pattern that the service would refuse is an
//! error here, never a pattern that matches nothing.

mod matcher;
mod read;

use serde_json::Value;

use super::heard::{Heard, Subject};
use matcher::Matcher;

/// An event pattern, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Fields);

/// Why a text is no event pattern: lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(pub(crate) String);

/// All named fields have to match, and of each alternative one branch.
#[derive(Clone, Debug, Default, PartialEq)]
struct Fields {
    named: Vec<(String, Node)>,
    any: Vec<Vec<Fields>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Fields(Fields),
    /// One of these has to match the field's value.
    Leaf(Vec<Matcher>),
}

impl Pattern {
    /// Reads a pattern from its JSON text.
    ///
    /// # Errors
    /// Where EventBridge would refuse it: no JSON object, a value outside a list, an empty list,
    /// an unknown operator, operands of the wrong kind.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        read::pattern(text)
    }

    /// Whether `event` matches.
    pub fn matches(&self, event: Subject<'_>) -> Heard {
        self.0.matches(Some(event.json), "", event)
    }

    /// Whether the pattern names exact events, none of which is called `name`: such a pattern
    /// matches no call of that name, whatever else it asks.
    pub fn is_for_others(&self, name: &str) -> bool {
        let at = |fields: &[(String, Node)], name: &str| {
            fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, node)| node.clone())
        };
        let Some(Node::Fields(detail)) = at(&self.0.named, "detail") else {
            return false;
        };
        let Some(Node::Leaf(matchers)) = at(&detail.named, "eventName") else {
            return false;
        };
        matchers
            .iter()
            .all(|matcher| matcher.exact_text().is_some_and(|text| text != name))
    }

    /// The texts that the pattern asks of the field at this dotted path, in any branch: the
    /// event names a rule was written for. Only exact texts; empty where it asks for none.
    pub fn wanted(&self, path: &str) -> Vec<&str> {
        let steps: Vec<&str> = path.split('.').collect();
        let mut out = Vec::new();
        self.0.wanted(&steps, &mut out);
        out
    }
}

impl Fields {
    fn matches(&self, at: Option<&Value>, path: &str, event: Subject<'_>) -> Heard {
        // One element of a list has to satisfy all of it: fields are not mixed across elements.
        if let Some(Value::Array(elements)) = at {
            return elements.iter().fold(Heard::No, |sum, element| {
                sum.or(self.matches(Some(element), path, event))
            });
        }
        let mut sum = Heard::Yes;
        for (name, node) in &self.named {
            let below = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            let value = at.and_then(|value| value.get(name));
            sum = sum.and(match node {
                Node::Fields(fields) => fields.matches(value, &below, event),
                Node::Leaf(matchers) => leaf(matchers, value, &below, event),
            });
            if sum == Heard::No {
                return sum;
            }
        }
        for branches in &self.any {
            sum = sum.and(branches.iter().fold(Heard::No, |any, branch| {
                any.or(branch.matches(at, path, event))
            }));
        }
        sum
    }

    fn wanted<'a>(&'a self, steps: &[&str], out: &mut Vec<&'a str>) {
        if let Some((first, rest)) = steps.split_first() {
            for (_, node) in self.named.iter().filter(|(name, _)| name == first) {
                match node {
                    Node::Fields(fields) => fields.wanted(rest, out),
                    Node::Leaf(matchers) if rest.is_empty() => {
                        out.extend(matchers.iter().filter_map(Matcher::exact_text));
                    }
                    Node::Leaf(_) => {}
                }
            }
        }
        for branch in self.any.iter().flatten() {
            branch.wanted(steps, out);
        }
    }
}

/// A value or the elements of a list, against any of the matchers.
fn leaf(matchers: &[Matcher], value: Option<&Value>, path: &str, event: Subject<'_>) -> Heard {
    let values: &[Value] = match value {
        None if event.is_open(path) => return Heard::on(path),
        None | Some(Value::Object(_)) => &[],
        Some(Value::Array(elements)) => elements,
        Some(one) => std::slice::from_ref(one),
    };
    let leaves: Vec<&Value> = flat(values);
    matchers.iter().fold(Heard::No, |sum, matcher| {
        let one = match matcher {
            // A field is absent only where no element of any list holds it.
            Matcher::Exists(false) if leaves.is_empty() => {
                Heard::from(!stands_at(event.json, path))
            }
            Matcher::Exists(wanted) => Heard::from(leaves.is_empty() != *wanted),
            _ => leaves
                .iter()
                .fold(Heard::No, |any, leaf| any.or(matcher.matches(leaf, path))),
        };
        sum.or(one)
    })
}

/// Whether a leaf stands at a dotted path, in any element of the lists on the way.
fn stands_at(value: &Value, path: &str) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(|element| stands_at(element, path)),
        _ if path.is_empty() => !value.is_object(),
        Value::Object(fields) => fields.iter().any(|(name, below)| {
            let rest = path.strip_prefix(name.as_str());
            rest.is_some_and(|rest| match rest.strip_prefix('.') {
                Some(rest) => stands_at(below, rest),
                None => rest.is_empty() && stands_at(below, ""),
            })
        }),
        _ => false,
    }
}

/// Lists within lists read as one list; objects are no leaves.
fn flat(values: &[Value]) -> Vec<&Value> {
    let mut out = Vec::new();
    for value in values {
        match value {
            Value::Array(inner) => out.extend(flat(inner)),
            Value::Object(_) => {}
            leaf => out.push(leaf),
        }
    }
    out
}

//! The grammar: a JSON tree → a [`Document`].

use std::sync::Arc;

use super::{
    Condition, Document, Effect, Member, Node, Note, PrincipalKind, PrincipalName, Span, Statement,
    Value, Version,
};

/// What does not fit the grammar, and where.
pub(super) struct Misfit {
    pub(super) message: String,
    pub(super) span: Span,
}

fn misfit<T>(message: impl Into<String>, span: Span) -> Result<T, Misfit> {
    Err(Misfit {
        message: message.into(),
        span,
    })
}

/// Undoes percent-encoding when the text starts as only an encoded policy can.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let start = text.trim_start();
    if !start
        .get(..3)
        .is_some_and(|head| head.eq_ignore_ascii_case("%7b"))
    {
        return None;
    }
    let mut out = Vec::with_capacity(start.len());
    let mut bytes = start.bytes();
    while let Some(byte) = bytes.next() {
        let digits = bytes.hex_ahead();
        match (byte, digits) {
            (b'%', Some(code)) => {
                out.push(code);
                bytes.next();
                bytes.next();
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

/// Looks at the next two bytes as one hexadecimal number, without taking them.
trait HexAhead {
    fn hex_ahead(&self) -> Option<u8>;
}

impl HexAhead for std::str::Bytes<'_> {
    fn hex_ahead(&self) -> Option<u8> {
        let mut ahead = self.clone();
        let high = char::from(ahead.next()?).to_digit(16)?;
        let low = char::from(ahead.next()?).to_digit(16)?;
        u8::try_from(high * 16 + low).ok()
    }
}

/// Picks the elements of one object out of its members.
///
/// Element names are matched without regard to case. A repeated name is read as the last one
/// written, like every common JSON reader does, and noted: which one AWS meant is not
/// documented.
struct Elements<'a> {
    found: Vec<(&'static str, &'a Member)>,
}

impl<'a> Elements<'a> {
    fn of(members: &'a [Member], known: &[&'static str], notes: &mut Vec<Note>) -> Self {
        let mut found: Vec<(&'static str, &'a Member)> = Vec::new();
        for member in members {
            let name = known
                .iter()
                .copied()
                .find(|k| k.eq_ignore_ascii_case(&member.key));
            let Some(name) = name else {
                note(
                    notes,
                    format!("unknown element `{}` is ignored", member.key),
                    member,
                );
                continue;
            };
            if name != member.key {
                note(
                    notes,
                    format!("element `{}` is read as `{name}`", member.key),
                    member,
                );
            }
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some(slot) => {
                    note(
                        notes,
                        format!("element `{name}` is repeated; the last counts"),
                        member,
                    );
                    slot.1 = member;
                }
                None => found.push((name, member)),
            }
        }
        Self { found }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.found
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, member)| &member.value)
    }

    /// At most one of the two may be there.
    fn exclusive(&self, name: &str, negated: &str) -> Result<(), Misfit> {
        match (self.get(name), self.get(negated)) {
            (Some(_), Some(other)) => misfit(
                format!("`{name}` and `{negated}` exclude each other"),
                other.span,
            ),
            _ => Ok(()),
        }
    }
}

fn note(notes: &mut Vec<Note>, message: String, member: &Member) {
    notes.push(Note {
        message,
        span: member.key_span,
    });
}

const DOCUMENT_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS: [&str; 10] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Comment",
];

pub(super) fn document(value: &Value, text: &Arc<str>) -> Result<Document, Misfit> {
    let Some(members) = value.members() else {
        return misfit("a policy is an object", value.span);
    };
    let mut notes = Vec::new();
    let elements = Elements::of(members, &DOCUMENT_ELEMENTS, &mut notes);
    let version = match elements.get("Version") {
        None => Version::V2008,
        Some(value) => match value.as_str() {
            Some("2012-10-17") => Version::V2012,
            Some("2008-10-17") => Version::V2008,
            _ => return misfit("`Version` is neither 2008-10-17 nor 2012-10-17", value.span),
        },
    };
    let id = elements
        .get("Id")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let Some(body) = elements.get("Statement") else {
        return misfit("a policy has a `Statement`", value.span);
    };
    let mut statements = Vec::with_capacity(body.items().len());
    for (index, item) in body.items().iter().enumerate() {
        statements.push(statement(index, item, &mut notes)?);
    }
    Ok(Document {
        version,
        id,
        statements,
        notes,
        text: Arc::clone(text),
        span: value.span,
    })
}

fn statement(index: usize, value: &Value, notes: &mut Vec<Note>) -> Result<Statement, Misfit> {
    let Some(members) = value.members() else {
        return misfit("a statement is an object", value.span);
    };
    let elements = Elements::of(members, &STATEMENT_ELEMENTS, notes);
    for (name, negated) in [
        ("Action", "NotAction"),
        ("Resource", "NotResource"),
        ("Principal", "NotPrincipal"),
    ] {
        elements.exclusive(name, negated)?;
    }
    if elements.get("Action").is_none() && elements.get("NotAction").is_none() {
        return misfit("a statement has an `Action` or a `NotAction`", value.span);
    }
    let effect = match elements.get("Effect") {
        None => return misfit("a statement has an `Effect`", value.span),
        Some(effect) => match effect.as_str() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            // "The Effect value is case sensitive": AWS stores no other spelling.
            _ => return misfit("`Effect` is neither `Allow` nor `Deny`", effect.span),
        },
    };
    let sid = elements
        .get("Sid")
        .and_then(Value::as_str)
        .filter(|sid| !sid.is_empty());
    Ok(Statement {
        index,
        sid: sid.map(str::to_owned),
        effect,
        principal: elements
            .get("Principal")
            .map(|v| principals(v, notes))
            .transpose()?,
        not_principal: elements
            .get("NotPrincipal")
            .map(|v| principals(v, notes))
            .transpose()?,
        actions: strings(&elements, "Action")?,
        not_actions: strings(&elements, "NotAction")?,
        resources: strings(&elements, "Resource")?,
        not_resources: strings(&elements, "NotResource")?,
        conditions: match elements.get("Condition") {
            None => Vec::new(),
            Some(block) => conditions(block, notes)?,
        },
        span: value.span,
    })
}

fn strings(elements: &Elements<'_>, name: &str) -> Result<Option<Vec<String>>, Misfit> {
    let Some(value) = elements.get(name) else {
        return Ok(None);
    };
    let mut out = Vec::with_capacity(value.items().len());
    for item in value.items() {
        match item.as_str() {
            Some(text) => out.push(text.to_owned()),
            None => {
                return misfit(
                    format!("`{name}` holds something other than text"),
                    item.span,
                );
            }
        }
    }
    Ok(Some(out))
}

fn principals(value: &Value, notes: &mut Vec<Note>) -> Result<Vec<PrincipalName>, Misfit> {
    let mut out = Vec::new();
    let Some(members) = value.members() else {
        for item in value.items() {
            let Some(text) = item.as_str() else {
                return misfit("a principal is text or an object", item.span);
            };
            if text != "*" {
                let message = format!("bare principal `{text}` is read as an `AWS` principal");
                notes.push(Note {
                    message,
                    span: item.span,
                });
            }
            out.push(PrincipalName {
                kind: PrincipalKind::Aws,
                value: text.to_owned(),
            });
        }
        return Ok(out);
    };
    for member in members {
        let kind = match member.key.to_ascii_lowercase().as_str() {
            "aws" => PrincipalKind::Aws,
            "service" => PrincipalKind::Service,
            "federated" => PrincipalKind::Federated,
            "canonicaluser" => PrincipalKind::CanonicalUser,
            "*" => PrincipalKind::Aws,
            _ => {
                return misfit(
                    format!("unknown principal type `{}`", member.key),
                    member.key_span,
                );
            }
        };
        for item in member.value.items() {
            let Some(text) = item.as_str().map(str::to_owned).or_else(|| scalar(item)) else {
                return misfit("a principal is text", item.span);
            };
            out.push(PrincipalName { kind, value: text });
        }
    }
    Ok(out)
}

/// The text of a number or a boolean, as AWS takes them where text is meant.
fn scalar(value: &Value) -> Option<String> {
    match &value.node {
        Node::String(text) | Node::Number(text) => Some(text.clone()),
        Node::Bool(flag) => Some(flag.to_string()),
        Node::Null | Node::List(_) | Node::Object(_) => None,
    }
}

fn conditions(block: &Value, notes: &mut Vec<Note>) -> Result<Vec<Condition>, Misfit> {
    let Some(operators) = block.members() else {
        return misfit("`Condition` is an object", block.span);
    };
    let mut out: Vec<Condition> = Vec::new();
    for (place, operator) in operators.iter().enumerate() {
        let repeated = |other: &Member| other.key.eq_ignore_ascii_case(&operator.key);
        if operators[place + 1..].iter().any(repeated) {
            note(
                notes,
                format!("operator `{}` is repeated; the last counts", operator.key),
                operator,
            );
            continue;
        }
        let Some(keys) = operator.value.members() else {
            return misfit("a condition operator holds an object", operator.value.span);
        };
        for (place, member) in keys.iter().enumerate() {
            let repeated = |other: &Member| other.key.eq_ignore_ascii_case(&member.key);
            if keys[place + 1..].iter().any(repeated) {
                note(
                    notes,
                    format!("key `{}` is repeated; the last counts", member.key),
                    member,
                );
                continue;
            }
            let mut values = Vec::with_capacity(member.value.items().len());
            for item in member.value.items() {
                match scalar(item) {
                    Some(text) => values.push(text),
                    None => return misfit("a condition value is text", item.span),
                }
            }
            let (operator, key) = (operator.key.clone(), member.key.clone());
            out.push(Condition {
                operator,
                key,
                values,
            });
        }
    }
    Ok(out)
}

//! The answers that speak of one listed thing, and what a row of the table takes from them.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use palisade_model::listing::{At, Listing, RoleFrom, Shape, Tags};
use palisade_model::{Arn, Observed};
use serde_json::{Value, json};

use crate::lambda::key_ids;
use crate::listings::{tail, unnamed};
use crate::listings_roles::PROFILE;
use crate::path;
use crate::s3::or_absent;

/// The answers that speak of one item.
pub(crate) struct Read {
    pub(crate) sources: Vec<Observed<Value>>,
}

impl Read {
    fn source(&self, at: At) -> Observed<&Value> {
        match self.sources.get(at.source) {
            Some(source) => source.as_ref(),
            None => Observed::Absent,
        }
    }

    pub(crate) fn text(&self, at: At) -> Observed<String> {
        match self.source(at) {
            Observed::Value(answer) => or_absent(path::text(answer, at.path)),
            other => other.map(|_| String::new()),
        }
    }

    /// A tag without a key is no tag: then nobody knows which there are.
    pub(crate) fn tags(&self, row: &Listing, tags: Tags) -> Observed<BTreeMap<String, String>> {
        let answer = match self.source(tags.at) {
            Observed::Value(answer) => answer,
            other => return other.map(|_| BTreeMap::new()),
        };
        let plain = |value: Option<&Value>| value.and_then(path::as_text).unwrap_or_default();
        let mut all = BTreeMap::new();
        for entry in path::all(answer, tags.at.path) {
            let key = path::text(entry, tags.key);
            match (tags.key, key, entry) {
                ("", _, Value::Object(members)) => {
                    let members = members.iter();
                    all.extend(members.map(|(key, value)| (key.clone(), plain(Some(value)))));
                }
                (_, Some(key), _) => {
                    // A tag may have no value.
                    all.insert(key, plain(path::first(entry, tags.value)));
                }
                _ => return unnamed(row),
            }
        }
        Observed::Value(all)
    }

    pub(crate) fn role(&self, from: RoleFrom) -> Observed<Arn> {
        match from {
            RoleFrom::None => Observed::Absent,
            RoleFrom::Arn(at) => self.text(at).map(Arn::from),
            RoleFrom::Within(at) => match self.text(at) {
                Observed::Value(document) => or_absent(assumed(&document).map(Arn::from)),
                other => other.map(Arn::from),
            },
            RoleFrom::Profile(at) => self.text(at).map(|profile| {
                if profile.starts_with("arn:") {
                    profile.into()
                } else {
                    format!("{PROFILE}{profile}").into()
                }
            }),
        }
    }

    pub(crate) fn shaped(&self, at: At, shape: Shape) -> Observed<Value> {
        let answer = match self.source(at) {
            Observed::Value(answer) => answer,
            Observed::Absent if shape == Shape::Present => return Observed::Value(json!(false)),
            other => return other.map(|_| Value::Null),
        };
        or_absent(match shape {
            Shape::Text => path::text(answer, at.path).map(Value::from),
            Shape::Flag => path::flag(answer, at.path).map(Value::from),
            Shape::Number => path::number(answer, at.path).map(Value::from),
            Shape::Texts => sorted(path::texts(answer, at.path)),
            Shape::Keys => {
                let objects = path::all(answer, at.path).into_iter();
                sorted(
                    objects
                        .filter_map(Value::as_object)
                        .flat_map(|o| o.keys().cloned())
                        .collect(),
                )
            }
            Shape::Present => Some(json!(
                path::all(answer, at.path).iter().any(|v| is_something(v))
            )),
            Shape::Tails => {
                let texts = path::texts(answer, at.path);
                sorted(texts.iter().map(|text| tail(text)).collect())
            }
            Shape::FunctionArns => {
                let texts = path::texts(answer, at.path);
                sorted(texts.iter().flat_map(|text| function_arns(text)).collect())
            }
            Shape::KeyIds => {
                let texts = path::texts(answer, at.path);
                sorted(texts.iter().flat_map(|text| hidden_key_ids(text)).collect())
            }
            Shape::Raw => path::first(answer, at.path).cloned(),
            Shape::Raws => {
                let found = path::all(answer, at.path);
                let found: Vec<Value> = found.into_iter().cloned().map(with_flags).collect();
                (!found.is_empty()).then_some(Value::Array(found))
            }
        })
    }
}

/// The ARN behind `assumeRole` in a runbook; none where it is a parameter.
fn assumed(document: &str) -> Option<String> {
    let (_, rest) = document.split_once("assumeRole")?;
    let value = rest.trim_start_matches(|c: char| c.is_whitespace() || "\"':".contains(c));
    let ends = |c: char| c.is_whitespace() || "\"',}".contains(c);
    let arn = value.split(ends).next()?;
    (arn.starts_with("arn:") && arn.contains(":role/")).then(|| arn.to_owned())
}

/// Access key ids in a text, and in what it says as base64, as scripts for machines are kept.
fn hidden_key_ids(text: &str) -> Vec<String> {
    let mut found = key_ids(text);
    if let Ok(bytes) = BASE64_STANDARD.decode(text.trim()) {
        found.extend(key_ids(&String::from_utf8_lossy(&bytes)));
    }
    found
}

/// Function ARNs in a text such as a state machine's definition, with their qualifiers.
fn function_arns(text: &str) -> Vec<String> {
    let ends = |c: char| c == '"' || c == '\'' || c == '\\' || c.is_whitespace() || c == ',';
    let starts = text.match_indices("arn:").map(|(start, _)| &text[start..]);
    starts
        .filter_map(|rest| rest.split(ends).next())
        .filter(|arn| arn.split(':').nth(2) == Some("lambda") && arn.contains(":function:"))
        .map(str::to_owned)
        .collect()
}

/// XML has no truth values.
fn with_flags(value: Value) -> Value {
    match value {
        Value::String(text) if text == "true" => Value::Bool(true),
        Value::String(text) if text == "false" => Value::Bool(false),
        Value::Array(items) => Value::Array(items.into_iter().map(with_flags).collect()),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(
                members
                    .map(|(name, value)| (name, with_flags(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn sorted(mut texts: Vec<String>) -> Option<Value> {
    texts.sort();
    texts.dedup();
    (!texts.is_empty()).then(|| json!(texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unread_detail_is_a_gap_in_what_comes_from_it() {
        let read = Read {
            sources: vec![
                Observed::Value(json!({"a": "x"})),
                Observed::denied("glue:GetX"),
            ],
        };
        let at = |source, path| At { source, path };
        assert_eq!(
            read.shaped(at(0, "a"), Shape::Text),
            Observed::Value(json!("x"))
        );
        assert_eq!(read.shaped(at(0, "b"), Shape::Text), Observed::Absent);
        assert!(read.shaped(at(1, "a"), Shape::Present).gap().is_some());
        assert!(read.role(RoleFrom::Arn(at(1, "r"))).gap().is_some());
    }
}

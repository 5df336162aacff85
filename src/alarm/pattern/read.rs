//! The grammar of event patterns.

use serde_json::{Map, Value};

use super::matcher::{Cidr, Matcher, Order, Text};
use super::{Fields, Node, Pattern, PatternError};

type Read<T> = Result<T, PatternError>;

fn refuse<T>(why: impl Into<String>) -> Read<T> {
    Err(PatternError(why.into()))
}

pub(super) fn pattern(text: &str) -> Read<Pattern> {
    let value: Value = serde_json::from_str(&spelt(text))
        .map_err(|error| PatternError(format!("no JSON: {error}").to_lowercase()))?;
    match value {
        Value::Object(fields) if fields.is_empty() => refuse("the pattern is empty"),
        Value::Object(fields) => fields_of(&fields).map(Pattern),
        _ => refuse("a pattern is an object"),
    }
}

/// Marks a number that is written otherwise than its value: such numbers equal nothing but their
/// like, since EventBridge compares numbers by their text: 300, 300.0 and 3.0e2 are three.
const SPELT: &str = "\u{1}number ";

/// The text with every number that is not written plainly turned into a marked text.
fn spelt(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = match rest.starts_with('"') {
            true => end_of_text(rest),
            false => rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
                .unwrap_or(rest.len()),
        };
        let token = &rest[..end];
        let number = serde_json::from_str::<Value>(token).ok().filter(|value| {
            let plain = value.to_string();
            value.is_number() && plain != token
        });
        match number {
            Some(_) => out.push_str(&Value::from(format!("{SPELT}{token}")).to_string()),
            None => out.push_str(token),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Where a text that begins with a quotation mark ends.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The number that an operand stands for, however it is written.
fn number(operand: &Value) -> Option<f64> {
    let text = operand.as_str().and_then(|text| text.strip_prefix(SPELT));
    match text {
        Some(text) => text.parse().ok(),
        None => operand.as_f64(),
    }
}

fn is_number(operand: &Value) -> bool {
    number(operand).is_some()
}

fn is_text(operand: &Value) -> bool {
    operand.is_string() && !is_number(operand)
}

/// Names that an object of alternatives cannot have as fields: with one of them `$or` is a field
/// like any other.
///
/// Source: Event Ruler, which EventBridge runs on: "What does `$or` mean", 2026-11.
const OPERATORS: [&str; 9] = [
    "exactly",
    "numeric",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "cidr",
    "equals-ignore-case",
    "wildcard",
];

fn is_alternatives(branches: &[Value]) -> bool {
    let is_branch = |branch: &Value| {
        let fields = branch.as_object();
        fields.is_some_and(|fields| !fields.keys().any(|key| OPERATORS.contains(&key.as_str())))
    };
    branches.iter().all(is_branch)
}

fn fields_of(object: &Map<String, Value>) -> Read<Fields> {
    let mut fields = Fields::default();
    for (name, value) in object {
        match value {
            Value::Array(branches) if name == "$or" && is_alternatives(branches) => {
                if branches.len() < 2 {
                    return refuse("`$or` needs at least two alternatives");
                }
                let branches: Read<Vec<Fields>> = branches.iter().map(branch).collect();
                fields.any.push(branches?);
            }
            Value::Array(list) if list.is_empty() => {
                return refuse(format!("the list of `{name}` is empty"));
            }
            Value::Array(list) => {
                let matchers: Read<Vec<Matcher>> = list.iter().map(matcher).collect();
                fields.named.push((name.clone(), Node::Leaf(matchers?)));
            }
            Value::Object(inner) if inner.is_empty() => {
                return refuse(format!("the object of `{name}` is empty"));
            }
            Value::Object(inner) => {
                fields
                    .named
                    .push((name.clone(), Node::Fields(fields_of(inner)?)));
            }
            _ => {
                return refuse(format!(
                    "the value of `{name}` is neither a list nor an object"
                ));
            }
        }
    }
    Ok(fields)
}

fn branch(value: &Value) -> Read<Fields> {
    match value {
        Value::Object(fields) if !fields.is_empty() => fields_of(fields),
        _ => refuse("an alternative of `$or` is an object with fields"),
    }
}

fn matcher(value: &Value) -> Read<Matcher> {
    let operator = match value {
        Value::Array(_) => return refuse("a list stands within a list"),
        Value::Object(operator) => operator,
        exact => return Ok(Matcher::Exact(exact.clone())),
    };
    let mut entries = operator.iter();
    let (Some((name, operand)), None) = (entries.next(), entries.next()) else {
        return refuse("a comparison is an object with exactly one operator");
    };
    match name.as_str() {
        "prefix" | "suffix" | "wildcard" | "equals-ignore-case" => {
            text(name, operand).map(Matcher::Text)
        }
        "exists" => match operand {
            Value::Bool(wanted) => Ok(Matcher::Exists(*wanted)),
            _ => refuse("`exists` takes true or false"),
        },
        "numeric" => numeric(operand),
        "cidr" => match operand.as_str().and_then(Cidr::parse) {
            Some(block) => Ok(Matcher::Cidr(block)),
            None => refuse(format!("`cidr` takes a block of addresses, not {operand}")),
        },
        "anything-but" => anything_but(operand),
        "exactly" => match operand {
            text if is_text(text) => Ok(Matcher::Exact(operand.clone())),
            _ => refuse("`exactly` takes a text"),
        },
        other => refuse(format!("unknown operator `{other}`")),
    }
}

/// A text operator with a text, or for `prefix` and `suffix` an inner `equals-ignore-case`.
fn text(operator: &str, operand: &Value) -> Read<Text> {
    if is_number(operand) {
        return refuse(format!("`{operator}` takes a text, not a number"));
    }
    if let (Some(text), operator) = (operand.as_str(), operator) {
        let text = text.to_owned();
        return match operator {
            "prefix" => Ok(Text::Prefix(text)),
            "suffix" => Ok(Text::Suffix(text)),
            "equals-ignore-case" => Ok(Text::EqualsIgnoreCase(text)),
            _ if has_run_of_stars(&text) => refuse("`wildcard` has two stars in a row"),
            _ if has_odd_escape(&text) => refuse("`wildcard` escapes only `*` and `\\`"),
            _ => Ok(Text::Wildcard(text)),
        };
    }
    let folded = operand
        .as_object()
        .filter(|inner| inner.len() == 1)
        .and_then(|inner| inner.get("equals-ignore-case")?.as_str());
    match (operator, folded) {
        ("prefix", Some(text)) => Ok(Text::PrefixIgnoreCase(text.to_owned())),
        ("suffix", Some(text)) => Ok(Text::SuffixIgnoreCase(text.to_owned())),
        _ => refuse(format!("`{operator}` takes a text, not {operand}")),
    }
}

fn has_odd_escape(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && !matches!(chars.next(), Some('*' | '\\')) {
            return true;
        }
    }
    false
}

fn has_run_of_stars(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    let mut before = false;
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
            before = false;
            continue;
        }
        if c == '*' && before {
            return true;
        }
        before = c == '*';
    }
    false
}

fn numeric(operand: &Value) -> Read<Matcher> {
    let Some(list) = operand
        .as_array()
        .filter(|list| matches!(list.len(), 2 | 4))
    else {
        return refuse("`numeric` takes one or two pairs of comparison and number");
    };
    let mut bounds = Vec::new();
    for pair in list.chunks(2) {
        let order = match pair[0].as_str() {
            Some("=") => Order::Equal,
            Some("<") => Order::Less,
            Some("<=") => Order::LessOrEqual,
            Some(">") => Order::Greater,
            Some(">=") => Order::GreaterOrEqual,
            _ => return refuse(format!("`numeric` has no comparison {}", pair[0])),
        };
        match number(&pair[1]) {
            Some(number) if number.abs() <= 5e9 => bounds.push((order, number)),
            _ => return refuse(format!("`numeric` cannot compare with {}", pair[1])),
        }
    }
    let lower = |order| matches!(order, Order::Greater | Order::GreaterOrEqual);
    let upper = |order| matches!(order, Order::Less | Order::LessOrEqual);
    if let [(first, least), (second, most)] = bounds[..] {
        if !lower(first) || !upper(second) {
            return refuse("`numeric` takes a lower bound and then an upper one");
        }
        if least >= most {
            return refuse("the lower bound of `numeric` lies above the upper one");
        }
    }
    Ok(Matcher::Numeric(bounds))
}

fn anything_but(operand: &Value) -> Read<Matcher> {
    match operand {
        Value::String(_) | Value::Number(_) => Ok(Matcher::NotValues(vec![operand.clone()])),
        Value::Array(list) if list.is_empty() => refuse("the list of `anything-but` is empty"),
        Value::Array(list) if list.iter().all(is_text) || list.iter().all(is_number) => {
            Ok(Matcher::NotValues(list.clone()))
        }
        Value::Object(inner) if inner.len() == 1 => {
            let Some((operator, operand)) = inner.iter().next() else {
                return refuse("`anything-but` is empty");
            };
            if !matches!(
                operator.as_str(),
                "prefix" | "suffix" | "wildcard" | "equals-ignore-case"
            ) {
                return refuse(format!("`anything-but` has no operator `{operator}`"));
            }
            let texts: Read<Vec<Text>> = match operand {
                Value::Array(list) if list.is_empty() => {
                    return refuse(format!("the list of `{operator}` is empty"));
                }
                Value::Array(list) => list.iter().map(|one| text(operator, one)).collect(),
                one => text(operator, one).map(|one| vec![one]),
            };
            texts.map(Matcher::NotTexts)
        }
        _ => refuse("`anything-but` takes texts, numbers or one text operator"),
    }
}

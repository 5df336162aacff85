//! The grammar of event patterns.

use serde_json::{Map, Value};

use super::matcher::{Cidr, Matcher, Order, Text};
use super::{Fields, Node, Pattern, PatternError};

type Read<T> = Result<T, PatternError>;

fn refuse<T>(why: impl Into<String>) -> Read<T> {
    Err(PatternError(why.into()))
}

pub(super) fn pattern(text: &str) -> Read<Pattern> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| PatternError(format!("no JSON: {error}").to_lowercase()))?;
    match value {
        Value::Object(fields) if fields.is_empty() => refuse("the pattern is empty"),
        Value::Object(fields) => fields_of(&fields).map(Pattern),
        _ => refuse("a pattern is an object"),
    }
}

fn fields_of(object: &Map<String, Value>) -> Read<Fields> {
    let mut fields = Fields::default();
    for (name, value) in object {
        match value {
            Value::Array(branches) if name == "$or" && branches.len() >= 2 => {
                let branches: Read<Vec<Fields>> = branches.iter().map(branch).collect();
                fields.any.push(branches?);
            }
            Value::Array(_) if name == "$or" => {
                return refuse("`$or` needs at least two alternatives");
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
            Value::String(_) => Ok(Matcher::Exact(operand.clone())),
            _ => refuse("`exactly` takes a text"),
        },
        other => refuse(format!("unknown operator `{other}`")),
    }
}

/// A text operator with a text, or for `prefix` and `suffix` an inner `equals-ignore-case`.
fn text(operator: &str, operand: &Value) -> Read<Text> {
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
        match pair[1].as_f64() {
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
        Value::Array(list)
            if list.iter().all(Value::is_string) || list.iter().all(Value::is_number) =>
        {
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

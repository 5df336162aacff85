//! Values as the second evaluator compares them: texts, ARNs, numbers, dates, addresses.

use std::net::IpAddr;

use serde_json::Value;

/// The value, or the values of a list; nothing for null.
pub fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

pub fn texts(value: &Value) -> Vec<String> {
    list(value)
        .into_iter()
        .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
        .collect()
}

/// `*` is any run, `?` any one character.
fn wild(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|skip| wild(rest, &text[skip..])),
        Some(('?', rest)) => !text.is_empty() && wild(rest, &text[1..]),
        Some((c, rest)) => text.first() == Some(c) && wild(rest, &text[1..]),
    }
}

pub fn like(pattern: &str, text: &str) -> bool {
    wild(
        &pattern.chars().collect::<Vec<_>>(),
        &text.chars().collect::<Vec<_>>(),
    )
}

/// Six parts, each matched by itself.
pub fn arn_like(pattern: &str, arn: &str) -> bool {
    if pattern.chars().all(|c| c == '*') && !pattern.is_empty() {
        return true;
    }
    let (a, b): (Vec<_>, Vec<_>) = (
        pattern.splitn(6, ':').collect(),
        arn.splitn(6, ':').collect(),
    );
    if a[0] != "arn" || b[0] != "arn" || b.len() != 6 {
        return a[0] != "arn" && like(pattern, arn);
    }
    (0..6).all(|i| a.get(i).is_none_or(|part| like(part, b[i])))
}

/// A number, or a date in the one long form or as a day.
pub fn number(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let long = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    let moment: jiff::Timestamp = long.parse().ok()?;
    Some(moment.as_second() as f64)
}

fn bits(text: &str) -> Option<Vec<bool>> {
    let bytes = match text.parse().ok()? {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    Some(
        bytes
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
            .collect(),
    )
}

pub fn in_block(address: &str, block: &str) -> bool {
    let (network, prefix) = match block.split_once('/') {
        Some((network, prefix)) => (network, prefix.parse().ok()),
        None => (block, None),
    };
    let (Some(a), Some(n)) = (bits(address), bits(network)) else {
        return false;
    };
    a.len() == n.len()
        && a.iter()
            .zip(&n)
            .take(prefix.unwrap_or(n.len()))
            .all(|(x, y)| x == y)
}

//! Paths into answers: see `palisade_model::listing`.

use std::collections::BTreeMap;

use palisade_model::Observed;
use serde_json::Value;

use crate::pages::half_a_row;

/// Every value at `path`, nulls left out.
pub(crate) fn all<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('|')
        .flat_map(|path| one_path(value, path))
        .collect()
}

fn one_path<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    if path != "." {
        for part in path.split('.') {
            found = found
                .into_iter()
                .flat_map(|value| step(value, part))
                .collect();
        }
    }
    found.retain(|value| !value.is_null());
    found
}

/// Where one part of a path leads.
fn step<'a>(value: &'a Value, part: &str) -> Vec<&'a Value> {
    let Some((name, which)) = part.strip_suffix(']').and_then(|part| part.split_once('[')) else {
        let found = value.get(part).filter(|found| !found.is_null());
        return found.into_iter().collect();
    };
    let list = match name {
        "" => Some(value),
        name => value.get(name),
    };
    let mut found: Vec<&Value> = match list {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(other) => vec![other],
    };
    if let Some((key, wanted)) = which.split_once('=') {
        found.retain(|item| item.get(key).and_then(Value::as_str) == Some(wanted));
    }
    found
}

/// Whether a list in XML holds an element with nothing in it, which reads as no element.
pub(crate) fn has_empty_row(value: &Value, path: &str) -> bool {
    path.split('|').any(|path| {
        let (above, last) = path.rsplit_once('.').unwrap_or((".", path));
        let name = last.trim_end_matches("[]");
        let is_list = ["item", "member"].contains(&name);
        is_list
            && all(value, above).iter().any(|list| match list.get(name) {
                Some(Value::Array(rows)) => rows.iter().any(Value::is_null),
                row => row.is_some_and(Value::is_null),
            })
    })
}

/// The first value at `path`.
pub(crate) fn first<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    all(value, path).into_iter().next()
}

/// The text at `path`; numbers and truth values as they print. Empty text counts as none.
pub(crate) fn text(value: &Value, path: &str) -> Option<String> {
    first(value, path).and_then(as_text)
}

pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Every text at `path`.
pub(crate) fn texts(value: &Value, path: &str) -> Vec<String> {
    all(value, path).into_iter().filter_map(as_text).collect()
}

/// The truth value at `path`, also where a protocol writes it as text.
pub(crate) fn flag(value: &Value, path: &str) -> Option<bool> {
    match first(value, path)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The whole number at `path`, also where a protocol writes it as text.
pub(crate) fn number(value: &Value, path: &str) -> Option<i64> {
    match first(value, path)? {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|n| n as i64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The point in time at `path`: seconds since 1970, or RFC 3339.
pub(crate) fn time(value: &Value, path: &str) -> Option<palisade_model::Time> {
    match first(value, path)? {
        Value::Number(number) => number
            .as_f64()
            .map(|seconds| palisade_model::Time(seconds.floor() as i64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Reads every row of a list. One that lacks what AWS says it always has makes the whole list
/// unknown: a row passed over would be a thing that does not exist.
pub(crate) fn rows<T, C: FromIterator<T>>(
    listed: Observed<Vec<Value>>,
    operation: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Observed<C> {
    let whole = |listed: Vec<Value>| listed.iter().map(read).collect::<Option<C>>();
    match listed.map(whole) {
        Observed::Value(None) => half_a_row(operation).into(),
        other => other.map(|rows| rows.expect("the rows that lack something are a gap")),
    }
}

/// Members and what the administrator is told of each; absent where there are none.
pub(crate) fn statuses(
    listed: Observed<Vec<Value>>,
    operation: &str,
    (account, status): (&str, &str),
) -> Observed<BTreeMap<String, String>> {
    let read = |entry: &Value| Some((text(entry, account)?, text(entry, status)?));
    match rows::<_, BTreeMap<_, _>>(listed, operation, read) {
        Observed::Value(members) => crate::s3::or_absent((!members.is_empty()).then_some(members)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::GapKind;
    use serde_json::json;

    #[test]
    fn a_list_with_a_row_cut_short_is_unknown_and_not_shorter() {
        let read = |entry: &Value| text(entry, "id");
        let listed = |rows: Value| Observed::Value(rows.as_array().cloned().unwrap_or_default());
        let whole: Observed<Vec<String>> =
            rows(listed(json!([{"id": "a"}, {"id": "b"}])), "x:L", read);
        assert_eq!(whole.value().map(Vec::len), Some(2));
        let cut: Observed<Vec<String>> = rows(listed(json!([{"id": "a"}, {}])), "x:L", read);
        assert_eq!(cut.gap().map(|gap| gap.kind), Some(GapKind::Unparsable));
        let members = listed(json!([{"account": "1"}]));
        assert!(
            statuses(members, "x:L", ("account", "status"))
                .gap()
                .is_some()
        );
        assert_eq!(
            statuses(listed(json!([])), "x:L", ("account", "status")),
            Observed::Absent
        );
    }

    #[test]
    fn paths_lead_through_lists_and_single_values() {
        let answer = json!({"a": {"item": [{"b": "1"}, {"b": "2"}, {"c": null}]}, "n": 3});
        assert_eq!(texts(&answer, "a.item[].b"), ["1", "2"]);
        let single = json!({"a": {"item": {"b": "1"}}});
        assert_eq!(texts(&single, "a.item[].b"), ["1"]);
        assert_eq!(texts(&json!({"a": null}), "a.item[].b"), [""; 0]);
        let nested = json!({"groups": [[{"t": "A"}], [{"t": "B"}, {"t": "C"}]]});
        assert_eq!(texts(&nested, "groups[].[].t"), ["A", "B", "C"]);
        let options = json!({"o": [{"n": "x", "v": "1"}, {"n": "y", "v": "2"}]});
        assert_eq!(texts(&options, "o[n=y].v"), ["2"]);
        assert_eq!(number(&answer, "n"), Some(3));
        assert_eq!(text(&json!("x"), "."), Some("x".to_owned()));
    }

    #[test]
    fn text_stands_for_what_xml_cannot_say() {
        let answer = json!({"flag": "true", "number": "7", "time": "2026-01-02T00:00:00Z"});
        assert_eq!(flag(&answer, "flag"), Some(true));
        assert_eq!(number(&answer, "number"), Some(7));
        assert_eq!(time(&answer, "time"), "2026-01-02T00:00:00Z".parse().ok());
    }
}

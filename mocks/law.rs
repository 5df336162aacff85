//! The law of the worlds: collecting a served world gives its snapshot.
//!
//! Two snapshots are alike when they say the same about the estate. What is allowed to differ is
//! when and by whom it was seen, the words of an error, the fingerprint and the masked form of a
//! match, the ways to say "nothing" (absent, an empty list, S3's stated defaults), and what one
//! side did not ask for.

use palisade_model::Snapshot;
use serde_json::{Map, Value};

/// What `collected` says otherwise than `read`: one line per fact, sorted; empty when they agree.
pub fn diff(read: &Snapshot, collected: &Snapshot) -> Vec<String> {
    let mut lines = Vec::new();
    compare(
        &mut Vec::new(),
        &normal(read),
        &normal(collected),
        &mut lines,
    );
    lines
}

/// A snapshot in the form in which it is compared.
fn normal(snapshot: &Snapshot) -> Value {
    let mut value = serde_json::to_value(snapshot).expect("a snapshot always has a JSON form");
    if let Some(top) = value.as_object_mut() {
        top.remove("taken_at");
        top.remove("caller");
    }
    settle("", &mut value);
    value
}

const NOTHING: Value = Value::Null;

/// Brings a value to its shortest form; what says nothing becomes null.
fn settle(key: &str, value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(|item| settle(key, item));
            if ["objects", "grants", "basic", "advanced"].contains(&key) {
                items.sort_by_key(Value::to_string);
            }
            if items.is_empty() {
                *value = NOTHING;
            }
        }
        Value::Object(map) => {
            if let Some(gap) = map.get_mut("$gap").and_then(Value::as_object_mut) {
                gap.remove("code");
                gap.remove("message");
                // AWS names an identity-based policy where the world names nobody.
                if gap
                    .get("denied_by")
                    .is_some_and(|by| by == "identity-policy")
                {
                    gap.remove("denied_by");
                }
                return;
            }
            if let Some(why) = map
                .get_mut("$not-applicable")
                .and_then(Value::as_object_mut)
            {
                why.remove("detail");
                if why.get("why").is_some_and(|why| why == "kind") {
                    *value = NOTHING;
                }
                return;
            }
            if map
                .get("state")
                .is_some_and(|state| state == "off" || state == "not-asked")
            {
                map.retain(|name, _| name == "state");
            }
            for (name, inner) in map.iter_mut() {
                settle(name, inner);
            }
            forget(key, map);
            map.retain(|_, inner| !inner.is_null());
            if map.is_empty() {
                *value = NOTHING;
            }
        }
        Value::String(text) if key == "request_payer" && text == "BucketOwner" => *value = NOTHING,
        Value::String(text) if key == "storage_class" && text == "STANDARD" => *value = NOTHING,
        _ => {}
    }
}

/// Drops what says nothing in a mapping that stands under `key`.
fn forget(key: &str, map: &mut Map<String, Value>) {
    match key {
        "acl" => {
            let owner = map.get("owner").cloned().unwrap_or_default();
            let alone = map
                .get("grants")
                .and_then(Value::as_array)
                .is_some_and(|grants| {
                    grants.len() == 1
                        && grants[0]["grantee"] == owner
                        && grants[0]["permission"] == "FULL_CONTROL"
                });
            if alone {
                map.clear();
            }
        }
        "inspector" if map.get("status").is_some_and(|status| status == "DISABLED") => {
            let off = map
                .get("resources")
                .and_then(Value::as_object)
                .is_none_or(|kinds| kinds.values().all(|state| state == "DISABLED"));
            if off {
                map.clear();
            }
        }
        // A listing of nothing, and the count that goes with it.
        "objects" if !map.contains_key("objects") && map.get("seen") == Some(&Value::from(0)) => {
            map.clear();
        }
        "matches" => {
            map.remove("fingerprint");
            map.remove("redacted");
        }
        "public_access_block" if map.values().all(|flag| flag == &Value::Bool(false)) => {
            map.clear();
        }
        _ => {}
    }
}

fn not_asked(value: &Value) -> bool {
    value["$not-applicable"]["why"] == "not-asked"
}

fn compare(at: &mut Vec<String>, read: &Value, collected: &Value, lines: &mut Vec<String>) {
    if read == collected || not_asked(read) || not_asked(collected) {
        return;
    }
    match (read, collected) {
        (Value::Object(one), Value::Object(other))
            if !one.contains_key("$gap") && !other.contains_key("$gap") =>
        {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                at.push(key.clone());
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(NOTHING);
                compare(at, &of(one), &of(other), lines);
                at.pop();
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                at.push(index.to_string());
                compare(at, one, other, lines);
                at.pop();
            }
        }
        _ => lines.push(format!(
            "{}: read {}, collected {}",
            at.join(" / "),
            short(read),
            short(collected)
        )),
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::World;

    #[test]
    fn a_world_is_like_itself_and_a_changed_one_is_not() {
        let world = World::load("eight-minutes").unwrap();
        let mut other = world.snapshot().clone();
        other.taken_at.0 += 60;
        assert_eq!(diff(world.snapshot(), &other), Vec::<String>::new());
        let account = other.accounts.values_mut().next().unwrap();
        account.iam.alias = palisade_model::Observed::Value("changed".to_owned());
        let lines = diff(world.snapshot(), &other);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("iam / alias: read"), "{lines:?}");
    }
}

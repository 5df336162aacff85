//! Holes in what can be seen: `gaps:` puts a gap wherever a path leads.

use palisade_model::{Account, Gap, GapKind, Observed, Snapshot};
use serde_json::{Map, Value, json};

use super::expand::{Fault, IAM, S3};

/// Puts every gap of `written` into a snapshot's JSON form.
///
/// `written` is a list of mappings from a path to an operation or a whole gap. A path is keys
/// joined by dots, or by slashes when it begins with one; `*` stands for every key.
pub(super) fn apply(snapshot: &mut Value, written: Option<Value>) -> Result<(), Fault> {
    let entries = match written {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(items)) => items,
        Some(map @ Value::Object(_)) => vec![map],
        Some(_) => return Err(Fault::new(&["gaps"], "not a list", HELP)),
    };
    for (index, entry) in entries.iter().enumerate() {
        let index = index.to_string();
        let Value::Object(pairs) = entry else {
            return Err(Fault::new(&["gaps", &index], "not a mapping", HELP));
        };
        for (path, gap) in pairs {
            let keys = keys(path);
            if put(snapshot, &keys, gap) == 0 {
                return Err(Fault::new(
                    &["gaps", &index, path],
                    "this path leads nowhere",
                    "name facts as the snapshot does, and only things that the world holds",
                ));
            }
        }
    }
    Ok(())
}

const HELP: &str = "write `- accounts.111122223333.users: iam:GetAccountAuthorizationDetails`";

fn keys(path: &str) -> Vec<String> {
    let mut keys: Vec<String> = match path.strip_prefix('/') {
        Some(rest) => rest.split('/').map(str::to_owned).collect(),
        None => path.split('.').map(str::to_owned).collect(),
    };
    if keys.first().is_some_and(|key| key == "accounts")
        && let Some(fact) = keys.get(2).cloned()
    {
        if IAM.contains(&fact.as_str()) {
            keys.insert(2, "iam".to_owned());
        } else if S3.contains(&fact.as_str()) {
            keys.insert(2, "s3".to_owned());
        }
    }
    keys
}

/// How many places `keys` led to.
fn put(value: &mut Value, keys: &[String], gap: &Value) -> usize {
    let Some((key, rest)) = keys.split_first() else {
        return 0;
    };
    match value {
        Value::Object(map) if rest.is_empty() && key != "*" => {
            map.insert(key.clone(), json!({ "$gap": gap }));
            1
        }
        Value::Object(map) => {
            let mut places = 0;
            for (name, inner) in map.iter_mut() {
                if key != "*" && key != name {
                    continue;
                }
                if rest.is_empty() {
                    *inner = json!({ "$gap": gap });
                    places += 1;
                } else {
                    places += put(inner, rest, gap);
                }
            }
            places
        }
        Value::Array(items) => match key.parse::<usize>() {
            Ok(index) => items.get_mut(index).map_or(0, |item| put(item, rest, gap)),
            Err(_) if key == "*" => items.iter_mut().map(|item| put(item, rest, gap)).sum(),
            Err(_) => 0,
        },
        _ => 0,
    }
}

/// Turns accounts that nobody can enter into what a scan sees of them.
pub(super) fn close_accounts(snapshot: &mut Snapshot, unreached: &[(String, Value)]) {
    for (id, written) in unreached {
        let outcome: Observed<Map<String, Value>> =
            serde_json::from_value(json!({ "$gap": written })).unwrap_or_default();
        let gap = outcome
            .gap()
            .cloned()
            .unwrap_or_else(|| Gap::new("sts:AssumeRole", GapKind::NotReached));
        snapshot
            .accounts
            .insert(id.clone(), Account::not_reached(&gap));
    }
}

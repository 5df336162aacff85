//! From what a world writes to what a snapshot says: names become ARNs, short forms become full
//! ones, and what every account has is filled in.

mod account;
mod bucket;
mod document;
mod iam;
mod organization;
mod regional;
mod settle;

use std::collections::BTreeMap;

use palisade_model::Partition;
use serde_json::{Map, Value};

use super::Content;

pub(super) use account::{IAM, S3};
pub(super) use settle::settle;

/// Something in a world that cannot be: where, what, and what to write instead.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: Vec<String>,
    pub(super) detail: String,
    pub(super) help: String,
}

impl Fault {
    pub(super) fn new(at: &[&str], detail: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault {
            at: at.iter().map(|key| (*key).to_owned()).collect(),
            detail: detail.into(),
            help: help.into(),
        }
    }
}

type Outcome<T = ()> = Result<T, Fault>;

/// A snapshot in its JSON form, and what has no place in one.
pub(super) struct Expanded {
    pub(super) snapshot: Value,
    pub(super) content: Content,
    /// Accounts that nobody can enter, and the gap as written.
    pub(super) unreached: Vec<(String, Value)>,
}

/// What expanding an account needs to know.
struct Scope<'a> {
    partition: Partition,
    account: &'a str,
    /// When things were made that do not say: thirty days before the snapshot.
    made: String,
    /// Where things lie that do not say.
    home: String,
    /// ARNs of the account's roles by name, once they are known.
    roles: BTreeMap<String, String>,
}

impl Scope<'_> {
    fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        let partition = self.partition;
        let account = self.account;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    fn fault(&self, at: &[&str], detail: impl Into<String>, help: impl Into<String>) -> Fault {
        let mut path = vec!["accounts", self.account];
        path.extend(at);
        Fault::new(&path, detail, help)
    }
}

pub(super) fn expand(mut top: Map<String, Value>) -> Outcome<Expanded> {
    top.shift_remove("embed");
    let taken_at = match top.get("taken_at").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => {
            return Err(Fault::new(
                &["taken_at"],
                "missing",
                "say when the snapshot was taken, such as `2026-11-01T00:00:00Z`",
            ));
        }
    };
    let now: palisade_model::Time = taken_at
        .parse()
        .map_err(|_| Fault::new(&["taken_at"], "not a time", "write `2026-11-01T00:00:00Z`"))?;
    let partition = match top.get("partition").and_then(Value::as_str) {
        None => Partition::Aws,
        Some(name) => Partition::parse(name).ok_or_else(|| {
            Fault::new(
                &["partition"],
                "unknown",
                "use aws, aws-cn, aws-us-gov or aws-eusc",
            )
        })?,
    };
    let home = match top.shift_remove("home_region") {
        Some(Value::String(region)) => region,
        _ => partition.home_region().to_owned(),
    };
    let every_region = object(top.shift_remove("every_region"));
    let every_account = object(top.shift_remove("every_account"));
    let regions = top.shift_remove("regions");
    let mut content = Content::new();
    let mut unreached = Vec::new();
    let mut accounts = Map::new();
    for (id, account) in object(top.shift_remove("accounts")) {
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Fault::new(
                &["accounts", &id],
                "this is no account id",
                "write twelve digits in quotes",
            ));
        }
        let mut scope = Scope {
            partition,
            account: &id,
            made: palisade_model::Time(now.0 - 30 * 86_400).to_string(),
            home: home.clone(),
            roles: BTreeMap::new(),
        };
        let mut written = object(Some(account));
        if let Some(gap) = written.shift_remove("$gap") {
            unreached.push((id.clone(), gap));
        }
        for (key, value) in &every_account {
            written.entry(key.clone()).or_insert_with(|| value.clone());
        }
        account::add_regions(&mut written, regions.as_ref());
        let done = account::expand(&mut scope, written, &every_region, &mut content)?;
        accounts.insert(id, Value::Object(done));
    }
    if let Some(organization) = top.get_mut("organization") {
        organization::expand(partition, &accounts, organization)?;
    }
    top.insert("accounts".to_owned(), Value::Object(accounts));
    Ok(Expanded {
        snapshot: Value::Object(top),
        content,
        unreached,
    })
}

/// The mapping in `value`; anything else reads as an empty one.
fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Whether a value says that it was not read.
fn is_outcome(value: &Value) -> bool {
    value.is_null() || value.get("$gap").is_some() || value.get("$not-applicable").is_some()
}

/// Sets `key` where the world said nothing about it.
fn fill(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), value.into());
    }
}

/// Goes over the entries of a mapping of mappings; outcomes and other shapes are left alone.
fn each(
    value: Option<&mut Value>,
    mut change: impl FnMut(&str, &mut Map<String, Value>) -> Outcome,
) -> Outcome {
    if let Some(Value::Object(entries)) = value {
        for (name, entry) in entries {
            if name.starts_with('$') {
                continue;
            }
            if entry.is_null() {
                *entry = Value::Object(Map::new());
            }
            if let Value::Object(entry) = entry {
                change(name, entry)?;
            }
        }
    }
    Ok(())
}

/// Changes the names of a mapping's entries, keeping their order; outcomes are left alone.
fn rename_keys(value: Option<&mut Value>, name: impl Fn(&str) -> String) {
    if let Some(Value::Object(entries)) = value {
        *entries = std::mem::take(entries)
            .into_iter()
            .map(|(key, value)| {
                if key.starts_with('$') {
                    (key, value)
                } else {
                    (name(&key), value)
                }
            })
            .collect();
    }
}

//! Policy documents in short: `allow` … `on` … `when`, and who a trust policy trusts.

use palisade_model::Partition;
use serde_json::{Map, Value, json};

/// Spells out a policy written in short; a document as AWS writes it stays as it is.
///
/// In short, a statement is `{allow: iam:PassRole, on: "*", when: {…}, to: {…}}`, or the same
/// with `deny`; a policy may be one of them or a list. A statement as AWS writes it may stand in
/// the place of a short one.
pub(super) fn policy(value: &mut Value) {
    let statements: Vec<Value> = match value {
        Value::Object(map) if short(map) => vec![statement(map)],
        Value::Array(items) if !items.is_empty() => {
            let written = items.iter().map(Value::as_object).collect::<Vec<_>>();
            if !written.iter().all(|item| item.is_some_and(short)) {
                return;
            }
            written.into_iter().flatten().map(statement).collect()
        }
        _ => return,
    };
    *value = json!({"Version": "2012-10-17", "Statement": statements});
}

fn short(map: &Map<String, Value>) -> bool {
    ["allow", "deny", "Effect"]
        .iter()
        .any(|key| map.contains_key(*key))
}

fn statement(map: &Map<String, Value>) -> Value {
    if map.contains_key("Effect") {
        return Value::Object(map.clone());
    }
    let mut written = Map::new();
    if let Some(sid) = map.get("sid") {
        written.insert("Sid".to_owned(), sid.clone());
    }
    let (effect, action) = match map.get("allow") {
        Some(action) => ("Allow", action),
        None => ("Deny", &map["deny"]),
    };
    written.insert("Effect".to_owned(), effect.into());
    if let Some(principal) = map.get("to") {
        written.insert("Principal".to_owned(), principal.clone());
    }
    written.insert("Action".to_owned(), action.clone());
    match map.get("on") {
        Some(resource) => written.insert("Resource".to_owned(), resource.clone()),
        None if map.contains_key("to") => None,
        None => written.insert("Resource".to_owned(), "*".into()),
    };
    if let Some(condition) = map.get("when") {
        written.insert("Condition".to_owned(), condition.clone());
    }
    Value::Object(written)
}

/// Spells out a trust policy written in short: `service`, `account`, `aws` (ARNs, ids or `*`),
/// `saml` or `oidc` (provider ARNs), each a value or a list, and `when`.
pub(super) fn trust(partition: Partition, value: &mut Value) {
    let Value::Object(map) = value else {
        return policy(value);
    };
    if map.contains_key("Statement") || short(map) {
        return policy(value);
    }
    let mut statements = Vec::new();
    for (key, principal, action) in [
        ("service", "Service", "sts:AssumeRole"),
        ("account", "AWS", "sts:AssumeRole"),
        ("aws", "AWS", "sts:AssumeRole"),
        ("saml", "Federated", "sts:AssumeRoleWithSAML"),
        ("oidc", "Federated", "sts:AssumeRoleWithWebIdentity"),
    ] {
        let Some(who) = map.get(key) else {
            continue;
        };
        let who = if key == "account" {
            accounts(partition, who)
        } else {
            who.clone()
        };
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": { principal: who },
            "Action": action,
        });
        if let (Some(condition), Some(statement)) = (map.get("when"), statement.as_object_mut()) {
            statement.insert("Condition".to_owned(), condition.clone());
        }
        statements.push(statement);
    }
    if !statements.is_empty() {
        *value = json!({"Version": "2012-10-17", "Statement": statements});
    }
}

fn accounts(partition: Partition, who: &Value) -> Value {
    match who {
        Value::String(id) => format!("arn:{partition}:iam::{id}:root").into(),
        Value::Array(ids) => ids.iter().map(|id| accounts(partition, id)).collect(),
        other => other.clone(),
    }
}

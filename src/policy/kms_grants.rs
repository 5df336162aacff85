//! Grants of KMS keys, as the policies they amount to.
//!
//! Source: "Grants in AWS KMS" and "Using grant constraints", KMS Developer Guide;
//! "GrantListEntry", KMS API Reference; 2026-10.

use serde_json::{Map, Value, json};

use super::acl::{AUTHENTICATED_USERS, not_read};

/// Operations of a grant that carry an encryption context: constraints bind these. Sorted.
const WITH_CONTEXT: [&str; 8] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];

/// The text of the policy that a list of grants amounts to, as `ListGrants` writes them; `None`
/// when it is empty. What cannot be made out may grant anything.
pub(super) fn document(grants: &[Value]) -> Option<String> {
    let statements: Vec<Value> = grants.iter().flat_map(statements).collect();
    (!statements.is_empty()).then(|| super::acl::document(&statements))
}

/// The text of a policy for grants that were not read: a grantee is anybody with an identity, or
/// a service.
pub(super) fn unread(why: &str) -> String {
    super::acl::document(&[not_read(anybody(), why)])
}

fn anybody() -> Value {
    let principal = json!({"CanonicalUser": AUTHENTICATED_USERS, "Service": "*"});
    json!({"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"})
}

fn statements(grant: &Value) -> Vec<Value> {
    let text = |name: &str| grant.get(name).and_then(Value::as_str);
    let operations = grant.get("Operations").and_then(Value::as_array);
    let (Some(grantee), Some(operations)) = (text("GranteePrincipal"), operations) else {
        return vec![not_read(
            anybody(),
            "a grant names no grantee or no operations",
        )];
    };
    let operations: Vec<&str> = operations.iter().filter_map(Value::as_str).collect();
    let (bound, mut free): (Vec<&str>, Vec<&str>) = operations
        .iter()
        .partition(|name| WITH_CONTEXT.binary_search(name).is_ok());
    let mut out = vec![allow(grantee, &bound, constraints(grant))];
    // A grantee may pass on no more than it has.
    if let Some(at) = free.iter().position(|name| *name == "CreateGrant") {
        free.remove(at);
        let mut condition =
            json!({"ForAllValues:StringEquals": {"kms:GrantOperations": operations}});
        if !constraints(grant).is_null() {
            condition["Null"] = json!({"kms:GrantConstraintType": "false"});
        }
        out.push(allow(grantee, &["CreateGrant"], condition));
    }
    out.push(allow(grantee, &free, Value::Null));
    out.extend(text("RetiringPrincipal").map(|name| allow(name, &["RetireGrant"], Value::Null)));
    out.retain(|statement| {
        statement["Action"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    });
    out
}

fn allow(to: &str, operations: &[&str], condition: Value) -> Value {
    let kind = match to.starts_with("arn:") || !to.contains('.') {
        true => "AWS",
        false => "Service",
    };
    let actions: Vec<String> = operations
        .iter()
        .map(|name| format!("kms:{name}"))
        .collect();
    let mut out = json!({"Effect": "Allow", "Principal": {kind: to}, "Action": actions,
        "Resource": "*"});
    if !condition.is_null() {
        out["Condition"] = condition;
    }
    out
}

/// The encryption context a grant asks for, as conditions; null when it asks for none.
fn constraints(grant: &Value) -> Value {
    let pairs = |name: &str| {
        let asked = grant.get("Constraints").and_then(|c| c.get(name));
        asked
            .and_then(Value::as_object)
            .filter(|pairs| !pairs.is_empty())
    };
    let keys = |pairs: &Map<String, Value>| -> Map<String, Value> {
        let key = |name: &String| format!("kms:EncryptionContext:{name}");
        pairs
            .iter()
            .map(|(name, value)| (key(name), value.clone()))
            .collect()
    };
    if let Some(exact) = pairs("EncryptionContextEquals") {
        let names: Vec<&String> = exact.keys().collect();
        return json!({"StringEquals": keys(exact),
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": names}});
    }
    match pairs("EncryptionContextSubset") {
        Some(some) => json!({"StringEquals": keys(some)}),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_bind_what_carries_an_encryption_context() {
        assert!(WITH_CONTEXT.is_sorted());
        let grant = json!({"GranteePrincipal": "arn:aws:iam::111122223333:role/r",
            "RetiringPrincipal": "dynamodb.eu-west-1.amazonaws.com",
            "Operations": ["Decrypt", "DescribeKey", "CreateGrant"],
            "Constraints": {"EncryptionContextSubset": {"team": "web"}}});
        let said = statements(&grant);
        let actions: Vec<&Value> = said.iter().map(|s| &s["Action"][0]).collect();
        let wanted = [
            "kms:Decrypt",
            "kms:CreateGrant",
            "kms:DescribeKey",
            "kms:RetireGrant",
        ];
        assert_eq!(actions, wanted);
        assert_eq!(
            said[0]["Condition"]["StringEquals"]["kms:EncryptionContext:team"],
            "web"
        );
        assert_eq!(said[2].get("Condition"), None);
        assert_eq!(
            said[3]["Principal"]["Service"],
            "dynamodb.eu-west-1.amazonaws.com"
        );
        assert_eq!(document(&[]), None);
    }
}

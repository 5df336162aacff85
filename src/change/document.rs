//! Policy documents with something taken away.

use palisade_model::{Arn, PolicyText};
use serde_json::{Value, json};

/// The document without an action in one statement. What a pattern allows among other things is
/// denied beside it. `None` where there is no such statement.
pub(super) fn withdraw(text: &str, statement: &str, action: &str) -> Option<PolicyText> {
    let mut document: Value = serde_json::from_str(text).ok()?;
    let statements = statements(&mut document)?;
    let at = place_of(statements, statement)?;
    let found = statements.get_mut(at)?;
    if found.get("Effect").and_then(Value::as_str) != Some("Allow") {
        return None;
    }
    if found.get("Principal").is_some() {
        // In a trust policy the statement is the permission.
        statements.remove(at);
        return Some(document.into());
    }
    let resource = found.get("Resource").cloned();
    let is = |pattern: &Value| {
        pattern
            .as_str()
            .is_some_and(|pattern| pattern.eq_ignore_ascii_case(action))
    };
    let left = match found.get_mut("Action") {
        Some(Value::Array(actions)) if actions.iter().any(is) => {
            actions.retain(|pattern| !is(pattern));
            Some(actions.len())
        }
        Some(one) if is(one) => Some(0),
        _ => None,
    };
    // Another pattern of the same statement may allow it as well.
    let still = match (left, found.get("Action")) {
        (Some(0), _) => false,
        (_, Some(Value::Array(actions))) => actions.iter().any(|pattern| fits(pattern, action)),
        _ => true,
    };
    if left == Some(0) {
        statements.remove(at);
    }
    if still {
        statements.push(json!({
            "Effect": "Deny", "Action": action, "Resource": resource.unwrap_or_else(|| json!("*")),
        }));
    }
    Some(document.into())
}

/// A policy that denies an action everywhere.
pub(super) fn deny(action: &str) -> PolicyText {
    PolicyText::from(json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": action, "Resource": "*" }],
    }))
}

/// An SCP that denies an action everywhere, but to some principals.
pub(super) fn guard(action: &str, exempt: &[Arn]) -> PolicyText {
    let mut statement = json!({ "Effect": "Deny", "Action": action, "Resource": "*" });
    if !exempt.is_empty() {
        statement["Condition"] = json!({ "ArnNotEquals": { "aws:PrincipalArn": exempt } });
    }
    PolicyText::from(json!({ "Version": "2012-10-17", "Statement": [statement] }))
}

/// A trust policy with the statements that name services alone.
pub(super) fn services_only(text: &str) -> Option<PolicyText> {
    let mut document: Value = serde_json::from_str(text).ok()?;
    statements(&mut document)?.retain(|statement| {
        let principals = statement.get("Principal").and_then(Value::as_object);
        statement["Effect"] == "Deny"
            || principals.is_some_and(|all| all.keys().all(|kind| kind == "Service"))
    });
    Some(document.into())
}

/// The statements as a list, whatever they were written as.
fn statements(document: &mut Value) -> Option<&mut Vec<Value>> {
    let slot = document.get_mut("Statement")?;
    if slot.is_object() {
        *slot = Value::Array(vec![slot.take()]);
    }
    slot.as_array_mut()
}

/// The place of a statement by its `Sid`, or by `statement N`.
fn place_of(statements: &[Value], name: &str) -> Option<usize> {
    let by_sid = statements
        .iter()
        .position(|statement| statement.get("Sid").and_then(Value::as_str) == Some(name));
    by_sid.or_else(|| {
        let number: usize = name.strip_prefix("statement ")?.parse().ok()?;
        number.checked_sub(1).filter(|at| *at < statements.len())
    })
}

/// Whether a pattern with `*` and `?` means an action.
fn fits(pattern: &Value, action: &str) -> bool {
    let Some(pattern) = pattern.as_str() else {
        return true;
    };
    fn walk(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => (0..=text.len()).any(|at| walk(rest, &text[at..])),
            (Some((b'?', rest)), Some((_, tail))) => walk(rest, tail),
            (Some((a, rest)), Some((b, tail))) => a.eq_ignore_ascii_case(b) && walk(rest, tail),
            _ => false,
        }
    }
    walk(pattern.trim().as_bytes(), action.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(statement: &str, action: &str) -> String {
        let text = format!(r#"{{"Statement":{statement}}}"#);
        let changed = withdraw(&text, "statement 1", action).expect("the statement is there");
        changed.as_str().to_owned()
    }

    #[test]
    fn an_action_goes_and_the_rest_stays() {
        let one = r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}"#;
        assert_eq!(after(one, "IAM:passrole"), r#"{"Statement":[]}"#);
        let two = r#"[{"Effect":"Allow","Action":["iam:PassRole","s3:*"],"Resource":"*"}]"#;
        assert!(!after(two, "iam:PassRole").contains("PassRole"));
    }

    #[test]
    fn nothing_is_taken_from_a_deny() {
        let text = r#"{"Statement":[{"Effect":"Deny","Action":"iam:PassRole","Resource":"*"}]}"#;
        assert!(withdraw(text, "statement 1", "iam:PassRole").is_none());
    }

    #[test]
    fn what_a_pattern_allows_is_denied_beside_it() {
        let all = r#"{"Effect":"Allow","Action":["iam:*"],"Resource":"arn:aws:iam::1:role/x"}"#;
        let changed = after(all, "iam:PassRole");
        assert!(
            changed.contains("Deny") && changed.contains("iam:*"),
            "{changed}"
        );
        let both = r#"{"Effect":"Allow","Action":["iam:PassRole","iam:*"],"Resource":"*"}"#;
        assert!(after(both, "iam:PassRole").contains("Deny"));
        let but = r#"{"Effect":"Allow","NotAction":["s3:*"],"Resource":"*"}"#;
        assert!(after(but, "iam:PassRole").contains("Deny"));
    }

    #[test]
    fn trust_is_kept_to_services() {
        let trust = r#"{"Statement":[
            {"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},
            {"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}"#;
        let closed = services_only(trust).expect("it parses");
        assert!(closed.as_str().contains("ec2") && !closed.as_str().contains("\"*\""));
    }
}

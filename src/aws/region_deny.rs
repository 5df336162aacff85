//! Regions that service control policies close to everybody: a refusal there is no lack of our
//! rights, and the question does not apply.

use palisade_model::{
    Account, GapKind, Observed, OrgPolicyKind, Organization, Region, RegionState, Snapshot, Why,
};
use serde_json::{Value, json};

/// Rewrites refusals in regions that an SCP which was read denies to everybody.
pub(crate) fn settle_denied_regions(snapshot: &mut Snapshot) {
    let Observed::Value(organization) = &snapshot.organization else {
        return;
    };
    for (id, account) in &mut snapshot.accounts {
        if *id == organization.management_account {
            continue; // SCPs do not bind it
        }
        let Some(statements) = statements_over(organization, id) else {
            continue;
        };
        settle_account(account, &statements);
    }
}

/// One statement and the policy it stands in.
struct Statement {
    policy: String,
    value: Value,
}

/// The Deny statements that bind the account; `None` when a layer was not read.
fn statements_over(organization: &Organization, account: &str) -> Option<Vec<Statement>> {
    let attachments = organization.attachments.value()?;
    let policies = organization.policies.value()?;
    let mut statements = Vec::new();
    for target in organization.chain(account)? {
        for id in attachments.get(target).into_iter().flatten() {
            let Some(policy) = policies.get(id) else {
                continue;
            };
            if policy.kind != OrgPolicyKind::Scp {
                continue;
            }
            let Some(document) = policy.document.value() else {
                continue;
            };
            let Ok(document) = serde_json::from_str::<Value>(document.as_str()) else {
                continue;
            };
            for value in list(&document["Statement"]) {
                if value["Effect"] == "Deny" {
                    statements.push(Statement {
                        policy: id.clone(),
                        value: value.clone(),
                    });
                }
            }
        }
    }
    Some(statements)
}

fn settle_account(account: &mut Account, statements: &[Statement]) {
    let Some(regions) = account.regions.value_mut() else {
        return;
    };
    for (name, region) in regions.iter_mut() {
        if region.state != RegionState::Enabled {
            continue;
        }
        let closing: Vec<&Statement> = statements
            .iter()
            .filter(|statement| closes(&statement.value, name))
            .collect();
        if closing.is_empty() {
            continue;
        }
        let Ok(mut value) = serde_json::to_value(&*region) else {
            continue;
        };
        rewrite(&mut value, &closing);
        // What cannot be rewritten stays the refusal it was.
        if let Ok(settled) = serde_json::from_value::<Region>(value) {
            *region = settled;
        }
        if let Some(trails) = account.trail_regions.get_mut(name) {
            settle_trails(trails, &closing);
        }
    }
}

/// A region that is closed to everybody records no trail of its own.
fn settle_trails(trails: &mut Observed<()>, closing: &[&Statement]) {
    let Ok(mut value) = serde_json::to_value(&*trails) else {
        return;
    };
    rewrite(&mut value, closing);
    if let Ok(settled) = serde_json::from_value(value) {
        *trails = settled;
    }
}

/// Replaces each refusal by "not applicable" with the statement that settles it.
fn rewrite(value: &mut Value, closing: &[&Statement]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, closing)),
        Value::Object(members) => {
            if let Some(gap) = members.get("$gap").filter(|gap| gap.is_object()) {
                let denied = json!(GapKind::Denied);
                let action = gap["operation"].as_str().unwrap_or_default();
                let settles = closing
                    .iter()
                    .find(|statement| gap["kind"] == denied && covers(&statement.value, action));
                if let Some(statement) = settles {
                    let detail = format!(
                        "{} denies it{}: {}",
                        statement.policy,
                        exempted(&statement.value),
                        statement.value
                    );
                    *value = json!({
                        "$not-applicable": {"why": Why::RegionDenied, "detail": detail}
                    });
                }
                return;
            }
            members
                .values_mut()
                .for_each(|inner| rewrite(inner, closing));
        }
        _ => {}
    }
}

/// Conditions that name principals: who is exempted, or the only ones meant.
const PRINCIPAL_KEYS: [&str; 4] = [
    "aws:principalarn",
    "aws:principaltag",
    "aws:principalorgpaths",
    "aws:principalaccount",
];

/// Whether the statement denies that region to everybody but named principals.
fn closes(statement: &Value, region: &str) -> bool {
    let on_everything = list(&statement["Resource"]).any(|resource| resource == "*");
    let Some(blocks) = statement["Condition"].as_object() else {
        return false;
    };
    let mut hits_region = false;
    for (operator, keys) in blocks {
        let operator = operator.to_ascii_lowercase();
        for (key, values) in keys.as_object().into_iter().flatten() {
            let key = key.to_ascii_lowercase();
            if key == "aws:requestedregion" {
                let named = list(values)
                    .filter_map(Value::as_str)
                    .any(|pattern| fits(&operator, pattern, region));
                let holds = match operator.trim_end_matches("ifexists") {
                    "stringequals" | "stringequalsignorecase" | "stringlike" => named,
                    "stringnotequals" | "stringnotequalsignorecase" | "stringnotlike" => !named,
                    _ => return false,
                };
                if !holds {
                    return false;
                }
                hits_region = true;
            } else {
                let exempts = operator.contains("not")
                    && PRINCIPAL_KEYS.iter().any(|known| key.starts_with(known));
                if !exempts {
                    return false;
                }
            }
        }
    }
    on_everything && hits_region
}

fn fits(operator: &str, pattern: &str, region: &str) -> bool {
    if operator.contains("like") {
        crate::options::glob(&pattern.to_ascii_lowercase(), region)
    } else {
        pattern.eq_ignore_ascii_case(region)
    }
}

/// Whether the statement's actions hold the operation. Operations stand for their actions: a
/// region statement names whole services.
fn covers(statement: &Value, operation: &str) -> bool {
    let operation = operation.to_ascii_lowercase();
    let among = |actions: &Value| {
        list(actions)
            .filter_map(Value::as_str)
            .any(|pattern| crate::options::glob(&pattern.to_ascii_lowercase(), &operation))
    };
    match (&statement["Action"], &statement["NotAction"]) {
        (Value::Null, Value::Null) => false,
        (Value::Null, not) => !among(not),
        (actions, _) => among(actions),
    }
}

fn exempted(statement: &Value) -> String {
    let mut names: Vec<&str> = Vec::new();
    let blocks = statement["Condition"].as_object().into_iter().flatten();
    for (_, keys) in blocks {
        for (key, values) in keys.as_object().into_iter().flatten() {
            if !key.eq_ignore_ascii_case("aws:RequestedRegion") {
                names.extend(list(values).filter_map(Value::as_str));
            }
        }
    }
    match names.as_slice() {
        [] => " to everybody".to_owned(),
        names => format!(" to everybody but {}", names.join(", ")),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
    .iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(condition: Value) -> Value {
        json!({
            "Effect": "Deny",
            "NotAction": ["iam:*", "sts:*"],
            "Resource": "*",
            "Condition": condition,
        })
    }

    #[test]
    fn a_region_statement_closes_what_it_does_not_name() {
        let only_home =
            statement(json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}));
        assert!(closes(&only_home, "us-east-2"));
        assert!(!closes(&only_home, "eu-west-1"));
        assert!(covers(&only_home, "guardduty:ListDetectors"));
        assert!(!covers(&only_home, "iam:ListRoles"));
        let exempting = statement(json!({
            "StringNotLike": {"aws:RequestedRegion": "eu-*"},
            "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-glass"},
        }));
        assert!(closes(&exempting, "us-east-2"));
        assert!(exempted(&exempting).ends_with("role/break-glass"));
    }

    #[test]
    fn a_condition_on_anything_else_closes_nothing() {
        let by_mfa = statement(json!({
            "StringNotEquals": {"aws:RequestedRegion": "eu-west-1"},
            "Bool": {"aws:MultiFactorAuthPresent": "false"},
        }));
        assert!(!closes(&by_mfa, "us-east-2"));
        assert!(!closes(&statement(json!({})), "us-east-2"));
    }

    #[test]
    fn only_refusals_are_rewritten() {
        let statement = Statement {
            policy: "p-1".to_owned(),
            value: statement(json!({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}})),
        };
        let mut value = json!({
            "guardduty": {"$gap": {"operation": "guardduty:ListDetectors", "kind": "denied"}},
            "config": {"$gap": {"operation": "config:DescribeConfigurationRecorders",
                "kind": "unreachable"}},
        });
        rewrite(&mut value, &[&statement]);
        assert_eq!(
            value["guardduty"]["$not-applicable"]["why"],
            "region-denied"
        );
        assert_eq!(value["config"]["$gap"]["kind"], "unreachable");
    }
}

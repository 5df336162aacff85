//! Laws that hold of every configuration: what closes never opens, what opens never closes, and
//! what was not read does neither.

use super::*;

/// Both ends of every capability, by width.
fn widths(row: &Value) -> Vec<(u8, u8)> {
    let found = judge(row);
    found
        .verdicts
        .values()
        .map(|v| (v.at_least.width(), v.at_most.width()))
        .collect()
}

fn with(row: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut changed = row.clone();
    change(&mut changed);
    changed
}

/// Adds a statement, unless the policy is one that nobody could read.
fn add_statement(row: &mut Value, statement: &Value) {
    match row.pointer_mut("/bucket/policy") {
        Some(Value::Object(policy)) if policy.contains_key("Statement") => {
            let old = policy["Statement"].take();
            let mut list = match old {
                Value::Array(list) => list,
                one => vec![one],
            };
            list.push(statement.clone());
            policy["Statement"] = Value::Array(list);
        }
        Some(_) => {}
        None => row["bucket"]["policy"] = json!({"Statement": [statement]}),
    }
}

/// Conditions of every kind, to hang on statements.
fn conditions() -> Vec<Value> {
    vec![
        json!({}),
        json!({"Bool": {"aws:SecureTransport": "false"}}),
        json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}}),
        json!({"StringNotLike": {"aws:Referer": "https://www.example.com/*"}}),
        json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}),
        json!({"StringEquals": {"s3:authType": "REST-HEADER"}}),
        json!({"StringNotEqualsIfExists": {"aws:PrincipalAccount": "444455556666"}}),
        json!({"StringEquals": {"s3:ExistingObjectTag/public": "yes"}}),
        json!({"StringEquals": {"aws:SomethingNew": "x"}}),
    ]
}

fn statements(effect: &str) -> Vec<Value> {
    let mut out = Vec::new();
    for condition in conditions() {
        let (action, resource) = match out.len() % 2 {
            0 => ("s3:*", "*"),
            _ => ("s3:GetObject", "arn:aws:s3:::acme-data/public/*"),
        };
        out.push(json!({"Effect": effect, "Principal": "*", "Action": action,
            "Resource": resource, "Condition": condition}));
    }
    out
}

#[test]
fn a_deny_a_block_or_enforced_ownership_never_widens() {
    let mut changes: Vec<(String, Value)> = Vec::new();
    for row in rows() {
        for flag in [
            "block_public_acls",
            "ignore_public_acls",
            "block_public_policy",
            "restrict_public_buckets",
        ] {
            for at in ["account_block", "bucket"] {
                let changed = with(&row, |row| {
                    let block = match at {
                        "bucket" => &mut row["bucket"]["public_access_block"],
                        _ => &mut row["account_block"],
                    };
                    if block.get("$gap").is_none() {
                        block[flag] = json!(true);
                    }
                });
                changes.push((format!("{} and {at} {flag}", row["name"]), changed));
            }
        }
        let enforced = with(&row, |row| {
            row["bucket"]["ownership"] = json!("BucketOwnerEnforced")
        });
        changes.push((format!("{} and ownership", row["name"]), enforced));
        for deny in statements("Deny") {
            let changed = with(&row, |row| add_statement(row, &deny));
            changes.push((format!("{} and {deny}", row["name"]), changed));
        }
        let before = widths(&row);
        for (what, changed) in changes.drain(..) {
            for (old, new) in before.iter().zip(widths(&changed)) {
                assert!(
                    new.0 <= old.0 && new.1 <= old.1,
                    "{what}: {old:?} became {new:?}"
                );
            }
        }
    }
}

#[test]
fn an_allow_never_narrows() {
    for row in rows() {
        // Where public policies are restricted, a policy that becomes public loses the grants it
        // has: that is what the switch does.
        let restricted = row["account_block"]["restrict_public_buckets"].as_bool() == Some(true)
            || row["bucket"]["public_access_block"]["restrict_public_buckets"].as_bool()
                == Some(true)
            || row["bucket_name"].is_string()
            || row["access_points"]
                .to_string()
                .contains("restrict_public_buckets")
            || row["bucket"]["public_access_block"].get("$gap").is_some();
        if restricted {
            continue;
        }
        let before = widths(&row);
        for allow in statements("Allow") {
            let changed = with(&row, |row| add_statement(row, &allow));
            for (old, new) in before.iter().zip(widths(&changed)) {
                assert!(
                    new.0 >= old.0 && new.1 >= old.1,
                    "{} and {allow}: {old:?} became {new:?}",
                    row["name"]
                );
            }
        }
    }
}

#[test]
fn a_failed_call_never_turns_into_a_pass_and_never_into_a_fail() {
    let calls = [
        ("/bucket/policy", "s3:GetBucketPolicy"),
        (
            "/bucket/public_access_block",
            "s3:GetBucketPublicAccessBlock",
        ),
        ("/bucket/acl", "s3:GetBucketAcl"),
        ("/bucket/ownership", "s3:GetBucketOwnershipControls"),
        ("/bucket/request_payer", "s3:GetBucketRequestPayment"),
        ("/account_block", "s3:GetAccountPublicAccessBlock"),
    ];
    for row in rows() {
        let before = widths(&row);
        for (place, operation) in calls {
            // S3 does not add ranges up, so a wide list passes the block: nobody writes one, and
            // an unread policy under the block is not taken for one.
            if operation == "s3:GetBucketPolicy" && row["name"].to_string().contains("halves") {
                continue;
            }
            let changed = with(&row, |row| {
                let (parent, field) = place.rsplit_once('/').expect("places are paths");
                let parent = if parent.is_empty() {
                    row
                } else {
                    &mut row["bucket"]
                };
                parent[field] = json!({"$gap": operation});
            });
            for (old, new) in before.iter().zip(widths(&changed)) {
                assert!(
                    new.0 <= old.0 && new.1 >= old.1,
                    "{} without {operation}: {old:?} became {new:?}",
                    row["name"]
                );
            }
        }
        for (field, operation) in [
            ("website", "s3:GetBucketWebsite"),
            ("policy_is_public", "s3:GetBucketPolicyStatus"),
            ("versioning", "s3:GetBucketVersioning"),
            ("encryption", "s3:GetBucketEncryption"),
        ] {
            if field == "encryption" && row["bucket"]["encryption"].is_string() {
                continue;
            }
            let changed = with(&row, |row| {
                row["bucket"][field] = json!({"$gap": operation})
            });
            assert_eq!(
                before,
                widths(&changed),
                "{} without {operation}",
                row["name"]
            );
        }
    }
}

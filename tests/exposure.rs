//! Who can reach a bucket: recorded configuration, the audience it makes, and laws that hold of
//! every configuration.

use std::collections::BTreeMap;

use palisade::exposure::keys::{KeyLife, KeyOwner, owner};
use palisade::exposure::{Audience, BucketExposure, Capability, Exposure, TrustExposure};
use palisade_model::{Arn, Observed, ProofAnswer, ProofAsk, ProofResult, Snapshot};
use serde_json::{Value, json};

const OWNER: &str = "111122223333";

fn rows() -> Vec<Value> {
    serde_yaml_ng::from_str(include_str!("cases/exposure.yaml")).expect("the rows are YAML")
}

fn organization(kind: &str) -> Value {
    let perimeter = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorg1"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}});
    let management = if kind == "perimeter-management" {
        OWNER
    } else {
        "999999999999"
    };
    let policies = if kind.starts_with("perimeter") {
        json!({"p-perimeter": {"name": "Perimeter", "kind": "rcp", "document": perimeter}})
    } else {
        json!({})
    };
    json!({
        "id": "o-exampleorg1", "management_account": management, "feature_set": "ALL",
        "root": "r-ab12", "units": {}, "policies": policies,
        "accounts": {OWNER: {"parent": "r-ab12"}, "222233334444": {"parent": "r-ab12"},
            "999999999999": {"parent": "r-ab12"}},
        "attachments": {"r-ab12": ["p-perimeter"]},
    })
}

fn bucket_name(row: &Value) -> &str {
    row["bucket_name"].as_str().unwrap_or("acme-data")
}

fn snapshot(row: &Value) -> Snapshot {
    let organization = match row["organization"].as_str() {
        None => Value::Null,
        Some("unread") => json!({"$gap": "organizations:DescribeOrganization"}),
        Some(kind) => organization(kind),
    };
    let resources = match &row["distributions"] {
        Value::Null => json!({"cloudfront.distribution": null}),
        Value::String(_) => json!({}),
        list => json!({"cloudfront.distribution": list}),
    };
    let mut bucket = row["bucket"].clone();
    if bucket["region"].is_null() {
        bucket["region"] = json!("eu-central-1");
    }
    let snapshot = json!({
        "taken_at": "2026-11-01T00:00:00Z",
        "organization": organization,
        "accounts": {OWNER: {
            "s3": {
                "public_access_block": row["account_block"],
                "buckets": {bucket_name(row): bucket},
                "access_points": row["access_points"],
            },
            "resources": resources,
        }},
    });
    serde_json::from_value(snapshot).expect("the row fits the model")
}

fn judge(row: &Value) -> BucketExposure {
    let key = (OWNER.to_owned(), bucket_name(row).to_owned());
    Exposure::of(&snapshot(row))
        .buckets
        .remove(&key)
        .expect("the bucket is judged")
}

fn word(audience: &Audience) -> String {
    match audience {
        Audience::Public => "public".to_owned(),
        Audience::AuthenticatedAws => "auth".to_owned(),
        Audience::CdnPublic => "cdn".to_owned(),
        Audience::CrossAccount { accounts } => {
            let names: Vec<&str> = accounts.iter().map(String::as_str).collect();
            format!("cross {}", names.join(" "))
        }
        Audience::Network(_) => "network".to_owned(),
        Audience::Organization { .. } => "org".to_owned(),
        Audience::Private => "private".to_owned(),
    }
}

fn name(capability: Capability) -> String {
    let value = serde_json::to_value(capability).expect("a capability has a name");
    value.as_str().expect("the name is text").to_owned()
}

/// What a row says, with `cross` alone standing for whoever it is.
fn answers(found: &BucketExposure) -> BTreeMap<String, String> {
    found
        .verdicts
        .iter()
        .map(|(capability, verdict)| {
            let (least, most) = (word(&verdict.at_least), word(&verdict.at_most));
            let most = if least != most && most.starts_with("cross") {
                "cross".to_owned()
            } else {
                most
            };
            let text = if least == most {
                least
            } else {
                format!("{least}..{most}")
            };
            (name(*capability), text)
        })
        .filter(|(_, text)| text != "private")
        .collect()
}

#[test]
fn every_row_of_the_decision_table_is_judged_as_it_says() {
    let mut wrong = Vec::new();
    for row in rows() {
        let found = judge(&row);
        let expect: BTreeMap<String, String> =
            serde_json::from_value(row["expect"].clone()).expect("`expect` is a mapping");
        if answers(&found) != expect {
            wrong.push(format!(
                "{}: expected {expect:?}, got {:?}",
                row["name"],
                answers(&found)
            ));
        }
        if let Some(aws) = row["aws"].as_bool()
            && found.aws_public_policy != Some(aws)
        {
            wrong.push(format!("{}: S3 would say {aws}", row["name"]));
        }
        if let Some(aws) = row["aws_acl"].as_bool()
            && found.aws_public_acl != Some(aws)
        {
            wrong.push(format!("{}: S3 would say {aws} of the ACL", row["name"]));
        }
        let latent: Vec<String> = Capability::ALL
            .into_iter()
            .filter(|capability| found.verdict(*capability).latent().next().is_some())
            .map(name)
            .collect();
        if let Some(expect) = row["latent"].as_array()
            && *expect != latent.iter().map(|name| json!(name)).collect::<Vec<_>>()
        {
            wrong.push(format!("{}: latent is {latent:?}", row["name"]));
        }
        if row["confused"].as_bool().unwrap_or_default() == found.confused_deputies.is_empty() {
            wrong.push(format!(
                "{}: deputies are {:?}",
                row["name"], found.confused_deputies
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unread_fact_is_named_as_what_decides() {
    for row in rows() {
        for (capability, verdict) in judge(&row).verdicts {
            assert_eq!(
                verdict.gaps.is_empty(),
                verdict.at_least == verdict.at_most,
                "{}: {capability:?}",
                row["name"]
            );
        }
    }
}

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

#[test]
fn the_status_is_compared_and_not_believed() {
    let mut row = rows()
        .into_iter()
        .find(|row| row["aws"] == json!(true))
        .expect("some row is public");
    for status in [true, false] {
        row["bucket"]["policy_is_public"] = json!(status);
        let found = judge(&row);
        assert_eq!(found.verdict(Capability::Read).at_least, Audience::Public);
        assert_eq!(found.status_disagrees, (!status).then_some(status));
    }
}

#[test]
fn an_object_is_judged_by_itself() {
    let row = json!({"bucket": {
        "policy": {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::acme-data/public/*"}},
        "objects": {"seen": 4, "complete": true, "objects": [
            {"key": "public/.env"}, {"key": "private/.env"},
            {"key": "public/old", "storage_class": "DEEP_ARCHIVE"},
            {"key": "public/locked", "encryption": "aws:kms"}]},
    }});
    let found = judge(&row);
    let audience = |key: &str| found.objects[&(key.to_owned(), None)].known().cloned();
    assert_eq!(audience("public/.env"), Some(Audience::Public));
    assert_eq!(audience("private/.env"), Some(Audience::Private));
    assert_eq!(audience("public/old"), Some(Audience::Private));
    assert_eq!(audience("public/locked"), Some(Audience::Private));
}

#[test]
fn nothing_read_is_nothing_said() {
    let mut snapshot = snapshot(&json!({"bucket": {}}));
    let account = snapshot
        .accounts
        .get_mut(OWNER)
        .expect("the account is there");
    account.s3.buckets = Observed::denied("s3:ListBuckets");
    assert!(Exposure::of(&snapshot).buckets.is_empty());
}

#[test]
fn proof_takes_two_unsigned_requests_and_never_more() {
    let row = json!({"bucket": {
        "policy": {"Statement": {"Effect": "Allow", "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"], "Resource": "*"}},
        "objects": {"seen": 2, "complete": true, "objects": [
            {"key": ".env", "pattern": "dotenv", "size": 1}, {"key": "index.html", "size": 9}]},
    }});
    let snapshot = snapshot(&row);
    let exposure = Exposure::of(&snapshot);
    let plan = palisade::exposure::proof::plan(&snapshot, &exposure);
    let asks: Vec<&ProofAsk> = plan.iter().map(|request| &request.ask).collect();
    let get = ProofAsk::Get {
        key: "index.html".to_owned(),
        version: None,
    };
    assert_eq!(asks, [&ProofAsk::List, &get]);
    for (code, served, contradicts) in [(200, true, false), (403, false, true)] {
        let answer = plan[0].answer(code, "AccessDenied");
        assert_eq!(answer == ProofAnswer::Served, served);
        let result = ProofResult {
            request: plan[0].clone(),
            answer: Observed::Value(answer),
        };
        let says = palisade::exposure::proof::contradiction(&exposure, &result);
        assert_eq!(says.is_some(), contradicts, "{says:?}");
    }
}

#[test]
fn nothing_is_asked_of_what_is_not_said_to_be_public() {
    for row in rows() {
        let snapshot = snapshot(&row);
        let exposure = Exposure::of(&snapshot);
        let open = judge(&row)
            .verdicts
            .values()
            .any(|v| v.at_most == Audience::Public);
        let plan = palisade::exposure::proof::plan(&snapshot, &exposure);
        assert!(plan.len() <= 2, "{}", row["name"]);
        assert!(open || plan.is_empty(), "{}", row["name"]);
    }
}

/// The role `r` with this trust, judged.
fn trust(statement: &Value) -> TrustExposure {
    let arn = format!("arn:aws:iam::{OWNER}:role/r");
    let snapshot: Snapshot = serde_json::from_value(json!({
        "taken_at": "2026-11-01T00:00:00Z",
        "accounts": {OWNER: {"iam": {"roles": {"r": {"arn": arn, "id": "AROAEXAMPLE",
            "trust": {"Version": "2012-10-17", "Statement": statement}}}}}},
    }))
    .expect("the trust fits the model");
    let mut exposure = Exposure::of(&snapshot);
    exposure
        .trusts
        .remove(&Arn::new(arn))
        .expect("the role is judged")
}

#[test]
fn trusts_are_judged_by_who_gets_in() {
    let assume = |principal: Value, condition: Value| {
        trust(
            &json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}),
        )
    };
    let none = || json!({});
    let everybody = json!({"AWS": "*"});
    let tag = json!({"StringEquals": {"aws:PrincipalTag/team": "ops"}});
    let own = json!({"StringEquals": {"aws:PrincipalAccount": OWNER}});
    let optional = json!({"StringEqualsIfExists": {"aws:PrincipalAccount": OWNER}});
    for (principal, condition, expect) in [
        (everybody.clone(), none(), "auth"),
        (everybody.clone(), tag, "auth"),
        (everybody.clone(), own, "private"),
        // A signed request always carries its account: the optional condition binds.
        (everybody.clone(), optional, "private"),
        (
            everybody,
            json!({"StringEquals": {"sts:ExternalId": "x"}}),
            "auth",
        ),
        (json!({"AWS": "444455556666"}), none(), "cross 444455556666"),
        (
            json!({"AWS": "arn:aws:iam::444455556666:role/x"}),
            none(),
            "cross 444455556666",
        ),
        (json!({"AWS": OWNER}), none(), "private"),
        (json!({"Service": "ec2.amazonaws.com"}), none(), "private"),
    ] {
        let found = assume(principal.clone(), condition.clone());
        assert_eq!(
            word(&found.assume.at_least),
            expect,
            "{principal} {condition}"
        );
        assert_eq!(
            found.assume.at_least, found.assume.at_most,
            "{principal} {condition}"
        );
    }
    let asks = assume(
        json!({"AWS": "444455556666"}),
        json!({"StringEquals": {"sts:ExternalId": "x"}}),
    );
    assert_eq!(asks.external_id.len(), 1);
}

#[test]
fn a_found_key_leads_to_its_user_or_says_why_not() {
    let snapshot: Snapshot = serde_json::from_value(json!({
        "taken_at": "2026-11-01T00:00:00Z",
        "accounts": {
            OWNER: {"iam": {"users": {
                "u": {"arn": format!("arn:aws:iam::{OWNER}:user/u"), "access_keys": [
                    {"id": "AKIAONE", "status": "Active"}, {"id": "AKIATWO", "status": "Inactive"}]}}}},
            "222233334444": {"iam": {"users": {"$gap": "iam:ListUsers"}}},
        },
    }))
    .expect("the accounts fit the model");
    let of = |id: &str, account: Option<&str>| owner(&snapshot, id, account);
    assert!(matches!(
        of("AKIAONE", Some(OWNER)),
        KeyOwner::User {
            status: KeyLife::Active,
            ..
        }
    ));
    assert!(matches!(
        of("AKIATWO", None),
        KeyOwner::User {
            status: KeyLife::Inactive,
            ..
        }
    ));
    assert!(matches!(
        of("AKIAGONE", Some(OWNER)),
        KeyOwner::Deleted { .. }
    ));
    assert!(matches!(
        of("ASIASESSION", Some(OWNER)),
        KeyOwner::Session { .. }
    ));
    assert!(matches!(
        of("AKIASTRANGE", Some("999900001111")),
        KeyOwner::Foreign { .. }
    ));
    assert!(matches!(
        of("AKIAUNREAD", Some("222233334444")),
        KeyOwner::Unknown {
            missing: Some(_),
            ..
        }
    ));
    assert!(matches!(
        of("AKIAOLD", None),
        KeyOwner::Unknown { account: None, .. }
    ));
}

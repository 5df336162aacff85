//! The estate's answers about resources: their policies, lists, grants and endpoints.

use super::*;

/// The answer to a stranger and to a user of another account, both about one object.
fn of_others(bucket: Value, account_block: Value) -> [Decision; 2] {
    let foreign = "arn:aws:iam::444455556666:user/f";
    let snapshot = json!({
        "taken_at": "2026-11-01T00:00:00Z",
        "accounts": {
            ACCOUNT: {"s3": {"public_access_block": account_block, "buckets": {"b": bucket}}},
            "444455556666": {"iam": {"users": {"f": {"arn": foreign, "id": "AIDAf",
                "inline": {"p": allow("s3:*", "*")}}}}},
        },
    });
    let snapshot: Snapshot = serde_json::from_value(snapshot).expect("the snapshot is well formed");
    let engine = Engine::new(&snapshot);
    ["anonymous", foreign]
        .map(|who| engine.decide(who, "s3:GetObject", "arn:aws:s3:::b/k", &Context::open()))
}

#[test]
fn an_unread_public_access_block_is_unknown_and_one_that_is_on_is_enough() {
    let granted = |to: Value| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": to, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}})
    };
    let (on, off) = (
        json!({"restrict_public_buckets": true}),
        json!({"restrict_public_buckets": false}),
    );
    let gap = json!({"$gap": {"operation": "s3:GetPublicAccessBlock", "kind": "denied"}});
    let left_out = json!({"$not-applicable": {"why": "not-asked"}});
    let ask = |to: Value, own: &Value, account: &Value| {
        let bucket = json!({"policy": granted(to), "ownership": "BucketOwnerEnforced",
            "public_access_block": own});
        of_others(bucket, account.clone())
    };
    let all = |own: &Value, account: &Value| ask(json!("*"), own, account);
    for decision in all(&off, &off).iter().chain(&all(&Value::Null, &off)) {
        assert!(decision.is_allowed(), "{decision:?}");
    }
    for (own, account) in [(&on, &gap), (&gap, &on), (&on, &off), (&left_out, &on)] {
        for decision in all(own, account) {
            assert!(decision.is_denied(), "{decision:?}");
        }
    }
    for (own, account) in [(&off, &gap), (&gap, &off), (&gap, &gap), (&left_out, &off)] {
        for decision in all(own, account) {
            let Decision::Unknown(unknown) = &decision else {
                panic!("{decision:?}")
            };
            assert_eq!(unknown.gaps.len(), 1);
            assert_eq!(unknown.gaps[0].name, "public access block");
        }
    }
    let named = json!({"AWS": "arn:aws:iam::444455556666:root"});
    let [stranger, foreign] = ask(named, &gap, &gap);
    assert!(stranger.is_denied() && foreign.is_allowed());
}

#[test]
fn public_grants_under_an_unread_switch_are_unknown_and_others_hold() {
    let list = |grantee: &str| json!({"owner": "owner", "grants": [{"grantee": grantee, "permission": "READ"}]});
    let gap = json!({"$gap": {"operation": "s3:GetPublicAccessBlock", "kind": "denied"}});
    let all = "http://acs.amazonaws.com/groups/global/AllUsers";
    let ask = |list: Value, own: Value| {
        let bucket = json!({"acl": list, "ownership": "ObjectWriter", "public_access_block": own});
        let listed = |d: Decision| match d {
            Decision::Allowed(_) => "allowed",
            Decision::Unknown(_) => "unknown",
            _ => "denied",
        };
        let snapshot = json!({"taken_at": "2026-11-01T00:00:00Z",
            "accounts": {ACCOUNT: {"s3": {"public_access_block": null, "buckets": {"b": bucket}}}, "444455556666":
                {"iam": {"users": {"f": {"arn": "arn:aws:iam::444455556666:user/f", "id": "AIDAf",
                    "inline": {"p": allow("s3:*", "*")}}}}}}});
        let snapshot: Snapshot = serde_json::from_value(snapshot).expect("well formed");
        let engine = Engine::new(&snapshot);
        ["anonymous", "arn:aws:iam::444455556666:user/f"].map(|who| {
            listed(engine.decide(who, "s3:ListBucket", "arn:aws:s3:::b", &Context::open()))
        })
    };
    assert_eq!(ask(list(all), Value::Null), ["allowed", "allowed"]);
    assert_eq!(ask(list(all), gap.clone()), ["unknown", "unknown"]);
    assert_eq!(
        ask(list(all), json!({"ignore_public_acls": true})),
        ["denied", "denied"]
    );
    assert_eq!(
        ask(list("444455556666"), gap.clone()),
        ["denied", "allowed"]
    );
    // An unread list may name any account, also where public grants are ignored.
    assert_eq!(
        ask(gap.clone(), json!({"ignore_public_acls": true})),
        ["denied", "unknown"]
    );
    assert_eq!(ask(gap.clone(), Value::Null), ["unknown", "unknown"]);
}

#[test]
fn policies_that_are_not_collected_are_unknown_where_they_matter() {
    let iam =
        json!({"users": {"a": user("a", allow("*", "*")), "b": user("b", allow("s3:*", "*"))}});
    let mut snapshot = json!({"taken_at": "2026-11-01T00:00:00Z", "accounts": {
        ACCOUNT: {"iam": iam, "regions": {"eu-west-1": {}}},
        "444455556666": {"regions": {"eu-west-1": {}}, "iam": {"users": {"f": {"arn":
            "arn:aws:iam::444455556666:user/f", "id": "AIDAf", "inline": {"p": allow("*", "*")}}}}}}});
    for kind in [
        "dynamodb.table",
        "sqs.queue",
        "kms.key",
        "ecr.repository",
        "secretsmanager.secret",
    ] {
        snapshot["accounts"][ACCOUNT]["regions"]["eu-west-1"]["resources"][kind] = json!({});
    }
    let snapshot: Snapshot = serde_json::from_value(snapshot).expect("well formed");
    let engine = Engine::new(&snapshot);
    let said = |who: &str, action: &str, rest: &str| {
        let service = action.split(':').next().expect("it has a service");
        let resource = format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{rest}");
        match engine.decide(who, action, &resource, &Context::open()) {
            Decision::Allowed(_) => "allowed",
            Decision::Unknown(unknown) if unknown.unless_refused.is_some() => "unless refused",
            Decision::Unknown(_) => "unknown",
            _ => "denied",
        }
    };
    let foreign = "arn:aws:iam::444455556666:user/f";
    for (action, rest, own, without, other) in [
        (
            "kinesis:PutRecord",
            "stream/s",
            "unless refused",
            "unknown",
            "unknown",
        ),
        (
            "elasticfilesystem:ClientMount",
            "file-system/fs-1",
            "unless refused",
            "unknown",
            "unknown",
        ),
        (
            "es:ESHttpGet",
            "domain/d/x",
            "unless refused",
            "unknown",
            "unknown",
        ),
        (
            "execute-api:Invoke",
            "api/prod/GET/x",
            "unless refused",
            "unknown",
            "unknown",
        ),
        (
            "backup:DeleteRecoveryPoint",
            "backup-vault:v",
            "unless refused",
            "unknown",
            "unknown",
        ),
        (
            "lambda:InvokeFunction",
            "function:f:live",
            "unless refused",
            "unknown",
            "unknown",
        ),
        (
            "dynamodb:GetRecords",
            "table/t/stream/x",
            "unless refused",
            "unknown",
            "unknown",
        ),
        // Sharing never denies, and grants nothing to whom the own account allows nothing.
        (
            "codebuild:BatchGetBuilds",
            "project/p",
            "allowed",
            "denied",
            "unknown",
        ),
        (
            "wafv2:GetRuleGroup",
            "regional/rulegroup/r/1",
            "allowed",
            "denied",
            "unknown",
        ),
        // Nor do policies for services only.
        (
            "logs:PutLogEvents",
            "log-group:g:log-stream:s",
            "allowed",
            "denied",
            "denied",
        ),
        ("glue:StartJobRun", "job/j", "allowed", "denied", "denied"),
        ("rds:StopDBInstance", "db:d", "allowed", "denied", "denied"),
        ("sqs:SendMessage", "q", "allowed", "denied", "denied"),
    ] {
        let found = [&arn("a"), &arn("b"), foreign].map(|who| said(who, action, rest));
        assert_eq!(found, [own, without, other], "{action}");
    }
    assert_eq!(
        said(
            "delivery.logs.amazonaws.com",
            "logs:PutLogEvents",
            "log-group:g"
        ),
        "unknown"
    );
}

#[test]
fn grants_of_a_key_allow_and_deny_nothing() {
    let key = format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/k");
    let own = format!("arn:aws:iam::{ACCOUNT}:root");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": own}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Resource": "*"}]});
    let foreign = "arn:aws:iam::444455556666:role/r";
    let decided = |grants: Value, who: &str, action: &str, context: &Context| {
        let mut snapshot = json!({"taken_at": "2026-11-01T00:00:00Z", "accounts": {
            ACCOUNT: {"iam": {"users": {"a": user("a", allow("s3:*", "*"))}}, "regions": {"eu-west-1":
                {"resources": {"kms.key": {"k": {"arn": key, "policy": policy,
                    "attributes": {"key_manager": "CUSTOMER"}}}}}}},
            "444455556666": {"iam": {"roles": {"r": {"arn": foreign, "id": "AROAr",
                "trust": trust("arn:aws:iam::444455556666:root")}}}}}});
        let place = &mut snapshot["accounts"][ACCOUNT]["regions"]["eu-west-1"]["resources"];
        place["kms.key"]["k"]["attributes"]["grants"] = grants;
        let snapshot: Snapshot = serde_json::from_value(snapshot).expect("well formed");
        Engine::new(&snapshot).decide(who, action, &key, context)
    };
    let grant = |to: &str, constraints: Value| {
        json!([{"GranteePrincipal": to, "GrantId": "g",
        "Operations": ["Decrypt", "Sign", "DescribeKey"], "Constraints": constraints}])
    };
    let free = Value::Null;
    let open = Context::open();
    let a = arn("a");
    assert!(decided(json!([]), &a, "kms:Decrypt", &open).is_denied());
    assert!(decided(Value::Null, &a, "kms:Decrypt", &open).is_denied());
    assert!(decided(grant(&a, free.clone()), &a, "kms:Decrypt", &open).is_allowed());
    assert!(decided(grant(&a, free.clone()), &a, "kms:Encrypt", &open).is_denied());
    assert!(decided(grant(&a, free.clone()), &a, "kms:Sign", &open).is_denied());
    // Also without a policy of the other account's own.
    assert!(decided(grant(foreign, free.clone()), foreign, "kms:Decrypt", &open).is_allowed());
    assert!(decided(grant(foreign, free), &a, "kms:Decrypt", &open).is_denied());
    let held = json!({"EncryptionContextSubset": {"team": "web"}});
    let Decision::Conditional(conditional) =
        decided(grant(&a, held.clone()), &a, "kms:Decrypt", &open)
    else {
        panic!("the constraint binds")
    };
    let said = conditional.residual.to_string();
    assert_eq!(said, "kms:encryptioncontext:team StringEquals web");
    assert!(decided(grant(&a, held), &a, "kms:DescribeKey", &open).is_allowed());
    let gap = json!({"$gap": {"operation": "kms:ListGrants", "kind": "denied"}});
    let Decision::Unknown(unknown) = decided(gap, &a, "kms:Decrypt", &open) else {
        panic!("a grant may be there")
    };
    assert_eq!(unknown.gaps[0].layer, crate::policy::Layer::Grant);
    assert!(
        unknown.gaps[0].reason.contains("kms:ListGrants"),
        "{unknown:?}"
    );
}

#[test]
fn the_writer_of_an_object_owns_it_where_lists_count() {
    let foreign = "arn:aws:iam::444455556666:user/f";
    let decided = |ownership: &str, owner: &str, who: &str, action: &str| {
        let open = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"},
            {"Effect": "Allow", "Principal": {"CanonicalUser": ["id-of-4", "id-of-none"]},
                "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}]});
        let of = |owner: &str| json!({"owner": owner, "grants": []});
        let snapshot = json!({"taken_at": "2026-11-01T00:00:00Z", "accounts": {
            ACCOUNT: {"iam": {"users": {"a": user("a", allow("s3:*", "*"))}},
                "s3": {"public_access_block": null, "buckets": {"b": {"policy": open, "acl": of("id-of-1"),
                    "ownership": ownership, "objects": {"objects": [{"key": "k", "acl": of(owner)}]}}}}},
            "444455556666": {"s3": {"buckets": {"c": {"acl": of("id-of-4")}}},
                "iam": {"users": {"f": {"arn": foreign, "id": "AIDAf", "inline": {"p": allow("s3:*", "*")}}}}}}});
        let snapshot: Snapshot = serde_json::from_value(snapshot).expect("well formed");
        let on = if action == "s3:ListBucket" {
            "arn:aws:s3:::b"
        } else {
            "arn:aws:s3:::b/k"
        };
        Engine::new(&snapshot)
            .decide(who, action, on, &Context::open())
            .is_allowed()
    };
    let a = arn("a");
    for (ownership, owner, who, action, allowed) in [
        ("ObjectWriter", "id-of-1", "anonymous", "s3:GetObject", true),
        (
            "BucketOwnerEnforced",
            "id-of-4",
            "anonymous",
            "s3:GetObject",
            true,
        ),
        (
            "ObjectWriter",
            "id-of-4",
            "anonymous",
            "s3:GetObject",
            false,
        ),
        ("ObjectWriter", "id-of-4", &a, "s3:GetObject", false),
        ("ObjectWriter", "id-of-4", &a, "s3:DeleteObject", true),
        ("ObjectWriter", "id-of-4", foreign, "s3:GetObject", true),
        ("ObjectWriter", "id-of-5", foreign, "s3:GetObject", false),
        // By its canonical user id; one that nobody knows is no account of which one is known.
        ("ObjectWriter", "id-of-1", foreign, "s3:ListBucket", true),
    ] {
        let found = decided(ownership, owner, who, action);
        assert_eq!(found, allowed, "{ownership} {owner} {who} {action}");
    }
}

#[test]
fn one_session_named_is_a_condition_on_the_role() {
    let role_arn = format!("arn:aws:iam::{ACCOUNT}:role/ci/r");
    let session = |name: &str| format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/{name}");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": session("nightly")}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
        {"Effect": "Allow", "Principal": {"AWS": role_arn}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"},
        {"Effect": "Deny", "Principal": {"AWS": session("guest")}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}]});
    let mut it = role(
        "r",
        trust(&format!("arn:aws:iam::{ACCOUNT}:root")),
        allow("sqs:*", "*"),
    );
    it["arn"] = json!(role_arn);
    let snapshot = json!({"taken_at": "2026-11-01T00:00:00Z", "accounts": {ACCOUNT: {"iam": {"roles": {"r": it}},
        "s3": {"public_access_block": null, "buckets": {"b": {"policy": policy, "ownership": "BucketOwnerEnforced"}}}}}});
    let snapshot: Snapshot = serde_json::from_value(snapshot).expect("well formed");
    let engine = Engine::new(&snapshot);
    let ask = |who: &str, action: &str| match engine.decide(
        who,
        action,
        "arn:aws:s3:::b/k",
        &Context::open(),
    ) {
        Decision::Allowed(_) => "allowed".to_owned(),
        Decision::Conditional(conditional) => conditional.residual.to_string(),
        _ => "denied".to_owned(),
    };
    assert_eq!(
        ask(&role_arn, "s3:GetObject"),
        "aws:userid StringLike *:nightly"
    );
    assert_eq!(ask(&session("nightly"), "s3:GetObject"), "allowed");
    assert_eq!(ask(&session("other"), "s3:GetObject"), "denied");
    assert_eq!(
        ask(&role_arn, "s3:PutObject"),
        "aws:userid StringNotLike *:guest"
    );
    assert_eq!(ask(&session("guest"), "s3:PutObject"), "denied");
    assert_eq!(ask(&session("other"), "s3:PutObject"), "allowed");
    let who = engine.who_can("s3:GetObject", "arn:aws:s3:::b/k", &Context::open());
    assert_eq!(who.iter(&engine).count(), 1);
    let (_, why) = engine.explain(
        &role_arn,
        "s3:GetObject",
        "arn:aws:s3:::b/k",
        &Context::open(),
    );
    assert_eq!(why.statements[0].cite.statement, 0);
    assert!(why.statements[0].text.contains("nightly"));
}

#[test]
fn the_policy_of_an_endpoint_counts_where_the_endpoint_is_known() {
    let pinned = |id: &str| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*",
        "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpce": id}}}})
    };
    let only = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*",
        "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}});
    let snapshot = json!({"taken_at": "2026-11-01T00:00:00Z", "organization": null, "accounts": {ACCOUNT: {
        "iam": {"users": {"a": user("a", pinned("vpce-1")), "b": user("b", allow("s3:*", "*")),
            "c": user("c", pinned("vpce-9"))}},
        "s3": {"public_access_block": null, "buckets": {}},
        "regions": {"eu-west-1": {"resources": {"ec2.vpc-endpoint": {
            "vpce-1": {"arn": format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc-endpoint/vpce-1"), "policy": only},
            "vpce-2": {"arn": format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc-endpoint/vpce-2"), "policy": null}}}}}}}});
    let snapshot: Snapshot = serde_json::from_value(snapshot).expect("well formed");
    let engine = Engine::new(&snapshot);
    let ask = |name: &str, action: &str, endpoint: Option<&str>, org: Option<&str>| {
        let mut context = Context::open();
        if let Some(id) = endpoint {
            context.set("aws:SourceVpce", id);
        }
        if let Some(id) = org {
            context.set("aws:PrincipalOrgID", id);
        } else {
            context.set_unknown("aws:PrincipalOrgID");
        }
        match engine.decide(&arn(name), action, "arn:aws:s3:::b/k", &context) {
            Decision::Allowed(_) => "allowed".to_owned(),
            Decision::Conditional(conditional) => conditional.residual.to_string(),
            Decision::Denied(refusal) => format!("denied by {}", refusal.layer.word()),
            Decision::Unknown(_) => "unknown".to_owned(),
        }
    };
    assert_eq!(ask("b", "s3:PutObject", None, None), "allowed");
    assert_eq!(
        ask("b", "s3:PutObject", Some("vpce-1"), None),
        "denied by endpoint"
    );
    assert_eq!(ask("b", "s3:PutObject", Some("vpce-2"), None), "allowed");
    assert_eq!(
        ask("b", "s3:GetObject", Some("vpce-1"), Some("o-1")),
        "allowed"
    );
    assert_eq!(ask("a", "s3:PutObject", None, None), "denied by endpoint");
    assert_eq!(
        ask("a", "s3:GetObject", None, Some("o-1")),
        "aws:sourcevpce StringEquals vpce-1"
    );
    assert_eq!(
        ask("a", "s3:GetObject", None, None),
        "aws:principalorgid StringEquals o-1 and aws:sourcevpce StringEquals vpce-1"
    );
    assert_eq!(
        ask("c", "s3:PutObject", None, None),
        "aws:sourcevpce StringEquals vpce-9"
    );
}

//! The estate's answers about principals.

mod resources;

use palisade_model::Snapshot;
use serde_json::{Value, json};

use super::*;
use crate::policy::{Effect, Extent, ResourceSet, Tri};

const ACCOUNT: &str = "111122223333";

fn allow(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}})
}

fn trust(principal: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}})
}

fn user(name: &str, inline: Value) -> Value {
    json!({"arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "id": format!("AIDA{name}"), "inline": {"p": inline}})
}

fn role(name: &str, trust: Value, inline: Value) -> Value {
    json!({"arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "id": format!("AROA{name}"),
        "trust": trust, "inline": {"p": inline}})
}

fn engine(iam: Value, organization: Value) -> Engine {
    let mut snapshot = json!({
        "taken_at": "2026-11-01T00:00:00Z",
        "accounts": {ACCOUNT: {"iam": iam}, "444455556666": {}},
    });
    if !organization.is_null() {
        snapshot["organization"] = organization;
    }
    let snapshot: Snapshot = serde_json::from_value(snapshot).expect("the snapshot is well formed");
    Engine::new(&snapshot)
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

fn may(engine: &Engine, name: &str, action: &str, resource: &str) -> Decision {
    engine.decide(&arn(name), action, resource, &Context::open())
}

#[test]
fn a_trust_policy_is_asked_for_sts_and_not_for_iam() {
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let target = format!("arn:aws:iam::{ACCOUNT}:role/deploy");
    let iam = json!({
        "users": {"a": user("a", allow("sts:AssumeRole", &target)), "b": user("b", allow("iam:PassRole", &target)),
            "c": user("c", allow("sts:*", "*"))},
        "roles": {"deploy": role("deploy", trust(&root), allow("*", "*")),
            "closed": role("closed", trust("arn:aws:iam::999900001111:root"), allow("*", "*"))},
    });
    let engine = engine(iam, Value::Null);
    assert!(may(&engine, "a", "sts:AssumeRole", &target).is_allowed());
    assert!(may(&engine, "b", "sts:AssumeRole", &target).is_denied());
    assert!(may(&engine, "b", "iam:PassRole", &target).is_allowed());
    let closed = format!("arn:aws:iam::{ACCOUNT}:role/closed");
    assert!(may(&engine, "c", "sts:AssumeRole", &closed).is_denied());
    let who = engine.who_can("sts:AssumeRole", &target, &Context::open());
    let names: Vec<_> = who
        .iter(&engine)
        .map(|(p, _)| p.arn.rsplit('/').next())
        .collect();
    assert_eq!(
        names,
        [Some("closed"), Some("deploy"), Some("a"), Some("c")]
    );
}

#[test]
fn scps_bind_members_down_the_tree_and_never_the_management_account() {
    let organization = json!({
        "id": "o-1", "management_account": "444455556666", "feature_set": "ALL", "root": "r-1",
        "enabled_policy_types": ["SERVICE_CONTROL_POLICY"],
        "units": {"ou-1": {"name": "w", "parent": "r-1"}},
        "accounts": {ACCOUNT: {"parent": "ou-1"}, "444455556666": {"parent": "r-1"}},
        "policies": {"p-1": {"name": "only-s3", "document": allow("s3:*", "*")}},
        "attachments": {"r-1": ["p-FullAWSAccess"], "ou-1": ["p-1"]},
    });
    let iam = json!({"users": {"a": user("a", allow("*", "*"))}});
    let engine = engine(iam, organization);
    assert!(may(&engine, "a", "s3:CreateBucket", "arn:aws:s3:::x").is_allowed());
    let denied = may(&engine, "a", "ec2:RunInstances", "*");
    let Decision::Denied(refusal) = &denied else {
        panic!("{denied:?}")
    };
    assert_eq!(refusal.layer, crate::policy::Layer::Scp(1));
    let (_, why) = engine.explain(&arn("a"), "ec2:RunInstances", "*", &Context::open());
    assert_eq!(why.near_misses.len(), 1);
    assert_eq!(why.near_misses[0].policies, ["only-s3"]);
    // An SCP is a ceiling of the account: its administrator stays one.
    assert!(engine.is_administrator(&arn("a")).is_allowed());
}

#[test]
fn what_was_not_read_is_unknown_where_it_counts() {
    let gap = json!({"$gap": {"operation": "iam:GetPolicyVersion", "kind": "denied"}});
    let iam = json!({
        "users": {
            "a": {"arn": arn("a"), "id": "AIDAa", "attached": ["arn:aws:iam::111122223333:policy/x"],
                "inline": {"p": {"Version": "2012-10-17", "Statement":
                    {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}}},
            "b": {"arn": arn("b"), "id": "AIDAb", "boundary": gap, "inline": {"p": allow("s3:*", "*")}},
            "c": {"arn": arn("c"), "id": "AIDAc", "inline": {"p": "{not json"}},
        },
        "policies": {"$gap": {"operation": "iam:ListPolicies", "kind": "denied"}},
    });
    let engine = engine(iam, Value::Null);
    assert!(may(&engine, "a", "s3:GetObject", "arn:aws:s3:::x/y").is_denied());
    for (name, action) in [
        ("a", "ec2:RunInstances"),
        ("b", "s3:CreateBucket"),
        ("c", "s3:CreateBucket"),
    ] {
        let decision = may(&engine, name, action, "*");
        let Decision::Unknown(unknown) = &decision else {
            panic!("{name}: {decision:?}")
        };
        assert_eq!(unknown.gaps.len(), 1, "{unknown:?}");
    }
    assert!(may(&engine, "b", "ec2:RunInstances", "*").is_denied());
    assert!(!engine.is_administrator(&arn("a")).is_denied());
}

#[test]
fn administrators_hold_everything_by_themselves_or_together() {
    let both = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]});
    let power = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}});
    let mfa = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}});
    let bounded = json!({"arn": arn("bounded"), "inline": {"p": allow("*", "*")},
        "boundary": "arn:aws:iam::111122223333:policy/b"});
    let iam = json!({
        "users": {"all": user("all", allow("*", "*")), "colon": user("colon", allow("*:*", "*")),
            "both": user("both", both), "power": user("power", power), "mfa": user("mfa", mfa),
            "some": user("some", allow("*", "arn:aws:s3:::*")), "bounded": bounded},
        "policies": {"arn:aws:iam::111122223333:policy/b":
            {"name": "b", "default_version": "v1", "versions": {"v1": allow("s3:*", "*")}}},
    });
    let engine = engine(iam, Value::Null);
    for name in ["all", "colon", "both"] {
        assert!(engine.is_administrator(&arn(name)).is_allowed(), "{name}");
    }
    for name in ["power", "some", "bounded", "nobody"] {
        assert!(engine.is_administrator(&arn(name)).is_denied(), "{name}");
    }
    let Decision::Conditional(conditional) = engine.is_administrator(&arn("mfa")) else {
        panic!()
    };
    assert_eq!(
        conditional.residual.to_string(),
        "aws:multifactorauthpresent Bool true"
    );
}

#[test]
fn members_of_a_class_are_told_apart_only_where_they_differ() {
    let home = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/${aws:username}/*"}});
    let iam = json!({"users": {"a": user("a", home.clone()), "b": user("b", home)}});
    let engine = engine(iam, Value::Null);
    assert_eq!((engine.class_count(), engine.policy_count()), (1, 1));
    let who = engine.who_can("s3:GetObject", "arn:aws:s3:::home/b/x", &Context::open());
    let names: Vec<_> = who
        .iter(&engine)
        .map(|(p, d)| (p.arn.to_string(), d.is_allowed()))
        .collect();
    assert_eq!(names, [(arn("b"), true)]);
}

#[test]
fn what_one_can_and_another_cannot() {
    let iam = json!({"users": {
        "a": user("a", allow("s3:GetObject", "*")),
        "b": user("b", allow("s3:Get*", "arn:aws:s3:::logs/*")),
    }});
    let engine = engine(iam, Value::Null);
    let a = engine.what_can(&arn("a"));
    assert_eq!(
        (a.len(), a[0].actions.as_slice()),
        (1, &["s3:GetObject".to_owned()][..])
    );
    let difference = engine.difference(&arn("a"), &arn("b"));
    let said = |list: &[(String, Vec<Extent>)]| -> Vec<String> {
        list.iter()
            .flat_map(|(action, extents)| extents.iter().map(move |e| format!("{action} on {e}")))
            .collect()
    };
    assert_eq!(said(&difference.only_first), ["s3:GetObject on *"]);
    assert!(
        difference
            .only_second
            .iter()
            .all(|(action, _)| action != "s3:GetObject")
    );
    assert!(
        difference
            .only_second
            .iter()
            .any(|(action, _)| action == "s3:GetBucketPolicy")
    );
    let set = ResourceSet::new("arn:aws:s3:::logs/x");
    let granting = engine.granting(&arn("b"), "s3:GetObject", &set);
    assert_eq!(granting.len(), 1);
    assert_eq!(
        (granting[0].extent, granting[0].statement.effect),
        (Tri::Yes, Effect::Allow)
    );
}

#[test]
fn what_can_keeps_conditions_and_denies() {
    let conditional = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
        {"Effect": "Deny", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:secret-*",
            "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "ops"}}},
        {"Effect": "Deny", "Action": "sqs:*", "Resource": "arn:aws:s3:::elsewhere"}]});
    let mut bounded = user("bounded", allow("sqs:*", "*"));
    bounded["boundary"] = json!("arn:aws:iam::111122223333:policy/b");
    let iam = json!({
        "users": {"mfa": user("mfa", conditional), "bounded": bounded,
            "free": user("free", allow("sqs:SendMessage", "*"))},
        "policies": {"arn:aws:iam::111122223333:policy/b": {"name": "b", "default_version": "v1",
            "versions": {"v1": {"Version": "2012-10-17", "Statement": {"Effect": "Allow",
                "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:*:*:jobs",
                "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}}}}},
    });
    let engine = engine(iam, Value::Null);
    let can = |name: &str| engine.what_can(&arn(name)).remove(0);
    let mfa = can("mfa");
    assert_eq!(
        mfa.allowed
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["* when aws:multifactorauthpresent Bool true"]
    );
    assert!(mfa.except.iter().any(|e| e.to_string()
        == "arn:aws:sqs:*:*:secret-* when aws:principaltag/team StringNotEquals ops"));
    assert_eq!(
        can("bounded").allowed[0].to_string(),
        "arn:aws:sqs:*:*:jobs when aws:sourceip IpAddress 10.0.0.0/8"
    );
    // With a condition less one can do more, and with a deny less too.
    let only = |a: &str, b: &str| engine.difference(&arn(a), &arn(b)).only_first;
    assert_eq!(only("free", "mfa").len(), 1);
    assert!(only("mfa", "free").is_empty());
    assert!(only("bounded", "free").is_empty());
    assert!(only("free", "free").is_empty());
}

#[test]
fn asking_for_everybody_is_asking_each() {
    let tagged = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": ["web", "ops"]}}},
        {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "ops"}}},
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]});
    let mut users = serde_json::Map::new();
    for (at, team) in ["web", "ops", "web", "data", "ops"].iter().enumerate() {
        let mut entry = user(&format!("u{at}"), tagged.clone());
        entry["tags"] = json!({"team": team});
        if at == 4 {
            // Bears on nothing asked below.
            entry["inline"]["q"] = allow("sqs:*", "*");
        }
        users.insert(format!("u{at}"), entry);
    }
    let engine = engine(json!({"users": users}), Value::Null);
    for action in [
        "s3:GetObject",
        "s3:DeleteObject",
        "ec2:RunInstances",
        "iam:PassRole",
    ] {
        let who = engine.who_can(action, "arn:aws:s3:::b/k", &Context::open());
        let together: Vec<(String, Decision)> = who
            .iter(&engine)
            .map(|(p, d)| (p.arn.to_string(), d.clone()))
            .collect();
        let one_by_one: Vec<(String, Decision)> = engine
            .principals()
            .iter()
            .map(|p| {
                (
                    p.arn.to_string(),
                    engine.decide(&p.arn, action, "arn:aws:s3:::b/k", &Context::open()),
                )
            })
            .filter(|(_, decision)| !decision.is_denied())
            .collect();
        assert_eq!(together, one_by_one, "{action}");
    }
}

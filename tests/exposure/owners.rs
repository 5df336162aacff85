//! Who may come in by a trust, and whose a found key is.

use super::*;
use palisade::exposure::TrustExposure;
use palisade::exposure::keys::{KeyLife, KeyOwner, owner};
use palisade_model::Arn;

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

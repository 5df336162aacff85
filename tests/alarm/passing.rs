//! Handing an exempted role to a service, and code that runs as it.

use std::collections::BTreeSet;

use palisade::alarm::protection::{Protection, passes};
use palisade_model::{Observed, Snapshot, User};

use super::estate::{MEMBER, account, answer, deny, policy, region, role, under};

/// A member whose exempted role trusts `service`, with a user who may do `actions`.
fn exempting(service: &str, actions: &str) -> Snapshot {
    let arn = format!("arn:aws:iam::{MEMBER}:role/keeper");
    let rest = format!(r#","Condition":{{"ArnNotLike":{{"aws:PrincipalArn":"{arn}"}}}}"#);
    let mut snapshot = under(&deny(r#""guardduty:*""#, &rest));
    let member = account(&mut snapshot, MEMBER);
    let keeper = role(&arn, service, r#""guardduty:*""#);
    member.iam.roles = Observed::Value([("keeper".to_owned(), keeper)].into());
    let allow = format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"*"}}"#);
    let user = User {
        arn: format!("arn:aws:iam::{MEMBER}:user/dev").as_str().into(),
        inline: [("it".to_owned(), policy(&allow))].into(),
        ..User::default()
    };
    member.iam.users = Observed::Value([("dev".to_owned(), user)].into());
    snapshot
}

#[test]
fn functions_that_were_not_read_may_run_as_the_exempted_role() {
    let mut snapshot = exempting("lambda.amazonaws.com", r#""lambda:UpdateFunctionCode""#);
    let call = "guardduty:DeleteDetector";
    assert!(matches!(answer(&snapshot, call), Protection::Except { .. }));
    region(&mut snapshot, MEMBER).functions = Observed::denied("lambda:ListFunctions");
    assert!(matches!(
        answer(&snapshot, call),
        Protection::Unknown { .. }
    ));
    // A role that no function can have: it does not matter which there are.
    let mut harmless = exempting("ec2.amazonaws.com", r#""lambda:UpdateFunctionCode""#);
    region(&mut harmless, MEMBER).functions = Observed::denied("lambda:ListFunctions");
    assert!(matches!(answer(&harmless, call), Protection::Except { .. }));
}

#[test]
fn every_service_that_takes_a_role_is_a_way_to_become_it() {
    for (service, actions) in passes() {
        for action in actions {
            let asked = format!(r#"["iam:PassRole","{action}"]"#);
            let snapshot = exempting(service, &asked);
            match answer(&snapshot, "guardduty:DeleteDetector") {
                Protection::Bypassable { how, .. } => {
                    assert!(
                        how.iter().any(|way| way.contains(action)),
                        "{service}: {how:?}"
                    );
                }
                other => panic!("{service} {action}: {other:?}"),
            }
            let only = exempting(service, &format!(r#""{action}""#));
            let found = answer(&only, "guardduty:DeleteDetector");
            let quiet = matches!(found, Protection::Except { .. });
            assert!(quiet, "{service} {action} without the role: {found:?}");
        }
    }
}

#[test]
fn the_services_that_take_roles_are_those_of_the_techniques() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/techniques");
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a file");
            for rest in text.split("iam:PassedToService=").skip(1) {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')));
                asked.insert(rest[..end.unwrap_or(rest.len())].to_owned());
            }
        }
    }
    assert!(asked.len() > 30, "{asked:?}");
    let known: BTreeSet<String> = passes().keys().cloned().collect();
    assert_eq!(known, asked);
    for action in passes().values().flatten() {
        assert!(palisade_model::actions().find(action).is_some(), "{action}");
    }
}

#[test]
fn who_may_pass_a_role_and_was_not_read_is_unknown() {
    let mut snapshot = exempting("codebuild.amazonaws.com", r#""codebuild:CreateProject""#);
    let users = account(&mut snapshot, MEMBER)
        .iam
        .users
        .value_mut()
        .expect("users");
    let dev = users.get_mut("dev").expect("it");
    dev.attached = vec![
        format!("arn:aws:iam::{MEMBER}:policy/unread")
            .as_str()
            .into(),
    ];
    account(&mut snapshot, MEMBER).iam.policies =
        Observed::denied("iam:GetAccountAuthorizationDetails");
    let found = answer(&snapshot, "guardduty:DeleteDetector");
    assert!(matches!(found, Protection::Unknown { .. }), "{found:?}");
}

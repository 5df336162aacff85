//! Whom a deny lets through, and who becomes one of them.

use std::collections::{BTreeMap, BTreeSet};

use palisade::alarm::Alarms;
use palisade::alarm::protection::Protection;
use palisade::check::security::Security;
use palisade::graph::{Graph, Interests};
use palisade::policy::Engine;
use palisade_model::{Observed, PolicyText, Role, Snapshot, User};

use super::estate::{MEMBER, answer, deny, under};

/// The same, with the graph's word on who becomes whom.
fn answer_by_graph(snapshot: &Snapshot, action: &str) -> Protection {
    let techniques = palisade_checks::techniques().expect("the techniques load");
    Security::over(snapshot, techniques, &BTreeSet::new(), |security| {
        let rows = security.coverage().iter();
        let mut own = rows.filter(|row| row.account == MEMBER && row.action == action);
        own.next()
            .expect("it is a tamper action")
            .protection
            .clone()
    })
}

#[test]
fn an_exemption_is_judged_by_who_can_become_it() {
    let rest =
        |arn: &str| format!(r#","Condition":{{"ArnNotLike":{{"aws:PrincipalArn":"{arn}"}}}}"#);
    // The administrator of the account may create a role of that name.
    let open = under(&deny(
        r#""guardduty:*""#,
        &rest("arn:aws:iam::*:role/sec-*"),
    ));
    match answer(&open, "guardduty:DeleteDetector") {
        Protection::Bypassable { how, .. } => assert!(how[0].contains("may create"), "{how:?}"),
        other => panic!("{other:?}"),
    }
    // Nobody of this account can be in another.
    let other = under(&deny(
        r#""guardduty:*""#,
        &rest("arn:aws:iam::999999999999:role/sec"),
    ));
    let elsewhere = answer(&other, "guardduty:DeleteDetector");
    assert!(
        matches!(elsewhere, Protection::Everybody { .. }),
        "{elsewhere:?}"
    );
    // The same guardrail with the creation of such roles denied as well.
    let kept = under(&deny(
        r#"["guardduty:*","iam:CreateRole","iam:TagRole","iam:UpdateAssumeRolePolicy"]"#,
        &rest("arn:aws:iam::*:role/sec-*"),
    ));
    match answer(&kept, "guardduty:DeleteDetector") {
        Protection::Except { exempt, vacant, .. } => {
            assert!(exempt.is_empty(), "{exempt:?}");
            assert_eq!(vacant, ["arn:aws:iam::*:role/sec-*"]);
        }
        other => panic!("{other:?}"),
    }
}

/// A member whose one exempted role trusts `trusted`, with nobody else in the account.
fn exempting(trusted: &str) -> Snapshot {
    let role = format!("arn:aws:iam::{MEMBER}:role/sec-admin");
    let rest = format!(r#","Condition":{{"ArnNotLike":{{"aws:PrincipalArn":"{role}"}}}}"#);
    let mut snapshot = under(&deny(r#""guardduty:*""#, &rest));
    let organization = snapshot.organization.value_mut().expect("an organization");
    let accounts = organization.accounts.value_mut().expect("accounts");
    accounts.insert("522222222202".to_owned(), accounts[MEMBER].clone());
    let member = snapshot.accounts.get_mut(MEMBER).expect("the member");
    member.iam.users = Observed::Value([].into());
    let security = member.clone();
    let keeper = Role {
        arn: role.as_str().into(),
        trust: trust(trusted),
        ..Role::default()
    };
    member.iam.roles = Observed::Value([("sec-admin".to_owned(), keeper)].into());
    snapshot
        .accounts
        .insert("522222222202".to_owned(), security);
    snapshot
}

fn trust(principal: &str) -> PolicyText {
    PolicyText::new(format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
    ))
}

fn may_assume(role: &str) -> BTreeMap<String, PolicyText> {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{role}"}}]}}"#
    );
    [("assume".to_owned(), PolicyText::new(text))].into()
}

/// Adds to the security account a user that may assume a role that may assume the exempted one.
fn with_a_longer_way(snapshot: &mut Snapshot) {
    let hub = "arn:aws:iam::522222222202:role/hub";
    let security = snapshot.accounts.get_mut("522222222202").expect("it");
    let role = Role {
        arn: hub.into(),
        trust: trust("arn:aws:iam::522222222202:root"),
        inline: may_assume(&format!("arn:aws:iam::{MEMBER}:role/sec-admin")),
        ..Role::default()
    };
    security.iam.roles = Observed::Value([("hub".to_owned(), role)].into());
    let user = User {
        arn: "arn:aws:iam::522222222202:user/dev".into(),
        inline: may_assume(hub),
        ..User::default()
    };
    security.iam.users = Observed::Value([("dev".to_owned(), user)].into());
}

#[test]
fn who_becomes_an_exempted_role_from_another_account_is_asked_of_the_graph() {
    let mut snapshot = exempting("arn:aws:iam::522222222202:role/hub");
    match answer_by_graph(&snapshot, "guardduty:DeleteDetector") {
        Protection::Except { exempt, .. } => assert_eq!(exempt[0].name(), "sec-admin"),
        other => panic!("{other:?}"),
    }
    with_a_longer_way(&mut snapshot);
    match answer_by_graph(&snapshot, "guardduty:DeleteDetector") {
        Protection::Bypassable { how, .. } => {
            assert!(
                how.iter()
                    .any(|way| way.contains("dev") && way.contains("can become")),
                "{how:?}"
            );
            assert!(how.iter().any(|way| way.contains("hub")), "{how:?}");
        }
        other => panic!("{other:?}"),
    }
    // The ways of one step do not see another account.
    assert!(matches!(
        answer(&snapshot, "guardduty:DeleteDetector"),
        Protection::Except { .. }
    ));
}

#[test]
fn the_management_account_becomes_an_exempted_role_and_is_no_hole() {
    let mut snapshot = exempting("arn:aws:iam::511111111101:role/chief");
    let management = snapshot.accounts.get_mut("511111111101").expect("it");
    let chief = Role {
        arn: "arn:aws:iam::511111111101:role/chief".into(),
        trust: trust("arn:aws:iam::511111111101:root"),
        inline: may_assume("*"),
        ..Role::default()
    };
    management.iam.roles = Observed::Value([("chief".to_owned(), chief)].into());
    match answer_by_graph(&snapshot, "guardduty:DeleteDetector") {
        Protection::Except { above, .. } => assert!(above[0].contains("chief"), "{above:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn anybody_who_may_assume_an_exempted_role_is_a_hole() {
    let snapshot = exempting("*");
    match answer_by_graph(&snapshot, "guardduty:DeleteDetector") {
        Protection::Bypassable { how, .. } => {
            assert!(
                how.iter().any(|way| way.contains("any AWS account")),
                "{how:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_administrator_who_may_rewrite_the_exempted_roles_trust_is_a_hole() {
    let mut snapshot = exempting("arn:aws:iam::522222222202:role/nobody");
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let user = User {
        arn: format!("arn:aws:iam::{MEMBER}:user/admin").as_str().into(),
        inline: [("all".to_owned(), PolicyText::new(everything))].into(),
        ..User::default()
    };
    let member = snapshot.accounts.get_mut(MEMBER).expect("the member");
    member.iam.users = Observed::Value([("admin".to_owned(), user)].into());
    match answer_by_graph(&snapshot, "guardduty:DeleteDetector") {
        Protection::Bypassable { how, .. } => {
            assert!(
                how.iter().any(|way| way.contains("trust policy")),
                "{how:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_exemption_by_unique_id_names_one_role_and_a_wildcard_names_anybody() {
    let by = |id: &str| {
        let rest = format!(r#","Condition":{{"StringNotLike":{{"aws:userid":"{id}"}}}}"#);
        let mut snapshot = exempting("arn:aws:iam::511111111101:role/chief");
        let organization = snapshot.organization.value_mut().expect("an organization");
        let policies = organization.policies.value_mut().expect("policies");
        policies.get_mut("p-test").expect("it").document =
            Observed::Value(PolicyText::new(deny(r#""guardduty:*""#, &rest)));
        let member = snapshot.accounts.get_mut(MEMBER).expect("the member");
        let roles = member.iam.roles.value_mut().expect("roles");
        roles.get_mut("sec-admin").expect("it").id = "AROAEXAMPLEEXAMPLE01".to_owned();
        answer(&snapshot, "guardduty:DeleteDetector")
    };
    match by("AROAEXAMPLEEXAMPLE01:*") {
        Protection::Except { exempt, .. } => assert_eq!(exempt[0].name(), "sec-admin"),
        other => panic!("{other:?}"),
    }
    match by("*:break-glass") {
        Protection::Bypassable { how, .. } => assert!(how[0].contains("break-glass"), "{how:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_exemption_by_tag_is_open_where_sessions_may_carry_tags() {
    let rest = r#","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"security"}}"#;
    let mut snapshot = exempting("arn:aws:iam::522222222202:role/hub");
    let organization = snapshot.organization.value_mut().expect("an organization");
    let policies = organization.policies.value_mut().expect("policies");
    policies.get_mut("p-test").expect("it").document =
        Observed::Value(PolicyText::new(deny(r#""guardduty:*""#, rest)));
    assert!(matches!(
        answer(&snapshot, "guardduty:DeleteDetector"),
        Protection::Except { .. }
    ));
    let member = snapshot.accounts.get_mut(MEMBER).expect("the member");
    let roles = member.iam.roles.value_mut().expect("roles");
    roles.get_mut("sec-admin").expect("it").trust = PolicyText::new(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::522222222202:root"},"Action":["sts:AssumeRole","sts:TagSession"]}]}"#,
    );
    match answer(&snapshot, "guardduty:DeleteDetector") {
        Protection::Bypassable { how, .. } => assert!(how[0].contains("sessions"), "{how:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_exemption_by_tag_is_open_to_whoever_may_tag_itself() {
    let rest = r#","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"security"}}"#;
    let snapshot = under(&deny(r#""guardduty:*""#, rest));
    match answer(&snapshot, "guardduty:DeleteDetector") {
        Protection::Bypassable { how, .. } => assert!(how[0].contains("may tag itself"), "{how:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_hears_a_step_is_not_guarded_where_a_longer_way_leads_to_the_exempted() {
    // The member's trail is its own, guarded by a deny that lets one role through.
    let estate = |longer: bool| {
        let mut snapshot = exempting("arn:aws:iam::522222222202:role/hub");
        if longer {
            with_a_longer_way(&mut snapshot);
        }
        let organization = snapshot.organization.value_mut().expect("an organization");
        let policies = organization.policies.value_mut().expect("policies");
        let role = format!("arn:aws:iam::{MEMBER}:role/sec-admin");
        let rest = format!(r#","Condition":{{"ArnNotLike":{{"aws:PrincipalArn":"{role}"}}}}"#);
        policies.get_mut("p-test").expect("it").document =
            Observed::Value(PolicyText::new(deny(r#""cloudtrail:*""#, &rest)));
        let trail = palisade_model::Trail {
            name: "own".to_owned(),
            home_region: "us-east-1".to_owned(),
            multi_region: true,
            global_events: true,
            logging: Observed::Value(true),
            ..palisade_model::Trail::default()
        };
        let arn = format!("arn:aws:cloudtrail:us-east-1:{MEMBER}:trail/own");
        let member = snapshot.accounts.get_mut(MEMBER).expect("the member");
        member.trails = Observed::Value([(arn.as_str().into(), trail)].into());
        let techniques = palisade_checks::techniques().expect("the techniques load");
        let engine = Engine::new(&snapshot);
        let alarms = Alarms::new(&snapshot, &engine);
        let before = alarms.detection("guardduty:DeleteDetector", MEMBER, "us-east-1");
        Graph::heard_by(
            &snapshot,
            techniques,
            &engine,
            &alarms,
            Interests::default(),
        );
        let after = alarms.detection("guardduty:DeleteDetector", MEMBER, "us-east-1");
        (before.protected, after.protected)
    };
    assert_eq!(estate(false), (true, true));
    assert_eq!(estate(true), (true, false));
}

//! What SCPs and RCPs do about an action, by what they say and where they hang.

use palisade::alarm::powers::Powers;
use palisade::alarm::protection::{Ask, Protection, protection};
use palisade::policy::Engine;
use palisade_model::{Observed, OrgPolicy, OrgPolicyKind, Region, RegionState};

use super::estate::{MEMBER, answer, deny, under};

#[test]
fn wildcards_and_not_action_deny_as_aws_reads_them() {
    let snapshot = under(&deny(r#""guardduty:Delete*""#, ""));
    assert!(matches!(
        answer(&snapshot, "guardduty:DeleteDetector"),
        Protection::Everybody { .. }
    ));
    assert!(matches!(
        answer(&snapshot, "guardduty:UpdateDetector"),
        Protection::Open { .. }
    ));
    let snapshot = under(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":["iam:*","ec2:*"],"Resource":"*"}]}"#,
    );
    assert!(matches!(
        answer(&snapshot, "config:StopConfigurationRecorder"),
        Protection::Everybody { .. }
    ));
    assert!(matches!(
        answer(&snapshot, "iam:CreateUser"),
        Protection::Open { .. }
    ));
}

#[test]
fn an_allow_list_denies_what_it_does_not_name() {
    let mut snapshot = under(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*","s3:*"],"Resource":"*"}]}"#,
    );
    let organization = snapshot.organization.value_mut().expect("an organization");
    let root = organization.root.value().expect("a root").clone();
    organization
        .attachments
        .value_mut()
        .expect("it")
        .insert(root, vec!["p-test".into()]);
    assert!(matches!(
        answer(&snapshot, "guardduty:DeleteDetector"),
        Protection::Everybody { .. }
    ));
    assert!(matches!(
        answer(&snapshot, "ec2:DeleteFlowLogs"),
        Protection::Open { .. }
    ));
}

#[test]
fn the_management_account_and_lonely_accounts_are_out_of_reach() {
    let snapshot = under(&deny(r#""*""#, ""));
    let engine = Engine::new(&snapshot);
    let powers = Powers::new(&snapshot, &engine);
    let ask = Ask::on("guardduty:DeleteDetector", "*");
    let management = protection(&powers, None, "511111111101", &ask);
    assert!(
        matches!(management, Protection::NotApplicable { .. }),
        "{management:?}"
    );
    let mut alone = snapshot.clone();
    alone.organization = Observed::Absent;
    let alone = answer(&alone, "guardduty:DeleteDetector");
    assert!(
        matches!(alone, Protection::NotApplicable { .. }),
        "{alone:?}"
    );
}

#[test]
fn scps_that_are_switched_off_protect_nothing() {
    let mut snapshot = under(&deny(r#""*""#, ""));
    let organization = snapshot.organization.value_mut().expect("an organization");
    organization.enabled_policy_types = Observed::Value(vec![]);
    assert!(matches!(
        answer(&snapshot, "guardduty:DeleteDetector"),
        Protection::Open { .. }
    ));
}

#[test]
fn a_deny_of_one_region_leaves_the_others_open() {
    let rest = r#","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#;
    let snapshot = under(&deny(r#""guardduty:*""#, rest));
    match answer(&snapshot, "guardduty:DeleteDetector") {
        Protection::Partial { open, .. } => assert_eq!(open, ["eu-central-1"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_resource_control_policy_that_was_not_read_leaves_log_buckets_unknown() {
    let mut snapshot = under(&deny(r#""guardduty:*""#, ""));
    let organization = snapshot.organization.value_mut().expect("an organization");
    let types = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"];
    organization.enabled_policy_types = Observed::Value(types.map(str::to_owned).into());
    let root = organization.root.value().expect("a root").clone();
    let unread = OrgPolicy {
        name: "Unread".into(),
        kind: OrgPolicyKind::Rcp,
        aws_managed: false,
        document: Observed::denied("organizations:DescribePolicy"),
    };
    let policies = organization.policies.value_mut().expect("policies");
    policies.insert("p-rcp".into(), unread);
    let attached = organization.attachments.value_mut().expect("attachments");
    attached.entry(root).or_default().push("p-rcp".into());
    let engine = Engine::new(&snapshot);
    let powers = Powers::new(&snapshot, &engine);
    let key = format!("arn:aws:kms:us-east-1:{MEMBER}:key/1");
    let on = |action: &str, resource: &str| {
        protection(&powers, None, MEMBER, &Ask::on(action, resource))
    };
    let asked = on("kms:PutKeyPolicy", &key);
    assert!(matches!(asked, Protection::Unknown { .. }), "{asked:?}");
    // GuardDuty is no service that RCPs speak of.
    let denied = on("guardduty:DeleteDetector", "*");
    assert!(matches!(denied, Protection::Everybody { .. }), "{denied:?}");
}

#[test]
fn a_region_that_the_scan_left_out_counts_as_one_an_attacker_may_pick() {
    let rest =
        r#","Condition":{"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-central-1"]}}"#;
    let mut snapshot = under(&deny(r#""guardduty:*""#, rest));
    assert!(matches!(
        answer(&snapshot, "guardduty:DeleteDetector"),
        Protection::Everybody { .. }
    ));
    let member = snapshot.accounts.get_mut(MEMBER).expect("the member");
    let regions = member.regions.value_mut().expect("regions");
    let left_out = Region {
        state: RegionState::NotAsked,
        ..Region::default()
    };
    regions.insert("sa-east-1".to_owned(), left_out);
    match answer(&snapshot, "guardduty:DeleteDetector") {
        Protection::Partial { open, .. } => assert_eq!(open, ["sa-east-1"]),
        other => panic!("{other:?}"),
    }
    let member = snapshot.accounts.get_mut(MEMBER).expect("the member");
    member.regions = Observed::denied("account:ListRegions");
    let unread = answer(&snapshot, "guardduty:DeleteDetector");
    assert!(matches!(unread, Protection::Unknown { .. }), "{unread:?}");
}

#[test]
fn a_deny_for_tagged_things_alone_is_the_callers_to_undo() {
    let rest = r#","Condition":{"StringEquals":{"aws:ResourceTag/keep":"yes"}}"#;
    let snapshot = under(&deny(r#""guardduty:*""#, rest));
    match answer(&snapshot, "guardduty:DeleteDetector") {
        Protection::Conditional { caller_decides, .. } => assert!(caller_decides),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_service_in_between_is_no_obstacle() {
    let rest = r#","Condition":{"Bool":{"aws:ViaAWSService":"false"}}"#;
    let snapshot = under(&deny(r#""guardduty:*""#, rest));
    match answer(&snapshot, "guardduty:DeleteDetector") {
        Protection::Conditional { caller_decides, .. } => assert!(caller_decides),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_malformed_scp_is_unknown_unless_another_denies() {
    let snapshot = under("{\"Version\":");
    let unknown = answer(&snapshot, "guardduty:DeleteDetector");
    assert!(matches!(unknown, Protection::Unknown { .. }), "{unknown:?}");
}

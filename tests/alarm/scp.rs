//! SCPs: what they do about an action, and those that Palisade writes.

use palisade::alarm::powers::Powers;
use palisade::alarm::protection::{Ask, Protection, misnamed, protection};
use palisade::fix::scp;
use palisade::policy::Document;
use palisade_mocks::World;
use palisade_model::{Observed, OrgPolicy, OrgPolicyKind, PolicyText, Snapshot};

const MEMBER: &str = "533333333303";

fn world(name: &str) -> Snapshot {
    World::load(name)
        .expect("the world loads")
        .snapshot()
        .clone()
}

/// The dark organization with one more SCP at its root.
fn under(document: &str) -> Snapshot {
    let mut snapshot = world("security-dark");
    let organization = snapshot.organization.value_mut().expect("an organization");
    let root = organization.root.value().expect("a root").clone();
    let policy = OrgPolicy {
        name: "Test".into(),
        kind: OrgPolicyKind::Scp,
        aws_managed: false,
        document: Observed::Value(PolicyText::new(document)),
    };
    organization
        .policies
        .value_mut()
        .expect("policies")
        .insert("p-test".into(), policy);
    let attached = organization.attachments.value_mut().expect("attachments");
    attached.entry(root).or_default().push("p-test".into());
    snapshot
}

fn deny(action: &str, rest: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":{action},"Resource":"*"{rest}}}]}}"#
    )
}

fn answer(snapshot: &Snapshot, action: &str) -> Protection {
    protection(&Powers::new(snapshot), MEMBER, &Ask::on(action, "*"))
}

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
    let powers = Powers::new(&snapshot);
    let ask = Ask::on("guardduty:DeleteDetector", "*");
    let management = protection(&powers, "511111111101", &ask);
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

#[test]
fn misspelt_denies_are_named_with_what_was_meant() {
    let document = Document::parse(&deny(
        r#"["macie2:DeaktivierenMacie","macie:DisableMacie","inspector:Disable","lambda:UpdateFunctionCode20150331v2","waf:DeleteWebACL","guardduty.amazonaws.com:DeleteDetector","guardduty:Delete*","config:*"]"#,
        "",
    ))
    .expect("it is a policy");
    let known = [(
        "macie2:DeaktivierenMacie".to_owned(),
        "macie2:DisableMacie".to_owned(),
    )];
    let found = misnamed(&document, &known);
    let meant: Vec<(&str, Vec<String>)> = found
        .iter()
        .map(|wrong| (wrong.written.as_str(), wrong.meant.clone()))
        .collect();
    let one = |text: &str| vec![text.to_owned()];
    assert_eq!(
        meant,
        [
            (
                "guardduty.amazonaws.com:DeleteDetector",
                one("guardduty:DeleteDetector")
            ),
            ("inspector:Disable", one("inspector2:Disable")),
            (
                "lambda:UpdateFunctionCode20150331v2",
                one("lambda:UpdateFunctionCode")
            ),
            ("macie2:DeaktivierenMacie", one("macie2:DisableMacie")),
            ("macie:DisableMacie", one("macie2:DisableMacie")),
            ("waf:DeleteWebACL", one("wafv2:DeleteWebACL")),
        ]
    );
}

#[test]
fn the_scps_it_writes_fit_and_close_everything() {
    let snapshot = world("security-dark");
    let written = scp::write(&snapshot, &[]).expect("there is an organization");
    assert!(!written.documents.is_empty());
    for document in &written.documents {
        assert!(
            document.json.len() <= scp::limits().document_characters,
            "{}",
            document.json.len()
        );
        let parsed = Document::parse(&document.json).expect("it is a policy");
        for statement in &parsed.statements {
            for action in statement.actions.iter().flatten() {
                let covered = palisade_model::actions().matching(action);
                assert!(!covered.is_empty(), "`{action}` is nothing");
                for one in covered {
                    let name = one.full_name();
                    let tamper = palisade_checks::tamper().iter().flat_map(|g| &g.actions);
                    assert!(
                        tamper.clone().any(|row| row.action == name),
                        "`{action}` overreaches to `{name}`"
                    );
                }
            }
        }
    }
    assert_eq!(written.still_open, Vec::<String>::new());
    assert!(written.closed > 100, "{}", written.closed);
    assert_eq!(written.problems, Vec::<String>::new());
    assert_eq!(written.attach_to.len(), 1);
    assert!(
        written
            .blocked
            .iter()
            .any(|b| b.principal.name() == "someone"),
        "{written:?}"
    );
    assert!(
        written.left_out.contains_key("organizations:DetachPolicy") || written.left_out.len() > 20
    );
}

#[test]
fn the_exempted_are_let_through_and_nobody_else_can_become_them() {
    let mut snapshot = world("security-dark");
    let role = format!("arn:aws:iam::{MEMBER}:role/security/keeper");
    let account = snapshot.accounts.get_mut(MEMBER).expect("the member");
    let keeper = palisade_model::Role {
        arn: role.as_str().into(),
        trust: PolicyText::new(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::522222222202:role/pipeline"},"Action":"sts:AssumeRole"}]}"#,
        ),
        ..palisade_model::Role::default()
    };
    account.iam.roles = Observed::Value([("keeper".to_owned(), keeper)].into());
    let written = scp::write(&snapshot, &[role.clone()]).expect("there is an organization");
    assert_eq!(written.still_open, Vec::<String>::new());
    assert!(written.documents.iter().all(|d| d.json.contains(&role)));
    assert!(written.cli().contains("attach-policy"));
    assert!(
        written
            .terraform()
            .contains("aws_organizations_policy_attachment")
    );
    assert!(scp::write(&snapshot, &["arn:aws:iam::*:role/x".to_owned()]).is_err());
}

#[test]
fn nothing_is_written_where_nothing_is_open() {
    let written = scp::write(&world("security-lit"), &[]).expect("there is an organization");
    assert_eq!(written.documents, Vec::new(), "{:?}", written.still_open);
    assert!(scp::write(&world("borrowed-pipeline"), &[]).is_err());
}

//! SCPs: what they do about an action, and those that Palisade writes.

use std::collections::{BTreeMap, BTreeSet};

use palisade::alarm::powers::Powers;
use palisade::alarm::protection::{Ask, Protection, misnamed, protection};
use palisade::check::security::Security;
use palisade::fix::scp;
use palisade::policy::{Document, Engine};
use palisade_mocks::World;
use palisade_model::{
    Observed, OrgPolicy, OrgPolicyKind, PolicyText, Region, RegionState, Role, Snapshot, User,
};

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
    let engine = Engine::new(snapshot);
    let powers = Powers::new(snapshot, &engine);
    protection(&powers, None, MEMBER, &Ask::on(action, "*"))
}

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
fn events_that_are_no_actions_are_named_by_the_action_behind_them() {
    let document = Document::parse(&deny(
        r#"["s3:PutBucketLifecycle","s3:PutBucketEncryption","s3:ListObjects","monitoring:DeleteAlarms","monitoring.amazonaws.com:DeleteAlarms","lambda:Invoke","lambda:PutFunctionConcurrency20171031","signin:ConsoleLogin","AWS-Konfiguration:StopConfigurationRecorder","securityhub.amazonaws.de:DisableSecurityHub","guardduty:StopMonitoringMember","StopLogging","aws-config:*","securityhub:disablesecurityhub","s3:DeleteBucket"]"#,
        "",
    ))
    .expect("it is a policy");
    let found = misnamed(&document, &[]);
    let meant = |written: &str| {
        let wrong = found.iter().find(|wrong| wrong.written == written);
        wrong.map(|wrong| wrong.meant.join(" "))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        meant("s3:PutBucketLifecycle"),
        some("s3:PutLifecycleConfiguration")
    );
    assert_eq!(
        meant("s3:PutBucketEncryption"),
        some("s3:PutEncryptionConfiguration")
    );
    assert_eq!(meant("s3:ListObjects"), some("s3:ListBucket"));
    assert_eq!(
        meant("monitoring:DeleteAlarms"),
        some("cloudwatch:DeleteAlarms")
    );
    assert_eq!(
        meant("monitoring.amazonaws.com:DeleteAlarms"),
        some("cloudwatch:DeleteAlarms")
    );
    assert_eq!(meant("lambda:Invoke"), some("lambda:InvokeFunction"));
    assert_eq!(
        meant("lambda:PutFunctionConcurrency20171031"),
        some("lambda:PutFunctionConcurrency")
    );
    assert_eq!(
        meant("securityhub.amazonaws.de:DisableSecurityHub"),
        some("securityhub:DisableSecurityHub")
    );
    assert_eq!(meant("aws-config:*"), some("config:*"));
    // Nobody can say what was meant, but it is told that nothing is protected.
    for written in [
        "signin:ConsoleLogin",
        "AWS-Konfiguration:StopConfigurationRecorder",
        "guardduty:StopMonitoringMember",
        "StopLogging",
    ] {
        assert_eq!(meant(written), some(""), "{written}");
    }
    assert_eq!(
        meant("securityhub:disablesecurityhub"),
        None,
        "actions have no case"
    );
    assert_eq!(meant("s3:DeleteBucket"), None);
}

#[test]
fn the_scps_it_writes_fit_and_close_everything() {
    let snapshot = world("security-dark");
    let written = scp::write(&snapshot, &[], &BTreeSet::new()).expect("there is an organization");
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
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::511111111101:role/pipeline"},"Action":"sts:AssumeRole"}]}"#,
        ),
        ..palisade_model::Role::default()
    };
    account.iam.roles = Observed::Value([("keeper".to_owned(), keeper)].into());
    let written =
        scp::write(&snapshot, &[role.clone()], &BTreeSet::new()).expect("there is an organization");
    assert_eq!(written.still_open, Vec::<String>::new());
    assert!(written.documents.iter().all(|d| d.json.contains(&role)));
    assert!(written.cli().contains("attach-policy"));
    assert!(
        written
            .terraform()
            .contains("aws_organizations_policy_attachment")
    );
    assert!(
        scp::write(
            &snapshot,
            &["arn:aws:iam::*:role/x*".to_owned()],
            &BTreeSet::new()
        )
        .is_err()
    );
}

#[test]
fn nothing_is_written_where_nothing_is_open() {
    let written = scp::write(&world("security-lit"), &[], &BTreeSet::new())
        .expect("there is an organization");
    assert_eq!(written.documents, Vec::new(), "{:?}", written.still_open);
    assert!(scp::write(&world("borrowed-pipeline"), &[], &BTreeSet::new()).is_err());
}

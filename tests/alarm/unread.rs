//! What was not read is never fine: one fact at a time is taken away, and the answer that hung on
//! it says so.

use std::collections::BTreeSet;

use palisade::alarm::Alarms;
use palisade::alarm::chain::{Answer, Link};
use palisade::alarm::event::Call;
use palisade::alarm::protection::{Protection, passes};
use palisade::alarm::state::{Service, State, matrix, state};
use palisade::check::Outcome;
use palisade::check::security::Security;
use palisade::check::security::coverage::Covered;
use palisade::check::security::holders::{Could, who_could};
use palisade::policy::Engine;
use palisade::{Selection, analyse};
use palisade_model::{
    AnalyzerState, EventTarget, Gap, GapKind, Observed, Snapshot, Subscription, User,
};

use super::estate::{
    HOME, MANAGEMENT, MEMBER, SECURITY, account, answer, deny, organization, policy, region, role,
    under, world,
};

/// What a check says of one resource, in a word; nothing where it says nothing.
fn outcome(snapshot: &Snapshot, check: &str, account: &str) -> BTreeSet<&'static str> {
    let answers = analyse(snapshot, &Selection::default()).answers;
    let own = answers
        .iter()
        .filter(|answer| answer.check == check && answer.account == account);
    own.map(|answer| match answer.outcome {
        Outcome::Fail { .. } => "fail",
        Outcome::Pass => "pass",
        Outcome::Unknown { .. } => "unknown",
        Outcome::NotApplicable { .. } => "n/a",
    })
    .collect()
}

fn security<T>(snapshot: &Snapshot, work: impl FnOnce(&Security<'_>) -> T) -> T {
    let techniques = palisade_checks::techniques().expect("the techniques load");
    Security::over(snapshot, techniques, &BTreeSet::new(), work)
}

fn covered(snapshot: &Snapshot, account: &str, action: &str) -> Covered {
    security(snapshot, |security| {
        let rows = security.coverage().iter();
        let mut own = rows.filter(|row| row.account == account && row.action == action);
        own.next().expect("it is a tamper action").clone()
    })
}

fn could(snapshot: &Snapshot, account: &str, group: &str) -> Vec<Could> {
    security(snapshot, |security| {
        let mut found = who_could(security, account, false);
        found.retain(|one| one.group == group);
        found
    })
}

#[test]
fn unread_regions_leave_who_could_open_where_an_scp_asks_for_the_region() {
    let rest = r#","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#;
    let mut snapshot = under(&deny(r#""guardduty:*""#, rest));
    assert!(
        could(&snapshot, MEMBER, "guardduty")[0]
            .may
            .contains(&"guardduty:DeleteDetector")
    );
    account(&mut snapshot, MEMBER).regions = Observed::denied("account:ListRegions");
    let found = could(&snapshot, MEMBER, "guardduty");
    assert!(
        found[0].perhaps.contains(&"guardduty:DeleteDetector"),
        "{found:?}"
    );
    assert!(
        found[0].unread.contains(&"guardduty:DeleteDetector"),
        "{found:?}"
    );
    // Where no SCP looks at the region it does not matter that none was read.
    let mut plain = under(&deny(r#""config:*""#, ""));
    account(&mut plain, MEMBER).regions = Observed::denied("account:ListRegions");
    let found = could(&plain, MEMBER, "guardduty");
    assert!(
        found[0].may.contains(&"guardduty:DeleteDetector"),
        "{found:?}"
    );
}

#[test]
fn a_guessed_list_of_regions_is_not_all_of_them() {
    let rest =
        r#","Condition":{"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-central-1"]}}"#;
    let mut snapshot = under(&deny(r#""guardduty:*""#, rest));
    account(&mut snapshot, MEMBER).regions_gap =
        Some(Gap::new("account:ListRegions", GapKind::Denied));
    let guessed = answer(&snapshot, "guardduty:DeleteDetector");
    assert!(matches!(guessed, Protection::Unknown { .. }), "{guessed:?}");
    let mut whole = under(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"guardduty:*","Resource":"*"},{"Effect":"Deny","Action":"ec2:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}]}"#,
    );
    account(&mut whole, MEMBER).regions_gap =
        Some(Gap::new("account:ListRegions", GapKind::Denied));
    // One statement looks at the region, another denies wherever it is.
    let denied = answer(&whole, "guardduty:DeleteDetector");
    assert!(matches!(denied, Protection::Everybody { .. }), "{denied:?}");
    assert!(outcome(&whole, "alarm-broken-link", MEMBER).contains("unknown"));
}

#[test]
fn unread_users_leave_a_silent_path_open() {
    let mut snapshot = world("security-dark");
    let member = account(&mut snapshot, MEMBER);
    member.iam.users = Observed::Value([].into());
    member.iam.roles = Observed::Value([].into());
    assert_eq!(
        outcome(&snapshot, "alarm-silent-path", MEMBER),
        ["pass"].into()
    );
    account(&mut snapshot, MEMBER).iam.users =
        Observed::denied("iam:GetAccountAuthorizationDetails");
    assert_eq!(
        outcome(&snapshot, "alarm-silent-path", MEMBER),
        ["unknown"].into()
    );
}

#[test]
fn unread_delegates_leave_the_administrators_calls_open() {
    let mut snapshot = world("security-dark");
    let call = "guardduty:StopMonitoringMembers";
    let before = covered(&snapshot, MEMBER, call);
    assert!(
        matches!(before.protection, Protection::NotApplicable { .. }),
        "{before:?}"
    );
    organization(&mut snapshot).delegated_administrators =
        Observed::denied("organizations:ListDelegatedAdministrators");
    let after = covered(&snapshot, MEMBER, call);
    assert!(after.counts, "{after:?}");
    assert!(
        matches!(after.protection, Protection::Unknown { .. }),
        "{after:?}"
    );
    // What any account may call does not hang on it.
    let any = covered(&snapshot, MEMBER, "guardduty:DeleteDetector");
    assert!(matches!(any.protection, Protection::Open { .. }), "{any:?}");
}

#[test]
fn an_administrator_by_invitation_may_call_what_administrators_may() {
    let mut snapshot = world("security-lit");
    let call = "guardduty:StopMonitoringMembers";
    assert!(!covered(&snapshot, SECURITY, call).counts);
    let detectors = region(&mut snapshot, SECURITY)
        .guardduty
        .value_mut()
        .expect("it");
    for detector in detectors.values_mut() {
        detector.members = Observed::Value([(MEMBER.to_owned(), "Enabled".to_owned())].into());
    }
    assert!(covered(&snapshot, SECURITY, call).counts);
}

#[test]
fn unread_parts_of_the_chain_are_no_proof_that_there_are_none() {
    let mut snapshot = world("security-dark");
    let call = "s3:PutBucketPolicy";
    account(&mut snapshot, MEMBER).s3.buckets = Observed::denied("s3:ListAllMyBuckets");
    let found = covered(&snapshot, MEMBER, call);
    assert!(
        matches!(found.protection, Protection::Unknown { .. }),
        "{found:?}"
    );
    assert!(found.counts, "{found:?}");
    account(&mut snapshot, MEMBER).trails = Observed::denied("cloudtrail:DescribeTrails");
    let found = covered(&snapshot, MEMBER, "kms:DisableKey");
    assert!(
        matches!(found.protection, Protection::Unknown { .. }),
        "{found:?}"
    );
}

#[test]
fn a_paid_service_that_nobody_could_ask_for_is_not_out_of_use() {
    let mut snapshot = world("security-lit");
    let none = BTreeSet::new();
    assert!(
        matrix(&snapshot, &none)
            .not_in_use
            .contains(&Service::Macie)
    );
    region(&mut snapshot, MEMBER).macie = Observed::denied("macie2:GetMacieSession");
    let found = matrix(&snapshot, &none);
    assert!(!found.not_in_use.contains(&Service::Macie));
    assert!(found.use_unknown.contains_key(&Service::Macie));
    assert!(outcome(&snapshot, "macie-off", MEMBER).contains("unknown"));
    let dark = {
        let mut dark = world("security-dark");
        region(&mut dark, MEMBER).macie = Observed::denied("macie2:GetMacieSession");
        dark
    };
    let found = covered(&dark, MEMBER, "macie2:DisableMacie");
    match found.protection {
        Protection::Unknown { missing } => assert!(missing[0].contains("in use"), "{missing:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_not_read_beside_a_weakness_is_asked_for_by_its_own_check() {
    let mut snapshot = world("security-lit");
    let trails = account(&mut snapshot, MEMBER)
        .trails
        .value_mut()
        .expect("trails");
    for trail in trails.values_mut() {
        trail.log_validation = false;
        trail.selectors = Observed::denied("cloudtrail:GetEventSelectors");
    }
    assert!(outcome(&snapshot, "cloudtrail-no-log-validation", MEMBER).contains("fail"));
    assert!(outcome(&snapshot, "cloudtrail-no-data-events", MEMBER).contains("unknown"));
    assert_eq!(
        outcome(&snapshot, "cloudtrail-no-own-key", MEMBER),
        ["pass"].into()
    );
    assert_eq!(
        outcome(&snapshot, "cloudtrail-off", MEMBER),
        ["pass"].into()
    );
}

#[test]
fn unread_central_root_is_unknown_and_spares_the_other_question() {
    let mut snapshot = world("security-lit");
    organization(&mut snapshot).root_access_features =
        Observed::denied("iam:ListOrganizationsFeatures");
    assert_eq!(
        outcome(&snapshot, "root-not-centralised", MEMBER),
        ["unknown"].into()
    );
    assert_eq!(
        outcome(&snapshot, "root-credentials", MEMBER),
        ["pass"].into()
    );
}

#[test]
fn analyzers_of_an_organization_that_was_not_read_may_be_watching() {
    let mut snapshot = world("security-lit");
    region(&mut snapshot, MEMBER).analyzers = Observed::Value([].into());
    let asked = |snapshot: &Snapshot| state(snapshot, MEMBER, HOME, Service::AccessAnalyzer);
    assert!(matches!(asked(&snapshot), State::Off { .. }));
    organization(&mut snapshot).delegated_administrators =
        Observed::denied("organizations:ListDelegatedAdministrators");
    assert!(matches!(asked(&snapshot), State::Unknown { .. }));
    // The management account may hold the organization's analyzers too.
    organization(&mut snapshot).delegated_administrators = Observed::Value([].into());
    let analyzers = region(&mut snapshot, MANAGEMENT)
        .analyzers
        .value_mut()
        .expect("it");
    analyzers.clear();
    for kind in ["ORGANIZATION", "ORGANIZATION_UNUSED_ACCESS"] {
        let analyzer = AnalyzerState {
            kind: kind.to_owned(),
            status: "ACTIVE".to_owned(),
            ..AnalyzerState::default()
        };
        analyzers.insert(kind.to_owned(), analyzer);
    }
    assert_eq!(asked(&snapshot), State::On);
    snapshot.accounts.remove(MANAGEMENT);
    assert!(matches!(asked(&snapshot), State::Unknown { .. }));
}

#[test]
fn a_region_whose_recorder_was_not_read_may_record_global_types() {
    let mut snapshot = world("security-lit");
    let regions = account(&mut snapshot, MEMBER)
        .regions
        .value_mut()
        .expect("regions");
    for (name, region) in regions {
        match name.as_str() {
            HOME => {
                let config = region.config.value_mut().expect("config");
                for recorder in config.recorders.values_mut() {
                    recorder.include_global = false;
                }
            }
            _ => region.config = Observed::denied("config:DescribeConfigurationRecorders"),
        }
    }
    match state(&snapshot, MEMBER, HOME, Service::Config) {
        State::OnUnread { unread } => assert_eq!(unread[0].kind, "global"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_detector_that_a_stranger_administers_is_named() {
    let owner = |owner: &str| {
        let mut snapshot = world("security-lit");
        let detectors = region(&mut snapshot, MEMBER)
            .guardduty
            .value_mut()
            .expect("it");
        for detector in detectors.values_mut() {
            detector.administrator = Observed::Value(owner.to_owned());
        }
        state(&snapshot, MEMBER, HOME, Service::Guardduty)
    };
    assert_eq!(owner(SECURITY), State::On);
    match owner("999999999909") {
        State::HalfOn { what, .. } => assert!(what[0].says.contains("stranger"), "{what:?}"),
        other => panic!("{other:?}"),
    }
}

fn told(snapshot: &Snapshot) -> Answer {
    let engine = Engine::new(snapshot);
    let alarms = Alarms::new(snapshot, &engine);
    alarms.answer(&Call::of_action("guardduty:DeleteDetector"), MEMBER, HOME)
}

/// The borrowed pipeline whose rule calls `target` by `role`.
fn aimed(target: &str, role: Option<&str>) -> Snapshot {
    let mut snapshot = world("borrowed-pipeline");
    let buses = region(&mut snapshot, MEMBER)
        .buses
        .value_mut()
        .expect("buses");
    let rules = &mut buses.get_mut("default").expect("the bus").rules;
    let rule = rules
        .value_mut()
        .expect("rules")
        .get_mut("security-services");
    rule.expect("the rule").targets = Observed::Value(vec![EventTarget {
        id: "1".to_owned(),
        arn: target.into(),
        role: role.map(Into::into),
        dead_letter: None,
    }]);
    snapshot
}

#[test]
fn a_queue_that_was_not_read_is_unknown_and_one_that_nobody_reads_is_no_person() {
    let queue = format!("arn:aws:sqs:us-east-1:{MEMBER}:events");
    let mut snapshot = aimed(&queue, None);
    let queues = Observed::denied("sqs:ListQueues");
    region(&mut snapshot, MEMBER)
        .resources
        .insert("sqs.queue".to_owned(), queues);
    assert!(matches!(told(&snapshot), Answer::Unknown { .. }));
    // The same queue behind a topic.
    let mut snapshot = world("borrowed-pipeline");
    let topics = region(&mut snapshot, MEMBER)
        .topics
        .value_mut()
        .expect("topics");
    for topic in topics.values_mut() {
        topic.subscriptions = Observed::Value(vec![Subscription {
            protocol: "sqs".to_owned(),
            endpoint: Some(queue.as_str().into()),
            confirmed: true,
            ..Subscription::default()
        }]);
    }
    region(&mut snapshot, MEMBER)
        .resources
        .insert("sqs.queue".to_owned(), Observed::Value([].into()));
    match told(&snapshot) {
        Answer::Broken { faults } => {
            assert!(faults[0].why.contains("does not exist"), "{faults:?}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_incident_is_opened_by_a_role_that_may() {
    let plan = format!("arn:aws:ssm-incidents::{MEMBER}:response-plan/wake");
    match told(&aimed(&plan, None)) {
        Answer::Broken { faults } => assert_eq!(faults[0].link, Link::InvokePermission),
        other => panic!("{other:?}"),
    }
    let arn = format!("arn:aws:iam::{MEMBER}:role/opener");
    let mut snapshot = aimed(&plan, Some(&arn));
    let opener = role(
        &arn,
        "events.amazonaws.com",
        r#""ssm-incidents:StartIncident""#,
    );
    let roles = account(&mut snapshot, MEMBER)
        .iam
        .roles
        .value_mut()
        .expect("roles");
    roles.insert("opener".to_owned(), opener);
    assert!(
        matches!(told(&snapshot), Answer::Alarmed { .. }),
        "{:?}",
        told(&snapshot)
    );
}

#[test]
fn a_trail_writes_its_log_group_only_by_a_role_that_may() {
    let mut snapshot = world("security-lit");
    let trails = |snapshot: &mut Snapshot, error: Observed<String>| {
        let trails = account(snapshot, MEMBER)
            .trails
            .value_mut()
            .expect("trails");
        for trail in trails.values_mut() {
            trail.log_group_error = error.clone();
        }
    };
    assert!(matches!(told(&snapshot), Answer::Alarmed { .. }));
    trails(&mut snapshot, Observed::denied("cloudtrail:GetTrailStatus"));
    assert!(matches!(told(&snapshot), Answer::Unknown { .. }));
    trails(&mut snapshot, Observed::Absent);
    let roles = account(&mut snapshot, MANAGEMENT)
        .iam
        .roles
        .value_mut()
        .expect("roles");
    let writer = roles.get_mut("trail-to-logs").expect("the role");
    // The streams have names of their own, to which most roles are bound.
    writer.inline = [(
        "write".to_owned(),
        policy(r#"{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:us-east-1:511111111101:log-group:organization-trail:log-stream:511111111101_CloudTrail_us-east-1*"}"#),
    )]
    .into();
    assert!(
        matches!(told(&snapshot), Answer::Alarmed { .. }),
        "{:?}",
        told(&snapshot)
    );
    let roles = account(&mut snapshot, MANAGEMENT)
        .iam
        .roles
        .value_mut()
        .expect("roles");
    roles
        .get_mut("trail-to-logs")
        .expect("the role")
        .inline
        .clear();
    match told(&snapshot) {
        Answer::Broken { faults } => assert_eq!(faults[0].link, Link::Trail, "{faults:?}"),
        other => panic!("{other:?}"),
    }
}

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

//! What was not read is never fine: one fact at a time is taken away, and the answer that hung on
//! it says so.

use std::collections::BTreeSet;

use palisade::alarm::protection::Protection;
use palisade::alarm::state::{Service, State, matrix, state};
use palisade::check::Outcome;
use palisade::check::security::Security;
use palisade::check::security::coverage::Covered;
use palisade::check::security::holders::{Could, who_could};
use palisade::{Selection, analyse};
use palisade_model::{AnalyzerState, Gap, GapKind, Observed, Snapshot};

use super::estate::{
    HOME, MANAGEMENT, MEMBER, SECURITY, account, answer, deny, organization, region, under, world,
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

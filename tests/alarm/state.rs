//! Whether services are on: half-on states, the administrator's word, and what was not read.

use std::collections::{BTreeMap, BTreeSet};

use palisade::alarm::state::{Row, Service, State, matrix, state};
use palisade_mocks::World;
use palisade_model::{Observed, Region, RegionState, Snapshot, Why};

const SECURITY: &str = "522222222202";
const MEMBER: &str = "533333333303";
const HOME: &str = "us-east-1";

fn world(name: &str) -> Snapshot {
    World::load(name)
        .expect("the world loads")
        .snapshot()
        .clone()
}

fn region<'s>(snapshot: &'s mut Snapshot, account: &str) -> &'s mut Region {
    let account = snapshot.accounts.get_mut(account).expect("the account");
    account
        .regions
        .value_mut()
        .expect("regions")
        .get_mut(HOME)
        .expect("the region")
}

fn of(snapshot: &Snapshot, service: Service) -> State {
    state(snapshot, MEMBER, HOME, service)
}

/// Makes the security account the administrator of a service and lets it list the member.
fn administered(status: &str) -> Snapshot {
    let mut snapshot = world("security-lit");
    let organization = snapshot.organization.value_mut().expect("an organization");
    organization.delegated_administrators = Observed::Value(
        [(
            SECURITY.to_owned(),
            vec!["guardduty.amazonaws.com".to_owned()],
        )]
        .into(),
    );
    let detectors = region(&mut snapshot, SECURITY)
        .guardduty
        .value_mut()
        .expect("a detector");
    let detector = detectors.values_mut().next().expect("one");
    detector.members = Observed::Value([(MEMBER.to_owned(), status.to_owned())].into());
    detector.auto_enable = Observed::Value("ALL".to_owned());
    snapshot
}

#[test]
fn every_service_of_a_whole_organization_is_on() {
    let snapshot = world("security-lit");
    for service in Service::ALL {
        let found = of(&snapshot, service);
        let optional = matches!(found, State::Off { .. }) && service.is_optional();
        assert!(found == State::On || optional, "{service}: {found:?}");
    }
}

#[test]
fn every_half_on_state_is_named() {
    let snapshot = world("security-half");
    let kinds = |service| match of(&snapshot, service) {
        State::HalfOn { what, .. } => what.into_iter().map(|w| w.kind).collect::<BTreeSet<_>>(),
        other => panic!("{service}: {other:?}"),
    };
    assert_eq!(
        kinds(Service::Cloudtrail),
        [
            "delivery",
            "key-events",
            "kms",
            "lambda-data",
            "log-validation",
            "multi-region",
            "organization",
            "read-events",
            "s3-data"
        ]
        .into()
    );
    assert_eq!(kinds(Service::Guardduty), ["feature", "frequency"].into());
    assert_eq!(kinds(Service::Inspector), ["ecr"].into());
    assert_eq!(
        kinds(Service::Config),
        ["channel", "delivery", "global", "types"].into()
    );
    assert_eq!(kinds(Service::SecurityHub), ["standards"].into());
    assert_eq!(kinds(Service::AccessAnalyzer), ["unused-access"].into());
}

#[test]
fn the_administrators_word_stands_in_for_a_member_that_was_not_read() {
    let mut snapshot = administered("Enabled");
    region(&mut snapshot, MEMBER).guardduty = Observed::denied("guardduty:ListDetectors");
    // On by its word, but what is missing of it nobody can say.
    match of(&snapshot, Service::Guardduty) {
        State::OnUnread { unread } => assert!(unread[0].says.contains(SECURITY), "{unread:?}"),
        other => panic!("{other:?}"),
    }
    let mut snapshot = administered("Disabled");
    region(&mut snapshot, MEMBER).guardduty = Observed::denied("guardduty:ListDetectors");
    assert!(matches!(
        of(&snapshot, Service::Guardduty),
        State::Suspended { .. }
    ));
}

#[test]
fn where_both_are_readable_a_contradiction_is_told() {
    match of(&administered("Removed"), Service::Guardduty) {
        State::HalfOn { what, .. } => assert_eq!(what[0].kind, "member"),
        other => panic!("{other:?}"),
    }
    let mut snapshot = administered("Enabled");
    region(&mut snapshot, MEMBER).guardduty = Observed::Absent;
    match of(&snapshot, Service::Guardduty) {
        State::Off { what } => assert!(what.contains("lists it as `Enabled`"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_paused_detector_and_a_stopped_recorder_are_not_on() {
    let mut snapshot = world("security-lit");
    let detectors = region(&mut snapshot, MEMBER)
        .guardduty
        .value_mut()
        .expect("a detector");
    detectors.values_mut().next().expect("one").status = "DISABLED".to_owned();
    assert!(matches!(
        of(&snapshot, Service::Guardduty),
        State::Suspended { .. }
    ));
    let config = region(&mut snapshot, MEMBER)
        .config
        .value_mut()
        .expect("config");
    for recorder in config.recorders.values_mut() {
        recorder.recording = Observed::Value(false);
    }
    assert!(matches!(of(&snapshot, Service::Config), State::Off { .. }));
    region(&mut snapshot, MEMBER)
        .config
        .value_mut()
        .expect("config")
        .recorders = BTreeMap::new();
    assert!(matches!(of(&snapshot, Service::Config), State::Off { .. }));
}

#[test]
fn an_analyzer_of_the_organization_watches_its_members() {
    let mut snapshot = world("security-lit");
    region(&mut snapshot, MEMBER).analyzers = Observed::Value(BTreeMap::new());
    assert!(matches!(
        of(&snapshot, Service::AccessAnalyzer),
        State::Off { .. }
    ));
    let organization = snapshot.organization.value_mut().expect("an organization");
    organization.delegated_administrators = Observed::Value(
        [(
            SECURITY.to_owned(),
            vec!["access-analyzer.amazonaws.com".to_owned()],
        )]
        .into(),
    );
    let analyzers = region(&mut snapshot, SECURITY)
        .analyzers
        .value_mut()
        .expect("analyzers");
    for analyzer in analyzers.values_mut() {
        analyzer.kind = analyzer.kind.replace("ACCOUNT", "ORGANIZATION");
    }
    assert_eq!(of(&snapshot, Service::AccessAnalyzer), State::On);
}

#[test]
fn a_gap_is_unknown_for_its_own_cell_only() {
    let mut snapshot = world("security-lit");
    region(&mut snapshot, MEMBER).macie = Observed::denied("macie2:GetMacieSession");
    region(&mut snapshot, MEMBER).guardduty = Observed::denied("guardduty:ListDetectors");
    assert!(matches!(
        of(&snapshot, Service::Guardduty),
        State::Unknown { .. }
    ));
    assert_eq!(of(&snapshot, Service::Inspector), State::On);
    assert_eq!(
        state(&snapshot, MEMBER, "eu-central-1", Service::Guardduty),
        State::On
    );
    assert_eq!(
        state(&snapshot, SECURITY, HOME, Service::Guardduty),
        State::On
    );
}

#[test]
fn regions_that_are_off_denied_or_without_the_service_are_not_applicable() {
    let mut snapshot = world("security-lit");
    let reasons = [Why::RegionDenied, Why::NotOffered];
    for why in reasons {
        region(&mut snapshot, MEMBER).inspector = Observed::not_applicable(why, "");
        assert!(matches!(
            of(&snapshot, Service::Inspector),
            State::NotApplicable { .. }
        ));
    }
    region(&mut snapshot, MEMBER).state = RegionState::Off;
    assert!(matches!(
        of(&snapshot, Service::Guardduty),
        State::NotApplicable { .. }
    ));
}

#[test]
fn paid_services_count_only_where_somebody_has_or_expects_them() {
    let none = BTreeSet::new();
    let lit = matrix(&world("security-lit"), &none);
    assert_eq!(lit.not_in_use.len(), 4);
    assert!(
        lit.cells
            .iter()
            .all(|cell| cell.expected != cell.service.is_optional())
    );
    let expecting = matrix(&world("security-lit"), &[Service::Macie].into());
    assert!(
        expecting
            .cells
            .iter()
            .any(|c| c.service == Service::Macie && c.expected)
    );
    let paid = matrix(&world("security-paid"), &none);
    assert_eq!(paid.not_in_use, BTreeSet::new());
}

#[test]
fn like_places_share_a_row_of_the_table() {
    let mut snapshot = world("security-lit");
    let member = snapshot.accounts[MEMBER].clone();
    for number in 0..500_u64 {
        snapshot
            .accounts
            .insert(format!("{:012}", 600_000_000_000 + number), member.clone());
    }
    let rows = matrix(&snapshot, &BTreeSet::new()).rows();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows.iter().all(|row| row.says.is_empty()), "{rows:?}");
    assert!(rows.iter().all(|row| row.places.len() == 503));
}

#[test]
fn a_row_says_why_and_a_table_joins_rows_of_the_same_states() {
    let mut snapshot = world("security-half");
    let trails = snapshot
        .accounts
        .get_mut(MEMBER)
        .expect("it")
        .trails
        .value_mut();
    for trail in trails.expect("trails").values_mut() {
        trail.log_validation = true;
    }
    let rows = matrix(&snapshot, &BTreeSet::new()).rows();
    let half: Vec<&Row> = rows
        .iter()
        .filter(|row| row.states.get(&Service::Cloudtrail) == Some(&"half on"))
        .collect();
    assert_eq!(half.len(), 2, "one account has digest files: {half:?}");
    let says = |row: &Row| row.says[&Service::Cloudtrail].join("; ").contains("digest");
    assert_ne!(says(half[0]), says(half[1]));
    let joined = Row::by_states(&rows);
    let half = joined
        .iter()
        .filter(|row| row.states.get(&Service::Cloudtrail) == Some(&"half on"));
    assert_eq!(half.count(), 1, "{joined:?}");
}

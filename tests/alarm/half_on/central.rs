//! The word of the organization's administrators beside that of its members.

use palisade::alarm::state::{Service, State, matrix, state};
use palisade_model::{
    Account, Aggregator, Gap, GapKind, Macie, Observed, OrgAccount, Snapshot, Trail,
};

use super::flips::{delegate, listed, lit, macie, trail};
use crate::alarm::estate::{HOME, MANAGEMENT, MEMBER, SECURITY, account, region};

#[test]
fn a_member_that_left_the_organization_is_told_by_its_former_administrator() {
    for status in ["Removed", "Resigned", "Disabled", "Created"] {
        let mut snapshot = lit();
        delegate(&mut snapshot, SECURITY, "guardduty.amazonaws.com");
        listed(&mut snapshot, status);
        match state(&snapshot, MEMBER, HOME, Service::Guardduty) {
            State::HalfOn { what, .. } => assert!(what[0].says.contains(status), "{what:?}"),
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn inspectors_administrator_and_its_member_may_disagree() {
    let mut snapshot = lit();
    delegate(&mut snapshot, SECURITY, "inspector2.amazonaws.com");
    let inspector = region(&mut snapshot, SECURITY)
        .inspector
        .value_mut()
        .expect("it");
    inspector.members = Observed::Value([(MEMBER.to_owned(), "DISABLED".to_owned())].into());
    match state(&snapshot, MEMBER, HOME, Service::Inspector) {
        State::HalfOn { what, .. } => assert_eq!(what[0].kind, "member"),
        other => panic!("{other:?}"),
    }
    let inspector = region(&mut snapshot, SECURITY)
        .inspector
        .value_mut()
        .expect("it");
    inspector.members = Observed::Value([(MEMBER.to_owned(), "ENABLED".to_owned())].into());
    region(&mut snapshot, MEMBER).inspector = Observed::Absent;
    match state(&snapshot, MEMBER, HOME, Service::Inspector) {
        State::Off { what } => assert!(what.contains("although"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_account_that_no_organization_lists_is_judged_by_itself() {
    let mut snapshot = lit();
    let organization = snapshot.organization.value_mut().expect("an organization");
    let accounts = organization.accounts.value_mut().expect("accounts");
    let left: Option<OrgAccount> = accounts.remove(MEMBER);
    assert!(left.is_some());
    assert_eq!(
        state(&snapshot, MEMBER, HOME, Service::Guardduty),
        State::On
    );
}

fn what(state: State) -> Vec<(&'static str, String)> {
    match state {
        State::HalfOn { what, .. } => what.into_iter().map(|one| (one.kind, one.says)).collect(),
        other => panic!("{other:?}"),
    }
}

/// The organization's trail as its management account shows it.
fn owners(snapshot: &mut Snapshot) -> &mut Trail {
    let trails = account(snapshot, MANAGEMENT)
        .trails
        .value_mut()
        .expect("trails");
    trails.values_mut().next().expect("a trail")
}

#[test]
fn a_copy_of_the_organizations_trail_is_held_against_its_owners() {
    let asked = |snapshot: &Snapshot| state(snapshot, MEMBER, HOME, Service::Cloudtrail);
    let kinds = |snapshot: &Snapshot| -> Vec<&str> {
        what(asked(snapshot))
            .into_iter()
            .map(|(kind, _)| kind)
            .collect()
    };
    assert_eq!(asked(&lit()), State::On);
    let mut elsewhere = lit();
    owners(&mut elsewhere).bucket = "another".to_owned();
    assert_eq!(kinds(&elsewhere), ["copy"]);
    let mut missing = lit();
    let trails = account(&mut missing, MEMBER)
        .trails
        .value_mut()
        .expect("trails");
    let (_, mut own) = trails.pop_first().expect("a trail");
    own.organization = false;
    trails.insert(
        "arn:aws:cloudtrail:us-east-1:533333333303:trail/own".into(),
        own,
    );
    assert!(kinds(&missing).contains(&"copy"));
    let mut silent = lit();
    trail(&mut silent).logging = Observed::Value(false);
    match asked(&silent) {
        State::Off { what } => assert!(what.contains("although"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_organizations_trail_stands_in_where_a_members_list_was_not_read() {
    let mut snapshot = lit();
    account(&mut snapshot, MEMBER).trails = Observed::denied("cloudtrail:DescribeTrails");
    let found = state(&snapshot, MEMBER, HOME, Service::Cloudtrail);
    assert!(matches!(found, State::OnUnread { .. }), "{found:?}");
    // It is not logging, or the account is none of the organization's: nobody can say.
    let mut stopped = snapshot.clone();
    owners(&mut stopped).logging = Observed::Value(false);
    let mut left = snapshot;
    let organization = left.organization.value_mut().expect("an organization");
    organization
        .accounts
        .value_mut()
        .expect("accounts")
        .remove(MEMBER);
    for snapshot in [stopped, left] {
        let found = state(&snapshot, MEMBER, HOME, Service::Cloudtrail);
        assert!(matches!(found, State::Unknown { .. }), "{found:?}");
    }
}

fn gathered(status: &str) -> Snapshot {
    let mut snapshot = lit();
    delegate(&mut snapshot, SECURITY, "config.amazonaws.com");
    let sources = [(HOME.to_owned(), status.to_owned())].into();
    let all = Aggregator {
        organization: true,
        all_regions: true,
        sources: Observed::Value([(MEMBER.to_owned(), sources)].into()),
        ..Aggregator::default()
    };
    let there = region(&mut snapshot, SECURITY);
    there.config_aggregators = Observed::Value([("all".to_owned(), all)].into());
    snapshot
}

#[test]
fn what_the_organizations_aggregator_cannot_gather_is_told() {
    for status in ["FAILED", "OUTDATED"] {
        let found = what(state(&gathered(status), MEMBER, HOME, Service::Config));
        assert_eq!(found[0].0, "aggregator");
        assert!(found[0].1.contains(status), "{found:?}");
    }
    let fine = gathered("SUCCEEDED");
    assert_eq!(state(&fine, MEMBER, HOME, Service::Config), State::On);
    // Another aggregator that gathers it is enough.
    let mut both = gathered("FAILED");
    let mut other = gathered("SUCCEEDED");
    let list = region(&mut other, SECURITY)
        .config_aggregators
        .value_mut()
        .expect("it");
    let one = list.remove("all").expect("it");
    let list = region(&mut both, SECURITY)
        .config_aggregators
        .value_mut()
        .expect("it");
    list.insert("second".to_owned(), one);
    assert_eq!(state(&both, MEMBER, HOME, Service::Config), State::On);
    // Its list was not read: nothing hangs on it.
    let mut unread = gathered("FAILED");
    region(&mut unread, SECURITY).config_aggregators =
        Observed::denied("config:DescribeConfigurationAggregators");
    assert_eq!(state(&unread, MEMBER, HOME, Service::Config), State::On);
}

#[test]
fn an_administrator_that_enrols_nobody_is_half_on() {
    let mut snapshot = lit();
    delegate(&mut snapshot, SECURITY, "securityhub.amazonaws.com");
    let set = |snapshot: &mut Snapshot, setting: Observed<bool>| {
        let hub = region(snapshot, SECURITY).security_hub.value_mut();
        hub.expect("a hub").auto_enable = setting;
    };
    set(&mut snapshot, Observed::Value(true));
    let asked = |snapshot: &Snapshot, id| state(snapshot, id, HOME, Service::SecurityHub);
    assert_eq!(asked(&snapshot, SECURITY), State::On);
    set(&mut snapshot, Observed::Value(false));
    assert_eq!(what(asked(&snapshot, SECURITY))[0].0, "auto-enable");
    assert_eq!(asked(&snapshot, MEMBER), State::On);
    set(
        &mut snapshot,
        Observed::denied("securityhub:DescribeOrganizationConfiguration"),
    );
    let found = asked(&snapshot, SECURITY);
    assert!(matches!(found, State::OnUnread { .. }), "{found:?}");
    // A member that is off although everybody should be on.
    set(&mut snapshot, Observed::Value(true));
    region(&mut snapshot, MEMBER).security_hub = Observed::Absent;
    match asked(&snapshot, MEMBER) {
        State::Off { what } => assert!(what.contains("enrols"), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn macies_administrator_is_asked_the_same() {
    let mut snapshot = lit();
    macie(&mut snapshot, "ENABLED");
    delegate(&mut snapshot, MEMBER, "macie.amazonaws.com");
    let facts = region(&mut snapshot, MEMBER)
        .macie
        .value_mut()
        .expect("macie");
    facts.auto_enable = Observed::Value(false);
    let found = what(state(&snapshot, MEMBER, HOME, Service::Macie));
    assert_eq!(found[0].0, "auto-enable");
}

#[test]
fn an_account_nobody_could_enter_is_judged_by_what_its_administrators_say() {
    let mut snapshot = lit();
    delegate(&mut snapshot, SECURITY, "guardduty.amazonaws.com");
    listed(&mut snapshot, "Enabled");
    let gap = Gap::new("sts:AssumeRole", GapKind::Denied);
    snapshot
        .accounts
        .insert(MEMBER.to_owned(), Account::not_reached(&gap));
    let matrix = matrix(&snapshot, &[].into());
    let cell = |region: &str, service: Service| {
        let mut cells = matrix.cells.iter();
        let cell = cells.find(|cell| {
            cell.account == MEMBER && cell.region == region && cell.service == service
        });
        cell.map(|cell| cell.state.word())
    };
    assert_eq!(cell(HOME, Service::Guardduty), Some("on?"));
    assert_eq!(cell(HOME, Service::Cloudtrail), Some("on?"));
    assert_eq!(cell(HOME, Service::Config), None);
    assert_eq!(cell("", Service::Guardduty), Some("unknown"));
    assert_eq!(cell("", Service::Config), Some("unknown"));
}

#[test]
fn what_was_left_unsaid_is_unknown_and_not_fine() {
    let mut snapshot = lit();
    super::flips::detector(&mut snapshot, MEMBER).status.clear();
    let found = state(&snapshot, MEMBER, HOME, Service::Guardduty);
    assert!(matches!(found, State::Unknown { .. }), "{found:?}");
    let analyzers = region(&mut snapshot, MEMBER)
        .analyzers
        .value_mut()
        .expect("analyzers");
    analyzers.values_mut().for_each(|one| one.status.clear());
    let found = state(&snapshot, MEMBER, HOME, Service::AccessAnalyzer);
    assert!(matches!(found, State::Unknown { .. }), "{found:?}");
    let hub = super::flips::hub(&mut snapshot);
    let standards = hub.standards.value_mut().expect("standards");
    standards.iter_mut().for_each(|one| one.status.clear());
    let found = state(&snapshot, MEMBER, HOME, Service::SecurityHub);
    assert!(matches!(found, State::OnUnread { .. }), "{found:?}");
    region(&mut snapshot, MEMBER).macie = Observed::Value(Macie::default());
    let found = state(&snapshot, MEMBER, HOME, Service::Macie);
    assert!(matches!(found, State::Unknown { .. }), "{found:?}");
}

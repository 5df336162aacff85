//! What the organization's administrators are told spares calls to their members, and nothing
//! else: the answers are the same, and where an administrator cannot be asked, members are.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use palisade_aws::Observer;
use palisade_mocks::{Fault, FaultKind, World};
use palisade_model::Snapshot;

use super::{everything, run, served};

/// Counts each operation.
#[derive(Default)]
struct Tally(Mutex<BTreeMap<String, usize>>);

impl Observer for Tally {
    fn finished(&self, operation: &str) {
        *self
            .0
            .lock()
            .unwrap()
            .entry(operation.to_owned())
            .or_default() += 1;
    }
}

const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];
const MANAGEMENT: &str = "111111111101";
const SECURITY: &str = "222222222202";
const MEMBERS: [&str; 3] = ["333333333303", "444444444404", "555555555505"];

/// What a region of the administrator, or of a member, says of itself.
fn region(of_members: &str, hub: &str, guardduty: &str) -> String {
    let macie = hub.replace("ENABLED", "Enabled");
    format!(
        "guardduty: {{ detector: {{ {guardduty} }} }}, \
         inspector: {{ status: ENABLED, resources: {{ ec2: ENABLED }}{hub} }}, \
         security_hub: {{ standards: [cis-aws-foundations-benchmark/v/3.0.0]{hub} }}, \
         macie: {{ status: ENABLED, automated_discovery: ENABLED{macie} }}{of_members}"
    )
}

/// An organization whose security account administers everything in two regions. The trail shows
/// in every account.
fn organized() -> World {
    let list = |status: &str| {
        let rows: Vec<String> = MEMBERS
            .iter()
            .map(|id| format!("\"{id}\": {status}"))
            .collect();
        format!(", members: {{ {} }}", rows.join(", "))
    };
    let told = format!("auto_enable: ALL{}", list("Enabled"));
    let trail = format!(
        "{{ arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/all: {{ name: all, home_region: us-east-1, \
         multi_region: true, organization: true, global_events: true, bucket: all-trails, \
         log_validation: true, logging: true }} }}"
    );
    let mut text = format!(
        "story: An organization whose security account administers its services.\n\
         taken_at: 2026-11-01T00:00:00Z\n\
         organization:\n  id: o-shortcuts00\n  management_account: \"{MANAGEMENT}\"\n  \
         delegated_administrators: {{ \"{SECURITY}\": [guardduty.amazonaws.com, \
         inspector2.amazonaws.com, macie.amazonaws.com, securityhub.amazonaws.com] }}\n  accounts:\n"
    );
    for id in [MANAGEMENT, SECURITY].iter().chain(&MEMBERS) {
        text.push_str(&format!("    \"{id}\": {{ name: a{id} }}\n"));
    }
    text.push_str("accounts:\n");
    for id in [MANAGEMENT, SECURITY].iter().chain(&MEMBERS) {
        let facts = match *id {
            SECURITY => region("", &list("ENABLED"), &told),
            MANAGEMENT => String::new(),
            _ => region("", "", &format!("administrator: \"{SECURITY}\"")),
        };
        text.push_str(&format!("  \"{id}\":\n    trails: {trail}\n    regions:\n"));
        for name in REGIONS {
            text.push_str(&format!("      {name}: {{ {facts} }}\n"));
        }
    }
    World::parse(Path::new("shortcuts/world.yaml"), &text)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn scan(world: &World) -> (Snapshot, BTreeMap<String, usize>) {
    let tally = Arc::new(Tally::default());
    let snapshot = run(everything(world), served(world), tally.clone()).unwrap();
    let counted = tally.0.lock().unwrap().clone();
    (snapshot, counted)
}

fn disturbed(world: &World, service: &str, operation: &str) -> World {
    let mut world = world.clone();
    world.disturb(Fault::always(FaultKind::Denied, service, operation));
    world
}

/// What an administrator's word spares, once for each member and region.
const PER_REGION: [&str; 5] = [
    "guardduty:DescribeOrganizationConfiguration",
    "guardduty:ListMembers",
    "inspector2:ListMembers",
    "securityhub:ListMembers",
    "macie2:ListMembers",
];

#[test]
fn an_administrators_word_spares_five_calls_in_each_region_of_each_member() {
    let world = organized();
    let (with, counted) = scan(&world);
    // Nobody knows who the administrators are: everybody is asked everything.
    let (without, all) = scan(&disturbed(
        &world,
        "organizations",
        "ListDelegatedAdministrators",
    ));
    let of =
        |counted: &BTreeMap<String, usize>, name: &str| counted.get(name).copied().unwrap_or(0);
    let spared = MEMBERS.len() * REGIONS.len();
    for operation in PER_REGION {
        assert_eq!(
            of(&all, operation) - of(&counted, operation),
            spared,
            "{operation}"
        );
    }
    // The word of a member on itself is what the administrator's is checked against.
    for operation in [
        "guardduty:GetDetector",
        "guardduty:GetAdministratorAccount",
        "inspector2:BatchGetAccountStatus",
        "securityhub:DescribeHub",
        "macie2:GetMacieSession",
        "cloudtrail:GetTrailStatus",
    ] {
        assert!(
            of(&counted, operation) >= of(&all, operation).min(MEMBERS.len()),
            "{operation}"
        );
    }
    let sum = |counted: &BTreeMap<String, usize>| {
        let names = PER_REGION.iter().chain(&["cloudtrail:GetEventSelectors"]);
        names.map(|name| of(counted, name)).sum::<usize>()
    };
    assert_eq!((sum(&all), sum(&counted)), (43, 14));
    assert_eq!(with.accounts, without.accounts, "the answers differ");
}

#[test]
fn one_trail_is_asked_once_what_it_records() {
    let world = organized();
    let (_, counted) = scan(&world);
    // Its owner, and the administrator, which is read beside it.
    assert_eq!(counted["cloudtrail:GetEventSelectors"], 2);
    assert_eq!(counted["cloudtrail:GetTrailStatus"], 5);
    // Its owner could not say: whoever is asked next may.
    let (snapshot, counted) = scan(&disturbed(&world, "cloudtrail", "GetEventSelectors"));
    assert_eq!(counted["cloudtrail:GetEventSelectors"], 5);
    for account in snapshot.accounts.values() {
        let trails = account.trails.value().unwrap();
        assert!(trails.values().all(|trail| trail.selectors.gap().is_some()));
    }
}

#[test]
fn where_the_administrator_cannot_be_asked_members_are_read_directly() {
    let world = organized();
    let (whole, _) = scan(&world);
    for (service, operation) in [
        ("guardduty", "ListMembers"),
        ("inspector2", "ListMembers"),
        ("securityhub", "ListMembers"),
        ("macie2", "ListMembers"),
    ] {
        let (snapshot, counted) = scan(&disturbed(&world, service, operation));
        let asked = counted[&format!("{service}:{operation}")];
        let everybody = (1 + MEMBERS.len()) * REGIONS.len();
        assert!(asked >= everybody, "{service}: {asked}");
        // Each member's own word on itself is still there.
        for id in MEMBERS {
            for (name, region) in snapshot.accounts[id].enabled_regions() {
                let before = &whole.accounts[id].regions.value().unwrap()[name];
                let own = |region: &palisade_model::Region| {
                    let detector = region.guardduty.value().and_then(|all| all.values().next());
                    let macie = region.macie.value().map(|macie| macie.status.clone());
                    let hub = region.security_hub.value().map(|hub| hub.standards.clone());
                    (detector.map(|one| one.status.clone()), macie, hub)
                };
                assert_eq!(own(region), own(before), "{service} {id} {name}");
            }
        }
    }
}

#[test]
fn a_member_that_is_not_enabled_is_asked_everything() {
    let text = organized();
    let mut snapshot = text.snapshot().clone();
    let regions = snapshot
        .accounts
        .get_mut(SECURITY)
        .unwrap()
        .regions
        .value_mut()
        .unwrap();
    for region in regions.values_mut() {
        let detector = region
            .guardduty
            .value_mut()
            .unwrap()
            .values_mut()
            .next()
            .unwrap();
        let members = detector.members.value_mut().unwrap();
        members.insert(MEMBERS[0].to_owned(), "Removed".to_owned());
    }
    let world = World::of_snapshot("removed", snapshot);
    let (_, counted) = scan(&world);
    // The administrator, and the one member that left.
    assert_eq!(counted["guardduty:ListMembers"], 2 * REGIONS.len());
}

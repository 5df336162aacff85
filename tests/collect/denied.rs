//! What could not be read is unknown: every call of the table fails once, alone, and the snapshot
//! must say so; and nothing may be concluded from what was not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use palisade::report::Report;
use palisade::{Selection, analyse};
use palisade_aws::{Observer, Options};
use palisade_mocks::{Fault, FaultKind, World};
use palisade_model::listing::LISTINGS;
use palisade_model::{Snapshot, calls};
use serde_json::Value;

use super::{estates, everything, run, served};

/// Calls of the table that a scan of one account makes only when another has failed, or never in
/// an estate like ours; and why.
const NOT_MADE: &[(&str, &str)] = &[
    (
        "sts:AssumeRole",
        "only member accounts and --role-arn are entered by it",
    ),
    ("ec2:DescribeRegions", "only when account:ListRegions fails"),
    (
        "organizations:ListAccounts",
        "only when the tree cannot be walked",
    ),
    (
        "s3:GetBucketLocation",
        "only when the list does not say where a bucket lies",
    ),
];

/// Calls without which there is no scan: the error says so.
const STOPS: &[&str] = &["sts:GetCallerIdentity"];

/// Calls whose failure another call makes good, whole.
const MADE_GOOD: &[(&str, &str)] = &[
    (
        "account:ListRegions",
        "ec2:DescribeRegions names the regions that are on",
    ),
    (
        "s3:ListObjectVersions",
        "old versions are a sample: what is current was listed",
    ),
];

/// Notes which calls are made.
#[derive(Default)]
struct Made(Mutex<BTreeSet<String>>);

impl Observer for Made {
    fn finished(&self, operation: &str) {
        self.0.lock().unwrap().insert(operation.to_owned());
    }
}

/// An estate as it is, and what is concluded from it.
struct Whole {
    world: World,
    made: BTreeSet<String>,
    gaps: BTreeSet<(String, String)>,
    /// `None` where one kind stands alone: then what is concluded from all kinds at once counts.
    concluded: Option<BTreeSet<String>>,
}

impl Whole {
    fn of(world: World) -> Whole {
        let made = Arc::new(Made::default());
        let snapshot = run(options(&world, true), served(&world), made.clone()).unwrap();
        Whole {
            concluded: Some(concluded(&snapshot)),
            ..Whole::from(world, &made, &snapshot)
        }
    }

    fn of_one_kind(world: World) -> Whole {
        let made = Arc::new(Made::default());
        let snapshot = run(options(&world, false), served(&world), made.clone()).unwrap();
        Whole::from(world, &made, &snapshot)
    }

    fn from(world: World, made: &Made, snapshot: &Snapshot) -> Whole {
        Whole {
            world,
            made: made.0.lock().unwrap().clone(),
            gaps: gaps(snapshot),
            concluded: None,
        }
    }

    /// What goes wrong when that operation fails so.
    fn fault(&self, operation: &str, kind: FaultKind, known_as: &str) -> Option<String> {
        let (service, name) = operation.split_once(':').unwrap();
        let mut world = self.world.clone();
        world.disturb(always(kind, service, name));
        let content = name.starts_with("GetObject");
        let snapshot = match run(
            options(&world, content),
            served(&world),
            Arc::new(palisade_aws::Silent),
        ) {
            Ok(snapshot) => snapshot,
            Err(_) if STOPS.contains(&operation) => return None,
            Err(error) => return Some(format!("{operation}: the scan stopped: {error}")),
        };
        let told = gaps(&snapshot);
        let expected = (operation.to_owned(), known_as.to_owned());
        let silent = MADE_GOOD.iter().any(|(known, _)| *known == operation);
        if !silent && (!told.contains(&expected) || self.gaps.contains(&expected)) {
            return Some(format!("{operation}: no gap tells that it was {known_as}"));
        }
        let fresh = fresh(self.concluded.as_ref()?, &snapshot);
        (!fresh.is_empty()).then(|| format!("{operation}: concluded from nothing: {fresh:?}"))
    }
}

/// What is concluded from the snapshot and was not from the whole one.
fn fresh(whole: &BTreeSet<String>, snapshot: &Snapshot) -> Vec<String> {
    concluded(snapshot).difference(whole).cloned().collect()
}

fn always(kind: FaultKind, service: &str, operation: &str) -> Fault {
    Fault {
        kind,
        service: service.to_owned(),
        operation: operation.to_owned(),
        account: "*".to_owned(),
        region: "*".to_owned(),
        every: 1,
        first: 0,
    }
}

/// One region, one account: the organization is read, and nobody else is visited. Content is
/// read only where that is asked about: its rules take longer to make ready than all the rest.
fn options(world: &World, read_content: bool) -> Options {
    Options {
        read_content,
        regions: vec![estates::REGION.to_owned()],
        org: None,
        ..everything(world)
    }
}

/// Every gap in the snapshot: its operation, and how it failed.
fn gaps(snapshot: &Snapshot) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    collect_gaps(&serde_json::to_value(snapshot).unwrap(), &mut found);
    found
}

fn collect_gaps(value: &Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_gaps(item, found)),
        Value::Object(members) => {
            if let (Some(Value::String(operation)), Some(Value::String(kind))) =
                (members.get("operation"), members.get("kind"))
            {
                found.insert((operation.clone(), kind.clone()));
            }
            members
                .values()
                .for_each(|inner| collect_gaps(inner, found));
        }
        _ => {}
    }
}

/// Findings that fail and paths that are proven: what nobody may conclude from a gap.
fn concluded(snapshot: &Snapshot) -> BTreeSet<String> {
    let analysis = analyse(snapshot, &Selection::default());
    let report = Report::new("test", snapshot, analysis);
    let text = palisade::report::json::render(&report, None);
    let report: Value = serde_json::from_str(&text).unwrap();
    let mut found = BTreeSet::new();
    for finding in report["findings"].as_array().unwrap() {
        found.insert(format!("{} {}", finding["check"], finding["resource"]));
    }
    for path in report["paths"].as_array().unwrap() {
        if path["status"] == "proven" {
            found.insert(format!("path {} to {}", path["entry"], path["target"]));
        }
    }
    found
}

#[test]
fn no_call_fails_without_a_word() {
    let mut known: BTreeMap<String, Whole> = BTreeMap::new();
    known.insert("typed".to_owned(), Whole::of(estates::typed()));
    for row in LISTINGS {
        known.insert(
            row.kind.to_owned(),
            Whole::of_one_kind(estates::one_of(row)),
        );
    }
    let mut wrong = Vec::new();
    for call in calls().map(|call| call.operation).collect::<BTreeSet<_>>() {
        // The smallest estate in which it is made.
        let kinds = LISTINGS
            .iter()
            .filter(|row| row.calls().any(|own| own.operation == call));
        let mut estates = kinds.map(|row| row.kind).chain(["typed"]);
        let estate = estates.find_map(|name| known.get(name).filter(|all| all.made.contains(call)));
        let excused = NOT_MADE.iter().any(|(known, _)| *known == call);
        match estate {
            None if excused => {}
            None => wrong.push(format!("{call}: never made; where is its resource?")),
            Some(_) if excused => wrong.push(format!("{call}: made after all")),
            Some(estate) => wrong.extend(estate.fault(call, FaultKind::Denied, "denied")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn from_kinds_that_were_refused_nothing_is_concluded() {
    let whole = Whole::of(estates::one_of_everything());
    let details = LISTINGS.iter().flat_map(|row| row.details);
    let lists = LISTINGS.iter().map(|row| &row.list);
    for refused in [lists.collect::<Vec<_>>(), details.collect()] {
        let mut world = whole.world.clone();
        for ask in refused {
            let (service, name) = ask.call.split_once(':').unwrap();
            world.disturb(always(FaultKind::Denied, service, name));
        }
        let observer = Arc::new(palisade_aws::Silent);
        let snapshot = run(options(&world, true), served(&world), observer).unwrap();
        let fresh = fresh(whole.concluded.as_ref().unwrap(), &snapshot);
        assert!(fresh.is_empty(), "{fresh:#?}");
    }
}

#[test]
fn throttles_server_faults_and_pages_of_html_are_unknown_too() {
    let whole = Whole::of(estates::typed());
    let mut wrong = Vec::new();
    for call in [
        "iam:GetAccountAuthorizationDetails",
        "organizations:ListPolicies",
        "s3:GetBucketPolicy",
        "s3:ListBuckets",
        "guardduty:GetDetector",
        "config:DescribeConfigurationRecorders",
        "cloudtrail:DescribeTrails",
        "logs:DescribeMetricFilters",
    ] {
        for (kind, known_as) in [
            (FaultKind::Throttle, "throttled"),
            (FaultKind::ServerError, "unreachable"),
            (FaultKind::Unavailable, "unreachable"),
            (FaultKind::Html, "unparsable"),
            (FaultKind::Truncated, "unparsable"),
        ] {
            let said = whole.fault(call, kind, known_as);
            wrong.extend(said.map(|text| format!("{kind:?}: {text}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

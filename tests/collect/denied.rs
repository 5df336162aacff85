//! What could not be read is unknown: every call of the table fails once, and no other call of its
//! service with it; the snapshot must say so, and nothing may be concluded from what was not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use palisade::report::Report;
use palisade::{Selection, analyse};
use palisade_aws::{Observer, Options};
use palisade_mocks::{Fault, FaultKind, World};
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
const MADE_GOOD: &[(&str, &str)] = &[(
    "account:ListRegions",
    "ec2:DescribeRegions names the regions that are on",
)];

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
    /// With the objects read, and without.
    concluded: [Concluded; 2],
}

impl Whole {
    fn of(world: World) -> Whole {
        let made = Arc::new(Made::default());
        let snapshot = run(options(&world, true), served(&world), made.clone()).unwrap();
        let unread = run(options(&world, false), served(&world), made.clone()).unwrap();
        let made = made.0.lock().unwrap().clone();
        Whole {
            made,
            gaps: gaps(&snapshot),
            concluded: [concluded(&snapshot), concluded(&unread)],
            world,
        }
    }

    /// What goes wrong when these operations fail so.
    fn fault(&self, operations: &[&str], kind: FaultKind, known_as: &str) -> Vec<String> {
        let mut world = self.world.clone();
        for operation in operations {
            let (service, name) = operation.split_once(':').unwrap();
            world.disturb(Fault::always(kind, service, name));
        }
        let content = operations.iter().any(|name| name.contains(":GetObject"));
        let observer = Arc::new(palisade_aws::Silent);
        let snapshot = match run(options(&world, content), served(&world), observer) {
            Ok(snapshot) => snapshot,
            Err(_) if STOPS.contains(&operations[0]) => return Vec::new(),
            Err(error) => return vec![format!("{operations:?}: the scan stopped: {error}")],
        };
        let told = gaps(&snapshot);
        let mut wrong = Vec::new();
        // An answer without content may be what it seems: then nothing may be lost by it.
        let may_be_silent = matches!(kind, FaultKind::Hollow | FaultKind::Bare);
        for operation in operations.iter().filter(|_| !may_be_silent) {
            let expected = ((*operation).to_owned(), known_as.to_owned());
            let silent = MADE_GOOD.iter().any(|(known, _)| known == operation);
            if !silent && (!told.contains(&expected) || self.gaps.contains(&expected)) {
                wrong.push(format!("{operation}: no gap tells that it was {known_as}"));
            }
        }
        let now = concluded(&snapshot);
        let whole = &self.concluded[usize::from(!content)];
        let fresh: Vec<_> = now.facts.difference(&self.concluded[0].facts).collect();
        if !fresh.is_empty() {
            wrong.push(format!("{operations:?}: concluded from nothing: {fresh:?}"));
        }
        let lost = whole.lost_in(&now);
        if !lost.is_empty() {
            wrong.push(format!(
                "{operations:?}: fine because nobody looked: {lost:?}"
            ));
        }
        wrong
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

/// What a report says.
struct Concluded {
    /// Findings that fail and paths that are proven: what nobody may conclude from a gap.
    facts: BTreeSet<String>,
    /// Checks that could not be answered somewhere.
    open: BTreeSet<String>,
    /// Pairs of an entry and a target with a path of any standing.
    pairs: BTreeSet<String>,
}

impl Concluded {
    /// What stood here and is neither said nor called unknown there.
    fn lost_in(&self, now: &Concluded) -> Vec<String> {
        let gone = self.facts.difference(&now.facts);
        gone.filter(|fact| match fact.strip_prefix("path ") {
            // A store nobody listed is no target: the check on its kind says what was not read.
            Some(pair) if !pair.contains("administrator:") && !pair.contains("organization:") => {
                !now.pairs.contains(pair) && now.open.is_subset(&self.open)
            }
            Some(pair) => !now.pairs.contains(pair),
            None => !now.open.contains(fact.split(' ').next().unwrap()),
        })
        .cloned()
        .collect()
    }
}

fn concluded(snapshot: &Snapshot) -> Concluded {
    let analysis = analyse(snapshot, &Selection::default());
    let report = Report::new("test", snapshot, analysis);
    let text = palisade::report::json::render(&report, None);
    let report: Value = serde_json::from_str(&text).unwrap();
    let rows = |field: &str| report[field].as_array().unwrap().clone();
    let (mut facts, mut pairs) = (BTreeSet::new(), BTreeSet::new());
    for finding in rows("findings") {
        let check = finding["check"].as_str().unwrap();
        facts.insert(format!("{check} {}", finding["resource"]));
    }
    for path in rows("paths") {
        let pair = format!("{} to {}", path["entry_id"], path["target_id"]);
        if path["best"]["status"] == "proven" {
            facts.insert(format!("path {pair}"));
        }
        pairs.insert(pair);
    }
    let open = rows("unresolved").into_iter();
    Concluded {
        facts,
        pairs,
        open: open
            .map(|row| row["check"].as_str().unwrap().to_owned())
            .collect(),
    }
}

/// Calls that other services' calls hang on, or that hang on those: they fail alone.
const ALONE: &[&str] = &[
    "sts:GetCallerIdentity",
    "organizations:DescribeOrganization",
    "lambda:GetFunctionConfiguration",
    "cloudwatch:GetMetricStatistics",
];

/// Every call that is made, in rounds that hold at most one call of each service: none of a
/// round is made below the answer of another.
fn rounds(whole: &Whole) -> Vec<Vec<&'static str>> {
    let mut by_service: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    let all: BTreeSet<&'static str> = calls().map(|call| call.operation).collect();
    for call in all.into_iter().filter(|call| whole.made.contains(*call)) {
        if !ALONE.contains(&call) {
            let service = call.split(':').next().unwrap();
            by_service.entry(service).or_default().push(call);
        }
    }
    let most = by_service.values().map(Vec::len).max().unwrap_or_default();
    let mut rounds: Vec<Vec<&str>> = ALONE.iter().map(|call| vec![*call]).collect();
    for nth in 0..most {
        let round = by_service.values().filter_map(|calls| calls.get(nth));
        rounds.push(round.copied().collect());
    }
    rounds
}

#[test]
fn every_call_of_the_table_is_made() {
    let whole = Whole::of(estates::one_of_everything());
    let proven = |fact: &&String| fact.starts_with("path ");
    assert!(
        whole.concluded[0].facts.iter().any(|fact| proven(&fact)),
        "nothing is at stake"
    );
    for call in calls() {
        let made = whole.made.contains(call.operation);
        let excused = NOT_MADE.iter().any(|(known, _)| *known == call.operation);
        assert!(made != excused, "{}: made is {made}", call.operation);
    }
}

#[test]
fn no_call_fails_without_a_word() {
    let whole = Whole::of(estates::one_of_everything());
    let mut wrong = Vec::new();
    for round in rounds(&whole) {
        wrong.extend(whole.fault(&round, FaultKind::Denied, "denied"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_empty_answer_reads_as_nothing_there() {
    let whole = Whole::of(estates::one_of_everything());
    let mut wrong = Vec::new();
    for round in rounds(&whole) {
        for kind in [FaultKind::Empty, FaultKind::Hollow, FaultKind::Bare] {
            if whole.fault(&round, kind, "unparsable").is_empty() {
                continue;
            }
            for call in &round {
                let said = whole.fault(&[call], kind, "unparsable");
                wrong.extend(said.iter().map(|text| format!("{kind:?}: {text}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
        "s3:ListObjectsV2",
        "s3:GetObject",
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
            let said = whole.fault(&[call], kind, known_as);
            wrong.extend(said.iter().map(|text| format!("{kind:?}: {text}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

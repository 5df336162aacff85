//! Every class of entry opens, stays shut, and stays open to doubt: the rows of
//! `cases/entries.yaml`, and no class or technique that begins outside is without one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use palisade::graph::{Graph, Interests, Node, Query, Status, Unheard};
use palisade::policy::Engine;
use palisade_checks::technique::{Source, Technique};
use palisade_checks::{techniques, weights::Weights};
use palisade_mocks::World;
use palisade_model::Snapshot;
use serde::Deserialize;
use serde_json::{Map, Value};

const ACCOUNT: &str = "111122223333";

/// One way in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    entry: String,
    class: String,
    /// The technique of a step that begins outside.
    technique: Option<String>,
    /// Who begins inside, as `--from` takes it.
    who: Option<String>,
    /// Whether it is an entry by itself, without being asked for.
    #[serde(default)]
    listed: bool,
    #[serde(default)]
    all: Map<String, Value>,
    open: Map<String, Value>,
    shut: Map<String, Value>,
    unread: Map<String, Value>,
}

fn rows() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/entries.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// The world of one case: an account, and the organization where it says something of one.
fn world(row: &Row, case: &Map<String, Value>) -> World {
    let mut account = row.all.clone();
    account.extend(case.clone());
    let organization = account.remove("organization");
    let mut world = serde_json::json!({
        "story": row.entry, "taken_at": "2026-11-01T00:00:00Z", "accounts": { ACCOUNT: account },
    });
    if let Some(organization) = organization {
        world["organization"] = organization;
    }
    World::parse(Path::new("entries.yaml"), &world.to_string())
        .unwrap_or_else(|error| panic!("{}: {error}", row.entry))
}

/// How sure the row's way in is, and the class the path says it has.
fn found(row: &Row, snapshot: &Snapshot) -> Option<(Status, String)> {
    match (&row.technique, &row.who) {
        (Some(technique), None) => from_outside(technique, snapshot),
        (None, Some(who)) => from_inside(row, who, snapshot),
        _ => panic!("{}: a technique or somebody, one of them", row.entry),
    }
}

fn from_outside(technique: &str, snapshot: &Snapshot) -> Option<(Status, String)> {
    let engine = Engine::new(snapshot);
    let graph = Graph::build(snapshot, techniques().unwrap(), &engine, &Unheard);
    let steps = graph.steps().into_iter();
    let own = steps.filter(|(from, by, ..)| *by == technique && from.arn().is_none());
    let (from, _, to, status) = own.min_by_key(|(.., status)| *status)?;
    let paths = graph.paths(&Query {
        from: vec![from],
        to: vec![to],
        ..Query::default()
    });
    let pair = paths.pairs.first().expect("the step is a path");
    Some((status, pair.best.entry_class.clone()))
}

fn from_inside(row: &Row, who: &str, snapshot: &Snapshot) -> Option<(Status, String)> {
    let listed = row.listed;
    let from: Vec<String> = if listed { vec![] } else { vec![who.to_owned()] };
    let target = format!("administrator:{ACCOUNT}");
    let paths = palisade::paths(snapshot, &from, &[target], Interests::default()).unwrap();
    let means = |node: &Node| node.id().ends_with(who) || matches!(node, Node::AnyPrincipal { .. });
    let pair = paths
        .pairs
        .iter()
        .find(|pair| means(&pair.best.entry.node))?;
    Some((pair.best.status, pair.best.entry_class.clone()))
}

#[test]
fn every_entry_is_open_shut_and_open_to_doubt() {
    let mut faults = Vec::new();
    for row in rows() {
        let of = |case| found(&row, world(&row, case).snapshot());
        match of(&row.open) {
            Some((status, class)) if status < Status::Possible && class == row.class => {}
            other => faults.push(format!("{}, open: {other:?}", row.entry)),
        }
        if let Some(other) = of(&row.shut) {
            faults.push(format!("{}, shut: {other:?}", row.entry));
        }
        match of(&row.unread) {
            Some((Status::Possible, _)) => {}
            other => faults.push(format!("{}, unread: {other:?}", row.entry)),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Techniques that begin outside and whose own steps no row can show, and why.
const UNSHOWN: [(&str, &str); 1] = [(
    "sts.service-trust-confused-deputy",
    "what a service lets a foreign tenant drive is nothing the graph follows",
)];

#[test]
fn no_entry_is_without_its_three_cases() {
    let rows = rows();
    let classes: BTreeSet<&str> = rows.iter().map(|row| row.class.as_str()).collect();
    let weighed: BTreeSet<&str> = Weights::builtin()
        .entry
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(classes, weighed);
    let outside = |technique: &&Technique| {
        matches!(
            technique.yields.from,
            Source::Internet | Source::AnyAccount | Source::Account(_) | Source::Tenants
        )
    };
    let shown: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.technique.as_deref())
        .collect();
    let unshown: BTreeMap<&str, &str> = UNSHOWN.into_iter().collect();
    for technique in techniques().unwrap().iter().filter(outside) {
        let id = technique.id.as_str();
        assert!(shown.contains(id) != unshown.contains_key(id), "{id}");
    }
}

#[test]
fn an_assumed_breach_is_told_once_for_each_account_with_everybody_who_gets_there() {
    let text = format!(
        r#"
story: a test
taken_at: 2026-11-01T00:00:00Z
accounts:
  "{ACCOUNT}":
    users:
      boss: {{ attached: ["aws:AdministratorAccess"] }}
      minter: {{ inline: {{ k: {{ allow: "iam:CreateAccessKey", on: "*" }} }} }}
      writer: {{ inline: {{ k: {{ allow: "iam:PutUserPolicy", on: "arn:aws:iam::{ACCOUNT}:user/writer" }} }} }}
      idle: {{}}
"#
    );
    let world = World::parse(Path::new("breach.yaml"), &text).unwrap();
    let paths = |assume_breach| {
        let interests = Interests {
            assume_breach,
            ..Interests::default()
        };
        palisade::paths(world.snapshot(), &[], &[], interests).unwrap()
    };
    // Without the assumption nobody in particular is no entry.
    let plain = paths(false);
    let anybody = |node: &Node| matches!(node, Node::AnyPrincipal { .. });
    assert!(plain.paths().all(|path| !anybody(&path.entry.node)));
    let named: Vec<String> = plain
        .paths()
        .map(|path| path.entry.node.to_string())
        .collect();
    assert_eq!(named, ["user/minter", "user/writer"]);
    // With it there is one line, as bad as the worst of them, and it names them both.
    let breached = paths(true);
    assert_eq!(breached.pairs.len(), 1);
    let best = &breached.pairs[0].best;
    assert!(anybody(&best.entry.node));
    assert_eq!(best.entry_class, "any-principal");
    let members: Vec<String> = best.entry.members.iter().map(ToString::to_string).collect();
    assert_eq!(members, named);
    assert!(best.score.hi > plain.pairs[0].score.hi);
    assert_eq!(best.hops[0].technique, "assumed-breach");
    // How many get there is said of the target as before.
    assert_eq!(breached.totals[0].entries, plain.totals[0].entries);
    assert_eq!(breached.totals[0].principals, plain.totals[0].principals);
}

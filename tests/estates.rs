//! Small estates, each with a truth that was written down before anybody asked: near misses and
//! their neighbours (a condition that fits and one that does not, a service that is trusted and
//! another that is passed, a fact that was read and one that was not), over many services and
//! across accounts. A row of `cases/estates.jsonl` says for some `FROM -> TO` which answers are
//! right: `proven`, `conditional`, `possible`, `none`, several divided by `|`.

use std::collections::BTreeMap;
use std::path::Path;

use palisade::graph::{Interests, Node, PathSet, Status};
use palisade_mocks::World;
use serde::Deserialize;
use serde_json::Value;

/// One estate and what is true of it.
#[derive(Debug, Deserialize)]
struct Row {
    name: String,
    expect: BTreeMap<String, String>,
    world: Value,
}

fn rows() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/estates.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Whether a row's `FROM` means this entry.
fn begins(node: &Node, from: &str) -> bool {
    let id = node.id();
    match from {
        "provider" => matches!(node, Node::IdentityProvider { .. }),
        _ => id == from || id.ends_with(&format!(":{from}")),
    }
}

/// The answers a set of paths gives.
fn answer(paths: &PathSet, from: &str) -> String {
    let own = paths.paths().filter(|path| {
        let entry = &path.entry;
        begins(&entry.node, from) || entry.everybody().any(|node| begins(node, from))
    });
    let word = match own.map(|path| path.status).min() {
        None => "none",
        Some(Status::Proven) => "proven",
        Some(Status::Conditional) => "conditional",
        Some(Status::Possible) => "possible",
    };
    word.to_owned()
}

/// Steps whose evidence speaks of another account than the one they gain.
fn astray(name: &str, path: &palisade::graph::Path) -> Vec<String> {
    let gains = |hop: &&palisade::graph::Edge| match &hop.to {
        Node::Administrator { account } => {
            hop.bindings.get("$member").is_some_and(|of| of != account)
        }
        _ => false,
    };
    let astray = path.hops.iter().filter(gains);
    astray
        .map(|hop| format!("{name}: {} speaks of another account", hop.technique))
        .collect()
}

#[test]
fn what_was_written_down_of_small_estates_is_what_is_found() {
    let rows = rows();
    assert!(rows.len() >= 150, "{}", rows.len());
    let mut faults = Vec::new();
    for row in rows {
        let mut world = row.world.clone();
        world["story"] = row.name.as_str().into();
        let world = World::parse(Path::new("estate.yaml"), &world.to_string())
            .unwrap_or_else(|error| panic!("{}: {error}", row.name));
        for (way, right) in &row.expect {
            let (from, to) = way.split_once(" -> ").expect("FROM -> TO");
            let to = [to.to_owned()];
            let paths = palisade::paths(world.snapshot(), &[], &to, Interests::default());
            let paths = paths.unwrap();
            faults.extend(paths.paths().flat_map(|path| astray(&row.name, path)));
            let found = answer(&paths, from);
            if !right.split('|').any(|one| one == found) {
                faults.push(format!("{}: {way} is {right}, and found {found}", row.name));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

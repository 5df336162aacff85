//! Grants and what they come to: the rows of `cases/grants.yaml`, each a small estate of its own
//! with the answer written beside it.

use std::collections::BTreeMap;
use std::path::Path;

use palisade::graph::{Node, Query, Status};
use palisade_mocks::World;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::with_graph;

/// One estate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    case: String,
    accounts: Map<String, Value>,
    /// How surely somebody becomes administrator of the first account: `none` or the words of
    /// [`Status`], several where the rules leave it open.
    truth: BTreeMap<String, String>,
}

fn rows() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/grants.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// Whether an entry is the one that a row calls by this name.
pub(super) fn is_called(node: &Node, name: &str) -> bool {
    match name {
        "@tenants" => matches!(node, Node::IdentityProvider { .. }),
        "@anyaccount" => matches!(node, Node::ForeignAccount { account } if account == "*"),
        "@internet" => matches!(node, Node::Internet),
        "@foreign" => matches!(node, Node::ForeignAccount { .. }),
        name => node
            .arn()
            .is_some_and(|arn| arn.name() == name.rsplit('/').next().unwrap_or(name)),
    }
}

pub(super) fn word(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Proven) => "proven",
        Some(Status::Conditional) => "conditional",
        Some(Status::Possible) => "possible",
        None => "none",
    }
}

#[test]
fn grants_come_to_what_the_rules_say() {
    let (mut faults, mut judged) = (Vec::new(), 0);
    for row in rows() {
        let world = json!({
            "story": row.case, "taken_at": "2026-11-01T00:00:00Z", "accounts": row.accounts,
        });
        let world = World::parse(Path::new("grants.yaml"), &world.to_string())
            .unwrap_or_else(|error| panic!("{}: {error}", row.case));
        let first = row.accounts.keys().next().expect("an account").clone();
        with_graph(world.snapshot(), |graph, _| {
            let target = Node::administrator(first);
            let set = graph.paths(&Query {
                to: vec![target],
                ..Query::default()
            });
            for (name, wanted) in &row.truth {
                judged += 1;
                let found = set.pairs.iter().filter(|pair| {
                    let stop = &pair.best.entry;
                    is_called(&stop.node, name) || stop.everybody().any(|m| is_called(m, name))
                });
                let found = word(found.map(|pair| pair.best.status).min());
                if !wanted.split('|').any(|one| one == found) {
                    faults.push(format!("{}: {name} is {found}, not {wanted}", row.case));
                }
            }
        });
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(judged >= 220, "{judged} judged");
}

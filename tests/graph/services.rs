//! Services that run something as a role: the rows of `cases/services.yaml`, each an estate of its
//! own with the answer written beside it.

use std::collections::BTreeMap;
use std::path::Path;

use palisade::graph::{Graph, Node, Query};
use palisade_mocks::World;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::told::{fits, rows, surest, word};
use super::with_graph;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";

/// One estate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    case: String,
    /// The services that may take the role `boss`, an administrator.
    #[serde(default)]
    boss: Value,
    /// Users of the account, and what each is allowed.
    #[serde(default)]
    people: BTreeMap<String, Value>,
    #[serde(default)]
    roles: Map<String, Value>,
    #[serde(default)]
    policies: Map<String, Value>,
    #[serde(default)]
    buckets: Map<String, Value>,
    #[serde(default)]
    functions: Value,
    #[serde(default)]
    resources: Map<String, Value>,
    #[serde(default)]
    regions: Map<String, Value>,
    /// Other accounts, whole.
    #[serde(default)]
    accounts: Map<String, Value>,
    #[serde(default)]
    organization: Value,
    /// The ARN of what is to be reached; without one, administrator of the account.
    #[serde(default)]
    to: String,
    /// How surely somebody gets there: `none` or `proven`, `conditional` or `possible`, several where the rules
    /// leave it open.
    truth: BTreeMap<String, String>,
}

impl Row {
    fn world(&self) -> World {
        let mut roles = self.roles.clone();
        if !self.boss.is_null() {
            roles.insert("boss".to_owned(), json!({
                "attached": ["aws:AdministratorAccess"], "trust": { "service": self.boss },
                "instance_profiles": if self.boss == "ec2.amazonaws.com" { vec!["boss"] } else { vec![] },
            }));
        }
        let people = self.people.iter().map(|(name, own)| {
            let bare = own.as_object().is_some_and(Map::is_empty);
            let user = if bare {
                json!({})
            } else {
                json!({ "inline": { "own": own } })
            };
            (name.clone(), user)
        });
        let mut regions = self.regions.clone();
        let home = regions.entry(REGION).or_insert_with(|| json!({}));
        if !self.functions.is_null() {
            home["functions"] = self.functions.clone();
        }
        if !self.resources.is_empty() {
            home["resources"] = Value::Object(self.resources.clone());
        }
        let mut accounts = self.accounts.clone();
        accounts.insert(
            ACCOUNT.to_owned(),
            json!({
                "users": people.collect::<Map<_, _>>(), "roles": roles, "policies": self.policies,
                "buckets": self.buckets, "regions": regions,
            }),
        );
        let mut world = json!({
            "story": self.case, "taken_at": "2026-11-01T00:00:00Z", "accounts": accounts,
        });
        if !self.organization.is_null() {
            world["organization"] = self.organization.clone();
        }
        World::parse(Path::new("services.yaml"), &world.to_string())
            .unwrap_or_else(|error| panic!("{}: {error}", self.case))
    }

    fn target(&self, graph: &Graph<'_>) -> Vec<Node> {
        if self.to.is_empty() {
            return vec![Node::administrator(ACCOUNT)];
        }
        let named = graph.called(&format!("*{}", self.to));
        named
            .into_iter()
            .flatten()
            .filter(|node| matches!(node, Node::Data { .. }))
            .collect()
    }
}

#[test]
fn services_come_to_what_aws_documents() {
    let rows: Vec<Row> = rows("services.yaml");
    let (mut faults, mut judged, mut against) = (Vec::new(), 0, 0);
    for row in &rows {
        with_graph(row.world().snapshot(), |graph, _| {
            let to = row.target(graph);
            let set = (!to.is_empty()).then(|| {
                graph.paths(&Query {
                    to,
                    ..Query::default()
                })
            });
            for (name, wanted) in &row.truth {
                judged += 1;
                against += usize::from(wanted == "none");
                let best = set.as_ref().and_then(|set| surest(set, name));
                let found = word(best);
                if !fits(wanted, found) {
                    let steps = best.map(|pair| {
                        pair.best
                            .hops
                            .iter()
                            .map(|hop| hop.technique.clone())
                            .collect::<Vec<_>>()
                    });
                    faults.push(format!(
                        "{}: {name} is {found}, not {wanted}: {steps:?}",
                        row.case
                    ));
                }
            }
        });
    }
    assert!(
        faults.is_empty(),
        "{} of {judged}\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(rows.len() >= 60, "{} rows", rows.len());
    assert!(judged >= 250, "{judged} judged");
    assert!(against * 10 >= judged * 4, "{against} of {judged} against");
}

/// Forty accounts that refused to list their functions, and somebody in each who may change any:
/// each account is told of, and not every pair of them.
#[test]
fn what_many_accounts_did_not_list_is_told_once_for_each() {
    let account = |_: usize| {
        json!({
            "users": { "dev": { "inline": { "own":
                { "allow": ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"] } } } },
            "roles": { "boss": { "attached": ["aws:AdministratorAccess"],
                "trust": { "service": "lambda.amazonaws.com" } } },
            "regions": { REGION: { "functions": { "$gap": "lambda:ListFunctions" } } },
        })
    };
    let id = |number: usize| format!("{:012}", 222_200_000_000_u64 + number as u64);
    let accounts: Map<String, Value> = (0..40).map(|n| (id(n), account(n))).collect();
    let world = json!({
        "story": "Forty accounts.", "taken_at": "2026-11-01T00:00:00Z", "accounts": accounts,
    });
    let world = World::parse(Path::new("services.yaml"), &world.to_string()).unwrap();
    with_graph(world.snapshot(), |graph, _| {
        let set = graph.paths(&Query::default());
        for number in 0..40 {
            let reached = set.pairs.iter().any(|pair| {
                let foreign = pair.best.entry.node.account() != Some(id(number).as_str());
                pair.best.target.node == Node::administrator(id(number)) && foreign
            });
            assert!(reached, "account {number} is not told of");
        }
        let steps = graph.steps();
        let across = steps
            .iter()
            .filter(|(from, _, to, _)| from.account() != to.account());
        assert!((40..40 * 16).contains(&across.count()));
        assert!(
            set.caps.iter().any(|cap| cap.contains("did not list")),
            "{:?}",
            set.caps
        );
    });
}

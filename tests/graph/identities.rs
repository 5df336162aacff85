//! Identities and what they come to: the rows of `cases/identities.yaml`, each an estate with ways
//! to an administrator and others one bit away from a way, with the answers written beside them.
//!
//! Every estate is read twice: whole, and as the export of its accounts' authorization details,
//! where nothing that is there may be silent.

use std::collections::BTreeMap;
use std::path::Path;

use palisade::graph::{Node, Query};
use palisade_mocks::World;
use palisade_model::{Observed, Snapshot, read_gaad};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::details::details;
use super::grants::{is_called, word};
use super::prove::faults;
use super::with_graph;

/// One estate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    case: String,
    accounts: Map<String, Value>,
    #[serde(default)]
    organization: Option<Value>,
    /// The account whose administrator is meant; the first where nothing stands here.
    #[serde(default)]
    of: Option<String>,
    truth: BTreeMap<String, String>,
    /// What an export of the accounts' authorization details comes to.
    #[serde(default)]
    export: BTreeMap<String, String>,
}

impl Row {
    fn target(&self) -> String {
        let first = self.accounts.keys().next().expect("an account");
        self.of.clone().unwrap_or_else(|| first.clone())
    }

    fn world(&self) -> World {
        let mut world = json!({
            "story": self.case, "taken_at": "2026-11-01T00:00:00Z", "accounts": self.accounts,
        });
        if let Some(organization) = &self.organization {
            world["organization"] = organization.clone();
        }
        World::parse(Path::new("identities.yaml"), &world.to_string())
            .unwrap_or_else(|error| panic!("{}: {error}", self.case))
    }

    fn compare(&self, wanted: &Answers, found: &BTreeMap<String, &'static str>) -> Vec<String> {
        let wrong = wanted.iter().filter_map(|(name, wanted)| {
            let found = found[name];
            let right = wanted.split('|').any(|one| one == found);
            (!right).then(|| format!("{}: {name} is {found}, not {wanted}", self.case))
        });
        wrong.collect()
    }
}

type Answers = BTreeMap<String, String>;

fn rows() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/identities.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// The answers of a snapshot for those who are asked about; and what the checker says.
fn answers(
    snapshot: &Snapshot,
    account: &str,
    names: &Answers,
) -> (BTreeMap<String, &'static str>, Vec<String>) {
    with_graph(snapshot, |graph, engine| {
        let set = graph.paths(&Query {
            to: vec![Node::administrator(account.to_owned())],
            ..Query::default()
        });
        let found = |name: &String| {
            let found = set.pairs.iter().filter(|pair| {
                let stop = &pair.best.entry;
                is_called(&stop.node, name) || stop.everybody().any(|m| is_called(m, name))
            });
            let found = found.map(|pair| pair.best.status).min();
            (name.clone(), word(found))
        };
        (names.keys().map(found).collect(), faults(&set, engine))
    })
}

/// The snapshot that an export of every account with somebody in it gives.
fn exported(snapshot: &Snapshot) -> Snapshot {
    let documents: Vec<(String, String)> = snapshot
        .accounts
        .iter()
        .map(|(id, account)| (id, details(account)))
        .filter(|(_, details)| {
            let lists = ["UserDetailList", "RoleDetailList", "GroupDetailList"];
            let full = |list: &&str| details[*list].as_array().is_some_and(|all| !all.is_empty());
            lists.iter().any(|list| full(&list))
        })
        .map(|(id, details)| (format!("{id}.json"), details.to_string()))
        .collect();
    let mut export = read_gaad(&documents).expect("the export reads");
    if matches!(snapshot.organization, Observed::Absent) {
        export.organization = Observed::Absent;
    }
    export
}

#[test]
fn identities_come_to_what_the_rules_say() {
    let (mut wrong, mut judged, mut negative) = (Vec::new(), 0, 0);
    let rows = rows();
    for row in &rows {
        let (found, faults) = answers(row.world().snapshot(), &row.target(), &row.truth);
        wrong.extend(row.compare(&row.truth, &found));
        wrong.extend(faults.iter().map(|fault| format!("{}: {fault}", row.case)));
        let all = row.truth.values().chain(row.export.values());
        judged += all.clone().count();
        negative += all.filter(|word| word.as_str() == "none").count();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        rows.len() >= 60 && judged >= 250,
        "{judged} of {}",
        rows.len()
    );
    assert!(negative * 10 >= judged * 4, "{negative} of {judged}");
}

#[test]
fn what_is_there_is_never_silent_in_an_export() {
    let mut wrong = Vec::new();
    for row in &rows() {
        let mut asked = row.truth.clone();
        asked.extend(row.export.clone());
        // The checker is of no use here: that nothing bears the name of what is yet to be made
        // does not stand in an export.
        let export = exported(row.world().snapshot());
        let (found, _) = answers(&export, &row.target(), &asked);
        wrong.extend(row.compare(&row.export, &found));
        for (name, there) in &row.truth {
            if !there.split('|').any(|word| word == "none") && found[name] == "none" {
                wrong.push(format!(
                    "{}: {name} is {there}, and silent in an export",
                    row.case
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! Identities and what they come to: the rows of `cases/grants.yaml` and `cases/identities.yaml`,
//! each an estate with ways to an administrator and others one bit away from a way, with the answers
//! written beside them.
//!
//! Those of identities are read twice: whole, and as the export of their accounts' authorization
//! details, where nothing that is there may be silent.

use std::collections::BTreeMap;
use std::path::Path;

use palisade::graph::{Node, Query};
use palisade_mocks::World;
use palisade_model::{Observed, Snapshot, read_gaad};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::details::details;
use super::prove::faults;
use super::told::{fits, rows, surest, word};
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
        World::parse(Path::new("a row"), &world.to_string())
            .unwrap_or_else(|error| panic!("{}: {error}", self.case))
    }

    fn compare(&self, wanted: &Answers, found: &BTreeMap<String, &'static str>) -> Vec<String> {
        let wrong = wanted.iter().filter_map(|(name, wanted)| {
            let found = found[name];
            (!fits(wanted, found))
                .then(|| format!("{}: {name} is {found}, not {wanted}", self.case))
        });
        wrong.collect()
    }
}

type Answers = BTreeMap<String, String>;

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
        let found = |name: &String| (name.clone(), word(surest(&set, name)));
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

/// Holds the rows of a file against their answers, and each way that was found against the checker
/// where that is asked for.
fn judge(file: &str, at_least: usize, checked: bool) {
    let (mut wrong, mut judged, mut negative) = (Vec::new(), 0, 0);
    for row in rows::<Row>(file) {
        let (found, faults) = answers(row.world().snapshot(), &row.target(), &row.truth);
        wrong.extend(row.compare(&row.truth, &found));
        let faults = faults.iter().filter(|_| checked);
        wrong.extend(faults.map(|fault| format!("{}: {fault}", row.case)));
        let all = row.truth.values().chain(row.export.values());
        judged += all.clone().count();
        negative += all.filter(|word| word.as_str() == "none").count();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged >= at_least, "{judged} judged");
    assert!(negative * 10 >= judged * 4, "{negative} of {judged}");
}

#[test]
fn identities_come_to_what_the_rules_say() {
    judge("identities.yaml", 500, true);
}

#[test]
fn grants_come_to_what_the_rules_say() {
    // The checker knows neither that what is yet to be made bears no boundary nor that a caller
    // names his session himself.
    judge("grants.yaml", 220, false);
}

#[test]
fn what_is_there_is_never_silent_in_an_export() {
    let mut wrong = Vec::new();
    for row in &rows::<Row>("identities.yaml") {
        let mut asked = row.truth.clone();
        asked.extend(row.export.clone());
        // The checker is of no use here: that nothing bears the name of what is yet to be made
        // does not stand in an export.
        let export = exported(row.world().snapshot());
        let (found, _) = answers(&export, &row.target(), &asked);
        wrong.extend(row.compare(&row.export, &found));
        for (name, there) in &row.truth {
            if !fits(there, "none") && found[name] == "none" {
                wrong.push(format!(
                    "{}: {name} is {there}, and silent in an export",
                    row.case
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

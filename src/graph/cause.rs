//! One finding per root cause: the statement that lets a principal go on, or the door that lets
//! an outsider in, and every way it opens.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::find::Graph;
use super::grow::Drawn;
use super::net::Id;
use super::{Edge, Node, PathSet, Score, Statement, Status, Stop};

/// Principals whose ways are looked at, and steps of one principal that are written out.
const MAX_PRINCIPALS: usize = 200;
const MAX_STEPS: usize = 400;

/// What lets somebody go on, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The same as long as the principal and what it holds are.
    pub id: String,
    /// Who holds it, with everybody who holds the same.
    pub principal: Stop,
    /// The statement that decides the first request of each way; nothing where a door is open
    /// that asks for no permission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
    /// What makes the door open, where no statement decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// The ways it opens toward a target, the surest and cheapest first.
    pub ways: Vec<Way>,
    /// The highest score of a path that uses it.
    pub worst: Score,
    /// Ids of the paths that use it, worst first.
    pub paths: Vec<String>,
    /// Whether some path that uses it does not hang on a gap.
    pub settled: bool,
}

/// One technique that a root cause opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The technique.
    pub technique: String,
    /// How sure it is.
    pub status: Status,
    /// How many principals, resources or accounts it leads to.
    pub gains: usize,
}

/// What tells causes of one principal apart.
type What = (Option<Statement>, Vec<String>);

/// The paths that use a cause.
#[derive(Debug, Default)]
struct Use {
    worst: Score,
    settled: bool,
    paths: Vec<String>,
}

/// Ways by technique: certainty, price, and what they gain.
type Ways = BTreeMap<u32, (Status, u64, BTreeSet<Id>)>;

impl Graph<'_> {
    /// The root causes of a set of paths, worst first. Looks at whoever acts on the best paths,
    /// and at every step of theirs that leads on to a target. What was cut off is said beside them.
    pub fn causes(&self, set: &PathSet) -> (Vec<Cause>, Vec<String>) {
        let mut used: BTreeMap<&Node, BTreeMap<What, Use>> = BTreeMap::new();
        for path in set.paths() {
            let mut own = BTreeSet::new();
            for hop in path.hops.iter().filter(|hop| is_way(hop)) {
                own.insert((&hop.from, what(hop)));
            }
            for (node, what) in own {
                let by_what = used.entry(node).or_default();
                let slot = by_what.entry(what).or_default();
                slot.worst = slot.worst.max(path.score.hi);
                slot.settled |= path.status != Status::Possible;
                slot.paths.push(path.id.clone());
            }
        }
        let leads = self.leading();
        let steps = self.steps_by_source();
        let mut causes = Vec::new();
        let mut caps = Vec::new();
        if used.len() > MAX_PRINCIPALS {
            caps.push(format!(
                "root causes are told for {MAX_PRINCIPALS} of {} principals on the paths",
                used.len()
            ));
        }
        let mut told: BTreeSet<(u64, What)> = BTreeSet::new();
        let mut used: Vec<_> = used.into_iter().collect();
        let worst = |by_what: &BTreeMap<What, Use>| {
            let scores = by_what.values().map(|used| used.worst);
            scores.max().unwrap_or_default()
        };
        used.sort_by(|a, b| worst(&b.1).cmp(&worst(&a.1)).then_with(|| a.0.cmp(b.0)));
        for (node, by_what) in used.into_iter().take(MAX_PRINCIPALS) {
            let Some(id) = self.grown.ids.get(node).copied() else {
                continue;
            };
            if steps.get(&id).is_some_and(|own| own.len() > MAX_STEPS) {
                caps.push(format!(
                    "the root causes of {node} are read from {MAX_STEPS} of its steps"
                ));
            }
            let mut opened = self.opened(id, &leads, &steps);
            for (what, used) in by_what {
                // Principals that are one class are one cause.
                let class = self.grown.actors.get(&id).map_or(0, |actor| actor.class);
                if class != 0 && !told.insert((class, what.clone())) {
                    continue;
                }
                let ways = opened.remove(&what).unwrap_or_default();
                causes.push(self.cause(id, what, ways, used));
            }
        }
        causes.sort_by(|a, b| {
            (b.worst, b.paths.len())
                .cmp(&(a.worst, a.paths.len()))
                .then_with(|| a.id.cmp(&b.id))
        });
        (causes, caps)
    }

    fn cause(&self, id: Id, (statement, facts): What, ways: Ways, used: Use) -> Cause {
        let mut sorted: Vec<_> = ways.into_iter().collect();
        sorted.sort_by_key(|(plan, (status, price, _))| (*status, *price, *plan));
        let ways = sorted.into_iter().map(|(plan, (status, _, gains))| Way {
            technique: self.technique_of(Drawn::Plan(plan)).to_owned(),
            status,
            gains: gains.len(),
        });
        let class = self.grown.actors.get(&id).map(|actor| actor.class);
        let own = |members: &&Vec<Id>| members.contains(&id);
        let among = class.and_then(|_| self.grown.classes.values().find(own));
        let principal = self.stop(id, among.map_or(&[][..], Vec::as_slice));
        Cause {
            id: cause_id(&principal.node, statement.as_ref(), &facts),
            principal,
            statement,
            facts,
            ways: ways.collect(),
            worst: used.worst,
            paths: used.paths,
            settled: used.settled,
        }
    }

    /// Nodes from which some target is reached.
    fn leading(&self) -> Vec<bool> {
        let mut leads = vec![false; self.grown.net.len()];
        for target in self.targets(&[]) {
            let reaching = self.grown.net.reaching(target, Status::Possible);
            leads
                .iter_mut()
                .zip(reaching)
                .for_each(|(leads, reaches)| *leads |= reaches);
        }
        leads
    }

    /// The steps of each principal, alone or as one of a class.
    fn steps_by_source(&self) -> FxHashMap<Id, Vec<u32>> {
        let mut steps: FxHashMap<Id, Vec<u32>> = FxHashMap::default();
        for (number, step) in self.grown.steps.iter().enumerate() {
            let sources = self.grown.classes.get(&step.source);
            let sources = sources.map_or(std::slice::from_ref(&step.source), Vec::as_slice);
            for source in sources {
                steps.entry(*source).or_default().push(number as u32);
            }
        }
        steps
    }

    /// Ways by what opens them.
    fn opened(
        &self,
        id: Id,
        leads: &[bool],
        steps: &FxHashMap<Id, Vec<u32>>,
    ) -> BTreeMap<What, Ways> {
        let mut by_what: BTreeMap<What, Ways> = BTreeMap::new();
        for number in steps.get(&id).into_iter().flatten().take(MAX_STEPS) {
            let step = &self.grown.steps[*number as usize];
            let Drawn::Plan(plan) = step.drawn else {
                continue;
            };
            let on: Vec<Id> = step
                .targets
                .iter()
                .copied()
                .filter(|target| leads[*target as usize])
                .collect();
            let Some(target) = on.first() else { continue };
            let edge = self.edge(id, *number, *target);
            let price = self.grown.net.costs[step.cost as usize].hi;
            let ways = by_what.entry(what(&edge)).or_default();
            let way = ways
                .entry(plan)
                .or_insert((edge.status, price, BTreeSet::new()));
            (way.0, way.1) = (way.0, way.1).min((edge.status, price));
            way.2.extend(on);
        }
        by_what
    }
}

/// Whether a step is a technique's, and not what being somebody implies.
fn is_way(hop: &Edge) -> bool {
    !matches!(
        hop.technique.as_str(),
        "is-administrator" | "administrator-of" | "assumed-breach"
    )
}

/// The statement that decides a step's first request of its own, or the facts of a step without
/// any.
fn what(hop: &Edge) -> What {
    let own = |request: &&super::Request| request.principal == hop.from;
    let mut requests = hop.requests.iter().filter(own);
    match requests.find_map(|request| request.statements.first()) {
        Some(statement) => (Some(statement.clone()), Vec::new()),
        None => (
            None,
            hop.facts.iter().map(|fact| fact.text.clone()).collect(),
        ),
    }
}

fn cause_id(principal: &Node, statement: Option<&Statement>, facts: &[String]) -> String {
    let mut hasher = Sha256::new();
    let id = principal.id();
    let statement = statement.map(|s| [s.layer.as_str(), &s.policy, &s.statement]);
    let parts = ["cause/1", &id].into_iter();
    let parts = parts.chain(statement.into_iter().flatten());
    for part in parts.chain(facts.iter().map(String::as_str)) {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    let short = digest.iter().take(6).map(|byte| format!("{byte:02x}"));
    format!("PAL-C-{}", short.collect::<String>())
}

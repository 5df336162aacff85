//! One finding per root cause: the statement that lets a principal go on, and every way it opens.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::find::Graph;
use super::grow::Drawn;
use super::net::Id;
use super::{Node, PathSet, Score, Statement, Status};

/// Principals whose ways are listed in full.
const MAX_PRINCIPALS: usize = 200;

/// A statement and what it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Who holds it.
    pub principal: Node,
    /// The statement that decides the first request of each way.
    pub statement: Statement,
    /// The techniques it opens on the way to a target, the surest and cheapest first.
    pub techniques: Vec<String>,
    /// The highest score of a path through the principal.
    pub worst: Score,
    /// How many pairs of entry and target have their best path through the principal.
    pub pairs: usize,
}

impl Graph<'_> {
    /// The root causes of a set of paths, worst first. Looks at the principals on the best paths,
    /// and at every step of theirs that leads on to a target.
    pub fn causes(&self, set: &PathSet) -> Vec<Cause> {
        let mut through: BTreeMap<&Node, (Score, usize)> = BTreeMap::new();
        for path in set.paths() {
            let acting: BTreeSet<&Node> = path.hops.iter().map(|hop| &hop.from).collect();
            for node in acting {
                let slot = through.entry(node).or_insert((Score::NONE, 0));
                *slot = (slot.0.max(path.score.hi), slot.1 + 1);
            }
        }
        let leads = self.leading();
        let mut causes = Vec::new();
        for (node, (worst, pairs)) in through.into_iter().take(MAX_PRINCIPALS) {
            let Some(id) = self.grown.ids.get(node) else {
                continue;
            };
            for (statement, techniques) in self.opened(*id, &leads) {
                causes.push(Cause {
                    principal: node.clone(),
                    statement,
                    techniques,
                    worst,
                    pairs,
                });
            }
        }
        causes.sort_by(|a, b| {
            (b.worst, b.pairs)
                .cmp(&(a.worst, a.pairs))
                .then_with(|| (&a.principal, &a.statement).cmp(&(&b.principal, &b.statement)))
        });
        causes
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

    /// Techniques by the statement that decides their first request.
    fn opened(&self, id: Id, leads: &[bool]) -> Vec<(Statement, Vec<String>)> {
        let mut by_statement: BTreeMap<Statement, BTreeSet<(Status, u64, u32)>> = BTreeMap::new();
        for (number, step) in self.grown.steps.iter().enumerate() {
            let own = step.source == id
                || self
                    .grown
                    .classes
                    .get(&step.source)
                    .is_some_and(|all| all.contains(&id));
            let target = step.targets.iter().find(|target| leads[**target as usize]);
            let (true, Drawn::Plan(plan), Some(target)) = (own, step.drawn, target) else {
                continue;
            };
            let edge = self.edge(id, number as u32, *target);
            let deciding = edge
                .requests
                .iter()
                .find_map(|request| request.statements.first());
            if let Some(statement) = deciding {
                let price = self.grown.net.costs[step.cost as usize].hi;
                let ways = by_statement.entry(statement.clone()).or_default();
                ways.insert((edge.status, price, plan));
            }
        }
        let names = |ways: BTreeSet<(Status, u64, u32)>| {
            let mut names: Vec<String> = Vec::new();
            for (_, _, plan) in ways {
                let technique = self.technique_of(Drawn::Plan(plan)).to_owned();
                if !names.contains(&technique) {
                    names.push(technique);
                }
            }
            names
        };
        by_statement
            .into_iter()
            .map(|(statement, ways)| (statement, names(ways)))
            .collect()
    }
}

//! The fewest changes that cut every path: chosen so that each path loses a step, then proven by
//! evaluating the changed estate again.
//!
//! Every path that is found is a bound: whatever closes the estate must take something from it.
//! The cheapest set that takes something from all paths found so far is put to the whole engine;
//! paths that remain join the bounds, until none remains. So the last set is the cheapest there
//! is, for the kinds of changes that are known here.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::Snapshot;
use serde::{Deserialize, Serialize};

use super::taking::cutting;
use crate::change::{Change, apply};
use crate::graph::{Guarded, Node, Path, PathSet, Status};

/// A set of changes that was evaluated again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuts {
    /// What to do, the change on most paths first.
    pub changes: Vec<Cut>,
    /// The paths that were to be cut: those that do not hang on a gap.
    pub of: usize,
    /// What all of it takes.
    pub effort: u32,
    /// No set of such changes takes less than this.
    pub at_least: u32,
    /// Paths that none of the known changes can cut, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// One of the changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// In one sentence.
    pub says: String,
    /// What is changed, by ARN.
    pub resource: String,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
    /// What it takes.
    pub effort: u32,
    /// On how many of the paths it lies.
    pub paths: usize,
}

/// Evaluations of the changed estate, and branches tried for one set of changes.
const MAX_ROUNDS: usize = 24;
const MAX_BRANCHES: usize = 50_000;

/// The fewest changes that cut every path of `set` that does not hang on a gap; nothing when there
/// is nothing to cut.
///
/// # Errors
///
/// In words, why no set was found that the evaluation confirms.
pub fn cut(
    snapshot: &Snapshot,
    set: &PathSet,
    guarded: &Guarded,
    evaluate: &dyn Fn(&Snapshot) -> PathSet,
) -> Result<Option<Cuts>, String> {
    let wanted = settled(set);
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut search = Search {
        known: BTreeMap::new(),
        bounds: BTreeSet::new(),
        left: BTreeSet::new(),
        guarded,
    };
    search.bound(&wanted, &BTreeSet::new());
    for _ in 0..MAX_ROUNDS {
        let (chosen, exact) = search.smallest();
        let after = evaluate(&apply(snapshot, &chosen));
        let mut open = settled(&after);
        open.retain(|way| !search.left.contains(&way.key()));
        if open.is_empty() {
            return Ok(Some(search.cuts(&chosen, exact, &wanted)));
        }
        if !search.bound(&open, &chosen.into_iter().collect()) {
            return Err("no set of the known changes was found that cuts every path".to_owned());
        }
    }
    Err(format!(
        "no set of changes that cuts every path was found in {MAX_ROUNDS} evaluations"
    ))
}

/// A path from one of those who begin it.
#[derive(Clone, Copy)]
pub(super) struct Course<'p> {
    pub(super) path: &'p Path,
    entry: &'p Node,
}

impl<'p> Course<'p> {
    fn key(&self) -> Key {
        (self.entry.id(), self.path.target.node.id())
    }

    /// Whoever stands in a path for a node of it: the entry for the one that is shown.
    pub(super) fn of(&self, node: &'p Node) -> &'p Node {
        match *node == self.path.entry.node {
            true => self.entry,
            false => node,
        }
    }
}

/// The surest path of every pair, where it does not hang on a gap, from everybody who begins it.
fn settled(set: &PathSet) -> Vec<Course<'_>> {
    let sure = set.paths().filter(|path| path.status != Status::Possible);
    sure.flat_map(|path| {
        let alone = std::slice::from_ref(&path.entry.node);
        let entries = match path.entry.node {
            Node::Principal { .. } if !path.entry.members.is_empty() => &path.entry.members,
            _ => alone,
        };
        entries.iter().map(move |entry| Course { path, entry })
    })
    .collect()
}

type Key = (String, String);

struct Search<'g> {
    guarded: &'g Guarded,
    /// Every change that is known, by number.
    known: BTreeMap<Change, usize>,
    bounds: BTreeSet<BTreeSet<usize>>,
    /// Pairs that no known change cuts.
    left: BTreeSet<Key>,
}

impl Search<'_> {
    /// Takes in what would cut each path, `made` changes aside: they did not. False where that
    /// says nothing new.
    fn bound(&mut self, courses: &[Course<'_>], made: &BTreeSet<Change>) -> bool {
        let mut news = false;
        for course in courses {
            let cutting = cutting(course, self.guarded);
            let mut numbers = BTreeSet::new();
            for change in cutting.difference(made) {
                let next = self.known.len();
                numbers.insert(*self.known.entry(change.clone()).or_insert(next));
            }
            news |= match numbers.is_empty() {
                true => self.left.insert(course.key()),
                false => self.bounds.insert(numbers),
            };
        }
        news
    }

    /// The changes of the least effort that take something from every path, and whether no other
    /// set takes less.
    fn smallest(&self) -> (Vec<Change>, bool) {
        let mut numbered: Vec<(usize, &Change)> = self
            .known
            .iter()
            .map(|(change, at)| (*at, change))
            .collect();
        numbered.sort_unstable();
        let changes: Vec<&Change> = numbered.into_iter().map(|(_, change)| change).collect();
        let bounds: Vec<&BTreeSet<usize>> = minimal(&self.bounds);
        let effort: Vec<u32> = changes.iter().map(|change| change.effort()).collect();
        let mut branch = Branch {
            bounds: &bounds,
            effort: &effort,
            best: greedy(&bounds, &effort),
            left: MAX_BRANCHES,
        };
        branch.walk(&mut Vec::new(), 0);
        let exact = branch.left > 0;
        let chosen = branch.best.iter().map(|at| changes[*at].clone()).collect();
        (chosen, exact)
    }

    fn cuts(&self, chosen: &[Change], exact: bool, wanted: &[Course<'_>]) -> Cuts {
        let on = wanted.iter().map(|course| cutting(course, self.guarded));
        let on: Vec<BTreeSet<Change>> = on.collect();
        let mut changes: Vec<Cut> = chosen
            .iter()
            .map(|change| Cut {
                says: change.to_string(),
                resource: change.resource(),
                effort: change.effort(),
                paths: on.iter().filter(|path| path.contains(change)).count(),
                change: change.clone(),
            })
            .collect();
        changes.sort_by(|a, b| (b.paths, &a.says).cmp(&(a.paths, &b.says)));
        let effort = changes.iter().map(|cut| cut.effort).sum();
        let lost = |course: &&Course<'_>| self.left.contains(&course.key());
        let mut left: Vec<String> = wanted
            .iter()
            .filter(lost)
            .map(|course| course.path.id.clone())
            .collect();
        left.dedup();
        Cuts {
            of: wanted.len(),
            effort,
            at_least: if exact {
                effort
            } else {
                packed(&minimal(&self.bounds), self)
            },
            left,
            changes,
        }
    }
}

/// Bounds that no other bound implies.
fn minimal(bounds: &BTreeSet<BTreeSet<usize>>) -> Vec<&BTreeSet<usize>> {
    let mut by_size: Vec<&BTreeSet<usize>> = bounds.iter().collect();
    by_size.sort_by_key(|bound| bound.len());
    let mut kept: Vec<&BTreeSet<usize>> = Vec::new();
    for bound in by_size {
        if !kept.iter().any(|smaller| smaller.is_subset(bound)) {
            kept.push(bound);
        }
    }
    kept
}

/// The change that serves most for its effort, again and again.
fn greedy(bounds: &[&BTreeSet<usize>], effort: &[u32]) -> Vec<usize> {
    let mut open: Vec<&BTreeSet<usize>> = bounds.to_vec();
    let mut chosen = Vec::new();
    while !open.is_empty() {
        let mut serves: BTreeMap<usize, u32> = BTreeMap::new();
        for at in open.iter().copied().flatten() {
            *serves.entry(*at).or_default() += 1;
        }
        let Some((best, _)) = serves.into_iter().max_by(|(a, served), (b, more)| {
            let worth = |served: u32, at: usize| u64::from(served) * 1_000 / u64::from(effort[at]);
            worth(*served, *a)
                .cmp(&worth(*more, *b))
                .then_with(|| b.cmp(a))
        }) else {
            break;
        };
        chosen.push(best);
        open.retain(|bound| !bound.contains(&best));
    }
    chosen
}

/// Paths that share no change need a change each.
fn packed(bounds: &[&BTreeSet<usize>], search: &Search<'_>) -> u32 {
    let effort: BTreeMap<usize, u32> = search
        .known
        .iter()
        .map(|(change, at)| (*at, change.effort()))
        .collect();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let mut sum = 0;
    for bound in bounds {
        if bound.is_disjoint(&used) {
            sum += bound.iter().map(|at| effort[at]).min().unwrap_or(0);
            used.extend(bound.iter().copied());
        }
    }
    sum
}

/// A search through all sets, cheapest branches first.
struct Branch<'b> {
    bounds: &'b [&'b BTreeSet<usize>],
    effort: &'b [u32],
    best: Vec<usize>,
    left: usize,
}

impl Branch<'_> {
    fn price(&self, chosen: &[usize]) -> u32 {
        chosen.iter().map(|at| self.effort[*at]).sum()
    }

    fn walk(&mut self, chosen: &mut Vec<usize>, spent: u32) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let open = |bound: &&&BTreeSet<usize>| !chosen.iter().any(|at| bound.contains(at));
        let mut needed = spent;
        let mut used: BTreeSet<usize> = BTreeSet::new();
        let mut next: Option<&BTreeSet<usize>> = None;
        for bound in self.bounds.iter().filter(open) {
            next = next.or(Some(bound));
            if bound.is_disjoint(&used) {
                needed += bound.iter().map(|at| self.effort[*at]).min().unwrap_or(0);
                used.extend(bound.iter().copied());
            }
        }
        let best = (self.price(&self.best), self.best.len());
        let Some(bound) = next else {
            if (spent, chosen.len()) < best {
                self.best = chosen.clone();
            }
            return;
        };
        if needed > best.0 || (needed == best.0 && chosen.len() + 1 >= best.1) {
            return;
        }
        let serves = |at: usize| {
            self.bounds
                .iter()
                .filter(|bound| bound.contains(&at))
                .count()
        };
        let mut ways: Vec<usize> = bound.iter().copied().collect();
        ways.sort_by_key(|at| (self.effort[*at], std::cmp::Reverse(serves(*at)), *at));
        for at in ways {
            chosen.push(at);
            self.walk(chosen, spent + self.effort[at]);
            chosen.pop();
        }
    }
}

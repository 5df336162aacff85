//! The fewest changes that cut every path: chosen so that each way loses a step, then proven by
//! evaluating the changed estate again.
//!
//! Every way that is found is a bound: whatever closes the estate must take something from it.
//! The cheapest set that takes something from all ways found so far is put to the engine; ways
//! that remain join the bounds, until none remains. So the last set is the cheapest there is, for
//! the kinds of changes that are known here.
//!
//! An estate is grown again within what leads on to a target; the set that closes that is put to
//! the whole of it once more before anybody reads it.

use std::collections::BTreeSet;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::cover::{Cover, cheapest};
use super::listed::Listed;
use super::taking::{Handle, cutting, handle, handles};
use crate::change::{Change, apply};
use crate::graph::{Ends, Graph, Guarded, PathSet};
use crate::policy::Engine;

/// A set of changes that was evaluated again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuts {
    /// What to do: first the change on most paths, then the one on most of those it leaves, and
    /// so on.
    pub changes: Vec<Cut>,
    /// The paths of the report that were to be cut: those that do not hang on a gap.
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

/// Evaluations of what leads on, and of the whole estate, for one answer.
const MAX_ROUNDS: usize = 24;
const MAX_WHOLE: usize = 4;

/// The fewest changes that cut every path of an estate that does not hang on a gap; nothing where
/// there is no such path. `set` are the paths that are shown.
///
/// # Errors
///
/// In words, why no set was found that the evaluation confirms.
pub fn cut(graph: &Graph<'_>, set: &PathSet) -> Result<Option<Cuts>, String> {
    let mut search = Search::new(graph.guarded());
    let none = Rc::new(BTreeSet::new());
    if !search.gather(graph, &none) && search.lost.is_empty() {
        return Ok(None);
    }
    let mut narrow = graph.narrow();
    let mut whole = 0;
    for _ in 0..MAX_ROUNDS {
        let cover = search.cheapest();
        let made: Vec<Change> = cover
            .chosen
            .iter()
            .map(|at| search.changes[*at].clone())
            .collect();
        if made.is_empty() {
            return Ok(Some(search.told(&cover, set)));
        }
        let numbers = Rc::new(cover.chosen.clone());
        let changed = apply(graph.snapshot(), &made);
        let engine = Engine::new(&changed);
        let open = [true, false].into_iter().any(|alone| {
            narrow.take(alone);
            let again = graph.again(&changed, &engine, Some(&narrow));
            search.gather(&again, &numbers)
        });
        if open {
            continue;
        }
        let again = graph.again(&changed, &engine, None);
        if !search.gather(&again, &numbers) {
            return Ok(Some(search.told(&cover, set)));
        }
        narrow.widen(again.narrow());
        whole += 1;
        if whole == MAX_WHOLE {
            break;
        }
    }
    Err("no set of changes was found that the evaluation confirms".to_owned())
}

/// A way that was found, and what could be taken from it.
struct Bound {
    ends: Ends,
    /// Changes that were thought of for it, by number.
    cutting: Vec<usize>,
    handles: Vec<Handle>,
    /// Changes that were made and did not close it.
    made: Rc<BTreeSet<usize>>,
}

pub(super) struct Search {
    guarded: Guarded,
    /// Every change that is known; a number is a place among them.
    pub(super) changes: Vec<Change>,
    numbers: FxHashMap<Change, usize>,
    by_handle: FxHashMap<Handle, Vec<usize>>,
    bounds: Vec<Bound>,
    /// Ends that no known change parts.
    lost: BTreeSet<Ends>,
}

impl Search {
    pub(super) fn new(guarded: Guarded) -> Self {
        Search {
            guarded,
            changes: Vec::new(),
            numbers: FxHashMap::default(),
            by_handle: FxHashMap::default(),
            bounds: Vec::new(),
            lost: BTreeSet::new(),
        }
    }

    /// Takes in what still leads to a target although `made` changes were made; false where
    /// nothing does but what no change cuts.
    pub(super) fn gather(&mut self, graph: &Graph<'_>, made: &Rc<BTreeSet<usize>>) -> bool {
        loop {
            let mut found = false;
            for course in graph.courses(&self.lost) {
                found = true;
                let cutting = cutting(&course.hops, &self.guarded);
                let cutting = cutting.into_iter().map(|change| self.number(change));
                let cutting = cutting.collect();
                self.bounds.push(Bound {
                    cutting,
                    handles: handles(&course.hops, &self.guarded).into_iter().collect(),
                    ends: (course.entry, course.target),
                    made: Rc::clone(made),
                });
            }
            let lost = self.lost.len();
            let beyond = self
                .bounds
                .iter()
                .filter(|bound| self.taking(bound).is_empty());
            let beyond: Vec<Ends> = beyond.map(|bound| bound.ends.clone()).collect();
            self.lost.extend(beyond);
            if self.lost.len() == lost {
                return found;
            }
            // Who cannot be parted from a target stands in nobody's way to it.
            self.bounds.retain(|bound| !self.lost.contains(&bound.ends));
        }
    }

    fn number(&mut self, change: Change) -> usize {
        if let Some(known) = self.numbers.get(&change) {
            return *known;
        }
        let number = self.changes.len();
        self.by_handle
            .entry(handle(&change))
            .or_default()
            .push(number);
        self.numbers.insert(change.clone(), number);
        self.changes.push(change);
        number
    }

    /// The known changes of which one at least must be made to close a way. Some of them may do
    /// nothing for it: then it is found again, with them made.
    fn taking(&self, bound: &Bound) -> Vec<usize> {
        let bearing = bound
            .handles
            .iter()
            .filter_map(|handle| self.by_handle.get(handle));
        let all = bearing.flatten().chain(&bound.cutting).copied();
        let all: BTreeSet<usize> = all.filter(|at| !bound.made.contains(at)).collect();
        all.into_iter().collect()
    }

    fn cheapest(&self) -> Cover {
        let bounds: BTreeSet<Vec<usize>> = self.bounds.iter().map(|b| self.taking(b)).collect();
        let effort: Vec<u32> = self.changes.iter().map(Change::effort).collect();
        cheapest(&bounds, &effort)
    }

    /// The answer.
    fn told(&self, cover: &Cover, set: &PathSet) -> Cuts {
        let chosen: Vec<&Change> = cover.chosen.iter().map(|at| &self.changes[*at]).collect();
        let listed = Listed::of(set, &self.guarded);
        let mut left: Vec<String> = Vec::new();
        for (entry, path) in listed.pairs() {
            let ends = (entry.clone(), path.target.node.clone());
            if self.lost.contains(&ends) && left.last() != Some(&path.id) {
                left.push(path.id.clone());
            }
        }
        Cuts {
            of: listed.pairs().count(),
            effort: chosen.iter().map(|change| change.effort()).sum(),
            at_least: cover.at_least,
            changes: listed.by_value(&chosen),
            left,
        }
    }
}

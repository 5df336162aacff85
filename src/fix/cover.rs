//! The cheapest set that takes something from each of many: which changes to make when every way
//! names the changes that would cut it.
//!
//! What one change does another may do as well and cheaper, and a way that loses something
//! whenever another does asks nothing of its own. Once such are put aside most choices are
//! forced, and what is left falls into parts that have nothing to do with one another: each of
//! them is searched through.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

/// A choice of changes, by number, and what no choice can go below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) chosen: BTreeSet<usize>,
    pub(super) at_least: u32,
}

/// Bounds looked at in one part, and in all parts, before the best choice so far is taken.
const MAX_WORK: usize = 2_000_000;
const MAX_WORK_IN_ALL: usize = 8_000_000;

/// The cheapest numbers of which every bound holds one; of those that cost the same the fewest.
/// No bound may be empty.
pub(super) fn cheapest(bounds: &BTreeSet<Vec<usize>>, effort: &[u32]) -> Cover {
    let mut cover = Cover::default();
    let mut open: Vec<Vec<usize>> = bounds.iter().cloned().collect();
    loop {
        open = minimal(open);
        let forced: BTreeSet<usize> = open.iter().filter(|b| b.len() == 1).map(|b| b[0]).collect();
        cover.at_least += forced.iter().map(|at| effort[*at]).sum::<u32>();
        open.retain(|bound| !bound.iter().any(|at| forced.contains(at)));
        cover.chosen.extend(forced);
        if !drop_outdone(&mut open, effort) {
            break;
        }
    }
    let mut left = MAX_WORK_IN_ALL;
    for part in parts(open) {
        let mut search = Search::new(&part, effort, left.min(MAX_WORK));
        let given = search.work;
        search.walk(0);
        left -= given - search.work;
        cover.at_least += match search.work {
            0 => search.packed(),
            _ => search.best.0,
        };
        cover.chosen.extend(search.best.2);
    }
    cover
}

/// The bounds that no other implies, each sorted.
fn minimal(mut bounds: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    bounds.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    bounds.dedup();
    // Kept bounds stand under their first number: a bound that implies another holds it.
    let mut under: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut kept: Vec<Vec<usize>> = Vec::new();
    for bound in bounds {
        let holds = |small: &Vec<usize>| small.iter().all(|at| bound.binary_search(at).is_ok());
        let mut smaller = bound.iter().filter_map(|at| under.get(at)).flatten();
        if smaller.any(|at| holds(&kept[*at])) {
            continue;
        }
        if let Some(first) = bound.first() {
            under.entry(*first).or_default().push(kept.len());
            kept.push(bound);
        }
    }
    kept
}

/// Puts aside every number that another stands in for wherever it stands, for no more; false
/// where there is none.
fn drop_outdone(bounds: &mut [Vec<usize>], effort: &[u32]) -> bool {
    let places = places(bounds);
    let mut outdone: BTreeSet<usize> = BTreeSet::new();
    for (one, own) in &places {
        let smallest = own.iter().min_by_key(|at| bounds[**at].len());
        let others = smallest.into_iter().flat_map(|at| &bounds[*at]);
        let better = |other: &usize| {
            let theirs = &places[other];
            let serves = || own.iter().all(|at| theirs.binary_search(at).is_ok());
            let rank = |at: &usize, serves: usize| (effort[*at], usize::MAX - serves, *at);
            other != one
                && effort[*other] <= effort[*one]
                && rank(other, theirs.len()) < rank(one, own.len())
                && serves()
        };
        if others.into_iter().any(better) {
            outdone.insert(*one);
        }
    }
    for bound in bounds.iter_mut() {
        bound.retain(|at| !outdone.contains(at));
    }
    !outdone.is_empty()
}

/// For each number the bounds that hold it.
fn places(bounds: &[Vec<usize>]) -> BTreeMap<usize, Vec<usize>> {
    let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, bound) in bounds.iter().enumerate() {
        for at in bound {
            places.entry(*at).or_default().push(place);
        }
    }
    places
}

/// Bounds that hang together by their numbers, part by part.
fn parts(bounds: Vec<Vec<usize>>) -> Vec<Vec<Vec<usize>>> {
    let places = places(&bounds);
    let mut part = vec![usize::MAX; bounds.len()];
    let mut count = 0;
    for start in 0..bounds.len() {
        if part[start] != usize::MAX {
            continue;
        }
        let mut waiting = vec![start];
        while let Some(place) = waiting.pop() {
            if part[place] == usize::MAX {
                part[place] = count;
                waiting.extend(bounds[place].iter().flat_map(|at| &places[at]));
            }
        }
        count += 1;
    }
    let mut all = vec![Vec::new(); count];
    for (bound, part) in bounds.into_iter().zip(part) {
        all[part].push(bound);
    }
    all
}

/// A search through all choices for one part, cheapest first.
struct Search<'b> {
    bounds: &'b [Vec<usize>],
    places: BTreeMap<usize, Vec<usize>>,
    effort: &'b [u32],
    chosen: Vec<usize>,
    /// How many of the chosen each bound holds.
    held: Vec<u32>,
    /// Effort, count and choice.
    best: (u32, usize, Vec<usize>),
    work: usize,
}

impl<'b> Search<'b> {
    fn new(bounds: &'b [Vec<usize>], effort: &'b [u32], work: usize) -> Self {
        let places = places(bounds);
        let greedy = greedy(bounds, &places, effort);
        let price = greedy.iter().map(|at| effort[*at]).sum();
        Search {
            bounds,
            places,
            effort,
            chosen: Vec::new(),
            held: vec![0; bounds.len()],
            best: (price, greedy.len(), greedy),
            work,
        }
    }

    /// What bounds that share nothing need at the least.
    fn packed(&self) -> u32 {
        let mut used = FxHashSet::default();
        let mut sum = 0;
        for (bound, _) in self
            .bounds
            .iter()
            .zip(&self.held)
            .filter(|(_, held)| **held == 0)
        {
            if bound.iter().all(|at| !used.contains(at)) {
                sum += bound.iter().map(|at| self.effort[*at]).min().unwrap_or(0);
                used.extend(bound.iter().copied());
            }
        }
        sum
    }

    fn walk(&mut self, spent: u32) {
        self.work = self.work.saturating_sub(self.bounds.len());
        if self.work == 0 {
            return;
        }
        let open = (0..self.bounds.len()).filter(|at| self.held[*at] == 0);
        let Some(next) = open.min_by_key(|at| self.bounds[*at].len()) else {
            if (spent, self.chosen.len()) < (self.best.0, self.best.1) {
                self.best = (spent, self.chosen.len(), self.chosen.clone());
            }
            return;
        };
        let least = spent + self.packed();
        if (least, self.chosen.len() + 1) >= (self.best.0, self.best.1) {
            return;
        }
        let serves = |at: &usize| {
            let open = self.places[at]
                .iter()
                .filter(|place| self.held[**place] == 0);
            open.count()
        };
        let mut ways = self.bounds[next].clone();
        ways.sort_by_cached_key(|at| (self.effort[*at], std::cmp::Reverse(serves(at)), *at));
        for at in ways {
            self.mark(at, true);
            self.walk(spent + self.effort[at]);
            self.mark(at, false);
        }
    }

    fn mark(&mut self, at: usize, on: bool) {
        for place in &self.places[&at] {
            let held = &mut self.held[*place];
            *held = if on { *held + 1 } else { *held - 1 };
        }
        match on {
            true => self.chosen.push(at),
            false => drop(self.chosen.pop()),
        }
    }
}

/// What serves most for its effort, again and again; then without what the rest makes idle.
fn greedy(
    bounds: &[Vec<usize>],
    places: &BTreeMap<usize, Vec<usize>>,
    effort: &[u32],
) -> Vec<usize> {
    let mut held = vec![0_u32; bounds.len()];
    let mut chosen: Vec<usize> = Vec::new();
    while held.contains(&0) {
        let serves = |own: &[usize]| own.iter().filter(|place| held[**place] == 0).count() as u64;
        let worth = |at: usize, own: &[usize]| serves(own) * 1_000 / u64::from(effort[at].max(1));
        let best = places
            .iter()
            .max_by_key(|(at, own)| (worth(**at, own), std::cmp::Reverse(**at)));
        let Some((at, own)) = best else { break };
        own.iter().for_each(|place| held[*place] += 1);
        chosen.push(*at);
    }
    chosen.sort_by_key(|at| (std::cmp::Reverse(effort[*at]), *at));
    let mut kept = chosen.clone();
    for at in chosen {
        if places[&at].iter().all(|place| held[*place] > 1) {
            places[&at].iter().for_each(|place| held[*place] -= 1);
            kept.retain(|other| *other != at);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every choice, one after the other.
    fn by_force(bounds: &BTreeSet<Vec<usize>>, effort: &[u32]) -> u32 {
        let choices = (0..1_u32 << effort.len()).filter(|choice| {
            let holds = |bound: &Vec<usize>| bound.iter().any(|at| choice & (1 << at) != 0);
            bounds.iter().all(holds)
        });
        let price = |choice: u32| {
            let chosen = (0..effort.len()).filter(|at| choice & (1 << at) != 0);
            chosen.map(|at| effort[at]).sum()
        };
        choices
            .map(price)
            .min()
            .expect("all of them hold every bound")
    }

    proptest! {
        #[test]
        fn no_choice_is_cheaper_and_none_is_idle(
            effort in prop::collection::vec(1_u32..9, 12),
            bounds in prop::collection::btree_set(prop::collection::btree_set(0_usize..12, 1..5), 0..24),
        ) {
            let bounds: BTreeSet<Vec<usize>> =
                bounds.into_iter().map(|bound| bound.into_iter().collect()).collect();
            let cover = cheapest(&bounds, &effort);
            let holds = |chosen: &BTreeSet<usize>| {
                bounds.iter().all(|bound| bound.iter().any(|at| chosen.contains(at)))
            };
            let price: u32 = cover.chosen.iter().map(|at| effort[*at]).sum();
            prop_assert!(holds(&cover.chosen));
            prop_assert_eq!(price, by_force(&bounds, &effort));
            prop_assert_eq!(price, cover.at_least);
            for at in &cover.chosen {
                let mut fewer = cover.chosen.clone();
                fewer.remove(at);
                prop_assert!(!holds(&fewer));
            }
        }
    }

    #[test]
    fn thousands_of_ways_of_their_own_are_no_work() {
        // Each way has two changes of its own and one of three that many share.
        let bounds: BTreeSet<Vec<usize>> = (0..5_000)
            .map(|n| vec![n % 3, 3 + 2 * n, 4 + 2 * n])
            .collect();
        let effort: Vec<u32> = (0..10_003)
            .map(|at| if at < 3 { 9 } else { 2 + at as u32 % 2 })
            .collect();
        let cover = cheapest(&bounds, &effort);
        assert_eq!(cover.chosen, BTreeSet::from([0, 1, 2]));
        assert_eq!(cover.at_least, 27);
    }
}

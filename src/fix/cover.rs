//! The cheapest set that takes something from each of many: which changes to make when every way
//! names the changes that would cut it.
//!
//! What one change does another may do as well and cheaper, and a way that loses something
//! whenever another does asks nothing of its own. Once such are put aside most choices are
//! forced, and what is left falls into parts that have nothing to do with one another: each of
//! them is searched through.

use std::collections::{BTreeMap, BTreeSet};

/// A choice of changes, by number, and what no choice can go below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) chosen: BTreeSet<usize>,
    pub(super) at_least: u32,
}

/// Bounds looked at in one part, and in all parts, before the best choice so far is taken.
const MAX_WORK: usize = 2_000_000;
const MAX_WORK_IN_ALL: usize = 8_000_000;

/// The cheapest numbers of which every bound holds one. No bound may be empty.
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
    for bounds in parts(open) {
        let part = Part::new(&bounds, effort);
        let (chosen, at_least) = part.cheapest(&mut left);
        cover.at_least += at_least;
        cover.chosen.extend(chosen.iter().map(|at| part.names[*at]));
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

/// Bounds that hang together, with their numbers counted from zero.
struct Part {
    /// What each number stands for.
    names: Vec<usize>,
    effort: Vec<u32>,
    bounds: Vec<Vec<usize>>,
    /// For each number the bounds that hold it.
    places: Vec<Vec<usize>>,
}

impl Part {
    fn new(bounds: &[Vec<usize>], effort: &[u32]) -> Self {
        let numbered = places(bounds);
        let names: Vec<usize> = numbered.keys().copied().collect();
        let own = |at: &usize| names.binary_search(at).unwrap_or_default();
        Part {
            effort: names.iter().map(|at| effort[*at]).collect(),
            bounds: bounds
                .iter()
                .map(|bound| bound.iter().map(own).collect())
                .collect(),
            places: numbered.into_values().collect(),
            names,
        }
    }

    fn price(&self, chosen: &[usize]) -> u32 {
        chosen.iter().map(|at| self.effort[*at]).sum()
    }

    /// How often each bound is held.
    fn held(&self, chosen: &[usize]) -> Vec<u32> {
        let mut held = vec![0; self.bounds.len()];
        for place in chosen.iter().flat_map(|at| &self.places[*at]) {
            held[*place] += 1;
        }
        held
    }

    /// What serves most for its effort, again and again; then without what the rest makes idle.
    fn greedy(&self) -> Vec<usize> {
        let mut open: Vec<usize> = self.places.iter().map(Vec::len).collect();
        let mut held = vec![false; self.bounds.len()];
        let mut chosen: Vec<usize> = Vec::new();
        loop {
            let worth =
                |at: &usize| (open[*at] as u64 * 1_000) / u64::from(self.effort[*at].max(1));
            let best = (0..self.names.len()).filter(|at| open[*at] > 0);
            let Some(at) = best.max_by_key(|at| (worth(at), std::cmp::Reverse(*at))) else {
                break;
            };
            for place in &self.places[at] {
                if !std::mem::replace(&mut held[*place], true) {
                    self.bounds[*place]
                        .iter()
                        .for_each(|other| open[*other] -= 1);
                }
            }
            chosen.push(at);
        }
        self.without_idle(&mut chosen);
        chosen
    }

    /// Drops what the rest makes idle, the dearest first.
    fn without_idle(&self, chosen: &mut Vec<usize>) {
        let mut held = self.held(chosen);
        chosen.sort_by_key(|at| (std::cmp::Reverse(self.effort[*at]), *at));
        chosen.retain(|at| {
            let idle = self.places[*at].iter().all(|place| held[*place] > 1);
            if idle {
                self.places[*at].iter().for_each(|place| held[*place] -= 1);
            }
            !idle
        });
    }

    /// Takes in one more wherever that makes dearer ones idle, until nothing does.
    fn improve(&self, chosen: Vec<usize>, work: &mut usize) -> Vec<usize> {
        let mut held = self.held(&chosen);
        let mut is_in = vec![false; self.names.len()];
        chosen.iter().for_each(|at| is_in[*at] = true);
        let mut better = true;
        while std::mem::take(&mut better) && *work > 0 {
            for at in 0..self.names.len() {
                if is_in[at] {
                    continue;
                }
                let mut near: Vec<usize> = self.places[at]
                    .iter()
                    .flat_map(|place| &self.bounds[*place])
                    .copied()
                    .filter(|other| is_in[*other])
                    .collect();
                near.sort_unstable_by_key(|other| (std::cmp::Reverse(self.effort[*other]), *other));
                near.dedup();
                *work = work.saturating_sub(near.len() + self.places[at].len());
                let mut count = |at: usize, on: bool| {
                    for place in &self.places[at] {
                        held[*place] = if on {
                            held[*place] + 1
                        } else {
                            held[*place] - 1
                        };
                    }
                    self.places[at].iter().all(|place| held[*place] > 0)
                };
                count(at, true);
                near.retain(|other| {
                    let idle = count(*other, false);
                    if !idle {
                        count(*other, true);
                    }
                    idle
                });
                let saved = self.price(&near);
                if saved > self.effort[at] || (saved == self.effort[at] && near.len() > 1) {
                    near.iter().for_each(|other| is_in[*other] = false);
                    is_in[at] = true;
                    better = true;
                } else {
                    for other in &near {
                        count(*other, true);
                    }
                    count(at, false);
                }
            }
        }
        (0..self.names.len()).filter(|at| is_in[*at]).collect()
    }

    /// What no choice can go below: each bound takes what is left of the effort of its cheapest
    /// number, from all of its numbers.
    fn lower(&self, held: &[u32], banned: &[bool]) -> u32 {
        let mut left = self.effort.clone();
        let mut sum = 0;
        for (bound, _) in self.bounds.iter().zip(held).filter(|(_, held)| **held == 0) {
            let free = bound.iter().filter(|at| !banned[**at]);
            let least = free.map(|at| left[*at]).min().unwrap_or(0);
            if least > 0 {
                bound
                    .iter()
                    .for_each(|at| left[*at] = left[*at].saturating_sub(least));
                sum += least;
            }
        }
        sum
    }

    /// The cheapest choice, and what none can go below.
    fn cheapest(&self, left: &mut usize) -> (Vec<usize>, u32) {
        let mut work = (*left).min(MAX_WORK);
        let given = work;
        let best = self.improve(self.greedy(), &mut work);
        let lower = self.lower(&vec![0; self.bounds.len()], &vec![false; self.names.len()]);
        if lower == self.price(&best) {
            *left -= given - work;
            return (best, lower);
        }
        let mut search = Search {
            part: self,
            chosen: Vec::new(),
            held: vec![0; self.bounds.len()],
            banned: vec![false; self.names.len()],
            best: (self.price(&best), best),
            work,
        };
        search.walk(0);
        *left -= given - search.work;
        let price = search.best.0;
        (search.best.1, if search.work == 0 { lower } else { price })
    }
}

/// A search through all choices for one part, cheapest first.
struct Search<'p> {
    part: &'p Part,
    chosen: Vec<usize>,
    /// How many of the chosen each bound holds.
    held: Vec<u32>,
    /// Numbers that were tried: what holds them was looked at.
    banned: Vec<bool>,
    /// Effort and choice.
    best: (u32, Vec<usize>),
    work: usize,
}

impl Search<'_> {
    fn walk(&mut self, spent: u32) {
        let part = self.part;
        self.work = self.work.saturating_sub(part.bounds.len());
        if self.work == 0 {
            return;
        }
        let free = |at: &usize| {
            part.bounds[*at]
                .iter()
                .filter(|one| !self.banned[**one])
                .count()
        };
        let open = (0..part.bounds.len()).filter(|at| self.held[*at] == 0);
        let Some(next) = open.min_by_key(free) else {
            if spent < self.best.0 {
                self.best = (spent, self.chosen.clone());
            }
            return;
        };
        if spent + part.lower(&self.held, &self.banned) >= self.best.0 {
            return;
        }
        let serves = |at: &usize| {
            let open = part.places[*at]
                .iter()
                .filter(|place| self.held[**place] == 0);
            open.count()
        };
        let ways = part.bounds[next]
            .iter()
            .copied()
            .filter(|at| !self.banned[*at]);
        let mut ways: Vec<usize> = ways.collect();
        ways.sort_by_cached_key(|at| (part.effort[*at], std::cmp::Reverse(serves(at)), *at));
        for at in &ways {
            self.mark(*at, true);
            self.walk(spent + part.effort[*at]);
            self.mark(*at, false);
            self.banned[*at] = true;
        }
        ways.iter().for_each(|at| self.banned[*at] = false);
    }

    fn mark(&mut self, at: usize, on: bool) {
        for place in &self.part.places[at] {
            let held = &mut self.held[*place];
            *held = if on { *held + 1 } else { *held - 1 };
        }
        match on {
            true => self.chosen.push(at),
            false => drop(self.chosen.pop()),
        }
    }
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
    fn pairs_that_hang_together_do_not_hide_the_one_side_that_serves_all() {
        // Each of forty has three changes of its own; each pair is parted by the first of the
        // one or the second or third of the other.
        let mut bounds: BTreeSet<Vec<usize>> = (0..40).map(|n| vec![n, 40 + n, 80 + n]).collect();
        for one in 0..40 {
            let others = (0..40).filter(|other| (one * 7 + other * 3) % 5 != 0 && *other != one);
            bounds.extend(others.map(|other| vec![one, 40 + other, 80 + other]));
        }
        let cover = cheapest(&bounds, &[2; 120]);
        assert_eq!((cover.chosen.len(), cover.at_least), (40, 80));
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

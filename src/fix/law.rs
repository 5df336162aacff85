//! Laws of the changes that cut all paths: growing the estate within what leads on finds what
//! growing the whole of it finds, and no set of the known changes that takes less closes it.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::Path as File;
use std::rc::Rc;

use palisade_mocks::{World, world_folder};
use palisade_model::Snapshot;

use super::cuts::{Search, cut};
use crate::change::{Change, apply};
use crate::graph::{Ends, Graph, Limits, Node, PathSet, Query, Status, Unheard};
use crate::policy::Engine;

/// Numbers from a seed: a linear congruential generator (Knuth, TAOCP vol. 2, 3.3.4).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

fn with_graph<T>(snapshot: &Snapshot, look: impl FnOnce(&Graph<'_>) -> T) -> T {
    let techniques = palisade_checks::techniques().expect("the catalogue loads");
    let engine = Engine::new(snapshot);
    look(&Graph::build(snapshot, techniques, &engine, &Unheard))
}

fn paths(graph: &Graph<'_>) -> PathSet {
    graph.paths(&Query {
        limits: Limits {
            alternatives: 0,
            ..Limits::default()
        },
        ..Query::default()
    })
}

/// The ends of all paths that do not hang on a gap.
fn open(graph: &Graph<'_>) -> BTreeSet<Ends> {
    let set = paths(graph);
    let sure = set.paths().filter(|path| path.status != Status::Possible);
    let ends = sure.flat_map(|path| {
        let alone = std::slice::from_ref(&path.entry.node);
        let entries = match path.entry.node {
            Node::Principal { .. } if !path.entry.members.is_empty() => &path.entry.members,
            _ => alone,
        };
        entries
            .iter()
            .map(|entry| (entry.clone(), path.target.node.clone()))
    });
    ends.collect()
}

/// Every change that is thought of for an estate as it is.
fn known(graph: &Graph<'_>) -> Vec<Change> {
    let mut search = Search::new(graph.guarded());
    search.gather(graph, &Rc::new(BTreeSet::new()));
    search.changes
}

/// Some of the changes, and what is open after them: by the whole estate, and by what leads on.
fn hold_together(name: &str, snapshot: &Snapshot, sets: usize) {
    with_graph(snapshot, |graph| {
        let known = known(graph);
        let narrow = graph.narrow();
        let mut dice = Dice(7);
        for set in 0..sets {
            let share = 1 + dice.below(4);
            let some = known.iter().filter(|_| set > 0 && dice.below(share) == 0);
            let changed = apply(graph.snapshot(), &some.cloned().collect::<Vec<_>>());
            let engine = Engine::new(&changed);
            let whole = open(&graph.again(&changed, &engine, None));
            let within = open(&graph.again(&changed, &engine, Some(&narrow)));
            assert_eq!(whole, within, "{name}, set {set}");
            assert!(
                whole.is_subset(&open(graph)),
                "{name}, set {set}: a change opened a way"
            );
            let courses = graph
                .again(&changed, &engine, None)
                .courses(&BTreeSet::new());
            assert_eq!(courses.is_empty(), whole.is_empty(), "{name}, set {set}");
        }
    });
}

#[test]
fn what_leads_on_tells_what_the_whole_tells() {
    for seed in 0..4 {
        let name = format!("seed {seed}");
        hold_together(&name, &palisade_mocks::generate(seed, 2, 160), 3);
    }
    for story in palisade_mocks::worlds() {
        let world = World::load(story.name).expect("a story loads");
        hold_together(story.name, world.snapshot(), 4);
    }
}

/// Whether these changes leave nothing but what no change cuts.
fn closes(graph: &Graph<'_>, changes: &[Change]) -> bool {
    let changed = apply(graph.snapshot(), changes);
    let engine = Engine::new(&changed);
    open(&graph.again(&changed, &engine, None)).is_empty()
}

/// Puts every cheaper set of the known changes to the whole engine.
fn is_cheapest(name: &str, snapshot: &Snapshot) {
    with_graph(snapshot, |graph| {
        let found = cut(graph, &paths(graph)).expect("a set is found");
        let Some(cuts) = found else {
            return assert!(open(graph).is_empty(), "{name}");
        };
        let made: Vec<Change> = cuts.changes.iter().map(|cut| cut.change.clone()).collect();
        assert!(
            cuts.left.is_empty() && closes(graph, &made),
            "{name}: {cuts:#?}"
        );
        assert_eq!(cuts.effort, cuts.at_least, "{name}: {cuts:#?}");
        for without in 0..made.len() {
            let mut fewer = made.clone();
            fewer.remove(without);
            assert!(!closes(graph, &fewer), "{name}: idle {:#?}", made[without]);
        }
        let known = known(graph);
        let mut sets: Vec<Vec<&Change>> = vec![Vec::new()];
        for change in &known {
            let with = sets
                .clone()
                .into_iter()
                .map(|set| [&set[..], &[change]].concat());
            let price = |set: &Vec<&Change>| set.iter().map(|one| one.effort()).sum::<u32>();
            let cheap: Vec<_> = with.filter(|set| price(set) < cuts.effort).collect();
            sets.extend(cheap);
        }
        // A set that holds another closes no less: only those no further change fits into.
        for set in sets.iter().filter(|set| {
            !sets
                .iter()
                .any(|other| other.len() > set.len() && set.iter().all(|c| other.contains(c)))
        }) {
            let set: Vec<Change> = set.iter().map(|change| (*change).clone()).collect();
            assert!(
                !closes(graph, &set),
                "{name}: {set:#?} is cheaper than {cuts:#?}"
            );
        }
    });
}

#[test]
fn no_cheaper_set_of_known_changes_closes_a_small_estate() {
    let text = include_str!("law.yaml");
    for (at, text) in text.split("\n---\n").enumerate() {
        let name = format!("law-{at}.yaml");
        let world = World::parse(File::new(&name), text).expect("the world reads");
        is_cheapest(&name, world.snapshot());
    }
    let file = world_folder().join("proof").join("story-functions.yaml");
    let world = World::load(&file.to_string_lossy()).expect("the world loads");
    is_cheapest("story-functions", world.snapshot());
}

//! The hardened world: nothing fails in it, and each near miss fails once its one detail is wrong.

use std::collections::BTreeSet;

use palisade::check::Outcome;
use palisade::{Selection, analyse};
use palisade_mocks::{World, world_folder};

/// What is wrong in a world: failing answers by check and resource, and paths by their ends.
fn wrongs(world: &World) -> BTreeSet<String> {
    let analysis = analyse(world.snapshot(), &Selection::default());
    let failing = analysis
        .answers
        .iter()
        .filter(|answer| matches!(answer.outcome, Outcome::Fail { .. }))
        .map(|answer| format!("{} on {}", answer.check, answer.resource));
    let paths = analysis
        .paths
        .paths()
        .map(|path| format!("{:?} to {:?}", path.entry.node, path.target.node));
    failing.chain(paths).collect()
}

fn hardened() -> World {
    World::load("hardened").unwrap()
}

#[test]
fn nothing_is_wrong_in_the_hardened_world() {
    assert_eq!(wrongs(&hardened()), BTreeSet::new());
}

#[test]
fn every_near_miss_fires_when_its_detail_is_wrong() {
    let world = hardened();
    let near_misses = &world.truth().near_misses;
    assert!(near_misses.len() >= 10, "{}", near_misses.len());
    let flips = world_folder().join("hardened/flips");
    let mut silent = Vec::new();
    for (name, near_miss) in near_misses {
        let file = flips.join(format!("{}.yaml", near_miss.flip));
        let flip = World::load(&file.to_string_lossy()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!near_miss.why.is_empty(), "{name}");
        if wrongs(&flip).is_empty() {
            silent.push(format!("{name}: {} changes nothing", near_miss.flip));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn every_flip_belongs_to_a_near_miss() {
    let world = hardened();
    let named: BTreeSet<&str> = world
        .truth()
        .near_misses
        .values()
        .map(|near_miss| near_miss.flip.as_str())
        .collect();
    for entry in std::fs::read_dir(world_folder().join("hardened/flips")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(named.contains(stem.as_str()), "{stem} flips nothing");
    }
}

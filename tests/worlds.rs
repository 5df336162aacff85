//! The worlds: what they say is true is what the tool says, and every check proves itself.

use std::collections::{BTreeMap, BTreeSet};

use palisade::check::{Answer, Outcome};
use palisade::{Analysis, Selection};
use palisade_mocks::{World, world_folder};

fn analyse(world: &World) -> Analysis {
    palisade::analyse(world.snapshot(), &Selection::default())
}

/// Every world on disk, story worlds and proof worlds alike, by the name `World::load` takes.
fn all_worlds() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![world_folder()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("world.yaml") {
                found.push(path.parent().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// Whether a short name or ARN of a world's truth means this resource.
fn means(resource: &str, name: &str) -> bool {
    resource == name
        || resource.ends_with(&format!(":{name}"))
        || resource.ends_with(&format!("/{name}"))
}

fn failing<'a>(answers: &'a [Answer], check: &str) -> BTreeSet<&'a str> {
    answers
        .iter()
        .filter(|a| a.check == check && matches!(a.outcome, Outcome::Fail { .. }))
        .map(|a| a.resource.as_str())
        .collect()
}

fn unknown<'a>(answers: &'a [Answer], check: &str) -> BTreeSet<&'a str> {
    answers
        .iter()
        .filter(|a| a.check == check && matches!(a.outcome, Outcome::Unknown { .. }))
        .map(|a| a.resource.as_str())
        .collect()
}

#[test]
fn every_world_says_what_is_true_of_it() {
    let mut wrong = Vec::new();
    for name in all_worlds() {
        let world = World::load(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let truth = world.truth();
        if truth.findings.is_empty() && truth.unknown.is_empty() {
            continue;
        }
        let answers = analyse(&world).answers;
        for (check, expected) in &truth.findings {
            let found = failing(&answers, check);
            for name in expected
                .iter()
                .filter(|name| !found.iter().any(|r| means(r, name)))
            {
                wrong.push(format!("{}: {check} does not fire on {name}", world.name()));
            }
            for resource in found
                .iter()
                .filter(|r| !expected.iter().any(|name| means(r, name)))
            {
                wrong.push(format!("{}: {check} fires on {resource}", world.name()));
            }
        }
        for (check, expected) in &truth.unknown {
            let found = unknown(&answers, check);
            for name in expected
                .iter()
                .filter(|name| !found.iter().any(|r| means(r, name)))
            {
                wrong.push(format!(
                    "{}: {check} is not unknown on {name}",
                    world.name()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_check_fires_stays_silent_and_is_unknown_where_it_says_so() {
    let mut wrong = Vec::new();
    let mut analysed: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    let mut answers_in = |name: &str| {
        analysed
            .entry(name.to_owned())
            .or_insert_with(|| {
                let world = World::load(name).unwrap_or_else(|error| panic!("{name}: {error}"));
                analyse(&world).answers
            })
            .clone()
    };
    for check in palisade_checks::checks() {
        for world in &check.proof.fires {
            if failing(&answers_in(world), &check.id).is_empty() {
                wrong.push(format!("{} does not fire in {world}", check.id));
            }
        }
        for world in &check.proof.silent {
            let answers = answers_in(world);
            let found = failing(&answers, &check.id);
            if !found.is_empty() {
                wrong.push(format!("{} fires in {world}: {found:?}", check.id));
            }
            if !answers.iter().any(|a| a.check == check.id) {
                wrong.push(format!("{} says nothing at all in {world}", check.id));
            }
        }
        for world in &check.proof.unknown {
            if unknown(&answers_in(world), &check.id).is_empty() {
                wrong.push(format!("{} is not unknown in {world}", check.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn analysis_of_the_same_world_is_the_same() {
    let world = World::load("eight-minutes").unwrap();
    let (first, second) = (analyse(&world), analyse(&world));
    assert_eq!(first.answers, second.answers);
    assert_eq!(first.paths, second.paths);
}

//! Each way of each technique fires, and one missing permission or false precondition silences it.

use std::collections::BTreeSet;

use palisade_checks::technique::{Opt, Predicate, Requirement, Technique};

use super::stage::Stage;
use super::{arrange, each, label, reached};

#[test]
fn every_way_of_every_technique_fires() {
    each(300, |technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        stage.grant(None);
        let (sure, possible) = reached(&stage.snapshot, technique);
        let expected = (technique.unread.is_none(), true);
        if (sure, possible) != expected {
            faults.push(format!("{}: {sure} {possible}", label(technique, choice)));
        }
        1
    });
}

#[test]
fn one_missing_permission_silences_it() {
    each(500, |technique, choice, faults| {
        let mut tried = 0;
        let requires = Stage::new(technique, choice).requires.len();
        for missing in 0..requires {
            let mut stage = Stage::new(technique, choice);
            let action = stage.requires[missing].action.clone();
            let again = |required: &&Requirement| required.action == action;
            // A trust policy that names the caller grants by itself.
            if stage.requires.iter().copied().filter(|r| again(r)).count() > 1
                || action.starts_with("sts:")
            {
                continue;
            }
            if another_way(technique, choice, stage.requires[missing]) {
                continue;
            }
            stage.grant(Some(missing));
            if reached(&stage.snapshot, technique).1 {
                faults.push(format!("{} without {action}", label(technique, choice)));
            }
            tried += 1;
        }
        tried
    });
}

/// Whether the permissions that are left do for another option of the same group.
fn another_way(technique: &Technique, choice: &[&Opt], missing: &Requirement) -> bool {
    let chosen = choice.iter().flat_map(|option| &option.requires);
    let left: BTreeSet<&str> = technique
        .requires
        .iter()
        .chain(chosen)
        .filter(|required| required.action != missing.action)
        .map(|required| required.action.as_str())
        .collect();
    technique.any_of.iter().zip(choice).any(|(group, taken)| {
        let own = taken
            .requires
            .iter()
            .any(|required| std::ptr::eq(required, missing));
        own && group
            .options
            .iter()
            .filter(|option| !std::ptr::eq(*option, *taken))
            .any(|other| {
                other
                    .requires
                    .iter()
                    .all(|required| left.contains(required.action.as_str()))
            })
    })
}

#[test]
fn one_false_precondition_silences_it() {
    each(300, |technique, choice, faults| {
        let mut tried = 0;
        let count = Stage::new(technique, choice).predicates.len();
        for at in 0..count {
            let mut stage = Stage::new(technique, choice);
            let predicate = stage.predicates[at];
            if !arrange::arrange(&mut stage, predicate, false)
                || detour(technique, choice, &stage, predicate)
            {
                continue;
            }
            stage.grant(None);
            if reached(&stage.snapshot, technique).0 {
                faults.push(format!(
                    "{} with false {predicate}",
                    label(technique, choice)
                ));
            }
            tried += 1;
        }
        tried
    });
}

/// Whether another option of the group that asks this may work with what is granted already.
pub(super) fn detour(
    technique: &Technique,
    choice: &[&Opt],
    stage: &Stage<'_>,
    predicate: &Predicate,
) -> bool {
    let granted: BTreeSet<&str> = stage.requires.iter().map(|r| r.action.as_str()).collect();
    technique.any_of.iter().zip(choice).any(|(group, taken)| {
        let filters = taken.requires.iter().flat_map(|required| &required.filter);
        let own = taken.preconditions.iter().chain(filters);
        let asks = own.into_iter().any(|own| std::ptr::eq(own, predicate));
        let others = group.options.iter().filter(|o| !std::ptr::eq(*o, *taken));
        asks && others.into_iter().any(|other| {
            let mut needed = other.requires.iter();
            needed.all(|required| granted.contains(required.action.as_str()))
        })
    })
}

/// Whether what is left without an action does for another option of its group, or a trust policy
/// that names the caller grants it.
pub(super) fn another_way_without(technique: &Technique, choice: &[&Opt], action: &str) -> bool {
    let stage = Stage::new(technique, choice);
    let mut denied = stage.requires.iter().filter(|r| r.action == action);
    denied.any(|required| another_way(technique, choice, required))
}

//! Actions that one principal may send to set off what another has prepared, and what a service
//! lets through in a principal's name.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::actions;
use serde::Deserialize;

use super::read::shared;
use crate::CatalogueError;

const FILE: &str = "techniques/handover.yaml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    actions: Vec<String>,
}

/// The actions of `techniques/handover.yaml`, in lower case: whoever holds two principals may
/// send them as the other one.
///
/// # Errors
///
/// When the file cannot be read or names an action that AWS does not have.
pub fn handover() -> Result<BTreeSet<String>, CatalogueError> {
    let raw: Raw = shared(FILE)?;
    if let Some(unknown) = raw
        .actions
        .iter()
        .find(|name| actions().find(name).is_none())
    {
        return Err(CatalogueError::Invalid {
            file: FILE.to_owned(),
            problem: format!("names the unknown action `{unknown}`"),
        });
    }
    let lower = raw.actions.iter().map(|action| action.to_ascii_lowercase());
    Ok(lower.collect())
}

/// Action patterns by what a technique says after `gain: through`.
///
/// # Errors
///
/// When `techniques/through.yaml` cannot be read.
pub fn through() -> Result<BTreeMap<String, Vec<String>>, CatalogueError> {
    shared("techniques/through.yaml")
}

#[cfg(test)]
mod tests {
    use super::super::Gain;
    use super::*;
    use crate::techniques;

    #[test]
    fn what_comes_through_is_named_by_some_technique() {
        let named = |words: &str| {
            let techniques = techniques().expect("the catalogue loads");
            let gains = |technique: &'static crate::Technique| {
                let options = technique.any_of.iter().flat_map(|group| &group.options);
                let options = options.filter_map(|option| option.gain.as_ref());
                options.chain([&technique.yields.gain])
            };
            let through = |gain: &Gain| matches!(gain, Gain::Through(own) if own == words);
            techniques.iter().flat_map(gains).any(through)
        };
        let all = through().expect("the file is valid");
        let idle: Vec<&String> = all.keys().filter(|words| !named(words)).collect();
        assert!(idle.is_empty(), "{idle:?}");
    }

    #[test]
    fn what_is_handed_over_is_part_of_some_technique_and_passes_no_role() {
        let all = handover().expect("the file is valid");
        assert!(!all.contains("iam:passrole"));
        let techniques = techniques().expect("the catalogue loads");
        let used: BTreeSet<String> = techniques
            .iter()
            .flat_map(|technique| {
                let groups = technique.any_of.iter().flat_map(|group| &group.options);
                let options = groups.flat_map(|option| &option.requires);
                technique.requires.iter().chain(options)
            })
            .map(|requirement| requirement.action.to_ascii_lowercase())
            .collect();
        let idle: Vec<&String> = all.difference(&used).collect();
        assert!(idle.is_empty(), "{idle:?}");
    }
}

//! Calls that set tags on a principal: which tags whoever makes one would set, and to what.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use palisade_model::Arn;

use super::actor::Actor;
use super::ask::{Asked, Call};
use super::ground::Ground;
use super::judge::Judge;
use crate::policy::document::Document;

/// Calls that set or take tags of a principal.
const CALLS: [&str; 4] = [
    "iam:tagrole",
    "iam:taguser",
    "iam:untagrole",
    "iam:untaguser",
];

/// Tags that are tried in one call each.
const MAX_TAGS: usize = 32;

/// Keys that test a tag of a principal, as the one who asks or the one who is asked for.
const FAMILIES: [&str; 3] = ["aws:principaltag/", "aws:resourcetag/", "iam:resourcetag/"];

/// Tags that some policy tests, by key as it is written, with the values it asks for.
pub(super) fn wanted_tags(ground: &Ground<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut seen = rustc_hash::FxHashSet::default();
    ground.each_policy(&mut |text| {
        let lower = text.as_str().to_ascii_lowercase();
        let speaks = FAMILIES.iter().any(|family| lower.contains(family));
        if !speaks || !seen.insert(text.as_str().to_owned()) {
            return;
        }
        let Ok(document) = Document::parse(text.as_str()) else {
            return;
        };
        for condition in document.statements.iter().flat_map(|s| &s.conditions) {
            if let Some(tag) = tag_in(&condition.key) {
                let values = wanted.entry(tag.to_owned()).or_default();
                let plain = |value: &&String| !value.contains(['*', '?', '$']);
                values.extend(condition.values.iter().filter(plain).cloned());
            }
        }
        // A variable asks for whatever the other side holds.
        for (at, _) in lower.match_indices("${") {
            let written = &text.as_str()[at + 2..];
            let written = written.split(['}', ',']).next().unwrap_or_default();
            if let Some(tag) = tag_in(written.trim()) {
                wanted.entry(tag.to_owned()).or_default();
            }
        }
    });
    wanted
}

/// The tag that a condition key or variable names.
fn tag_in(key: &str) -> Option<&str> {
    let lower = key.to_ascii_lowercase();
    let family = FAMILIES.iter().find(|family| lower.starts_with(**family))?;
    key.get(family.len()..)
}

impl Judge<'_> {
    /// Asks a call on something that is known. One that sets tags is asked for each tag that some
    /// policy tests, as whoever gains by it would send it: a condition on `aws:TagKeys` or
    /// `aws:RequestTag` then says yes or no.
    pub(super) fn ask_known(&self, actor: &Actor, call: Rc<Call>, resource: Arn) -> Option<Asked> {
        let action = call.action.to_ascii_lowercase();
        if !CALLS.contains(&action.as_str()) || self.wanted_tags().is_empty() {
            return self.ask(actor, call, resource, false);
        }
        let mut contexts: Vec<Vec<(String, String)>> = Vec::new();
        for (key, values) in self.wanted_tags() {
            let named = ("aws:TagKeys".to_owned(), key.clone());
            match action.contains("untag") || values.is_empty() {
                true => contexts.push(vec![named]),
                false => contexts.extend(values.iter().map(|value| {
                    vec![
                        named.clone(),
                        (format!("aws:RequestTag/{key}"), value.clone()),
                    ]
                })),
            }
        }
        contexts.truncate(MAX_TAGS);
        let answers = contexts.into_iter().filter_map(|mut context| {
            context.extend(call.context.iter().cloned());
            let call = self.call(&call.action, context);
            self.ask(actor, call, resource.clone(), false)
        });
        answers.min_by_key(|asked| asked.status)
    }
}

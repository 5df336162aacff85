//! What an interrupted scan left behind, and what of it still stands.

use std::collections::BTreeMap;

use palisade_model::{Account, ObjectEntry, ObjectListing, Observed, Region, S3, Snapshot};
use serde::Serialize;
use serde_json::Value;

use crate::engine::INTERRUPTED;
use crate::purse::Spent;

/// Gaps in `value`: how many, and how many of them an interrupt left.
pub(crate) fn gaps(value: &impl Serialize) -> (usize, usize) {
    match serde_json::to_value(value) {
        Ok(value) => count(&value),
        Err(_) => (0, 0),
    }
}

fn count(value: &Value) -> (usize, usize) {
    let sum = |values: &mut dyn Iterator<Item = &Value>| {
        values
            .map(count)
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    };
    match value {
        Value::Array(items) => sum(&mut items.iter()),
        Value::Object(members) => match members.get("$gap") {
            // What no call was meant to read is no failure.
            Some(gap) if gap["kind"] == "not-collected" && gap["code"] != INTERRUPTED => (0, 0),
            Some(gap) => (1, usize::from(gap["code"] == INTERRUPTED)),
            // A gap that stands beside what could be read.
            None if members.contains_key("operation") && members.contains_key("kind") => (
                1,
                usize::from(members.get("code").is_some_and(|c| c == INTERRUPTED)),
            ),
            None => sum(&mut members.values()),
        },
        _ => (0, 0),
    }
}

fn was_interrupted(value: &impl Serialize) -> bool {
    gaps(value).1 > 0
}

/// Whether a budget ended the look into some bucket before everything worth it was read.
fn was_cut(s3: &S3) -> bool {
    let buckets = s3.buckets.value().into_iter().flatten();
    let mut listings = buckets.filter_map(|(_, bucket)| bucket.objects.value());
    listings.any(|listing| is_cut(listing) || listing.objects.iter().any(is_unfinished))
}

/// Whether a budget ended a listing.
pub(crate) fn is_cut(listing: &ObjectListing) -> bool {
    listing.limits.iter().any(|text| says_spent(text))
}

/// Whether a budget ended the reading of an object, or came before it.
pub(crate) fn is_unfinished(object: &ObjectEntry) -> bool {
    let untouched = matches!(&object.matches,
        Observed::NotApplicable(why) if says_spent(&why.detail));
    untouched || object.unsearched.iter().any(|text| says_spent(text))
}

fn says_spent(text: &str) -> bool {
    [Spent::Bytes, Spent::Cost]
        .iter()
        .any(|spent| text.ends_with(spent.words()))
}

/// What of an account need not be read again.
#[derive(Debug)]
pub(crate) enum Done {
    /// All of it.
    Whole(Box<Account>),
    /// These regions.
    Regions(BTreeMap<String, Region>),
}

/// Looks an account up in the snapshot to be resumed.
pub(crate) fn done(resume: Option<&Snapshot>, account: &str) -> Done {
    let Some(before) = resume.and_then(|snapshot| snapshot.accounts.get(account)) else {
        return Done::Regions(BTreeMap::new());
    };
    if !was_interrupted(before) && !was_cut(&before.s3) {
        return Done::Whole(Box::new(before.clone()));
    }
    let regions = before.enabled_regions();
    Done::Regions(
        regions
            .filter(|(_, region)| !was_interrupted(region))
            .map(|(name, region)| (name.clone(), region.clone()))
            .collect(),
    )
}

/// The organization as it was read before, unless it was cut off.
pub(crate) fn organization(
    resume: Option<&Snapshot>,
) -> Option<palisade_model::Observed<palisade_model::Organization>> {
    let before = &resume?.organization;
    (!was_interrupted(before)).then(|| before.clone())
}

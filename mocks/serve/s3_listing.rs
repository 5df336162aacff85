//! Listings of buckets: ListObjectsV2, its predecessor, and versions.

use std::collections::BTreeSet;

use palisade_model::{ObjectEntry, ObjectListing};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::s3::{Place, s3_time};
use super::{Desk, Outcome};
use crate::world::hash_text;

/// What `encoding-type=url` leaves alone.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b'/');

pub(super) fn answer(desk: &Desk<'_>, place: &Place<'_>) -> Outcome {
    let nothing = ObjectListing::default();
    let listing = desk.fact(&place.bucket.objects)?.unwrap_or(&nothing);
    match desk.call.operation.as_str() {
        "ListObjectVersions" => versions(desk, place, listing),
        _ => current(desk, place, listing),
    }
}

/// A line of a listing: a key, or what stands for all keys under a prefix.
enum Line<'a> {
    Key(&'a ObjectEntry),
    Prefix(String),
}

impl Line<'_> {
    fn name(&self) -> &str {
        match self {
            Line::Key(entry) => &entry.key,
            Line::Prefix(prefix) => prefix,
        }
    }
}

fn lines<'a>(desk: &Desk<'_>, entries: impl Iterator<Item = &'a ObjectEntry>) -> Vec<Line<'a>> {
    let prefix = desk.call.text("prefix").unwrap_or_default();
    let delimiter = desk.call.text("delimiter").unwrap_or_default();
    let mut sorted: Vec<&ObjectEntry> = entries
        .filter(|entry| entry.key.starts_with(&prefix))
        .collect();
    sorted.sort_by(|one, other| one.key.as_bytes().cmp(other.key.as_bytes()));
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for entry in sorted {
        let rest = &entry.key[prefix.len()..];
        match rest.find(&delimiter).filter(|_| !delimiter.is_empty()) {
            Some(at) => {
                let common = format!("{prefix}{}", &rest[..at + delimiter.len()]);
                if seen.insert(common.clone()) {
                    lines.push(Line::Prefix(common));
                }
            }
            None => lines.push(Line::Key(entry)),
        }
    }
    lines
}

/// A key as the answer holds it: percent-encoded where the client asked for it.
fn shown(desk: &Desk<'_>, text: &str) -> String {
    match desk.call.text("encoding-type").as_deref() {
        Some("url") => utf8_percent_encode(text, KEPT).to_string(),
        _ => text.to_owned(),
    }
}

pub(super) fn etag(place: &Place<'_>, entry: &ObjectEntry) -> String {
    let version = entry.version.as_deref().unwrap_or_default();
    let size = entry.size.to_string();
    format!(
        "\"{}\"",
        hash_text(
            32,
            &["etag", place.owner, place.name, &entry.key, version, &size]
        )
    )
}

fn storage_class(entry: &ObjectEntry) -> &str {
    match entry.storage_class.as_str() {
        "" => "STANDARD",
        class => class,
    }
}

fn contents(desk: &Desk<'_>, place: &Place<'_>, entry: &ObjectEntry) -> Value {
    let modified = entry.modified.unwrap_or(desk.world.snapshot.taken_at);
    json!({
        "Key": shown(desk, &entry.key),
        "LastModified": s3_time(modified),
        "ETag": etag(place, entry),
        "Size": entry.size,
        "StorageClass": storage_class(entry),
    })
}

fn current(desk: &Desk<'_>, place: &Place<'_>, listing: &ObjectListing) -> Outcome {
    let second = desk.call.operation == "ListObjectsV2";
    let (after, token) = match second {
        true => ("start-after", "continuation-token"),
        false => ("marker", "marker"),
    };
    let max = desk.call.number("max-keys").unwrap_or(1000);
    let start = desk.call.text(after).unwrap_or_default();
    let entries = listing
        .objects
        .iter()
        .filter(|entry| entry.version.is_none());
    let mut all = lines(desk, entries);
    all.retain(|line| line.name().as_bytes() > start.as_bytes());
    let (page, next) = match (second, max) {
        (_, 0) => (Vec::new(), None),
        (true, _) => {
            let page = desk.page(all, token, "max-keys")?;
            (page.items, page.next)
        }
        (false, _) => {
            let size = max.min(desk.responder.page);
            let more = all.len() > size;
            all.truncate(size);
            let last = all.last().map(|line| line.name().to_owned());
            (all, last.filter(|_| more))
        }
    };
    let mut keys = Vec::new();
    let mut prefixes = Vec::new();
    for line in &page {
        match line {
            Line::Key(entry) => keys.push(contents(desk, place, entry)),
            Line::Prefix(prefix) => prefixes.push(json!({"Prefix": shown(desk, prefix)})),
        }
    }
    let mut value = json!({
        "Name": place.name,
        "Prefix": shown(desk, &desk.call.text("prefix").unwrap_or_default()),
        "Delimiter": desk.call.text("delimiter"),
        "MaxKeys": max,
        "EncodingType": desk.call.text("encoding-type"),
        "IsTruncated": next.is_some(),
        "Contents": keys,
        "CommonPrefixes": prefixes,
    });
    if second {
        value["KeyCount"] = page.len().into();
        value["ContinuationToken"] = desk.call.text(token).into();
        value["StartAfter"] = desk.call.text(after).into();
        value["NextContinuationToken"] = next.into();
    } else {
        value["Marker"] = start.into();
        value["NextMarker"] = next.map(|next| shown(desk, &next)).into();
    }
    Ok(Answer::xml("ListBucketResult", value))
}

/// Versions: the current one first, then those that the world names.
fn versions(desk: &Desk<'_>, place: &Place<'_>, listing: &ObjectListing) -> Outcome {
    let key_marker = desk.call.text("key-marker").unwrap_or_default();
    let version_marker = desk.call.text("version-id-marker").unwrap_or_default();
    let ever = desk.fact(&place.bucket.versioning)?.is_some();
    let id = |entry: &ObjectEntry| match &entry.version {
        Some(version) => version.clone(),
        None if ever => hash_text(32, &["version", place.name, &entry.key]),
        None => "null".to_owned(),
    };
    let mut all = lines(desk, listing.objects.iter());
    if !key_marker.is_empty() {
        let from = all.iter().position(|line| {
            line.name() == key_marker
                && matches!(line, Line::Key(entry) if id(entry) == version_marker)
        });
        match from {
            Some(at) => drop(all.drain(..=at)),
            None => all.retain(|line| line.name() > key_marker.as_str()),
        }
    }
    let max = desk.call.number("max-keys").unwrap_or(1000);
    if max == 0 {
        return Err(Failure::new(
            400,
            "InvalidArgument",
            "max-keys must be positive",
        ));
    }
    let size = max.min(desk.responder.page);
    let more = all.len() > size;
    all.truncate(size);
    let mut keys = Vec::new();
    let mut prefixes = Vec::new();
    let mut next = (String::new(), String::new());
    for line in &all {
        match line {
            Line::Key(entry) => {
                let mut value = contents(desk, place, entry);
                next = (entry.key.clone(), id(entry));
                value["VersionId"] = next.1.as_str().into();
                value["IsLatest"] = entry.version.is_none().into();
                keys.push(value);
            }
            Line::Prefix(prefix) => {
                next = (prefix.clone(), String::new());
                prefixes.push(json!({"Prefix": shown(desk, prefix)}));
            }
        }
    }
    Ok(Answer::xml(
        "ListVersionsResult",
        json!({
            "Name": place.name,
            "Prefix": shown(desk, &desk.call.text("prefix").unwrap_or_default()),
            "KeyMarker": shown(desk, &key_marker),
            "VersionIdMarker": version_marker,
            "NextKeyMarker": more.then(|| shown(desk, &next.0)),
            "NextVersionIdMarker": more.then_some(next.1),
            "MaxKeys": max,
            "EncodingType": desk.call.text("encoding-type"),
            "IsTruncated": more,
            "Version": keys,
            "CommonPrefixes": prefixes,
        }),
    ))
}

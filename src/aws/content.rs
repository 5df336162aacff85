//! The content of one object: a bounded range of it, through the content engine, and gone.

use aws_sdk_s3::primitives::ByteStream;
use palisade_model::{Gap, GapKind, ObjectEntry, ObjectMatch, Observed, Why};
use palisade_secrets::names::{KeyClass, ReadMode, classify};
use palisade_secrets::{Engine, Limits, Match, Role};

use crate::objects::Shelf;

/// The most bytes of one object, whatever its kind asks for.
const MOST: u64 = 16 << 20;

/// What the object holds that looks like a credential.
pub(crate) async fn content(
    shelf: &Shelf<'_>,
    engine: &Engine,
    object: &ObjectEntry,
) -> Observed<Vec<ObjectMatch>> {
    let Some(class) = classify(&object.key) else {
        return Observed::not_applicable(Why::NotAsked, "nothing in its name asks for reading");
    };
    if class.read == ReadMode::None || object.size == 0 {
        return Observed::not_applicable(Why::Kind, "the name says everything");
    }
    if matches!(object.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE") {
        return Observed::not_applicable(Why::Kind, "archived: cannot be read as it is");
    }
    let wanted = amount(&class, object, shelf.limits.max_object_bytes);
    let granted = shelf.allowance(wanted);
    if granted == 0 {
        return Observed::not_applicable(Why::NotAsked, "the reading budget is used up");
    }
    match fetch(shelf, object, granted).await {
        Observed::Value(bytes) => {
            let (matches, _) = engine.scan_bytes(&bytes, &object.key, &Limits::remote());
            Observed::Value(kept(matches))
        }
        other => other.map(|_| Vec::new()),
    }
}

/// How many bytes, from the front, are worth reading.
fn amount(class: &KeyClass, object: &ObjectEntry, per_object: u64) -> u64 {
    let whole = matches!(class.read, ReadMode::Full | ReadMode::Peek);
    let cap = if whole {
        class.cap
    } else {
        class.cap.min(per_object)
    };
    object.size.min(cap).min(MOST)
}

async fn fetch(shelf: &Shelf<'_>, object: &ObjectEntry, bytes: u64) -> Observed<Vec<u8>> {
    let operation = match object.version {
        Some(_) => "s3:GetObjectVersion",
        None => "s3:GetObject",
    };
    let answer = shelf.place.ask(operation, || {
        shelf
            .client
            .get_object()
            .bucket(shelf.name)
            .key(&object.key)
            .set_version_id(object.version.clone())
            .range(format!("bytes=0-{}", bytes - 1))
            .expected_bucket_owner(shelf.owner)
            .send()
    });
    let body: ByteStream = match answer.await {
        Observed::Value(answer) => answer.body,
        other => return other.map(|_| Vec::new()),
    };
    match body.collect().await {
        // A server that does not know ranges sends everything; the budget still holds.
        Ok(body) => {
            let mut body = body.to_vec();
            body.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
            Observed::Value(body)
        }
        Err(_) => Gap::new(operation, GapKind::Unreachable).into(),
    }
}

/// Secrets, and identifiers that belong to none of them.
fn kept(matches: Vec<Match>) -> Vec<ObjectMatch> {
    let secrets = matches.iter().filter(|found| found.class == Role::Secret);
    let held: Vec<Option<String>> = secrets.map(|found| found.key_id.clone()).collect();
    let mut kept: Vec<ObjectMatch> = matches
        .into_iter()
        .filter(|found| match found.class {
            Role::Secret => true,
            Role::Identifier => !held.contains(&found.key_id),
            Role::Context => false,
        })
        .map(|found| ObjectMatch {
            rule: found.rule,
            inner: found.inner,
            start: found.start,
            end: found.end,
            redacted: found.redacted,
            fingerprint: found.fingerprint.unwrap_or_default(),
            key_id: found.key_id,
            account: found.account_id,
            paired: found.paired,
        })
        .collect();
    kept.sort();
    kept
}

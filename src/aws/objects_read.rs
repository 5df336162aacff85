//! The content of objects: bounded windows of them, through the content engine, and gone.
//!
//! An object streams by in windows of [`WINDOW`] bytes, each asked for by range and paid for
//! before. At most two windows of an object are in memory at once, and 16 requests are in flight.
//! What could not be read, or was left out, is said beside what was found.

use std::io::{self, Read};
use std::sync::Arc;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use palisade_model::{Gap, GapKind, ObjectEntry, ObjectListing, ObjectMatch, Observed, Why};
use palisade_secrets::names::ReadMode;
use palisade_secrets::{Engine as Content, Limits, Match, Outcome, Role};
use tokio::sync::mpsc;

use crate::objects::Shelf;
use crate::objects_list::Sighting;
use crate::objects_spans::{Span, cap, left_out, spans};
use crate::objects_zip::is_zip;
use crate::tasks::each;

/// Bytes asked for at a time.
pub(crate) const WINDOW: u64 = 1 << 20;

/// A range that came.
struct Window {
    bytes: bytes::Bytes,
    etag: Option<String>,
    /// How long the object is by now, where the answer says so.
    total: Option<u64>,
    encryption: Option<String>,
}

/// Why a range did not come.
enum Refused {
    /// The object is not as it was: changed, or gone.
    Changed(Box<Gap>),
    Failed(Box<Gap>),
}

impl Shelf<'_> {
    /// Reads what is worth reading, most telling first, within the limits.
    pub(crate) async fn read(
        &self,
        engine: &Arc<Content>,
        sightings: &mut [Sighting],
        listing: &mut ObjectListing,
    ) {
        let mut order: Vec<usize> = (0..sightings.len())
            .filter(|index| sightings[*index].class().is_some())
            .collect();
        order.sort_by(|a, b| sightings[*a].order().cmp(&sightings[*b].order()));
        let most = self.limits.max_reads;
        if order.len() > most {
            let text = format!(
                "the {most} most telling of {} objects were read",
                order.len()
            );
            listing.limits.push(text);
            for index in order.drain(most..) {
                sightings[index].entry.matches =
                    Observed::not_applicable(Why::NotAsked, "others were more telling");
            }
        }
        let asked: Vec<(usize, Sighting)> = order
            .into_iter()
            .map(|index| (index, sightings[index].clone()))
            .collect();
        let read = each(asked, |(index, sighting)| async move {
            (index, self.content(engine, sighting).await)
        });
        for (index, entry) in read.await {
            sightings[index].entry = entry;
        }
    }

    /// The object with what its content holds that looks like a credential.
    async fn content(&self, engine: &Arc<Content>, sighting: Sighting) -> ObjectEntry {
        let mut entry = sighting.entry.clone();
        if let Some(before) = self.read_before(&entry) {
            return before;
        }
        entry.unsearched.clear(); // What an earlier scan left out is read now.
        let Some(class) = sighting.class() else {
            return entry;
        };
        let not_asked = |text: &str| Observed::not_applicable(Why::NotAsked, text);
        let archived = matches!(entry.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE");
        entry.matches = if class.read == ReadMode::None || entry.size == 0 {
            Observed::not_applicable(Why::Kind, "the name says everything")
        } else if archived {
            Observed::not_applicable(Why::Kind, "archived: cannot be read as it is")
        } else {
            not_asked("")
        };
        if matches!(&entry.matches, Observed::NotApplicable(why) if why.why == Why::Kind) {
            return entry;
        }
        let mut reading = Reading {
            shelf: self,
            engine,
            etag: sighting.etag.clone(),
            entry,
            found: Vec::new(),
        };
        let most = cap(class, self.limits.max_object_bytes);
        let mut front = u64::MAX;
        let mut any = false;
        if is_zip(&reading.entry.key) && reading.entry.size > most {
            match reading.members(most).await {
                Ok(Some(used)) => (any, front) = (true, most - used),
                Ok(None) => {}
                Err(outcome) => {
                    reading.entry.matches = outcome;
                    return reading.entry;
                }
            }
        }
        for span in spans(class, &reading.entry, self.limits.max_object_bytes) {
            match reading.span((span.0, span.1.min(front)), &[]).await {
                Ok(()) => any = true,
                Err(outcome) if !any => {
                    reading.entry.matches = outcome;
                    return reading.entry;
                }
                Err(outcome) => reading.leave(span.0, &outcome),
            }
        }
        let whole = reading.entry.size;
        if let Some(end) = left_out(class, &reading.entry, self.limits.max_object_bytes) {
            let (from, until) = (end.0.min(front), end.1);
            let text = match front {
                u64::MAX => "names of its kind rarely need them",
                _ => "but for the members that are named for it",
            };
            let text = format!("bytes {from} to {until} of {whole}: {text}");
            reading.entry.unsearched.push(text);
        }
        reading.found.sort();
        reading.found.dedup();
        reading.entry.matches = Observed::Value(reading.found);
        reading.entry
    }

    /// One range of an object in the state `etag`.
    async fn window(
        &self,
        entry: &ObjectEntry,
        etag: Option<&String>,
        (from, until): Span,
    ) -> Result<Window, Refused> {
        let operation = match entry.version {
            Some(_) => "s3:GetObjectVersion",
            None => "s3:GetObject",
        };
        let answer = self.place.ask(operation, || {
            self.client
                .get_object()
                .bucket(self.name)
                .key(&entry.key)
                .set_version_id(entry.version.clone())
                .range(format!("bytes={from}-{}", until - 1))
                .set_if_match(etag.cloned())
                .expected_bucket_owner(self.owner)
                .send()
        });
        match answer.await {
            Observed::Value(answer) => received(operation, answer, until - from).await,
            Observed::Gap(gap) => Err(refused(gap)),
            Observed::Absent | Observed::NotApplicable(_) => {
                Err(Refused::Failed(Box::new(Gap::not_collected(operation))))
            }
        }
    }
}

/// What an answer to a range holds; never more than was asked for. S3 names the state of every
/// object it hands out and says which range follows: what does neither, or is cut, is not what
/// the object holds.
async fn received(operation: &str, answer: GetObjectOutput, most: u64) -> Result<Window, Refused> {
    let range = answer.content_range.as_deref().and_then(bounds);
    let total = range.map(|(_, total)| total);
    let encryption = answer.server_side_encryption;
    let cut = || Refused::Failed(Box::new(Gap::new(operation, GapKind::Unparsable)));
    let bytes = answer.body.collect().await.map_err(|_| cut())?;
    let mut bytes = bytes.into_bytes();
    let whole = range.is_none_or(|(length, _)| length == bytes.len() as u64);
    if answer.e_tag.is_none() || !whole {
        return Err(cut());
    }
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(Window {
        bytes,
        etag: answer.e_tag,
        total,
        encryption: encryption.map(|kind| kind.as_str().to_owned()),
    })
}

/// How long a range is, and the object it belongs to: `bytes 0-99/1234`.
fn bounds(range: &str) -> Option<(u64, u64)> {
    let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (from, last) = span.split_once('-')?;
    let (from, last): (u64, u64) = (from.parse().ok()?, last.parse().ok()?);
    Some((last.checked_sub(from)? + 1, total.parse().ok()?))
}

/// What a refusal to hand an object out tells of its encryption: S3 names the key where the key
/// is what refuses, and asks for the key that only the writer has. Source: "Error responses",
/// Amazon S3 API Reference, and "Troubleshoot access denied (403 Forbidden) errors in Amazon S3".
fn told_lock(gap: &Gap) -> Observed<String> {
    let by_key = gap.code.starts_with("KMS.") || gap.message.contains("kms:Decrypt");
    let by_customer = gap
        .message
        .contains("using a form of Server Side Encryption");
    if by_key {
        Observed::Value("aws:kms".to_owned())
    } else if by_customer {
        Observed::Value("SSE-C".to_owned())
    } else {
        Observed::Gap(Box::new(gap.clone()))
    }
}

fn refused(mut gap: Box<Gap>) -> Refused {
    let words = match gap.code.as_str() {
        "PreconditionFailed" => "it changed while it was read",
        "NoSuchKey" | "NoSuchVersion" => "it is gone since it was listed",
        _ => return Refused::Failed(gap),
    };
    gap.kind = GapKind::NotCollected;
    gap.message = words.to_owned();
    Refused::Changed(gap)
}

/// One object being read.
pub(crate) struct Reading<'a> {
    shelf: &'a Shelf<'a>,
    engine: &'a Arc<Content>,
    /// The state that all windows have to come from.
    etag: Option<String>,
    pub(crate) entry: ObjectEntry,
    found: Vec<ObjectMatch>,
}

impl Reading<'_> {
    /// Reads and searches one stretch, as if `end` followed it. Errs with what to say of the
    /// object when not a single window of it came.
    pub(crate) async fn span(
        &mut self,
        (from, until): Span,
        end: &'static [u8],
    ) -> Result<(), Observed<Vec<ObjectMatch>>> {
        let purse = &self.shelf.place.engine().purse;
        let (mut at, mut until) = (from, until);
        let (sender, receiver) = mpsc::channel(1);
        let mut search = Some(receiver);
        let mut searching = None;
        while at < until {
            let granted = match purse.range((until - at).min(WINDOW), &self.entry.storage_class) {
                Ok(granted) => granted,
                Err(spent) if at == from => {
                    return Err(Observed::not_applicable(Why::NotAsked, spent.words()));
                }
                Err(spent) => {
                    self.rest(at, spent.words());
                    break;
                }
            };
            let window = match self.next((at, at + granted), at == from).await {
                Ok(window) => window,
                Err(outcome) if at == from => return Err(outcome),
                Err(outcome) => {
                    self.leave(at, &outcome);
                    break;
                }
            };
            until = until.min(window.total.unwrap_or(until));
            let came = window.bytes.len() as u64;
            at += came;
            if let Some(receiver) = search.take() {
                searching = Some(self.search(receiver));
            }
            // Whoever searches hangs up when nothing more can be found in it.
            if came == 0 || sender.send(window.bytes).await.is_err() {
                break;
            }
        }
        if !end.is_empty() {
            // Whoever has hung up needs no end.
            let _ = sender.send(bytes::Bytes::from_static(end)).await;
        }
        drop(sender);
        let Some(searching) = searching else {
            return Ok(()); // It is empty by now.
        };
        match searching.await {
            Ok(Ok((matches, outcome))) => self.keep(matches, outcome, from),
            // The engine failed, not the object: nothing is known of its content.
            Ok(Err(_)) | Err(_) => return Err(Gap::new("s3:GetObject", GapKind::Internal).into()),
        }
        Ok(())
    }

    /// A stretch as it is, for whoever must see it in one piece. `None` when not all of it came.
    pub(crate) async fn fetch(
        &mut self,
        (from, until): Span,
    ) -> Result<Option<Vec<u8>>, Observed<Vec<ObjectMatch>>> {
        let mut out = Vec::new();
        let mut at = from;
        while at < until {
            let purse = &self.shelf.place.engine().purse;
            let granted = match purse.range((until - at).min(WINDOW), &self.entry.storage_class) {
                Ok(granted) => granted,
                Err(spent) if at == from => {
                    return Err(Observed::not_applicable(Why::NotAsked, spent.words()));
                }
                Err(_) => return Ok(None),
            };
            let window = self.next((at, at + granted), at == from).await?;
            let same = window.total.is_none_or(|total| total == self.entry.size);
            if window.bytes.is_empty() || !same {
                return Ok(None);
            }
            at += window.bytes.len() as u64;
            out.extend_from_slice(&window.bytes);
        }
        Ok(Some(out))
    }

    /// The next window. An object that changed since it was listed is read in its new state,
    /// once; what changes under the reading is left.
    async fn next(
        &mut self,
        span: Span,
        first: bool,
    ) -> Result<Window, Observed<Vec<ObjectMatch>>> {
        let mut answer = self
            .shelf
            .window(&self.entry, self.etag.as_ref(), span)
            .await;
        let fresh = first && self.found.is_empty() && self.etag.is_some();
        if let (true, Err(Refused::Changed(gap))) = (fresh, &answer)
            && gap.code == "PreconditionFailed"
        {
            self.etag = None;
            if let Err(spent) = self.shelf.place.engine().purse.ask() {
                return Err(Observed::not_applicable(Why::NotAsked, spent.words()));
            }
            answer = self.shelf.window(&self.entry, None, span).await;
        }
        if let Err(Refused::Failed(gap)) = &answer
            && self.found.is_empty()
        {
            self.entry.encryption = told_lock(gap);
        }
        let window = answer.map_err(|refused| match refused {
            Refused::Failed(gap) if gap.code == "InvalidObjectState" => {
                Observed::not_applicable(Why::Kind, "archived: cannot be read as it is")
            }
            Refused::Changed(gap) | Refused::Failed(gap) => Observed::Gap(gap),
        })?;
        self.etag = window.etag.clone().or(self.etag.take());
        // Only a KMS key keeps anybody out.
        let locked = window
            .encryption
            .clone()
            .filter(|kind| kind.starts_with("aws:kms"));
        self.entry.encryption = crate::s3::or_absent(locked);
        Ok(window)
    }

    fn search(
        &self,
        receiver: mpsc::Receiver<bytes::Bytes>,
    ) -> tokio::task::JoinHandle<io::Result<(Vec<Match>, Outcome)>> {
        let (engine, name) = (self.engine.clone(), self.entry.key.clone());
        tokio::task::spawn_blocking(move || {
            let pipe = Pipe {
                receiver,
                window: bytes::Bytes::new(),
            };
            engine.scan_stream(pipe, &name, &Limits::remote())
        })
    }

    fn keep(&mut self, matches: Vec<Match>, outcome: Outcome, from: u64) {
        for mut found in kept(matches) {
            if found.inner.is_none() {
                found.start += from;
                found.end += from;
            }
            self.found.push(found);
        }
        for unread in outcome.unread {
            let text = match unread.inner {
                Some(inner) => format!("{inner}: {}", unread.why),
                None => unread.why,
            };
            if !self.entry.unsearched.contains(&text) {
                self.entry.unsearched.push(text);
            }
        }
    }

    /// Notes that nothing was read from a place on.
    fn rest(&mut self, at: u64, why: &str) {
        self.entry
            .unsearched
            .push(format!("from byte {at} on: {why}"));
    }

    pub(crate) fn leave(&mut self, at: u64, outcome: &Observed<Vec<ObjectMatch>>) {
        let why = match outcome {
            Observed::Gap(gap) if !gap.message.is_empty() => format!("{gap}: {}", gap.message),
            Observed::Gap(gap) => gap.to_string(),
            Observed::NotApplicable(why) => why.detail.clone(),
            Observed::Value(_) | Observed::Absent => return,
        };
        self.rest(at, &why);
    }
}

/// Windows as the engine reads them: one stream, in its own thread.
struct Pipe {
    receiver: mpsc::Receiver<bytes::Bytes>,
    window: bytes::Bytes,
}

impl Read for Pipe {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.window.is_empty() {
            match self.receiver.blocking_recv() {
                Some(window) => self.window = window,
                None => return Ok(0),
            }
        }
        let count = out.len().min(self.window.len());
        out[..count].copy_from_slice(&self.window.split_to(count));
        Ok(count)
    }
}

/// Secrets, and identifiers that belong to none of them.
fn kept(matches: Vec<Match>) -> Vec<ObjectMatch> {
    let secrets = matches.iter().filter(|found| found.class == Role::Secret);
    let held: Vec<Option<String>> = secrets.map(|found| found.key_id.clone()).collect();
    matches
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
            expired: found.expired,
        })
        .collect()
}

//! The names in a bucket: all of them where they are few, an honest sample where they are not.
//!
//! A bucket is listed from its front. One that is larger than half of its pages is then asked
//! for telling keys by name, walked breadth first, so that every top folder is seen, and tasted
//! at places of its key space that its name alone decides. A bucket of a billion keys takes as
//! many requests as one of a hundred thousand.

use std::collections::{HashSet, VecDeque};

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{EncodingType, Object};
use palisade_model::{Gap, GapKind, ObjectEntry, ObjectListing, Observed, Time, Why};
use palisade_secrets::names::{Class, KeyClass, classify};
use percent_encoding::percent_decode_str;

use crate::objects::Shelf;
use crate::pages::half_a_row;
use crate::purse::Spent;
use crate::tasks::each;

/// Keys that are worth asking for by name where not everything can be listed.
pub(crate) const DIRECT: [&str; 15] = [
    ".aws/credentials",
    ".env",
    ".git/HEAD",
    ".ssh/id_rsa",
    "backup.sql",
    "config.json",
    "config.yaml",
    "config/.env",
    "credentials",
    "credentials.csv",
    "id_rsa",
    "rootkey.csv",
    "secrets.json",
    "terraform.tfstate",
    "wp-config.php",
];

/// Folders walked in a large bucket, and how deep.
const FOLDERS: usize = 2_000;
const DEPTH: usize = 4;
/// Pages of versions looked at.
pub(crate) const VERSION_PAGES: u64 = 20;

/// One object that was seen, with what is only needed until it is read.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(crate) entry: ObjectEntry,
    /// The state in which it was listed.
    pub(crate) etag: Option<String>,
    class: Option<KeyClass>,
}

impl Sighting {
    fn new(object: Object, version: Option<String>) -> Option<Sighting> {
        let key = plain(object.key.as_deref()?);
        let class = classify(&key);
        let storage_class = object.storage_class.map(|class| class.as_str().to_owned());
        let telling = class
            .as_ref()
            .filter(|class| matches!(class.class, Class::A | Class::B));
        let not_asked = || Why::NotAsked;
        let size = object.size.and_then(|size| u64::try_from(size).ok());
        let entry = ObjectEntry {
            pattern: telling.map(|class| class.pattern.clone()),
            key,
            size: size.unwrap_or_default(),
            storage_class: storage_class
                .filter(|class| class != "STANDARD")
                .unwrap_or_default(),
            modified: object.last_modified.map(|date| Time(date.secs())),
            version,
            acl: Observed::not_applicable(not_asked(), ""),
            encryption: Observed::not_applicable(not_asked(), ""),
            matches: Observed::not_applicable(not_asked(), ""),
            unsearched: Vec::new(),
        };
        Some(Sighting {
            entry,
            etag: object.e_tag,
            class,
        })
    }

    /// One that an earlier scan saw.
    pub(crate) fn again(entry: ObjectEntry) -> Sighting {
        Sighting {
            class: classify(&entry.key),
            entry,
            etag: None,
        }
    }

    /// What its name says, where it says anything.
    pub(crate) fn class(&self) -> Option<&KeyClass> {
        self.class.as_ref()
    }

    /// Whether nobody has asked for its access list yet, or in vain.
    pub(crate) fn is_fresh(&self) -> bool {
        match &self.entry.acl {
            Observed::NotApplicable(why) => why.why == Why::NotAsked,
            Observed::Gap(_) => true,
            Observed::Value(_) | Observed::Absent => false,
        }
    }

    /// What comes first: the more its name says, then the newer. Logs of AWS itself say little.
    pub(crate) fn order(&self) -> impl Ord + use<'_> {
        let class = self.class.as_ref().map_or(9, |class| match class.class {
            _ if class.ids_off => 8,
            class => class as u8,
        });
        let modified = std::cmp::Reverse(self.entry.modified);
        (class, modified, &self.entry.key, &self.entry.version)
    }
}

/// What was seen so far.
pub(crate) struct Seen {
    kept: Vec<Sighting>,
    /// Every key that was seen, as a number: a page may be met twice.
    keys: HashSet<u64>,
    /// Likewise for versions that are not the current one.
    versions: HashSet<u64>,
    pages: u64,
    most: usize,
    limits: Vec<String>,
    gaps: Vec<Gap>,
}

impl Seen {
    pub(crate) fn new(most: usize) -> Seen {
        Seen {
            kept: Vec::new(),
            keys: HashSet::new(),
            versions: HashSet::new(),
            pages: 0,
            most,
            limits: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Takes a page in; says whether any key of it was new.
    fn take(&mut self, objects: Vec<Object>) -> bool {
        let before = self.keys.len();
        for object in objects {
            let key = object.key.clone().unwrap_or_default();
            if self.keys.insert(number(&[&key])) {
                self.keep(Sighting::new(object, None));
            }
        }
        self.keys.len() > before
    }

    /// Keeps the most telling ones, so that memory does not grow with the bucket.
    fn keep(&mut self, sighting: Option<Sighting>) {
        self.kept.extend(sighting);
        if self.kept.len() >= 2 * self.most.max(64) {
            self.prune();
        }
    }

    fn keep_old(&mut self, sighting: Option<Sighting>) {
        let entry = sighting.as_ref().map(|sighting| &sighting.entry);
        let id = entry.map(|e| number(&[&e.key, e.version.as_deref().unwrap_or_default()]));
        if id.is_some_and(|id| self.versions.insert(id)) {
            self.keep(sighting);
        }
    }

    fn prune(&mut self) {
        self.kept.sort_by(|a, b| a.order().cmp(&b.order()));
        self.kept.truncate(self.most);
    }

    fn limit(&mut self, text: &str) {
        if !self.limits.iter().any(|known| known == text) {
            self.limits.push(text.to_owned());
        }
    }

    fn gap(&mut self, gap: Gap) {
        let same = |known: &Gap| (&known.operation, known.kind) == (&gap.operation, gap.kind);
        if !self.gaps.iter().any(same) {
            self.gaps.push(gap);
        }
    }

    /// Notes why a page was not to be had.
    fn stop(&mut self, stop: Stop) {
        match stop {
            Stop::Spent(spent) => self.limit(spent.words()),
            Stop::Failed(gap) => self.gap(*gap),
        }
    }

    /// The listing, still without its objects, and what is to be looked at closer.
    pub(crate) fn into_parts(mut self) -> (ObjectListing, Vec<Sighting>) {
        self.prune();
        let listing = ObjectListing {
            objects: Vec::new(),
            seen: self.keys.len() as u64,
            complete: false,
            limits: self.limits,
            gaps: self.gaps,
        };
        (listing, self.kept)
    }
}

/// Why there is no page.
enum Stop {
    Spent(Spent),
    Failed(Box<Gap>),
}

/// Which page.
#[derive(Clone, Default)]
struct Ask<'a> {
    prefix: &'a str,
    folders: bool,
    token: Option<String>,
    after: Option<String>,
}

/// A key as it is: listings are asked for in URL encoding, since XML cannot hold every
/// character. Source: "ListObjectsV2", `encoding-type`, Amazon S3 API Reference.
fn plain(key: &str) -> String {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// A number that the words decide, the same in every run (FNV-1a, mixed once more).
fn number(words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0xff]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Shelf<'_> {
    async fn page(&self, seen: &mut Seen, ask: Ask<'_>) -> Result<ListObjectsV2Output, Stop> {
        self.place.engine().purse.list().map_err(Stop::Spent)?;
        seen.pages += 1;
        self.ask_page(ask).await
    }

    async fn ask_page(&self, ask: Ask<'_>) -> Result<ListObjectsV2Output, Stop> {
        let answer = self.place.ask("s3:ListObjectsV2", || {
            let mut call = self
                .client
                .list_objects_v2()
                .bucket(self.name)
                .encoding_type(EncodingType::Url)
                .expected_bucket_owner(self.owner)
                .set_continuation_token(ask.token.clone())
                .set_start_after(ask.after.clone());
            if !ask.prefix.is_empty() {
                call = call.prefix(ask.prefix);
            }
            if ask.folders {
                call = call.delimiter("/");
            }
            call.send()
        });
        let page = settled(answer.await, "s3:ListObjectsV2")?;
        let nameless = page.contents().iter().any(|object| object.key.is_none());
        match nameless {
            true => Err(Stop::Failed(Box::new(half_a_row("s3:ListObjectsV2")))),
            false => Ok(page),
        }
    }

    /// Whether all keys were seen. Only a bucket of which nothing at all could be listed is a gap.
    pub(crate) async fn list(&self, seen: &mut Seen) -> Observed<bool> {
        let front = (self.limits.max_pages / 2).max(1);
        let mut token = None;
        while seen.pages < front && (seen.keys.len() as u64) < self.limits.max_keys {
            let ask = Ask {
                token: token.clone(),
                ..Ask::default()
            };
            let page = match self.page(seen, ask).await {
                Ok(page) => page,
                Err(Stop::Failed(gap)) if seen.pages == 1 => return (*gap).into(),
                Err(stop) => {
                    seen.stop(stop);
                    return Observed::Value(false);
                }
            };
            seen.take(page.contents.unwrap_or_default());
            if !page.is_truncated.unwrap_or_default() {
                return Observed::Value(true);
            }
            let next = page.next_continuation_token;
            if next.is_none() || next == token {
                seen.gap(Gap {
                    message: "there is more, and no way on was offered".to_owned(),
                    ..Gap::new("s3:ListObjectsV2", GapKind::Unparsable)
                });
                return Observed::Value(false);
            }
            token = next;
        }
        let keys = seen.keys.len();
        seen.limit(&format!(
            "listed from the front up to {keys} keys, then sampled"
        ));
        self.direct(seen).await;
        self.sample(seen).await;
        Observed::Value(false)
    }

    /// Keys that matter, asked for by name.
    async fn direct(&self, seen: &mut Seen) {
        let pages = each(DIRECT.to_vec(), |key| async move {
            self.place.engine().purse.list().map_err(Stop::Spent)?;
            self.ask_page(Ask {
                prefix: key,
                folders: true,
                ..Ask::default()
            })
            .await
        });
        for (key, page) in DIRECT.iter().zip(pages.await) {
            seen.pages += 1;
            match page {
                Ok(page) => {
                    let mut objects = page.contents.unwrap_or_default();
                    objects
                        .retain(|object| object.key.as_deref().map(plain).as_deref() == Some(key));
                    seen.take(objects);
                }
                Err(stop) => seen.stop(stop),
            }
        }
    }

    /// One page of every folder, level by level; then, in what is larger than a page, pages from
    /// anywhere.
    async fn sample(&self, seen: &mut Seen) {
        let most = self.limits.max_pages;
        let (mut waiting, mut large) = (VecDeque::from([(String::new(), 0)]), Vec::new());
        let mut walked = 0;
        while let Some((prefix, depth)) = waiting.pop_front() {
            if seen.pages >= most - most / 5 || walked >= FOLDERS {
                break;
            }
            walked += 1;
            let ask = Ask {
                prefix: &prefix,
                folders: true,
                ..Ask::default()
            };
            let page = match self.page(seen, ask).await {
                Ok(page) => page,
                Err(stop @ Stop::Spent(_)) => return seen.stop(stop),
                Err(stop) => {
                    seen.stop(stop);
                    continue;
                }
            };
            seen.take(page.contents.unwrap_or_default());
            if depth < DEPTH {
                let below = page.common_prefixes.unwrap_or_default().into_iter();
                let names = below.filter_map(|folder| folder.prefix);
                waiting.extend(names.map(|name| (plain(&name), depth + 1)));
            }
            if page.is_truncated.unwrap_or_default() {
                large.push(prefix);
            }
        }
        self.taste(seen, &large).await;
    }

    /// Pages from places in large folders that nothing but names decides.
    async fn taste(&self, seen: &mut Seen, large: &[String]) {
        const LETTERS: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut round = 0_u64;
        while seen.pages < self.limits.max_pages && !large.is_empty() {
            let prefix = &large[round as usize % large.len()];
            let draw = number(&[self.name, prefix, &round.to_string()]);
            let letter = |shift: u64| char::from(LETTERS[(draw >> shift) as usize % 62]);
            let ask = Ask {
                prefix,
                after: Some(format!("{prefix}{}{}", letter(3), letter(33))),
                ..Ask::default()
            };
            match self.page(seen, ask).await {
                Ok(page) => drop(seen.take(page.contents.unwrap_or_default())),
                Err(stop @ Stop::Spent(_)) => return seen.stop(stop),
                Err(stop) => seen.stop(stop),
            }
            round += 1;
        }
    }

    /// Telling names among versions that are not the current one, those behind a delete marker
    /// among them: a policy may still serve them. Says whether all were seen.
    pub(crate) async fn old_versions(&self, seen: &mut Seen, complete: bool) -> bool {
        let whole = self.versions(seen, "", VERSION_PAGES).await;
        if whole == Some(false) {
            seen.limit(&format!("old versions: the first {VERSION_PAGES} pages"));
            if !complete {
                // Where not everything can be seen, the keys that matter are asked for by name.
                for key in DIRECT {
                    self.versions(seen, key, 1).await;
                }
            }
        }
        whole == Some(true)
    }

    /// Pages of versions; `None` when one was not to be had, else whether that was all.
    async fn versions(&self, seen: &mut Seen, prefix: &str, most: u64) -> Option<bool> {
        let (mut key, mut version) = (None, None);
        for _ in 0..most {
            if let Err(spent) = self.place.engine().purse.list() {
                seen.stop(Stop::Spent(spent));
                return None;
            }
            let answer = self.place.ask("s3:ListObjectVersions", || {
                self.client
                    .list_object_versions()
                    .bucket(self.name)
                    .encoding_type(EncodingType::Url)
                    .expected_bucket_owner(self.owner)
                    .set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
                    .set_key_marker(key.clone())
                    .set_version_id_marker(version.clone())
                    .send()
            });
            let page = match settled(answer.await, "s3:ListObjectVersions") {
                Ok(page) => page,
                Err(stop) => {
                    seen.stop(stop);
                    return None;
                }
            };
            if page.versions().iter().any(|old| old.key.is_none()) {
                seen.gap(half_a_row("s3:ListObjectVersions"));
                return None;
            }
            for old in page.versions.unwrap_or_default() {
                if old.is_latest.unwrap_or_default() {
                    continue;
                }
                let object = Object::builder()
                    .set_key(old.key)
                    .set_size(old.size)
                    .set_last_modified(old.last_modified)
                    .set_e_tag(old.e_tag)
                    .build();
                let sighting = Sighting::new(object, old.version_id);
                seen.keep_old(sighting.filter(|sighting| sighting.entry.pattern.is_some()));
            }
            if !page.is_truncated.unwrap_or_default() {
                return Some(true);
            }
            let next = (
                page.next_key_marker.map(|key| plain(&key)),
                page.next_version_id_marker,
            );
            if next.0.is_none() || next == (key.clone(), version.clone()) {
                seen.gap(Gap {
                    message: "there is more, and no way on was offered".to_owned(),
                    ..Gap::new("s3:ListObjectVersions", GapKind::Unparsable)
                });
                return None;
            }
            (key, version) = next;
        }
        Some(false)
    }
}

fn settled<T>(answer: Observed<T>, operation: &str) -> Result<T, Stop> {
    match answer {
        Observed::Value(page) => Ok(page),
        Observed::Gap(gap) => Err(Stop::Failed(gap)),
        Observed::Absent | Observed::NotApplicable(_) => {
            Err(Stop::Failed(Box::new(Gap::not_collected(operation))))
        }
    }
}

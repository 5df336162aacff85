//! What lies in buckets that somebody outside might see: names always, content when asked.
//!
//! A bucket is listed from its front; one that is larger than the limits is then walked breadth
//! first, so that every top folder is seen, and the listing says that it is a sample.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::Object;
use palisade_model::{
    Bucket, ObjectEntry, ObjectListing, Observed, PublicAccessBlock, S3, Time, Why,
};
use palisade_secrets::names::{Class, classify};
use palisade_secrets::{Engine as Content, FingerprintKey};

use crate::content::content;
use crate::engine::{Place, Visit};
use crate::options::{ObjectOptions, Options};
use crate::s3::{acl, client};
use crate::tasks::each;

/// Lists, and reads where asked, the buckets that are worth it.
pub(crate) async fn objects(visit: &Arc<Visit>, s3: &mut S3) {
    let account = s3.public_access_block.clone();
    let Observed::Value(buckets) = &mut s3.buckets else {
        return;
    };
    let options = &visit.engine.options;
    let engine = options
        .read_content
        .then(|| content_engine(options))
        .flatten();
    let engine = engine.as_ref();
    let mut wanted = Vec::new();
    for (name, bucket) in buckets.iter_mut() {
        if matches!(bucket.objects, Observed::NotApplicable(_)) {
            continue; // in a region that was left out
        }
        let listed = match &options.wants_listing {
            Some(wants) => wants(name, bucket),
            None => !is_closed(&account, bucket),
        };
        if listed {
            wanted.push((name.clone(), bucket.clone()));
        } else {
            bucket.objects = Observed::not_applicable(Why::NotAsked, "the bucket is closed");
        }
    }
    let account = &account;
    let read = each(wanted, |(name, bucket)| async move {
        let place = visit.place(&bucket.region);
        let shelf = Shelf {
            client: client(&place),
            place: &place,
            owner: &visit.account,
            name: &name,
            limits: &options.objects,
        };
        let listing = shelf.look(account, &bucket, engine).await;
        (name, listing)
    });
    for (name, listing) in read.await {
        if let Some(bucket) = buckets.get_mut(&name) {
            bucket.objects = listing;
        }
    }
}

fn content_engine(options: &Options) -> Option<Content> {
    Content::new(palisade_secrets::Options {
        fingerprint_key: FingerprintKey::new(&options.objects.fingerprint_key),
        as_of: options.taken_at.map(|time| time.0),
        ..palisade_secrets::Options::default()
    })
    .ok()
}

/// Whether a block at either level shuts out everybody outside, whatever policies and lists say.
fn is_closed(account: &Observed<PublicAccessBlock>, bucket: &Bucket) -> bool {
    let flags = |block: &Observed<PublicAccessBlock>| block.value().copied().unwrap_or_default();
    let effective = flags(account).or(flags(&bucket.public_access_block));
    effective.ignore_public_acls && effective.restrict_public_buckets
}

/// Keys that are worth asking for by name where not everything can be listed.
const DIRECT: [&str; 15] = [
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

/// Pages listed from the front before a bucket counts as large.
const FRONT: u64 = 20;
/// Folders walked in a large bucket, and how deep.
const FOLDERS: usize = 2_000;
const DEPTH: usize = 4;
/// Pages of noncurrent versions looked at.
const VERSION_PAGES: usize = 5;
/// Objects whose own access list is asked for.
const LISTS: usize = 100;

pub(crate) struct Shelf<'a> {
    pub(crate) client: Client,
    pub(crate) place: &'a Place,
    pub(crate) owner: &'a str,
    pub(crate) name: &'a str,
    pub(crate) limits: &'a ObjectOptions,
}

/// Keys seen so far.
#[derive(Default)]
struct Seen {
    objects: BTreeMap<String, ObjectEntry>,
    /// Keys whose names say nothing, as far as they are kept.
    others: BTreeMap<String, ObjectEntry>,
    count: u64,
    pages: u64,
}

impl Seen {
    fn add(&mut self, object: Object, limits: &ObjectOptions) {
        let Some(key) = object.key.clone() else {
            return;
        };
        if self.objects.contains_key(&key) || self.others.contains_key(&key) {
            return;
        }
        self.count += 1;
        let entry = entry(object);
        if entry.pattern.is_some() {
            self.objects.insert(key, entry);
        } else if self.others.len() < limits.max_named {
            self.others.insert(key, entry);
        }
    }
}

fn entry(object: Object) -> ObjectEntry {
    let key = object.key.unwrap_or_default();
    let storage_class = object.storage_class.map(|class| class.as_str().to_owned());
    ObjectEntry {
        pattern: pattern_of(&key),
        key,
        size: object
            .size
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or_default(),
        storage_class: storage_class
            .filter(|class| class != "STANDARD")
            .unwrap_or_default(),
        modified: object.last_modified.map(|date| Time(date.secs())),
        version: None,
        acl: Observed::not_applicable(Why::NotAsked, ""),
        encryption: Observed::not_applicable(Why::NotAsked, ""),
        matches: Observed::not_applicable(Why::NotAsked, ""),
    }
}

fn pattern_of(key: &str) -> Option<String> {
    classify(key)
        .filter(|class| matches!(class.class, Class::A | Class::B))
        .map(|class| class.pattern)
}

impl Shelf<'_> {
    async fn look(
        &self,
        account: &Observed<PublicAccessBlock>,
        bucket: &Bucket,
        engine: Option<&Content>,
    ) -> Observed<ObjectListing> {
        let mut seen = Seen::default();
        let complete = match self.list(&mut seen).await {
            Observed::Value(complete) => complete,
            other => return other.map(|_| ObjectListing::default()),
        };
        let mut objects: Vec<ObjectEntry> =
            std::mem::take(&mut seen.objects).into_values().collect();
        objects.truncate(self.limits.max_named);
        let room = self.limits.max_named.saturating_sub(objects.len());
        objects.extend(std::mem::take(&mut seen.others).into_values().take(room));
        if bucket.versioning.value().is_some() {
            objects.extend(self.old_versions().await);
        }
        self.lists(account, bucket, &mut objects).await;
        if let Some(engine) = engine {
            self.read(engine, &mut objects).await;
        }
        objects.sort_by(|a, b| (&a.key, &a.version).cmp(&(&b.key, &b.version)));
        Observed::Value(ObjectListing {
            objects,
            seen: seen.count,
            complete,
        })
    }

    /// One page of keys below `prefix`.
    async fn page(
        &self,
        prefix: &str,
        folders: bool,
        token: Option<String>,
    ) -> Observed<aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output> {
        self.place
            .ask("s3:ListObjectsV2", || {
                let mut call = self
                    .client
                    .list_objects_v2()
                    .bucket(self.name)
                    .expected_bucket_owner(self.owner)
                    .set_continuation_token(token.clone());
                if !prefix.is_empty() {
                    call = call.prefix(prefix);
                }
                if folders {
                    call = call.delimiter("/");
                }
                call.send()
            })
            .await
    }

    /// Whether all keys were seen.
    async fn list(&self, seen: &mut Seen) -> Observed<bool> {
        let mut token = None;
        loop {
            let page = match self.page("", false, token.clone()).await {
                Observed::Value(page) => page,
                other => return other.map(|_| false),
            };
            seen.pages += 1;
            for object in page.contents.unwrap_or_default() {
                seen.add(object, self.limits);
            }
            let next = page.next_continuation_token;
            if !page.is_truncated.unwrap_or_default() || next.is_none() || next == token {
                return Observed::Value(true);
            }
            token = next;
            if seen.count >= self.limits.max_keys || seen.pages >= FRONT.min(self.limits.max_pages)
            {
                break;
            }
        }
        self.direct(seen).await;
        self.folders(seen).await;
        Observed::Value(false)
    }

    /// Keys that matter, asked for by name.
    async fn direct(&self, seen: &mut Seen) {
        let pages = each(DIRECT.to_vec(), |key| self.page(key, true, None)).await;
        for (key, page) in DIRECT.iter().zip(pages) {
            seen.pages += 1;
            let objects = page.value().and_then(|page| page.contents.clone());
            for object in objects.unwrap_or_default() {
                if object.key.as_deref() == Some(key) {
                    seen.add(object, self.limits);
                }
            }
        }
    }

    /// One page of every folder, level by level, until a limit bites.
    async fn folders(&self, seen: &mut Seen) {
        let mut waiting = VecDeque::from([(String::new(), 0)]);
        let mut walked = 0;
        while let Some((prefix, depth)) = waiting.pop_front() {
            let spent = seen.count >= self.limits.max_keys || seen.pages >= self.limits.max_pages;
            if spent || walked >= FOLDERS {
                return;
            }
            walked += 1;
            seen.pages += 1;
            let Observed::Value(page) = self.page(&prefix, true, None).await else {
                continue;
            };
            for object in page.contents.unwrap_or_default() {
                seen.add(object, self.limits);
            }
            if depth < DEPTH {
                for folder in page.common_prefixes.unwrap_or_default() {
                    waiting.extend(folder.prefix.map(|prefix| (prefix, depth + 1)));
                }
            }
        }
    }

    /// Telling names among versions that are not the current one: a policy may still serve them.
    async fn old_versions(&self) -> Vec<ObjectEntry> {
        let mut found = Vec::new();
        let (mut key, mut version) = (None, None);
        for _ in 0..VERSION_PAGES {
            let page = self.place.ask("s3:ListObjectVersions", || {
                self.client
                    .list_object_versions()
                    .bucket(self.name)
                    .expected_bucket_owner(self.owner)
                    .set_key_marker(key.clone())
                    .set_version_id_marker(version.clone())
                    .send()
            });
            let Observed::Value(page) = page.await else {
                return found;
            };
            for old in page.versions.unwrap_or_default() {
                let telling = old.key.as_deref().and_then(pattern_of);
                if old.is_latest.unwrap_or_default() || telling.is_none() {
                    continue;
                }
                let object = Object::builder()
                    .set_key(old.key)
                    .set_size(old.size)
                    .set_last_modified(old.last_modified)
                    .build();
                found.push(ObjectEntry {
                    version: old.version_id,
                    ..entry(object)
                });
            }
            if !page.is_truncated.unwrap_or_default() {
                return found;
            }
            (key, version) = (page.next_key_marker, page.next_version_id_marker);
        }
        found
    }

    /// The objects' own access lists, where lists work at all.
    async fn lists(
        &self,
        account: &Observed<PublicAccessBlock>,
        bucket: &Bucket,
        objects: &mut [ObjectEntry],
    ) {
        let enforced = bucket
            .ownership
            .value()
            .is_some_and(|mode| mode == "BucketOwnerEnforced");
        let ignored = [account, &bucket.public_access_block]
            .iter()
            .any(|block| block.value().is_some_and(|block| block.ignore_public_acls));
        if enforced || ignored {
            for object in objects {
                object.acl = Observed::not_applicable(Why::Kind, "access lists have no effect");
            }
            return;
        }
        let mut order: Vec<usize> = (0..objects.len()).collect();
        order.sort_by_key(|index| objects[*index].pattern.is_none());
        order.truncate(LISTS);
        let asked: Vec<(usize, String, Option<String>)> = order
            .into_iter()
            .map(|index| {
                (
                    index,
                    objects[index].key.clone(),
                    objects[index].version.clone(),
                )
            })
            .collect();
        let read = each(asked, |(index, key, version)| async move {
            let answer = self.place.ask("s3:GetObjectAcl", || {
                self.client
                    .get_object_acl()
                    .bucket(self.name)
                    .key(&key)
                    .set_version_id(version.clone())
                    .expected_bucket_owner(self.owner)
                    .send()
            });
            let list = match answer.await {
                Observed::Value(answer) => acl(answer.owner, answer.grants),
                other => other.map(|_| palisade_model::Acl::default()),
            };
            (index, list)
        });
        for (index, list) in read.await {
            objects[index].acl = list;
        }
    }

    /// Reads what is worth reading, most telling first, within the limits.
    async fn read(&self, engine: &Content, objects: &mut [ObjectEntry]) {
        let mut order: Vec<(Class, usize)> = objects
            .iter()
            .enumerate()
            .filter_map(|(index, object)| Some((classify(&object.key)?.class, index)))
            .collect();
        order.sort();
        order.truncate(self.limits.max_reads);
        let asked: Vec<(usize, ObjectEntry)> = order
            .into_iter()
            .map(|(_, index)| (index, objects[index].clone()))
            .collect();
        let read = each(asked, |(index, object)| async move {
            (index, content(self, engine, &object).await)
        });
        for (index, matches) in read.await {
            objects[index].matches = matches;
        }
    }

    /// Takes `wanted` bytes out of the budget of the whole scan; what is left when that is less.
    pub(crate) fn allowance(&self, wanted: u64) -> u64 {
        let left = &self.place.engine().bytes_left;
        let mut granted = 0;
        let take = |have: u64| {
            granted = wanted.min(have);
            Some(have - granted)
        };
        // The closure always gives a value, so the update cannot fail.
        let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        granted
    }
}

//! What lies in buckets that somebody outside might see: names always, content when asked.
//!
//! Which buckets, within which limits, and what an earlier scan already holds. `objects_list`
//! finds the names, `objects_read` the content; every request is paid for out of one purse.

use std::sync::Arc;

use aws_sdk_s3::Client;
use palisade_model::{
    Bucket, Gap, GapKind, ObjectEntry, ObjectListing, Observed, PublicAccessBlock, S3, Why,
};
use palisade_secrets::{Engine as Content, FingerprintKey};

use crate::engine::{Place, Visit};
use crate::objects_list::{Seen, Sighting};
use crate::options::{ObjectOptions, Options};
use crate::resume::{is_cut, is_unfinished};
use crate::s3::{acl, client};
use crate::tasks::each;

/// One bucket being looked into.
pub(crate) struct Shelf<'a> {
    pub(crate) client: Client,
    pub(crate) place: &'a Place,
    pub(crate) owner: &'a str,
    pub(crate) name: &'a str,
    pub(crate) limits: &'a ObjectOptions,
    /// What a scan that is resumed found here.
    pub(crate) before: Option<&'a ObjectListing>,
}

/// Lists, and reads where asked, the buckets that are worth it.
pub(crate) async fn objects(visit: &Arc<Visit>, s3: &mut S3) {
    let account = s3.public_access_block.clone();
    let Observed::Value(buckets) = &mut s3.buckets else {
        return;
    };
    let options = &visit.engine.options;
    let content = options.read_content.then(|| content_engine(options));
    let mut wanted = Vec::new();
    for (name, bucket) in buckets.iter_mut() {
        if matches!(bucket.objects, Observed::NotApplicable(_)) {
            continue; // in a region that was left out
        }
        if bucket.region.is_empty() {
            // Without its region nothing in it can be asked for.
            bucket.objects = Observed::not_collected("s3:ListObjectsV2");
            continue;
        }
        let listed = match &options.wants_listing {
            Some(wants) => wants(name, bucket),
            None => !is_closed(&visit.account, &account, bucket),
        };
        if listed {
            wanted.push((name.clone(), bucket.clone()));
        } else {
            bucket.objects = Observed::not_applicable(Why::NotAsked, "the bucket is closed");
        }
    }
    tell_estimate(visit, wanted.len());
    let (account, content) = (&account, content.as_ref());
    let read = each(wanted, |(name, bucket)| async move {
        let place = visit.place(&bucket.region);
        let shelf = Shelf {
            client: client(&place),
            place: &place,
            owner: &visit.account,
            name: &name,
            limits: &options.objects,
            before: earlier(options, &visit.account, &name),
        };
        let listing = shelf.look(account, &bucket, content).await;
        (name, listing)
    });
    for (name, listing) in read.await {
        if let Some(bucket) = buckets.get_mut(&name) {
            bucket.objects = listing;
        }
    }
}

/// The content engine, or why there is none: then no object counts as read.
type Reader = Result<Arc<Content>, Gap>;

fn content_engine(options: &Options) -> Reader {
    let engine = Content::new(palisade_secrets::Options {
        fingerprint_key: FingerprintKey::new(&options.objects.fingerprint_key),
        as_of: options.taken_at.map(|time| time.0),
        ..palisade_secrets::Options::default()
    });
    engine.map(Arc::new).map_err(|error| Gap {
        message: error.to_string(),
        ..Gap::new("s3:GetObject", GapKind::Internal)
    })
}

fn earlier<'a>(options: &'a Options, account: &str, bucket: &str) -> Option<&'a ObjectListing> {
    let account = options.resume.as_ref()?.accounts.get(account)?;
    account.s3.buckets.value()?.get(bucket)?.objects.value()
}

/// Says what it may cost, where somebody might mind.
fn tell_estimate(visit: &Visit, buckets: usize) {
    let (engine, options) = (&visit.engine, &visit.engine.options);
    let minds = options.read_content || options.objects.max_cost.is_some();
    if engine.local || buckets == 0 || !minds {
        return;
    }
    let limits = &options.objects;
    let reads = if options.read_content {
        limits.max_reads as u64
    } else {
        0
    };
    let (lists, acls) = (limits.max_lists(), limits.max_named as u64);
    let text = engine.purse.estimate(buckets as u64, lists, acls, reads);
    engine
        .observer
        .note(&format!("account {}: {text}", visit.account));
}

/// Whether a block at either level shuts out everybody outside, whatever the access lists say and
/// although the policy may be public. A policy that speaks of CloudFront or of other accounts
/// opens the bucket past the block, and one that was not read might.
fn is_closed(own: &str, account: &Observed<PublicAccessBlock>, bucket: &Bucket) -> bool {
    let flags = |block: &Observed<PublicAccessBlock>| block.value().copied().unwrap_or_default();
    let effective = flags(account).or(flags(&bucket.public_access_block));
    let blocked = effective.ignore_public_acls && effective.restrict_public_buckets;
    let named = match &bucket.policy {
        Observed::Absent | Observed::NotApplicable(_) => false,
        Observed::Gap(_) => true,
        Observed::Value(text) => names_others(own, text.as_str()),
    };
    blocked && !named
}

fn names_others(own: &str, policy: &str) -> bool {
    let words = policy.split(|c: char| !c.is_ascii_alphanumeric());
    let is_account = |word: &str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit());
    words.into_iter().any(|word| {
        word.eq_ignore_ascii_case("cloudfront")
            || word == "CanonicalUser"
            || (is_account(word) && word != own)
    })
}

impl Shelf<'_> {
    async fn look(
        &self,
        account: &Observed<PublicAccessBlock>,
        bucket: &Bucket,
        content: Option<&Reader>,
    ) -> Observed<ObjectListing> {
        let (mut listing, mut sightings) = match self.found(bucket).await {
            Observed::Value(found) => found,
            other => return other.map(|_| ObjectListing::default()),
        };
        self.access_lists(account, bucket, &mut sightings).await;
        match content {
            Some(Ok(engine)) => self.read(engine, &mut sightings, &mut listing).await,
            Some(Err(gap)) => {
                for sighting in &mut sightings {
                    sighting.entry.matches = gap.clone().into();
                }
            }
            None => {}
        }
        listing.objects = sightings
            .into_iter()
            .map(|sighting| sighting.entry)
            .collect();
        listing
            .objects
            .sort_by(|a, b| (&a.key, &a.version).cmp(&(&b.key, &b.version)));
        Observed::Value(listing)
    }

    /// The names: those an earlier scan listed to the end, or a fresh listing.
    async fn found(&self, bucket: &Bucket) -> Observed<(ObjectListing, Vec<Sighting>)> {
        if let Some(before) = self
            .before
            .filter(|before| before.gaps.is_empty() && !is_cut(before))
        {
            let mut listing = before.clone();
            let entries = std::mem::take(&mut listing.objects);
            let sightings = entries.into_iter().map(Sighting::again).collect();
            return Observed::Value((listing, sightings));
        }
        let mut seen = Seen::new(self.limits.max_named);
        let complete = match self.list(&mut seen).await {
            Observed::Value(complete) => complete,
            other => return other.map(|_| (ObjectListing::default(), Vec::new())),
        };
        let ever = !matches!(bucket.versioning, Observed::Absent);
        let versions = !ever || self.old_versions(&mut seen, complete).await;
        let (mut listing, sightings) = seen.into_parts();
        listing.complete = complete && versions;
        Observed::Value((listing, sightings))
    }

    /// What the earlier scan read of an object that is still the same.
    pub(crate) fn read_before(&self, entry: &ObjectEntry) -> Option<ObjectEntry> {
        let same = |other: &&ObjectEntry| {
            (&other.key, &other.version) == (&entry.key, &entry.version)
                && (other.size, other.modified) == (entry.size, entry.modified)
        };
        let before = self.before?.objects.iter().find(same)?;
        before.matches.value()?;
        (!is_unfinished(before)).then(|| before.clone())
    }

    /// The objects' own access lists, where lists work at all.
    async fn access_lists(
        &self,
        account: &Observed<PublicAccessBlock>,
        bucket: &Bucket,
        sightings: &mut [Sighting],
    ) {
        let enforced = bucket
            .ownership
            .value()
            .is_some_and(|mode| mode == "BucketOwnerEnforced");
        let ignored = [account, &bucket.public_access_block]
            .iter()
            .any(|block| block.value().is_some_and(|block| block.ignore_public_acls));
        if enforced || ignored {
            for sighting in sightings {
                sighting.entry.acl =
                    Observed::not_applicable(Why::Kind, "access lists have no effect");
            }
            return;
        }
        let asked: Vec<(usize, ObjectEntry)> = sightings
            .iter()
            .enumerate()
            .filter(|(_, sighting)| sighting.is_fresh())
            .map(|(index, sighting)| (index, sighting.entry.clone()))
            .collect();
        let read = each(asked, |(index, entry)| async move {
            (index, self.access_list(&entry).await)
        });
        for (index, list) in read.await {
            sightings[index].entry.acl = list;
        }
    }

    async fn access_list(&self, entry: &ObjectEntry) -> Observed<palisade_model::Acl> {
        if let Err(spent) = self.place.engine().purse.ask() {
            let gap = Gap::not_collected("s3:GetObjectAcl");
            return Gap {
                message: spent.words().to_owned(),
                ..gap
            }
            .into();
        }
        let answer = self.place.ask("s3:GetObjectAcl", || {
            self.client
                .get_object_acl()
                .bucket(self.name)
                .key(&entry.key)
                .set_version_id(entry.version.clone())
                .expected_bucket_owner(self.owner)
                .send()
        });
        match answer.await {
            Observed::Value(answer) => acl("s3:GetObjectAcl", answer.owner, answer.grants),
            other => other.map(|_| palisade_model::Acl::default()),
        }
    }
}

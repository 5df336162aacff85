//! Who can list, read, write and re-permission one bucket.
//!
//! The decision in one line: no Deny matches in the bucket policy, an access point's policy or
//! an RCP; some statement or ACL grants; no block voids that grant; and the object can be
//! served. Sources: "How Amazon S3 authorizes a request" and "Blocking public access to your
//! Amazon S3 storage", S3 User Guide.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_model::{
    AccessPoint, Arn, Bucket, Gap, GapKind, ObjectEntry, Observed, PolicyText, PublicAccessBlock,
};

use crate::policy::document::Effect;
use crate::policy::{CompiledPolicy, Interner};

use super::audience::{Audience, Barrier, Capability, Network, Opening, Path, Scope};
use super::cdn::{Distributions, concerns};
use super::kms::{KeyUse, Lock};
use super::openings::{Granted, openings};
use super::outsider::{outsiders, places};
use super::reading::is_public;
use super::search::{Candidate, Denial, Lens, Search, Tries, allows, below, statements};
use super::states::Target;
use super::surroundings::{Rcps, Surroundings};
use super::view::{Gaps, Unread, View};
use super::words::Words;

/// A policy as far as it was read.
#[derive(Clone)]
pub(super) enum Rules {
    None,
    Read(Arc<CompiledPolicy>),
    Unread,
}

/// Everything that settles one bucket's exposure.
pub(super) struct Facts<'a> {
    pub(super) account: &'a str,
    pub(super) name: &'a str,
    pub(super) arn: String,
    pub(super) bucket: &'a Bucket,
    pub(super) account_block: &'a Observed<PublicAccessBlock>,
    pub(super) policy: Rules,
    pub(super) points: Vec<Point<'a>>,
    pub(super) rcps: Rcps,
    pub(super) gaps: Gaps,
    pub(super) words: Words,
    pub(super) around: &'a Surroundings<'a>,
    pub(super) distributions: &'a Distributions<'a>,
    pub(super) key: KeyUse,
}

/// An access point in front of the bucket.
pub(super) struct Point<'a> {
    pub(super) arn: &'a Arn,
    pub(super) point: &'a AccessPoint,
    pub(super) account: &'a str,
    pub(super) policy: Rules,
    /// The block of the access point's account, where that is another one.
    pub(super) account_block: Option<&'a Observed<PublicAccessBlock>>,
}

/// What an object is judged by when one is meant.
#[derive(Clone, Copy)]
pub(super) struct OneObject<'a> {
    pub(super) entry: &'a ObjectEntry,
}

/// A session is how directory buckets are listed, read and written. Source: "Authorizing Regional
/// endpoint API operations with IAM" and "CreateSession authorization", S3 User Guide.
const SESSION: [&str; 1] = ["s3express:CreateSession"];
const LIST: [&str; 2] = ["s3:ListBucket", "s3:ListBucketVersions"];
pub(super) const READ: [&str; 2] = ["s3:GetObject", "s3:GetObjectVersion"];
const WRITE: [&str; 5] = [
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
];
/// Rewriting ACLs does nothing while ownership is enforced; lifting that is a call of its own.
const CHANGE_BUCKET_ACL: [&str; 1] = ["s3:PutBucketAcl"];
pub(super) const CHANGE_OBJECT_ACL: [&str; 2] = ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"];
const LIFT_OWNERSHIP: [&str; 1] = ["s3:PutBucketOwnershipControls"];

/// Reads a policy text; one that is no policy counts as unread.
pub(super) fn rules(
    fact: &Observed<PolicyText>,
    what: Unread,
    operation: &str,
    gaps: &mut Gaps,
    compiled: &mut Interner,
) -> Rules {
    match fact {
        Observed::Absent | Observed::NotApplicable(_) => Rules::None,
        Observed::Gap(gap) => {
            gaps.push(what, (**gap).clone());
            Rules::Unread
        }
        Observed::Value(text) => {
            let policy = compiled.get(text.as_str());
            if policy.document().is_none() {
                gaps.push(what, Gap::new(operation, GapKind::Unparsable));
                return Rules::Unread;
            }
            Rules::Read(policy)
        }
    }
}

impl Facts<'_> {
    /// Directory buckets have all four flags on and no ACLs, for good.
    fn is_directory(&self) -> bool {
        self.name.ends_with("--x-s3")
    }

    pub(super) fn ignores_acls(&self, view: &View) -> bool {
        self.is_directory() || self.flag(view, |block| block.ignore_public_acls)
    }

    pub(super) fn restricts(&self, view: &View) -> bool {
        self.is_directory() || self.flag(view, |block| block.restrict_public_buckets)
    }

    fn flag(&self, view: &View, on: fn(&PublicAccessBlock) -> bool) -> bool {
        view.closes(
            self.account_block,
            Unread::AccountBlock,
            &Barrier::AccountBlock,
            on,
        ) || view.closes(
            &self.bucket.public_access_block,
            Unread::BucketBlock,
            &Barrier::BucketBlock,
            on,
        )
    }

    pub(super) fn owner_enforced(&self, view: &View) -> bool {
        self.is_directory()
            || view.closes(
                &self.bucket.ownership,
                Unread::Ownership,
                &Barrier::OwnerEnforced,
                |setting| setting == "BucketOwnerEnforced",
            )
    }

    fn requester_pays(&self, view: &View) -> bool {
        view.closes(
            &self.bucket.request_payer,
            Unread::Payer,
            &Barrier::RequesterPays,
            |payer| payer == "Requester",
        )
    }

    /// The ways a capability is open under a view; with `one`, for that object alone.
    pub(super) fn openings(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
    ) -> Vec<Opening> {
        let unread = matches!(self.policy, Rules::Unread);
        if unread && !view.is_open(&Unread::Policy) {
            // The policy may refuse everything.
            return Vec::new();
        }
        if self.rcps.gap.is_some() && !view.is_open(&Unread::Rcps) {
            // What was not read may refuse every stranger.
            return Vec::new();
        }
        let mut target = self.target(one.is_some());
        if capability == Capability::Write && self.is_directory() {
            // A session that may write is asked for as one.
            target.fixed = &[("s3express:sessionmode", "ReadWrite")];
        }
        let outsiders = outsiders(&self.words, self.account, self.around);
        let places = places(&self.words, self.account, self.around);
        let denials = self.denials();
        let lens = Lens {
            open: view.is_open(&Unread::Keys),
            without: &view.without,
        };
        let search = Search {
            target: &target,
            outsiders: &outsiders,
            places: &places,
            denials: &denials,
            lens,
            signed_only: self.requester_pays(view),
        };
        let mut granted = Vec::new();
        self.by_policy(capability, view, one, &search, &mut granted);
        self.by_acl(capability, view, one, &search, &mut granted);
        self.by_access_points(capability, view, one, &search, &mut granted);
        self.by_distributions(capability, view, one, &search, &mut granted);
        if capability == Capability::Read {
            granted.extend(self.unseen_object_acls(view, one, &search));
            self.key.narrow(self.lock(one), view, &mut granted);
        }
        let mut openings = openings(granted, view, self.around);
        if unread {
            // Or it may grant everything.
            openings.push(self.unread_policy(capability, view));
            openings.sort_by(|a, b| b.audience.cmp(&a.audience).then_with(|| a.cmp(b)));
        }
        openings
    }

    fn target(&self, one_object: bool) -> Target<'_> {
        Target {
            account: self.account,
            organization: self.around.organization_id(),
            region: &self.bucket.region,
            tags: Some(&self.bucket.tags),
            one_object,
            fixed: &[],
            now: self.around.snapshot.taken_at,
            words: &self.words,
        }
    }

    pub(super) fn denials(&self) -> Vec<Denial<'_>> {
        let mut out = Vec::new();
        if let Rules::Read(policy) = &self.policy {
            out.extend(denials(policy, |statement, quote| Barrier::Deny {
                statement: statement.to_owned(),
                quote: quote.to_owned(),
            }));
        }
        for (id, policy) in &self.rcps.policies {
            out.extend(denials(policy, |_, _| Barrier::Rcp { policy: id.clone() }));
        }
        out
    }

    /// An unread policy at its worst. Where public policies are restricted it can still name
    /// strangers.
    fn unread_policy(&self, capability: Capability, view: &View) -> Opening {
        let audience = if self.restricts(view) {
            if concerns(capability) && self.distributions.may_serve(self.name) {
                Audience::CdnPublic
            } else {
                Audience::Network(Network::default())
            }
        } else if self.requester_pays(view) {
            Audience::AuthenticatedAws
        } else {
            Audience::Public
        };
        unread_opening(audience, "s3:GetBucketPolicy")
    }

    /// Actions of a capability with the resources to try them on.
    pub(super) fn requests(
        &self,
        capability: Capability,
        root: &str,
        objects: &str,
        view: &View,
        one: Option<OneObject<'_>>,
    ) -> Vec<Tries> {
        let whole = || {
            vec![Candidate {
                arn: root.to_owned(),
                pattern: None,
            }]
        };
        let keys = || match one {
            Some(one) => vec![Candidate {
                arn: format!("{objects}{}", one.entry.key),
                pattern: None,
            }],
            None => below(objects, &self.words.resources),
        };
        if self.is_directory() {
            return match capability {
                Capability::ChangeAcl => Vec::new(),
                _ => vec![(SESSION.to_vec(), whole())],
            };
        }
        match capability {
            Capability::List => vec![(LIST.to_vec(), whole())],
            Capability::Read => match one.map(|one| one.entry.version.is_some()) {
                None => vec![(READ.to_vec(), keys())],
                Some(false) => vec![(vec![READ[0]], keys())],
                Some(true) => vec![(vec![READ[1]], keys())],
            },
            Capability::Write => vec![(WRITE.to_vec(), keys())],
            Capability::ChangeAcl => {
                let mut out = vec![(LIFT_OWNERSHIP.to_vec(), whole())];
                if !self.owner_enforced(view) {
                    out.push((CHANGE_BUCKET_ACL.to_vec(), whole()));
                    out.push((CHANGE_OBJECT_ACL.to_vec(), keys()));
                }
                out
            }
        }
    }

    fn by_policy(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        let Rules::Read(policy) = &self.policy else {
            return;
        };
        if self.restricts(view) && is_public(policy, false) || self.belongs_to_another(view, one) {
            return;
        }
        let objects = format!("{}/", self.arn);
        let requests = self.requests(capability, &self.arn, &objects, view, one);
        for (written, hits) in allows(policy, &requests, search) {
            granted.push(Granted {
                path: Path::Policy {
                    statement: written.label(),
                    quote: quote(policy, written.index),
                },
                hits,
                caller_sets: caller_sets(written),
            });
        }
    }

    /// A bucket policy grants nothing on objects that another account owns. Source: "Bucket
    /// policies", S3 User Guide.
    fn belongs_to_another(&self, view: &View, one: Option<OneObject<'_>>) -> bool {
        let owner = |acl: &Observed<palisade_model::Acl>| {
            acl.value()
                .map(|acl| acl.owner.clone())
                .filter(|owner| !owner.is_empty())
        };
        match one.map(|one| (owner(&one.entry.acl), owner(&self.bucket.acl))) {
            Some((Some(object), Some(bucket))) => object != bucket && !self.owner_enforced(view),
            _ => false,
        }
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "one access point in one view of one bucket"
    )]
    fn by_distributions(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        let Rules::Read(policy) = &self.policy else {
            return;
        };
        if !concerns(capability) {
            return;
        }
        let blocked = self.restricts(view) && is_public(policy, false);
        let objects = format!("{}/", self.arn);
        let requests = self.requests(capability, &self.arn, &objects, view, one);
        for (compiled, written) in statements(policy).filter(|(c, _)| c.effect == Effect::Allow) {
            granted.extend(self.distributions.granted(
                self.name,
                (compiled, written),
                &quote(policy, written.index),
                (&requests, blocked),
                search,
                view,
            ));
        }
    }

    /// What the object, or everything in the bucket, is under. The bucket's default says nothing
    /// about objects older than it, and does not excuse a bucket into which nobody looked.
    fn lock(&self, one: Option<OneObject<'_>>) -> Lock {
        match one {
            Some(one) => lock(&self.bucket.encryption_of(one.entry)),
            None => bucket_lock(self.bucket),
        }
    }
}

pub(super) fn lock(fact: &Observed<String>) -> Lock {
    match fact {
        Observed::Value(algorithm) if algorithm.starts_with("aws:kms") => Lock::Kms,
        Observed::Value(algorithm) if algorithm == "SSE-C" => Lock::Customer,
        Observed::Gap(_) => Lock::Unread,
        _ => Lock::None,
    }
}

fn bucket_lock(bucket: &Bucket) -> Lock {
    let default = lock(&bucket.encryption);
    let listing = match &bucket.objects {
        _ if default == Lock::None => return Lock::None,
        Observed::Value(listing) => listing,
        Observed::Gap(_) => return Lock::Unread,
        Observed::Absent | Observed::NotApplicable(_) => return Lock::None,
    };
    let own = |wanted: fn(&Observed<String>) -> bool| {
        listing
            .objects
            .iter()
            .filter(move |entry| wanted(&entry.encryption))
            .count()
    };
    let locked = own(|fact| matches!(lock(fact), Lock::Kms | Lock::Customer));
    let unread = own(|fact| fact.gap().is_some());
    if own(|fact| !matches!(fact, Observed::NotApplicable(_)) && lock(fact) == Lock::None) > 0 {
        return Lock::None;
    }
    let all = locked > 0 && locked as u64 == listing.seen && listing.complete;
    if all && default == Lock::Kms {
        Lock::Kms
    } else if all || unread > 0 || !listing.gaps.is_empty() {
        Lock::Unread
    } else {
        Lock::None
    }
}

pub(super) fn denials<'p>(
    policy: &'p CompiledPolicy,
    barrier: impl Fn(&str, &str) -> Barrier,
) -> Vec<Denial<'p>> {
    statements(policy)
        .filter(|(compiled, _)| compiled.effect == Effect::Deny)
        .map(|(compiled, written)| Denial {
            barrier: barrier(&written.label(), &quote(policy, written.index)),
            compiled,
            written,
        })
        .collect()
}

pub(super) fn quote(policy: &CompiledPolicy, index: usize) -> String {
    policy.quote(index).unwrap_or_default().to_owned()
}

/// The condition keys of a statement that a stranger fills in himself.
pub(super) fn caller_sets(statement: &crate::policy::document::Statement) -> BTreeSet<String> {
    statement
        .conditions
        .iter()
        .map(|condition| condition.key.clone())
        .collect()
}

fn unread_opening(audience: Audience, operation: &str) -> Opening {
    Opening {
        audience,
        path: Path::Unread {
            operation: operation.to_owned(),
        },
        scope: Scope::Whole,
        actions: BTreeSet::new(),
        caller_sets: BTreeSet::new(),
    }
}

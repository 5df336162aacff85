//! Who can list, read, write and re-permission one bucket.
//!
//! The decision in one line: no Deny matches in the bucket policy, an access point's policy or
//! an RCP; some statement or ACL grants; no block voids that grant; and the object can be
//! served. Sources: "How Amazon S3 authorizes a request" and "Blocking public access to your
//! Amazon S3 storage", S3 User Guide.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_model::{
    AccessPoint, Arn, Bucket, Gap, GapKind, Grant, ObjectEntry, Observed, PolicyText,
    PublicAccessBlock,
};

use crate::policy::document::Effect;
use crate::policy::{CompiledPolicy, Interner};

use super::audience::{Audience, Barrier, Capability, Network, Opening, Path, Scope};
use super::cdn::{Distributions, concerns};
use super::kms::KeyUse;
use super::openings::{Granted, openings};
use super::outsider::{Kind, Place, outsiders, places, places_of_access_point};
use super::reading::{ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY, is_public, is_public_grant};
use super::search::{Candidate, Denial, Granting, Hit, Lens, Reach, Search, below, statements};
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

const LIST: [&str; 2] = ["s3:ListBucket", "s3:ListBucketVersions"];
const READ: [&str; 2] = ["s3:GetObject", "s3:GetObjectVersion"];
const WRITE: [&str; 5] = [
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
];
/// Rewriting ACLs does nothing while ownership is enforced; lifting that is a call of its own.
const CHANGE_BUCKET_ACL: [&str; 1] = ["s3:PutBucketAcl"];
const CHANGE_OBJECT_ACL: [&str; 2] = ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"];
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

    fn ignores_acls(&self, view: &View) -> bool {
        self.is_directory() || self.flag(view, |block| block.ignore_public_acls)
    }

    fn restricts(&self, view: &View) -> bool {
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

    fn owner_enforced(&self, view: &View) -> bool {
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
        if matches!(self.policy, Rules::Unread) {
            // The policy may refuse everything, or grant everything.
            return if view.is_open(&Unread::Policy) {
                self.unread_policy(capability, view)
            } else {
                Vec::new()
            };
        }
        if self.rcps.gap.is_some() && !view.is_open(&Unread::Rcps) {
            // What was not read may refuse every stranger.
            return Vec::new();
        }
        let target = self.target(one.is_some());
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
            self.key.narrow(self.encrypted(one), view, &mut granted);
        }
        openings(granted, view, self.around)
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

    fn denials(&self) -> Vec<Denial<'_>> {
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
    fn unread_policy(&self, capability: Capability, view: &View) -> Vec<Opening> {
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
        vec![unread_opening(audience, "s3:GetBucketPolicy")]
    }

    /// Actions of a capability with the resources to try them on.
    fn requests(
        &self,
        capability: Capability,
        root: &str,
        objects: &str,
        view: &View,
        one: Option<OneObject<'_>>,
    ) -> Vec<(Vec<&'static str>, Vec<Candidate>)> {
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
        for (compiled, written) in statements(policy).filter(|(c, _)| c.effect == Effect::Allow) {
            let mut hits = BTreeSet::new();
            for (actions, resources) in &requests {
                let way = Granting::Statement(compiled, written);
                hits.extend(search.hits(&way, actions, resources));
            }
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

    fn by_acl(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        if self.owner_enforced(view) {
            return;
        }
        let ignored = self.ignores_acls(view);
        let live = |grant: &&Grant| !ignored || !is_public_grant(grant);
        let objects = format!("{}/", self.arn);
        let requests = self.requests(capability, &self.arn, &objects, view, one);
        match &self.bucket.acl {
            Observed::Gap(gap) if view.is_open(&Unread::Acl) && capability != Capability::Read => {
                granted.push(self.unread_grants(ignored, &gap.operation, &requests, search));
            }
            Observed::Value(acl) => {
                for grant in acl.grants.iter().filter(live) {
                    if grant.grantee != acl.owner && opens_bucket(&grant.permission, capability) {
                        let path = Path::BucketAcl {
                            grantee: grant.grantee.clone(),
                            permission: grant.permission.clone(),
                        };
                        granted.extend(self.by_grant(grant, path, &requests, search));
                    }
                }
            }
            _ => {}
        }
        for entry in self.entries(one) {
            let Observed::Value(acl) = &entry.acl else {
                continue;
            };
            for grant in acl.grants.iter().filter(live) {
                if grant.grantee == acl.owner || !opens_object(&grant.permission, capability) {
                    continue;
                }
                let path = Path::ObjectAcl {
                    key: entry.key.clone(),
                    grantee: grant.grantee.clone(),
                    permission: grant.permission.clone(),
                };
                let candidate = Candidate {
                    arn: format!("{objects}{}", entry.key),
                    pattern: Some(entry.key.clone()),
                };
                let action = match (capability, &entry.version) {
                    (Capability::Read, None) => READ[0],
                    (Capability::Read, Some(_)) => READ[1],
                    _ => CHANGE_OBJECT_ACL[0],
                };
                let requests = vec![(vec![action], vec![candidate])];
                granted.extend(self.by_grant(grant, path, &requests, search));
            }
        }
    }

    fn entries<'e>(&'e self, one: Option<OneObject<'e>>) -> Vec<&'e ObjectEntry> {
        match one {
            Some(one) => vec![one.entry],
            None => self
                .bucket
                .objects
                .value()
                .into_iter()
                .flat_map(|list| &list.objects)
                .collect(),
        }
    }

    fn by_grant(
        &self,
        grant: &Grant,
        path: Path,
        requests: &[(Vec<&'static str>, Vec<Candidate>)],
        search: &Search<'_>,
    ) -> Option<Granted> {
        let fits: fn(&Kind) -> bool = match grant.grantee.as_str() {
            LOG_DELIVERY => return None,
            ALL_USERS => |kind| matches!(kind, Kind::Anyone | Kind::AnyAccount),
            AUTHENTICATED_USERS => |kind| *kind == Kind::AnyAccount,
            id if is_service(id) => return None,
            // One stranger: stood in for by any account, whose place he takes below.
            _ => |kind| *kind == Kind::AnyAccount,
        };
        let mut hits = BTreeSet::new();
        for (actions, resources) in requests {
            hits.extend(search.hits(&Granting::Kinds(fits), actions, resources));
        }
        if !matches!(grant.grantee.as_str(), ALL_USERS | AUTHENTICATED_USERS) {
            let known = self.around.canonical_account(&grant.grantee);
            if known == Some(self.account) {
                return None;
            }
            let name = known.unwrap_or(&grant.grantee).to_owned();
            hits = hits
                .into_iter()
                .map(|hit| Hit {
                    reach: Reach::Stranger(name.clone()),
                    ..hit
                })
                .collect();
        }
        Some(Granted {
            path,
            hits,
            caller_sets: BTreeSet::new(),
        })
    }

    /// The grants of an ACL that was not read, at their worst.
    fn unread_grants(
        &self,
        ignored: bool,
        operation: &str,
        requests: &[(Vec<&'static str>, Vec<Candidate>)],
        search: &Search<'_>,
    ) -> Granted {
        let kinds = Granting::Kinds(|kind| matches!(kind, Kind::Anyone | Kind::AnyAccount));
        let mut hits: BTreeSet<Hit> = requests
            .iter()
            .flat_map(|(actions, resources)| search.hits(&kinds, actions, resources))
            .collect();
        if ignored {
            // What is left is a grant to one account by its canonical id.
            let stranger = Reach::Stranger("unread grantee".to_owned());
            hits = hits
                .into_iter()
                .map(|hit| Hit {
                    reach: stranger.clone(),
                    ..hit
                })
                .collect();
        }
        let path = Path::Unread {
            operation: operation.to_owned(),
        };
        Granted {
            path,
            hits,
            caller_sets: BTreeSet::new(),
        }
    }

    /// Objects whose ACL could not be read, or that could not be listed, may be open by their
    /// own ACL where ACLs work.
    fn unseen_object_acls(
        &self,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
    ) -> Option<Granted> {
        if self.owner_enforced(view) {
            return None;
        }
        let ignored = self.ignores_acls(view);
        let objects = format!("{}/", self.arn);
        let listing = self.bucket.objects.gap().filter(|_| one.is_none());
        if let Some(gap) = listing
            && view.is_open(&Unread::Objects)
        {
            let requests = self.requests(Capability::Read, &self.arn, &objects, view, one);
            return Some(self.unread_grants(ignored, &gap.operation, &requests, search));
        }
        let (entry, gap) = self.entries(one).into_iter().find_map(|entry| {
            let gap = entry.acl.gap()?;
            view.is_open(&Unread::ObjectAcl(entry.key.clone()))
                .then_some((entry, gap))
        })?;
        let requests = [(
            vec![READ[usize::from(entry.version.is_some())]],
            vec![Candidate {
                arn: format!("{objects}{}", entry.key),
                pattern: Some(entry.key.clone()),
            }],
        )];
        Some(self.unread_grants(ignored, &gap.operation, &requests, search))
    }

    fn by_access_points(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        let Rules::Read(bucket_policy) = &self.policy else {
            return;
        };
        for point in &self.points {
            let id = point.arn.as_str();
            if matches!(point.policy, Rules::None) {
                continue;
            }
            let block = view.closes(
                &point.point.public_access_block,
                Unread::PointBlock(id.to_owned()),
                &Barrier::AccessPointBlock,
                |block| block.restrict_public_buckets,
            );
            let account_block = point.account_block.is_some_and(|fact| {
                view.closes(
                    fact,
                    Unread::AccountBlock,
                    &Barrier::AccountBlock,
                    |block| block.restrict_public_buckets,
                )
            });
            let restricted = block || account_block || self.restricts(view);
            let public = is_public(bucket_policy, false)
                || matches!(&point.policy, Rules::Read(policy) if is_public(policy, true));
            if restricted && public {
                continue;
            }
            if matches!(point.policy, Rules::Unread)
                && (restricted || !view.is_open(&Unread::Point(id.to_owned())))
            {
                continue;
            }
            let places = places_of_access_point(&self.words, id, point.account, &point.point.vpc);
            self.by_access_point(capability, view, one, point, &places, search, granted);
        }
        if self.points_unread(view) {
            self.by_unseen_access_point(capability, view, one, search, granted);
        }
    }

    fn points_unread(&self, view: &View) -> bool {
        self.gaps.0.iter().any(|(what, _)| *what == Unread::Points)
            && view.is_open(&Unread::Points)
            && !self.restricts(view)
    }

    /// An access point that was not listed could let everybody through, if the bucket lets an
    /// access point of this account through.
    fn by_unseen_access_point(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        let partition = self.around.snapshot.partition;
        let arn = format!(
            "arn:{partition}:s3:{}:{}:accesspoint/palisade-unseen",
            self.bucket.region, self.account
        );
        let places = places_of_access_point(&self.words, &arn, self.account, "");
        let hits = self.through_bucket(capability, view, one, &places, search);
        granted.extend(hits.into_iter().map(|(_, hits)| Granted {
            path: Path::Unread {
                operation: "s3:ListAccessPoints".to_owned(),
            },
            hits,
            caller_sets: BTreeSet::new(),
        }));
    }

    /// What the bucket's own policy lets through when asked by way of an access point.
    fn through_bucket(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        places: &[Place],
        search: &Search<'_>,
    ) -> Vec<(String, BTreeSet<Hit>)> {
        let Rules::Read(policy) = &self.policy else {
            return Vec::new();
        };
        let search = Search { places, ..*search };
        let objects = format!("{}/", self.arn);
        let requests = self.requests(capability, &self.arn, &objects, view, one);
        statements(policy)
            .filter(|(compiled, _)| compiled.effect == Effect::Allow)
            .map(|(compiled, written)| {
                let way = Granting::Statement(compiled, written);
                let hits = requests
                    .iter()
                    .flat_map(|(actions, resources)| search.hits(&way, actions, resources))
                    .collect();
                (quote(policy, written.index), hits)
            })
            .collect()
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "one access point in one view of one bucket"
    )]
    fn by_access_point(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        point: &Point<'_>,
        places: &[Place],
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        let through = self.through_bucket(capability, view, one, places, search);
        if through.iter().all(|(_, hits)| hits.is_empty()) {
            return;
        }
        let root = point.arn.as_str();
        let objects = format!("{root}/object/");
        let requests = self.requests(capability, root, &objects, view, one);
        let own: Vec<(String, BTreeSet<Hit>)> = match &point.policy {
            Rules::Read(policy) => {
                let mut denied = self.denials();
                denied.extend(denials(policy, |statement, quote| Barrier::Deny {
                    statement: statement.to_owned(),
                    quote: quote.to_owned(),
                }));
                let search = Search {
                    places,
                    denials: &denied,
                    ..*search
                };
                statements(policy)
                    .filter(|(compiled, _)| compiled.effect == Effect::Allow)
                    .map(|(compiled, written)| {
                        let way = Granting::Statement(compiled, written);
                        let hits = requests
                            .iter()
                            .flat_map(|(actions, resources)| search.hits(&way, actions, resources))
                            .collect();
                        (quote(policy, written.index), hits)
                    })
                    .collect()
            }
            // At its worst it lets through whatever the bucket does.
            Rules::Unread => vec![(
                String::new(),
                through.iter().flat_map(|(_, h)| h.clone()).collect(),
            )],
            Rules::None => Vec::new(),
        };
        for (point_quote, hits) in &own {
            for (bucket_quote, beyond) in &through {
                let both = both(hits, beyond);
                if !both.is_empty() {
                    granted.push(Granted {
                        path: Path::AccessPoint {
                            arn: root.to_owned(),
                            multi_region: point.point.multi_region,
                            quote: point_quote.clone(),
                            bucket_quote: bucket_quote.clone(),
                        },
                        hits: both,
                        caller_sets: BTreeSet::new(),
                    });
                }
            }
        }
    }

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

    /// Whether the object, or everything in the bucket, is encrypted under a KMS key; `None`
    /// when nobody looked. The bucket's default says nothing about objects older than it.
    fn encrypted(&self, one: Option<OneObject<'_>>) -> Option<bool> {
        let kms = |fact: &Observed<String>| match fact {
            Observed::Value(algorithm) => Some(algorithm.starts_with("aws:kms")),
            _ => None,
        };
        if let Some(one) = one {
            return kms(&one.entry.encryption);
        }
        let listing = self.bucket.objects.value()?;
        let all = listing.complete
            && !listing.objects.is_empty()
            && listing.seen == listing.objects.len() as u64
            && listing
                .objects
                .iter()
                .all(|entry| kms(&entry.encryption) == Some(true));
        (all && kms(&self.bucket.encryption) == Some(true)).then_some(true)
    }
}

/// Requests that both an access point and its bucket let through.
fn both(point: &BTreeSet<Hit>, bucket: &BTreeSet<Hit>) -> BTreeSet<Hit> {
    point
        .iter()
        .filter_map(|hit| {
            let beyond = |other: &&Hit| other.reach == hit.reach && other.action == hit.action;
            let mut others = bucket.iter().filter(beyond);
            let other = others.next()?;
            let whole = other.pattern.is_none() || others.any(|other| other.pattern.is_none());
            let pattern = match &hit.pattern {
                None if !whole => other.pattern.clone(),
                own => own.clone(),
            };
            Some(Hit {
                pattern,
                ..hit.clone()
            })
        })
        .collect()
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

/// What a permission of a bucket's ACL opens. `WRITE_ACP` counts as write: whoever may rewrite
/// the list can grant himself the rest. Source: "Access control list (ACL) overview", S3 User
/// Guide.
fn opens_bucket(permission: &str, capability: Capability) -> bool {
    match capability {
        Capability::List => matches!(permission, "READ" | "FULL_CONTROL"),
        Capability::Read => false,
        Capability::Write => matches!(permission, "WRITE" | "WRITE_ACP" | "FULL_CONTROL"),
        Capability::ChangeAcl => matches!(permission, "WRITE_ACP" | "FULL_CONTROL"),
    }
}

fn opens_object(permission: &str, capability: Capability) -> bool {
    match capability {
        Capability::Read => matches!(permission, "READ" | "FULL_CONTROL"),
        Capability::ChangeAcl => matches!(permission, "WRITE_ACP" | "FULL_CONTROL"),
        Capability::List | Capability::Write => false,
    }
}

/// Canonical ids of AWS services that deliver logs. Source: "Configuring standard logging",
/// CloudFront Developer Guide.
fn is_service(canonical: &str) -> bool {
    canonical == "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
}

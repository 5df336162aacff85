//! Puts the views of one bucket together: what is proven, what is possible, which unread facts
//! make the difference, and what holds back more.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Account, AccountId, Arn, Bucket, Gap, ObjectEntry, Observed, Snapshot};
use serde::{Deserialize, Serialize};

use crate::policy::document::Effect;
use crate::policy::{Caller, Context, Interner};

use super::audience::{Audience, Barrier, Capability, Opening, Stop, Verdict};
use super::bucket::{Facts, OneObject, Point, Rules, quote, rules};
use super::cdn::Distributions;
use super::kms::KeyUse;
use super::openings::widest;
use super::outsider::{Kind, Outsider, Place};
use super::reading::{is_public, is_public_acl, is_public_grant};
use super::search::statements;
use super::states::{States, Target};
use super::surroundings::Surroundings;
use super::view::{Gaps, Unread, View};
use super::words::Words;

/// What is known of one bucket's exposure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketExposure {
    /// The bucket's ARN.
    pub arn: Arn,
    /// Where it lies.
    pub region: String,
    /// Who can do what.
    pub verdicts: BTreeMap<Capability, Verdict>,
    /// Who can read the objects that were listed and that somebody could want, by key and
    /// version. Objects that are as open as the bucket itself are among them.
    pub objects: BTreeMap<(String, Option<String>), Verdict>,
    /// Whether S3 itself would call the policy public, by our reading of S3's rule; `None` when
    /// the policy was not read. It says what the blocks neutralise, not who can get in.
    pub aws_public_policy: Option<bool>,
    /// Likewise for the bucket's ACL.
    pub aws_public_acl: Option<bool>,
    /// S3's `IsPublic` where it contradicts our reading: one of the two is wrong.
    pub status_disagrees: Option<bool>,
    /// Grants in ACLs that do nothing while ownership is enforced or public ACLs are ignored.
    pub dormant_grants: BTreeSet<String>,
    /// Statements that let an AWS service in on anybody's behalf.
    pub confused_deputies: Vec<(String, String)>,
    /// Website hosting is on: whatever is readable is served over plain HTTP as well.
    pub website: bool,
    /// Callers must pay and therefore sign.
    pub requester_pays: bool,
}

impl BucketExposure {
    /// What is known of a capability.
    pub fn verdict(&self, capability: Capability) -> &Verdict {
        &self.verdicts[&capability]
    }

    /// Whether everybody (public, any AWS account, or through a CDN) has some capability:
    /// `None` when what was not read decides.
    pub fn is_open(&self) -> Option<bool> {
        let each = self
            .verdicts
            .values()
            .map(|verdict| verdict.is(Audience::is_everybody));
        let each: Vec<Option<bool>> = each.collect();
        if each.contains(&Some(true)) {
            Some(true)
        } else if each.contains(&None) {
            None
        } else {
            Some(false)
        }
    }
}

/// Judges one bucket.
pub(super) fn judge<'a>(
    (account, data): (&'a AccountId, &'a Account),
    (name, bucket): (&'a str, &'a Bucket),
    around: &'a Surroundings<'a>,
    distributions: &'a Distributions<'a>,
    compiled: &mut Interner,
) -> BucketExposure {
    let facts = facts(
        (account, data),
        (name, bucket),
        around,
        distributions,
        compiled,
    );
    let verdicts: BTreeMap<Capability, Verdict> = Capability::ALL
        .into_iter()
        .map(|capability| (capability, verdict(&facts, capability, None)))
        .collect();
    let read = &verdicts[&Capability::Read];
    let mut objects = BTreeMap::new();
    for entry in bucket
        .objects
        .value()
        .into_iter()
        .flat_map(|listing| &listing.objects)
    {
        let one = object_verdict(&facts, entry, read);
        objects.insert((entry.key.clone(), entry.version.clone()), one);
    }
    let policy_is_public = match &facts.policy {
        Rules::None => Some(false),
        Rules::Read(policy) => Some(is_public(policy, false)),
        Rules::Unread => None,
    };
    BucketExposure {
        arn: Arn::new(facts.arn.clone()),
        region: bucket.region.clone(),
        verdicts,
        objects,
        aws_public_policy: policy_is_public,
        aws_public_acl: match &bucket.acl {
            Observed::Value(acl) => Some(is_public_acl(acl)),
            Observed::Absent | Observed::NotApplicable(_) => Some(false),
            Observed::Gap(_) => None,
        },
        status_disagrees: match (
            &facts.policy,
            policy_is_public,
            bucket.policy_is_public.value(),
        ) {
            (Rules::Read(_), Some(ours), Some(theirs)) => (ours != *theirs).then_some(*theirs),
            _ => None,
        },
        dormant_grants: dormant(&facts),
        confused_deputies: confused_deputies(&facts),
        website: bucket.website.value().is_some(),
        requester_pays: bucket
            .request_payer
            .value()
            .is_some_and(|payer| payer == "Requester"),
    }
}

fn facts<'a>(
    (account, data): (&'a AccountId, &'a Account),
    (name, bucket): (&'a str, &'a Bucket),
    around: &'a Surroundings<'a>,
    distributions: &'a Distributions<'a>,
    compiled: &mut Interner,
) -> Facts<'a> {
    let mut gaps = Gaps::default();
    gaps.note(Unread::AccountBlock, &data.s3.public_access_block);
    gaps.note(Unread::BucketBlock, &bucket.public_access_block);
    gaps.note(Unread::Acl, &bucket.acl);
    gaps.note(Unread::Ownership, &bucket.ownership);
    gaps.note(Unread::Payer, &bucket.request_payer);
    gaps.note(Unread::Objects, &bucket.objects);
    for entry in bucket
        .objects
        .value()
        .into_iter()
        .flat_map(|listing| &listing.objects)
    {
        gaps.note(Unread::ObjectAcl(entry.key.clone()), &entry.acl);
    }
    let policy = rules(
        &bucket.policy,
        Unread::Policy,
        "s3:GetBucketPolicy",
        &mut gaps,
        compiled,
    );
    let points = points(account, name, around.snapshot, &mut gaps, compiled);
    let rcps = around.rcps(account);
    if let Some(gap) = &rcps.gap {
        gaps.push(Unread::Rcps, gap.clone());
    }
    if let Some(gap) = around.membership_gap() {
        gaps.push(Unread::Membership, gap.clone());
    }
    let mut words = Words::default();
    let read = |rules: &Rules, words: &mut Words| {
        if let Rules::Read(policy) = rules {
            statements(policy).for_each(|(_, written)| words.read(written));
        }
    };
    read(&policy, &mut words);
    points
        .iter()
        .for_each(|point| read(&point.policy, &mut words));
    for (_, policy) in &rcps.policies {
        statements(policy).for_each(|(_, written)| words.read(written));
    }
    if let Rules::Read(policy) = &policy
        && let Some(document) = policy.document()
    {
        distributions.note(name, &document.statements, &mut gaps);
    }
    let key = KeyUse::of(bucket, account, around, &mut gaps, compiled);
    Facts {
        account,
        name,
        arn: format!("arn:{}:s3:::{name}", around.snapshot.partition),
        bucket,
        account_block: &data.s3.public_access_block,
        policy,
        points,
        rcps,
        gaps,
        words,
        around,
        distributions,
        key,
    }
}

/// The access points in front of a bucket, in whichever account of the estate they stand.
fn points<'a>(
    account: &str,
    bucket: &str,
    snapshot: &'a Snapshot,
    gaps: &mut Gaps,
    compiled: &mut Interner,
) -> Vec<Point<'a>> {
    let mut out = Vec::new();
    for (owner, data) in &snapshot.accounts {
        if owner == account {
            gaps.note(Unread::Points, &data.s3.access_points);
        }
        for (arn, point) in data.s3.access_points.value().into_iter().flatten() {
            let here = point.bucket_account.as_deref().unwrap_or(owner) == account;
            if !here || !point.buckets.iter().any(|name| name == bucket) {
                continue;
            }
            let id = arn.to_string();
            gaps.note(Unread::PointBlock(id.clone()), &point.public_access_block);
            let policy = rules(
                &point.policy,
                Unread::Point(id),
                "s3:GetAccessPointPolicy",
                gaps,
                compiled,
            );
            let account_block = (owner != account).then_some(&data.s3.public_access_block);
            out.push(Point {
                arn,
                point,
                account: owner,
                policy,
                account_block,
            });
        }
    }
    out
}

fn verdict(facts: &Facts<'_>, capability: Capability, one: Option<OneObject<'_>>) -> Verdict {
    let under = |view: &View| facts.openings(capability, view, one);
    let closed_view = View::default();
    let open_view = View {
        open: true,
        ..View::default()
    };
    let closed = under(&closed_view);
    let open = under(&open_view);
    let (at_least, at_most) = (widest(&closed), widest(&open));
    let gaps = if at_least == at_most {
        Vec::new()
    } else {
        decisive(facts, (&at_least, &at_most), &under)
    };
    let stops = stops(facts, &at_least, &under);
    let proven = closed.len();
    let mut openings = closed;
    openings.extend(
        open.into_iter()
            .filter(|opening| !is_known(opening, &openings))
            .collect::<Vec<_>>(),
    );
    Verdict {
        at_least,
        at_most,
        gaps,
        openings,
        proven,
        stops,
    }
}

fn is_known(opening: &Opening, proven: &[Opening]) -> bool {
    proven
        .iter()
        .any(|known| known.path == opening.path && known.audience == opening.audience)
}

/// The gaps that make the difference: those that alone, taken the other way, change an end.
fn decisive(
    facts: &Facts<'_>,
    (at_least, at_most): (&Audience, &Audience),
    under: &dyn Fn(&View) -> Vec<Opening>,
) -> Vec<Gap> {
    let mut candidates = facts.gaps.0.clone();
    let strange = strange_keys(facts);
    if !strange.is_empty() {
        let keys = format!("the meaning of condition key {}", strange.join(", "));
        candidates.push((Unread::Keys, Gap::not_collected(keys)));
    }
    let matters = |what: &Unread| {
        let flip = |open| View {
            open,
            flipped: Some(what.clone()),
            ..View::default()
        };
        widest(&under(&flip(true))) != *at_most || widest(&under(&flip(false))) != *at_least
    };
    let mut gaps: Vec<Gap> = candidates
        .iter()
        .filter(|(what, _)| matters(what))
        .map(|(_, gap)| gap.clone())
        .collect();
    if gaps.is_empty() {
        // Only together do they decide.
        gaps = candidates.into_iter().map(|(_, gap)| gap).collect();
    }
    gaps.sort_by(|a, b| a.operation.cmp(&b.operation));
    gaps.dedup();
    gaps
}

/// Condition keys of which nothing is known.
fn strange_keys(facts: &Facts<'_>) -> Vec<String> {
    let target = Target {
        account: facts.account,
        organization: facts.around.organization_id(),
        region: &facts.bucket.region,
        tags: Some(&facts.bucket.tags),
        one_object: true,
        fixed: &[],
        now: facts.around.snapshot.taken_at,
        words: &facts.words,
    };
    let anyone = Outsider {
        kind: Kind::Anyone,
        caller: Caller::new("anonymous", &Context::closed()),
        account: None,
        organization: None,
        userid: None,
        source: None,
    };
    let keys = facts.words.values.keys().chain(&facts.words.variables);
    let mut strange: Vec<String> = keys
        .filter(|key| target.states(key, &anyone, &Place::Internet) == States::Unknown)
        .map(|key| format!("`{key}`"))
        .collect();
    strange.sort();
    strange.dedup();
    strange
}

/// What holds back a wider audience: each barrier alone, or else all switches together.
fn stops(
    facts: &Facts<'_>,
    at_least: &Audience,
    under: &dyn Fn(&View) -> Vec<Opening>,
) -> Vec<Stop> {
    if *at_least == Audience::Public {
        return Vec::new();
    }
    let barriers = barriers(facts);
    let without = |barriers: BTreeSet<Barrier>| -> Option<Stop> {
        let openings = under(&View {
            without: barriers.clone(),
            ..View::default()
        });
        let audience = widest(&openings);
        let path = openings.into_iter().next()?.path;
        (audience.width() > at_least.width()).then_some(Stop {
            barriers,
            audience,
            path,
        })
    };
    let mut stops: Vec<Stop> = barriers
        .iter()
        .filter_map(|barrier| without(BTreeSet::from([barrier.clone()])))
        .collect();
    let latent = stops
        .iter()
        .any(|stop| stop.is_latent() && stop.audience.is_everybody());
    let switches: BTreeSet<Barrier> = barriers
        .iter()
        .filter(|barrier| barrier.is_switch())
        .cloned()
        .collect();
    if !latent && switches.len() > 1 {
        stops.extend(without(switches).map(|stop| fewer(stop, &without)));
    }
    stops
}

/// Leaves out of a group of barriers those that hold back nothing.
fn fewer(stop: Stop, without: &dyn Fn(BTreeSet<Barrier>) -> Option<Stop>) -> Stop {
    let mut least = stop;
    for barrier in least.barriers.clone() {
        let mut rest = least.barriers.clone();
        rest.remove(&barrier);
        if let Some(smaller) = without(rest)
            && smaller.audience.width() >= least.audience.width()
        {
            least = smaller;
        }
    }
    least
}

fn barriers(facts: &Facts<'_>) -> BTreeSet<Barrier> {
    let mut out = BTreeSet::new();
    let on = |fact: &Observed<palisade_model::PublicAccessBlock>| {
        fact.value()
            .is_some_and(|block| block.ignore_public_acls || block.restrict_public_buckets)
    };
    if on(facts.account_block) || facts.points.iter().any(|p| p.account_block.is_some_and(on)) {
        out.insert(Barrier::AccountBlock);
    }
    if on(&facts.bucket.public_access_block) {
        out.insert(Barrier::BucketBlock);
    }
    if facts
        .points
        .iter()
        .any(|point| on(&point.point.public_access_block))
    {
        out.insert(Barrier::AccessPointBlock);
    }
    if facts
        .bucket
        .ownership
        .value()
        .is_some_and(|setting| setting == "BucketOwnerEnforced")
    {
        out.insert(Barrier::OwnerEnforced);
    }
    if facts
        .bucket
        .request_payer
        .value()
        .is_some_and(|payer| payer == "Requester")
    {
        out.insert(Barrier::RequesterPays);
    }
    if let Rules::Read(policy) = &facts.policy {
        for (_, written) in statements(policy).filter(|(c, _)| c.effect == Effect::Deny) {
            let quote = quote(policy, written.index);
            out.insert(Barrier::Deny {
                statement: written.label(),
                quote,
            });
        }
    }
    out.extend(
        facts
            .rcps
            .policies
            .iter()
            .map(|(id, _)| Barrier::Rcp { policy: id.clone() }),
    );
    out.insert(Barrier::Kms);
    out
}

/// Judges one object. An archived one cannot be read before its owner restores it.
fn object_verdict(facts: &Facts<'_>, entry: &ObjectEntry, bucket: &Verdict) -> Verdict {
    let closed = bucket.at_most == Audience::Private && bucket.stops.is_empty();
    if closed && !entry.acl.value().is_some_and(|acl| acl.grants.len() > 1) {
        return Verdict::default();
    }
    let mut verdict = verdict(facts, Capability::Read, Some(OneObject { entry }));
    let archived = matches!(entry.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE");
    if archived && verdict.at_most != Audience::Private {
        let path = verdict.openings.first().map(|opening| opening.path.clone());
        let stop = path.map(|path| Stop {
            barriers: BTreeSet::from([Barrier::Archived]),
            audience: verdict.at_most.clone(),
            path,
        });
        verdict = Verdict {
            stops: stop.into_iter().collect(),
            ..Verdict::default()
        };
    }
    verdict
}

/// Grants that are stored and do nothing at the moment.
fn dormant(facts: &Facts<'_>) -> BTreeSet<String> {
    let enforced = facts
        .bucket
        .ownership
        .value()
        .is_some_and(|setting| setting == "BucketOwnerEnforced");
    let ignored = [facts.account_block, &facts.bucket.public_access_block]
        .into_iter()
        .any(|fact| fact.value().is_some_and(|block| block.ignore_public_acls));
    let mut out = BTreeSet::new();
    if !enforced && !ignored {
        return out;
    }
    let mut note = |what: String, acl: &palisade_model::Acl| {
        let grants = acl.grants.iter().filter(|grant| grant.grantee != acl.owner);
        for grant in grants.filter(|grant| enforced || is_public_grant(grant)) {
            if !grant.grantee.ends_with("/s3/LogDelivery") {
                out.insert(format!(
                    "{} to `{}` on {what}",
                    grant.permission, grant.grantee
                ));
            }
        }
    };
    if let Observed::Value(acl) = &facts.bucket.acl {
        note("the bucket".to_owned(), acl);
    }
    for entry in facts
        .bucket
        .objects
        .value()
        .into_iter()
        .flat_map(|listing| &listing.objects)
    {
        if let Observed::Value(acl) = &entry.acl {
            note(format!("`{}`", entry.key), acl);
        }
    }
    out
}

/// Keys by which a statement ties a service to those it acts for.
const SOURCES: [&str; 6] = [
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "s3:dataaccesspointaccount",
];

fn confused_deputies(facts: &Facts<'_>) -> Vec<(String, String)> {
    let Rules::Read(policy) = &facts.policy else {
        return Vec::new();
    };
    statements(policy)
        .filter(|(compiled, _)| compiled.effect == Effect::Allow)
        .filter(|(_, written)| is_confused(written))
        .map(|(_, written)| (written.label(), quote(policy, written.index)))
        .collect()
}

/// Whether a statement lets a service in without saying on whose behalf.
pub(super) fn is_confused(statement: &crate::policy::document::Statement) -> bool {
    use crate::policy::document::PrincipalKind;
    let service = statement
        .principal
        .iter()
        .flatten()
        .any(|n| n.kind == PrincipalKind::Service);
    let bound = statement.conditions.iter().any(|condition| {
        let operator = condition.operator.to_ascii_lowercase();
        SOURCES.contains(&condition.key.to_ascii_lowercase().as_str())
            && !operator.contains("not")
            && !operator.ends_with("ifexists")
            && !operator.starts_with("forallvalues")
            && condition
                .values
                .iter()
                .all(|value| value.trim_matches(['*', '?']) != "")
    });
    service && !bound
}

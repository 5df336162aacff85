//! Gathers what settles one bucket's exposure, has it judged, and says what else is odd about it.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Account, AccountId, Arn, Bucket, Observed, Snapshot};
use serde::{Deserialize, Serialize};

use crate::policy::Interner;
use crate::policy::document::Effect;

use super::audience::{Audience, Capability, Verdict};
use super::bucket::{Facts, Point, Rules, quote, rules};
use super::cdn::Distributions;
use super::kms::KeyUse;
use super::reading::{is_public, is_public_acl, is_public_grant};
use super::search::statements;
use super::surroundings::Surroundings;
use super::verdict::{object_verdict, verdict};
use super::view::{Gaps, Unread};
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
    gaps.note(Unread::Encryption, &bucket.objects);
    gaps.note(Unread::Encryption, &bucket.encryption);
    for entry in bucket
        .objects
        .value()
        .into_iter()
        .flat_map(|listing| &listing.objects)
    {
        gaps.note(Unread::ObjectAcl(entry.key.clone()), &entry.acl);
        gaps.note(Unread::Encryption, &bucket.encryption_of(entry));
    }
    let policy = rules(
        &bucket.policy,
        Unread::Policy,
        "s3:GetBucketPolicy",
        &mut gaps,
        compiled,
    );
    let place = (account.as_str(), name, bucket.region.as_str());
    let points = points(place, around.snapshot, &mut gaps, compiled);
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
        arn: arn_of((account, name, &bucket.region), around.snapshot),
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

/// The ARN of a bucket; directory buckets have one with region and account.
fn arn_of((account, name, region): (&str, &str, &str), snapshot: &Snapshot) -> String {
    let partition = snapshot.partition;
    match name.ends_with("--x-s3") {
        true => format!("arn:{partition}:s3express:{region}:{account}:bucket/{name}"),
        false => format!("arn:{partition}:s3:::{name}"),
    }
}

/// The access points in front of a bucket, in whichever account of the estate they stand.
fn points<'a>(
    (account, bucket, region): (&str, &str, &str),
    snapshot: &'a Snapshot,
    gaps: &mut Gaps,
    compiled: &mut Interner,
) -> Vec<Point<'a>> {
    let mut out = Vec::new();
    for (owner, data) in &snapshot.accounts {
        if owner == account
            && let Some(gap) = data.s3.access_point_gap(region)
        {
            gaps.push(Unread::Points, gap.clone());
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
                .all(|value| !value.trim_matches(['*', '?']).is_empty())
    });
    service && !bound
}

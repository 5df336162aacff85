//! Answers about S3: who can reach which bucket, what lies there, and which setting closes it.

mod access_point_opens_bucket;
mod account_block_off;
mod capability;
mod confused_deputy;
mod dormant_grants;
mod foreign_account;
mod latent_public;
mod object_acl_public;
mod policy_status_disagrees;
mod proven;
mod public_credential_files;
mod public_website;
mod reach;
mod remedy;
mod squattable_name;

pub(crate) use reach::reach;

use palisade_model::{Bucket, Observed, PublicAccessBlock};

use super::{Estate, Evaluate, Findings, Outcome, missing};
use crate::exposure::{BucketExposure, Verdict};

/// Checks of this folder, by id.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    (
        "s3-access-point-opens-bucket",
        access_point_opens_bucket::evaluate,
    ),
    ("s3-account-block-off", account_block_off::evaluate),
    ("s3-bucket-any-aws-account", capability::any_aws_account),
    ("s3-bucket-cdn-public", capability::cdn_public),
    ("s3-bucket-public-acl-write", capability::public_acl_write),
    ("s3-bucket-public-list", capability::public_list),
    ("s3-bucket-public-read", capability::public_read),
    ("s3-bucket-public-write", capability::public_write),
    ("s3-confused-deputy", confused_deputy::evaluate),
    ("s3-dormant-grants", dormant_grants::evaluate),
    ("s3-foreign-account", foreign_account::evaluate),
    ("s3-latent-public", latent_public::evaluate),
    ("s3-object-acl-public", object_acl_public::evaluate),
    (
        "s3-policy-status-disagrees",
        policy_status_disagrees::evaluate,
    ),
    (
        "s3-public-credential-files",
        public_credential_files::evaluate,
    ),
    ("s3-public-website", public_website::evaluate),
    ("s3-squattable-name", squattable_name::evaluate),
];

/// One bucket and what is known of its exposure.
struct Judged<'a> {
    account: &'a str,
    name: &'a str,
    bucket: &'a Bucket,
    account_block: &'a Observed<PublicAccessBlock>,
    exposure: &'a BucketExposure,
}

impl Judged<'_> {
    fn say(&self, found: &mut Findings<'_>, outcome: Outcome) {
        found.at(
            self.account,
            &self.bucket.region,
            self.exposure.arn.as_str(),
            outcome,
        );
    }
}

/// Every bucket with its exposure; a list that was not read is said to be unknown on the way.
fn judged<'a>(estate: &'a Estate<'_>, found: &mut Findings<'_>) -> Vec<Judged<'a>> {
    let mut out = Vec::new();
    for place in estate.buckets() {
        match place.item {
            Ok((name, bucket)) => {
                let key = (place.account.to_owned(), name.to_owned());
                let exposure = estate.exposure.buckets.get(&key);
                let account = estate.snapshot.accounts.get(place.account);
                if let (Some(exposure), Some(account)) = (exposure, account) {
                    out.push(Judged {
                        account: place.account,
                        name,
                        bucket,
                        account_block: &account.s3.public_access_block,
                        exposure,
                    });
                }
            }
            Err(gap) => found.unread(place.account, "", gap),
        }
    }
    out
}

/// What was missing for a verdict.
fn unread(verdict: &Verdict) -> Outcome {
    missing(&verdict.gaps)
}

/// What of a bucket's objects nobody looked at; empty when all were listed.
fn unlisted(bucket: &Bucket) -> Vec<String> {
    match &bucket.objects {
        Observed::Gap(gap) => vec![gap.to_string()],
        Observed::Value(listing) if !listing.complete => {
            let seen = listing.seen;
            let sample = format!("only a sample was listed: {seen} keys seen, and there are more");
            let limits = listing.limits.iter().cloned();
            let gaps = listing.gaps.iter().map(ToString::to_string);
            std::iter::once(sample).chain(limits).chain(gaps).collect()
        }
        Observed::NotApplicable(_) => vec!["its objects were not listed".to_owned()],
        Observed::Value(_) | Observed::Absent => Vec::new(),
    }
}

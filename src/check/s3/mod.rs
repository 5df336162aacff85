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
mod remedy;
mod squattable_name;

use palisade_model::Bucket;

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
                if let Some(exposure) = estate.exposure.buckets.get(&key) {
                    out.push(Judged {
                        account: place.account,
                        name,
                        bucket,
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

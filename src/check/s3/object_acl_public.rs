//! `s3-object-acl-public`: single objects are open by their own ACL.

use super::super::{Estate, Evidence, Findings, Outcome, missing};
use super::{Judged, judged};
use crate::exposure::{Capability, Path};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let verdict = judged.exposure.verdict(Capability::Read);
        let evidence: Vec<Evidence> = verdict
            .proven()
            .iter()
            .filter(|opening| opening.audience.is_everybody())
            .filter_map(|opening| match &opening.path {
                Path::ObjectAcl {
                    key, permission, ..
                } => Some(Evidence::from(format!(
                    "{} can read `{key}`: its own ACL grants {permission}",
                    opening.audience
                ))),
                _ => None,
            })
            .collect();
        let unread = verdict.openings[verdict.proven..].iter().any(|opening| {
            match &opening.path {
                // An unread policy refuses everybody or nobody: it matters where a list grants.
                Path::Unread { operation } => {
                    operation.contains("ObjectAcl")
                        || operation.contains("ListObject")
                        || lists_work(&judged) && grants(&judged)
                }
                // Open, unless what could not be read closes it.
                Path::ObjectAcl { .. } => opening.audience.is_everybody(),
                _ => false,
            }
        });
        let outcome = if !evidence.is_empty() {
            Outcome::Fail { evidence }
        } else if unread {
            missing(&verdict.gaps)
        } else if lists_work(&judged) && sampled(&judged) {
            // A sample without one says nothing of the rest.
            let missing = super::unlisted(judged.bucket);
            Outcome::Unknown { missing }
        } else {
            Outcome::Pass
        };
        judged.say(found, outcome);
    }
}

/// Whether access lists open anything: ownership is not enforced, and public grants count.
fn lists_work(judged: &Judged<'_>) -> bool {
    let enforced = judged
        .bucket
        .ownership
        .value()
        .is_some_and(|setting| setting == "BucketOwnerEnforced");
    let ignored = [judged.account_block, &judged.bucket.public_access_block]
        .into_iter()
        .any(|fact| fact.value().is_some_and(|block| block.ignore_public_acls));
    !enforced && !ignored
}

/// Whether the list of some object grants more than its owner's due.
fn grants(judged: &Judged<'_>) -> bool {
    let listing = judged.bucket.objects.value();
    let entries = listing.into_iter().flat_map(|listing| &listing.objects);
    entries
        .filter_map(|entry| entry.acl.value())
        .any(|acl| acl.grants.iter().any(|grant| grant.grantee != acl.owner))
}

fn sampled(judged: &Judged<'_>) -> bool {
    let listing = judged.bucket.objects.value();
    listing.is_some_and(|listing| !listing.complete)
}

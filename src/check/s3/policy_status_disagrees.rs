//! `s3-policy-status-disagrees`: S3's own reading of a policy is not ours.
//!
//! A cross-check: the verdicts never use it, and where it was not read nothing is missing.

use super::super::{Estate, Findings, Outcome};
use super::judged;

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let outcome = match judged.exposure.status_disagrees {
            Some(theirs) => {
                let word = if theirs { "public" } else { "not public" };
                let says = format!(
                    "S3 calls the policy {word}, and reading it by S3's published rule says the opposite"
                );
                Outcome::Fail {
                    evidence: vec![says.into()],
                }
            }
            None if judged.bucket.policy.gap().is_some() => Outcome::NotApplicable {
                why: "the policy was not read, so there is nothing to compare".to_owned(),
            },
            None => Outcome::Pass,
        };
        judged.say(found, outcome);
    }
}

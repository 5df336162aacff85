//! `s3-public-website`: a bucket serves a website over plain HTTP.
//!
//! Hosting opens nothing by itself: only what everybody may read is served.

use super::super::{Estate, Evidence, Findings, Outcome, missing};
use super::{judged, unread};
use crate::exposure::{Audience, Capability};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let verdict = judged.exposure.verdict(Capability::Read);
        let open = verdict.is(|audience| *audience == Audience::Public);
        let outcome = match (judged.exposure.website, open) {
            (true, Some(true)) => Outcome::Fail {
                evidence: vec![Evidence::from(
                    "website hosting is on and everybody may read: it answers over HTTP, unencrypted, \
                     under any domain that points at it",
                )],
            },
            (true, None) => unread(verdict),
            (false, Some(true) | None) if judged.bucket.website.gap().is_some() => {
                missing(judged.bucket.website.gap())
            }
            _ => Outcome::Pass,
        };
        judged.say(found, outcome);
    }
}

//! `s3-foreign-account`: an account outside this estate can use a bucket.

use std::collections::BTreeSet;

use super::super::{Estate, Evidence, Findings, Outcome};
use super::{judged, unread};
use crate::exposure::{Audience, Capability};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    let width = Audience::CrossAccount {
        accounts: BTreeSet::new(),
    }
    .width();
    for judged in judged(estate, found) {
        let mut evidence = Vec::new();
        let mut undecided = None;
        for capability in Capability::ALL {
            let verdict = judged.exposure.verdict(capability);
            for opening in verdict
                .proven()
                .iter()
                .filter(|o| o.audience.strangers().is_some())
            {
                evidence.push(
                    Evidence::from(format!(
                        "{} can {capability} by {}",
                        opening.audience, opening.path
                    ))
                    .from_source(opening.path.source()),
                );
            }
            let possible = &verdict.openings[verdict.proven..];
            if possible
                .iter()
                .any(|opening| opening.audience.width() >= width)
            {
                undecided = undecided.or(Some(unread(verdict)));
            }
        }
        let outcome = match undecided {
            _ if !evidence.is_empty() => Outcome::Fail { evidence },
            Some(unknown) => unknown,
            None => Outcome::Pass,
        };
        judged.say(found, outcome);
    }
}

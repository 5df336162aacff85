//! `s3-latent-public`: only a block keeps a bucket from being public.
//!
//! What enforced ownership keeps idle is another finding: `s3-dormant-grants`.

use super::super::{Estate, Evidence, Findings, Outcome, missing};
use super::judged;
use crate::exposure::{Audience, Barrier, Capability, Stop};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let mut evidence = Vec::new();
        let mut gaps = Vec::new();
        for capability in Capability::ALL {
            let verdict = judged.exposure.verdict(capability);
            let blocked = |stop: &&Stop| !stop.barriers.contains(&Barrier::OwnerEnforced);
            for stop in verdict.latent().filter(blocked) {
                let held: Vec<String> = stop.barriers.iter().map(ToString::to_string).collect();
                evidence.push(
                    Evidence::from(format!(
                        "without {}, {} could {capability} by {}",
                        held.join(" and "),
                        stop.audience,
                        stop.path
                    ))
                    .from_source(stop.path.source()),
                );
            }
            if verdict.is(Audience::is_everybody).is_none() {
                gaps.extend(&verdict.gaps);
            }
        }
        let outcome = if !evidence.is_empty() {
            Outcome::Fail { evidence }
        } else if !gaps.is_empty() {
            missing(gaps)
        } else {
            Outcome::Pass
        };
        judged.say(found, outcome);
    }
}

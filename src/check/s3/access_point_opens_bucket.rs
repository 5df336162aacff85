//! `s3-access-point-opens-bucket`: a bucket that looks private is open through an access point.

use super::super::{Estate, Evidence, Findings, Outcome};
use super::{judged, unread};
use crate::exposure::{Capability, Opening, Path};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let mut evidence = Vec::new();
        let mut undecided = None;
        for capability in Capability::ALL {
            let verdict = judged.exposure.verdict(capability);
            for opening in verdict.proven().iter().filter(|opening| is_door(opening)) {
                if let Path::AccessPoint {
                    arn, bucket_quote, ..
                } = &opening.path
                {
                    let says = format!("{} can {capability} by {}", opening.audience, opening.path);
                    evidence.push(
                        Evidence::from(says)
                            .from_source(opening.path.source())
                            .naming(arn),
                    );
                    let says = "the bucket lets the access point's account decide";
                    evidence.push(Evidence::from(says).from_source(bucket_quote.clone()));
                }
            }
            let possible = &verdict.openings[verdict.proven..];
            if possible.iter().any(is_unread_door) {
                undecided = undecided.or(Some(unread(verdict)));
            }
        }
        evidence.sort();
        evidence.dedup();
        let outcome = match undecided {
            _ if !evidence.is_empty() => Outcome::Fail { evidence },
            Some(unknown) => unknown,
            None => Outcome::Pass,
        };
        judged.say(found, outcome);
    }
}

fn is_door(opening: &Opening) -> bool {
    opening.audience.is_everybody() && matches!(opening.path, Path::AccessPoint { .. })
}

fn is_unread_door(opening: &Opening) -> bool {
    is_door(opening)
        || matches!(&opening.path, Path::Unread { operation } if operation.contains("AccessPoint"))
}

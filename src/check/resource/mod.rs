//! Answers about resource-based policies of services that have no folder of their own.

use super::{Estate, Evaluate, Evidence, Findings, Outcome, missing};
use crate::exposure::Audience;

/// Checks of this folder, by id.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[("resource-policy-public", evaluate)];

/// Kinds whose policy can let strangers in.
const KINDS: [&str; 6] = [
    "ecr.repository",
    "kms.key",
    "secretsmanager.secret",
    "sns.topic",
    "sqs.queue",
    "dynamodb.table",
];

/// `resource-policy-public`: a queue, topic, secret, key, table or image repository that every
/// AWS account can use.
fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    judge_kinds(estate, found, &KINDS, Audience::is_everybody);
}

/// Answers for every resource of these kinds whether its audience is as wide as `wide` says.
pub(super) fn judge_kinds(
    estate: &Estate<'_>,
    found: &mut Findings<'_>,
    kinds: &[&str],
    wide: fn(&Audience) -> bool,
) {
    for kind in kinds {
        for place in estate.resources(kind) {
            let resource = match place.item {
                Ok((_, resource)) => resource,
                Err(gap) => {
                    found.unread(place.account, place.region, gap);
                    continue;
                }
            };
            let Some(exposure) = estate.exposure.resources.get(&resource.arn) else {
                continue;
            };
            let verdict = &exposure.verdict;
            let outcome = match verdict.is(wide) {
                Some(true) => {
                    let openings = verdict.proven().iter().filter(|o| wide(&o.audience));
                    let evidence = openings
                        .map(|opening| {
                            let says =
                                format!("{} can use it by {}", opening.audience, opening.path);
                            Evidence::from(says).from_source(opening.path.source())
                        })
                        .collect();
                    Outcome::Fail { evidence }
                }
                Some(false) => Outcome::Pass,
                None => missing(&verdict.gaps),
            };
            found.at(place.account, place.region, resource.arn.as_str(), outcome);
        }
    }
}

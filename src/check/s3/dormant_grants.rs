//! `s3-dormant-grants`: grants in ACLs that do nothing now and would work again.

use super::super::{Estate, Evidence, Findings, Outcome, missing};
use super::judged;

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let dormant = &judged.exposure.dormant_grants;
        let unread = judged.bucket.acl.gap().or(judged.bucket.ownership.gap());
        let outcome = if !dormant.is_empty() {
            let evidence = dormant
                .iter()
                .map(|grant| Evidence::from(format!("stored and idle: {grant}")))
                .collect();
            Outcome::Fail { evidence }
        } else if let Some(gap) = unread {
            missing([gap])
        } else {
            Outcome::Pass
        };
        judged.say(found, outcome);
    }
}

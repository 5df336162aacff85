//! `s3-confused-deputy`: an AWS service may use a bucket on anybody's behalf.

use super::super::{Estate, Evidence, Findings, Outcome, missing};
use super::judged;

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let deputies = &judged.exposure.confused_deputies;
        let outcome = if !deputies.is_empty() {
            let evidence = deputies
                .iter()
                .map(|(statement, quote)| {
                    Evidence::from(format!("{statement} does not say on whose behalf"))
                        .from_source(quote.clone())
                })
                .collect();
            Outcome::Fail { evidence }
        } else if let Some(gap) = judged.bucket.policy.gap() {
            missing([gap])
        } else {
            Outcome::Pass
        };
        judged.say(found, outcome);
    }
}

//! `iam-role-foreign-account`: an account outside this estate may assume a role without an
//! external ID.

use super::super::{Estate, Evidence, Findings, Outcome, missing};
use super::trusts;
use crate::exposure::{Audience, Path};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for (arn, trust) in trusts(estate, found) {
        let asks = |path: &Path| matches!(path, Path::Policy { statement, .. } if trust.external_id.contains(statement));
        let evidence: Vec<Evidence> = trust
            .assume
            .proven()
            .iter()
            .filter(|opening| opening.audience.strangers().is_some() && !asks(&opening.path))
            .map(|opening| {
                let says = format!(
                    "{} may assume it by {}, and no external ID is asked for",
                    opening.audience, opening.path
                );
                Evidence::from(says).from_source(opening.path.source())
            })
            .collect();
        let possible = trust.assume.openings[trust.assume.proven..]
            .iter()
            .any(|opening| {
                matches!(opening.audience, Audience::CrossAccount { .. }) && !asks(&opening.path)
            });
        if !evidence.is_empty() {
            found.at(arn.account(), "", arn.as_str(), Outcome::Fail { evidence });
        } else if possible {
            found.at(arn.account(), "", arn.as_str(), missing(&trust.assume.gaps));
        } else {
            found.pass(arn);
        }
    }
}

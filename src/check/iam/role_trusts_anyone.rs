//! `iam-role-trusts-anyone`: any AWS account may assume a role.
//!
//! With an external ID that must be known first, it is still said, with less weight: the ID is
//! no secret.

use palisade_checks::Severity;

use super::super::{Estate, Evidence, Findings, Outcome, missing};
use super::trusts;
use crate::exposure::{Audience, Path, TrustExposure};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for (arn, trust) in trusts(estate, found) {
        match trust.assume.is(Audience::is_everybody) {
            Some(true) => fail(arn.account(), trust, found),
            Some(false) => found.pass(arn),
            None => found.at(arn.account(), "", arn.as_str(), missing(&trust.assume.gaps)),
        }
    }
}

fn fail(account: &str, trust: &TrustExposure, found: &mut Findings<'_>) {
    let mut evidence = Vec::new();
    let mut free = false;
    let openings = trust
        .assume
        .proven()
        .iter()
        .filter(|opening| opening.audience.is_everybody());
    for opening in openings {
        let Path::Policy { statement, quote } = &opening.path else {
            continue;
        };
        let asks = trust.external_id.contains(statement);
        free |= !asks;
        let but = if asks {
            ", once he knows its external ID, which is no secret"
        } else {
            ""
        };
        let says = format!(
            "{} may assume it by {}{but}",
            opening.audience, opening.path
        );
        evidence.push(Evidence::from(says).from_source(quote.clone()));
    }
    let severity = if free {
        Severity::Critical
    } else {
        Severity::High
    };
    found.weighed(
        account,
        "",
        trust.role.as_str(),
        Outcome::Fail { evidence },
        severity,
    );
}

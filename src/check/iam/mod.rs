//! Answers about IAM.

mod role_foreign_account;
mod role_oidc_loose_subject;
mod role_trusts_anyone;

use palisade_model::Arn;

use super::{Estate, Evaluate, Findings};
use crate::exposure::TrustExposure;

/// Checks of this folder, by id.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    ("iam-role-foreign-account", role_foreign_account::evaluate),
    (
        "iam-role-oidc-loose-subject",
        role_oidc_loose_subject::evaluate,
    ),
    ("iam-role-trusts-anyone", role_trusts_anyone::evaluate),
];

/// Every role whose trust was judged; a list that was not read is said to be unknown on the way.
/// Roles that AWS services own trust their service, and nobody can change that.
fn trusts<'a>(estate: &Estate<'a>, found: &mut Findings<'_>) -> Vec<(&'a Arn, &'a TrustExposure)> {
    let mut out = Vec::new();
    for place in estate.roles() {
        match place.item {
            Ok((_, role)) => {
                let trust = estate.exposure.trusts.get(&role.arn);
                out.extend(trust.map(|trust| (&role.arn, trust)));
            }
            Err(gap) => found.unread(place.account, "", gap),
        }
    }
    out
}

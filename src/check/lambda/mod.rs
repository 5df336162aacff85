//! Answers about Lambda.

mod execution_role_mints_credentials;
mod reached_from_outside;

use super::Evaluate;

/// Checks of this folder, by id.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    (
        "lambda-execution-role-mints-credentials",
        execution_role_mints_credentials::evaluate,
    ),
    (
        "lambda-function-policy-public",
        reached_from_outside::by_policy,
    ),
    ("lambda-function-url-public", reached_from_outside::by_url),
];

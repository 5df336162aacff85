//! Answers about Lambda.

mod execution_role_mints_credentials;

use super::Evaluate;

/// Checks of this folder, by id.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[(
    "lambda-execution-role-mints-credentials",
    execution_role_mints_credentials::evaluate,
)];

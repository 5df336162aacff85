//! Checks on the guardrails: what SCPs do about switching a security service off.

mod scp;

use super::Evaluate;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    ("organizations-scp-uncovered", scp::uncovered),
    (
        "organizations-scp-siblings-uncovered",
        scp::siblings_uncovered,
    ),
    ("organizations-scp-bypassable", scp::bypassable),
    ("organizations-scp-misnamed", scp::misnamed),
];

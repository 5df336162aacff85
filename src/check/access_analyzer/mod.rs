//! Checks on IAM Access Analyzer: cells of the service matrix.

use super::security;
use super::{Estate, Evaluate, Findings};
use crate::alarm::state::Service;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    ("access-analyzer-off", off),
    ("access-analyzer-archive-rule-hides", archive_rule_hides),
    ("access-analyzer-no-unused-access", no_unused_access),
];

fn off(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::off(estate, found, Service::AccessAnalyzer);
}

fn archive_rule_hides(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::AccessAnalyzer, &["archived"]);
}

fn no_unused_access(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::AccessAnalyzer, &["unused-access"]);
}

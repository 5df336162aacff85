//! Checks on WAF: cells of the service matrix.

use super::security;
use super::{Estate, Evaluate, Findings};
use crate::alarm::state::Service;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    ("waf-off", off),
    ("waf-no-logging", no_logging),
    ("waf-unguarded", unguarded),
];

fn off(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::off(estate, found, Service::Waf);
}

fn no_logging(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Waf, &["logging"]);
}

fn unguarded(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Waf, &["unguarded"]);
}

//! Checks on the root user: cells of the service matrix.

use super::security;
use super::{Estate, Evaluate, Findings};
use crate::alarm::state::Service;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    ("root-credentials", credentials),
    ("root-not-centralised", not_centralised),
];

fn credentials(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Root, &["access-keys", "mfa"]);
}

fn not_centralised(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Root, &["central"]);
}

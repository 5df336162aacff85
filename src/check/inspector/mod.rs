//! Checks on Inspector: cells of the service matrix.

use super::security;
use super::{Estate, Evaluate, Findings};
use crate::alarm::state::Service;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] =
    &[("inspector-off", off), ("inspector-half-on", half_on)];

fn off(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::off(estate, found, Service::Inspector);
}

fn half_on(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Inspector, &[]);
}

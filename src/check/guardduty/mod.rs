//! Checks on GuardDuty: cells of the service matrix.

use super::security;
use super::{Estate, Evaluate, Findings};
use crate::alarm::state::Service;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] =
    &[("guardduty-off", off), ("guardduty-half-on", half_on)];

fn off(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::off(estate, found, Service::Guardduty);
}

fn half_on(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Guardduty, &[]);
}

//! Checks on Shield Advanced: cells of the service matrix.

use super::security;
use super::{Estate, Evaluate, Findings};
use crate::alarm::state::Service;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[("shield-off", off), ("shield-half-on", half_on)];

fn off(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::off(estate, found, Service::Shield);
}

fn half_on(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Shield, &[]);
}

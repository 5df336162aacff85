//! Checks on Firewall Manager: cells of the service matrix.

use super::security;
use super::{Estate, Evaluate, Findings};
use crate::alarm::state::Service;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[("fms-off", off)];

fn off(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::off(estate, found, Service::Fms);
}

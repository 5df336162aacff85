//! What is known of the security services, their guardrails and their alarms, worked out once
//! for every check that asks.

pub mod coverage;
pub mod hearing;
mod parts;
mod services;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use palisade_model::Snapshot;

use crate::alarm::Alarms;
use crate::alarm::state::{Matrix, Service, matrix};

pub(super) use services::{half_on, off};

/// The security services of an estate.
pub struct Security<'a> {
    /// Whether anybody hears a call, and the policies behind it.
    pub alarms: Alarms<'a>,
    expects: BTreeSet<Service>,
    matrix: OnceLock<Matrix>,
    coverage: OnceLock<Vec<coverage::Covered>>,
    heard: OnceLock<Vec<hearing::Heard>>,
}

impl<'a> Security<'a> {
    /// Nothing worked out yet.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Security {
            alarms: Alarms::new(snapshot),
            expects: BTreeSet::new(),
            matrix: OnceLock::new(),
            coverage: OnceLock::new(),
            heard: OnceLock::new(),
        }
    }

    /// Names optional services that should be on although nobody uses them yet.
    #[must_use]
    pub fn expecting(mut self, services: BTreeSet<Service>) -> Self {
        self.expects = services;
        self
    }

    /// The facts.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.alarms.powers.snapshot
    }

    /// The state of every service, by account and region.
    pub fn matrix(&self) -> &Matrix {
        self.matrix
            .get_or_init(|| matrix(self.snapshot(), &self.expects))
    }

    /// What SCPs do about every tamper action, by account.
    pub fn coverage(&self) -> &[coverage::Covered] {
        self.coverage.get_or_init(|| coverage::of(self))
    }

    /// Whether anybody hears the tamper events that matter most, by account and region;
    /// [`hearing::of`] answers for all of them.
    pub fn heard(&self) -> &[hearing::Heard] {
        self.heard.get_or_init(|| hearing::of(self, false))
    }
}

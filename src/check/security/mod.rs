//! What is known of the security services, their guardrails and their alarms, worked out once
//! for every check that asks.

mod callers;
pub mod coverage;
pub mod hearing;
pub mod holders;
mod parts;
pub(super) mod record;
mod services;
pub mod tampering;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use palisade_checks::Technique;
use palisade_model::{Observed, Snapshot};

use crate::alarm::Alarms;
use crate::alarm::event::Call;
use crate::alarm::protection::Becomes;
use crate::alarm::state::{Matrix, Service, matrix};
use crate::alarm::trail::covers_region;
use crate::exposure::Exposure;
use crate::graph::{Graph, Interests};
use crate::policy::Engine;

pub(super) use services::{half_on, off};

/// The security services of an estate.
pub struct Security<'a> {
    /// Whether anybody hears a call, and the policies behind it.
    pub alarms: &'a Alarms<'a>,
    becomes: Option<&'a dyn Becomes>,
    exposure: Option<&'a Exposure>,
    expects: BTreeSet<Service>,
    matrix: OnceLock<Matrix>,
    coverage: OnceLock<Vec<coverage::Covered>>,
    could: OnceLock<Vec<holders::Could>>,
    heard: OnceLock<Vec<hearing::Heard>>,
    parts: OnceLock<parts::Parts>,
    tampering: OnceLock<tampering::Tampering>,
}

impl<'a> Security<'a> {
    /// Nothing worked out yet.
    pub fn new(alarms: &'a Alarms<'a>) -> Self {
        Security {
            alarms,
            becomes: None,
            exposure: None,
            expects: BTreeSet::new(),
            matrix: OnceLock::new(),
            coverage: OnceLock::new(),
            could: OnceLock::new(),
            heard: OnceLock::new(),
            parts: OnceLock::new(),
            tampering: OnceLock::new(),
        }
    }

    /// Everything about a snapshot, its graph among it, for as long as `work` takes.
    pub fn over<T>(
        snapshot: &Snapshot,
        techniques: &[Technique],
        expects: &BTreeSet<Service>,
        work: impl FnOnce(&Security<'_>) -> T,
    ) -> T {
        let engine = Engine::new(snapshot);
        let alarms = Alarms::new(snapshot, &engine);
        let interests = Interests::default();
        let graph = Graph::heard_by(snapshot, techniques, &engine, &alarms, interests);
        let security = Security::new(&alarms)
            .becoming(&graph)
            .expecting(expects.clone());
        work(&security)
    }

    /// Who can become whom; without it only ways of one step are seen.
    #[must_use]
    pub fn becoming(mut self, becomes: &'a dyn Becomes) -> Self {
        self.becomes = Some(becomes);
        self
    }

    /// Who can reach what from outside: a trail whose bucket is open is not wholly on.
    #[must_use]
    pub fn exposed(mut self, exposure: &'a Exposure) -> Self {
        self.exposure = Some(exposure);
        self
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
        self.matrix.get_or_init(|| {
            let mut matrix = matrix(self.snapshot(), &self.expects);
            if let Some(exposure) = self.exposure {
                weaken(&mut matrix, self.snapshot(), exposure);
            }
            matrix
        })
    }

    /// What SCPs do about every tamper action, by account.
    pub fn coverage(&self) -> &[coverage::Covered] {
        self.coverage.get_or_init(|| coverage::of(self))
    }

    /// Who could do which tamper actions today, by account.
    pub fn could(&self) -> &[holders::Could] {
        self.could.get_or_init(|| holders::could(self))
    }

    fn parts(&self) -> &parts::Parts {
        self.parts.get_or_init(|| parts::Parts::gather(self))
    }

    /// Every tamper action in every account, with all that is known of it.
    pub fn tampering(&self) -> &tampering::Tampering {
        self.tampering.get_or_init(|| tampering::of(self))
    }

    /// Whether anybody hears the tamper events that matter most, by account and region;
    /// [`hearing::of`] answers for all of them.
    pub fn heard(&self) -> &[hearing::Heard] {
        self.heard.get_or_init(|| hearing::of(self, false))
    }
}

/// A trail whose bucket outsiders can reach is on, and its record is not worth much.
fn weaken(matrix: &mut Matrix, snapshot: &Snapshot, exposure: &Exposure) {
    let probe = Call::of_action("ec2:RunInstances");
    let cells = matrix.cells.iter_mut();
    for cell in cells.filter(|cell| cell.service == Service::Cloudtrail) {
        let account = snapshot.accounts.get(&cell.account);
        let trails = account.and_then(|account| account.trails.value());
        let running = trails.into_iter().flat_map(|trails| trails.values());
        let running = running.filter(|trail| {
            trail.logging == Observed::Value(true) && covers_region(trail, &cell.region, &probe)
        });
        for trail in running {
            let bared = record::bucket(snapshot, exposure, trail);
            for (says, _) in bared.says {
                cell.state.weaken("bucket", says);
            }
            for says in bared.missing {
                cell.state.obscure("bucket", says);
            }
        }
    }
}

//! The alarm room's answer, as a weight on the steps of a path.

use palisade_checks::Technique;
use palisade_model::Snapshot;

use super::{Detection, Detects, Graph, Interests, Level};
use crate::alarm::{Alarms, Level as Loudness};
use crate::policy::Engine;

impl<'a> Graph<'a> {
    /// The graph with its steps weighed by who would hear them. Whether what hears them is
    /// guarded hangs on who becomes whom: where longer ways undo a guard, the graph is grown
    /// again with that known. Who becomes whom does not hang on the weights, so once is enough.
    pub fn heard_by(
        snapshot: &'a Snapshot,
        techniques: &'a [Technique],
        engine: &'a Engine,
        alarms: &'a Alarms<'a>,
        interests: Interests,
    ) -> Self {
        let known = interests.clone();
        let graph = Self::build_for(snapshot, techniques, engine, alarms, known);
        match alarms.undo_guards(&graph) {
            true => Self::build_for(snapshot, techniques, engine, alarms, interests),
            false => graph,
        }
    }
}

impl Detects for Alarms<'_> {
    fn detection(&self, action: &str, account: &str, region: &str) -> Detection {
        let noticed = Alarms::detection(self, action, account, region);
        Detection {
            level: match noticed.level {
                Loudness::None => Level::None,
                Loudness::Logged => Level::Logged,
                Loudness::Alarmed => Level::Alarmed,
            },
            protected: noticed.protected,
        }
    }
}

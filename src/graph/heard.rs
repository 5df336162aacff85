//! The alarm room's answer, as a weight on the steps of a path.

use super::{Detection, Detects, Level};
use crate::alarm::{Alarms, Level as Loudness};

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

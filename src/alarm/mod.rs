//! Would anybody hear it: from an API call to the person or system that is told.

mod alarms;
pub mod chain;
pub mod event;
pub mod filter;
pub mod heard;
pub mod pattern;
pub mod powers;
pub mod protection;
pub mod state;
pub mod trail;

pub use alarms::{Alarms, Detection, Level};

//! Would anybody hear it: from an API call to the person or system that is told.

pub mod filter;
pub mod heard;
pub mod pattern;

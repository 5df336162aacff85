//! Palisade.
pub mod policy;

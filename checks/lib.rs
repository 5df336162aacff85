//! The catalogue.

pub use palisade_model::actions;

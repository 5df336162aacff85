//! The test storeys.

mod alarm;
mod cases;
mod catalogue;
mod cli;
#[cfg(feature = "aws")]
mod collect;
mod corridor;
mod exposure;
mod graph;
mod policy;
mod secrets;
mod worlds;

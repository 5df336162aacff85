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
mod near_misses;
mod policy;
mod secrets;
mod techniques;
mod worlds;

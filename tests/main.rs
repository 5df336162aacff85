//! The test storeys.

mod alarm;
mod cases;
mod catalogue;
#[cfg(feature = "aws")]
mod collect;
mod corridor;
mod policy;
mod exposure;
mod graph;
mod near_misses;
mod secrets;
mod techniques;
mod worlds;

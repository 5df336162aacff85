//! The test storeys.

mod alarm;
mod cases;
mod catalogue;
mod corridor;
mod policy;
mod exposure;
mod graph;
mod secrets;
mod worlds;

//! The test storeys.

mod alarm;
mod cases;
mod catalogue;
mod corridor;
mod graph;
mod worlds;

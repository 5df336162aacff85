//! The test storeys.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "measurements are for whoever asks")]
#![allow(
    clippy::unnecessary_fold,
    reason = "`all` would stop at the first part that fails; every part has an effect"
)]
#![allow(unreachable_pub, reason = "modules of one binary")]

mod alarm;
mod binary;
mod cases;
mod catalogue;
mod cli;
#[cfg(feature = "aws")]
mod collect;
mod corridor;
mod entries;
mod estates;
mod exposure;
mod graph;
#[cfg(feature = "aws")]
mod live;
mod near_misses;
mod newcomer;
mod policy;
mod secrets;
mod techniques;
mod worlds;

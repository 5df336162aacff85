//! Facts of the alarm room, one row each.

mod chain;
mod patterns;
mod scp;
mod state;
mod tamper;

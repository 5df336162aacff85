//! Facts of the alarm room, one row each.

mod patterns;
mod tamper;

//! Facts of the alarm room, one row each.

mod patterns;

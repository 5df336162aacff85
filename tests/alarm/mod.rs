//! Facts of the alarm room, one row each.

mod chain;
mod ends;
mod estate;
mod half_on;
mod patterns;
mod scp;
mod scp_rows;
mod state;
mod tamper;
mod tampering;
mod unread;
mod writer;

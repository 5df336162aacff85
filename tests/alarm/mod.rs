//! Facts of the alarm room, one row each.

mod bound;
mod chain;
mod closing;
mod controls;
mod crowd;
mod ends;
mod estate;
mod half_on;
mod older_way;
mod passing;
mod patterns;
mod pipelines;
mod scp;
mod scp_exempt;
mod scp_names;
mod scp_rows;
mod scp_written;
mod shapes;
mod state;
mod tamper;
mod tampering;
mod unread;
mod unread_links;
mod writer;

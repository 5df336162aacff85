//! The fewest changes that close what was found, re-evaluated before anybody reads them.

pub mod cuts;
pub mod scp;
mod taking;

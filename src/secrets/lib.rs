//! The content engine: bytes in, what looks like a credential out.
//!
//! It reads streams of any size in constant memory: text in any of the usual encodings,
//! gzip, zlib, bzip2, xz, zstd, tar and zip under limits, base64 one level deep. Rules are data
//! (`checks/secrets/*.yaml`); the parts are, in the order in which a byte meets them:
//! `unpack` (with `source`, `tar`, `zip`, `zstd`), `text`, `gate`, `sweep`, `reading` (with `runs`, `pem`,
//! `encoded`), `judge` (with `aws`, `placeholder`), `pair`, and `found` on the way out. [`names`] says what keys
//! and bucket names tell before anything is read.
//!
//! Values never leave: a [`Match`] holds place, rule, redacted form and keyed fingerprint.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod aws;
mod encoded;
mod engine;
mod found;
mod gate;
mod judge;
pub mod names;
mod pair;
mod paths;
mod pem;
mod placeholder;
#[cfg(test)]
mod proof;
mod reading;
mod redact;
mod rules;
mod runs;
mod source;
mod sweep;
mod tar;
mod text;
mod unpack;
mod value;
mod zip;
pub mod zip_directory;
mod zstd;

pub use engine::{Engine, Limits, Options};
pub use found::{Match, Outcome, Role, Severity, Unread};
pub use paths::{Problem, Summary, scan_paths};
pub use rules::RulesError;
pub use value::FingerprintKey;

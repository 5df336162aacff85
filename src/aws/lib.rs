//! The collectors: an AWS in, a snapshot out.
//!
//! [`collect`] reads accounts, regions and services at once and gives one
//! [`palisade_model::Snapshot`]; [`doctor`] says what would stand in its way. The only crate that
//! names the AWS SDK.
//!
//! From the outside in: `collect` (callers, organization, accounts), `account` (one account and
//! its regions), one file per service, `listings` (every kind that is a row of a table),
//! `engine` (one call, done properly), `clients` and `generic` (how it is sent), `transport`
//! (where to), `outcome` (what an answer means).

mod access_points;
mod account;
mod caller;
mod central;
mod clients;
mod cloudtrail;
mod collect;
mod config_service;
mod credential_report;
mod credentials;
pub mod doctor;
mod engine;
mod error;
mod events;
mod generic;
mod guardduty;
mod hearers;
mod iam;
mod iam_credentials;
mod inspector;
mod lambda;
mod listings;
mod listings_read;
mod listings_roles;
mod objects;
mod objects_list;
mod objects_read;
mod objects_spans;
#[cfg(test)]
mod objects_tests;
mod objects_zip;
mod observer;
mod options;
mod organization;
mod outcome;
mod pace;
mod pages;
mod path;
mod prove;
mod purse;
mod region_deny;
mod regions;
mod resume;
mod rows;
mod s3;
mod security_hub;
mod services;
mod shield;
mod tasks;
#[cfg(test)]
mod tests;
mod transport;
mod wire;

pub use collect::collect;
pub use error::CollectError;
pub use observer::{Observer, Silent};
pub use options::{Cancel, ObjectOptions, Options, OrgOptions, PlansProof, WantsListing};
pub use purse::{Price, PriceKind};
pub use regions::{check_regions, known_regions};
pub use transport::{Responder, Transport};

//! Who may do what, decided as AWS decides it.
//!
//! A policy is read ([`document`]), made ready once ([`compile`]), and asked many times. A
//! [`Request`] meets the [`Layers`] that bear on it and [`decide`] answers: allowed, denied,
//! conditional on keys that are not known, or unknown because a policy could not be read.

mod acl;
pub mod compile;
mod condition;
mod context;
mod decide;
pub mod document;
mod engine;
pub mod explain;
mod facts;
mod kms_grants;
mod layers;
mod pattern;
mod principal;
mod public;
mod regions;
mod request;
mod residual;
mod resource;
mod ruling;
pub mod simulate;
mod tri;
mod variable;
mod witness;

pub(crate) use compile::CompiledStatement;
pub use compile::{Attached, CompiledPolicy, Interner};
pub use condition::{Comparison, Operator, Order, SetOperator};
pub use context::{Context, Key, Knowledge};
pub use decide::{Conditional, Decision, Grant, Refusal, Unknown, UnreadPolicy, decide};
pub use document::{Document, DocumentError, Effect};
pub use engine::{
    Answer, Difference, Engine, Extent, Granting, Permission, Principal, PrincipalKind, WhoCan,
};
pub(crate) use facts::rcps_act_on;
pub use layers::{Cite, Layer, Layers, Switch};
pub use pattern::Glob;
pub use principal::{Caller, Naming};
pub use public::is_public;
pub use request::Request;
pub use residual::{Clause, Control, Residual, Term};
pub use resource::{Resource, ResourceSet, example};
pub use tri::Tri;
pub(crate) use variable::filled;

//! The worlds: small made-up estates with a story and a truth, and a loopback AWS that serves
//! them.
//!
//! `SCHEMA.md` is the contract of `worlds/<name>/world.yaml`. A world is read straight into a
//! [`palisade_model::Snapshot`]; with the feature `serve`, a responder answers the requests of
//! AWS clients from the same world. One law binds the two, *collecting a served world gives its
//! snapshot*, and [`law`] is how it is tested. [`generate`] makes estates of any size.

mod generate;
pub mod law;
mod managed;
#[cfg(feature = "serve")]
pub mod serve;
mod world;

pub use generate::generate;
pub use managed::{ManagedDocument, managed_policy};
#[cfg(feature = "serve")]
pub use serve::{Responder, Server};
pub use world::{
    Fault, FaultKind, NearMiss, Story, Truth, World, WorldError, world_folder, worlds,
};

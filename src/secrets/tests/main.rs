//! The engine as others use it: recall and precision on made-up corpora, archives, bombs,
//! and that no value ever leaves. Every value is drawn at run time from a fixed seed.
#![allow(clippy::unwrap_used)]

mod archives;
mod corpus;
mod decoys;
mod draw;
mod layouts;
mod leak;
mod streams;
mod wrap;

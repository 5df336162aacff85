//! The escalation graph: the worlds' truth, the laws of the score, and a proof of every step.

mod alike;
mod classes;
mod cuts;
mod details;
mod ends;
mod gaad;
mod identities;
mod laws;
mod organization;
mod pairs;
mod prove;
mod services;
mod told;
mod worlds;

use palisade::graph::{Graph, Unheard};
use palisade::policy::Engine;
use palisade_checks::techniques;
use palisade_model::Snapshot;

/// Builds the graph of a snapshot and hands it on.
fn with_graph<T>(snapshot: &Snapshot, then: impl FnOnce(&Graph<'_>, &Engine) -> T) -> T {
    let engine = Engine::new(snapshot);
    let techniques = techniques().expect("the catalogue loads");
    let graph = Graph::build(snapshot, techniques, &engine, &Unheard);
    then(&graph, &engine)
}

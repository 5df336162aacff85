//! A second look at every reported step, without the search: each request it names is put to the
//! policy engine again, straight from the snapshot.

use std::collections::BTreeSet;

use palisade::graph::{Edge, Graph, Node, PathSet, Query, Status};
use palisade::policy::{Context, Decision, Engine, Layer};
use palisade_mocks::{World, worlds};

use super::with_graph;

/// What is wrong with a set of paths; empty when nothing is.
pub(super) fn faults(set: &PathSet, engine: &Engine) -> Vec<String> {
    let mut faults = Vec::new();
    for path in set.pairs.iter().flat_map(|p| p.paths()) {
        let worst = path
            .hops
            .iter()
            .map(|hop| hop.status)
            .max()
            .unwrap_or_default();
        if worst != path.status {
            faults.push(format!(
                "{} is {:?} over steps that are {worst:?}",
                path.id, path.status
            ));
        }
        let mut at = &path.entry.node;
        let mut held = BTreeSet::from([at]);
        for hop in &path.hops {
            // A step of two goes back to where the ways to them parted.
            for needed in std::iter::once(&hop.from).chain(&hop.with) {
                if !held.contains(needed) {
                    let fault = format!("{}: a step takes {needed}, who is not held", path.id);
                    faults.push(fault);
                }
            }
            at = &hop.to;
            held.insert(at);
            faults.extend(unproven(hop, engine).map(|fault| format!("{}: {fault}", path.id)));
        }
        if *at != path.target.node {
            faults.push(format!("{} ends at {at}", path.id));
        }
    }
    faults
}

/// Why a step does not hold.
fn unproven<'a>(hop: &'a Edge, engine: &'a Engine) -> impl Iterator<Item = String> + 'a {
    // What an elevated principal may do is not in the snapshot.
    let asked = hop
        .requests
        .iter()
        .filter(|r| matches!(r.principal, Node::Principal { .. }));
    asked.filter_map(|request| {
        let mut context = Context::open();
        for (key, values) in &request.context {
            context.set_all(key, values.iter().map(String::as_str));
        }
        let principal = request.principal.arn()?.as_str();
        let decision = engine.decide(principal, &request.action, &request.resource, &context);
        let found = match decision {
            Decision::Allowed(_) => Some(Status::Proven),
            Decision::Conditional(_) => Some(Status::Conditional),
            // What is yet to be made has no policy of its own that could be unread.
            Decision::Unknown(unknown)
                if is_new(hop, &request.resource)
                    && unknown.residual.is_none()
                    && unknown.gaps.iter().all(|gap| gap.layer == Layer::Resource) =>
            {
                Some(Status::Proven)
            }
            Decision::Unknown(_) => Some(Status::Possible),
            Decision::Denied(_) => None,
        };
        (found.is_none_or(|found| found > hop.status)).then(|| {
            format!(
                "{principal} {} on {}: {found:?}, and the step says {:?}",
                request.action, request.resource, hop.status
            )
        })
    })
}

/// Whether a step makes this resource.
fn is_new(hop: &Edge, resource: &str) -> bool {
    let new = hop
        .bindings
        .iter()
        .filter(|(name, _)| name.starts_with("$new"));
    new.into_iter().any(|(_, named)| named == resource)
}

fn prove(graph: &Graph<'_>, engine: &Engine) -> Vec<String> {
    faults(&graph.paths(&Query::default()), engine)
}

#[test]
fn every_step_in_every_story_world_is_proven_again() {
    for story in worlds() {
        let world = World::load(story.name).unwrap_or_else(|error| panic!("{error}"));
        let faults = with_graph(world.snapshot(), prove);
        assert!(faults.is_empty(), "{}: {faults:#?}", story.name);
    }
}

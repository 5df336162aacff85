//! The escalation graph on the story worlds.

use palisade::graph::{Graph, Node, Path, PathSet, Query, Status, Unheard};
use palisade::policy::Engine;
use palisade_checks::techniques;
use palisade_mocks::World;

/// Every path of a world.
fn paths_in(name: &str) -> PathSet {
    let world = World::load(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    let techniques = techniques().expect("the catalogue loads");
    let engine = Engine::new(world.snapshot());
    let graph = Graph::build(world.snapshot(), techniques, &engine, &Unheard);
    graph.paths(&Query::default())
}

/// The surest path between two nodes.
fn surest<'s>(set: &'s PathSet, from: &Node, to: &Node) -> Option<&'s Path> {
    let pair = set.pairs.iter().find(|p| p.best.entry.node == *from && p.best.target.node == *to)?;
    pair.surer.iter().chain([&pair.best]).min_by_key(|path| path.status)
}

#[test]
fn the_owner_of_the_key_becomes_administrator_in_two_steps() {
    let set = paths_in("eight-minutes");
    let user = Node::principal("arn:aws:iam::404817263951:user/corpus-sync");
    let path = surest(&set, &user, &Node::administrator("404817263951")).expect("a path");
    assert_eq!(path.status, Status::Proven);
    let techniques: Vec<&str> = path.techniques().collect();
    assert_eq!(techniques, ["lambda.update-code", "iam.create-access-key", "is-administrator"]);
    assert_eq!(path.hops[0].bindings["$f"].rsplit(':').next(), Some("key-janitor"));
    for request in path.hops.iter().flat_map(|hop| &hop.requests) {
        assert!(!request.statements.is_empty(), "{} names no statement", request.action);
    }
    assert!(path.hops.iter().all(|hop| !hop.requests.is_empty() || hop.technique == "is-administrator"));
}

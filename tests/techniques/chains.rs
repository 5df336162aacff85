//! Every named chain is shown by a world, step by step, and its choke points among them.

use std::collections::BTreeSet;

use palisade::graph::{Graph, Node, Status, Unheard};
use palisade::policy::Engine;
use palisade_checks::technique::{Chain, chains};
use palisade_checks::techniques;
use palisade_mocks::World;

/// Whether a world's short name means this node.
fn means(node: &Node, name: &str) -> bool {
    let id = node.id();
    id == name || id.ends_with(&format!(":{name}")) || id.ends_with(&format!("/{name}"))
}

/// The steps of `a -[t]-> b -[u]-> c`.
fn steps(path: &str) -> Vec<(String, String, String)> {
    let parts: Vec<&str> = path.split(['[', ']']).collect();
    let trim = |text: &str| {
        let text = text.trim_start_matches("->").trim_end_matches('-');
        text.trim().to_owned()
    };
    let triples = parts.windows(3).step_by(2);
    let triples = triples.map(|part| (trim(part[0]), part[1].to_owned(), trim(part[2])));
    triples.collect()
}

/// What a chain's worlds do not show.
fn faults(chain: &Chain) -> Vec<String> {
    let all = techniques().expect("the catalogue loads");
    let mut faults = Vec::new();
    let mut drawn: BTreeSet<String> = BTreeSet::new();
    for name in &chain.worlds {
        let world = World::load(name).unwrap_or_else(|error| panic!("{}: {error}", chain.id));
        let engine = Engine::new(world.snapshot());
        let graph = Graph::build(world.snapshot(), all, &engine, &Unheard);
        let sure = graph.steps().into_iter();
        let sure: Vec<_> = sure
            .filter(|(.., status)| *status < Status::Possible)
            .collect();
        drawn.extend(
            sure.iter()
                .map(|(_, technique, ..)| (*technique).to_owned()),
        );
        if world.truth().paths.is_empty() {
            faults.push(format!("{name} tells no path"));
        }
        for (from, technique, to) in world.truth().paths.iter().flat_map(|path| steps(path)) {
            let told = technique == "is-administrator"
                || sure.iter().any(|(source, by, target, _)| {
                    *by == technique && means(source, &from) && means(target, &to)
                });
            if !told {
                faults.push(format!("{name}: {from} -[{technique}]-> {to}"));
            }
        }
    }
    let chokes = chain.choke_points.iter();
    let missing = chokes.filter(|technique| !drawn.contains(*technique));
    faults.extend(missing.map(|technique| format!("{}: {technique} is nowhere", chain.id)));
    faults
}

#[test]
fn every_chain_is_shown_by_a_world() {
    let chains = chains().expect("the chains load");
    assert!(chains.len() >= 6);
    let faults: Vec<String> = chains.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

//! Every named chain is shown by a world, step by step.

use palisade::graph::{Graph, Node, Unheard};
use palisade::policy::Engine;
use palisade_checks::techniques;

/// Whether a world's short name means this node.
fn means(node: &Node, name: &str) -> bool {
    let id = node.id();
    id == name || id.ends_with(&format!(":{name}")) || id.ends_with(&format!("/{name}"))
}

#[test]
fn every_chain_is_shown_by_a_world() {
    let all = techniques().expect("the catalogue loads");
    let mut missing = Vec::new();
    for chain in palisade_checks::technique::chains().expect("the chains load") {
        for name in &chain.worlds {
            let world = palisade_mocks::World::load(name)
                .unwrap_or_else(|error| panic!("{}: {error}", chain.id));
            let engine = Engine::new(world.snapshot());
            let graph = Graph::build(world.snapshot(), all, &engine, &Unheard);
            let nodes = graph.nodes();
            for text in &world.truth().paths {
                let steps: Vec<&str> = text.split(['[', ']']).collect();
                for step in steps.windows(3).step_by(2) {
                    let trim = |text: &str| {
                        text.trim_start_matches("->")
                            .trim_end_matches('-')
                            .trim()
                            .to_owned()
                    };
                    let (from, to) = (trim(step[0]), trim(step[2]));
                    let drawn = nodes.iter().filter(|node| means(node, &from)).any(|from| {
                        let mut ends = nodes.iter().filter(|node| means(node, &to));
                        ends.any(|to| graph.step(from, to, step[1]).is_some())
                    });
                    if !drawn {
                        missing.push(format!("{name}: {from} -[{}]-> {to}", step[1]));
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

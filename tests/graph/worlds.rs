//! What the story worlds say is true of paths.

use palisade::graph::{Node, PathSet, Query, Status};
use palisade_mocks::{World, worlds};

use super::with_graph;

fn load(name: &str) -> World {
    World::load(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every path of a world.
fn paths_in(name: &str) -> PathSet {
    with_graph(load(name).snapshot(), |graph, _| {
        graph.paths(&Query::default())
    })
}

/// Whether a world's short name means this node.
fn means(node: &Node, name: &str) -> bool {
    let id = node.id();
    id == name || id.ends_with(&format!(":{name}")) || id.ends_with(&format!("/{name}"))
}

/// `a -[t]-> b -[u]-> c` as its nodes and techniques.
fn parse(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut nodes, mut techniques) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some((node, tail)) = rest.split_once("-[") {
        let (technique, tail) = tail.split_once("]->").expect("a step ends with `]->`");
        nodes.push(node.trim().to_owned());
        techniques.push(technique.trim().to_owned());
        rest = tail;
    }
    nodes.push(rest.trim().to_owned());
    (nodes, techniques)
}

#[test]
fn every_path_a_world_tells_of_is_there_step_by_step() {
    for story in worlds() {
        let world = load(story.name);
        for text in &world.truth().paths {
            let (nodes, techniques) = parse(text);
            let missing = with_graph(world.snapshot(), |graph, _| {
                let known = graph.nodes();
                let find = |name: &str| -> Vec<&Node> {
                    known.iter().filter(|node| means(node, name)).collect()
                };
                let mut missing = Vec::new();
                for (at, technique) in techniques.iter().enumerate() {
                    let step = find(&nodes[at]).iter().any(|from| {
                        find(&nodes[at + 1])
                            .iter()
                            .any(|to| graph.step(from, to, technique).is_some())
                    });
                    if !step {
                        missing.push(format!("{} -[{technique}]-> {}", nodes[at], nodes[at + 1]));
                    }
                }
                missing
            });
            assert!(missing.is_empty(), "{}: {missing:#?}", story.name);
        }
    }
}

#[test]
fn the_eight_minute_chain_is_found_whole_with_a_reason_at_every_step() {
    let set = paths_in("eight-minutes");
    let worst = &set.pairs[0].best;
    assert_eq!(worst.entry.node, Node::Internet);
    assert_eq!(worst.target.node, Node::administrator("404817263951"));
    assert_eq!(worst.status, Status::Proven);
    assert_eq!(worst.score.to_string(), "95.6");
    let techniques: Vec<&str> = worst.techniques().collect();
    let expected = [
        "s3.public-object-credentials",
        "lambda.update-code",
        "iam.create-access-key",
        "is-administrator",
    ];
    assert_eq!(techniques, expected);
    assert!(worst.hops[0].bindings["$o"].ends_with("/pipeline/rag-sync.env"));
    assert!(worst.hops[1].bindings["$f"].ends_with(":key-janitor"));
    for request in worst.hops.iter().flat_map(|hop| &hop.requests) {
        assert!(
            !request.statements.is_empty(),
            "{} names no statement",
            request.action
        );
    }
    assert!(!worst.hops[0].facts.is_empty());
}

#[test]
fn an_estate_done_right_has_no_path() {
    let set = paths_in("hardened");
    let paths: Vec<String> = set
        .paths()
        .map(|p| {
            let techniques: Vec<&str> = p.techniques().collect();
            format!(
                "{} → {}: {techniques:?} {:?}",
                p.entry.node, p.target.node, p.status
            )
        })
        .collect();
    assert!(paths.is_empty(), "{paths:#?}");
}

#[test]
fn what_is_cut_at_the_choke_point_is_said() {
    with_graph(load("eight-minutes").snapshot(), |graph, _| {
        let chokes = graph.choke_points(3);
        let first = &chokes[0];
        assert!(
            first.technique.contains("iam.create-access-key"),
            "{first:?}"
        );
        assert!(means(&first.to, "user/ingrid.holm"));
        assert_eq!(first.cuts, first.of, "every pair passes the key janitor");
    });
}

#[test]
fn reach_is_told_forward_and_backward() {
    with_graph(load("eight-minutes").snapshot(), |graph, _| {
        let admin = Node::administrator("404817263951");
        let user = Node::principal("arn:aws:iam::404817263951:user/corpus-sync");
        assert_eq!(graph.reaches_admin(&user), Some(Status::Proven));
        assert!(graph.reaching(&admin, Status::Proven).contains(&user));
        let blast = graph.blast_radius(&user).expect("the user is a node");
        assert!(blast.reached.contains(&admin));
    });
    with_graph(load("hardened").snapshot(), |graph, _| {
        let function = Node::principal("arn:aws:iam::404817263951:role/release-functions");
        assert_eq!(graph.reaches_admin(&function), None);
    });
}

#[test]
fn one_statement_is_one_cause_with_every_way_it_opens() {
    with_graph(load("eight-minutes").snapshot(), |graph, _| {
        let (causes, caps) = graph.causes(&graph.paths(&Query::default()));
        assert!(caps.is_empty(), "{caps:?}");
        let of = |name: &str| -> Vec<_> {
            causes
                .iter()
                .filter(|cause| means(&cause.principal.node, name))
                .collect()
        };
        let janitor = of("role/service/key-janitor-exec");
        assert_eq!(janitor.len(), 1, "{janitor:#?}");
        let statement = janitor[0].statement.as_ref().expect("a statement decides");
        assert!(
            statement.text.contains("iam:CreateAccessKey"),
            "{statement:#?}"
        );
        let first = janitor[0].ways.first().map(|way| way.technique.as_str());
        assert_eq!(first, Some("iam.create-access-key"));
        assert!(janitor[0].ways.len() > 1, "{janitor:#?}");
        let door = causes
            .iter()
            .find(|cause| cause.principal.node == Node::Internet);
        let door = door.expect("the open bucket is a cause of its own");
        assert!(door.statement.is_none() && !door.facts.is_empty());
        let ids: std::collections::BTreeSet<&str> = causes.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids.len(), causes.len());
    });
}

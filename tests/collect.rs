//! The law of the worlds: collecting a served world gives its snapshot.

use std::sync::Arc;

use bytes::Bytes;
use palisade_aws::{Cancel, Options, OrgOptions, Silent, Transport, collect};
use palisade_mocks::{World, law, serve::Responder, worlds};
use palisade_model::Snapshot;

/// What the collectors see of a world that is served to them in process.
fn collected(world: &World) -> Snapshot {
    let responder = Responder::new(world.clone());
    let transport = Transport::InProcess(Arc::new(move |request: http::Request<Bytes>| {
        let (head, body) = request.into_parts();
        let request = http::Request::from_parts(head, body.to_vec());
        responder.respond(request).map(Bytes::from)
    }));
    let org = world.snapshot().organization.value().is_some();
    let options = Options {
        org: org.then(OrgOptions::default),
        read_content: true,
        taken_at: Some(world.snapshot().taken_at),
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(collect(
            options,
            transport,
            Arc::new(Silent),
            Cancel::default(),
        ))
        .unwrap_or_else(|error| panic!("{}: {error}", world.name()))
}

/// Worlds of which every call is answered whole: their snapshots must come back as they went.
fn holds(name: &str) {
    let world = World::load(name).unwrap();
    let lines = law::diff(world.snapshot(), &collected(&world));
    assert!(lines.is_empty(), "{name}:\n{}", lines.join("\n"));
}

#[test]
fn collecting_every_served_story_gives_its_snapshot() {
    for story in worlds() {
        holds(story.name);
    }
}

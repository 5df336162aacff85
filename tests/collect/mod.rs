//! The collectors before served worlds: what they make of an AWS that answers, and of one that
//! does not.

mod cdn;
mod denied;
mod estates;
mod progress;
mod regions;
mod shortcuts;

use std::sync::Arc;

use bytes::Bytes;
use palisade_aws::{
    Cancel, CollectError, Observer, Options, OrgOptions, Silent, Transport, collect,
};
use palisade_mocks::{World, law, serve::Responder, worlds};
use palisade_model::Snapshot;

/// Every request goes to a responder for `world` in this process.
fn served(world: &World) -> Transport {
    let responder = Responder::new(world.clone()).with_page_size(100);
    through(responder)
}

fn through(responder: Responder) -> Transport {
    Transport::InProcess(Arc::new(move |request: http::Request<Bytes>| {
        let (head, body) = request.into_parts();
        let request = http::Request::from_parts(head, body.to_vec());
        responder.respond(request).map(Bytes::from)
    }))
}

/// What a scan of everything asks for.
fn everything(world: &World) -> Options {
    let org = world.snapshot().organization.value().is_some();
    Options {
        org: org.then(OrgOptions::default),
        read_content: true,
        taken_at: Some(world.snapshot().taken_at),
        ..Options::default()
    }
}

fn run(
    options: Options,
    transport: Transport,
    observer: Arc<dyn Observer>,
) -> Result<Snapshot, CollectError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(collect(options, transport, observer, Cancel::default()))
}

/// What the collectors see of a world that is served to them in process, in small pages.
fn collected(world: &World) -> Snapshot {
    let transport = through(Responder::new(world.clone()));
    run(everything(world), transport, Arc::new(Silent))
        .unwrap_or_else(|error| panic!("{}: {error}", world.name()))
}

/// Worlds of which every call is answered whole: their snapshots must come back as they went.
fn holds(world: &World) {
    let lines = law::diff(world.snapshot(), &collected(world));
    assert!(lines.is_empty(), "{}:\n{}", world.name(), lines.join("\n"));
}

#[test]
fn collecting_every_served_story_gives_its_snapshot() {
    for story in worlds() {
        holds(&World::load(story.name).unwrap());
    }
}

#[test]
fn collecting_one_of_everything_gives_its_snapshot() {
    holds(&estates::one_of_everything());
}

//! Buckets behind CloudFront, from the answer of CloudFront itself to the verdict.

use std::sync::Arc;

use bytes::Bytes;
use palisade::exposure::{Audience, Capability, Exposure};
use palisade_aws::{Options, Silent, Transport};
use palisade_mocks::{World, serve::Responder};

use super::run;

/// What `ListDistributions` answers, cut to what decides. Source: "ListDistributions", Amazon
/// CloudFront API Reference.
const ANSWER: &str = include_str!("distributions.xml");

/// Buckets that let distributions in, each in its own way.
const WORLD: &str = r#"
story: Buckets behind distributions.
taken_at: 2026-11-01T00:00:00Z
regions: [eu-central-1]
accounts:
  "111122223333":
    public_access_block: all
    buckets:
      acme-open: { region: eu-central-1, policy: { Statement: [ { Effect: Allow, Principal: { Service: cloudfront.amazonaws.com }, Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-open/*", Condition: { StringEquals: { "aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/EOPEN" } } } ] } }
      acme-signed: { region: eu-central-1, policy: { Statement: [ { Effect: Allow, Principal: { Service: cloudfront.amazonaws.com }, Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-signed/*", Condition: { StringEquals: { "aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/ESIGNED" } } } ] } }
      acme-half: { region: eu-central-1, policy: { Statement: [ { Effect: Allow, Principal: { Service: cloudfront.amazonaws.com }, Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-half/*", Condition: { StringEquals: { "aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/EHALF" } } } ] } }
      acme-edge: { region: eu-central-1, policy: { Statement: [ { Effect: Allow, Principal: { Service: cloudfront.amazonaws.com }, Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-edge/*", Condition: { StringEquals: { "aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/EEDGE" } } } ] } }
      acme-off: { region: eu-central-1, policy: { Statement: [ { Effect: Allow, Principal: { Service: cloudfront.amazonaws.com }, Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-off/*", Condition: { StringEquals: { "aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/EOFF" } } } ] } }
      acme-identity: { region: eu-central-1, public_access_block: none, policy: { Statement: [ { Effect: Allow, Principal: { AWS: "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2IDENTITY" }, Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-identity/*" } ] } }
      acme-nobody: { region: eu-central-1, policy: { Statement: [ { Effect: Allow, Principal: { Service: cloudfront.amazonaws.com }, Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-nobody/*", Condition: { StringEquals: { "aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/EOTHER" } } } ] } }
    resources: { cloudfront.distribution: {} }
"#;

#[test]
fn distributions_as_cloudfront_lists_them_open_what_they_open() {
    let world = World::parse("world.yaml".as_ref(), WORLD).unwrap();
    let responder = Responder::new(world.clone());
    let transport = Transport::InProcess(Arc::new(move |request: http::Request<Bytes>| {
        let listed = request
            .uri()
            .host()
            .is_some_and(|host| host.starts_with("cloudfront."))
            && request.uri().path().ends_with("/distribution");
        if listed {
            return http::Response::new(Bytes::from_static(ANSWER.as_bytes()));
        }
        let (head, body) = request.into_parts();
        let request = http::Request::from_parts(head, body.to_vec());
        responder.respond(request).map(Bytes::from)
    }));
    let options = Options {
        taken_at: Some(world.snapshot().taken_at),
        ..Options::default()
    };
    let snapshot = run(options, transport, Arc::new(Silent)).unwrap();
    let exposure = Exposure::of(&snapshot);
    for (bucket, ends) in [
        ("acme-open", (Audience::CdnPublic, Audience::CdnPublic)),
        ("acme-signed", (Audience::Private, Audience::Private)),
        // The default way is signed, one beside it is not.
        ("acme-half", (Audience::CdnPublic, Audience::CdnPublic)),
        // Code at the edge decides, and nobody reads it.
        ("acme-edge", (Audience::Private, Audience::CdnPublic)),
        ("acme-off", (Audience::Private, Audience::Private)),
        ("acme-identity", (Audience::CdnPublic, Audience::CdnPublic)),
        ("acme-nobody", (Audience::Private, Audience::Private)),
    ] {
        let key = ("111122223333".to_owned(), bucket.to_owned());
        let read = exposure.buckets[&key].verdict(Capability::Read);
        assert_eq!(
            (read.at_least.clone(), read.at_most.clone()),
            ends,
            "{bucket}: {read:?}"
        );
    }
}

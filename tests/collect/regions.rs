//! A region that an SCP closes: not applicable where the SCP was read, unknown where it was not.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use palisade_aws::{Silent, Transport};
use palisade_mocks::World;
use palisade_mocks::serve::Responder;
use palisade_model::{GapKind, Observed, Region, Snapshot, Why};

use super::{everything, run};

const MEMBER: &str = "222233334444";
const CLOSED: &str = "us-west-2";

/// An organization that stays in Frankfurt, but for its break-glass role. AWS refuses everything
/// that the SCP names in the closed region.
fn world(more: &str) -> World {
    let text = format!(
        r#"
story: An organization that works in one region, and whose SCP closes the others.
taken_at: 2026-11-01T00:00:00Z
regions: [us-east-1, eu-central-1, us-west-2]
organization:
  management_account: "111122223333"
  accounts: {{ "{MEMBER}": {{ name: shop }} }}
  policies:
    StayHome:
      Version: "2012-10-17"
      Statement:
        - Sid: StayHome
          Effect: Deny
          NotAction: ["iam:*", "organizations:*", "sts:*", "s3:*", "cloudfront:*", "account:*"]
          Resource: "*"
          Condition:
            StringNotEquals: {{ "aws:RequestedRegion": [eu-central-1, us-east-1] }}
            ArnNotLike: {{ "aws:PrincipalArn": "arn:aws:iam::*:role/break-glass" }}
  attachments: {{ root: [StayHome] }}
accounts: {{ "111122223333": {{}}, "{MEMBER}": {{}} }}
faults:
  - {{ as: denied-by-scp, service: "*", account: "{MEMBER}", region: {CLOSED} }}
{more}"#
    );
    World::parse(Path::new("stay-home/world.yaml"), &text).unwrap()
}

/// The snapshot, and how many calls the member's closed region was asked.
fn scanned(world: &World) -> (Snapshot, usize) {
    let responder = Responder::new(world.clone());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let transport = Transport::InProcess(Arc::new(move |request: http::Request<Bytes>| {
        let (head, body) = request.into_parts();
        let host = head.uri.host().unwrap_or_default();
        if host.contains(CLOSED) && head.headers.contains_key("x-amz-security-token") {
            count.fetch_add(1, Ordering::SeqCst);
        }
        let request = http::Request::from_parts(head, body.to_vec());
        responder.respond(request).map(Bytes::from)
    }));
    let snapshot = run(everything(world), transport, Arc::new(Silent)).unwrap();
    (snapshot, asked.load(Ordering::SeqCst))
}

fn region<'a>(snapshot: &'a Snapshot, account: &str, name: &str) -> &'a Region {
    &snapshot.accounts[account].regions.value().unwrap()[name]
}

#[test]
fn a_region_that_an_scp_closes_is_not_applicable_and_soon_left_alone() {
    let (snapshot, asked) = scanned(&world(""));
    let closed = region(&snapshot, MEMBER, CLOSED);
    for fact in [
        closed.guardduty.as_ref().map(|_| ()),
        closed.functions.as_ref().map(|_| ()),
        closed.config.as_ref().map(|_| ()),
        closed.security_hub.as_ref().map(|_| ()),
        closed.resources["ec2.instance"].as_ref().map(|_| ()),
        snapshot.accounts[MEMBER].trail_regions[CLOSED].clone(),
    ] {
        let Observed::NotApplicable(why) = &fact else {
            panic!("{fact:?}");
        };
        assert_eq!(why.why, Why::RegionDenied);
        for word in ["StayHome", "role/break-glass", "aws:RequestedRegion"] {
            assert!(why.detail.contains(word), "{}", why.detail);
        }
    }
    // Three services refused, and nothing else was asked but what was on its way already.
    assert!((3..40).contains(&asked), "{asked} calls");
    // The other regions of the account, and the account that no SCP binds, were read.
    assert!(
        region(&snapshot, MEMBER, "eu-central-1")
            .guardduty
            .value()
            .is_some()
    );
    let free = region(&snapshot, "111122223333", CLOSED);
    assert!(free.guardduty.value().is_some());
}

#[test]
fn a_region_closed_by_what_nobody_read_is_unknown() {
    let unread = "  - { as: denied, service: organizations, operation: ListPolicies }\n";
    let (snapshot, _) = scanned(&world(unread));
    let closed = region(&snapshot, MEMBER, CLOSED);
    for gap in [
        closed.guardduty.gap(),
        closed.functions.gap(),
        closed.resources["ec2.instance"].gap(),
        snapshot.accounts[MEMBER].trails_unread(CLOSED),
    ] {
        let gap = gap.expect("nobody knows");
        assert_eq!(gap.kind, GapKind::Denied, "{gap:?}");
    }
}

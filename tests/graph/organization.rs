//! Gains that reach across an organization: from a delegated administrator to the members, from
//! whoever rules the policies to all of it.

use std::path::Path;

use palisade::graph::{Node, Pair, Query, Status};
use palisade_mocks::World;

use super::prove::faults;
use super::with_graph;

const MANAGER: &str = "622222222201";
const DELEGATE: &str = "622222222202";
const MEMBER: &str = "622222222203";

/// Pairs of an organization whose delegate holds one user with these grants.
fn pairs(delegated: &str, manager: &str, delegate: &str) -> Vec<Pair> {
    let text = format!(
        r#"
story: a test
taken_at: 2026-11-01T00:00:00Z
organization:
  id: o-lantern0001
  management_account: "{MANAGER}"
  policies: {{ NoNewUsers: {{ deny: iam:CreateUser }} }}
  attachments: {{ "{MEMBER}": [NoNewUsers] }}
  delegated_administrators: {{ "{DELEGATE}": [{delegated}] }}
  trusted_services: [{delegated}]
  root_access_features: [RootSessions]
accounts:
  "{MANAGER}":
    users: {{ ruler: {{ inline: {{ a: {manager} }} }} }}
    regions:
      us-east-1:
        resources:
          sso.instance: {{ main: {{ arn: "arn:aws:sso:::instance/ssoins-1111111111111111" }} }}
  "{DELEGATE}":
    users: {{ helper: {{ inline: {{ a: {delegate} }} }} }}
    regions:
      us-east-1:
        resources:
          sso.instance: {{ main: {{ arn: "arn:aws:sso:::instance/ssoins-1111111111111111" }} }}
  "{MEMBER}":
    users: {{ plain: {{ inline: {{ a: {{ allow: s3:GetObject }} }} }} }}
"#
    );
    let world = World::parse(Path::new("organization.yaml"), &text).expect("the world reads");
    with_graph(world.snapshot(), |graph, engine| {
        let set = graph.paths(&Query::default());
        let faults = faults(&set, engine);
        assert!(faults.is_empty(), "{faults:#?}");
        set.pairs
    })
}

fn reaches(pairs: &[Pair], who: &str, target: &Node) -> Option<Status> {
    let fits =
        |pair: &&Pair| pair.best.entry.node.id().ends_with(who) && pair.best.target.node == *target;
    pairs.iter().find(fits).map(|pair| pair.best.status)
}

fn organization() -> Node {
    Node::Organization {
        organization: "o-lantern0001".to_owned(),
    }
}

#[test]
fn who_assigns_permission_sets_is_administrator_of_the_members_and_not_of_the_management() {
    let grants = r#"{ allow: ["sso:*", "identitystore:CreateUser"], on: "*" }"#;
    let nothing = "{ allow: s3:GetObject }";
    let found = pairs("sso.amazonaws.com", nothing, grants);
    let member = Node::administrator(MEMBER);
    assert_eq!(
        reaches(&found, "user/helper", &member),
        Some(Status::Proven)
    );
    assert_eq!(
        reaches(&found, "user/helper", &Node::administrator(MANAGER)),
        None
    );
    // The same grants in an account that is no delegate are worth nothing.
    let found = pairs("guardduty.amazonaws.com", nothing, grants);
    assert_eq!(reaches(&found, "user/helper", &member), None);
    let found = pairs("guardduty.amazonaws.com", grants, nothing);
    let manager = Node::administrator(MANAGER);
    assert_eq!(
        reaches(&found, "user/ruler", &manager),
        Some(Status::Proven)
    );
}

#[test]
fn stack_sets_of_the_organization_run_everywhere() {
    let grants = r#"{ allow: ["cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"], on: "*" }"#;
    let nothing = "{ allow: s3:GetObject }";
    let service = "member.org.stacksets.cloudformation.amazonaws.com";
    let found = pairs(service, nothing, grants);
    assert_eq!(
        reaches(&found, "user/helper", &organization()),
        Some(Status::Proven)
    );
    let found = pairs("guardduty.amazonaws.com", nothing, grants);
    assert_eq!(reaches(&found, "user/helper", &organization()), None);
}

#[test]
fn a_root_session_may_end_as_root_of_a_member() {
    let grants = r#"{ allow: "sts:AssumeRoot", on: "*" }"#;
    let found = pairs("iam.amazonaws.com", "{ allow: s3:GetObject }", grants);
    let member = Node::administrator(MEMBER);
    assert_eq!(
        reaches(&found, "user/helper", &member),
        Some(Status::Possible)
    );
    assert_eq!(
        reaches(&found, "user/helper", &Node::administrator(MANAGER)),
        None
    );
}

#[test]
fn who_takes_policies_off_rules_the_organization() {
    let grants = r#"{ allow: "organizations:DetachPolicy", on: "*" }"#;
    let nothing = "{ allow: s3:GetObject }";
    let found = pairs("iam.amazonaws.com", grants, nothing);
    assert_eq!(
        reaches(&found, "user/ruler", &organization()),
        Some(Status::Proven)
    );
    let found = pairs("iam.amazonaws.com", nothing, grants);
    assert_eq!(reaches(&found, "user/helper", &organization()), None);
}

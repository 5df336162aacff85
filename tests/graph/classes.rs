//! Principals under the same policies that some other policy tells apart.

use std::path::Path;

use palisade::graph::{Node, Query};
use palisade_mocks::World;

use super::with_graph;

const ACCOUNT: &str = "611111111201";

/// Who becomes administrator of the account, by the end of the ARN.
fn administrators(accounts: &str) -> Vec<String> {
    let text = format!(
        "story: a test\ntaken_at: 2026-11-01T00:00:00Z\naccounts:\n  \"{ACCOUNT}\":\n{accounts}"
    );
    let world = World::parse(Path::new("classes.yaml"), &text).expect("the world reads");
    with_graph(world.snapshot(), |graph, _| {
        let set = graph.paths(&Query {
            to: vec![Node::administrator(ACCOUNT)],
            ..Query::default()
        });
        let name = |node: &Node| node.arn().map(|arn| arn.name().to_owned());
        let mut names: Vec<String> = set
            .pairs
            .iter()
            .filter_map(|pair| name(&pair.best.entry.node))
            .collect();
        names.sort();
        names
    })
}

#[test]
fn a_trust_policy_tells_principals_apart_by_a_condition_on_their_arn() {
    let world = r#"
    users:
      ada: { inline: { take: { allow: sts:AssumeRole, on: "*" } } }
      ci-one: { inline: { take: { allow: sts:AssumeRole, on: "*" } } }
      zoe: { inline: { take: { allow: sts:AssumeRole, on: "*" } } }
    roles:
      boss:
        trust:
          aws: "arn:aws:iam::611111111201:root"
          when: { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::611111111201:user/ci-*" } }
        attached: ["aws:AdministratorAccess"]
"#;
    assert_eq!(administrators(world), ["ci-one"]);
}

#[test]
fn tags_that_no_policy_tests_tell_nobody_apart() {
    let world = r#"
    users:
      ada: { tags: { mail: ada@example.org }, inline: { take: { allow: sts:AssumeRole, on: "*" } } }
      zoe: { tags: { mail: zoe@example.org, team: sec }, inline: { take: { allow: sts:AssumeRole, on: "*" } } }
    roles:
      boss:
        trust:
          aws: "arn:aws:iam::611111111201:root"
          when: { StringEquals: { "aws:PrincipalTag/team": sec } }
        attached: ["aws:AdministratorAccess"]
"#;
    assert_eq!(administrators(world), ["zoe"]);
}

#[test]
fn an_scp_that_exempts_one_of_two_tells_them_apart() {
    let text = format!(
        r#"
story: a test
taken_at: 2026-11-01T00:00:00Z
organization:
  id: o-classes001
  management_account: "611111111200"
  units: {{ Work: root }}
  accounts:
    "611111111200": {{ name: top }}
    "{ACCOUNT}": {{ name: work, parent: Work }}
  policies:
    Guard:
      Version: "2012-10-17"
      Statement:
        - Effect: Deny
          Action: "iam:*"
          Resource: "*"
          Condition: {{ ArnNotLike: {{ "aws:PrincipalArn": "arn:aws:iam::*:user/owner-*" }} }}
  attachments: {{ Work: [Guard] }}
accounts:
  "{ACCOUNT}":
    users:
      ada: {{ inline: {{ keys: {{ allow: iam:AttachUserPolicy, on: "*" }} }} }}
      owner-two: {{ inline: {{ keys: {{ allow: iam:AttachUserPolicy, on: "*" }} }} }}
"#
    );
    let world = World::parse(Path::new("classes.yaml"), &text).expect("the world reads");
    with_graph(world.snapshot(), |graph, _| {
        let set = graph.paths(&Query::default());
        let entries: Vec<&str> = set
            .pairs
            .iter()
            .filter_map(|pair| Some(pair.best.entry.node.arn()?.name()))
            .collect();
        assert_eq!(entries, ["owner-two"]);
    });
}

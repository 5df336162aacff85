//! The changes that are said to cut every path do, and no fewer would.

use std::path::Path;

use palisade::change::{Change, apply};
use palisade::{Selection, analyse};
use palisade_mocks::World;
use palisade_model::Snapshot;

fn settled(snapshot: &Snapshot) -> usize {
    let pairs = analyse(snapshot, &Selection::default()).paths.pairs;
    let sure = |path: &palisade::graph::Path| path.status != palisade::graph::Status::Possible;
    pairs.iter().filter(|pair| pair.paths().any(sure)).count()
}

#[test]
fn one_change_cuts_the_eight_minute_chain_and_is_evaluated_again() {
    let world = World::load("eight-minutes").expect("the world loads");
    let analysis = analyse(world.snapshot(), &Selection::default());
    let cuts = analysis.cuts.expect("there are paths to cut");
    assert_eq!(cuts.changes.len(), 1, "{cuts:#?}");
    assert_eq!(cuts.changes[0].paths, cuts.of);
    assert_eq!(cuts.effort, cuts.at_least, "nothing takes less");
    assert!(cuts.left.is_empty());
    assert!(
        cuts.changes[0].says.contains("iam:CreateAccessKey"),
        "{cuts:#?}"
    );
    let changes: Vec<_> = cuts.changes.iter().map(|cut| cut.change.clone()).collect();
    assert_eq!(settled(&apply(world.snapshot(), &changes)), 0);
}

#[test]
fn each_of_several_changes_is_needed() {
    let text = r#"
story: two ways in and nothing they share
taken_at: 2026-11-01T00:00:00Z
accounts:
  "644444444401":
    users:
      a: { inline: { own: { allow: iam:CreateAccessKey, on: "arn:aws:iam::644444444401:user/boss" } } }
      b: { inline: { own: { allow: ["iam:Put*"], on: "*" } } }
      boss: { attached: ["aws:AdministratorAccess"] }
    groups:
      wide: { inline: { all: { allow: iam:AttachUserPolicy, on: "*" } } }
"#;
    let world = World::parse(Path::new("cuts.yaml"), text).expect("the world reads");
    let analysis = analyse(world.snapshot(), &Selection::default());
    let cuts = analysis.cuts.expect("there are paths to cut");
    let changes: Vec<_> = cuts.changes.iter().map(|cut| cut.change.clone()).collect();
    assert!(changes.len() >= 2, "{cuts:#?}");
    assert_eq!(settled(&apply(world.snapshot(), &changes)), 0);
    for without in 0..changes.len() {
        let mut fewer = changes.clone();
        fewer.remove(without);
        assert!(settled(&apply(world.snapshot(), &fewer)) > 0, "{cuts:#?}");
    }
}

#[test]
fn an_estate_done_right_needs_no_change() {
    let world = World::load("hardened").expect("the world loads");
    let analysis = analyse(world.snapshot(), &Selection::default());
    assert!(analysis.cuts.is_none() && analysis.causes.is_empty());
}

fn cuts_of(text: &str) -> (Vec<String>, Snapshot) {
    let world = World::parse(Path::new("cuts.yaml"), text).expect("the world reads");
    let analysis = analyse(world.snapshot(), &Selection::default());
    let cuts = analysis.cuts.expect("there are paths to cut");
    let changes: Vec<_> = cuts.changes.iter().map(|cut| cut.change.clone()).collect();
    let changed = apply(world.snapshot(), &changes);
    assert!(cuts.left.is_empty(), "{cuts:#?}");
    assert_eq!(settled(&changed), 0, "{cuts:#?}");
    (
        cuts.changes.into_iter().map(|cut| cut.says).collect(),
        changed,
    )
}

#[test]
fn one_scp_is_less_than_many_statements_and_lets_administrators_through() {
    let mut users = String::new();
    for n in 0..6 {
        users.push_str(&format!(
            "      u{n}: {{ inline: {{ own{n}: {{ allow: iam:CreateAccessKey, on: \"arn:aws:iam::644444444411:user/boss{n}\" }} }} }}\n      boss{n}: {{ attached: [\"aws:AdministratorAccess\"] }}\n"
        ));
    }
    let text = format!(
        r#"
story: six who may make keys of six administrators
taken_at: 2026-11-01T00:00:00Z
organization:
  id: o-guarded001
  management_account: "644444444410"
  accounts:
    "644444444410": {{ name: top }}
    "644444444411": {{ name: work }}
accounts:
  "644444444411":
    users:
{users}"#
    );
    let (says, changed) = cuts_of(&text);
    assert_eq!(
        says,
        ["deny iam:CreateAccessKey in account 644444444411 by an SCP, but to its 6 administrators"]
    );
    let engine = palisade::policy::Engine::new(&changed);
    let may = |who: &str| {
        let context = palisade::policy::Context::closed();
        let (who, on) = (
            format!("arn:aws:iam::644444444411:user/{who}"),
            "arn:aws:iam::644444444411:user/boss0",
        );
        engine
            .decide(&who, "iam:CreateAccessKey", on, &context)
            .is_allowed()
    };
    assert!(may("boss1") && !may("u0"));
}

#[test]
fn statements_are_numbered_as_they_were_however_many_go() {
    let text = r#"
story: two statements of one policy, each a way
taken_at: 2026-11-01T00:00:00Z
accounts:
  "644444444421":
    users:
      a:
        inline:
          own:
            Version: "2012-10-17"
            Statement:
              - { Effect: Allow, Action: iam:CreateAccessKey, Resource: "arn:aws:iam::644444444421:user/boss" }
              - { Effect: Allow, Action: iam:PutUserPolicy, Resource: "arn:aws:iam::644444444421:user/a" }
      boss: { attached: ["aws:AdministratorAccess"] }
"#;
    let (mut says, _) = cuts_of(text);
    says.sort();
    assert_eq!(
        says,
        [
            "take iam:CreateAccessKey out of statement 1 in inline policy `own` of user/a",
            "take iam:PutUserPolicy out of statement 2 in inline policy `own` of user/a",
        ]
    );
}

/// The ways that begin on the internet, by the options of their first step, and what it binds.
fn from_outside(snapshot: &Snapshot, to: &str) -> Vec<(String, Vec<String>)> {
    let (from, to) = (["internet".to_owned()], [to.to_owned()]);
    let interests = palisade::graph::Interests::default();
    let set = palisade::paths(snapshot, &from, &to, interests).expect("both are there");
    let first = |pair: palisade::graph::Pair| {
        let hop = pair
            .best
            .hops
            .into_iter()
            .next()
            .expect("a path has a step");
        let way = format!("{} by {}", hop.technique, hop.options.join(", "));
        (way, hop.bindings.into_values().collect())
    };
    set.pairs.into_iter().map(first).collect()
}

#[test]
fn tokens_and_signed_urls_shut_the_doors_they_name() {
    let proof = palisade_mocks::world_folder().join("proof");
    let load = |name: &str| {
        let file = proof.join(name);
        World::load(&file.to_string_lossy()).expect("the world loads")
    };
    let arn = |names: &[String], service: &str| {
        let mut arns = names
            .iter()
            .map(|name| palisade_model::Arn::from(name.as_str()));
        arns.find(|arn| arn.service() == service)
            .expect("the step binds one")
    };
    let world = load("chain-web-to-account.yaml");
    let open = from_outside(world.snapshot(), "administrators");
    assert_eq!(open[0].0, "ec2.imds-from-internet by weakness/imdsv1");
    let instance = arn(&open[0].1, "ec2");
    let shut = apply(world.snapshot(), &[Change::RequireTokens { instance }]);
    // Every port of it is open, so another door remains.
    let left = from_outside(&shut, "administrators");
    assert_eq!(left[0].0, "ec2.imds-from-internet by weakness/open-console");

    let world = load("story-functions.yaml");
    let open = from_outside(world.snapshot(), "function:front");
    assert_eq!(open[0].0, "lambda.public-invoke by how/url");
    let function = arn(&open[0].1, "lambda");
    let shut = apply(world.snapshot(), &[Change::SignUrls { function }]);
    let by_url = |(way, _): &(String, Vec<String>)| way.ends_with("how/url");
    assert!(!from_outside(&shut, "function:front").iter().any(by_url));
}

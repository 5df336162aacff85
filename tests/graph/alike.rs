//! Many that are the same: one line with a count, every member by name; and other ways beside the
//! best one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use palisade::graph::{Interests, Node, PathSet};
use palisade_mocks::World;
use palisade_model::Snapshot;

const ACCOUNT: &str = "611111111301";

fn snapshot(accounts: &str) -> Snapshot {
    let text = format!(
        "story: a test\ntaken_at: 2026-11-01T00:00:00Z\naccounts:\n  \"{ACCOUNT}\":\n{accounts}"
    );
    let world = World::parse(Path::new("alike.yaml"), &text).expect("the world reads");
    world.snapshot().clone()
}

fn paths(snapshot: &Snapshot, from: &[&str], to: &[&str]) -> Result<PathSet, String> {
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    palisade::paths(snapshot, &owned(from), &owned(to), Interests::default())
}

/// Roles with one policy that may pass the role of an administrator to a function.
fn crowd(many: usize) -> String {
    let mut text = String::from("    roles:\n");
    for n in 0..many {
        let _ = writeln!(
            text,
            "      copy-{n:04}: {{ trust: {{ service: ec2.amazonaws.com }}, inline: {{ p: {{ allow: \
             [iam:PassRole, lambda:CreateFunction, lambda:InvokeFunction], on: \"*\" }} }} }}"
        );
    }
    text.push_str(
        "      strong: { trust: { service: lambda.amazonaws.com }, attached: [\"aws:AdministratorAccess\"] }\n",
    );
    text
}

#[test]
fn a_thousand_identical_roles_are_one_pair_that_names_every_member() {
    let set = paths(&snapshot(&crowd(1_000)), &[], &[]).expect("nothing is asked by name");
    assert_eq!(set.pairs.len(), 1, "{:?}", set.pairs.len());
    let entry = &set.pairs[0].best.entry;
    assert_eq!(entry.count(), 1_000);
    let written = serde_json::to_string(entry).expect("it is plain data");
    for n in [0, 1, 499, 999] {
        let arn = format!("\"arn:aws:iam::{ACCOUNT}:role/copy-{n:04}\"");
        assert!(written.contains(&arn), "{arn}");
    }
    // Each of them counts for the account.
    assert_eq!(set.totals[0].entries, 1_000);
    let one = paths(&snapshot(&crowd(3)), &["role/copy-0001"], &[]).expect("it is there");
    let begins: Vec<String> = one.pairs.iter().map(|p| p.best.entry.node.id()).collect();
    assert_eq!(begins, [format!("arn:aws:iam::{ACCOUNT}:role/copy-0001")]);
}

/// Roles that may each write policies, their own among them.
fn writers(many: usize) -> String {
    let mut text = String::from("    roles:\n");
    for n in 0..many {
        let _ = writeln!(
            text,
            "      copy-{n:04}: {{ trust: {{ service: ec2.amazonaws.com }}, inline: {{ p: {{ allow: \
             iam:PutRolePolicy, on: \"*\" }} }} }}"
        );
    }
    text
}

#[test]
fn what_each_does_to_itself_is_one_pair_too() {
    let snapshot = snapshot(&writers(50));
    let set = paths(&snapshot, &[], &[]).expect("nothing is asked by name");
    assert_eq!(set.pairs.len(), 1);
    let entry = &set.pairs[0].best.entry;
    assert_eq!(entry.count(), 50);
    assert_eq!(set.totals[0].entries, 50);
    let analysis = palisade::analyse(&snapshot, &palisade::Selection::default());
    let cuts = analysis.cuts.expect("there are paths to cut");
    assert_eq!((cuts.of, cuts.changes.len()), (50, 50));
}

#[test]
fn what_cuts_a_crowd_cuts_all_of_it() {
    let snapshot = snapshot(&crowd(4));
    let analysis = palisade::analyse(&snapshot, &palisade::Selection::default());
    let cuts = analysis.cuts.expect("there are paths to cut");
    assert_eq!((cuts.of, cuts.changes.len()), (4, 4), "{cuts:#?}");
    let changed: BTreeSet<&str> = cuts
        .changes
        .iter()
        .map(|cut| cut.resource.as_str())
        .collect();
    assert_eq!(changed.len(), 4);
}

/// Roles of different rights that assume one another in a ring; one of them rewrites itself.
/// `link` says how the last assumes the first.
fn ring(link: &str) -> String {
    let arn = |name: &str| format!("\"arn:aws:iam::{ACCOUNT}:role/{name}\"");
    let (red, green, blue, guest) = (arn("red"), arn("green"), arn("blue"), arn("guest"));
    let link = link.replace("BLUE", &blue);
    format!(
        r#"
    roles:
      red: {{ trust: {{ {link} }}, inline: {{ p: {{ allow: sqs:SendMessage, on: "*" }} }} }}
      green: {{ trust: {{ aws: {red} }}, inline: {{ p: {{ allow: iam:PutRolePolicy, on: {green} }} }} }}
      blue: {{ trust: {{ aws: {green} }}, inline: {{ p: {{ allow: sns:Publish, on: "*" }} }} }}
      guest: {{ trust: {{ aws: {red} }} }}
    users:
      zoe: {{ inline: {{ p: {{ allow: sts:AssumeRole, on: {guest} }} }} }}
"#
    )
}

/// Who begins each pair, and who stands in a circle with it.
fn begins(set: &PathSet) -> Vec<(String, Vec<String>)> {
    let short = |node: &Node| node.arn().map(|arn| arn.name().to_owned());
    let of = |pair: &palisade::graph::Pair| {
        let entry = &pair.best.entry;
        let circle = entry
            .circle
            .iter()
            .filter_map(|fellow| short(&fellow.node))
            .collect();
        Some((short(&entry.node)?, circle))
    };
    set.pairs.iter().filter_map(of).collect()
}

#[test]
fn a_circle_is_one_pair_that_names_every_member() {
    let closed = snapshot(&ring("aws: BLUE"));
    let set = paths(&closed, &[], &[]).expect("nothing is asked by name");
    let circle = ["blue", "red"].map(str::to_owned).to_vec();
    // Green is the nearest; the guest leads nowhere and is in no circle.
    assert_eq!(begins(&set), [("green".to_owned(), circle)]);
    assert_eq!(set.totals[0].entries, 3, "each counts for the account");
    assert_eq!(set.pairs[0].best.hops.len(), 1);
    let everybody: Vec<String> = set.pairs[0].best.entry.everybody().map(Node::id).collect();
    assert_eq!(everybody.len(), 3);
    let one = paths(&closed, &["role/blue"], &[]).expect("it is there");
    assert_eq!(begins(&one), [("blue".to_owned(), Vec::new())]);
}

#[test]
fn what_leads_back_only_by_chance_makes_no_circle() {
    // Red may be assumed with a second factor alone, or not at all.
    let second = "aws: BLUE, when: { Bool: { \"aws:MultiFactorAuthPresent\": \"true\" } }";
    for link in [second, "service: ec2.amazonaws.com"] {
        let set = paths(&snapshot(&ring(link)), &[], &[]).expect("nothing is asked by name");
        let begins = begins(&set);
        assert!(
            begins.iter().all(|(_, circle)| circle.is_empty()),
            "{begins:?}"
        );
        assert!(begins.len() >= 2, "{begins:?}");
    }
}

/// The same technique twice, over one role or another.
const FORK: &str = r#"
    users:
      ada: { inline: { a: { allow: sts:AssumeRole, on: ["arn:aws:iam::611111111301:role/left", "arn:aws:iam::611111111301:role/right"] } } }
    roles:
      left:
        trust: { aws: "arn:aws:iam::611111111301:root" }
        inline: { p: { allow: iam:PutRolePolicy, on: "arn:aws:iam::611111111301:role/left" } }
      right:
        trust: { aws: "arn:aws:iam::611111111301:root" }
        inline: { q: { allow: [iam:PutRolePolicy, s3:ListAllMyBuckets], on: "arn:aws:iam::611111111301:role/right" } }
"#;

#[test]
fn an_alternative_may_differ_in_its_edge_alone() {
    let set = paths(&snapshot(FORK), &["user/ada"], &["administrators"]).expect("she is there");
    let pair = &set.pairs[0];
    let best: Vec<&str> = pair.best.techniques().collect();
    let through = |path: &palisade::graph::Path| path.hops[0].to.id();
    let same = pair.alternatives.iter().find(|other| {
        other.techniques().collect::<Vec<_>>() == best && through(other) != through(&pair.best)
    });
    assert!(same.is_some(), "{:#?}", pair.alternatives);
    assert!(pair.alternatives.len() <= 5);
}

#[test]
fn ends_may_be_named_by_pattern_and_by_kind() {
    let snapshot = snapshot(FORK);
    let entries = |from: &[&str], to: &[&str]| -> Vec<String> {
        let set = paths(&snapshot, from, to).expect("the names fit something");
        let mut all: Vec<String> = set
            .pairs
            .iter()
            .filter_map(|pair| Some(pair.best.entry.node.arn()?.name().to_owned()))
            .collect();
        all.sort();
        all
    };
    let admin = format!("administrator:{ACCOUNT}");
    assert_eq!(entries(&["role/*"], &[&admin]), ["left", "right"]);
    assert_eq!(entries(&["role/l?ft"], &["administrators"]), ["left"]);
    assert_eq!(entries(&["users"], &["administrators"]), ["ada"]);
    assert_eq!(entries(&["user/ada"], &["arn:aws:iam::*:role/r*"]), ["ada"]);
    assert_eq!(
        paths(&snapshot, &["group/*"], &[]),
        Err("group/*".to_owned())
    );
    let radius = paths(&snapshot, &[], &["roles"]).expect("there are roles");
    let targets: BTreeSet<&Node> = radius.pairs.iter().map(|p| &p.best.target.node).collect();
    assert_eq!(targets.len(), 2);
}

/// Roles of one sort that one person may assume.
fn many_targets(many: usize) -> String {
    let mut text = String::from(
        "    users:\n      ada: { inline: { a: { allow: sts:AssumeRole, on: \"*\" } } }\n    roles:\n",
    );
    for n in 0..many {
        let _ = writeln!(
            text,
            "      copy-{n:04}: {{ trust: {{ account: \"{ACCOUNT}\" }}, inline: {{ p: {{ allow: \
             \"s3:*\", on: \"*\" }} }} }}"
        );
    }
    text
}

#[test]
fn every_target_of_a_crowd_is_named() {
    let set =
        paths(&snapshot(&many_targets(60)), &["user/ada"], &["roles"]).expect("they are there");
    let written = serde_json::to_string(&set.pairs).expect("it is plain data");
    for n in 0..60 {
        let arn = format!("\"arn:aws:iam::{ACCOUNT}:role/copy-{n:04}\"");
        assert!(written.contains(&arn), "{arn}");
    }
    let named: BTreeSet<&Node> = set
        .pairs
        .iter()
        .flat_map(|pair| {
            let target = &pair.best.target;
            target.members.iter().chain([&target.node])
        })
        .collect();
    assert_eq!(named.len(), 60);
}

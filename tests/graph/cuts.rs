//! The changes that are said to cut every path do, and no fewer would.

use std::path::Path;

use palisade::change::apply;
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

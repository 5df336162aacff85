//! Where paths begin and end: doors to the outside, crown jewels, sandboxes, and all that one
//! principal reaches.

use std::path::Path;

use palisade::graph::{Graph, Interests, Node, PathSet, Query, Status, Unheard};
use palisade::policy::Engine;
use palisade_checks::techniques;
use palisade_mocks::World;

const ACCOUNT: &str = "655555555501";

fn paths(account: &str, interests: Interests, query: &Query) -> PathSet {
    let text = format!(
        "story: a test\ntaken_at: 2026-11-01T00:00:00Z\naccounts:\n  \"{ACCOUNT}\":\n{account}"
    );
    let world = World::parse(Path::new("ends.yaml"), &text).expect("the world reads");
    let engine = Engine::new(world.snapshot());
    let techniques = techniques().expect("the catalogue loads");
    Graph::build_for(world.snapshot(), techniques, &engine, &Unheard, interests).paths(query)
}

fn entries(account: &str) -> Vec<(Node, String, Status)> {
    let set = paths(account, Interests::default(), &Query::default());
    let of = |pair: &palisade::graph::Pair| {
        let best = &pair.best;
        (
            best.entry.node.clone(),
            best.entry_class.clone(),
            best.status,
        )
    };
    set.pairs.iter().map(of).collect()
}

fn role(trust: &str) -> String {
    format!(
        "    roles: {{ door: {{ trust: {trust}, attached: [\"aws:AdministratorAccess\"] }} }}\n"
    )
}

#[test]
fn a_trust_in_everybody_is_a_door_and_an_external_id_shuts_it() {
    let open = entries(&role("{ aws: \"*\" }"));
    assert!(
        open.iter()
            .any(|(node, ..)| matches!(node, Node::ForeignAccount { account } if account == "*")),
        "{open:?}"
    );
    let vendor = entries(&role("{ account: \"999988887777\" }"));
    let foreign =
        |node: &Node| matches!(node, Node::ForeignAccount { account } if account == "999988887777");
    let found = vendor
        .iter()
        .find(|(node, ..)| foreign(node))
        .expect("the vendor is a door");
    assert_eq!(found.1, "foreign-account");
    let held =
        "{ account: \"999988887777\", when: { StringEquals: { \"sts:ExternalId\": \"k7\" } } }";
    let held = entries(&role(held));
    assert!(
        !held
            .iter()
            .any(|(node, _, status)| foreign(node) && *status == Status::Proven),
        "{held:?}"
    );
}

#[test]
fn a_loose_subject_is_a_door_and_a_pinned_one_is_none() {
    let trust = |subject: &str| {
        let provider =
            "arn:aws:iam::655555555501:oidc-provider/token.actions.githubusercontent.com";
        format!(
            "    oidc_providers: {{ \"token.actions.githubusercontent.com\": {{}} }}\n{}",
            role(&format!(
                "{{ oidc: \"{provider}\", when: {{ StringLike: {{ \"token.actions.githubusercontent.com:sub\": \"{subject}\" }} }} }}"
            ))
        )
    };
    let is_outside = |all: &[(Node, String, Status)]| {
        all.iter()
            .any(|(node, ..)| matches!(node, Node::IdentityProvider { .. }))
    };
    let loose = entries(&trust("repo:*"));
    assert!(is_outside(&loose), "{loose:?}");
    let pinned = entries(&trust("repo:octo/app:ref:refs/heads/main"));
    assert!(!is_outside(&pinned), "{pinned:?}");
}

#[test]
fn what_the_owner_treasures_is_a_target_and_what_he_plays_with_is_worth_less() {
    let account = r#"
    users:
      reader: { inline: { r: { allow: secretsmanager:GetSecretValue, on: "*" } } }
      keys: { inline: { k: { allow: iam:CreateAccessKey, on: "arn:aws:iam::655555555501:user/boss" } } }
      boss: { attached: ["aws:AdministratorAccess"] }
    regions:
      eu-central-1:
        resources:
          secretsmanager.secret: { payroll: {} }
"#;
    let plain = paths(account, Interests::default(), &Query::default());
    let to_data = |set: &PathSet| {
        set.pairs
            .iter()
            .filter(|pair| matches!(pair.best.target.node, Node::Data { .. }))
            .count()
    };
    assert_eq!(to_data(&plain), 0, "nobody asked for it");
    let jewels = Interests {
        jewels: vec!["arn:aws:secretsmanager:*payroll*".to_owned()],
        ..Interests::default()
    };
    assert_eq!(to_data(&paths(account, jewels, &Query::default())), 1);
    let toy = Interests {
        sandboxes: [ACCOUNT.to_owned()].into(),
        ..Interests::default()
    };
    let toy = paths(account, toy, &Query::default());
    assert!(toy.pairs[0].score.hi < plain.pairs[0].score.hi);
    assert!(toy.pairs[0].best.vector.contains("sandbox-admin"));
}

#[test]
fn all_that_one_reaches_is_listed_where_no_end_is_named() {
    let account = r#"
    users:
      keys: { inline: { k: { allow: iam:CreateAccessKey, on: "arn:aws:iam::655555555501:user/boss" } } }
      boss: { attached: ["aws:AdministratorAccess"] }
"#;
    let from = vec![Node::principal("arn:aws:iam::655555555501:user/keys")];
    let query = Query {
        from,
        ..Query::default()
    };
    let set = paths(account, Interests::default(), &query);
    assert_eq!(set.reach.len(), 1);
    assert!(set.reach[0].reached.contains(&Node::administrator(ACCOUNT)));
    assert_eq!(set.pairs.len(), 1, "the way there is shown too");
    // Asked for by name, a principal begins a path whatever it is.
    let boss = Query {
        to: vec![Node::administrator(ACCOUNT)],
        from: vec![Node::principal("arn:aws:iam::655555555501:user/boss")],
        ..Query::default()
    };
    assert_eq!(paths(account, Interests::default(), &boss).pairs.len(), 1);
}

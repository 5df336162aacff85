//! Steps that take two principals in one hand: what one prepares and the other sets off, and what
//! one changes for the other.

use std::path::Path;

use palisade::graph::{Node, Pair, Query, Status};
use palisade_mocks::World;
use palisade_model::{Observed, PolicyText};

use super::prove::faults;
use super::with_graph;

const ACCOUNT: &str = "611111111101";

/// Pairs of a world, each already proven again without the search.
fn pairs(accounts: &str) -> Vec<Pair> {
    let text = format!(
        "story: a test\ntaken_at: 2026-11-01T00:00:00Z\naccounts:\n  \"{ACCOUNT}\":\n{accounts}"
    );
    let world = World::parse(Path::new("pairs.yaml"), &text).expect("the world reads");
    with_graph(world.snapshot(), |graph, engine| {
        let set = graph.paths(&Query::default());
        let faults = faults(&set, engine);
        assert!(faults.is_empty(), "{faults:#?}");
        assert!(set.caps.is_empty(), "{:?}", set.caps);
        set.pairs
    })
}

fn from<'p>(pairs: &'p [Pair], name: &str) -> Option<&'p Pair> {
    pairs.iter().find(|pair| {
        pair.best.entry.node.id().ends_with(name)
            && pair.best.target.node == Node::administrator(ACCOUNT)
    })
}

fn steps(pair: &Pair) -> Vec<&str> {
    pair.best.techniques().collect()
}

/// A function with an administrator's role, one who may write its code, one who may invoke it.
const FUNCTION: &str = r#"
    roles:
      coder:
        trust: { aws: "arn:aws:iam::611111111101:root" }
        inline: { code: { allow: lambda:UpdateFunctionCode, on: "*" } }
      runner:
        trust: { aws: "arn:aws:iam::611111111101:root" }
        inline: { run: { allow: lambda:InvokeFunction, on: "*" } }
      worker:
        trust: { service: lambda.amazonaws.com }
        attached: ["aws:AdministratorAccess"]
    regions: { eu-central-1: { functions: { job: { role: worker } } } }
"#;

#[test]
fn one_writes_the_code_and_the_other_runs_it() {
    let users = r#"
    users:
      both: { inline: { a: { allow: sts:AssumeRole, on: ["arn:aws:iam::611111111101:role/coder", "arn:aws:iam::611111111101:role/runner"] } } }
      one: { inline: { a: { allow: sts:AssumeRole, on: "arn:aws:iam::611111111101:role/coder" } } }
      other: { inline: { a: { allow: sts:AssumeRole, on: "arn:aws:iam::611111111101:role/runner" } } }
"#;
    let pairs = pairs(&format!("{users}{FUNCTION}"));
    let both = from(&pairs, "user/both").expect("holding both is enough");
    assert_eq!(both.best.status, Status::Proven);
    assert_eq!(
        steps(both),
        [
            "sts.assume-role",
            "sts.assume-role",
            "lambda.update-code",
            "is-administrator"
        ]
    );
    let joint = &both.best.hops[2];
    assert!(joint.from.id().ends_with("role/coder"));
    assert!(
        joint
            .with
            .as_ref()
            .expect("it takes two")
            .id()
            .ends_with("role/runner")
    );
    let senders: Vec<String> = joint.requests.iter().map(|r| r.principal.id()).collect();
    assert!(senders[0].ends_with("role/coder") && senders[1].ends_with("role/runner"));
    assert!(
        joint
            .requests
            .iter()
            .all(|request| !request.statements.is_empty())
    );
    assert!(from(&pairs, "user/one").is_none(), "one half is no path");
    assert!(
        from(&pairs, "user/other").is_none(),
        "the other half is no path"
    );
    assert!(from(&pairs, "role/coder").is_none());
}

#[test]
fn a_hundred_who_hold_both_are_one_line() {
    let users: String = (0..100)
        .map(|n| format!("      dev-{n:03}: {{ attached: [assume] }}\n"))
        .collect();
    let policy = "    policies: { assume: { allow: sts:AssumeRole, on: \"arn:aws:iam::611111111101:role/*\" } }\n";
    let pairs = pairs(&format!("    users:\n{users}{policy}{FUNCTION}"));
    let pair = from(&pairs, "user/dev-000").expect("one of them stands for all");
    assert_eq!(pair.best.entry.members.len(), 100);
    assert!(from(&pairs, "user/dev-042").is_none());
    assert_eq!(pair.best.hops[0].from, pair.best.entry.node);
    assert_eq!(pair.best.hops[1].from, pair.best.entry.node);
}

#[test]
fn more_pairs_than_are_tried_are_told() {
    // 460 who write the code and 460 who run it: 211,600 pairs.
    let group = |name: &str, action: &str| -> String {
        let role = |n| {
            format!(
                "      {name}-{n}: {{ trust: {{ aws: \"arn:aws:iam::{ACCOUNT}:root\" }}, inline: {{ a: {{ allow: \"lambda:{action}\", on: \"*\" }} }} }}\n"
            )
        };
        (0..460).map(role).collect()
    };
    let roles = FUNCTION.replace(
        "    roles:\n",
        &format!(
            "    roles:\n{}{}",
            group("coders", "UpdateFunctionCode"),
            group("runners", "InvokeFunction")
        ),
    );
    let text = format!(
        "story: a test\ntaken_at: 2026-11-01T00:00:00Z\naccounts:\n  \"{ACCOUNT}\":\n    users: {{ both: {{ inline: {{ a: {{ allow: sts:AssumeRole, on: \"*\" }} }} }} }}{roles}"
    );
    let world = World::parse(Path::new("pairs.yaml"), &text).expect("the world reads");
    with_graph(world.snapshot(), |graph, _| {
        let set = graph.paths(&Query::default());
        assert!(
            set.caps.iter().any(|cap| cap.contains("part of the pairs")),
            "{:?}",
            set.caps
        );
        assert!(from(&set.pairs, "user/both").is_some());
    });
}

#[test]
fn what_cannot_be_read_of_the_second_leaves_it_open() {
    let text = format!(
        "    users: {{ both: {{ inline: {{ a: {{ allow: sts:AssumeRole, on: \"arn:aws:iam::611111111101:role/*\" }} }} }} }}{}",
        FUNCTION.replace(
            "inline: { run:",
            "boundary: { $gap: iam:GetRole }\n        inline: { run:"
        )
    );
    let pairs = pairs(&text);
    let both = from(&pairs, "user/both").expect("it may be");
    assert_eq!(both.best.status, Status::Possible);
    assert!(both.score.lo.0 == 0);
}

#[test]
fn a_role_is_passed_by_whoever_creates() {
    let pairs = pairs(
        r#"
    users:
      both: { inline: { a: { allow: sts:AssumeRole, on: "arn:aws:iam::611111111101:role/*" } } }
    roles:
      passer: { trust: { aws: "arn:aws:iam::611111111101:root" }, inline: { p: { allow: iam:PassRole, on: "*" } } }
      maker: { trust: { aws: "arn:aws:iam::611111111101:root" }, inline: { c: { allow: ["lambda:CreateFunction", "lambda:InvokeFunction"], on: "*" } } }
      worker: { trust: { service: lambda.amazonaws.com }, attached: ["aws:AdministratorAccess"] }
"#,
    );
    assert!(from(&pairs, "user/both").is_none(), "{pairs:#?}");
}

/// One creates functions with a role under some names, the other runs functions under some.
fn made_and_run(made: &str, run: &str) -> Vec<Pair> {
    pairs(&format!(
        r#"
    users:
      both: {{ inline: {{ a: {{ allow: sts:AssumeRole, on: "arn:aws:iam::611111111101:role/*" }} }} }}
    roles:
      maker:
        trust: {{ aws: "arn:aws:iam::611111111101:root" }}
        inline:
          p: {{ allow: iam:PassRole, on: "*" }}
          c: {{ allow: lambda:CreateFunction, on: "arn:aws:lambda:*:*:function:{made}" }}
      runner:
        trust: {{ aws: "arn:aws:iam::611111111101:root" }}
        inline: {{ r: {{ allow: lambda:InvokeFunction, on: "arn:aws:lambda:*:*:function:{run}" }} }}
      worker: {{ trust: {{ service: lambda.amazonaws.com }}, attached: ["aws:AdministratorAccess"] }}
"#
    ))
}

#[test]
fn one_name_must_suit_both() {
    let pairs = made_and_run("dev-*", "*-x");
    let both = from(&pairs, "user/both").expect("dev-x suits both");
    let name = &both.best.hops[2].bindings["$new"];
    assert!(
        name.contains("function:dev-") && name.ends_with("-x"),
        "{name}"
    );
    assert!(from(&made_and_run("dev-*", "prod-*"), "user/both").is_none());
}

#[test]
fn one_widens_the_other() {
    let pairs = pairs(
        r#"
    users:
      ops: { inline: { a: { allow: sts:AssumeRole, on: ["arn:aws:iam::611111111101:role/editor", "arn:aws:iam::611111111101:role/app"] } } }
      dev: { inline: { a: { allow: sts:AssumeRole, on: "arn:aws:iam::611111111101:role/app" } } }
    roles:
      editor: { trust: { aws: "arn:aws:iam::611111111101:root" }, inline: { e: { allow: iam:PutRolePolicy, on: "arn:aws:iam::611111111101:role/app" } } }
      app: { trust: { aws: "arn:aws:iam::611111111101:root" }, inline: { e: { allow: s3:GetObject, on: "*" } } }
"#,
    );
    let ops = from(&pairs, "user/ops").expect("the editor widens the application's role");
    assert_eq!(ops.best.status, Status::Proven);
    assert_eq!(steps(ops).last(), Some(&"iam.put-role-policy-self"));
    assert!(from(&pairs, "user/dev").is_none());
    assert!(
        from(&pairs, "role/editor").is_none(),
        "who cannot become it gains nothing"
    );
}

#[test]
fn a_cap_is_lifted_by_a_role_that_its_holder_may_assume() {
    let pairs = pairs(
        r#"
    policies: { cap: { allow: ["s3:*", "sts:*"], on: "*" } }
    users:
      lead: { attached: ["aws:AdministratorAccess"], boundary: cap }
      idle: { attached: ["aws:AdministratorAccess"], boundary: cap, inline: { no: { deny: sts:AssumeRole, on: "*" } } }
    roles:
      janitor: { trust: { aws: "arn:aws:iam::611111111101:root" }, inline: { e: { allow: iam:DeleteUserPermissionsBoundary, on: "*" } } }
"#,
    );
    let lead = from(&pairs, "user/lead").expect("the janitor takes the boundary off");
    assert_eq!(steps(lead), ["sts.assume-role", "iam.delete-user-boundary"]);
    assert!(from(&pairs, "user/idle").is_none());
}

#[test]
fn what_two_gain_may_be_one_of_the_next_two() {
    let text = format!(
        r#"
    users:
      root-of-it: {{ inline: {{ a: {{ allow: sts:AssumeRole, on: ["arn:aws:iam::611111111101:role/coder", "arn:aws:iam::611111111101:role/opener"] }} }} }}{}
      opener: {{ trust: {{ aws: "arn:aws:iam::611111111101:root" }}, inline: {{ o: {{ allow: states:StartExecution, on: "*" }} }} }}
      flow: {{ trust: {{ service: states.amazonaws.com }}, inline: {{ r: {{ allow: "sts:AssumeRole", on: "arn:aws:iam::611111111101:role/runner" }} }} }}
"#,
        FUNCTION
            .replace(
                "    regions: { eu-central-1: { functions: { job: { role: worker } } } }\n",
                ""
            )
            .replace(
                "code: { allow: lambda:UpdateFunctionCode",
                "code: { allow: [\"lambda:UpdateFunctionCode\", \"states:UpdateStateMachine\"]"
            )
    );
    let text = format!(
        "{text}    regions:\n      eu-central-1:\n        functions: {{ job: {{ role: worker }} }}\n        resources: {{ states.state-machine: {{ m: {{ role: flow }} }} }}\n"
    );
    let pairs = pairs(&text);
    let pair = from(&pairs, "user/root-of-it").expect("two pairs, one after the other");
    let joint = pair
        .best
        .hops
        .iter()
        .filter(|hop| hop.with.is_some())
        .count();
    assert_eq!(joint, 2, "{:?}", steps(pair));
}

#[test]
fn a_second_factor_is_enrolled_for_a_user_in_hand() {
    let pairs = pairs(
        r#"
    users:
      mallory: { access_keys: 1, inline: { a: { allow: sts:AssumeRole, on: "arn:aws:iam::611111111101:role/*" }, k: { allow: iam:CreateAccessKey, on: "arn:aws:iam::611111111101:user/gated" } } }
      gated:
        access_keys: 1
        inline:
          all: { allow: "*", on: "*", when: { Bool: { "aws:MultiFactorAuthPresent": "true" } } }
    roles:
      enrol: { trust: { aws: "arn:aws:iam::611111111101:root" }, inline: { m: { allow: ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice"], on: "*" } } }
"#,
    );
    let pair = from(&pairs, "user/mallory").expect("key, device, administrator");
    assert!(
        steps(pair).contains(&"iam.enrol-mfa-for-target"),
        "{:?} {:?}",
        steps(pair),
        pair.alternatives
            .iter()
            .map(|p| p.techniques().collect::<Vec<_>>())
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_policy_that_does_not_parse_may_let_another_account_in() {
    let text = format!(
        "story: a test\ntaken_at: 2026-11-01T00:00:00Z\naccounts:\n  \"{ACCOUNT}\":{FUNCTION}  \"622222222202\":\n    users: {{ guest: {{ inline: {{ a: {{ allow: [lambda:UpdateFunctionCode, lambda:InvokeFunction], on: \"*\" }} }} }} }}\n"
    );
    let world = World::parse(Path::new("guest.yaml"), &text).expect("the world reads");
    let mut snapshot = world.snapshot().clone();
    for (policy, open) in [
        (Observed::Absent, false),
        (Observed::Value(PolicyText::new("{")), true),
    ] {
        let account = snapshot.accounts.get_mut(ACCOUNT).expect("it is there");
        let regions = account.regions.value_mut().expect("regions");
        let region = regions.get_mut("eu-central-1").expect("the region");
        let functions = region.functions.value_mut().expect("functions");
        functions.get_mut("job").expect("the function").policy = policy;
        with_graph(&snapshot, |graph, _| {
            let set = graph.paths(&Query::default());
            let guest = from(&set.pairs, "user/guest");
            let status = guest.map(|pair| pair.best.status);
            assert_eq!(status, open.then_some(Status::Possible));
        });
    }
}

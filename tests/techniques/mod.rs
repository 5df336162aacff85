//! Every technique, on stages built from its own requirements.
//!
//! For each option the smallest snapshot in which everything holds must draw an edge; with one
//! permission missing, one precondition false, or one of the layers AWS applies denying it, the
//! edge must be gone; with an unread boundary it must be open, never proven. What the stage
//! cannot build (an organization, mostly) is named in [`ELSEWHERE`] and proven by worlds.

mod arrange;
mod stage;

use std::collections::BTreeSet;

use palisade::graph::{Graph, Node, Unheard};
use palisade::policy::Engine;
use palisade_checks::technique::{
    Gain, Goal, Opt, Predicate, Requirement, Source, Status, Technique,
};
use palisade_checks::techniques;
use palisade_model::{Observed, OrgPolicy, Organization, Snapshot};
use serde_json::json;

use stage::{HOME, STRANGER, Stage};

/// Techniques whose facts no stage holds.
const ELSEWHERE: &[&str] = &[
    "cloudformation.service-managed-stack-set",
    "org.leave-organization",
    "org.organization-account-access-role",
    "org.register-delegated-admin",
    "org.saas-pivot",
    "org.tamper-scp",
    "sso.assign-existing-permission-set",
    "sso.create-permission-set-and-assign",
    "sso.join-privileged-group",
    "sso.widen-permission-set",
    "sts.assume-root",
];

/// Whether anything beyond the sources themselves is reached for sure, and whether at all.
fn reached(snapshot: &Snapshot, technique: &Technique) -> (bool, bool) {
    let engine = Engine::new(snapshot);
    let graph = Graph::build(snapshot, std::slice::from_ref(technique), &engine, &Unheard);
    let account = &snapshot.accounts[HOME];
    let users = account
        .iam
        .users
        .value()
        .into_iter()
        .flatten()
        .map(|(_, user)| user.arn.clone());
    let roles = account
        .iam
        .roles
        .value()
        .into_iter()
        .flatten()
        .map(|(_, role)| role.arn.clone());
    let providers = account.iam.oidc_providers.value().into_iter().flatten();
    let mut sources: Vec<Node> = users.chain(roles).map(Node::principal).collect();
    sources.push(Node::Internet);
    for account in ["*", STRANGER] {
        sources.push(Node::ForeignAccount {
            account: account.to_owned(),
        });
    }
    let providers = providers
        .map(|(arn, _)| arn.to_string())
        .chain(["*".to_owned()]);
    sources.extend(providers.map(|provider| Node::IdentityProvider { provider }));
    let (mut sure, mut possible) = (false, false);
    for radius in sources
        .iter()
        .filter_map(|source| graph.blast_radius(source))
    {
        sure |= !radius.reached.is_empty();
        possible |= !radius.possible.is_empty();
    }
    (sure, possible || sure)
}

/// Whether the graph draws edges for it.
fn is_drawn(technique: &Technique) -> bool {
    let to = !matches!(
        technique.yields.to,
        Goal::Capacity | Goal::Knowledge | Goal::Outside
    );
    let from = !matches!(
        technique.yields.from,
        Source::Leak | Source::Outside | Source::Held(_)
    );
    let gains = !matches!(technique.yields.gain, Gain::Nothing | Gain::Through(_))
        || matches!(technique.yields.to, Goal::Data(_));
    technique.status != Status::Retired
        && to
        && from
        && gains
        && technique.id != "sts.role-chain"
        && !ELSEWHERE.contains(&technique.id.as_str())
}

/// The first option of each group, and each other option with the first of the other groups.
fn choices(technique: &Technique) -> Vec<Vec<&Opt>> {
    // The first way of each group that asks for nobody else.
    let held = |option: &&Opt| {
        option
            .preconditions
            .iter()
            .any(|predicate| matches!(predicate, Predicate::Held(_)))
    };
    let groups = technique.any_of.iter();
    let first: Vec<&Opt> = groups
        .map(|group| {
            group
                .options
                .iter()
                .find(|o| !held(o))
                .unwrap_or(&group.options[0])
        })
        .collect();
    let mut all = vec![first.clone()];
    for (at, group) in technique.any_of.iter().enumerate() {
        for option in group
            .options
            .iter()
            .filter(|o| !std::ptr::eq(*o, first[at]))
        {
            let mut choice = first.clone();
            choice[at] = option;
            all.push(choice);
        }
    }
    // Names stand for people, and what is held besides for a second principal: worlds prove these.
    let by_name =
        |predicate: &Predicate| matches!(predicate, Predicate::Named(..) | Predicate::Held(_));
    let named = technique.preconditions.iter().any(by_name);
    all.retain(|choice| {
        let plain = |option: &&Opt| {
            option.from.is_none()
                && !matches!(option.gain, Some(Gain::Through(_)))
                && !option.preconditions.iter().any(by_name)
        };
        !named && choice.iter().all(|option| plain(&option))
    });
    all
}

fn label(technique: &Technique, choice: &[&Opt]) -> String {
    let options: Vec<&str> = choice.iter().map(|option| option.id.as_str()).collect();
    format!("{} [{}]", technique.id, options.join(", "))
}

/// Runs `check` over every technique and choice that is drawn, and collects what it objects to.
fn each(check: impl Fn(&Technique, &[&Opt], &mut Vec<String>)) {
    let mut faults = Vec::new();
    for technique in techniques().expect("the catalogue loads") {
        if is_drawn(technique) {
            for choice in choices(technique) {
                check(technique, &choice, &mut faults);
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_way_of_every_technique_fires() {
    each(|technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        stage.grant(None);
        let (sure, possible) = reached(&stage.snapshot, technique);
        let expected = (technique.unread.is_none(), true);
        if (sure, possible) != expected {
            faults.push(format!("{}: {sure} {possible}", label(technique, choice)));
        }
    });
}

#[test]
fn one_missing_permission_silences_it() {
    each(|technique, choice, faults| {
        let requires = Stage::new(technique, choice).requires.len();
        for missing in 0..requires {
            let mut stage = Stage::new(technique, choice);
            let action = stage.requires[missing].action.clone();
            let again = |required: &&Requirement| required.action == action;
            // A trust policy that names the caller grants by itself.
            if stage.requires.iter().copied().filter(|r| again(r)).count() > 1
                || action.starts_with("sts:")
            {
                continue;
            }
            if another_way(technique, choice, stage.requires[missing]) {
                continue;
            }
            stage.grant(Some(missing));
            if reached(&stage.snapshot, technique).1 {
                faults.push(format!("{} without {action}", label(technique, choice)));
            }
        }
    });
}

/// Whether the permissions that are left do for another option of the same group.
fn another_way(technique: &Technique, choice: &[&Opt], missing: &Requirement) -> bool {
    let chosen = choice.iter().flat_map(|option| &option.requires);
    let left: BTreeSet<&str> = technique
        .requires
        .iter()
        .chain(chosen)
        .filter(|required| required.action != missing.action)
        .map(|required| required.action.as_str())
        .collect();
    technique.any_of.iter().zip(choice).any(|(group, taken)| {
        let own = taken
            .requires
            .iter()
            .any(|required| std::ptr::eq(required, missing));
        own && group
            .options
            .iter()
            .filter(|option| !std::ptr::eq(*option, *taken))
            .any(|other| {
                other
                    .requires
                    .iter()
                    .all(|required| left.contains(required.action.as_str()))
            })
    })
}

#[test]
fn one_false_precondition_silences_it() {
    each(|technique, choice, faults| {
        let count = Stage::new(technique, choice).predicates.len();
        for at in 0..count {
            let mut stage = Stage::new(technique, choice);
            let predicate = stage.predicates[at];
            if !arrange::arrange(&mut stage, predicate, false) {
                continue;
            }
            stage.grant(None);
            // Another option of the same group may still work.
            let others = technique.any_of.iter().any(|group| group.options.len() > 1);
            let own = technique
                .preconditions
                .iter()
                .any(|own| std::ptr::eq(own, predicate));
            if others && !own {
                continue;
            }
            if reached(&stage.snapshot, technique).0 {
                faults.push(format!(
                    "{} with false {predicate}",
                    label(technique, choice)
                ));
            }
        }
    });
}

#[test]
fn an_unread_boundary_leaves_it_open() {
    each(|technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        if stage.requires.is_empty() || !stage_has_no_boundary(&mut stage) {
            return;
        }
        stage.grant(None);
        let gap = Observed::denied("iam:GetAccountAuthorizationDetails");
        if stage.acts_as_role() {
            stage.role("self").boundary = gap;
        } else {
            stage.user("self").boundary = gap;
        }
        let (sure, possible) = reached(&stage.snapshot, technique);
        if sure || !possible {
            faults.push(format!("{}: {sure} {possible}", label(technique, choice)));
        }
    });
}

fn stage_has_no_boundary(stage: &mut Stage<'_>) -> bool {
    // A user named in a role's trust policy needs no identity-side grant to assume it, and a
    // boundary does not cap that.
    let assumes = stage
        .requires
        .iter()
        .all(|required| required.action.starts_with("sts:"));
    let own = match stage.acts_as_role() {
        true => stage.role("self").boundary.clone(),
        false => stage.user("self").boundary.clone(),
    };
    !assumes && own.is_absent()
}

/// Puts the account into an organization whose SCPs deny these actions.
fn under_scp(snapshot: &mut Snapshot, actions: &BTreeSet<&str>, manager: &str) {
    let deny = json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": actions, "Resource": "*"}]});
    let full = json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let policy = |document: serde_json::Value| OrgPolicy {
        document: Observed::Value(document.into()),
        ..OrgPolicy::default()
    };
    let member = || palisade_model::OrgAccount {
        parent: "r-root".to_owned(),
        status: "ACTIVE".to_owned(),
        ..Default::default()
    };
    snapshot.organization = Observed::Value(Organization {
        id: "o-palisade00".to_owned(),
        management_account: manager.to_owned(),
        feature_set: "ALL".to_owned(),
        root: Observed::Value("r-root".to_owned()),
        enabled_policy_types: Observed::Value(vec!["SERVICE_CONTROL_POLICY".to_owned()]),
        units: Observed::Value(Default::default()),
        accounts: Observed::Value(
            [
                (HOME.to_owned(), member()),
                ("222233334444".to_owned(), member()),
            ]
            .into(),
        ),
        policies: Observed::Value(
            [
                ("p-FullAWSAccess".to_owned(), policy(full)),
                ("p-deny".to_owned(), policy(deny)),
            ]
            .into(),
        ),
        attachments: Observed::Value(
            [
                ("r-root".to_owned(), vec!["p-FullAWSAccess".to_owned()]),
                (
                    HOME.to_owned(),
                    vec!["p-FullAWSAccess".to_owned(), "p-deny".to_owned()],
                ),
            ]
            .into(),
        ),
        ..Organization::default()
    });
}

#[test]
fn an_scp_stops_it_in_a_member_account_and_not_in_the_management_account() {
    each(|technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        if stage.requires.is_empty() || technique.unread.is_some() {
            return;
        }
        stage.grant(None);
        let actions: BTreeSet<&str> = stage.requires.iter().map(|r| r.action.as_str()).collect();
        let mut member = stage.snapshot.clone();
        under_scp(&mut member, &actions, "222233334444");
        if reached(&member, technique).1 {
            faults.push(format!("{} under an SCP", label(technique, choice)));
        }
        under_scp(&mut stage.snapshot, &actions, HOME);
        if !reached(&stage.snapshot, technique).0 {
            faults.push(format!(
                "{} in the management account",
                label(technique, choice)
            ));
        }
    });
}

#[test]
fn an_explicit_deny_stops_it() {
    each(|technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        if stage.requires.is_empty() {
            return;
        }
        stage.grant(None);
        let actions: BTreeSet<&str> = stage.requires.iter().map(|r| r.action.as_str()).collect();
        let deny = json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": actions, "Resource": "*"}]});
        let policy = [("denied".to_owned(), deny.into())];
        if stage.acts_as_role() {
            stage.role("self").inline.extend(policy);
        } else {
            stage.user("self").inline.extend(policy);
        }
        // Who sheds its own denies is stopped like anybody else: the deny holds the shedding.
        if reached(&stage.snapshot, technique).1 {
            faults.push(label(technique, choice));
        }
    });
}

/// Whether a world's short name means this node.
fn means(node: &Node, name: &str) -> bool {
    let id = node.id();
    id == name || id.ends_with(&format!(":{name}")) || id.ends_with(&format!("/{name}"))
}

#[test]
fn every_chain_is_shown_by_a_world() {
    let all = techniques().expect("the catalogue loads");
    let mut missing = Vec::new();
    for chain in palisade_checks::technique::chains().expect("the chains load") {
        for name in &chain.worlds {
            let world = palisade_mocks::World::load(name)
                .unwrap_or_else(|error| panic!("{}: {error}", chain.id));
            let engine = Engine::new(world.snapshot());
            let graph = Graph::build(world.snapshot(), all, &engine, &Unheard);
            let nodes = graph.nodes();
            for text in &world.truth().paths {
                let steps: Vec<&str> = text.split(['[', ']']).collect();
                for step in steps.windows(3).step_by(2) {
                    let trim = |text: &str| {
                        text.trim_start_matches("->")
                            .trim_end_matches('-')
                            .trim()
                            .to_owned()
                    };
                    let (from, to) = (trim(step[0]), trim(step[2]));
                    let drawn = nodes.iter().filter(|node| means(node, &from)).any(|from| {
                        let mut ends = nodes.iter().filter(|node| means(node, &to));
                        ends.any(|to| graph.step(from, to, step[1]).is_some())
                    });
                    if !drawn {
                        missing.push(format!("{name}: {from} -[{}]-> {to}", step[1]));
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

//! Every technique, on stages built from its own requirements.
//!
//! For each option the smallest snapshot in which everything holds must draw an edge (`ways`); with
//! one permission missing, one precondition false, or one of the layers AWS applies denying it, the
//! edge must be gone, and where a layer does not apply it must stay (`layers`); with one fact
//! unread it must be open, never proven (`unread`). What the stage cannot build, an organization, is
//! named in [`ELSEWHERE`] and has a stage of its own (`organization`). Worlds with a story prove the
//! data (`stories`, `chains`).

mod arrange;
mod chains;
mod layers;
mod organization;
mod stage;
mod stories;
mod unread;
mod ways;

use palisade::graph::{Graph, Node, Unheard};
use palisade::policy::Engine;
use palisade_checks::technique::{Gain, Goal, Opt, Predicate, Source, Status, Technique};
use palisade_checks::techniques;
use palisade_model::Snapshot;

/// Techniques of an organization: `organization` holds their facts.
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
    let comes = |node: &Node| {
        matches!(
            node,
            Node::Principal { .. }
                | Node::Internet
                | Node::ForeignAccount { .. }
                | Node::IdentityProvider { .. }
        )
    };
    let sources: Vec<Node> = graph.nodes().into_iter().filter(comes).collect();
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
        || matches!(technique.yields.to, Goal::Data(_) | Goal::Guardrails(_))
        || technique.id == "lambda.public-invoke";
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
            !matches!(option.gain, Some(Gain::Through(_)))
                && !option.preconditions.iter().any(by_name)
        };
        !named && choice.iter().all(plain)
    });
    all
}

fn label(technique: &Technique, choice: &[&Opt]) -> String {
    let options: Vec<&str> = choice.iter().map(|option| option.id.as_str()).collect();
    format!("{} [{}]", technique.id, options.join(", "))
}

/// Runs `check` over every technique and choice that is drawn, and collects what it objects to.
/// It answers how many variants it tried: fewer than `at_least` in all means that the stage has
/// lost its grip.
fn each(at_least: usize, check: impl Fn(&Technique, &[&Opt], &mut Vec<String>) -> usize) {
    let mut faults = Vec::new();
    let mut tried = 0;
    for technique in techniques().expect("the catalogue loads") {
        if is_drawn(technique) {
            for choice in choices(technique) {
                tried += check(technique, &choice, &mut faults);
            }
        }
    }
    settle(&faults, tried, at_least);
}

/// Fails with everything that was objected to, and where fewer variants were tried than there are.
fn settle(faults: &[String], tried: usize, at_least: usize) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(
        tried >= at_least,
        "{tried} variants, and no longer {at_least}"
    );
}

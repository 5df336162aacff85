//! What a technique that worked out gains: which node, or which change of a principal.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use palisade_checks::technique::{Gain, Goal, Predicate, ResourceRef};
use palisade_model::Arn;

use super::actor::{Actor, Mod};
use super::admin::administrator;
use super::bind::Bound;
use super::grow::Growth;
use super::judge::Judge;
use super::plan::Plan;
use super::way::{Found, Solution, State};
use super::{Node, Status};

/// Versions of one principal that are followed, itself included.
const MAX_VERSIONS: usize = 12;

impl<'a> Growth<'_, 'a> {
    /// What a solution gains.
    pub(super) fn gained(
        &mut self,
        plan: &Plan<'a>,
        actor: Option<&Actor>,
        solution: &Solution,
    ) -> Vec<Node> {
        let (to, gain) = plan.outcome(&solution.options);
        let bound = |name: Option<&str>| name.and_then(|name| solution.bindings.get(name));
        let goal = plan.goal(&solution.options);
        let goal = bound(goal.and_then(|goal| goal.variable()));
        match (to, goal) {
            (Goal::SelfRef, _) => {
                let Some(actor) = actor else {
                    return Vec::new();
                };
                let (arn, mods) = (actor.arn.clone(), actor.mods.clone());
                self.become_more(plan, solution, arn, mods)
            }
            (Goal::Resource(to), Some(bound)) if is_principal(to.kind.name()) => {
                let Some(arn) = bound.arn().cloned() else {
                    return self.unseen(bound);
                };
                match (gain, bound) {
                    (Gain::Target, Bound::New(_)) => Vec::new(),
                    (Gain::Target, _) if arn.resource().starts_with("role/aws-service-role/") => {
                        Vec::new()
                    }
                    (Gain::Target, _) => vec![Node::principal(arn)],
                    _ => self.become_more(plan, solution, arn, BTreeSet::new()),
                }
            }
            (Goal::Resource(_), Some(bound)) => bound
                .arn()
                .cloned()
                .map(|arn| Node::Workload { arn })
                .into_iter()
                .collect(),
            (Goal::Data(_), Some(bound)) => bound
                .arn()
                .cloned()
                .map(|arn| Node::Data { arn })
                .into_iter()
                .collect(),
            (Goal::Administrator(_), Some(Bound::Account(account))) => {
                vec![Node::administrator(account.clone())]
            }
            (Goal::Root(_), Some(Bound::Account(account))) => match gain {
                // A session of the root user with a task's policy: the root user may do anything,
                // and the session only this.
                Gain::Through(words) => {
                    let only = let_through(words).map(Mod::Only);
                    let mods = only.into_iter().chain([Mod::Anything]).collect();
                    let root = Arn::root(self.judge.scene.snapshot.partition, account);
                    self.version_node(plan, root, mods).into_iter().collect()
                }
                _ => vec![Node::administrator(account.clone())],
            },
            // An account that leaves its guardrails behind gains nothing of the others: whoever led
            // it out may do there what they held back.
            (Goal::Guardrails(_), Some(Bound::Account(account)))
                if actor.is_some_and(|actor| actor.arn.account() == account.as_str()) =>
            {
                let Some(actor) = actor else {
                    return Vec::new();
                };
                let (arn, mut mods) = (actor.arn.clone(), actor.mods.clone());
                mods.insert(Mod::NoGuardrails);
                self.version_node(plan, arn, mods).into_iter().collect()
            }
            (Goal::Organization | Goal::Guardrails(_), _) => self.organization(),
            _ => Vec::new(),
        }
    }

    fn organization(&self) -> Vec<Node> {
        let organization = self.judge.scene.snapshot.organization.value();
        let node = |o: &palisade_model::Organization| Node::Organization {
            organization: o.id.clone(),
        };
        organization.map(node).into_iter().collect()
    }

    /// Somebody of a listing that could not be read: it may be the administrator.
    fn unseen(&self, bound: &Bound) -> Vec<Node> {
        match bound {
            Bound::Unseen { account, .. } => vec![Node::administrator(account.clone())],
            _ => Vec::new(),
        }
    }

    /// A principal with more than it had.
    fn become_more(
        &mut self,
        plan: &Plan<'a>,
        solution: &Solution,
        arn: Arn,
        mut mods: BTreeSet<Mod>,
    ) -> Vec<Node> {
        let bound = |name: &palisade_checks::technique::ResourceRef| {
            name.variable()
                .and_then(|name| solution.bindings.get(name)?.arn().cloned())
        };
        let (_, gain) = plan.outcome(&solution.options);
        match gain {
            Gain::Anything => drop(mods.insert(Mod::Anything)),
            Gain::Policy(policy) => match bound(policy) {
                Some(policy) if super::ground::is_administrator_access(&policy) => {
                    mods.insert(Mod::Anything);
                }
                Some(policy) => drop(mods.insert(Mod::Policy(policy))),
                // The group's way of several: any of them may be the one that was found.
                None => drop(mods.insert(Mod::Anything)),
            },
            Gain::Version(policy) | Gain::UnderVersion(policy) => {
                let Some(policy) = bound(policy) else {
                    return Vec::new();
                };
                let change = match gain {
                    Gain::Version(_) => Mod::Version,
                    _ => Mod::BoundaryVersion,
                };
                return self.versions((plan, change), &policy, &arn, &mods);
            }
            Gain::Group(group) => match bound(group) {
                Some(group) => drop(mods.insert(Mod::Group(group))),
                None => return Vec::new(),
            },
            Gain::WithoutBoundary => drop(mods.insert(Mod::NoBoundary)),
            Gain::Under(boundary) | Gain::AnythingUnder(boundary) => {
                let Some(boundary) = bound(boundary) else {
                    return Vec::new();
                };
                if let Gain::AnythingUnder(_) = gain {
                    mods.insert(Mod::Anything);
                }
                mods.insert(Mod::Boundary(boundary));
            }
            Gain::WithoutDenies => drop(mods.insert(Mod::NoDenies)),
            Gain::Gated => match gate_of(plan, solution) {
                Some(change) => drop(mods.insert(change)),
                None => return Vec::new(),
            },
            Gain::Through(words) => match let_through(words) {
                Some(actions) => drop(mods.insert(Mod::Only(actions))),
                None => return Vec::new(),
            },
            Gain::Target | Gain::Nothing => return Vec::new(),
        }
        self.version_node(plan, arn, mods).into_iter().collect()
    }

    fn versions(
        &mut self,
        (plan, change): (&Plan<'a>, fn(Arn, String) -> Mod),
        policy: &Arn,
        arn: &Arn,
        mods: &BTreeSet<Mod>,
    ) -> Vec<Node> {
        let account = self.judge.scene.snapshot.accounts.get(arn.account());
        let found = account.and_then(|a| a.iam.policies.value()?.get(policy));
        let Some(found) = found else {
            return Vec::new();
        };
        let others = found
            .versions
            .keys()
            .filter(|version| **version != found.default_version);
        let changes: Vec<Mod> = others
            .map(|version| change(policy.clone(), version.clone()))
            .collect();
        let mut nodes = Vec::new();
        for change in changes {
            let mut mods = mods.clone();
            mods.insert(change);
            nodes.extend(self.version_node(plan, arn.clone(), mods));
        }
        nodes
    }

    /// The node of a changed principal: the administrator where that is what it is now.
    fn version_node(&mut self, plan: &Plan<'a>, arn: Arn, mods: BTreeSet<Mod>) -> Option<Node> {
        if let Some(known) = self.known.get(&(arn.clone(), mods.clone())) {
            return self.nodes[*known as usize].clone();
        }
        let actor = Actor::new(
            &self.judge.ground,
            self.judge.engine,
            &arn,
            mods.clone(),
            &plan.technique.id,
        );
        if administrator(&actor) == Some(Status::Proven) {
            return Some(Node::administrator(arn.account()));
        }
        let mut actor = actor;
        actor.by = format!("{}:{}", plan.technique.id, describe(&mods));
        let node = actor.node();
        if self.within.is_some_and(|within| within.is_idle(&node)) {
            return None;
        }
        let count = self.versions.entry(arn.clone()).or_insert(1);
        if *count >= MAX_VERSIONS {
            self.caps.insert(format!(
                "only {MAX_VERSIONS} of the ways {arn} can change itself are followed"
            ));
            return None;
        }
        *count += 1;
        let id = self.id(node.clone());
        self.known.insert((arn, mods), id);
        self.actors.insert(id, actor);
        self.enlist(vec![id]);
        Some(node)
    }
}

/// What is gained, and in which sense.
type Gained = (Option<Arc<str>>, Sort);

/// What was found, without what another way gains as well and as surely: reaching a
/// principal only through a service where it is reached as a whole, and any policy or boundary
/// where the one that allows everything is at hand for the same.
pub(super) fn fullest(judge: &Judge<'_>, plan: &Plan<'_>, mut found: Found) -> Found {
    let mut whole: BTreeMap<Gained, Vec<Rc<State>>> = BTreeMap::new();
    for solution in found.values().flatten() {
        let claim = Claim::new(plan, solution);
        if claim.extent == Extent::Whole {
            let of = whole.entry((claim.of, claim.sort)).or_default();
            of.push(Rc::clone(&solution.state));
        }
    }
    let idle = |solution: &Solution| {
        let claim = Claim::new(plan, solution);
        let state = &solution.state;
        let part = claim.extent == Extent::Part;
        // Part of a principal is nothing to who holds all of it.
        let any = claim.sort == Sort::Target;
        let of = whole.get(&(claim.of, claim.sort)).filter(|_| part);
        of.into_iter().flatten().any(|by| {
            let cheap = by.asks_no_more_than(state) && by.worth(judge) >= state.worth(judge);
            by.status <= state.status && (any || cheap)
        })
    };
    let keep = |ways: &mut Vec<Solution>| ways.retain(|way| !idle(way));
    found.values_mut().for_each(keep);
    found
}

/// What a way gains, seen from what more there is to gain.
struct Claim {
    /// Who or what is gained.
    of: Option<Arc<str>>,
    sort: Sort,
    extent: Extent,
}

/// Gains that can be held against each other.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Target,
    Permissions,
    Boundary,
    Other,
}

#[derive(PartialEq, Eq)]
enum Extent {
    /// There is no more to gain.
    Whole,
    /// Another way may gain more.
    Part,
}

impl Claim {
    fn new(plan: &Plan<'_>, solution: &Solution) -> Self {
        let (to, gain) = plan.outcome(&solution.options);
        let name = |of: Option<&ResourceRef>| {
            let bound = of.and_then(ResourceRef::variable);
            bound.and_then(|name| solution.bindings.get(name))
        };
        let crowns = || {
            let policy = name(plan.gain_reference(&solution.options)).and_then(Bound::arn);
            policy.is_some_and(super::ground::is_administrator_access)
        };
        let extent = |whole| if whole { Extent::Whole } else { Extent::Part };
        let (sort, extent) = match gain {
            Gain::Target if matches!(to, Goal::Resource(_)) => (Sort::Target, Extent::Whole),
            Gain::Through(_) => (Sort::Target, Extent::Part),
            Gain::Anything => (Sort::Permissions, Extent::Whole),
            Gain::Policy(_) => (Sort::Permissions, extent(crowns())),
            Gain::AnythingUnder(_) => (Sort::Permissions, Extent::Part),
            Gain::WithoutBoundary => (Sort::Boundary, Extent::Whole),
            Gain::Under(_) => (Sort::Boundary, extent(crowns())),
            _ => (Sort::Other, Extent::Part),
        };
        Claim {
            of: name(plan.goal(&solution.options)).map(Bound::name),
            sort,
            extent,
        }
    }
}

/// The actions that a technique's words after `through` stand for.
///
/// # Panics
///
/// When the file is invalid: the tests read it, so a build that passed them holds a valid one.
fn let_through(words: &str) -> Option<&'static [String]> {
    static ALL: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    let all = ALL.get_or_init(|| match palisade_checks::through() {
        Ok(all) => all,
        Err(error) => panic!("{error}"),
    });
    all.get(words).map(Vec::as_slice)
}

/// What stood in the way and no longer does.
fn gate_of(plan: &Plan<'_>, solution: &Solution) -> Option<Mod> {
    let taken = plan.technique.any_of.iter().zip(solution.options.iter());
    let taken = taken.filter_map(|(group, at)| group.options.get(*at));
    let asked = taken.flat_map(|option| &option.preconditions);
    let key = asked
        .chain(&plan.technique.preconditions)
        .find_map(gate_in)?;
    if key.starts_with("aws:principaltag/") {
        return Some(Mod::OwnTags);
    }
    if key.starts_with("aws:multifactorauth") {
        return Some(Mod::Mfa);
    }
    let tagged = plan
        .technique
        .any_of
        .iter()
        .zip(solution.options.iter())
        .find_map(|(group, taken)| {
            let option = group.options.get(*taken)?;
            let name = option.requires.first()?.on.variable()?;
            solution.bindings.get(name)?.arn().cloned()
        });
    tagged.map(Mod::TagsOn)
}

/// The key that a predicate says stands in the way.
fn gate_in(predicate: &Predicate) -> Option<String> {
    match predicate {
        Predicate::GatedBy(key, _) | Predicate::HeldByTag(key, _) => Some(key.to_ascii_lowercase()),
        _ => None,
    }
}

fn describe(mods: &BTreeSet<Mod>) -> String {
    let words: Vec<String> = mods
        .iter()
        .map(|change| match change {
            Mod::Anything => "anything".to_owned(),
            Mod::Policy(arn) => arn.to_string(),
            Mod::Version(arn, version) => format!("{arn}={version}"),
            Mod::Group(arn) => arn.to_string(),
            Mod::NoBoundary => "without-boundary".to_owned(),
            Mod::Boundary(arn) => format!("under-{arn}"),
            Mod::BoundaryVersion(arn, version) => format!("under-{arn}={version}"),
            Mod::NoDenies => "without-denies".to_owned(),
            Mod::NoGuardrails => "without-guardrails".to_owned(),
            Mod::OwnTags => "own-tags".to_owned(),
            Mod::Mfa => "second-factor".to_owned(),
            Mod::TagsOn(arn) => format!("tags-on-{arn}"),
            Mod::Only(_) => "through-a-service".to_owned(),
        })
        .collect();
    words.join("+")
}

fn is_principal(kind: &str) -> bool {
    matches!(kind, "role" | "user" | "principal")
}

//! Grows the graph: every technique tried by every principal, from the principals of the
//! snapshot on to what they can make of themselves.
//!
//! Principals whom no question tells apart are one class and try once. What a class can do to
//! many targets in the same way and for the same price is one hub.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use palisade_checks::technique::{Gain, Goal, Predicate, Source, Speed};
use palisade_model::{AccountId, Arn};

use super::actor::{Actor, Mod};
use super::admin::administrator;
use super::bind::{Bindings, Bound};
use super::judge::Judge;
use super::net::{Cost, Id, Net, NetBuilder};
use super::offers::Offers;
use super::plan::Plan;
use super::solve::{Attempt, Solution};
use super::weigh::{Detection, Interval, nats};
use super::{Node, Status};
use crate::policy::Attached;

/// What drew a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Drawn {
    /// A technique, by its place among the plans.
    Plan(u32),
    /// Being something that implies the other: an administrator by its own policies.
    Is,
    /// An administrator takes any principal of its account.
    Takes,
}

/// One step from some sources to some targets.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) drawn: Drawn,
    pub(crate) source: Id,
    pub(crate) hub: Id,
    pub(crate) targets: Vec<Id>,
    pub(crate) cost: u32,
}

/// The finished graph and what its numbers mean.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) net: Net,
    /// The node behind a number; `None` for hubs and classes.
    pub(crate) nodes: Vec<Option<Node>>,
    pub(crate) ids: BTreeMap<Node, Id>,
    pub(crate) steps: Vec<Step>,
    pub(crate) actors: BTreeMap<Id, Actor>,
    /// Principals by the class node they belong to.
    pub(crate) classes: BTreeMap<Id, Vec<Id>>,
    /// How surely a principal is administrator by its own policies.
    pub(crate) administrators: BTreeMap<Id, Status>,
}

/// Versions of one principal that are followed, itself included.
const MAX_VERSIONS: usize = 12;

/// A graph that is growing.
pub(crate) struct Growth<'g, 'a> {
    pub(crate) judge: &'g Judge<'a>,
    pub(crate) plans: &'g [Plan<'a>],
    pub(crate) builder: NetBuilder,
    nodes: Vec<Option<Node>>,
    ids: BTreeMap<Node, Id>,
    steps: Vec<Step>,
    actors: BTreeMap<Id, Actor>,
    classes: BTreeMap<Id, Vec<Id>>,
    administrators: BTreeMap<Id, Status>,
    queue: VecDeque<(Id, Vec<Id>)>,
    known: BTreeMap<(Arn, BTreeSet<Mod>), Id>,
    versions: BTreeMap<Arn, usize>,
    offers: Offers,
    next_class: u64,
}

impl<'g, 'a> Growth<'g, 'a> {
    pub(crate) fn new(judge: &'g Judge<'a>, plans: &'g [Plan<'a>]) -> Self {
        Growth {
            judge,
            plans,
            builder: NetBuilder::default(),
            nodes: Vec::new(),
            ids: BTreeMap::new(),
            steps: Vec::new(),
            actors: BTreeMap::new(),
            classes: BTreeMap::new(),
            administrators: BTreeMap::new(),
            queue: VecDeque::new(),
            known: BTreeMap::new(),
            versions: BTreeMap::new(),
            offers: Offers::new(plans, &judge.scene),
            next_class: 1,
        }
    }

    /// The number of a node.
    pub(crate) fn id(&mut self, node: Node) -> Id {
        if let Some(known) = self.ids.get(&node) {
            return *known;
        }
        let id = self.blank();
        self.nodes[id as usize] = Some(node.clone());
        self.ids.insert(node, id);
        id
    }

    fn blank(&mut self) -> Id {
        self.nodes.push(None);
        self.builder.node()
    }

    /// Grows everything.
    pub(crate) fn grow(mut self) -> Grown {
        self.plant();
        while let Some((source, members)) = self.queue.pop_front() {
            self.try_plans(source, &members);
        }
        self.outside();
        self.administer();
        Grown {
            net: self.builder.finish(),
            nodes: self.nodes,
            ids: self.ids,
            steps: self.steps,
            actors: self.actors,
            classes: self.classes,
            administrators: self.administrators,
        }
    }

    /// Every principal of the snapshot, and the administrators of every account.
    fn plant(&mut self) {
        let judge = self.judge;
        let snapshot = judge.scene.snapshot;
        let named: BTreeSet<String> = judge.scene.named_principals();
        let mut classes: BTreeMap<(String, String), Vec<Id>> = BTreeMap::new();
        for (account, facts) in &snapshot.accounts {
            self.id(Node::administrator(account.clone()));
            let users = facts
                .iam
                .users
                .value()
                .into_iter()
                .flatten()
                .map(|(_, user)| &user.arn);
            let roles = facts.iam.roles.value().into_iter().flatten();
            let roles = roles.filter(|(_, role)| !role.is_service_linked());
            for arn in users.chain(roles.map(|(_, role)| &role.arn)) {
                let actor = Actor::new(&judge.ground, judge.engine, arn, BTreeSet::new(), "");
                let id = self.id(actor.node());
                self.known.insert((arn.clone(), BTreeSet::new()), id);
                let key = self.class_key(&actor, named.contains(arn.as_str()));
                classes.entry((account.clone(), key)).or_default().push(id);
                self.actors.insert(id, actor);
            }
        }
        // By their first members: the keys hold addresses, which differ from run to run.
        let mut classes: Vec<Vec<Id>> = classes.into_values().collect();
        classes.sort();
        for members in classes {
            self.enlist(members);
        }
    }

    /// What tells principals apart: their policies by text, their boundary, and themselves where
    /// some policy speaks of them one by one.
    fn class_key(&self, actor: &Actor, named: bool) -> String {
        let mut key = String::new();
        let pointer = |attached: &Attached| std::sync::Arc::as_ptr(&attached.policy) as usize;
        for attached in actor.identity.iter() {
            key.push_str(&format!("{:x},", pointer(attached)));
        }
        for attached in actor.boundary.iter().flat_map(|boundary| boundary.iter()) {
            key.push_str(&format!("b{:x},", pointer(attached)));
        }
        key.push_str(if actor.is_user() { "user" } else { "role" });
        let personal = named || actor.identity.iter().any(is_personal);
        if personal || !actor.tags.is_empty() {
            key.push_str(actor.arn.as_str());
        }
        key
    }

    /// Principals that are one class: they try together.
    fn enlist(&mut self, members: Vec<Id>) {
        let class = self.next_class;
        self.next_class += 1;
        for member in &members {
            if let Some(actor) = self.actors.get_mut(member) {
                actor.class = class;
            }
        }
        let source = match members[..] {
            [alone] => alone,
            _ => {
                let source = self.blank();
                for member in &members {
                    self.builder.free(*member, source);
                }
                self.classes.insert(source, members.clone());
                source
            }
        };
        self.queue.push_back((source, members));
    }

    fn try_plans(&mut self, source: Id, members: &[Id]) {
        let Some(mut first) = self.actors.get(&members[0]).cloned() else {
            return;
        };
        if let Some(status) = administrator(&first) {
            self.crown(members, status, first.arn.account());
            return;
        }
        let offered = self.offers.of(&first);
        first.assumes = self.offers.allows(&first, "sts:assumerole");
        for member in members {
            if let Some(actor) = self.actors.get_mut(member) {
                actor.assumes = first.assumes;
            }
        }
        for number in 0..self.plans.len() {
            let plan = &self.plans[number];
            if !plan.is_own() || !self.offers.may_try(number, &offered) {
                continue;
            }
            if plan.personal {
                for member in members {
                    let Some(actor) = self.actors.get(member).cloned() else {
                        continue;
                    };
                    self.try_plan(number, *member, &actor);
                }
            } else {
                self.try_plan(number, source, &first);
            }
        }
    }

    /// Administrators by their own policies.
    fn crown(&mut self, members: &[Id], status: Status, account: &str) {
        let crown = self.id(Node::administrator(account));
        let cost = self.builder.cost(Cost {
            status,
            ..self.conditional(status)
        });
        for member in members {
            self.administrators.insert(*member, status);
            self.step(Drawn::Is, *member, vec![crown], cost);
        }
    }

    fn conditional(&self, status: Status) -> Cost {
        if status == Status::Proven {
            return Cost::default();
        }
        let row = self.judge.step("undecided");
        Cost {
            lo: nats(row.lo),
            hi: nats(row.hi),
            status,
            ..Cost::default()
        }
    }

    fn try_plan(&mut self, number: usize, source: Id, actor: &Actor) {
        let plan = &self.plans[number];
        let attempt = Attempt {
            plan,
            judge: self.judge,
            actor: Some(actor),
            account: actor.arn.account(),
            explain: false,
            crowd: source != self.ids.get(&actor.node()).copied().unwrap_or(source),
            found: BTreeMap::new(),
        };
        let mut given = Bindings::from([("self".to_owned(), Bound::Known(actor.arn.clone()))]);
        if let Source::Held(held) = &plan.technique.yields.from
            && let Some(name) = held.variable()
        {
            given.insert(name.to_owned(), Bound::Known(actor.arn.clone()));
        }
        let found = attempt.run(given);
        self.draw(number, source, Some(actor), found);
    }

    /// Draws what was found: one hub for every price.
    fn draw(
        &mut self,
        number: usize,
        source: Id,
        actor: Option<&Actor>,
        found: BTreeMap<String, Vec<Solution>>,
    ) {
        let mut by_cost: BTreeMap<u32, BTreeSet<Id>> = BTreeMap::new();
        for solution in found.into_values().flatten() {
            if solution.state.also.is_some() {
                continue;
            }
            let plan = &self.plans[number];
            let cost = cost_of(self.judge, plan, &solution);
            for node in self.gained(plan, actor, &solution) {
                let target = self.id(node);
                if target != source {
                    let cost = self.builder.cost(cost.clone());
                    by_cost.entry(cost).or_default().insert(target);
                }
            }
        }
        for (cost, targets) in by_cost {
            let targets = targets.into_iter().collect();
            self.step(Drawn::Plan(number as u32), source, targets, cost);
        }
    }

    fn step(&mut self, drawn: Drawn, source: Id, targets: Vec<Id>, cost: u32) {
        let hub = self.blank();
        self.builder
            .step(source, hub, cost, self.steps.len() as u32);
        for target in &targets {
            self.builder.free(hub, *target);
        }
        self.steps.push(Step {
            drawn,
            source,
            hub,
            targets,
            cost,
        });
    }

    /// What a solution gains.
    fn gained(&mut self, plan: &Plan<'a>, actor: Option<&Actor>, solution: &Solution) -> Vec<Node> {
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
                    return self.unseen(plan, bound);
                };
                match (gain, bound) {
                    (Gain::Through(_), _) => Vec::new(),
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
                Gain::Through(_) => Vec::new(),
                _ => vec![Node::administrator(account.clone())],
            },
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

    /// Any role that the unread resource may run as.
    fn unseen(&self, _plan: &Plan<'a>, _bound: &Bound) -> Vec<Node> {
        Vec::new()
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
        match plan.outcome(&solution.options).1 {
            Gain::Anything => drop(mods.insert(Mod::Anything)),
            Gain::Policy(policy) => match bound(policy) {
                Some(policy) if super::ground::is_administrator_access(&policy) => {
                    mods.insert(Mod::Anything);
                }
                Some(policy) => drop(mods.insert(Mod::Policy(policy))),
                // The group's way of several: any of them may be the one that was found.
                None => drop(mods.insert(Mod::Anything)),
            },
            Gain::Version(policy) => {
                let Some(policy) = bound(policy) else {
                    return Vec::new();
                };
                return self.versions(plan, &policy, &arn, &mods);
            }
            Gain::Group(group) => match bound(group) {
                Some(group) => drop(mods.insert(Mod::Group(group))),
                None => return Vec::new(),
            },
            Gain::WithoutBoundary => drop(mods.insert(Mod::NoBoundary)),
            Gain::WithoutDenies => drop(mods.insert(Mod::NoDenies)),
            Gain::Gated => match gate_of(plan, solution) {
                Some(change) => drop(mods.insert(change)),
                None => return Vec::new(),
            },
            Gain::Target | Gain::Through(_) | Gain::Nothing => return Vec::new(),
        }
        self.version_node(plan, arn, mods).into_iter().collect()
    }

    fn versions(
        &mut self,
        plan: &Plan<'a>,
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
            .map(|version| Mod::Version(policy.clone(), version.clone()))
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
        let count = self.versions.entry(arn.clone()).or_insert(1);
        if *count >= MAX_VERSIONS {
            return None;
        }
        *count += 1;
        let mut actor = actor;
        actor.by = format!("{}:{}", plan.technique.id, describe(&mods));
        let node = actor.node();
        let id = self.id(node.clone());
        self.known.insert((arn, mods), id);
        self.actors.insert(id, actor);
        self.enlist(vec![id]);
        Some(node)
    }

    /// Steps that begin outside.
    fn outside(&mut self) {
        for number in 0..self.plans.len() {
            let plan = &self.plans[number];
            if plan.is_own() || !plan.technique.requires.is_empty() {
                continue;
            }
            let accounts: Vec<AccountId> =
                self.judge.scene.snapshot.accounts.keys().cloned().collect();
            for account in accounts {
                let attempt = Attempt {
                    plan: &self.plans[number],
                    judge: self.judge,
                    actor: None,
                    account: &account,
                    explain: false,
                    crowd: false,
                    found: BTreeMap::new(),
                };
                let found = attempt.run(Bindings::new());
                for (key, solutions) in found {
                    for solution in solutions {
                        let Some(node) = outsider(&self.plans[number], &solution) else {
                            continue;
                        };
                        let source = self.id(node);
                        let one = BTreeMap::from([(key.clone(), vec![solution])]);
                        self.draw(number, source, None, one);
                    }
                }
            }
        }
    }

    /// What administrators can do beyond their account: take any principal of it that reaches
    /// out, and be administrator of the organization where theirs manages it.
    fn administer(&mut self) {
        let mut pivots: BTreeMap<String, BTreeSet<Id>> = BTreeMap::new();
        for step in &self.steps {
            if !matches!(step.drawn, Drawn::Plan(_)) {
                continue;
            }
            let Some(source) = self.account_of(step.source) else {
                continue;
            };
            let out = |target: &Id| {
                self.nodes[*target as usize]
                    .as_ref()
                    .is_some_and(|node| node.account() != Some(source.as_str()))
            };
            if step.targets.iter().any(out) {
                pivots.entry(source).or_default().insert(step.source);
            }
        }
        let call = self.judge.step("call");
        for (account, targets) in pivots {
            let source = self.id(Node::administrator(account));
            let cost = self.builder.cost(Cost {
                lo: nats(call.lo),
                hi: nats(call.hi),
                calls: Box::new([Detection::default()]),
                ..Cost::default()
            });
            self.step(Drawn::Takes, source, targets.into_iter().collect(), cost);
        }
        if let Some(organization) = self.judge.scene.snapshot.organization.value()
            && self
                .judge
                .scene
                .snapshot
                .accounts
                .contains_key(&organization.management_account)
        {
            let source = self.id(Node::administrator(organization.management_account.clone()));
            let target = self.id(Node::Organization {
                organization: organization.id.clone(),
            });
            self.step(Drawn::Is, source, vec![target], 0);
        }
    }

    fn account_of(&self, id: Id) -> Option<String> {
        let one = self
            .classes
            .get(&id)
            .and_then(|members| members.first())
            .copied()
            .unwrap_or(id);
        self.nodes[one as usize]
            .as_ref()?
            .account()
            .map(str::to_owned)
    }
}

/// What a step costs.
pub(crate) fn cost_of(judge: &Judge<'_>, plan: &Plan<'_>, solution: &Solution) -> Cost {
    let state = &solution.state;
    let call = judge.step("call");
    let silent = [Detection::default()];
    let calls: &[Detection] = if state.calls.is_empty() {
        &silent
    } else {
        &state.calls
    };
    let floor = judge.step("floor").lo;
    let mut factor = calls
        .iter()
        .fold(state.factor.0, |all, _| all.and(call))
        .at_least(floor);
    if !plan.is_own() {
        let entry = judge
            .weights
            .entry
            .get(plan.entry_row())
            .copied()
            .unwrap_or(1_000_000);
        factor = factor.and(Interval {
            lo: entry,
            hi: entry,
        });
    }
    let speed = match plan.technique.speed {
        Speed::Immediate => "immediate",
        Speed::Minutes => "minutes",
        Speed::WaitForTrigger => "wait-for-trigger",
    };
    Cost {
        lo: nats(factor.lo),
        hi: nats(factor.hi),
        status: state.status,
        calls: calls.into(),
        waiting: judge.weights.speed.get(speed).copied().unwrap_or(0),
    }
}

/// What stood in the way and no longer does.
fn gate_of(plan: &Plan<'_>, solution: &Solution) -> Option<Mod> {
    let key = plan
        .technique
        .preconditions
        .iter()
        .find_map(|predicate| match predicate {
            Predicate::GatedBy(key, _) => Some(key.to_ascii_lowercase()),
            _ => None,
        })?;
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
        .zip(&solution.options)
        .find_map(|(group, taken)| {
            let option = group.options.get(*taken)?;
            let name = option.requires.first()?.on.variable()?;
            solution.bindings.get(name)?.arn().cloned()
        });
    tagged.map(Mod::TagsOn)
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
            Mod::NoDenies => "without-denies".to_owned(),
            Mod::OwnTags => "own-tags".to_owned(),
            Mod::Mfa => "second-factor".to_owned(),
            Mod::TagsOn(arn) => format!("tags-on-{arn}"),
        })
        .collect();
    words.join("+")
}

/// The node from which an outsider starts.
fn outsider(plan: &Plan<'_>, solution: &Solution) -> Option<Node> {
    let bound = |name: &str| solution.bindings.get(name);
    match &plan.technique.yields.from {
        Source::Internet => Some(Node::Internet),
        Source::AnyAccount => Some(Node::ForeignAccount {
            account: "*".to_owned(),
        }),
        Source::Account(reference) => match bound(reference.variable()?)? {
            Bound::Account(account) => Some(Node::ForeignAccount {
                account: account.clone(),
            }),
            _ => None,
        },
        Source::Tenants => {
            let provider = solution.bindings.iter().find_map(|(_, bound)| {
                bound
                    .arn()
                    .filter(|arn| arn.resource().contains("-provider/"))
            });
            let provider = provider.map_or_else(|| "*".to_owned(), ToString::to_string);
            Some(Node::IdentityProvider { provider })
        }
        _ => None,
    }
}

fn is_principal(kind: &str) -> bool {
    matches!(kind, "role" | "user" | "principal")
}

/// Whether a policy's meaning depends on who holds it.
fn is_personal(attached: &Attached) -> bool {
    attached.policy.document().is_some_and(|document| {
        let text = document.text.to_ascii_lowercase();
        ["${aws:", "aws:principal", "aws:username", "aws:userid"]
            .iter()
            .any(|w| text.contains(w))
    })
}

//! Grows the graph: every technique tried by every principal, from the principals of the
//! snapshot on to what they can make of themselves.
//!
//! Principals whom no question tells apart are one class and try once. What a class can do to
//! many targets in the same way and for the same price is one hub.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use palisade_checks::technique::Speed;
use palisade_model::Arn;

use super::actor::{Actor, Mod};
use super::admin::administrator;
use super::class::Tells;
use super::gain::fullest;
use super::join::{Team, Union};
use super::judge::Judge;
use super::meet::Joint;
use super::narrow::Narrow;
use super::net::{Cost, Id, Net, NetBuilder};
use super::offers::{Means, Offers};
use super::plan::Plan;
use super::solve::Attempt;
use super::way::{Found, Solution, State};
use super::weigh::{Detection, Interval, nats};
use super::{Node, Status};
use rustc_hash::{FxHashMap, FxHashSet};

/// What drew a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Drawn {
    /// A technique, by its place among the plans.
    Plan(u32),
    /// Being something that implies the other: an administrator by its own policies.
    Is,
    /// An administrator takes any principal of its account.
    Takes,
    /// Being whoever of an account is breached.
    Breach,
    /// A technique that takes two principals, by its place among the joints.
    Joint(u32),
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
    /// Steps that take two principals, with the way to both of them.
    pub(crate) joints: Vec<Joint>,
    /// What such steps are drawn from.
    pub(super) unions: Vec<Union>,
    /// What was cut off, in words.
    pub(crate) caps: BTreeSet<String>,
}

/// Rounds in which steps of two may lead to further steps of two.
const MAX_ROUNDS: usize = 8;

/// A graph that is growing.
pub(crate) struct Growth<'g, 'a> {
    pub(crate) judge: &'g Judge<'a>,
    pub(crate) plans: &'g [Plan<'a>],
    /// What may be left out because it leads nowhere.
    pub(super) within: Option<&'g Narrow>,
    pub(super) builder: NetBuilder,
    pub(super) nodes: Vec<Option<Node>>,
    pub(super) ids: FxHashMap<Node, Id>,
    pub(super) steps: Vec<Step>,
    pub(super) actors: BTreeMap<Id, Actor>,
    pub(super) classes: BTreeMap<Id, Vec<Id>>,
    pub(super) administrators: BTreeMap<Id, Status>,
    queue: VecDeque<(Id, Vec<Id>)>,
    pub(super) known: BTreeMap<(Arn, BTreeSet<Mod>), Id>,
    pub(super) versions: BTreeMap<Arn, usize>,
    pub(super) offers: Offers,
    /// What a class of principals may do.
    pub(super) means: BTreeMap<u64, Means>,
    /// What a technique gains for a principal of one class with the help of one of another.
    pub(super) teams: FxHashMap<Team, Rc<[(u32, Id)]>>,
    pub(super) unions: Vec<Union>,
    pub(super) joints: Vec<Joint>,
    pub(super) caps: BTreeSet<String>,
    next_class: u64,
}

impl<'g, 'a> Growth<'g, 'a> {
    pub(crate) fn new(
        judge: &'g Judge<'a>,
        plans: &'g [Plan<'a>],
        within: Option<&'g Narrow>,
    ) -> Self {
        let offers = Offers::new(plans, &judge.scene);
        let numbered = judge.numbered.set(offers.actions().to_vec());
        debug_assert!(numbered.is_ok(), "a judge serves one graph");
        Growth {
            judge,
            plans,
            within,
            builder: NetBuilder::default(),
            nodes: Vec::new(),
            ids: FxHashMap::default(),
            steps: Vec::new(),
            actors: BTreeMap::new(),
            classes: BTreeMap::new(),
            administrators: BTreeMap::new(),
            queue: VecDeque::new(),
            known: BTreeMap::new(),
            versions: BTreeMap::new(),
            offers,
            means: BTreeMap::new(),
            teams: FxHashMap::default(),
            unions: Vec::new(),
            joints: Vec::new(),
            caps: BTreeSet::new(),
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

    pub(super) fn blank(&mut self) -> Id {
        self.nodes.push(None);
        self.builder.node()
    }

    /// Grows everything.
    pub(crate) fn grow(mut self) -> Grown {
        self.plant();
        self.drain();
        self.outside();
        let mut tried = FxHashSet::default();
        let mut drawn = BTreeSet::new();
        let alone = self.within.is_some_and(Narrow::is_alone);
        for round in 0.. {
            if alone {
                break;
            }
            let more = self.join(&mut tried);
            self.drain();
            if !self.meet(&mut drawn) && !more {
                break;
            }
            if round == MAX_ROUNDS {
                let cap = "steps of two that lead to further steps of two are followed in part";
                self.caps.insert(cap.to_owned());
                break;
            }
        }
        self.send_out();
        self.administer();
        self.breach();
        self.caps.append(&mut self.judge.caps.borrow_mut());
        Grown {
            net: self.builder.finish(),
            nodes: self.nodes,
            ids: self.ids.into_iter().collect(),
            steps: self.steps,
            actors: self.actors,
            classes: self.classes,
            administrators: self.administrators,
            joints: self.joints,
            unions: self.unions,
            caps: self.caps,
        }
    }

    /// Tries everything for everybody who waits. Principals come account by account, and what was
    /// asked of one account says nothing of the next.
    fn drain(&mut self) {
        let mut account = String::new();
        while let Some((source, members)) = self.queue.pop_front() {
            let own = members.first().and_then(|first| self.actors.get(first));
            let own = own.map_or("", |actor| actor.arn.account());
            if own != account {
                account = own.to_owned();
                self.judge.forget();
            }
            self.try_plans(source, &members);
        }
    }

    /// Every principal of the snapshot, and the administrators of every account.
    fn plant(&mut self) {
        let judge = self.judge;
        let snapshot = judge.scene.snapshot;
        let tells = Tells::new(judge);
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
                if !self.leads_on(arn) {
                    continue;
                }
                let actor = Actor::new(&judge.ground, judge.engine, arn, BTreeSet::new(), "");
                let id = self.id(actor.node());
                self.known.insert((arn.clone(), BTreeSet::new()), id);
                let known = judge.engine.principal(arn.as_str());
                let mut key = tells.key(&actor, known.map_or("", |known| &known.id));
                if !actor.is_user() && judge.takes_session_tags(&actor.arn) {
                    key.push('t');
                }
                if judge.serves(&actor) {
                    key.push('s');
                }
                if judge.scene.names_sessions_of(arn) {
                    key.push_str(arn.as_str());
                }
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

    /// Whether a principal of the snapshot is to be tried.
    fn leads_on(&self, arn: &Arn) -> bool {
        let node = || Node::principal(arn.clone());
        self.within.is_none_or(|within| within.acts(&node()))
    }

    /// Whether a technique is to be tried by a principal.
    pub(super) fn may_lead_on(&self, actor: &Actor, plan: usize) -> bool {
        self.within
            .is_none_or(|within| within.tries(&actor.node(), plan))
    }

    pub(super) fn class_may_lead_on(&self, members: &[Id], plan: usize) -> bool {
        let mut actors = members.iter().filter_map(|id| self.actors.get(id));
        self.within.is_none() || actors.any(|actor| self.may_lead_on(actor, plan))
    }

    /// Principals that are one class: they try together.
    pub(super) fn enlist(&mut self, members: Vec<Id>) {
        let class = self.class();
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

    /// A class that nobody is in.
    pub(super) fn class(&mut self) -> u64 {
        let class = self.next_class;
        self.next_class += 1;
        class
    }

    fn try_plans(&mut self, source: Id, members: &[Id]) {
        let Some(mut first) = self.actors.get(&members[0]).cloned() else {
            return;
        };
        let crowned = administrator(&first);
        if let Some(status) = crowned {
            self.crown(members, status, first.arn.account());
        }
        if crowned == Some(Status::Proven) {
            return;
        }
        let offered = self.offers.of(&first);
        let layers = self.judge.engine.standing(first.arn.as_str());
        let means = self.offers.means(&first, &layers, offered.clone());
        let sure = means.sure.clone();
        self.judge.sure.borrow_mut().insert(first.class, sure);
        self.means.insert(first.class, means);
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
                    let known = self.actors.get(member);
                    let Some(actor) = known.filter(|own| self.may_lead_on(own, number)).cloned()
                    else {
                        continue;
                    };
                    self.try_plan(number, *member, &actor);
                }
            } else if self.class_may_lead_on(members, number) {
                self.try_plan(number, source, &first);
            }
        }
        self.try_abroad((source, members), &first, &offered);
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
        if !plan.begins_at(actor) {
            return;
        }
        let open = match self.means.get(&actor.class) {
            Some(means) => self.offers.open(number, &means.offered),
            None => Vec::new(),
        };
        let attempt = Attempt {
            plan,
            judge: self.judge,
            actor: Some(actor),
            helper: None,
            account: actor.arn.account(),
            explain: false,
            open: Some(&open),
            crowd: source != self.ids.get(&actor.node()).copied().unwrap_or(source),
        };
        let found = attempt.run(plan.given(actor));
        self.draw(number, source, Some(actor), found);
    }

    /// Draws what was found: one hub for every price.
    pub(super) fn draw(&mut self, number: usize, source: Id, actor: Option<&Actor>, found: Found) {
        let mut by_cost: BTreeMap<u32, BTreeSet<Id>> = BTreeMap::new();
        let plan = &self.plans[number];
        // Ways that gain different things in the same way share what was established.
        let mut costs: FxHashMap<*const State, u32> = FxHashMap::default();
        for solution in fullest(self.judge, plan, found).into_values().flatten() {
            let cost = match costs.get(&Rc::as_ptr(&solution.state)) {
                Some(known) => *known,
                None => {
                    let cost = cost_of(self.judge, plan, &solution);
                    let cost = self.builder.cost(cost);
                    costs.insert(Rc::as_ptr(&solution.state), cost);
                    cost
                }
            };
            let targets = self.gained(plan, actor, &solution);
            if let Some(also) = &solution.state.also {
                self.unite_with(number, source, also, &targets, cost);
                continue;
            }
            for node in targets {
                let target = self.id(node);
                if target != source {
                    by_cost.entry(cost).or_default().insert(target);
                }
            }
        }
        for (cost, targets) in by_cost {
            let targets = targets.into_iter().collect();
            self.step(Drawn::Plan(number as u32), source, targets, cost);
        }
    }

    pub(super) fn step(&mut self, drawn: Drawn, source: Id, targets: Vec<Id>, cost: u32) {
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

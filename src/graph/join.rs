//! Techniques that no principal can carry out alone, tried by two that one attacker can hold at
//! once: one prepares and the other sets it off, or one changes what the other may do.
//!
//! Two are what a technique falls into: a role is passed by whoever creates, so somebody prepares
//! and somebody sets off. That either half again needs calls of several principals is not
//! followed.
//!
//! Only pairs are tried that somebody can hold together. Who helps must add something: what one
//! of the two can do alone for the same price is no step of two.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use palisade_model::Arn;
use rustc_hash::{FxHashMap, FxHashSet};

use super::grow::{Growth, cost_of};
use super::net::{Cost, Id, Net};
use super::solve::Attempt;
use super::weigh::nats;
use super::{Node, Status};

/// A technique that takes one principal out of each of two sets.
#[derive(Clone, Debug)]
pub(crate) struct Union {
    pub(crate) plan: u32,
    /// A node that every principal that may act links to, and one that every helper links to.
    pub(crate) subjects: Id,
    pub(crate) helpers: Id,
    pub(crate) targets: Vec<Id>,
    pub(crate) cost: u32,
}

/// Principals that can be held together with another; whether none was left out.
#[derive(Clone, Debug)]
struct Region {
    held: Vec<Id>,
    whole: bool,
}

/// Nodes looked at around one principal, and pairs of principals that are tried together.
const MAX_REGION: usize = 20_000;
const MAX_ATTEMPTS: usize = 200_000;

/// What steps that can be drawn together share: the plan, its cost, who helps, what is gained.
type Alike<H> = (u32, u32, H, Vec<Id>);

/// What pairs gain: by technique, price and the two principals.
type Found = BTreeMap<(u32, u32, Id, Id), BTreeSet<Id>>;

impl Growth<'_, '_> {
    /// Tries what two can do; true where that made principals that have not been tried yet.
    pub(super) fn join(&mut self, tried: &mut FxHashSet<(Id, Id)>) -> bool {
        let leaders = self.leaders();
        if leaders.is_empty() {
            return false;
        }
        let before = self.actors.len();
        let net = self.builder.clone().finish();
        let alone = self.alone();
        let near = self.near_crowns();
        let mut found = Found::new();
        let (mut attempts, mut whole) = (0, true);
        for leader in leaders {
            let region = self.held_with(&net, &near, leader);
            whole &= region.whole;
            for other in region.held {
                if other == leader || !self.can_act(other) {
                    continue;
                }
                for pair in [(leader, other), (other, leader)] {
                    attempts += self.try_pair(pair, &alone, tried, &mut found);
                }
            }
            if attempts > MAX_ATTEMPTS {
                let cap = "steps that take two principals were tried for part of the pairs only";
                self.caps.insert(cap.to_owned());
                break;
            }
        }
        if !whole {
            let cap = "principals held together with others were looked for in part only";
            self.caps.insert(cap.to_owned());
        }
        self.unite(found);
        self.actors.len() > before
    }

    /// Whether a principal is worth trying: who is administrator needs nobody.
    fn can_act(&self, id: Id) -> bool {
        self.administrators.get(&id) != Some(&Status::Proven)
    }

    /// Principals of whom every pair worth trying has one: for each technique those that may act
    /// or those that may help, whoever are fewer. So what few may do costs little, however many
    /// may do the rest.
    fn leaders(&self) -> BTreeSet<Id> {
        let mut by_class: BTreeMap<u64, Vec<Id>> = BTreeMap::new();
        for (id, actor) in self.actors.iter().filter(|(id, _)| self.can_act(**id)) {
            by_class.entry(actor.class).or_default().push(*id);
        }
        let mut acting: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        let mut helping: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for class in by_class.keys() {
            let Some(means) = self.means.get(class) else {
                continue;
            };
            let (acts, helps) = (means.acts.ones(), means.helps.ones());
            acts.for_each(|plan| acting.entry(plan).or_default().push(*class));
            helps.for_each(|plan| helping.entry(plan).or_default().push(*class));
        }
        let many = |classes: &[u64]| classes.iter().map(|class| by_class[class].len()).sum();
        let mut leaders = BTreeSet::new();
        for (plan, first) in &acting {
            let Some(second) = helping.get(plan) else {
                continue;
            };
            let sizes: [usize; 2] = [many(first), many(second)];
            let few = if sizes[0] < sizes[1] { first } else { second };
            leaders.extend(few.iter().flat_map(|class| &by_class[class]));
        }
        leaders
    }

    /// Who is one sure call from administrator, by account. Whoever holds such a principal needs
    /// no second one in that account: what two gain there takes a call at least. Who hears the
    /// call is not weighed here.
    fn near_crowns(&self) -> FxHashMap<String, FxHashSet<Id>> {
        let dear = nats(self.judge.step("call").hi);
        let mut near: FxHashMap<String, FxHashSet<Id>> = FxHashMap::default();
        for step in &self.steps {
            let price = self.builder.price(step.cost);
            let quick = price.calls.len() <= 1 && price.waiting == 0;
            if price.status != Status::Proven || price.hi > dear || !quick {
                continue;
            }
            let sources = self.classes.get(&step.source);
            let sources = sources.map_or(std::slice::from_ref(&step.source), Vec::as_slice);
            for target in &step.targets {
                if let Some(Node::Administrator { account }) = &self.nodes[*target as usize] {
                    near.entry(account.clone()).or_default().extend(sources);
                }
            }
        }
        near
    }

    /// Principals that somebody can hold together with this one, sorted.
    fn held_with(&self, net: &Net, near: &FxHashMap<String, FxHashSet<Id>>, helper: Id) -> Region {
        let account = self.actors[&helper].arn.account();
        let own = |id: &Id| self.actors[id].arn.account() == account;
        let near = near.get(account);
        let is_near = |id: Id| near.is_some_and(|near| near.contains(&id));
        let mut region = Region {
            held: Vec::new(),
            whole: true,
        };
        if !is_near(helper) {
            region = self.region(net, helper, &is_near);
            region.held.retain(own);
        }
        if self.judge.scene.accounts.len() > 1 {
            let mut abroad = self.region(net, helper, &|_| false);
            abroad.held.retain(|id| !own(id));
            region.held.extend(abroad.held);
            region.whole &= abroad.whole;
        }
        region.held.sort_unstable();
        region
    }

    /// Principals that are reached from where this one is reached from, passing by some nodes.
    fn region(&self, net: &Net, id: Id, passed: &dyn Fn(Id) -> bool) -> Region {
        let ends = |node: Id| {
            let node_of = &self.nodes[node as usize];
            passed(node)
                || matches!(
                    node_of,
                    Some(Node::Administrator { .. } | Node::Organization { .. })
                )
        };
        let mut seen = FxHashSet::from_iter([id]);
        let mut all = vec![id];
        let mut at = 0;
        while let Some(node) = all.get(at).copied() {
            at += 1;
            let tails = net.into(node).map(|number| net.link(number).tail);
            all.extend(tails.filter(|tail| !ends(*tail) && seen.insert(*tail)));
            if seen.len() > MAX_REGION {
                break;
            }
        }
        let mut at = 0;
        while let Some(node) = all.get(at).copied() {
            at += 1;
            let heads = net.out(node).map(|number| net.link(number).head);
            all.extend(heads.filter(|head| !ends(*head) && seen.insert(*head)));
            if seen.len() > MAX_REGION {
                break;
            }
        }
        all.retain(|node| self.actors.contains_key(node));
        Region {
            held: all,
            whole: seen.len() <= MAX_REGION,
        }
    }

    /// What each source can do by itself: its targets by price.
    fn alone(&self) -> FxHashMap<Id, Vec<u32>> {
        let mut alone: FxHashMap<Id, Vec<u32>> = FxHashMap::default();
        for (number, step) in self.steps.iter().enumerate() {
            let sources = self.classes.get(&step.source);
            let sources = sources.map_or(std::slice::from_ref(&step.source), Vec::as_slice);
            for source in sources {
                alone.entry(*source).or_default().push(number as u32);
            }
        }
        alone
    }

    /// Tries every technique that two may share; returns how many were tried.
    fn try_pair(
        &mut self,
        (subject, helper): (Id, Id),
        alone: &FxHashMap<Id, Vec<u32>>,
        tried: &mut FxHashSet<(Id, Id)>,
        found: &mut Found,
    ) -> usize {
        let (Some(first), Some(second)) = (self.actors.get(&subject), self.actors.get(&helper))
        else {
            return 0;
        };
        if first.arn == second.arn {
            return 0;
        }
        let classes = (first.class, second.class);
        let wanted = match self.teams.get(&classes) {
            Some(known) => Rc::clone(known),
            None => {
                let (own, theirs) = (self.means.get(&first.class), self.means.get(&second.class));
                let apart = first.arn.account() != second.arn.account();
                let found = own.zip(theirs);
                let found = found.map(|(own, theirs)| self.offers.for_two(own, theirs, apart));
                let wanted: Rc<[usize]> = found.unwrap_or_default().into();
                self.teams.insert(classes, Rc::clone(&wanted));
                wanted
            }
        };
        if wanted.is_empty() || !tried.insert((subject, helper)) {
            return 0;
        }
        let (first, second) = (first.clone(), second.clone());
        for number in wanted.iter() {
            let plan = &self.plans[*number];
            let attempt = Attempt {
                plan,
                judge: self.judge,
                actor: Some(&first),
                helper: Some(&second),
                account: first.arn.account(),
                explain: false,
                crowd: false,
                found: BTreeMap::new(),
            };
            for solution in attempt.run(plan.given(&first)).into_values().flatten() {
                if !solution.state.helped || solution.state.also.is_some() {
                    continue;
                }
                let cost = cost_of(self.judge, plan, &solution);
                for node in self.gained(plan, Some(&first), &solution) {
                    let target = self.id(node);
                    let known = [subject, helper].iter().any(|one| {
                        *one == target || self.does_alone(alone.get(one), target, &cost)
                    });
                    if !known {
                        let cost = self.builder.cost(cost.clone());
                        let key = (*number as u32, cost, subject, helper);
                        found.entry(key).or_default().insert(target);
                    }
                }
            }
        }
        wanted.len()
    }

    fn does_alone(&self, steps: Option<&Vec<u32>>, target: Id, cost: &Cost) -> bool {
        steps.into_iter().flatten().any(|number| {
            let step = &self.steps[*number as usize];
            let own = self.builder.price(step.cost);
            step.targets.binary_search(&target).is_ok()
                && own.status <= cost.status
                && own.hi <= cost.hi
                && own.lo <= cost.lo
                && own.waiting <= cost.waiting
        })
    }

    /// Draws what pairs gain, with those that gain the same in the same way together.
    fn unite(&mut self, found: Found) {
        let mut by_helper: BTreeMap<Alike<Id>, BTreeSet<Id>> = BTreeMap::new();
        for ((plan, cost, subject, helper), targets) in found {
            let key = (plan, cost, helper, targets.into_iter().collect());
            by_helper.entry(key).or_default().insert(subject);
        }
        let mut unions: BTreeMap<Alike<Vec<Id>>, BTreeSet<Id>> = BTreeMap::new();
        for ((plan, cost, helper, targets), subjects) in by_helper {
            let key = (plan, cost, targets, subjects.into_iter().collect());
            unions.entry(key).or_default().insert(helper);
        }
        for ((plan, cost, targets, subjects), helpers) in unions {
            let subjects = self.any_of(subjects);
            let helpers = self.any_of(helpers);
            self.unions.push(Union {
                plan,
                subjects,
                helpers,
                targets,
                cost,
            });
        }
    }

    /// A node that stands for any of these.
    fn any_of(&mut self, ids: impl IntoIterator<Item = Id>) -> Id {
        let any = self.blank();
        for id in ids {
            self.builder.free(id, any);
        }
        any
    }

    /// A step for which its source must hold another principal besides.
    pub(super) fn unite_with(
        &mut self,
        plan: usize,
        source: Id,
        also: &Arn,
        targets: &[Node],
        cost: Cost,
    ) {
        let also = self.id(Node::principal(also.clone()));
        let targets: BTreeSet<Id> = targets.iter().map(|node| self.id(node.clone())).collect();
        let cost = self.builder.cost(cost);
        let (subjects, helpers) = (self.any_of([source]), self.any_of([also]));
        self.unions.push(Union {
            plan: plan as u32,
            subjects,
            helpers,
            targets: targets.into_iter().collect(),
            cost,
        });
    }
}

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

use fixedbitset::FixedBitSet;
use palisade_model::Arn;
use rustc_hash::{FxHashMap, FxHashSet};

use super::before::Before;
use super::gain::fullest;
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

/// A technique, the class of who acts and that of who helps.
pub(crate) type Team = (u32, u64, u64);

/// Pairs of principals of one account, and pairs of two accounts, that are tried in a round.
const MAX_ATTEMPTS: usize = 200_000;

/// What steps that can be drawn together share: the plan, its cost, who helps, what is gained.
type Alike<H> = (u32, u32, H, Vec<Id>);

/// What pairs gain: by technique, price and the two principals.
type Found = BTreeMap<(u32, u32, Id, Id), BTreeSet<Id>>;

/// Classes by the technique they may act or help in.
type ByPlan = BTreeMap<usize, Vec<u64>>;

/// The pairs that were tried, by technique.
pub(super) type Tried = FxHashSet<(u32, Id, Id)>;

/// A round of trying pairs.
struct Round<'r> {
    net: &'r Net,
    /// Members of every class worth trying.
    members: BTreeMap<u64, Vec<Id>>,
    /// What each source can do by itself.
    alone: FxHashMap<Id, Vec<u32>>,
    found: Found,
    whole: bool,
}

impl Growth<'_, '_> {
    /// Tries what two can do; true where that made principals that have not been tried yet.
    pub(super) fn join(&mut self, tried: &mut Tried) -> bool {
        let before = self.actors.len();
        let mut by_account: BTreeMap<String, (ByPlan, ByPlan)> = BTreeMap::new();
        let mut members: BTreeMap<u64, Vec<Id>> = BTreeMap::new();
        for (id, actor) in self.actors.iter().filter(|(id, _)| self.can_act(**id)) {
            let class = members.entry(actor.class).or_default();
            class.push(*id);
            let (1, Some(means)) = (class.len(), self.means.get(&actor.class)) else {
                continue;
            };
            let account = actor.arn.account().to_owned();
            let (acts, helps) = by_account.entry(account).or_default();
            let (own, others) = (means.acts.ones(), means.helps.ones());
            own.for_each(|plan| acts.entry(plan).or_default().push(actor.class));
            others.for_each(|plan| helps.entry(plan).or_default().push(actor.class));
        }
        let net = self.builder.clone().finish();
        let mut round = Round {
            net: &net,
            members,
            alone: self.alone(),
            found: Found::new(),
            whole: true,
        };
        let near = self.near_crowns();
        for (account, (acts, helps)) in &by_account {
            let none = FxHashSet::default();
            let near = near.get(account).unwrap_or(&none);
            self.join_at_home((acts, helps), near, &mut round, tried);
        }
        if by_account.len() > 1 {
            self.join_abroad(&by_account, &mut round, tried);
        }
        if !round.whole {
            let cap = "principals held together with others were looked for in part only";
            self.caps.insert(cap.to_owned());
        }
        let found = round.found;
        self.unite(found);
        self.actors.len() > before
    }

    /// Tries what two of one account can do.
    fn join_at_home(
        &mut self,
        (acts, helps): (&ByPlan, &ByPlan),
        near: &FxHashSet<Id>,
        round: &mut Round<'_>,
        tried: &mut Tried,
    ) {
        let mut before = Before::new(near);
        let teams = acts.iter().flat_map(|(plan, acting)| {
            let pairs = pairs_of(acting, helps.get(plan));
            pairs.map(|classes| (*plan, classes))
        });
        let can_work = |(plan, classes): &(usize, _)| self.can_work(*plan, *classes, None);
        let teams: Vec<_> = teams.filter(can_work).collect();
        if !self.try_teams(&teams, &mut before, round, tried) {
            let cap = "steps that take two principals were tried for part of the pairs only";
            self.caps.insert(cap.to_owned());
        }
    }

    /// Tries techniques with those of two classes that somebody can hold together; false where
    /// there were too many.
    fn try_teams(
        &mut self,
        teams: &[(usize, (u64, u64))],
        before: &mut Before<'_>,
        round: &mut Round<'_>,
        tried: &mut Tried,
    ) -> bool {
        let mut attempts = 0;
        for (plan, (own, other)) in teams {
            let (subjects, helpers) = (round.members[own].clone(), round.members[other].clone());
            for pair in each_pair(&subjects, &helpers) {
                if self.is_one(pair) || !before.meet((self, round.net), pair) {
                    continue;
                }
                attempts += 1;
                if attempts > MAX_ATTEMPTS {
                    return false;
                }
                self.try_pair(*plan, pair, round, tried);
            }
        }
        round.whole &= before.whole;
        true
    }

    /// Whether a technique can work with a principal of each of two classes.
    fn can_work(&self, plan: usize, (own, other): (u64, u64), open: Option<&FixedBitSet>) -> bool {
        let means = self.means.get(&own).zip(self.means.get(&other));
        means.is_some_and(|means| self.offers.for_two(plan, means, open))
    }

    /// Whether two are one principal, before and after a change.
    fn is_one(&self, (one, other): (Id, Id)) -> bool {
        self.actors[&one].arn == self.actors[&other].arn
    }

    /// Tries what principals of two accounts can do: where the resources of the one let the other
    /// in, or nobody could read whether they do.
    fn join_abroad(
        &mut self,
        by_account: &BTreeMap<String, (ByPlan, ByPlan)>,
        round: &mut Round<'_>,
        tried: &mut Tried,
    ) {
        let none = FxHashSet::default();
        let mut before = Before::new(&none);
        let mut teams = Vec::new();
        for (helpers, owners) in self.guests(round) {
            for (owner, open) in owners {
                let acts = by_account.get(&owner).into_iter();
                for (plan, acting) in acts.flat_map(|(acts, _)| acts) {
                    let pairs = acting.iter().map(|own| (*own, helpers));
                    let pairs = pairs.filter(|pair| self.can_work(*plan, *pair, Some(&open)));
                    teams.extend(pairs.map(|pair| (*plan, pair)));
                }
            }
        }
        if !self.try_teams(&teams, &mut before, round, tried) {
            let cap = "steps that take two principals of different accounts were tried for part \
                       of the pairs only";
            self.caps.insert(cap.to_owned());
        }
    }

    /// Classes that resources of other accounts may let in, and to what.
    fn guests(&self, round: &Round<'_>) -> Vec<(u64, BTreeMap<String, FixedBitSet>)> {
        let guest = |(class, members): (&u64, &Vec<Id>)| {
            let means = self.means.get(class)?;
            let there = self.offers.abroad.of(&self.actors[members.first()?]);
            let open = there.into_iter().filter_map(|(owner, mut bits)| {
                bits.intersect_with(&means.offered);
                (!bits.is_clear()).then(|| (owner.to_owned(), bits))
            });
            let open: BTreeMap<String, FixedBitSet> = open.collect();
            (!open.is_empty()).then_some((*class, open))
        };
        round.members.iter().filter_map(guest).collect()
    }

    /// Whether a principal is worth trying: who is administrator needs nobody.
    fn can_act(&self, id: Id) -> bool {
        self.administrators.get(&id) != Some(&Status::Proven)
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

    /// Whether a way ends in a node: whoever holds it needs nobody else.
    pub(super) fn is_end(&self, node: Id) -> bool {
        matches!(
            self.nodes[node as usize],
            Some(Node::Administrator { .. } | Node::Organization { .. })
        )
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

    /// Tries a technique with two principals, and notes what they gain that neither gains alone.
    fn try_pair(
        &mut self,
        plan: usize,
        (subject, helper): (Id, Id),
        round: &mut Round<'_>,
        tried: &mut Tried,
    ) {
        if !tried.insert((plan as u32, subject, helper)) {
            return;
        }
        for (cost, target) in self.team(plan, (subject, helper)).iter().copied() {
            let price = self.builder.price(cost);
            let known = [subject, helper]
                .iter()
                .any(|one| *one == target || self.does_alone(round.alone.get(one), target, price));
            if !known {
                let key = (plan as u32, cost, subject, helper);
                round.found.entry(key).or_default().insert(target);
            }
        }
    }

    /// What two principals gain by a technique, each at its price. Those of one class gain the
    /// same, unless it matters who asks.
    fn team(&mut self, plan: usize, (subject, helper): (Id, Id)) -> Rc<[(u32, Id)]> {
        let (first, second) = (self.actors[&subject].clone(), self.actors[&helper].clone());
        let number = plan;
        let plan = &self.plans[number];
        let anybody = !plan.personal && !plan.named;
        let key = (number as u32, first.class, second.class);
        if let Some(known) = self.teams.get(&key).filter(|_| anybody) {
            return Rc::clone(known);
        }
        let means = self
            .means
            .get(&first.class)
            .zip(self.means.get(&second.class));
        let open = means.map(|means| self.offers.open_to_two(number, means));
        let attempt = Attempt {
            plan,
            judge: self.judge,
            actor: Some(&first),
            helper: Some(&second),
            account: first.arn.account(),
            explain: false,
            open: open.as_deref(),
            crowd: anybody,
        };
        let mut gains = Vec::new();
        let found = fullest(self.judge, plan, attempt.run(plan.given(&first)));
        for solution in found.into_values().flatten() {
            if !solution.state.helped || solution.state.also.is_some() {
                continue;
            }
            let cost = cost_of(self.judge, plan, &solution);
            let cost = self.builder.cost(cost);
            let gained = self.gained(plan, Some(&first), &solution);
            gains.extend(gained.into_iter().map(|node| (cost, self.id(node))));
        }
        let gains: Rc<[(u32, Id)]> = gains.into();
        if anybody {
            self.teams.insert(key, Rc::clone(&gains));
        }
        gains
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
        cost: u32,
    ) {
        let also = self.id(Node::principal(also.clone()));
        let targets: BTreeSet<Id> = targets.iter().map(|node| self.id(node.clone())).collect();
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

/// Every class that acts with every class that helps.
fn pairs_of<'c>(
    acting: &'c [u64],
    helping: Option<&'c Vec<u64>>,
) -> impl Iterator<Item = (u64, u64)> + 'c {
    let helping = helping.map_or(&[][..], Vec::as_slice);
    let each = |own: &'c u64| helping.iter().map(move |other| (*own, *other));
    acting.iter().flat_map(each)
}

fn each_pair<'c>(ones: &'c [Id], others: &'c [Id]) -> impl Iterator<Item = (Id, Id)> + 'c {
    let each = |one: &'c Id| others.iter().map(move |other| (*one, *other));
    ones.iter().flat_map(each)
}

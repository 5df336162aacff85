//! Which actions a principal may be allowed at all, on whatever resource: what rules most
//! techniques out before anything is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use palisade_checks::technique::Source;
use palisade_model::OrgPolicyKind;
use rustc_hash::FxHashMap;

use super::abroad::Abroad;
use super::actor::Actor;
use super::plan::Plan;
use super::scene::{Scene, aws_name};
use crate::policy::document::{Document, Statement};
use crate::policy::{Attached, Context, Effect, Glob, Layers, Tri};

/// The actions of all techniques, and who may be allowed which.
#[derive(Debug)]
pub(crate) struct Offers {
    /// In lower case, sorted.
    actions: Vec<String>,
    /// By policy.
    by_policy: FxHashMap<usize, FixedBitSet>,
    /// What the policies of resources offer to a principal by its ARN, and to everybody.
    by_name: FxHashMap<String, FixedBitSet>,
    /// What some policy of a resource or RCP denies to somebody, and what hangs on the policy of
    /// the resource alone.
    guarded: FixedBitSet,
    plans: Vec<Needs>,
    /// What resources offer to callers from other accounts.
    pub(crate) abroad: Abroad,
}

/// What a technique needs at least.
#[derive(Debug)]
struct Needs {
    all: FixedBitSet,
    /// For each choice, what each option needs.
    choices: Vec<Vec<FixedBitSet>>,
    /// What a second principal may do for the first.
    shared: FixedBitSet,
    /// Whether the second could as well begin with it.
    impersonal: bool,
}

/// What an actor may be allowed at all, and what it is allowed whatever is not known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Means {
    pub(crate) offered: FixedBitSet,
    pub(super) sure: FixedBitSet,
    /// Techniques that it may act in, were all the rest done by another.
    pub(crate) acts: FixedBitSet,
    /// Techniques that it may do a part of for another.
    pub(crate) helps: FixedBitSet,
}

impl Needs {
    /// Whether whoever is sure of this needs nobody to do all that `pair` can.
    fn met_by(&self, sure: &FixedBitSet, pair: &FixedBitSet) -> bool {
        let open = |wanted: &&FixedBitSet| wanted.is_subset(pair);
        self.impersonal
            && self.all.is_subset(sure)
            && self.choices.iter().all(|options| {
                let mut open = options.iter().filter(open);
                open.all(|wanted| wanted.is_subset(sure))
            })
    }
}

impl Offers {
    /// Numbers the actions of all techniques, and reads the policies of resources.
    pub(crate) fn new(plans: &[Plan<'_>], scene: &Scene<'_>) -> Self {
        let mut actions: Vec<String> = plans
            .iter()
            .flat_map(|plan| {
                plan.all_of
                    .iter()
                    .chain(plan.one_of.iter().flatten().flatten())
            })
            .cloned()
            .collect();
        actions.sort();
        actions.dedup();
        let set = |wanted: &[String]| {
            let mut set = FixedBitSet::with_capacity(actions.len());
            set.extend(
                wanted
                    .iter()
                    .filter_map(|action| actions.binary_search(action).ok()),
            );
            set
        };
        let needs = |plan: &Plan<'_>| Needs {
            all: set(&plan.all_of),
            shared: set(&plan.shared.iter().cloned().collect::<Vec<_>>()),
            impersonal: !plan.personal && *plan.from == Source::SelfRef,
            choices: plan
                .one_of
                .iter()
                .filter(|options| !options.is_empty())
                .map(|options| options.iter().map(|wanted| set(wanted)).collect())
                .collect(),
        };
        let plans = plans.iter().map(needs).collect();
        let mut guarded = FixedBitSet::with_capacity(actions.len());
        let hangs = |action: &String| action.starts_with("kms:") || action.starts_with("sts:");
        guarded.extend((0..actions.len()).filter(|at| hangs(&actions[*at])));
        let mut offers = Offers {
            plans,
            actions,
            by_policy: FxHashMap::default(),
            by_name: FxHashMap::default(),
            guarded,
            abroad: Abroad::default(),
        };
        offers.abroad = Abroad::read(&offers, scene);
        scene.each_resource_policy(&mut |document| offers.read_resource(document));
        offers.read_rcps(scene);
        offers
    }

    fn read_resource(&mut self, document: &Document) {
        for statement in &document.statements {
            let offered = self.of_statement(statement);
            if offered.is_clear() {
                continue;
            }
            if statement.effect == Effect::Deny {
                self.guarded.union_with(&offered);
                continue;
            }
            let named = statement
                .principal
                .iter()
                .flatten()
                .map(|name| aws_name(&name.value));
            let everybody = statement.principal.is_none().then(|| "*".to_owned());
            for name in named.chain(everybody) {
                let slot = self.by_name.entry(name).or_default();
                slot.grow(self.actions.len());
                slot.union_with(&offered);
            }
        }
    }

    fn read_rcps(&mut self, scene: &Scene<'_>) {
        let organization = scene.snapshot.organization.value();
        let policies = organization.and_then(|organization| organization.policies.value());
        let rcps = policies.into_iter().flat_map(BTreeMap::values);
        for policy in rcps.filter(|policy| policy.kind == OrgPolicyKind::Rcp) {
            let text = policy.document.value();
            let Some(Ok(document)) = text.map(|text| Document::parse(text.as_str())) else {
                self.guarded.insert_range(..);
                return;
            };
            let denies = document.statements.iter();
            for deny in denies.filter(|statement| statement.effect == Effect::Deny) {
                self.guarded.union_with(&self.of_statement(deny));
            }
        }
    }

    /// The actions of a service.
    pub(super) fn of_service(&self, service: &str) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.actions.len());
        let own = |action: &str| {
            action
                .strip_prefix(service)
                .is_some_and(|r| r.starts_with(':'))
        };
        set.extend((0..self.actions.len()).filter(|at| own(&self.actions[*at])));
        set
    }

    /// These actions, in lower case, as far as some technique needs them.
    pub(super) fn of_actions(&self, actions: &[&str]) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.actions.len());
        set.extend(
            actions
                .iter()
                .filter_map(|action| self.place_of(action).ok()),
        );
        set
    }

    pub(super) fn of_statement(&self, statement: &Statement) -> FixedBitSet {
        let globs = |patterns: &[String]| -> Vec<Glob> {
            patterns
                .iter()
                .map(|p| Glob::new(&p.trim().to_ascii_lowercase()))
                .collect()
        };
        let (globs, negated) = match (&statement.actions, &statement.not_actions) {
            (Some(actions), _) => (globs(actions), false),
            (None, Some(actions)) => (globs(actions), true),
            (None, None) => (Vec::new(), false),
        };
        let mut set = FixedBitSet::with_capacity(self.actions.len());
        for glob in globs.iter().filter(|_| !negated) {
            self.insert_matching(glob, &mut set);
        }
        if negated {
            for (at, action) in self.actions.iter().enumerate() {
                set.set(at, !globs.iter().any(|glob| glob.matches(action)));
            }
        }
        set
    }

    /// Everything one pattern matches; the sorted list makes most patterns a short stretch.
    fn insert_matching(&self, glob: &Glob, set: &mut FixedBitSet) {
        if let Some(literal) = glob.as_literal() {
            set.extend(
                self.actions
                    .binary_search_by(|action| action.as_str().cmp(literal)),
            );
            return;
        }
        let pattern = glob.to_string();
        let head = pattern.split(['*', '?']).next().unwrap_or_default();
        let from = self
            .actions
            .partition_point(|action| action.as_str() < head);
        for (at, action) in self.actions.iter().enumerate().skip(from) {
            if !action.starts_with(head) {
                break;
            }
            if glob.matches(action) {
                set.insert(at);
            }
        }
    }

    /// What an actor may be allowed.
    pub(crate) fn of(&mut self, actor: &Actor) -> FixedBitSet {
        let mut all = FixedBitSet::with_capacity(self.actions.len());
        for attached in actor.identity.iter() {
            let key = Arc::as_ptr(&attached.policy) as usize;
            if !self.by_policy.contains_key(&key) {
                let mut offers = FixedBitSet::with_capacity(self.actions.len());
                match attached.policy.document() {
                    Some(document) => {
                        let allows = document
                            .statements
                            .iter()
                            .filter(|s| s.effect == Effect::Allow);
                        for statement in allows {
                            offers.union_with(&self.of_statement(statement));
                        }
                    }
                    // What was not read may allow anything.
                    None => offers.insert_range(..),
                }
                self.by_policy.insert(key, offers);
            }
            all.union_with(&self.by_policy[&key]);
        }
        let session = format!("session:{}:{}", actor.arn.account(), actor.arn.name());
        for name in [actor.arn.as_str(), "*", &session] {
            if let Some(offers) = self.by_name.get(name) {
                all.union_with(offers);
            }
        }
        all
    }

    /// What an actor may do to anything of its account, whatever is not known: an Allow of it on
    /// everything without a condition in every layer, and a Deny of it in none.
    fn sure(&self, actor: &Actor, layers: &Layers<'_>) -> FixedBitSet {
        let mut known = Context::open();
        known.set("aws:PrincipalArn", actor.arn.as_str());
        let mut sure = self.plain(&actor.identity, &known);
        if let Some(boundary) = actor.boundary.as_deref() {
            sure.intersect_with(&self.plain(boundary, &known));
        }
        for level in layers.scps.unwrap_or_default() {
            sure.intersect_with(&self.plain(level, &known));
        }
        sure.difference_with(&self.guarded);
        sure
    }

    /// What some statement of these allows on everything without a condition, and none denies.
    fn plain(&self, policies: &[Attached], known: &Context) -> FixedBitSet {
        let mut allowed = FixedBitSet::with_capacity(self.actions.len());
        let mut denied = allowed.clone();
        for attached in policies {
            let Some(document) = attached.policy.document() else {
                return FixedBitSet::with_capacity(self.actions.len());
            };
            for (at, statement) in document.statements.iter().enumerate() {
                let compiled = &attached.policy.statements[at];
                let everything = statement.resources.iter().flatten().any(|r| r == "*");
                match compiled.effect {
                    Effect::Deny if compiled.conditions_hold(known) == Tri::No => {}
                    Effect::Deny => denied.union_with(&self.of_statement(statement)),
                    Effect::Allow if everything && statement.conditions.is_empty() => {
                        allowed.union_with(&self.of_statement(statement));
                    }
                    Effect::Allow => {}
                }
            }
        }
        allowed.difference_with(&denied);
        allowed
    }

    /// Whether a technique can work with what is offered.
    pub(crate) fn may_try(&self, plan: usize, offered: &FixedBitSet) -> bool {
        let needs = &self.plans[plan];
        needs.all.is_subset(offered)
            && needs
                .choices
                .iter()
                .all(|options| options.iter().any(|wanted| wanted.is_subset(offered)))
    }

    /// Of each choice of a technique the options that can work with what is offered, a bit each.
    pub(super) fn open(&self, plan: usize, offered: &FixedBitSet) -> Vec<u64> {
        let choices = self.plans[plan].choices.iter();
        let open = |options: &Vec<FixedBitSet>| {
            let works = options.iter().enumerate();
            let works = works.filter(|(_, wanted)| wanted.is_subset(offered));
            works.fold(0, |mask, (at, _)| mask | 1 << at)
        };
        choices.map(open).collect()
    }

    /// Likewise where a second principal does what may be handed over.
    pub(super) fn open_to_two(&self, plan: usize, (first, second): (&Means, &Means)) -> Vec<u64> {
        let mut both = self.plans[plan].shared.clone();
        both.intersect_with(&second.offered);
        both.union_with(&first.offered);
        self.open(plan, &both)
    }

    /// What an actor may do, alone and with another.
    pub(crate) fn means(&self, actor: &Actor, layers: &Layers<'_>, offered: FixedBitSet) -> Means {
        let mut acts = FixedBitSet::with_capacity(self.plans.len());
        let mut helps = acts.clone();
        for (number, needs) in self.plans.iter().enumerate() {
            if needs.shared.is_clear() {
                continue;
            }
            helps.set(number, !needs.shared.is_disjoint(&offered));
            let mut pair = needs.shared.clone();
            pair.union_with(&offered);
            acts.set(number, self.may_try(number, &pair));
        }
        Means {
            sure: self.sure(actor, layers),
            offered,
            acts,
            helps,
        }
    }

    /// The actions of all techniques, in lower case, sorted.
    pub(super) fn actions(&self) -> &[String] {
        &self.actions
    }

    /// Whether a technique can work where two principals are held: `first` acts, `second` does what
    /// may be handed over, and neither is known to need nobody for it. What is sure in one's own
    /// account is not in another, where only what is `open` to others can be done.
    pub(super) fn for_two(
        &self,
        plan: usize,
        (first, second): (&Means, &Means),
        open: Option<&FixedBitSet>,
    ) -> bool {
        let needs = &self.plans[plan];
        let mut pair = needs.shared.clone();
        pair.intersect_with(&second.offered);
        match open {
            Some(open) => pair.intersect_with(open),
            None => pair.difference_with(&first.sure),
        }
        if pair.is_clear() {
            return false;
        }
        pair.union_with(&first.offered);
        let alone = open.is_none() && needs.met_by(&second.sure, &pair);
        self.may_try(plan, &pair) && !alone
    }

    /// Whether an actor's own policies may allow an action, in lower case; asked after
    /// [`Offers::of`].
    pub(crate) fn allows(&self, actor: &Actor, action: &str) -> bool {
        let Ok(at) = self.place_of(action) else {
            return true;
        };
        actor.identity.iter().any(|attached| {
            let key = Arc::as_ptr(&attached.policy) as usize;
            self.by_policy
                .get(&key)
                .is_none_or(|offers| offers.contains(at))
        })
    }

    fn place_of(&self, action: &str) -> Result<usize, usize> {
        self.actions
            .binary_search_by(|known| known.as_str().cmp(action))
    }
}

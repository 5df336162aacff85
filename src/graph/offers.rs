//! Which actions a principal may be allowed at all, on whatever resource: what rules most
//! techniques out before anything is asked.

use std::sync::Arc;

use fixedbitset::FixedBitSet;
use rustc_hash::FxHashMap;

use super::actor::Actor;
use super::plan::Plan;
use super::scene::Scene;
use crate::policy::document::{Document, Statement};
use crate::policy::{Effect, Glob};

/// The actions of all techniques, and who may be allowed which.
#[derive(Debug)]
pub(crate) struct Offers {
    /// In lower case, sorted.
    actions: Vec<String>,
    /// By policy.
    by_policy: FxHashMap<usize, FixedBitSet>,
    /// What the policies of resources offer to a principal by its ARN, and to everybody.
    by_name: FxHashMap<String, FixedBitSet>,
    plans: Vec<Needs>,
}

/// What a technique needs at least.
#[derive(Debug)]
struct Needs {
    all: FixedBitSet,
    /// For each choice, what each option needs.
    choices: Vec<Vec<FixedBitSet>>,
    /// What a second principal may do for the first.
    shared: FixedBitSet,
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
            choices: plan
                .one_of
                .iter()
                .filter(|options| !options.is_empty())
                .map(|options| options.iter().map(|wanted| set(wanted)).collect())
                .collect(),
        };
        let mut offers = Offers {
            plans: plans.iter().map(needs).collect(),
            actions,
            by_policy: FxHashMap::default(),
            by_name: FxHashMap::default(),
        };
        scene.each_resource_policy(&mut |document| offers.read_resource(document));
        offers
    }

    fn read_resource(&mut self, document: &Document) {
        for statement in document
            .statements
            .iter()
            .filter(|s| s.effect == Effect::Allow)
        {
            let offered = self.of_statement(statement);
            if offered.is_clear() {
                continue;
            }
            let named = statement
                .principal
                .iter()
                .flatten()
                .map(|name| name.value.as_str());
            let everybody = statement.principal.is_none().then_some("*");
            for name in named.chain(everybody) {
                let slot = self.by_name.entry(name.to_owned()).or_default();
                slot.grow(self.actions.len());
                slot.union_with(&offered);
            }
        }
    }

    fn of_statement(&self, statement: &Statement) -> FixedBitSet {
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
        for name in [actor.arn.as_str(), "*"] {
            if let Some(offers) = self.by_name.get(name) {
                all.union_with(offers);
            }
        }
        all
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

    /// What any technique lets a second principal do.
    pub(crate) fn shared(&self) -> FixedBitSet {
        let mut all = FixedBitSet::with_capacity(self.actions.len());
        for needs in &self.plans {
            all.union_with(&needs.shared);
        }
        all
    }

    /// Whether a technique can work where two principals are held: `first` acts, `second` does
    /// what may be handed over.
    pub(crate) fn may_team(&self, plan: usize, first: &FixedBitSet, second: &FixedBitSet) -> bool {
        let mut helped = self.plans[plan].shared.clone();
        helped.intersect_with(second);
        if helped.is_clear() {
            return false;
        }
        helped.union_with(first);
        self.may_try(plan, &helped)
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

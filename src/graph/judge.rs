//! Puts a technique's requests to the policy engine, and its questions to the facts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use palisade_checks::technique::{
    ContextValue, Kind, Predicate, Requirement, ResourceRef, Selector, Trusted,
};
use palisade_checks::weights::Weights;
use palisade_model::{Arn, Gap, Snapshot};
use rustc_hash::FxHashMap;

use super::abroad::{is_abroad, is_at_home};
use super::actor::{Actor, Crew};
use super::ask::{Asked, Memory};
use super::bind::{Bindings, Bound, Truth};
use super::choose::Lists;
use super::facts::Facts;
use super::fresh::{Named, Wanted};
use super::ground::Ground;
use super::predicate::{Look, Question, evaluate};
use super::scene::Scene;
use super::sift::{Candidate, Sieve};
use super::tagging::{Wish, wanted_tags};
use super::weigh::Interval;
use super::wording::{Patterns, Spoken};
use super::{Detects, Interests, Status};
use crate::exposure::Exposure;
use crate::policy::Engine;

/// A fact asked for: the predicate by its address, the account in which things are looked for, and
/// what its variables stand for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct About {
    predicate: usize,
    account: Result<u32, String>,
    of: Vec<Option<Bound>>,
}

/// Asks.
pub(crate) struct Judge<'a> {
    pub(crate) scene: Scene<'a>,
    pub(crate) ground: Ground<'a>,
    pub(crate) engine: &'a Engine,
    pub(crate) facts: Facts<'a>,
    pub(crate) look: Look<'a>,
    pub(crate) exposure: std::cell::OnceCell<Exposure>,
    pub(crate) detects: &'a dyn Detects,
    pub(crate) weights: &'a Weights,
    pub(crate) interests: Interests,
    wanted_tags: std::cell::OnceCell<BTreeMap<String, Wish>>,
    pub(super) tag_keys: BTreeSet<String>,
    tests_profiles: std::cell::OnceCell<bool>,
    /// Whether a question about tags is being answered.
    pub(super) tags_asked: std::cell::Cell<bool>,
    /// What a call that takes no resource is about.
    everything: Arn,
    pub(super) memory: RefCell<Memory>,
    /// The actions of all techniques, in lower case, sorted.
    pub(super) numbered: std::cell::OnceCell<Vec<String>>,
    /// Actions that a class of principals is allowed on everything of its account, by number.
    pub(super) sure: RefCell<FxHashMap<u64, FixedBitSet>>,
    pub(super) truths: RefCell<FxHashMap<About, Rc<Truth>>>,
    pub(super) lists: RefCell<Lists>,
    pub(super) sifted: RefCell<FxHashMap<Sieve, Rc<[Candidate]>>>,
    /// Whether sessions of a role may bear tags.
    pub(super) tagged: RefCell<FxHashMap<Arn, bool>>,
    /// What was cut off, in words.
    pub(super) caps: RefCell<BTreeSet<String>>,
    /// Names that fit some patterns and avoid others, for a template.
    pub(super) named: RefCell<FxHashMap<(Patterns, String), Vec<String>>>,
    /// Names found for what does not exist yet, and the answers under them.
    pub(super) fresh: RefCell<FxHashMap<Wanted, Named>>,
    /// What the policies of a class of principals say of an action.
    pub(super) spoken: RefCell<FxHashMap<Spoken, Rc<Patterns>>>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(
        snapshot: &'a Snapshot,
        engine: &'a Engine,
        detects: &'a dyn Detects,
        interests: Interests,
    ) -> Self {
        let ground = Ground::new(snapshot);
        Judge {
            scene: Scene::new(snapshot),
            facts: Facts::new(snapshot),
            look: Look::new(snapshot),
            exposure: std::cell::OnceCell::new(),
            engine,
            detects,
            weights: Weights::builtin(),
            interests,
            wanted_tags: std::cell::OnceCell::new(),
            tag_keys: ground.tag_keys(),
            tests_profiles: std::cell::OnceCell::new(),
            tags_asked: std::cell::Cell::new(false),
            everything: Arn::from("*"),
            ground,
            memory: RefCell::default(),
            numbered: std::cell::OnceCell::new(),
            sure: RefCell::default(),
            truths: RefCell::default(),
            lists: RefCell::default(),
            sifted: RefCell::default(),
            tagged: RefCell::default(),
            caps: RefCell::default(),
            named: RefCell::default(),
            fresh: RefCell::default(),
            spoken: RefCell::default(),
        }
    }

    /// Tags of principals that some policy tests.
    pub(super) fn wanted_tags(&self) -> &BTreeMap<String, Wish> {
        self.wanted_tags.get_or_init(|| wanted_tags(&self.ground))
    }

    /// Whether some policy asks for the profile of an instance.
    pub(super) fn tests_profiles(&self) -> bool {
        *self
            .tests_profiles
            .get_or_init(|| self.ground.speaks_of("ec2:instanceprofile"))
    }

    /// A row of the step weights.
    pub(crate) fn step(&self, name: &str) -> Interval {
        Interval::new(
            self.weights
                .step
                .get(name)
                .copied()
                .unwrap_or((1, 1_000_000)),
        )
    }

    /// Whether a fact holds; `names` are the variables it hangs on.
    pub(crate) fn holds(
        &self,
        predicate: &'a Predicate,
        names: &[Arc<str>],
        bindings: &Bindings,
        account: &str,
    ) -> Rc<Truth> {
        if is_quick(predicate) {
            return Rc::new(self.answer(predicate, bindings, account));
        }
        let key = About {
            predicate: std::ptr::from_ref(predicate) as usize,
            account: self.scene.number_of(account),
            of: names
                .iter()
                .map(|name| bindings.get(name).cloned())
                .collect(),
        };
        if let Some(known) = self.truths.borrow().get(&key) {
            return Rc::clone(known);
        }
        let truth = Rc::new(self.answer(predicate, bindings, account));
        self.truths.borrow_mut().insert(key, Rc::clone(&truth));
        truth
    }

    /// Likewise, without remembering it.
    pub(crate) fn answer(
        &self,
        predicate: &'a Predicate,
        bindings: &Bindings,
        account: &str,
    ) -> Truth {
        let question = Question {
            look: &self.look,
            asks: self,
            bindings,
            account,
        };
        evaluate(predicate, &question)
    }

    /// Asks one requirement on what it is bound to; `None` when it is denied. Of two principals
    /// that may both send it, the surer one does, the first before the second.
    pub(crate) fn require(
        &self,
        crew: &Crew<'_>,
        requirement: &Requirement,
        bindings: &Bindings,
    ) -> Option<Asked> {
        let own = self.require_of(crew.first, requirement, bindings);
        let settled = own
            .as_ref()
            .is_some_and(|asked| asked.status == Status::Proven);
        match crew.second.filter(|_| !settled && crew.shares(requirement)) {
            Some(second) => surer(own, self.require_of(second, requirement, bindings)),
            None => own,
        }
    }

    fn require_of(
        &self,
        actor: &Actor,
        requirement: &Requirement,
        bindings: &Bindings,
    ) -> Option<Asked> {
        let call = self.call_of(requirement, bindings)?;
        let abroad = is_abroad(actor, bindings);
        if !call.takes_resource {
            // What names no resource is done at home.
            return match abroad && !is_at_home(requirement) {
                true => None,
                false => self.ask(actor, call, self.everything.clone(), false),
            };
        }
        let account = actor.arn.account();
        let alone = Crew::alone(actor);
        let bound = match &requirement.on.selector {
            Selector::SelfRef => {
                let own = || Bound::Known(actor.arn.clone());
                bindings.get("self").cloned().unwrap_or_else(own)
            }
            Selector::Any | Selector::New(_) => {
                return self.new_resource(&alone, requirement, bindings)?.1.pop();
            }
            Selector::Named(name) => Bound::Known(self.named(requirement.on.kind, name, account)),
            Selector::Target => bindings.get("target")?.clone(),
            Selector::Var(name) => bindings.get(name.as_str())?.clone(),
        };
        match bound {
            Bound::Known(bucket) if requirement.on.kind == Kind::BUCKET_CONTENT => {
                self.any_object(actor, requirement, &bucket, bindings)
            }
            Bound::Known(arn) | Bound::New(arn) => self.ask_known(actor, call, arn),
            Bound::Named { arn, gap } => Some(unsure(self.ask(actor, call, arn, false)?, &gap)),
            Bound::Account(id) => {
                let resource = self.account_resource(&requirement.action, &id);
                self.ask(actor, call, Arn::new(resource), false)
            }
            Bound::Unseen { account, gap } => {
                let (_, mut answers) = self.resource_in(&account, &alone, requirement, bindings)?;
                Some(unsure(answers.pop()?, &gap))
            }
        }
    }

    fn named(&self, kind: Kind, name: &str, account: &str) -> Arn {
        if name.starts_with("arn:") {
            return Arn::from(name);
        }
        let partition = self.scene.snapshot.partition;
        Arn::iam(partition, account, kind.name(), "/", name)
    }

    /// How an action names an account as its resource.
    ///
    /// Source: Service Authorization Reference, resource types of Organizations, STS and IAM
    /// Identity Center.
    fn account_resource(&self, action: &str, id: &str) -> String {
        let partition = self.scene.snapshot.partition;
        match action.split(':').next().unwrap_or_default() {
            "sts" => format!("arn:{partition}:iam::{id}:root"),
            "sso" => format!("arn:{partition}:sso:::account/{id}"),
            "organizations" => match self.scene.snapshot.organization.value() {
                Some(o) => {
                    let manager = &o.management_account;
                    format!(
                        "arn:{partition}:organizations::{manager}:account/{}/{id}",
                        o.id
                    )
                }
                None => "*".to_owned(),
            },
            _ => "*".to_owned(),
        }
    }
}

/// Whether a fact is looked up faster than remembered.
fn is_quick(predicate: &Predicate) -> bool {
    use Predicate as P;
    match predicate {
        P::Not(inner) => is_quick(inner),
        P::Any(parts) | P::All(parts) => parts.iter().all(is_quick),
        P::Trusts(_, Trusted::Service(_), _) => true,
        P::IsUser(_)
        | P::IsRole(_)
        | P::Different(..)
        | P::ServiceLinked(_)
        | P::SsoReserved(_)
        | P::Named(..)
        | P::Attached(..)
        | P::CustomerManaged(_)
        | P::HasBoundary(_)
        | P::Count(..)
        | P::HasInstanceProfile(_)
        | P::LaunchableWith(_)
        | P::Attribute(..)
        | P::OwnAccount(_) => true,
        _ => false,
    }
}

/// The surer of two answers, the first where both are as sure.
pub(super) fn surer(first: Option<Asked>, second: Option<Asked>) -> Option<Asked> {
    let second = second.map(|asked| Asked {
        second: true,
        ..asked
    });
    match (first, second) {
        (Some(first), Some(second)) if second.status < first.status => Some(second),
        (Some(first), _) => Some(first),
        (None, second) => second,
    }
}

/// An answer that one more unread fact stands in the way of.
fn unsure(asked: Asked, gap: &Gap) -> Asked {
    let gaps = asked.gaps.iter().cloned().chain([gap.clone()]);
    Asked {
        status: Status::Possible,
        gaps: gaps.collect(),
        ..asked
    }
}

/// The context a requirement carries; `None` when it names something that is not bound.
pub(crate) fn context_of(
    requirement: &Requirement,
    bindings: &Bindings,
) -> Option<Vec<(String, String)>> {
    let bound = |of: &ResourceRef| bindings.get(of.variable()?);
    let mut context = Vec::new();
    for (key, value) in &requirement.context {
        let value = match value {
            ContextValue::Text(text) => text.clone(),
            ContextValue::Ref(reference) => match &reference.selector {
                Selector::Named(name) => name.clone(),
                _ => match bound(reference)? {
                    // Of what nobody listed neither the name nor where it answers is known: the
                    // key stays open.
                    Bound::Unseen { .. } => continue,
                    known => known.text(),
                },
            },
            ContextValue::Endpoint { before, of } => match bound(of)?.arn().and_then(endpoint) {
                Some(endpoint) => format!("{before}{endpoint}"),
                None => continue,
            },
        };
        context.push((key.clone(), value));
    }
    Some(context)
}

/// Where the service of a resource answers, without the name of the service.
///
/// Source: "AWS KMS condition keys" (`kms:ViaService`), AWS KMS Developer Guide, 2026-10.
fn endpoint(arn: &Arn) -> Option<String> {
    let suffix = match arn.as_str().starts_with("arn:aws-cn:") {
        true => ".cn",
        false => "",
    };
    let region = Some(arn.region()).filter(|region| !region.is_empty());
    region.map(|region| format!("{region}.amazonaws.com{suffix}"))
}

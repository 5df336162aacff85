//! Questions over all principals at once.
//!
//! Principals of one class differ only in what their own names and tags decide, so a class is
//! asked once unless a statement that bears on the question looks at names or tags, or the
//! resource's policy names a member. Cost: classes × policies for the sieve, plus one decision
//! for each class left, plus one for each member that must be asked apart.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Engine, Principal};
use crate::policy::compile::{Attached, CompiledPolicy, CompiledStatement};
use crate::policy::context::{Context, Key};
use crate::policy::decide::Decision;
use crate::policy::document::Effect;
use crate::policy::principal::{Name, PrincipalMatcher};
use crate::policy::resource::Resource;
use crate::policy::tri::Tri;

/// Everybody who may, or who may under conditions, or of whom it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoCan {
    /// The distinct answers.
    pub decisions: Vec<Decision>,
    /// Who has which answer, by ARN; those denied are left out.
    pub principals: Vec<Answer>,
    /// Those outside the estate whom the resource's own policy names: `anonymous`, foreign
    /// accounts and principals, services, identity providers. Sorted by name. What a foreign
    /// account's own policies say is not known; an account stands for its root user.
    pub outsiders: Vec<(String, Decision)>,
}

/// One principal and the place of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The place in [`Engine::principals`].
    pub principal: u32,
    /// The place in [`WhoCan::decisions`].
    pub decision: u32,
}

impl WhoCan {
    /// Principals and their answers.
    pub fn iter<'a>(
        &'a self,
        engine: &'a Engine,
    ) -> impl Iterator<Item = (&'a Principal, &'a Decision)> {
        self.principals.iter().map(|answer| {
            let principal = &engine.principals()[answer.principal as usize];
            (principal, &self.decisions[answer.decision as usize])
        })
    }
}

/// How a policy bears on a question.
#[derive(Clone, Copy, Default)]
struct Bearing {
    /// Some Allow covers the action.
    allows: bool,
    /// A statement that covers the action looks at the caller's own name or tags.
    personal: bool,
}

impl Engine {
    /// Who may do `action` on `resource`: every principal but those surely denied.
    ///
    /// `context` speaks of every request alike, as in [`Engine::decide`].
    pub fn who_can(&self, action: &str, resource: &str, context: &Context) -> WhoCan {
        let question = Question::new(self, action, resource);
        let mut bearings: FxHashMap<*const CompiledPolicy, Bearing> = FxHashMap::default();
        let outsiders = self.outsiders(action, resource, context);
        let mut out = WhoCan {
            decisions: Vec::new(),
            principals: Vec::new(),
            outsiders,
        };
        // The answer of each class, once asked: the place of the decision, or "denied".
        let mut answers: Vec<Option<Option<u32>>> = vec![None; self.classes.len()];
        let sieved: Vec<Bearing> = self
            .classes
            .iter()
            .map(|class| question.bearing(class, &mut bearings))
            .collect();
        for (at, principal) in self.principals.iter().enumerate() {
            let class = principal.class as usize;
            let named = question.names(principal);
            if !sieved[class].allows && !question.open_to_all && !named {
                continue;
            }
            let apart = named || sieved[class].personal || question.personal;
            let decision = match answers[class] {
                Some(known) if !apart => known,
                _ => {
                    let decision = self.decide(&principal.arn, action, resource, context);
                    let place = out.keep(decision);
                    if !apart {
                        answers[class] = Some(place);
                    }
                    place
                }
            };
            if let Some(decision) = decision {
                let principal = u32::try_from(at).unwrap_or(u32::MAX);
                out.principals.push(Answer {
                    principal,
                    decision,
                });
            }
        }
        out
    }
}

impl Engine {
    fn outsiders(
        &self,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> Vec<(String, Decision)> {
        let target = self.resources.target(self, action, resource, None);
        let lower = action.to_ascii_lowercase();
        let mut names: BTreeSet<String> = BTreeSet::new();
        for attached in target.policy.unwrap_or_default() {
            let statements = attached.policy.statements.iter();
            let allows =
                |s: &&CompiledStatement| s.effect == Effect::Allow && s.covers_action(&lower);
            for statement in statements.filter(allows) {
                match &statement.principal {
                    PrincipalMatcher::Named(list) => {
                        names.extend(list.iter().filter_map(|name| self.outsider(name)));
                    }
                    PrincipalMatcher::AllBut(_) => {
                        names.insert("anonymous".to_owned());
                    }
                    PrincipalMatcher::Holder => {}
                }
            }
        }
        let decide = |name: String| {
            let decision = self.decide(&name, action, resource, context);
            (!decision.is_denied()).then_some((name, decision))
        };
        names.into_iter().filter_map(decide).collect()
    }

    /// Who a name means, if not somebody of the estate.
    fn outsider(&self, name: &Name) -> Option<String> {
        match name {
            Name::Everyone => Some("anonymous".to_owned()),
            Name::Account(id) if self.by_account.contains_key(id) => None,
            Name::Account(id) => Some(format!("arn:aws:iam::{id}:root")),
            Name::Arn(arn) if self.principal_index(arn).is_some() => None,
            // The unique id of a deleted principal names nobody.
            Name::Arn(arn) => arn.starts_with("arn:").then(|| arn.to_string()),
            Name::Service(name) | Name::Federated(name) => Some(name.to_string()),
            Name::Canonical => None,
        }
    }

    /// Who may do `action` on some resource: every resource that an identity-based Allow for it
    /// names is tried, wildcards filled in, and the best answer for each principal kept.
    pub fn who_can_somewhere(&self, action: &str, context: &Context) -> WhoCan {
        let mut best: BTreeMap<u32, Decision> = BTreeMap::new();
        for resource in self.named_resources(action) {
            let one = self.who_can(action, &resource, context);
            for answer in one.principals {
                let decision = &one.decisions[answer.decision as usize];
                let known = best.get(&answer.principal);
                if known.is_none_or(|k| rank(k) < rank(decision)) {
                    best.insert(answer.principal, decision.clone());
                }
            }
        }
        let mut out = WhoCan {
            decisions: Vec::new(),
            principals: Vec::new(),
            outsiders: Vec::new(),
        };
        for (principal, decision) in best {
            if let Some(decision) = out.keep(decision) {
                out.principals.push(Answer {
                    principal,
                    decision,
                });
            }
        }
        out
    }

    /// An example of every resource pattern that allows `action`, and `*`.
    fn named_resources(&self, action: &str) -> BTreeSet<String> {
        let lower = action.to_ascii_lowercase();
        let mut out = BTreeSet::from(["*".to_owned()]);
        let mut seen: FxHashSet<*const CompiledPolicy> = FxHashSet::default();
        for attached in self.classes.iter().flat_map(|class| &class.identity) {
            if !seen.insert(std::ptr::from_ref(&*attached.policy)) {
                continue;
            }
            for (at, compiled) in attached.policy.statements.iter().enumerate() {
                if compiled.effect != Effect::Allow || !compiled.covers_action(&lower) {
                    continue;
                }
                let resources = attached
                    .policy
                    .statement(at)
                    .and_then(|s| s.resources.as_ref());
                for text in resources.into_iter().flatten().filter(|text| *text != "*") {
                    out.extend(crate::policy::example(&[text], &[]));
                }
            }
        }
        out
    }
}

fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::Denied(_) => 0,
        Decision::Unknown(_) => 1,
        Decision::Conditional(_) => 2,
        Decision::Allowed(_) => 3,
    }
}

impl WhoCan {
    /// Keeps a decision that is not a denial; equal ones once, if they come one after the other.
    fn keep(&mut self, decision: Decision) -> Option<u32> {
        if decision.is_denied() {
            return None;
        }
        if self.decisions.last() != Some(&decision) {
            self.decisions.push(decision);
        }
        u32::try_from(self.decisions.len() - 1).ok()
    }
}

/// What can be said of a question before anybody is asked.
struct Question {
    action: String,
    resource: Resource,
    /// The resource's policy may admit somebody whose own policies do not.
    open_to_all: bool,
    /// The resource's policy or RCPs look at the caller's own name or tags.
    personal: bool,
    /// Names in the resource's policy.
    named: FxHashSet<Box<str>>,
    /// By account: its SCPs look at the caller's own name or tags.
    personal_scps: Vec<bool>,
}

impl Question {
    fn new(engine: &Engine, action: &str, resource: &str) -> Self {
        let lower = action.to_ascii_lowercase();
        let target = engine.resources.target(engine, action, resource, None);
        let mut out = Self {
            resource: Resource::new(resource),
            open_to_all: false,
            personal: false,
            named: FxHashSet::default(),
            personal_scps: Vec::new(),
            action: lower,
        };
        for attached in target.policy.unwrap_or_default() {
            out.open_to_all |= attached.policy.unread_reason().is_some();
            for statement in &attached.policy.statements {
                if statement.covers_action(&out.action) {
                    out.add(statement);
                }
            }
        }
        let rcps = target
            .account
            .map_or(&[][..], |account| engine.rcps_of(account));
        out.personal |= rcps.iter().flatten().any(|a| out.is_personal(&a.policy));
        out.personal_scps = engine
            .accounts
            .iter()
            .map(|account| {
                let levels = account.ceilings.scps.as_deref().unwrap_or_default();
                levels.iter().flatten().any(|a| out.is_personal(&a.policy))
            })
            .collect();
        out
    }

    fn add(&mut self, statement: &CompiledStatement) {
        self.personal |= statement.looks_at_caller();
        let allows = statement.effect == Effect::Allow;
        let names = match &statement.principal {
            PrincipalMatcher::Named(names) => names,
            PrincipalMatcher::AllBut(names) => {
                self.open_to_all |= allows;
                names
            }
            PrincipalMatcher::Holder => return,
        };
        for name in names {
            match name {
                // An account is admitted as a whole only by its own policies; everyone is.
                Name::Everyone => self.open_to_all |= allows,
                Name::Arn(arn) => {
                    self.named.insert(arn.clone());
                }
                Name::Account(_) | Name::Service(_) | Name::Federated(_) | Name::Canonical => {}
            }
        }
    }

    fn names(&self, principal: &Principal) -> bool {
        !self.named.is_empty() && self.named.contains(&*principal.arn)
    }

    fn is_personal(&self, policy: &CompiledPolicy) -> bool {
        policy
            .statements
            .iter()
            .any(|s| s.covers_action(&self.action) && s.looks_at_caller())
    }

    fn bearing(
        &self,
        class: &super::Class,
        known: &mut FxHashMap<*const CompiledPolicy, Bearing>,
    ) -> Bearing {
        let mut out = Bearing {
            personal: self.personal_scps[class.account as usize],
            ..Bearing::default()
        };
        let mut ask = |attached: &Attached| {
            let key = std::ptr::from_ref(&*attached.policy);
            *known
                .entry(key)
                .or_insert_with(|| self.of_policy(&attached.policy))
        };
        for attached in &class.identity {
            let one = ask(attached);
            out.allows |= one.allows;
            out.personal |= one.personal;
        }
        for attached in class.boundary.iter().flatten() {
            out.personal |= ask(attached).personal;
        }
        out
    }

    fn of_policy(&self, policy: &CompiledPolicy) -> Bearing {
        if policy.unread_reason().is_some() {
            return Bearing {
                allows: true,
                personal: false,
            };
        }
        let open = Context::open();
        let mut out = Bearing::default();
        for statement in &policy.statements {
            if !statement.covers_action(&self.action)
                || statement.touches(&self.resource, &self.action, &open) == Tri::No
            {
                continue;
            }
            out.allows |= statement.effect == Effect::Allow;
            out.personal |= statement.looks_at_caller();
        }
        out
    }
}

/// Whether a key's value differs between principals of one class.
pub(crate) fn is_personal(key: &Key) -> bool {
    let key = key.as_str();
    matches!(key, "aws:username" | "aws:userid" | "aws:principalarn")
        || key.starts_with("aws:principaltag/")
}

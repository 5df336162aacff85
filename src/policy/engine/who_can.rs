//! Questions over all principals at once.
//!
//! Only policies with a statement that covers the action and may match the resource bear on a
//! question. Principals of one account, under the same bearing policies, with the same values of
//! the tags that those policies look at, get one answer; only where names themselves decide
//! (`${aws:username}`, a resource-based policy that names a user) is everybody asked apart.
//! Accounts that the resource's own policy would have to admit and does not are left out whole.
//! Cost: distinct policies for the sieve, then the members of classes under a policy that allows,
//! and one decision for each group.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::question::{Profiles, Question};
use super::{Engine, Principal};
use crate::policy::compile::{CompiledPolicy, CompiledStatement};
use crate::policy::context::Context;
use crate::policy::decide::Decision;
use crate::policy::document::Effect;
use crate::policy::principal::{Name, PrincipalMatcher};

/// Everybody who may, or who may under conditions, or of whom it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WhoCan {
    /// The distinct answers.
    pub decisions: Vec<Decision>,
    /// Who has which answer, by ARN; those denied are left out.
    pub principals: Vec<Answer>,
    /// Those outside the estate whom the resource's own policy names: `anonymous`, foreign
    /// accounts and principals, services, identity providers. Sorted by name. What a foreign
    /// account's own policies say is not known; an account stands for its root user.
    pub outsiders: Vec<(String, Decision)>,
    /// The places of principals that are denied although some statement would allow: the near
    /// misses are among them.
    pub refused: Vec<u32>,
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

impl Engine {
    /// Who may do `action` on `resource`: every principal but those surely denied.
    ///
    /// `context` speaks of every request alike, as in [`Engine::decide`].
    pub fn who_can(&self, action: &str, resource: &str, context: &Context) -> WhoCan {
        let question = Question::new(self, action, resource);
        let mut out = WhoCan {
            outsiders: self.outsiders(action, resource, context),
            ..WhoCan::default()
        };
        // The answer of each group, once asked: the place of the decision, or "denied".
        let mut answers: FxHashMap<(u32, u32), Option<u32>> = FxHashMap::default();
        let mut signatures: FxHashMap<Vec<Option<&str>>, u32> = FxHashMap::default();
        let classes = question.classes(self);
        let named = question.named(self);
        let mut profiles = Profiles::default();
        for class in &classes {
            let standing = question.standing(self, *class, &mut profiles);
            for at in self.members(*class) {
                let principal = &self.principals[*at as usize];
                let by_name = named.contains(at) || principal.linked;
                let ask = |out: &mut WhoCan| {
                    let setting = self.setting_of(*at, &question.asked, context);
                    out.keep(self.settle(&setting))
                };
                let decision = if by_name || standing.by_name || question.by_name {
                    ask(&mut out)
                } else {
                    let next = u32::try_from(signatures.len()).unwrap_or(u32::MAX);
                    let signature = match question.is_tagless() {
                        true => u32::MAX,
                        false => *signatures
                            .entry(question.signature(principal))
                            .or_insert(next),
                    };
                    *answers
                        .entry((standing.profile, signature))
                        .or_insert_with(|| ask(&mut out))
                };
                match decision {
                    Some(decision) => out.principals.push(Answer {
                        principal: *at,
                        decision,
                    }),
                    None => out.refused.push(*at),
                }
            }
        }
        // Principals whom only the resource's policy names.
        for at in named {
            let class = self.principals[at as usize].class;
            if classes.binary_search(&class).is_ok() {
                continue;
            }
            let setting = self.setting_of(at, &question.asked, context);
            match out.keep(self.settle(&setting)) {
                Some(decision) => out.principals.push(Answer {
                    principal: at,
                    decision,
                }),
                None => out.refused.push(at),
            }
        }
        out.principals
            .sort_unstable_by_key(|answer| answer.principal);
        out.refused.sort_unstable();
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
        for attached in target.resource_side() {
            // It may let in whomever it names, and nobody knows whom that is.
            if attached.policy.unread_reason().is_some() {
                names.insert("anonymous".to_owned());
            }
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
            // One session of a role of the estate is somebody of its own.
            Name::Arn(arn) if self.by_arn.contains_key(&**arn) => None,
            // The unique id of a deleted principal names nobody.
            Name::Arn(arn) => arn.starts_with("arn:").then(|| arn.to_string()),
            Name::Service(name) | Name::Federated(name) => Some(name.to_string()),
            Name::Canonical | Name::SignedIn | Name::AnyAccount(_) | Name::SomeSession { .. } => {
                None
            }
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
        let mut out = WhoCan::default();
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

    /// Where this principal is likeliest to do `action`: of the resources that identity-based
    /// Allows for it name, wildcards filled in, the first with the best answer; `*` where none is
    /// better.
    pub fn likeliest_resource(&self, principal: &str, action: &str, context: &Context) -> String {
        let of = |resource: &str| rank(&self.decide(principal, action, resource, context));
        let mut best = ("*".to_owned(), of("*"));
        for resource in self.named_resources(action) {
            let own = of(&resource);
            if own > best.1 {
                best = (resource, own);
            }
        }
        best.0
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

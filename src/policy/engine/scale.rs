//! Questions over all principals at once.
//!
//! Only policies with a statement that covers the action and may match the resource bear on a
//! question. Principals of one account, under the same bearing policies, with the same values of
//! the tags that those policies look at, get one answer; only where names themselves decide
//! (`${aws:username}`, a resource-based policy that names a user) is everybody asked apart. Cost:
//! distinct policies for the sieve, principals for the grouping, one decision for each group.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Engine, Principal, PrincipalKind};
use crate::policy::compile::{CompiledPolicy, CompiledStatement, service_bit};
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
    /// Some statement covers the action and may match the resource.
    bears: bool,
    /// One of them allows.
    allows: bool,
    /// One of them looks at the caller's own name.
    by_name: bool,
}

/// What a class is to a question.
#[derive(Clone, Copy)]
struct Standing {
    /// Classes of one profile are under the same bearing policies.
    profile: u32,
    allows: bool,
    by_name: bool,
}

/// Account, kind, bearing policies with their places, boundary.
type Profile = (u32, PrincipalKind, Vec<(usize, *const CompiledPolicy)>);

impl Engine {
    /// Who may do `action` on `resource`: every principal but those surely denied.
    ///
    /// `context` speaks of every request alike, as in [`Engine::decide`].
    pub fn who_can(&self, action: &str, resource: &str, context: &Context) -> WhoCan {
        let mut question = Question::new(self, action, resource);
        let outsiders = self.outsiders(action, resource, context);
        let mut out = WhoCan {
            decisions: Vec::new(),
            principals: Vec::new(),
            outsiders,
        };
        let standings = question.standings(self);
        // The answer of each group, once asked: the place of the decision, or "denied".
        let mut answers: FxHashMap<(u32, u32), Option<u32>> = FxHashMap::default();
        let mut signatures: FxHashMap<Vec<Option<&str>>, u32> = FxHashMap::default();
        for (at, principal) in self.principals.iter().enumerate() {
            let standing = standings[principal.class as usize];
            // SCPs and RCPs pass service-linked roles over, whatever else they share.
            let linked = principal.arn.contains(":role/aws-service-role/");
            let named = linked || question.names(principal);
            if !standing.allows && !question.open_to_all && !question.names(principal) {
                continue;
            }
            let ask =
                |out: &mut WhoCan| out.keep(self.decide(&principal.arn, action, resource, context));
            let decision = if named || standing.by_name || question.by_name {
                ask(&mut out)
            } else {
                let next = u32::try_from(signatures.len()).unwrap_or(u32::MAX);
                let signature = *signatures
                    .entry(question.signature(principal))
                    .or_insert(next);
                match answers.get(&(standing.profile, signature)) {
                    Some(known) => *known,
                    None => {
                        let place = ask(&mut out);
                        answers.insert((standing.profile, signature), place);
                        place
                    }
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
            Name::Canonical | Name::SignedIn => None,
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
    service: u64,
    resource: Resource,
    /// The resource's policy may admit somebody whose own policies do not.
    open_to_all: bool,
    /// The resource's policy, SCPs or RCPs look at the caller's own name.
    by_name: bool,
    /// Tags of the caller that some bearing statement looks at.
    tags: BTreeSet<String>,
    /// Names in the resource's policy.
    named: FxHashSet<Box<str>>,
}

impl Question {
    fn new(engine: &Engine, action: &str, resource: &str) -> Self {
        let lower = action.to_ascii_lowercase();
        let target = engine.resources.target(engine, action, resource, None);
        let mut out = Self {
            service: service_bit(lower.split(':').next().unwrap_or_default()),
            resource: Resource::new(resource),
            open_to_all: false,
            by_name: false,
            tags: BTreeSet::new(),
            named: FxHashSet::default(),
            action: lower,
        };
        for attached in target.policy.unwrap_or_default() {
            out.open_to_all |= attached.policy.unread_reason().is_some();
            for (_, statement) in attached.policy.about(out.service) {
                if statement.covers_action(&out.action) {
                    out.by_name |= out.look(statement);
                    out.add_names(statement);
                }
            }
        }
        let rcps = target
            .account
            .map_or(&[][..], |account| engine.rcps_of(account));
        let scps = engine
            .accounts
            .iter()
            .flat_map(|a| a.ceilings.scps.as_deref().unwrap_or_default());
        let mut seen: FxHashSet<*const CompiledPolicy> = FxHashSet::default();
        for attached in rcps.iter().chain(scps).flatten() {
            if seen.insert(std::ptr::from_ref(&*attached.policy)) {
                let bearing = out.of_policy(&attached.policy);
                out.by_name |= bearing.by_name;
            }
        }
        out
    }

    /// Takes note of the tags a statement looks at; says whether it looks at the caller's name.
    fn look(&mut self, statement: &CompiledStatement) -> bool {
        let mut by_name = false;
        for key in statement.caller_keys() {
            match key.as_str().strip_prefix("aws:principaltag/") {
                Some(tag) => {
                    self.tags.insert(tag.to_owned());
                }
                None => by_name = true,
            }
        }
        by_name
    }

    fn add_names(&mut self, statement: &CompiledStatement) {
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
                Name::Everyone | Name::SignedIn => self.open_to_all |= allows,
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

    /// The values of the tags that count; a role whose sessions may be tagged is apart.
    fn signature<'a>(&self, principal: &'a Principal) -> Vec<Option<&'a str>> {
        let value = |tag: &String| {
            let own = principal
                .tags
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(tag));
            own.map(|(_, value)| &**value)
        };
        let open = principal.session_tags && !self.tags.is_empty();
        let mark = if open {
            Some("sessions may carry tags")
        } else {
            None
        };
        std::iter::once(mark)
            .chain(self.tags.iter().map(value))
            .collect()
    }

    /// What each class is to this question.
    fn standings(&mut self, engine: &Engine) -> Vec<Standing> {
        let mut known: FxHashMap<*const CompiledPolicy, Bearing> = FxHashMap::default();
        let mut profiles: FxHashMap<Profile, u32> = FxHashMap::default();
        let mut out = Vec::with_capacity(engine.classes.len());
        for class in &engine.classes {
            let mut bearing: Vec<(usize, *const CompiledPolicy)> = Vec::new();
            let (mut allows, mut by_name) = (false, false);
            for (place, attached) in class.identity.iter().enumerate() {
                let key = std::ptr::from_ref(&*attached.policy);
                let one = *known
                    .entry(key)
                    .or_insert_with(|| self.of_policy(&attached.policy));
                allows |= one.allows;
                by_name |= one.by_name;
                if one.bears {
                    bearing.push((place, key));
                }
            }
            for attached in class.boundary.iter().flatten() {
                let key = std::ptr::from_ref(&*attached.policy);
                let one = *known
                    .entry(key)
                    .or_insert_with(|| self.of_policy(&attached.policy));
                by_name |= one.by_name;
                bearing.push((usize::MAX, key));
            }
            let next = u32::try_from(profiles.len()).unwrap_or(u32::MAX);
            let profile = *profiles
                .entry((class.account, class.kind, bearing))
                .or_insert(next);
            out.push(Standing {
                profile,
                allows,
                by_name,
            });
        }
        out
    }

    fn of_policy(&mut self, policy: &CompiledPolicy) -> Bearing {
        if policy.unread_reason().is_some() {
            return Bearing {
                bears: true,
                allows: true,
                by_name: false,
            };
        }
        let open = Context::open();
        let mut out = Bearing::default();
        for (_, statement) in policy.about(self.service) {
            if !statement.covers_action(&self.action)
                || statement.touches(&self.resource, &self.action, &open) == Tri::No
            {
                continue;
            }
            out.bears = true;
            out.allows |= statement.effect == Effect::Allow;
            out.by_name |= self.look(statement);
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

//! A question over all principals, before anybody is asked: what bears on it, and what tells
//! principals apart.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::resources::Target;
use super::{Asked, Engine, Principal, PrincipalKind};
use crate::policy::compile::{CompiledPolicy, CompiledStatement, service_bit};
use crate::policy::context::Key;
use crate::policy::document::Effect;
use crate::policy::principal::{Name, PrincipalMatcher};
use crate::policy::resource::Resource;
use crate::policy::ruling::needs_resource_policy;
use crate::policy::tri::Tri;

/// A question: may anybody do this action on this resource?
pub(super) struct Question<'a> {
    pub(super) asked: Asked<'a>,
    action: String,
    service: u64,
    resource: Resource,
    /// The resource's policy may admit somebody whose own policies do not.
    open_to_all: bool,
    /// The resource's policy, SCPs or RCPs look at the caller's own name.
    pub(super) by_name: bool,
    /// Tags of the caller that some bearing statement looks at.
    tags: BTreeSet<String>,
    /// Principals that the resource's policy names.
    names: FxHashSet<Box<str>>,
    /// Accounts of which somebody may be admitted by the resource's side; `None`: all.
    admitted: Option<FxHashSet<u32>>,
    /// What each distinct policy is to the question.
    bearings: Vec<Bearing>,
}

/// What a policy is to a question.
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
pub(super) struct Standing {
    /// Classes of one profile are under the same bearing policies.
    pub(super) profile: u32,
    pub(super) by_name: bool,
}

/// Profiles met so far: account, kind, bearing policies with their places, boundary.
#[derive(Default)]
pub(super) struct Profiles {
    known: FxHashMap<Box<[u32]>, u32>,
    scratch: Vec<u32>,
}

impl Profiles {
    fn number(&mut self) -> u32 {
        if let Some(known) = self.known.get(self.scratch.as_slice()) {
            return *known;
        }
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.known.insert(self.scratch.as_slice().into(), next);
        next
    }
}

impl<'a> Question<'a> {
    pub(super) fn new(engine: &'a Engine, action: &'a str, resource: &'a str) -> Self {
        let lower = action.to_ascii_lowercase();
        let target = engine.resources.target(engine, action, resource, None);
        let mut out = Self {
            service: service_bit(lower.split(':').next().unwrap_or_default()),
            resource: Resource::new(resource),
            // Nobody can be denied to ask who he is.
            open_to_all: lower == "sts:getcalleridentity",
            by_name: false,
            tags: BTreeSet::new(),
            names: FxHashSet::default(),
            admitted: None,
            bearings: Vec::new(),
            asked: engine.asked(action, resource),
            action: lower,
        };
        let mut accounts: FxHashSet<u32> = FxHashSet::default();
        for attached in target.resource_side() {
            out.open_to_all |= attached.policy.unread_reason().is_some();
            for (_, statement) in attached.policy.about(out.service) {
                if statement.covers_action(&out.action) {
                    out.by_name |= out.look(statement);
                    out.add_names(engine, statement, &mut accounts);
                }
            }
        }
        out.admitted = out.admitted(engine, &target, accounts);
        out.weigh(engine);
        let rcps = match target.place {
            Some(account) => engine.rcps_of(account).iter().collect(),
            None => engine
                .accounts
                .iter()
                .flat_map(|a| &a.ceilings.rcps)
                .collect::<Vec<_>>(),
        };
        let scps = engine
            .accounts
            .iter()
            .flat_map(|a| a.ceilings.scps.as_deref().unwrap_or_default());
        let mut seen: FxHashSet<*const CompiledPolicy> = FxHashSet::default();
        for attached in rcps.into_iter().chain(scps).flatten() {
            if seen.insert(std::ptr::from_ref(&*attached.policy)) {
                let bearing = out.of_policy(&attached.policy);
                out.by_name |= bearing.by_name;
            }
        }
        out
    }

    /// The accounts whose principals the resource's side does not shut out whatever their own
    /// policies say: the owner's, but for resources whose own policy must have its say, and
    /// those that its policy names. `None` when that leaves nobody out.
    fn admitted(
        &self,
        engine: &Engine,
        target: &Target<'_>,
        mut accounts: FxHashSet<u32>,
    ) -> Option<FxHashSet<u32>> {
        let owner = engine.by_account.get(target.account?)?;
        if self.open_to_all {
            return None;
        }
        if !needs_resource_policy(self.action.split(':').next()?, &self.resource) {
            accounts.insert(*owner);
        }
        Some(accounts)
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

    fn add_names(
        &mut self,
        engine: &Engine,
        statement: &CompiledStatement,
        accounts: &mut FxHashSet<u32>,
    ) {
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
                Name::Everyone | Name::SignedIn | Name::AnyAccount(_) => self.open_to_all |= allows,
                Name::Account(id) => accounts.extend(engine.by_account.get(id)),
                Name::Arn(arn) => {
                    self.names.insert(arn.clone());
                }
                Name::Service(_)
                | Name::Federated(_)
                | Name::Canonical
                | Name::SomeSession { .. } => {}
            }
        }
    }

    /// The principals of the estate that the resource's policy names, sorted.
    pub(super) fn named(&self, engine: &Engine) -> BTreeSet<u32> {
        let names = self.names.iter();
        names
            .filter_map(|name| engine.principal_index(name))
            .collect()
    }

    /// Whether no bearing statement looks at a tag.
    pub(super) fn is_tagless(&self) -> bool {
        self.tags.is_empty()
    }

    /// The values of the tags that count; a role whose sessions may be tagged is apart.
    pub(super) fn signature<'b>(&self, principal: &'b Principal) -> Vec<Option<&'b str>> {
        let value = |tag: &String| {
            let own = principal
                .tags
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(tag));
            own.map(|(_, value)| &**value)
        };
        let open = principal.session_tags && !self.tags.is_empty();
        let mark = open.then_some("sessions may carry tags");
        std::iter::once(mark)
            .chain(self.tags.iter().map(value))
            .collect()
    }

    /// The classes somebody of which may be allowed, sorted.
    pub(super) fn classes(&self, engine: &Engine) -> Vec<u32> {
        let reached = |class: &u32| {
            let account = engine.classes[*class as usize].account;
            self.admitted
                .as_ref()
                .is_none_or(|all| all.contains(&account))
        };
        if self.open_to_all {
            let all = 0..u32::try_from(engine.classes.len()).unwrap_or(u32::MAX);
            return all.filter(reached).collect();
        }
        let allowing = self.bearings.iter().enumerate().filter(|(_, b)| b.allows);
        let mut out: Vec<u32> = allowing
            .flat_map(|(policy, _)| engine.holders(policy))
            .copied()
            .filter(reached)
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// What a class is to this question.
    pub(super) fn standing(
        &self,
        engine: &Engine,
        class: u32,
        profiles: &mut Profiles,
    ) -> Standing {
        let class = &engine.classes[class as usize];
        let kind = match class.kind {
            PrincipalKind::User => 0,
            PrincipalKind::Role => 1,
        };
        profiles.scratch.clear();
        profiles.scratch.extend([class.account, kind]);
        let mut by_name = false;
        for (place, policy) in class.policies.iter().enumerate() {
            let bearing = self.bearings[*policy as usize];
            by_name |= bearing.by_name;
            let bounds = place >= class.identity.len();
            if bearing.bears || bounds {
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                profiles.scratch.extend([place, *policy]);
            }
        }
        Standing {
            profile: profiles.number(),
            by_name,
        }
    }

    /// Looks at every distinct policy once.
    fn weigh(&mut self, engine: &Engine) {
        let mut bearings = Vec::with_capacity(engine.policies.len());
        for policy in &engine.policies {
            bearings.push(self.of_policy(policy));
        }
        self.bearings = bearings;
    }

    fn of_policy(&mut self, policy: &CompiledPolicy) -> Bearing {
        if policy.unread_reason().is_some() {
            return Bearing {
                bears: true,
                allows: true,
                by_name: false,
            };
        }
        let mut out = Bearing::default();
        for (_, statement) in policy.about(self.service) {
            if !statement.covers_action(&self.action)
                || statement.touches(&self.resource, &self.action, &self.asked.open) == Tri::No
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

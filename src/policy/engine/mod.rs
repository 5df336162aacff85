//! The whole estate, ready for questions: who is who, under which policies and ceilings.
//!
//! Built once from a snapshot. Every distinct policy text is compiled once; principals under the
//! same policies form a class and share them. What the snapshot could not read is a policy that
//! may say anything, so decisions that hang on it come out unknown.
//!
//! Building takes time linear in the snapshot; one decision takes time linear in the statements
//! that bear on it.

mod acl;
mod admin;
mod build;
mod clock;
mod collected;
mod describe;
mod endpoint;
mod grants;
mod organization;
mod question;
mod resources;
mod what;
mod who_can;

use std::sync::Arc;

use palisade_model::Snapshot;
use rustc_hash::FxHashMap;

use super::compile::{Attached, CompiledPolicy};
use super::context::{Context, Knowledge};
use super::decide::{Decision, UnreadPolicy};
use super::explain::{Explanation, explain};
use super::layers::Layers;
use super::principal::Caller;
use super::request::Request;
use describe::Keys;
use organization::Ceilings;
use resources::{Resources, Target};

pub use grants::Granting;
pub(super) use question::is_personal;
pub use what::{Difference, Extent, Permission};
pub use who_can::{Answer, WhoCan};

/// A user or role of the estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Its ARN.
    pub arn: Arc<str>,
    /// User or role.
    pub kind: PrincipalKind,
    /// Its unique id (`AIDA…`, `AROA…`).
    pub id: Box<str>,
    /// Its tags.
    pub tags: Box<[(Box<str>, Box<str>)]>,
    /// Whether its sessions may carry tags of the caller's choosing.
    pub(crate) session_tags: bool,
    /// A service-linked role: SCPs and RCPs pass it over, whatever else it shares.
    linked: bool,
    account: u32,
    class: u32,
}

/// The two kinds of principal an account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// An IAM user.
    User,
    /// A role.
    Role,
}

/// Principals of one account under the same policies.
#[derive(Debug)]
struct Class {
    kind: PrincipalKind,
    account: u32,
    identity: Box<[Attached]>,
    boundary: Option<Box<[Attached]>>,
    /// The same policies, identity-based first, by their places in [`Engine::policies`].
    policies: Box<[u32]>,
}

/// Lists of numbers, one after the other.
#[derive(Debug, Default)]
struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// As many lists as `count`, from pairs of a list and an item.
    fn new(count: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for (list, _) in pairs.clone() {
            starts[list as usize + 1] += 1;
        }
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut items = vec![0; starts[count] as usize];
        for (list, item) in pairs {
            items[next[list as usize] as usize] = item;
            next[list as usize] += 1;
        }
        Self { starts, items }
    }

    fn get(&self, list: usize) -> &[u32] {
        let ends = (self.starts[list] as usize, self.starts[list + 1] as usize);
        &self.items[ends.0..ends.1]
    }
}

/// What holds for a whole account.
#[derive(Debug)]
struct AccountFacts {
    id: Box<str>,
    ceilings: Ceilings,
}

/// The estate.
#[derive(Debug)]
pub struct Engine {
    /// When requests are sent; `None` where that could make a difference and is not known.
    now: Option<String>,
    accounts: Vec<AccountFacts>,
    by_account: FxHashMap<Box<str>, u32>,
    /// Sorted by ARN.
    principals: Vec<Principal>,
    by_arn: FxHashMap<Arc<str>, u32>,
    /// Roles by account and name: session ARNs leave out the path.
    roles: FxHashMap<(u32, Box<str>), u32>,
    classes: Vec<Class>,
    /// Every distinct policy that some principal is under.
    policies: Vec<Arc<CompiledPolicy>>,
    /// For each of them the classes that hold it as an identity-based policy.
    holders: Lists,
    /// The principals of each class.
    members: Lists,
    keys: Keys,
    resources: Resources,
    /// The place of a principal whose policies are not in the snapshot.
    stranger: [Attached; 1],
    distinct_policies: usize,
}

/// What one question asks of everybody alike.
struct Asked<'a> {
    action: &'a str,
    resource: &'a str,
    /// Where the resource's owner does not depend on who asks.
    target: Option<Target<'a>>,
    /// What is known of every request, whoever makes it.
    common: Context,
    /// Nothing known at all.
    open: Context,
}

/// Everything that bears on one request to the estate.
struct Setting<'a> {
    request: Request,
    layers: Layers<'a>,
}

impl Engine {
    /// Reads an estate.
    pub fn new(snapshot: &Snapshot) -> Self {
        build::engine(snapshot)
    }

    /// Every user and role, by ARN.
    pub fn principals(&self) -> &[Principal] {
        &self.principals
    }

    /// The user or role of this ARN, or the role of this session.
    pub fn principal(&self, arn: &str) -> Option<&Principal> {
        self.principal_index(arn)
            .map(|at| &self.principals[at as usize])
    }

    /// How many groups of principals share all their policies.
    pub fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// How many distinct policy texts were compiled.
    pub fn policy_count(&self) -> usize {
        self.distinct_policies
    }

    /// The policies of a principal, its boundary and its SCPs among them, that could not be read.
    pub fn unread_policies(&self, principal: &str) -> Vec<UnreadPolicy> {
        super::decide::unread_policies(&self.standing(principal))
    }

    /// The identity-based policies of a principal.
    pub fn identity_policies(&self, principal: &str) -> &[Attached] {
        match self.principal(principal) {
            Some(principal) => &self.classes[principal.class as usize].identity,
            None => &[],
        }
    }

    /// Decides whether `principal` (see [`Caller::new`]) may do `action` on `resource`.
    ///
    /// What the snapshot says of the principal and the resource is filled in; `context` has the
    /// last word and says what to hold of all other keys: [`Context::open`] leaves them unknown.
    pub fn decide(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> Decision {
        let setting = self.setting(principal, action, resource, context);
        self.settle(&setting)
    }

    /// Decides and says why.
    pub fn explain(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> (Decision, Explanation) {
        let setting = self.setting(principal, action, resource, context);
        let decision = self.settle(&setting);
        let explanation = explain(&setting.request, &setting.layers, &decision);
        (decision, explanation)
    }

    /// The policies that bear on every request of a principal: its own, its boundary, and the
    /// SCPs of its account.
    pub(crate) fn standing(&self, principal: &str) -> Layers<'_> {
        match self.principal_index(principal) {
            Some(at) => self.layers_of(&self.classes[self.principals[at as usize].class as usize]),
            None => self.layers_of_stranger(&Caller::new(principal, &Context::closed())),
        }
    }

    /// Builds a request as [`Engine::decide`] does, with other identity-based policies and
    /// another boundary in place of the principal's own, and hands it on.
    pub(crate) fn suppose<T>(
        &self,
        principal: &str,
        (identity, boundary): (&[Attached], Option<&[Attached]>),
        (action, resource): (&str, &str),
        context: &Context,
        then: impl FnOnce(&Request, &Layers<'_>) -> T,
    ) -> T {
        let setting = self.setting(principal, action, resource, context);
        let layers = Layers {
            identity,
            boundary,
            ..setting.layers
        };
        then(&setting.request, &layers)
    }

    fn principal_index(&self, arn: &str) -> Option<u32> {
        if let Some(at) = self.by_arn.get(arn) {
            return Some(*at);
        }
        let Caller::Session { name, account, .. } = Caller::new(arn, &Context::closed()) else {
            return None;
        };
        let account = self.by_account.get(&account)?;
        self.roles.get(&(*account, name)).copied()
    }

    fn setting<'a>(
        &'a self,
        principal: &str,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> Setting<'a> {
        let known = self.principal_index(principal);
        let mut facts = self.common(action, resource);
        if let Some(at) = known {
            self.describe_principal(&self.principals[at as usize], &mut facts);
        }
        let caller = Caller::new(principal, &facts);
        self.describe_session(&caller, known, &mut facts);
        self.describe_caller(&caller, &mut facts);
        let target = self
            .resources
            .target(self, action, resource, caller.account());
        self.describe_target(&target, action, &mut facts);
        facts.overlay(context);
        let layers = match known {
            Some(at) => self.layers_of(&self.classes[self.principals[at as usize].class as usize]),
            None => self.layers_of_stranger(&caller),
        };
        self.set(caller, (action, resource), &target, facts, layers)
    }

    /// What a question asks of everybody alike.
    fn asked<'a>(&'a self, action: &'a str, resource: &'a str) -> Asked<'a> {
        let target = self.resources.target(self, action, resource, None);
        let mut common = self.common(action, resource);
        let target = target.account.is_some().then_some(target);
        if let Some(target) = &target {
            self.describe_target(target, action, &mut common);
        }
        Asked {
            action,
            resource,
            target,
            common,
            open: Context::open(),
        }
    }

    /// As [`Engine::setting`], for a principal of the estate and a question asked of many.
    fn setting_of<'a>(&'a self, at: u32, asked: &Asked<'a>, context: &Context) -> Setting<'a> {
        let principal = &self.principals[at as usize];
        let class = &self.classes[principal.class as usize];
        let account = &self.accounts[class.account as usize].id;
        let mut facts = asked.common.clone();
        self.describe_principal(principal, &mut facts);
        let caller = match principal.kind {
            PrincipalKind::User => Caller::User {
                arn: Arc::clone(&principal.arn),
                account: account.clone(),
            },
            PrincipalKind::Role => Caller::Role {
                arn: Arc::clone(&principal.arn),
                account: account.clone(),
            },
        };
        self.describe_caller(&caller, &mut facts);
        let own;
        let target = match &asked.target {
            Some(target) => target,
            None => {
                let (action, resource) = (asked.action, asked.resource);
                own = self.resources.target(self, action, resource, Some(account));
                self.describe_target(&own, action, &mut facts);
                &own
            }
        };
        facts.overlay(context);
        let asked = (asked.action, asked.resource);
        self.set(caller, asked, target, facts, self.layers_of(class))
    }

    fn set<'a>(
        &'a self,
        caller: Caller,
        (action, resource): (&str, &str),
        target: &Target<'a>,
        facts: Context,
        layers: Layers<'a>,
    ) -> Setting<'a> {
        let request = Request::by(caller, action, resource, target.account, facts);
        // "For actions without a resource the RCPs of the caller's account count."
        let owner = target.place.or(request.caller.account());
        // RCPs pass AWS managed keys over ("Resource control policies (RCPs)", Organizations User
        // Guide).
        let owner = owner.filter(|_| !target.aws_managed);
        let rcps = owner.map_or(&[][..], |account| self.rcps_of(account));
        let layers = Layers {
            rcps,
            resource: target.policy,
            acl: target.acl,
            grants: target.grants,
            endpoint: self.endpoint_of(&request),
            restrict_public_buckets: target.restrict_public_buckets,
            ..layers
        };
        Setting { request, layers }
    }

    /// The policy of the endpoint that a request is known to come by.
    fn endpoint_of(&self, request: &Request) -> Option<&[Attached]> {
        match request.context.get(&self.keys.source_vpce) {
            Knowledge::Known([id]) => self.resources.endpoint(id),
            _ => None,
        }
    }

    /// The classes that hold a policy as an identity-based one.
    fn holders(&self, policy: usize) -> &[u32] {
        self.holders.get(policy)
    }

    /// The principals of a class.
    fn members(&self, class: u32) -> &[u32] {
        self.members.get(class as usize)
    }

    fn layers_of<'a>(&'a self, class: &'a Class) -> Layers<'a> {
        Layers {
            identity: &class.identity,
            boundary: class.boundary.as_deref(),
            scps: self.accounts[class.account as usize]
                .ceilings
                .scps
                .as_deref(),
            ..Layers::default()
        }
    }

    /// The root user is bound by SCPs alone; whoever else is not in the snapshot may hold any
    /// policy.
    fn layers_of_stranger(&self, caller: &Caller) -> Layers<'_> {
        let account = caller.account().and_then(|id| self.by_account.get(id));
        let scps = account.and_then(|at| self.accounts[*at as usize].ceilings.scps.as_deref());
        let identity: &[Attached] = match caller {
            Caller::Root { .. } => &[],
            _ => &self.stranger,
        };
        Layers {
            identity,
            scps,
            ..Layers::default()
        }
    }

    fn rcps_of(&self, account: &str) -> &[Vec<Attached>] {
        match self.by_account.get(account) {
            Some(at) => &self.accounts[*at as usize].ceilings.rcps,
            None => &[],
        }
    }
}

#[cfg(test)]
mod tests;

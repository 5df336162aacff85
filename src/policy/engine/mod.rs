//! The whole estate, ready for questions: who is who, under which policies and ceilings.
//!
//! Built once from a snapshot. Every distinct policy text is compiled once; principals under the
//! same policies form a class and share them. What the snapshot could not read is a policy that
//! may say anything, so decisions that hang on it come out unknown.
//!
//! Building takes time linear in the snapshot; one decision takes time linear in the statements
//! that bear on it.

mod admin;
mod build;
mod grants;
mod organization;
mod resources;
mod scale;
mod what;

use std::sync::Arc;

use palisade_model::Snapshot;
use rustc_hash::FxHashMap;

use super::compile::Attached;
use super::context::Context;
use super::decide::{Decision, decide};
use super::explain::{Explanation, explain};
use super::layers::Layers;
use super::principal::Caller;
use super::request::Request;
use organization::Ceilings;
use resources::Resources;

pub use grants::Granting;
pub(super) use scale::is_personal;
pub use scale::{Answer, WhoCan};
pub use what::{Difference, Permission};

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
    session_tags: bool,
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
    now: String,
    accounts: Vec<AccountFacts>,
    by_account: FxHashMap<Box<str>, u32>,
    /// Sorted by ARN.
    principals: Vec<Principal>,
    by_arn: FxHashMap<Arc<str>, u32>,
    /// Roles by account and name: session ARNs leave out the path.
    roles: FxHashMap<(u32, Box<str>), u32>,
    classes: Vec<Class>,
    resources: Resources,
    /// The place of a principal whose policies are not in the snapshot.
    stranger: [Attached; 1],
    distinct_policies: usize,
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
        decide(&setting.request, &setting.layers)
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
        let decision = decide(&setting.request, &setting.layers);
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
        let mut facts = Context::open();
        if let Some(at) = known {
            self.describe_principal(&self.principals[at as usize], &mut facts);
        }
        let caller = Caller::new(principal, &facts);
        self.describe_caller(&caller, &mut facts);
        let target = self
            .resources
            .target(self, action, resource, caller.account());
        self.describe_target(&target, action, resource, &mut facts);
        facts.overlay(context);
        let layers = match known {
            Some(at) => self.layers_of(&self.classes[self.principals[at as usize].class as usize]),
            None => self.layers_of_stranger(&caller),
        };
        let request = Request::by(caller, action, resource, target.account, facts);
        let rcps = target
            .account
            .map_or(&[][..], |account| self.rcps_of(account));
        let layers = Layers {
            rcps,
            resource: target.policy,
            restrict_public_buckets: target.restrict_public_buckets,
            ..layers
        };
        Setting { request, layers }
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

    /// The condition keys that follow from who the principal is.
    ///
    /// Source: "AWS global condition context keys", IAM User Guide.
    fn describe_principal(&self, principal: &Principal, facts: &mut Context) {
        facts.set("aws:PrincipalArn", &*principal.arn);
        for (key, value) in &principal.tags {
            facts.set(&format!("aws:PrincipalTag/{key}"), &**value);
        }
        if !principal.session_tags {
            facts.set_family_absent("aws:PrincipalTag/");
        }
        match principal.kind {
            PrincipalKind::User => {
                let name = principal.arn.rsplit('/').next().unwrap_or_default();
                facts
                    .set("aws:username", name)
                    .set("aws:userid", &*principal.id);
                facts.set("aws:PrincipalType", "User");
            }
            PrincipalKind::Role => {
                facts
                    .set_absent("aws:username")
                    .set("aws:PrincipalType", "AssumedRole");
            }
        }
    }

    fn describe_caller(&self, caller: &Caller, facts: &mut Context) {
        // Anybody can sign and encrypt his requests.
        facts
            .set("aws:SecureTransport", "true")
            .set("aws:CurrentTime", &*self.now);
        let service = matches!(caller, Caller::Service(_));
        facts.set(
            "aws:PrincipalIsAWSService",
            if service { "true" } else { "false" },
        );
        if !service {
            for key in ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID"] {
                facts.set_absent(key);
            }
            facts
                .set_absent("aws:SourceOrgPaths")
                .set_absent("aws:PrincipalServiceName");
            facts.set_absent("aws:PrincipalServiceNamesList");
        }
        let Some(account) = caller.account() else {
            let nobody = ["Arn", "Account", "OrgID", "OrgPaths", "Type"];
            for key in nobody {
                facts.set_absent(&format!("aws:Principal{key}"));
            }
            facts
                .set_absent("aws:username")
                .set_family_absent("aws:PrincipalTag/");
            return;
        };
        facts
            .set("aws:PrincipalAccount", account)
            .set("kms:CallerAccount", account);
        if let Caller::Root { arn, .. } = caller {
            facts
                .set("aws:PrincipalArn", &**arn)
                .set("aws:PrincipalType", "Account");
            facts.set("aws:userid", account).set_absent("aws:username");
        }
        let Some(at) = self.by_account.get(account) else {
            return;
        };
        self.accounts[*at as usize]
            .ceilings
            .describe("aws:Principal", facts);
    }

    fn describe_target(
        &self,
        target: &resources::Target<'_>,
        action: &str,
        resource: &str,
        facts: &mut Context,
    ) {
        if let Some(account) = target.account {
            facts
                .set("aws:ResourceAccount", account)
                .set("s3:ResourceAccount", account);
            if let Some(at) = self.by_account.get(account) {
                self.accounts[*at as usize]
                    .ceilings
                    .describe("aws:Resource", facts);
            }
        }
        if let Some(tags) = target.tags {
            let service = action.split(':').next().unwrap_or_default();
            for (key, value) in tags {
                facts.set(&format!("aws:ResourceTag/{key}"), &**value);
                facts.set(&format!("{service}:ResourceTag/{key}"), &**value);
            }
            facts.set_family_absent("aws:ResourceTag/");
            facts.set_family_absent(&format!("{service}:ResourceTag/"));
        }
        let region = resource.split(':').nth(3).unwrap_or_default();
        if !region.is_empty() && !region.contains(['*', '?']) {
            facts.set("aws:RequestedRegion", region);
        }
    }
}

#[cfg(test)]
mod tests;

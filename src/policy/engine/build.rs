//! A snapshot made ready: principals, their policies, their classes.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_model::{
    Account, Arn, Group, Observed, PolicyText, Role, Snapshot, User, Why, aws_managed,
};
use rustc_hash::FxHashMap;

use super::clock::is_dated;
use super::describe::Keys;
use super::organization::ceilings;
use super::resources::Resources;
use super::{AccountFacts, Class, Engine, Lists, Principal, PrincipalKind};
use crate::policy::compile::{Attached, CompiledPolicy, Interner};
use crate::policy::document::{Effect, Version};

/// Where policies are compiled and named, each name and each text once.
#[derive(Default)]
pub(super) struct Shelf {
    interner: Interner,
    names: FxHashMap<Box<str>, Arc<str>>,
    unread: FxHashMap<Box<str>, Arc<CompiledPolicy>>,
}

impl Shelf {
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = name.into();
        self.names.insert(name.into(), Arc::clone(&shared));
        shared
    }

    pub(super) fn attach(&mut self, name: &str, text: &PolicyText) -> Attached {
        let policy = self.interner.get(text.as_str());
        Attached {
            name: self.name(name),
            policy,
        }
    }

    pub(super) fn unread(&mut self, name: &str, reason: &str) -> Attached {
        let fresh = || Arc::new(CompiledPolicy::unread(reason));
        let policy = Arc::clone(self.unread.entry(reason.into()).or_insert_with(fresh));
        Attached {
            name: self.name(name),
            policy,
        }
    }

    pub(super) fn observed(&mut self, name: &str, text: &Observed<PolicyText>) -> Option<Attached> {
        match (text, not_seen(text)) {
            (Observed::Value(text), _) => Some(self.attach(name, text)),
            (_, Some(reason)) => Some(self.unread(name, &reason)),
            (_, None) => None,
        }
    }
}

impl Shelf {
    /// What a policy denies, as a policy of its own.
    pub(super) fn denies_of(&mut self, attached: &Attached) -> Attached {
        let Some(document) = attached.policy.document() else {
            return attached.clone();
        };
        let statements = document.statements.iter();
        let denies = statements.filter(|s| s.effect == Effect::Deny);
        let quoted: Vec<&str> = denies.map(|s| document.quote(s)).collect();
        let version = match document.version {
            Version::V2008 => "2008-10-17",
            Version::V2012 => "2012-10-17",
        };
        let all = quoted.join(",");
        let text = format!(r#"{{"Version":"{version}","Statement":[{all}]}}"#);
        self.attach(&attached.name.clone(), &PolicyText::new(text))
    }
}

/// Why nothing is known of a fact, if so. What nobody asked for may be anything, too.
pub(super) fn not_seen<T>(fact: &Observed<T>) -> Option<String> {
    match fact {
        Observed::Gap(gap) => Some(gap.to_string()),
        Observed::NotApplicable(reason) if reason.why == Why::NotAsked => {
            Some(format!("not asked for: {}", reason.detail))
        }
        Observed::Value(_) | Observed::Absent | Observed::NotApplicable(_) => None,
    }
}

pub(super) fn engine(snapshot: &Snapshot) -> Engine {
    let mut shelf = Shelf::default();
    let mut accounts = Vec::new();
    let mut by_account = FxHashMap::default();
    let mut draft = Draft::default();
    for (at, (id, account)) in snapshot.accounts.iter().enumerate() {
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        by_account.insert(id.as_str().into(), index);
        let ceilings = ceilings(snapshot, id, &mut shelf);
        accounts.push(AccountFacts {
            id: id.as_str().into(),
            ceilings,
        });
        draft.account(index, account, &mut shelf);
    }
    let resources = Resources::read(snapshot, &mut shelf);
    let mut principals = draft.principals;
    principals.sort_by(|a, b| a.arn.cmp(&b.arn));
    let mut by_arn = FxHashMap::default();
    let mut roles = FxHashMap::default();
    for (at, principal) in principals.iter().enumerate() {
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        by_arn.insert(Arc::clone(&principal.arn), index);
        if principal.kind == PrincipalKind::Role {
            let name = principal.arn.rsplit('/').next().unwrap_or_default();
            roles.insert((principal.account, name.into()), index);
        }
    }
    let (policies, holders) = shared(&mut draft.classes);
    let owned = principals.iter().zip(0_u32..);
    let members = Lists::new(draft.classes.len(), owned.map(|(p, at)| (p.class, at)));
    let stranger = [shelf.unread("its policies", "the principal is not in the snapshot")];
    Engine {
        now: is_dated(snapshot).then(|| snapshot.taken_at.to_string()),
        accounts,
        by_account,
        principals,
        by_arn,
        roles,
        classes: draft.classes,
        policies,
        holders,
        members,
        keys: Keys::default(),
        resources,
        stranger,
        distinct_policies: shelf.interner.len(),
    }
}

/// Every distinct policy the classes are under, which they note by number; and who holds it as
/// an identity-based one.
fn shared(classes: &mut [Class]) -> (Vec<Arc<CompiledPolicy>>, Lists) {
    let mut policies: Vec<Arc<CompiledPolicy>> = Vec::new();
    let mut numbers: FxHashMap<*const CompiledPolicy, u32> = FxHashMap::default();
    let mut held: Vec<(u32, u32)> = Vec::new();
    for (class, number) in classes.iter_mut().zip(0_u32..) {
        let identity = class.identity.len();
        let bounds = class.boundary.iter().flatten();
        let mut own = Vec::with_capacity(identity + 1);
        for (place, attached) in class.identity.iter().chain(bounds).enumerate() {
            let next = u32::try_from(policies.len()).unwrap_or(u32::MAX);
            let policy = *numbers
                .entry(Arc::as_ptr(&attached.policy))
                .or_insert_with(|| {
                    policies.push(Arc::clone(&attached.policy));
                    next
                });
            if place < identity {
                held.push((policy, number));
            }
            own.push(policy);
        }
        class.policies = own.into();
    }
    let holders = Lists::new(policies.len(), held.iter().copied());
    (policies, holders)
}

/// What tells two classes apart: account, kind, and the policies by name and share.
type ClassKey = (
    u32,
    PrincipalKind,
    Vec<(usize, usize)>,
    Option<Vec<(usize, usize)>>,
);

#[derive(Default)]
struct Draft {
    principals: Vec<Principal>,
    classes: Vec<Class>,
    known: FxHashMap<ClassKey, u32>,
}

impl Draft {
    fn account(&mut self, index: u32, account: &Account, shelf: &mut Shelf) {
        let iam = &account.iam;
        let managed = Managed { account };
        for user in iam.users.value().into_iter().flat_map(BTreeMap::values) {
            let identity = user_policies(user, &iam.groups, &managed, shelf);
            let boundary = managed.boundary(&user.boundary, shelf);
            let class = self.class(index, PrincipalKind::User, identity, boundary);
            self.push(
                &user.arn,
                PrincipalKind::User,
                &user.id,
                &user.tags,
                false,
                index,
                class,
            );
        }
        for role in iam.roles.value().into_iter().flat_map(BTreeMap::values) {
            let identity = role_policies(role, &managed, shelf);
            // "A boundary does not apply to service-linked roles."
            let boundary = match role.is_service_linked() {
                true => None,
                false => managed.boundary(&role.boundary, shelf),
            };
            let class = self.class(index, PrincipalKind::Role, identity, boundary);
            let trust = shelf.attach("trust policy", &role.trust);
            let session_tags = allows_session_tags(&trust.policy);
            self.push(
                &role.arn,
                PrincipalKind::Role,
                &role.id,
                &role.tags,
                session_tags,
                index,
                class,
            );
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one row of a table, filled in two places"
    )]
    fn push(
        &mut self,
        arn: &Arn,
        kind: PrincipalKind,
        id: &str,
        tags: &BTreeMap<String, String>,
        session_tags: bool,
        account: u32,
        class: u32,
    ) {
        self.principals.push(Principal {
            arn: arn.as_str().into(),
            kind,
            id: id.into(),
            tags: tags
                .iter()
                .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
                .collect(),
            session_tags,
            linked: kind == PrincipalKind::Role && arn.as_str().contains(":role/aws-service-role/"),
            account,
            class,
        });
    }

    fn class(
        &mut self,
        account: u32,
        kind: PrincipalKind,
        identity: Vec<Attached>,
        boundary: Option<Vec<Attached>>,
    ) -> u32 {
        let mark = |a: &Attached| {
            (
                Arc::as_ptr(&a.name).cast::<u8>() as usize,
                Arc::as_ptr(&a.policy) as usize,
            )
        };
        let key = (
            account,
            kind,
            identity.iter().map(mark).collect(),
            boundary.as_ref().map(|b| b.iter().map(mark).collect()),
        );
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let index = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.known.insert(key, index);
        let (identity, boundary) = (identity.into(), boundary.map(Into::into));
        self.classes.push(Class {
            kind,
            account,
            identity,
            boundary,
            policies: Box::default(),
        });
        index
    }
}

/// Whether a trust policy lets anybody pass session tags.
fn allows_session_tags(trust: &CompiledPolicy) -> bool {
    trust.unread_reason().is_some()
        || trust.statements.iter().any(|statement| {
            statement.effect == crate::policy::Effect::Allow
                && statement.covers_action("sts:tagsession")
        })
}

fn user_policies(
    user: &User,
    groups: &Observed<BTreeMap<String, Group>>,
    managed: &Managed<'_>,
    shelf: &mut Shelf,
) -> Vec<Attached> {
    let mut out = Vec::new();
    for (name, text) in &user.inline {
        out.push(shelf.attach(&format!("inline policy `{name}`"), text));
    }
    out.extend(user.attached.iter().map(|arn| managed.policy(arn, shelf)));
    for group in &user.groups {
        let found = match groups {
            Observed::Value(groups) => groups.get(group),
            _ => None,
        };
        let Some(facts) = found else {
            let reason = match groups.gap() {
                Some(gap) => gap.to_string(),
                None => format!("the group `{group}` is not in the snapshot"),
            };
            out.push(shelf.unread(&format!("policies of group `{group}`"), &reason));
            continue;
        };
        for (name, text) in &facts.inline {
            out.push(shelf.attach(&format!("inline policy `{name}` of group `{group}`"), text));
        }
        out.extend(facts.attached.iter().map(|arn| managed.policy(arn, shelf)));
    }
    out
}

fn role_policies(role: &Role, managed: &Managed<'_>, shelf: &mut Shelf) -> Vec<Attached> {
    let mut out = Vec::new();
    for (name, text) in &role.inline {
        out.push(shelf.attach(&format!("inline policy `{name}`"), text));
    }
    out.extend(role.attached.iter().map(|arn| managed.policy(arn, shelf)));
    out
}

/// Managed policies as one account sees them.
struct Managed<'a> {
    account: &'a Account,
}

impl Managed<'_> {
    fn policy(&self, arn: &Arn, shelf: &mut Shelf) -> Attached {
        let policies = match &self.account.iam.policies {
            Observed::Value(policies) => policies.get(arn),
            _ => None,
        };
        if let Some(text) = policies.and_then(|policy| policy.document()) {
            return shelf.attach(arn.as_str(), text);
        }
        // What AWS manages says the same in every account, whether or not it was read here.
        if let Some(known) = aws_managed(arn) {
            return shelf.attach(arn.as_str(), &PolicyText::new(known.document));
        }
        let reason = match self.account.iam.policies.gap() {
            Some(gap) => gap.to_string(),
            None => "its document is not in the snapshot".to_owned(),
        };
        shelf.unread(arn.as_str(), &reason)
    }

    fn boundary(&self, boundary: &Observed<Arn>, shelf: &mut Shelf) -> Option<Vec<Attached>> {
        match boundary {
            Observed::Value(arn) => Some(vec![self.policy(arn, shelf)]),
            Observed::Gap(gap) => {
                Some(vec![shelf.unread("permissions boundary", &gap.to_string())])
            }
            Observed::Absent | Observed::NotApplicable(_) => None,
        }
    }
}

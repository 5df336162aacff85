//! Facts about principals and resources, looked up by ARN.

use std::collections::BTreeMap;

use palisade_checks::technique::{
    Comparison, Counted, Kind, Predicate, ResourceRef, Selector, Test, Trusted,
};
use palisade_model::{
    Account, Arn, Function, Gap, GapKind, Observed, Resource, Role, Snapshot, User,
};
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::bind::{Bindings, Bound, Truth};
use super::judge::Judge;
use crate::policy::{Document, Effect};

/// The snapshot, by ARN.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) snapshot: &'a Snapshot,
    listed: FxHashMap<&'a str, &'a Resource>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let mut listed = FxHashMap::default();
        for account in snapshot.accounts.values() {
            let regional = account.regions.value().into_iter().flatten();
            let maps = regional.flat_map(|(_, region)| region.resources.values());
            for listing in maps.chain(account.resources.values()) {
                for resource in listing.value().into_iter().flat_map(BTreeMap::values) {
                    listed.insert(resource.arn.as_str(), resource);
                }
            }
        }
        Facts { snapshot, listed }
    }

    pub(crate) fn account(&self, arn: &Arn) -> Option<&'a Account> {
        self.snapshot.accounts.get(arn.account())
    }

    pub(crate) fn user(&self, arn: &Arn) -> Option<&'a User> {
        self.account(arn)?
            .iam
            .users
            .value()?
            .get(arn.name())
            .filter(|user| user.arn == *arn)
    }

    pub(crate) fn role(&self, arn: &Arn) -> Option<&'a Role> {
        self.account(arn)?
            .iam
            .roles
            .value()?
            .get(arn.name())
            .filter(|role| role.arn == *arn)
    }

    pub(crate) fn function(&self, arn: &Arn) -> Option<&'a Function> {
        let region = self.account(arn)?.regions.value()?.get(arn.region())?;
        region
            .functions
            .value()?
            .get(arn.resource().split(':').nth(1)?)
    }

    pub(crate) fn resource(&self, arn: &Arn) -> Option<&'a Resource> {
        self.listed.get(arn.as_str()).copied()
    }

    /// The ARNs of a user's groups.
    pub(crate) fn groups(&self, user: &Arn) -> Vec<Arn> {
        let Some(account) = self.account(user) else {
            return Vec::new();
        };
        let groups = account.iam.groups.value();
        let names = self.user(user).into_iter().flat_map(|user| &user.groups);
        names
            .filter_map(|name| Some(groups?.get(name)?.arn.clone()))
            .collect()
    }

    /// The managed policies of a user, with those of its groups, or of a role or group.
    pub(crate) fn attached(&self, arn: &Arn) -> Vec<Arn> {
        if let Some(role) = self.role(arn) {
            return role.attached.clone();
        }
        let Some(user) = self.user(arn) else {
            return Vec::new();
        };
        let mut all = user.attached.clone();
        let groups = self
            .account(arn)
            .and_then(|account| account.iam.groups.value());
        for group in user.groups.iter().filter_map(|name| groups?.get(name)) {
            all.extend(group.attached.iter().cloned());
        }
        all.sort();
        all.dedup();
        all
    }

    /// The permissions boundary.
    pub(crate) fn boundary(&self, arn: &Arn) -> Option<Arn> {
        let boundary = self
            .user(arn)
            .map(|user| &user.boundary)
            .or_else(|| self.role(arn).map(|role| &role.boundary))?;
        boundary.value().cloned()
    }

    /// What an attribute of a resource names, where it was read.
    pub(crate) fn named(&self, arn: &Arn, attribute: &str, kind: Kind) -> Option<Vec<Arn>> {
        if attribute == "role" {
            if let Some(function) = self.function(arn) {
                return Some(vec![function.role.clone()]);
            }
            match &self.resource(arn)?.role {
                Observed::Value(role) => return Some(vec![role.clone()]),
                Observed::Absent | Observed::NotApplicable(_) => return Some(Vec::new()),
                Observed::Gap(_) => return None,
            }
        }
        let value = match self.resource(arn)?.attributes.get(attribute)? {
            Observed::Value(value) => value,
            Observed::Absent | Observed::NotApplicable(_) => return Some(Vec::new()),
            Observed::Gap(_) => return None,
        };
        let texts: Vec<&str> = match value {
            Value::String(text) => vec![text],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => return None,
        };
        let all = texts.iter().all(|text| text.starts_with("arn:"));
        let _ = kind;
        all.then(|| texts.into_iter().map(Arn::from).collect())
    }

    /// Whether a predicate holds.
    pub(crate) fn holds(
        &self,
        judge: &Judge<'a>,
        predicate: &'a Predicate,
        bindings: &Bindings,
        account: &str,
    ) -> Truth {
        let arn =
            |reference: &ResourceRef| bound(reference, bindings).and_then(Bound::arn).cloned();
        match predicate {
            Predicate::Not(inner) => self.holds(judge, inner, bindings, account).negate(),
            Predicate::Any(parts) => parts.iter().fold(Truth::No, |any, part| {
                any.or(self.holds(judge, part, bindings, account))
            }),
            Predicate::All(parts) => parts.iter().fold(Truth::Yes, |all, part| {
                all.and(self.holds(judge, part, bindings, account))
            }),
            Predicate::Different(a, b) => (arn(a) != arn(b)).into(),
            Predicate::IsUser(who) => arn(who)
                .is_some_and(|arn| arn.resource().starts_with("user/"))
                .into(),
            Predicate::IsRole(who) => arn(who)
                .is_some_and(|arn| arn.resource().starts_with("role/"))
                .into(),
            Predicate::ServiceLinked(who) => arn(who)
                .is_some_and(|a| a.resource().starts_with("role/aws-service-role/"))
                .into(),
            Predicate::SsoReserved(who) => arn(who)
                .is_some_and(|a| {
                    a.resource()
                        .starts_with("role/aws-reserved/sso.amazonaws.com/")
                })
                .into(),
            Predicate::Member(user, group) => match (arn(user), arn(group)) {
                (Some(user), Some(group)) => self.groups(&user).contains(&group).into(),
                _ => open(),
            },
            Predicate::Attached(policy, to) => match (arn(policy), arn(to)) {
                (Some(policy), Some(to)) => self.attached(&to).contains(&policy).into(),
                _ => open(),
            },
            Predicate::CustomerManaged(policy) => {
                arn(policy).is_some_and(|arn| arn.account() != "aws").into()
            }
            Predicate::Count(what, who, comparison) => {
                arn(who).map_or_else(open, |arn| self.count(*what, &arn, *comparison))
            }
            Predicate::LoginProfile(who) => match arn(who).and_then(|arn| self.user(&arn)) {
                Some(user) => present(&user.login_profile),
                None => open(),
            },
            Predicate::SignedCodeOnly(function) => {
                match arn(function).and_then(|arn| self.function(&arn)) {
                    Some(function) => present(&function.code_signing),
                    None => open(),
                }
            }
            Predicate::Trusts(role, Trusted::Service(service), _) => {
                match arn(role).and_then(|arn| self.role(&arn)) {
                    Some(role) => trusts_service(role, service),
                    None => open(),
                }
            }
            Predicate::Attribute(of, name, test) => self.attribute(of, name, test, bindings),
            _ => open(),
        }
    }

    fn count(&self, what: Counted, arn: &Arn, comparison: Comparison) -> Truth {
        let listed = |n: usize| compare(n as i64, comparison);
        let keys = self.user(arn).map(|user| &user.access_keys);
        match (what, keys) {
            (Counted::AccessKeys, Some(Observed::Value(keys))) => listed(keys.len()),
            (Counted::AccessKeys, Some(Observed::Absent)) => listed(0),
            (Counted::AccessKeys, Some(Observed::Gap(gap))) => Truth::gap(gap),
            (Counted::AttachedPolicies, _) => match (self.user(arn), self.role(arn)) {
                (Some(user), _) => listed(user.attached.len()),
                (_, Some(role)) => listed(role.attached.len()),
                _ => open(),
            },
            (Counted::Groups, _) => self.user(arn).map_or_else(open, |u| listed(u.groups.len())),
            _ => open(),
        }
    }

    fn attribute(&self, of: &ResourceRef, name: &str, test: &Test, bindings: &Bindings) -> Truth {
        let Some(arn) = bound(of, bindings).and_then(Bound::arn) else {
            return open();
        };
        if let Test::Names(to) | Test::Includes(to) = test {
            let Some(named) = self.named(arn, name, to.kind) else {
                return open();
            };
            let wanted = bound(to, bindings).and_then(Bound::arn);
            return wanted.is_some_and(|wanted| named.contains(wanted)).into();
        }
        if let (Some(function), "reserved_concurrency", Test::Number(number)) =
            (self.function(arn), name, test)
        {
            return match &function.reserved_concurrency {
                Observed::Value(value) => compare(i64::from(*value), *number),
                Observed::Absent | Observed::NotApplicable(_) => Truth::No,
                Observed::Gap(gap) => Truth::gap(gap),
            };
        }
        open()
    }
}

fn bound<'b>(reference: &ResourceRef, bindings: &'b Bindings) -> Option<&'b Bound> {
    match reference.selector {
        Selector::Any | Selector::Named(_) => None,
        _ => bindings.get(reference.variable()?),
    }
}

fn open() -> Truth {
    Truth::Unknown(vec![Gap::new("the fact behind it", GapKind::NotCollected)])
}

fn present<T>(observed: &Observed<T>) -> Truth {
    match observed {
        Observed::Value(_) => Truth::Yes,
        Observed::Absent | Observed::NotApplicable(_) => Truth::No,
        Observed::Gap(gap) => Truth::gap(gap),
    }
}

fn compare(value: i64, comparison: Comparison) -> Truth {
    match comparison {
        Comparison::Less(n) => value < n,
        Comparison::More(n) => value > n,
        Comparison::AtLeast(n) => value >= n,
        Comparison::Equal(n) => value == n,
    }
    .into()
}

fn trusts_service(role: &Role, service: &str) -> Truth {
    let Ok(document) = Document::parse(role.trust.as_str()) else {
        return open();
    };
    let allows = document
        .statements
        .iter()
        .filter(|s| s.effect == Effect::Allow);
    let mut names = allows.flat_map(|s| s.principal.iter().flatten());
    names.any(|name| name.value == service).into()
}

//! Facts about principals and resources, looked up by ARN.

use std::collections::BTreeMap;

use palisade_checks::technique::Kind;
use palisade_model::{Account, Arn, Function, Iam, Observed, Resource, Role, Snapshot, User};
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::policy::Effect;
use crate::policy::document::Document;

/// The snapshot, by ARN.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) snapshot: &'a Snapshot,
    listed: FxHashMap<&'a str, &'a Resource>,
    /// Users by access key id.
    keys: FxHashMap<&'a str, &'a Arn>,
    keys_unread: bool,
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
        let mut keys = FxHashMap::default();
        let mut keys_unread = false;
        for account in snapshot.accounts.values() {
            keys_unread |= account.iam.users.gap().is_some();
            for user in account
                .iam
                .users
                .value()
                .into_iter()
                .flat_map(BTreeMap::values)
            {
                keys_unread |= user.access_keys.gap().is_some();
                let own = user.access_keys.value().into_iter().flatten();
                keys.extend(own.map(|key| (key.id.as_str(), &user.arn)));
            }
        }
        Facts {
            snapshot,
            listed,
            keys,
            keys_unread,
        }
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

    /// Whether something of this kind bears the name already. Users, groups, roles and policies
    /// share no name within an account, whatever their paths.
    ///
    /// Source: "IAM identifiers", IAM User Guide, 2026-10.
    pub(crate) fn exists(&self, arn: &Arn) -> bool {
        let name = arn.name();
        let named = |iam: &Iam| match arn.resource().split('/').next() {
            Some("user") => iam.users.value().is_some_and(|all| all.contains_key(name)),
            Some("role") => iam.roles.value().is_some_and(|all| all.contains_key(name)),
            Some("group") => iam.groups.value().is_some_and(|all| all.contains_key(name)),
            Some("policy") => {
                let all = iam.policies.value();
                let own = |policy: &Arn| policy.account() == arn.account() && policy.name() == name;
                all.is_some_and(|all| all.keys().any(own))
            }
            _ => false,
        };
        match arn.service() {
            "iam" => self.account(arn).is_some_and(|account| named(&account.iam)),
            _ => self.function(arn).is_some() || self.resource(arn).is_some(),
        }
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
        let object = |text: &str| {
            let address = text
                .strip_prefix("s3://")
                .filter(|_| kind == Kind::OBJECT)?;
            Some(Arn::new(format!(
                "arn:{}:s3:::{address}",
                self.snapshot.partition
            )))
        };
        let named = texts
            .into_iter()
            .map(|text| match text.starts_with("arn:") {
                true => Some(Arn::from(text)),
                false => object(text),
            });
        named.collect()
    }

    /// What the resource's own policy names of an account: its principals by ARN, or the account.
    pub(crate) fn names_in_policy(&self, arn: &Arn, account: &str) -> Vec<String> {
        let named = self.named_in_policy(arn);
        named
            .into_iter()
            .filter(|name| account_named(name) == Some(account))
            .collect()
    }

    /// Accounts other than its own that the resource's policy names.
    pub(crate) fn accounts_in_policy(&self, arn: &Arn) -> Vec<String> {
        let named = self.named_in_policy(arn);
        let mut accounts: Vec<String> = named
            .iter()
            .filter_map(|name| account_named(name))
            .filter(|account| *account != arn.account())
            .map(str::to_owned)
            .collect();
        accounts.sort();
        accounts.dedup();
        accounts
    }

    fn named_in_policy(&self, arn: &Arn) -> Vec<String> {
        let policy = self.resource(arn).and_then(|found| found.policy.value());
        let Some(Ok(document)) = policy.map(|text| Document::parse(text.as_str())) else {
            return Vec::new();
        };
        let allows = document.statements.iter();
        let allows = allows.filter(|statement| statement.effect == Effect::Allow);
        let named = allows.flat_map(|statement| statement.principal.iter().flatten());
        named.map(|name| name.value.clone()).collect()
    }

    /// The texts of an attribute, as far as it was read.
    pub(crate) fn texts(&self, arn: &Arn, attribute: &str) -> Vec<String> {
        let found = self
            .resource(arn)
            .and_then(|found| found.attributes.get(attribute));
        match found.and_then(Observed::value) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(all)) => all
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The users whose access keys were found in a place; `None` where some keys were not listed.
    pub(crate) fn key_owners(&self, place: &Arn) -> Option<Vec<Arn>> {
        if self.keys_unread {
            return None;
        }
        let ids = self.key_ids(place)?;
        let mut owners: Vec<Arn> = ids
            .iter()
            .filter_map(|id| self.keys.get(id.as_str()).map(|arn| (*arn).clone()))
            .collect();
        owners.sort();
        owners.dedup();
        Some(owners)
    }

    fn key_ids(&self, place: &Arn) -> Option<Vec<String>> {
        if let Some(function) = self.function(place) {
            if function.environment_read.gap().is_some() {
                return None;
            }
            return Some(function.key_ids.clone());
        }
        if place.service() == "s3" {
            let (bucket, key) = place.resource().split_once('/')?;
            let mut buckets = self
                .snapshot
                .accounts
                .values()
                .filter_map(|a| a.s3.buckets.value());
            let listing = buckets.find_map(|all| all.get(bucket))?.objects.value()?;
            let object = listing.objects.iter().find(|object| object.key == key)?;
            let matches = match &object.matches {
                Observed::Gap(_) => return None,
                other => other.value().map_or(&[][..], Vec::as_slice),
            };
            return Some(
                matches
                    .iter()
                    .filter_map(|found| found.key_id.clone())
                    .collect(),
            );
        }
        match self.resource(place)?.attributes.get("key_ids") {
            Some(Observed::Value(Value::Array(ids))) => Some(
                ids.iter()
                    .filter_map(|id| id.as_str().map(str::to_owned))
                    .collect(),
            ),
            Some(Observed::Gap(_)) => None,
            _ => Some(Vec::new()),
        }
    }
}

/// The account of a name in a `Principal` element.
fn account_named(name: &str) -> Option<&str> {
    let id = match name.starts_with("arn:") {
        true => name.split(':').nth(4)?,
        false => name,
    };
    (id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

//! Looks things up in the snapshot by ARN and by kind.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_checks::technique::Kind;
use palisade_model::{
    Account, Arn, Bucket, Function, Gap, Group, ManagedPolicy, ObjectEntry, Observed, PolicyText,
    Region, RegionState, Resource, Role, Snapshot, User,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::abroad::each_policy;
use crate::policy::document::Document;

/// A policy as read; `Err` where it does not parse.
pub(crate) type Read = Result<Arc<Document>, String>;

/// The snapshot, by ARN and by kind.
pub(crate) struct Look<'a> {
    pub(crate) snapshot: &'a Snapshot,
    listed: FxHashMap<&'a str, &'a Resource>,
    owners: FxHashMap<&'a str, &'a str>,
    documents: RefCell<FxHashMap<PolicyText, Read>>,
    gates: OnceCell<Vec<Arc<Document>>>,
}

/// The resources of one kind in one account, and the listings that are missing.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) resources: Vec<(Arn, Option<&'a Resource>)>,
    pub(crate) gaps: Vec<Gap>,
}

impl<'a> Look<'a> {
    /// Indexes the snapshot. O(size of the snapshot).
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let (mut listed, mut owners) = (FxHashMap::default(), FxHashMap::default());
        for (id, account) in &snapshot.accounts {
            let regional = account.regions.value().into_iter().flatten();
            let maps = regional.flat_map(|(_, region)| region.resources.values());
            for listing in maps.chain(account.resources.values()) {
                for resource in listing.value().into_iter().flat_map(BTreeMap::values) {
                    listed.insert(resource.arn.as_str(), resource);
                    if resource.arn.account().is_empty() {
                        owners.insert(resource.arn.as_str(), id.as_str());
                    }
                }
            }
            let buckets = account
                .s3
                .buckets
                .value()
                .into_iter()
                .flat_map(BTreeMap::keys);
            owners.extend(buckets.map(|name| (name.as_str(), id.as_str())));
        }
        Look {
            snapshot,
            listed,
            owners,
            documents: RefCell::default(),
            gates: OnceCell::new(),
        }
    }

    /// An ARN written for the commercial partition, in the snapshot's own.
    pub(crate) fn in_partition(&self, arn: &str) -> Arn {
        let partition = self.snapshot.partition;
        match arn.strip_prefix("arn:aws:") {
            Some(rest) => Arn::new(format!("arn:{partition}:{rest}")),
            None => Arn::from(arn),
        }
    }

    /// The account an ARN lies in; buckets are looked up by name.
    pub(crate) fn account(&self, arn: &Arn) -> Option<&'a Account> {
        self.snapshot.accounts.get(self.owner(arn)?)
    }

    /// The id of that account.
    pub(crate) fn owner<'r>(&'r self, arn: &'r Arn) -> Option<&'r str> {
        match arn.service() {
            "s3" if arn.account().is_empty() => {
                let bucket = arn.resource().split('/').next()?;
                self.owners.get(bucket).copied()
            }
            // Snapshots and images are named without their account.
            _ if arn.account().is_empty() => self.owners.get(arn.as_str()).copied(),
            _ => Some(arn.account()),
        }
    }

    /// A user; a gap where users could not be listed, absent where there is no such user.
    pub(crate) fn user(&self, arn: &Arn) -> Observed<&'a User> {
        self.iam(arn, |account| &account.iam.users, |user| &user.arn)
    }

    /// A role, likewise.
    pub(crate) fn role(&self, arn: &Arn) -> Observed<&'a Role> {
        self.iam(arn, |account| &account.iam.roles, |role| &role.arn)
    }

    /// A group, likewise.
    pub(crate) fn group(&self, arn: &Arn) -> Observed<&'a Group> {
        self.iam(arn, |account| &account.iam.groups, |group| &group.arn)
    }

    fn iam<T>(
        &self,
        arn: &Arn,
        listing: impl Fn(&'a Account) -> &'a Observed<BTreeMap<String, T>>,
        own: impl Fn(&T) -> &Arn,
    ) -> Observed<&'a T> {
        let Some(account) = self.account(arn) else {
            return Observed::not_collected("iam:GetAccountAuthorizationDetails");
        };
        match listing(account) {
            Observed::Value(all) => match all.get(arn.name()).filter(|found| own(found) == arn) {
                Some(found) => Observed::Value(found),
                None => Observed::Absent,
            },
            Observed::Gap(gap) => Observed::Gap(gap.clone()),
            Observed::Absent | Observed::NotApplicable(_) => Observed::Absent,
        }
    }

    /// A managed policy as some account of `holder` holds it.
    pub(crate) fn policy(&self, arn: &Arn, holder: &str) -> Observed<&'a ManagedPolicy> {
        let id = if arn.account() == "aws" {
            holder
        } else {
            arn.account()
        };
        let Some(account) = self.snapshot.accounts.get(id) else {
            return Observed::not_collected("iam:GetAccountAuthorizationDetails");
        };
        match &account.iam.policies {
            Observed::Value(all) => all.get(arn).map_or(Observed::Absent, Observed::Value),
            Observed::Gap(gap) => Observed::Gap(gap.clone()),
            Observed::Absent | Observed::NotApplicable(_) => Observed::Absent,
        }
    }

    /// A function.
    pub(crate) fn function(&self, arn: &Arn) -> Option<&'a Function> {
        let region = self.account(arn)?.regions.value()?.get(arn.region())?;
        region
            .functions
            .value()?
            .get(arn.resource().split(':').nth(1)?)
    }

    /// A bucket, by its own ARN or that of an object in it.
    pub(crate) fn bucket(&self, arn: &Arn) -> Option<&'a Bucket> {
        let name = arn.resource().split('/').next()?;
        self.account(arn)?.s3.buckets.value()?.get(name)
    }

    /// An object that was listed.
    pub(crate) fn object(&self, arn: &Arn) -> Option<&'a ObjectEntry> {
        let (_, key) = arn.resource().split_once('/')?;
        let listing = self.bucket(arn)?.objects.value()?;
        listing.objects.iter().find(|entry| entry.key == key)
    }

    /// A resource of the generic listing.
    pub(crate) fn resource(&self, arn: &Arn) -> Option<&'a Resource> {
        self.listed.get(arn.as_str()).copied()
    }

    /// Reads a policy document, once per text.
    pub(crate) fn document(&self, text: &PolicyText) -> Read {
        if let Some(known) = self.documents.borrow().get(text) {
            return known.clone();
        }
        let read = Document::parse(text.as_str()).map(Arc::new);
        let read = read.map_err(|error| error.to_string());
        self.documents
            .borrow_mut()
            .insert(text.clone(), read.clone());
        read
    }

    /// Policies of resources and of the organization that speak of tags or of a second factor.
    pub(crate) fn gates(&self) -> &[Arc<Document>] {
        const WORDS: [&str; 3] = ["multifactorauth", "principaltag/", "resourcetag/"];
        self.gates.get_or_init(|| {
            let mut seen = FxHashSet::default();
            let mut found = Vec::new();
            let mut see = |text: &PolicyText| {
                let lower = text.as_str().to_ascii_lowercase();
                if WORDS.iter().any(|word| lower.contains(word))
                    && seen.insert(text.as_str().to_owned())
                    && let Ok(document) = self.document(text)
                {
                    found.push(document);
                }
            };
            let organization = self.snapshot.organization.value();
            let limits = organization.and_then(|organization| organization.policies.value());
            let limits = limits.into_iter().flat_map(BTreeMap::values);
            limits
                .filter_map(|policy| policy.document.value())
                .for_each(&mut see);
            for account in self.snapshot.accounts.values() {
                each_policy(account, &mut |_, policy| {
                    policy.value().into_iter().for_each(&mut see);
                });
                let roles = account.iam.roles.value().into_iter();
                roles
                    .flat_map(BTreeMap::values)
                    .for_each(|role| see(&role.trust));
            }
            found
        })
    }

    /// Every resource of a kind in an account; near one region, of what lies in regions.
    pub(crate) fn all_near(&self, kind: Kind, account: &str, near: Option<&str>) -> Found<'a> {
        let mut found = Found::default();
        let Some(account) = self.snapshot.accounts.get(account) else {
            found.gaps.push(Gap::not_collected(kind.name()));
            return found;
        };
        match kind.name() {
            "user" => found.iam(&account.iam.users, |user| &user.arn),
            "role" => found.iam(&account.iam.roles, |role| &role.arn),
            "group" => found.iam(&account.iam.groups, |group| &group.arn),
            "policy" => found.keys(&account.iam.policies),
            "saml-provider" => found.keys(&account.iam.saml_providers),
            "oidc-provider" => found.keys(&account.iam.oidc_providers),
            _ if kind.is_listed() => found.listed(account, kind.name(), near),
            "function" => found.functions(account, near),
            _ => found.gaps.push(Gap::not_collected(kind.name())),
        }
        found
    }
}

impl<'a> Found<'a> {
    fn iam<T>(&mut self, listing: &'a Observed<BTreeMap<String, T>>, arn: impl Fn(&T) -> &Arn) {
        match listing {
            Observed::Value(all) => self
                .resources
                .extend(all.values().map(|one| (arn(one).clone(), None))),
            other => self.gaps.extend(other.gap().cloned()),
        }
    }

    fn keys<T>(&mut self, listing: &'a Observed<BTreeMap<Arn, T>>) {
        match listing {
            Observed::Value(all) => self
                .resources
                .extend(all.keys().map(|arn| (arn.clone(), None))),
            other => self.gaps.extend(other.gap().cloned()),
        }
    }

    fn functions(&mut self, account: &'a Account, near: Option<&str>) {
        let Some(regions) = account.regions.value() else {
            self.gaps.extend(account.regions.gap().cloned());
            return;
        };
        for region in asked(regions, near) {
            self.iam(&region.functions, |function| &function.arn);
        }
    }

    fn listed(&mut self, account: &'a Account, kind: &str, near: Option<&str>) {
        if let Some(listing) = account.resources.get(kind) {
            self.take(listing);
            return;
        }
        let Some(regions) = account.regions.value() else {
            self.gaps.extend(account.regions.gap().cloned());
            return;
        };
        for region in asked(regions, near) {
            match region.resources.get(kind) {
                Some(listing) => self.take(listing),
                None => self.gaps.push(Gap::not_collected(kind)),
            }
        }
    }

    fn take(&mut self, listing: &'a Observed<BTreeMap<String, Resource>>) {
        match listing {
            Observed::Value(all) => self
                .resources
                .extend(all.values().map(|one| (one.arn.clone(), Some(one)))),
            other => self.gaps.extend(other.gap().cloned()),
        }
    }
}

/// The regions that were looked at: what the user left out was not asked for, and is no answer.
fn asked<'a>(
    regions: &'a BTreeMap<String, Region>,
    near: Option<&str>,
) -> impl Iterator<Item = &'a Region> {
    let near = near.map(str::to_owned);
    let all = regions.iter().filter(move |(name, region)| {
        region.state == RegionState::Enabled && near.as_ref().is_none_or(|near| near == *name)
    });
    all.map(|(_, region)| region)
}

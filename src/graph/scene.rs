//! What there is to choose from: the resources of each kind, account by account, and who trusts
//! whom.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_model::{
    Account, Arn, Gap, Observed, OrgPolicyKind, PolicyText, RegionState, Snapshot,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::bind::Bound;
use super::predicate::same_service;

use crate::policy::document::{Document, Effect, PrincipalKind};

/// The resources of one kind in one account, and the listings that are missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stock {
    /// Their ARNs, sorted.
    pub(crate) known: Vec<Arn>,
    /// Listings that could not be read: more may exist.
    pub(crate) gaps: Vec<Gap>,
}

/// One account, laid out for the techniques.
#[derive(Debug)]
pub(crate) struct Local<'a> {
    pub(crate) account: &'a Account,
    stock: BTreeMap<String, Stock>,
    /// Roles by the service principals they trust.
    by_service: BTreeMap<String, Vec<Arn>>,
    /// Identity providers of the account that some trust policy of it names.
    pub(crate) providers: BTreeSet<Arn>,
    /// Accounts and principals that trust policies of its roles name.
    trusted: BTreeSet<String>,
    /// Regions that are on, the home region first.
    pub(crate) regions: Vec<String>,
}

/// The estate, laid out for the techniques.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) accounts: BTreeMap<&'a str, Local<'a>>,
    /// A number for every account.
    numbers: FxHashMap<&'a str, u32>,
    /// Roles by the account, principal ARN or `*` their trust policies name.
    trusting: FxHashMap<String, Vec<Arn>>,
    /// Roles whose trust policy cannot be told from its names: `NotPrincipal`, or not readable.
    obscure: Vec<Arn>,
}

impl<'a> Scene<'a> {
    /// Lays it out. O(size of the snapshot).
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let mut scene = Scene {
            snapshot,
            accounts: BTreeMap::new(),
            numbers: FxHashMap::default(),
            trusting: FxHashMap::default(),
            obscure: Vec::new(),
        };
        for (id, account) in &snapshot.accounts {
            let mut local = Local::new(account, snapshot);
            for (arn, trust) in roles(account) {
                scene.index_trust(&mut local, arn, trust);
            }
            scene.accounts.insert(id, local);
            scene.numbers.insert(id, scene.numbers.len() as u32);
        }
        scene
    }

    fn index_trust(&mut self, local: &mut Local<'a>, role: &Arn, trust: &str) {
        let Ok(document) = Document::parse(trust) else {
            self.obscure.push(role.clone());
            return;
        };
        let mut names = BTreeSet::new();
        let mut services = BTreeSet::new();
        for statement in &document.statements {
            if statement.effect != Effect::Allow {
                continue;
            }
            let Some(principals) = &statement.principal else {
                self.obscure.push(role.clone());
                continue;
            };
            for principal in principals {
                match principal.kind {
                    PrincipalKind::Aws => drop(names.insert(aws_name(&principal.value))),
                    PrincipalKind::Service => drop(services.insert(principal.value.clone())),
                    PrincipalKind::Federated if principal.value.contains("-provider/") => {
                        let provider = Arn::from(principal.value.as_str());
                        local.providers.insert(provider);
                    }
                    _ => {}
                }
            }
        }
        local.trusted.extend(names.iter().cloned());
        for name in names {
            self.trusting.entry(name).or_default().push(role.clone());
        }
        for service in services {
            local
                .by_service
                .entry(service)
                .or_default()
                .push(role.clone());
        }
    }

    /// Roles anywhere whose trust policy may mean this principal: by its ARN, as everyone, or in a
    /// way that cannot be told; by its account only where its own policies let it assume roles.
    /// Sorted.
    pub(crate) fn roles_trusting(&self, principal: &Arn, by_account: bool) -> BTreeSet<&Arn> {
        let session = session_name(principal.account(), principal.name());
        let account = if by_account { principal.account() } else { "" };
        [principal.as_str(), account, "*", &session]
            .into_iter()
            .filter_map(|name| self.trusting.get(name))
            .flatten()
            .chain(&self.obscure)
            .collect()
    }

    /// Whether some trust policy names a session of this role.
    pub(crate) fn names_sessions_of(&self, role: &Arn) -> bool {
        self.trusting
            .contains_key(&session_name(role.account(), role.name()))
    }

    /// Principals and sessions by the names under which roles of other accounts than their own
    /// trust them, with those roles; sorted.
    pub(crate) fn trusted_abroad(&self) -> BTreeMap<&str, BTreeSet<&Arn>> {
        let mut found: BTreeMap<&str, BTreeSet<&Arn>> = BTreeMap::new();
        for (name, roles) in &self.trusting {
            let home = match session_of(name) {
                Some((account, _)) => account.to_owned(),
                None => Arn::from(name.as_str()).account().to_owned(),
            };
            let others = roles.iter().filter(|role| role.account() != home);
            let others: BTreeSet<&Arn> = others.collect();
            if !others.is_empty() {
                found.insert(name, others);
            }
        }
        found
    }

    /// Roles of an account whose trust policy cannot be told from its names.
    pub(crate) fn obscure_in(&self, account: &str) -> impl Iterator<Item = &Arn> {
        let own = self.obscure.iter();
        own.filter(move |role| role.account() == account)
    }

    /// Principals that some resource's policy names one by one.
    pub(crate) fn named_principals(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.each_resource_policy(&mut |document| {
            for statement in &document.statements {
                let named = statement.principal.iter().flatten();
                let named = named.chain(statement.not_principal.iter().flatten());
                let arns = named.filter(|name| !name.value.ends_with(":root"));
                names.extend(arns.map(|name| name.value.clone()));
            }
        });
        names
    }

    /// Every policy of a resource that can be read, trust policies among them; each text once.
    pub(crate) fn each_resource_policy(&self, see: &mut dyn FnMut(&Document)) {
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        let mut read = |text: &'a str| {
            if seen.insert(text)
                && let Ok(document) = Document::parse(text)
            {
                see(&document);
            }
        };
        let mut policy = |policy: &'a Observed<PolicyText>| {
            if let Some(text) = policy.value() {
                read(text.as_str());
            }
        };
        for account in self.snapshot.accounts.values() {
            let buckets = account.s3.buckets.value().into_iter().flatten();
            buckets.for_each(|(_, bucket)| policy(&bucket.policy));
            let listed = account
                .resources
                .values()
                .filter_map(Observed::value)
                .flatten();
            listed.for_each(|(_, resource)| policy(&resource.policy));
            for (_, region) in account.regions.value().into_iter().flatten() {
                let functions = region.functions.value().into_iter().flatten();
                functions.for_each(|(_, function)| policy(&function.policy));
                let topics = region.topics.value().into_iter().flatten();
                topics.for_each(|(_, topic)| policy(&topic.policy));
                let listed = region
                    .resources
                    .values()
                    .filter_map(Observed::value)
                    .flatten();
                listed.for_each(|(_, resource)| policy(&resource.policy));
            }
        }
        for account in self.snapshot.accounts.values() {
            roles(account).for_each(|(_, trust)| read(trust));
        }
    }

    /// Accounts other than this one that its roles trust.
    pub(crate) fn accounts_trusted(&self, account: &str) -> BTreeSet<String> {
        let local = self.accounts.get(account);
        let named = local.into_iter().flat_map(|local| &local.trusted);
        named
            .filter_map(|name| {
                let of = if name.starts_with("arn:") {
                    Arn::from(name.as_str()).account().to_owned()
                } else {
                    name.clone()
                };
                (of.len() == 12 && of != account).then_some(of)
            })
            .collect()
    }

    /// The number of an account, or its name where it was not looked at.
    pub(crate) fn number_of(&self, account: &str) -> Result<u32, String> {
        let known = self.numbers.get(account).copied();
        known.ok_or_else(|| account.to_owned())
    }

    /// The account an ARN lies in; buckets are looked up by name.
    pub(crate) fn local(&self, account: &str) -> Option<&Local<'a>> {
        self.accounts.get(account)
    }
}

impl<'a> Local<'a> {
    fn new(account: &'a Account, snapshot: &Snapshot) -> Self {
        let home = snapshot.partition.home_region();
        let mut regions: Vec<String> = account
            .enabled_regions()
            .map(|(name, _)| name.clone())
            .collect();
        regions.sort_by_key(|name| (name != home, name.clone()));
        // Where nobody could say which are on, those are that are on in every account.
        if regions.is_empty() && account.regions.gap().is_some() {
            let on = snapshot.partition.regions().iter();
            regions.extend(on.map(|name| (*name).to_owned()));
            regions.sort_by_key(|name| (name != home, name.clone()));
        }
        if regions.is_empty() {
            regions.push(home.to_owned());
        }
        let mut local = Local {
            account,
            stock: BTreeMap::new(),
            by_service: BTreeMap::new(),
            providers: BTreeSet::new(),
            trusted: BTreeSet::new(),
            regions,
        };
        local.stock_organization(snapshot);
        local.stock_iam();
        local.stock_regions();
        local.stock_s3(snapshot);
        local
    }

    /// The organization's root and policies, as its management account and its delegated
    /// administrators name them.
    ///
    /// Source: Service Authorization Reference, resource types of Organizations.
    fn stock_organization(&mut self, snapshot: &Snapshot) {
        let (mut policies, mut roots) = (Stock::default(), Stock::default());
        match &snapshot.organization {
            Observed::Value(organization) => {
                let (partition, id) = (snapshot.partition, &organization.id);
                let manager = &organization.management_account;
                let arn = |what: String| Arn::new(format!("arn:{partition}:organizations:{what}"));
                match &organization.policies {
                    Observed::Value(all) => {
                        for (policy, known) in all {
                            let owner = if known.aws_managed { "aws" } else { manager };
                            let kind = match known.kind {
                                OrgPolicyKind::Scp => "service_control_policy",
                                OrgPolicyKind::Rcp => "resource_control_policy",
                            };
                            let what = match known.aws_managed {
                                true => format!(":{owner}:policy/{kind}/{policy}"),
                                false => format!(":{owner}:policy/{id}/{kind}/{policy}"),
                            };
                            policies.known.push(arn(what));
                        }
                    }
                    other => policies.gaps.extend(other.gap().cloned()),
                }
                match &organization.root {
                    Observed::Value(root) => {
                        roots
                            .known
                            .push(arn(format!(":{manager}:root/{id}/{root}")));
                    }
                    other => roots.gaps.extend(other.gap().cloned()),
                }
            }
            other => {
                policies.gaps.extend(other.gap().cloned());
                roots.gaps.extend(other.gap().cloned());
            }
        }
        self.stock
            .insert("organizations.policy".to_owned(), policies);
        self.stock.insert("organizations.root".to_owned(), roots);
    }

    fn stock_iam(&mut self) {
        let iam = &self.account.iam;
        self.list("user", &iam.users, |user| user.arn.clone());
        self.list("group", &iam.groups, |group| group.arn.clone());
        self.list("role", &iam.roles, |role| role.arn.clone());
        keys(&mut self.stock, "policy", &iam.policies);
        keys(&mut self.stock, "saml-provider", &iam.saml_providers);
        keys(&mut self.stock, "oidc-provider", &iam.oidc_providers);
        let profiles = self.stock.entry("instance-profile".to_owned()).or_default();
        match iam.roles.value() {
            Some(roles) => {
                let all = roles.values().flat_map(|role| &role.instance_profiles);
                profiles
                    .known
                    .extend(all.map(|profile| profile.arn.clone()));
            }
            None => profiles.gaps.extend(iam.roles.gap().cloned()),
        }
    }

    fn stock_s3(&mut self, snapshot: &Snapshot) {
        let partition = snapshot.partition;
        let arn = |name: &str| Arn::new(format!("arn:{partition}:s3:::{name}"));
        let (mut buckets, mut objects) = (Stock::default(), Stock::default());
        match &self.account.s3.buckets {
            Observed::Value(all) => {
                for (name, bucket) in all {
                    buckets.known.push(arn(name));
                    let listed = bucket.objects.value();
                    let keys = listed.into_iter().flat_map(|listing| &listing.objects);
                    objects
                        .known
                        .extend(keys.map(|entry| arn(&format!("{name}/{}", entry.key))));
                    objects.gaps.extend(bucket.objects.gap().cloned());
                }
            }
            other => {
                buckets.gaps.extend(other.gap().cloned());
                objects.gaps.extend(other.gap().cloned());
            }
        }
        self.stock.insert("bucket".to_owned(), buckets);
        self.stock.insert("object".to_owned(), objects);
    }

    fn stock_regions(&mut self) {
        let account = self.account;
        let mut kinds: BTreeSet<&str> = account.resources.keys().map(String::as_str).collect();
        for (kind, listing) in &account.resources {
            self.list(kind, listing, |resource| resource.arn.clone());
        }
        let Some(regions) = account.regions.value() else {
            let gap = account.regions.gap().cloned();
            self.stock
                .entry("function".to_owned())
                .or_default()
                .gaps
                .extend(gap);
            return;
        };
        let regions = || {
            regions
                .values()
                .filter(|region| region.state != RegionState::Off)
        };
        for region in regions() {
            // What the user left out was not asked for.
            if region.state == RegionState::Enabled || region.functions.value().is_some() {
                self.list("function", &region.functions, |function| {
                    function.arn.clone()
                });
            }
            kinds.extend(region.resources.keys().map(String::as_str));
        }
        for kind in kinds {
            if account.resources.contains_key(kind) {
                continue;
            }
            for region in regions() {
                match region.resources.get(kind) {
                    Some(listing) => self.list(kind, listing, |resource| resource.arn.clone()),
                    None if region.state != RegionState::Enabled => {}
                    None => {
                        let stock = self.stock.entry(kind.to_owned()).or_default();
                        stock.gaps.push(Gap::not_collected(kind));
                    }
                }
            }
        }
    }

    fn list<T>(
        &mut self,
        kind: &str,
        listing: &Observed<BTreeMap<String, T>>,
        arn: impl Fn(&T) -> Arn,
    ) {
        let stock = self.stock.entry(kind.to_owned()).or_default();
        match listing {
            Observed::Value(all) => stock.known.extend(all.values().map(arn)),
            Observed::Gap(gap) => stock.gaps.push((**gap).clone()),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
    }

    /// Some role of the account, where its roles were not read.
    pub(crate) fn unseen_role(&self, account: &str) -> Option<Bound> {
        let gap = self.account.iam.roles.gap()?.clone();
        Some(Bound::Unseen {
            account: account.to_owned(),
            gap: Arc::new(gap),
        })
    }

    /// The resources of a kind. A kind that was never asked for is one gap.
    pub(crate) fn stock(&self, kind: &str) -> Cow<'_, Stock> {
        match self.stock.get(kind) {
            Some(stock) => Cow::Borrowed(stock),
            None if matches!(kind, "account" | "service" | "mfa-device") => Cow::default(),
            None => Cow::Owned(Stock {
                known: Vec::new(),
                gaps: vec![Gap::not_collected(kind)],
            }),
        }
    }

    /// Roles that trust a principal of this service, whatever its exact name, sorted.
    pub(crate) fn roles_of_service(&self, service: &str) -> BTreeSet<&Arn> {
        self.by_service
            .iter()
            .filter(|(principal, _)| principal.contains(service))
            .flat_map(|(_, roles)| roles)
            .collect()
    }

    /// Roles that trust a service whose principal begins with `prefix`, sorted.
    pub(crate) fn roles_for(&self, prefix: &str) -> BTreeSet<&Arn> {
        self.by_service
            .iter()
            .filter(|(service, _)| service.starts_with(prefix) || same_service(service, prefix))
            .flat_map(|(_, roles)| roles)
            .collect()
    }
}

fn keys<T>(stock: &mut BTreeMap<String, Stock>, kind: &str, listing: &Observed<BTreeMap<Arn, T>>) {
    let stock = stock.entry(kind.to_owned()).or_default();
    match listing {
        Observed::Value(all) => stock.known.extend(all.keys().cloned()),
        Observed::Gap(gap) => stock.gaps.push((**gap).clone()),
        Observed::Absent | Observed::NotApplicable(_) => {}
    }
}

fn roles(account: &Account) -> impl Iterator<Item = (&Arn, &str)> {
    let roles = account.iam.roles.value().into_iter().flatten();
    roles.map(|(_, role)| (&role.arn, role.trust.as_str()))
}

/// A name in a `Principal` element: an account for its root ARN, a role for its session ARN.
pub(super) fn aws_name(written: &str) -> String {
    if let Some(account) = written.strip_suffix(":root") {
        return account.rsplit(':').next().unwrap_or_default().to_owned();
    }
    if written.len() == 12 && written.bytes().all(|byte| byte.is_ascii_digit()) {
        return written.to_owned();
    }
    let arn = Arn::from(written);
    match arn.resource().split('/').collect::<Vec<_>>()[..] {
        ["assumed-role", role, ..] => session_name(arn.account(), role),
        _ => written.to_owned(),
    }
}

/// How the sessions of a role are kept: their ARNs leave out the role's path.
fn session_name(account: &str, role: &str) -> String {
    format!("session:{account}:{role}")
}

/// The account and the role of such a name.
pub(super) fn session_of(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("session:")?.split_once(':')
}

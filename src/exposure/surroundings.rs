//! What has to be known around a resource before anybody can say who is a stranger to it: the
//! organization, the accounts that belong to this estate, its networks, its RCPs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_model::{Gap, GapKind, Observed, OrgPolicyKind, Organization, Snapshot};

use crate::policy::{CompiledPolicy, Interner};

/// The estate as seen from one of its resources.
pub(super) struct Surroundings<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) organization: Membership<'a>,
    /// Accounts that were scanned or that the organization lists.
    accounts: BTreeSet<&'a str>,
    /// Ids of VPCs and VPC endpoints that belong to the estate, and whether that is all of them.
    networks: (BTreeSet<String>, bool),
    /// Canonical user ids, as the owners of buckets show them, with their accounts.
    canonical: BTreeMap<&'a str, &'a str>,
    /// Unique ids of principals of this estate.
    principal_ids: BTreeSet<&'a str>,
    rcps: BTreeMap<&'a str, Rcps>,
}

/// What is known of the organization.
pub(super) enum Membership<'a> {
    /// The accounts stand alone.
    None,
    /// Read.
    Known(&'a Organization),
    /// Could not be read.
    Unread(Gap),
}

/// The resource control policies above one account.
#[derive(Clone, Default)]
pub(super) struct Rcps {
    /// Policies by id.
    pub(super) policies: Vec<(String, Arc<CompiledPolicy>)>,
    /// What could not be read of them.
    pub(super) gap: Option<Gap>,
}

/// How an account stands to this estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It belongs to it.
    Own,
    /// It does not.
    Foreign,
    /// What could not be read would say.
    Unclear,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, policies: &mut Interner) -> Self {
        let organization = match &snapshot.organization {
            Observed::Value(organization) => Membership::Known(organization),
            Observed::Gap(gap) => Membership::Unread((**gap).clone()),
            Observed::Absent | Observed::NotApplicable(_) => Membership::None,
        };
        let mut accounts: BTreeSet<&str> = snapshot.accounts.keys().map(String::as_str).collect();
        if let Membership::Known(organization) = &organization {
            accounts.extend(
                organization
                    .accounts
                    .value()
                    .into_iter()
                    .flatten()
                    .map(|(id, _)| id.as_str()),
            );
            if !organization.management_account.is_empty() {
                accounts.insert(&organization.management_account);
            }
        }
        let rcps = snapshot
            .accounts
            .keys()
            .map(|account| (account.as_str(), rcps(&organization, account, policies)))
            .collect();
        Surroundings {
            snapshot,
            organization,
            accounts,
            networks: networks(snapshot),
            canonical: canonical(snapshot),
            principal_ids: principal_ids(snapshot),
            rcps,
        }
    }

    /// How an account stands to this estate.
    pub(super) fn standing(&self, account: &str) -> Standing {
        if self.accounts.contains(account) {
            return Standing::Own;
        }
        match &self.organization {
            Membership::None => Standing::Foreign,
            Membership::Unread(_) => Standing::Unclear,
            Membership::Known(organization) if organization.accounts.gap().is_some() => {
                Standing::Unclear
            }
            Membership::Known(_) => Standing::Foreign,
        }
    }

    /// How an organization stands to this estate.
    pub(super) fn organization_standing(&self, id: &str) -> Standing {
        match &self.organization {
            Membership::Known(own) if own.id == id => Standing::Own,
            Membership::Unread(_) => Standing::Unclear,
            _ => Standing::Foreign,
        }
    }

    /// The gap that leaves a standing unclear.
    pub(super) fn membership_gap(&self) -> Option<&Gap> {
        match &self.organization {
            Membership::Unread(gap) => Some(gap),
            Membership::Known(organization) => organization.accounts.gap(),
            Membership::None => None,
        }
    }

    /// The estate's organization id, if it has one and that was read.
    pub(super) fn organization_id(&self) -> Option<&'a str> {
        match &self.organization {
            Membership::Known(organization) => Some(&organization.id),
            _ => None,
        }
    }

    /// Whether a VPC or VPC endpoint belongs to the estate; `None` when not all were listed.
    pub(super) fn owns_network(&self, id: &str) -> Option<bool> {
        let (known, complete) = &self.networks;
        if known.contains(id) {
            Some(true)
        } else {
            complete.then_some(false)
        }
    }

    /// The account behind a canonical user id, as far as owners of buckets show it.
    pub(super) fn canonical_account(&self, id: &str) -> Option<&'a str> {
        self.canonical.get(id).copied()
    }

    /// Whether a unique id (`AROA…`, `AIDA…`) is one of this estate's principals.
    pub(super) fn owns_principal_id(&self, id: &str) -> bool {
        self.principal_ids.contains(id)
    }

    /// The resource control policies above an account that was scanned.
    pub(super) fn rcps(&self, account: &str) -> Rcps {
        self.rcps.get(account).cloned().unwrap_or_default()
    }
}

/// RCPs never bind resources of the management account. Source: "Resource control policies
/// (RCPs)", Organizations User Guide.
fn rcps(membership: &Membership<'_>, account: &str, compiled: &mut Interner) -> Rcps {
    let unread = |gap: &Gap| Rcps {
        policies: Vec::new(),
        gap: Some(gap.clone()),
    };
    let organization = match membership {
        Membership::None => return Rcps::default(),
        Membership::Unread(gap) => return unread(gap),
        Membership::Known(organization) => organization,
    };
    if organization.management_account == account
        || organization.feature_set == "CONSOLIDATED_BILLING"
    {
        return Rcps::default();
    }
    if let Observed::Value(types) = &organization.enabled_policy_types
        && !types.is_empty()
        && !types.iter().any(|kind| kind == "RESOURCE_CONTROL_POLICY")
    {
        return Rcps::default();
    }
    if let Some(gap) = organization.policies.gap() {
        return unread(gap);
    }
    let own: BTreeMap<&String, _> = organization
        .policies
        .value()
        .into_iter()
        .flatten()
        .filter(|(_, policy)| policy.kind == OrgPolicyKind::Rcp && !policy.aws_managed)
        .collect();
    if own.is_empty() {
        return Rcps::default();
    }
    let gaps = [
        organization.attachments.gap(),
        organization.accounts.gap(),
        organization.units.gap(),
        organization.root.gap(),
    ];
    if let Some(gap) = gaps.into_iter().flatten().next() {
        return unread(gap);
    }
    let Some(chain) = organization.chain(account) else {
        let listed = organization
            .accounts
            .value()
            .is_some_and(|all| all.contains_key(account));
        return if listed {
            unread(&Gap::new("organizations:ListParents", GapKind::Unparsable))
        } else {
            Rcps::default()
        };
    };
    let attachments = organization.attachments.value();
    let attached: BTreeSet<&String> = chain
        .iter()
        .filter_map(|target| attachments?.get(*target))
        .flatten()
        .collect();
    let mut found = Rcps::default();
    for (id, policy) in own.into_iter().filter(|(id, _)| attached.contains(id)) {
        match &policy.document {
            Observed::Value(text) => {
                let policy = compiled.get(text.as_str());
                if policy.document().is_none() {
                    found.gap = Some(Gap::new(
                        "organizations:DescribePolicy",
                        GapKind::Unparsable,
                    ));
                }
                found.policies.push((id.clone(), policy));
            }
            Observed::Gap(gap) => found.gap = Some((**gap).clone()),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
    }
    found
}

fn networks(snapshot: &Snapshot) -> (BTreeSet<String>, bool) {
    const KINDS: [&str; 2] = ["ec2.vpc", "ec2.vpc-endpoint"];
    let (mut known, mut complete) = (BTreeSet::new(), !snapshot.accounts.is_empty());
    for account in snapshot.accounts.values() {
        complete &= account.regions.value().is_some();
        for (_, region) in account.enabled_regions() {
            for kind in KINDS {
                match region.resources.get(kind) {
                    Some(Observed::Value(list)) => known.extend(list.keys().cloned()),
                    Some(Observed::Absent | Observed::NotApplicable(_)) => {}
                    Some(Observed::Gap(_)) | None => complete = false,
                }
            }
        }
    }
    (known, complete)
}

fn canonical(snapshot: &Snapshot) -> BTreeMap<&str, &str> {
    let mut owners = BTreeMap::new();
    for (id, account) in &snapshot.accounts {
        for bucket in account
            .s3
            .buckets
            .value()
            .into_iter()
            .flat_map(BTreeMap::values)
        {
            if let Some(acl) = bucket.acl.value().filter(|acl| !acl.owner.is_empty()) {
                owners.entry(acl.owner.as_str()).or_insert(id.as_str());
            }
        }
    }
    owners
}

fn principal_ids(snapshot: &Snapshot) -> BTreeSet<&str> {
    let mut ids = BTreeSet::new();
    for account in snapshot.accounts.values() {
        let users = account
            .iam
            .users
            .value()
            .into_iter()
            .flat_map(BTreeMap::values);
        ids.extend(users.map(|user| user.id.as_str()));
        let roles = account
            .iam
            .roles
            .value()
            .into_iter()
            .flat_map(BTreeMap::values);
        ids.extend(roles.map(|role| role.id.as_str()));
    }
    ids.remove("");
    ids
}

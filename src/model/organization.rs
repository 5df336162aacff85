//! The organization: its tree, its policies and who they are attached to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Observed, PolicyText, Time};

/// An AWS Organization as its management account or a delegated administrator sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organization {
    /// `o-` and 10 to 32 characters.
    pub id: String,
    /// The account that SCPs never bind.
    pub management_account: AccountId,
    /// `ALL`, or `CONSOLIDATED_BILLING`: then there are no policies.
    pub feature_set: String,
    /// `r-` and 4 to 32 characters: the top of the tree.
    pub root: Observed<String>,
    /// The policy types switched on at the root, such as `SERVICE_CONTROL_POLICY`.
    pub enabled_policy_types: Observed<Vec<String>>,
    /// Organizational units by id (`ou-…`).
    pub units: Observed<BTreeMap<String, OrganizationalUnit>>,
    /// Member accounts, the management account among them.
    pub accounts: Observed<BTreeMap<AccountId, OrgAccount>>,
    /// SCPs and RCPs by id (`p-…`).
    pub policies: Observed<BTreeMap<String, OrgPolicy>>,
    /// Policy ids by target (root, unit or account id), sorted.
    pub attachments: Observed<BTreeMap<String, Vec<String>>>,
    /// Delegated administrators and the service principals they administer, sorted.
    pub delegated_administrators: Observed<BTreeMap<AccountId, Vec<String>>>,
    /// Service principals with trusted access, sorted.
    pub trusted_services: Observed<Vec<String>>,
    /// The organization's own resource-based delegation policy.
    pub resource_policy: Observed<PolicyText>,
    /// `RootCredentialsManagement`, `RootSessions`: what IAM centralises, sorted.
    pub root_access_features: Observed<Vec<String>>,
}

/// One organizational unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrganizationalUnit {
    /// Its name.
    pub name: String,
    /// The root or unit above it.
    pub parent: String,
}

/// One account as the organization lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrgAccount {
    /// Its name.
    pub name: String,
    /// `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, …
    pub status: String,
    /// The root or unit it stands in.
    pub parent: String,
    /// When it joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<Time>,
}

/// One organization policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrgPolicy {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: OrgPolicyKind,
    /// Whether AWS made it (`p-FullAWSAccess`, `p-RCPFullAWSAccess`).
    pub aws_managed: bool,
    /// The document.
    pub document: Observed<PolicyText>,
}

/// The organization policy types that limit permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrgPolicyKind {
    /// A service control policy: bounds principals.
    #[default]
    Scp,
    /// A resource control policy: bounds resources.
    Rcp,
}

impl Organization {
    /// The chain of targets from the root to `account`, the account last; `None` when the tree
    /// does not lead there or runs in a circle.
    pub fn chain(&self, account: &str) -> Option<Vec<&str>> {
        let (id, entry) = self.accounts.value()?.get_key_value(account)?;
        let mut chain = vec![id.as_str()];
        let mut above = entry.parent.as_str();
        let units = self.units.value();
        while let Some((id, unit)) = units.and_then(|units| units.get_key_value(above)) {
            if chain.contains(&id.as_str()) {
                return None;
            }
            chain.push(id);
            above = &unit.parent;
        }
        let root = self.root.value()?;
        if above != root {
            return None;
        }
        chain.push(root);
        chain.reverse();
        Some(chain)
    }
}

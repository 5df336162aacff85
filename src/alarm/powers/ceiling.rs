//! What the organization above an account makes of it: SCPs and RCPs by level.

use std::sync::Arc as Shared;

use palisade_model::{Observed, OrgPolicyKind, Organization, PolicyText};

use super::{FULL_ACCESS, Powers, lock, unread};
use crate::policy::Attached;

/// One level of the organization above another: the policies attached there.
pub type Levels = Vec<Vec<Attached>>;

/// What SCPs make of an account.
#[derive(Clone, Debug)]
pub enum Ceiling {
    /// They bind it: root first, the account itself last.
    Levels(Shared<Levels>),
    /// There is no organization above it, and why not.
    Outside(&'static str),
    /// The organization uses no SCPs.
    Off(&'static str),
    /// The organization's management account: no SCP binds it.
    Management,
    /// Nobody can say.
    Unknown(String),
}

impl Powers<'_> {
    /// What SCPs make of an account.
    pub fn ceiling(&self, account: &str) -> Ceiling {
        if let Some(known) = lock(&self.ceilings).get(account) {
            return known.clone();
        }
        let ceiling = self.find_ceiling(account);
        lock(&self.ceilings).insert(account.to_owned(), ceiling.clone());
        ceiling
    }

    fn find_ceiling(&self, account: &str) -> Ceiling {
        let organization = match &self.snapshot.organization {
            Observed::Value(organization) => organization,
            Observed::Gap(gap) => return Ceiling::Unknown(gap.to_string()),
            _ => return Ceiling::Outside("the account is in no organization"),
        };
        if organization.management_account == account {
            return Ceiling::Management;
        }
        if let Observed::Value(accounts) = &organization.accounts
            && !accounts.contains_key(account)
        {
            return Ceiling::Outside("the account is not in the organization that was read");
        }
        if organization.feature_set == "CONSOLIDATED_BILLING" {
            return Ceiling::Off("the organization has consolidated billing only");
        }
        match &organization.enabled_policy_types {
            Observed::Value(types) if !types.iter().any(|t| t == "SERVICE_CONTROL_POLICY") => {
                return Ceiling::Off("SCPs are switched off for the organization");
            }
            Observed::Absent => {
                return Ceiling::Off("SCPs are switched off for the organization");
            }
            Observed::Gap(gap) => return Ceiling::Unknown(gap.to_string()),
            _ => {}
        }
        match self.levels(organization, account, OrgPolicyKind::Scp) {
            Ok(levels) => Ceiling::Levels(Shared::new(levels)),
            Err(missing) => Ceiling::Unknown(missing),
        }
    }

    /// The policies of one kind above an account. A document that was not read stays in its
    /// place as one that may say anything.
    fn levels(
        &self,
        organization: &Organization,
        account: &str,
        kind: OrgPolicyKind,
    ) -> Result<Levels, String> {
        let chain = organization.chain(account);
        let chain = chain.ok_or("the organization's tree does not lead to the account")?;
        let attachments = match &organization.attachments {
            Observed::Value(attachments) => attachments,
            Observed::Gap(gap) => return Err(gap.to_string()),
            _ => return Err("no policy is attached anywhere".to_owned()),
        };
        let policies = match &organization.policies {
            Observed::Gap(gap) => return Err(gap.to_string()),
            other => other.value(),
        };
        let level = |target: &str| {
            let ids = attachments.get(target).into_iter().flatten();
            ids.filter_map(|id| match policies.and_then(|policies| policies.get(id)) {
                Some(policy) if policy.kind != kind => None,
                Some(policy) => Some(match &policy.document {
                    Observed::Value(text) => {
                        self.attached(&format!("{} ({id})", policy.name), Some(text))
                    }
                    Observed::Gap(gap) => unread(&policy.name, &gap.to_string()),
                    _ => unread(&policy.name, "its document was not read"),
                }),
                None if id == "p-FullAWSAccess" && kind == OrgPolicyKind::Scp => {
                    Some(self.attached(id, Some(&PolicyText::new(FULL_ACCESS))))
                }
                // A policy that is attached and not listed may be of either kind.
                None if id.contains("FullAWSAccess") => None,
                None => Some(unread(id, "its document was not read")),
            })
            .collect()
        };
        Ok(chain.into_iter().map(level).collect())
    }

    pub(super) fn rcps(&self, account: &str) -> Shared<Levels> {
        if let Some(known) = lock(&self.rcps).get(account) {
            return Shared::clone(known);
        }
        let organization = self.snapshot.organization.value();
        let levels = organization
            .filter(|organization| organization.management_account != account)
            .and_then(|organization| self.levels(organization, account, OrgPolicyKind::Rcp).ok());
        let levels = Shared::new(levels.unwrap_or_default());
        lock(&self.rcps).insert(account.to_owned(), Shared::clone(&levels));
        levels
    }
}

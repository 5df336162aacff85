//! Questions about the organization: who is in it, who runs it, and what holds its members.

use palisade_checks::technique::{Predicate, ResourceRef, RootWeakness};
use palisade_model::{Observed, Organization};

use super::super::bind::Truth;
use super::{Question, observed, open, unbound};

impl<'a> Question<'_, 'a> {
    pub(super) fn organization(&self, predicate: &Predicate) -> Option<Truth> {
        use Predicate as P;
        Some(match predicate {
            P::InOrganization(account) => self.on_account(account, |id| self.is_member(id)),
            P::Vendor(account) => self.on_account(account, |id| {
                palisade_checks::technique::is_vendor(id).into()
            }),
            P::KnownAccount(account) => {
                self.on_account(account, |id| self.asks.is_known_account(id).into())
            }
            P::InManagementAccount(who) => self.on_account(who, |id| {
                self.of_organization(|o| (o.management_account == id).into())
            }),
            P::AdministersOrganization(who, service) => self.on_account(who, |id| {
                self.of_organization(|o| self.administers(o, id, service))
            }),
            P::TrustedAccess(service) => self.of_organization(|o| {
                observed(&o.trusted_services, Truth::No, |all| {
                    all.contains(service).into()
                })
            }),
            P::RootSessions => self.of_organization(|o| {
                observed(&o.root_access_features, Truth::No, |all| {
                    all.iter().any(|feature| feature == "RootSessions").into()
                })
            }),
            P::Restrained(account) => self.on_account(account, |id| self.restrained(id)),
            P::RootMailbox(account) => self.on_account(account, |id| {
                open(format!("who reads the mail of the root user of {id}"))
            }),
            P::RootWeak(weakness, account) => {
                self.on_account(account, |id| self.root_weak(*weakness, id))
            }
            _ => return None,
        })
    }

    fn on_account(&self, reference: &ResourceRef, ask: impl FnOnce(&str) -> Truth) -> Truth {
        match self.account_of(reference) {
            Some(id) => ask(&id),
            None => unbound(reference),
        }
    }

    fn of_organization(&self, ask: impl FnOnce(&'a Organization) -> Truth) -> Truth {
        let organization: &'a Observed<Organization> = &self.look.snapshot.organization;
        match organization {
            Observed::Value(organization) => ask(organization),
            Observed::Absent | Observed::NotApplicable(_) => Truth::No,
            Observed::Gap(gap) => Truth::gap(gap),
        }
    }

    fn is_member(&self, id: &str) -> Truth {
        self.of_organization(|organization| {
            if organization.management_account == id {
                return Truth::Yes;
            }
            observed(&organization.accounts, Truth::No, |all| {
                all.contains_key(id).into()
            })
        })
    }

    /// The management account always; a member that is delegated administrator for the service,
    /// or that the organization's own policy names where policies are meant.
    fn administers(&self, organization: &Organization, id: &str, service: &str) -> Truth {
        if organization.management_account == id {
            return Truth::Yes;
        }
        if service == "organizations.amazonaws.com" {
            return observed(&organization.resource_policy, Truth::No, |text| match self
                .look
                .document(text)
            {
                Ok(document) => document
                    .statements
                    .iter()
                    .filter(|s| s.effect == crate::policy::Effect::Allow)
                    .flat_map(|s| s.principal.iter().flatten())
                    .any(|name| name.value == id || name.value.contains(&format!("::{id}:")))
                    .into(),
                Err(_) => open("organizations:DescribeResourcePolicy"),
            });
        }
        observed(&organization.delegated_administrators, Truth::No, |all| {
            let services = all.get(id);
            services
                .is_some_and(|all| all.iter().any(|one| one == service))
                .into()
        })
    }

    /// Whether a policy other than full access stands anywhere above the account. The management
    /// account is never restrained.
    ///
    /// Source: "Service control policies (SCPs)", Organizations User Guide.
    fn restrained(&self, id: &str) -> Truth {
        self.of_organization(|organization| {
            if organization.management_account == id {
                return Truth::No;
            }
            let Some(chain) = organization.chain(id) else {
                return self.is_member(id).and(open("organizations:ListParents"));
            };
            observed(&organization.attachments, Truth::No, |attachments| {
                let above = chain.iter().filter_map(|target| attachments.get(*target));
                let full = ["p-FullAWSAccess", "p-RCPFullAWSAccess"];
                above
                    .flatten()
                    .any(|policy| !full.contains(&policy.as_str()))
                    .into()
            })
        })
    }

    fn root_weak(&self, weakness: RootWeakness, id: &str) -> Truth {
        let Some(account) = self.look.snapshot.accounts.get(id) else {
            return open("iam:GetAccountSummary");
        };
        observed(&account.iam.root, Truth::No, |root| match weakness {
            RootWeakness::AccessKeys => root.access_keys.into(),
            RootWeakness::NoMfa if root.mfa => Truth::No,
            RootWeakness::NoMfa => match root.password {
                Some(password) => (password || root.access_keys).into(),
                None => Truth::Yes,
            },
        })
    }
}

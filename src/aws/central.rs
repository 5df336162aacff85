//! What the organization says of its administrators, and what they were told of the others: the
//! calls that could only repeat it are not made.
//!
//! Only answers that AWS itself makes certain are spared. An account that an administrator lists
//! as an enabled member administers nobody (it has no members of its own and no organization
//! settings), and an organization's trail is one trail, whoever looks at it. What a member says of
//! its own state is always asked: it is what the administrator's word is checked against. Where
//! the list was not read, or does not name the account as enabled, nothing is spared.
//!
//! Source: "Managing multiple accounts in Amazon GuardDuty", "Managing administrator and member
//! accounts in Security Hub", "Managing multiple Macie accounts", "Managing multiple accounts in
//! Amazon Inspector" and "Creating a trail for an organization", 2026-11.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Account, AccountId, Arn, Observed, Organization, Region, TrailSelectors};

use crate::engine::Place;

/// Services whose administrators list their members, by the principal that delegates them.
const LISTING: [(&str, Members); 4] = [
    ("guardduty.amazonaws.com", |region| {
        let detector = region.guardduty.value()?.values().next()?;
        Some(enabled(detector.members.value()?))
    }),
    // Only accounts that are associated now are listed, whatever their scans do.
    ("inspector2.amazonaws.com", |region| {
        let members = region.inspector.value()?.members.value()?;
        Some(members.keys().cloned().collect())
    }),
    ("securityhub.amazonaws.com", |region| {
        Some(enabled(region.security_hub.value()?.members.value()?))
    }),
    ("macie.amazonaws.com", |region| {
        Some(enabled(region.macie.value()?.members.value()?))
    }),
];

/// Reads the enabled members off a region of the administrator.
type Members = fn(&Region) -> Option<BTreeSet<AccountId>>;

fn enabled(members: &BTreeMap<AccountId, String>) -> BTreeSet<AccountId> {
    let enabled = members
        .iter()
        .filter(|(_, status)| status.eq_ignore_ascii_case("ENABLED"));
    enabled.map(|(id, _)| id.clone()).collect()
}

/// Who administers what for the organization.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    management: AccountId,
    delegates: BTreeMap<AccountId, Vec<String>>,
    /// Nobody could say: any account may administer anything.
    unread: bool,
}

impl Standing {
    /// As far as the organization was read.
    pub(crate) fn of(organization: &Observed<Organization>) -> Self {
        let Some(read) = organization.value() else {
            return Standing {
                unread: organization.gap().is_some(),
                ..Standing::default()
            };
        };
        let delegates = read.delegated_administrators.value();
        Standing {
            management: read.management_account.clone(),
            delegates: delegates.cloned().unwrap_or_default(),
            unread: read.delegated_administrators.gap().is_some(),
        }
    }

    /// Whether the account was handed this service.
    fn administers(&self, account: &str, principal: &str) -> bool {
        let services = self.delegates.get(account);
        services.is_some_and(|services| services.iter().any(|one| one == principal))
    }

    /// Whether others should be read after this account, since it is told of them.
    pub(crate) fn is_told(&self, account: &str) -> bool {
        let lists = |(principal, _): &(&str, Members)| self.administers(account, principal);
        account == self.management || LISTING.iter().any(lists)
    }
}

/// What the administrators were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The enabled members, by service and region.
    members: BTreeMap<(&'static str, String), BTreeSet<AccountId>>,
    /// What the organization's trails record, as their owner says.
    selectors: BTreeMap<Arn, TrailSelectors>,
}

impl Told {
    /// From the accounts that were read first.
    pub(crate) fn of(standing: &Standing, accounts: &BTreeMap<AccountId, Account>) -> Self {
        let mut told = Told::default();
        for (id, account) in accounts {
            for (name, region) in account.enabled_regions() {
                for (principal, members) in LISTING {
                    if !standing.administers(id, principal) {
                        continue;
                    }
                    if let Some(mut members) = members(region) {
                        members.remove(id);
                        told.members.insert((principal, name.clone()), members);
                    }
                }
            }
            let trails = account.trails.value().into_iter().flatten();
            let owned = trails.filter(|(arn, trail)| trail.organization && arn.account() == id);
            for (arn, trail) in owned.filter(|_| *id == standing.management) {
                if let Observed::Value(selectors) = &trail.selectors {
                    told.selectors.insert(arn.clone(), selectors.clone());
                }
            }
        }
        told
    }

    /// What an organization's trail records, where its owner was asked.
    pub(crate) fn selectors(&self, trail: &str) -> Option<&TrailSelectors> {
        self.selectors.get(&Arn::from(trail))
    }
}

impl Place {
    /// Whether this account administers that service for its organization, as far as anybody
    /// could say.
    pub(crate) fn may_administer(&self, principal: &str) -> bool {
        self.engine().standing.get().is_some_and(|standing| {
            standing.unread || standing.administers(&self.visit.account, principal)
        })
    }

    /// Likewise whether it may gather from its organization: as management, or by delegation.
    pub(crate) fn may_gather(&self, principal: &str) -> bool {
        let standing = self.engine().standing.get();
        self.may_administer(principal)
            || standing.is_some_and(|standing| standing.management == self.visit.account)
    }

    /// Whether an administrator of that service lists this account as an enabled member here.
    pub(crate) fn is_looked_after(&self, principal: &'static str) -> bool {
        let told = self.engine().told.get();
        let members = told.and_then(|told| told.members.get(&(principal, self.region.clone())));
        members.is_some_and(|members| members.contains(&self.visit.account))
    }
}

/// An answer that is asked for only where it can say something new.
pub(crate) async fn unless<T>(
    spared: bool,
    answer: impl Future<Output = Observed<T>>,
) -> Observed<T> {
    match spared {
        true => Observed::Absent,
        false => answer.await,
    }
}

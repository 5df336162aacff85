//! Which accounts a service would obey at all: some calls are the management account's, some an
//! administrator's.

use palisade_checks::{Caller, TamperAction, TamperGroup};
use palisade_model::{Observed, Organization};

use super::Security;

/// Whether an account is one that the service would obey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MayCall {
    /// It is.
    Yes,
    /// It is not, and who is.
    No(&'static str),
    /// What was not read.
    Unknown(String),
}

/// Whether the service obeys this account. An administrator that members joined by invitation
/// stands in no list of the organization; its own list of members shows it.
///
/// Source: "Managing GuardDuty accounts by invitation", Amazon GuardDuty User Guide.
pub(super) fn may_call(
    security: &Security<'_>,
    account: &str,
    group: &TamperGroup,
    row: &TamperAction,
) -> MayCall {
    let no = match row.caller {
        Caller::Any => return MayCall::Yes,
        Caller::Management => "only the management account can call it, and SCPs do not bind that",
        Caller::Delegated => "only the management account or a delegated administrator can call it",
        Caller::Administrator => "only the service's administrator account can call it",
    };
    if row.caller == Caller::Administrator && has_members(security, account, group) {
        return MayCall::Yes;
    }
    let organization = match &security.snapshot().organization {
        Observed::Value(organization) => organization,
        Observed::Gap(gap) => return MayCall::Unknown(gap.to_string()),
        _ => return MayCall::No(no),
    };
    let manages = organization.management_account == account;
    if manages && row.caller != Caller::Administrator {
        return MayCall::Yes;
    }
    if row.caller == Caller::Management {
        return MayCall::No(no);
    }
    match delegated(organization, account, group, row) {
        Ok(true) => MayCall::Yes,
        Ok(false) => MayCall::No(no),
        Err(gap) => MayCall::Unknown(gap),
    }
}

/// Whether the organization made the account an administrator: of anything, or of the service
/// where the call asks for that.
fn delegated(
    organization: &Organization,
    account: &str,
    group: &TamperGroup,
    row: &TamperAction,
) -> Result<bool, String> {
    let delegates = match &organization.delegated_administrators {
        Observed::Value(delegates) => delegates,
        Observed::Gap(gap) => return Err(gap.to_string()),
        _ => return Ok(false),
    };
    let Some(services) = delegates.get(account) else {
        return Ok(false);
    };
    let prefix = row.prefix().trim_end_matches('2');
    Ok(match row.caller {
        Caller::Delegated => !services.is_empty(),
        _ => services.iter().any(|service| {
            service.starts_with(prefix) || service.starts_with(group.group.as_str())
        }),
    })
}

fn has_members(security: &Security<'_>, account: &str, group: &TamperGroup) -> bool {
    let account = security.snapshot().accounts.get(account);
    let regions = account.and_then(|account| account.regions.value());
    let any = |listed: Option<bool>| listed == Some(true);
    regions
        .into_iter()
        .flatten()
        .any(|(_, region)| match group.group.as_str() {
            "guardduty" => region.guardduty.value().is_some_and(|detectors| {
                detectors
                    .values()
                    .any(|detector| any(detector.members.value().map(|all| !all.is_empty())))
            }),
            "inspector" => region
                .inspector
                .value()
                .is_some_and(|facts| any(facts.members.value().map(|all| !all.is_empty()))),
            _ => false,
        })
}

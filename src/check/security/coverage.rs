//! What SCPs do about every tamper action in every account, and who could do it today.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::{Caller, TamperAction, TamperGroup, tamper, tamper_group};
use palisade_model::{Arn, actions};
use serde::Serialize;

use super::{Security, parts};
use crate::alarm::protection::{Ask, Protection, protection};
use crate::alarm::state::Service;
use crate::policy::{Attached, Decision, Effect};

/// What SCPs do about one action in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// The account's id.
    pub account: String,
    /// The tamper group.
    pub group: &'static str,
    /// The action.
    pub action: &'static str,
    /// Whether it belongs to the smallest set worth denying.
    pub minimum: bool,
    /// Whether it counts: the service is in use, the API still exists, the account may call it.
    pub counts: bool,
    /// The answer.
    pub protection: Protection,
}

/// Every action in every account of the snapshot.
pub(super) fn of(security: &Security<'_>) -> Vec<Covered> {
    let snapshot = security.snapshot();
    let mut out = Vec::new();
    for account in snapshot.accounts.keys() {
        for group in tamper() {
            for row in &group.actions {
                let ask = ask(security, account, row);
                out.push(Covered {
                    account: account.clone(),
                    group: &group.group,
                    action: &row.action,
                    minimum: row.minimum,
                    counts: !ask.resources.is_empty() && counts(security, account, group, row),
                    protection: of_action(security, account, group, row, &ask),
                });
            }
        }
    }
    out
}

fn counts(security: &Security<'_>, account: &str, group: &TamperGroup, row: &TamperAction) -> bool {
    let retired = row
        .retired
        .as_ref()
        .is_some_and(|day| security.snapshot().taken_at.to_string().as_str() >= day.as_str());
    let unused = Service::parse(&group.group)
        .is_some_and(|service| security.matrix().not_in_use.contains(&service));
    !retired && !unused && row.leave_out.is_none() && may_call(security, account, group, row)
}

/// Whether the account is one that the service would obey.
fn may_call(
    security: &Security<'_>,
    account: &str,
    group: &TamperGroup,
    row: &TamperAction,
) -> bool {
    let organization = security.snapshot().organization.value();
    let delegates = organization.and_then(|o| o.delegated_administrators.value());
    let services = delegates.and_then(|delegates| delegates.get(account));
    let manages = organization.is_some_and(|o| o.management_account == account);
    match row.caller {
        Caller::Any => true,
        Caller::Management => manages,
        Caller::Delegated => manages || services.is_some_and(|services| !services.is_empty()),
        Caller::Administrator => services.is_some_and(|services| {
            let prefix = row.prefix().trim_end_matches('2');
            services.iter().any(|service| {
                service.starts_with(prefix) || service.starts_with(group.group.as_str())
            })
        }),
    }
}

fn of_action(
    security: &Security<'_>,
    account: &str,
    group: &TamperGroup,
    row: &TamperAction,
    ask: &Ask,
) -> Protection {
    if !may_call(security, account, group, row) {
        let who = match row.caller {
            Caller::Management => {
                "only the management account can call it, and SCPs do not bind that"
            }
            Caller::Delegated => {
                "only the management account or a delegated administrator can call it"
            }
            _ => "only the service's administrator account can call it",
        };
        return Protection::NotApplicable {
            why: who.to_owned(),
        };
    }
    protection(&security.alarms.powers, security.becomes, account, ask)
}

/// The question about one tamper action in one account.
pub fn ask(security: &Security<'_>, account: &str, row: &TamperAction) -> Ask {
    let partition = security.snapshot().partition;
    let mut context = Vec::new();
    for (key, values) in row.when.values().flatten() {
        let value = values.first().map_or("", String::as_str);
        let value = match key.as_str() {
            "aws:PrincipalArn" => Arn::root(partition, account).to_string(),
            _ => value.to_owned(),
        };
        context.push((key.clone(), value));
    }
    let resources = match row.only_on {
        Some(part) => parts::of(security, account, part),
        None => vec![resource(security, account, &row.action)],
    };
    Ask {
        action: row.action.clone(),
        resources,
        global: row.global,
        context,
    }
}

/// A resource for the action: a real one where it is a trail or a detector, else a name that
/// nothing has, so that only a deny of all such resources counts.
fn resource(security: &Security<'_>, account: &str, action: &str) -> String {
    let snapshot = security.snapshot();
    let Some(known) = actions().find(action) else {
        return "*".to_owned();
    };
    let types: Vec<&str> = known.resource_types().map(|(name, _)| name).collect();
    let Some(kind) = types.first() else {
        return "*".to_owned();
    };
    let data = snapshot.accounts.get(account);
    if *kind == "trail" {
        let trails = data.and_then(|data| data.trails.value());
        let own = trails.and_then(|trails| trails.keys().find(|arn| arn.account() == account));
        if let Some(arn) = own {
            return arn.to_string();
        }
    }
    let format = actions().arn_format(known.service, kind).unwrap_or("*");
    fill(
        format,
        snapshot.partition.as_str(),
        snapshot.partition.home_region(),
        account,
    )
}

fn fill(format: &str, partition: &str, region: &str, account: &str) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(match name {
            "Partition" => partition,
            "Region" => region,
            "Account" => account,
            _ => "palisade-probe",
        });
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// A principal that could do a tamper action today.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Could {
    /// The account's id.
    pub account: String,
    /// The tamper group.
    pub group: &'static str,
    /// Who.
    pub principal: Arn,
    /// What, for certain.
    pub may: Vec<&'static str>,
    /// What, under conditions or if a gap resolves badly.
    pub perhaps: Vec<&'static str>,
}

/// Who in an account could do which tamper actions today, by every policy layer. The root user
/// is left out: it may do whatever SCPs let it.
pub fn who_could(security: &Security<'_>, account: &str, minimum_only: bool) -> Vec<Could> {
    let minimum = |group: &str, action: &&str| {
        !minimum_only
            || tamper_group(group)
                .is_some_and(|g| g.actions.iter().any(|r| r.minimum && r.action == *action))
    };
    let own = security.could().iter().filter(|one| one.account == account);
    let narrowed = own.cloned().map(|mut one| {
        one.may.retain(|action| minimum(one.group, action));
        one.perhaps.retain(|action| minimum(one.group, action));
        one
    });
    narrowed
        .filter(|one| !one.may.is_empty() || !one.perhaps.is_empty())
        .collect()
}

/// Who could do what, in every account.
pub(super) fn could(security: &Security<'_>) -> Vec<Could> {
    let accounts = security.snapshot().accounts.keys();
    let mut sieve = Sieve::default();
    accounts
        .flat_map(|account| could_in(security, account, &mut sieve))
        .collect()
}

fn could_in(security: &Security<'_>, account: &str, sieve: &mut Sieve) -> Vec<Could> {
    let powers = &security.alarms.powers;
    let (principals, _) = powers.principals(account);
    let mut out = Vec::new();
    for group in tamper() {
        let rows: Vec<(&TamperAction, Ask, Vec<String>)> = group
            .actions
            .iter()
            .filter(|row| counts(security, account, group, row) && row.when.is_empty())
            .map(|row| {
                let ask = ask(security, account, row);
                let regions = powers.regions(account, ask.global).unwrap_or_default();
                (row, ask, regions)
            })
            .collect();
        for principal in principals.iter().filter(|arn| arn.resource() != "root") {
            if powers.is_service_linked(principal) {
                continue;
            }
            let (mut may, mut perhaps) = (Vec::new(), Vec::new());
            for (row, ask, regions) in &rows {
                // Parts of the chain have policies of their own, which may grant by themselves.
                if row.only_on.is_none() && !sieve.may_allow(security, principal, &row.action) {
                    continue;
                }
                let decisions = regions.iter().flat_map(|region| {
                    let resources = ask.resources.iter();
                    resources
                        .map(|resource| powers.decide(principal, &row.action, resource, region))
                });
                let rank = |decision: &Decision| match decision {
                    Decision::Allowed(_) => 2,
                    Decision::Conditional(_) | Decision::Unknown(_) => 1,
                    Decision::Denied(_) => 0,
                };
                match decisions.map(|decision| rank(&decision)).max() {
                    Some(2) => may.push(row.action.as_str()),
                    Some(1) => perhaps.push(row.action.as_str()),
                    _ => {}
                }
            }
            if !may.is_empty() || !perhaps.is_empty() {
                out.push(Could {
                    account: account.to_owned(),
                    group: &group.group,
                    principal: principal.clone(),
                    may,
                    perhaps,
                });
            }
        }
    }
    out
}

/// Which tamper actions a set of identity-based policies can allow at all; looked up once for
/// each set, since most principals share theirs and few hold any.
#[derive(Default)]
struct Sieve {
    known: BTreeMap<Vec<usize>, BTreeSet<&'static str>>,
}

impl Sieve {
    fn may_allow(&mut self, security: &Security<'_>, principal: &Arn, action: &str) -> bool {
        let engine = security.alarms.powers.engine;
        let policies = engine.identity_policies(principal.as_str());
        let key: Vec<usize> = policies
            .iter()
            .map(|attached| std::sync::Arc::as_ptr(&attached.policy) as usize)
            .collect();
        let allowed = self.known.entry(key).or_insert_with(|| {
            let rows = tamper().iter().flat_map(|group| &group.actions);
            rows.map(|row| row.action.as_str())
                .filter(|action| policies.iter().any(|attached| allows(attached, action)))
                .collect()
        });
        allowed.contains(action)
    }
}

fn allows(attached: &Attached, action: &str) -> bool {
    let lower = action.to_ascii_lowercase();
    attached.policy.unread_reason().is_some()
        || attached
            .policy
            .statements
            .iter()
            .any(|statement| statement.effect == Effect::Allow && statement.covers_action(&lower))
}

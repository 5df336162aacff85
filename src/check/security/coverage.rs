//! What SCPs do about every tamper action in every account.

use palisade_checks::{TamperAction, TamperGroup, tamper};
use palisade_model::{Arn, actions};
use serde::Serialize;

use super::callers::{MayCall, may_call};
use super::{Security, parts};
use crate::alarm::protection::{Ask, Protection, protection};
use crate::alarm::state::Service;

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
                let unread = parts_unread(security, account, row);
                let nowhere = ask.resources.is_empty() && unread.is_empty();
                out.push(Covered {
                    account: account.clone(),
                    group: &group.group,
                    action: &row.action,
                    minimum: row.minimum,
                    counts: !nowhere && counts(security, account, group, row),
                    protection: of_action(security, account, (group, row), &ask, unread),
                });
            }
        }
    }
    out
}

/// What was not read and may hold further parts of the chain that the action would hurt.
pub(super) fn parts_unread(
    security: &Security<'_>,
    account: &str,
    row: &TamperAction,
) -> Vec<String> {
    let part = row.only_on;
    part.map_or_else(Vec::new, |part| parts::unread(security, account, part))
}

/// Whether the action counts, as far as is known.
pub(super) fn counts(
    security: &Security<'_>,
    account: &str,
    group: &TamperGroup,
    row: &TamperAction,
) -> bool {
    let retired = row
        .retired
        .as_ref()
        .is_some_and(|day| security.snapshot().taken_at.to_string().as_str() >= day.as_str());
    let unused = Service::parse(&group.group)
        .is_some_and(|service| security.matrix().not_in_use.contains(&service));
    let callable = !matches!(may_call(security, account, group, row), MayCall::No(_));
    !retired && !unused && row.leave_out.is_none() && callable
}

fn of_action(
    security: &Security<'_>,
    account: &str,
    (group, row): (&TamperGroup, &TamperAction),
    ask: &Ask,
    unread: Vec<String>,
) -> Protection {
    let mut doubts = unread;
    match may_call(security, account, group, row) {
        MayCall::Yes => {}
        MayCall::No(who) => {
            return Protection::NotApplicable {
                why: who.to_owned(),
            };
        }
        MayCall::Unknown(gap) => doubts.push(format!("whether the account can call it: {gap}")),
    }
    if ask.resources.is_empty() && !doubts.is_empty() {
        return Protection::Unknown { missing: doubts };
    }
    let found = protection(&security.alarms.powers, security.becomes, account, ask);
    let unread = use_unread(security, group);
    match found {
        // What is out of reach stays so, whatever was not read.
        Protection::NotApplicable { .. } => found,
        // A guardrail holds whether or not the service is used.
        _ if found.fails() && !unread.is_empty() => Protection::Unknown { missing: unread },
        _ if found.fails()
            && matches!(may_call(security, account, group, row), MayCall::Unknown(_)) =>
        {
            Protection::Unknown { missing: doubts }
        }
        _ if found.holds() && row.only_on.is_some() && !doubts.is_empty() => {
            Protection::Unknown { missing: doubts }
        }
        found => found,
    }
}

/// What was not read of an optional service that may be in use.
pub(super) fn use_unread(security: &Security<'_>, group: &TamperGroup) -> Vec<String> {
    let service = Service::parse(&group.group);
    let unread = service.and_then(|service| security.matrix().use_unknown.get(&service));
    let unread = unread.into_iter().flatten();
    unread
        .map(|gap| format!("whether {} is in use: {gap}", group.service))
        .collect()
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

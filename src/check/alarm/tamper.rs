//! `alarm-*`: would a person be told when somebody switches a security service off.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::Severity;

use crate::alarm::chain::Answer;
use crate::check::security::hearing::Heard;
use crate::check::security::holders::who_could;
use crate::check::{Estate, Evidence, Findings, Outcome};

/// Groups whose silence is worse than the others'.
const FIRST: [&str; 4] = ["cloudtrail", "guardduty", "config", "root"];

type Place<'h> = (&'h str, &'h str);

/// The events of the minimum by account and region.
fn by_place(heard: &[Heard]) -> BTreeMap<Place<'_>, Vec<&Heard>> {
    let mut places: BTreeMap<Place<'_>, Vec<&Heard>> = BTreeMap::new();
    for one in heard.iter().filter(|one| one.minimum) {
        places
            .entry((&one.account, &one.region))
            .or_default()
            .push(one);
    }
    places
}

/// Nothing listens for an event, or what listens is broken: one answer for each region.
pub(super) fn unheard(estate: &Estate<'_>, found: &mut Findings<'_>) {
    unread_regions(estate, found);
    for ((account, region), rows) in by_place(estate.security.heard()) {
        let silent: Vec<&Heard> = rows
            .iter()
            .copied()
            .filter(|row| {
                matches!(
                    row.answer,
                    Answer::NotAlarmed { .. } | Answer::Broken { .. }
                )
            })
            .collect();
        if silent.is_empty() {
            found.at(account, region, account, rest(&rows));
            continue;
        }
        let severity = match silent.iter().any(|row| FIRST.contains(&row.group)) {
            true => Severity::High,
            false => Severity::Medium,
        };
        let evidence = silent.iter().map(|row| Evidence::from(told(row))).collect();
        found.weighed(
            account,
            region,
            account,
            Outcome::Fail { evidence },
            severity,
        );
    }
}

/// Something was built to listen and does not work: one answer for each region.
pub(super) fn broken_link(estate: &Estate<'_>, found: &mut Findings<'_>) {
    unread_regions(estate, found);
    for ((account, region), rows) in by_place(estate.security.heard()) {
        let mut faults: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for row in &rows {
            if let Answer::Broken { faults: broken } = &row.answer {
                for fault in broken {
                    faults
                        .entry(fault.why.clone())
                        .or_default()
                        .push(&row.event);
                }
            }
        }
        let outcome = match faults.is_empty() {
            true => rest(&rows),
            false => Outcome::Fail {
                evidence: faults
                    .into_iter()
                    .map(|(why, events)| Evidence::from(format!("{}: {why}", events.join(", "))))
                    .collect(),
            },
        };
        found.at(account, region, account, outcome);
    }
}

/// What the rows come to when none of them fails.
fn rest(rows: &[&Heard]) -> Outcome {
    let mut missing = BTreeSet::new();
    for row in rows {
        if let Answer::Unknown { missing: gaps } = &row.answer {
            missing.extend(gaps.iter().cloned());
        }
    }
    match missing.is_empty() {
        true => Outcome::Pass,
        false => Outcome::Unknown {
            missing: missing.into_iter().collect(),
        },
    }
}

fn told(row: &Heard) -> String {
    let name = format!("{} of {}", row.event, row.source);
    match &row.answer {
        Answer::NotAlarmed { recorded: true } => {
            format!("{name} is written down, and nothing listens for it")
        }
        Answer::NotAlarmed { .. } => format!("{name} is not even written down"),
        Answer::Broken { faults } => {
            let why = faults.first().map_or("", |fault| fault.why.as_str());
            format!("{name} reaches nobody: {why}")
        }
        _ => name,
    }
}

/// A principal that can switch a service off today, in a region where nobody would hear it.
pub(super) fn silent_path(estate: &Estate<'_>, found: &mut Findings<'_>) {
    unread_regions(estate, found);
    let heard = estate.security.heard();
    for account in estate.snapshot.accounts.keys() {
        let own: Vec<&Heard> = heard
            .iter()
            .filter(|h| h.minimum && h.account == *account)
            .collect();
        // Where each action is made and nobody hears it.
        let silent = |action: &str| -> Vec<&str> {
            let rows = own.iter().filter(|h| h.action == action);
            rows.filter(|h| matches!(h.answer, Answer::NotAlarmed { .. } | Answer::Broken { .. }))
                .map(|h| h.region.as_str())
                .collect()
        };
        let mut principals: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // Those who need something else first: a source address, a second factor, a tag.
        let mut bound: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (_, mut missing) = estate.security.alarms.powers.principals(account);
        for could in who_could(&estate.security, account, true) {
            let who = could.principal.to_string();
            for action in &could.may {
                let silent = silent(action);
                if !silent.is_empty() {
                    let says = format!("may {action} unheard in {}", silent.join(", "));
                    principals.entry(who.clone()).or_default().push(says);
                }
            }
            let conditional = could.perhaps.iter();
            for action in conditional.filter(|action| !could.unread.contains(action)) {
                let silent = silent(action);
                if !silent.is_empty() {
                    let places = silent.join(", ");
                    let says = format!("may {action}, under conditions, unheard in {places}");
                    bound.entry(who.clone()).or_default().push(says);
                }
            }
            let unread = could
                .unread
                .iter()
                .filter(|action| !silent(action).is_empty());
            missing.extend(unread.map(|action| format!("whether `{who}` may {action}")));
        }
        if principals.is_empty() && bound.is_empty() {
            // Where everything is heard, it does not matter who could.
            let heard = own
                .iter()
                .all(|h| matches!(h.answer, Answer::Alarmed { .. }));
            let outcome = match rest(&own) {
                Outcome::Pass if !heard && !missing.is_empty() => Outcome::Unknown { missing },
                other => other,
            };
            found.at(account, "", account, outcome);
            continue;
        }
        for (principal, mut says) in principals {
            says.extend(bound.remove(&principal).into_iter().flatten());
            found.at(account, "", &principal, failed(says));
        }
        for (principal, says) in bound {
            found.weighed(account, "", &principal, failed(says), Severity::Medium);
        }
    }
}

fn failed(says: Vec<String>) -> Outcome {
    let evidence = says.into_iter().map(Evidence::from).collect();
    Outcome::Fail { evidence }
}

/// An account whose regions were not read is unknown as a whole; where default regions stand in,
/// others may be on.
fn unread_regions(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for (id, account) in estate.accounts() {
        let gap = account.regions.gap().or(account.regions_gap.as_ref());
        if let Some(gap) = gap {
            found.unread(id, "", gap);
        }
    }
}

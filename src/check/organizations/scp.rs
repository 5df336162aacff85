//! `organizations-scp-*`: the security services can be switched off by whoever gets the rights.
//!
//! One answer for each account, with the actions as evidence. The management account and
//! accounts without an organization are out of reach of SCPs, and are said to be.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::{Severity, tamper, tamper_group};

use crate::alarm::protection::{self, Protection};
use crate::check::security::Security;
use crate::check::security::coverage::Covered;
use crate::check::{Estate, Evidence, Findings, Outcome};
use crate::policy::Document;

pub(super) fn uncovered(estate: &Estate<'_>, found: &mut Findings<'_>) {
    let open = |covered: &Covered| covered.minimum && covered.protection.fails();
    each_account(
        estate,
        found,
        |covered| covered.minimum,
        open,
        |rows| {
            let worst = rows
                .iter()
                .filter_map(|row| tamper_group(row.group))
                .map(|g| g.severity);
            worst.max().unwrap_or(Severity::High).max(Severity::High)
        },
    );
}

pub(super) fn siblings_uncovered(estate: &Estate<'_>, found: &mut Findings<'_>) {
    let open = |covered: &Covered| !covered.minimum && covered.protection.fails();
    each_account(
        estate,
        found,
        |covered| !covered.minimum,
        open,
        |_| Severity::Medium,
    );
}

pub(super) fn bypassable(estate: &Estate<'_>, found: &mut Findings<'_>) {
    let open = |covered: &Covered| matches!(covered.protection, Protection::Bypassable { .. });
    each_account(estate, found, |_| true, open, |_| Severity::Critical);
}

/// One answer for each account over the actions that count and are `asked` for.
fn each_account(
    estate: &Estate<'_>,
    found: &mut Findings<'_>,
    asked: impl Fn(&Covered) -> bool,
    open: impl Fn(&Covered) -> bool,
    severity: impl Fn(&[&Covered]) -> Severity,
) {
    let mut accounts: BTreeMap<&str, Vec<&Covered>> = BTreeMap::new();
    for covered in estate.security.coverage() {
        let rows = accounts.entry(&covered.account).or_default();
        if covered.counts && asked(covered) {
            rows.push(covered);
        }
    }
    for (account, rows) in accounts {
        let fails: Vec<&Covered> = rows.iter().copied().filter(|row| open(row)).collect();
        if !fails.is_empty() {
            let evidence = evidence(&estate.security, account, &fails);
            let severity = severity(&fails);
            found.weighed(account, "", account, Outcome::Fail { evidence }, severity);
            continue;
        }
        found.at(account, "", account, undecided(&rows));
    }
}

fn undecided(rows: &[&Covered]) -> Outcome {
    let mut missing = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    for row in rows {
        match &row.protection {
            Protection::Unknown { missing: gaps } => missing.extend(gaps.iter().cloned()),
            Protection::NotApplicable { why } => {
                reasons.insert(why.clone());
            }
            _ => {}
        }
    }
    let all = rows
        .iter()
        .all(|row| matches!(row.protection, Protection::NotApplicable { .. }));
    match (missing.is_empty(), all) {
        (false, _) => Outcome::Unknown {
            missing: missing.into_iter().collect(),
        },
        (true, true) => Outcome::NotApplicable {
            why: Vec::from_iter(reasons).join("; "),
        },
        (true, false) => Outcome::Pass,
    }
}

/// Actions with the same answer in one line, group by group.
fn evidence(security: &Security<'_>, account: &str, rows: &[&Covered]) -> Vec<Evidence> {
    let mut lines: BTreeMap<(&str, String), (Vec<&str>, String)> = BTreeMap::new();
    for row in rows {
        let (says, source) = told(&row.protection);
        let line = lines
            .entry((row.group, says))
            .or_insert((Vec::new(), source));
        line.0.push(row.action);
    }
    let mut out: Vec<Evidence> = lines
        .into_iter()
        .map(|((group, says), (actions, source))| {
            Evidence::from(format!("{group}: {says}: {}", actions.join(", "))).from_source(source)
        })
        .collect();
    out.extend(who(security, account));
    out
}

fn told(protection: &Protection) -> (String, String) {
    match protection {
        Protection::Open { why } if why.is_empty() => ("no SCP denies".to_owned(), String::new()),
        Protection::Open { why } => (format!("no SCP denies: {why}"), String::new()),
        Protection::Partial { by, open } => {
            (format!("open for {}", open.join(", ")), by.join("; "))
        }
        Protection::Bypassable { by, how, .. } => {
            (format!("denied, but {}", how.join("; ")), by.join("; "))
        }
        Protection::Conditional { by, unless, .. } => (
            format!("denied unless {}", unless.join(" or ")),
            by.join("; "),
        ),
        other => (other.word().to_owned(), String::new()),
    }
}

/// Who has the rights today, in one line.
fn who(security: &Security<'_>, account: &str) -> Option<Evidence> {
    let could = crate::check::security::holders::who_could(security, account, true);
    let names: BTreeSet<&str> = could
        .iter()
        .filter(|could| !could.may.is_empty())
        .map(|could| could.principal.as_str())
        .collect();
    if names.is_empty() {
        return None;
    }
    let mut evidence = Evidence::from(match names.len() {
        1 => "one principal could do it today".to_owned(),
        many => format!("{many} principals could do it today"),
    });
    for name in names.iter().take(10) {
        evidence = evidence.naming(*name);
    }
    Some(evidence)
}

pub(super) fn misnamed(estate: &Estate<'_>, found: &mut Findings<'_>) {
    let organization = match &estate.snapshot.organization {
        palisade_model::Observed::Value(organization) => organization,
        palisade_model::Observed::Gap(gap) => return found.unread("", "", gap),
        _ => {
            let why = "there is no organization".to_owned();
            return found.at("", "", "organization", Outcome::NotApplicable { why });
        }
    };
    let policies = match &organization.policies {
        palisade_model::Observed::Value(policies) => policies,
        palisade_model::Observed::Gap(gap) => {
            return found.unread(&organization.management_account, "", gap);
        }
        _ => return,
    };
    let misprints = misprints();
    for (id, policy) in policies {
        if policy.kind != palisade_model::OrgPolicyKind::Scp {
            continue;
        }
        let account = &organization.management_account;
        let outcome = match &policy.document {
            palisade_model::Observed::Value(text) => match Document::parse(text.as_str()) {
                Ok(document) => match document.scp_fault() {
                    Some(fault) => malformed(&policy.name, &fault),
                    None => judge(&document, &misprints),
                },
                Err(error) => malformed(&policy.name, &error),
            },
            palisade_model::Observed::Gap(gap) => crate::check::missing([&**gap]),
            _ if policy.aws_managed => Outcome::Pass,
            _ => Outcome::Unknown {
                missing: vec![format!("the SCP `{}` has no document", policy.name)],
            },
        };
        let name = if policy.name.is_empty() {
            id
        } else {
            &policy.name
        };
        found.at(account, "", name, outcome);
    }
}

fn malformed(name: &str, why: &dyn std::fmt::Display) -> Outcome {
    Outcome::Unknown {
        missing: vec![format!("the SCP `{name}` is malformed: {why}")],
    }
}

fn judge(document: &Document, misprints: &[(String, String)]) -> Outcome {
    let wrong = protection::misnamed(document, misprints);
    if wrong.is_empty() {
        return Outcome::Pass;
    }
    let evidence = wrong.into_iter().map(|wrong| {
        let meant = match wrong.meant.as_slice() {
            [] => String::new(),
            meant => format!("; `{}` was meant", meant.join("`, `")),
        };
        let says = format!("`{}` protects nothing: {}{meant}", wrong.written, wrong.why);
        Evidence::from(says).from_source(wrong.statement)
    });
    Outcome::Fail {
        evidence: evidence.collect(),
    }
}

/// Wrong names with the right ones, as they would stand in a policy.
fn misprints() -> Vec<(String, String)> {
    let mut out = Vec::new();
    for group in tamper() {
        for printed in &group.printed {
            let right = group
                .actions
                .iter()
                .filter(|row| row.retired.is_none())
                .find(|row| row.event_name() == printed.is_event)
                .or_else(|| {
                    group
                        .actions
                        .iter()
                        .find(|row| row.minimum && row.retired.is_none())
                });
            let Some(right) = right else { continue };
            let prefix = right.prefix();
            let source = printed.source.split('.').next().unwrap_or_default();
            for prefix in [prefix, source, printed.source.as_str()] {
                out.push((format!("{prefix}:{}", printed.event), right.action.clone()));
            }
        }
    }
    out
}

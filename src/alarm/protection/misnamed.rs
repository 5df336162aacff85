//! Denies that protect nothing because of how they spell the action.
//!
//! A guardrail copied from a table of CloudTrail events, or from a translation of one, names
//! event sources and event names where a policy wants a service prefix and an action.

use palisade_model::{ActionTable, actions};
use serde::Serialize;

use crate::alarm::event::Call;
use crate::policy::Document;
use crate::policy::document::Effect;

/// An entry of a policy that no call ever matches, or only calls of a retired product.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Misnamed {
    /// The statement, as people refer to it.
    pub statement: String,
    /// As written.
    pub written: String,
    /// What was probably meant; empty when nobody can say.
    pub meant: Vec<String>,
    /// What is wrong with it.
    pub why: String,
}

/// Prefixes that were retired, or that people write for a service that goes by another.
const PREFIXES: [(&str, &str); 16] = [
    ("macie", "macie2"),
    ("inspector", "inspector2"),
    ("inspektor", "inspector2"),
    ("inspector-v2", "inspector2"),
    ("guard-duty", "guardduty"),
    ("security-hub", "securityhub"),
    ("aws-config", "config"),
    ("configservice", "config"),
    ("accessanalyzer", "access-analyzer"),
    ("waf", "wafv2"),
    ("waf-regional", "wafv2"),
    ("waf-v2", "wafv2"),
    ("firewallmanager", "fms"),
    ("firewall-manager", "fms"),
    ("monitoring", "cloudwatch"),
    ("eventbridge", "events"),
];

/// Products that AWS took away; a deny of their actions alone guards nothing.
/// Source: end-of-life notices of Amazon Macie Classic, Amazon Inspector Classic (2026-05-20) and
/// AWS WAF Classic (2025-09-30).
const RETIRED: [(&str, &str); 3] = [
    ("inspector", "inspector2"),
    ("waf", "wafv2"),
    ("waf-regional", "wafv2"),
];

/// Every entry of a deny that misses. `misprints` are known wrong names with the right ones, as
/// `service:Name`.
pub fn misnamed(document: &Document, misprints: &[(String, String)]) -> Vec<Misnamed> {
    let mut out = Vec::new();
    let denies: Vec<_> = document
        .statements
        .iter()
        .filter(|s| s.effect == Effect::Deny)
        .collect();
    let denied = |prefix: &str| {
        let start = format!("{prefix}:");
        let entries = denies.iter().filter_map(|s| s.actions.as_ref()).flatten();
        entries
            .into_iter()
            .any(|a| *a == "*" || a.to_ascii_lowercase().starts_with(&start))
    };
    for statement in &denies {
        let entries = statement
            .actions
            .iter()
            .chain(&statement.not_actions)
            .flatten();
        for written in entries {
            let fault = fault(written, misprints, &denied);
            out.extend(fault.map(|(meant, why)| Misnamed {
                statement: statement.label(),
                written: written.clone(),
                meant,
                why,
            }));
        }
    }
    out.sort();
    out.dedup();
    out
}

fn fault(
    written: &str,
    misprints: &[(String, String)],
    denied: &dyn Fn(&str) -> bool,
) -> Option<(Vec<String>, String)> {
    let table = actions();
    let misprint = misprints
        .iter()
        .find(|(wrong, _)| wrong.eq_ignore_ascii_case(written));
    if let Some((_, right)) = misprint.filter(|_| !table.is_known_action(written)) {
        return Some((
            vec![right.clone()],
            "a misprinted event, not an action".to_owned(),
        ));
    }
    let (prefix, name) = match written.split_once(':') {
        Some(parts) => parts,
        None if written.contains('*') => return None,
        None => return Some((Vec::new(), "it names no service".to_owned())),
    };
    // A prefix with wildcards names no single service; it misses when it covers nothing.
    if prefix.contains(['*', '?']) {
        let covers = !table.matching(written).is_empty();
        return (!covers).then(|| (Vec::new(), "it covers no action of AWS".to_owned()));
    }
    let lower = prefix.to_ascii_lowercase();
    if let Some((_, modern)) = RETIRED.iter().find(|(retired, _)| *retired == lower)
        && !denied(modern)
    {
        return Some((
            meant(table, modern, name),
            format!("`{lower}` is a retired product; today it is `{modern}`"),
        ));
    }
    if table.service(prefix).is_some() && !table.matching(written).is_empty() {
        return None;
    }
    if let Some(action) = Call::action_of(&lower, name) {
        let why = "it is an event name, not an action".to_owned();
        return Some((vec![action.to_owned()], why));
    }
    let service = lower.split('.').next().unwrap_or_default();
    let alias = PREFIXES
        .iter()
        .find(|(wrong, _)| *wrong == service)
        .map(|(_, right)| *right);
    let bare = without_date(name);
    let found: Vec<String> = [alias, Some(service)]
        .into_iter()
        .flatten()
        .flat_map(|prefix| meant(table, prefix, bare))
        .collect();
    let why = match (table.service(prefix), lower.contains('.')) {
        (None, true) => format!("`{lower}` is an event source, not a service prefix"),
        (None, false) => format!("`{lower}` is no service prefix"),
        (Some(_), _) if bare != name => "it is an event name, not an action".to_owned(),
        (Some(_), _) => format!("`{lower}` has no such action"),
    };
    Some((found, why))
}

/// The action of that name under a prefix, if there is one.
fn meant(table: &ActionTable, prefix: &str, name: &str) -> Vec<String> {
    if name.contains(['*', '?']) {
        let written = format!("{prefix}:{name}");
        let covers = table.service(prefix).is_some() && !table.matching(&written).is_empty();
        return covers.then_some(written).into_iter().collect();
    }
    let action = table.find(&format!("{prefix}:{name}"));
    action
        .map(|action| action.full_name())
        .into_iter()
        .collect()
}

/// An event name without the date and version that Lambda appends.
fn without_date(name: &str) -> &str {
    let bare = match name.rsplit_once('v') {
        Some((bare, version))
            if !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) =>
        {
            bare
        }
        _ => name,
    };
    match bare
        .len()
        .checked_sub(8)
        .and_then(|at| bare.split_at_checked(at))
    {
        Some((bare, date)) if date.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ => name,
    }
}

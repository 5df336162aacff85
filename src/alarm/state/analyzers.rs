//! Access Analyzer: the account's own analyzers, and those of its organization.

use std::collections::BTreeSet;

use palisade_model::{AnalyzerState, Observed, Region, Snapshot};

use super::{Faults, Service, State, delegated_to, delegates_unread, organization};

pub(super) fn access_analyzer(
    snapshot: &Snapshot,
    account: &str,
    name: &str,
    region: &Region,
) -> State {
    // An analyzer of the organization stands in its administrator's account only.
    let mut missing: Vec<String> = Vec::new();
    let mut kinds: Vec<&str> = Vec::new();
    let mut faults = Faults::default();
    let mut lists = vec![(&region.analyzers, false)];
    for central in central_accounts(snapshot, account, &mut missing) {
        let there = snapshot.accounts.get(central);
        match there.map(|there| &there.regions) {
            Some(Observed::Value(regions)) => {
                let region = regions.get(name);
                lists.extend(region.map(|region| (&region.analyzers, true)));
            }
            Some(Observed::Gap(gap)) => missing.push(gap.to_string()),
            Some(_) => {}
            None => missing.push(format!(
                "account {central}, which may hold the organization's analyzers, was not looked at"
            )),
        }
    }
    for (analyzers, central) in lists {
        match analyzers {
            Observed::Value(analyzers) => {
                let watching = analyzers
                    .iter()
                    .filter(|(_, a)| !central || a.kind.starts_with("ORGANIZATION"));
                for (name, analyzer) in watching {
                    match (analyzer.status.as_str(), analyzer.kind.as_str()) {
                        ("", _) | ("ACTIVE", "") => {
                            missing.push(format!(
                                "what the analyzer `{name}` is and whether it works"
                            ));
                        }
                        ("ACTIVE", kind) => {
                            kinds.push(kind);
                            archived(name, analyzer, &mut faults);
                        }
                        _ => {}
                    }
                }
            }
            Observed::Gap(gap) => missing.push(gap.to_string()),
            Observed::NotApplicable(why) if !central => return State::not_applicable(why),
            _ => {}
        }
    }
    let external = kinds
        .iter()
        .any(|kind| matches!(*kind, "ACCOUNT" | "ORGANIZATION"));
    let unused = kinds.iter().any(|kind| kind.ends_with("_UNUSED_ACCESS"));
    match (external, unused, missing.is_empty()) {
        (true, true, _) => {}
        (false, _, false) => return State::Unknown { missing },
        (false, _, true) => return State::off("no active analyzer looks for external access"),
        (true, false, false) => faults.unread("unused-access", missing.join("; ")),
        (true, false, true) => {
            faults.add("unused-access", "no analyzer looks for unused access");
        }
    }
    faults.state()
}

/// Rules that put findings away before anybody has seen them. One that names a resource or a
/// principal is somebody's decision; one that names neither hides every finding of its kind.
///
/// Source: "Archive rules" and "IAM Access Analyzer filter keys", IAM User Guide.
fn archived(name: &str, analyzer: &AnalyzerState, faults: &mut Faults) {
    if !matches!(analyzer.kind.as_str(), "ACCOUNT" | "ORGANIZATION") {
        return;
    }
    let rules = match &analyzer.archive_rules {
        Observed::Value(rules) => rules,
        Observed::Gap(gap) => return faults.unread("archived", gap),
        _ => return,
    };
    for (rule, filter) in rules {
        let keys = filter.as_object();
        // Only what a finding has to be like counts: a key that must not be so narrows little.
        let narrow = keys.is_some_and(|keys| {
            keys.iter().any(|(key, wanted)| {
                let named = key == "resource"
                    || key == "id"
                    || key.starts_with("principal.")
                    || key.starts_with("condition.");
                named && wanted.get("neq").is_none() && wanted.get("exists").is_none()
            })
        });
        if !narrow {
            let says = format!(
                "the archive rule `{rule}` of `{name}` hides findings of any principal and resource"
            );
            faults.add("archived", says);
        }
    }
}

/// Other accounts whose analyzers may watch this one: the organization's administrator for them,
/// and its management account.
///
/// Source: "Settings for IAM Access Analyzer", IAM User Guide.
fn central_accounts<'s>(
    snapshot: &'s Snapshot,
    account: &str,
    missing: &mut Vec<String>,
) -> BTreeSet<&'s str> {
    missing.extend(delegates_unread(snapshot).map(ToString::to_string));
    let Some(organization) = organization(snapshot) else {
        return BTreeSet::new();
    };
    let delegate = delegated_to(snapshot, Service::AccessAnalyzer);
    let management = Some(organization.management_account.as_str());
    let both = [delegate, management].into_iter().flatten();
    both.filter(|id| *id != account && !id.is_empty()).collect()
}

//! Access Analyzer: the account's own analyzers, and those of its organization.

use std::collections::BTreeSet;

use palisade_model::{Observed, Region, Snapshot};

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
            Observed::Value(analyzers) => kinds.extend(
                analyzers
                    .values()
                    .filter(|a| matches!(a.status.as_str(), "ACTIVE" | ""))
                    .map(|a| a.kind.as_str())
                    .filter(|kind| !central || kind.starts_with("ORGANIZATION")),
            ),
            Observed::Gap(gap) => missing.push(gap.to_string()),
            Observed::NotApplicable(why) if !central => return State::not_applicable(why),
            _ => {}
        }
    }
    let external = kinds
        .iter()
        .any(|kind| matches!(*kind, "ACCOUNT" | "ORGANIZATION"));
    let unused = kinds.iter().any(|kind| kind.ends_with("_UNUSED_ACCESS"));
    let mut faults = Faults::default();
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

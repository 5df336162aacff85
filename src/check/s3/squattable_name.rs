//! `s3-squattable-name`: a bucket name that a service in use would write to is still free.
//!
//! Bucket names are global. A name that account and region give away, and that nobody has made
//! yet, can be taken by a stranger, who then receives what the service uploads. Asked only for
//! services that are in use in the region, and only where all buckets were listed.

use std::collections::BTreeSet;

use palisade_model::{Account, Observed, Region};
use palisade_secrets::names;

use super::super::{Estate, Evidence, Findings, Outcome, missing};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for (id, account) in estate.accounts() {
        let outcome = match &account.s3.buckets {
            Observed::Gap(gap) => missing([gap.as_ref()]),
            buckets => {
                let own: BTreeSet<&str> = buckets
                    .value()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str())
                    .collect();
                judge(id, account, &own)
            }
        };
        found.at(id, "", id, outcome);
    }
}

fn judge(id: &str, account: &Account, own: &BTreeSet<&str>) -> Outcome {
    if let Some(gap) = account.regions.gap() {
        return missing([gap]);
    }
    let mut evidence = Vec::new();
    for (name, region) in account.enabled_regions() {
        for candidate in names::squattable(id, name) {
            if !own.contains(candidate.name.as_str()) && is_used(&candidate.service, region) {
                evidence.push(Evidence::from(format!(
                    "{} is in use in {name}, and `{}` is not among this account's buckets",
                    candidate.service, candidate.name
                )));
            }
        }
    }
    if evidence.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail { evidence }
    }
}

/// Whether anything of the service was listed in the region.
fn is_used(service: &str, region: &Region) -> bool {
    let prefix = format!("{service}.");
    region.resources.iter().any(|(kind, list)| {
        kind.starts_with(&prefix) && list.value().is_some_and(|list| !list.is_empty())
    })
}

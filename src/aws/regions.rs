//! Which regions an account has on, and which the user asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_model::{Gap, GapKind, Observed, Partition, RegionState};
use serde_json::{Value, json};

use crate::engine::Visit;
use crate::generic::Rows;
use crate::options::{Options, glob};
use crate::path;
use crate::{CollectError, services};

/// Every region that this build knows.
pub fn known_regions() -> impl Iterator<Item = &'static str> {
    let all = Partition::ALL.into_iter();
    all.flat_map(|partition| [partition.regions(), partition.opt_in_regions()])
        .flatten()
        .copied()
}

/// Checks what was typed: a glob must fit a region that exists.
pub fn check_regions(patterns: &[String]) -> Result<(), CollectError> {
    for pattern in patterns {
        // A new region is not known here yet; a name that looks like one is taken at its word
        // unless it is a slip of a known one.
        if known_regions().any(|region| glob(pattern, region)) {
            continue;
        }
        let suggestion = known_regions()
            .map(|region| (distance(region, pattern), region))
            .min()
            .filter(|(distance, _)| *distance <= 3)
            .map(|(_, region)| region.to_owned());
        return Err(CollectError::UnknownRegion {
            region: pattern.clone(),
            suggestion,
        });
    }
    Ok(())
}

/// Edits between two names.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

/// Whether the user wants that region looked at.
pub(crate) fn is_asked(options: &Options, region: &str) -> bool {
    let among = |globs: &[String]| globs.iter().any(|pattern| glob(pattern, region));
    (options.regions.is_empty() || among(&options.regions)) && !among(&options.exclude_regions)
}

/// The account's regions and their states.
pub(crate) struct Regions {
    pub(crate) states: BTreeMap<String, RegionState>,
    /// Why the list may be wrong: no call gave it.
    pub(crate) gap: Option<Gap>,
}

/// Asks the account for its regions; falls back on those that EC2 names, then on those that are
/// on in every account.
pub(crate) async fn regions(visit: &Arc<Visit>) -> Regions {
    let home = visit.home();
    let listed = home.json_pages(
        &services::ACCOUNT,
        "ListRegions",
        "POST /listRegions",
        json!({"MaxResults": 50}),
        Rows::new(
            "Regions[]",
            &["RegionName", "RegionOptStatus"],
            ("NextToken", "NextToken"),
        ),
    );
    let (states, gap) = match listed.await {
        Observed::Value(listed) if listed.iter().all(|entry| named(entry).is_some()) => {
            (listed.iter().filter_map(named).collect(), None)
        }
        Observed::Value(_) => {
            let gap = Gap::new("account:ListRegions", GapKind::Unparsable);
            (by_default(visit.partition), Some(gap))
        }
        other => match by_ec2(visit).await {
            Some(states) => (states, None),
            None => (by_default(visit.partition), other.gap().cloned()),
        },
    };
    let options = &visit.engine.options;
    let states: BTreeMap<String, bool> = states;
    let states = states
        .into_iter()
        .map(|(name, on)| {
            let state = match (on, is_asked(options, &name)) {
                (false, _) => RegionState::Off,
                (true, true) => RegionState::Enabled,
                (true, false) => RegionState::NotAsked,
            };
            (name, state)
        })
        .collect();
    Regions { states, gap }
}

/// A region and whether it is on. One that is being switched off still holds what it held.
fn named(entry: &Value) -> Option<(String, bool)> {
    let status = path::text(entry, "RegionOptStatus")?;
    Some((path::text(entry, "RegionName")?, status != "DISABLED"))
}

async fn by_ec2(visit: &Arc<Visit>) -> Option<BTreeMap<String, bool>> {
    let answer = visit
        .home()
        .json(&services::EC2, "DescribeRegions", "", json!({}))
        .await;
    let names = path::texts(answer.value()?, "regionInfo.item[].regionName");
    (!names.is_empty()).then(|| names.into_iter().map(|name| (name, true)).collect())
}

fn by_default(partition: Partition) -> BTreeMap<String, bool> {
    let names = partition.regions().iter();
    names.map(|name| ((*name).to_owned(), true)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_named_with_what_was_meant() {
        let check = |name: &str| check_regions(&[name.to_owned()]);
        assert!(check("eu-central-1").is_ok());
        assert!(check("eu-*").is_ok());
        let Err(CollectError::UnknownRegion { suggestion, .. }) = check("eu-centrall-1") else {
            panic!("a typo is no region");
        };
        assert_eq!(suggestion.as_deref(), Some("eu-central-1"));
        assert!(check("mars-*").is_err());
    }
}

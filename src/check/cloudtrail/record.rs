//! `cloudtrail-log-bucket-exposed` and `cloudtrail-log-key-exposed`: outsiders can read, change or
//! destroy the record that everything else is measured by.
//!
//! Each trail is judged once, where it is at home. A bucket or key of an account that the scan
//! does not cover is said to be, and is no gap.

use palisade_model::{Arn, Observed, Trail};

use crate::check::security::record::{self, Bared};
use crate::check::{Estate, Evidence, Findings, Outcome};

pub(super) fn bucket(estate: &Estate<'_>, found: &mut Findings<'_>) {
    each(estate, found, |trail| {
        let bared = record::bucket(estate.snapshot, estate.exposure, trail);
        let where_it_is = format!("the bucket `{}`", trail.bucket);
        outcome(bared, &where_it_is)
    });
}

pub(super) fn key(estate: &Estate<'_>, found: &mut Findings<'_>) {
    each(estate, found, |trail| match &trail.kms_key {
        None => Outcome::NotApplicable {
            why: "the trail has no key of its own".to_owned(),
        },
        Some(key) => {
            let bared = record::key(estate.snapshot, estate.exposure, key);
            outcome(bared, &format!("the key `{}`", key.name()))
        }
    });
}

/// Every trail, where it is at home; the organization's in a member only where its home was not
/// looked at, or does not name it.
fn each(estate: &Estate<'_>, found: &mut Findings<'_>, judge: impl Fn(&Trail) -> Outcome) {
    for (account, data) in estate.accounts() {
        match &data.trails {
            Observed::Value(trails) => {
                let at_home = |arn: &Arn| {
                    let home = estate.snapshot.accounts.get(arn.account());
                    let named = home.and_then(|home| home.trails.value()?.get(arn));
                    arn.account() == account || named.is_none()
                };
                for (arn, trail) in trails.iter().filter(|(arn, _)| at_home(arn)) {
                    found.at(account, &trail.home_region, arn.as_str(), judge(trail));
                }
            }
            Observed::Gap(gap) => found.unread(account, "", gap),
            _ => {}
        }
    }
}

fn outcome(bared: Bared, what: &str) -> Outcome {
    if !bared.says.is_empty() {
        let evidence = bared.says.into_iter();
        return Outcome::Fail {
            evidence: evidence
                .map(|(says, source)| Evidence::from(says).from_source(source))
                .collect(),
        };
    }
    if !bared.missing.is_empty() {
        let mut missing = bared.missing;
        missing.sort();
        missing.dedup();
        return Outcome::Unknown { missing };
    }
    match bared.beyond {
        Some(why) => Outcome::NotApplicable {
            why: format!("{what}: {why}"),
        },
        None => Outcome::Pass,
    }
}

//! What a check may look at.

use std::collections::BTreeMap;

use super::security::Security;
use palisade_model::listing::Listing;
use palisade_model::{
    Account, Arn, Bucket, Function, Gap, Listed, Observed, Region, RegionState, Resource, Role,
    Snapshot, User,
};

use crate::exposure::Exposure;
use crate::policy::Engine;

/// The snapshot and everything that was concluded from it.
pub struct Estate<'a> {
    /// The facts.
    pub snapshot: &'a Snapshot,
    /// Who may do what.
    pub engine: &'a Engine,
    /// Who can reach what from outside.
    pub exposure: &'a Exposure,
    /// The security services, their guardrails and alarms, worked out when first asked for.
    pub security: Security<'a>,
}

/// Something found in an account and region, or the gap where the list of such things should be.
pub struct Located<'a, T> {
    /// The account's id.
    pub account: &'a str,
    /// The region; empty for global resources.
    pub region: &'a str,
    /// The resource with its name, or what was not read.
    pub item: Result<(&'a str, &'a T), &'a Gap>,
}

impl<'a> Estate<'a> {
    /// Everything that follows from `snapshot`, with its engine, exposure and security services.
    pub fn new(
        snapshot: &'a Snapshot,
        engine: &'a Engine,
        exposure: &'a Exposure,
        security: Security<'a>,
    ) -> Self {
        Estate {
            snapshot,
            engine,
            exposure,
            security,
        }
    }

    /// Every account with its id.
    pub fn accounts(&self) -> impl Iterator<Item = (&'a str, &'a Account)> + use<'a> {
        self.snapshot
            .accounts
            .iter()
            .map(|(id, account)| (id.as_str(), account))
    }

    /// Every region that takes part; for an account whose regions are unread, that gap, which
    /// stands beside the regions that were guessed.
    pub fn regions(&self) -> impl Iterator<Item = Located<'a, Region>> + use<'a> {
        self.accounts().flat_map(|(account, data)| {
            let gap = data.regions.gap().or(data.regions_gap.as_ref());
            let unread = gap.map(|gap| Located {
                account,
                region: "",
                item: Err(gap),
            });
            let enabled = data.enabled_regions().map(move |(name, region)| Located {
                account,
                region: name.as_str(),
                item: Ok((name.as_str(), region)),
            });
            unread.into_iter().chain(enabled)
        })
    }

    /// Every IAM user.
    pub fn users(&self) -> Vec<Located<'a, User>> {
        self.accounts()
            .flat_map(|(id, account)| located(id, "", &account.iam.users))
            .collect()
    }

    /// Every IAM role.
    pub fn roles(&self) -> Vec<Located<'a, Role>> {
        self.accounts()
            .flat_map(|(id, account)| located(id, "", &account.iam.roles))
            .collect()
    }

    /// Every bucket.
    pub fn buckets(&self) -> Vec<Located<'a, Bucket>> {
        self.accounts()
            .flat_map(|(id, account)| located(id, "", &account.s3.buckets))
            .collect()
    }

    /// Every Lambda function.
    pub fn functions(&self) -> Vec<Located<'a, Function>> {
        self.in_regions(|account, name, region| located(account, name, &region.functions))
    }

    /// Every resource of a kind such as `glue.job`, in the regions that take part, and a gap
    /// where the kind was not collected. Of a kind that no listing reads there is nothing to say.
    pub fn resources(&self, kind: &str) -> Vec<Located<'a, Resource>> {
        let mut found = Vec::new();
        for (account, data) in self.accounts() {
            let left_out = |region: &str| {
                let region = data.regions.value().and_then(|all| all.get(region));
                region.is_some_and(|region| region.state == RegionState::NotAsked)
            };
            for (region, listed) in data.listed(kind) {
                let at = |item| Located {
                    account,
                    region,
                    item,
                };
                match listed {
                    Listed::All(all) => {
                        found.extend(all.iter().map(|(name, one)| at(Ok((name.as_str(), one)))));
                    }
                    Listed::Unread(gap) if Listing::of(kind).is_some() && !left_out(region) => {
                        found.push(at(Err(gap)));
                    }
                    Listed::Unread(_) | Listed::None => {}
                }
            }
        }
        found
    }

    fn in_regions<T>(
        &self,
        list: impl Fn(&'a str, &'a str, &'a Region) -> Vec<Located<'a, T>>,
    ) -> Vec<Located<'a, T>> {
        self.regions()
            .flat_map(|place| match place.item {
                Ok((name, region)) => list(place.account, name, region),
                Err(gap) => vec![Located {
                    account: place.account,
                    region: "",
                    item: Err(gap),
                }],
            })
            .collect()
    }

    /// The ARN of a bucket.
    pub fn bucket_arn(&self, name: &str) -> Arn {
        Arn::new(format!("arn:{}:s3:::{name}", self.snapshot.partition))
    }
}

/// The members of a list, or its gap. Absent and not applicable are empty.
pub fn located<'a, T>(
    account: &'a str,
    region: &'a str,
    list: &'a Observed<BTreeMap<String, T>>,
) -> Vec<Located<'a, T>> {
    match list {
        Observed::Value(map) => map
            .iter()
            .map(|(name, item)| Located {
                account,
                region,
                item: Ok((name.as_str(), item)),
            })
            .collect(),
        Observed::Gap(gap) => vec![Located {
            account,
            region,
            item: Err(gap),
        }],
        Observed::Absent | Observed::NotApplicable(_) => Vec::new(),
    }
}

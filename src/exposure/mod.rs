//! Who can reach a resource from outside: buckets, functions, snapshots, trusts.
//!
//! [`Exposure`] is a pure function of the snapshot. It answers for the outer doors only: what a
//! principal inside may do is for `policy`, and where one gets from there is for `graph`.
//! Every answer has two ends: what is proven whatever the unread facts are, and what is possible
//! at their worst. Nothing unread counts as closed, and nothing unread counts as open.

mod audience;
mod bucket;
mod by_access_point;
mod by_acl;
mod cdn;
mod doors;
mod judged;
pub mod keys;
mod kms;
mod network;
mod openings;
mod outsider;
pub mod proof;
mod provider;
mod reading;
mod resource;
mod search;
mod states;
mod subject;
mod surroundings;
mod trust;
mod verdict;
mod view;
mod words;

use std::collections::BTreeMap;

use palisade_model::{AccountId, Arn, Snapshot};

use crate::policy::Interner;

pub use audience::{Audience, Barrier, Capability, Network, Opening, Path, Scope, Stop, Verdict};
pub use doors::{FunctionExposure, InstanceExposure, PoolExposure, ResourceExposure};
pub use judged::BucketExposure;
pub(crate) use subject::federation;
pub use subject::{Federation, LooseSubject};
pub use trust::{FederatedDoor, TrustExposure};

use cdn::Distributions;
use surroundings::Surroundings;

/// Everything outsiders can reach.
///
/// A resource that is not in a map was not listed; the snapshot holds the gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Buckets by account and name.
    pub buckets: BTreeMap<(AccountId, String), BucketExposure>,
    /// Roles by ARN: whom outside their trust policies let in.
    pub trusts: BTreeMap<Arn, TrustExposure>,
    /// Functions by ARN.
    pub functions: BTreeMap<Arn, FunctionExposure>,
    /// Queues, topics, secrets, keys, repositories, snapshots and images by ARN.
    pub resources: BTreeMap<Arn, ResourceExposure>,
    /// Instances by ARN.
    pub instances: BTreeMap<Arn, InstanceExposure>,
    /// Cognito identity pools by ARN.
    pub pools: BTreeMap<Arn, PoolExposure>,
}

impl Exposure {
    /// Judges every outer door of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut compiled = Interner::default();
        let around = Surroundings::of(snapshot, &mut compiled);
        let distributions = Distributions::of(snapshot);
        let mut found = Exposure::default();
        for (id, account) in &snapshot.accounts {
            for (name, bucket) in account.s3.buckets.value().into_iter().flatten() {
                let (owner, bucket) = ((id, account), (name.as_str(), bucket));
                let judged = judged::judge(owner, bucket, &around, &distributions, &mut compiled);
                found.buckets.insert((id.clone(), name.clone()), judged);
            }
            let roles = account
                .iam
                .roles
                .value()
                .into_iter()
                .flat_map(BTreeMap::values);
            for role in roles.filter(|role| !role.is_service_linked()) {
                let judged = trust::trust(id, role, &around, &mut compiled);
                found.trusts.insert(role.arn.clone(), judged);
            }
            let global = doors::resources((id, ""), &account.resources, &around, &mut compiled);
            found.resources.extend(global);
            for (name, region) in account.enabled_regions() {
                for function in region
                    .functions
                    .value()
                    .into_iter()
                    .flat_map(BTreeMap::values)
                {
                    let judged = doors::function(id, function, &around, &mut compiled);
                    found.functions.insert(function.arn.clone(), judged);
                }
                let here = doors::resources((id, name), &region.resources, &around, &mut compiled);
                found.resources.extend(here);
                found.instances.extend(doors::instances(region));
                found.pools.extend(doors::pools(region));
            }
        }
        found
    }
}

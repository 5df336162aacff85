//! Who can reach a resource from outside: buckets, functions, snapshots, trusts.
//!
//! [`Exposure`] is a pure function of the snapshot. It answers for the outer doors only: what a
//! principal inside may do is for `policy`, and where one gets from there is for `graph`.
//! Every answer has two ends: what is proven whatever the unread facts are, and what is possible
//! at their worst. Nothing unread counts as closed, and nothing unread counts as open.

mod audience;
mod bucket;
mod cdn;
mod kms;
mod network;
mod openings;
mod outsider;
mod reading;
mod search;
mod states;
mod surroundings;
mod verdict;
mod view;
mod words;

use std::collections::BTreeMap;

use palisade_model::{AccountId, Snapshot};

use crate::policy::Interner;

pub use audience::{Audience, Barrier, Capability, Network, Opening, Path, Scope, Stop, Verdict};
pub use verdict::BucketExposure;

use cdn::Distributions;
use surroundings::Surroundings;

/// Everything outsiders can reach.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    /// Buckets by account and name.
    pub buckets: BTreeMap<(AccountId, String), BucketExposure>,
}

impl Exposure {
    /// Judges every outer door of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut compiled = Interner::default();
        let around = Surroundings::of(snapshot, &mut compiled);
        let distributions = Distributions::of(snapshot);
        let mut buckets = BTreeMap::new();
        for (id, account) in &snapshot.accounts {
            for (name, bucket) in account.s3.buckets.value().into_iter().flatten() {
                let found = verdict::judge(
                    (id, account),
                    (name, bucket),
                    &around,
                    &distributions,
                    &mut compiled,
                );
                buckets.insert((id.clone(), name.clone()), found);
            }
        }
        Exposure { buckets }
    }
}

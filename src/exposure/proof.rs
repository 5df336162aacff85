//! Which unsigned requests would prove that a bucket is public, and whether the answers agree.
//!
//! At most two for each bucket, and only where the verdict says or cannot rule out that
//! everybody gets in unsigned. Nothing is planned for what would need an AWS account, a CDN, a
//! certain network, or a write: those stay with reasoning.

use palisade_model::{
    AccountId, Bucket, ObjectEntry, ProofAnswer, ProofAsk, ProofRequest, ProofResult, Snapshot,
};

use super::Exposure;
use super::audience::{Audience, Capability};
use super::judged::BucketExposure;

/// The requests that would prove or disprove what is said of the scanned accounts' buckets, in
/// order of account and name.
pub fn plan(snapshot: &Snapshot, exposure: &Exposure) -> Vec<ProofRequest> {
    let mut requests = Vec::new();
    for ((account, name), found) in &exposure.buckets {
        let buckets = snapshot
            .accounts
            .get(account)
            .and_then(|data| data.s3.buckets.value());
        let Some(bucket) = buckets.and_then(|buckets| buckets.get(name)) else {
            continue;
        };
        requests.extend(of_bucket((account, name), bucket, found));
    }
    requests
}

fn of_bucket(
    (account, name): (&AccountId, &str),
    bucket: &Bucket,
    found: &BucketExposure,
) -> Vec<ProofRequest> {
    let request = |ask| ProofRequest {
        account: account.clone(),
        bucket: name.to_owned(),
        region: bucket.region.clone(),
        ask,
    };
    let mut out = Vec::new();
    if bucket.region.is_empty() || name.ends_with("--x-s3") {
        return out;
    }
    if found.verdict(Capability::List).at_most == Audience::Public {
        out.push(request(ProofAsk::List));
    }
    let entries = bucket
        .objects
        .value()
        .into_iter()
        .flat_map(|listing| &listing.objects);
    let open = entries.filter(|entry| {
        let key = (entry.key.clone(), entry.version.clone());
        found
            .objects
            .get(&key)
            .is_some_and(|verdict| verdict.at_most == Audience::Public)
    });
    // A file that does not look like a credential proves as much.
    let plain = |entry: &&ObjectEntry| (entry.pattern.is_some(), entry.size, entry.key.clone());
    if let Some(entry) = open.min_by_key(plain) {
        out.push(request(ProofAsk::Get {
            key: entry.key.clone(),
            version: entry.version.clone(),
        }));
    }
    out
}

/// What a proof says against the verdict, in a sentence; `None` when the two agree or the answer
/// is unclear. A refusal does not disprove what a condition on the sender's address allows.
pub fn contradiction(exposure: &Exposure, result: &ProofResult) -> Option<String> {
    let request = &result.request;
    let found = exposure
        .buckets
        .get(&(request.account.clone(), request.bucket.clone()))?;
    let verdict = match &request.ask {
        ProofAsk::List => found.verdict(Capability::List),
        ProofAsk::Get { key, version } => found.objects.get(&(key.clone(), version.clone()))?,
    };
    match result.answer.value()? {
        ProofAnswer::Served if verdict.at_most != Audience::Public => Some(format!(
            "an unsigned request was served, and the configuration says {} at most",
            verdict.at_most
        )),
        ProofAnswer::Refused(code) if verdict.at_least == Audience::Public => Some(format!(
            "an unsigned request was refused with {code}, and the configuration lets everybody in"
        )),
        _ => None,
    }
}

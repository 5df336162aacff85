//! What the user asked for, checked by the caller; and how a scan is stopped.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use palisade_model::{Bucket, ProofRequest, Snapshot, Time};
use tokio::sync::watch;

use crate::purse::Price;

/// Decides whether a bucket's objects are listed: `(name, bucket) → yes`.
pub type WantsListing = Arc<dyn Fn(&str, &Bucket) -> bool + Send + Sync>;

/// Plans the unsigned requests that would prove what a snapshot says is public.
pub type PlansProof = Arc<dyn Fn(&Snapshot) -> Vec<ProofRequest> + Send + Sync>;

/// Everything a scan can be told.
#[derive(Clone, Default)]
pub struct Options {
    /// Profiles to scan with, one account each. Empty: the default credential chain.
    pub profiles: Vec<String>,
    /// A role to assume first, with each of the profiles.
    pub role_arn: Option<String>,
    /// The external ID its trust policy asks for.
    pub external_id: Option<String>,
    /// The session's name; empty: `palisade`.
    pub role_session_name: Option<String>,
    /// Regions to look at, as globs. Empty: all that are on.
    pub regions: Vec<String>,
    /// Regions to leave out, as globs.
    pub exclude_regions: Vec<String>,
    /// Whether and how to visit the organization's accounts.
    pub org: Option<OrgOptions>,
    /// Send every call there instead of to AWS.
    pub endpoint_url: Option<String>,
    /// The most requests a second, over everything.
    pub max_rps: Option<f64>,
    /// The most requests in flight. Default: 256.
    pub concurrency: Option<usize>,
    /// After so long, what is unread becomes a gap and the scan ends.
    pub timeout: Option<Duration>,
    /// Whether to read the content of objects.
    pub read_content: bool,
    /// How far to look into buckets.
    pub objects: ObjectOptions,
    /// Which buckets' objects to list. Default: those that no block fully closes.
    pub wants_listing: Option<WantsListing>,
    /// Which unsigned requests to send once everything was read. Default: none.
    pub proof: Option<PlansProof>,
    /// An interrupted scan to finish: what it read stands, what it missed is read.
    pub resume: Option<Snapshot>,
    /// The snapshot's time. Default: now.
    pub taken_at: Option<Time>,
}

/// Visiting an organization.
#[derive(Clone, Debug, Default)]
pub struct OrgOptions {
    /// The role to assume in each member account; empty: `palisade-scan`.
    pub role_name: String,
    /// Only accounts below these units.
    pub ou: Vec<String>,
    /// Only these accounts.
    pub accounts: Vec<String>,
    /// Not these accounts.
    pub exclude_accounts: Vec<String>,
}

/// Limits of listing and reading, per bucket.
#[derive(Clone, Debug)]
pub struct ObjectOptions {
    /// Keys seen before a listing stops as a sample.
    pub max_keys: u64,
    /// List requests before a listing stops as a sample.
    pub max_pages: u64,
    /// Objects kept by name.
    pub max_named: usize,
    /// Objects read.
    pub max_reads: usize,
    /// Bytes read, over all buckets.
    pub max_bytes: u64,
    /// Bytes read of one object.
    pub max_object_bytes: u64,
    /// Dollars that listing and reading may cost together.
    pub max_cost: Option<f64>,
    /// Prices of one's own, instead of those of this crate.
    pub prices: Vec<Price>,
    /// The fingerprint key of matches; empty: a fixed one, good within one scan only.
    pub fingerprint_key: Vec<u8>,
}

impl Default for ObjectOptions {
    fn default() -> Self {
        ObjectOptions {
            max_keys: 100_000,
            max_pages: 200,
            max_named: 500,
            max_reads: 500,
            max_bytes: 256 << 20,
            max_object_bytes: 1 << 20,
            max_cost: None,
            prices: Vec::new(),
            fingerprint_key: Vec::new(),
        }
    }
}

impl ObjectOptions {
    /// The most list requests that one bucket can take, versions included.
    pub(crate) fn max_lists(&self) -> u64 {
        let by_name = crate::objects_list::DIRECT.len() as u64;
        self.max_pages.max(1) + 2 * by_name + crate::objects_list::VERSION_PAGES
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("profiles", &self.profiles)
            .field("role_arn", &self.role_arn)
            .field("regions", &self.regions)
            .field("org", &self.org)
            .field("endpoint_url", &self.endpoint_url)
            .finish_non_exhaustive()
    }
}

/// Stops a scan: shared between the collectors and whoever catches the signal. After it, no call
/// is begun, calls in flight get a short grace, and the snapshot holds gaps for the rest.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Default for Cancel {
    fn default() -> Self {
        Cancel(Arc::new(watch::channel(false).0))
    }
}

impl Cancel {
    /// Stops the scan.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was stopped.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it was stopped.
    pub async fn cancelled(&self) {
        let mut seen = self.0.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = seen.wait_for(|stopped| *stopped).await;
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            text.starts_with(head)
                && (0..=text.len() - head.len())
                    .filter_map(|skip| text.get(head.len() + skip..))
                    .any(|rest| glob(tail, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit_names() {
        assert!(glob("eu-*", "eu-central-1"));
        assert!(glob("*-1", "eu-central-1"));
        assert!(glob("*", ""));
        assert!(glob("eu-central-1", "eu-central-1"));
        assert!(!glob("eu-*-2", "eu-central-1"));
        assert!(!glob("us-*", "eu-central-1"));
    }
}

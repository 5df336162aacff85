//! Encryption as a lock: a stranger reads an object under a KMS key only if the key lets him,
//! and a request without a signature never can.
//!
//! Source: "Using server-side encryption with AWS KMS keys", S3 User Guide.

use std::collections::BTreeSet;

use palisade_model::{Bucket, Gap, Observed};

use crate::policy::Interner;
use crate::policy::document::Effect;

use super::audience::Barrier;
use super::bucket::{Rules, denials, rules};
use super::openings::Granted;
use super::outsider::{outsiders, places};
use super::search::{Candidate, Granting, Lens, Reach, Search, statements};
use super::states::Target;
use super::surroundings::Surroundings;
use super::view::{Gaps, Unread, View};
use super::words::Words;

/// Whether what is meant is under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// No, or not for certain everything.
    None,
    /// Under a KMS key.
    Kms,
    /// Under a key that only its writer has.
    Customer,
    /// Nobody could look.
    Unread,
}

/// Who may decrypt under the key a bucket encrypts with.
pub(super) enum KeyUse {
    /// These circles.
    By { reaches: BTreeSet<Reach>, cdn: bool },
    /// Not read.
    Unread,
}

impl KeyUse {
    /// Reads the key of a bucket's default encryption. The key that AWS keeps for S3 serves
    /// its own account only.
    pub(super) fn of(
        bucket: &Bucket,
        account: &str,
        around: &Surroundings<'_>,
        gaps: &mut Gaps,
        compiled: &mut Interner,
    ) -> Self {
        let none = KeyUse::By {
            reaches: BTreeSet::new(),
            cdn: false,
        };
        let arn = match &bucket.kms_key {
            Observed::Value(arn) => arn,
            Observed::Absent | Observed::NotApplicable(_) => return none,
            Observed::Gap(gap) => {
                gaps.push(Unread::KmsKey, (**gap).clone());
                return KeyUse::Unread;
            }
        };
        if arn.as_str().ends_with("alias/aws/s3") {
            return none;
        }
        let key = around.snapshot.account_of(arn).and_then(|account| {
            let regions = account.regions.value()?;
            let keys = regions
                .get(arn.region())?
                .resources
                .get("kms.key")?
                .value()?;
            keys.values().find(|key| key.arn == *arn)
        });
        let Some(key) = key else {
            gaps.push(Unread::KmsKey, Gap::not_collected("kms:GetKeyPolicy"));
            return KeyUse::Unread;
        };
        match rules(
            &key.policy,
            Unread::KmsKey,
            "kms:GetKeyPolicy",
            gaps,
            compiled,
        ) {
            Rules::None => none,
            Rules::Unread => KeyUse::Unread,
            Rules::Read(policy) => {
                let mut words = Words::default();
                let document = policy.document().into_iter();
                document
                    .flat_map(|d| &d.statements)
                    .for_each(|s| words.read(s));
                let target = Target {
                    account,
                    organization: around.organization_id(),
                    region: arn.region(),
                    tags: None,
                    one_object: false,
                    fixed: &[],
                    now: around.snapshot.taken_at,
                    words: &words,
                };
                let without = BTreeSet::new();
                let search = Search {
                    target: &target,
                    outsiders: &outsiders(&words, account, around),
                    places: &places(&words, account, around),
                    denials: &denials(&policy, |_, _| Barrier::Kms),
                    lens: Lens {
                        open: false,
                        without: &without,
                    },
                    signed_only: true,
                };
                let resource = [Candidate {
                    arn: arn.to_string(),
                    pattern: None,
                }];
                let mut reaches = BTreeSet::new();
                for (compiled, written) in
                    statements(&policy).filter(|(c, _)| c.effect == Effect::Allow)
                {
                    let way = Granting::Statement(compiled, written);
                    reaches.extend(
                        search
                            .hits(&way, &["kms:Decrypt"], &resource)
                            .into_iter()
                            .map(|hit| hit.reach),
                    );
                }
                let cdn = words.services.contains("cloudfront.amazonaws.com");
                KeyUse::By { reaches, cdn }
            }
        }
    }

    /// Takes away what the lock keeps out, where everything meant is encrypted.
    pub(super) fn narrow(&self, lock: Lock, view: &View, granted: &mut [Granted]) {
        let locked = match lock {
            Lock::None => false,
            Lock::Kms | Lock::Customer => true,
            Lock::Unread => !view.is_open(&Unread::Encryption),
        };
        if !locked || view.without.contains(&Barrier::Kms) {
            return;
        }
        for way in granted {
            if lock == Lock::Customer {
                way.hits.clear();
                continue;
            }
            way.hits = std::mem::take(&mut way.hits)
                .into_iter()
                .filter_map(|mut hit| {
                    hit.reach = self.through(hit.reach, view)?;
                    Some(hit)
                })
                .collect();
        }
    }

    fn through(&self, reach: Reach, view: &View) -> Option<Reach> {
        let signed = match reach {
            Reach::Everyone => Reach::AnyAccount,
            Reach::Addresses { region, .. } => Reach::Addresses {
                region,
                signed: true,
            },
            Reach::Endpoint { vpc, endpoint, .. } => Reach::Endpoint {
                vpc,
                endpoint,
                signed: true,
            },
            other => other,
        };
        match self {
            KeyUse::Unread => view.is_open(&Unread::KmsKey).then_some(signed),
            KeyUse::By { cdn, .. } if signed == Reach::Cdn => cdn.then_some(signed),
            KeyUse::By { reaches, .. } => {
                let open =
                    reaches.contains(&Reach::AnyAccount) || reaches.contains(&Reach::Everyone);
                (open || reaches.contains(&signed)).then_some(signed)
            }
        }
    }
}

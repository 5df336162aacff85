//! S3 of one account: settings, buckets, access points and what was listed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Arn, Gap, Observed, PolicyText, ProofResult, RegionName, Time};

/// Everything S3 says about one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3 {
    /// The account's public access block, with the organization's folded in by S3.
    /// Absent: all four flags are off.
    pub public_access_block: Observed<PublicAccessBlock>,
    /// Buckets by name.
    pub buckets: Observed<BTreeMap<String, Bucket>>,
    /// Access points by ARN, multi-region access points among them.
    pub access_points: Observed<BTreeMap<Arn, AccessPoint>>,
    /// Regions whose access points could not be listed, where others could: a bucket's access
    /// points stand in its own region. [`S3::MULTI_REGION`] stands for those that span regions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub access_point_gaps: BTreeMap<RegionName, Gap>,
}

impl S3 {
    /// The name under which [`S3::access_point_gaps`] holds multi-region access points.
    pub const MULTI_REGION: &str = "multi-region";

    /// What could not be listed of the access points that may stand in front of a bucket.
    pub fn access_point_gap(&self, region: &str) -> Option<&Gap> {
        let gaps = &self.access_point_gaps;
        let own = match region {
            "" => gaps.values().next(),
            region => gaps.get(region),
        };
        let whole = self.access_points.gap();
        whole.or(own).or_else(|| gaps.get(Self::MULTI_REGION))
    }

    /// Nothing read yet.
    pub fn unread() -> Self {
        S3 {
            public_access_block: Observed::not_collected("s3:GetAccountPublicAccessBlock"),
            buckets: Observed::not_collected("s3:ListBuckets"),
            access_points: Observed::not_collected("s3:ListAccessPoints"),
            access_point_gaps: BTreeMap::new(),
        }
    }
}

/// The four switches. Source: "Blocking public access to your Amazon S3 storage", S3 User Guide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublicAccessBlock {
    /// Refuses new public ACLs; old ones go on working.
    pub block_public_acls: bool,
    /// Ignores public grants in ACLs.
    pub ignore_public_acls: bool,
    /// Refuses new public policies; old ones go on working.
    pub block_public_policy: bool,
    /// Limits a public policy to the owner's account and AWS services.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// All four on.
    pub const ALL: PublicAccessBlock = PublicAccessBlock {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };

    /// A flag is on when either level has it on.
    pub fn or(self, other: Self) -> Self {
        PublicAccessBlock {
            block_public_acls: self.block_public_acls || other.block_public_acls,
            ignore_public_acls: self.ignore_public_acls || other.ignore_public_acls,
            block_public_policy: self.block_public_policy || other.block_public_policy,
            restrict_public_buckets: self.restrict_public_buckets || other.restrict_public_buckets,
        }
    }
}

/// One bucket. Its ARN is `arn:<partition>:s3:::<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bucket {
    /// Where it lies.
    pub region: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// The bucket policy. Absent: there is none.
    pub policy: Observed<PolicyText>,
    /// S3's own reading of the policy: public or not. A cross-check, never a verdict.
    pub policy_is_public: Observed<bool>,
    /// The bucket's own block. Absent: all four flags are off at this level.
    pub public_access_block: Observed<PublicAccessBlock>,
    /// The bucket ACL as S3 shows it. Absent stands for the owner's full control alone.
    pub acl: Observed<Acl>,
    /// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`. Absent: no
    /// configuration, so ACLs work.
    pub ownership: Observed<String>,
    /// Static website hosting. Absent: off.
    pub website: Observed<Website>,
    /// `Requester` or `BucketOwner`; absent reads as `BucketOwner`.
    pub request_payer: Observed<String>,
    /// `Enabled` or `Suspended`. Absent: never switched on.
    pub versioning: Observed<String>,
    /// The default encryption: `AES256`, `aws:kms` or `aws:kms:dsse`. Absent: none stated.
    pub encryption: Observed<String>,
    /// The KMS key of the default encryption, when it names one.
    pub kms_key: Observed<Arn>,
    /// Tags.
    pub tags: Observed<BTreeMap<String, String>>,
    /// What was listed in it. Not applicable when the bucket's content was not asked for.
    pub objects: Observed<ObjectListing>,
    /// What unsigned requests came to, where proof was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<ProofResult>,
}

impl Bucket {
    /// What an object is encrypted with, as far as its own state and the bucket's default tell.
    ///
    /// The default holds for what is written while it stands, so one that names a KMS key leaves
    /// open what older objects are under, and what came with a request of its own. One that
    /// names none is taken at its word. Source: "Setting default server-side encryption behavior
    /// for Amazon S3 buckets", S3 User Guide.
    pub fn encryption_of(&self, object: &ObjectEntry) -> Observed<String> {
        let plain = || Observed::Value("AES256".to_owned());
        match (&object.encryption, &self.encryption) {
            (Observed::Value(own), _) => Observed::Value(own.clone()),
            (Observed::Absent, _) => plain(),
            (_, Observed::Value(default)) if !default.starts_with("aws:kms") => plain(),
            (Observed::Gap(gap), _) => Observed::Gap(gap.clone()),
            (Observed::NotApplicable(_), Observed::Gap(gap)) => Observed::Gap(gap.clone()),
            (Observed::NotApplicable(_), Observed::Value(_)) => Observed::Gap(Box::new(Gap {
                message: "its bucket encrypts with a KMS key, and it may be older".to_owned(),
                ..Gap::not_collected("s3:GetObject")
            })),
            (Observed::NotApplicable(_), _) => plain(),
        }
    }
}

/// An access control list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acl {
    /// The owner's canonical user id.
    pub owner: String,
    /// The grants, as listed.
    pub grants: Vec<Grant>,
}

/// One grant of an ACL.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// A canonical user id, a group URI, or an e-mail address.
    pub grantee: String,
    /// `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    pub permission: String,
}

/// Static website hosting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Website {
    /// The index document's suffix.
    pub index: String,
    /// Where all requests are sent instead, if anywhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub redirect_to: String,
}

/// What was seen in a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectListing {
    /// The objects worth naming: those that look like credential files, and a few more.
    pub objects: Vec<ObjectEntry>,
    /// How many keys were seen.
    pub seen: u64,
    /// Whether that was all of them, noncurrent versions included.
    pub complete: bool,
    /// Where a limit, and no fault, ended the listing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// What could not be listed: later pages, folders, keys asked for by name, old versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectEntry {
    /// The key, up to 1,024 bytes of anything.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// The storage class; empty reads as `STANDARD`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub storage_class: String,
    /// When it was last written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Time>,
    /// The version, where it is not the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its own ACL, where ACLs work. Not applicable where they do not.
    pub acl: Observed<Acl>,
    /// What locks it: `aws:kms`, `aws:kms:dsse`, or `SSE-C` for a key that only its writer has.
    /// Absent or `AES256`: no lock that keeps anybody out. Not applicable when nobody looked,
    /// a gap when looking failed: then [`Bucket::encryption_of`] says what is known.
    pub encryption: Observed<String>,
    /// The pattern of credential-like names it fits, such as `aws-credentials-file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What its content holds. Not applicable when reading was not asked for.
    pub matches: Observed<Vec<ObjectMatch>>,
    /// Parts of its content that were not searched, and why. Empty after a whole reading.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsearched: Vec<String>,
}

/// Something in an object that looks like a credential: never the thing itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectMatch {
    /// The content rule.
    pub rule: String,
    /// The file inside an archive, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inner: Option<String>,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// What may be shown of it.
    pub redacted: String,
    /// A keyed fingerprint: equal for equal values under one installation's key.
    pub fingerprint: String,
    /// The access key id, which is no secret, where one was found with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The account, decoded from the key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether a key id and its secret were found together.
    pub paired: bool,
    /// Whether it was past its own date when it was read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

/// An access point, or a multi-region access point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessPoint {
    /// Its name.
    pub name: String,
    /// The buckets behind it: one, or several for a multi-region access point.
    pub buckets: Vec<String>,
    /// The account of the bucket, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket_account: Option<String>,
    /// Its alias, usable as a bucket name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// The only VPC it answers; empty: the internet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vpc: String,
    /// Whether it spans regions.
    pub multi_region: bool,
    /// Its own block, fixed when it was made.
    pub public_access_block: Observed<PublicAccessBlock>,
    /// Its policy. Absent: there is none.
    pub policy: Observed<PolicyText>,
}

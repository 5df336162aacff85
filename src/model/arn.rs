//! Amazon Resource Names and the partitions they live in.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An ARN as AWS wrote it: `arn:partition:service:region:account:resource`.
///
/// Kept as text and cut on demand: an ARN that does not have six parts is still a name, and its
/// parts read as empty. Copies share the text. Source: "Amazon Resource Names (ARNs)", AWS General Reference.
#[derive(Clone, Debug, Default, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arn(Arc<str>);

impl PartialEq for Arn {
    /// Copies are told by their place, without reading them.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Hash for Arn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Arn {
    /// Takes `text` as an ARN without judging it.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Arn(text.into())
    }

    /// An IAM ARN: `kind` is `user`, `role`, `policy`, …; `path` begins and ends with `/`.
    pub fn iam(partition: Partition, account: &str, kind: &str, path: &str, name: &str) -> Self {
        Arn::new(format!("arn:{partition}:iam::{account}:{kind}{path}{name}"))
    }

    /// The ARN that stands for a whole account in a policy's `Principal`.
    pub fn root(partition: Partition, account: &str) -> Self {
        Arn::new(format!("arn:{partition}:iam::{account}:root"))
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn part(&self, index: usize) -> &str {
        let Some(mut rest) = self.0.strip_prefix("arn:") else {
            return "";
        };
        // Byte by byte: parts are short, and this is asked for every principal again and again.
        let colon = |text: &str| text.bytes().position(|byte| byte == b':');
        for _ in 1..index {
            match colon(rest) {
                Some(at) => rest = &rest[at + 1..],
                None => return "",
            }
        }
        match index {
            5 => rest,
            _ => &rest[..colon(rest).unwrap_or(rest.len())],
        }
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …; empty when this is no ARN.
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The service, such as `iam`.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region; empty for global services.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The twelve-digit account; empty for S3 buckets and AWS-owned resources.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// Everything after the fifth colon, such as `role/ci/build`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// The last part of the resource after `/` or `:`, the name people use.
    pub fn name(&self) -> &str {
        let resource = if self.resource().is_empty() {
            &self.0
        } else {
            self.resource()
        };
        resource.rsplit(['/', ':']).next().unwrap_or_default()
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Arn {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Arn {
    fn from(text: &str) -> Self {
        Arn(Arc::from(text))
    }
}

impl From<&Arn> for Arc<str> {
    fn from(arn: &Arn) -> Self {
        Arc::clone(&arn.0)
    }
}

impl From<String> for Arn {
    fn from(text: String) -> Self {
        Arn(Arc::from(text))
    }
}

/// A group of regions with its own accounts, endpoints and ARN prefix.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Partition {
    /// The commercial regions.
    #[default]
    Aws,
    /// The regions in China.
    AwsCn,
    /// AWS GovCloud (US).
    AwsUsGov,
    /// The European Sovereign Cloud.
    AwsEusc,
}

impl Partition {
    /// As written in ARNs.
    pub fn as_str(self) -> &'static str {
        match self {
            Partition::Aws => "aws",
            Partition::AwsCn => "aws-cn",
            Partition::AwsUsGov => "aws-us-gov",
            Partition::AwsEusc => "aws-eusc",
        }
    }

    /// The partition of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|partition| partition.as_str() == name)
    }

    /// The partition in which a region of that name lies, by its prefix.
    pub fn of_region(region: &str) -> Self {
        match region.split('-').next().unwrap_or_default() {
            "cn" => Self::AwsCn,
            "eusc" => Self::AwsEusc,
            _ if region.starts_with("us-gov-") => Self::AwsUsGov,
            _ => Self::Aws,
        }
    }

    /// Where IAM signs and where global events are delivered.
    pub fn home_region(self) -> &'static str {
        match self {
            Partition::Aws => "us-east-1",
            Partition::AwsCn => "cn-north-1",
            Partition::AwsUsGov => "us-gov-west-1",
            Partition::AwsEusc => "eusc-de-east-1",
        }
    }

    /// The host suffix of the partition's endpoints.
    pub fn dns_suffix(self) -> &'static str {
        match self {
            Partition::AwsCn => "amazonaws.com.cn",
            Partition::AwsEusc => "amazonaws.eu",
            _ => "amazonaws.com",
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

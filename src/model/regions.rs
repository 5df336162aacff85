//! Regions by partition.
//!
//! Source: "AWS Regions", AWS General Reference, and "Specify which AWS Regions your account can
//! use", Account Management Reference Guide, 2026-11.

use crate::Partition;

impl Partition {
    /// Every partition.
    pub const ALL: [Partition; 4] = [Self::Aws, Self::AwsCn, Self::AwsUsGov, Self::AwsEusc];

    /// Regions that are on in every account.
    pub fn regions(self) -> &'static [&'static str] {
        match self {
            // All that opened before 20 March 2019.
            Partition::Aws => &[
                "ap-northeast-1",
                "ap-northeast-2",
                "ap-northeast-3",
                "ap-south-1",
                "ap-southeast-1",
                "ap-southeast-2",
                "ca-central-1",
                "eu-central-1",
                "eu-north-1",
                "eu-west-1",
                "eu-west-2",
                "eu-west-3",
                "sa-east-1",
                "us-east-1",
                "us-east-2",
                "us-west-1",
                "us-west-2",
            ],
            Partition::AwsCn => &["cn-north-1", "cn-northwest-1"],
            Partition::AwsUsGov => &["us-gov-east-1", "us-gov-west-1"],
            Partition::AwsEusc => &["eusc-de-east-1"],
        }
    }

    /// Regions that an account has to switch on.
    pub fn opt_in_regions(self) -> &'static [&'static str] {
        match self {
            Partition::Aws => &[
                "af-south-1",
                "ap-east-1",
                "ap-east-2",
                "ap-south-2",
                "ap-southeast-3",
                "ap-southeast-4",
                "ap-southeast-5",
                "ap-southeast-6",
                "ap-southeast-7",
                "ca-west-1",
                "eu-central-2",
                "eu-south-1",
                "eu-south-2",
                "il-central-1",
                "me-central-1",
                "me-south-1",
                "mx-central-1",
            ],
            _ => &[],
        }
    }
}

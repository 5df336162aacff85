//! IAM reference data, dated.

mod cross_account;
mod own_policies;

pub(crate) use cross_account::crosses_accounts;
pub(crate) use own_policies::{OwnPolicy, own_policy};

/// Services whose resources RCPs act on, by action prefix. Sorted.
///
/// Source: "List of AWS services that support RCPs", Organizations User Guide, taken 2026-10-27
/// by way of iam-data (MIT).
pub(crate) const RCP_SERVICES: [&str; 62] = [
    "aoss",
    "appconfig",
    "appstream",
    "autoscaling",
    "autoscaling-plans",
    "budgets",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "compute-optimizer",
    "cost-optimization-hub",
    "dax",
    "dsql",
    "dynamodb",
    "ecr",
    "ecr-public",
    "events",
    "firehose",
    "fis",
    "fms",
    "gamelift",
    "health",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "kms",
    "logs",
    "memorydb",
    "networkmonitor",
    "notifications",
    "opensearch",
    "pca-connector-ad",
    "personalize",
    "polly",
    "pricing",
    "resource-groups",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "signin",
    "sqs",
    "sts",
    "support",
    "swf",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "transfer",
    "translate",
    "wafv2",
    "workspaces",
    "xray",
];

/// Whether RCPs act on this action (in lower case) at all.
///
/// Source: "Resource control policies (RCPs)", Organizations User Guide: supported services
/// only, and never `kms:RetireGrant`.
pub(crate) fn rcps_act_on(action: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    action != "kms:retiregrant" && RCP_SERVICES.binary_search(&service).is_ok()
}

/// What only the owner of an object can give away in its bucket, by the beginning of the action
/// (in lower case): where object ownership leaves objects to their writers, a bucket policy
/// grants nothing of these on the objects of others.
///
/// Source: "How Amazon S3 authorizes a request for an object operation" and "Bucket owner
/// granting permissions to objects it does not own", S3 User Guide, 2026-10: the bucket's owner
/// may still deny access, delete and archive.
const OF_OBJECT_OWNERS: [&str; 6] = [
    "s3:getobject",
    "s3:putobjectacl",
    "s3:putobjecttagging",
    "s3:putobjectversionacl",
    "s3:putobjectversiontagging",
    "s3:deleteobjecttagging",
];

/// Whether the owner of an object, and not that of its bucket, is asked.
pub(crate) fn asks_object_owner(action: &str) -> bool {
    OF_OBJECT_OWNERS.iter().any(|name| action.starts_with(name))
}

/// Services with one endpoint in the whole partition, whose calls are always made there. Sorted.
const GLOBAL_SERVICES: [&str; 3] = ["iam", "organizations", "route53"];

/// The region that every call to a service is made to, if there is but one.
///
/// Source: "aws:RequestedRegion", AWS global condition context keys, IAM User Guide: "Some global
/// services, such as IAM, have a single endpoint … physically located in the US East (N.
/// Virginia) Region".
pub(crate) fn only_region(service: &str, resource: &str) -> Option<&'static str> {
    GLOBAL_SERVICES.binary_search(&service).ok()?;
    match resource.split(':').nth(1) {
        None | Some("" | "aws" | "*") => Some("us-east-1"),
        // Where the other partitions keep them is not told there.
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_are_sorted() {
        assert!(RCP_SERVICES.is_sorted());
        assert!(rcps_act_on("s3:getobject"));
        assert!(!rcps_act_on("ssm:getparameter"));
    }
}

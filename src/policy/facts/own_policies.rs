//! Which resources have policies of their own, and what such a policy can say.
//!
//! Source: "AWS services that work with IAM", IAM User Guide, and the actions that write such
//! policies with their resource types in the Service Authorization Reference, 2026-10; where a
//! row says less than "anything", the document it names.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::super::pattern::Glob;

/// What the policy of a resource can say, and whether snapshots hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnPolicy {
    /// Anything; snapshots hold it.
    Collected,
    /// Anything, denies included; it is not collected.
    Anything,
    /// It only shares the resource with other accounts; it is not collected.
    Shares,
    /// It only lets AWS services in; it is not collected.
    Services,
}

use OwnPolicy::{Anything, Collected, Services, Shares};

/// By the service in the ARN and the pattern of what follows the account; of several rows of a
/// service the first counts.
const ROWS: &[(&str, &str, OwnPolicy)] = &[
    ("acm-pca", "certificate-authority/*", Anything),
    ("agent-registry", "registry/*", Anything),
    ("aiops", "investigation-group/*", Anything),
    // "Sharing a mesh", App Mesh User Guide: by Resource Access Manager.
    ("appmesh", "mesh/*", Shares),
    ("appmesh-preview", "mesh/*", Shares),
    // "PutResourcePolicy", AppSync API Reference: shares an API.
    ("appsync", "apis/*", Shares),
    ("aps", "workspace/*", Anything),
    ("arc-region-switch", "plan/*", Anything),
    ("aws-marketplace", "*", Shares),
    ("backup", "backup-vault:*", Anything),
    ("bedrock", "custom-model/*", Anything),
    ("bedrock", "guardrail/*", Anything),
    ("bedrock", "guardrail-profile/*", Anything),
    ("bedrock", "knowledge-base/*", Anything),
    ("bedrock-agentcore", "gateway/*", Anything),
    ("bedrock-agentcore", "runtime/*/*", Anything),
    ("bedrock-agentcore", "runtime/*", Collected),
    ("billing", "billingview/*", Shares),
    ("cleanrooms-ml", "configured-audience-model/*", Anything),
    ("cloudfront", "vpcorigin/*", Shares),
    ("cloudhsm", "backup/*", Shares),
    ("cloudtrail", "channel/*", Anything),
    ("cloudtrail", "dashboard/*", Anything),
    ("cloudtrail", "eventdatastore/*", Anything),
    ("codeartifact", "domain/*", Anything),
    ("codeartifact", "repository/*", Anything),
    ("codeartifact", "package/*", Anything),
    // "Share a build project with other AWS accounts", CodeBuild User Guide: reading, by
    // Resource Access Manager.
    ("codebuild", "project/*", Shares),
    ("codebuild", "report-group/*", Shares),
    // "PutPermission", CodeGuru Profiler API Reference: adds principals to a group of actions.
    ("codeguru-profiler", "profilingGroup/*", Shares),
    ("comprehend", "document-classifier/*", Anything),
    ("comprehend", "entity-recognizer/*", Anything),
    ("continuum", "collectors/*", Anything),
    ("datazone", "domain/*", Shares),
    ("dsql", "cluster/*", Anything),
    ("dynamodb", "table/*/stream/*", Anything),
    ("dynamodb", "table/*", Collected),
    // By Resource Access Manager ("Shareable AWS resources", RAM User Guide).
    ("ec2", "coip-pool/*", Shares),
    ("ec2", "ipam-pool/*", Shares),
    ("ec2", "local-gateway-route-table/*", Shares),
    // "CreateNetworkInterfacePermission", EC2 API Reference: names an account.
    ("ec2", "network-interface/*", Shares),
    ("ec2", "placement-group/*", Shares),
    ("ec2", "verified-access-group/*", Shares),
    ("ecr", "repository/*", Collected),
    ("ecr-public", "repository/*", Anything),
    ("elasticfilesystem", "file-system/*", Anything),
    ("elasticfilesystem", "access-point/*", Anything),
    ("elemental-inference", "feed/*", Anything),
    ("entityresolution", "*", Anything),
    ("es", "domain/*", Anything),
    ("events", "event-bus/*", Collected),
    ("events", "event-busv2/*", Anything),
    ("execute-api", "*", Anything),
    ("fsx", "volume/*", Anything),
    ("glacier", "vaults/*", Anything),
    // "Resource-based policies", Glue Developer Guide: for the Data Catalog alone, so jobs,
    // sessions and endpoints have none.
    ("glue", "catalog", Anything),
    ("glue", "catalog/*", Anything),
    ("glue", "database/*", Anything),
    ("glue", "table/*", Anything),
    ("glue", "tableVersion/*", Anything),
    ("glue", "connection/*", Anything),
    ("glue", "userDefinedFunction/*", Anything),
    ("iam", "role/*", Collected),
    ("imagebuilder", "component/*", Shares),
    ("imagebuilder", "container-recipe/*", Shares),
    ("imagebuilder", "image/*", Shares),
    ("imagebuilder", "image-recipe/*", Shares),
    ("kafka", "cluster/*", Anything),
    ("kafka", "topic/*", Anything),
    ("kafka", "group/*", Anything),
    ("kinesis", "*", Anything),
    ("kms", "key/*", Collected),
    // "AddLayerVersionPermission", Lambda API Reference: an action and a principal.
    ("lambda", "layer:*", Shares),
    // "Using resource-based policies in Lambda", Lambda Developer Guide: versions and aliases
    // have policies of their own.
    ("lambda", "function:*:*", Anything),
    ("lambda", "function:*", Collected),
    ("lambda", "web-function/*", Anything),
    ("lex", "bot*", Anything),
    ("logs", "destination:*", Anything),
    ("logs", "delivery-destination:*", Anything),
    // "PutResourcePolicy", CloudWatch Logs API Reference: "only applies when operations are
    // invoked by AWS service principals".
    ("logs", "log-group:*", Services),
    ("lookoutequipment", "*", Anything),
    ("mediaconvert", "*", Anything),
    ("mediapackagev2", "channelGroup/*", Anything),
    ("mediastore", "container/*", Anything),
    ("mediatailor", "channel/*", Anything),
    ("mpa", "*", Shares),
    // "PutResourcePolicy", Network Firewall API Reference: shares by Resource Access Manager.
    ("network-firewall", "*", Shares),
    ("networkmanager", "core-network/*", Shares),
    ("oam", "sink/*", Anything),
    ("odb", "*", Shares),
    ("omics", "sequenceStore/*", Anything),
    ("osis", "pipeline/*", Anything),
    ("payment-cryptography", "key/*", Anything),
    ("qbusiness", "application/*", Anything),
    ("redshift", "namespace:*", Anything),
    // "PutResourcePolicy", Redshift Serverless API Reference: shares a snapshot.
    ("redshift-serverless", "snapshot/*", Shares),
    ("refactor-spaces", "environment/*", Shares),
    ("rekognition", "project/*", Anything),
    ("resource-explorer-2", "view/*", Shares),
    ("resource-groups", "group/*", Shares),
    ("route53-recovery-control", "cluster/*", Shares),
    ("route53profiles", "profile/*", Shares),
    ("route53resolver", "firewall-rule-group/*", Shares),
    ("route53resolver", "resolver-query-log-config/*", Shares),
    ("route53resolver", "resolver-rule/*", Shares),
    ("rum", "appmonitor/*", Anything),
    ("s3", "access-grants/*", Anything),
    ("s3", "accesspoint/*", Anything),
    ("s3", "*", Collected),
    ("s3-object-lambda", "accesspoint/*", Anything),
    ("s3-outposts", "outpost/*", Anything),
    ("s3express", "*", Anything),
    ("s3files", "file-system/*", Anything),
    ("s3tables", "bucket/*", Anything),
    ("s3vectors", "bucket/*", Anything),
    ("sagemaker", "model-package-group/*", Anything),
    ("sagemaker", "model-package/*", Anything),
    ("sagemaker", "artifact/*", Shares),
    ("sagemaker", "feature-group/*", Shares),
    ("schemas", "registry/*", Anything),
    ("schemas", "schema/*", Anything),
    ("secretsmanager", "secret:*", Collected),
    // "PutApplicationPolicy", Serverless Application Repository API Reference: statements have
    // actions and principals and no effect.
    ("serverlessrepo", "applications/*", Shares),
    ("servicecatalog", "/applications/*", Shares),
    ("servicecatalog", "/attribute-groups/*", Shares),
    ("servicediscovery", "namespace/*", Shares),
    ("ses", "identity/*", Anything),
    // "AddProfilePermission", Signer API Reference: an action and a principal.
    ("signer", "/signing-profiles/*", Shares),
    ("sms-voice", "*", Shares),
    ("sns", "*", Collected),
    ("sqs", "*", Collected),
    // "Working with shared parameters" and "Sharing SSM documents", Systems Manager User Guide.
    ("ssm", "document/*", Shares),
    ("ssm", "opsitemgroup/*", Shares),
    ("ssm", "parameter/*", Shares),
    ("ssm-contacts", "contact/*", Shares),
    ("ssm-incidents", "response-plan/*", Shares),
    ("ssm-sap", "*", Shares),
    ("vpc-lattice", "resourceconfiguration/*", Shares),
    ("vpc-lattice", "service/*", Anything),
    ("vpc-lattice", "servicenetwork/*", Anything),
    // "PutPermissionPolicy", WAFV2 API Reference: "Effect must specify Allow".
    ("waf", "rulegroup/*", Shares),
    ("waf-regional", "rulegroup/*", Shares),
    ("wafv2", "*/rulegroup/*", Shares),
];

/// What a policy of this resource can say; `None` when its kind has none. The resource is told
/// by the service in its ARN and by what follows the account, which may be a pattern.
pub(crate) fn own_policy(service: &str, rest: &str) -> Option<OwnPolicy> {
    static BY_SERVICE: OnceLock<FxHashMap<&str, Vec<(Glob, OwnPolicy)>>> = OnceLock::new();
    let table = BY_SERVICE.get_or_init(|| {
        let mut out: FxHashMap<&str, Vec<_>> = FxHashMap::default();
        for (service, pattern, own) in ROWS {
            out.entry(service)
                .or_default()
                .push((Glob::new(pattern), *own));
        }
        out
    });
    let rows = table.get(service)?;
    let open = rest.contains(['*', '?']).then(|| Glob::new(rest));
    let meant = |pattern: &Glob| match &open {
        Some(open) => pattern.overlaps(open),
        None => pattern.matches(rest),
    };
    rows.iter()
        .find(|(pattern, _)| meant(pattern))
        .map(|(_, own)| *own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_within_a_service() {
        assert_eq!(own_policy("glue", "job/nightly"), None);
        assert_eq!(own_policy("glue", "database/sales"), Some(Anything));
        assert_eq!(own_policy("lambda", "function:f"), Some(Collected));
        assert_eq!(own_policy("lambda", "function:f:live"), Some(Anything));
        assert_eq!(own_policy("s3", "bucket/key"), Some(Collected));
        assert_eq!(own_policy("s3", "accesspoint/a/object/k"), Some(Anything));
        assert_eq!(own_policy("kinesis", "*"), Some(Anything));
        assert_eq!(own_policy("rds", "db:x"), None);
    }

    /// Actions that write a policy which is none of a resource: of identities, of the service as
    /// a whole, or no IAM policy at all.
    const ELSEWHERE: [&str; 18] = [
        "aoss",       // data access policies are a language of their own
        "apigateway", // its APIs are asked as `execute-api`
        "appstream",
        "autoscaling",
        "batch",
        "application-autoscaling",
        "clouddirectory",
        "dlm",
        "elasticmapreduce",
        "gamelift",
        "iam",
        "iotsitewise",
        "organizations", // asked of the caller's own account
        "quicksight",
        "route53-recovery-control-config", // its ARNs say `route53-recovery-control`
        "sso",
        "storagegateway",
        "xray", // for the account as a whole
    ];

    #[test]
    fn every_service_whose_resources_can_be_given_a_policy_is_here() {
        let written = |name: &str| {
            ["Put", "Set", "Create", "Update"]
                .iter()
                .any(|verb| name.starts_with(verb))
                && [
                    "ResourcePolicy",
                    "AccessPolicy",
                    "BucketPolicy",
                    "FileSystemPolicy",
                    "AuthPolicy",
                    "ClusterPolicy",
                    "RepositoryPolicy",
                    "PermissionsPolicy",
                    "PermissionPolicy",
                    "IdentityPolicy",
                    "TablePolicy",
                    "SinkPolicy",
                    "ContainerPolicy",
                    "KeyPolicy",
                ]
                .iter()
                .any(|end| name.ends_with(end))
        };
        for service in palisade_model::actions().services() {
            let known = ROWS.iter().any(|(known, ..)| *known == service.prefix);
            let writes = service.actions.iter().any(|action| written(action.name));
            let prefix = service.prefix;
            assert!(!writes || known || ELSEWHERE.contains(&prefix), "{prefix}");
        }
    }
}

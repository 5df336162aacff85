//! The calls collectors make, as data: one table from which the scan policy, the session
//! policies, the progress total and the meaning of error codes are derived.
//!
//! Calls for resources that need no type of their own stand in [`crate::listing`]; [`calls`]
//! gives both. What is in neither is never sent: the collectors refuse it before it is signed.

use std::collections::BTreeSet;

use serde_json::json;

use crate::Why;
use crate::listing::LISTINGS;

/// One API operation that collectors may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The operation as gaps name it: IAM service prefix, colon, API operation.
    pub operation: &'static str,
    /// The IAM action AWS checks for it. Empty: none is needed.
    pub action: &'static str,
    /// How often it is made.
    pub per: Per,
    /// Error codes by which the service says "there is none". `Code: text` asks for the text
    /// in the message as well.
    pub absent: &'static [&'static str],
    /// Error codes by which the service says that the question makes no sense here.
    pub not_applicable: &'static [(&'static str, Why)],
    /// Whether it reads the content of objects: made only when the user asked for content.
    pub content: bool,
}

/// How often a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// Once for every set of credentials.
    Caller,
    /// Once for the organization.
    Organization,
    /// Once for an account.
    Account,
    /// Once for each region of an account.
    Region,
    /// Once for each resource, page or parent that was found.
    Item,
}

const fn call(operation: &'static str, per: Per) -> Call {
    Call {
        operation,
        action: operation,
        per,
        absent: &[],
        not_applicable: &[],
        content: false,
    }
}

impl Call {
    const fn action(mut self, action: &'static str) -> Call {
        self.action = action;
        self
    }

    const fn absent(mut self, codes: &'static [&'static str]) -> Call {
        self.absent = codes;
        self
    }

    const fn not_applicable(mut self, codes: &'static [(&'static str, Why)]) -> Call {
        self.not_applicable = codes;
        self
    }

    const fn content(mut self) -> Call {
        self.content = true;
        self
    }

    /// The IAM service prefix.
    pub fn service(&self) -> &'static str {
        self.operation.split(':').next().unwrap_or_default()
    }

    /// The API operation's name.
    pub fn name(&self) -> &'static str {
        self.operation.split(':').nth(1).unwrap_or_default()
    }
}

/// Whether an error code with its message is among `codes`.
pub fn code_is_among(codes: &[&str], code: &str, message: &str) -> bool {
    codes.iter().any(|entry| match entry.split_once(": ") {
        Some((wanted, text)) => {
            code == wanted
                && message
                    .to_ascii_lowercase()
                    .contains(&text.to_ascii_lowercase())
        }
        None => code == *entry,
    })
}

const NO_ORGANIZATION: &[(&str, Why)] =
    &[("AWSOrganizationsNotInUseException", Why::NoOrganization)];

/// Calls whose answers have types of their own. Sources: the services' API references and
/// service authorization reference, 2026.
pub static CALLS: &[Call] = &[
    // STS
    call("sts:GetCallerIdentity", Per::Caller).action(""),
    call("sts:AssumeRole", Per::Item).action(""),
    // Account and regions
    call("account:ListRegions", Per::Account),
    call("ec2:DescribeRegions", Per::Item),
    // IAM
    call("iam:GetAccountAuthorizationDetails", Per::Account),
    call("iam:GetAccountSummary", Per::Account),
    call("iam:ListAccountAliases", Per::Account),
    call("iam:GenerateCredentialReport", Per::Account),
    call("iam:GetCredentialReport", Per::Account),
    call("iam:ListSAMLProviders", Per::Account),
    call("iam:ListOpenIDConnectProviders", Per::Account),
    call("iam:GetOpenIDConnectProvider", Per::Item),
    call("iam:ListAccessKeys", Per::Item),
    call("iam:GetLoginProfile", Per::Item).absent(&["NoSuchEntity"]),
    call("iam:ListMFADevices", Per::Item),
    call("iam:ListServiceSpecificCredentials", Per::Item),
    call("iam:ListSSHPublicKeys", Per::Item),
    call("iam:ListOrganizationsFeatures", Per::Organization)
        .not_applicable(NO_ORGANIZATION)
        .absent(&["OrganizationNotFoundException"]),
    // Organizations
    call("organizations:DescribeOrganization", Per::Organization)
        .absent(&["AWSOrganizationsNotInUseException"]),
    call("organizations:ListRoots", Per::Organization).not_applicable(NO_ORGANIZATION),
    call(
        "organizations:ListOrganizationalUnitsForParent",
        Per::Organization,
    ),
    call("organizations:ListAccountsForParent", Per::Organization),
    call("organizations:ListAccounts", Per::Organization),
    call("organizations:ListPolicies", Per::Organization).absent(&[
        "PolicyTypeNotEnabledException",
        "InvalidInputException",
        "UnsupportedAPIEndpointException",
    ]),
    call("organizations:DescribePolicy", Per::Item),
    call("organizations:ListTargetsForPolicy", Per::Item),
    call(
        "organizations:ListDelegatedAdministrators",
        Per::Organization,
    ),
    call("organizations:ListDelegatedServicesForAccount", Per::Item),
    call(
        "organizations:ListAWSServiceAccessForOrganization",
        Per::Organization,
    ),
    call("organizations:DescribeResourcePolicy", Per::Organization)
        .absent(&["ResourcePolicyNotFoundException"]),
    // S3
    call("s3:ListBuckets", Per::Account).action("s3:ListAllMyBuckets"),
    call("s3:GetBucketLocation", Per::Item),
    call("s3:GetAccountPublicAccessBlock", Per::Account)
        .absent(&["NoSuchPublicAccessBlockConfiguration"]),
    call("s3:GetBucketPolicy", Per::Item).absent(&["NoSuchBucketPolicy"]),
    call("s3:GetBucketPolicyStatus", Per::Item).absent(&["NoSuchBucketPolicy"]),
    call("s3:GetBucketPublicAccessBlock", Per::Item)
        .absent(&["NoSuchPublicAccessBlockConfiguration"]),
    call("s3:GetBucketAcl", Per::Item),
    call("s3:GetBucketOwnershipControls", Per::Item).absent(&["OwnershipControlsNotFoundError"]),
    call("s3:GetBucketWebsite", Per::Item).absent(&["NoSuchWebsiteConfiguration"]),
    call("s3:GetBucketRequestPayment", Per::Item),
    call("s3:GetBucketVersioning", Per::Item),
    call("s3:GetBucketEncryption", Per::Item)
        .action("s3:GetEncryptionConfiguration")
        .absent(&["ServerSideEncryptionConfigurationNotFoundError"]),
    call("s3:GetBucketTagging", Per::Item).absent(&["NoSuchTagSet"]),
    call("s3:ListAccessPoints", Per::Region),
    call("s3:GetAccessPoint", Per::Item),
    call("s3:GetAccessPointPolicy", Per::Item).absent(&["NoSuchAccessPointPolicy"]),
    call("s3:ListMultiRegionAccessPoints", Per::Account),
    call("s3:GetMultiRegionAccessPointPolicy", Per::Item)
        .absent(&["NoSuchAccessPointPolicy", "NoSuchMultiRegionAccessPoint"]),
    call("s3:ListObjectsV2", Per::Item).action("s3:ListBucket"),
    call("s3:ListObjectVersions", Per::Item).action("s3:ListBucketVersions"),
    call("s3:GetObjectAcl", Per::Item),
    call("s3:GetObject", Per::Item).content(),
    call("s3:GetObjectVersion", Per::Item).content(),
    // Lambda
    call("lambda:ListFunctions", Per::Region),
    call("lambda:ListEventSourceMappings", Per::Region),
    call("lambda:GetPolicy", Per::Item).absent(&["ResourceNotFoundException"]),
    call("lambda:ListFunctionUrlConfigs", Per::Item),
    call("lambda:ListAliases", Per::Item),
    call("lambda:GetFunctionCodeSigningConfig", Per::Item).absent(&["ResourceNotFoundException"]),
    // Only of functions that stand in an alarm chain: the list leaves their state out.
    call("lambda:GetFunctionConfiguration", Per::Item).absent(&["ResourceNotFoundException"]),
    call("lambda:GetFunctionConcurrency", Per::Item).absent(&["ResourceNotFoundException"]),
    call("lambda:ListTags", Per::Item),
    // GuardDuty
    call("guardduty:ListDetectors", Per::Region),
    call("guardduty:GetDetector", Per::Item),
    call("guardduty:GetAdministratorAccount", Per::Item),
    call("guardduty:ListMembers", Per::Item),
    // Only the organization's administrator of GuardDuty is told.
    call("guardduty:DescribeOrganizationConfiguration", Per::Item).absent(&["BadRequestException"]),
    // Inspector
    call("inspector2:BatchGetAccountStatus", Per::Region),
    call("inspector2:ListMembers", Per::Item),
    // Config
    call("config:DescribeConfigurationRecorders", Per::Region),
    call("config:DescribeConfigurationRecorderStatus", Per::Region),
    call("config:DescribeDeliveryChannels", Per::Region),
    // Only accounts that gather from their organization are asked.
    call("config:DescribeConfigurationAggregators", Per::Item),
    call(
        "config:DescribeConfigurationAggregatorSourcesStatus",
        Per::Item,
    ),
    // Security Hub
    call("securityhub:DescribeHub", Per::Region)
        .absent(&["InvalidAccessException", "ResourceNotFoundException"]),
    call("securityhub:GetEnabledStandards", Per::Item),
    call("securityhub:ListMembers", Per::Item),
    // Only the organization's administrators of Security Hub and Macie are asked; in a region
    // where they are none they say so.
    call("securityhub:DescribeOrganizationConfiguration", Per::Item)
        .absent(&["InvalidAccessException"]),
    call("securityhub:DescribeSecurityHubV2", Per::Region)
        .absent(&["InvalidAccessException", "ResourceNotFoundException"]),
    // CloudTrail
    call("cloudtrail:DescribeTrails", Per::Region),
    call("cloudtrail:GetTrailStatus", Per::Item),
    call("cloudtrail:GetEventSelectors", Per::Item),
    // Macie
    call("macie2:GetMacieSession", Per::Region)
        .absent(&["AccessDeniedException: Macie is not enabled"]),
    call("macie2:GetAutomatedDiscoveryConfiguration", Per::Item)
        .absent(&["AccessDeniedException: not enabled"]),
    call("macie2:ListMembers", Per::Item),
    call("macie2:DescribeOrganizationConfiguration", Per::Item),
    // Access Analyzer
    call("access-analyzer:ListAnalyzers", Per::Region),
    call("access-analyzer:ListArchiveRules", Per::Item),
    // Shield Advanced and Firewall Manager
    call("shield:GetSubscriptionState", Per::Account),
    call("shield:DescribeSubscription", Per::Item).absent(&["ResourceNotFoundException"]),
    call("shield:ListProtections", Per::Item).absent(&["ResourceNotFoundException"]),
    call("fms:GetAdminAccount", Per::Account).absent(&["ResourceNotFoundException"]),
    call("fms:ListPolicies", Per::Item).absent(&["ResourceNotFoundException"]),
    // EventBridge
    call("events:ListEventBuses", Per::Region),
    call("events:ListRules", Per::Item),
    call("events:ListTargetsByRule", Per::Item),
    // SNS
    call("sns:ListTopics", Per::Region),
    call("sns:GetTopicAttributes", Per::Item).absent(&["NotFound"]),
    call("sns:ListSubscriptionsByTopic", Per::Item),
    call("sns:GetSubscriptionAttributes", Per::Item).absent(&["NotFound"]),
    // CloudWatch and its logs
    call("cloudwatch:DescribeAlarms", Per::Region),
    // Only of functions that stand in an alarm chain.
    call("cloudwatch:GetMetricStatistics", Per::Item),
    call("logs:DescribeMetricFilters", Per::Region),
];

/// Every call: the table above and what the listings ask.
pub fn calls() -> impl Iterator<Item = Call> {
    CALLS
        .iter()
        .copied()
        .chain(LISTINGS.iter().flat_map(|listing| listing.calls()))
}

/// The call of that name in the table of typed answers.
pub fn find_call(operation: &str) -> Option<&'static Call> {
    CALLS.iter().find(|call| call.operation == operation)
}

/// The actions of the scan policy, sorted. `content` adds those that read objects.
pub fn scan_actions(content: bool) -> BTreeSet<&'static str> {
    calls()
        .filter(|call| !call.action.is_empty() && (content || !call.content))
        .map(|call| call.action)
        .collect()
}

/// The exact read-only policy that a scan needs, as JSON. `content` adds reading objects.
pub fn scan_policy(content: bool) -> String {
    let text = serde_json::to_string_pretty(&policy(scan_actions(content).into_iter()));
    text.expect("a policy of strings always serialises")
}

fn policy<'a>(actions: impl Iterator<Item = &'a str>) -> serde_json::Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "PalisadeScan",
            "Effect": "Allow",
            "Action": actions.collect::<Vec<_>>(),
            "Resource": "*",
        }],
    })
}

/// A session policy and the services it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// IAM service prefixes whose calls go through such a session.
    pub services: BTreeSet<&'static str>,
    /// The policy, compact.
    pub document: String,
}

/// The longest inline session policy. AWS takes 2,048 characters and also limits a packed,
/// binary form of them; the margin leaves room for the latter.
/// Source: "AssumeRole", AWS STS API Reference.
const SESSION_POLICY_LIMIT: usize = 1_900;

/// The scan policy cut into as few session policies as fit, each holding whole services. Their
/// union is the scan policy: an assumed role can do nothing through them that it does not list.
pub fn session_policies(content: bool) -> Vec<SessionPolicy> {
    let mut services: Vec<(&str, Vec<&str>)> = Vec::new();
    for action in scan_actions(content) {
        let service = action.split(':').next().unwrap_or_default();
        match services.last_mut() {
            Some((last, actions)) if *last == service => actions.push(action),
            _ => services.push((service, vec![action])),
        }
    }
    let mut groups: Vec<(BTreeSet<&str>, Vec<&str>)> = Vec::new();
    for (service, actions) in services {
        let fits = |group: &Vec<&str>| {
            let all = group.iter().chain(&actions).copied();
            session_document(all).len() <= SESSION_POLICY_LIMIT
        };
        match groups.last_mut().filter(|(_, group)| fits(group)) {
            Some((names, group)) => {
                names.insert(service);
                group.extend(actions);
            }
            None => groups.push((BTreeSet::from([service]), actions)),
        }
    }
    groups
        .into_iter()
        .map(|(services, actions)| SessionPolicy {
            services,
            document: session_document(actions.into_iter()),
        })
        .collect()
}

fn session_document<'a>(actions: impl Iterator<Item = &'a str>) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": actions.collect::<Vec<_>>(),
            "Resource": "*",
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;

    /// Verbs that only read.
    const VERBS: &[&str] = &["Get", "List", "Describe", "BatchGet", "BatchDescribe"];

    /// Read-only or harmless calls of another verb.
    const KIN: &[&str] = &["iam:GenerateCredentialReport", "sts:AssumeRole"];

    /// Calls that return secrets, credentials, presigned links or content, whatever their verb.
    const FORBIDDEN: &[&str] = &[
        "appsync:ListApiKeys",
        "cognito-identity:GetCredentialsForIdentity",
        "cognito-identity:GetId",
        "cognito-identity:GetOpenIdToken",
        "cognito-idp:DescribeUserPoolClient",
        "codecommit:GetBlob",
        "codecommit:GetFile",
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "ec2:DescribeInstanceAttribute",
        "ec2:GetConsoleOutput",
        "ec2:GetConsoleScreenshot",
        "ec2:GetPasswordData",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "eks:GetToken",
        "glue:GetConnection",
        "glue:GetConnections",
        "iam:GetServiceSpecificCredential",
        "kms:GetParametersForImport",
        "kinesis:GetRecords",
        "lambda:GetFunction",
        "lambda:GetLayerVersion",
        "lightsail:GetInstanceAccessDetails",
        "logs:GetLogEvents",
        "redshift:GetClusterCredentials",
        "redshift:GetClusterCredentialsWithIAM",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParameterHistory",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "sso:GetRoleCredentials",
        "sts:GetFederationToken",
        "sts:GetSessionToken",
        "apigateway:GET",
    ];

    #[test]
    fn only_reading_verbs_are_called() {
        for call in calls() {
            let reads = VERBS.iter().any(|verb| call.name().starts_with(verb));
            assert!(reads || KIN.contains(&call.operation), "{}", call.operation);
            let verb = call.action.split(':').nth(1).unwrap_or("Get");
            let reads = VERBS.iter().any(|known| verb.starts_with(known));
            assert!(reads || KIN.contains(&call.action), "{}", call.action);
            assert!(!call.action.contains('*'), "{}", call.action);
        }
    }

    #[test]
    fn nothing_that_returns_a_secret_is_called() {
        for call in calls() {
            assert!(!FORBIDDEN.contains(&call.operation), "{}", call.operation);
            assert!(!FORBIDDEN.contains(&call.action), "{}", call.action);
            assert_eq!(
                call.content,
                call.action.starts_with("s3:GetObject") && !call.action.ends_with("Acl"),
                "{}",
                call.operation
            );
        }
    }

    #[test]
    fn every_action_exists_and_only_reads() {
        let table = crate::actions();
        for action in scan_actions(true) {
            let known = table.find(action);
            let access = known
                .unwrap_or_else(|| panic!("{action} is unknown"))
                .access;
            assert!(
                matches!(access, Access::List | Access::Read),
                "{action}: {access:?}"
            );
        }
    }

    #[test]
    fn the_scan_policy_reads_objects_only_when_asked() {
        assert!(!scan_policy(false).contains("\"s3:GetObject\""));
        assert!(scan_policy(true).contains("\"s3:GetObject\""));
        assert!(scan_policy(false).len() < 6_144 * 2);
    }

    #[test]
    fn session_policies_fit_and_add_up_to_the_scan_policy() {
        for content in [false, true] {
            let mut all = BTreeSet::new();
            for policy in session_policies(content) {
                assert!(policy.document.len() <= 2_048, "{}", policy.document.len());
                let value: serde_json::Value = serde_json::from_str(&policy.document).unwrap();
                for action in value["Statement"][0]["Action"].as_array().unwrap() {
                    let action = action.as_str().unwrap().to_owned();
                    assert!(policy.services.contains(action.split(':').next().unwrap()));
                    all.insert(action);
                }
            }
            let wanted = scan_actions(content)
                .into_iter()
                .map(str::to_owned)
                .collect();
            assert_eq!(all, wanted);
        }
    }

    #[test]
    fn operations_are_listed_once_and_well_formed() {
        let mut seen = BTreeSet::new();
        for call in CALLS {
            assert!(seen.insert(call.operation), "{} twice", call.operation);
            assert!(!call.service().is_empty() && !call.name().is_empty());
        }
    }

    #[test]
    fn a_code_may_ask_for_words_of_its_message() {
        let macie = find_call("macie2:GetMacieSession").unwrap();
        let is = |message| code_is_among(macie.absent, "AccessDeniedException", message);
        assert!(is("Macie is not enabled."));
        assert!(!is(
            "User is not authorized to perform: macie2:GetMacieSession"
        ));
    }
}

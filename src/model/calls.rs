//! The calls collectors make, as data: one table from which the scan policy, the session
//! policies, the progress total and the meaning of error codes are derived.
//!
//! Calls for resources that need no type of their own stand in [`crate::listing`]; [`calls`]
//! gives both. What is in neither is never sent: the collectors refuse it before it is signed.

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
    /// The member or element without which an answer is none: a list that is empty is written as
    /// an empty list. Empty: the answer may be empty, or its reader looks for itself.
    pub holds: &'static str,
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
        holds: "",
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

    const fn holds(mut self, member: &'static str) -> Call {
        self.holds = member;
        self
    }

    /// Whether a successful answer in JSON or XML speaks of what the call is made for. A page may
    /// hold nothing but the token of the next.
    pub fn is_answered_by(&self, body: &str) -> bool {
        let names = |member: &str| {
            let mut found = body.match_indices(member).map(|(at, _)| {
                let (before, after) = (&body[..at], &body[at + member.len()..]);
                let json = before.ends_with('"') && after.starts_with('"');
                let xml = before.ends_with(['<', ':']) && after.starts_with(['>', '/', ' ']);
                json || xml
            });
            found.any(|is_name| is_name)
        };
        self.holds.is_empty() || names(self.holds) || TOKENS.iter().any(|token| names(token))
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

/// How the calls that name what they hold spell the token of the next page.
const TOKENS: &[&str] = &["NextToken", "nextToken", "NextMarker", "Marker"];

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
    call("iam:GetAccountAuthorizationDetails", Per::Account).holds("IsTruncated"),
    call("iam:GetAccountSummary", Per::Account).holds("SummaryMap"),
    call("iam:ListAccountAliases", Per::Account).holds("AccountAliases"),
    call("iam:GenerateCredentialReport", Per::Account),
    call("iam:GetCredentialReport", Per::Account),
    call("iam:ListSAMLProviders", Per::Account).holds("SAMLProviderList"),
    call("iam:ListOpenIDConnectProviders", Per::Account).holds("OpenIDConnectProviderList"),
    call("iam:GetOpenIDConnectProvider", Per::Item).holds("Url"),
    call("iam:ListAccessKeys", Per::Item).holds("AccessKeyMetadata"),
    call("iam:GetLoginProfile", Per::Item)
        .holds("LoginProfile")
        .absent(&["NoSuchEntity"]),
    call("iam:ListMFADevices", Per::Item).holds("MFADevices"),
    call("iam:ListServiceSpecificCredentials", Per::Item).holds("ServiceSpecificCredentials"),
    call("iam:ListSSHPublicKeys", Per::Item).holds("SSHPublicKeys"),
    call("iam:ListOrganizationsFeatures", Per::Organization)
        .holds("EnabledFeatures")
        .not_applicable(NO_ORGANIZATION)
        .absent(&["OrganizationNotFoundException"]),
    // Organizations
    call("organizations:DescribeOrganization", Per::Organization)
        .holds("Organization")
        .absent(&["AWSOrganizationsNotInUseException"]),
    call("organizations:ListRoots", Per::Organization)
        .holds("Roots")
        .not_applicable(NO_ORGANIZATION),
    call(
        "organizations:ListOrganizationalUnitsForParent",
        Per::Organization,
    )
    .holds("OrganizationalUnits"),
    call("organizations:ListAccountsForParent", Per::Organization).holds("Accounts"),
    call("organizations:ListAccounts", Per::Organization).holds("Accounts"),
    call("organizations:ListPolicies", Per::Organization)
        .holds("Policies")
        .absent(&[
            "PolicyTypeNotEnabledException",
            "InvalidInputException",
            "UnsupportedAPIEndpointException",
        ]),
    call("organizations:DescribePolicy", Per::Item).holds("Policy"),
    call("organizations:ListTargetsForPolicy", Per::Item).holds("Targets"),
    call(
        "organizations:ListDelegatedAdministrators",
        Per::Organization,
    )
    .holds("DelegatedAdministrators"),
    call("organizations:ListDelegatedServicesForAccount", Per::Item).holds("DelegatedServices"),
    call(
        "organizations:ListAWSServiceAccessForOrganization",
        Per::Organization,
    )
    .holds("EnabledServicePrincipals"),
    call("organizations:DescribeResourcePolicy", Per::Organization)
        .holds("ResourcePolicy")
        .absent(&["ResourcePolicyNotFoundException"]),
    // S3
    call("s3:ListBuckets", Per::Account)
        .holds("Buckets")
        .action("s3:ListAllMyBuckets"),
    call("s3:GetBucketLocation", Per::Item).holds("LocationConstraint"),
    call("s3:GetAccountPublicAccessBlock", Per::Account)
        .holds("RestrictPublicBuckets")
        .absent(&["NoSuchPublicAccessBlockConfiguration"]),
    call("s3:GetBucketPolicy", Per::Item).absent(&["NoSuchBucketPolicy"]),
    call("s3:GetBucketPolicyStatus", Per::Item)
        .holds("IsPublic")
        .absent(&["NoSuchBucketPolicy"]),
    call("s3:GetBucketPublicAccessBlock", Per::Item)
        .holds("RestrictPublicBuckets")
        .absent(&["NoSuchPublicAccessBlockConfiguration"]),
    call("s3:GetBucketAcl", Per::Item).holds("AccessControlList"),
    call("s3:GetBucketOwnershipControls", Per::Item)
        .holds("ObjectOwnership")
        .absent(&["OwnershipControlsNotFoundError"]),
    call("s3:GetBucketWebsite", Per::Item)
        .holds("WebsiteConfiguration")
        .absent(&["NoSuchWebsiteConfiguration"]),
    call("s3:GetBucketRequestPayment", Per::Item).holds("Payer"),
    call("s3:GetBucketVersioning", Per::Item).holds("VersioningConfiguration"),
    call("s3:GetBucketEncryption", Per::Item)
        .holds("SSEAlgorithm")
        .action("s3:GetEncryptionConfiguration")
        .absent(&["ServerSideEncryptionConfigurationNotFoundError"]),
    call("s3:GetBucketTagging", Per::Item)
        .holds("TagSet")
        .absent(&["NoSuchTagSet"]),
    call("s3:ListAccessPoints", Per::Region).holds("AccessPointList"),
    call("s3:GetAccessPoint", Per::Item).holds("Name"),
    call("s3:GetAccessPointPolicy", Per::Item)
        .holds("Policy")
        .absent(&["NoSuchAccessPointPolicy"]),
    call("s3:ListMultiRegionAccessPoints", Per::Account).holds("AccessPoints"),
    call("s3:GetMultiRegionAccessPointPolicy", Per::Item)
        .holds("Policy")
        .absent(&["NoSuchAccessPointPolicy", "NoSuchMultiRegionAccessPoint"]),
    call("s3:ListObjectsV2", Per::Item)
        .holds("IsTruncated")
        .action("s3:ListBucket"),
    call("s3:ListObjectVersions", Per::Item)
        .holds("IsTruncated")
        .action("s3:ListBucketVersions"),
    call("s3:GetObjectAcl", Per::Item).holds("AccessControlList"),
    call("s3:GetObject", Per::Item).content(),
    call("s3:GetObjectVersion", Per::Item).content(),
    // Lambda
    call("lambda:ListFunctions", Per::Region).holds("Functions"),
    call("lambda:ListEventSourceMappings", Per::Region).holds("EventSourceMappings"),
    call("lambda:GetPolicy", Per::Item)
        .holds("Policy")
        .absent(&["ResourceNotFoundException"]),
    call("lambda:ListFunctionUrlConfigs", Per::Item).holds("FunctionUrlConfigs"),
    call("lambda:ListAliases", Per::Item).holds("Aliases"),
    call("lambda:GetFunctionCodeSigningConfig", Per::Item).absent(&["ResourceNotFoundException"]),
    // Only of functions that stand in an alarm chain: the list leaves their state out.
    call("lambda:GetFunctionConfiguration", Per::Item).absent(&["ResourceNotFoundException"]),
    call("lambda:GetFunctionConcurrency", Per::Item).absent(&["ResourceNotFoundException"]),
    call("lambda:ListTags", Per::Item).holds("Tags"),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Access, scan_actions};

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
    fn operations_are_listed_once_and_well_formed() {
        let mut seen = BTreeSet::new();
        for call in CALLS {
            assert!(seen.insert(call.operation), "{} twice", call.operation);
            assert!(!call.service().is_empty() && !call.name().is_empty());
        }
    }

    #[test]
    fn an_answer_names_what_it_is_asked_for() {
        let keys = find_call("iam:ListAccessKeys").unwrap();
        for body in [
            "<R><AccessKeyMetadata><member/></AccessKeyMetadata></R>",
            "<R><AccessKeyMetadata/></R>",
            "{\"AccessKeyMetadata\":[]}",
            "{\"NextToken\": \"x\"}",
        ] {
            assert!(keys.is_answered_by(body), "{body}");
        }
        for body in [
            "",
            "{}",
            "<R/>",
            "<R>AccessKeyMetadata</R>",
            "<R><AccessKeyMetadataX/></R>",
        ] {
            assert!(!keys.is_answered_by(body), "{body}");
        }
        assert!(find_call("sts:AssumeRole").unwrap().is_answered_by("{}"));
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

//! IAM of one account: principals, policies, credentials.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Arn, Gap, Observed, PolicyText, Time};

/// Everything IAM says about one account. Users, groups and roles are keyed by name, which is
/// unique within an account whatever the path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Iam {
    /// Users by name.
    pub users: Observed<BTreeMap<String, User>>,
    /// Groups by name.
    pub groups: Observed<BTreeMap<String, Group>>,
    /// Roles by name.
    pub roles: Observed<BTreeMap<String, Role>>,
    /// Customer-managed policies, and the AWS-managed ones that are attached, by ARN.
    pub policies: Observed<BTreeMap<Arn, ManagedPolicy>>,
    /// The account's root user.
    pub root: Observed<RootUser>,
    /// The credential report, with its own age.
    pub credential_report: Observed<CredentialReport>,
    /// SAML identity providers by ARN.
    pub saml_providers: Observed<BTreeMap<Arn, SamlProvider>>,
    /// OpenID Connect identity providers by ARN.
    pub oidc_providers: Observed<BTreeMap<Arn, OidcProvider>>,
    /// The account's alias.
    pub alias: Observed<String>,
}

impl Iam {
    /// Nothing read yet.
    pub fn unread() -> Self {
        let authorization = || Gap::not_collected("iam:GetAccountAuthorizationDetails");
        Iam {
            users: authorization().into(),
            groups: authorization().into(),
            roles: authorization().into(),
            policies: authorization().into(),
            root: Observed::not_collected("iam:GetAccountSummary"),
            credential_report: Observed::not_collected("iam:GetCredentialReport"),
            saml_providers: Observed::not_collected("iam:ListSAMLProviders"),
            oidc_providers: Observed::not_collected("iam:ListOpenIDConnectProviders"),
            alias: Observed::not_collected("iam:ListAccountAliases"),
        }
    }
}

/// An IAM user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// The ARN, with the path.
    pub arn: Arn,
    /// The unique id (`AIDA…`).
    pub id: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// Names of its groups, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Inline policies by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inline: BTreeMap<String, PolicyText>,
    /// ARNs of attached managed policies, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Arn>,
    /// The permissions boundary. A gap where the source cannot say.
    pub boundary: Observed<Arn>,
    /// Tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Access keys, sorted by id.
    pub access_keys: Observed<Vec<AccessKey>>,
    /// Whether and since when the user has a console password.
    pub login_profile: Observed<LoginProfile>,
    /// Serial numbers or ARNs of MFA devices, sorted.
    pub mfa_devices: Observed<Vec<String>>,
    /// How many service-specific credentials it has, for the service with the most.
    pub service_credentials: Observed<u64>,
    /// How many SSH public keys it has.
    pub ssh_keys: Observed<u64>,
}

/// One access key: never its secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessKey {
    /// The key id (`AKIA…`), which is no secret.
    pub id: String,
    /// Whether it works.
    pub status: KeyStatus,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
}

/// The status of an access key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyStatus {
    /// Works.
    #[default]
    Active,
    /// Switched off; `iam:UpdateAccessKey` switches it on again.
    Inactive,
    /// Expired by AWS.
    Expired,
}

/// A console password, as a fact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginProfile {
    /// When it was made; unknown when only the credential report speaks of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
}

/// An IAM group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// The ARN, with the path.
    pub arn: Arn,
    /// The unique id (`AGPA…`).
    pub id: String,
    /// Inline policies by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inline: BTreeMap<String, PolicyText>,
    /// ARNs of attached managed policies, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Arn>,
}

/// An IAM role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    /// The ARN, with the path.
    pub arn: Arn,
    /// The unique id (`AROA…`).
    pub id: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// Who may assume it.
    pub trust: PolicyText,
    /// Inline policies by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inline: BTreeMap<String, PolicyText>,
    /// ARNs of attached managed policies, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Arn>,
    /// The permissions boundary. A gap where the source cannot say.
    pub boundary: Observed<Arn>,
    /// Tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Instance profiles that hold it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instance_profiles: Vec<InstanceProfile>,
    /// When it was last used, to the day; absent when never within the tracking period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Time>,
}

impl Role {
    /// Whether an AWS service owns it: SCPs and boundaries do not bind such a role, and nobody
    /// can pass or edit it. Source: "Using service-linked roles", IAM User Guide.
    pub fn is_service_linked(&self) -> bool {
        self.arn.resource().starts_with("role/aws-service-role/")
    }
}

/// An instance profile that holds a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstanceProfile {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: Arn,
}

/// A managed policy with all its stored versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ManagedPolicy {
    /// Its name.
    pub name: String,
    /// The version in force, such as `v3`.
    pub default_version: String,
    /// Documents by version id. AWS-managed policies come with the default version only.
    pub versions: BTreeMap<String, PolicyText>,
}

impl ManagedPolicy {
    /// The document in force; `None` when the source did not hold it.
    pub fn document(&self) -> Option<&PolicyText> {
        self.versions.get(&self.default_version)
    }
}

/// The root user as the account summary tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RootUser {
    /// Whether an MFA device is enrolled.
    pub mfa: bool,
    /// Whether root has access keys.
    pub access_keys: bool,
    /// Whether root has a password; `None` when the summary does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<bool>,
}

/// The credential report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialReport {
    /// When AWS made it: up to four hours before the scan.
    pub generated: Time,
    /// Rows by user name; the root user stands as `<root_account>`.
    pub rows: BTreeMap<String, ReportRow>,
}

/// One row of the credential report. A column that says `N/A` or `no_information` is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportRow {
    /// Whether the user has a console password; `None` for root, which the report does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<bool>,
    /// When the password was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_last_used: Option<Time>,
    /// Whether an MFA device is active.
    pub mfa: bool,
    /// Whether access key 1 is active.
    pub key_1_active: bool,
    /// When access key 1 was last rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_1_rotated: Option<Time>,
    /// When access key 1 was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_1_last_used: Option<Time>,
    /// Whether access key 2 is active.
    pub key_2_active: bool,
    /// When access key 2 was last rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_2_rotated: Option<Time>,
    /// When access key 2 was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_2_last_used: Option<Time>,
}

/// A SAML identity provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamlProvider {
    /// When its metadata expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Time>,
}

/// An OpenID Connect identity provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcProvider {
    /// The issuer without `https://`.
    pub url: Observed<String>,
    /// Audiences it accepts, sorted.
    pub client_ids: Observed<Vec<String>>,
}

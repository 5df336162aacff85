//! The security services of one region, and those that are global.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Arn, Observed, Time};

/// A GuardDuty detector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detector {
    /// `ENABLED` or `DISABLED` (suspended).
    pub status: String,
    /// `FIFTEEN_MINUTES`, `ONE_HOUR` or `SIX_HOURS`.
    pub publishing_frequency: String,
    /// Features by name: `ENABLED` or `DISABLED`.
    pub features: BTreeMap<String, String>,
    /// The account that administers this detector. Absent: none.
    pub administrator: Observed<AccountId>,
    /// How the organization's members are enabled: `ALL`, `NEW` or `NONE`. Only the delegated
    /// administrator can say.
    pub auto_enable: Observed<String>,
    /// What the delegated administrator says of its members, by account: `Enabled`, `Disabled`,
    /// `Removed`, `Resigned`, …. Absent: it has none.
    pub members: Observed<BTreeMap<AccountId, String>>,
}

/// Amazon Inspector of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inspector {
    /// The account's own state: `ENABLED`, `DISABLED`, `SUSPENDED`, …
    pub status: String,
    /// State by resource type: `ec2`, `ecr`, `lambda`, `lambda_code`, `code_repository`.
    pub resources: BTreeMap<String, String>,
    /// What the delegated administrator is told of other accounts: their status. Absent: none.
    pub members: Observed<BTreeMap<AccountId, String>>,
}

/// AWS Config of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfigService {
    /// Recorders by name; at most one of the customer's own.
    pub recorders: BTreeMap<String, ConfigRecorder>,
    /// Delivery channels by name.
    pub delivery_channels: Observed<BTreeMap<String, DeliveryChannel>>,
}

/// A Config aggregator: what one account is shown of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Aggregator {
    /// Whether it gathers from the whole organization.
    pub organization: bool,
    /// Whether it gathers from every region.
    pub all_regions: bool,
    /// The regions it gathers from, where not from all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// How the last update of each source went, by account and region: `SUCCEEDED`, `FAILED` or
    /// `OUTDATED`.
    pub sources: Observed<BTreeMap<AccountId, BTreeMap<String, String>>>,
}

/// A configuration recorder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfigRecorder {
    /// The role it records with.
    pub role: Arn,
    /// Whether all supported resource types are recorded.
    pub all_supported: bool,
    /// Whether global resource types (IAM) are recorded here.
    pub include_global: bool,
    /// The types recorded, where not all are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_types: Vec<String>,
    /// The types left out, where all others are recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_types: Vec<String>,
    /// Whether it records now.
    pub recording: Observed<bool>,
    /// `Success`, `Pending` or `Failure`. Absent: never delivered.
    pub last_status: Observed<String>,
}

/// Where Config delivers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryChannel {
    /// The bucket.
    pub bucket: String,
    /// The topic, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Arn>,
}

/// Security Hub of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecurityHub {
    /// The hub's ARN.
    pub arn: Arn,
    /// Whether new controls of enabled standards switch on by themselves.
    pub auto_enable_controls: bool,
    /// The enabled standards.
    pub standards: Observed<Vec<Standard>>,
    /// What the administrator account is told of its members, by account: `ENABLED`, `REMOVED`,
    /// …. Absent: it has none.
    pub members: Observed<BTreeMap<AccountId, String>>,
    /// Whether accounts that join the organization are enrolled, by the setting or by a central
    /// configuration. Absent: only the delegated administrator is told.
    #[serde(skip_serializing_if = "Observed::is_absent")]
    pub auto_enable: Observed<bool>,
}

/// One enabled Security Hub standard.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Standard {
    /// The standard's ARN.
    pub arn: Arn,
    /// `READY`, `PENDING`, `INCOMPLETE`, `FAILED` or `DELETING`.
    pub status: String,
}

/// A CloudTrail trail, in its home region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Where it was made.
    pub home_region: String,
    /// Whether it records every region.
    pub multi_region: bool,
    /// Whether it records the whole organization.
    pub organization: bool,
    /// Whether it records global service events.
    pub global_events: bool,
    /// Where log files go.
    pub bucket: String,
    /// Whether digest files are written.
    pub log_validation: bool,
    /// The key that encrypts log files, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Arn>,
    /// The log group that receives events, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group: Option<Arn>,
    /// The role that writes to the log group, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_role: Option<Arn>,
    /// Whether it logs now.
    pub logging: Observed<bool>,
    /// The last error of delivery to the bucket. Absent: none.
    pub delivery_error: Observed<String>,
    /// The last error of delivery to the log group. Absent: none.
    pub log_group_error: Observed<String>,
    /// What it records.
    pub selectors: Observed<TrailSelectors>,
}

/// What a trail records, as CloudTrail states it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrailSelectors {
    /// Basic event selectors, each the JSON object that GetEventSelectors returns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub basic: Vec<serde_json::Value>,
    /// Advanced event selectors, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advanced: Vec<serde_json::Value>,
}

/// Amazon Macie of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Macie {
    /// `ENABLED` or `PAUSED`.
    pub status: String,
    /// Whether automated discovery runs.
    pub automated_discovery: Observed<String>,
    /// What the administrator account is told of its members, by account: `Enabled`, `Paused`,
    /// …. Absent: it has none.
    pub members: Observed<BTreeMap<AccountId, String>>,
    /// Whether accounts that join the organization are enrolled. Absent: only the delegated
    /// administrator is told.
    #[serde(skip_serializing_if = "Observed::is_absent")]
    pub auto_enable: Observed<bool>,
}

/// An IAM Access Analyzer analyzer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnalyzerState {
    /// Its ARN.
    pub arn: Arn,
    /// `ACCOUNT`, `ORGANIZATION`, `ACCOUNT_UNUSED_ACCESS`, `ORGANIZATION_UNUSED_ACCESS`, ….
    pub kind: String,
    /// `ACTIVE`, `CREATING`, `DISABLED` or `FAILED`.
    pub status: String,
    /// Rules that put findings away unseen, by name: each the filter that AWS returns.
    #[serde(default = "unread_rules")]
    pub archive_rules: Observed<BTreeMap<String, serde_json::Value>>,
}

fn unread_rules() -> Observed<BTreeMap<String, serde_json::Value>> {
    Observed::not_collected("access-analyzer:ListArchiveRules")
}

/// AWS Shield Advanced of one account. Its absence is no finding by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShieldState {
    /// When the subscription began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Whether the subscription renews itself; `None` when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_renew: Option<bool>,
    /// How many resources are protected.
    pub protections: Observed<u64>,
}

/// AWS Firewall Manager as this account sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FirewallManager {
    /// The administrator account.
    pub administrator: AccountId,
    /// The state of the role: `READY`, `CREATING`, …
    pub status: String,
    /// Its policies in the home region, by name. Only the administrator can list them.
    #[serde(default = "unread_policies")]
    pub policies: Observed<BTreeMap<String, FirewallPolicy>>,
}

fn unread_policies() -> Observed<BTreeMap<String, FirewallPolicy>> {
    Observed::not_collected("fms:ListPolicies")
}

/// A Firewall Manager policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FirewallPolicy {
    /// Whether it mends what it finds, or only tells.
    pub remediates: bool,
    /// `ACTIVE` or `OUT_OF_ADMIN_SCOPE`; empty when not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
}

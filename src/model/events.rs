//! What carries an alarm: event buses and rules, topics, alarms, metric filters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Arn, Observed, PolicyText};

/// An EventBridge event bus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bus {
    /// Its ARN.
    pub arn: Arn,
    /// Who else may put events. Absent: only this account.
    pub policy: Observed<PolicyText>,
    /// Rules by name.
    pub rules: Observed<BTreeMap<String, Rule>>,
}

/// An EventBridge rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Its ARN.
    pub arn: Arn,
    /// `ENABLED`, `DISABLED` or `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.
    pub state: String,
    /// The event pattern as written. `None` for a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<PolicyText>,
    /// The schedule expression, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The role the rule uses, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Arn>,
    /// The service that owns it, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// Its targets, sorted by id.
    pub targets: Observed<Vec<EventTarget>>,
}

/// A rule's target.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventTarget {
    /// Its id within the rule.
    pub id: String,
    /// What is called.
    pub arn: Arn,
    /// The role used to call it, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Arn>,
    /// The queue for what could not be delivered, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<Arn>,
}

/// An SNS topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topic {
    /// Its policy.
    pub policy: Observed<PolicyText>,
    /// The key that encrypts messages. Absent: none.
    pub kms_key: Observed<String>,
    /// Its subscriptions, sorted.
    pub subscriptions: Observed<Vec<Subscription>>,
}

/// A subscription. The endpoint's address is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subscription {
    /// `email`, `https`, `lambda`, `sqs`, `sms`, …
    pub protocol: String,
    /// The ARN of the endpoint, where it is an AWS resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Arn>,
    /// Whether it was confirmed: an unconfirmed one hears nothing.
    pub confirmed: bool,
    /// The filter policy, as written, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<PolicyText>,
    /// What the filter reads: `MessageBody` or `MessageAttributes`; empty: attributes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter_scope: String,
}

/// A CloudWatch alarm, on a metric or on other alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alarm {
    /// Its ARN.
    pub arn: Arn,
    /// The metric's namespace.
    pub namespace: String,
    /// The metric's name.
    pub metric: String,
    /// Whether its actions run.
    pub actions_enabled: bool,
    /// What the ALARM state calls.
    pub actions: Vec<Arn>,
    /// The threshold, as CloudWatch states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// The comparison operator.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comparison: String,
    /// The statistic, such as `Sum`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub statistic: String,
    /// How many periods in a row must breach; `None` when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_periods: Option<u32>,
    /// How many of those periods are enough; `None`: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<u32>,
    /// The metrics it computes with, where it watches an expression.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub computes: Vec<String>,
    /// The rule over other alarms, as written, where it is a composite alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The name or ARN of the alarm that holds back the actions of a composite alarm while it is
    /// in ALARM itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressor: Option<String>,
    /// The dimensions of the metric: one with other dimensions, or none, is another metric.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// The unit it asks for; empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// A CloudWatch Logs metric filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricFilter {
    /// The log group it reads.
    pub log_group: String,
    /// Its name.
    pub name: String,
    /// The filter pattern, as written.
    pub pattern: String,
    /// The namespace of the metric it feeds.
    pub namespace: String,
    /// The metric it feeds.
    pub metric: String,
    /// The value it adds per match, as written.
    pub value: String,
    /// What it reports in a minute without a match, as written; `None`: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// The dimensions it gives the metric: each the selector of the field that holds the value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// The metric's unit; empty reads as `None`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

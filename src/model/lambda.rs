//! Lambda functions of one region.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Arn, Observed, PolicyText, Time};

/// One function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Function {
    /// The unqualified ARN.
    pub arn: Arn,
    /// The execution role.
    pub role: Arn,
    /// The runtime, such as `python3.13`; empty for container images.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub runtime: String,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Time>,
    /// Names of environment variables, sorted: never their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Access key ids found among the values of environment variables, sorted: an id is no
    /// secret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_ids: Vec<String>,
    /// `Zip` or `Image`; empty reads as `Zip`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub package_type: String,
    /// ARNs of layer versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Arn>,
    /// Statements of the function's own policy, on the unqualified function.
    pub policy: Observed<PolicyText>,
    /// Function URLs.
    pub urls: Observed<Vec<FunctionUrl>>,
    /// Aliases, sorted by name.
    pub aliases: Observed<Vec<Alias>>,
    /// Event source mappings, sorted.
    pub event_sources: Observed<Vec<EventSource>>,
    /// The code signing configuration's ARN. Absent: unsigned code is welcome.
    pub code_signing: Observed<Arn>,
    /// Reserved concurrency; zero means that it never runs. Absent: none reserved.
    pub reserved_concurrency: Observed<u32>,
    /// Where events go that it failed on when nobody waited for the answer, if anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<Arn>,
    /// How it ran lately, where it stands in an alarm chain. Absent: it did not run, or stands
    /// in none.
    #[serde(skip_serializing_if = "Observed::is_absent")]
    pub runs: Observed<Runs>,
    /// `Active`, `Inactive`, `Pending` or `Failed`; empty when not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// A gap where [`state`](Self::state) was asked for and not told.
    #[serde(skip_serializing_if = "Observed::is_absent")]
    pub state_read: Observed<()>,
    /// What its owner says the code does with alarms. `None`: the code is never read, so nobody
    /// said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<AlarmHandler>,
    /// Tags. A file that says nothing of them leaves them unknown: a policy may ask for them.
    #[serde(default = "unread_tags")]
    pub tags: Observed<BTreeMap<String, String>>,
    /// A gap where Lambda could not decrypt the environment: then the variables and the key ids
    /// among them are unknown, whatever the lists above say.
    #[serde(skip_serializing_if = "Observed::is_absent")]
    pub environment_read: Observed<()>,
}

/// How a function ran in the fourteen days before the snapshot, by its metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Runs {
    /// How often it ran.
    pub invocations: u64,
    /// How often its code failed.
    pub errors: u64,
}

fn unread_tags() -> Observed<BTreeMap<String, String>> {
    Observed::not_collected("lambda:ListTags")
}

/// What a function does with the events that an alarm rule hands it, as declared: Palisade never
/// reads code. An event that no branch takes is dropped without a word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmHandler {
    /// Its branches; the first that takes the event decides.
    pub branches: Vec<AlarmBranch>,
}

/// One branch of such a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmBranch {
    /// The event source it asks for; empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The event name it asks for; empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub event: String,
    /// The identity type it asks for, such as `Root`; empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// Dotted paths below `detail` that it reads without asking whether they are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// The subject it gives the message; empty: none, or a fixed short line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
}

/// A function URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FunctionUrl {
    /// The alias it belongs to; empty: the unqualified function.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub qualifier: String,
    /// `AWS_IAM` or `NONE`.
    pub auth: String,
}

/// An alias.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// The version it points at, or `$LATEST`.
    pub version: String,
}

/// An event source mapping: a queue, stream or topic that drives the function.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSource {
    /// The mapping's id.
    pub id: String,
    /// The source.
    pub source: Arn,
    /// `Enabled`, `Disabled`, …
    pub state: String,
    /// The function as the mapping names it, with its qualifier.
    pub function: Arn,
}

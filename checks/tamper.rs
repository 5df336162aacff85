//! Actions that blind a security service, cut its alarm, or lift the guardrails around it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::{CatalogueError, Severity, files_in};

/// The tamper actions of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TamperGroup {
    /// Its name: the file's.
    pub group: String,
    /// What people call the service.
    pub service: String,
    /// The day the facts were looked up, as `YYYY-MM-DD`.
    pub checked: String,
    /// What an action of the minimum weighs when nothing denies it.
    pub severity: Severity,
    /// Paid or situational: fails only where it is expected or subscribed.
    #[serde(default)]
    pub optional: bool,
    /// MITRE ATT&CK technique ids (v19).
    pub mitre: Vec<String>,
    /// What a guardrail for this service has to know.
    pub note: String,
    /// Misprints of event names that circulate, and what they should be.
    #[serde(default)]
    pub printed: Vec<Printed>,
    /// The actions, those of the minimum first.
    pub actions: Vec<TamperAction>,
    /// Records that have no IAM action.
    #[serde(default)]
    pub events: Vec<TamperEvent>,
}

/// A row of a published alarm table, as printed and as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Printed {
    /// The event source as printed.
    pub source: String,
    /// The event name as printed.
    pub event: String,
    /// The event source CloudTrail writes.
    pub is_source: String,
    /// The event name CloudTrail writes.
    pub is_event: String,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TamperAction {
    /// `service:Name`, as in policies.
    pub action: String,
    /// What it does, in a few words.
    pub effect: String,
    /// Whether it belongs to the smallest set worth denying.
    #[serde(default)]
    pub minimum: bool,
    /// Who can call it at all.
    #[serde(default)]
    pub caller: Caller,
    /// The event source, where it is not `<service>.amazonaws.com`.
    #[serde(default)]
    pub source: Option<String>,
    /// The event name, where it is not the action's.
    #[serde(default)]
    pub event: Option<String>,
    /// Whether its events arrive in the partition's home region only.
    #[serde(default)]
    pub global: bool,
    /// Whether CloudTrail records it as a data event: only where a trail asks for them.
    #[serde(default)]
    pub data_event: bool,
    /// The day AWS took the API away, as `YYYY-MM-DD`: denying it protects nothing any more.
    #[serde(default)]
    pub retired: Option<String>,
    /// An everyday action: tampering only on these parts of the chain.
    #[serde(default)]
    pub only_on: Option<Part>,
    /// An everyday action: tampering only under this condition block.
    #[serde(default)]
    pub when: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Why no guardrail can deny it without breaking everyday work.
    #[serde(default)]
    pub leave_out: Option<String>,
}

/// A record without an IAM action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TamperEvent {
    /// The event name.
    pub event: String,
    /// The event source.
    pub source: String,
    /// What happened.
    pub effect: String,
    /// The identity type it is about.
    pub identity: String,
    /// Whether EventBridge delivers it as `AWS Console Sign In via CloudTrail`.
    #[serde(default)]
    pub sign_in: bool,
}

/// Who can call an action, whatever policies say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Caller {
    /// Any account, about itself.
    #[default]
    Any,
    /// The service's administrator account.
    Administrator,
    /// The organization's management account or a delegated administrator.
    Delegated,
    /// The organization's management account.
    Management,
}

/// The part of the logging and alarm chain that an everyday action would hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// A bucket that receives log files.
    LogBucket,
    /// The objects in it.
    LogBucketObjects,
    /// A key that encrypts log files.
    LogKey,
    /// A topic that a trail notifies.
    TrailTopic,
    /// The service-linked role of Access Analyzer.
    AnalyzerServiceRole,
    /// An event bus of the chain.
    Bus,
    /// An event rule of the chain.
    Rule,
    /// A function of the chain.
    Function,
    /// A topic of the chain.
    Topic,
    /// A metric alarm of the chain.
    Alarm,
    /// A log group of the chain.
    LogGroup,
}

impl TamperAction {
    /// The service prefix.
    pub fn prefix(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }

    /// The event source CloudTrail writes.
    pub fn event_source(&self) -> String {
        match &self.source {
            Some(source) => source.clone(),
            None => format!("{}.amazonaws.com", self.prefix()),
        }
    }

    /// The event name CloudTrail writes.
    pub fn event_name(&self) -> &str {
        let name = self.action.split(':').nth(1).unwrap_or_default();
        self.event.as_deref().unwrap_or(name)
    }
}

/// Every group, sorted by name. Reads and validates once.
///
/// # Panics
///
/// When a file is invalid: the tests load the catalogue, so a build that passed them cannot hold
/// one.
pub fn tamper() -> &'static [TamperGroup] {
    static GROUPS: OnceLock<Vec<TamperGroup>> = OnceLock::new();
    GROUPS.get_or_init(|| match load_tamper() {
        Ok(groups) => groups,
        Err(error) => panic!("{error}"),
    })
}

/// Reads and validates every group.
pub fn load_tamper() -> Result<Vec<TamperGroup>, CatalogueError> {
    files_in("tamper")
        .map(|(path, text)| read(path, text))
        .collect()
}

/// The group of that name.
pub fn tamper_group(name: &str) -> Option<&'static TamperGroup> {
    tamper().iter().find(|group| group.group == name)
}

fn read(path: &str, text: &str) -> Result<TamperGroup, CatalogueError> {
    let group: TamperGroup =
        serde_yaml_ng::from_str(text).map_err(|error| CatalogueError::Unreadable {
            file: path.to_owned(),
            detail: error.to_string(),
        })?;
    let invalid = |problem: String| CatalogueError::Invalid {
        file: path.to_owned(),
        problem,
    };
    if path != format!("tamper/{}.yaml", group.group) {
        return Err(invalid(format!("says it is the group `{}`", group.group)));
    }
    let mut seen = Vec::new();
    for row in &group.actions {
        match palisade_model::actions().find(&row.action) {
            Some(known) if known.full_name() == row.action => {}
            _ => return Err(invalid(format!("names no action of AWS: `{}`", row.action))),
        }
        if seen.contains(&&row.action) {
            return Err(invalid(format!("names `{}` twice", row.action)));
        }
        seen.push(&row.action);
    }
    Ok(group)
}

/// What AWS lets an SCP be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScpLimits {
    /// The day the limits were looked up.
    pub checked: String,
    /// Characters of one document, white space included.
    pub document_characters: usize,
    /// SCPs attached to one root, unit or account, `FullAWSAccess` among them.
    pub policies_per_target: usize,
    /// What they were raised to later.
    pub raised: RaisedLimits,
}

/// Limits since a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RaisedLimits {
    /// The first day on which they held.
    pub since: String,
    /// Characters of one document.
    pub document_characters: usize,
    /// SCPs attached to one target.
    pub policies_per_target: usize,
}

/// The limits of SCPs.
pub fn scp_limits() -> &'static ScpLimits {
    static LIMITS: OnceLock<ScpLimits> = OnceLock::new();
    LIMITS.get_or_init(|| {
        // The file is part of the build, and a test reads it.
        serde_yaml_ng::from_str(include_str!("data/scp-limits.yaml"))
            .expect("the file is well formed")
    })
}

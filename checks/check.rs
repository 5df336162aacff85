//! A check as a file: the question, why it matters, how to fix it, and the worlds that prove it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::CatalogueError;

/// One check: everything a person will read about it. The answer is a [`Rule`] here, or a
/// function of the same id in the check room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Check {
    /// `<service>-<problem>`: the path of its file.
    pub id: String,
    /// The problem, in a few words, lower case.
    pub title: String,
    /// A floor: the best path through the finding may raise it.
    pub severity: Severity,
    /// The version that first had it.
    pub since: String,
    /// The kind of resource it speaks of, such as `iam.user`.
    pub resource: String,
    /// The API operations whose answers it needs.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Why somebody should care: one to three sentences.
    pub why: String,
    /// What to do.
    pub fix: Fix,
    /// Control ids by framework, such as `cis-aws-3.0: ["1.10"]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub maps: BTreeMap<String, Vec<String>>,
    /// MITRE ATT&CK technique ids (v19).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mitre: Vec<String>,
    /// Techniques that this problem makes possible, by id or with `*`: a path that uses one of
    /// them on the same resource lends the finding its band.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub techniques: Vec<String>,
    /// Whether it answers one of the product's four mission questions: then it is at least high.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mission: bool,
    /// The answer, where one field can give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The worlds that prove it.
    pub proof: Proof,
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fix {
    /// One sentence.
    pub summary: String,
    /// An AWS CLI command; `{name}`, `{arn}`, `{account}` and `{region}` stand for the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cli: Option<String>,
    /// A Terraform snippet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terraform: Option<String>,
    /// Steps in the console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// The SCP statement that would prevent it, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scp: Option<String>,
    /// What else the change would break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaks: Option<String>,
}

/// The worlds that prove a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Proof {
    /// Worlds in which it fires.
    pub fires: Vec<String>,
    /// Worlds in which it stays silent.
    pub silent: Vec<String>,
    /// Worlds in which a gap makes it unknown; needed whenever it reads anything.
    #[serde(default)]
    pub unknown: Vec<String>,
}

/// A question about fields of one resource, answered without Rust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rule {
    /// Fails when every test holds.
    All {
        /// The tests.
        all: Vec<Condition>,
    },
    /// Fails when one test holds.
    Any {
        /// The tests.
        any: Vec<Condition>,
    },
    /// Fails when this test holds.
    One(Condition),
}

/// One test of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Condition {
    /// The field's path in the resource, such as `attributes.metadata_tokens`.
    pub field: String,
    /// What makes it fail.
    #[serde(flatten)]
    pub test: Test,
}

/// What a field is held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Equal to this.
    Is(serde_json::Value),
    /// Anything but this; a missing field too.
    IsNot(serde_json::Value),
    /// One of these.
    AnyOf(Vec<serde_json::Value>),
    /// `true`: there is none; `false`: there is one.
    Missing(bool),
    /// A time more than so many days before the snapshot.
    OlderThan(i64),
}

/// How bad a finding is on its own. The order is the order of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Can wait.
    Low,
    /// Plan it.
    Medium,
    /// Out of cycle.
    High,
    /// Now.
    Critical,
}

impl Severity {
    /// Every severity, worst first.
    pub const WORST_FIRST: [Severity; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// As written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The band of a path score in tenths (0 to 1000): 90, 70 and 40 are the edges.
    pub fn of_score(tenths: u32) -> Severity {
        match tenths {
            900.. => Severity::Critical,
            700.. => Severity::High,
            400.. => Severity::Medium,
            1.. => Severity::Low,
            0 => Severity::Info,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Check {
    /// Reads one file; `path` is below `checks/`.
    pub(crate) fn read(path: &str, text: &str) -> Result<Check, CatalogueError> {
        let invalid = |problem: String| CatalogueError::Invalid {
            file: path.to_owned(),
            problem,
        };
        let check: Check =
            serde_yaml_ng::from_str(text).map_err(|error| CatalogueError::Unreadable {
                file: path.to_owned(),
                detail: error.to_string(),
            })?;
        let expected = path.trim_end_matches(".yaml").replace('/', "-");
        if check.id != expected {
            return Err(invalid(format!(
                "has the id `{}`, and its path asks for `{expected}`",
                check.id
            )));
        }
        for (what, text) in [
            ("title", &check.title),
            ("why", &check.why),
            ("fix.summary", &check.fix.summary),
        ] {
            if text.trim().is_empty() {
                return Err(invalid(format!("has an empty `{what}`")));
            }
        }
        if check.title.ends_with('.') || check.title.starts_with("ensure") {
            return Err(invalid(
                "must name the problem in `title`, without a full stop".to_owned(),
            ));
        }
        if check.mission && check.severity < Severity::High {
            return Err(invalid(
                "answers a mission question and must be at least `high`".to_owned(),
            ));
        }
        for (what, worlds) in [
            ("fires", &check.proof.fires),
            ("silent", &check.proof.silent),
        ] {
            if worlds.is_empty() {
                return Err(invalid(format!("names no world under `proof.{what}`")));
            }
        }
        if !check.reads.is_empty() && check.proof.unknown.is_empty() {
            return Err(invalid(
                "reads something and names no world under `proof.unknown`".to_owned(),
            ));
        }
        Ok(check)
    }
}

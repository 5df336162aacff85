//! One step: who gains whom, by which technique, and why that is so.

use std::collections::BTreeMap;

use palisade_model::{Arn, Gap};
use serde::{Deserialize, Serialize};

use super::Node;
use super::weigh::{Detection, Interval};

/// How sure a step or a path is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every request is allowed and every fact was read.
    #[default]
    Proven,
    /// Some request is allowed under conditions that the snapshot does not settle.
    Conditional,
    /// It exists only if something that could not be read turns out badly.
    Possible,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Who takes the step.
    pub from: Node,
    /// What the step gains.
    pub to: Node,
    /// A principal that must be in hand besides: it sends part of the requests, or is only held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Node>,
    /// The technique's id.
    pub technique: String,
    /// The options chosen in the technique's groups, as `group/option`, in the file's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// How sure it is.
    pub status: Status,
    /// The requests it sends, in order, with what allows each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
    /// Facts that had to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// What the technique's variables stand for, such as `$f` for a function.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bindings: BTreeMap<String, String>,
    /// What could not be read and would have settled it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Its factor in the score, in parts per million; the ends differ where facts are missing.
    pub weight: Interval,
    /// How long it takes, in minutes.
    pub minutes: u32,
    /// What would break it, most useful first, in the technique's own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<String>,
}

/// A request an attacker sends, and why it goes through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who sends it.
    pub principal: Node,
    /// The action.
    pub action: String,
    /// The resource: an ARN, `*`, or a pattern when the attacker chooses the name.
    pub resource: String,
    /// Context keys the request carries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Vec<String>>,
    /// What the policy engine said.
    pub status: Status,
    /// The statements that allow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
    /// The conditions that remain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Who would notice.
    pub detection: Detection,
}

/// A policy statement that decided something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Statement {
    /// The layer: `identity`, `trust`, `resource`, `boundary`, `scp`, …
    pub layer: String,
    /// The policy: an ARN, or `inline NAME of ARN`.
    pub policy: String,
    /// The statement's `Sid`, or its index in the document.
    pub statement: String,
    /// The statement as written, where it is kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Statement {
    /// Whether it allows something: a Deny under conditions is cited beside what it may undo.
    pub(crate) fn allows(&self) -> bool {
        let parsed = serde_json::from_str::<serde_json::Value>(&self.text);
        !parsed.is_ok_and(|statement| statement["Effect"] == "Deny")
    }
}

/// A condition that the snapshot does not settle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Condition {
    /// The condition key; several joined by a comma when they hang together.
    pub key: String,
    /// What it must be, in words.
    pub requirement: String,
    /// Whether the caller can bring it about.
    pub by_caller: bool,
}

/// A fact a technique leaned on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// The predicate with its variables filled in.
    pub text: String,
    /// The resource it was read from, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Arn>,
    /// How sure it is.
    pub status: Status,
}

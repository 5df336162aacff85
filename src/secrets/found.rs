//! What a scan hands out: matches without their values, and what could not be looked into.

use serde::{Deserialize, Serialize};

/// What a match is by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Holding it is holding access.
    Secret,
    /// It names an account, a user or a key, and opens nothing.
    Identifier,
    /// It helps to read what stands near it.
    Context,
}

/// How bad a match is by itself; where it lies is for others to weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// One step towards harmless.
    pub(crate) fn lower(self) -> Self {
        match self {
            Self::Critical => Self::High,
            Self::High => Self::Medium,
            Self::Medium => Self::Low,
            Self::Low | Self::Info => Self::Info,
        }
    }
}

/// One thing found. Holds no byte of a secret beyond the fixed prefix its vendor puts there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Path inside the archive, `!` between nested archives; `None` for the file itself.
    pub inner: Option<String>,
    /// First byte of the value in the file (in the inner, inflated file where there is one).
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Id of the rule, as in `checks/secrets/`.
    pub rule: String,
    /// What the rule calls it.
    pub title: String,
    /// Secret, identifier or context.
    pub class: Role,
    pub severity: Severity,
    /// A form that is safe to show.
    pub redacted: String,
    /// Keyed hash of rule and value; `None` where an unkeyed one could be guessed back.
    pub fingerprint: Option<String>,
    /// The AWS access key id this is, or belongs to. Not secret: it is in every log line.
    pub key_id: Option<String>,
    /// Account decoded from the key id (twelve digits), without any call.
    pub account_id: Option<String>,
    /// A key id and its secret (or session token) were found together.
    pub paired: bool,
    /// `base64` when the value stood encoded; the span is that of the encoded text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Past its own date, where the date of reading is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
    /// SHA-256 of the value: on request, and only for values a provider drew at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Something in a file that was not looked into, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unread {
    /// Path inside the archive; `None` for the file itself.
    pub inner: Option<String>,
    /// Lower case, no full stop.
    pub why: String,
}

/// What a scan of one file amounts to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Matches handed out.
    pub matches: u64,
    /// Bytes searched, after inflating.
    pub bytes: u64,
    /// What was left out. Empty means that every byte was searched.
    pub unread: Vec<Unread>,
}

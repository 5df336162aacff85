//! Risks that somebody took responsibility for. They stay in every report and every score: only
//! the gate looks past them, and only until they expire.

use palisade_model::Time;
use serde::Deserialize;
use thiserror::Error;

use crate::graph::Cause;
use crate::report::{Finding, PathEntry, Report};

const LEAST_REASON: usize = 20;
const LONGEST_DAYS: i64 = 180;

/// The accepted risks of one file.
#[derive(Clone, Debug, Default)]
pub struct Accepted {
    risks: Vec<Risk>,
}

/// One accepted risk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// The id of the finding or path, as reports print it.
    pub id: String,
    /// Why it is acceptable: 20 characters at least.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The day it was accepted.
    #[serde(deserialize_with = "day")]
    pub created: Time,
    /// The day it counts again, at most 180 days later.
    #[serde(deserialize_with = "day")]
    pub expires: Time,
    /// A ticket, for people.
    #[serde(default)]
    pub ticket: Option<String>,
}

/// Why accepted risks cannot be used.
#[derive(Debug, Error)]
pub enum AcceptedError {
    /// Not the TOML that is asked for.
    #[error("line {line}: {detail}")]
    Unreadable {
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// One says too little, or too much.
    #[error("the accepted risk `{id}` {problem}")]
    Invalid {
        /// Its id.
        id: String,
        /// What is wrong, as the rest of the sentence.
        problem: String,
    },
}

fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    use serde::de::Error as _;
    let date = match toml::Value::deserialize(deserializer)? {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text,
        _ => String::new(),
    };
    format!("{date}T00:00:00Z")
        .parse()
        .map_err(|_| D::Error::custom("use a day, such as 2026-12-31"))
}

impl Accepted {
    /// Reads `[[risk]]` tables.
    pub fn read(text: &str) -> Result<Self, AcceptedError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            risk: Vec<Risk>,
        }
        let file: File = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            AcceptedError::Unreadable {
                line: 1 + text[..start].matches('\n').count(),
                detail: error.message().to_owned(),
            }
        })?;
        for risk in &file.risk {
            let invalid = |problem: String| AcceptedError::Invalid {
                id: risk.id.clone(),
                problem,
            };
            if risk.reason.trim().chars().count() < LEAST_REASON {
                return Err(invalid(format!(
                    "needs a reason of {LEAST_REASON} characters"
                )));
            }
            if risk.owner.trim().is_empty() {
                return Err(invalid("needs an owner".to_owned()));
            }
            if !(0..=LONGEST_DAYS).contains(&risk.created.days_until(risk.expires)) {
                return Err(invalid(format!(
                    "must expire after it is created, and within {LONGEST_DAYS} days"
                )));
            }
        }
        Ok(Accepted { risks: file.risk })
    }

    fn covers(&self, id: &str, now: Time) -> bool {
        self.risks
            .iter()
            .any(|risk| risk.id == id && now < risk.expires)
    }

    pub(super) fn covers_finding(&self, finding: &Finding, now: Time) -> bool {
        self.covers(&finding.id, now)
    }

    pub(super) fn covers_path(&self, path: &PathEntry, now: Time) -> bool {
        self.covers(&path.id, now)
    }

    /// By its own id, or by those of all paths that use it.
    pub(super) fn covers_cause(&self, cause: &Cause, now: Time) -> bool {
        let mut paths = cause.paths.iter();
        let all = !cause.paths.is_empty() && paths.all(|path| self.covers(path, now));
        all || self.covers(&cause.id, now)
    }

    pub(super) fn idle(&self, report: &Report) -> Vec<String> {
        let known = |id: &str| {
            report.findings.iter().any(|finding| finding.id == id)
                || report.paths.iter().any(|path| path.id == id)
                || report.causes.iter().any(|one| one.cause.id == id)
        };
        self.risks
            .iter()
            .filter(|risk| !known(&risk.id))
            .map(|risk| risk.id.clone())
            .collect()
    }

    pub(super) fn expired(&self, now: Time) -> Vec<String> {
        self.risks
            .iter()
            .filter(|risk| now >= risk.expires)
            .map(|risk| risk.id.clone())
            .collect()
    }
}

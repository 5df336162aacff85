//! What was known before: an earlier report, reduced to what decides whether something is new.

use std::collections::BTreeMap;

use palisade_checks::Severity;
use serde::Deserialize;
use thiserror::Error;

use crate::graph::Score;
use crate::report::{Finding, News, PathEntry, SCHEMA};

/// How far a score has to rise to count as worse within its band.
const WORSE_BY: u16 = 50;

/// Findings by id, and paths by pair of entry and target.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    findings: BTreeMap<String, Severity>,
    pairs: BTreeMap<(String, String), Score>,
}

/// Why a file is no baseline.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// Not the JSON of a report.
    #[error("it is not a JSON report")]
    Unreadable(#[from] serde_json::Error),
    /// A report of another schema.
    #[error("the report has the schema `{0}`, and this palisade compares `{SCHEMA}`")]
    Schema(String),
    /// A report scored with other weights: its numbers cannot be compared.
    #[error("the report was scored with `{found}`, and this palisade scores with `{expected}`")]
    Weights {
        /// The version in the report.
        found: String,
        /// The version of this build.
        expected: String,
    },
}

#[derive(Deserialize)]
struct Earlier {
    schema: String,
    weights: String,
    findings: Vec<EarlierFinding>,
    paths: Vec<EarlierPath>,
}

#[derive(Deserialize)]
struct EarlierFinding {
    id: String,
    severity: Severity,
}

#[derive(Deserialize)]
struct EarlierPath {
    entry_id: String,
    target_id: String,
    score: crate::graph::Span,
}

impl Baseline {
    /// Reads a JSON report.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Preamble {
            schema: String,
        }
        let preamble: Preamble = serde_json::from_str(text)?;
        if preamble.schema != SCHEMA {
            return Err(BaselineError::Schema(preamble.schema));
        }
        let earlier: Earlier = serde_json::from_str(text)?;
        debug_assert_eq!(earlier.schema, SCHEMA);
        let expected = crate::report::weights_version();
        if earlier.weights != expected {
            return Err(BaselineError::Weights {
                found: earlier.weights,
                expected,
            });
        }
        let findings = earlier
            .findings
            .into_iter()
            .map(|f| (f.id, f.severity))
            .collect();
        let pairs = earlier
            .paths
            .into_iter()
            .map(|path| ((path.entry_id, path.target_id), path.score.hi))
            .collect();
        Ok(Baseline { findings, pairs })
    }

    /// Whether a finding is new, worse or known.
    pub(super) fn of_finding(&self, finding: &Finding) -> News {
        match self.findings.get(&finding.id) {
            None => News::New,
            Some(before) if finding.severity > *before => News::Worse,
            Some(_) => News::Same,
        }
    }

    /// Whether a pair of entry and target is new, worse or known.
    pub(super) fn of_path(&self, path: &PathEntry) -> News {
        let key = (path.entry_id.clone(), path.target_id.clone());
        let now = path.pair.score.hi;
        match self.pairs.get(&key) {
            None => News::New,
            Some(before) if now.band() > before.band() || now.0 >= before.0 + WORSE_BY => {
                News::Worse
            }
            Some(_) => News::Same,
        }
    }
}

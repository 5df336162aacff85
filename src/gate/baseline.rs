//! What was known before: an earlier report, reduced to what decides whether something is new.

use std::collections::BTreeMap;

use palisade_checks::Severity;
use serde::Deserialize;
use thiserror::Error;

use crate::graph::{Cause, Score, Stop};
use crate::report::{Finding, News, PathEntry, SCHEMA};

/// How far a score has to rise to count as worse within its band.
const WORSE_BY: u16 = 50;

/// Findings by id, and paths by pair of entry and target.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    findings: BTreeMap<String, Severity>,
    pairs: BTreeMap<(String, String), Score>,
    /// Root causes by id; nothing where the report knew none.
    causes: Option<BTreeMap<String, Score>>,
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
    causes: Option<Vec<EarlierCause>>,
}

#[derive(Deserialize)]
struct EarlierCause {
    id: String,
    worst: Score,
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
    best: EarlierBest,
}

#[derive(Deserialize)]
struct EarlierBest {
    entry: Stop,
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
        let mut pairs = BTreeMap::new();
        for path in earlier.paths {
            for (entry, score) in entries(path.entry_id, &path.best.entry, path.score.hi) {
                pairs.insert((entry, path.target_id.clone()), score);
            }
        }
        let causes = earlier.causes.map(|causes| {
            let known = causes.into_iter().map(|cause| (cause.id, cause.worst));
            known.collect()
        });
        Ok(Baseline {
            findings,
            pairs,
            causes,
        })
    }

    /// Whether a finding is new, worse or known.
    pub(super) fn of_finding(&self, finding: &Finding) -> News {
        match self.findings.get(&finding.id) {
            None => News::New,
            Some(before) if finding.severity > *before => News::Worse,
            Some(_) => News::Same,
        }
    }

    /// Whether a pair of entry and target is new, worse or known: for whoever of those that begin
    /// in the same way it is the worst news.
    pub(super) fn of_path(&self, path: &PathEntry) -> News {
        let of = |(entry, now): (String, Score)| {
            let before = self.pairs.get(&(entry, path.target_id.clone()));
            news(before.copied(), now)
        };
        let now = path.pair.score.hi;
        let all = entries(path.entry_id.clone(), &path.best().entry, now);
        let all: Vec<News> = all.into_iter().map(of).collect();
        let worst = [News::New, News::Worse];
        worst
            .into_iter()
            .find(|news| all.contains(news))
            .unwrap_or(News::Same)
    }

    /// Whether a root cause is new, worse or known; nothing where the earlier report knew none.
    pub(super) fn of_cause(&self, cause: &Cause) -> News {
        match &self.causes {
            Some(causes) => news(causes.get(&cause.id).copied(), cause.worst),
            None => News::None,
        }
    }
}

fn news(before: Option<Score>, now: Score) -> News {
    match before {
        None => News::New,
        Some(before) if now.band() > before.band() || now.0 >= before.0 + WORSE_BY => News::Worse,
        Some(_) => News::Same,
    }
}

/// Everybody who begins a path, by stable name, and the highest score from there.
fn entries(shown: String, entry: &Stop, score: Score) -> Vec<(String, Score)> {
    let mut all: Vec<(String, Score)> = match entry.members.is_empty() {
        true => vec![(shown, score)],
        false => entry
            .members
            .iter()
            .map(|node| (node.id(), score))
            .collect(),
    };
    let circle = entry.circle.iter();
    all.extend(circle.map(|fellow| (fellow.node.id(), fellow.score.hi)));
    all
}

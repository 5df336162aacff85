//! Pass or fail: what a report holds against a threshold, a baseline and accepted risks.

mod accepted;
mod baseline;
mod threshold;

use palisade_checks::Severity;
use serde::{Deserialize, Serialize};

use crate::graph::Status;
use crate::report::{News, Report};

pub use accepted::{Accepted, AcceptedError, Risk};
pub use baseline::{Baseline, BaselineError};
pub use threshold::{Threshold, ThresholdError, severity};

/// What the verdict depends on beside the report.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// From where on a finding fails.
    pub fail_on: Threshold,
    /// Whether unread facts are let pass.
    pub allow_incomplete: bool,
    /// An earlier report: then only what is new or worse counts.
    pub baseline: Option<Baseline>,
    /// What somebody took responsibility for.
    pub accepted: Accepted,
}

/// What the gate says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing at or above the threshold, and nothing unread that could have been.
    #[default]
    Passed,
    /// Something that could raise the verdict was not read.
    Inconclusive,
    /// Something at or above the threshold.
    Failed,
}

/// The gate's answer and its reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Pass or fail.
    pub outcome: Outcome,
    /// The threshold, as typed.
    pub fail_on: String,
    /// Findings and paths at or above the threshold, worst first: what fails the gate.
    pub failing: Vec<String>,
    /// What was not read and could be at or above the threshold.
    pub inconclusive: Vec<String>,
    /// Accepted risks that match nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub idle: Vec<String>,
    /// Accepted risks that have expired: what they covered counts again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<String>,
}

/// Judges `report`, marks in it what is new, worse or accepted, and leaves the verdict there.
pub fn judge(report: &mut Report, settings: &Settings) -> Verdict {
    mark(report, settings);
    let mut verdict = Verdict {
        fail_on: settings.fail_on.to_string(),
        ..Verdict::default()
    };
    let known = settings.baseline.is_some();
    let counts = |news: News| news != News::Accepted && !(known && news == News::Same);
    let reaches = |severity: Severity| settings.fail_on.reached_by(severity);
    for path in &report.paths {
        if !counts(path.news) {
            continue;
        }
        let line = format!(
            "{} {} → {}",
            path.id,
            path.best().entry.node,
            path.best().target.node
        );
        let sure = path.settled();
        if sure.is_some_and(|score| settings.fail_on.reached_by_score(score.hi)) {
            verdict.failing.push(line);
        } else if settings.fail_on.reached_by_score(path.pair.score.hi) {
            debug_assert!(path.best().status == Status::Possible || sure.is_some());
            verdict.inconclusive.push(line);
        }
    }
    // A path that is known may have come to hang on something new. Without a baseline its causes
    // say what the paths say.
    for cause in &report.causes {
        if !matches!(cause.news, News::New | News::Worse) || !reaches(cause.severity) {
            continue;
        }
        let line = format!("{} {}", cause.cause.id, cause.cause.principal.node);
        match cause.cause.settled {
            true => verdict.failing.push(line),
            false => verdict.inconclusive.push(line),
        }
    }
    for finding in report
        .findings
        .iter()
        .filter(|finding| counts(finding.news))
    {
        if reaches(finding.severity) {
            verdict.failing.push(format!(
                "{} {} {}",
                finding.id, finding.check, finding.resource
            ));
        }
    }
    for unresolved in report
        .unresolved
        .iter()
        .filter(|unresolved| reaches(unresolved.severity))
    {
        verdict
            .inconclusive
            .push(format!("{} {}", unresolved.check, unresolved.place()));
    }
    if report.accounts.is_empty() {
        verdict
            .inconclusive
            .push("no account was looked at".to_owned());
    }
    verdict.idle = settings.accepted.idle(report);
    verdict.expired = settings.accepted.expired(report.taken_at);
    verdict.outcome = if !verdict.failing.is_empty() {
        Outcome::Failed
    } else if !verdict.inconclusive.is_empty() && !settings.allow_incomplete {
        Outcome::Inconclusive
    } else {
        Outcome::Passed
    };
    report.verdict = verdict.clone();
    verdict
}

fn mark(report: &mut Report, settings: &Settings) {
    let now = report.taken_at;
    for finding in &mut report.findings {
        finding.news = if settings.accepted.covers_finding(finding, now) {
            News::Accepted
        } else {
            settings
                .baseline
                .as_ref()
                .map_or(News::None, |baseline| baseline.of_finding(finding))
        };
    }
    for entry in &mut report.causes {
        let cause = &entry.cause;
        entry.news = match &settings.baseline {
            _ if settings.accepted.covers_cause(cause, now) => News::Accepted,
            Some(baseline) => baseline.of_cause(cause),
            None => News::None,
        };
    }
    for path in &mut report.paths {
        path.news = if settings.accepted.covers_path(path, now) {
            News::Accepted
        } else {
            settings
                .baseline
                .as_ref()
                .map_or(News::None, |baseline| baseline.of_path(path))
        };
    }
}

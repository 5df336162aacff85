//! Counts and coverage.

use std::collections::BTreeMap;

use palisade_checks::Severity;
use palisade_model::{GapKind, Observed, Snapshot};
use serde::Serialize;

use super::{Finding, PathEntry};
use crate::check::{Answer, Outcome};

/// Counts over every answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Findings by severity; severities without one are left out.
    pub findings: BTreeMap<String, usize>,
    /// All findings.
    pub total: usize,
    /// Pairs of entry and target that are connected.
    pub paths: usize,
    /// Answers by outcome.
    pub pass: usize,
    /// Answers by outcome.
    pub fail: usize,
    /// Answers by outcome.
    pub unknown: usize,
    /// Answers by outcome.
    pub not_applicable: usize,
    /// `(pass + fail) / (pass + fail + unknown)`, in whole percent, rounded down: 100 means all.
    pub assessed_percent: usize,
}

impl Summary {
    pub(super) fn count(answers: &[Answer]) -> Summary {
        let mut summary = Summary::default();
        for answer in answers {
            match answer.outcome {
                Outcome::Pass => summary.pass += 1,
                Outcome::Fail { .. } => summary.fail += 1,
                Outcome::Unknown { .. } => summary.unknown += 1,
                Outcome::NotApplicable { .. } => summary.not_applicable += 1,
            }
        }
        let known = summary.pass + summary.fail;
        let asked = known + summary.unknown;
        summary.assessed_percent = (known * 100).checked_div(asked).unwrap_or(0);
        summary
    }

    pub(super) fn with(mut self, findings: &[Finding], paths: &[PathEntry]) -> Summary {
        for finding in findings {
            *self
                .findings
                .entry(finding.severity.to_string())
                .or_default() += 1;
        }
        self.total = findings.len();
        self.paths = paths.len();
        self
    }

    /// `12 findings · 61 % assessed`, with the severities in between.
    pub fn line(&self) -> String {
        let mut parts = Vec::new();
        let plural = |count: usize, one: &str, many: &str| {
            format!("{count} {}", if count == 1 { one } else { many })
        };
        let severities: Vec<String> = Severity::WORST_FIRST
            .iter()
            .filter_map(|severity| {
                self.findings
                    .get(severity.as_str())
                    .map(|count| format!("{count} {severity}"))
            })
            .collect();
        let findings = plural(self.total, "finding", "findings");
        parts.push(if severities.is_empty() {
            findings
        } else {
            format!("{findings} ({})", severities.join(", "))
        });
        parts.push(plural(self.paths, "path", "paths"));
        parts.push(format!("{} % assessed", self.assessed_percent));
        parts.join(" · ")
    }
}

/// How far an account was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Every list was read.
    Read,
    /// Some lists were not.
    Partly,
    /// The account could not be entered.
    NotReached,
}

/// One account of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountRow {
    /// Its id.
    pub account: String,
    /// Its name in the organization, or its alias; empty when neither is known.
    pub name: String,
    /// How far it was read.
    pub reach: Reach,
    /// Facts that are gaps, by operation.
    pub gaps: BTreeMap<String, usize>,
}

pub(super) fn accounts(snapshot: &Snapshot) -> Vec<AccountRow> {
    snapshot
        .accounts
        .iter()
        .map(|(id, account)| {
            let mut gaps = BTreeMap::new();
            // Model types always serialise: their map keys are strings.
            count_gaps(
                &serde_json::to_value(account).unwrap_or_default(),
                &mut gaps,
            );
            let reach = match &account.regions {
                Observed::Gap(gap) if gap.kind == GapKind::NotReached => Reach::NotReached,
                _ if gaps.is_empty() => Reach::Read,
                _ => Reach::Partly,
            };
            let listed = snapshot
                .organization
                .value()
                .and_then(|org| org.accounts.value());
            let name = listed
                .and_then(|accounts| accounts.get(id))
                .map(|entry| entry.name.clone())
                .or_else(|| account.iam.alias.value().cloned())
                .unwrap_or_default();
            AccountRow {
                account: id.clone(),
                name,
                reach,
                gaps,
            }
        })
        .collect()
}

fn count_gaps(value: &serde_json::Value, gaps: &mut BTreeMap<String, usize>) {
    match value {
        serde_json::Value::Object(map) => {
            if let Some(operation) = map.get("$gap").and_then(|gap| gap.get("operation")) {
                *gaps
                    .entry(operation.as_str().unwrap_or_default().to_owned())
                    .or_default() += 1;
                return;
            }
            map.values().for_each(|value| count_gaps(value, gaps));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| count_gaps(value, gaps)),
        _ => {}
    }
}

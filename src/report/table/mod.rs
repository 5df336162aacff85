//! The report for a person at a terminal: paths hop by hop, what lets them happen and what cuts
//! them, findings by problem, coverage.

mod explain;
mod findings;
mod paths;
mod remedy;
mod text;

use palisade_checks::Severity;
use std::collections::BTreeMap;

use super::escape::plain;
use super::{Reach, Report, Unresolved};
use crate::gate::Outcome;
use crate::graph::{BlastRadius, Node};
pub use explain::explain;
use findings::{findings, guardrails, services};
use paths::{draw, paths};
use remedy::{causes, cuts};
pub use text::fold;
use text::{paint, wrapped};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns to fill.
    pub width: usize,
    /// Whether to colour.
    pub color: bool,
    /// Findings below this are hidden.
    pub least: Option<Severity>,
}

/// Appends one line. Writing to a string cannot fail.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($arg:tt)*) => {{
        use std::fmt::Write as _;
        let _ = writeln!($out, $($arg)*);
    }};
}
use line;

/// Renders `report`.
pub fn render(report: &Report, style: Style) -> String {
    let mut out = String::new();
    header(&mut out, report, style);
    paths(&mut out, report, style);
    causes(&mut out, report, style);
    cuts(&mut out, report, style);
    findings(&mut out, report, style);
    services(&mut out, report, style);
    guardrails(&mut out, report, style);
    unresolved(&mut out, &report.unresolved, style);
    accounts(&mut out, report);
    footer(&mut out, report, style);
    out
}

/// Renders the paths of `report` alone, every one of them.
pub fn render_paths(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for path in &report.paths {
        draw(&mut out, path, style);
        line!(out);
    }
    for cap in &report.caps {
        wrapped(&mut out, &format!("note: {cap}"), "", style.width);
    }
    for radius in &report.reach {
        reach(&mut out, radius, style);
    }
    line!(out, "{}", count(report.paths.len()));
    out
}

/// Nodes of a blast radius that are named.
const NAMED_REACH: usize = 20;

/// All that somebody reaches.
fn reach(out: &mut String, radius: &BlastRadius, style: Style) {
    let mut tell = |what: &str, nodes: &[Node]| {
        if nodes.is_empty() {
            return;
        }
        let named: Vec<String> = nodes
            .iter()
            .take(NAMED_REACH)
            .map(Node::to_string)
            .collect();
        let more = match nodes.len().saturating_sub(NAMED_REACH) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!(
            "{} {what} {}: {}{more}",
            radius.of,
            nodes.len(),
            named.join(", ")
        );
        wrapped(out, &text, "", style.width);
    };
    tell("reaches", &radius.reached);
    tell(
        "may reach, if what was not read turns out badly,",
        &radius.possible,
    );
}

fn count(paths: usize) -> String {
    if paths == 1 {
        "1 path".to_owned()
    } else {
        format!("{paths} paths")
    }
}

fn header(out: &mut String, report: &Report, style: Style) {
    let accounts = match report.accounts.as_slice() {
        [one] => format!("account {}", one.account),
        many => format!("{} accounts", many.len()),
    };
    let title = paint("palisade", "1", style);
    line!(
        out,
        "{title} · {} · {accounts} · {}",
        plain(&report.source),
        report.taken_at
    );
    line!(out);
}

/// What was not read, by the call that failed and the checks it left open.
fn unresolved(out: &mut String, unresolved: &[Unresolved], style: Style) {
    if unresolved.is_empty() {
        return;
    }
    line!(
        out,
        "{}",
        paint(&format!("Unknown ({})", unresolved.len()), "1", style)
    );
    let mut by_reason: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for answer in unresolved {
        for reason in &answer.missing {
            *by_reason
                .entry(reason)
                .or_default()
                .entry(&answer.check)
                .or_default() += 1;
        }
    }
    for (reason, checks) in by_reason {
        let total: usize = checks.values().sum();
        let mut names: Vec<&str> = checks.keys().copied().collect();
        let more = names.len().saturating_sub(3);
        names.truncate(3);
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        wrapped(
            out,
            &format!("{reason}: leaves {total} open ({}{more})", names.join(", ")),
            "  ",
            style.width,
        );
    }
    line!(out);
}

fn accounts(out: &mut String, report: &Report) {
    for row in report
        .accounts
        .iter()
        .filter(|row| row.reach == Reach::NotReached)
    {
        line!(
            out,
            "account {} {} was not reached: nothing is known of it",
            row.account,
            plain(&row.name)
        );
    }
}

fn footer(out: &mut String, report: &Report, style: Style) {
    let verdict = match report.verdict.outcome {
        Outcome::Failed => paint("failed", "1;31", style),
        Outcome::Inconclusive => paint("inconclusive", "1;33", style),
        Outcome::Passed => paint("passed", "1;32", style),
    };
    line!(out, "{}", report.summary_line());
    line!(
        out,
        "gate ({}): {verdict} · scores are relative and uncalibrated ({})",
        report.verdict.fail_on,
        report.weights
    );
}

//! Everything known about one finding, path, cause or resource.

use std::collections::BTreeSet;

use palisade_model::Snapshot;

use super::super::escape::plain;
use super::super::{Finding, PathEntry, Report};
use super::paths::{draw, unread};
use super::remedy::draw_cause;
use super::text::{hanging, wrapped};
use super::{Style, line};
use crate::graph::{Cause, Edge, Path};

/// Everything known about one finding, path or resource; `None` when nothing has that name.
pub fn explain(
    report: &Report,
    snapshot: &Snapshot,
    subject: &str,
    style: Style,
) -> Option<String> {
    let mut out = String::new();
    let mut known = false;
    for path in report.paths.iter().filter(|path| speaks_of(path, subject)) {
        known = true;
        draw(&mut out, path, style);
        for (number, hop) in path.best().hops.iter().enumerate() {
            evidence(&mut out, number + 1, hop, style);
        }
        waterfall(&mut out, path.best());
        for other in &path.pair.alternatives {
            let steps: Vec<&str> = other.techniques().collect();
            let text = format!("another way, {}: {}", other.score, steps.join(" → "));
            wrapped(&mut out, &text, "  ", style.width);
        }
        line!(out);
    }
    let about = |finding: &&Finding| finding.id == subject || finding.resource == subject;
    for finding in report.findings.iter().filter(about) {
        known = true;
        line!(out, "{} {} {}", finding.severity, finding.id, finding.title);
        line!(out, "  {} {}", finding.check, plain(&finding.resource));
        for evidence in &finding.evidence {
            hanging(&mut out, &evidence.says, "  because ", style.width);
            if !evidence.source.is_empty() {
                wrapped(&mut out, &evidence.source, "    ", style.width);
            }
        }
        for path in &finding.paths {
            line!(out, "  lies on {path}");
        }
        wrapped(
            &mut out,
            &format!("fix: {}", finding.fix),
            "  ",
            style.width,
        );
        line!(out);
    }
    let holds = |cause: &&Cause| cause.id == subject || cause.principal.node.id() == subject;
    for cause in report.causes.iter().map(|one| &one.cause).filter(holds) {
        known = true;
        draw_cause(&mut out, cause, style);
        if let Some(statement) = &cause.statement {
            wrapped(&mut out, &statement.text, "    ", style.width);
        }
        line!(out);
    }
    for open in report
        .unresolved
        .iter()
        .filter(|open| open.resource == subject)
    {
        known = true;
        wrapped(
            &mut out,
            &format!("unknown {}: {}", open.check, open.missing.join("; ")),
            "",
            style.width,
        );
    }
    let exists =
        serde_json::to_string(snapshot).is_ok_and(|text| text.contains(&format!("\"{subject}\"")));
    match (known, exists) {
        (true, _) => Some(out),
        (false, true) => Some(format!(
            "{}: no finding and no path leads through it\n",
            plain(subject)
        )),
        (false, false) => None,
    }
}

fn speaks_of(path: &PathEntry, subject: &str) -> bool {
    path.id == subject
        || path.nodes.iter().any(|node| node == subject)
        || path
            .pair
            .best
            .stops
            .iter()
            .flat_map(|stop| &stop.members)
            .chain(path.pair.best.entry.everybody())
            .any(|node| node.id() == subject)
}

/// One step in full: requests with their statements as written, what remains open, what would
/// block it.
fn evidence(out: &mut String, number: usize, hop: &Edge, style: Style) {
    line!(out, "  step {number}: {}", hop.technique);
    for request in &hop.requests {
        let context: Vec<String> = request
            .context
            .iter()
            .map(|(key, values)| format!("{key} = {}", values.join(", ")))
            .collect();
        let with = if context.is_empty() {
            String::new()
        } else {
            format!(" with {}", context.join(" and "))
        };
        let asks = format!("{} on {}{with}", request.action, request.resource);
        wrapped(
            out,
            &format!("{} asks {asks}", request.principal),
            "    ",
            style.width,
        );
        for statement in &request.statements {
            let by = format!(
                "{} {} of {} ({})",
                verb(&statement.text),
                statement.statement,
                statement.policy,
                statement.layer
            );
            wrapped(out, &by, "      ", style.width);
            wrapped(out, &statement.text, "        ", style.width);
        }
        for condition in &request.conditions {
            let who = if condition.by_caller {
                ", which the caller can see to"
            } else {
                ""
            };
            let text = format!("holds if {}{who}", condition.requirement);
            wrapped(out, &text, "      ", style.width);
        }
    }
    for fact in &hop.facts {
        wrapped(out, &format!("fact: {}", fact.text), "    ", style.width);
    }
    let gaps: BTreeSet<String> = hop.gaps.iter().map(unread).collect();
    for gap in gaps {
        wrapped(out, &gap, "    ", style.width);
    }
    if !hop.blocked_by.is_empty() {
        let text = format!("would be blocked by: {}", hop.blocked_by.join("; "));
        wrapped(out, &text, "    ", style.width);
    }
}

/// What a statement does to the request it bears on.
fn verb(statement: &str) -> &'static str {
    let parsed: Option<serde_json::Value> = serde_json::from_str(statement).ok();
    match parsed.is_some_and(|statement| statement["Effect"] == "Deny") {
        true => "denied, but for its condition, by",
        false => "allowed by",
    }
}

/// The sum behind a score, factor by factor.
fn waterfall(out: &mut String, path: &Path) {
    line!(out, "  score {} · {}", path.score, path.vector);
    for factor in &path.waterfall {
        let share = f64::from(factor.ppm) / 1_000_000.0;
        line!(
            out,
            "    × {share:<8.4} {:<44} → {}",
            plain(&factor.name),
            factor.after
        );
    }
}

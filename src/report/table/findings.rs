//! Findings by problem, security services by place, and what guards them.

use std::collections::BTreeMap;

use palisade_checks::Severity;
use tabled::builder::Builder;
use tabled::settings::Style as Frame;

use super::super::escape::plain;
use super::super::{Finding, Report};
use super::paths::news;
use super::text::{fold, name_of, paint, wrapped};
use super::{Style, line};
use crate::alarm::state::Row;

/// How many resources one row names.
const NAMED_RESOURCES: usize = 4;

/// How many rows of the matrix are drawn, and how many accounts and regions one row names.
const SERVICE_ROWS: usize = 12;
const NAMED_PLACES: usize = 3;

/// Findings of one check are one row: the root cause once, the places below it.
pub(super) fn findings(out: &mut String, report: &Report, style: Style) {
    let shown: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| style.least.is_none_or(|least| finding.severity >= least))
        .collect();
    let hidden = report.findings.len() - shown.len();
    line!(
        out,
        "{}",
        paint(&format!("Findings ({})", report.findings.len()), "1", style)
    );
    if shown.is_empty() && hidden == 0 {
        line!(out, "none");
    }
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in shown {
        let key = (std::cmp::Reverse(finding.severity), finding.check.as_str());
        groups.entry(key).or_default().push(finding);
    }
    if !groups.is_empty() {
        let room = style.width.saturating_sub(10 + 8);
        let (middle, right) = (room * 2 / 5, room - room * 2 / 5);
        let mut rows = Builder::default();
        rows.push_record(["severity", "problem", "where and why"]);
        for ((severity, check), group) in &groups {
            let first = group[0];
            let problem = format!("{}\n{check}\nfix: {}", first.title, first.fix);
            rows.push_record([
                severity.0.to_string(),
                fold(&problem, middle),
                fold(&places(group), right),
            ]);
        }
        let mut table = rows.build();
        table.with(Frame::modern_rounded());
        line!(out, "{table}");
    }
    if hidden > 0 {
        line!(out, "{hidden} below the severity asked for are hidden");
    }
    line!(out);
}

pub(super) fn places(group: &[&Finding]) -> String {
    let mut lines = Vec::new();
    for finding in group.iter().take(NAMED_RESOURCES) {
        let region = if finding.region.is_empty() {
            String::new()
        } else {
            format!("{} ", finding.region)
        };
        let name = plain(name_of(&finding.resource));
        lines.push(format!(
            "{region}{name}{} ({})",
            news(finding.news),
            finding.id
        ));
        if let Some(evidence) = finding.evidence.first() {
            lines.push(format!("  {}", plain(&evidence.says)));
        }
    }
    if let Some(more) = group
        .len()
        .checked_sub(NAMED_RESOURCES)
        .filter(|more| *more > 0)
    {
        lines.push(format!("… and {more} more"));
    }
    lines.join("\n")
}

/// The security services: places that look alike share a row.
pub(super) fn services(out: &mut String, report: &Report, style: Style) {
    if report.services.is_empty() {
        return;
    }
    line!(out, "{}", paint("Security services", "1", style));
    let rows = Row::by_states(&report.services);
    for row in rows.iter().take(SERVICE_ROWS) {
        let mut by_state: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (service, state) in &row.states {
            by_state.entry(state).or_default().push(service.to_string());
        }
        let states: Vec<String> = by_state
            .into_iter()
            .filter(|(state, _)| *state != "not used")
            .map(|(state, services)| format!("{state}: {}", services.join(", ")))
            .collect();
        wrapped(out, &places_of(&row.places), "  ", style.width);
        wrapped(out, &states.join(" · "), "    ", style.width);
    }
    let more = rows.len().saturating_sub(SERVICE_ROWS);
    if more > 0 {
        line!(
            out,
            "  … and {more} more kinds of places: `-f json` has all"
        );
    }
    line!(out);
}

/// What keeps the services on, and who would hear it if nothing did.
pub(super) fn guardrails(out: &mut String, report: &Report, style: Style) {
    let lines = super::super::guardrails::lines(&report.tampering);
    if lines.is_empty() {
        return;
    }
    let title = "Guardrails and alarms, in pairs of account and tamper action";
    line!(out, "{}", paint(title, "1", style));
    for line in lines {
        line!(out, "  {}", plain(&line));
    }
    line!(out);
}

pub(super) fn places_of(places: &BTreeMap<String, Vec<String>>) -> String {
    let mut names: Vec<String> = places
        .iter()
        .take(NAMED_PLACES)
        .map(|(account, regions)| {
            let named: Vec<&str> = regions
                .iter()
                .map(String::as_str)
                .filter(|region| !region.is_empty())
                .collect();
            match named.len() {
                0 => format!("{account} (whole account)"),
                1..=NAMED_PLACES => format!("{account} {}", named.join(", ")),
                many => format!("{account} {} and {} more regions", named[0], many - 1),
            }
        })
        .collect();
    let more = places.len().saturating_sub(NAMED_PLACES);
    if more > 0 {
        names.push(format!("and {more} more accounts"));
    }
    names.join("; ")
}

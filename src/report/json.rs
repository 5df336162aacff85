//! The JSON report: everything, in the shape of `docs/report.schema.json`.

use palisade_checks::Severity;

use super::Report;

/// The published schema of the report.
pub const PUBLISHED: &str = include_str!("../../docs/report.schema.json");

/// Renders `report`; findings below `least` are left out.
pub fn render(report: &Report, least: Option<Severity>) -> String {
    let mut report = report.clone();
    if let Some(least) = least {
        report.findings.retain(|finding| finding.severity >= least);
    }
    // A report always serialises: its map keys are strings and its numbers finite.
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

//! The report for a person at a terminal: paths hop by hop, findings by root cause, coverage.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use palisade_checks::Severity;
use palisade_model::Snapshot;
use tabled::builder::Builder;
use tabled::settings::Style as Frame;

use super::escape::plain;
use super::{Finding, News, PathEntry, Reach, Report, Unresolved};
use crate::gate::{self, Outcome};
use crate::graph::{Edge, Path, Status};

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

/// How many paths are drawn hop by hop, and how many resources one row names.
const DRAWN_PATHS: usize = 10;
const NAMED_RESOURCES: usize = 4;

/// Appends one line. Writing to a string cannot fail.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($arg:tt)*) => {{ let _ = writeln!($out, $($arg)*); }};
}

/// Renders `report`.
pub fn render(report: &Report, style: Style) -> String {
    let mut out = String::new();
    header(&mut out, report, style);
    paths(&mut out, report, style);
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
        line!(out, "note: {}", plain(cap));
    }
    line!(
        out,
        "{} · {} % assessed",
        count(report.paths.len()),
        report.summary.assessed_percent
    );
    out
}

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
        waterfall(&mut out, path.best());
        line!(out);
    }
    let about = |finding: &&Finding| finding.id == subject || finding.resource == subject;
    for finding in report.findings.iter().filter(about) {
        known = true;
        line!(out, "{} {} {}", finding.severity, finding.id, finding.title);
        line!(out, "  {} {}", finding.check, plain(&finding.resource));
        for evidence in &finding.evidence {
            wrapped(&mut out, &evidence.says, "  because ", style.width);
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
            .any(|node| node.id() == subject)
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

fn paths(out: &mut String, report: &Report, style: Style) {
    if report.paths.is_empty() {
        return;
    }
    line!(
        out,
        "{}",
        paint(&format!("Paths ({})", report.paths.len()), "1", style)
    );
    for path in report.paths.iter().take(DRAWN_PATHS) {
        line!(out);
        draw(out, path, style);
    }
    if let Some(more) = report
        .paths
        .len()
        .checked_sub(DRAWN_PATHS)
        .filter(|more| *more > 0)
    {
        line!(
            out,
            "\n… and {more} more: `palisade paths` lists them, `-f json` has all"
        );
    }
    for cap in &report.caps {
        line!(out, "note: {}", plain(cap));
    }
    line!(out);
}

/// Draws one path: a headline, then a line per step with what allows it.
fn draw(out: &mut String, entry: &PathEntry, style: Style) {
    let path = entry.best();
    let severity = gate::severity(entry.score.hi);
    let head = format!("{severity} {}", entry.score);
    line!(
        out,
        "{} · {} · about {} min · {}{}",
        paint(&head, color_of(severity), style),
        status(path.status),
        path.minutes,
        entry.id,
        news(entry.news),
    );
    line!(out, "  {}", stop(path, 0));
    let mut at = &path.entry.node;
    for (index, hop) in path.hops.iter().enumerate() {
        // A step of two principals goes back to where the ways to them parted.
        if hop.from != *at {
            line!(out, "  and, from {}:", plain(&hop.from.to_string()));
        }
        at = &hop.to;
        let mark = if hop.status == Status::Proven {
            ""
        } else {
            " ?"
        };
        let name = palisade_checks::technique_of(&hop.technique).map(|technique| &technique.name);
        match name {
            Some(name) => wrapped(out, &format!("{name}{mark}"), "   │ ", style.width),
            None => line!(out, "   │ {}{mark}", hop.technique),
        }
        if name.is_some() {
            line!(out, "   │   {}", paint(&hop.technique, "2", style));
        }
        if let Some(with) = &hop.with {
            let both = format!("takes two: {} and {with}", hop.from);
            wrapped(out, &both, "   │   ", style.width);
        }
        for reason in reasons(hop) {
            wrapped(out, &reason, "   │   ", style.width);
        }
        line!(out, "   ▼");
        line!(out, "  {}", stop(path, index + 1));
    }
    for limit in &path.ceiling {
        wrapped(out, &format!("ceiling: {limit}"), "  ", style.width);
    }
}

/// A node of a path, with how many others stand for the same.
fn stop(path: &Path, index: usize) -> String {
    let stop = if index == 0 {
        &path.entry
    } else {
        &path.stops[index - 1]
    };
    let others = stop.count() - 1;
    let node = plain(&stop.node.to_string());
    if others == 0 {
        node
    } else {
        format!("{node} and {others} like it")
    }
}

/// What makes a step possible, in a line each.
fn reasons(hop: &Edge) -> Vec<String> {
    let mut reasons = Vec::new();
    for request in &hop.requests {
        let who = match &hop.with {
            Some(with) if request.principal == *with => format!("{with}: "),
            Some(_) => format!("{}: ", request.principal),
            None => String::new(),
        };
        let by = match request.statements.first() {
            Some(statement) => {
                format!(
                    ", by {} of {}",
                    statement.statement,
                    name_of(&statement.policy)
                )
            }
            None => String::new(),
        };
        reasons.push(format!(
            "{who}{} on {}{by}",
            request.action,
            name_of(&request.resource)
        ));
        for condition in &request.conditions {
            let who = if condition.by_caller {
                "the caller can see to it"
            } else {
                "if"
            };
            reasons.push(format!(
                "  {who}: {} {}",
                condition.key, condition.requirement
            ));
        }
    }
    // What binds a technique's variables together says nothing to a person: JSON has it.
    let told = |text: &&str| !text.starts_with("different(") && !text.contains(" = ");
    reasons.extend(
        hop.facts
            .iter()
            .map(|fact| fact.text.as_str())
            .filter(told)
            .map(short),
    );
    reasons.extend(hop.gaps.iter().map(|gap| format!("unknown: {gap}")));
    reasons
}

/// A fact with its ARNs cut to the parts people use, and without the kinds before them.
fn short(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("arn:") {
        let head = &rest[..at];
        let kind = head.rfind([' ', '(']).map_or(0, |space| space + 1);
        out.push_str(if head.ends_with(':') {
            &head[..kind]
        } else {
            head
        });
        let tail = &rest[at..];
        let end = tail.find([',', ')', ' ']).unwrap_or(tail.len());
        out.push_str(name_of(&tail[..end]));
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

/// The part of an ARN that people use; anything else as it is.
fn name_of(text: &str) -> &str {
    let mut parts = text.splitn(6, ':');
    match (parts.next(), parts.nth(4)) {
        (Some("arn"), Some(resource)) if !resource.is_empty() => resource,
        _ => text,
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Proven => "proven",
        Status::Conditional => "conditional",
        Status::Possible => "possible",
    }
}

fn news(news: News) -> &'static str {
    match news {
        News::None | News::Same => "",
        News::New => " · new",
        News::Worse => " · worse",
        News::Accepted => " · accepted",
    }
}

/// Findings of one check are one row: the root cause once, the places below it.
fn findings(out: &mut String, report: &Report, style: Style) {
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

fn places(group: &[&Finding]) -> String {
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

/// How many rows of the matrix are drawn, and how many accounts and regions one row names.
const SERVICE_ROWS: usize = 12;
const NAMED_PLACES: usize = 3;

/// The security services: places that look alike share a row.
fn services(out: &mut String, report: &Report, style: Style) {
    if report.services.is_empty() {
        return;
    }
    line!(out, "{}", paint("Security services", "1", style));
    for row in report.services.iter().take(SERVICE_ROWS) {
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
    let more = report.services.len().saturating_sub(SERVICE_ROWS);
    if more > 0 {
        line!(
            out,
            "  … and {more} more kinds of places: `-f json` has all"
        );
    }
    line!(out);
}

/// What keeps the services on, and who would hear it if nothing did.
fn guardrails(out: &mut String, report: &Report, style: Style) {
    let lines = super::guardrails::lines(&report.tampering);
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

fn places_of(places: &BTreeMap<String, Vec<String>>) -> String {
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

/// Appends `text`, folded so that it stays within `width` behind `indent`.
fn wrapped(out: &mut String, text: &str, indent: &str, width: usize) {
    let room = width.saturating_sub(indent.chars().count()).max(20);
    for line in fold(&plain(text), room).lines() {
        line!(out, "{indent}{line}");
    }
}

/// Folds each line of `text` between words; what is longer than a line is cut where names have
/// joints, or anywhere. Lines that go on keep the indent of the line they belong to.
fn fold(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let indent = line
            .chars()
            .take_while(|c| *c == ' ')
            .count()
            .min(width / 2);
        let mut current = " ".repeat(indent);
        let mut used = indent;
        for word in line
            .split_whitespace()
            .flat_map(|word| pieces(word, width - indent))
        {
            let length = word.chars().count();
            let gap = usize::from(used > indent);
            if used > indent && used + gap + length > width {
                lines.push(std::mem::replace(&mut current, " ".repeat(indent)));
                used = indent;
            }
            if used > indent {
                current.push(' ');
                used += 1;
            }
            current.push_str(&word);
            used += length;
        }
        lines.push(current);
    }
    lines.join("\n")
}

/// Cuts a word into pieces of at most `width` characters, behind a joint where there is one.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let mut rest: Vec<char> = word.chars().collect();
    let mut pieces = Vec::new();
    while rest.len() > width {
        let joint = rest[..width]
            .iter()
            .rposition(|c| matches!(c, '/' | ':' | '-' | '.' | '_' | ','));
        let at = joint
            .filter(|at| *at > width / 3)
            .map_or(width, |at| at + 1);
        pieces.push(rest.drain(..at).collect());
    }
    pieces.push(rest.into_iter().collect());
    pieces
}

fn color_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low | Severity::Info => "36",
    }
}

fn paint(text: &str, code: &str, style: Style) -> String {
    if style.color {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

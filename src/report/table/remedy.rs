//! What lets the paths happen, and which few changes cut them all.

use super::super::Report;
use super::text::{color_of, name_of, paint, short, wrapped};
use super::{Style, line};
use crate::gate;
use crate::graph::{Cause, Status};

/// How many causes are drawn, and how many ways of one are named.
const DRAWN_CAUSES: usize = 8;
const NAMED_WAYS: usize = 4;

/// How many changes are written out, and how many paths that nothing cuts are named.
const DRAWN_CHANGES: usize = 20;
const NAMED_LEFT: usize = 8;

/// One entry per root cause, worst first.
pub(super) fn causes(out: &mut String, report: &Report, style: Style) {
    if report.causes.is_empty() {
        return;
    }
    let title = format!("Root causes ({})", report.causes.len());
    line!(out, "{}", paint(&title, "1", style));
    for cause in report.causes.iter().take(DRAWN_CAUSES) {
        draw_cause(out, &cause.cause, style);
    }
    let more = report.causes.len().saturating_sub(DRAWN_CAUSES);
    if more > 0 {
        line!(out, "  … and {more} more: `-f json` has all");
    }
    line!(out);
}

/// Who holds what, and the ways it opens, worst first.
pub(super) fn draw_cause(out: &mut String, cause: &Cause, style: Style) {
    let severity = gate::severity(cause.worst);
    let head = format!("{severity} {}", cause.worst);
    let others = match cause.principal.count() - 1 {
        0 => String::new(),
        more => format!(" and {more} like it"),
    };
    let on = match cause.paths.len() {
        1 => "on 1 path".to_owned(),
        many => format!("on {many} paths"),
    };
    let head = paint(&head, color_of(severity), style);
    line!(out, "  {head} · {on} · {}", cause.id);
    let who = format!("{}{others}", cause.principal.node);
    wrapped(out, &who, "    ", style.width);
    match &cause.statement {
        Some(statement) => {
            let text = format!("{} of {}", statement.statement, name_of(&statement.policy));
            wrapped(out, &text, "    ", style.width);
        }
        None => {
            let told = cause.facts.iter().filter(|text| !text.contains(" = "));
            let facts: Vec<String> = told.map(|text| short(text)).collect();
            wrapped(out, &facts.join("; "), "    ", style.width);
        }
    }
    let ways: Vec<String> = cause
        .ways
        .iter()
        .take(NAMED_WAYS)
        .map(|way| {
            let sure = match way.status {
                Status::Proven => "",
                Status::Conditional => ", under conditions",
                Status::Possible => ", possible",
            };
            match way.gains {
                0 | 1 if sure.is_empty() => way.technique.clone(),
                0 | 1 => format!("{} ({})", way.technique, &sure[2..]),
                many => format!("{} ({many} targets{sure})", way.technique),
            }
        })
        .collect();
    let more = match cause.ways.len().saturating_sub(NAMED_WAYS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if !ways.is_empty() {
        wrapped(
            out,
            &format!("opens {}{more}", ways.join(", ")),
            "    ",
            style.width,
        );
    }
}

/// The changes that cut every path.
pub(super) fn cuts(out: &mut String, report: &Report, style: Style) {
    let Some(cuts) = &report.cuts else { return };
    let count = match cuts.changes.len() {
        0 => "No known change cuts".to_owned(),
        1 => "One change cuts".to_owned(),
        many => format!("{many} changes cut"),
    };
    let left = cuts.left.len();
    let what = match (left, cuts.of) {
        (_, 1) => "the path".to_owned(),
        (0, of) => format!("all {of} paths"),
        (_, of) if cuts.changes.is_empty() => format!("any of the {of} paths"),
        (left, of) => format!("{} of {of} paths", of - left),
    };
    line!(out, "{}", paint(&format!("{count} {what}"), "1", style));
    let drawn = cuts.changes.len().min(DRAWN_CHANGES);
    for (number, cut) in cuts.changes.iter().take(drawn).enumerate() {
        let on = match cut.paths {
            0 => "on ways that would take their place".to_owned(),
            some => format!("on {some} of {} paths", cuts.of),
        };
        let text = format!("{}. {} ({on}, effort {})", number + 1, cut.says, cut.effort);
        wrapped(out, &text, "  ", style.width);
    }
    let more = cuts.changes.len() - drawn;
    if more > 0 {
        line!(out, "  … and {more} more: `-f json` has all");
    }
    let bound = match cuts.effort == cuts.at_least {
        true => "no set of such changes takes less".to_owned(),
        false => format!("no set of such changes takes less than {}", cuts.at_least),
    };
    if !cuts.changes.is_empty() {
        let gone = if left == 0 { "the paths" } else { "the others" };
        let text = format!(
            "evaluated again with the changes made: {gone} are gone; effort {}, {bound}",
            cuts.effort
        );
        wrapped(out, &text, "  ", style.width);
    }
    if left > 0 {
        let named = cuts.left.iter().take(NAMED_LEFT).map(String::as_str);
        let named: Vec<&str> = named.collect();
        let more = match left - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!("no known change cuts {}{more}", named.join(", "));
        wrapped(out, &text, "  ", style.width);
    }
    line!(out);
}

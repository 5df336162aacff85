//! Paths: the worst hop by hop, the others in a line each.

use std::collections::BTreeSet;

use palisade_model::{Gap, GapKind};

use super::super::escape::plain;
use super::super::{News, PathEntry, Report};
use super::text::{color_of, name_of, paint, short, wrapped};
use super::{Style, line};
use crate::gate;
use crate::graph::{Edge, Node, Path, Status};

/// How many paths are drawn hop by hop, and how many more get a line.
const DRAWN_PATHS: usize = 5;
const LISTED_PATHS: usize = 10;

pub(super) fn paths(out: &mut String, report: &Report, style: Style) {
    if report.paths.is_empty() {
        return;
    }
    line!(
        out,
        "{}",
        paint(&format!("Paths ({})", report.paths.len()), "1", style)
    );
    let (settled, open): (Vec<&PathEntry>, Vec<&PathEntry>) = report
        .paths
        .iter()
        .partition(|path| path.best().status != Status::Possible);
    for path in settled.iter().take(DRAWN_PATHS) {
        line!(out);
        draw(out, path, style);
    }
    let more: Vec<&&PathEntry> = settled.iter().skip(DRAWN_PATHS).collect();
    listed(out, "more of them", &more, style);
    let open: Vec<&&PathEntry> = open.iter().collect();
    listed(
        out,
        "possible, if what was not read turns out badly",
        &open,
        style,
    );
    for cap in &report.caps {
        wrapped(out, &format!("note: {cap}"), "", style.width);
    }
    line!(out);
}

/// Draws one path: a headline, then a line per step with what allows it.
pub(super) fn draw(out: &mut String, entry: &PathEntry, style: Style) {
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
    wrapped(out, &stop(path, 0), "  ", style.width);
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
            None => line!(out, "   │ {}{mark}", plain_step(&hop.technique)),
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
    for worse in &entry.pair.worse_if {
        let text = format!("may come to {}: {}", worse.score.hi, less_sure(worse));
        wrapped(out, &text, "  ", style.width);
    }
    for limit in &path.ceiling {
        wrapped(out, &format!("ceiling: {limit}"), "  ", style.width);
    }
}

/// Others of a circle that are named; of more there is a count, and JSON names them all.
const NAMED_FELLOWS: usize = 3;

/// A node of a path, with how many others stand for the same.
pub(super) fn stop(path: &Path, index: usize) -> String {
    let stop = if index == 0 {
        &path.entry
    } else {
        &path.stops[index - 1]
    };
    let others = stop.count() - 1;
    let node = plain(&stop.node.to_string());
    if let Node::AnyPrincipal { .. } = stop.node {
        return format!("{node}: {} get there", stop.members.len());
    }
    let alike = match others {
        0 => node,
        others => format!("{node} and {others} like it"),
    };
    let circle: Vec<String> = stop
        .circle
        .iter()
        .map(|fellow| plain(&fellow.node.to_string()))
        .collect();
    match circle.len() {
        0 => alike,
        1..=NAMED_FELLOWS => format!("{alike}, in a circle with {}", circle.join(" and ")),
        many => format!("{alike}, in a circle with {many} others"),
    }
}

/// Steps that are no technique, in words.
fn plain_step(name: &str) -> &str {
    match name {
        "assumed-breach" => "a breach is assumed",
        "is-administrator" => "is administrator",
        "administrator-of" => "as its administrator",
        other => other,
    }
}

/// Paths that are not drawn: a line each.
fn listed(out: &mut String, title: &str, paths: &[&&PathEntry], style: Style) {
    if paths.is_empty() {
        return;
    }
    line!(out, "\n{title} ({}):", paths.len());
    for entry in paths.iter().take(LISTED_PATHS) {
        let path = entry.best();
        let severity = gate::severity(entry.score.hi);
        let text = format!(
            "{severity} {} · {} → {} · {} · {}{}",
            entry.score,
            stop(path, 0),
            path.target.node,
            steps(path.hops.len()),
            entry.id,
            news(entry.news)
        );
        wrapped(out, &text, "  ", style.width);
    }
    if let Some(more) = paths
        .len()
        .checked_sub(LISTED_PATHS)
        .filter(|more| *more > 0)
    {
        line!(
            out,
            "  … and {more} more: `palisade paths` draws them, `-f json` has all"
        );
    }
}

/// What a path of lesser certainty hangs on, in a few words.
fn less_sure(path: &Path) -> String {
    let unsure = path.hops.iter().filter(|hop| hop.status == path.status);
    let mut words: Vec<String> = Vec::new();
    for hop in unsure {
        let why: Vec<String> = match hop.status {
            Status::Possible => hop.gaps.iter().map(unread).collect(),
            _ => hop
                .requests
                .iter()
                .flat_map(|request| &request.conditions)
                .map(|condition| format!("if {}", condition.requirement))
                .collect(),
        };
        let why = why
            .first()
            .cloned()
            .unwrap_or_else(|| status(hop.status).to_owned());
        words.push(format!("{} ({why})", hop.technique));
    }
    words.dedup();
    words.join(", ")
}

/// What was not read, in words.
pub(super) fn unread(gap: &Gap) -> String {
    match gap.kind {
        GapKind::NotCollected => format!("not read: {}", gap.operation),
        _ => format!("not read: {gap}"),
    }
}

/// What makes a step possible, in a line each, nothing twice.
pub(super) fn reasons(hop: &Edge) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    let mut told = BTreeSet::new();
    let mut tell = |reason: String| {
        if told.insert(reason.clone()) {
            reasons.push(reason);
        }
    };
    for request in &hop.requests {
        let who = match &hop.with {
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
        let context = request.context.iter();
        let with: String = context
            .map(|(key, values)| format!(" with {key} {}", short(&values.join(", "))))
            .collect();
        tell(format!(
            "{who}{} on {}{with}{by}",
            request.action,
            name_of(&request.resource)
        ));
        for condition in &request.conditions {
            let who = if condition.by_caller {
                "the caller can see to it"
            } else {
                "if"
            };
            tell(format!("  {who}: {}", condition.requirement));
        }
    }
    // What binds a technique's variables together says nothing to a person: JSON has it.
    let says = |text: &&str| !text.starts_with("different(") && !text.contains(" = ");
    let facts = hop.facts.iter().map(|fact| fact.text.as_str()).filter(says);
    facts.map(short).for_each(&mut tell);
    hop.gaps.iter().map(unread).for_each(&mut tell);
    reasons
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Proven => "proven",
        Status::Conditional => "conditional",
        Status::Possible => "possible",
    }
}

pub(super) fn news(news: News) -> &'static str {
    match news {
        News::None | News::Same => "",
        News::New => " · new",
        News::Worse => " · worse",
        News::Accepted => " · accepted",
    }
}

fn steps(count: usize) -> String {
    match count {
        1 => "1 step".to_owned(),
        count => format!("{count} steps"),
    }
}

//! Techniques as the catalogue shows them: a line each, or a page.

use std::fmt::Write as _;

use palisade_checks::technique::{Opt, Status, Technique, catalogues};
use serde_json::{Value, json};

/// The heads of the columns of [`line`].
pub(crate) fn heads() -> String {
    columns(
        "TECHNIQUE",
        "SERVICE",
        "STATE",
        "MITRE",
        "PATHFINDING",
        "NAME",
    )
}

/// What it is, where else it is written down, and whether it is evaluated.
pub(crate) fn line(technique: &Technique) -> String {
    columns(
        &technique.id,
        &technique.service,
        state(technique),
        &technique.mitre.join(" "),
        &public_ids(technique).join(" "),
        &technique.name,
    )
}

fn columns(id: &str, service: &str, state: &str, mitre: &str, refs: &str, name: &str) -> String {
    format!("{id:<44} {service:<18} {state:<10} {mitre:<30} {refs:<22} {name}")
        .trim_end()
        .to_owned()
}

/// `evaluated`, `unread` (possible at best), or `retired` (never applied).
pub(crate) fn state(technique: &Technique) -> &'static str {
    match (technique.status, &technique.unread) {
        (Status::Retired, _) => "retired",
        (_, Some(_)) => "unread",
        _ => "evaluated",
    }
}

/// Its ids at pathfinding.cloud, those of its options too.
fn public_ids(technique: &Technique) -> Vec<String> {
    let options = technique.any_of.iter().flat_map(|group| &group.options);
    let refs = options.map(|option| &option.refs);
    let mut ids: Vec<String> = std::iter::once(&technique.refs)
        .chain(refs)
        .filter_map(|refs| refs.get("pathfinding"))
        .flatten()
        .cloned()
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// How many there are of each state.
pub(crate) fn count(techniques: &[Technique]) -> String {
    let of = |wanted: &str| techniques.iter().filter(|t| state(t) == wanted).count();
    let groups = techniques.iter().flat_map(|technique| &technique.any_of);
    let ways: usize = groups.map(|group| group.options.len()).sum();
    format!(
        "{} techniques with {ways} options: {} evaluated, {} unread, {} retired",
        techniques.len(),
        of("evaluated"),
        of("unread"),
        of("retired")
    )
}

/// A technique's file as JSON, with what follows from it.
pub(crate) fn as_json(technique: &Technique, file: &str) -> Option<Value> {
    let mut value: Value = serde_yaml_ng::from_str(file).ok()?;
    let map = value.as_object_mut()?;
    map.insert("service".to_owned(), technique.service.as_str().into());
    map.insert("state".to_owned(), state(technique).into());
    map.insert("public_ids".to_owned(), json!(public_ids(technique)));
    map.insert("collect".to_owned(), json!(technique.collect));
    Some(value)
}

/// The page of a technique.
pub(crate) fn page(technique: &Technique) -> String {
    let mut text = format!("{}\n{}\n", technique.id, technique.name);
    let mut say = |line: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    say(format!(
        "{} · {} · {} · noticed {}",
        technique.service,
        state(technique),
        word(&technique.speed),
        match word(&technique.stealth).as_str() {
            "low" => "easily",
            "medium" => "as an ordinary event",
            _ => "hardly",
        }
    ));
    if let Some(reason) = &technique.unread {
        say(format!("possible at best: {reason}"));
    }
    say(format!("gives: {}", technique.yields.reach));
    section(&mut say, "must be allowed", technique.requires.iter());
    section(&mut say, "must be true", technique.preconditions.iter());
    for group in &technique.any_of {
        say(format!("\none way of {}:", group.name));
        group
            .options
            .iter()
            .for_each(|option| way(&mut say, option));
    }
    say(String::new());
    references(&mut say, technique);
    let breaks = &technique.breaks;
    for (what, list) in [
        ("an SCP that denies", &breaks.scp_deny),
        ("conditions", &breaks.conditions),
        ("settings", &breaks.config),
        (
            "not to be opened, an SCP that denies",
            &breaks.prevents_opening,
        ),
    ] {
        if !list.is_empty() {
            say(format!("stopped by {what}: {}", list.join(", ")));
        }
    }
    for (what, one) in [
        ("a boundary", &breaks.boundary),
        ("the trust policy", &breaks.trust_policy),
        ("an RCP", &breaks.rcp),
    ] {
        if let Some(one) = one {
            say(format!("stopped by {what}: {one}"));
        }
    }
    say(format!("read from: {}", technique.collect.join(", ")));
    for note in &technique.notes {
        say(format!("\n{note}"));
    }
    text
}

fn section<T: std::fmt::Display>(
    say: &mut impl FnMut(String),
    name: &str,
    lines: impl Iterator<Item = T>,
) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        say(format!("\n{name}:"));
        lines.for_each(|line| say(format!("  {line}")));
    }
}

fn way(say: &mut impl FnMut(String), option: &Opt) {
    let asked = option.requires.iter().map(ToString::to_string);
    let asked: Vec<String> = asked
        .chain(option.preconditions.iter().map(ToString::to_string))
        .collect();
    match asked.is_empty() {
        true => say(format!("  {}", option.id)),
        false => say(format!("  {}: {}", option.id, asked.join("; "))),
    }
}

fn references(say: &mut impl FnMut(String), technique: &Technique) {
    say(format!("MITRE ATT&CK: {}", technique.mitre.join(", ")));
    let ids = public_ids(technique);
    if !ids.is_empty() {
        say(format!("pathfinding.cloud: {}", ids.join(", ")));
    }
    let sources = catalogues().unwrap_or_default();
    for (source, ids) in &technique.refs {
        if source == "pathfinding" {
            continue;
        }
        let name = sources.iter().find(|known| known.id == *source);
        let name = name.map_or(source.as_str(), |known| known.name.as_str());
        say(format!("{name}: {}", ids.join(", ")));
    }
}

/// The word the file uses.
fn word<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_has_a_line_and_a_page() {
        let techniques = palisade_checks::techniques().unwrap();
        for technique in techniques {
            let line = line(technique);
            assert!(line.starts_with(&technique.id) && line.ends_with(&technique.name));
            assert!(line.contains(state(technique)), "{line}");
            let page = page(technique);
            for said in technique.all_requirements().map(ToString::to_string) {
                assert!(page.contains(&said), "{}: {said}", technique.id);
            }
            for id in technique.mitre.iter().chain(&public_ids(technique)) {
                assert!(page.contains(id), "{}: {id}", technique.id);
            }
        }
        assert!(count(techniques).starts_with("218 techniques"));
    }
}

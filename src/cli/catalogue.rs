//! `palisade catalogue`: checks and techniques, rendered from their data.

use std::fmt::Write as _;

use palisade_checks::Check;

use super::exit::{Exit, Failure};
use super::{output, technique};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade catalogue lambda.create-function
  palisade catalogue --unread")]
pub(crate) struct Args {
    /// A check or a technique; without it, all of them in a line each
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Only techniques whose preconditions cannot be read yet
    #[arg(long)]
    unread: bool,
    /// table or json
    #[arg(short, long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args, _: Voice) -> anyhow::Result<Exit> {
    let json = args.format == "json";
    let text = match &args.id {
        Some(id) if json => page_json(id).ok_or_else(|| unknown(id))?,
        Some(id) => page(id).ok_or_else(|| unknown(id))?,
        None if json => all_json(args.unread)?,
        None => list(args.unread)?,
    };
    output::stdout(&text)?;
    Ok(Exit::Passed)
}

fn unknown(id: &str) -> anyhow::Error {
    Failure::usage(
        format!("no check or technique is called `{id}`"),
        "`palisade catalogue` lists all of them",
    )
}

fn list(unread: bool) -> anyhow::Result<String> {
    let mut text = String::new();
    if !unread {
        for check in palisade_checks::checks() {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:<44} {:<9} {}",
                check.id, check.severity, check.title
            );
        }
    }
    let techniques = palisade_checks::techniques()?;
    if !unread {
        let _ = writeln!(text, "\n{}", technique::heads());
    }
    for known in techniques {
        match (&known.unread, unread) {
            (None, true) => {}
            (Some(reason), true) => {
                let _ = writeln!(text, "{:<44} {reason}", known.id);
            }
            (_, false) => {
                let _ = writeln!(text, "{}", technique::line(known));
            }
        }
    }
    let _ = writeln!(text, "\n{}", technique::count(techniques));
    Ok(text)
}

fn all_json(unread: bool) -> anyhow::Result<String> {
    let checks = if unread {
        &[][..]
    } else {
        palisade_checks::checks()
    };
    let techniques: Vec<_> = palisade_checks::techniques()?
        .iter()
        .filter(|technique| !unread || technique.unread.is_some())
        .filter_map(|known| technique::as_json(known, technique_file(&known.id)?))
        .collect();
    let all = serde_json::json!({ "checks": checks, "techniques": techniques });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

fn page_json(id: &str) -> Option<String> {
    let value = match (palisade_checks::check(id), technique_file(id)) {
        (Some(check), _) => serde_json::to_value(check).ok()?,
        (None, Some(file)) => technique::as_json(palisade_checks::technique_of(id)?, file)?,
        (None, None) => return None,
    };
    serde_json::to_string_pretty(&value)
        .ok()
        .map(|text| text + "\n")
}

/// The page of a check or technique.
pub(crate) fn page(id: &str) -> Option<String> {
    match palisade_checks::check(id) {
        Some(check) => Some(check_page(check)),
        None => palisade_checks::technique_of(id).map(technique::page),
    }
}

/// The file of a technique.
fn technique_file(id: &str) -> Option<&'static str> {
    palisade_checks::technique_of(id)?;
    let path = format!("techniques/{}.yaml", id.replacen('.', "/", 1));
    palisade_checks::files()
        .iter()
        .find(|(name, _)| *name == path)
        .map(|(_, text)| *text)
}

fn check_page(check: &Check) -> String {
    let mut text = format!(
        "{}\n{} · {} · since {}\n\n{}\n\nfix: {}\n",
        check.id,
        check.title,
        check.severity,
        check.since,
        check.why.trim(),
        check.fix.summary
    );
    let mut section = |name: &str, body: &Option<String>| {
        if let Some(body) = body {
            let _ = write!(text, "\n{name}:\n{}\n", indent(body));
        }
    };
    section("breaks", &check.fix.breaks);
    section("console", &check.fix.console);
    section("cli", &check.fix.cli);
    section("terraform", &check.fix.terraform);
    section("scp", &check.fix.scp);
    if !check.reads.is_empty() {
        let _ = write!(text, "\nreads: {}\n", check.reads.join(", "));
    }
    for (framework, ids) in &check.maps {
        let _ = writeln!(text, "{framework}: {}", ids.join(", "));
    }
    if !check.mitre.is_empty() {
        let _ = writeln!(text, "MITRE ATT&CK: {}", check.mitre.join(", "));
    }
    text
}

fn indent(text: &str) -> String {
    text.trim_end()
        .lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

//! `palisade fix`: the service control policies that keep the security services on.

use std::fmt::Write as _;

use palisade::fix::scp::{self, Written};

use super::exit::{Exit, Failure};
use super::{args, output, source};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
The policies are evaluated again before they are printed: what they close, who they would block
and what stays open are part of the answer. Nothing is ever written to AWS.

The fewest changes that cut every path are worked out by `palisade scan`: its report names them,
and `-f json` holds them under `cuts`.

Examples:
  palisade fix --world organization
  palisade fix --org --profile audit --emit terraform \\
    --exempt 'arn:aws:iam::*:role/security/keeper'")]
pub(crate) struct Args {
    #[command(flatten)]
    source: args::Source,
    /// A principal that may still do all of it; repeatable
    #[arg(
        long,
        value_name = "ARN",
        env = "PALISADE_EXEMPT",
        value_delimiter = ','
    )]
    exempt: Vec<String>,
    /// text explains; scp prints the documents, terraform and cli what attaches them
    #[arg(long, default_value = "text", value_parser = ["text", "json", "scp", "terraform", "cli"])]
    emit: String,
    #[command(flatten)]
    expect: args::Expect,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let loaded = source::load(&args.source, voice)?;
    let expects = args.expect.expect.iter().copied().collect();
    let written = scp::write(&loaded.snapshot, &args.exempt, &expects).map_err(|error| {
        Failure::caused(
            Exit::CouldNotRun,
            error,
            "no service control policies can be written",
            "they need an organization that was read, and ARNs of single principals after --exempt",
        )
    })?;
    let text = match args.emit.as_str() {
        "json" => serde_json::to_string_pretty(&written)? + "\n",
        "scp" => written
            .documents
            .iter()
            .map(|document| document.json.clone() + "\n")
            .collect(),
        "terraform" => written.terraform(),
        "cli" => written.cli(),
        _ => explain(&written, voice.width()),
    };
    output::stdout(&palisade::report::escape::lines(&text))?;
    Ok(Exit::Passed)
}

/// What the policies do, for a person. The documents stay in one line each: they are to be copied.
fn explain(written: &Written, width: usize) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{} close {} open pairs of account and action",
        match written.documents.len() {
            1 => "1 service control policy would".to_owned(),
            many => format!("{many} service control policies would"),
        },
        written.closed
    );
    for document in &written.documents {
        let _ = writeln!(
            text,
            "\n{} ({} characters)\n{}",
            document.name,
            document.json.len(),
            document.json
        );
    }
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{title}:");
            for line in lines {
                let line = format!("  {line}");
                let _ = writeln!(text, "{}", palisade::report::table::fold(&line, width));
            }
        }
    };
    let targets = written
        .attach_to
        .iter()
        .map(|target| format!("{} {}", target.id, target.name));
    section("attach all of them to", targets.collect());
    let blocked = written
        .blocked
        .iter()
        .map(|blocked| format!("{}: {}", blocked.principal, blocked.actions.join(", ")));
    section("would be blocked", blocked.collect());
    section("stays open", written.still_open.clone());
    section("in the way", written.problems.clone());
    let left = written
        .left_out
        .iter()
        .map(|(action, why)| format!("{action}: {why}"));
    section("left out", left.collect());
    let _ = writeln!(text, "\nlimits as of {}", written.limits_checked);
    text
}

//! `palisade explain`: why something is as it is.

use palisade::gate::{self, Settings};
use palisade::report::{Report, table};

use super::exit::{Exit, Failure};
use super::{args, catalogue, output, source};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade explain iam-user-console-no-mfa
  palisade explain --world eight-minutes arn:aws:iam::111122223333:role/report-builder")]
pub(crate) struct Args {
    /// A check, a technique, the id of a finding or path, or an ARN
    #[arg(value_name = "ID|ARN")]
    subject: String,
    #[command(flatten)]
    source: args::Source,
    #[command(flatten)]
    expect: args::Expect,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    if let Some(text) = catalogue::page(&args.subject) {
        output::stdout(&text)?;
        return Ok(Exit::Passed);
    }
    let source = &args.source;
    let somewhere = source.world.is_some() || source.snapshot.is_some() || !source.gaad.is_empty();
    if !somewhere && !args.subject.starts_with("arn:") && !args.subject.starts_with("PAL-") {
        return Err(unknown(&args.subject));
    }
    let loaded = source::load(source, voice)?;
    let selection = palisade::Selection::default().expecting(args.expect.expect.clone());
    let analysis = palisade::analyse(&loaded.snapshot, &selection);
    let mut report = Report::new(&loaded.label, &loaded.snapshot, analysis);
    gate::judge(&mut report, &Settings::default());
    let style = table::Style {
        width: voice.width(),
        color: voice.colors_stdout(),
        least: None,
    };
    let text = table::explain(&report, &loaded.snapshot, &args.subject, style)
        .ok_or_else(|| unknown(&args.subject))?;
    output::stdout(&text)?;
    Ok(Exit::Passed)
}

fn unknown(subject: &str) -> anyhow::Error {
    Failure::usage(
        format!("nothing is called `{subject}`"),
        "use the id of a check or technique (`palisade catalogue`), or the id of a finding or \
         path or an ARN together with --world, --snapshot or a live account",
    )
}

//! `palisade paths`: escalation paths, best first, hop by hop.

use palisade::report::{Report, escape, json, table};

use super::exit::{Exit, Failure};
use super::output::{self, Format};
use super::{args, source};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade paths --world eight-minutes
  palisade paths --snapshot estate.snap --from 'role/*' --to administrators
  palisade paths --snapshot estate.snap --from any:111122223333")]
pub(crate) struct Args {
    #[command(flatten)]
    source: args::Source,
    /// Where paths begin: an ARN or its end (`role/ci`), a pattern (`role/ci-*`), `internet`, a
    /// foreign account's id, `any:ACCOUNT` for whichever principal of it is breached, or a kind:
    /// `users`, `roles`, `workloads`, `outside`; without --to, all that is reached from there is
    /// listed too
    #[arg(long, value_name = "X")]
    from: Vec<String>,
    /// Where paths end: an ARN or its end, a pattern, `administrator:ACCOUNT`, or a kind:
    /// `administrators`, `organization`, `data`, `jewels`, `users`, `roles`; without --from,
    /// everybody who can reach it is shown
    #[arg(long, value_name = "Y")]
    to: Vec<String>,
    #[command(flatten)]
    interests: args::Interests,
    #[command(flatten)]
    output: args::Output,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let targets = output::targets(&args.output.format)?;
    let loaded = source::load(&args.source, voice)?;
    let found = palisade::paths(&loaded.snapshot, &args.from, &args.to, args.interests.of());
    let paths = found.map_err(|unknown| {
        Failure::usage(
            format!(
                "nothing in this estate is called `{}`",
                escape::plain(&unknown)
            ),
            "use an ARN, the end of one such as `role/ci`, a pattern such as `role/ci-*`, `internet`, \
             an account id, `any:ACCOUNT`, `administrator:ACCOUNT`, or a kind such as \
             `administrators`",
        )
    })?;
    let analysis = palisade::Analysis {
        paths,
        ..palisade::Analysis::default()
    };
    let report = Report::new(&loaded.label, &loaded.snapshot, analysis);
    for target in &targets {
        let text = match target.format {
            Format::Table => {
                let style = table::Style {
                    width: voice.width(),
                    color: target.file.is_none() && voice.colors_stdout(),
                    least: None,
                };
                table::render_paths(&report, style)
            }
            Format::Json => json::render(&report, None),
        };
        match &target.file {
            None => output::stdout(&text)?,
            Some(path) => output::file(path, |out| Ok(out.write_all(text.as_bytes())?))?,
        }
    }
    Ok(Exit::Passed)
}

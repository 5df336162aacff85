//! `palisade scan`: read an estate, analyse it, report.

use palisade::gate::{self, Accepted, Baseline, Verdict};
use palisade::report::{self, Report};

use super::exit::{Exit, Failure};
use super::output::{self, Format, Target};
use super::{args, input, source};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade scan --world eight-minutes
  palisade scan --org --profile audit --baseline last.json \\
    -f table -f json=report.json")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) source: args::Source,
    #[command(flatten)]
    pub(crate) select: args::Select,
    #[command(flatten)]
    pub(crate) verdict: args::Verdict,
    #[command(flatten)]
    pub(crate) output: args::Output,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let targets = output::targets(&args.output.format)?;
    let selection = selection(&args.select)?;
    let settings = verdict_settings(&args.verdict)?;
    let loaded = source::load(&args.source, voice)?;
    let analysis = palisade::analyse(&loaded.snapshot, &selection);
    let mut report = Report::new(&loaded.label, &loaded.snapshot, analysis);
    let verdict = gate::judge(&mut report, &settings);
    for risk in &verdict.idle {
        voice.warn(&format!("the accepted risk `{risk}` matches nothing"));
    }
    write(&report, &targets, args.select.min_severity, voice)?;
    voice.note(&report.summary_line());
    Ok(if args.verdict.exit_zero {
        Exit::Passed
    } else {
        exit_of(&verdict)
    })
}

/// Writes `report` to every target.
pub(crate) fn write(
    report: &Report,
    targets: &[Target],
    least: Option<palisade_checks::Severity>,
    voice: Voice,
) -> anyhow::Result<()> {
    for target in targets {
        let text = match target.format {
            Format::Table => {
                let on_terminal = target.file.is_none();
                let style = report::table::Style {
                    width: if on_terminal { voice.width() } else { 80 },
                    color: on_terminal && voice.colors_stdout(),
                    least,
                };
                report::table::render(report, style)
            }
            Format::Json => report::json::render(report, least),
        };
        match &target.file {
            None => output::stdout(&text)?,
            Some(path) => output::file(path, |out| Ok(out.write_all(text.as_bytes())?))?,
        }
    }
    Ok(())
}

/// Which checks are asked.
pub(crate) fn selection(select: &args::Select) -> anyhow::Result<palisade::Selection> {
    let selection = palisade::Selection::new(&select.check, &select.exclude_check);
    let expected = select.expect.expect.iter().copied();
    let interests = select.interests.of();
    let selection = selection.map(|selection| selection.expecting(expected).interested(interests));
    selection.map_err(|unknown| {
        Failure::usage(
            format!("no check is called `{unknown}`"),
            "`palisade catalogue` lists them; `*` stands for any run of characters",
        )
    })
}

/// Threshold, baseline and accepted risks.
pub(crate) fn verdict_settings(args: &args::Verdict) -> anyhow::Result<gate::Settings> {
    let baseline = args.baseline.as_ref().map(|file| {
        let read = input::text(file).map_err(anyhow::Error::from);
        read.and_then(|text| Ok(Baseline::read(&text)?))
            .map_err(|error| {
                let text = format!("the baseline `{}` cannot be used", file.display());
                let help = "a baseline is a JSON report of an earlier scan: `-f json=FILE`";
                Failure::caused(Exit::Usage, error, text, help)
            })
    });
    let accepted = args.accepted_risks.as_ref().map(|file| {
        let read = input::text(file).map_err(anyhow::Error::from);
        read.and_then(|text| Ok(Accepted::read(&text)?))
            .map_err(|error| {
                let text = format!("the accepted risks `{}` cannot be used", file.display());
                let help = "each `[[risk]]` needs `id`, `reason` (20 characters or more), `owner`, \
                        `created` and `expires` (days such as 2026-12-31, at most 180 apart)";
                Failure::caused(Exit::Usage, error, text, help)
            })
    });
    let baseline = baseline.transpose()?;
    let accepted = accepted.transpose()?.unwrap_or_default();
    Ok(gate::Settings {
        fail_on: args.fail_on,
        allow_incomplete: args.allow_incomplete,
        baseline,
        accepted,
    })
}

/// The exit code of a verdict.
pub(crate) fn exit_of(verdict: &Verdict) -> Exit {
    match verdict.outcome {
        gate::Outcome::Failed => Exit::Findings,
        gate::Outcome::Inconclusive => Exit::Inconclusive,
        gate::Outcome::Passed => Exit::Passed,
    }
}

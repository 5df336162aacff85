//! `palisade gate`: pass or fail for a pipeline, with the reasons and nothing else.

use palisade::gate::{self, Outcome};
use palisade::report::{Report, escape};

use super::exit::Exit;
use super::output::{self, Format};
use super::{args, scan, source};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade gate --snapshot estate.snap --fail-on critical
  palisade gate --profile audit --baseline last.json --accepted-risks risks.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    source: args::Source,
    #[command(flatten)]
    select: args::Select,
    #[command(flatten)]
    verdict: args::Verdict,
    #[command(flatten)]
    output: args::Output,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let targets = output::targets(&args.output.format)?;
    let selection = scan::selection(&args.select)?;
    let settings = scan::verdict_settings(&args.verdict)?;
    let loaded = source::load(&args.source, voice)?;
    let analysis = palisade::analyse(&loaded.snapshot, &selection);
    let mut report = Report::new(&loaded.label, &loaded.snapshot, analysis);
    let verdict = gate::judge(&mut report, &settings);
    for risk in &verdict.idle {
        voice.warn(&format!("the accepted risk `{risk}` matches nothing"));
    }
    for risk in &verdict.expired {
        voice.warn(&format!(
            "the accepted risk `{risk}` has expired and counts again"
        ));
    }
    let (short, whole): (Vec<_>, Vec<_>) = targets
        .into_iter()
        .partition(|target| target.format == Format::Table && target.file.is_none());
    if !short.is_empty() {
        output::stdout(&text(&verdict, &report))?;
    }
    scan::write(&report, &whole, args.select.min_severity, voice)?;
    voice.note(&report.summary_line());
    Ok(if args.verdict.exit_zero {
        Exit::Passed
    } else {
        scan::exit_of(&verdict)
    })
}

fn text(verdict: &gate::Verdict, report: &Report) -> String {
    let mut lines = vec![match verdict.outcome {
        Outcome::Passed => format!("passed: nothing at or above {}", verdict.fail_on),
        Outcome::Inconclusive => {
            format!(
                "inconclusive: {} unread could be at or above {}",
                verdict.inconclusive.len(),
                verdict.fail_on
            )
        }
        Outcome::Failed => {
            format!(
                "failed: {} at or above {}",
                verdict.failing.len(),
                verdict.fail_on
            )
        }
    }];
    lines.extend(
        verdict
            .failing
            .iter()
            .map(|line| format!("  fails: {line}")),
    );
    lines.extend(
        verdict
            .inconclusive
            .iter()
            .map(|line| format!("  unread: {line}")),
    );
    lines.push(report.summary_line());
    let mut text = escape::lines(&lines.join("\n"));
    text.push('\n');
    text
}

//! `palisade explain`: why something is as it is.

use palisade::gate::{self, Settings};
use palisade::report::{Report, table};

use super::capabilities::{self, Compared, Permissions};
use super::decision::{self, Told};
use super::exit::{Exit, Failure};
use super::output::Format;
use super::{args, catalogue, output, source};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade explain cloudtrail-half-on                  what a check asks
  palisade explain role/deploy --world eight-minutes   where a principal stands
  palisade explain user/corpus-sync lambda:InvokeFunction --world eight-minutes
  palisade explain role/deploy --permissions --world eight-minutes
  palisade explain role/ci --against role/ci-old --snapshot estate.snap")]
pub(crate) struct Args {
    /// A check, a technique, the id of a finding or path, or an ARN
    #[arg(value_name = "ID|ARN")]
    subject: String,
    /// Explain whether the subject, a principal, may do this: the verdict, the statements that
    /// settle it, conditions that remain, what was not read, near misses
    #[arg(value_name = "ACTION")]
    action: Option<String>,
    /// The resource of that action, an ARN, or `*` for actions that take none; without it, one
    /// that the policies of users and roles name and on which the subject may do it, if any
    #[arg(value_name = "RESOURCE", requires = "action")]
    resource: Option<String>,
    /// A condition key of the request, known to have this value; repeatable
    #[arg(long, value_name = "KEY=VALUE", requires = "action")]
    context: Vec<String>,
    /// Say what the subject, a user or role, can do by its own policies, its boundary and SCPs
    #[arg(long, conflicts_with_all = ["action", "against"])]
    permissions: bool,
    /// Say what the subject and this other user or role can do that the other cannot
    #[arg(long, value_name = "PRINCIPAL", conflicts_with = "action")]
    against: Option<String>,
    /// Of a decision or permissions: table or json, with a file after `=`
    #[arg(
        short,
        long,
        value_name = "FORMAT[=FILE]",
        default_value = "table",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    format: Vec<String>,
    #[command(flatten)]
    source: args::Source,
    #[command(flatten)]
    expect: args::Expect,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let targets = output::targets(&args.format)?;
    if let Some(action) = &args.action {
        return decide(args, action, &targets, voice);
    }
    if args.permissions || args.against.is_some() {
        return abilities(args, &targets, voice);
    }
    if targets.iter().any(|target| target.format == Format::Json) {
        return Err(Failure::usage(
            "only decisions and permissions are explained as json",
            "name an action and a resource, or leave out `-f json`",
        ));
    }
    if let Some(text) = catalogue::page(&args.subject) {
        output::stdout(&text)?;
        return Ok(Exit::Passed);
    }
    let source = &args.source;
    let somewhere = source.world.is_some() || source.snapshot.is_some() || !source.gaad.is_empty();
    let live = ["arn:", "PAL-", "user/", "role/"];
    if !somewhere && !live.iter().any(|start| args.subject.starts_with(start)) {
        return Err(unknown(&args.subject));
    }
    let loaded = source::load(source, voice)?;
    let subject = match args.subject.split_once('/') {
        Some(("user" | "role", _)) => {
            let engine = palisade::policy::Engine::new(&loaded.snapshot);
            capabilities::principal(&engine, &args.subject)?
        }
        _ => args.subject.clone(),
    };
    let selection = palisade::Selection::default().expecting(args.expect.expect.clone());
    let analysis = palisade::analyse(&loaded.snapshot, &selection);
    let mut report = Report::new(&loaded.label, &loaded.snapshot, analysis);
    gate::judge(&mut report, &Settings::default());
    let style = table::Style {
        width: voice.width(),
        color: voice.colors_stdout(),
        least: None,
    };
    let text = table::explain(&report, &loaded.snapshot, &subject, style)
        .ok_or_else(|| unknown(&args.subject))?;
    output::stdout(&text)?;
    Ok(Exit::Passed)
}

/// Explains one decision of the policy engine.
fn decide(
    args: &Args,
    action: &str,
    targets: &[output::Target],
    voice: Voice,
) -> anyhow::Result<Exit> {
    decision::known_action(action)?;
    let context = decision::context(&args.context)?;
    let loaded = source::load(&args.source, voice)?;
    let engine = palisade::policy::Engine::new(&loaded.snapshot);
    let subject = capabilities::principal(&engine, &args.subject)?;
    let resource = match &args.resource {
        Some(resource) => resource.clone(),
        None => engine.likeliest_resource(&subject, action, &context),
    };
    let told = Told::new(&engine, &subject, (action, &resource), &context);
    for target in targets {
        let text = match target.format {
            Format::Table => {
                let plain = palisade::report::escape::plain;
                let such = match (&args.resource, resource.as_str()) {
                    (None, "*") | (Some(_), _) => "",
                    (None, _) => "some resource, such as ",
                };
                let asked = format!("{} on {such}{}", plain(action), plain(&resource));
                format!("{asked}\n{}", told.text())
            }
            Format::Json => {
                let mut out = told.json();
                out["action"] = serde_json::json!(action);
                out["resource"] = serde_json::json!(resource);
                format!("{out:#}\n")
            }
        };
        match &target.file {
            None => output::stdout(&text)?,
            Some(path) => output::file(path, |out| Ok(out.write_all(text.as_bytes())?))?,
        }
    }
    Ok(Exit::Passed)
}

/// What a principal can do, alone or against another.
fn abilities(args: &Args, targets: &[output::Target], voice: Voice) -> anyhow::Result<Exit> {
    let loaded = source::load(&args.source, voice)?;
    let engine = palisade::policy::Engine::new(&loaded.snapshot);
    let (text, json) = match &args.against {
        Some(other) => {
            let compared = Compared::of(&engine, &args.subject, other)?;
            (compared.text(), compared.json())
        }
        None => {
            let permissions = Permissions::of(&engine, &args.subject)?;
            (permissions.text(), permissions.json())
        }
    };
    for target in targets {
        let told = match target.format {
            Format::Table => text.clone(),
            Format::Json => format!("{json:#}\n"),
        };
        match &target.file {
            None => output::stdout(&told)?,
            Some(path) => output::file(path, |out| Ok(out.write_all(told.as_bytes())?))?,
        }
    }
    Ok(Exit::Passed)
}

fn unknown(subject: &str) -> anyhow::Error {
    Failure::usage(
        format!("nothing is called `{subject}`"),
        "use the id of a check or technique (`palisade catalogue`), or the id of a finding or \
         path or an ARN together with --world, --snapshot or a live account",
    )
}

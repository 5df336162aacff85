//! `palisade who-can`: everybody who may do something, and by which statement.

use palisade::policy::Engine;
use palisade::report::escape;
use serde_json::{Value, json};

use super::decision::{self, Told};
use super::output::{self, Format};
use super::{args, exit::Exit, source};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade who-can iam:CreateAccessKey --world eight-minutes
  palisade who-can s3:GetObject arn:aws:s3:::backups/db.sql \\
    --snapshot estate.snap --context aws:SourceIp=198.51.100.7 -f json

For one principal, allowed or denied, ask `palisade explain`.")]
pub(crate) struct Args {
    /// The action, such as `iam:PassRole`
    #[arg(value_name = "ACTION")]
    action: String,
    /// The resource, an ARN; without it, any resource that somebody's own policies name
    #[arg(value_name = "RESOURCE")]
    resource: Option<String>,
    /// A condition key of the request, known to have this value; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// Show also who is denied by a single thing: without it, allowed
    #[arg(long, requires = "resource")]
    near_misses: bool,
    #[command(flatten)]
    source: args::Source,
    #[command(flatten)]
    output: args::Output,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let targets = output::targets(&args.output.format)?;
    decision::known_action(&args.action)?;
    let context = decision::context(&args.context)?;
    let loaded = source::load(&args.source, voice)?;
    let engine = Engine::new(&loaded.snapshot);
    let found = found(&engine, args, &context);
    for target in &targets {
        let text = match target.format {
            Format::Table => table(&found, args),
            Format::Json => json(&found, args),
        };
        match &target.file {
            None => output::stdout(&text)?,
            Some(path) => output::file(path, |out| Ok(out.write_all(text.as_bytes())?))?,
        }
    }
    Ok(Exit::Passed)
}

/// Who may, and who is but one thing away from it.
struct Found {
    able: Vec<Told>,
    missed: Vec<Told>,
}

fn found(engine: &Engine, args: &Args, context: &palisade::policy::Context) -> Found {
    let Some(resource) = &args.resource else {
        let who = engine.who_can_somewhere(&args.action, context);
        let told =
            |(principal, decision): (&palisade::policy::Principal, &palisade::policy::Decision)| {
                Told {
                    principal: principal.arn.to_string(),
                    decision: decision.clone(),
                    why: None,
                }
            };
        return Found {
            able: who.iter(engine).map(told).collect(),
            missed: Vec::new(),
        };
    };
    let tell = |name: &str| Told::new(engine, name, (&args.action, resource), context);
    let who = engine.who_can(&args.action, resource, context);
    let inside = who.iter(engine).map(|(principal, _)| tell(&principal.arn));
    let outside = who.outsiders.iter().map(|(name, _)| tell(name));
    let able = inside.chain(outside).collect();
    let refused = who.refused.iter().filter(|_| args.near_misses);
    let missed = refused
        .map(|at| tell(&engine.principals()[*at as usize].arn))
        .filter(|told| !told.near_misses().is_empty())
        .collect();
    Found { able, missed }
}

fn table(found: &Found, args: &Args) -> String {
    let on = args.resource.as_deref().unwrap_or("some resource");
    let question = format!("{} on {}", escape::plain(&args.action), escape::plain(on));
    let mut out = format!("{question}: {} principal(s)\n", found.able.len());
    for told in found.able.iter().chain(&found.missed) {
        out.push_str(&told.text());
    }
    out
}

fn json(found: &Found, args: &Args) -> String {
    let all = |list: &[Told]| list.iter().map(Told::json).collect::<Vec<Value>>();
    let mut out = json!({
        "action": args.action, "resource": args.resource, "principals": all(&found.able),
    });
    if args.near_misses {
        out["nearMisses"] = json!(all(&found.missed));
    }
    format!("{out:#}\n")
}

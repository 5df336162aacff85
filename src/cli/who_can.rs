//! `palisade who-can`: everybody who may do something, and by which statement.

use palisade::policy::{Context, Decision, Engine, simulate};
use palisade::report::escape;
use serde_json::{Value, json};

use super::exit::{Exit, Failure};
use super::output::{self, Format};
use super::{args, source};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade who-can iam:PassRole 'arn:aws:iam::111122223333:role/deploy' --world eight-minutes
  palisade who-can s3:GetObject arn:aws:s3:::backups/db.sql --snapshot estate.snap --context aws:SourceIp=198.51.100.7 -f json")]
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
    #[command(flatten)]
    source: args::Source,
    #[command(flatten)]
    output: args::Output,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let targets = output::targets(&args.output.format)?;
    if !palisade_model::actions().is_known_action(&args.action) {
        return Err(Failure::usage(
            format!("AWS documents no action `{}`", escape::plain(&args.action)),
            "actions read `service:Name`, such as `iam:PassRole`",
        ));
    }
    let mut context = Context::open();
    for pair in &args.context {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::usage(
                format!("`{pair}` is no condition key with a value"),
                "write `--context aws:SourceIp=198.51.100.7`",
            ));
        };
        context.set(key, value);
    }
    let loaded = source::load(&args.source, voice)?;
    let engine = Engine::new(&loaded.snapshot);
    let rows = rows(&engine, args, &context);
    for target in &targets {
        let text = match target.format {
            Format::Table => table(&rows, args),
            Format::Json => json(&rows, args),
        };
        match &target.file {
            None => output::stdout(&text)?,
            Some(path) => output::file(path, |out| Ok(out.write_all(text.as_bytes())?))?,
        }
    }
    Ok(Exit::Passed)
}

/// One principal and its answer.
struct Row {
    principal: String,
    answer: &'static str,
    /// Conditions that remain, or what was not read.
    detail: String,
    statements: Vec<String>,
    residual: Option<Value>,
}

fn rows(engine: &Engine, args: &Args, context: &Context) -> Vec<Row> {
    let (who, resource) = match &args.resource {
        Some(resource) => (
            engine.who_can(&args.action, resource, context),
            Some(resource),
        ),
        None => (engine.who_can_somewhere(&args.action, context), None),
    };
    let row = |name: &str, decision: &Decision| {
        let statements = match resource {
            Some(resource) => {
                let (_, why) = engine.explain(name, &args.action, resource, context);
                let said =
                    |q: palisade::policy::explain::Quoted| format!("{}: {}", q.policy, q.text);
                why.statements.into_iter().map(said).collect()
            }
            None => Vec::new(),
        };
        describe(name, decision, statements)
    };
    let inside = who
        .iter(engine)
        .map(|(principal, decision)| row(&principal.arn, decision));
    let mut rows: Vec<Row> = inside.collect();
    rows.extend(
        who.outsiders
            .iter()
            .map(|(name, decision)| row(name, decision)),
    );
    rows
}

fn describe(name: &str, decision: &Decision, statements: Vec<String>) -> Row {
    let (answer, detail, residual) = match decision {
        Decision::Allowed(_) => ("allowed", String::new(), None),
        Decision::Conditional(conditional) => {
            let residual = &conditional.residual;
            (
                "conditional",
                residual.to_string(),
                Some(simulate::residual(residual)),
            )
        }
        Decision::Unknown(unknown) => {
            let gaps: Vec<_> = unknown
                .gaps
                .iter()
                .map(|g| format!("{}: {}", g.name, g.reason))
                .collect();
            ("unknown", gaps.join("; "), None)
        }
        Decision::Denied(_) => ("denied", String::new(), None),
    };
    Row {
        principal: name.to_owned(),
        answer,
        detail,
        statements,
        residual,
    }
}

fn table(rows: &[Row], args: &Args) -> String {
    let on = args.resource.as_deref().unwrap_or("some resource");
    let question = format!("{} on {}", escape::plain(&args.action), escape::plain(on));
    let mut out = format!("{question}: {} principal(s)\n", rows.len());
    for row in rows {
        out.push_str(&format!(
            "{:<12} {}\n",
            row.answer,
            escape::plain(&row.principal)
        ));
        if !row.detail.is_empty() {
            let word = if row.answer == "conditional" {
                "when"
            } else {
                "not read"
            };
            out.push_str(&format!(
                "             {word} {}\n",
                escape::plain(&row.detail)
            ));
        }
        for statement in &row.statements {
            out.push_str(&format!("             by {}\n", escape::plain(statement)));
        }
    }
    out
}

fn json(rows: &[Row], args: &Args) -> String {
    let row = |row: &Row| {
        let mut out = json!({
            "principal": row.principal, "answer": row.answer, "statements": row.statements,
        });
        if let Some(residual) = &row.residual {
            out["residual"] = residual.clone();
        }
        if row.answer == "unknown" {
            out["notRead"] = json!(row.detail);
        }
        out
    };
    let principals: Vec<Value> = rows.iter().map(row).collect();
    let out = json!({"action": args.action, "resource": args.resource, "principals": principals});
    format!("{out:#}\n")
}

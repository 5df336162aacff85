//! `palisade.toml`: defaults for flags, and where each setting came from.
//!
//! A key is the name of a long flag. Keys at the top hold for every command, keys in a table
//! such as `[scan]` for that command. What was typed and what the environment says come first.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _};

use super::exit::{Exit, Failure};
use super::{Cli, output};
use crate::ui::Voice;

const FILE: &str = "palisade.toml";

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade config --show
  PALISADE_FAIL_ON=critical palisade config --show")]
pub(crate) struct Args {
    /// Print every setting of `scan`, its value and where it came from
    #[arg(long, required = true)]
    show: bool,
}

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade init
  palisade init --force")]
pub(crate) struct InitArgs {
    /// Overwrite a palisade.toml that is there
    #[arg(long)]
    force: bool,
}

/// A configuration file, checked against the flags there are.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    file: Option<PathBuf>,
    /// Flag and value by command; the empty command holds for all.
    values: BTreeMap<(String, String), toml::Value>,
}

/// Reads the file that `--config` names, or the nearest one from here upward to the root of the
/// repository.
pub(crate) fn load(matches: &ArgMatches) -> anyhow::Result<Settings> {
    let named = matches
        .subcommand()
        .and_then(|(_, sub)| sub.get_one::<PathBuf>("config"))
        .or_else(|| matches.get_one::<PathBuf>("config"))
        .cloned();
    let Some(file) = named.or_else(nearest) else {
        return Ok(Settings::default());
    };
    let help = "`palisade init` writes a commented one; `palisade config --show` tells what counts";
    let bad = |cause: anyhow::Error| {
        Failure::caused(
            Exit::Usage,
            cause,
            format!("cannot use `{}`", file.display()),
            help,
        )
    };
    let text = std::fs::read_to_string(&file).map_err(|error| bad(error.into()))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| bad(error.into()))?;
    let mut settings = Settings {
        file: Some(file.clone()),
        values: BTreeMap::new(),
    };
    let mut wrong = Vec::new();
    settings.take("", table, &mut wrong);
    if wrong.is_empty() {
        return Ok(settings);
    }
    Err(bad(anyhow::anyhow!("{}", wrong.join("; "))))
}

fn nearest() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    for folder in here.ancestors() {
        let file = folder.join(FILE);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

impl Settings {
    fn take(&mut self, command: &str, table: toml::Table, wrong: &mut Vec<String>) {
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) if command.is_empty() => {
                    if Cli::command().find_subcommand(&key).is_none() {
                        wrong.push(format!("there is no command `{key}`"));
                        continue;
                    }
                    self.take(&key, inner, wrong);
                }
                toml::Value::Table(_) => wrong.push(format!("`{key}` cannot be a table")),
                value if !knows(command, &key) => {
                    let of = if command.is_empty() {
                        "any command"
                    } else {
                        command
                    };
                    wrong.push(format!("`{key}` is no setting of {of} (value {value})"));
                }
                value => {
                    self.values.insert((command.to_owned(), key), value);
                }
            }
        }
    }

    /// The command line with the file's settings put in where neither a flag nor the environment
    /// has spoken.
    pub(crate) fn merged(&self, typed: &[OsString], matches: &ArgMatches) -> Vec<OsString> {
        let mut all = typed.to_vec();
        let Some((command, sub)) = matches.subcommand() else {
            return all;
        };
        for ((of, key), value) in &self.values {
            let shadowed =
                of.is_empty() && self.values.contains_key(&(command.to_owned(), key.clone()));
            if (!of.is_empty() && of != command) || shadowed || !knows(command, key) {
                continue;
            }
            let id = key.replace('-', "_");
            let spoken = [sub.try_contains_id(&id).ok().map(|_| sub.value_source(&id))]
                .into_iter()
                .flatten()
                .flatten()
                .any(|source| source != ValueSource::DefaultValue);
            if !spoken {
                all.extend(flags(key, value));
            }
        }
        all
    }
}

fn knows(command: &str, key: &str) -> bool {
    let root = Cli::command();
    let has = |command: &clap::Command| {
        command
            .get_arguments()
            .any(|arg| arg.get_long() == Some(key))
            && key != "config"
    };
    has(&root)
        || root
            .get_subcommands()
            .filter(|sub| command.is_empty() || sub.get_name() == command)
            .any(has)
}

fn flags(key: &str, value: &toml::Value) -> Vec<OsString> {
    match value {
        toml::Value::Boolean(true) => vec![format!("--{key}").into()],
        toml::Value::Boolean(false) => Vec::new(),
        toml::Value::Array(list) => list.iter().flat_map(|value| flags(key, value)).collect(),
        toml::Value::String(text) => vec![format!("--{key}={text}").into()],
        other => vec![format!("--{key}={other}").into()],
    }
}

/// Runs `palisade config --show`.
pub(crate) fn show(args: &Args, settings: &Settings, _: Voice) -> anyhow::Result<Exit> {
    debug_assert!(args.show);
    let mut text = match &settings.file {
        Some(file) => format!("file: {}\n", file.display()),
        None => format!("file: none ({FILE} is looked for here and above)\n"),
    };
    let command = Cli::command();
    let Some(scan) = command.find_subcommand("scan") else {
        return Ok(Exit::Passed);
    };
    for arg in command.get_arguments().chain(scan.get_arguments()) {
        let Some(flag) = arg.get_long() else { continue };
        let environment = arg.get_env().and_then(|name| {
            std::env::var_os(name).map(|value| (name.to_string_lossy().into_owned(), value))
        });
        let in_file = ["scan", ""]
            .iter()
            .find_map(|of| settings.values.get(&((*of).to_owned(), flag.to_owned())));
        let (value, from) = match (environment, in_file) {
            (Some((name, value)), _) => (value.to_string_lossy().into_owned(), name),
            (None, Some(value)) => (value.to_string(), "file".to_owned()),
            (None, None) => {
                let defaults: Vec<_> = arg
                    .get_default_values()
                    .iter()
                    .map(|v| v.to_string_lossy())
                    .collect();
                (defaults.join(","), "default".to_owned())
            }
        };
        let value = if secret(flag) && !value.is_empty() {
            "(set)".to_owned()
        } else {
            value
        };
        text.push_str(&format!("{flag:<20} {value:<24} {from}\n"));
    }
    output::stdout(&palisade::report::escape::lines(&text))?;
    Ok(Exit::Passed)
}

fn secret(flag: &str) -> bool {
    flag.contains("fingerprint") || flag == "external-id"
}

/// Runs `palisade init`.
pub(crate) fn init(args: &InitArgs, voice: Voice) -> anyhow::Result<Exit> {
    let file = Path::new(FILE);
    if file.exists() && !args.force {
        return Err(Failure::usage(
            format!("`{FILE}` is there already"),
            "use --force to overwrite it",
        ));
    }
    output::file(file, |out| Ok(out.write_all(TEMPLATE.as_bytes())?))?;
    voice.note(&format!("wrote `{FILE}`"));
    Ok(Exit::Passed)
}

const TEMPLATE: &str = "\
# Defaults for palisade. A key is the name of a long flag; a flag or PALISADE_* beats it.
# `palisade config --show` tells what counts.

# For every command that takes them:
# profile = [\"audit\"]
# region = [\"eu-*\", \"us-east-1\"]
# max-rps = 10

[scan]
# fail-on = \"high\"
# format = [\"table\", \"json=report.json\"]
# accepted-risks = \"accepted-risks.toml\"
# crown-jewel = [\"arn:aws:s3:::payroll-*\"]
# sandbox = [\"111122223333\"]
# known-account = [\"444455556666\"]
# assume-breach = true
# Paid services are findings only where somebody uses them, or where you say you expect them:
# expect = [\"macie\", \"shield\", \"waf\", \"fms\"]

[gate]
# baseline = \"last.json\"
";

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
use super::{Cli, input, output};
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
    text: String,
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
    let text = input::text(&file).map_err(|error| bad(&file, error.into()))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = input::line_at(&text, start);
        bad(&file, anyhow::anyhow!("line {line}: {}", error.message()))
    })?;
    let mut settings = Settings {
        file: Some(file),
        text,
        values: BTreeMap::new(),
    };
    let mut wrong = Vec::new();
    settings.take("", table, &mut wrong);
    settings.verdict(wrong)?;
    Ok(settings)
}

fn bad(file: &Path, cause: anyhow::Error) -> anyhow::Error {
    let help = "`palisade init` writes a commented one; `palisade config --show` tells what counts";
    let text = format!("cannot use `{}`", file.display());
    Failure::caused(Exit::Usage, cause, text, help)
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
    /// Refuses the file with all that is wrong with it.
    fn verdict(&self, wrong: Vec<String>) -> anyhow::Result<()> {
        match &self.file {
            Some(file) if !wrong.is_empty() => Err(bad(file, anyhow::anyhow!(wrong.join("; ")))),
            _ => Ok(()),
        }
    }

    fn take(&mut self, command: &str, table: toml::Table, wrong: &mut Vec<String>) {
        for (key, value) in table {
            let line = self.line_of(command, &key);
            let said = match value {
                toml::Value::Table(inner) if command.is_empty() => {
                    let root = Cli::command();
                    if root.find_subcommand(&key).is_some() {
                        self.take(&key, inner, wrong);
                        continue;
                    }
                    let names = root.get_subcommands().map(|sub| sub.get_name().to_owned());
                    let meant = did_you_mean(&key, names);
                    format!("there is no command `{key}`{meant}")
                }
                toml::Value::Table(_) => format!("`{key}` cannot be a table"),
                value => match known(command, &key) {
                    None => {
                        let of = match command {
                            "" => "any command",
                            command => command,
                        };
                        let meant = did_you_mean(&key, flags_of(command));
                        format!("`{key}` is no setting of {of}{meant}")
                    }
                    Some(arg) if !arg.get_action().takes_values() && !value.is_bool() => {
                        format!("`{key}` is true or false")
                    }
                    Some(_) => {
                        self.values.insert((command.to_owned(), key), value);
                        continue;
                    }
                },
            };
            wrong.push(format!("line {line}: {said}"));
        }
    }

    /// The line of a key below the header of its table, or of the header itself.
    fn line_of(&self, command: &str, key: &str) -> usize {
        let mut table = "";
        for (at, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                table = header.split(']').next().unwrap_or_default().trim();
                if command.is_empty() && table == key {
                    return at + 1;
                }
            }
            let name = line.split('=').next().unwrap_or_default().trim();
            if table == command && name.trim_matches(['"', '\'']) == key {
                return at + 1;
            }
        }
        1
    }

    /// Settings whose value the command refuses, each by itself; all else was accepted.
    pub(crate) fn blame(&self, typed: &[OsString], matches: &ArgMatches) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        for ((of, key), value) in self.counting(matches) {
            let mut alone = typed.to_vec();
            alone.extend(flags(key, value));
            if let Err(error) = Cli::command().try_get_matches_from(alone) {
                let line = self.line_of(of, key);
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default();
                let first = first.strip_prefix("error: ").unwrap_or(first);
                wrong.push(format!("line {line}: {first}"));
            }
        }
        self.verdict(wrong)
    }

    /// The settings that count for this command: those of its own table before those of all, and
    /// none of which a flag or the environment has spoken.
    fn counting(
        &self,
        matches: &ArgMatches,
    ) -> impl Iterator<Item = (&(String, String), &toml::Value)> {
        self.values.iter().filter(move |((of, key), _)| {
            let Some((command, sub)) = matches.subcommand() else {
                return false;
            };
            let own = (command.to_owned(), key.clone());
            let shadowed = of.is_empty() && self.values.contains_key(&own);
            let id = key.replace('-', "_");
            let source = sub
                .try_contains_id(&id)
                .ok()
                .and_then(|_| sub.value_source(&id));
            let spoken = source.is_some_and(|source| source != ValueSource::DefaultValue);
            let other = !of.is_empty() && of != command;
            !other && !shadowed && !spoken && known(command, key).is_some()
        })
    }

    /// The command line with the file's settings put in where neither a flag nor the environment
    /// has spoken.
    pub(crate) fn merged(&self, typed: &[OsString], matches: &ArgMatches) -> Vec<OsString> {
        let counting = self.counting(matches);
        let flags = counting.flat_map(|((_, key), value)| flags(key, value));
        typed.iter().cloned().chain(flags).collect()
    }
}

/// The flag of that name that a command takes; of any command, where none is named.
fn known(command: &str, key: &str) -> Option<clap::Arg> {
    arguments(command)
        .into_iter()
        .find(|arg| arg.get_long() == Some(key) && key != "config")
}

fn flags_of(command: &str) -> impl Iterator<Item = String> {
    let all = arguments(command).into_iter();
    all.filter_map(|arg| arg.get_long().map(str::to_owned))
}

fn arguments(command: &str) -> Vec<clap::Arg> {
    let root = Cli::command();
    let subs = root
        .get_subcommands()
        .filter(|sub| command.is_empty() || sub.get_name() == command);
    let own = subs.flat_map(clap::Command::get_arguments);
    root.get_arguments().chain(own).cloned().collect()
}

/// The rest of a sentence that names what was probably meant.
pub(crate) fn did_you_mean(typed: &str, names: impl Iterator<Item = String>) -> String {
    let near = names.map(|name| (distance(typed, &name), name)).min();
    match near {
        Some((changes, name)) if changes <= 2 => format!(": did you mean `{name}`?"),
        _ => String::new(),
    }
}

/// How many letters have to be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row.pop().unwrap_or_default()
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

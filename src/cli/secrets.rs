//! `palisade secrets`: the content engine over local files.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use palisade_secrets::{Engine, FingerprintKey, Limits, Options, Summary};

use super::exit::{Exit, Failure};
use super::output;
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade secrets export/ artifact.zip   one JSON object a match, no value
  git archive HEAD | palisade secrets -   what would be published

Fingerprints are keyed by PALISADE_FINGERPRINT_KEY or --fingerprint-key-file.
Without a key, values that people chose, such as passwords, get none: they
could be guessed back.
Exit codes: 0 done, whatever was found; 1 a file could not be read; 2 wrong
usage.")]
pub(crate) struct Args {
    /// Files, folders with all below them, or `-` for standard input
    #[arg(value_name = "PATH", required_unless_present = "rules")]
    paths: Vec<PathBuf>,
    /// Add this plain hash of values that a provider drew at random, never of passwords
    #[arg(long, value_name = "KIND", value_parser = ["sha256"], env = "PALISADE_HASH")]
    hash: Option<String>,
    /// Read the key of the fingerprints from this file
    #[arg(long, value_name = "FILE", env = "PALISADE_FINGERPRINT_KEY_FILE")]
    fingerprint_key_file: Option<PathBuf>,
    /// Judge expiry of tokens and presigned URLs at this time [default: now]
    #[arg(long, value_name = "TIME", env = "PALISADE_AS_OF")]
    as_of: Option<jiff::Timestamp>,
    /// Most bytes inflated out of one file
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = Limits::default().inflated_bytes,
        env = "PALISADE_MAX_INFLATED"
    )]
    max_inflated: u64,
    /// List the rules instead
    #[arg(long)]
    rules: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let options = Options {
        fingerprint_key: key(args)?,
        sha256: args.hash.is_some(),
        as_of: Some(args.as_of.unwrap_or_else(jiff::Timestamp::now).as_second()),
    };
    let engine = Engine::new(options).context("the built-in rules do not load")?;
    if args.rules {
        return list(&engine);
    }
    let limits = Limits {
        inflated_bytes: args.max_inflated,
        ..Limits::default()
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let scanned =
        palisade_secrets::scan_paths(&engine, &args.paths, &limits, &mut out, &mut |at| {
            // Names of files and members come from strangers: they are escaped on their way out.
            let place = at.path.escape_debug();
            match at.unreadable {
                true => voice.warn(&format!("`{place}` could not be read: {}", at.why)),
                false => voice.warn(&format!("`{place}` was not searched: {}", at.why)),
            }
        });
    #[cfg(debug_assertions)]
    fail_on_request(&args.paths);
    let ended = scanned.and_then(|summary| out.flush().map(|()| summary));
    match ended {
        Ok(summary) => {
            voice.note(&tell(&summary));
            Ok(if summary.unreadable > 0 {
                Exit::CouldNotRun
            } else {
                Exit::Passed
            })
        }
        // Whoever read the output has gone away.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Passed),
        Err(error) => Err(error).context("cannot write to stdout"),
    }
}

/// Fails with the worst message there could be, what the files hold. In debug builds only, where
/// a test looks at what a panic shows.
#[cfg(debug_assertions)]
fn fail_on_request(paths: &[PathBuf]) {
    if std::env::var_os("PALISADE_FAILPOINT").is_some_and(|at| at == "secrets") {
        let texts: Vec<String> = paths.iter().flat_map(fs::read_to_string).collect();
        std::panic::panic_any(texts.concat());
    }
}

fn tell(summary: &Summary) -> String {
    let Summary {
        files,
        bytes,
        matches,
        unreadable,
        closed,
    } = summary;
    format!(
        "{matches} matches in {files} files, {bytes} bytes searched, \
         {unreadable} files unreadable, {closed} parts not searched"
    )
}

/// The key of the fingerprints: the file, else the environment, else none.
fn key(args: &Args) -> anyhow::Result<Option<FingerprintKey>> {
    const NAME: &str = "PALISADE_FINGERPRINT_KEY";
    let help = "give at least 16 bytes, for instance from `openssl rand -hex 32`";
    if let Some(path) = &args.fingerprint_key_file {
        let bytes = fs::read(path).map_err(|error| {
            let message = format!("cannot read the fingerprint key `{}`", path.display());
            Failure::caused(Exit::Usage, error, message, help)
        })?;
        let short = || Failure::usage("the fingerprint key is too short", help);
        return FingerprintKey::new(&bytes).ok_or_else(short).map(Some);
    }
    match std::env::var_os(NAME) {
        Some(text) if !text.is_empty() => FingerprintKey::new(text.as_encoded_bytes())
            .ok_or_else(|| Failure::usage(format!("{NAME} is too short"), help))
            .map(Some),
        _ => Ok(None),
    }
}

fn list(engine: &Engine) -> anyhow::Result<Exit> {
    let mut text = String::new();
    for (id, title, severity) in engine.rules() {
        let severity = format!("{severity:?}").to_lowercase();
        text.push_str(&format!("{id:<36} {severity:<9} {title}\n"));
    }
    output::stdout(&text)?;
    Ok(Exit::Passed)
}

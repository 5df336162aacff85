//! What people type: one file per command.

mod args;
mod capabilities;
mod catalogue;
#[cfg(feature = "aws")]
mod collect;
mod completions;
mod config;
mod decision;
pub(crate) mod exit;
mod explain;
mod fix;
mod gate;
mod input;
mod output;
mod paths;
mod permissions;
mod scan;
mod secrets;
mod simulate;
mod source;
mod technique;
mod who_can;
mod world;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::ui::{Color, Voice};
use exit::Exit;
#[cfg(not(feature = "aws"))]
use exit::Failure;

/// Finds the chains by which somebody becomes administrator of an AWS account, before anybody
/// walks them, and says which few changes cut them.
#[derive(Parser)]
#[command(
    name = "palisade",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(after_help = "\
Examples:
  palisade scan --world eight-minutes   a built-in estate: no AWS, no credentials
  palisade scan --profile audit         the account of a profile

Exit codes of scan and gate: 0 passed on complete data, 1 could not run,
2 wrong usage, 3 inconclusive, 10 findings at or above --fail-on,
130 interrupted.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// Say nothing but errors
    #[arg(
        short,
        long,
        global = true,
        env = "PALISADE_QUIET",
        help_heading = "Talk"
    )]
    quiet: bool,
    /// Say more; twice for every call
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Talk")]
    verbose: u8,
    /// When to colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        env = "PALISADE_COLOR",
        help_heading = "Talk"
    )]
    color: Color,
    /// Draw no progress
    #[arg(
        long,
        global = true,
        env = "PALISADE_NO_PROGRESS",
        help_heading = "Talk"
    )]
    no_progress: bool,
    /// Read settings from this file [default: palisade.toml here or in a folder above]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PALISADE_CONFIG",
        help_heading = "Talk"
    )]
    config: Option<std::path::PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Read an estate, analyse it, report
    Scan(scan::Args),
    /// Read an AWS into a snapshot, nothing else
    #[cfg(feature = "aws")]
    Collect(collect::Args),
    /// Pass or fail for a pipeline: threshold, baseline, accepted risks
    Gate(gate::Args),
    /// Escalation paths, best first, hop by hop
    Paths(paths::Args),
    /// Why a finding, path, check or technique is as it is, or a principal may do something or not
    Explain(explain::Args),
    /// The service control policies that keep the security services on
    Fix(fix::Args),
    /// Checks and techniques, rendered from their data
    Catalogue(catalogue::Args),
    /// Everybody who may do something, with the deciding statement
    WhoCan(who_can::Args),
    /// Decide requests: JSON Lines in, decisions out
    Simulate(simulate::Args),
    /// The read-only policy that a scan needs
    Permissions(permissions::Args),
    /// Credentials in local files: what an export or artifact would give away
    Secrets(secrets::Args),
    /// Who am I, which calls are refused, which regions answer, is the clock right
    #[cfg(feature = "aws")]
    Doctor(collect::DoctorArgs),
    /// Built-in estates
    World(world::Args),
    /// Where each setting came from
    Config(config::Args),
    /// Write a commented palisade.toml
    Init(config::InitArgs),
    /// Shell completions and the man page
    Completions(completions::Args),
}

/// Parses the command line and runs it. Says how to talk, whether the command gives a verdict,
/// and how it ended.
pub(crate) fn run() -> (Voice, bool, anyhow::Result<Exit>) {
    let (cli, settings) = match parse() {
        Ok(parsed) => parsed,
        Err(outcome) => return (Voice::default(), false, outcome),
    };
    let voice = Voice {
        quiet: cli.global.quiet,
        verbose: cli.global.verbose,
        progress: !cli.global.no_progress,
        color: cli.global.color,
    };
    let judges = matches!(cli.command, Command::Scan(_) | Command::Gate(_));
    let outcome = match cli.command {
        Command::Scan(args) => scan::run(&args, voice),
        #[cfg(feature = "aws")]
        Command::Collect(args) => collect::run(&args, voice),
        Command::Gate(args) => gate::run(&args, voice),
        Command::Paths(args) => paths::run(&args, voice),
        Command::Explain(args) => explain::run(&args, voice),
        Command::Fix(args) => fix::run(&args, voice),
        Command::Catalogue(args) => catalogue::run(&args, voice),
        Command::WhoCan(args) => who_can::run(&args, voice),
        Command::Simulate(args) => simulate::run(&args, voice),
        Command::Permissions(args) => permissions::run(&args, voice),
        Command::Secrets(args) => secrets::run(&args, voice),
        #[cfg(feature = "aws")]
        Command::Doctor(args) => collect::doctor(&args, voice),
        Command::World(args) => world::run(&args, voice),
        Command::Config(args) => config::show(&args, &settings, voice),
        Command::Init(args) => config::init(&args, voice),
        Command::Completions(args) => completions::run(&args, voice),
    };
    (voice, judges, outcome)
}

/// Flags beat the environment, which beats the configuration file, which beats defaults.
fn parse() -> Result<(Cli, config::Settings), anyhow::Result<Exit>> {
    let typed: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let matches = Cli::command()
        .try_get_matches_from(&typed)
        .map_err(wrong_usage)?;
    let settings = config::load(&matches).map_err(Err)?;
    let all = settings.merged(&typed, &matches);
    let matches = match Cli::command().try_get_matches_from(all) {
        Ok(matches) => matches,
        Err(error) => {
            // What was typed is fine by itself: the file is to blame, where it is one value.
            settings.blame(&typed, &matches).map_err(Err)?;
            return Err(wrong_usage(error));
        }
    };
    let cli = Cli::from_arg_matches(&matches).map_err(wrong_usage)?;
    Ok((cli, settings))
}

/// Help and version are answers; anything else is wrong usage.
fn wrong_usage(error: clap::Error) -> anyhow::Result<Exit> {
    use clap::error::ErrorKind;
    // A closed pipe leaves nobody to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Exit::Passed),
        _ => Ok(Exit::Usage),
    }
}

/// A command that needs collectors, in a build that has none.
#[cfg(not(feature = "aws"))]
pub(crate) fn without_collectors() -> anyhow::Error {
    Failure::stop(
        "this palisade was built without its collectors",
        "build with the default features, or analyse a file with --snapshot, --gaad or --world",
    )
}

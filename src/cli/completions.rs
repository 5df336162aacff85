//! `palisade completions`: shell completions and the man page.

use clap::CommandFactory as _;

use super::exit::Exit;
use super::{Cli, output};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  palisade completions bash > /etc/bash_completion.d/palisade
  palisade completions man > palisade.1")]
pub(crate) struct Args {
    /// bash, elvish, fish, powershell, zsh, or man
    #[arg(value_name = "SHELL", value_parser = ["bash", "elvish", "fish", "powershell", "zsh", "man"])]
    shell: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args, _: Voice) -> anyhow::Result<Exit> {
    let mut command = Cli::command();
    let mut bytes = Vec::new();
    match args.shell.parse::<clap_complete::Shell>() {
        Ok(shell) => clap_complete::generate(shell, &mut command, "palisade", &mut bytes),
        Err(_) => manual(command, &mut bytes)?,
    }
    output::stdout(&String::from_utf8_lossy(&bytes))?;
    Ok(Exit::Passed)
}

/// One page for the program and one for each command, in one stream: `man -l` shows them all.
fn manual(command: clap::Command, out: &mut Vec<u8>) -> std::io::Result<()> {
    let pages: Vec<clap::Command> = command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .map(|sub| {
            let name = format!("palisade-{}", sub.get_name());
            let bin = format!("palisade {}", sub.get_name());
            sub.clone().name(name).bin_name(bin)
        })
        .collect();
    clap_mangen::Man::new(command).render(out)?;
    for page in pages {
        clap_mangen::Man::new(page).render(out)?;
    }
    Ok(())
}

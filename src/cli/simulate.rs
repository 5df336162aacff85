//! `palisade simulate`: a policy simulator for people and scripts.

use std::io::{self, Write};

use super::exit::{Exit, Failure};
use crate::ui::Voice;

#[derive(clap::Args)]
#[command(after_help = "\
Each line of the input is a request as a JSON object: `id`, `principal`, `action`, `resource`,
`resourceAccount`, `context`, `identityPolicies`, `boundary`, `sessionPolicy`, `scps`, `rcps`,
`resourcePolicy`, `vpcEndpointPolicies`, `settings`, `unknownKeys`. Each line of the output is its
decision. A line that is no request becomes an object with `error` and `line`.

Examples:
  palisade simulate < requests.jsonl > decisions.jsonl
  echo '{\"action\":\"s3:GetObject\", \"resource\":\"arn:aws:s3:::b/k\",
    \"principal\":\"arn:aws:iam::111122223333:user/u\"}' \\
    | tr -d '\\n' | palisade simulate")]
pub(crate) struct Args {
    /// Read requests from this file instead of stdin
    #[arg(value_name = "FILE")]
    file: Option<std::path::PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, _: Voice) -> anyhow::Result<Exit> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let result = match &args.file {
        Some(path) => {
            let file = std::fs::File::open(path).map_err(|error| {
                Failure::caused(
                    Exit::CouldNotRun,
                    error,
                    format!("cannot open `{}`", path.display()),
                    "give a file of JSON Lines, or none to read from stdin",
                )
            })?;
            palisade::policy::simulate::run(file, &mut out)
        }
        None => palisade::policy::simulate::run(io::stdin().lock(), &mut out),
    };
    match result.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Passed),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(Exit::Passed),
    }
}

//! The command: arguments in, exit code out.

mod cli;
mod ui;

use cli::exit::{Exit, Failure};

fn main() -> Exit {
    ui::tell_panics();
    std::panic::catch_unwind(run).unwrap_or(Exit::CouldNotRun)
}

fn run() -> Exit {
    let (voice, judges, outcome) = cli::run();
    let exit = match outcome {
        Ok(exit) => exit,
        Err(error) => {
            let failure = error
                .chain()
                .find_map(|cause| cause.downcast_ref::<Failure>());
            let (exit, help) = match error.downcast_ref::<Failure>().or(failure) {
                Some(failure) => (failure.exit, failure.help.as_deref()),
                None => (Exit::CouldNotRun, None),
            };
            voice.error(&error, help);
            exit
        }
    };
    if judges || exit != Exit::Passed {
        voice.note(exit.meaning());
    }
    exit
}

//! What the process says when it ends, and errors that know it.

use std::fmt;
use std::process::{ExitCode, Termination};

/// Exit codes. Where several would fit, the order of precedence is 1, 2, 10, 3, 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Passed on complete data; for other verbs: done.
    Passed = 0,
    /// Could not run: credentials, endpoint, snapshot, world, disk, or a fault of ours.
    CouldNotRun = 1,
    /// A wrong flag, configuration, region, accepted risk or baseline.
    Usage = 2,
    /// Something that could raise the verdict was not read.
    Inconclusive = 3,
    /// A finding at or above the threshold.
    Findings = 10,
    /// Interrupted.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only collecting takes time")
    )]
    Interrupted = 130,
}

impl Exit {
    /// The last line on stderr.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Passed => "exit 0: passed",
            Exit::CouldNotRun => "exit 1: could not run",
            Exit::Usage => "exit 2: wrong usage or configuration",
            Exit::Inconclusive => {
                "exit 3: inconclusive, something that could change the verdict was not read"
            }
            Exit::Findings => "exit 10: findings at or above the threshold",
            Exit::Interrupted => "exit 130: interrupted",
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// An error with its exit code and the line that says what to do next. Stands on top of the
/// chain of causes.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) help: Option<String>,
    message: String,
}

impl Failure {
    /// Any failure.
    #[expect(
        clippy::new_ret_no_self,
        reason = "every failure is handed on as an error"
    )]
    pub(crate) fn new(
        exit: Exit,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> anyhow::Error {
        Failure {
            exit,
            help: Some(help.into()),
            message: message.into(),
        }
        .into()
    }

    /// Something the user typed or configured is wrong.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Failure::new(Exit::Usage, message, help)
    }

    /// The run cannot go on.
    #[cfg(not(feature = "aws"))]
    pub(crate) fn stop(message: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Failure::new(Exit::CouldNotRun, message, help)
    }

    /// Puts this failure on top of its cause.
    pub(crate) fn caused(
        exit: Exit,
        cause: impl Into<anyhow::Error>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> anyhow::Error {
        cause.into().context(Failure {
            exit,
            help: Some(help.into()),
            message: message.into(),
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

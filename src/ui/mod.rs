//! Everything that goes to stderr, and whether to colour.

#[cfg(feature = "aws")]
pub(crate) mod progress;

use std::io::{IsTerminal, Write};

use clap::ValueEnum;

/// Says where the program failed, and never with which words: the message of a panic may hold
/// whatever was in memory, such as a text that could not be cut. `RUST_BACKTRACE` adds the way there.
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!(" at {}:{}", at.file(), at.line()))
            .unwrap_or_default();
        let mut stderr = std::io::stderr().lock();
        // Nobody is left to tell that stderr is gone.
        let _ = writeln!(stderr, "error: internal error{place}");
        let trace = std::backtrace::Backtrace::capture();
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            let _ = writeln!(stderr, "{trace}");
        }
    }));
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much to say, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Voice {
    /// Say nothing but errors.
    pub(crate) quiet: bool,
    /// Say more, by level.
    pub(crate) verbose: u8,
    /// Draw progress.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only collecting takes time")
    )]
    pub(crate) progress: bool,
    /// When to colour.
    pub(crate) color: Color,
}

impl Voice {
    /// Whether text for stdout is coloured.
    pub(crate) fn colors_stdout(self) -> bool {
        self.colors(std::io::stdout().is_terminal())
    }

    fn colors(self, terminal: bool) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if set("NO_COLOR") => false,
            Color::Auto if set("FORCE_COLOR") || set("CLICOLOR_FORCE") => true,
            Color::Auto => terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }

    /// Columns to fill on stdout: the terminal's, or 80.
    pub(crate) fn width(self) -> usize {
        if !std::io::stdout().is_terminal() {
            return 80;
        }
        let columns = terminal_size::terminal_size().map_or(80, |(width, _)| width.0);
        usize::from(columns).clamp(60, 160)
    }

    /// One line for the person who watches; nothing when quiet.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.line("", text);
        }
    }

    /// One line that explains more; only when asked for.
    pub(crate) fn detail(self, text: &str) {
        if self.verbose > 0 && !self.quiet {
            self.line("", text);
        }
    }

    /// A warning: something was asked for that will not happen as expected.
    pub(crate) fn warn(self, text: &str) {
        if !self.quiet {
            self.line("warning: ", text);
        }
    }

    /// An error with its causes and what to do next.
    pub(crate) fn error(self, error: &anyhow::Error, help: Option<&str>) {
        self.line("error: ", &error.to_string());
        for cause in error.chain().skip(1) {
            self.line("  because: ", &cause.to_string());
        }
        if let Some(help) = help {
            self.line("help: ", help);
        }
    }

    fn line(self, label: &str, text: &str) {
        let color = self.colors(std::io::stderr().is_terminal());
        let text = palisade::report::escape::plain(text);
        let code = match label {
            "error: " => "1;31",
            "warning: " => "1;33",
            "help: " => "1;36",
            _ => "",
        };
        let mut err = std::io::stderr().lock();
        // A closed stderr leaves nobody to tell.
        let _ = if color && !code.is_empty() {
            writeln!(err, "\x1b[{code}m{label}\x1b[0m{text}")
        } else {
            writeln!(err, "{label}{text}")
        };
    }
}

//! Progress of a scan: a bar on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Voice;

const EVERY: Duration = Duration::from_secs(10);

/// Counts calls and draws them.
pub(crate) struct Progress {
    voice: Voice,
    bar: Option<ProgressBar>,
    planned: AtomicU64,
    finished: AtomicU64,
    throttled: AtomicU64,
    accounts: AtomicU64,
    last: Mutex<Instant>,
}

impl Progress {
    /// Starts drawing, as far as the user wants to see it.
    pub(crate) fn new(voice: Voice) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (voice.progress && !voice.quiet && terminal).then(|| {
            let bar = ProgressBar::new(0);
            let style =
                ProgressStyle::with_template("{bar:30} {pos}/{len} calls · {msg} · {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Progress {
            voice,
            bar,
            planned: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            accounts: AtomicU64::new(0),
            last: Mutex::new(Instant::now()),
        }
    }

    fn draw(&self) {
        let (planned, finished) = (
            self.planned.load(Ordering::Relaxed),
            self.finished.load(Ordering::Relaxed),
        );
        let message = format!(
            "{} accounts done, {} throttled",
            self.accounts.load(Ordering::Relaxed),
            self.throttled.load(Ordering::Relaxed)
        );
        match &self.bar {
            Some(bar) => {
                bar.set_length(planned);
                bar.set_position(finished);
                bar.set_message(message);
            }
            None if self.voice.progress => {
                let due = self.last.lock().is_ok_and(|mut last| {
                    let due = last.elapsed() >= EVERY;
                    if due {
                        *last = Instant::now();
                    }
                    due
                });
                if due {
                    self.voice
                        .note(&format!("{finished} of {planned} calls, {message}"));
                }
            }
            None => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.voice.detail(&format!(
            "{} calls, {} throttled",
            self.finished.load(Ordering::Relaxed),
            self.throttled.load(Ordering::Relaxed)
        ));
    }

    /// So many more calls are known to be needed.
    pub(crate) fn planned(&self, calls: u64) {
        self.planned.fetch_add(calls, Ordering::Relaxed);
        self.draw();
    }

    /// So many calls turned out not to be needed.
    pub(crate) fn spared(&self, calls: u64) {
        self.planned.fetch_sub(calls, Ordering::Relaxed);
        self.draw();
    }

    /// A call ended.
    pub(crate) fn finished(&self, operation: &str) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        if self.voice.verbose > 1 {
            self.say(operation);
        }
        self.draw();
    }

    /// A request was refused for its rate.
    pub(crate) fn throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
        self.draw();
    }

    /// An account is done.
    pub(crate) fn account_finished(&self, account: &str, gaps: usize) {
        self.accounts.fetch_add(1, Ordering::Relaxed);
        if self.voice.verbose > 0 {
            self.say(&format!("account {account} done, {gaps} facts unread"));
        }
        self.draw();
    }

    /// Something the user should know.
    pub(crate) fn warn(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.voice.warn(text)),
            None => self.voice.warn(text),
        }
    }

    /// Something the user asked to be told.
    pub(crate) fn note(&self, text: &str) {
        self.say(text);
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.voice.note(text)),
            None => self.voice.note(text),
        }
    }
}

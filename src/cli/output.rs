//! The only place that writes to standard output.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Time between two progress lines.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// Prints one line of a result.
pub(crate) fn line(text: impl Display) {
    // A reader that has gone, as `head` does, is no fault.
    let _ = writeln!(stdout(), "{text}");
}

/// Prints a result octet by octet.
pub(crate) fn exact(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}

/// Prints a result as JSON on one line.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?);
    Ok(())
}

/// Prints the fault that ends the program: one line, what, where and the way out.
pub(crate) fn fault(error: &anyhow::Error) {
    let _ = writeln!(stderr(), "meridian: {}", one_line(error));
}

/// An error and its causes, but for a cause that the text before it repeats.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string().lines().collect::<Vec<_>>().join(" ");
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// Prints a line for people beside a result, on standard error.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// Progress of long work on standard error: count, rate, and time left.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    stage: &'static str,
    shown: bool,
    terminal: bool,
    begin: Instant,
    last: Option<Instant>,
}

impl Progress {
    /// Progress of `what`; shown on a terminal or when it was asked for.
    pub(crate) fn new(what: String, asked: bool) -> Self {
        let terminal = stderr().is_terminal();
        Self {
            what,
            stage: "",
            shown: terminal || asked,
            terminal,
            begin: Instant::now(),
            last: None,
        }
    }

    /// Shows how far it is; `total` is 0 where nobody knows. Cheap to call often.
    pub(crate) fn update(&mut self, stage: &'static str, done: u64, total: u64) {
        if stage != self.stage {
            // Each stage has a rate of its own.
            (self.stage, self.begin) = (stage, Instant::now());
        }
        if self.is_due() {
            let text = describe(done, total, self.begin.elapsed());
            self.print(stage, &text);
        }
    }

    /// Shows what the caller has counted itself.
    pub(crate) fn show(&mut self, stage: &str, text: &str) {
        if self.is_due() {
            self.print(stage, text);
        }
    }

    fn is_due(&mut self) -> bool {
        let due = self
            .last
            .is_none_or(|last| last.elapsed() >= PROGRESS_INTERVAL);
        if self.shown && due {
            self.last = Some(Instant::now());
        }
        self.shown && due
    }

    fn print(&self, stage: &str, text: &str) {
        let end = if self.terminal { "\x1b[K\r" } else { "\n" };
        let _ = write!(stderr(), "{}: {stage}: {text}{end}", self.what);
        let _ = stderr().flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() && self.terminal {
            let _ = write!(stderr(), "\x1b[K");
        }
    }
}

/// `1200 of 5000 (24 %), 600/s, 6 s left`
fn describe(done: u64, total: u64, elapsed: Duration) -> String {
    let micros = u64::try_from(elapsed.as_micros())
        .unwrap_or(u64::MAX)
        .max(1);
    let rate = done.saturating_mul(1_000_000) / micros;
    if total == 0 {
        return format!("{done}, {rate}/s");
    }
    let percent = done.saturating_mul(100) / total;
    let left = total.saturating_sub(done).checked_div(rate);
    let left = left.map_or_else(String::new, |seconds| format!(", {seconds} s left"));
    format!("{done} of {total} ({percent} %), {rate}/s{left}")
}

#[cfg(test)]
mod tests;

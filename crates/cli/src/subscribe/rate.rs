//! How much comes, on a line of a terminal.

use core::fmt;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use hopen_codec::frame::Header;
use hopen_codec::message::Body;
use hopen_codec::value::Value;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts what comes, and shows it on standard error where that is a terminal.
pub(super) struct Rate {
    line: Option<Line>,
    begun: Instant,
    seen: Seen,
}

/// What has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    updates: u64,
    rows: u64,
    /// Of messages without compression. Counted where they are shown.
    bytes: u64,
}

/// What shows.
struct Line {
    bar: ProgressBar,
    /// What had come when it was drawn last, and when that was.
    drawn: Seen,
    at: Instant,
}

impl Rate {
    pub(super) fn new() -> Self {
        let line = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            Line {
                bar: bar.with_style(style()).with_message("connecting"),
                drawn: Seen::default(),
                at: Instant::now(),
            }
        });
        Self {
            line,
            begun: Instant::now(),
            seen: Seen::default(),
        }
    }

    /// Counts an update.
    pub(super) fn count(&mut self, rows: usize, message: impl FnOnce() -> Value) {
        self.seen.updates += 1;
        self.seen.rows += rows as u64;
        if self.line.is_some() {
            // What has come is a value, so that it becomes one again.
            let length = Body::encode(&message()).map_or(0, |body| body.len());
            self.seen.bytes += length + Header::LENGTH as u64;
        }
    }

    /// Returns when to look at it again, where it shows.
    pub(super) fn next_look(&self) -> Option<Duration> {
        let line = self.line.as_ref()?;
        Some(PERIOD.saturating_sub(line.at.elapsed()))
    }

    /// Shows what has come in the last second, if one is over.
    pub(super) fn look(&mut self) {
        let Some(line) = &mut self.line else {
            return;
        };
        let elapsed = line.at.elapsed();
        if elapsed < PERIOD {
            return;
        }
        line.bar
            .set_message(rates(line.drawn, self.seen, elapsed.as_secs_f64()));
        line.bar.tick();
        line.drawn = self.seen;
        line.at = Instant::now();
    }

    /// Writes something beside it.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.line {
            Some(line) => line.bar.suspend(write),
            None => write(),
        }
    }

    /// Shows no more. Returns what has come, as a text.
    pub(super) fn finish(&mut self) -> impl fmt::Display + use<> {
        if let Some(line) = self.line.take() {
            line.bar.finish_and_clear();
        }
        let Seen { updates, rows, .. } = self.seen;
        let seconds = self.begun.elapsed().as_secs_f64();
        let (updates, rows) = (counted(updates, "update"), counted(rows, "row"));
        format!("{updates}, {rows} in {seconds:.1} s")
    }
}

/// Writes a number and what it is of.
fn counted(number: u64, one: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {one}{end}")
}

fn rates(before: Seen, now: Seen, seconds: f64) -> String {
    let of = |before: u64, now: u64| (now - before) as f64 / seconds;
    let bytes = HumanBytes(of(before.bytes, now.bytes) as u64);
    format!(
        "{:.0} updates/s, {:.0} rows/s, {bytes}/s; {}",
        of(before.updates, now.updates),
        of(before.rows, now.rows),
        counted(now.updates, "update")
    )
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}").expect("the template is here and was tested")
}

/// How often it is drawn.
const PERIOD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_well_formed() {
        style();
    }

    #[test]
    fn rates_are_of_the_time_that_has_passed() {
        let before = Seen {
            updates: 10,
            rows: 100,
            bytes: 1000,
        };
        let now = Seen {
            updates: 30,
            rows: 500,
            bytes: 5096,
        };
        assert_eq!(
            rates(before, now, 2.0),
            "10 updates/s, 200 rows/s, 2.00 KiB/s; 30 updates"
        );
        assert_eq!(
            rates(now, now, 1.0),
            "0 updates/s, 0 rows/s, 0 B/s; 30 updates"
        );
    }
}

//! What shows while an answer is waited for.
//!
//! ```text
//! ⠹ waiting for the answer, 3s                                         the process computes
//! [##########>-----------------------] 12.31 MiB/38.15 MiB, 4s          the answer arrives
//! ```

use core::convert::Infallible;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicU64, Ordering};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use hopen_blocking::Handle;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar on standard error for waits of more than a second; nothing where that is no
/// terminal.
#[derive(Clone)]
pub(crate) struct Progress(Option<Arc<Seen>>);

/// What was seen of the message under way.
#[derive(Default)]
struct Seen {
    arrived: AtomicU64,
    /// 0 where no message is under way.
    length: AtomicU64,
}

impl Progress {
    /// Makes one for standard error.
    pub(crate) fn new() -> Self {
        Self(io::stderr().is_terminal().then(Arc::default))
    }

    /// Shows what arrives on this handle.
    pub(crate) fn watch(&self, handle: &mut Handle) {
        if let Some(seen) = self.0.clone() {
            handle.watch(move |message| {
                seen.arrived.store(message.arrived, Ordering::Relaxed);
                seen.length.store(message.length, Ordering::Relaxed);
                ControlFlow::Continue(())
            });
        }
    }

    /// Shows the progress of what is waited for, until it is over.
    pub(crate) fn during<T>(&self, wait: impl FnOnce() -> T) -> T {
        let Some(seen) = &self.0 else {
            return wait();
        };
        seen.length.store(0, Ordering::Relaxed);
        let (waiting, is_over) = mpsc::channel();
        thread::scope(|scope| {
            let thread = thread::Builder::new().name("progress".into());
            // Where there is no thread to be had, nothing shows.
            let _ = thread.spawn_scoped(scope, move || draw(seen, &is_over));
            let waited = wait();
            drop(waiting);
            waited
        })
    }
}

/// Draws once a second has passed, and clears what was drawn when the wait is over.
fn draw(seen: &Seen, is_over: &Receiver<Infallible>) {
    let goes_on = |time| is_over.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
    if !goes_on(PATIENCE) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let bar = bar.with_elapsed(PATIENCE).with_style(style(WAITING));
    let mut arrives = false;
    loop {
        let length = seen.length.load(Ordering::Relaxed);
        if length > 0 {
            if !core::mem::replace(&mut arrives, true) {
                bar.set_style(style(ARRIVING));
            }
            bar.set_length(length);
            bar.set_position(seen.arrived.load(Ordering::Relaxed));
        }
        bar.tick();
        if !goes_on(TICK) {
            break;
        }
    }
    bar.finish_and_clear();
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are here and were tested")
        .progress_chars("#>-")
}

/// How long nothing shows: 1 s. Whoever waits less needs to be told nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is drawn.
const TICK: Duration = Duration::from_millis(100);

/// What shows while the process computes.
const WAITING: &str = "{spinner} waiting for the answer, {elapsed}";

/// What shows while the answer arrives.
const ARRIVING: &str = "[{bar:34}] {bytes}/{total_bytes}, {elapsed}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_well_formed() {
        style(WAITING);
        style(ARRIVING);
    }

    #[test]
    fn what_was_waited_for_comes_back() {
        for progress in [Progress(None), Progress(Some(Arc::default()))] {
            assert_eq!(progress.during(|| 5), 5);
        }
    }
}

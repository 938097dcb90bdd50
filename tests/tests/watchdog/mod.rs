//! Turns a hang into a failure.

use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Does some work in a thread of its own, and fails where it does not end.
pub(crate) fn ends<T: Send + 'static>(
    what: impl Into<String>,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let what = what.into();
    let (sender, result) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name(what.clone());
    let thread = thread.spawn(move || sender.send(work()));
    let thread = thread.expect("a thread");
    match result.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("{what}: it hangs"),
        Err(RecvTimeoutError::Disconnected) => {
            resume_unwind(thread.join().expect_err("it has not sent its result"))
        }
    }
}

/// How long anything may take, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

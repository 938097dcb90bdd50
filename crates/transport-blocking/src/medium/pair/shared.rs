//! What lies between the callers of a pair and its two threads, and what the threads do.

use core::mem;
use core::ops::Range;
use std::io::{self, Read, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use bytes::{Buf, BufMut, BytesMut};
use hopen_codec::outbox::Outbox;
use hopen_transport::Deadline;

use super::{Interest, Ready};

/// What the two threads and the callers share.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Anything in the state: few wait, and each looks for itself.
    changed: Condvar,
}

impl Shared {
    /// Takes up to `wanted` bytes of what was read; `None` where one would have to wait.
    pub(super) fn take(
        &self,
        state: &mut State,
        input: &mut BytesMut,
        wanted: usize,
    ) -> Option<io::Result<usize>> {
        if !state.input.is_empty() {
            let taken = state.input.take(input, wanted);
            if state.input.is_empty() {
                self.changed.notify_all();
            }
            return Some(Ok(taken));
        }
        match &state.reading {
            Flow::Failed(failure) => Some(Err(failure.error())),
            Flow::Ended => Some(Ok(0)),
            Flow::Open => state.is_closed.then_some(Ok(0)),
        }
    }

    /// Takes a piece of the outbox for the writer.
    pub(super) fn put(&self, outbox: &mut Outbox) -> io::Result<usize> {
        let mut state = self.lock();
        if let Flow::Failed(failure) = &state.writing {
            return Err(failure.error());
        }
        if outbox.is_empty() {
            return Ok(0);
        }
        if state.is_writing && !state.is_closed {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if state.is_closed || !matches!(state.writing, Flow::Open) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = outbox.len().min(PIECE);
        state.output.put(outbox.take(count));
        state.is_writing = true;
        self.changed.notify_all();
        Ok(count)
    }

    /// Takes everything of the outbox for the writer, behind what it has, as the last that it gets:
    /// a few bytes that nobody waits for.
    pub(super) fn put_last(&self, outbox: &mut Outbox) {
        let mut state = self.lock();
        if matches!(state.writing, Flow::Open) && !state.is_closed {
            state.last.put(outbox);
            state.writing = Flow::Ended;
            self.changed.notify_all();
        }
    }

    /// Lets nothing more be taken for the writer.
    pub(super) fn end_writing(&self) {
        let mut state = self.lock();
        if matches!(state.writing, Flow::Open) {
            state.writing = Flow::Ended;
            self.changed.notify_all();
        }
    }

    /// Reads nothing more: what had arrived is taken, and then comes the end.
    pub(super) fn end_reading(&self) {
        let mut state = self.lock();
        if matches!(state.reading, Flow::Open) {
            state.reading = Flow::Ended;
            self.changed.notify_all();
        }
    }

    /// Ends both directions. Returns whether they had not been ended before.
    pub(super) fn close(&self) -> bool {
        let was_closed = mem::replace(&mut self.lock().is_closed, true);
        self.changed.notify_all();
        !was_closed
    }

    /// Reads piece by piece until the end, or the medium's.
    pub(super) fn fill_from(&self, mut reader: impl Read) {
        let _guard = Guard {
            shared: self,
            flow: |state| &mut state.reading,
            failure: "the reader has panicked",
        };
        let mut buffer = vec![0; PIECE];
        loop {
            let read = retry(|| reader.read(&mut buffer));
            let mut state = self.lock();
            if state.is_closed || !matches!(state.reading, Flow::Open) {
                return;
            }
            match read {
                Ok(0) => state.reading = Flow::Ended,
                Ok(count) if count <= buffer.len() => {
                    state.input = Input {
                        buffer: mem::take(&mut buffer),
                        waiting: 0..count,
                    };
                }
                Ok(_) => {
                    let failure =
                        Failure::other("the reader says that it read more than was wanted");
                    state.reading = Flow::Failed(failure);
                }
                Err(error) => state.reading = Flow::Failed(Failure::from(&error)),
            }
            self.changed.notify_all();
            let mut state =
                self.wait_while(state, |state| !state.input.is_empty() && !state.is_closed);
            if state.is_closed || !matches!(state.reading, Flow::Open) {
                return;
            }
            buffer = mem::take(&mut state.input.buffer);
        }
    }

    /// Writes piece by piece until nothing more comes, and what was taken is written.
    pub(super) fn drain_to(&self, mut writer: impl Write) {
        let _guard = Guard {
            shared: self,
            flow: |state| &mut state.writing,
            failure: "the writer has panicked",
        };
        loop {
            let mut state = self.wait_while(self.lock(), |state| {
                !state.is_writing && !state.is_closed && matches!(state.writing, Flow::Open)
            });
            let mut output = if state.is_writing {
                mem::take(&mut state.output)
            } else if state.last.is_empty() {
                return;
            } else {
                mem::take(&mut state.last)
            };
            drop(state);
            let written = writer
                .write_all(&output)
                .and_then(|()| retry(|| writer.flush()));
            output.clear();
            let mut state = self.lock();
            match written {
                Ok(()) => {
                    state.output = output;
                    state.is_writing = false;
                }
                Err(error) => state.writing = Flow::Failed(Failure::from(&error)),
            }
            self.changed.notify_all();
            if matches!(state.writing, Flow::Failed(_)) {
                return;
            }
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for some change, or fails when the deadline passes.
    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        deadline: Deadline,
    ) -> io::Result<MutexGuard<'a, State>> {
        match deadline.left() {
            None => Ok(self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner)),
            Some(left) if left.is_zero() => Err(io::ErrorKind::TimedOut.into()),
            Some(left) => {
                let waited = self.changed.wait_timeout(state, left);
                Ok(waited.unwrap_or_else(PoisonError::into_inner).0)
            }
        }
    }

    fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State>,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.changed
            .wait_while(state, |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has been read and written, and how it goes on.
#[derive(Default)]
pub(super) struct State {
    /// Read, and not taken by a caller.
    input: Input,
    reading: Flow,
    /// Taken from an outbox, and not given to the writer.
    output: Vec<u8>,
    /// Whether something that came into `output` is not written and flushed yet.
    is_writing: bool,
    /// Taken to be written behind that, when nothing more comes.
    last: Vec<u8>,
    writing: Flow,
    is_closed: bool,
}

impl State {
    /// Returns whether everything that was taken for the writer is written.
    pub(super) fn is_written(&self) -> bool {
        !self.is_writing
    }

    /// Returns what a caller could do now.
    pub(super) fn ready(&self, interest: Interest) -> Ready {
        let readable = !self.input.is_empty() || !matches!(self.reading, Flow::Open);
        let writable = !self.is_writing || matches!(self.writing, Flow::Failed(_));
        Ready {
            readable: interest.reads() && (readable || self.is_closed),
            writable: interest.writes() && (writable || self.is_closed),
        }
    }
}

/// A piece that was read.
#[derive(Default)]
struct Input {
    buffer: Vec<u8>,
    /// What no caller has taken of it.
    waiting: Range<usize>,
}

impl Input {
    fn take(&mut self, input: &mut BytesMut, wanted: usize) -> usize {
        let count = wanted.min(self.waiting.len());
        let taken = self.waiting.start..self.waiting.start + count;
        self.waiting.start = taken.end;
        input.extend_from_slice(&self.buffer[taken]);
        count
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// How a direction goes on.
#[derive(Default)]
enum Flow {
    #[default]
    Open,
    /// The reader is at its end; nothing more is taken for the writer.
    Ended,
    Failed(Failure),
}

/// An error that can be given again and again.
struct Failure {
    kind: io::ErrorKind,
    text: String,
}

impl Failure {
    fn other(text: &str) -> Self {
        Self {
            kind: io::ErrorKind::Other,
            text: text.to_owned(),
        }
    }

    fn error(&self) -> io::Error {
        io::Error::new(self.kind, self.text.as_str())
    }
}

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Self {
        use io::ErrorKind::{Other, TimedOut, WouldBlock};
        // Of a medium these say that one may wait and call again.
        let may_wait = matches!(error.kind(), WouldBlock | TimedOut);
        let kind = if may_wait { Other } else { error.kind() };
        Self {
            kind,
            text: error.to_string(),
        }
    }
}

/// Ends a direction whose thread panics, which it does only in somebody else's reader or writer.
struct Guard<'a> {
    shared: &'a Shared,
    flow: fn(&mut State) -> &mut Flow,
    failure: &'static str,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            *(self.flow)(&mut self.shared.lock()) = Flow::Failed(Failure::other(self.failure));
            self.shared.changed.notify_all();
        }
    }
}

/// Calls again as long as a signal interrupts.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The most that lies between a thread and the callers, in bytes: what a pipe of Linux holds.
pub(super) const PIECE: usize = 64 * 1024;

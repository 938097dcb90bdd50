//! Pipes in memory, for threads and for tasks.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use futures_io::{AsyncRead, AsyncWrite};

/// Makes a pipe that holds as much as one of Linux does.
pub(crate) fn pipe() -> (MemoryReader, MemoryWriter) {
    let shared = Arc::new(Shared::default());
    (MemoryReader(Arc::clone(&shared)), MemoryWriter(shared))
}

/// The end that is read from. Dropping it breaks the pipe.
pub(crate) struct MemoryReader(Arc<Shared>);

/// The end that is written to. Dropping it ends what is read.
pub(crate) struct MemoryWriter(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What was written and not read.
    bytes: VecDeque<u8>,
    is_broken: bool,
    has_ended: bool,
    waiting: Vec<Waker>,
}

impl Read for MemoryReader {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.wait(|state| state.read(room))
    }
}

impl AsyncRead for MemoryReader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll(context, |state| state.read(room))
    }
}

impl Drop for MemoryReader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_broken = true;
        self.0.tell(state);
    }
}

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.wait(|state| state.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncWrite for MemoryWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll(context, |state| state.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Shared {
    fn wait<T>(&self, mut attempt: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut state = self.lock();
        loop {
            if let Some(done) = attempt(&mut state) {
                self.tell(state);
                return done;
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn poll<T>(
        &self,
        context: &Context<'_>,
        mut attempt: impl FnMut(&mut State) -> Option<T>,
    ) -> Poll<T> {
        let mut state = self.lock();
        if let Some(done) = attempt(&mut state) {
            self.tell(state);
            return Poll::Ready(done);
        }
        if !state
            .waiting
            .iter()
            .any(|waker| waker.will_wake(context.waker()))
        {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        self.tell(state);
    }

    fn tell(&self, mut state: MutexGuard<'_, State>) {
        let waiting = core::mem::take(&mut state.waiting);
        drop(state);
        self.changed.notify_all();
        for waker in waiting {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Reads some bytes, if there are any or nothing more comes.
    fn read(&mut self, room: &mut [u8]) -> Option<io::Result<usize>> {
        let can = !self.bytes.is_empty() || self.has_ended || room.is_empty();
        can.then(|| self.bytes.read(room))
    }

    /// Writes some bytes, if there is room for any or they cannot be read.
    fn write(&mut self, bytes: &[u8]) -> Option<io::Result<usize>> {
        if self.is_broken || self.has_ended {
            return Some(Err(ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(ROOM - self.bytes.len());
        self.bytes.extend(&bytes[..count]);
        (count > 0 || bytes.is_empty()).then_some(Ok(count))
    }
}

/// What Linux's pipes hold.
const ROOM: usize = 64 * 1024;

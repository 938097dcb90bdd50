//! The tests of the blocking pipe over this one: every other poll of its reader is pending, and every
//! future that is pending is dropped and made anew.

use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::io::{self, Read};

use bytes::Bytes;
use futures_io::AsyncRead;
use hopen_codec::message::Message;
use hopen_transport::PipeError;
use hopen_transport::pipe::{Inflow, Lines};

/// A [`Pipe`](super::Pipe) whose methods wait.
struct Pipe<R>(super::Pipe<Hesitant<R>>);

impl<R: Read> Pipe<R> {
    fn new(reader: R) -> Self {
        Self(super::Pipe::new(Hesitant {
            reader,
            hesitates: false,
        }))
    }

    fn gunzip(self) -> Self {
        Self(self.0.gunzip())
    }

    fn line_limit(self, bytes: usize) -> Self {
        Self(self.0.line_limit(bytes))
    }

    fn message_limit(self, bytes: u64) -> Self {
        Self(self.0.message_limit(bytes))
    }

    fn read1(&mut self) -> Result<Bytes, PipeError> {
        loop {
            if let Some(read) = once(self.0.read1()) {
                return read;
            }
        }
    }

    fn read1_up_to(&mut self, count: usize) -> Result<Bytes, PipeError> {
        loop {
            if let Some(read) = once(self.0.read1_up_to(count)) {
                return read;
            }
        }
    }

    fn read_line(&mut self) -> Result<Option<Bytes>, PipeError> {
        loop {
            if let Some(read) = once(self.0.read_line()) {
                return read;
            }
        }
    }

    fn read_lines(&mut self, count: usize) -> Result<Option<Lines>, PipeError> {
        loop {
            if let Some(read) = once(self.0.read_lines(count)) {
                return read;
            }
        }
    }

    fn read_message(&mut self) -> Result<Option<Message>, PipeError> {
        loop {
            if let Some(read) = once(self.0.read_message()) {
                return read;
            }
        }
    }

    const fn reader(&self) -> &R {
        &self.0.reader.reader
    }

    const fn inflow(&self) -> &Inflow {
        &self.0.inflow
    }
}

impl<R> fmt::Debug for Pipe<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Polls once and drops the future.
fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// A reader that is not ready at every other poll, and has spoilt its room then.
struct Hesitant<R> {
    reader: R,
    hesitates: bool,
}

/// It is never pinned.
impl<R> Unpin for Hesitant<R> {}

impl<R: Read> AsyncRead for Hesitant<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.hesitates = !self.hesitates;
        if self.hesitates {
            room.fill(b'\n');
            return Poll::Pending;
        }
        Poll::Ready(self.reader.read(room))
    }
}

#[path = "../../../transport-blocking/src/pipe/tests.rs"]
mod tests;

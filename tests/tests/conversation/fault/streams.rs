//! The streams that something is wrong with.

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::{Break, Direction, Faults};
use crate::conversation::wire::{Socket, Stream};

/// A reader of ours.
pub(crate) struct FaultyReader<R> {
    inner: R,
    faults: Arc<Faults>,
}

impl<R> FaultyReader<R> {
    pub(crate) const fn new(inner: R, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<R: Read> Read for FaultyReader<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.faults.read(Direction::ToUs, room, &mut self.inner)
    }
}

/// A writer of ours.
pub(crate) struct FaultyWriter<W> {
    inner: W,
    faults: Arc<Faults>,
}

impl<W> FaultyWriter<W> {
    pub(crate) const fn new(inner: W, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<W: Write> Write for FaultyWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let nothing = |_: &mut W, _| Ok(());
        let faults = &self.faults;
        faults.write(Direction::FromUs, bytes, &mut self.inner, nothing)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The peer's reader, where only our streams are faulty: it says how far it is.
pub(crate) struct Heard<R> {
    inner: R,
    faults: Arc<Faults>,
}

impl<R> Heard<R> {
    pub(crate) const fn new(inner: R, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<R: Read> Read for Heard<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(room)?;
        self.faults.hears(count);
        Ok(count)
    }
}

impl<R> Drop for Heard<R> {
    fn drop(&mut self) {
        self.faults.hears(usize::MAX);
    }
}

/// The peer's socket.
pub(crate) struct Faulty<S> {
    inner: S,
    faults: Arc<Faults>,
}

impl<S> Faulty<S> {
    pub(crate) const fn new(inner: S, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<S: Socket> Read for Faulty<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.faults.read(Direction::FromUs, room, &mut self.inner);
        if read.is_err() && self.resets() {
            self.inner.reset_on_drop()?;
        }
        read
    }
}

impl<S: Socket> Write for Faulty<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let break_off = |stream: &mut S, how| match how {
            Break::End => stream.end_writing(),
            Break::Close => Ok(()),
            Break::Reset => stream.reset_on_drop(),
        };
        let faults = &self.faults;
        faults.write(Direction::ToUs, bytes, &mut self.inner, break_off)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<S: Socket> Stream for Faulty<S> {
    fn end_writing(&mut self) -> io::Result<()> {
        if self.resets() {
            // That would come before the reset.
            return Ok(());
        }
        self.inner.end_writing()
    }
}

impl<S: Socket> Socket for Faulty<S> {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::new(self.inner.try_clone()?, Arc::clone(&self.faults)))
    }

    fn send_at_once(&self) -> io::Result<()> {
        self.inner.send_at_once()
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        self.inner.reset_on_drop()
    }
}

impl<S> Faulty<S> {
    /// Returns whether the connection has been reset.
    fn resets(&self) -> bool {
        self.faults.has_reset()
    }
}

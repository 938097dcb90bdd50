//! Named pipes and devices, read as they come.
//!
//! ```text
//!                       read1, read1_up_to   what has come, at most so much
//!                       read_line            09:30:00.000,vod,101.25
//! ───► gunzip ───►      read_lines           complete lines, some 131,000 bytes of them
//!     if asked for      read_message         01 00 0000 0d000000 │ f5 7570 6400
//! ```
//!
//! What was read and not yet handed out stays here, so that the ways of reading can take turns: a
//! line with the names of columns, and messages behind it. Sources: KX,
//! [named pipes](https://code.kx.com/q/kb/named-pipes/) and
//! [`.Q.fps`](https://code.kx.com/q/ref/dotq/#fps-pipe-streaming).

use core::fmt;
use std::fs::File;
use std::io::Read;

use bytes::Bytes;
use hopen_codec::message::Message;
use hopen_transport::pipe::{Inflow, Next};
use hopen_transport::{PipeError, PipeErrorKind};

pub use hopen_transport::pipe::Lines;

/// A named pipe or a device that is read from, or any reader.
///
/// Whatever is read blocks until there is something: the writer sets the pace. When the last writer
/// has closed, the pipe ends for good, also if another one opens it later. A pipe has no other
/// direction and is closed when it is dropped.
///
/// An error says where in the stream it happened and, where it has one, the path of the pipe. Its
/// `Debug` form shows lengths and nothing of what was read.
///
/// ```
/// use hopen_blocking::Pipe;
///
/// let mut pipe = Pipe::new(&b"time,sym\n09:30,vod\n09:31,bp"[..]);
/// assert_eq!(pipe.read_line()?.expect("there is one"), "time,sym");
/// let lines = pipe.read_lines(131_000)?.expect("there are two");
/// assert!(lines.iter().eq([&b"09:30,vod"[..], b"09:31,bp"]));
/// assert!(pipe.read_line()?.is_none());
/// # Ok::<(), hopen_blocking::PipeError>(())
/// ```
pub struct Pipe<R = File> {
    reader: R,
    inflow: Inflow,
}

impl Pipe {
    /// Opens the pipe at `path`: waits for a writer.
    pub(crate) fn open(path: String) -> Result<Self, PipeError> {
        match File::open(&path) {
            Ok(reader) => Ok(Self {
                reader,
                inflow: Inflow::of(path),
            }),
            Err(error) => Err(PipeError::new(
                Some(path.into()),
                0,
                PipeErrorKind::Open(error),
            )),
        }
    }
}

impl<R: Read> Pipe<R> {
    /// Makes a pipe of a reader. Its own buffer is not needed: what is there is read at once.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            inflow: Inflow::default(),
        }
    }

    /// Takes what comes from here on as gzip, and unpacks it as it is read. What is read, and every
    /// offset but those in a [`GzipError`](hopen_codec::gzip::GzipError), is of the unpacked stream.
    ///
    /// Members one behind the other are one stream. On a pipe that unpacks already this changes
    /// nothing.
    #[must_use]
    pub fn gunzip(mut self) -> Self {
        self.inflow.gunzip();
        self
    }

    /// Sets the longest line, in bytes. Default: 16 MiB.
    ///
    /// A writer that never ends its line would fill this process. Lines of text have some hundred
    /// bytes, those of JSON with a whole table some million.
    #[must_use]
    pub fn line_limit(mut self, bytes: usize) -> Self {
        self.inflow.set_line_limit(bytes);
        self
    }

    /// Sets the longest message, in bytes, header included. Default: that of a client,
    /// [`Limits::message`](hopen_codec::config::Limits::message), as a pipe is chosen by who reads it,
    /// and what a header promises is only taken as it arrives.
    #[must_use]
    pub fn message_limit(mut self, bytes: u64) -> Self {
        self.inflow.set_message_limit(bytes);
        self
    }

    /// Reads once and returns what has come, at most 64 KiB; nothing at the end of the pipe. What is
    /// left of earlier reading comes first. It is q's `read1 h`.
    ///
    /// KX's pages disagree: [named pipes](https://code.kx.com/q/kb/named-pipes/) has `read1` do one
    /// blocking read into a buffer of 64 KiB, [read1](https://code.kx.com/q/ref/read1/) has it return
    /// when the end is reached. This does the former, which `.Q.fps` in KX's own `q.k` relies on: it
    /// calls `read1` until nothing comes. It could not be checked against a live q.
    ///
    /// # Errors
    ///
    /// Where reading or unpacking fails.
    pub fn read1(&mut self) -> Result<Bytes, PipeError> {
        self.read1_up_to(Inflow::LARGEST_READ)
    }

    /// Reads once and returns what has come, at most `count` bytes and at most 64 KiB, perhaps fewer;
    /// nothing at the end of the pipe. It is q's ``read1 (h;n)``.
    ///
    /// # Errors
    ///
    /// Where reading or unpacking fails.
    pub fn read1_up_to(&mut self, count: usize) -> Result<Bytes, PipeError> {
        self.until(|inflow| inflow.read1(count))
    }

    /// Reads a line and returns it without its end, which is `\n` or `\r\n`, or `None` at the end of
    /// the pipe. A last line needs no end.
    ///
    /// A line shares the memory that it was read to, 64 KiB or the length of the longest near it: one
    /// that is kept for long keeps its neighbours.
    ///
    /// # Errors
    ///
    /// [`PipeErrorKind::LineTooLong`], after which the rest of that line is skipped and the next call
    /// returns the line behind it; otherwise where reading or unpacking fails.
    pub fn read_line(&mut self) -> Result<Option<Bytes>, PipeError> {
        self.until(Inflow::line)
    }

    /// Reads until at least `count` bytes are there, and returns the complete lines among the first
    /// `count`, or `None` at the end of the pipe. What is left over comes with the next lines; at the
    /// end of the pipe it is a line. A line that is longer comes alone.
    ///
    /// It is how `.Q.fpn` reads, and with [`Lines::CHUNK`] how `.Q.fps` does.
    ///
    /// # Errors
    ///
    /// As [`read_line`](Self::read_line). Only a line that is longer than `count` can be too long.
    pub fn read_lines(&mut self, count: usize) -> Result<Option<Lines>, PipeError> {
        self.until(|inflow| inflow.lines(count))
    }

    /// Reads a serialised message, header and body, or returns `None` at the end of the pipe. Its
    /// body is decoded when somebody asks for it.
    ///
    /// # Errors
    ///
    /// [`PipeErrorKind::Frame`] where no message begins here: where the next one would is unknown, so
    /// later calls return the same. [`PipeErrorKind::Truncated`] where the pipe ends in the middle of
    /// a message. Otherwise where reading or unpacking fails.
    pub fn read_message(&mut self) -> Result<Option<Message>, PipeError> {
        self.until(Inflow::message)
    }

    /// Reads until there is something to hand out.
    fn until<T>(
        &mut self,
        mut next: impl FnMut(&mut Inflow) -> Result<Next<T>, PipeError>,
    ) -> Result<T, PipeError> {
        loop {
            match next(&mut self.inflow)? {
                Next::Done(done) => return Ok(done),
                Next::Read(room) => {
                    let mut room = self.inflow.room(room);
                    let outcome = self.reader.read(&mut room);
                    room.filled(outcome)?;
                }
            }
        }
    }
}

impl<R> fmt::Debug for Pipe<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("inflow", &self.inflow)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl<R> Pipe<R> {
    const fn reader(&self) -> &R {
        &self.reader
    }

    const fn inflow(&self) -> &Inflow {
        &self.inflow
    }
}

#[cfg(test)]
mod tests;

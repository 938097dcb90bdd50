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

use bytes::{Bytes, BytesMut};
use hopen_codec::config::Limits;
use hopen_codec::frame::FrameDecoder;
use hopen_codec::message::Message;
use memchr::{memchr, memrchr};

mod lines;
mod source;

use hopen_transport::{PipeError, PipeErrorKind};
pub use lines::Lines;

use source::Source;

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
    source: Source<R>,
    path: Option<Box<str>>,
    /// What has come, unpacked, and was not handed out.
    input: BytesMut,
    /// How many bytes were handed out or dropped.
    offset: u64,
    /// How many bytes of `input` are known to hold no newline.
    searched: usize,
    /// Whether what comes is the rest of a line that was too long.
    in_long_line: bool,
    line_limit: usize,
    frames: FrameDecoder,
}

impl Pipe {
    /// Opens the pipe at `path`: waits for a writer.
    pub(crate) fn open(path: String) -> Result<Self, PipeError> {
        match File::open(&path) {
            Ok(file) => Ok(Self {
                path: Some(path.into()),
                ..Self::new(file)
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
            source: Source::new(reader),
            path: None,
            input: BytesMut::new(),
            offset: 0,
            searched: 0,
            in_long_line: false,
            line_limit: DEFAULT_LINE_LIMIT,
            frames: FrameDecoder::new(Limits::client().message),
        }
    }

    /// Takes what comes from here on as gzip, and unpacks it as it is read. What is read, and every
    /// offset but those in a [`GzipError`](hopen_codec::gzip::GzipError), is of the unpacked stream.
    ///
    /// Members one behind the other are one stream. On a pipe that unpacks already this changes
    /// nothing.
    #[must_use]
    pub fn gunzip(mut self) -> Self {
        if self.source.gunzip(&self.input) {
            self.input.clear();
            self.searched = 0;
        }
        self
    }

    /// Sets the longest line, in bytes. Default: 16 MiB.
    ///
    /// A writer that never ends its line would fill this process. Lines of text have some hundred
    /// bytes, those of JSON with a whole table some million.
    #[must_use]
    pub fn line_limit(mut self, bytes: usize) -> Self {
        self.line_limit = bytes;
        self
    }

    /// Sets the longest message, in bytes, header included. Default: that of a client,
    /// [`Limits::message`], as a pipe is chosen by who reads it, and what a header promises is only
    /// taken as it arrives.
    #[must_use]
    pub fn message_limit(mut self, bytes: u64) -> Self {
        self.frames = FrameDecoder::new(bytes);
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
        self.read1_up_to(LARGEST_READ)
    }

    /// Reads once and returns what has come, at most `count` bytes and at most 64 KiB, perhaps fewer;
    /// nothing at the end of the pipe. It is q's ``read1 (h;n)``.
    ///
    /// # Errors
    ///
    /// Where reading or unpacking fails.
    pub fn read1_up_to(&mut self, count: usize) -> Result<Bytes, PipeError> {
        let count = count.min(LARGEST_READ);
        if self.input.is_empty() {
            self.read(count)?;
        }
        Ok(self.take(count.min(self.input.len())))
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
        self.skip_long_line()?;
        Ok(match self.find_line_end()? {
            Some(end) => Some(lines::without_end(self.take(end + 1))),
            None if self.input.is_empty() => None,
            None => Some(self.take(self.input.len())),
        })
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
        self.skip_long_line()?;
        let count = count.max(1);
        while self.input.len() < count {
            if self.read(LARGEST_READ)? == 0 {
                let all = self.take(self.input.len());
                return Ok((!all.is_empty()).then(|| Lines::new(all)));
            }
        }
        let end = match self.input.get(..count).and_then(|all| memrchr(b'\n', all)) {
            Some(end) => end + 1,
            None => {
                self.searched = self.searched.max(count);
                self.find_line_end()?
                    .map_or(self.input.len(), |end| end + 1)
            }
        };
        Ok(Some(Lines::new(self.take(end))))
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
        loop {
            match self.frames.decode(&mut self.input) {
                Ok(Some(message)) => {
                    self.offset += message.header().length;
                    self.searched = 0;
                    return Ok(Some(message));
                }
                Ok(None) => {}
                Err(error) => return Err(self.error(0, PipeErrorKind::Frame(error))),
            }
            let room = self.frames.make_room(&mut self.input);
            if self.read_to(room)? > 0 {
                continue;
            }
            if self.input.is_empty() {
                return Ok(None);
            }
            let announced = self.frames.announced(&self.input);
            let kind = PipeErrorKind::Truncated {
                arrived: self.input.len() as u64,
                length: announced.map(|message| message.length),
            };
            return Err(self.error(0, kind));
        }
    }

    /// Finds the end of the line at the front of the input: where its newline is, or `None` where the
    /// pipe ends before.
    fn find_line_end(&mut self) -> Result<Option<usize>, PipeError> {
        loop {
            let unsearched = self.input.get(self.searched..).unwrap_or_default();
            let found = memchr(b'\n', unsearched).map(|at| self.searched + at);
            let length = found.unwrap_or(self.input.len());
            if length > self.line_limit {
                let limit = self.line_limit;
                let error = self.error(0, PipeErrorKind::LineTooLong { limit });
                self.in_long_line = found.is_none();
                self.take(found.map_or(length, |end| end + 1));
                return Err(error);
            }
            if found.is_some() {
                return Ok(found);
            }
            self.searched = length;
            if self.read(LARGEST_READ)? == 0 {
                return Ok(None);
            }
        }
    }

    /// Drops the rest of a line that was too long.
    fn skip_long_line(&mut self) -> Result<(), PipeError> {
        while self.in_long_line {
            if self.input.is_empty() && self.read(LARGEST_READ)? == 0 {
                break;
            }
            let end = memchr(b'\n', &self.input);
            self.in_long_line = end.is_none();
            self.take(end.map_or(self.input.len(), |end| end + 1));
        }
        Ok(())
    }

    /// Reads up to `count` bytes behind the input, in a buffer that is used again where it can be,
    /// and returns how many have come: none at the end of the pipe.
    fn read(&mut self, count: usize) -> Result<usize, PipeError> {
        let held = self.input.len();
        if held < LEAST_READ && self.input.capacity() > 4 * LARGEST_READ {
            // What is left of the buffer of a long line is not for others to fill.
            let mut fresh = BytesMut::with_capacity(held + LARGEST_READ);
            fresh.extend_from_slice(&self.input);
            self.input = fresh;
        }
        if self.input.capacity() - held < LEAST_READ {
            self.input.reserve(LARGEST_READ);
        }
        let spare = self.input.capacity() - held;
        self.read_to(count.min(spare).min(LARGEST_READ))
    }

    /// Reads once, up to `room` bytes behind the input.
    fn read_to(&mut self, room: usize) -> Result<usize, PipeError> {
        let start = self.input.len();
        self.input.resize(start + room, 0);
        let outcome = self
            .source
            .read(self.input.get_mut(start..).unwrap_or_default());
        self.input
            .truncate(start + outcome.as_ref().copied().unwrap_or(0));
        outcome.map_err(|kind| self.error(start, kind))
    }

    /// Takes bytes from the front of the input.
    fn take(&mut self, count: usize) -> Bytes {
        self.offset += count as u64;
        self.searched = self.searched.saturating_sub(count);
        self.input.split_to(count).freeze()
    }

    /// Returns an error at so many bytes into the input.
    fn error(&self, at: usize, kind: PipeErrorKind) -> PipeError {
        PipeError::new(self.path.clone(), self.offset + at as u64, kind)
    }
}

impl<R> fmt::Debug for Pipe<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("path", &self.path)
            .field("offset", &self.offset)
            .field("input", &self.input.len())
            .finish_non_exhaustive()
    }
}

/// What is read at once: the buffer that q's `read1` has, and what a pipe of Linux holds.
const LARGEST_READ: usize = 64 * 1024;

/// The least room that is worth a read.
const LEAST_READ: usize = 16 * 1024;

/// See [`Pipe::line_limit`].
const DEFAULT_LINE_LIMIT: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;

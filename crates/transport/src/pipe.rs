//! What is read from a pipe: bytes, lines, messages, packed or not, without waiting for any of it.
//!
//! ```text
//!                              read1        what has come, at most so much
//!                              line         09:30:00.000,vod,101.25
//! ──▶ room ──▶ unpack ──▶      lines        complete lines, some 131,000 bytes of them
//!     read to  if asked for    message      01 00 0000 0d000000 │ f5 7570 6400
//! ```
//!
//! What was read and not yet handed out stays in the [`Inflow`], so that the ways of reading can take
//! turns: a line with the names of columns, and messages behind it. A transport asks it for a line, and
//! where more has to be read, reads into its [`room`](Inflow::room) and asks again:
//!
//! ```
//! use std::io::Read;
//!
//! use hopen_transport::pipe::{Inflow, Next};
//!
//! let mut reader = &b"time,sym\n09:30,vod"[..];
//! let mut inflow = Inflow::default();
//! let line = loop {
//!     match inflow.line()? {
//!         Next::Done(line) => break line,
//!         Next::Read(room) => {
//!             let mut room = inflow.room(room);
//!             let outcome = reader.read(&mut room);
//!             room.filled(outcome)?;
//!         }
//!     }
//! };
//! assert_eq!(line.expect("there is one"), "time,sym");
//! # Ok::<(), hopen_transport::PipeError>(())
//! ```
//!
//! Sources: KX, [named pipes](https://code.kx.com/q/kb/named-pipes/) and
//! [`.Q.fps`](https://code.kx.com/q/ref/dotq/#fps-pipe-streaming).

use core::fmt;

use bytes::{Bytes, BytesMut};
use hopen_codec::config::Limits;
use hopen_codec::frame::FrameDecoder;
use hopen_codec::message::Message;
use memchr::{memchr, memrchr};

use crate::error::{PipeError, PipeErrorKind};

mod lines;
mod room;
mod unpack;

pub use lines::Lines;
use room::More;
pub use room::Room;
use unpack::Unpack;

/// What has come of a pipe and was not handed out, and what is to be made of it.
///
/// [`read1`](Self::read1), [`line`](Self::line), [`lines`](Self::lines) and
/// [`message`](Self::message) hand out, or say that more has to be [read](Next::Read). They may take
/// turns, and whoever gave up in between has lost nothing: what one has not handed out is there for
/// the next.
///
/// Its `Debug` form shows lengths and nothing of what was read.
pub struct Inflow {
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
    unpack: Option<Box<Unpack>>,
    /// Whether the reader has come to its end. It is not asked again: a pipe would start anew with
    /// the next writer, a terminal with the next line.
    ended: bool,
}

/// What there is to hand out, or to do.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is there or has to be read")]
#[must_use = "it holds what was taken from the pipe"]
pub enum Next<T> {
    /// It is there.
    Done(T),
    /// More has to be read: so many bytes at most, to [`Inflow::room`].
    Read(usize),
}

impl Inflow {
    /// What is read at once, in bytes: the buffer that q's `read1` has, and what a pipe of Linux
    /// holds.
    pub const LARGEST_READ: usize = 64 * 1024;

    /// The longest line, in bytes, unless something else is [set](Self::set_line_limit).
    pub const LINE_LIMIT: usize = 16 * 1024 * 1024;

    /// Makes one that names the path of the pipe in its errors.
    pub fn of(path: impl Into<Box<str>>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::default()
        }
    }

    /// Takes what comes from here on as gzip, what has come and was not handed out too. Members one
    /// behind the other are one stream. Where it unpacks already this changes nothing.
    pub fn gunzip(&mut self) {
        if self.unpack.is_none() {
            let unpack = Unpack::new(&self.input, Self::LARGEST_READ);
            self.unpack = Some(Box::new(unpack));
            self.input.clear();
            self.searched = 0;
        }
    }

    /// Sets the longest line, in bytes. Default: [16 MiB](Self::LINE_LIMIT).
    ///
    /// A writer that never ends its line would fill this process. Lines of text have some hundred
    /// bytes, those of JSON with a whole table some million.
    pub const fn set_line_limit(&mut self, bytes: usize) {
        self.line_limit = bytes;
    }

    /// Sets the longest message, in bytes, header included. Default: that of a client,
    /// [`Limits::message`], as a pipe is chosen by who reads it, and what a header promises is only
    /// taken as it arrives.
    pub fn set_message_limit(&mut self, bytes: u64) {
        self.frames = FrameDecoder::new(bytes);
    }

    /// Takes what has come, at most `count` bytes and at most
    /// [so many](Self::LARGEST_READ); nothing at the end of the pipe.
    ///
    /// # Errors
    ///
    /// Where unpacking fails.
    pub fn read1(&mut self, count: usize) -> Result<Next<Bytes>, PipeError> {
        let count = count.min(Self::LARGEST_READ);
        if self.input.is_empty()
            && count > 0
            && let More::Read(room) = self.more(count)?
        {
            return Ok(Next::Read(room));
        }
        Ok(Next::Done(self.take(count.min(self.input.len()))))
    }

    /// Takes a line without its end, which is `\n` or `\r\n`; `None` at the end of the pipe. A last
    /// line needs no end.
    ///
    /// # Errors
    ///
    /// [`PipeErrorKind::LineTooLong`], after which the rest of that line is skipped and the next call
    /// takes the line behind it; otherwise where unpacking fails.
    pub fn line(&mut self) -> Result<Next<Option<Bytes>>, PipeError> {
        if let Next::Read(room) = self.skip_long_line()? {
            return Ok(Next::Read(room));
        }
        let end = match self.line_end()? {
            Next::Done(end) => end,
            Next::Read(room) => return Ok(Next::Read(room)),
        };
        Ok(Next::Done(match end {
            Some(end) => Some(lines::without_end(self.take(end + 1))),
            None if self.input.is_empty() => None,
            None => Some(self.take(self.input.len())),
        }))
    }

    /// Takes the complete lines among the first `count` bytes, when so many are there; `None` at the
    /// end of the pipe. What is left over comes with the next lines; at the end of the pipe it is a
    /// line. A line that is longer comes alone.
    ///
    /// # Errors
    ///
    /// As [`line`](Self::line). Only a line that is longer than `count` can be too long.
    pub fn lines(&mut self, count: usize) -> Result<Next<Option<Lines>>, PipeError> {
        if let Next::Read(room) = self.skip_long_line()? {
            return Ok(Next::Read(room));
        }
        let count = count.max(1);
        while self.input.len() < count {
            match self.more(Self::LARGEST_READ)? {
                More::Came => {}
                More::Read(room) => return Ok(Next::Read(room)),
                More::Ended => {
                    let all = self.take(self.input.len());
                    let lines = (!all.is_empty()).then(|| Lines::new(all));
                    return Ok(Next::Done(lines));
                }
            }
        }
        let end = match self.input.get(..count).and_then(|all| memrchr(b'\n', all)) {
            Some(end) => end + 1,
            None => {
                self.searched = self.searched.max(count);
                match self.line_end()? {
                    Next::Done(end) => end.map_or(self.input.len(), |end| end + 1),
                    Next::Read(room) => return Ok(Next::Read(room)),
                }
            }
        };
        Ok(Next::Done(Some(Lines::new(self.take(end)))))
    }

    /// Takes a serialised message, header and body; `None` at the end of the pipe.
    ///
    /// # Errors
    ///
    /// [`PipeErrorKind::Frame`] where no message begins here: where the next one would is unknown, so
    /// later calls return the same. [`PipeErrorKind::Truncated`] where the pipe ends in the middle of
    /// a message. Otherwise where unpacking fails.
    pub fn message(&mut self) -> Result<Next<Option<Message>>, PipeError> {
        loop {
            match self.frames.decode(&mut self.input) {
                Ok(Some(message)) => {
                    self.offset += message.header().length;
                    self.searched = 0;
                    return Ok(Next::Done(Some(message)));
                }
                Ok(None) => {}
                Err(error) => return Err(self.error(0, PipeErrorKind::Frame(error))),
            }
            let room = self.frames.make_room(&mut self.input);
            match self.more_to(room.min(Self::LARGEST_READ))? {
                More::Came => continue,
                More::Read(room) => return Ok(Next::Read(room)),
                More::Ended if self.input.is_empty() => return Ok(Next::Done(None)),
                More::Ended => {}
            }
            let announced = self.frames.announced(&self.input);
            let kind = PipeErrorKind::Truncated {
                arrived: self.input.len() as u64,
                length: announced.map(|message| message.length),
            };
            return Err(self.error(0, kind));
        }
    }

    /// Returns how many bytes were handed out or dropped: where in the stream the next one is.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns how much memory what has come may take as it is, in bytes.
    pub fn capacity(&self) -> usize {
        self.input.capacity()
    }

    /// Finds the end of the line at the front of the input: where its newline is, or `None` where the
    /// pipe ends before.
    fn line_end(&mut self) -> Result<Next<Option<usize>>, PipeError> {
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
                return Ok(Next::Done(found));
            }
            self.searched = length;
            match self.more(Self::LARGEST_READ)? {
                More::Came => {}
                More::Read(room) => return Ok(Next::Read(room)),
                More::Ended => return Ok(Next::Done(None)),
            }
        }
    }

    /// Drops the rest of a line that was too long.
    fn skip_long_line(&mut self) -> Result<Next<()>, PipeError> {
        while self.in_long_line {
            if self.input.is_empty() {
                match self.more(Self::LARGEST_READ)? {
                    More::Came => {}
                    More::Read(room) => return Ok(Next::Read(room)),
                    More::Ended => break,
                }
            }
            let end = memchr(b'\n', &self.input);
            self.in_long_line = end.is_none();
            self.take(end.map_or(self.input.len(), |end| end + 1));
        }
        Ok(Next::Done(()))
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

impl Default for Inflow {
    fn default() -> Self {
        Self {
            path: None,
            input: BytesMut::new(),
            offset: 0,
            searched: 0,
            in_long_line: false,
            line_limit: Self::LINE_LIMIT,
            frames: FrameDecoder::new(Limits::client().message),
            unpack: None,
            ended: false,
        }
    }
}

impl fmt::Debug for Inflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflow")
            .field("path", &self.path)
            .field("offset", &self.offset)
            .field("input", &self.input.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_newline_is_not_searched_again() {
        for lines_at_once in [false, true] {
            let mut inflow = Inflow::default();
            come(&mut inflow, b"ab\nxx");
            assert_eq!(inflow.line().unwrap(), Next::Done(Some("ab".into())));
            for _ in 0..2 {
                let read = if lines_at_once {
                    matches!(inflow.lines(2).unwrap(), Next::Read(_))
                } else {
                    matches!(inflow.line().unwrap(), Next::Read(_))
                };
                assert!(read);
                assert_eq!(inflow.searched, inflow.input.len());
                come(&mut inflow, b"xxx");
            }
            assert_eq!((inflow.searched, inflow.input.len()), (5, 8));
            assert_eq!(inflow.read1(2).unwrap(), Next::Done("xx".into()));
            assert_eq!(inflow.searched, 3);
        }
    }

    #[test]
    fn no_more_is_read_at_once_of_a_message_than_of_lines() {
        let mut inflow = Inflow::default();
        come(&mut inflow, b"\x01\0\0\0\0\0\0\x03");
        let Next::Read(room) = inflow.message().unwrap() else {
            panic!("it is only announced")
        };
        assert_eq!(room, Inflow::LARGEST_READ);
        assert!(inflow.capacity() >= 48 * 1024 * 1024);
    }

    fn come(inflow: &mut Inflow, bytes: &[u8]) {
        let mut room = inflow.room(bytes.len());
        room.copy_from_slice(bytes);
        room.filled(Ok(bytes.len())).unwrap();
    }
}

//! What can go wrong with a pipe.

use core::fmt;
use std::io;

use hopen_codec::address::Target;
use hopen_codec::frame::FrameError;
use hopen_codec::gzip::GzipError;

use super::OsText;

/// What went wrong with a pipe, and where.
#[derive(Debug)]
#[non_exhaustive]
pub struct PipeError {
    /// The path, if the pipe was opened by one.
    pub path: Option<Box<str>>,
    /// Where in the stream, in bytes from its start: of a line or a message its first byte, of a
    /// failure to read the byte that did not come. Of a packed stream it counts the unpacked bytes.
    pub offset: u64,
    /// What.
    pub kind: PipeErrorKind,
}

/// What went wrong with a pipe.
#[derive(Debug)]
#[non_exhaustive]
pub enum PipeErrorKind {
    /// It could not be opened.
    Open(io::Error),
    /// Reading failed. Nothing that had come is lost, and reading may be tried again.
    Read(io::Error),
    /// The stream cannot be unpacked. What came before was handed out or still can be by
    /// `read1`; there is nothing behind.
    Gzip(GzipError),
    /// A line is longer than it may be. Its rest is skipped; reading lines goes on behind it.
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// No message begins here. No other is found behind.
    Frame(FrameError),
    /// The pipe ends in the middle of a message.
    Truncated {
        /// How many bytes of the message there are.
        arrived: u64,
        /// How many there should be, if its header is there.
        length: Option<u64>,
    },
}

impl PipeError {
    /// Says what went wrong, with which pipe, and where.
    pub const fn new(path: Option<Box<str>>, offset: u64, kind: PipeErrorKind) -> Self {
        Self { path, offset, kind }
    }
}

impl fmt::Display for PipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => {
                let path = path.clone().into();
                write!(f, "{}", Target::Pipe { path })?;
            }
            None => f.write_str("a reader")?,
        }
        let offset = self.offset;
        match &self.kind {
            PipeErrorKind::Open(error) => {
                write!(f, " cannot be opened. OS reports: {}", OsText(error))
            }
            PipeErrorKind::Read(error) => write!(
                f,
                " cannot be read at byte {offset}. OS reports: {}",
                OsText(error)
            ),
            PipeErrorKind::Gzip(error) => {
                write!(f, " cannot be unpacked to byte {offset}: {error}")
            }
            PipeErrorKind::LineTooLong { limit } => {
                write!(
                    f,
                    ": the line at byte {offset} is longer than {limit} bytes"
                )
            }
            PipeErrorKind::Frame(error) => {
                write!(f, ": no message begins at byte {offset}: {error}")
            }
            PipeErrorKind::Truncated {
                arrived,
                length: Some(length),
            } => write!(
                f,
                ": of the message at byte {offset} there are {arrived} of {length} bytes"
            ),
            PipeErrorKind::Truncated {
                arrived,
                length: None,
            } => write!(
                f,
                ": of the message at byte {offset} there are {arrived} bytes, less than a header"
            ),
        }
    }
}

impl std::error::Error for PipeError {
    /// Returns what is behind the error that is held here, whose text `Display` prints already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            PipeErrorKind::Open(error) | PipeErrorKind::Read(error) => error.source(),
            PipeErrorKind::Gzip(error) => error.source(),
            PipeErrorKind::Frame(error) => error.source(),
            PipeErrorKind::LineTooLong { .. } | PipeErrorKind::Truncated { .. } => None,
        }
    }
}

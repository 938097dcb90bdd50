//! What can go wrong with a file.

use core::fmt;
use std::io;

use hopen_codec::address::Target;
use hopen_codec::encode::EncodeError;

use super::OsText;

/// What went wrong with a file.
#[derive(Debug)]
#[non_exhaustive]
pub struct FileError {
    /// The path, if the file was opened by one.
    pub path: Option<Box<str>>,
    /// What.
    pub kind: FileErrorKind,
}

/// What went wrong with a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileErrorKind {
    /// The directories that lead to it could not be made.
    Directory(io::Error),
    /// It could not be opened.
    Open(io::Error),
    /// A piece could not be written, or not all of it. If any of it was, the handle is over.
    Write {
        /// What the system says.
        error: io::Error,
        /// How many bytes of the piece are in the file.
        written: u64,
        /// How many bytes the piece has.
        length: u64,
        /// Where in the file these begin: what to cut it to. `None` where nothing was written, and
        /// where the file does not tell. If somebody else has appended meanwhile, it is no more than a
        /// hint.
        begins: Option<u64>,
    },
    /// The file ends in a part of an earlier piece: nothing was written. The handle is over.
    Torn {
        /// Where that part begins, as the earlier error said.
        begins: Option<u64>,
    },
    /// The value cannot be serialised: nothing was written. The handle goes on.
    Encode(EncodeError),
    /// What was appended could not be brought to the disk.
    Sync(io::Error),
}

impl FileError {
    /// Says what went wrong, and with which file.
    pub const fn new(path: Option<Box<str>>, kind: FileErrorKind) -> Self {
        Self { path, kind }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => {
                let path = path.clone().into();
                write!(f, "{}", Target::File { path })?;
            }
            None => f.write_str("a writer")?,
        }
        match &self.kind {
            FileErrorKind::Directory(error) => write!(
                f,
                ": its directory cannot be made. OS reports: {}",
                OsText(error)
            ),
            FileErrorKind::Open(error) => {
                write!(f, " cannot be opened. OS reports: {}", OsText(error))
            }
            FileErrorKind::Write {
                error,
                written,
                length,
                begins,
            } => {
                write!(f, ": {written} of {length} bytes were written")?;
                if let Some(begins) = begins {
                    write!(f, ", from byte {begins} on")?;
                }
                write!(f, ". OS reports: {}", OsText(error))
            }
            FileErrorKind::Torn { begins } => {
                f.write_str(": it ends in a part of what was to be written before")?;
                match begins {
                    Some(begins) => write!(f, ", from byte {begins} on"),
                    None => Ok(()),
                }
            }
            FileErrorKind::Encode(error) => write!(f, ": {error}"),
            FileErrorKind::Sync(error) => write!(
                f,
                " cannot be brought to the disk. OS reports: {}",
                OsText(error)
            ),
        }
    }
}

impl std::error::Error for FileError {
    /// Returns what is behind the error that is held here, whose text `Display` prints already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            FileErrorKind::Directory(error)
            | FileErrorKind::Open(error)
            | FileErrorKind::Write { error, .. }
            | FileErrorKind::Sync(error) => error.source(),
            FileErrorKind::Encode(error) => error.source(),
            FileErrorKind::Torn { .. } => None,
        }
    }
}

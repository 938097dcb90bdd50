//! Files that are appended to.
//!
//! ```text
//! append         h "text", h 0x2324      74 65 78 74
//! append_line    neg[h] "text"           74 65 78 74 0a
//! append_lines   neg[h] ("a";"b")        61 0a 62 0a
//! append_value   h enlist (`upd;`t;x)    00 00 03000000 │ f5 757064 00 │ f5 74 00 │ …
//! ```
//!
//! A value is written as its serialised body, little endian, without the header that it has as a
//! message; the length is not written, so a reader has to go through one value to find the next. That
//! is what the logs of a tickerplant are made of, behind the 8 bytes `ff 01 00 00 00 00 00 00` that q
//! begins them with. Sources: KX, [handles](https://code.kx.com/q/basics/handles/#file-stdout-stderr),
//! and for values logs as other people's readers take them; not checked against a live q.

use core::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::Path;

use hopen_codec::message::Body;
use hopen_codec::value::Value;

use crate::error::{FileError, FileErrorKind};

/// A file that is appended to, or any writer that knows its position.
///
/// Each piece that is appended goes to the system in one write, behind all that the file has by
/// then, so that several handles and processes can append to the same file without mixing what they
/// write. The system may take less than a piece, where the disk is full or the piece has more than 2
/// GiB; the rest then follows by itself and others may come between.
///
/// If that fails, the file ends in a part of a piece. What comes behind would be lost to whoever reads
/// on from there, and a log is replayed up to there only. So the handle is over then: the error and
/// all later ones say where the part begins, nothing more is written and nothing is cut off, which
/// is for the program to decide. A piece of which nothing was written leaves the handle as it was.
///
/// Its `Debug` form shows nothing of what was appended.
///
/// ```
/// use std::io::Cursor;
/// use hopen_transport::FileHandle;
///
/// let mut bytes = Cursor::new(Vec::new());
/// let mut file = FileHandle::new(&mut bytes);
/// file.append("quick")?;
/// file.append_line(" brown")?;
/// file.append_lines(["fox", "jumps"])?;
/// file.append_value(42_i32)?;
/// assert_eq!(bytes.into_inner(), b"quick brown\nfox\njumps\n\xfa\x2a\0\0\0");
/// # Ok::<(), hopen_transport::FileError>(())
/// ```
pub struct FileHandle<W = File> {
    writer: W,
    path: Option<Box<str>>,
    torn: Option<Torn>,
}

/// A part of a piece at the end of the file.
#[derive(Clone, Copy, Debug)]
struct Torn {
    begins: Option<u64>,
}

impl FileHandle {
    /// Opens the file at `path`, makes it if there is none, and the directories in front of it.
    ///
    /// # Errors
    ///
    /// Where a directory or the file cannot be made, or the file cannot be opened.
    pub fn open(path: String) -> Result<Self, FileError> {
        let open = || OpenOptions::new().append(true).create(true).open(&path);
        let opened = match open() {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let directory = Path::new(&path).parent();
                directory
                    .map_or(Ok(()), fs::create_dir_all)
                    .map_err(FileErrorKind::Directory)
                    .and_then(|()| open().map_err(FileErrorKind::Open))
            }
            Err(error) => Err(FileErrorKind::Open(error)),
        };
        let path = Some(path.into());
        match opened {
            Ok(writer) => Ok(Self {
                writer,
                path,
                torn: None,
            }),
            Err(kind) => Err(FileError::new(path, kind)),
        }
    }

    /// Waits until all that was appended is on the disk and not with the system only.
    ///
    /// # Errors
    ///
    /// Where it cannot be brought there. How much of it is, is not known, nor whether trying again
    /// would help.
    pub fn sync(&self) -> Result<(), FileError> {
        self.writer
            .sync_all()
            .map_err(|error| self.error(FileErrorKind::Sync(error)))
    }

    /// Closes the file: `hclose`. Dropping it does the same. What was appended is with the system
    /// then; whether it reaches the disk is only known after [`sync`](Self::sync).
    pub fn close(self) {}
}

impl<W: Write + Seek> FileHandle<W> {
    /// Makes a handle of a writer: one that appends, and keeps nothing back in a buffer.
    pub const fn new(writer: W) -> Self {
        Self {
            writer,
            path: None,
            torn: None,
        }
    }

    /// Appends bytes or text as they are: `h "text"`, `h 0x2324`.
    ///
    /// # Errors
    ///
    /// Where writing fails, with how much of it is in the file.
    pub fn append(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), FileError> {
        self.write(bytes.as_ref())
    }

    /// Appends a text and `\n`: `neg[h] "text"`.
    ///
    /// # Errors
    ///
    /// Where writing fails, with how much of it is in the file.
    pub fn append_line(&mut self, text: impl AsRef<[u8]>) -> Result<(), FileError> {
        self.append_lines([text])
    }

    /// Appends texts and `\n` behind each, all as one piece: `neg[h] ("a";"b")`.
    ///
    /// # Errors
    ///
    /// Where writing fails, with how much of it is in the file.
    pub fn append_lines<T: AsRef<[u8]>>(
        &mut self,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<(), FileError> {
        self.write(&lines(texts))
    }

    /// Appends a value, serialised and without a header: what `h enlist x` does. In q a general list
    /// is the list of the values to append, each by itself; here that is a call for each.
    ///
    /// A large value of several columns is copied once, so that it is one piece.
    ///
    /// # Errors
    ///
    /// Where the value cannot be serialised, and nothing is written; where writing fails, with how
    /// much of it is in the file.
    pub fn append_value(&mut self, value: impl Into<Value>) -> Result<(), FileError> {
        let body = Body::encode(&value.into())
            .map_err(|error| self.error(FileErrorKind::Encode(error)))?;
        match body.chunks() {
            [whole] => self.write(whole),
            chunks => self.write(&chunks.concat()),
        }
    }

    /// Writes a piece, in one go if the system takes it so.
    fn write(&mut self, piece: &[u8]) -> Result<(), FileError> {
        if let Some(Torn { begins }) = self.torn {
            return Err(self.error(FileErrorKind::Torn { begins }));
        }
        let mut rest = piece;
        while !rest.is_empty() {
            match self.writer.write(rest) {
                // No more than there was, whatever the writer says.
                Ok(count) if count > 0 => rest = rest.get(count..).unwrap_or_default(),
                Ok(_) => return Err(self.failed(io::ErrorKind::WriteZero.into(), piece, rest)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error, piece, rest)),
            }
        }
        Ok(())
    }

    /// Finds out what became of a piece of which the rest could not be written.
    fn failed(&mut self, error: io::Error, piece: &[u8], rest: &[u8]) -> FileError {
        let length = piece.len() as u64;
        let written = length - rest.len() as u64;
        let mut begins = None;
        if written > 0 {
            // The position is behind what was written last, also of a file that others append to.
            // What has no position cannot be cut off either.
            let position = self.writer.stream_position().ok();
            begins = position.and_then(|position| position.checked_sub(written));
            self.torn = Some(Torn { begins });
        }
        self.error(FileErrorKind::Write {
            error,
            written,
            length,
            begins,
        })
    }
}

impl<W> FileHandle<W> {
    fn error(&self, kind: FileErrorKind) -> FileError {
        FileError::new(self.path.clone(), kind)
    }
}

impl<W> fmt::Debug for FileHandle<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileHandle")
            .field("path", &self.path)
            .field("torn", &self.torn)
            .finish_non_exhaustive()
    }
}

/// Makes one piece of texts, with `\n` behind each.
pub fn lines<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut piece = Vec::new();
    for text in texts {
        piece.extend_from_slice(text.as_ref());
        piece.push(b'\n');
    }
    piece
}

#[cfg(test)]
mod tests;

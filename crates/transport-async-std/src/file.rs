//! Files that are appended to, by a thread of the pool.
//!
//! ```text
//!  append ─▶ piece ─▶ thread: hopen_transport::FileHandle ─▶ file
//!    ▲                  │
//!    └── what came of it, told to whoever waits, or to the next call
//! ```
//!
//! What is appended is the same, by the same code, as in a program that blocks:
//! [`hopen_transport::FileHandle`] has the picture of it.

use core::fmt;
use core::future::{Future, poll_fn};
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::fs::File;
use std::io::{Seek, Write};

use blocking::{Task, unblock};
use hopen_codec::value::Value;
use hopen_transport::{FileError, lines};

/// A file that is appended to, or any writer that knows its position.
///
/// Each piece goes to the system in one write by a thread of the pool, behind all that the file has by
/// then; what becomes of one that cannot be written whole is said at
/// [`hopen_transport::FileHandle`].
///
/// A piece is begun at the first poll of its future at which no earlier one is under way. Dropped
/// before, nothing of it is appended, and dropped later all of it is, before any that follows on this
/// handle, also where the handle itself is dropped, unless the process ends first: [`close`](Self::close)
/// waits. What went wrong with it is told by the next call, which does nothing else then.
///
/// Its `Debug` form shows nothing of what was appended.
///
/// ```
/// use hopen_async_std::open_file;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("notes.txt");
/// # async_io::block_on(async {
/// let mut file = open_file(format!(":{}", path.display())).await?;
/// file.append("quick").await?;
/// file.append_lines([" brown", "fox"]).await?;
/// file.append_value(42_i32).await?;
/// file.close().await?;
/// # Ok::<(), hopen_async_std::Error>(())
/// # }).unwrap();
/// assert_eq!(std::fs::read(path).unwrap(), b"quick brown\nfox\n\xfa\x2a\0\0\0");
/// ```
pub struct FileHandle<W: Send + 'static = File>(Does<W>);

enum Does<W> {
    Nothing(Box<hopen_transport::FileHandle<W>>),
    /// A thread has the file.
    Work(Task<Done<W>>),
    /// Between the two.
    Neither,
}

/// What a thread gives back, with the outcome.
type Done<W> = (Box<hopen_transport::FileHandle<W>>, Result<(), FileError>);

impl FileHandle {
    /// Opens the file at `path`, makes it if there is none, and the directories in front of it.
    pub(crate) async fn open(path: String) -> Result<Self, FileError> {
        let file = unblock(move || hopen_transport::FileHandle::open(path)).await?;
        Ok(Self(Does::Nothing(Box::new(file))))
    }

    /// Waits until all that was appended is on the disk and not with the system only.
    ///
    /// # Errors
    ///
    /// Where it cannot be brought there. How much of it is, is not known, nor whether trying again
    /// would help.
    pub async fn sync(&mut self) -> Result<(), FileError> {
        self.run(|file| file.sync()).await
    }
}

impl<W: Write + Seek + Send + 'static> FileHandle<W> {
    /// Makes a handle of a writer: one that appends, and keeps nothing back in a buffer.
    pub fn new(writer: W) -> Self {
        let file = hopen_transport::FileHandle::new(writer);
        Self(Does::Nothing(Box::new(file)))
    }

    /// Appends bytes or text as they are: `h "text"`, `h 0x2324`. They are copied, for the thread.
    ///
    /// # Errors
    ///
    /// Where writing fails, with how much of it is in the file.
    pub async fn append(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), FileError> {
        let piece = bytes.as_ref().to_vec();
        self.run(move |file| file.append(piece)).await
    }

    /// Appends a text and `\n`: `neg[h] "text"`.
    ///
    /// # Errors
    ///
    /// Where writing fails, with how much of it is in the file.
    pub async fn append_line(&mut self, text: impl AsRef<[u8]>) -> Result<(), FileError> {
        self.append_lines([text]).await
    }

    /// Appends texts and `\n` behind each, all as one piece: `neg[h] ("a";"b")`.
    ///
    /// # Errors
    ///
    /// Where writing fails, with how much of it is in the file.
    pub async fn append_lines<T: AsRef<[u8]>>(
        &mut self,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<(), FileError> {
        let piece = lines(texts);
        self.run(move |file| file.append(piece)).await
    }

    /// Appends a value, serialised and without a header: what `h enlist x` does. In q a general list
    /// is the list of the values to append, each by itself; here that is a call for each.
    ///
    /// # Errors
    ///
    /// Where the value cannot be serialised, and nothing is written; where writing fails, with how
    /// much of it is in the file.
    pub async fn append_value(&mut self, value: impl Into<Value>) -> Result<(), FileError> {
        let value = value.into();
        self.run(move |file| file.append_value(value)).await
    }

    /// Closes the file when what is under way is in it: `hclose`. Whether it reaches the disk is only
    /// known after [`sync`](FileHandle::sync).
    ///
    /// # Errors
    ///
    /// What went wrong with a piece whose future was dropped, and nobody was told yet.
    pub async fn close(mut self) -> Result<(), FileError> {
        poll_fn(|context| self.poll_idle(context)).await
    }

    /// Has a thread do something when it has done what it is at.
    async fn run(
        &mut self,
        work: impl FnOnce(&mut hopen_transport::FileHandle<W>) -> Result<(), FileError> + Send + 'static,
    ) -> Result<(), FileError> {
        poll_fn(|context| self.poll_idle(context)).await?;
        let file = match mem::replace(&mut self.0, Does::Neither) {
            Does::Nothing(file) => Some(file),
            Does::Work(_) | Does::Neither => None,
        };
        let mut file = file.expect("it was waited for until no thread has the file");
        self.0 = Does::Work(unblock(move || {
            let outcome = work(&mut file);
            (file, outcome)
        }));
        poll_fn(|context| self.poll_idle(context)).await
    }

    /// Waits until no thread has the file, and says what has come of it.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<Result<(), FileError>> {
        let Does::Work(task) = &mut self.0 else {
            return Poll::Ready(Ok(()));
        };
        let (file, outcome) = ready!(Pin::new(task).poll(context));
        self.0 = Does::Nothing(file);
        Poll::Ready(outcome)
    }
}

impl<W: Send + 'static> Drop for FileHandle<W> {
    /// What is under way is finished all the same.
    fn drop(&mut self) {
        if let Does::Work(task) = mem::replace(&mut self.0, Does::Neither) {
            task.detach();
        }
    }
}

impl<W: Send + 'static> fmt::Debug for FileHandle<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("FileHandle");
        match &self.0 {
            Does::Nothing(file) => shown.field("file", file),
            Does::Work(_) | Does::Neither => shown.field("file", &"with a thread"),
        };
        shown.finish_non_exhaustive()
    }
}

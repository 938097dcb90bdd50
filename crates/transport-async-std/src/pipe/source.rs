//! What an opened pipe is read from.

use core::fmt;
use core::pin::Pin;
#[cfg(target_os = "linux")]
use core::task::ready;
use core::task::{Context, Poll};
use std::fs::File;
use std::io;
#[cfg(target_os = "linux")]
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

#[cfg(target_os = "linux")]
use async_io::Async;
use blocking::{Unblock, unblock};
use futures_io::AsyncRead;
use hopen_transport::pipe::Inflow;
use hopen_transport::{PipeError, PipeErrorKind};
#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
#[cfg(target_os = "linux")]
use rustix::fs::OFlags;

/// What an opened [`Pipe`](super::Pipe) is read from: a named pipe or a device of the system.
pub struct PipeSource(Kind);

enum Kind {
    /// A named pipe, which tells when there is something.
    #[cfg(target_os = "linux")]
    Polled {
        file: Async<File>,
        /// Whether a writer has been there.
        has_begun: bool,
    },
    /// Anything else: a thread of the pool reads.
    Threaded(Unblock<File>),
}

impl PipeSource {
    /// Opens what is at `path`, in a thread of the pool.
    pub(super) async fn open(path: &str) -> Result<Self, PipeError> {
        let owned = path.to_owned();
        match unblock(move || open(&owned)).await {
            Ok(kind) => Ok(Self(kind)),
            Err(error) => {
                let kind = PipeErrorKind::Open(error);
                Err(PipeError::new(Some(path.into()), 0, kind))
            }
        }
    }
}

impl AsyncRead for PipeSource {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            #[cfg(target_os = "linux")]
            Kind::Polled { file, has_begun } => {
                while !*has_begun {
                    // Before a writer has been there, reading would say that this is the end.
                    *has_begun = says_something(file)?;
                    if !*has_begun {
                        ready!(file.poll_readable(context))?;
                    }
                }
                Pin::new(file).poll_read(context, room)
            }
            Kind::Threaded(file) => Pin::new(file).poll_read(context, room),
        }
    }
}

impl fmt::Debug for PipeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeSource").finish_non_exhaustive()
    }
}

/// Opens what is at a path. A named pipe is opened without waiting for its writer, who waits for us:
/// the thread could not be called back when nobody wants it any more.
fn open(path: &str) -> io::Result<Kind> {
    #[cfg(target_os = "linux")]
    if std::fs::metadata(path)?.file_type().is_fifo() {
        // The flag is one bit, which fits.
        let flag = OFlags::NONBLOCK.bits().cast_signed();
        let mut options = File::options();
        let file = options.read(true).custom_flags(flag).open(path)?;
        return Ok(Kind::Polled {
            file: Async::new(file)?,
            has_begun: false,
        });
    }
    let file = File::open(path)?;
    Ok(Kind::Threaded(Unblock::with_capacity(
        Inflow::LARGEST_READ,
        file,
    )))
}

/// Returns whether there is something to read, or was and has ended: Linux tells the end of a named
/// pipe only when a writer has been there.
#[cfg(target_os = "linux")]
fn says_something(file: &Async<File>) -> io::Result<bool> {
    let mut asked = [PollFd::new(file, PollFlags::IN)];
    Ok(poll(&mut asked, Some(&Timespec::default()))? > 0)
}

//! What bytes go over, and how it is left.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, PoisonError};
use std::{io, thread};

use bytes::{Buf, BytesMut};
use futures_io::{AsyncRead, AsyncWrite};
use hopen_codec::outbox::Outbox;
use hopen_transport::Stage;

/// A stream of the program's, or a socket.
///
/// Dropping it closes it: it says that nothing more comes, and takes without waiting what is unread.
/// A socket that is closed over unread bytes is reset, and what it has still to send is lost:
/// messages that [`flush`](crate::Handle::flush) has handed to the system. What comes after that has
/// the same effect; [`finish`](crate::Handle::finish) waits for it.
pub(crate) struct Medium {
    /// Behind a lock that is never taken, as a stream need not be for several tasks to look at.
    stream: Mutex<Box<dyn Stream>>,
}

/// What is read from and written to.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Medium {
    pub(crate) fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self {
            stream: Mutex::new(Box::new(stream)),
        }
    }

    /// Reads some bytes behind what is in the buffer: 0 at the end.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut BytesMut,
        room: usize,
    ) -> Poll<io::Result<usize>> {
        let start = buffer.len();
        buffer.resize(start + room, 0);
        let read = self.stream().poll_read(context, &mut buffer[start..]);
        let read = honest(read, context);
        let count = match &read {
            Poll::Ready(Ok(count)) => (*count).min(buffer.len() - start),
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        buffer.truncate(start + count);
        read.map_ok(|_| count)
    }

    /// Writes some of what waits, and advances it by as much.
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) where nothing goes before the task is woken.
    pub(crate) fn try_write(
        &mut self,
        context: &mut Context<'_>,
        wire: &mut Outbox,
    ) -> io::Result<usize> {
        let mut slices = [io::IoSlice::new(&[]); SLICES];
        let count = wire.chunks_vectored(&mut slices);
        if count == 0 {
            return Ok(0);
        }
        let written = self.stream().poll_write_vectored(context, &slices[..count]);
        match honest(written, context) {
            Poll::Ready(Ok(count)) => {
                let count = count.min(wire.remaining());
                wire.advance(count);
                Ok(count)
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Has what was written handed on.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream().poll_flush(context);
        honest(flushed, context)
    }

    /// Says that nothing more comes.
    pub(crate) fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = self.stream().poll_close(context);
        honest(closed, context)
    }

    /// Writes the last words, and says that nothing more comes.
    pub(crate) fn poll_end(
        &mut self,
        context: &mut Context<'_>,
        words: &mut Outbox,
    ) -> Poll<io::Result<()>> {
        while words.has_remaining() {
            match self.try_write(context, words) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.poll_close(context)
    }

    /// Has the stage say to the other side that nothing more comes, where it has a way to. What does
    /// not go at once is not waited for. Nothing can be written after that.
    pub(crate) fn say_goodbye(&mut self, stage: &mut Stage) {
        stage.end();
        let mut nothing = Outbox::default();
        let words = stage.outgoing(&mut nothing);
        let mut context = Context::from_waker(Waker::noop());
        while words.has_remaining() {
            // Who is gone needs it no more.
            let Ok(1..) = self.try_write(&mut context, words) else {
                return;
            };
        }
        let _ = self.poll_flush(&mut context);
    }

    fn stream(&mut self) -> Pin<&mut Box<dyn Stream>> {
        let stream = self.stream.get_mut();
        Pin::new(stream.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        if thread::panicking() {
            // The stream may be what panics.
            return;
        }
        let mut context = Context::from_waker(Waker::noop());
        let _ = self.poll_close(&mut context);
        let mut unread = BytesMut::new();
        let mut left = DRAINED;
        while left > 0 {
            unread.clear();
            match self.poll_read(&mut context, &mut unread, DRAINED_AT_ONCE) {
                Poll::Ready(Ok(count @ 1..)) => left = left.saturating_sub(count),
                // Failures mean that there is nothing more to save.
                Poll::Ready(Ok(0) | Err(_)) | Poll::Pending => break,
            }
        }
    }
}

/// Takes an error for what futures-io has it mean. A stream that cannot go on says so by `Pending`, so
/// [`WouldBlock`](io::ErrorKind::WouldBlock) is an error like others: nobody would be woken. One that
/// was interrupted is tried again when others have had their turn.
fn honest<T>(polled: Poll<io::Result<T>>, context: &Context<'_>) -> Poll<io::Result<T>> {
    let error = match polled {
        Poll::Ready(Err(error)) => error,
        Poll::Ready(Ok(_)) | Poll::Pending => return polled,
    };
    if error.kind() == io::ErrorKind::Interrupted {
        context.waker().wake_by_ref();
        return Poll::Pending;
    }
    if error.kind() == io::ErrorKind::WouldBlock {
        return Poll::Ready(Err(io::Error::other(error)));
    }
    Poll::Ready(Err(error))
}

/// How many pieces are written at once.
const SLICES: usize = 64;

/// How many unread bytes are taken at most when a medium is dropped: more than the system keeps,
/// unless the other side sends on and on.
const DRAINED: usize = 16 * 1024 * 1024;

/// How many of them at once.
const DRAINED_AT_ONCE: usize = 16 * 1024;

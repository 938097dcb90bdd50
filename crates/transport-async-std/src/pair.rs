//! A stream of a reader and a writer.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use futures_io::{AsyncRead, AsyncWrite};

/// A reader and a writer as one stream. The writer is dropped when it is closed: a pipe says by that
/// alone that nothing more comes.
pub(crate) struct Pair<R, W> {
    reader: R,
    /// `None` where it was closed.
    writer: Option<W>,
}

impl<R, W> Pair<R, W> {
    pub(crate) const fn new(reader: R, writer: W) -> Self {
        Self {
            reader,
            writer: Some(writer),
        }
    }
}

impl<R: Unpin, W: Unpin> Pair<R, W> {
    fn writer(&mut self) -> io::Result<Pin<&mut W>> {
        let writer = self.writer.as_mut().map(Pin::new);
        writer.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl<R: AsyncRead + Unpin, W: Unpin> AsyncRead for Pair<R, W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.reader).poll_read(context, room)
    }
}

impl<R: Unpin, W: AsyncWrite + Unpin> AsyncWrite for Pair<R, W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writer()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writer()?.poll_write_vectored(context, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer()?.poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Ok(writer) = self.writer() {
            ready!(writer.poll_close(context))?;
            self.writer = None;
        }
        Poll::Ready(Ok(()))
    }
}

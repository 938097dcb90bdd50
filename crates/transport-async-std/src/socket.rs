//! A socket whose writing can be ended by itself.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::net::Shutdown;

use futures_io::{AsyncRead, AsyncWrite};
use socket2::SockRef;

/// A socket of async-std's or async-io's. Closing one of those only flushes it; closing this one says
/// to the other side that nothing more comes.
pub(crate) struct Socket<S>(pub(crate) S);

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(context, room)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S>
where
    for<'a> SockRef<'a>: From<&'a S>,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_flush(context))?;
        Poll::Ready(SockRef::from(&self.0).shutdown(Shutdown::Write))
    }
}

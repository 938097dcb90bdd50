//! The streams of futures-io that something is wrong with.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, ErrorKind};
use std::sync::Arc;

use futures_io::{AsyncRead, AsyncWrite};

use super::{Direction, Faults, Turn};

/// A reader of ours.
pub(crate) struct PolledReader<R> {
    inner: R,
    faults: Arc<Faults>,
}

impl<R> PolledReader<R> {
    pub(crate) const fn new(inner: R, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for PolledReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let wanted = room.len();
        let turn = self.faults.poll_turn(Direction::ToUs, wanted, context);
        let room = match passing(ready!(turn)) {
            Ok(Passing::Bytes(count)) => &mut room[..count],
            Ok(Passing::End | Passing::Nothing) => return Poll::Ready(Ok(0)),
            Err(error) => return Poll::Ready(Err(error)),
        };
        let count = ready!(Pin::new(&mut self.inner).poll_read(context, room))?;
        self.faults.has_read(Direction::ToUs, &mut room[..count]);
        Poll::Ready(Ok(count))
    }
}

/// A writer of ours. Nothing that it writes is damaged: see [`Layer`](super::Layer).
pub(crate) struct PolledWriter<W> {
    inner: W,
    faults: Arc<Faults>,
}

impl<W> PolledWriter<W> {
    pub(crate) const fn new(inner: W, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for PolledWriter<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let turn = self
            .faults
            .poll_turn(Direction::FromUs, bytes.len(), context);
        let bytes = match passing(ready!(turn)) {
            Ok(Passing::Bytes(count)) => &bytes[..count],
            // The writer is not told of an end.
            Ok(Passing::End) => return Poll::Ready(Ok(bytes.len())),
            Ok(Passing::Nothing) => return Poll::Ready(Ok(0)),
            Err(error) => return Poll::Ready(Err(error)),
        };
        let count = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        let mut state = self.faults.lock();
        state.passes(Direction::FromUs, &bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context)
    }
}

/// What goes on.
enum Passing {
    Bytes(usize),
    End,
    Nothing,
}

fn passing(turn: Turn) -> io::Result<Passing> {
    match turn {
        Turn::Pass(count) => Ok(Passing::Bytes(count)),
        Turn::Ends => Ok(Passing::End),
        Turn::TakesNothing => Ok(Passing::Nothing),
        Turn::Fails(error) => Err(error),
        Turn::Breaks(_) => Err(ErrorKind::ConnectionReset.into()),
        Turn::Waits | Turn::NotReady => unreachable!("the task waits"),
    }
}

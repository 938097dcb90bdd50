//! A handle: one connection to a process, used by one task at a time.

use core::fmt;
use core::future::{Future, poll_fn};
use core::ops::ControlFlow;
use core::task::Poll;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use hopen_codec::config::Capability;
use hopen_codec::connection::Ticket;
use hopen_codec::frame::Announced;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::Session;
use hopen_transport::{Deadline, Error, Peer, Phase};

use crate::alarm::Alarm;
use crate::link::{Caller, Link, Reader};
use crate::{Driver, SharedHandle};

/// An open handle to a process, which has connected to us or we to it.
///
/// What [`set`](Self::set) takes is written at 64 KiB, on [`flush`](Self::flush), and before the
/// next [`get`](Self::get) or [`recv`](Self::recv). Whatever has to wait until the other side reads
/// takes in meanwhile what the other side sends: async messages are kept for `recv`.
///
/// # Dropped futures
///
/// Every future may be dropped before it is ready, by a time-out or `select` for example. No byte is
/// lost in either direction and nothing is sent twice, as all of that is kept in the handle:
///
/// - A [`get`](Self::get) gives up its answer, and the handle stays in step: when the answer comes it
///   is dropped, and the next `get` goes out after that.
/// - A [`set`](Self::set) has sent nothing before it is ready.
/// - [`recv`](Self::recv) and [`receive`](Self::receive) leave what has come to the next call.
/// - [`flush`](Self::flush) and [`respond`](Self::respond) leave what waits to later calls.
pub struct Handle {
    link: Arc<Link>,
    peer: Peer,
}

/// A message that is no response.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what comes is to be handled in full"
)]
pub enum Received {
    /// An async message, which nobody waits for.
    Async(Value),
    /// A request, whose sender waits for [`respond`](Handle::respond).
    Request(Ticket, Value),
}

impl Handle {
    pub(crate) fn new(link: Link, peer: Peer) -> Self {
        Self {
            link: Arc::new(link),
            peer,
        }
    }

    /// Returns whether a part of a message has come.
    pub(crate) fn has_begun(&self) -> bool {
        !self.link.lock().intake.is_empty()
    }

    pub(crate) fn into_parts(self) -> (Arc<Link>, Peer) {
        (self.link, self.peer)
    }

    /// Asks and waits for the answer: `h x`. A text is evaluated as q; a tuple or list is a
    /// function and its arguments.
    ///
    /// Async messages that come before the answer are kept for [`recv`](Self::recv), up to
    /// [`Limits::kept_asyncs`](hopen_codec::config::Limits::kept_asyncs).
    ///
    /// # Errors
    ///
    /// What the other side signals is [`Error::Remote`]; see [`Error`] for the others.
    pub fn get<Q: Into<Value>>(
        &mut self,
        query: Q,
    ) -> impl Future<Output = Result<Value, Error>> + Send + use<'_, Q> {
        self.caller().get(query.into(), Deadline::NEVER)
    }

    /// Asks, and waits no longer than `timeout` for the answer. A time-out gives up the answer and not
    /// the handle.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], with [`Phase::Response`] where the question was sent, or may have been, and
    /// [`Phase::EarlierResponse`] where it was not. Otherwise as [`get`](Self::get).
    pub fn get_timeout<Q: Into<Value>>(
        &mut self,
        query: Q,
        timeout: Duration,
    ) -> impl Future<Output = Result<Value, Error>> + Send + use<'_, Q> {
        let deadline = Deadline::after(Some(timeout));
        self.caller().get(query.into(), deadline)
    }

    /// Asks until a deadline.
    pub(crate) async fn get_until(
        &mut self,
        query: Value,
        deadline: Deadline,
    ) -> Result<Value, Error> {
        self.caller().get(query, deadline).await
    }

    /// Sends without waiting for an answer: `(neg h) x`. It waits while
    /// [`Limits::queue`](hopen_codec::config::Limits::queue) bytes wait to go out.
    ///
    /// # Errors
    ///
    /// Where the value cannot be sent to this peer, or writing fails.
    pub fn set<Q: Into<Value>>(
        &mut self,
        message: Q,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<'_, Q> {
        self.caller().set(message.into())
    }

    /// Sends as [`set`](Self::set) does, but without waiting.
    ///
    /// # Errors
    ///
    /// [`Error::QueueFull`] where as much waits as may; nothing is sent then. Otherwise as
    /// [`set`](Self::set).
    pub fn try_set(&mut self, message: impl Into<Value>) -> Result<(), Error> {
        self.caller().try_set(&message.into())
    }

    /// Waits until everything is written that was [`set`](Self::set): `neg[h][]`. What comes meanwhile
    /// is taken in and kept, so that two ends that send to each other get on.
    ///
    /// # Errors
    ///
    /// Where writing fails.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.caller().flush(Deadline::NEVER).await.map(|_| ())
    }

    /// Writes what waits, and waits for the next async message of the other side: `h[]`. A request
    /// that comes before it is declined; [`receive`](Self::receive) hands out both.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the other side has closed, and what else ends the handle, but what
    /// had arrived comes out before that; see [`Error`] for the others.
    pub async fn recv(&mut self) -> Result<Value, Error> {
        self.caller().recv(Deadline::NEVER).await
    }

    /// Writes what waits, and waits for the next async message no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`]; otherwise as [`recv`](Self::recv).
    pub async fn recv_timeout(&mut self, timeout: Duration) -> Result<Value, Error> {
        let deadline = Deadline::after(Some(timeout));
        self.caller().recv(deadline).await
    }

    /// Writes what waits, and waits for the next message that is no response: what a server does.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv). A request that is no value is answered by `badmsg`, and
    /// [`Error::BadMessage`] says so here.
    pub async fn receive(&mut self) -> Result<Received, Error> {
        self.caller().receive().await
    }

    /// Answers a request and writes the answer, if its turn has come. The answer is queued as soon as
    /// the future is polled. One that cannot be sent to this peer becomes an error response, and the
    /// error is given here.
    ///
    /// # Errors
    ///
    /// Where the ticket's request is answered already or is none of this handle's, where the answer
    /// cannot be sent, or where writing fails.
    pub fn respond<A: Into<Value>>(
        &mut self,
        ticket: Ticket,
        answer: Result<A, RemoteError>,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<'_, A> {
        self.caller().respond(ticket, answer.map(Into::into))
    }

    /// Has a function answer what the other side asks, as soon as it asks it and whatever this side
    /// waits for. It runs in the task that uses the handle, or in the [`Driver`]'s, and has to be
    /// short. Without one, a client declines every request, and a server hands them out by
    /// [`receive`](Self::receive).
    pub fn on_request(
        &mut self,
        handler: impl FnMut(Value) -> Result<Value, RemoteError> + Send + 'static,
    ) {
        self.link.on_request(Box::new(handler));
    }

    /// Has a function watch each message under way whose end has not arrived. If it breaks, the
    /// message is refused: the handle is over, with [`Error::Refused`]. It runs while the handle is
    /// locked, and has to be short.
    pub fn watch(&mut self, watcher: impl FnMut(Announced) -> ControlFlow<()> + Send + 'static) {
        self.link.lock().state.session.watch(Box::new(watcher));
    }

    /// Makes a handle that any number of tasks can use, and the driver that reads and writes for all
    /// of them: a future to be spawned.
    pub fn into_shared(self) -> (SharedHandle, Driver) {
        let Self { link, peer } = self;
        let driver = Driver::new(Arc::clone(&link));
        (SharedHandle::new(link, peer), driver)
    }

    /// Writes what waits, says that nothing more comes, and waits until the other side has closed; for
    /// `patience` at most, all together. What it sends meanwhile is dropped. Where the other side does
    /// not close within that time, this is no error: everything has been handed to the system by then.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] where the other side does not even let everything be written in time; where
    /// writing fails, or the connection breaks before the other side has closed.
    pub async fn finish(mut self, patience: Duration) -> Result<(), Error> {
        let deadline = Deadline::after(Some(patience));
        if !self.caller().flush(deadline).await? {
            return Err(Error::Timeout(Phase::Finish));
        }
        let Some((mut medium, mut words)) = self.link.lock().end_writing() else {
            return Ok(());
        };
        let mut alarm = Alarm::of(deadline);
        let (mut unread, mut is_closed) = (BytesMut::new(), false);
        poll_fn(|context| {
            let failed = |error| Poll::Ready(Err(Error::io(error)));
            for _ in 0..READS {
                if !is_closed {
                    match medium.poll_end(context, &mut words) {
                        Poll::Ready(Ok(())) => is_closed = true,
                        Poll::Ready(Err(error)) => return failed(error),
                        Poll::Pending => {}
                    }
                }
                unread.clear();
                match medium.poll_read(context, &mut unread, 16 * 1024) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                    Poll::Ready(Err(error)) => return failed(error),
                    _ if alarm.has_passed(context) => return Poll::Ready(Ok(())),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
            // Others want to run as well.
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Closes the handle: `hclose`. What was [`set`](Self::set) and not written yet is dropped, as q
    /// does. Returns how many bytes that were.
    pub fn close(self) -> usize {
        self.link.close()
    }

    /// Returns the address of the other side, where it has one.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    /// Returns what TLS's handshake has come to, with the certificate that the other side has shown:
    /// `.z.e`. `None` where the connection is plain.
    pub fn tls(&self) -> Option<&Session> {
        self.peer.session.as_deref()
    }

    /// Returns the capability that both ends have.
    pub fn capability(&self) -> Capability {
        self.link.lock().state.connection().capability()
    }

    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "one caller at a time reads and writes"
    )]
    fn caller(&mut self) -> Caller<'_> {
        Caller::new(&self.link, Reader::Here)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("peer", &self.peer.address)
            .field("state", &self.link.lock().state)
            .finish()
    }
}

/// How often [`Handle::finish`] reads before it lets other tasks run.
const READS: usize = 256;

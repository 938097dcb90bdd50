//! A handle for several tasks.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use hopen_codec::config::Capability;
use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::Session;
use hopen_transport::{Deadline, Error, Peer};

use crate::Received;
use crate::link::{Caller, Link, Reader};

/// A handle that any number of tasks use at the same time; clones are cheap. Made by
/// [`Handle::into_shared`](crate::Handle::into_shared).
///
/// Its methods are those of [`Handle`](crate::Handle), and their futures may be dropped like those.
/// Tasks that [`get`](Self::get) wait for their turn, in the order in which they were first polled: one
/// request is outstanding at a time, unless requests are
/// [pipelined](hopen_codec::config::Requests::Pipelined). Each message that
/// [`recv`](Self::recv) hands out goes to one of the tasks that wait for it.
///
/// A future that has been polled holds its place: one that is neither polled again nor dropped, as in
/// a `select` that has gone on without it, keeps those behind it waiting.
///
/// The connection is closed by [`close`](Self::close), or when the last clone is dropped.
#[derive(Clone)]
pub struct SharedHandle {
    link: Arc<Link>,
    peer: Peer,
    /// Dropped with the last clone; the driver has none.
    _closer: Arc<Closer>,
}

impl SharedHandle {
    pub(crate) fn new(link: Arc<Link>, peer: Peer) -> Self {
        Self {
            link: Arc::clone(&link),
            peer,
            _closer: Arc::new(Closer { link }),
        }
    }

    /// Asks and waits for the answer: [`Handle::get`](crate::Handle::get).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get<Q: Into<Value>>(
        &self,
        query: Q,
    ) -> impl Future<Output = Result<Value, Error>> + Send + use<'_, Q> {
        self.caller().get(query.into(), Deadline::NEVER)
    }

    /// Asks, and waits no longer than `timeout` for its turn and the answer:
    /// [`Handle::get_timeout`](crate::Handle::get_timeout).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get_timeout<Q: Into<Value>>(
        &self,
        query: Q,
        timeout: Duration,
    ) -> impl Future<Output = Result<Value, Error>> + Send + use<'_, Q> {
        let deadline = Deadline::after(Some(timeout));
        self.caller().get(query.into(), deadline)
    }

    /// Sends without waiting for an answer: [`Handle::set`](crate::Handle::set). The driver writes it.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set<Q: Into<Value>>(
        &self,
        message: Q,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<'_, Q> {
        self.caller().set(message.into())
    }

    /// Sends without waiting for anything: [`Handle::try_set`](crate::Handle::try_set).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_set(&self, message: impl Into<Value>) -> Result<(), Error> {
        self.caller().try_set(&message.into())
    }

    /// Waits until everything is written that any task has [`set`](Self::set) before:
    /// [`Handle::flush`](crate::Handle::flush).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn flush(&self) -> Result<(), Error> {
        self.caller().flush(Deadline::NEVER).await.map(|_| ())
    }

    /// Waits for the next async message: [`Handle::recv`](crate::Handle::recv).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn recv(&self) -> Result<Value, Error> {
        self.caller().recv(Deadline::NEVER).await
    }

    /// Waits for the next async message no longer than `timeout`:
    /// [`Handle::recv_timeout`](crate::Handle::recv_timeout).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn recv_timeout(&self, timeout: Duration) -> Result<Value, Error> {
        self.caller().recv(Deadline::after(Some(timeout))).await
    }

    /// Returns the async messages as a stream, which ends when the other side has closed, or this one
    /// has. What else ends the handle is the last item.
    pub fn asyncs(&self) -> Asyncs {
        Asyncs {
            next: Some(next(self.clone())),
        }
    }

    /// Waits for the next message that is no response:
    /// [`Handle::receive`](crate::Handle::receive).
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn receive(&self) -> Result<Received, Error> {
        self.caller().receive().await
    }

    /// Answers a request, from any task: [`Handle::respond`](crate::Handle::respond).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn respond<A: Into<Value>>(
        &self,
        ticket: Ticket,
        answer: Result<A, RemoteError>,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<'_, A> {
        self.caller().respond(ticket, answer.map(Into::into))
    }

    /// Closes the connection for all who use it: `hclose`. Their calls, also those under way, and all
    /// later ones give [`Error::BadHandle`]; messages that had come are still handed out. What was
    /// not written yet is dropped, as q does; returns how many bytes that were.
    pub fn close(&self) -> usize {
        self.link.close()
    }

    /// Returns the address of the other side, where it has one.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    /// Returns what TLS's handshake has come to: [`Handle::tls`](crate::Handle::tls).
    pub fn tls(&self) -> Option<&Session> {
        self.peer.session.as_deref()
    }

    /// Returns the capability that both ends have.
    pub fn capability(&self) -> Capability {
        self.link.lock().state.connection().capability()
    }

    fn caller(&self) -> Caller<'_> {
        Caller::new(&self.link, Reader::Elsewhere)
    }
}

impl fmt::Debug for SharedHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHandle")
            .field("peer", &self.peer.address)
            .field("state", &self.link.lock().state)
            .finish()
    }
}

/// Closes the connection when nobody can use it any more.
struct Closer {
    link: Arc<Link>,
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.link.close();
    }
}

/// The async messages of a [`SharedHandle`].
#[must_use = "nothing is received until it is polled"]
pub struct Asyncs {
    next: Option<Next>,
}

/// Waits for the next message, and keeps the handle for the one after.
struct Next(Pin<Box<dyn Future<Output = Came> + Send>>);

/// What has come, and the handle.
struct Came(SharedHandle, Result<Value, Error>);

fn next(handle: SharedHandle) -> Next {
    Next(Box::pin(async move {
        let received = handle.recv().await;
        Came(handle, received)
    }))
}

impl Stream for Asyncs {
    type Item = Result<Value, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(Next(future)) = &mut self.next else {
            return Poll::Ready(None);
        };
        let Poll::Ready(Came(handle, received)) = future.as_mut().poll(context) else {
            return Poll::Pending;
        };
        // A message that is no value, or an error as a message, ends nothing.
        let goes_on = matches!(
            received,
            Ok(_) | Err(Error::BadMessage(_) | Error::Remote(_))
        );
        self.next = goes_on.then(|| next(handle));
        Poll::Ready(match received {
            Err(Error::Closed | Error::BadHandle) => None,
            received => Some(received),
        })
    }
}

impl fmt::Debug for Asyncs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asyncs").finish_non_exhaustive()
    }
}

/// Reads and writes for all clones of a [`SharedHandle`]: a future that ends with the connection, with
/// what ended it. To be spawned.
///
/// If it is dropped instead, nobody reads, and the handle is [closed](Error::Closed).
#[must_use = "nothing moves until it is polled"]
pub struct Driver {
    drive: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
    link: Arc<Link>,
}

impl Driver {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        let drive = Arc::clone(&link);
        Self {
            drive: Box::pin(async move { Caller::new(&drive, Reader::Here).drive().await }),
            link,
        }
    }
}

impl Future for Driver {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.drive.as_mut().poll(context)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.link.abandon();
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

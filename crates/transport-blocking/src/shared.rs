//! A handle for several threads, and the thread that reads for them.

use core::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hopen_codec::config::Capability;
use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::Session;

use crate::link::{Caller, Link};
use crate::{Error, Received};
use hopen_transport::Peer;
use hopen_transport::{Deadline, Intake};

/// A handle that any number of threads use at the same time; clones are cheap. Made by
/// [`Handle::into_shared`](crate::Handle::into_shared).
///
/// Its methods are those of [`Handle`](crate::Handle). Threads that [`get`](Self::get) wait for their
/// turn, in the order in which they came: one request is outstanding at a time, unless requests are
/// [pipelined](hopen_codec::config::Requests::Pipelined). Each message that
/// [`recv`](Self::recv) hands out goes to one of the threads that wait for it.
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
    pub fn get(&self, query: impl Into<Value>) -> Result<Value, Error> {
        self.caller().get(&query.into(), Deadline::NEVER)
    }

    /// Asks, and waits no longer than `timeout` for its turn and the answer:
    /// [`Handle::get_timeout`](crate::Handle::get_timeout).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get_timeout(&self, query: impl Into<Value>, timeout: Duration) -> Result<Value, Error> {
        let deadline = Deadline::after(Some(timeout));
        self.caller().get(&query.into(), deadline)
    }

    /// Sends without waiting for an answer: [`Handle::set`](crate::Handle::set).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set(&self, message: impl Into<Value>) -> Result<(), Error> {
        self.caller().set(&message.into())
    }

    /// Sends without waiting for anything: [`Handle::try_set`](crate::Handle::try_set).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_set(&self, message: impl Into<Value>) -> Result<(), Error> {
        self.caller().try_set(&message.into())
    }

    /// Waits until everything is written that any thread has [`set`](Self::set) before:
    /// [`Handle::flush`](crate::Handle::flush).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn flush(&self) -> Result<(), Error> {
        self.caller().flush(Deadline::NEVER).map(|_| ())
    }

    /// Waits for the next async message: [`Handle::recv`](crate::Handle::recv).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn recv(&self) -> Result<Value, Error> {
        self.caller().recv(Deadline::NEVER)
    }

    /// Waits for the next async message no longer than `timeout`:
    /// [`Handle::recv_timeout`](crate::Handle::recv_timeout).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Value, Error> {
        self.caller().recv(Deadline::after(Some(timeout)))
    }

    /// Waits for the next message that is no response:
    /// [`Handle::receive`](crate::Handle::receive).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn receive(&self) -> Result<Received, Error> {
        self.caller().receive()
    }

    /// Answers a request, from any thread: [`Handle::respond`](crate::Handle::respond).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn respond(
        &self,
        ticket: Ticket,
        answer: Result<impl Into<Value>, RemoteError>,
    ) -> Result<(), Error> {
        match answer {
            Ok(value) => self.caller().respond(ticket, Ok(&value.into())),
            Err(error) => self.caller().respond(ticket, Err(error)),
        }
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
        self.link.lock().core.connection().capability()
    }

    fn caller(&self) -> Caller<'_> {
        Caller::told(&self.link)
    }
}

impl fmt::Debug for SharedHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHandle")
            .field("peer", &self.peer.address)
            .field("state", &*self.link.lock())
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

/// Reads for all clones of a [`SharedHandle`], in a thread that the program gives it.
///
/// If it is dropped instead, nobody reads, and the handle is [closed](Error::Closed).
#[must_use = "nothing is received until it runs"]
pub struct Driver {
    link: Arc<Link>,
    intake: Intake,
}

impl Driver {
    pub(crate) const fn new(link: Arc<Link>, intake: Intake) -> Self {
        Self { link, intake }
    }

    /// Takes in what comes, until the connection is closed on either side.
    ///
    /// # Errors
    ///
    /// What else ended it; those who wait for something get the same.
    pub fn run(mut self) -> Result<(), Error> {
        Caller::reading(&self.link, &mut self.intake).drive()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.link.abandon();
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("input", &self.intake.input.len())
            .finish_non_exhaustive()
    }
}

//! A client that has logged in.

use core::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use hopen_codec::config::{Capability, Config};
use hopen_codec::message::Body;
use hopen_codec::session::Cause;
use hopen_codec::value::Value;
use hopen_tls::Session;

use super::{Line, Name};
use crate::{Broken, Error, Peer, State};

/// A client that has logged in: who it is, and a way to send to it from any thread, at any time. Clones
/// are cheap and the same; one that is kept does not keep the connection open.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    handle: u64,
    user: Box<[u8]>,
    peer: Peer,
    capability: Capability,
    config: Config,
    line: Weak<dyn Line>,
}

impl Client {
    /// Makes a client of a connection and its state.
    #[doc(hidden)]
    pub fn new(handle: u64, user: &[u8], peer: Peer, line: Weak<dyn Line>, state: &State) -> Self {
        let connection = state.connection();
        Self(Arc::new(Inner {
            handle,
            user: user.into(),
            peer,
            capability: connection.capability(),
            config: connection.config().clone(),
            line,
        }))
    }

    /// Sends an async message: `neg[h] x`. It does not wait: what the system does not take at once is
    /// queued, and written as soon as the client reads, whatever its connection does meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] where the client does not understand the value; nothing is sent then.
    /// [`Error::QueueFull`] where more than
    /// [`Limits::queue`](hopen_codec::config::Limits::queue) bytes wait already: the client is cut off.
    /// [`Error::BadHandle`] where the connection is over, and for a moment what has ended it.
    pub fn set(&self, message: impl Into<Value>) -> Result<(), Error> {
        let body = Body::encode(&message.into()).map_err(|error| Error::Send(error.into()))?;
        self.set_body(&body)
    }

    /// Closes the connection: `hclose`. What waits to go out is dropped, as q does; returns how many
    /// bytes that were. The handler's `closed` is called when what it is busy with has returned.
    pub fn close(&self) -> usize {
        self.line().map_or(0, |line| line.close())
    }

    /// Returns how many bytes wait until the client reads, in this process: its part of `.z.W`. 0 when
    /// the connection is over.
    pub fn queued(&self) -> usize {
        self.line().map_or(0, |line| line.queued())
    }

    /// Returns its number, by which a program can keep what belongs to it: `.z.w`. No other connection
    /// of this server has it, also none that comes later; q gives a number out again.
    pub fn handle(&self) -> u64 {
        self.0.handle
    }

    /// Returns as whom it has logged in: `.z.u`. Empty if it has not said.
    pub fn user(&self) -> &[u8] {
        &self.0.user
    }

    /// Returns its address: `.z.a`. `None` where it has come by the Unix domain socket.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.peer.address
    }

    /// Returns the capability that both ends have.
    pub fn capability(&self) -> Capability {
        self.0.capability
    }

    /// Returns what TLS's handshake has come to, the client's certificate with it if it has shown one:
    /// `.z.e`. `None` where the connection is plain.
    pub fn tls(&self) -> Option<&Session> {
        self.0.peer.session.as_deref()
    }

    pub(super) fn set_body(&self, body: &Body) -> Result<(), Error> {
        let line = self.line().ok_or(Error::BadHandle)?;
        let sent = line.push(body);
        if let Err(error @ Error::QueueFull { .. }) = &sent {
            log::warn!("{self}: cut off: {error}");
        }
        sent
    }

    /// Returns what its connection was told.
    #[doc(hidden)]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Returns its connection, if that is not over.
    pub(super) fn line(&self) -> Option<Arc<dyn Line>> {
        self.0.line.upgrade()
    }

    /// Takes in nothing more but what has arrived.
    #[doc(hidden)]
    pub fn stop_reading(&self) {
        if let Some(line) = self.line() {
            line.stop_reading();
        }
    }

    /// Closes the connection because the time is up.
    #[doc(hidden)]
    pub fn cut_off(&self) {
        if let Some(line) = self.line() {
            line.cut_off(Cause::<Broken>::BadHandle);
        }
    }
}

impl fmt::Display for Client {
    /// As it is named in a log: its address and its handle.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (handle {})", Name(self.peer_addr()), self.handle())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("handle", &self.handle())
            .field("peer", &self.peer_addr())
            .finish_non_exhaustive()
    }
}

//! The server role: a process in Rust where a q process stood, as a gateway, a feed or a cache.
//!
//! ```text
//!            one thread             a thread for each connection              any thread
//!  client ── accept ──▶ login ──▶ request, notice ──▶ Handler ──▶ Reply ┄┄┄▶ answer
//!         ◀───────────────────────────────────────── answer            Client.set, broadcast
//! ```
//!
//! ```
//! use std::time::Duration;
//! use hopen_blocking::server::{Answer, Client, Handler, Server, ServerOptions};
//! use hopen_blocking::{Listener, hopen};
//! use hopen_codec::value::Value;
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
//!         Ok(query).into()
//!     }
//! }
//!
//! let listener = Listener::bind("localhost:0W")?;
//! let port = listener.local_addr()?.port();
//! let server = Server::new(listener, Echo, ServerOptions::default())?;
//! let control = server.control();
//! let running = std::thread::spawn(move || server.run());
//!
//! assert_eq!(hopen(port)?.get("hello")?, "hello".into());
//! control.stop(Duration::from_secs(10));
//! assert_eq!(running.join().expect("no panic"), 0); // none had to be cut off
//! # Ok::<(), hopen_blocking::Error>(())
//! ```
//!
//! | q | here |
//! | --- | --- |
//! | `-u`, `-U`, `\u` | [`ServerOptions::passwords`], [`Passwords::replace`] |
//! | `.z.pw` | [`Handler::login`] |
//! | `.z.po`, `.z.pc` | [`Handler::opened`], [`Handler::closed`] |
//! | `.z.pg`, `.z.ps`, `.z.bm`, `.z.pq` | [`Handler::request`], [`Handler::notice`], [`Handler::bad_message`], [`Handler::text`] |
//! | `.z.w`, `.z.u`, `.z.a`, `.z.e` | [`Client::handle`], [`Client::user`], [`Client::peer_addr`], [`Client::tls`] |
//! | `.z.H`, `.z.W` | [`Control::clients`], [`Client::queued`] |
//! | `neg[h] x`, `hclose h` | [`Client::set`], [`Client::close`] |
//! | `-30!` | [`Answer::deferred`], [`Reply`] |
//! | `-25!` | [`broadcast()`] |
//!
//! # Who runs where
//!
//! Each connection has a thread, as a q process with a negative port has them. A client that is slow to
//! log in, or whose query takes long, keeps nobody waiting but itself: while its request is evaluated
//! nothing more is read from it, and its next one waits in the system's buffers, as with q. Connections
//! call the handler at the same time. A second thread writes what a client lets wait that is sent
//! something unasked. A q process evaluates one query after the other; a handler that
//! needs this puts what it works on behind a [`Mutex`](std::sync::Mutex).
//!
//! # What ends a connection
//!
//! The client, [`Client::close`], [`Control::stop`]; a message that is none, after
//! [`Handler::bad_message`]; and what keeps a client from taking memory and time without end:
//!
//! | limit | default | |
//! | --- | --- | --- |
//! | [`ServerOptions::connections`] | 1,022 | whoever comes then is closed at once |
//! | [`ServerOptions::login_timeout`] | 10 s | for the login, TLS's handshake with it |
//! | [`Limits::login`](hopen_codec::config::Limits::login) | 64 KiB | a login; a line of qcon's |
//! | [`Limits::message`](hopen_codec::config::Limits::message) | 1 GiB | a message |
//! | [`Limits::queue`](hopen_codec::config::Limits::queue) | 100 MiB | what a slow reader lets wait |
//! | [`Limits::requests`](hopen_codec::config::Limits::requests) | 65,536 | requests without an answer |
//! | [`ServerOptions::stall_timeout`] | 60 s | in which an answer is not taken on, or a message not sent on |
//!
//! What else comes to a port: HTTP is answered by `501 Not Implemented`, TLS as the
//! [listener](crate::ListenOptions::mode) says, and a connection that is closed again is none.
//!
//! # The log
//!
//! The server writes records by the facade of the crate `log`, and nothing where the program sets no
//! logger up: warnings for logins that are refused and clients that are cut off, errors where a handler
//! panics or the system has run out of something, the rest at `debug`. No record holds a password, a
//! message or a text of a panic.

use core::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::listener::Stop;
use crate::{Channel, Error, Listener};

mod handler;
mod registry;
mod session;

pub use handler::Handler;
pub use hopen_transport::server::{
    Answer, BadMessage, BroadcastError, Client, Decision, Passwords, Reply, ServerOptions,
    TextProtocol, broadcast,
};
pub use registry::Control;

use hopen_transport::server::Name;
use registry::{Place, Registry};

/// A server that listens, lets clients log in, and gives what they send to a [`Handler`].
pub struct Server {
    listener: Listener,
    stop: Stop,
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    handler: Box<dyn Handler>,
    options: ServerOptions,
    registry: Arc<Registry>,
}

impl Server {
    /// Makes a server of a port that is bound; [`run`](Self::run) it. Clients that connect before wait.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system has no more files.
    pub fn new(
        listener: Listener,
        handler: impl Handler + 'static,
        options: ServerOptions,
    ) -> Result<Self, Error> {
        let (stop, stopper) = Stop::of(&listener).map_err(Error::io)?;
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            options,
            registry: Arc::new(Registry::new(stopper)),
        });
        Ok(Self {
            listener,
            stop,
            shared,
        })
    }

    /// Serves clients until it is [told to stop](Control::stop), and returns when all connections are
    /// closed: how many were closed though they were owed something, because the time was up. A
    /// handler that is still at work then is not interrupted; its thread ends with it.
    ///
    /// Where a connection cannot be accepted, as files or memory have run out, that is logged, and the
    /// next attempt made a tenth of a second later.
    pub fn run(self) -> usize {
        let Self {
            listener,
            stop,
            shared,
        } = self;
        loop {
            match listener.accept_unless(Some(&stop)) {
                Ok(Some(channel)) => Shared::admit(&shared, channel),
                Ok(None) => break,
                Err(error) => {
                    log::error!("cannot accept a connection: {error}");
                    // Where something has run out the next attempt fails at once as well, and nothing
                    // says when there is some again: so many attempts, and no more.
                    if shared.registry.pause(PAUSE).is_break() {
                        break;
                    }
                }
            }
        }
        drop(listener);
        shared.registry.finish()
    }

    /// Returns what other threads see and stop the server by.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared.registry))
    }

    /// Returns where it listens.
    pub const fn listener(&self) -> &Listener {
        &self.listener
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.listener)
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Gives a connection a thread, or closes it where there are too many.
    fn admit(shared: &Arc<Self>, channel: Channel) {
        let name = Name(channel.peer_addr());
        let most = shared.options.connections;
        let medium = Arc::downgrade(channel.medium());
        let Some(place) = Place::take(&shared.registry, medium, most) else {
            log::warn!("{name}: closed: {most} connections are open");
            return;
        };
        let shared = Arc::clone(shared);
        let thread = thread::Builder::new().name("hopen client".into());
        let spawned = thread.spawn(move || session::serve(&shared, &place, channel));
        if let Err(error) = spawned {
            log::error!("{name}: closed: {error}");
        }
    }
}

/// How far apart attempts to accept a connection are, after one that failed: a rate, not a wait.
const PAUSE: Duration = Duration::from_millis(100);

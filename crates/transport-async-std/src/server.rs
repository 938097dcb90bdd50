//! The server role: a process in Rust where a q process stood, as a gateway, a feed or a cache.
//!
//! ```text
//!             one task               a task for each connection                any task
//!  client ── accept ──▶ login ──▶ request, notice ──▶ Handler ──▶ Reply ┄┄┄▶ answer
//!         ◀───────────────────────────────────────── answer            Client.set, broadcast
//! ```
//!
//! ```
//! use std::time::Duration;
//! use hopen_async_std::server::{Answer, Client, Handler, Server, ServerOptions};
//! use hopen_async_std::{Listener, hopen};
//! use hopen_codec::value::Value;
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     async fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
//!         Ok(query).into()
//!     }
//! }
//!
//! # async_std::task::block_on(async {
//! let listener = Listener::bind("localhost:0W")?;
//! let port = listener.local_addr()?.port();
//! let server = Server::new(listener, Echo, ServerOptions::default());
//! let control = server.control();
//! let running = async_std::task::spawn(server.run());
//!
//! assert_eq!(hopen(port).await?.get("hello").await?, "hello".into());
//! control.stop(Duration::from_secs(10));
//! assert_eq!(running.await, 0); // none had to be cut off
//! # Ok::<(), hopen_async_std::Error>(())
//! # })?;
//! # Ok::<(), hopen_async_std::Error>(())
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
//! Each connection has a task. A client that is slow to log in, or whose query takes long, keeps nobody
//! waiting but itself: while its request is evaluated nothing more is read from it, and its next one
//! waits in the system's buffers, as with q. What it is sent unasked is written meanwhile. Connections
//! call the handler at the same time. A q process evaluates one query after the other; a handler that
//! needs this puts what it works on behind a mutex for tasks. What computes for long, or blocks,
//! belongs where the executor has threads for that.
//!
//! Tasks run on async-std's threads, or where [`Server::run_with`] is told.
//!
//! # What ends a connection
//!
//! The client, [`Client::close`], [`Control::stop`], a future of [`Server::run`] that is dropped; a
//! message that is none, after [`Handler::bad_message`]; and what keeps a client from taking memory and
//! time without end:
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
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;
use std::time::Duration;

use hopen_transport::server::{Name, guarded};

use crate::alarm::passes;
use crate::listener::spawn;
use crate::{Channel, Listener};
use hopen_transport::Deadline;

mod handler;
mod registry;
mod session;

pub use handler::Handler;
pub use hopen_transport::server::{
    Answer, BadMessage, BroadcastError, Client, Decision, Passwords, Reply, ServerOptions,
    TextProtocol, broadcast,
};
pub use registry::Control;

use registry::{Place, Registry};

/// A server that listens, lets clients log in, and gives what they send to a [`Handler`].
pub struct Server<H> {
    listener: Listener,
    shared: Arc<Shared<H>>,
}

/// What all connections share.
struct Shared<H> {
    handler: H,
    options: ServerOptions,
    registry: Arc<Registry>,
}

impl<H: Handler + 'static> Server<H> {
    /// Makes a server of a port that is bound; [`run`](Self::run) it. Clients that connect before wait.
    pub fn new(listener: Listener, handler: H, options: ServerOptions) -> Self {
        let shared = Arc::new(Shared {
            handler,
            options,
            registry: Arc::default(),
        });
        Self { listener, shared }
    }

    /// Serves clients until it is [told to stop](Control::stop), and returns when all connections are
    /// closed: how many were closed though they were owed something, because the time was up. Of a
    /// handler that is still at work then, the future is dropped. Each connection is a task on
    /// async-std's threads.
    ///
    /// Where a connection cannot be accepted, as files or memory have run out, that is logged, and the
    /// next attempt made a tenth of a second later.
    ///
    /// If the future is dropped, nobody listens any longer, and every connection is cut off.
    pub async fn run(self) -> usize {
        self.run_with(spawn).await
    }

    /// Does the same, and has each connection's task spawned by a function, on whatever executor:
    ///
    /// ```
    /// # use hopen_async_std::server::{Handler, Server};
    /// # async fn run(server: Server<impl Handler + 'static>) {
    /// server.run_with(|task| smol::spawn(task).detach()).await;
    /// # }
    /// ```
    ///
    /// A task that is dropped by its executor closes its connection.
    pub async fn run_with(self, spawn: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>)) -> usize {
        let Self { listener, shared } = self;
        let registry = Running(Arc::clone(&shared.registry));
        while let Some(accepted) = registry.0.unless_stopped(listener.accept()).await {
            match accepted {
                Ok(channel) => {
                    if let Some(task) = Shared::admit(&shared, channel) {
                        spawn(task);
                    }
                    // Those who are connected want their turn as well.
                    give_way().await;
                }
                Err(error) => {
                    log::error!("cannot accept a connection: {error}");
                    // Where something has run out the next attempt fails at once as well, and nothing
                    // says when there is some again: so many attempts, and no more.
                    let pause = Deadline::after(Some(PAUSE));
                    registry.0.unless_stopped(passes(pause)).await;
                }
            }
        }
        drop(listener);
        registry.0.finish().await
    }

    /// Returns what other tasks see and stop the server by.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared.registry))
    }

    /// Returns where it listens.
    pub const fn listener(&self) -> &Listener {
        &self.listener
    }
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.listener)
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl<H: Handler + 'static> Shared<H> {
    /// Makes a task of a connection, or closes it where there are too many.
    fn admit(
        shared: &Arc<Self>,
        channel: Channel,
    ) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let name = Name(channel.peer_addr());
        let most = shared.options.connections;
        let Some(place) = Place::take(&shared.registry, most) else {
            log::warn!("{name}: closed: {most} connections are open");
            return None;
        };
        let shared = Arc::clone(shared);
        let session = Box::pin(async move { session::serve(&shared, &place, channel).await });
        Some(Box::pin(Contained {
            name,
            session: Some(session),
        }))
    }
}

/// A server that runs. Dropped, it cuts off whoever is left.
struct Running(Arc<Registry>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.cut_off();
    }
}

/// One connection, whose panics are its own.
struct Contained<F> {
    name: Name,
    session: Option<Pin<Box<F>>>,
}

impl<F: Future<Output = ()>> Future for Contained<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { name, session } = &mut *self;
        let Some(running) = session else {
            return Poll::Ready(());
        };
        let polled = guarded(name, "a connection", || running.as_mut().poll(context));
        if polled.is_none() {
            // What it holds is the program's as well.
            guarded(name, "the end of a connection", || drop(session.take()));
        }
        polled.unwrap_or(Poll::Ready(()))
    }
}

/// Lets other tasks run.
pub(crate) async fn give_way() {
    let mut has_waited = false;
    poll_fn(|context| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// How far apart attempts to accept a connection are, after one that failed: a rate, not a wait.
const PAUSE: Duration = Duration::from_millis(100);

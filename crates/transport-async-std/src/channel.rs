//! A connection before its login, for either role.

use core::future::poll_fn;
use core::task::{Context, Poll};
use core::{fmt, mem};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_io::{AsyncRead, AsyncWrite};
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config};
use hopen_codec::connection::Connection;
use hopen_codec::handshake;
use hopen_codec::session::Role;
use hopen_tls::{Client, Server, ServerMode, Session};
use hopen_transport::{Accepts, Deadline, Dialogue, Error, LITTLE, Opening, Peer, Step};

use crate::Handle;
use crate::alarm::Alarm;
use crate::link::Link;
use crate::medium::Medium;
use crate::pair::Pair;

/// A connection before its login: over any stream of futures-io, or over TCP.
///
/// One end [logs in](Self::log_in), the other [receives the login](Self::receive_login) and accepts
/// or refuses it. A future of it that is dropped closes the connection.
pub struct Channel {
    /// Taken by the handle.
    medium: Option<Medium>,
    opening: Opening,
    /// Where the peer is, if it has an address.
    address: Option<SocketAddr>,
}

impl Channel {
    /// Makes a channel of any stream. Whether the peer is on this host, which decides about
    /// compression, is what [`Config::peer_is_local`] says.
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::over(stream, None, None)
    }

    /// Makes a channel of a reader and a writer, as pipes or the standard input and output of a child.
    /// Dropping the handle drops both, and [`finish`](Handle::finish) the writer first.
    ///
    /// ```
    /// use async_io::Async;
    /// use hopen_async_std::{Channel, Received};
    /// use hopen_codec::auth::Credentials;
    /// use hopen_codec::config::Config;
    ///
    /// # #[cfg(unix)]
    /// # async_io::block_on(async {
    /// let (from_client, to_server) = std::io::pipe()?;
    /// let (from_server, to_client) = std::io::pipe()?;
    /// let server = Channel::of_pair(Async::new(from_client)?, Async::new(to_client)?);
    /// let server = smol::spawn(async move {
    ///     let login = server.receive_login(Config::server(), None).await?;
    ///     let mut handle = login.accept().await?;
    ///     if let Received::Request(ticket, question) = handle.receive().await? {
    ///         handle.respond(ticket, Ok(question)).await?; // an echo
    ///     }
    ///     Ok::<(), hopen_async_std::Error>(())
    /// });
    ///
    /// let ann = Credentials::new("ann", "secret")?;
    /// let channel = Channel::of_pair(Async::new(from_server)?, Async::new(to_server)?);
    /// let mut handle = channel.log_in(&ann, Config::client(), None).await?;
    /// assert_eq!(handle.get("hello").await?, "hello".into());
    /// server.await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_pair(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self::new(Pair::new(reader, writer))
    }

    pub(crate) fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        address: Option<SocketAddr>,
        local: Option<bool>,
    ) -> Self {
        Self {
            medium: Some(Medium::new(stream)),
            opening: Opening::new(local),
            address,
        }
    }

    /// Begins TLS, as a client does: everything after that is encrypted, the login first. `host` is
    /// the name or address that the server's certificate has to be for, where that is
    /// [verified](hopen_tls::VerifyServer). The time-out covers TLS's handshake; none, or
    /// [`Duration::ZERO`], waits for ever.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`], [`Error::Timeout`], and [`Error::Io`] where the connection breaks.
    pub async fn start_tls(
        self,
        client: &Client,
        host: &str,
        timeout: Option<Duration>,
    ) -> Result<Self, Error> {
        let deadline = Deadline::of_opening(timeout);
        self.start_tls_until(client, host, deadline).await
    }

    pub(crate) async fn start_tls_until(
        mut self,
        client: &Client,
        host: &str,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let handshake = self.opening.start_tls(client, host)?;
        self.go_through(handshake, deadline).await?;
        Ok(self)
    }

    /// Says what the client may speak whose login is [received](Self::receive_login): `server` is
    /// needed unless the mode is [`Plain`](ServerMode::Plain), which is what a channel takes before
    /// anything is said.
    #[must_use]
    pub fn accepting(mut self, mode: ServerMode, server: Option<Server>) -> Self {
        self.opening.accepting(Accepts::new(mode, server));
        self
    }

    /// Logs in, as a client does. The time-out covers the wait for the answer; none, or
    /// [`Duration::ZERO`], waits for ever.
    ///
    /// # Errors
    ///
    /// [`Error::Access`] where the other side closes instead of answering, [`Error::Timeout`], and
    /// what is wrong with the login or the connection.
    pub async fn log_in(
        self,
        credentials: &Credentials,
        config: Config,
        timeout: Option<Duration>,
    ) -> Result<Handle, Error> {
        let deadline = Deadline::of_opening(timeout);
        self.log_in_until(credentials, config, deadline, Role::Client)
            .await
    }

    pub(crate) async fn log_in_until(
        mut self,
        credentials: &Credentials,
        config: Config,
        deadline: Deadline,
        role: Role,
    ) -> Result<Handle, Error> {
        let login = self.opening.log_in(credentials, config)?;
        let connection = self.go_through(login, deadline).await?;
        Ok(self.opened(connection, role))
    }

    /// Waits for the login of a client. A client may never send one, so give a time-out:
    /// none, or [`Duration::ZERO`], waits for ever. [`LOGIN_TIMEOUT`](crate::LOGIN_TIMEOUT) is a good
    /// one. The answer of [`Login::accept`] has to be written within it too; what it takes to decide is
    /// not counted.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], [`Error::Login`] where what comes is none or is longer than
    /// [`Limits::login`](hopen_codec::config::Limits::login), [`Error::Io`]. The connection is closed
    /// then, and the client is not told why; one that speaks HTTP is told that it is not served.
    pub async fn receive_login(
        mut self,
        config: Config,
        timeout: Option<Duration>,
    ) -> Result<Login, Error> {
        let deadline = Deadline::of_opening(timeout);
        let login = self.opening.receive_login(config);
        let login = self.go_through(login, deadline).await?;
        Ok(Login {
            channel: self,
            login,
            left: deadline.left(),
        })
    }

    /// Goes through what both ends say until it is over.
    async fn go_through<D: Dialogue>(
        &mut self,
        mut dialogue: D,
        deadline: Deadline,
    ) -> Result<D::Done, Error> {
        let patience = D::PATIENCE.map(|patience| Deadline::after(Some(patience)));
        loop {
            let step = dialogue.step(&mut self.opening);
            // Also what tells the other side what is wrong. If it does not take that, it needs it no
            // more.
            let written = self.write(deadline).await;
            let (next, room) = match (step?, written?) {
                (Step::Done(done), ()) => return Ok(done),
                (Step::Read(next, room), ()) => (next, room),
            };
            let patience = patience.filter(|_| !self.opening.has_begun());
            match self.read(room, patience.unwrap_or(deadline)).await {
                Some(Ok(0)) => return next.ended(&mut self.opening),
                // One byte at a time would keep it going.
                Some(Ok(_)) if deadline.has_passed() => return Err(self.late()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.opening.failed(error)),
                None if patience.is_some() => return next.nothing_came(&mut self.opening),
                None => return Err(self.late()),
            }
            dialogue = next;
        }
    }

    /// Writes everything, and has it handed on.
    async fn write(&mut self, deadline: Deadline) -> Result<(), Error> {
        let Self {
            medium, opening, ..
        } = self;
        let medium = medium.as_mut().expect(THERE);
        let mut alarm = Alarm::of(deadline);
        poll_fn(|context| match poll_write(medium, opening, context) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(opening.failed(error))),
            Poll::Pending if alarm.has_passed(context) => {
                Poll::Ready(Err(Error::Timeout(opening.phase())))
            }
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Reads some bytes. `None` where the time has passed.
    async fn read(&mut self, room: usize, deadline: Deadline) -> Option<io::Result<usize>> {
        let Self {
            medium, opening, ..
        } = self;
        let medium = medium.as_mut().expect(THERE);
        let mut alarm = Alarm::of(deadline);
        poll_fn(|context| {
            let (buffer, room) = opening.buffer(room);
            // A login is short, and who has not logged in yet is to take little memory.
            match medium.poll_read(context, buffer, room.min(LITTLE)) {
                Poll::Ready(read) => Poll::Ready(Some(read)),
                Poll::Pending if alarm.has_passed(context) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    const fn late(&self) -> Error {
        Error::Timeout(self.opening.phase())
    }

    /// Returns the address of the other side, where it has one.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.address
    }

    fn opened(mut self, connection: Connection, role: Role) -> Handle {
        let mut peer = Peer::at(self.address);
        peer.session = self.opening.session().cloned();
        let (state, mut intake) = mem::take(&mut self.opening).open(connection, role);
        intake.rest();
        let medium = self.medium.take().expect(THERE);
        Handle::new(Link::new(medium, state, intake), peer)
    }
}

impl Drop for Channel {
    /// Says to the other side that nothing more comes, where there is no handle that will.
    fn drop(&mut self) {
        if thread::panicking() {
            // The stream may be what panics.
            return;
        }
        if let Some(medium) = &mut self.medium {
            medium.say_goodbye(self.opening.stage());
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("peer", &self.address)
            .finish_non_exhaustive()
    }
}

/// A login that was received: to be [accepted](Self::accept) or [refused](Self::refuse), after
/// whatever it takes to decide that.
#[must_use = "the client waits for an answer"]
pub struct Login {
    channel: Channel,
    login: handshake::Login,
    /// How much of its time the client has left. What it takes to decide is not the client's.
    left: Option<Duration>,
}

impl Login {
    /// Returns who wants to log in.
    pub fn credentials(&self) -> &Credentials {
        self.login.credentials()
    }

    /// Returns the capability that both ends have.
    pub fn capability(&self) -> Capability {
        self.login.capability()
    }

    /// Returns the capability that the client offers; `None` of one that sends no such byte: a client
    /// of kdb+ 2.5, or qcon.
    pub const fn offered(&self) -> Option<Capability> {
        self.login.offered()
    }

    /// Returns the address of the client, where it has one.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.channel.address
    }

    /// Returns what TLS's handshake has come to, the client's certificate with it if it has shown
    /// one: `.z.e`. `None` where the connection is plain.
    pub fn tls(&self) -> Option<&Session> {
        self.channel.opening.session().map(Arc::as_ref)
    }

    /// Waits for a line of text, as qcon sends it behind a login without a capability byte. What other
    /// clients send is left for the connection.
    pub(crate) async fn await_text(self) -> Result<Spoken, Error> {
        let Self {
            mut channel,
            login,
            left,
        } = self;
        let deadline = Deadline::after(left);
        let text = channel.opening.await_text(login);
        let spoken = channel.go_through(text, deadline).await?;
        let here = |login| Self {
            channel,
            login,
            left: deadline.left(),
        };
        Ok(match spoken {
            handshake::Spoken::Messages(login) => Spoken::Messages(here(login)),
            handshake::Spoken::Text(login, line) => Spoken::Text(TextQuery {
                login: here(login),
                line,
            }),
        })
    }

    /// Lets the client in.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] or [`Error::Io`] where the client cannot be told.
    pub async fn accept(self) -> Result<Handle, Error> {
        let Self {
            mut channel,
            login,
            left,
        } = self;
        let deadline = Deadline::after(left);
        let connection = channel.opening.accept(login);
        channel.write(deadline).await?;
        Ok(channel.opened(connection, Role::Server))
    }

    /// Closes the connection, which is how a login is refused. The client is told nothing else.
    pub fn refuse(self) {
        self.login.refuse();
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("credentials", self.credentials())
            .field("peer", &self.peer_addr())
            .finish_non_exhaustive()
    }
}

/// What a client speaks.
pub(crate) enum Spoken {
    Messages(Login),
    Text(TextQuery),
}

/// A line of text that waits to be answered.
pub(crate) struct TextQuery {
    pub(crate) login: Login,
    pub(crate) line: Bytes,
}

impl TextQuery {
    /// Answers by text and closes the connection, as that is all that qcon takes.
    pub(crate) async fn answer(self, text: &[u8], timeout: Duration) -> Result<(), Error> {
        let mut channel = self.login.channel;
        channel.opening.answer(text);
        channel.write(Deadline::after(Some(timeout))).await
    }
}

/// Writes everything, and has it handed on.
fn poll_write(
    medium: &mut Medium,
    opening: &mut Opening,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while !opening.is_written() {
        match medium.try_write(context, opening.wire()) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    medium.poll_flush(context)
}

/// Why a channel has a medium.
const THERE: &str = "the handle takes it, and ends the channel";

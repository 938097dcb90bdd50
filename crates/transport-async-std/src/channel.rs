//! A connection before its login, for either role.

use core::future::poll_fn;
use core::task::Poll;
use core::{fmt, mem};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_io::{AsyncRead, AsyncWrite};
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config};
use hopen_codec::connection::Connection;
use hopen_codec::handshake::{self, ClientHandshake, Progress, ServerHandshake};
use hopen_codec::outbox::Outbox;
use hopen_codec::session::Role;
use hopen_tls::{Client, Encryption, Server, ServerMode, Session, TlsError};
use hopen_transport::{Error, Intake, Peer, Phase, Stage, State, Tls};

use crate::Handle;
use crate::deadline::Deadline;
use crate::link::Link;
use crate::medium::Medium;
use crate::pair::Pair;

/// A connection before its login: over any stream of futures-io, or over TCP.
///
/// One end [logs in](Self::log_in), the other [receives the login](Self::receive_login) and accepts
/// or refuses it. A future of it that is dropped closes the connection.
pub struct Channel {
    medium: Medium,
    stage: Stage,
    intake: Intake,
    peer: Peer,
    /// Whether the peer is on this host, where that can be told.
    local: Option<bool>,
    mode: ServerMode,
    /// What TLS needs, where the mode has it.
    server: Option<Server>,
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
            medium: Medium::new(stream),
            stage: Stage::Plain,
            intake: Intake::default(),
            peer: Peer::at(address),
            local,
            mode: ServerMode::default(),
            server: None,
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
        let tls = Tls::to(client, host).map_err(Error::tls)?;
        let tls = self.shake_hands(tls, deadline).await?;
        let session = tls.session(|connection| client.session(connection), |_| None);
        self.encrypted(tls, session);
        Ok(self)
    }

    /// Says what the client may speak whose login is [received](Self::receive_login): `server` is
    /// needed unless the mode is [`Plain`](ServerMode::Plain), which is what a channel takes before
    /// anything is said.
    #[must_use]
    pub fn accepting(self, mode: ServerMode, server: Option<Server>) -> Self {
        Self {
            mode,
            server,
            ..self
        }
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
        match self.send_login(credentials, config, deadline).await {
            Ok(connection) => Ok(self.opened(connection, role)),
            Err(error) => Err(self.given_up(error)),
        }
    }

    async fn send_login(
        &mut self,
        credentials: &Credentials,
        config: Config,
        deadline: Deadline,
    ) -> Result<Connection, Error> {
        use io::ErrorKind::{BrokenPipe, ConnectionReset};
        let refused = |error: Error| {
            // A server that closes with our login unread resets the connection.
            if let Error::Io { error, .. } = &error
                && matches!(error.kind(), ConnectionReset | BrokenPipe)
            {
                return Error::Access;
            }
            error
        };
        let mut outbox = Outbox::default();
        let config = self.told_whether_local(config);
        let mut handshake = ClientHandshake::start(credentials, config, &mut outbox)?;
        self.write(&mut outbox, deadline, Phase::Login)
            .await
            .map_err(refused)?;
        loop {
            handshake = match handshake.receive(&mut self.intake.input)? {
                Progress::Done(connection) => return Ok(connection),
                Progress::NeedsInput(handshake) => handshake,
            };
            let room = handshake.make_room(&mut self.intake.input);
            if self.read(room, deadline).await.map_err(refused)? == 0 {
                return Err(handshake.receive_eof().into());
            }
        }
    }

    /// Waits for the login of a client. A client may never send one, so give a time-out:
    /// none, or [`Duration::ZERO`], waits for ever. The answer of [`Login::accept`] has to be written
    /// within it too.
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
        match self.take_login(config, deadline).await {
            Ok(login) => Ok(Login {
                channel: self,
                login,
                deadline,
            }),
            Err(Error::Login(error)) => {
                let mut outbox = Outbox::default();
                outbox.put_slice(error.answer());
                // A client that does not take that much needs it no more.
                let _ = self.write(&mut outbox, deadline, Phase::Login).await;
                Err(self.given_up(Error::Login(error)))
            }
            Err(error) => Err(self.given_up(error)),
        }
    }

    async fn take_text(
        &mut self,
        login: handshake::Login,
        deadline: Deadline,
    ) -> Result<handshake::Spoken, Error> {
        let mut handshake = login.await_text();
        let patience = Deadline::after(Some(TEXT_PATIENCE)).or_earlier(deadline);
        loop {
            handshake = match handshake.receive(&mut self.intake.input)? {
                Progress::Done(spoken) => return Ok(spoken),
                Progress::NeedsInput(handshake) => handshake,
            };
            let has_begun = !self.intake.input.is_empty();
            let until = if has_begun { deadline } else { patience };
            let room = handshake.make_room(&mut self.intake.input);
            match self.read(room, until).await {
                Ok(0) => return Ok(handshake.receive_eof(&mut self.intake.input)?),
                Err(Error::Timeout(_)) if !has_begun && self.intake.input.is_empty() => {
                    return Ok(handshake::Spoken::Messages(handshake.nothing_came()));
                }
                // It has come just then.
                Err(Error::Timeout(_)) if !has_begun => {}
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn take_login(
        &mut self,
        config: Config,
        deadline: Deadline,
    ) -> Result<handshake::Login, Error> {
        let mut handshake = ServerHandshake::start(self.told_whether_local(config));
        self.find_out_encryption(&handshake, deadline).await?;
        loop {
            handshake = match handshake.receive(&mut self.intake.input)? {
                Progress::Done(login) => return Ok(login),
                Progress::NeedsInput(handshake) => handshake,
            };
            let room = handshake.make_room(&mut self.intake.input);
            if self.read(room, deadline).await? == 0 {
                return Err(handshake.receive_eof(&self.intake.input).into());
            }
        }
    }

    /// Looks at the first byte of a client, which tells whether it speaks TLS; if so, begins it.
    async fn find_out_encryption(
        &mut self,
        handshake: &ServerHandshake,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let room = handshake.make_room(&mut self.intake.input);
        self.read_some(room, deadline, Phase::Login).await?;
        let Some(&first) = self.intake.input.first() else {
            // The end is found again.
            return Ok(());
        };
        match self.mode.decide(first).map_err(Error::Mismatch)? {
            Encryption::Plain => {}
            Encryption::Tls => {
                let server = self.server.take();
                let server = server.ok_or_else(|| Error::tls(TlsError::NoIdentity))?;
                self.intake.wire = mem::take(&mut self.intake.input);
                let tls = Tls::from_client_of(&server).map_err(Error::tls)?;
                let tls = self.shake_hands(tls, deadline).await?;
                let session = tls.session(|_| None, |connection| server.session(connection));
                self.encrypted(tls, session);
            }
        }
        Ok(())
    }

    /// Goes through TLS's own handshake.
    async fn shake_hands(&mut self, mut tls: Tls, deadline: Deadline) -> Result<Tls, Error> {
        loop {
            let done = tls.shake_hands(&mut self.intake);
            // Also what tells the other side that it has failed.
            let words = tls.handshake_bytes();
            let written = write(&mut self.medium, words, deadline, Phase::Tls).await;
            done.map_err(Error::tls)?;
            written?;
            if !tls.is_handshaking() {
                return Ok(tls);
            }
            let (buffer, room) = Tls::buffer(&mut self.intake);
            if read(&mut self.medium, buffer, room, deadline, Phase::Tls).await? == 0 {
                return Err(Error::Io {
                    phase: Phase::Tls,
                    error: io::ErrorKind::UnexpectedEof.into(),
                });
            }
        }
    }

    fn encrypted(&mut self, tls: Tls, session: Option<Session>) {
        self.stage = Stage::Tls(Box::new(tls));
        self.peer.session = session.map(Arc::new);
    }

    /// Is told why there is no handle. Returns it again.
    fn given_up(&mut self, error: Error) -> Error {
        self.medium.say_goodbye(&mut self.stage);
        error
    }

    /// Writes everything.
    async fn write(
        &mut self,
        outbox: &mut Outbox,
        deadline: Deadline,
        phase: Phase,
    ) -> Result<(), Error> {
        while self.stage.pending() + outbox.len() > 0 {
            let wire = self.stage.outgoing(outbox);
            write(&mut self.medium, wire, deadline, phase).await?;
            self.stage.taken(0);
        }
        Ok(())
    }

    /// Reads some bytes of the codec's. 0 where the other side has closed.
    async fn read(&mut self, room: usize, deadline: Deadline) -> Result<usize, Error> {
        loop {
            let count = self.stage.incoming(&mut self.intake, room);
            match count.map_err(Error::tls)? {
                0 if self.stage.has_ended() => return Ok(0),
                0 => {}
                count => return Ok(count),
            }
            let count = self.read_some(room, deadline, Phase::Login).await?;
            if count == 0 || matches!(self.stage, Stage::Plain) {
                return Ok(count);
            }
        }
    }

    async fn read_some(
        &mut self,
        room: usize,
        deadline: Deadline,
        phase: Phase,
    ) -> Result<usize, Error> {
        let (buffer, room) = self.stage.buffer(&mut self.intake, room);
        read(&mut self.medium, buffer, room, deadline, phase).await
    }

    /// Returns the address of the other side, where it has one.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    fn told_whether_local(&self, mut config: Config) -> Config {
        if let Some(local) = self.local {
            config.peer_is_local = local;
        }
        config
    }

    fn opened(self, connection: Connection, role: Role) -> Handle {
        let state = State::new(connection, self.stage, role);
        Handle::new(Link::new(self.medium, state, self.intake), self.peer)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("peer", &self.peer.address)
            .finish_non_exhaustive()
    }
}

/// A login that was received: to be [accepted](Self::accept) or [refused](Self::refuse), after
/// whatever it takes to decide that.
#[must_use = "the client waits for an answer"]
pub struct Login {
    channel: Channel,
    login: handshake::Login,
    deadline: Deadline,
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
        self.channel.peer.address
    }

    /// Returns what TLS's handshake has come to, the client's certificate with it if it has shown
    /// one: `.z.e`. `None` where the connection is plain.
    pub fn tls(&self) -> Option<&Session> {
        self.channel.peer.session.as_deref()
    }

    /// Waits for a line of text, as qcon sends it behind a login without a capability byte. What other
    /// clients send is left for the connection.
    pub(crate) async fn await_text(self) -> Result<Spoken, Error> {
        let Self {
            mut channel,
            login,
            deadline,
        } = self;
        let spoken = channel.take_text(login, deadline).await?;
        let here = |login| Self {
            channel,
            login,
            deadline,
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
            deadline,
        } = self;
        let mut outbox = Outbox::default();
        let connection = login.accept(&mut outbox);
        channel.write(&mut outbox, deadline, Phase::Login).await?;
        Ok(channel.opened(connection, Role::Server))
    }

    /// Closes the connection, which is how a login is refused. The client is told nothing else.
    pub fn refuse(mut self) {
        self.channel.medium.say_goodbye(&mut self.channel.stage);
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
        let deadline = Deadline::after(Some(timeout));
        let mut outbox = Outbox::default();
        outbox.put_slice(text);
        channel.write(&mut outbox, deadline, Phase::Answer).await
    }
}

/// How long a client that sends no capability byte may send nothing before it is one of kdb+ 2.5 that
/// waits to be let in. qcon sends its line together with its login, so this covers the network alone.
const TEXT_PATIENCE: Duration = Duration::from_secs(1);

/// Writes everything that waits for the medium, and has it handed on.
async fn write(
    medium: &mut Medium,
    wire: &mut Outbox,
    deadline: Deadline,
    phase: Phase,
) -> Result<(), Error> {
    let mut alarm = deadline.alarm();
    poll_fn(|context| {
        let failed = |error| Poll::Ready(Err(Error::Io { phase, error }));
        while wire.has_remaining() {
            match medium.try_write(context, wire) {
                Ok(0) => return failed(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return late(&mut alarm, context, phase);
                }
                Err(error) => return failed(error),
            }
        }
        match medium.poll_flush(context) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => failed(error),
            Poll::Pending => late(&mut alarm, context, phase),
        }
    })
    .await
}

/// Reads some bytes. Where the deadline has passed, one byte at a time does not keep it going.
async fn read(
    medium: &mut Medium,
    buffer: &mut bytes::BytesMut,
    room: usize,
    deadline: Deadline,
    phase: Phase,
) -> Result<usize, Error> {
    let mut alarm = deadline.alarm();
    poll_fn(|context| match medium.poll_read(context, buffer, room) {
        Poll::Ready(Ok(0)) => Poll::Ready(Ok(0)),
        Poll::Ready(Ok(_)) if alarm.has_passed(context) => Poll::Ready(Err(Error::Timeout(phase))),
        Poll::Ready(Ok(count)) => Poll::Ready(Ok(count)),
        Poll::Ready(Err(error)) => Poll::Ready(Err(Error::Io { phase, error })),
        Poll::Pending => late(&mut alarm, context, phase),
    })
    .await
}

fn late<T>(
    alarm: &mut crate::deadline::Alarm,
    context: &mut core::task::Context<'_>,
    phase: Phase,
) -> Poll<Result<T, Error>> {
    if alarm.has_passed(context) {
        Poll::Ready(Err(Error::Timeout(phase)))
    } else {
        Poll::Pending
    }
}

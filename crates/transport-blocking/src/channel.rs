//! A connection before its login, for either role.

use core::{fmt, mem};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config};
use hopen_codec::connection::Connection;
use hopen_codec::handshake::{self, ClientHandshake, Progress, ServerHandshake};
use hopen_codec::outbox::Outbox;
use hopen_codec::session::Role;
use hopen_tls::{Client, Encryption, Server, ServerMode, Session, TlsError};
use socket2::SockRef;

use crate::deadline::Deadline;
use crate::link::{Link, State, passed};
#[cfg(unix)]
use crate::medium::Socket;
use crate::medium::{Interest, Medium};
use crate::{Error, Handle, Phase};
use hopen_transport::{Intake, Stage, Tls};

/// A connection before its login: what [`hopen`](crate::hopen) has connected, what a
/// [`Listener`](crate::Listener) hands out, or any reader and writer, as pipes or the standard input
/// and output of a child.
///
/// One end [logs in](Self::log_in), the other [receives the login](Self::receive_login) and accepts
/// or refuses it:
///
/// ```
/// use hopen_blocking::{Channel, Received};
/// use hopen_codec::auth::Credentials;
/// use hopen_codec::config::Config;
///
/// let (from_client, to_server) = std::io::pipe()?;
/// let (from_server, to_client) = std::io::pipe()?;
/// let server = std::thread::spawn(move || {
///     let channel = Channel::new(from_client, to_client)?;
///     let login = channel.receive_login(Config::server(), None)?;
///     assert_eq!(login.credentials().user(), b"ann");
///     let mut handle = login.accept()?;
///     if let Received::Request(ticket, question) = handle.receive()? {
///         handle.respond(ticket, Ok(question))?; // an echo
///     }
///     Ok::<(), hopen_blocking::Error>(())
/// });
///
/// let ann = Credentials::new("ann", "secret")?;
/// let channel = Channel::new(from_server, to_server)?;
/// let mut handle = channel.log_in(&ann, Config::client(), None)?;
/// assert_eq!(handle.get("hello")?, "hello".into());
/// # server.join().expect("no panic")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Channel {
    medium: Arc<Medium>,
    stage: Stage,
    intake: Intake,
    peer: Peer,
    /// Whether the peer is on this host, where that can be told.
    local: Option<bool>,
    /// What a client may speak.
    accepts: Accepts,
}

/// Who is at the other end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// Where it is, if it has an address.
    pub(crate) address: Option<SocketAddr>,
    /// What TLS's handshake has come to, if there was one.
    pub(crate) session: Option<Arc<Session>>,
}

/// What a client may speak.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accepts {
    pub(crate) mode: ServerMode,
    /// What TLS needs, where the mode has it.
    pub(crate) server: Option<Server>,
}

impl Channel {
    /// Makes a channel of any reader and writer. Each gets a thread, as they cannot be waited for
    /// together otherwise.
    ///
    /// A read that is under way cannot be interrupted: when the handle is closed, its thread ends
    /// with the next byte or the end of the input. The writer is dropped when what was given to it is
    /// written, which closes it.
    ///
    /// Whether the peer is on this host, which decides about compression, is what
    /// [`Config::peer_is_local`] says.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system has no more threads.
    pub fn new(
        reader: impl Read + Send + 'static,
        writer: impl Write + Send + 'static,
    ) -> Result<Self, Error> {
        let medium = Medium::pair(reader, writer).map_err(Error::io)?;
        Ok(Self::over(medium, None, None))
    }

    fn over(medium: Medium, address: Option<SocketAddr>, local: Option<bool>) -> Self {
        Self {
            medium: Arc::new(medium),
            stage: Stage::Plain,
            intake: Intake::default(),
            peer: Peer {
                address,
                session: None,
            },
            local,
            accepts: Accepts::default(),
        }
    }

    /// Makes a channel of a TCP connection: sets `TCP_NODELAY` and `SO_KEEPALIVE` and finds out
    /// whether the peer is on this host: at a loopback address, or at the same address as we are.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the connection is broken already.
    pub fn tcp(stream: TcpStream) -> Result<Self, Error> {
        Self::of_tcp(stream).map_err(Error::io)
    }

    pub(crate) fn of_tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_keepalive(true)?;
        let peer = stream.peer_addr()?;
        let same = peer.ip().to_canonical() == stream.local_addr()?.ip().to_canonical();
        let local = peer.ip().to_canonical().is_loopback() || same;
        Ok(Self::over(Medium::tcp(stream)?, Some(peer), Some(local)))
    }

    /// Makes a channel of a connection over a Unix domain socket. The peer is on this host.
    #[cfg(unix)]
    pub fn unix(stream: UnixStream) -> Self {
        Self::over(Medium::Socket(Socket::new(stream)), None, Some(true))
    }

    /// Begins TLS, as a client does: everything after that is encrypted, the login first. `host` is
    /// the name or address that the server's certificate has to be for, where that is
    /// [verified](hopen_tls::VerifyServer); over a Unix domain socket `localhost`. The time-out
    /// covers TLS's handshake; none, or [`Duration::ZERO`], waits for ever.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`], [`Error::Timeout`], and [`Error::Io`] where the connection breaks.
    pub fn start_tls(
        self,
        client: &Client,
        host: &str,
        timeout: Option<Duration>,
    ) -> Result<Self, Error> {
        self.start_tls_until(client, host, login_deadline(timeout))
    }

    pub(crate) fn start_tls_until(
        mut self,
        client: &Client,
        host: &str,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let tls = Tls::to(client, host).map_err(Error::tls)?;
        let tls = self.shake_hands(tls, deadline)?;
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
            accepts: Accepts { mode, server },
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
    pub fn log_in(
        self,
        credentials: &Credentials,
        config: Config,
        timeout: Option<Duration>,
    ) -> Result<Handle, Error> {
        let deadline = login_deadline(timeout);
        self.log_in_until(credentials, config, deadline, Role::Client)
    }

    pub(crate) fn log_in_until(
        mut self,
        credentials: &Credentials,
        config: Config,
        deadline: Deadline,
        role: Role,
    ) -> Result<Handle, Error> {
        match self.send_login(credentials, config, deadline) {
            Ok(connection) => Ok(self.opened(connection, role)),
            Err(error) => Err(self.given_up(error)),
        }
    }

    fn send_login(
        &mut self,
        credentials: &Credentials,
        config: Config,
        deadline: Deadline,
    ) -> Result<Connection, Error> {
        let mut outbox = Outbox::default();
        let config = self.told_whether_local(config);
        let mut handshake = ClientHandshake::start(credentials, config, &mut outbox)?;
        let refused = |error: io::Error| {
            use io::ErrorKind::{BrokenPipe, ConnectionReset};
            // A server that closes with our login unread resets the connection.
            if matches!(error.kind(), ConnectionReset | BrokenPipe) {
                Error::Access
            } else {
                failed(error, deadline, Phase::Login)
            }
        };
        self.write(&mut outbox, deadline).map_err(refused)?;
        loop {
            handshake = match handshake.receive(&mut self.intake.input)? {
                Progress::Done(connection) => return Ok(connection),
                Progress::NeedsInput(handshake) => handshake,
            };
            let room = handshake.make_room(&mut self.intake.input);
            match self.read(room, deadline) {
                Ok(0) => return Err(handshake.receive_eof().into()),
                Ok(_) => {}
                Err(ReadError::Io(error)) => return Err(refused(error)),
                Err(ReadError::Tls(error)) => return Err(Error::tls(error)),
            }
        }
    }

    /// Waits for the login of a client. A client may never send one, so give a time-out:
    /// none, or [`Duration::ZERO`], waits for ever. [`LOGIN_TIMEOUT`](crate::LOGIN_TIMEOUT) is a good
    /// one. The answer of [`Login::accept`] has to be written within it too.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], [`Error::Login`] where what comes is none or is longer than
    /// [`Limits::login`](hopen_codec::config::Limits::login), [`Error::Io`]. The connection is closed
    /// then, and the client is not told why; one that speaks HTTP is told that it is not served.
    pub fn receive_login(
        mut self,
        config: Config,
        timeout: Option<Duration>,
    ) -> Result<Login, Error> {
        let deadline = login_deadline(timeout);
        match self.take_login(config, deadline) {
            Ok(login) => Ok(Login {
                channel: self,
                login,
                deadline,
            }),
            Err(Error::Login(error)) => {
                let mut outbox = Outbox::default();
                outbox.put_slice(error.answer());
                // A client that does not take that much needs it no more.
                let _ = self.write(&mut outbox, deadline);
                Err(self.given_up(Error::Login(error)))
            }
            Err(error) => Err(self.given_up(error)),
        }
    }

    fn take_text(
        &mut self,
        login: handshake::Login,
        deadline: Deadline,
    ) -> Result<handshake::Spoken, Error> {
        let mut handshake = login.await_text();
        let patience = Deadline::after(Some(TEXT_PATIENCE));
        loop {
            handshake = match handshake.receive(&mut self.intake.input)? {
                Progress::Done(spoken) => return Ok(spoken),
                Progress::NeedsInput(handshake) => handshake,
            };
            let has_begun = !self.intake.input.is_empty();
            let until = if has_begun { deadline } else { patience };
            let room = handshake.make_room(&mut self.intake.input);
            match self.read(room, until) {
                Ok(0) => return Ok(handshake.receive_eof(&mut self.intake.input)?),
                Ok(_) => {}
                Err(ReadError::Io(error)) if !has_begun && passed(&error, until) => {
                    return Ok(handshake::Spoken::Messages(handshake.nothing_came()));
                }
                Err(ReadError::Io(error)) => return Err(failed(error, deadline, Phase::Login)),
                Err(ReadError::Tls(error)) => return Err(Error::tls(error)),
            }
            if deadline.has_passed() {
                return Err(Error::Timeout(Phase::Login));
            }
        }
    }

    fn take_login(
        &mut self,
        config: Config,
        deadline: Deadline,
    ) -> Result<handshake::Login, Error> {
        let mut handshake = ServerHandshake::start(self.told_whether_local(config));
        self.find_out_encryption(&handshake, deadline)?;
        loop {
            handshake = match handshake.receive(&mut self.intake.input)? {
                Progress::Done(login) => return Ok(login),
                Progress::NeedsInput(handshake) => handshake,
            };
            let room = handshake.make_room(&mut self.intake.input);
            match self.read(room, deadline) {
                Ok(0) => return Err(handshake.receive_eof(&self.intake.input).into()),
                Ok(_) => {}
                Err(ReadError::Io(error)) => return Err(failed(error, deadline, Phase::Login)),
                Err(ReadError::Tls(error)) => return Err(Error::tls(error)),
            }
            if deadline.has_passed() {
                // One byte at a time would keep it going.
                return Err(Error::Timeout(Phase::Login));
            }
        }
    }

    /// Looks at the first byte of a client, which tells whether it speaks TLS; if so, begins it.
    fn find_out_encryption(
        &mut self,
        handshake: &ServerHandshake,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let room = handshake.make_room(&mut self.intake.input);
        let read = self.medium.read(&mut self.intake.input, room, deadline);
        read.map_err(|error| failed(error, deadline, Phase::Login))?;
        let Some(&first) = self.intake.input.first() else {
            // The end is found again.
            return Ok(());
        };
        match self.accepts.mode.decide(first).map_err(Error::Mismatch)? {
            Encryption::Plain => {}
            Encryption::Tls => {
                let server = self.accepts.server.take();
                let server = server.ok_or_else(|| Error::tls(TlsError::NoIdentity))?;
                self.intake.wire = mem::take(&mut self.intake.input);
                let tls = Tls::from_client_of(&server).map_err(Error::tls)?;
                let tls = self.shake_hands(tls, deadline)?;
                let session = tls.session(|_| None, |connection| server.session(connection));
                self.encrypted(tls, session);
            }
        }
        Ok(())
    }

    /// Goes through TLS's own handshake.
    fn shake_hands(&mut self, mut tls: Tls, deadline: Deadline) -> Result<Tls, Error> {
        let broken = |error| failed(error, deadline, Phase::Tls);
        loop {
            let done = tls.shake_hands(&mut self.intake);
            // Also what tells the other side that it has failed.
            let written = write(&self.medium, tls.handshake_bytes(), deadline);
            done.map_err(Error::tls)?;
            written.map_err(broken)?;
            if !tls.is_handshaking() {
                return Ok(tls);
            }
            let (buffer, room) = Tls::buffer(&mut self.intake);
            if self.medium.read(buffer, room, deadline).map_err(broken)? == 0 {
                return Err(broken(io::ErrorKind::UnexpectedEof.into()));
            }
            if deadline.has_passed() {
                return Err(Error::Timeout(Phase::Tls));
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
    fn write(&mut self, outbox: &mut Outbox, deadline: Deadline) -> io::Result<()> {
        while self.stage.pending() + outbox.len() > 0 {
            write(&self.medium, self.stage.outgoing(outbox), deadline)?;
            self.stage.taken(0);
        }
        Ok(())
    }

    /// Reads some bytes of the codec's. 0 where the other side has closed.
    fn read(&mut self, room: usize, deadline: Deadline) -> Result<usize, ReadError> {
        loop {
            let count = self.stage.incoming(&mut self.intake, room);
            match count.map_err(ReadError::Tls)? {
                0 if self.stage.has_ended() => return Ok(0),
                0 => {}
                count => return Ok(count),
            }
            let (buffer, room) = self.stage.buffer(&mut self.intake, room);
            let count = self.medium.read(buffer, room, deadline);
            let count = count.map_err(ReadError::Io)?;
            if count == 0 || matches!(self.stage, Stage::Plain) {
                return Ok(count);
            }
        }
    }

    /// Returns the address of the other side, where it has one: a pipe has none.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    pub(crate) const fn medium(&self) -> &Arc<Medium> {
        &self.medium
    }

    fn told_whether_local(&self, mut config: Config) -> Config {
        if let Some(local) = self.local {
            config.peer_is_local = local;
        }
        config
    }

    fn opened(self, connection: Connection, role: Role) -> Handle {
        let state = State::new(connection, self.stage, role);
        Handle::new(Link::new(self.medium, state), self.intake, self.peer)
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

    /// Returns the address of the client, where it has one: a pipe has none.
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
    pub(crate) fn await_text(self) -> Result<Spoken, Error> {
        let Self {
            mut channel,
            login,
            deadline,
        } = self;
        match channel.take_text(login, deadline) {
            Ok(handshake::Spoken::Messages(login)) => Ok(Spoken::Messages(Self {
                channel,
                login,
                deadline,
            })),
            Ok(handshake::Spoken::Text(login, line)) => {
                let login = Self {
                    channel,
                    login,
                    deadline,
                };
                Ok(Spoken::Text(TextQuery { login, line }))
            }
            Err(error) => Err(channel.given_up(error)),
        }
    }

    /// Lets the client in.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] or [`Error::Io`] where the client cannot be told.
    pub fn accept(self) -> Result<Handle, Error> {
        let Self {
            mut channel,
            login,
            deadline,
        } = self;
        let mut outbox = Outbox::default();
        let connection = login.accept(&mut outbox);
        let written = channel.write(&mut outbox, deadline);
        written.map_err(|error| failed(error, deadline, Phase::Login))?;
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
    pub(crate) fn answer(self, text: &[u8], timeout: Duration) -> Result<(), Error> {
        let mut channel = self.login.channel;
        let deadline = Deadline::after(Some(timeout));
        let mut outbox = Outbox::default();
        outbox.put_slice(text);
        let written = channel.write(&mut outbox, deadline);
        channel.medium.say_goodbye(&mut channel.stage);
        written.map_err(|error| failed(error, deadline, Phase::Answer))
    }
}

/// How long a client that sends no capability byte may send nothing before it is one of kdb+ 2.5 that
/// waits to be let in. qcon sends its line together with its login, so this covers the network alone.
const TEXT_PATIENCE: Duration = Duration::from_secs(1);

/// Why a read failed.
enum ReadError {
    Io(io::Error),
    Tls(TlsError),
}

/// Writes everything that waits for the medium, and waits until it is handed to the system: whoever
/// waits for the answer to what a writer has taken, and then failed to write, would wait for ever.
fn write(medium: &Medium, wire: &mut Outbox, deadline: Deadline) -> io::Result<()> {
    while wire.has_remaining() {
        match medium.try_write(wire) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                medium.wait(Interest::Write, deadline)?;
            }
            Err(error) => return Err(error),
        }
    }
    while !medium.is_written() {
        medium.wait(Interest::Write, deadline)?;
        // It says why, if it has failed.
        medium.try_write(&mut Outbox::default())?;
    }
    Ok(())
}

fn failed(error: io::Error, deadline: Deadline, phase: Phase) -> Error {
    if passed(&error, deadline) {
        Error::Timeout(phase)
    } else {
        Error::Io { phase, error }
    }
}

/// Returns the end of a time-out; no time at all is none, as 0 is to KX's C library.
pub(crate) fn login_deadline(timeout: Option<Duration>) -> Deadline {
    Deadline::after(timeout.filter(|timeout| !timeout.is_zero()))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use hopen_codec::config::Compression;

    use super::*;

    #[test]
    fn both_ends_send_at_once_and_notice_when_the_other_is_gone() {
        for stream in ends() {
            let seen = stream.try_clone().unwrap();
            let _channel = Channel::tcp(stream).unwrap();
            assert!(seen.nodelay().unwrap());
            assert!(SockRef::from(&seen).keepalive().unwrap());
        }
    }

    #[test]
    fn a_peer_on_this_host_is_known_as_such() {
        let mut config = Config::client();
        config.compression = Compression::Auto;
        for stream in ends() {
            let channel = Channel::tcp(stream).unwrap();
            assert!(channel.told_whether_local(config.clone()).peer_is_local);
        }
        #[cfg(unix)]
        {
            let channel = Channel::unix(UnixStream::pair().unwrap().0);
            assert!(channel.told_whether_local(config.clone()).peer_is_local);
            assert_eq!(channel.peer_addr(), None);
        }
        let channel = Channel::new(io::empty(), io::sink()).unwrap();
        for local in [false, true] {
            config.peer_is_local = local;
            assert_eq!(channel.told_whether_local(config.clone()), config);
        }
    }

    #[test]
    fn nobody_waits_for_the_answer_to_what_could_not_be_written() {
        let patience = Some(Duration::from_secs(60));
        // Nothing comes, and the other side does not close.
        let (silent, _peer) = io::pipe().unwrap();
        let client = Channel::new(silent, Full { room: 0 }).unwrap();
        let ann = Credentials::new("ann", "secret").unwrap();
        let error = client.log_in(&ann, Config::client(), patience);
        assert_full(&error.unwrap_err(), Phase::Login);

        let (reader, mut peer) = io::pipe().unwrap();
        peer.write_all(b"ann:secret\x06\0").unwrap();
        let server = Channel::new(reader, Full { room: 0 }).unwrap();
        let login = server.receive_login(Config::server(), patience).unwrap();
        assert_full(&login.accept().unwrap_err(), Phase::Login);
    }

    #[test]
    fn what_is_wrong_with_a_request_is_told_though_nothing_can_be_written() {
        let (reader, mut peer) = io::pipe().unwrap();
        peer.write_all(b"ann:secret\x06\0").unwrap();
        let server = Channel::new(reader, Full { room: 1 }).unwrap();
        let login = server.receive_login(Config::server(), None).unwrap();
        let mut handle = login.accept().unwrap();
        // A request whose body is a type without anything behind it.
        peer.write_all(b"\x01\x01\0\0\x0a\0\0\0\xf9\0").unwrap();
        let error = handle.receive().unwrap_err();
        assert!(matches!(error, Error::BadMessage(_)), "{error}");
        assert_full(&handle.receive().unwrap_err(), Phase::Use);
    }

    /// A disk with so much room.
    struct Full {
        room: usize,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            self.room -= count;
            match count {
                0 => Err(io::ErrorKind::StorageFull.into()),
                count => Ok(count),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn assert_full(error: &Error, expected: Phase) {
        let Error::Io { phase, error } = error else {
            panic!("{error}")
        };
        assert_eq!(*phase, expected);
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn no_time_is_no_time_out() {
        for timeout in [None, Some(Duration::ZERO)] {
            assert_eq!(login_deadline(timeout).left(), None);
        }
        let minute = Some(Duration::from_secs(60));
        assert!(login_deadline(minute).left().is_some());
    }

    #[test]
    fn no_password_is_shown() {
        let [client, server] = ends().map(|stream| Channel::tcp(stream).unwrap());
        let ann = Credentials::new("ann", "secret").unwrap();
        let mut outbox = Outbox::default();
        let config = Config::client();
        let _handshake = ClientHandshake::start(&ann, config, &mut outbox).unwrap();
        write(&client.medium, &mut outbox, Deadline::NEVER).unwrap();
        let login = server.receive_login(Config::server(), None).unwrap();
        assert_eq!(login.credentials(), &ann);
        assert_eq!(login.capability(), Capability::MAX);
        for shown in [format!("{login:?}"), format!("{client:?}")] {
            assert!(!shown.contains("secret"), "{shown}");
        }
    }

    /// Returns both ends of a connection.
    fn ends() -> [TcpStream; 2] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        [client, listener.accept().unwrap().0]
    }
}

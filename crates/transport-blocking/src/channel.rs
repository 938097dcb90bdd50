//! A connection before its login, for either role.

use core::{fmt, mem};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config};
use hopen_codec::connection::Connection;
use hopen_codec::handshake;
use hopen_codec::outbox::Outbox;
use hopen_codec::session::Role;
use hopen_tls::{Client, Server, ServerMode, Session};
use hopen_transport::{Accepts, Deadline, Dialogue, Opening, Peer, Step};
use socket2::SockRef;

use crate::link::{Link, State, passed};
#[cfg(unix)]
use crate::medium::Socket;
use crate::medium::{Interest, Medium};
use crate::{Error, Handle};

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
    opening: Opening,
    /// Where the peer is, if it has an address.
    address: Option<SocketAddr>,
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
            opening: Opening::new(local),
            address,
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
        self.start_tls_until(client, host, Deadline::of_opening(timeout))
    }

    pub(crate) fn start_tls_until(
        mut self,
        client: &Client,
        host: &str,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let handshake = self.opening.start_tls(client, host)?;
        self.go_through(handshake, deadline)?;
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
    pub fn log_in(
        self,
        credentials: &Credentials,
        config: Config,
        timeout: Option<Duration>,
    ) -> Result<Handle, Error> {
        let deadline = Deadline::of_opening(timeout);
        self.log_in_until(credentials, config, deadline, Role::Client)
    }

    pub(crate) fn log_in_until(
        mut self,
        credentials: &Credentials,
        config: Config,
        deadline: Deadline,
        role: Role,
    ) -> Result<Handle, Error> {
        let login = self.opening.log_in(credentials, config)?;
        let connection = self.go_through(login, deadline)?;
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
    pub fn receive_login(
        mut self,
        config: Config,
        timeout: Option<Duration>,
    ) -> Result<Login, Error> {
        let deadline = Deadline::of_opening(timeout);
        let login = self.opening.receive_login(config);
        let login = self.go_through(login, deadline)?;
        Ok(Login {
            channel: self,
            login,
            left: deadline.left(),
        })
    }

    /// Goes through what both ends say until it is over.
    fn go_through<D: Dialogue>(
        &mut self,
        mut dialogue: D,
        deadline: Deadline,
    ) -> Result<D::Done, Error> {
        let patience = D::PATIENCE.map(|patience| Deadline::after(Some(patience)));
        loop {
            let step = dialogue.step(&mut self.opening);
            // Also what tells the other side what is wrong. If it does not take that, it needs it no
            // more.
            let written = self.write(deadline);
            let (next, room) = match (step?, written?) {
                (Step::Done(done), ()) => return Ok(done),
                (Step::Read(next, room), ()) => (next, room),
            };
            let patience = patience.filter(|_| !self.opening.has_begun());
            let until = patience.unwrap_or(deadline);
            let (buffer, room) = self.opening.buffer(room);
            match self.medium.read(buffer, room, until) {
                Ok(0) => return next.ended(&mut self.opening),
                // One byte at a time would keep it going.
                Ok(_) if deadline.has_passed() => return Err(self.late()),
                Ok(_) => {}
                Err(error) if patience.is_some() && passed(&error, until) => {
                    return next.nothing_came(&mut self.opening);
                }
                Err(error) => return Err(self.failed(error, deadline)),
            }
            dialogue = next;
        }
    }

    /// Writes everything, and waits until it is handed to the system: whoever waits for the answer to
    /// what a writer has taken, and then failed to write, would wait for ever.
    fn write(&mut self, deadline: Deadline) -> Result<(), Error> {
        let written = write(&self.medium, &mut self.opening, deadline);
        written.map_err(|error| self.failed(error, deadline))
    }

    fn failed(&self, error: io::Error, deadline: Deadline) -> Error {
        if passed(&error, deadline) {
            self.late()
        } else {
            self.opening.failed(error)
        }
    }

    const fn late(&self) -> Error {
        Error::Timeout(self.opening.phase())
    }

    /// Returns the address of the other side, where it has one: a pipe has none.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.address
    }

    pub(crate) const fn medium(&self) -> &Arc<Medium> {
        &self.medium
    }

    fn opened(mut self, connection: Connection, role: Role) -> Handle {
        let mut peer = Peer::at(self.address);
        peer.session = self.opening.session().cloned();
        // What is left here has nothing to say.
        let (core, intake) = mem::take(&mut self.opening).open(connection, role);
        let medium = Arc::clone(&self.medium);
        Handle::new(Link::new(medium, State::new(core)), intake, peer)
    }
}

impl Drop for Channel {
    /// Says to the other side that nothing more comes, where there is no handle that will.
    fn drop(&mut self) {
        self.medium.say_goodbye(self.opening.stage());
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

    /// Returns the address of the client, where it has one: a pipe has none.
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
    pub(crate) fn await_text(self) -> Result<Spoken, Error> {
        let Self {
            mut channel,
            login,
            left,
        } = self;
        let deadline = Deadline::after(left);
        let text = channel.opening.await_text(login);
        let spoken = channel.go_through(text, deadline)?;
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
    pub fn accept(self) -> Result<Handle, Error> {
        let Self {
            mut channel,
            login,
            left,
        } = self;
        let deadline = Deadline::after(left);
        let connection = channel.opening.accept(login);
        channel.write(deadline)?;
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
    pub(crate) fn answer(self, text: &[u8], timeout: Duration) -> Result<(), Error> {
        let mut channel = self.login.channel;
        let deadline = Deadline::after(Some(timeout));
        channel.opening.answer(text);
        channel.write(deadline)
    }
}

fn write(medium: &Medium, opening: &mut Opening, deadline: Deadline) -> io::Result<()> {
    while !opening.is_written() {
        match medium.try_write(opening.wire()) {
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

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::Phase;

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
        for stream in ends() {
            assert_eq!(Channel::tcp(stream).unwrap().opening.local(), Some(true));
        }
        #[cfg(unix)]
        {
            let channel = Channel::unix(UnixStream::pair().unwrap().0);
            assert_eq!(channel.opening.local(), Some(true));
            assert_eq!(channel.peer_addr(), None);
        }
        let channel = Channel::new(io::empty(), io::sink()).unwrap();
        assert_eq!(channel.opening.local(), None);
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
    fn no_password_is_shown() {
        let [mut client, server] = ends().map(|stream| Channel::tcp(stream).unwrap());
        let ann = Credentials::new("ann", "secret").unwrap();
        let _login = client.opening.log_in(&ann, Config::client()).unwrap();
        client.write(Deadline::NEVER).unwrap();
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

//! Where clients connect to.

use std::env;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
#[cfg(unix)]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hopen_codec::address::{ListenAddress, ListenAddressError, Sharing};
use hopen_tls::{Server, ServerMode, Settings};
use hopen_transport::Accepts;
#[cfg(unix)]
use rustix::event::{PollFd, PollFlags, poll};
#[cfg(unix)]
use rustix::io::retry_on_intr;

#[cfg(unix)]
use crate::unix_socket::Beside;
use crate::{Channel, Error};

mod bind;
mod stop;

pub(crate) use bind::BACKLOG;
pub(crate) use stop::{Stop, Stopper};

/// A port that clients connect to.
///
/// It is bound once and hands out connections before their login, so that a client that is slow to
/// log in keeps nobody else waiting: [`receive_login`](Channel::receive_login) runs where the program
/// wants, in a thread of the connection's own for example. A [`Server`](crate::server::Server) does that
/// and everything that comes after it.
///
/// ```no_run
/// use hopen_blocking::{LOGIN_TIMEOUT, Listener, Received};
/// use hopen_codec::config::Config;
///
/// let listener = Listener::bind("127.0.0.1:5010")?;
/// loop {
///     let channel = listener.accept()?;
///     std::thread::spawn(move || {
///         let login = channel.receive_login(Config::server(), Some(LOGIN_TIMEOUT))?;
///         if login.credentials().user() != b"ann" {
///             login.refuse();
///             return Ok(());
///         }
///         let mut handle = login.accept()?;
///         loop {
///             match handle.receive()? {
///                 Received::Request(ticket, question) => handle.respond(ticket, Ok(question))?,
///                 Received::Async(_) => {}
///             }
///         }
///         # #[expect(unreachable_code)]
///         Ok::<(), hopen_blocking::Error>(())
///     });
/// }
/// # #[expect(unreachable_code)]
/// # Ok::<(), hopen_blocking::Error>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    #[cfg(unix)]
    unix: Option<Beside>,
    /// Counts whose turn it is where clients wait at both.
    #[cfg(unix)]
    turns: AtomicUsize,
    accepts: Accepts,
}

impl Listener {
    /// Binds a port: `5010` on every interface, as q's `\p 5010`; `localhost:5010` on one; `0W` for
    /// any that is free; what else a [`ListenAddress`] can say. Beside it opens the Unix domain socket
    /// of that port, as q does, unless [`ListenOptions::unix`] or an empty variable `QUDSPATH` says
    /// otherwise, or the port is shared (`rp,`).
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] where that is none, or the system does not know the service; [`Error::Bind`]
    /// where the port, or none of the range, or the socket beside it can be had, and where the system
    /// has no ports that are shared.
    pub fn bind<T>(on: T) -> Result<Self, Error>
    where
        T: TryInto<ListenOptions>,
        T::Error: Into<Error>,
    {
        let options: ListenOptions = on.try_into().map_err(Into::into)?;
        let accepts = options.accepts()?;
        let address = &options.address;
        let tcp = bind::bind(address)?;
        let refused = |error| bind::refused(address, error);
        #[cfg(unix)]
        let unix = match (options.unix, address.sharing) {
            (UnixSocket::Beside, Sharing::Exclusive) => {
                Beside::port(tcp.local_addr().map_err(refused)?.port())?
            }
            (UnixSocket::None, _) | (UnixSocket::Beside, Sharing::Shared) => None,
        };
        #[cfg(unix)]
        {
            // Both are waited for, and neither may keep a client of the other waiting.
            tcp.set_nonblocking(true).map_err(refused)?;
            if let Some(beside) = &unix {
                beside.listener.set_nonblocking(true).map_err(refused)?;
            }
        }
        Ok(Self {
            tcp,
            #[cfg(unix)]
            unix,
            #[cfg(unix)]
            turns: AtomicUsize::new(0),
            accepts,
        })
    }

    /// Waits for a client to connect. One that has gone again by then is none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where files or memory have run out; the listener goes on.
    pub fn accept(&self) -> Result<Channel, Error> {
        loop {
            if let Some(channel) = self.accept_unless(None)? {
                return Ok(channel);
            }
        }
    }

    /// Waits for a client to connect, or until it is stopped: `None`.
    pub(crate) fn accept_unless(&self, stop: Option<&Stop>) -> Result<Option<Channel>, Error> {
        use io::ErrorKind::{ConnectionAborted, InvalidInput, NotConnected, WouldBlock};
        loop {
            match self.accept_next(stop) {
                // It was gone before it was taken, or another thread has taken it.
                Err(error) if matches!(error.kind(), ConnectionAborted | WouldBlock) => {}
                // What Linux and Apple's systems say of a connection that is gone.
                Err(error) if matches!(error.kind(), NotConnected | InvalidInput) => {}
                accepted => {
                    let Accepts { mode, server } = self.accepts.clone();
                    let channel = accepted.map_err(Error::io)?;
                    return Ok(channel.map(|channel| channel.accepting(mode, server)));
                }
            }
        }
    }

    /// Returns the address that clients connect to, with the port that was given out.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system does not say.
    pub fn local_addr(&self) -> Result<SocketAddr, Error> {
        self.tcp.local_addr().map_err(Error::io)
    }

    /// Returns the path that names the Unix domain socket beside the port, if there is one. On Linux
    /// it names no file.
    pub fn unix_path(&self) -> Option<&Path> {
        #[cfg(unix)]
        return self.unix.as_ref().map(Beside::path);
        #[cfg(not(unix))]
        return None;
    }

    #[cfg(unix)]
    fn accept_next(&self, stop: Option<&Stop>) -> io::Result<Option<Channel>> {
        let unix = self.unix.as_ref().map(|beside| &beside.listener);
        let mut polled = vec![PollFd::new(&self.tcp, PollFlags::IN)];
        polled.extend(unix.map(|listener| PollFd::new(listener, PollFlags::IN)));
        let clients = polled.len();
        polled.extend(stop.map(|stop| PollFd::new(stop, PollFlags::IN)));
        retry_on_intr(|| poll(&mut polled, None))?;
        let is_ready = |place: usize| {
            let polled = polled.get(place);
            polled.is_some_and(|polled| !polled.revents().is_empty())
        };
        if is_ready(clients) {
            return Ok(None);
        }
        let turn = self.turns.fetch_add(1, Ordering::Relaxed) % 2;
        match unix {
            Some(listener) if is_ready(1) && (turn == 1 || !is_ready(0)) => {
                let (stream, _) = listener.accept()?;
                // Some systems hand the mode on.
                stream.set_nonblocking(false)?;
                Ok(Some(Channel::unix(stream)))
            }
            _ => {
                let (stream, _) = self.tcp.accept()?;
                stream.set_nonblocking(false)?;
                Channel::of_tcp(stream).map(Some)
            }
        }
    }

    #[cfg(not(unix))]
    fn accept_next(&self, stop: Option<&Stop>) -> io::Result<Option<Channel>> {
        let (stream, _) = self.tcp.accept()?;
        if stop.is_some_and(Stop::is_stopped) {
            return Ok(None);
        }
        Channel::of_tcp(stream).map(Some)
    }
}

/// What a [`Listener`] is bound with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListenOptions {
    /// Interfaces and port.
    pub address: ListenAddress,
    /// Whether there is a Unix domain socket beside the port. Default: [`UnixSocket::Beside`].
    pub unix: UnixSocket,
    /// Which clients are taken, plain ones and such that speak TLS. Default:
    /// [`ServerMode::Plain`].
    pub mode: ServerMode,
    /// What TLS is told, where the mode has it. Default: what the environment says when the port is
    /// bound, [`Settings::from_variables`].
    pub tls: Option<Server>,
}

/// Whether a Unix domain socket is opened beside a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is one or there is none")]
pub enum UnixSocket {
    /// One, as q has it: named `/tmp/kx.PORT`, in the folder that the variable `QUDSPATH` names if
    /// it is set; none where that is empty. Any user of this host can connect to it. Nothing on
    /// systems without such sockets.
    #[default]
    Beside,
    /// None.
    None,
}

impl ListenOptions {
    /// Returns the defaults for an address.
    pub const fn new(address: ListenAddress) -> Self {
        Self {
            address,
            unix: UnixSocket::Beside,
            mode: ServerMode::Plain,
            tls: None,
        }
    }

    fn accepts(&self) -> Result<Accepts, Error> {
        let server = match (self.mode, &self.tls) {
            (ServerMode::Plain, _) => None,
            (ServerMode::Both | ServerMode::Tls, Some(server)) => Some(server.clone()),
            (ServerMode::Both | ServerMode::Tls, None) => {
                let settings = Settings::from_variables(|name| env::var_os(name));
                let server = settings.and_then(|settings| Server::new(&settings));
                Some(server.map_err(Error::tls)?)
            }
        };
        Ok(Accepts {
            mode: self.mode,
            server,
        })
    }
}

impl From<ListenAddress> for ListenOptions {
    fn from(address: ListenAddress) -> Self {
        Self::new(address)
    }
}

impl From<u16> for ListenOptions {
    /// A port of all interfaces; 0 for any that is free.
    fn from(port: u16) -> Self {
        Self::new(ListenAddress::from(port))
    }
}

impl TryFrom<&str> for ListenOptions {
    type Error = ListenAddressError;

    fn try_from(address: &str) -> Result<Self, ListenAddressError> {
        Ok(Self::new(address.parse()?))
    }
}

/// How long a client has for its login, unless the program says otherwise: 10 s. A login is one packet;
/// what takes longer holds a file and a thread of the server.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use socket2::SockRef;

    use super::*;
    #[cfg(unix)]
    use crate::{deadline::Deadline, unix_socket};

    #[test]
    fn a_client_that_has_gone_again_keeps_nobody_from_being_accepted() {
        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap();
        let gone = TcpStream::connect(address).unwrap();
        SockRef::from(&gone)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(gone);
        let client = TcpStream::connect(address).unwrap();
        let accepted = listener.accept().unwrap();
        assert_eq!(accepted.peer_addr(), Some(client.local_addr().unwrap()));
    }

    #[cfg(unix)]
    #[test]
    fn clients_of_both_sockets_are_accepted_in_turn() {
        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap();
        let path = format!("/tmp/kx.{}", address.port());
        assert_eq!(listener.unix_path(), Some(Path::new(&path)));
        let by_tcp = || TcpStream::connect(address).unwrap();
        let by_unix = || unix_socket::connect(address.port(), Deadline::NEVER).unwrap();
        let clients = [by_tcp(), by_tcp(), by_tcp()];
        let others = [by_unix(), by_unix(), by_unix()];
        let by_tcp = |_| listener.accept().unwrap().peer_addr().is_some();
        // Neither kind waits for the other.
        let accepted: [bool; 4] = std::array::from_fn(by_tcp);
        assert_eq!(accepted.iter().filter(|by_tcp| **by_tcp).count(), 2);
        assert_eq!(
            [by_tcp(4), by_tcp(5)]
                .iter()
                .filter(|by_tcp| **by_tcp)
                .count(),
            1
        );
        drop((clients, others));
    }

    #[cfg(unix)]
    #[test]
    fn there_need_be_no_socket_beside_a_port() {
        let mut options = ListenOptions::try_from("localhost:0W").unwrap();
        options.unix = UnixSocket::None;
        let listener = Listener::bind(options).unwrap();
        assert_eq!(listener.unix_path(), None);
        let port = listener.local_addr().unwrap().port();
        unix_socket::connect(port, Deadline::NEVER).unwrap_err();
    }

    #[test]
    fn a_port_that_is_taken_is_an_error_with_its_name() {
        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let error = Listener::bind(address.as_str()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("cannot listen on {address}. OS reports: Address already in use")
        );
    }
}

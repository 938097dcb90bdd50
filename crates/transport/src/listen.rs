//! How a process begins to listen: a port, the Unix domain socket beside it, and who may come.
//!
//! Nothing here waits: a socket that listens is std's, and a transport takes it for what it waits by.

use std::env;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

#[cfg(unix)]
use hopen_codec::address::Sharing;
use hopen_codec::address::{ListenAddress, ListenAddressError};
use hopen_tls::{Server, ServerMode, Settings};

use crate::Error;
#[cfg(unix)]
use crate::unix_socket::Beside;

mod bind;

#[cfg(unix)]
pub(crate) use bind::BACKLOG;

/// What a listener is bound with.
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

    /// Binds the port, and the socket beside it. Both are in blocking mode.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] where the system does not know the service, [`Error::Tls`] where what TLS is
    /// told is wrong, [`Error::Bind`] where the port, or none of the range, or the socket beside it
    /// can be had, and where the system has no ports that are shared.
    pub fn bind(&self) -> Result<Bound, Error> {
        let accepts = self.accepts()?;
        let tcp = bind::bind(&self.address)?;
        #[cfg(unix)]
        let unix = match (self.unix, self.address.sharing) {
            (UnixSocket::Beside, Sharing::Exclusive) => {
                let address = tcp.local_addr().map_err(|error| self.refused(error))?;
                Beside::port(address.port())?
            }
            (UnixSocket::None, _) | (UnixSocket::Beside, Sharing::Shared) => None,
        };
        Ok(Bound {
            tcp,
            #[cfg(unix)]
            unix,
            accepts,
        })
    }

    /// Returns the error of what cannot be had.
    pub fn refused(&self, error: io::Error) -> Error {
        bind::refused(&self.address, error)
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

/// What a listener has, before a transport waits for it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Bound {
    /// The port.
    pub tcp: TcpListener,
    /// The socket beside it, if there is one.
    #[cfg(unix)]
    pub unix: Option<Beside>,
    /// What clients may speak.
    pub accepts: Accepts,
}

/// What a client may speak.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Accepts {
    /// Which clients are taken.
    pub mode: ServerMode,
    /// What TLS needs, where the mode has it.
    pub server: Option<Server>,
}

impl Accepts {
    /// Returns what is accepted in a mode; `server` is needed unless that is
    /// [`Plain`](ServerMode::Plain).
    pub const fn new(mode: ServerMode, server: Option<Server>) -> Self {
        Self { mode, server }
    }
}

/// Returns whether an error of accepting says that a client has gone again before it was taken, or
/// that somebody else has taken it. The listener goes on then as if nobody had come.
pub fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, InvalidInput, NotConnected, WouldBlock};
    matches!(
        error.kind(),
        // The last two are what Linux and Apple's systems say of a connection that is gone.
        ConnectionAborted | WouldBlock | NotConnected | InvalidInput
    )
}

/// How long a client has for its login, unless the program says otherwise: 10 s. A login is one packet;
/// what takes longer holds a file of the server, and a thread or task.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);

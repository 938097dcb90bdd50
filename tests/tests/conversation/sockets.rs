//! The peer's end of each kind of socket, and what our end is told.

use std::io::{Error, Result};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use hopen_blocking::Options;
use hopen_codec::address::{Address, Endpoint};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;

use super::end::{Ends, Opened, Opening, Wire};
use super::fault::{Faults, Faulty, Layer};
use super::{tls_peer, wire};
use crate::tls;

/// One kind of socket, with or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sockets {
    Tcp,
    Tcps,
    #[cfg(unix)]
    Unix,
    #[cfg(unix)]
    Unixs,
}

impl Sockets {
    /// The peer listens, and our end connects.
    pub(crate) fn to_their_port(self, faults: Arc<Faults>, hopen: fn(Options) -> Opened) -> Ends {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let accepts: Box<dyn FnOnce() -> Result<Wire> + Send> = match self {
            Self::Tcp => Box::new(move || Wire::over(faulty(listener.accept()?.0, faults)?)),
            Self::Tcps => Box::new(move || tls_peer::serve(faulty(listener.accept()?.0, faults)?)),
            // The listener keeps the port, which the name is made of, from being given out again.
            #[cfg(unix)]
            Self::Unix => {
                let unix = unix::Named::bind(port);
                Box::new(move || Wire::over(faulty(unix.accept(listener)?, faults)?))
            }
            #[cfg(unix)]
            Self::Unixs => {
                let unix = unix::Named::bind(port);
                Box::new(move || tls_peer::serve(faulty(unix.accept(listener)?, faults)?))
            }
        };
        let endpoint = self.endpoint(port);
        Ends {
            ours: Box::new(move |opening, config, timeout| {
                let Opening::LogIn(credentials) = opening else {
                    unreachable!("a server does not connect")
                };
                hopen(options(endpoint, credentials, config, timeout))
            }),
            theirs: accepts,
        }
    }

    /// Our end listens at a port and the Unix domain socket beside it, and the peer connects. `ours`
    /// says by the sender when it has accepted.
    pub(crate) fn to_our_port(
        self,
        address: SocketAddr,
        faults: Arc<Faults>,
        ours: impl FnOnce(Sender<()>) -> super::end::Connect,
    ) -> Ends {
        let (accepts, is_accepted) = mpsc::channel();
        let theirs: Box<dyn FnOnce() -> Result<Wire> + Send> = match self {
            Self::Tcp => Box::new(move || {
                let stream = accepted(TcpStream::connect(address)?, &is_accepted)?;
                Wire::over(faulty(stream, faults)?)
            }),
            Self::Tcps => Box::new(move || {
                let stream = accepted(TcpStream::connect(address)?, &is_accepted)?;
                tls_peer::connect(faulty(stream, faults)?)
            }),
            #[cfg(unix)]
            Self::Unix => Box::new(move || {
                let stream = accepted(unix::connect(address.port())?, &is_accepted)?;
                Wire::over(faulty(stream, faults)?)
            }),
            #[cfg(unix)]
            Self::Unixs => Box::new(move || {
                let stream = accepted(unix::connect(address.port())?, &is_accepted)?;
                tls_peer::connect(faulty(stream, faults)?)
            }),
        };
        Ends {
            ours: ours(accepts),
            theirs,
        }
    }

    pub(crate) const fn layer(self) -> Layer {
        if self.is_encrypted() {
            Layer::PeerUnderTls
        } else {
            Layer::PeerSocket
        }
    }

    fn endpoint(self, port: u16) -> Endpoint {
        let host = Ipv4Addr::LOCALHOST.to_string();
        match self {
            Self::Tcp => Endpoint::Tcp { host, port },
            Self::Tcps => Endpoint::Tcps { host, port },
            #[cfg(unix)]
            Self::Unix => Endpoint::Unix { port },
            #[cfg(unix)]
            Self::Unixs => Endpoint::Unixs { port },
        }
    }

    pub(crate) const fn is_encrypted(self) -> bool {
        match self {
            Self::Tcp => false,
            Self::Tcps => true,
            #[cfg(unix)]
            Self::Unix => false,
            #[cfg(unix)]
            Self::Unixs => true,
        }
    }
}

/// Waits until our end has accepted a stream: one that is reset before that is none.
fn accepted<S>(stream: S, is_accepted: &Receiver<()>) -> Result<S> {
    is_accepted.recv().map_err(Error::other)?;
    Ok(stream)
}

/// The peer's socket, whose writes are sent at once.
fn faulty<S: wire::Socket>(stream: S, faults: Arc<Faults>) -> Result<Faulty<S>> {
    stream.send_at_once()?;
    Ok(Faulty::new(stream, faults))
}

fn options(
    endpoint: Endpoint,
    credentials: Credentials,
    config: Config,
    timeout: Option<Duration>,
) -> Options {
    let mut address = Address::new(endpoint);
    address.credentials = credentials;
    let mut options = Options::new(address);
    options.config = config;
    options.timeout = timeout;
    options.tls = Some(tls::client());
    options
}

/// The peer's Unix domain sockets.
#[cfg(unix)]
mod unix {
    use std::fs::remove_file;
    use std::io::Result;
    use std::net::TcpListener;
    use std::os::unix::net::{UnixListener, UnixStream};

    /// A listener at the file that a port's socket is named after.
    pub(super) struct Named {
        listener: UnixListener,
        port: u16,
    }

    impl Named {
        pub(super) fn bind(port: u16) -> Self {
            let listener = UnixListener::bind(path(port)).expect("a name of our own");
            Self { listener, port }
        }

        /// Accepts a connection, and gives the port back then.
        pub(super) fn accept(self, _port: TcpListener) -> Result<UnixStream> {
            Ok(self.listener.accept()?.0)
        }
    }

    impl Drop for Named {
        fn drop(&mut self) {
            // It fails where somebody has cleaned up.
            let _ = remove_file(path(self.port));
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn connect(port: u16) -> Result<UnixStream> {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::SocketAddr;
        let name = SocketAddr::from_abstract_name(path(port))?;
        UnixStream::connect_addr(&name)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn connect(port: u16) -> Result<UnixStream> {
        UnixStream::connect(path(port))
    }

    fn path(port: u16) -> String {
        format!("/tmp/kx.{port}")
    }
}

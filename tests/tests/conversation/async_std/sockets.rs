//! `hopen`, and channels of what was accepted, over each kind of socket.

use std::net::SocketAddr;
use std::sync::Arc;

use async_io::block_on;
use async_std::net::TcpListener;
#[cfg(unix)]
use async_std::os::unix::net::UnixListener;
use hopen_async_std::{Channel, hopen};
use hopen_tls::ServerMode;

use super::{opened, serve};
use crate::conversation::end::{Ends, Opening, Share, Transport};
use crate::conversation::fault::{Faults, Layer};
use crate::conversation::sockets::{self, Sockets};
use crate::tls;

/// One kind of socket, that is polled.
pub(crate) struct Polled(pub(crate) Sockets);

impl Transport for Polled {
    fn name(&self) -> &'static str {
        match self.0 {
            Sockets::Tcp => "async TCP",
            Sockets::Tcps => "async TLS",
            #[cfg(unix)]
            Sockets::Unix => "async Unix domain socket",
            #[cfg(unix)]
            Sockets::Unixs => "async TLS on Unix",
        }
    }

    fn connect(&self, opening: &Opening, faults: &Arc<Faults>) -> Ends {
        let (kind, faults) = (self.0, Arc::clone(faults));
        if let Opening::LogIn(_) = opening {
            return kind.to_their_port(faults, |options| opened(block_on(hopen(options))));
        }
        let (listener, address) = block_on(Listener::bind(kind));
        kind.to_our_port(address, faults, |accepts| {
            Box::new(move |opening, config, timeout| {
                block_on(async {
                    let mut channel = listener.accept().await;
                    accepts.send(()).expect("the peer waits");
                    if kind.is_encrypted() {
                        channel = channel.accepting(ServerMode::Tls, Some(tls::server()));
                    }
                    serve(channel, &opening, config, timeout).await
                })
            })
        })
    }

    fn layer(&self) -> Layer {
        self.0.layer()
    }

    fn share(&self) -> Share {
        match self.0 {
            Sockets::Tcp | Sockets::Tcps => Share::Much,
            #[cfg(unix)]
            Sockets::Unix | Sockets::Unixs => Share::Little,
        }
    }
}

/// What our end listens at.
enum Listener {
    Tcp(TcpListener),
    /// The port is what the socket is named after.
    #[cfg(unix)]
    Unix(
        UnixListener,
        #[expect(dead_code, reason = "it is held")] TcpListener,
    ),
}

impl Listener {
    async fn bind(kind: Sockets) -> (Self, SocketAddr) {
        let port = TcpListener::bind("127.0.0.1:0").await;
        let port = port.expect("a free port");
        let address = port.local_addr().expect("an address");
        let listener = match kind {
            Sockets::Tcp | Sockets::Tcps => Self::Tcp(port),
            #[cfg(unix)]
            Sockets::Unix | Sockets::Unixs => {
                Self::Unix(sockets::unix::listen(address.port()).into(), port)
            }
        };
        (listener, address)
    }

    async fn accept(&self) -> Channel {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await.expect("the peer connects");
                Channel::tcp(stream).expect("an open socket")
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await.expect("the peer connects");
                Channel::unix(stream)
            }
        }
    }
}

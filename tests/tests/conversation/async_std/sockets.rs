//! `hopen` and `Listener`, over each kind of socket.

use std::sync::Arc;

use async_io::block_on;
use hopen_async_std::{ListenOptions, Listener, hopen};
use hopen_tls::ServerMode;

use super::{opened, serve};
use crate::conversation::end::{Ends, Opening, Share, Transport};
use crate::conversation::fault::{Faults, Layer};
use crate::conversation::sockets::Sockets;
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
        let mut options = ListenOptions::try_from("127.0.0.1:0W").expect("an address");
        if kind.is_encrypted() {
            options.mode = ServerMode::Tls;
            options.tls = Some(tls::server());
        }
        let listener = Listener::bind(options).expect("a free port");
        let address = listener.local_addr().expect("an address");
        kind.to_our_port(address, faults, |accepts| {
            Box::new(move |opening, config, timeout| {
                block_on(async {
                    let channel = listener.accept().await.expect("the peer connects");
                    accepts.send(()).expect("the peer waits");
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

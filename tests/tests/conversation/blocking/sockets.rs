//! `hopen` and `Listener`, over each kind of socket.

use std::sync::Arc;

use hopen_blocking::{ListenOptions, Listener, hopen};
use hopen_tls::ServerMode;

use super::serve;
use crate::conversation::end::{Ends, Opened, Opening, Transport};
use crate::conversation::fault::{Faults, Layer};
use crate::conversation::sockets::Sockets;
use crate::tls;

impl Transport for Sockets {
    fn name(&self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Tcps => "TLS",
            #[cfg(unix)]
            Self::Unix => "a Unix domain socket",
            #[cfg(unix)]
            Self::Unixs => "TLS on a Unix domain socket",
        }
    }

    fn connect(&self, opening: &Opening, faults: &Arc<Faults>) -> Ends {
        let faults = Arc::clone(faults);
        if let Opening::LogIn(_) = opening {
            return self.to_their_port(faults, |options| Opened::after(hopen(options)));
        }
        let mut options = ListenOptions::try_from("127.0.0.1:0W").expect("an address");
        if self.is_encrypted() {
            options.mode = ServerMode::Tls;
            options.tls = Some(tls::server());
        }
        let listener = Listener::bind(options).expect("a free port");
        let address = listener.local_addr().expect("an address");
        self.to_our_port(address, faults, |accepts| {
            Box::new(move |opening, config, timeout| {
                let channel = listener.accept().expect("the peer connects");
                accepts.send(()).expect("the peer waits");
                serve(channel, &opening, config, timeout)
            })
        })
    }

    fn layer(&self) -> Layer {
        Self::layer(*self)
    }
}

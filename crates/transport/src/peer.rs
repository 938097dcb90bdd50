//! Who is at the other end.

use std::net::SocketAddr;
use std::sync::Arc;

use hopen_tls::Session;

/// Who is at the other end.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Peer {
    /// Where it is, if it has an address.
    pub address: Option<SocketAddr>,
    /// What TLS's handshake has come to, if there was one.
    pub session: Option<Arc<Session>>,
}

impl Peer {
    /// Returns who is at an address, before TLS.
    pub const fn at(address: Option<SocketAddr>) -> Self {
        Self {
            address,
            session: None,
        }
    }
}

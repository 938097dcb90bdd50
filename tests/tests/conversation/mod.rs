//! Conversations as data, who has them, and over what: what the [list](../scenarios) of scenarios
//! and the [faults](../faults) share.

use self::async_std::Polled;
use blocking::Pipes;
use end::Transport;
use sockets::Sockets;

mod async_std;
mod blocking;
pub(crate) mod end;
pub(crate) mod fault;
mod memory;
pub(crate) mod program;
pub(crate) mod scenario;
mod sockets;
mod tls_peer;
pub(crate) mod whole;
pub(crate) mod wire;

/// What everything runs over.
pub(crate) const TRANSPORTS: &[&(dyn Transport + Sync)] = &[
    &Sockets::Tcp,
    &Pipes::Plain,
    #[cfg(unix)]
    &Sockets::Unix,
    &Sockets::Tcps,
    &Pipes::Encrypted,
    #[cfg(unix)]
    &Sockets::Unixs,
    &Pipes::Memory,
    &Polled(Sockets::Tcp),
    #[cfg(unix)]
    &async_std::Pipes::Plain,
    #[cfg(unix)]
    &Polled(Sockets::Unix),
    &Polled(Sockets::Tcps),
    #[cfg(unix)]
    &async_std::Pipes::Encrypted,
    #[cfg(unix)]
    &Polled(Sockets::Unixs),
    &async_std::Pipes::Memory,
    &async_std::Pipes::EncryptedMemory,
];

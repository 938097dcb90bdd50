//! Conversations as data, who has them, and over what: what the [list](../scenarios) of scenarios
//! and the [faults](../faults) share.

use blocking::{Pipes, Sockets};
use end::Transport;

mod blocking;
pub(crate) mod end;
pub(crate) mod fault;
pub(crate) mod program;
pub(crate) mod scenario;
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
];

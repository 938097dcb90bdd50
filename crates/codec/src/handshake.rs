//! The handshake: a login one way, one byte the other.
//!
//! ```text
//!  client                                        server
//!    | -- user:password, capability, NUL -------> |
//!    | <------- 1 byte: the common capability --- |   accepted
//!    |                                            |
//!    | <------- closes the connection ----------- |   refused
//! ```
//!
//! Described by [KX, IPC protocol, handshake](https://code.kx.com/q/basics/ipc/#handshake). Over
//! TLS it comes after TLS's own; on a Unix domain socket it is the same.
//!
//! A phase is a type and goes from one to the next by value. It takes its input from the front of
//! a [`BytesMut`](bytes::BytesMut), writes to an [`Outbox`](crate::outbox::Outbox) and does no
//! I/O; a time limit is the transport's to keep.

use core::{error, fmt};

mod client;

pub use client::ClientHandshake;

/// What a handshake has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a phase waits or is over; to match on in full"
)]
#[must_use = "it holds the handshake, or what came of it"]
pub enum Progress<S, T> {
    /// More bytes are needed; this phase takes them.
    NeedsInput(S),
    /// This phase is over.
    Done(T),
}

/// Why a handshake failed. The connection is to be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The login is longer than [`Limits::login`](crate::config::Limits::login). Of a client's
    /// own, nothing was written.
    LoginTooLong {
        /// Its length in bytes, with capability and NUL.
        length: usize,
        /// The longest that is accepted.
        limit: usize,
    },
    /// The credentials end in a control byte and no capability byte is to follow: a server would
    /// take it for the capability. Ours to correct; nothing was written.
    EndsInControlByte {
        /// The byte; below 0x20.
        byte: u8,
    },
    /// The server closed the connection instead of answering, which is how it refuses a login. It
    /// does not say why. q signals `access`.
    Access,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoginTooLong { length, limit } => {
                write!(f, "the login has {length} bytes; the limit is {limit}")
            }
            Self::EndsInControlByte { byte } => write!(
                f,
                "without a capability byte, the credentials cannot end in {byte:#04x}"
            ),
            Self::Access => f.write_str("access: the server refused the login"),
        }
    }
}

impl error::Error for HandshakeError {}

//! What can go wrong with a handle.

use core::convert::Infallible;
use core::fmt;
use std::io;

use hopen_codec::address::AddressError;
use hopen_codec::connection::{ProtocolError, SendError};
use hopen_codec::decode::DecodeError;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::remote_error::RemoteError;

/// What went wrong with a handle. `Display` says it in q's words where q has some.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is no handle of a process.
    Address(AddressError),
    /// The connection could not be made: `hop. OS reports: Connection refused`.
    Hop(io::Error),
    /// The server closed instead of accepting the login: `access`.
    Access,
    /// The login was not even sent, by a fault of ours.
    Login(HandshakeError),
    /// The time was over: `timeout`.
    Timeout(Phase),
    /// The other side signalled an error instead of answering; the handle goes on.
    Remote(RemoteError),
    /// The value cannot be sent to this peer; nothing was written, and the handle goes on.
    Send(SendError),
    /// What arrived is no value: `badmsg`; the handle goes on.
    BadMessage(DecodeError),
    /// The peer broke the protocol, or closed in the middle of something. The handle is over.
    Protocol(ProtocolError),
    /// More async messages came while a response was awaited than are kept. The handle is over.
    KeptAsyncs {
        /// The bytes of them that are kept at most.
        limit: usize,
    },
    /// Reading or writing failed. The handle is over.
    Io(io::Error),
    /// The peer closed the connection.
    Closed,
}

/// What was under way when the time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Connecting.
    Connect,
    /// Waiting for the answer to the login.
    Login,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => fmt::Display::fmt(error, f),
            Self::Hop(error) => write!(f, "hop. OS reports: {}", OsText(error)),
            Self::Access => f.write_str("access"),
            Self::Login(error) => fmt::Display::fmt(error, f),
            Self::Timeout(Phase::Connect) => f.write_str("timeout while connecting"),
            Self::Timeout(Phase::Login) => f.write_str("timeout while logging in"),
            Self::Remote(error) => fmt::Display::fmt(error, f),
            Self::Send(error) => fmt::Display::fmt(error, f),
            Self::BadMessage(error) => write!(f, "badmsg: {error}"),
            Self::Protocol(error) => fmt::Display::fmt(error, f),
            Self::KeptAsyncs { limit } => {
                write!(
                    f,
                    "more than {limit} bytes of async messages came before the response"
                )
            }
            Self::Io(error) => write!(f, "conn. OS reports: {}", OsText(error)),
            Self::Closed => f.write_str("close"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address(error) => Some(error),
            Self::Hop(error) | Self::Io(error) => Some(error),
            Self::Login(error) => Some(error),
            Self::Remote(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::BadMessage(error) => Some(error),
            Self::Protocol(error) => Some(error),
            Self::Access | Self::Timeout(_) | Self::KeptAsyncs { .. } | Self::Closed => None,
        }
    }
}

/// Prints an error as the system words it, without the number that Rust adds.
struct OsText<'a>(&'a io::Error);

impl fmt::Display for OsText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let number = self
            .0
            .raw_os_error()
            .map(|number| format!(" (os error {number})"));
        let words = number.and_then(|number| text.strip_suffix(&number));
        f.write_str(words.unwrap_or(&text))
    }
}

impl From<AddressError> for Error {
    fn from(error: AddressError) -> Self {
        Self::Address(error)
    }
}

impl From<HandshakeError> for Error {
    fn from(error: HandshakeError) -> Self {
        if error == HandshakeError::Access {
            Self::Access
        } else {
            Self::Login(error)
        }
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

//! What can go wrong with a handle.

use core::convert::Infallible;
use core::fmt;
use std::io;

use hopen_codec::address::AddressError;
use hopen_codec::backlog::BacklogFull;
use hopen_codec::connection::{ProtocolError, SendError};
use hopen_codec::decode::DecodeError;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::remote_error::RemoteError;

/// What went wrong with a handle. `Display` says it in q's words where q has some.
///
/// Each says whether the handle goes on. One that is over hands out with
/// [`recv`](crate::Handle::recv) what had arrived before; every other call gives
/// [`Closed`](Self::Closed).
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is no handle of a process. No handle was made.
    Address(AddressError),
    /// The connection could not be made: `hop. OS reports: Connection refused`. No handle was made.
    Hop(io::Error),
    /// The server closed instead of accepting the login: `access`. No handle was made.
    Access,
    /// The login was not even sent, by a fault of ours. No handle was made.
    Login(HandshakeError),
    /// The time-out passed: `timeout`. No handle was made.
    Timeout(Phase),
    /// The other side signalled an error instead of answering; the handle goes on.
    Remote(RemoteError),
    /// The value cannot be sent to this peer; nothing was written, and the handle goes on.
    Send(SendError),
    /// What arrived is no value: `badmsg`; the handle goes on.
    BadMessage(DecodeError),
    /// The peer broke the protocol, or closed in the middle of something. The handle is over.
    Protocol(ProtocolError),
    /// More async messages came while a response was awaited than are kept. The handle is over;
    /// those that were kept can still be received.
    KeptAsyncs {
        /// How many bytes of them are kept.
        limit: usize,
    },
    /// Reading or writing failed: `conn`. While a handle is opened, none was made; a handle that
    /// had been is over.
    Io(io::Error),
    /// The handle is closed, by the peer or by an earlier error: `close`.
    Closed,
}

/// What was under way when the time-out passed.
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
    /// Returns what is behind the error that is held here, whose text `Display` prints already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address(error) => error.source(),
            Self::Hop(error) | Self::Io(error) => error.source(),
            Self::Login(error) => error.source(),
            Self::Remote(error) => error.source(),
            Self::Send(error) => error.source(),
            Self::BadMessage(error) => error.source(),
            Self::Protocol(error) => error.source(),
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
        if let SendError::Failed(error) = error {
            Self::Protocol(error)
        } else {
            Self::Send(error)
        }
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<BacklogFull> for Error {
    fn from(BacklogFull { limit, .. }: BacklogFull) -> Self {
        Self::KeptAsyncs { limit }
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use hopen_codec::address::Address;
    use hopen_codec::byte_order::ByteOrder;
    use hopen_codec::config::Limits;
    use hopen_codec::encode::EncodeError;
    use hopen_codec::frame::FrameError;
    use hopen_codec::message::Body;

    use super::*;

    #[test]
    fn no_error_says_the_same_twice() {
        let nonsense = Body::from_bytes(b"\x03"[..].into(), ByteOrder::Little);
        let decode = nonsense.decode(&Limits::client()).unwrap_err();
        let frame = FrameError::UnknownKind { byte: 7 };
        let io = || io::Error::from_raw_os_error(32);
        for error in [
            Error::Address("localhost:1".parse::<Address>().unwrap_err()),
            Error::Hop(io()),
            Error::Hop(io::Error::other("our own words")),
            Error::Access,
            Error::Login(HandshakeError::EndsInControlByte { byte: 1 }),
            Error::Timeout(Phase::Login),
            Error::Remote(RemoteError::new("type").unwrap()),
            Error::Send(SendError::RequestOutstanding),
            Error::Send(SendError::Encode(EncodeError::Invalid(decode))),
            Error::Send(SendError::Failed(ProtocolError::Frame(frame))),
            Error::BadMessage(decode),
            Error::Protocol(ProtocolError::Frame(frame)),
            Error::KeptAsyncs { limit: 1 },
            Error::Io(io()),
            Error::Closed,
        ] {
            let mut texts = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                let text = error.to_string();
                assert!(!texts.contains(&text), "{texts}: {text}");
                texts = format!("{texts}: {text}");
                source = error.source();
            }
        }
    }

    #[test]
    fn a_connection_that_has_failed_is_no_fault_of_what_was_sent() {
        let error = ProtocolError::UnexpectedResponse;
        assert!(matches!(
            Error::from(SendError::Failed(error)),
            Error::Protocol(found) if found == error
        ));
    }
}

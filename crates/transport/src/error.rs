//! What can go wrong with a handle.

use core::convert::Infallible;
use core::fmt;
use std::io;

use hopen_codec::address::{AddressError, ListenAddressError};
use hopen_codec::connection::{ProtocolError, SendError};
use hopen_codec::decode::DecodeError;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::session::{Cause, NotSent};
use hopen_codec::tick::AnswerError;
use hopen_tls::{Mismatch, TlsError};

mod file;
mod pipe;

pub use file::{FileError, FileErrorKind};
pub use pipe::{PipeError, PipeErrorKind};

/// What went wrong with a handle. `Display` says it in q's words where q has some.
///
/// Each says whether the handle goes on. One that is over gives the same error again and again, but
/// `recv` hands out what had arrived before.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is no handle of a process. Nothing was opened.
    Address(AddressError),
    /// The text does not say what to listen on. Nothing was opened.
    Listen(ListenAddressError),
    /// There are no credentials to log in with: the function that was to make them failed. No handle
    /// was made.
    Credentials(Box<dyn std::error::Error + Send + Sync>),
    /// The connection could not be made: `hop. OS reports: Connection refused`. No handle was made.
    Hop {
        /// [`Phase::Lookup`] or [`Phase::Connect`].
        phase: Phase,
        /// What the system says.
        error: io::Error,
    },
    /// TLS: what it is told about it, a certificate that is refused, or what came is no TLS. While a
    /// handle is opened, none was made; a handle that had been is over.
    Tls {
        /// [`Phase::Tls`], or [`Phase::Use`] of a handle that had been.
        phase: Phase,
        /// What is wrong.
        error: TlsError,
    },
    /// A client that speaks TLS to a port that does not, or the other way round. It was closed.
    Mismatch(Mismatch),
    /// What a server was to listen on cannot be had. Nothing was opened.
    Bind {
        /// The port with its interfaces, or `uds` and a path.
        socket: Box<str>,
        /// What the system says.
        error: io::Error,
    },
    /// The server closed instead of accepting the login: `access`. No handle was made.
    Access,
    /// The login is none: of ours, and it was not sent, or of a client's. No handle was made.
    Login(HandshakeError),
    /// The time-out passed: `timeout`. The phase says what became of the handle.
    Timeout(Phase),
    /// The other side signalled an error, as the answer or as a message of its own; the handle goes
    /// on.
    Remote(RemoteError),
    /// The value cannot be sent to this peer, or not now; nothing was written, but for an error in
    /// place of an answer, and the handle goes on.
    Send(SendError),
    /// As much waits to go out as may wait: the peer reads more slowly than it is sent to. Nothing
    /// was taken; the handle goes on, but that of a server's client, which is cut off.
    QueueFull {
        /// How many bytes may wait:
        /// [`Limits::queue`](hopen_codec::config::Limits::queue).
        limit: usize,
    },
    /// What arrived is no value: `badmsg`; the handle goes on.
    BadMessage(DecodeError),
    /// What a subscription was answered by is no table; the handle goes on.
    NotSubscribed(AnswerError),
    /// The peer broke the protocol, or closed in the middle of something. The handle is over.
    Protocol(ProtocolError),
    /// More messages came while a response was awaited than are kept. The handle is over; those that
    /// were kept can still be received.
    KeptAsyncs {
        /// How many bytes are kept, beside the last message.
        limit: usize,
    },
    /// A one-shot was sent something else than its response first. It is over.
    ExpectedResponse,
    /// Whoever watches has refused a message, of which nothing was kept. The
    /// handle is over.
    Refused {
        /// Its length in bytes, as its header announced it.
        length: u64,
    },
    /// Reading or writing failed: `conn`. While a handle is opened, none was made; a handle that
    /// had been is over. A listener goes on.
    Io {
        /// What was under way.
        phase: Phase,
        /// What the system says.
        error: io::Error,
    },
    /// The other side has closed the handle, or its driver was dropped: `close`. The handle is over.
    Closed,
    /// The handle was closed on this side, through another clone of it: `Bad file descriptor`. It
    /// is over. Of a server's client also, that it is over already.
    BadHandle,
    /// A pipe could not be opened or read.
    Pipe(PipeError),
    /// A file could not be opened or appended to.
    File(FileError),
}

impl Error {
    /// Returns what was under way.
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Address(_) => Phase::Address,
            Self::Listen(_) | Self::Bind { .. } => Phase::Listen,
            Self::Credentials(_) => Phase::Credentials,
            Self::Mismatch(_) => Phase::Tls,
            Self::Pipe(PipeError {
                kind: PipeErrorKind::Open(_),
                ..
            })
            | Self::File(FileError {
                kind: FileErrorKind::Open(_) | FileErrorKind::Directory(_),
                ..
            }) => Phase::Open,
            Self::Access | Self::Login(_) => Phase::Login,
            Self::Hop { phase, .. }
            | Self::Tls { phase, .. }
            | Self::Timeout(phase)
            | Self::Io { phase, .. } => *phase,
            Self::Pipe(_)
            | Self::File(_)
            | Self::Remote(_)
            | Self::Send(_)
            | Self::QueueFull { .. }
            | Self::BadMessage(_)
            | Self::NotSubscribed(_)
            | Self::Protocol(_)
            | Self::KeptAsyncs { .. }
            | Self::ExpectedResponse
            | Self::Refused { .. }
            | Self::Closed
            | Self::BadHandle => Phase::Use,
        }
    }

    /// An error of a connection whose login is not over.
    pub const fn tls(error: TlsError) -> Self {
        Self::Tls {
            phase: Phase::Tls,
            error,
        }
    }

    /// An error of what is open.
    pub const fn io(error: io::Error) -> Self {
        Self::Io {
            phase: Phase::Use,
            error,
        }
    }

    /// An error of what is being connected.
    pub const fn hop(error: io::Error) -> Self {
        Self::Hop {
            phase: Phase::Connect,
            error,
        }
    }
}

impl Error {
    /// How many kinds there are.
    #[doc(hidden)]
    pub const KINDS: usize = 24;

    /// Numbers the errors, so that a transport's test can provoke every one: a new one does not
    /// compile before it is here.
    #[doc(hidden)]
    pub const fn kind(&self) -> usize {
        match self {
            Self::Address(_) => 0,
            Self::Listen(_) => 1,
            Self::Credentials(_) => 2,
            Self::Hop { .. } => 3,
            Self::Tls { .. } => 4,
            Self::Mismatch(_) => 5,
            Self::Bind { .. } => 6,
            Self::Access => 7,
            Self::Login(_) => 8,
            Self::Timeout(_) => 9,
            Self::Remote(_) => 10,
            Self::Send(_) => 11,
            Self::QueueFull { .. } => 12,
            Self::BadMessage(_) => 13,
            Self::Protocol(_) => 14,
            Self::KeptAsyncs { .. } => 15,
            Self::ExpectedResponse => 16,
            Self::Refused { .. } => 17,
            Self::Io { .. } => 18,
            Self::Closed => 19,
            Self::BadHandle => 20,
            Self::Pipe(_) => 21,
            Self::File(_) => 22,
            Self::NotSubscribed(_) => 23,
        }
    }
}

/// What was under way when something went wrong, or the time-out passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Reading the handle string. Nothing was opened.
    Address,
    /// Beginning to listen. Nothing was opened.
    Listen,
    /// Getting the credentials from the program's function. Nothing was opened.
    Credentials,
    /// Looking up the address of the host's name. No handle was made.
    Lookup,
    /// Opening a pipe or a file. No handle was made.
    Open,
    /// Connecting. No handle was made.
    Connect,
    /// Beginning TLS: reading certificates, or TLS's own handshake. No handle was made.
    Tls,
    /// Waiting for the login, or for the answer to it. No handle was made.
    Login,
    /// Waiting for the answers to earlier requests, one that was given up among them. Nothing was
    /// sent; the handle goes on.
    EarlierResponse,
    /// Waiting for the answer. It is given up: when it comes it is dropped, and no other request
    /// goes out before that. The handle goes on, unless its requests are
    /// [pipelined](hopen_codec::config::Requests::Pipelined).
    Response,
    /// Waiting for a message. The handle goes on.
    Message,
    /// Waiting for the other side to take what was sent, before closing. What it had not taken is
    /// lost; the handle is closed.
    Finish,
    /// Waiting for a client to take the answer that it has asked for. It took nothing of what was sent
    /// for so long (`server::ServerOptions::stall_timeout`) and was cut off; the handle is over.
    Answer,
    /// Waiting for the rest of a message that a client has begun, of which nothing came for as long. It
    /// was cut off; the handle is over.
    Rest,
    /// Using what is open.
    Use,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => fmt::Display::fmt(error, f),
            Self::Listen(error) => fmt::Display::fmt(error, f),
            Self::Credentials(error) => write!(f, "no credentials: {error}"),
            Self::Hop { error, .. } => write!(f, "hop. OS reports: {}", OsText(error)),
            Self::Tls {
                error: error @ TlsError::Rustls(_),
                ..
            } => fmt::Display::fmt(error, f),
            Self::Tls { error, .. } => write!(f, "TLS: {error}"),
            Self::Mismatch(mismatch) => fmt::Display::fmt(mismatch, f),
            Self::Bind { socket, error } => {
                write!(
                    f,
                    "cannot listen on {socket}. OS reports: {}",
                    OsText(error)
                )
            }
            Self::Access => f.write_str("access"),
            Self::Login(error) => fmt::Display::fmt(error, f),
            Self::Timeout(phase) => write!(f, "timeout while {phase}"),
            Self::Remote(error) => fmt::Display::fmt(error, f),
            Self::Send(error) => fmt::Display::fmt(error, f),
            Self::QueueFull { limit } => {
                write!(f, "more than {limit} bytes wait for the other side to read")
            }
            Self::BadMessage(error) => write!(f, "badmsg: {error}"),
            Self::NotSubscribed(error) => fmt::Display::fmt(error, f),
            Self::Protocol(error) => fmt::Display::fmt(error, f),
            Self::KeptAsyncs { limit } => {
                write!(
                    f,
                    "more than {limit} bytes of messages came before the response"
                )
            }
            Self::ExpectedResponse => f.write_str("expected response"),
            Self::Refused { length } => {
                write!(f, "a message of {length} bytes is not wanted here")
            }
            Self::Io {
                phase: Phase::Use,
                error,
            } => write!(f, "conn. OS reports: {}", OsText(error)),
            Self::Io { phase, error } => {
                write!(f, "conn. OS reports: {} while {phase}", OsText(error))
            }
            Self::Closed => f.write_str("close"),
            Self::BadHandle => f.write_str("Bad file descriptor"),
            Self::Pipe(error) => fmt::Display::fmt(error, f),
            Self::File(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl fmt::Display for Phase {
    /// As it follows "while".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "reading the handle",
            Self::Listen => "beginning to listen",
            Self::Credentials => "getting credentials",
            Self::Open => "opening",
            Self::Tls => "beginning TLS",
            Self::Use => "using the handle",
            Self::Lookup => "looking up the host",
            Self::Connect => "connecting",
            Self::Login => "logging in",
            Self::EarlierResponse => "waiting for an earlier response; nothing was sent",
            Self::Response => "waiting for the response",
            Self::Message => "waiting for a message",
            Self::Finish => "writing what was left to write",
            Self::Answer => "writing an answer",
            Self::Rest => "waiting for the rest of a message",
        })
    }
}

impl std::error::Error for Error {
    /// Returns what is behind the error that is held here, whose text `Display` prints already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address(error) => error.source(),
            Self::Listen(error) => error.source(),
            Self::Hop { error, .. } | Self::Io { error, .. } | Self::Bind { error, .. } => {
                error.source()
            }
            Self::Credentials(error) => error.source(),
            Self::Tls { error, .. } => error.source(),
            Self::Mismatch(error) => error.source(),
            Self::Login(error) => error.source(),
            Self::Remote(error) => error.source(),
            Self::Send(error) => error.source(),
            Self::BadMessage(error) => error.source(),
            Self::NotSubscribed(error) => error.source(),
            Self::Protocol(error) => error.source(),
            Self::Access
            | Self::Timeout(_)
            | Self::QueueFull { .. }
            | Self::KeptAsyncs { .. }
            | Self::ExpectedResponse
            | Self::Refused { .. }
            | Self::Closed
            | Self::BadHandle => None,
            Self::Pipe(error) => error.source(),
            Self::File(error) => error.source(),
        }
    }
}

/// Prints an error as the system words it, without the number that Rust adds.
#[expect(clippy::exhaustive_structs, reason = "it holds what it prints")]
#[derive(Debug)]
pub struct OsText<'a>(pub &'a io::Error);

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

impl From<ListenAddressError> for Error {
    fn from(error: ListenAddressError) -> Self {
        Self::Listen(error)
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

impl From<PipeError> for Error {
    fn from(error: PipeError) -> Self {
        Self::Pipe(error)
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// What can fail in a medium or stage, to be told to everybody who asks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Broken {
    /// Encrypting or decrypting failed.
    Tls(TlsError),
    /// The other side was cut off, as nothing came or went for too long.
    Stalled(Phase),
    /// Reading or writing failed.
    Io {
        /// What kind it is of.
        kind: io::ErrorKind,
        /// The system's number, where it is the system's error.
        number: Option<i32>,
        /// Its words, where they are not the system's.
        text: String,
    },
}

impl Broken {
    /// Keeps a failure of the system's, which cannot be cloned itself.
    pub fn io(error: &io::Error) -> Self {
        Self::Io {
            kind: error.kind(),
            number: error.raw_os_error(),
            text: error.to_string(),
        }
    }

    fn error(&self) -> Error {
        match self {
            Self::Tls(error) => Error::Tls {
                phase: Phase::Use,
                error: error.clone(),
            },
            Self::Stalled(phase) => Error::Timeout(*phase),
            Self::Io {
                number: Some(number),
                ..
            } => Error::io(io::Error::from_raw_os_error(*number)),
            Self::Io { kind, text, .. } => Error::io(io::Error::new(*kind, text.clone())),
        }
    }
}

impl From<&Cause<Broken>> for Error {
    fn from(cause: &Cause<Broken>) -> Self {
        match cause {
            Cause::Protocol(error) => Self::Protocol(*error),
            Cause::KeptAsyncs { limit } => Self::KeptAsyncs { limit: *limit },
            Cause::ExpectedResponse => Self::ExpectedResponse,
            Cause::Refused { length } => Self::Refused { length: *length },
            Cause::QueueFull { limit } => Self::QueueFull { limit: *limit },
            Cause::Medium(broken) => broken.error(),
            Cause::Closed => Self::Closed,
            Cause::BadHandle => Self::BadHandle,
        }
    }
}

impl From<NotSent<Broken>> for Error {
    fn from(error: NotSent<Broken>) -> Self {
        match error {
            NotSent::Over(cause) => Self::from(&cause),
            NotSent::Message(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use hopen_codec::address::{Address, ListenAddress};
    use hopen_codec::byte_order::ByteOrder;
    use hopen_codec::config::Limits;
    use hopen_codec::encode::EncodeError;
    use hopen_codec::frame::FrameError;
    use hopen_codec::gzip::GzipError;
    use hopen_codec::message::Body;
    use hopen_codec::tick::Schema;
    use hopen_codec::value::Value;

    use super::*;

    #[test]
    fn no_error_says_the_same_twice() {
        let nonsense = Body::from_bytes(b"\x03"[..].into(), ByteOrder::Little);
        let decode = nonsense.decode(&Limits::client()).unwrap_err();
        let frame = FrameError::UnknownKind { byte: 7 };
        let io = || io::Error::from_raw_os_error(32);
        let pipe = |kind| {
            Error::Pipe(PipeError {
                path: Some("p".into()),
                offset: 1,
                kind,
            })
        };
        let file = |kind| Error::File(FileError { path: None, kind });
        for error in [
            Error::Address("localhost:1".parse::<Address>().unwrap_err()),
            Error::Listen("localhost:".parse::<ListenAddress>().unwrap_err()),
            Error::Credentials("the token has expired".into()),
            Error::hop(io()),
            Error::hop(io::Error::other("our own words")),
            Error::tls(TlsError::NoTrust),
            Error::Mismatch(Mismatch::TlsToPlain),
            Error::Bind {
                socket: "uds /tmp/kx.5010".into(),
                error: io(),
            },
            Error::Access,
            Error::Login(HandshakeError::EndsInControlByte { byte: 1 }),
            Error::Timeout(Phase::Lookup),
            Error::Timeout(Phase::Connect),
            Error::Timeout(Phase::Tls),
            Error::Timeout(Phase::Login),
            Error::Timeout(Phase::EarlierResponse),
            Error::Timeout(Phase::Response),
            Error::Timeout(Phase::Message),
            Error::Timeout(Phase::Finish),
            Error::Timeout(Phase::Answer),
            Error::Timeout(Phase::Rest),
            Error::Remote(RemoteError::new("type").unwrap()),
            Error::Send(SendError::RequestOutstanding),
            Error::Send(SendError::Encode(EncodeError::Invalid(decode))),
            Error::Send(SendError::Failed(ProtocolError::Frame(frame))),
            Error::BadMessage(decode),
            Error::NotSubscribed(Schema::read_all(&Value::IDENTITY).unwrap_err()),
            Error::Protocol(ProtocolError::Frame(frame)),
            Error::KeptAsyncs { limit: 1 },
            Error::io(io()),
            Error::Io {
                phase: Phase::Login,
                error: io(),
            },
            Error::ExpectedResponse,
            Error::Refused { length: 1 },
            Error::QueueFull { limit: 1 },
            Error::Closed,
            Error::BadHandle,
            pipe(PipeErrorKind::Open(io())),
            pipe(PipeErrorKind::Read(io())),
            pipe(PipeErrorKind::Gzip(GzipError::Corrupt { offset: 1 })),
            pipe(PipeErrorKind::LineTooLong { limit: 1 }),
            pipe(PipeErrorKind::Frame(frame)),
            file(FileErrorKind::Directory(io())),
            file(FileErrorKind::Open(io())),
            file(FileErrorKind::Encode(EncodeError::TooManyParts)),
            file(FileErrorKind::Sync(io())),
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
    fn what_ended_a_handle_is_told_again_as_it_was() {
        for error in [
            io::Error::from_raw_os_error(32),
            io::Error::new(io::ErrorKind::BrokenPipe, "our own words"),
        ] {
            let cause = Cause::Medium(Broken::io(&error));
            for _ in 0..2 {
                let Error::Io { error: again, .. } = Error::from(&cause) else {
                    panic!("it was one of these")
                };
                assert_eq!(again.to_string(), error.to_string());
                assert_eq!(again.kind(), error.kind());
                assert_eq!(again.raw_os_error(), error.raw_os_error());
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

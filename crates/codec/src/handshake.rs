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
//! A phase is a type and goes from one to the next by value:
//!
//! ```text
//!  client   ClientHandshake ──────────────▶ Connection
//!  server   ServerHandshake ───▶ Login ───▶ Connection
//!                                ├──────╰──▶ refused: to be closed
//!                                ╰─▶ TextHandshake ─▶ Spoken     a line of qcon's, or a Login
//! ```
//!
//! It takes its input from the front of a [`BytesMut`](bytes::BytesMut), writes to an
//! [`Outbox`](crate::outbox::Outbox) and does no I/O; a time limit is the transport's to keep.
//!
//! Both ends in one process; what one writes is what the other reads:
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use hopen_codec::auth::Credentials;
//! use hopen_codec::config::{Capability, Config};
//! use hopen_codec::handshake::{ClientHandshake, Progress, ServerHandshake};
//! use hopen_codec::outbox::Outbox;
//!
//! let bob = Credentials::new("bob", "pw")?;
//! let mut config = Config::client();
//! config.capability = Capability::V3;
//! let mut outbox = Outbox::default();
//! let client = ClientHandshake::start(&bob, config, &mut outbox)?;
//!
//! let mut input = BytesMut::from(outbox.chunk());
//! outbox.clear();
//! let server = ServerHandshake::start(Config::server());
//! let Progress::Done(login) = server.receive(&mut input)? else {
//!     panic!("a login was written whole")
//! };
//! assert_eq!(login.credentials(), &bob);
//! let server = login.accept(&mut outbox);
//!
//! let mut input = BytesMut::from(outbox.chunk());
//! let Progress::Done(client) = client.receive(&mut input)? else {
//!     panic!("the answer is one byte")
//! };
//! assert_eq!(client.capability(), Capability::V3);
//! assert_eq!(server.capability(), Capability::V3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::{error, fmt};

mod client;
mod http;
mod server;
mod text;

pub use client::ClientHandshake;
pub use server::{Login, ServerHandshake};
pub use text::{Spoken, TextHandshake};

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
    /// own, nothing was written. On a server it is the peer's fault: no NUL came within the limit.
    LoginTooLong {
        /// Its length in bytes, with capability and NUL. A server does not wait for the end and
        /// knows the least that it can be: one more than the limit.
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
    /// The client closed the connection before its login was complete.
    LoginCutOff {
        /// How many bytes of it had come. None where somebody only looks whether the port is open.
        received: usize,
    },
    /// The client speaks HTTP, which is to be [answered](Self::answer).
    Http,
    /// The line of text behind the login is longer than
    /// [`Limits::login`](crate::config::Limits::login).
    TextTooLong {
        /// The longest that is accepted, in bytes, with its NUL.
        limit: usize,
    },
    /// The client sent no more before its line of text was complete.
    TextCutOff {
        /// How many bytes of it had come.
        received: usize,
    },
}

impl HandshakeError {
    /// Returns what a server is to write before it closes: to an HTTP request its status, and to all
    /// others nothing.
    pub const fn answer(&self) -> &'static [u8] {
        match self {
            Self::Http => http::NOT_IMPLEMENTED,
            Self::LoginTooLong { .. }
            | Self::EndsInControlByte { .. }
            | Self::Access
            | Self::LoginCutOff { .. }
            | Self::TextTooLong { .. }
            | Self::TextCutOff { .. } => b"",
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoginTooLong { length, limit } => {
                write!(
                    f,
                    "the login has {length} bytes or more; the limit is {limit}"
                )
            }
            Self::EndsInControlByte { byte } => write!(
                f,
                "without a capability byte, the credentials cannot end in {byte:#04x}"
            ),
            Self::Access => f.write_str("access: the server refused the login"),
            Self::LoginCutOff { received } => write!(
                f,
                "the client closed after {received} bytes of a login without its end"
            ),
            Self::Http => f.write_str("the client speaks HTTP"),
            Self::TextTooLong { limit } => {
                write!(f, "the line of text is longer than {limit} bytes")
            }
            Self::TextCutOff { received } => write!(
                f,
                "the client closed after {received} bytes of a line without its end"
            ),
        }
    }
}

impl error::Error for HandshakeError {}

#[cfg(test)]
mod tests {
    use bytes::{Buf, BytesMut};
    use proptest::prelude::*;

    use super::*;
    use crate::auth::Credentials;
    use crate::config::{Capability, Config};
    use crate::connection::Connection;
    use crate::outbox::Outbox;
    use crate::strategy;

    proptest! {
        #[test]
        fn both_ends_agree_whatever_they_offer(credentials in strategy::credentials()) {
            for offered in 0..=6 {
                for ours in 0..=6 {
                    check(&credentials, offered, ours)?;
                }
            }
        }
    }

    #[test]
    fn errors_tell_sizes() {
        for (error, says) in [
            (
                HandshakeError::LoginTooLong {
                    length: 101,
                    limit: 100,
                },
                "the login has 101 bytes or more; the limit is 100",
            ),
            (
                HandshakeError::LoginCutOff { received: 8 },
                "the client closed after 8 bytes of a login without its end",
            ),
        ] {
            assert_eq!(error.to_string(), says);
        }
    }

    fn check(credentials: &Credentials, offered: u8, ours: u8) -> Result<(), TestCaseError> {
        let common = offered.min(ours);
        let mut outbox = Outbox::default();
        let client = match ClientHandshake::start(credentials, config(offered), &mut outbox) {
            Ok(client) => client,
            Err(error) => {
                let byte = credentials.last_byte().unwrap_or(b' ');
                prop_assert_eq!(error, HandshakeError::EndsInControlByte { byte });
                prop_assert!(offered == 0 && byte < 0x20);
                return Ok(());
            }
        };

        let login = done(ServerHandshake::start(config(ours)).receive(&mut wire(&mut outbox)));
        prop_assert_eq!(login.credentials(), credentials);
        prop_assert_eq!(login.capability().number(), common);
        let server = login.clone().accept(&mut outbox);
        prop_assert_eq!(outbox.chunk(), [common]);

        let refused = client.clone();
        let client: Connection = done(client.receive(&mut wire(&mut outbox)));
        prop_assert_eq!(client.capability().number(), common);
        prop_assert_eq!(server.capability(), client.capability());

        login.refuse();
        prop_assert_eq!(refused.receive_eof(), HandshakeError::Access);
        Ok(())
    }

    /// What was written, as it arrives at the other end.
    fn wire(outbox: &mut Outbox) -> BytesMut {
        let mut wire = BytesMut::new();
        wire.extend_from_slice(&outbox.copy_to_bytes(outbox.remaining()));
        wire
    }

    fn done<S, T>(progress: Result<Progress<S, T>, HandshakeError>) -> T {
        match progress {
            Ok(Progress::Done(done)) => done,
            Ok(Progress::NeedsInput(_)) => panic!("everything has come"),
            Err(error) => panic!("{error}"),
        }
    }

    fn config(capability: u8) -> Config {
        let mut config = Config::server();
        config.capability = Capability::new(capability).unwrap();
        config
    }
}

//! What every transport of hopen needs and none does differently: what does not wait.
//!
//! ```text
//!  callers ──▶ State ── Session ── outbox ──▶ Stage ──▶ medium: the transport's own
//!                           ▲                   │
//!                           └───── Intake ◀─────┘
//! ```
//!
//! [`hopen_codec::session`] decides what goes when. [`Stage`] encrypts between it and the medium,
//! and [`State`] is both together. [`Options`] are what a handle is opened with, and [`Error`] is
//! what can go wrong: the same on each transport, which re-exports them. Programs name them there.
//!
//! [`pipe`] makes lines and messages of what comes through a pipe.
//!
//! Between them is no I/O. Files are std's own: [`FileHandle`] writes to one, which waits for a disk and
//! for no peer, and an async transport has a thread do it. [`ListenOptions::bind`] makes std's sockets that listen, which takes no
//! waiting, and `unix_socket` knows the names under which q's processes have one beside their port.
//! Waiting for either is the transport's, which has its own way to wait.
//!
//! A transport writes what [`State::write`] hands to it, reads into [`State::buffer`] until
//! [`State::receive`] has a message, and waits:
//!
//! ```
//! use std::io::{self, Write};
//!
//! use bytes::{Buf, BytesMut};
//! use hopen_codec::auth::Credentials;
//! use hopen_codec::config::Config;
//! use hopen_codec::handshake::{ClientHandshake, Progress};
//! use hopen_codec::outbox::Outbox;
//! use hopen_codec::session::Role;
//! use hopen_transport::{Intake, Stage, State};
//!
//! let nobody = Credentials::default();
//! let handshake = ClientHandshake::start(&nobody, Config::client(), &mut Outbox::default())?;
//! let Progress::Done(connection) = handshake.receive(&mut BytesMut::from(&b"\x03"[..]))? else {
//!     panic!("more than a byte is not needed")
//! };
//! let mut state = State::new(connection, Stage::Plain, Role::Client);
//! let question = state.session.queue_up();
//! assert!(state.session.ask(question, &"2+3".into()).is_some());
//!
//! let mut medium = Vec::new();
//! state.write(|| true, |wire| {
//!     let count = medium.write(wire.chunk())?;
//!     wire.advance(count);
//!     Ok::<_, io::Error>(count)
//! });
//! assert!(medium.ends_with(b"2+3"));
//!
//! let mut intake = Intake::default();
//! assert!(!state.receive(&mut intake)); // more has to be read
//! let (buffer, _room) = state.buffer(&mut intake);
//! buffer.extend_from_slice(b"\x01\x02\0\0\x11\0\0\0\xf9\x05\0\0\0\0\0\0\0");
//! intake.has_come(17);
//! assert!(state.receive(&mut intake));
//! assert!(state.session.take_response(question).is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod deadline;
mod error;
mod file;
mod listen;
mod opening;
mod options;
mod peer;
pub mod pipe;
pub mod server;
mod stage;
mod standstill;
mod state;
pub mod subscription;
#[cfg(unix)]
pub mod unix_socket;

pub use deadline::Deadline;
pub use error::{Broken, Error, FileError, FileErrorKind, OsText, Phase, PipeError, PipeErrorKind};
pub use file::{FileHandle, lines};
pub use listen::{Accepts, Bound, LOGIN_TIMEOUT, ListenOptions, UnixSocket, is_gone};
pub use opening::{AwaitText, Dialogue, LogIn, Opening, ReceiveLogin, StartTls, Step};
pub use options::Options;
pub use peer::Peer;
pub use stage::{Intake, LITTLE, Stage, Tls};
pub use standstill::Standstill;
pub use state::State;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hopen_tls::{Client, Server, Settings, VerifyServer};

    /// Returns a client that trusts everybody, and a server.
    pub(crate) fn identity() -> (Client, Server) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tls/tests/fixtures");
        let mut settings = Settings::default();
        settings.certificate_file = Some(fixtures.join("server.pem"));
        settings.key_file = Some(fixtures.join("server-key.pem"));
        let server = Server::new(&settings).expect("the files are there");
        let mut settings = Settings::default();
        settings.verify_server = VerifyServer::Off;
        let client = Client::new(&settings).expect("nothing is wrong with it");
        (client, server)
    }
}

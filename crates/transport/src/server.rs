//! What the server roles of all transports have in common: who their clients are and what is sent to
//! them, without a way to wait.
//!
//! ```text
//!  a transport's session ── Answer ──▶ the client
//!  any thread or task ── Client, Reply, broadcast ──▶ Line: queued, and written by the transport
//! ```
//!
//! A transport's server lets clients log in as [`ServerOptions`] and its handler's [`Decision`] say,
//! gives what they send to the handler, and implements [`Line`] for its connections. Programs name all
//! of this by the transport's module `server`.
//!
//! ```
//! use hopen_codec::auth::{Credentials, PasswordFile};
//! use hopen_transport::server::{Passwords, Places, ServerOptions};
//!
//! let mut options = ServerOptions::default();
//! options.passwords = Some(Passwords::new(PasswordFile::parse(b"ann:secret\n")?));
//! options.connections = 1;
//!
//! let mut places = Places::default();
//! let number = places.take("a connection", options.connections).expect("the first of one");
//! assert_eq!(places.take("another", options.connections), None);
//! places.give_back(number);
//! # Ok::<(), hopen_codec::auth::PasswordFileError>(())
//! ```

use core::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hopen_codec::connection::Ticket;
use hopen_codec::decode::DecodeError;
use hopen_codec::frame::FrameError;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::session::Cause;
use hopen_codec::value::Value;

use crate::{Broken, Error};

mod broadcast;
mod client;
mod names;
mod options;
mod passwords;
mod places;
mod reply;

pub use broadcast::{BroadcastError, broadcast};
pub use client::Client;
pub use names::{Name, User};
pub use options::{ServerOptions, TextProtocol};
pub use passwords::Passwords;
pub use places::Places;
pub use reply::{Answer, Reply};

/// A client's connection, as any thread or task sees it. Nothing here waits: what does not go at once
/// is queued, and written as soon as the client reads, whatever its connection does meanwhile.
pub trait Line: Send + Sync {
    /// Sends an async message.
    ///
    /// # Errors
    ///
    /// [`Error::QueueFull`] where too much waits already: the client is cut off; what has ended the
    /// connection, and [`Error::Send`].
    fn push(self: Arc<Self>, body: &Body) -> Result<(), Error>;

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push). Where the answer cannot be sent, an error has taken its place.
    fn push_response(
        self: Arc<Self>,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
    ) -> Result<(), Error>;

    /// Closes the connection. What waits to go out is dropped; returns how many bytes that were.
    fn close(&self) -> usize;

    /// Returns how many bytes wait to go out, answers that wait for their turn among them.
    fn queued(&self) -> usize;

    /// Takes in nothing more but what has arrived, so that whoever serves the client comes to an end.
    fn stop_reading(&self);

    /// Ends the connection for a reason of this side's, and drops what waits to go out.
    fn cut_off(&self, cause: Cause<Broken>);
}

/// Whether a client may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it may or it may not")]
pub enum Decision {
    /// It may.
    Accept,
    /// It may not, and is closed without an answer.
    Refuse,
}

/// A message that is none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BadMessage {
    /// What should be its header is none. Nothing of it is kept.
    Header(FrameError),
    /// Its body is no value.
    Body {
        /// What came behind the header.
        body: Body,
        /// What is wrong with it, and where.
        error: DecodeError,
    },
}

/// Calls what the program has written, and returns `None` where it panics, which is logged.
///
/// What the program shares between calls is behind its own locks, which say by themselves that a
/// thread has panicked.
pub fn guarded<T>(name: &dyn fmt::Display, what: &str, call: impl FnOnce() -> T) -> Option<T> {
    let called = catch_unwind(AssertUnwindSafe(call));
    if called.is_err() {
        log::error!("{name}: {what} has panicked");
    }
    called.ok()
}

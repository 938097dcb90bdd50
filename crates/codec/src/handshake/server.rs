//! The server's side of the handshake.
//!
//! ```text
//!   62 6f 62 3a 70 77 06 00     "bob:pw", capability 6, NUL: what the client sends
//!   ╰─────┬─────────╯ │  ╰─     ends the login; what follows is the first message
//!         │           ╰────     the capability, where it is below 0x20
//!         ╰────────────────     the user, up to the first colon, and the password
//!   06                          the answer: the lower of both capabilities
//! ```
//!
//! A client of kdb+ 2.5 sends no capability byte: `62 6f 62 3a 70 77 00`. That is capability 0, and
//! answered like any other. The last byte before the NUL tells, as it is no control byte there.
//!
//! Whether to let the client in is decided between two calls, by whatever it takes: a password
//! file, a question to another host. There is no callback, and nothing is answered before.
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use hopen_codec::config::{Capability, Config};
//! use hopen_codec::handshake::{Progress, ServerHandshake};
//! use hopen_codec::outbox::Outbox;
//!
//! let server = ServerHandshake::start(Config::server());
//! let mut input = BytesMut::from(&b"bob:pw\x03\0"[..]); // was read
//! let Progress::Done(login) = server.receive(&mut input)? else {
//!     panic!("the login is complete")
//! };
//! assert_eq!(login.credentials().user(), b"bob");
//! assert_eq!(login.credentials().password().expect("there is one").expose(), b"pw");
//!
//! let mut outbox = Outbox::default();
//! let connection = login.accept(&mut outbox); // or login.refuse()
//! assert_eq!(connection.capability(), Capability::V3);
//! assert_eq!(outbox.chunk(), b"\x03"); // to be written
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What else arrives at such a port
//!
//! q serves HTTP, WebSockets and TLS at the same port, and a text protocol of its own. An HTTP
//! request is known by its method, and an [error](HandshakeError::Http). The text of qcon follows a
//! login without a capability byte: see [`Login::await_text`]. The hello of TLS, `16 03 01` and two
//! bytes of length, has a NUL among its first seven bytes: a login whose user starts with `16 03`.

use bytes::{Buf, BytesMut};
use zeroize::Zeroize;

use super::{HandshakeError, Progress, TextHandshake, http};
use crate::auth::Credentials;
use crate::config::{Capability, Config};
use crate::connection::Connection;
use crate::frame::room;
use crate::nul;
use crate::outbox::Outbox;

/// A server that waits for a login.
///
/// [`start`](Self::start) it. Then [`make_room`](Self::make_room), read, and
/// [`receive`](Self::receive) until that is done, always with the same input;
/// [`receive_eof`](Self::receive_eof) if the client closes before.
///
/// The login holds a password. What of it was in the input is overwritten when it was taken, when
/// it turns out to be too long, and when the input moves to a larger buffer. A login that the
/// transport does not wait for to the end is still in the input, which is the transport's to
/// overwrite.
#[derive(Clone, Debug)]
#[must_use = "the client's login is to be received"]
pub struct ServerHandshake {
    config: Config,
    /// How many bytes of the input are known to hold no NUL.
    searched: usize,
}

impl ServerHandshake {
    /// Starts to wait for a login of at most [`Limits::login`](crate::config::Limits::login) bytes,
    /// capability and NUL included. `config` is that of the [`Connection`] which may come of it.
    pub fn start(config: Config) -> Self {
        Self {
            config,
            searched: 0,
        }
    }

    /// Makes room at the end of `input` and returns how many bytes to try to read into it: at least
    /// one, and never more than the longest login still needs.
    ///
    /// The buffer is what small messages share later; a longer login doubles it when it is full.
    pub fn make_room(&self, input: &mut BytesMut) -> usize {
        room_within(self.config.limits.login, input)
    }

    /// Takes the login, up to and with the first NUL, from the front of `input`. What is behind it
    /// stays there: a client may send its first message without waiting for the answer.
    ///
    /// # Errors
    ///
    /// [`LoginTooLong`](HandshakeError::LoginTooLong), as soon as the NUL cannot come within the
    /// limit any more, and [`Http`](HandshakeError::Http), as soon as the method is there. The input
    /// is empty then.
    pub fn receive(
        mut self,
        input: &mut BytesMut,
    ) -> Result<Progress<Self, Login>, HandshakeError> {
        let limit = self.config.limits.login;
        let arrived = input.len().min(limit);
        if http::is_request(&input[..arrived]) {
            wipe(input);
            return Err(HandshakeError::Http);
        }
        let searched = self.searched.min(arrived);
        let Some(found) = nul::find(&input[searched..arrived]) else {
            if arrived < limit {
                self.searched = arrived;
                return Ok(Progress::NeedsInput(self));
            }
            wipe(input);
            let length = limit.saturating_add(1);
            return Err(HandshakeError::LoginTooLong { length, limit });
        };

        let nul = searched + found;
        let (credentials, theirs) = take(&mut input[..nul]);
        input.advance(nul + 1);
        Ok(Progress::Done(Login {
            offered: theirs,
            config: self.config,
            credentials,
        }))
    }

    /// Returns the error to report when the client closed, with what is left in `input`, before its
    /// login was complete.
    pub fn receive_eof(self, input: &BytesMut) -> HandshakeError {
        HandshakeError::LoginCutOff {
            received: input.len(),
        }
    }
}

/// A client that has sent its login and waits for the answer: [`accept`](Self::accept) it or
/// [`refuse`](Self::refuse) it.
#[derive(Clone, Debug)]
#[must_use = "the client waits to be accepted or refused"]
pub struct Login {
    config: Config,
    credentials: Credentials,
    offered: Option<Capability>,
}

impl Login {
    /// Returns as whom the client logs in.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns the capability in common: the lower of the client's and the one in our [`Config`].
    pub fn capability(&self) -> Capability {
        self.offered
            .unwrap_or(Capability::V0)
            .min(self.config.capability)
    }

    /// Returns the capability that the client offers; `None` of one that sends no such byte: a client
    /// of kdb+ 2.5, or qcon.
    pub const fn offered(&self) -> Option<Capability> {
        self.offered
    }

    /// Returns what was said of the connection that may come of it.
    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// Waits for what follows, for a server that answers qcon as well: text, or messages.
    pub const fn await_text(self) -> TextHandshake {
        TextHandshake::start(self)
    }

    /// Writes the answer, one byte: the capability in common.
    pub fn accept(self, outbox: &mut Outbox) -> Connection {
        let capability = self.capability();
        outbox.put_slice(&[capability.number()]);
        Connection::new(self.config, capability)
    }

    /// Refuses the client. That is to close the connection, which is the transport's to do: nothing
    /// is written, as any byte would be taken for an acceptance, and no reason is told.
    pub fn refuse(self) {}
}

/// Takes credentials and capability out of a login without its NUL, and overwrites it.
fn take(login: &mut [u8]) -> (Credentials, Option<Capability>) {
    let (credentials, capability) = match &*login {
        [credentials @ .., byte @ ..0x20] => (credentials, Some(Capability::from_wire(*byte))),
        credentials => (credentials, None),
    };
    let credentials = Credentials::parse(credentials).expect("a login ends at its first NUL");
    login.zeroize();
    (credentials, capability)
}

/// Overwrites and drops what has come.
fn wipe(input: &mut BytesMut) {
    input.zeroize();
    input.clear();
}

/// Makes room for what is at most `limit` bytes long, and returns how many to try to read.
pub(super) fn room_within(limit: usize, input: &mut BytesMut) -> usize {
    if input.len() == input.capacity() {
        let capacity = input.len() + input.len().max(room::SHARED);
        *input = moved(input, capacity);
    }
    let missing = limit.saturating_sub(input.len()).max(1);
    missing.min(input.capacity() - input.len())
}

/// Copies a part of a login to a new buffer, and overwrites it where it was.
fn moved(part: &mut [u8], capacity: usize) -> BytesMut {
    let mut new = BytesMut::with_capacity(capacity);
    new.extend_from_slice(part);
    part.zeroize();
    new
}

#[cfg(test)]
mod tests;

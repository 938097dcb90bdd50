//! The text protocol of qcon, KX's command-line client, at the same port.
//!
//! ```text
//!   ann:pw 00   2+3 00   end             what it sends, without waiting in between
//!   ╰──┬─╯      ╰┬╯      ╰─              and shuts down its half of the connection
//!      │         ╰───                    a line, as it was typed
//!      ╰─────────────                    a login without a capability byte
//!   "5\n"                                the answer as a console shows it, and a close
//! ```
//!
//! Observed with qcon; in q such a line goes to `.z.pq`. A client of kdb+ 2.5 sends the same login and
//! then waits to be let in. What tells them apart is what follows:
//!
//! | behind the login | the client |
//! | --- | --- |
//! | nothing, and it waits | of kdb+ 2.5: [`nothing_came`](TextHandshake::nothing_came) |
//! | `01`, or `00` and more | of kdb+ 2.5, which sends its first message at once |
//! | `00` and the end | qcon, with a blank line |
//! | anything else | qcon |
//!
//! How long to wait for something is the transport's to say. qcon waits for nothing, so what has not
//! come after a second is not on its way.
//!
//! ```
//! use bytes::BytesMut;
//! use hopen_codec::config::Config;
//! use hopen_codec::handshake::{Progress, ServerHandshake, Spoken};
//!
//! let mut input = BytesMut::from(&b"ann:pw\x002+3\0"[..]);
//! let Progress::Done(login) = ServerHandshake::start(Config::server()).receive(&mut input)? else {
//!     panic!("the login is complete")
//! };
//! assert_eq!(login.offered(), None); // else it is none of qcon's
//! let Progress::Done(Spoken::Text(login, line)) = login.await_text().receive(&mut input)? else {
//!     panic!("the line is complete")
//! };
//! assert_eq!((login.credentials().user(), &line[..]), (&b"ann"[..], &b"2+3"[..]));
//! # Ok::<(), hopen_codec::handshake::HandshakeError>(())
//! ```

use bytes::{Buf, Bytes, BytesMut};

use super::server::room_within;
use super::{HandshakeError, Login, Progress};
use crate::nul;

/// A server that waits for what follows a login: text, or messages. Made by [`Login::await_text`].
///
/// [`make_room`](Self::make_room), read, and [`receive`](Self::receive) until that is done, always
/// with the same input; [`receive_eof`](Self::receive_eof) if the client closes its half before.
#[derive(Clone, Debug)]
#[must_use = "what the client sends is to be received"]
pub struct TextHandshake {
    login: Login,
    /// How many bytes of the input are known to hold no NUL.
    searched: usize,
}

/// What a client speaks, and its login.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "one or the other; to match on in full"
)]
pub enum Spoken {
    /// Messages: it waits to be let in.
    Messages(Login),
    /// Text, as qcon does: the line, without its NUL. It is to be answered by text, and closed; to
    /// [accept](Login::accept) the login would put a byte before that.
    Text(Login, Bytes),
}

impl TextHandshake {
    pub(super) const fn start(login: Login) -> Self {
        Self { login, searched: 0 }
    }

    /// Makes room at the end of `input` and returns how many bytes to try to read into it: at least
    /// one, and never more than the longest line still needs.
    pub fn make_room(&self, input: &mut BytesMut) -> usize {
        room_within(self.limit(), input)
    }

    /// Looks at what has come, and takes a line, with its NUL, from the front of `input`. What is
    /// behind it stays there, and is none of qcon's. Of a login with a capability byte messages
    /// follow, whatever comes.
    ///
    /// # Errors
    ///
    /// [`TextTooLong`](HandshakeError::TextTooLong), as soon as the NUL cannot come within
    /// [`Limits::login`](crate::config::Limits::login) bytes.
    pub fn receive(
        mut self,
        input: &mut BytesMut,
    ) -> Result<Progress<Self, Spoken>, HandshakeError> {
        match (self.login.offered(), &input[..]) {
            (None, [] | [0]) => return Ok(Progress::NeedsInput(self)),
            (Some(_), _) | (None, [0 | 1, ..]) => {
                return Ok(Progress::Done(Spoken::Messages(self.login)));
            }
            (None, _) => {}
        }
        let limit = self.limit();
        let arrived = input.len().min(limit);
        let searched = self.searched.min(arrived);
        let Some(found) = nul::find(&input[searched..arrived]) else {
            if arrived < limit {
                self.searched = arrived;
                return Ok(Progress::NeedsInput(self));
            }
            return Err(HandshakeError::TextTooLong { limit });
        };
        let line = input.split_to(searched + found).freeze();
        input.advance(1);
        Ok(Progress::Done(Spoken::Text(self.login, line)))
    }

    /// Is told that the client sends no more, with what is left in `input`.
    ///
    /// # Errors
    ///
    /// [`LoginCutOff`](HandshakeError::LoginCutOff) where nothing had come: the client is gone, and
    /// [`TextCutOff`](HandshakeError::TextCutOff) in the middle of a line.
    pub fn receive_eof(self, input: &mut BytesMut) -> Result<Spoken, HandshakeError> {
        match input.len() {
            1 if input[..] == [0] => {
                input.clear();
                Ok(Spoken::Text(self.login, Bytes::new()))
            }
            0 => Err(HandshakeError::LoginCutOff { received: 0 }),
            received => Err(HandshakeError::TextCutOff { received }),
        }
    }

    /// Is told that nothing has come for as long as the transport waits: the client waits as well,
    /// to be let in.
    pub fn nothing_came(self) -> Login {
        self.login
    }

    const fn limit(&self) -> usize {
        self.login.config().limits.login
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Capability, Config};
    use crate::handshake::ServerHandshake;

    proptest! {
        #[test]
        fn what_follows_a_login_is_the_same_in_any_pieces(
            wire in prop::collection::vec(prop_oneof![0..3_u8, any::<u8>()], 0..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
            cuts.sort_unstable();
            prop_assert_eq!(spoken(&wire, &cuts), spoken(&wire, &[]));
        }
    }

    #[test]
    fn a_line_comes_in_pieces_of_any_size() {
        for wire in [&b"qcon\x002+3\0"[..], b"qcon:pw\0a b\xff\0", b":\0x\0"] {
            let (login, mut input) = logged_in(wire, 100);
            let line = input.clone();
            for length in 0..line.len() {
                let mut input = BytesMut::from(&line[..length]);
                let waiting = needs_input(login.clone().await_text().receive(&mut input));
                assert_eq!(input, line[..length]);
                assert!(waiting.make_room(&mut input) >= line.len() - length);
                input.extend_from_slice(&line[length..]);
                let (_, text) = text(waiting.receive(&mut input));
                assert_eq!(text, line[..line.len() - 1]);
                assert!(input.is_empty());
            }
            input.extend_from_slice(b"more");
            let (_, text) = text(login.await_text().receive(&mut input));
            assert_eq!((text.len() + 1, &input[..]), (line.len(), &b"more"[..]));
        }
    }

    #[test]
    fn a_blank_line_is_told_from_a_message_by_the_end() {
        let (login, mut input) = logged_in(b"qcon\0\0", 100);
        let waiting = needs_input(login.clone().await_text().receive(&mut input));
        let Ok(Spoken::Text(_, line)) = waiting.receive_eof(&mut input) else {
            panic!("a blank line")
        };
        assert!(line.is_empty() && input.is_empty());
        for message in [&b"\0\x01"[..], b"\x01"] {
            let mut input = BytesMut::from(message);
            let spoken = login.clone().await_text().receive(&mut input);
            assert!(matches!(spoken, Ok(Progress::Done(Spoken::Messages(_)))));
            assert_eq!(input, message);
        }
    }

    #[test]
    fn who_offers_a_capability_speaks_messages() {
        let (login, mut input) = logged_in(b"ann\x03\0abc\0", 100);
        assert_eq!(login.offered(), Some(Capability::V3));
        let spoken = login.await_text().receive(&mut input);
        assert!(matches!(spoken, Ok(Progress::Done(Spoken::Messages(_)))));
    }

    #[test]
    fn who_says_nothing_waits_to_be_let_in() {
        let (login, mut input) = logged_in(b"ann:pw\0", 100);
        let waiting = needs_input(login.await_text().receive(&mut input));
        assert_eq!(waiting.clone().nothing_came().credentials().user(), b"ann");
        let gone = waiting.receive_eof(&mut input).unwrap_err();
        assert_eq!(gone, HandshakeError::LoginCutOff { received: 0 });
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let limit = 8;
        let (login, _) = logged_in(b"ann\0", limit);
        let mut fits = BytesMut::from(&b"1234567\0"[..]);
        assert_eq!(
            text(login.clone().await_text().receive(&mut fits)).1.len(),
            7
        );
        let waiting = login.clone().await_text();
        let waiting = needs_input(waiting.receive(&mut BytesMut::from(&b"1234567"[..])));
        let error = waiting.receive(&mut BytesMut::from(&b"12345678\0"[..]));
        assert_eq!(error.unwrap_err(), HandshakeError::TextTooLong { limit });
        let cut_off = login.await_text().receive_eof(&mut BytesMut::from("123"));
        assert_eq!(
            cut_off.unwrap_err(),
            HandshakeError::TextCutOff { received: 3 }
        );
    }

    /// Returns what a client speaks of whom this follows the login, cut at these places: `None` is
    /// messages; and what is left of it.
    fn spoken(wire: &[u8], cuts: &[usize]) -> (Result<Option<Bytes>, HandshakeError>, Vec<u8>) {
        let (login, mut input) = logged_in(b"ann\0", 8);
        let mut waiting = login.await_text();
        let mut start = 0;
        for &end in cuts.iter().chain([&wire.len()]) {
            input.extend_from_slice(&wire[start..end]);
            start = end;
            let left = |input: &[u8]| [input, &wire[end..]].concat();
            waiting = match waiting.receive(&mut input) {
                Ok(Progress::NeedsInput(waiting)) => waiting,
                Ok(Progress::Done(Spoken::Messages(_))) => return (Ok(None), left(&input)),
                Ok(Progress::Done(Spoken::Text(_, line))) => return (Ok(Some(line)), left(&input)),
                Err(error) => return (Err(error), left(&input)),
            };
        }
        let spoken = waiting.receive_eof(&mut input).map(|spoken| match spoken {
            Spoken::Messages(_) => None,
            Spoken::Text(_, line) => Some(line),
        });
        (spoken, input.to_vec())
    }

    /// Returns a login and what follows it.
    fn logged_in(wire: &[u8], limit: usize) -> (Login, BytesMut) {
        let mut config = Config::server();
        config.limits.login = limit;
        let mut input = BytesMut::from(wire);
        let Ok(Progress::Done(login)) = ServerHandshake::start(config).receive(&mut input) else {
            panic!("a login")
        };
        (login, input)
    }

    fn needs_input(
        progress: Result<Progress<TextHandshake, Spoken>, HandshakeError>,
    ) -> TextHandshake {
        let Ok(Progress::NeedsInput(waiting)) = progress else {
            panic!("more is needed")
        };
        waiting
    }

    fn text(progress: Result<Progress<TextHandshake, Spoken>, HandshakeError>) -> (Login, Bytes) {
        let Ok(Progress::Done(Spoken::Text(login, text))) = progress else {
            panic!("a line")
        };
        (login, text)
    }
}

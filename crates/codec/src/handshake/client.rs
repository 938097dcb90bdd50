//! The client's side of the handshake.
//!
//! ```text
//!   62 6f 62 3a 70 77 06 00     "bob:pw", capability 6, NUL: sent in one write
//!   06                          the server's answer
//! ```
//!
//! The answer is the capability that the server settles for. KX's C library takes any byte, even
//! one above its offer; here the connection works at the lower of the two. Whatever comes behind
//! that one byte is the first message.
//!
//! Capability 0, that of kdb+ 2.5, is sent as no byte at all: `62 6f 62 3a 70 77 00`. A server
//! tells the two apart by the last byte before the NUL, which is a capability where it is a control
//! byte (below 0x20). Some take it for one whatever it is (`c.java` does) and then read a password
//! that is one byte short; a capability of at least 1 avoids both.
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use hopen_codec::auth::Credentials;
//! use hopen_codec::config::{Capability, Config};
//! use hopen_codec::handshake::{ClientHandshake, Progress};
//! use hopen_codec::outbox::Outbox;
//!
//! let mut outbox = Outbox::default();
//! let bob = Credentials::new("bob", "pw")?;
//! let client = ClientHandshake::start(&bob, Config::client(), &mut outbox)?;
//! assert_eq!(outbox.chunk(), b"bob:pw\x06\0"); // to be written
//!
//! let mut input = BytesMut::from(&b"\x03"[..]); // was read
//! let Progress::Done(connection) = client.receive(&mut input)? else {
//!     panic!("one byte is all there is to it")
//! };
//! assert_eq!(connection.capability(), Capability::V3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::{Buf, BytesMut};
use zeroize::Zeroizing;

use super::{HandshakeError, Progress};
use crate::auth::Credentials;
use crate::config::{Capability, Config};
use crate::connection::Connection;
use crate::frame::room;
use crate::outbox::Outbox;

/// A client that has written its login and waits for the answer.
///
/// [`start`](Self::start) it and write the outbox. Then [`make_room`](Self::make_room), read, and
/// [`receive`](Self::receive) until that is done; [`receive_eof`](Self::receive_eof) if the server
/// closes instead.
#[derive(Clone, Debug)]
#[must_use = "the server's answer is to be received"]
pub struct ClientHandshake {
    config: Config,
}

impl ClientHandshake {
    /// Writes the login: credentials, capability byte (none for [`Capability::V0`]) and NUL. They
    /// are to be sent in one write. Once written, or dropped with the outbox, their memory is
    /// overwritten.
    ///
    /// # Errors
    ///
    /// [`LoginTooLong`](HandshakeError::LoginTooLong) and
    /// [`EndsInControlByte`](HandshakeError::EndsInControlByte); nothing is written then.
    pub fn start(
        credentials: &Credentials,
        config: Config,
        outbox: &mut Outbox,
    ) -> Result<Self, HandshakeError> {
        let capability = match config.capability {
            Capability::V0 => None,
            capability => Some(capability.number()),
        };
        let length = credentials.encoded_len() + usize::from(capability.is_some()) + 1;
        let limit = config.limits.login;
        if length > limit {
            return Err(HandshakeError::LoginTooLong { length, limit });
        }
        if capability.is_none()
            && let Some(byte @ ..0x20) = credentials.last_byte()
        {
            return Err(HandshakeError::EndsInControlByte { byte });
        }

        let mut login = Zeroizing::new(Vec::with_capacity(length));
        credentials.encode(&mut login);
        login.extend_from_slice(capability.as_slice());
        login.push(b'\0');
        outbox.put_secret(login);
        Ok(Self { config })
    }

    /// Makes room at the end of `input` and returns how many bytes to try to read into it; more
    /// than the answer, as a message may follow at once.
    pub fn make_room(&self, input: &mut BytesMut) -> usize {
        room::in_shared(input, 1)
    }

    /// Takes the answer, exactly one byte, from the front of `input`. Any value is one.
    ///
    /// # Errors
    ///
    /// Never, so far: any byte is an answer, and a refusal is a close, see
    /// [`receive_eof`](Self::receive_eof).
    pub fn receive(
        self,
        input: &mut BytesMut,
    ) -> Result<Progress<Self, Connection>, HandshakeError> {
        let Some(&reply) = input.first() else {
            return Ok(Progress::NeedsInput(self));
        };
        input.advance(1);
        let capability = Capability::from_wire(reply).min(self.config.capability);
        Ok(Progress::Done(Connection::new(self.config, capability)))
    }

    /// Returns the error to report when the server closed instead of answering: it refused the
    /// login.
    pub fn receive_eof(self) -> HandshakeError {
        HandshakeError::Access
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    #[test]
    fn logins_look_as_those_of_kx_clients() {
        let password = vec![b'p'; 5000];
        let long = [b"bob:", &password[..], b"\x03\0"].concat();
        let cases: [(Credentials, u8, &[u8]); 15] = [
            // KX's C library.
            (user("bob"), 3, b"bob\x03\0"),
            (both("bob", "a:b:c"), 3, b"bob:a:b:c\x03\0"),
            (both("", "pw"), 3, b":pw\x03\0"),
            (both("bób", "€"), 6, b"b\xc3\xb3b:\xe2\x82\xac\x06\0"),
            (both("bob", &password), 3, &long),
            // PyKX: always with the colon.
            (both("", ""), 6, b":\x06\0"),
            (both("bob", ""), 6, b"bob:\x06\0"),
            (both("bob", "pw:with:colon"), 6, b"bob:pw:with:colon\x06\0"),
            // javakdb: nothing at all; ISO-8859-1.
            (Credentials::anonymous(), 3, b"\x03\0"),
            (both(b"b\xf3b", b"p\xfc"), 3, b"b\xf3b:p\xfc\x03\0"),
            // Before kdb+ 2.6: no capability byte.
            (both("u", "p"), 0, b"u:p\0"),
            (both("u", ""), 0, b"u:\0"),
            (Credentials::anonymous(), 0, b"\0"),
            // Control bytes are credentials like others where a capability follows.
            (user("bob\x03"), 1, b"bob\x03\x01\0"),
            (both("bob\x01", "pw"), 0, b"bob\x01:pw\0"),
        ];
        for (credentials, capability, login) in cases {
            let mut outbox = Outbox::default();
            let _client = start(&credentials, capability, &mut outbox).unwrap();
            assert_eq!(outbox.chunk(), login);
            assert_eq!(outbox.len(), login.len());
        }
    }

    #[test]
    fn the_common_capability_is_the_lower_of_offer_and_reply() {
        for offered in 0..=6 {
            for reply in 0..=u8::MAX {
                let client = start(&user("bob"), offered, &mut Outbox::default()).unwrap();
                let mut input = BytesMut::from(&[reply][..]);
                let connection = done(client.receive(&mut input));
                assert_eq!(connection.capability().number(), reply.min(offered));
                assert_eq!(connection.config().capability.number(), offered);
                assert!(input.is_empty());
            }
        }
    }

    #[test]
    fn a_message_that_comes_with_the_reply_stays_in_the_input() {
        let client = start(&user("bob"), 6, &mut Outbox::default()).unwrap();
        let mut input = BytesMut::from(&b"\x06\x01\x00\x00\x00\x0a"[..]);
        assert_eq!(
            done(client.receive(&mut input)).capability(),
            Capability::V6
        );
        assert_eq!(input, b"\x01\x00\x00\x00\x0a"[..]);
    }

    #[test]
    fn nothing_is_not_an_answer() {
        let client = start(&user("bob"), 6, &mut Outbox::default()).unwrap();
        let mut input = BytesMut::new();
        let Ok(Progress::NeedsInput(client)) = client.receive(&mut input) else {
            panic!("there was nothing to receive");
        };
        assert!(client.make_room(&mut input) > 1);
        input.extend_from_slice(b"\x03");
        assert_eq!(
            done(client.receive(&mut input)).capability(),
            Capability::V3
        );
    }

    #[test]
    fn a_server_that_closes_has_refused() {
        let client = start(&user("bob"), 6, &mut Outbox::default()).unwrap();
        assert_eq!(client.receive_eof(), HandshakeError::Access);
    }

    #[test]
    fn credentials_that_end_in_a_control_byte_need_a_capability_byte() {
        for byte in 1..=u8::MAX {
            for credentials in [&[b'b', byte][..], &[byte], &[b'b', b':', b'p', byte]] {
                let credentials = Credentials::parse(credentials).unwrap();
                let mut outbox = Outbox::default();
                let error = HandshakeError::EndsInControlByte { byte };
                match start(&credentials, 0, &mut outbox) {
                    Ok(_) => assert!(byte >= 0x20 && !outbox.is_empty()),
                    Err(found) => {
                        assert!(byte < 0x20 && outbox.is_empty());
                        assert_eq!(found, error);
                    }
                }
                assert!(start(&credentials, 1, &mut outbox).is_ok());
            }
        }
    }

    #[test]
    fn a_login_may_be_as_long_as_the_limit() {
        let limit = Limits::client().login;
        for (capability, around) in [(6, "u:".len() + 2), (0, "u:".len() + 1)] {
            let mut outbox = Outbox::default();
            let fits = both("u", vec![b'p'; limit - around]);
            assert!(start(&fits, capability, &mut outbox).is_ok());
            assert_eq!(outbox.clear(), limit);

            let too_long = both("u", vec![b'p'; limit - around + 1]);
            let length = limit + 1;
            assert_eq!(
                start(&too_long, capability, &mut outbox).unwrap_err(),
                HandshakeError::LoginTooLong { length, limit }
            );
            assert!(outbox.is_empty());
        }
    }

    fn start(
        credentials: &Credentials,
        capability: u8,
        outbox: &mut Outbox,
    ) -> Result<ClientHandshake, HandshakeError> {
        let mut config = Config::client();
        config.capability = Capability::new(capability).unwrap();
        ClientHandshake::start(credentials, config, outbox)
    }

    fn done(progress: Result<Progress<ClientHandshake, Connection>, HandshakeError>) -> Connection {
        match progress {
            Ok(Progress::Done(connection)) => connection,
            other => panic!("not done: {other:?}"),
        }
    }

    fn user(user: &str) -> Credentials {
        Credentials::user_only(user).unwrap()
    }

    fn both(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Credentials {
        Credentials::new(user.as_ref(), password.as_ref()).unwrap()
    }
}

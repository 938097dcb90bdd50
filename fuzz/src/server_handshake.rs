//! A login as a server receives it, in chunks of any sizes: the capability that the server has, the
//! longest login that it takes, a field with the sizes, and what the client sends.

use bytes::Buf;
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config};
use hopen_codec::handshake::{HandshakeError, Progress, ServerHandshake};
use hopen_codec::outbox::Outbox;

use crate::{deliver, take_field};

/// Looks at one input.
pub fn look_at(mut input: &[u8]) {
    let Some((&[capability, limit], rest)) = input.split_first_chunk() else {
        return;
    };
    input = rest;
    let chunks = take_field(&mut input);
    let mut config = Config::server();
    config.capability = Capability::from_wire(capability);
    config.limits.login = limit.into();
    let outcome = log_in(&config, input, chunks);
    assert_eq!(outcome, log_in(&config, input, &[]));
    check(&outcome, &config, input);
}

/// What a login came to, and what is left of the bytes behind it.
#[derive(Debug, PartialEq)]
enum Outcome {
    Accepted(Credentials, Capability, Vec<u8>),
    Refused(Credentials, Vec<u8>),
    Failed(HandshakeError),
}

/// Takes a login and accepts it, unless it is an anonymous one.
fn log_in(config: &Config, wire: &[u8], chunks: &[u8]) -> Outcome {
    let (mut handshake, mut login, mut error) =
        (Some(ServerHandshake::start(config.clone())), None, None);
    let (input, rest) = deliver(wire, chunks, |input| {
        let server = handshake.take().expect("it is not over");
        match server.receive(input) {
            Ok(Progress::NeedsInput(server)) => {
                let room = server.make_room(input);
                assert!(0 < room && room <= config.limits.login - input.len());
                handshake = Some(server);
                return room;
            }
            Ok(Progress::Done(done)) => login = Some(done),
            Err(failed) => error = Some(failed),
        }
        0
    });
    if let Some(server) = handshake {
        assert!(rest.is_empty());
        return Outcome::Failed(server.receive_eof(&input));
    }
    let Some(login) = login else {
        assert!(input.is_empty());
        return Outcome::Failed(error.expect("a handshake that is over came to something"));
    };

    let left = [&input, rest].concat();
    let credentials = login.credentials().clone();
    if credentials == Credentials::anonymous() {
        login.refuse();
        return Outcome::Refused(credentials, left);
    }
    let common = login.capability();
    let mut outbox = Outbox::default();
    let connection = login.accept(&mut outbox);
    assert!(common <= config.capability);
    assert_eq!(connection.capability(), common);
    assert_eq!(connection.config(), config);
    assert_eq!(
        outbox.copy_to_bytes(outbox.remaining())[..],
        [common.number()]
    );
    Outcome::Accepted(credentials, common, left)
}

/// Checks an outcome by putting the login together again.
fn check(outcome: &Outcome, config: &Config, wire: &[u8]) {
    let limit = config.limits.login;
    let (credentials, common, left) = match outcome {
        Outcome::Accepted(credentials, common, left) => (credentials, Some(common), left),
        Outcome::Refused(credentials, left) => (credentials, None, left),
        Outcome::Failed(HandshakeError::LoginCutOff { received }) => {
            assert!(*received == wire.len() && wire.len() < limit && !wire.contains(&0));
            return;
        }
        Outcome::Failed(HandshakeError::Http) => {
            let space = wire.iter().position(|byte| *byte == b' ');
            let method = &wire[..space.expect("one ends the method")];
            assert!(method.iter().all(u8::is_ascii_uppercase) && method.len() < limit);
            return;
        }
        Outcome::Failed(error) => {
            let length = limit + 1;
            assert_eq!(*error, HandshakeError::LoginTooLong { length, limit });
            assert!(wire.len() >= limit && !wire[..limit].contains(&0));
            return;
        }
    };
    assert!(wire.ends_with(left));
    let login = &wire[..wire.len() - left.len()];
    assert!(login.len() <= limit);

    let password = credentials
        .password()
        .map(|password| [b":", password.expose()].concat());
    let text = [credentials.user(), &password.unwrap_or_default()].concat();
    let theirs = match login.strip_prefix(&text[..]) {
        Some([0]) => {
            assert!(text.last().is_none_or(|last| *last >= 0x20));
            Capability::V0
        }
        Some([byte @ 1..0x20, 0]) => Capability::from_wire(*byte),
        other => panic!("{other:?} follows the credentials"),
    };
    assert!(common.is_none_or(|common| *common == theirs.min(config.capability)));
}

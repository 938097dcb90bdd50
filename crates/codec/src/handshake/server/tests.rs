//! A server against logins written by hand, and against any bytes.

use proptest::prelude::*;

use super::*;
use crate::auth::Secret;
use crate::config::Limits;

#[test]
fn the_logins_of_all_clients_are_read() {
    let check = |wire: &[u8], user: &[u8], password: Option<&[u8]>, capability: u8| {
        for ours in 0..=6 {
            let server = ServerHandshake::start(config(ours, wire.len()));
            let mut input = BytesMut::from(wire);
            let login = done(server.receive(&mut input));
            assert!(input.is_empty());
            assert_eq!(login.credentials().user(), user);
            assert_eq!(login.credentials().password().map(Secret::expose), password);
            let common = login.capability();
            assert_eq!(common.number(), capability.min(ours));

            let mut outbox = Outbox::default();
            let connection = login.accept(&mut outbox);
            assert_eq!(outbox.chunk(), [common.number()]);
            assert_eq!((outbox.len(), connection.capability()), (1, common));
            assert_eq!(connection.config().capability.number(), ours);
        }
    };
    // KX's C library: the text as it is given; where there is none it sends `c`.
    check(b"bob\x03\0", b"bob", None, 3);
    check(b"bob:pw\x06\0", b"bob", Some(b"pw"), 6);
    check(b"bob:a:b:c\x03\0", b"bob", Some(b"a:b:c"), 3);
    check(b":pw\x03\0", b"", Some(b"pw"), 3);
    check(b"c\x03\0", b"c", None, 3);
    check(
        b"b\xc3\xb3b:\xe2\x82\xac\x06\0",
        "bób".as_bytes(),
        Some("€".as_bytes()),
        6,
    );
    let long = [b"bob:", &[b'p'; 5000][..], b"\x03\0"].concat();
    check(&long, b"bob", Some(&[b'p'; 5000]), 3);
    // PyKX: always with the colon.
    check(b":\x06\0", b"", Some(b""), 6);
    check(b":pw\x06\0", b"", Some(b"pw"), 6);
    check(b"bob:\x06\0", b"bob", Some(b""), 6);
    check(
        b"bob:pw:with:colon\x06\0",
        b"bob",
        Some(b"pw:with:colon"),
        6,
    );
    // javakdb: nothing at all; ISO 8859-1.
    check(b"\x03\0", b"", None, 3);
    check(b"b\xf3b:p\xfc\x03\0", b"b\xf3b", Some(b"p\xfc"), 3);
    // aiokdb; qPython3 and kola send 6, and kola calls nobody `unknown`.
    check(b"bob:pw\x03\0", b"bob", Some(b"pw"), 3);
    check(b"unknown:\x06\0", b"unknown", Some(b""), 6);
    // kdb+ 2.5, and qPython3 after a refusal: no capability byte.
    check(b"bob:pw\0", b"bob", Some(b"pw"), 0);
    check(b"bob:\0", b"bob", Some(b""), 0);
    check(b"bob\0", b"bob", None, 0);
    check(b":\0", b"", Some(b""), 0);
    check(b"\0", b"", None, 0);
    // The other capabilities; those that are not known count as the highest that is.
    for (byte, capability) in [(1, 1), (2, 2), (4, 4), (5, 5), (7, 6), (0x1f, 6)] {
        check(
            &[b"bob:pw", &[byte, 0][..]].concat(),
            b"bob",
            Some(b"pw"),
            capability,
        );
    }
    // A space is the first byte that is none, and only the last byte can be one.
    check(b"bob:pw \0", b"bob", Some(b"pw "), 0);
    check(b"bob:pw\xff\0", b"bob", Some(b"pw\xff"), 0);
    check(
        b"b\x01b:\x02p\x05\x06\x03\0",
        b"b\x01b",
        Some(b"\x02p\x05\x06"),
        3,
    );
    check(b"bob::\x03:\x03\0", b"bob", Some(b":\x03:"), 3);
    // Hellos of TLS, up to their first NUL: of 247, 309 and 512 bytes.
    check(b"\x16\x03\x01\0", b"\x16\x03", None, 1);
    check(
        b"\x16\x03\x01\x01\x35\x01\0",
        b"\x16\x03\x01\x01\x35",
        None,
        1,
    );
    check(b"\x16\x03\x01\x02\0", b"\x16\x03\x01", None, 2);
}

#[test]
fn a_message_behind_the_login_stays_in_the_input() {
    for message in [
        &b"\x01\x00\0\0\x0a\0\0\0\xf5\0"[..],
        b"\x01",
        b"\0",
        b"\0\0bob\x03\0",
    ] {
        let wire = [b"bob:pw\x03\0", message].concat();
        let mut input = BytesMut::from(&wire[..]);
        let login = done(ServerHandshake::start(Config::server()).receive(&mut input));
        assert_eq!(login.credentials().password().unwrap().expose(), b"pw");
        assert_eq!(input, message);
    }
}

#[test]
fn a_login_may_be_cut_off_at_each_byte() {
    let wire = b"bob:pw\x03\0";
    for received in 0..wire.len() {
        let mut input = BytesMut::from(&wire[..received]);
        let server = needs_input(ServerHandshake::start(Config::server()), &mut input);
        assert_eq!(input, wire[..received]);
        assert_eq!(
            server.receive_eof(&input),
            HandshakeError::LoginCutOff { received }
        );
    }
}

#[test]
fn a_login_may_be_as_long_as_the_limit() {
    for limit in [1, 2, 7, 8, 9, 100, Limits::server().login, 200_000] {
        let mut fits = vec![b'p'; limit];
        fits[limit - 1] = 0;
        let mut wire = fits.clone();
        wire.extend_from_slice(b"\x01\0");
        let mut input = BytesMut::from(&wire[..]);
        let login = done(ServerHandshake::start(config(6, limit)).receive(&mut input));
        assert_eq!(login.credentials().user(), &fits[..limit - 1]);
        assert_eq!(input, b"\x01\0"[..]);

        // One byte more, whether it has come or not.
        let too_long = HandshakeError::LoginTooLong {
            length: limit + 1,
            limit,
        };
        let wire = [&vec![b'p'; limit][..], b"\0\x01"].concat();
        for arrived in [limit, limit + 1, limit + 2] {
            let mut input = BytesMut::from(&wire[..arrived]);
            let outcome = ServerHandshake::start(config(6, limit)).receive(&mut input);
            assert_eq!(outcome.unwrap_err(), too_long);
            assert!(input.is_empty());
        }
        let mut input = BytesMut::from(&wire[..limit - 1]);
        let _server = needs_input(ServerHandshake::start(config(6, limit)), &mut input);
    }
}

#[test]
fn a_flood_without_an_end_is_read_to_the_limit_and_no_further() {
    for (limit, largest) in [
        (100, room::SHARED),
        (65_536, room::SHARED),
        (200_000, 262_144),
    ] {
        let mut server = ServerHandshake::start(config(6, limit));
        let mut input = BytesMut::new();
        let mut read = 0;
        let error = loop {
            let room = server.make_room(&mut input);
            assert!(0 < room && room <= limit - input.len());
            assert!(input.capacity() <= largest);
            input.resize(input.len() + room, b'G');
            read += room;
            match server.receive(&mut input) {
                Ok(Progress::NeedsInput(next)) => server = next,
                Ok(Progress::Done(login)) => panic!("that has no end: {login:?}"),
                Err(error) => break error,
            }
        };
        let length = limit + 1;
        assert_eq!(error, HandshakeError::LoginTooLong { length, limit });
        assert_eq!(read, limit);
    }
}

#[test]
fn where_no_login_is_allowed_none_is_awaited() {
    let server = ServerHandshake::start(config(6, 0));
    assert_eq!(server.make_room(&mut BytesMut::new()), 1);
    assert_eq!(
        server.receive(&mut BytesMut::new()).unwrap_err(),
        HandshakeError::LoginTooLong {
            length: 1,
            limit: 0
        }
    );
}

#[test]
fn what_was_searched_is_not_searched_again() {
    let mut input = BytesMut::from(&b"bob:"[..]);
    let server = needs_input(ServerHandshake::start(Config::server()), &mut input);
    // Where it would be found by a search from the beginning.
    input[1] = 0;
    input.extend_from_slice(b"pw");
    let server = needs_input(server, &mut input);
    input[1] = b'o';
    input.extend_from_slice(b"\x03\0");
    let login = done(server.receive(&mut input));
    assert_eq!(login.credentials(), &Credentials::new("bob", "pw").unwrap());
}

#[test]
fn a_login_is_overwritten_where_it_was() {
    let mut login = *b"bob:secret\x03";
    let (credentials, _) = take(&mut login);
    assert_eq!(credentials.password().unwrap().expose(), b"secret");
    assert_eq!(login, [0; 11]);

    let mut part = *b"bob:secr";
    let new = moved(&mut part, 100);
    assert_eq!((&new[..], part), (&b"bob:secr"[..], [0; 8]));
    assert!(new.capacity() >= 100);
}

#[test]
fn no_password_is_printed() {
    let mut input = BytesMut::from(&b"bob:hid"[..]);
    let server = needs_input(ServerHandshake::start(Config::server()), &mut input);
    let mut texts = vec![format!("{server:?} {server:#?}")];
    let error = server.clone().receive_eof(&input);
    texts.push(format!("{error:?} {error}"));
    let mut flood = BytesMut::from(&b"bob:hidden"[..]);
    let error = ServerHandshake::start(config(6, 10))
        .receive(&mut flood)
        .unwrap_err();
    texts.push(format!("{error:?} {error}"));

    input.extend_from_slice(b"den\x03\0");
    let progress = server.receive(&mut input);
    texts.push(format!("{progress:?} {progress:#?}"));
    let login = done(progress);
    texts.push(format!("{login:?} {login:#?}"));
    let mut outbox = Outbox::default();
    let connection = login.accept(&mut outbox);
    texts.push(format!("{connection:?} {outbox:?}"));
    for text in texts {
        // Neither as text nor as a list of numbers.
        assert!(
            !text.contains("hid") && !text.contains("104, 105"),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_chunks_come_to_what_they_say_as_a_whole(
        wire in wire(),
        sizes in prop::collection::vec(1_usize..10, 1..6),
        limit in 0_usize..60,
    ) {
        let outcome = receive_in_chunks(&wire, &sizes, limit);
        prop_assert_eq!(&outcome, &receive_in_chunks(&wire, &[wire.len().max(1)], limit));
        prop_assert_eq!(outcome, model(&wire, limit));
    }
}

/// What came of a login, and what of it all was not taken.
type Outcome = Result<(Credentials, Capability, Vec<u8>), HandshakeError>;

fn receive_in_chunks(wire: &[u8], sizes: &[usize], limit: usize) -> Outcome {
    let mut server = ServerHandshake::start(config(6, limit));
    let mut input = BytesMut::new();
    let mut rest = wire;
    let mut sizes = sizes.iter().cycle();
    loop {
        server = match server.receive(&mut input)? {
            Progress::NeedsInput(server) => server,
            Progress::Done(login) => {
                let left = [&input, rest].concat();
                return Ok((login.credentials.clone(), login.capability(), left));
            }
        };
        if rest.is_empty() {
            return Err(server.receive_eof(&input));
        }
        let room = server.make_room(&mut input);
        let chunk = sizes.next().copied().unwrap_or(1).min(room).min(rest.len());
        let (now, later) = rest.split_at(chunk);
        input.extend_from_slice(now);
        rest = later;
    }
}

/// The same rules, read from the whole.
fn model(wire: &[u8], limit: usize) -> Outcome {
    let nul = wire.iter().position(|byte| *byte == 0);
    match nul {
        Some(nul) if nul < limit => {
            let (login, left) = (&wire[..nul], wire[nul + 1..].to_vec());
            let (login, capability) = match login.split_last() {
                Some((last, login)) if *last < 32 => (login, (*last).min(6)),
                _ => (login, 0),
            };
            let credentials = Credentials::parse(login).unwrap();
            Ok((credentials, Capability::new(capability).unwrap(), left))
        }
        None if wire.len() < limit => Err(HandshakeError::LoginCutOff {
            received: wire.len(),
        }),
        _ => Err(HandshakeError::LoginTooLong {
            length: limit + 1,
            limit,
        }),
    }
}

/// Bytes of which some are logins, with and without something behind.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        1 => Just(0),
        4 => 1_u8..0x20,
        2 => Just(b':'),
        20 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..80)
}

fn config(capability: u8, limit: usize) -> Config {
    let mut config = Config::server();
    config.capability = Capability::new(capability).unwrap();
    config.limits.login = limit;
    config
}

fn needs_input(server: ServerHandshake, input: &mut BytesMut) -> ServerHandshake {
    match server.receive(input) {
        Ok(Progress::NeedsInput(server)) => server,
        other => panic!("there is no end yet: {other:?}"),
    }
}

fn done(progress: Result<Progress<ServerHandshake, Login>, HandshakeError>) -> Login {
    match progress {
        Ok(Progress::Done(login)) => login,
        other => panic!("not done: {other:?}"),
    }
}

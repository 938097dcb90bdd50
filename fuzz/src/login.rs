//! A login that a password file decides on: a byte for how the passwords are written and for what
//! the client sends, a field with the sizes of the chunks, the users and their passwords as a field
//! of lines, and what the client sends.

use bytes::Buf;
use hopen_codec::auth::{Credentials, PasswordFile, PasswordKind};
use hopen_codec::config::{Capability, Config, Limits};
use hopen_codec::handshake::{HandshakeError, Login, Progress, ServerHandshake};
use hopen_codec::outbox::Outbox;
use md5::Md5;
use md5::digest::Digest;
use sha1::Sha1;

use crate::{deliver, take_field};

/// Looks at one input.
pub fn look_at(mut input: &[u8]) {
    let Some((&kind, rest)) = input.split_first() else {
        return;
    };
    input = rest;
    let chunks = take_field(&mut input);
    let users = users(take_field(&mut input));
    let kind = match kind % 3 {
        0 => PasswordKind::Plain,
        1 => PasswordKind::Md5,
        _ => PasswordKind::Sha1,
    };
    let Ok(file) = PasswordFile::parse_as(kind, &written(&users, kind)) else {
        return;
    };
    // What comes, whatever it is, and everybody who is in the file.
    check(&file, &users, input, chunks);
    for (user, password) in &users {
        let login = [*user, b":", password, b"\x03\0", input].concat();
        check(&file, &users, &login, chunks);
        let wrong = [*user, b":", password, b"!\x03\0"].concat();
        check(&file, &users, &wrong, chunks);
        let short = &password[..password.len().saturating_sub(1)];
        check(
            &file,
            &users,
            &[*user, b":", short, b"\x03\0"].concat(),
            chunks,
        );
        check(&file, &users, &[*user, b"\x03\0"].concat(), chunks);
    }
}

/// The users of a file and their passwords.
fn users(lines: &[u8]) -> Vec<(&[u8], &[u8])> {
    lines
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], &line[colon + 1..]))
        })
        .collect()
}

/// The file that lets them in.
fn written(users: &[(&[u8], &[u8])], kind: PasswordKind) -> Vec<u8> {
    let mut file = Vec::new();
    for (user, password) in users {
        file.extend([*user, b":"].concat());
        match kind {
            PasswordKind::Plain => file.extend_from_slice(password),
            PasswordKind::Md5 => file.extend(hex(&Md5::digest(password))),
            PasswordKind::Sha1 => file.extend(hex(&Sha1::digest(password))),
        }
        file.push(b'\n');
    }
    file
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>().into_bytes()
}

/// Those and only those are let in whose user and password stand in the file; who is not hears
/// nothing.
fn check(file: &PasswordFile, users: &[(&[u8], &[u8])], wire: &[u8], chunks: &[u8]) {
    let Some(login) = received(wire, chunks) else {
        return;
    };
    let credentials = login.credentials();
    let is_known = users.iter().any(|(user, password)| {
        let presented = credentials.password().map(|password| password.expose());
        credentials.user() == *user && presented == Some(password)
    });
    assert_eq!(file.check(credentials), is_known);
    check_secret(credentials);

    let mut outbox = Outbox::default();
    if file.check(login.credentials()) {
        let capability = login.capability();
        let connection = login.accept(&mut outbox);
        assert_eq!(connection.capability(), capability);
        assert_eq!(
            outbox.copy_to_bytes(outbox.remaining())[..],
            [capability.number()]
        );
    } else {
        login.refuse();
        assert!(outbox.is_empty());
    }
}

/// What is printed of a login depends on its password in nothing.
fn check_secret(credentials: &Credentials) {
    if credentials.password().is_some() {
        let user = credentials.user().to_vec();
        let twin = Credentials::new(user, b"another".to_vec()).expect("no NUL in it");
        assert_eq!(format!("{credentials:?}"), format!("{twin:?}"));
    }
}

/// Returns the login that these bytes are, if they are one.
fn received(wire: &[u8], chunks: &[u8]) -> Option<Login> {
    let mut config = Config::server();
    config.capability = Capability::V3;
    let mut handshake = Some(ServerHandshake::start(config));
    let mut login = None;
    deliver(wire, chunks, |input| {
        let server = handshake.take().expect("it is not over");
        match server.receive(input) {
            Ok(Progress::NeedsInput(server)) => {
                let room = server.make_room(input);
                handshake = Some(server);
                room
            }
            Ok(Progress::Done(done)) => {
                login = Some(done);
                0
            }
            // A user that begins with a method and a space.
            Err(HandshakeError::Http) => {
                assert!(wire.first().is_some_and(u8::is_ascii_uppercase) && wire.contains(&b' '));
                0
            }
            Err(error) => {
                assert!(wire.len() >= Limits::server().login, "{error}");
                0
            }
        }
    });
    login
}

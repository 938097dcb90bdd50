//! Who is let in.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::time::Duration;

use hopen_blocking::server::{Decision, Passwords, ServerOptions};
use hopen_blocking::{Error, hopen};
use hopen_codec::auth::{Credentials, PasswordFile};
use hopen_codec::config::Capability;

use crate::support::{Logger, PATIENCE, Running, read_to_end};

#[test]
fn everybody_is_let_in_where_nothing_else_is_said() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.log_in(credentials("ann", "whatever")).unwrap();
    assert_eq!(client.get("user").unwrap(), "ann".into());
    let ann = server.opened();
    assert_eq!(ann.user(), b"ann");
    assert_eq!(ann.capability(), Capability::MAX);
    assert!(ann.peer_addr().unwrap().ip().is_loopback() && ann.tls().is_none());
    let mut nobody = server.log_in(Credentials::anonymous()).unwrap();
    assert_eq!(nobody.get("user").unwrap(), "".into());
    assert_ne!(server.opened().handle(), ann.handle());
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_file_of_each_kind_says_who_is_let_in() {
    for file in [
        "ann:secret\n",
        "ann:5ebe2294ecd0e0f08eab7690d2a6ee69\n",
        "ann:e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4\n",
    ] {
        let server = Running::start(with_passwords(&passwords(file)));
        let mut ann = server.log_in(credentials("ann", "secret")).unwrap();
        assert_eq!(ann.get("user").unwrap(), "ann".into());
        for other in [
            credentials("ann", "Secret"),
            credentials("bob", "secret"),
            credentials("", "secret"),
            Credentials::user_only("ann").unwrap(),
            Credentials::anonymous(),
        ] {
            let error = server.log_in(other).unwrap_err();
            assert!(matches!(error, Error::Access), "{error}");
        }
        assert_eq!(server.stop(), 0);
    }
}

#[test]
fn passwords_can_be_replaced_while_the_server_runs() {
    let passwords = passwords("ann:secret\n");
    let server = Running::start(with_passwords(&passwords));
    let mut ann = server.log_in(credentials("ann", "secret")).unwrap();
    passwords.replace(PasswordFile::parse(b"bob:secret\n").unwrap());
    server.log_in(credentials("ann", "secret")).unwrap_err();
    let mut bob = server.log_in(credentials("bob", "secret")).unwrap();
    assert_eq!(bob.get("user").unwrap(), "bob".into());
    // Who is logged in stays so.
    assert_eq!(ann.get("user").unwrap(), "ann".into());
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_function_decides_about_those_whom_the_file_lets_in() {
    let (sender, asked) = mpsc::channel();
    let options = with_passwords(&passwords("ann:secret\nbob:secret\n"));
    let server = Running::start_with(options, move |login| {
        let credentials = login.credentials().clone();
        let is_welcome = credentials.user() == b"ann" && login.peer_addr().is_some();
        sender.send(credentials).unwrap();
        if is_welcome {
            Decision::Accept
        } else {
            Decision::Refuse
        }
    });
    server.log_in(credentials("ann", "secret")).unwrap();
    server.log_in(credentials("bob", "secret")).unwrap_err();
    server.log_in(credentials("ann", "wrong")).unwrap_err();
    assert_eq!(server.stop(), 0);
    let asked: Vec<Credentials> = asked.iter().collect();
    assert_eq!(
        asked,
        [credentials("ann", "secret"), credentials("bob", "secret")]
    );
}

#[test]
fn a_token_of_many_kilobytes_arrives_whole_and_a_longer_one_is_refused() {
    let options = ServerOptions::default();
    let most = options.config.limits.login - "ann:\x06\0".len();
    let token = "t".repeat(most);
    let expected = credentials("ann", &token);
    let server = Running::start_with(options, move |login| {
        assert_eq!(login.credentials(), &expected);
        Decision::Accept
    });
    let mut ann = server.log_in(credentials("ann", &token)).unwrap();
    assert_eq!(ann.get("user").unwrap(), "ann".into());
    let longer = [&b"ann:"[..], token.as_bytes(), b"t\x06\0"].concat();
    assert_eq!(read_to_end(&mut server.raw(&longer)), b"");
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_function_that_panics_refuses() {
    let server = Running::start_with(ServerOptions::default(), |login| {
        assert_ne!(login.credentials().user(), b"mallory");
        Decision::Accept
    });
    let error = server.log_in(credentials("mallory", "secret")).unwrap_err();
    assert!(matches!(error, Error::Access), "{error}");
    let mut ann = server.log_in(credentials("ann", "secret")).unwrap();
    assert_eq!(ann.get("user").unwrap(), "ann".into());
    assert_eq!(server.stop(), 0);
}

#[test]
fn the_log_says_who_was_refused_and_the_client_is_told_nothing() {
    let server = Running::start_with(ServerOptions::default(), |_| Decision::Refuse);
    let mut refused = server.raw_alone(b"eve-\x1b[31m:secret\x06\0");
    let address = refused.local_addr().unwrap().to_string();
    assert_eq!(read_to_end(&mut refused), b"");
    let expected = format!("{address}: refused: user \"eve-\\x1b[31m\"");
    assert_eq!(Logger::about(&address), [(log::Level::Warn, expected)]);
    // The logger of these tests refuses every record that has the password.
    assert_eq!(server.stop(), 0);
}

#[test]
fn who_is_slow_to_log_in_keeps_nobody_waiting() {
    let server = Running::start(ServerOptions::default());
    let mut slow = server.raw(b"slow");
    let mut others = Vec::new();
    for _ in 0..10 {
        let mut other = server.client();
        assert_eq!(other.get("x").unwrap(), "x".into());
        others.push(other);
    }
    slow.write_all(b"\x06\0").unwrap();
    slow.read_exact(&mut [0]).unwrap();
    assert_eq!(server.stop(), 0);
}

#[test]
fn who_does_not_log_in_in_time_is_closed() {
    let mut options = ServerOptions::default();
    options.login_timeout = Duration::from_millis(1);
    let server = Running::start(options);
    for begun in [&b""[..], b"slow:se"] {
        assert_eq!(read_to_end(&mut server.raw(begun)), b"");
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn beyond_the_limit_connections_are_closed_at_once() {
    let mut options = ServerOptions::default();
    options.connections = 2;
    let server = Running::start(options);
    let mut first = server.client();
    let second = server.raw_client();
    // Also one that would log in.
    assert_eq!(read_to_end(&mut server.raw(b"")), b"");
    assert_eq!(first.get("x").unwrap(), "x".into());
    drop(second);
    server.closed();
    // Its place is given back when the handler has been told, soon after.
    let mut third = loop {
        match hopen(server.options()) {
            Ok(third) => break third,
            Err(Error::Access | Error::Io { .. }) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(third.get("x").unwrap(), "x".into());
    assert_eq!(server.stop(), 0);
}

#[cfg(unix)]
#[test]
fn a_client_of_the_unix_domain_socket_has_no_address() {
    let server = Running::start(ServerOptions::default());
    let unix = format!(":unix://{}", server.port);
    let mut client = hopen((unix.as_str(), PATIENCE)).unwrap();
    assert_eq!(client.get("x").unwrap(), "x".into());
    assert_eq!(server.opened().peer_addr(), None);
    assert_eq!(server.stop(), 0);
}

fn credentials(user: &str, password: &str) -> Credentials {
    Credentials::new(user, password).unwrap()
}

fn passwords(file: &str) -> Passwords {
    Passwords::new(PasswordFile::parse(file.as_bytes()).unwrap())
}

fn with_passwords(passwords: &Passwords) -> ServerOptions {
    let mut options = ServerOptions::default();
    options.passwords = Some(passwords.clone());
    options
}

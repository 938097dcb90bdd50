//! What else comes to a port.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hopen_blocking::server::{BadMessage, Decision, ServerOptions, TextProtocol};
use hopen_codec::frame::FrameError;
use hopen_codec::message::MessageKind;

use crate::support::{Event, Logger, PATIENCE, Running, expect, message, read_to_end};

#[test]
fn qcon_is_answered_by_text() {
    let server = answering_text();
    for (sent, answer) in [
        (&b"qcon\x002+3\0"[..], &b"qcon says 2+3\n"[..]),
        (b"\0x\0", b" says x\n"),
        (b"ann:secret\0a b\xff\0", b"ann says a b\xff\n"),
        (b"qcon\0panic\0", b"'panic\n"),
        (b"qcon\0\0", b"qcon says \n"),
    ] {
        let mut qcon = server.raw(sent);
        qcon.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&mut qcon), answer);
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn qcon_has_to_log_in() {
    let mut options = ServerOptions::default();
    options.text = TextProtocol::On;
    let server = Running::start_with(options, |login| match login.credentials().user() {
        b"ann" => Decision::Accept,
        _ => Decision::Refuse,
    });
    for sent in [&b"qcon\x002+3\0"[..], b"qcon\0"] {
        assert_eq!(read_to_end(&mut server.raw(sent)), b"");
    }
    let answer = read_to_end(&mut server.raw(b"ann\x002+3\0"));
    assert_eq!(answer, b"ann says 2+3\n");
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_line_that_comes_while_its_login_is_decided_about_is_not_late() {
    let mut options = ServerOptions::default();
    options.text = TextProtocol::On;
    options.login_timeout = LOGIN_TIMEOUT;
    let (sender, asked) = mpsc::channel();
    let server = Running::start_with(options, move |_| {
        sender.send(()).unwrap();
        thread::sleep(LOGIN_TIMEOUT);
        Decision::Accept
    });
    let mut qcon = server.raw(b"qcon\0");
    asked.recv_timeout(PATIENCE).unwrap();
    qcon.write_all(b"2+3\0").unwrap();
    assert_eq!(read_to_end(&mut qcon), b"qcon says 2+3\n");
    assert_eq!(server.stop(), 0);
}

#[test]
fn clients_of_every_age_are_let_in_where_qcon_is_answered() {
    let server = answering_text();
    let mut old = server.raw(b"ann:secret\0");
    expect(&mut old, b"\0");
    old.write_all(&message(MessageKind::Sync, "user")).unwrap();
    expect(&mut old, &message(MessageKind::Response, "ann"));
    let mut hasty = server.raw(&[b"ann\0", &message(MessageKind::Sync, "user")[..]].concat());
    expect(&mut hasty, b"\0");
    expect(&mut hasty, &message(MessageKind::Response, "ann"));
    assert_eq!(server.client().get("x").unwrap(), "x".into());
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_line_has_a_limit_and_an_end() {
    let mut options = ServerOptions::default();
    options.text = TextProtocol::On;
    options.config.limits.login = 100;
    let server = Running::start(options);
    let long = [&b"qcon\0"[..], &[b'x'; 100], b"\0"].concat();
    assert_eq!(read_to_end(&mut server.raw(&long)), b"");
    let mut cut_off = server.raw_alone(b"qcon\0til");
    let address = cut_off.local_addr().unwrap().to_string();
    cut_off.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut cut_off), b"");
    let expected = format!("{address}: the client closed after 3 bytes of a line without its end");
    assert_eq!(server.stop(), 0);
    assert_eq!(Logger::about(&address), [(log::Level::Info, expected)]);
}

#[test]
fn where_it_is_off_text_is_a_message_that_is_none() {
    let server = Running::start(ServerOptions::default());
    assert_eq!(read_to_end(&mut server.raw(b"qcon\x002+3 and 4\0")), b"\0");
    let header = server.next(|event| {
        if let Event::Bad(BadMessage::Header(error)) = event {
            Some(error)
        } else {
            None
        }
    });
    assert_eq!(header, FrameError::UnknownByteOrder { byte: b'2' });
    assert_eq!(server.stop(), 0);
}

#[test]
fn http_is_told_that_it_is_not_served() {
    let server = Running::start(ServerOptions::default());
    for request in [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /x HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf",
        "OPTIONS * HTTP/1.1\r\n\r\n",
        "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ] {
        let answer = read_to_end(&mut server.raw(request.as_bytes()));
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 501 Not Implemented\r\n"));
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_port_scan_is_no_news() {
    let server = Running::start(ServerOptions::default());
    let mut scan = server.raw_alone(b"");
    let address = scan.local_addr().unwrap().to_string();
    scan.shutdown(Shutdown::Write).unwrap();
    assert_eq!(scan.read(&mut [0]).unwrap(), 0);
    assert_eq!(server.stop(), 0);
    let records = Logger::about(&address);
    assert!(
        records.iter().all(|(level, _)| *level >= log::Level::Debug),
        "{records:?}"
    );
    assert_eq!(records.len(), 1);
}

fn answering_text() -> Running {
    let mut options = ServerOptions::default();
    options.text = TextProtocol::On;
    Running::start(options)
}

/// Longer than a login takes that is sent at once.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(1);

//! Handles against a scripted server: a thread that reads what is expected and writes fixed bytes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hopen_blocking::{Error, Options, Phase, hopen, one_shot};
use hopen_codec::address::Address;
use hopen_codec::connection::{ProtocolError, SendError};
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::value::{Guid, Value};

#[test]
fn a_question_is_answered() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"ann:se:cret\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "2+3"));
        peer.send(&message(MessageKind::Response, 5_i64));
        peer.expect_end();
    });
    let mut handle = hopen(&*server.handle(":ann:se:cret")).unwrap();
    assert_eq!(handle.get("2+3").unwrap(), Value::from(5_i64));
    assert_eq!(handle.close(), 0);
    server.finish();
}

#[test]
fn a_response_may_come_with_the_login_s_answer_and_in_single_bytes() {
    let server = Server::start(|mut peer| {
        peer.expect(b"\x06\0");
        let mut bytes = vec![3];
        bytes.extend(message(MessageKind::Async, 1_i64));
        peer.send(&bytes);
        peer.expect(&message(MessageKind::Sync, "til 3"));
        for byte in message(MessageKind::Response, vec![0_i64, 1, 2]) {
            peer.send(&[byte]);
        }
    });
    let mut handle = hopen(server.port).unwrap();
    assert_eq!(handle.get("til 3").unwrap(), Value::from(vec![0_i64, 1, 2]));
    assert_eq!(handle.recv().unwrap(), Value::from(1_i64));
    server.finish();
}

#[test]
fn what_arrives_before_the_answer_is_kept_and_a_question_of_the_server_declined() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "go"));
        peer.send(&message(MessageKind::Async, "first"));
        peer.send(&message(MessageKind::Sync, "who?"));
        peer.send(&message(MessageKind::Async, "second"));
        let error = RemoteError::new("nyi: this client answers no requests").unwrap();
        peer.expect(&bytes(MessageKind::Response, Body::error(&error)));
        peer.send(&message(MessageKind::Response, "done"));
        peer.send(&message(MessageKind::Async, "third"));
    });
    let mut handle = hopen(server.port).unwrap();
    assert_eq!(handle.get("go").unwrap(), Value::from("done"));
    for text in ["first", "second", "third"] {
        assert_eq!(handle.recv().unwrap(), Value::from(text));
    }
    assert!(matches!(handle.recv(), Err(Error::Closed)));
    server.finish();
}

#[test]
fn what_is_set_goes_out_before_the_next_question() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Async, (sym!("upd"), 1_i64)));
        peer.expect(&message(MessageKind::Sync, "count"));
        peer.send(&message(MessageKind::Response, 1_i64));
        peer.expect(&message(MessageKind::Async, vec![7_i64; 100_000]));
        peer.expect_end();
    });
    let mut handle = hopen(server.port).unwrap();
    handle.set((sym!("upd"), 1_i64)).unwrap();
    assert_eq!(handle.get("count").unwrap(), Value::from(1_i64));
    handle.set(vec![7_i64; 100_000]).unwrap(); // more than 64 KiB: written at once
    handle.set("lost").unwrap();
    assert_eq!(handle.close(), message(MessageKind::Async, "lost").len());
    server.finish();
}

#[test]
fn an_error_of_the_server_leaves_the_handle_in_step() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "a+`b"));
        let error = RemoteError::new("type").unwrap();
        peer.send(&bytes(MessageKind::Response, Body::error(&error)));
        peer.expect(&message(MessageKind::Sync, "bad"));
        peer.send(b"\x01\x02\0\0\x0a\0\0\0\x03\0"); // no type is 3
        peer.expect(&message(MessageKind::Sync, "1"));
        peer.send(&message(MessageKind::Response, 1_i64));
    });
    let mut handle = hopen(server.port).unwrap();
    assert_eq!(handle.get("a+`b").unwrap_err().to_string(), "type");
    let error = handle.get("bad").unwrap_err();
    assert_eq!(error.to_string(), "badmsg: at byte 8: unknown type 3");
    assert_eq!(handle.get("1").unwrap(), Value::from(1_i64));
    server.finish();
}

#[test]
fn what_the_server_does_not_understand_is_not_sent() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 1);
        peer.expect(&message(MessageKind::Sync, "1"));
        peer.send(&message(MessageKind::Response, 1_i64));
    });
    let mut handle = hopen(server.port).unwrap();
    let error = handle.get(Guid([1; 16])).unwrap_err();
    assert!(
        matches!(error, Error::Send(SendError::Encode(_))),
        "{error}"
    );
    assert_eq!(handle.get("1").unwrap(), Value::from(1_i64));
    server.finish();
}

#[test]
fn nobody_is_told_why_a_login_fails() {
    let server = Server::start(|mut peer| peer.expect(b"ann:wrong\x06\0"));
    let error = hopen(&*server.handle(":ann:wrong")).unwrap_err();
    assert!(matches!(error, Error::Access), "{error:?}");
    assert_eq!(error.to_string(), "access");
    server.finish();
}

#[test]
fn a_server_that_does_not_answer_is_waited_for_as_long_as_was_said() {
    let server = Server::start(|mut peer| {
        peer.expect(b"\x06\0");
        peer.expect_end();
    });
    let error = hopen((server.port, Duration::from_millis(50))).unwrap_err();
    assert!(matches!(error, Error::Timeout(Phase::Login)), "{error:?}");
    assert_eq!(error.to_string(), "timeout while logging in");
    server.finish();
}

#[test]
fn nobody_listening_is_said_as_q_says_it() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = hopen(&*format!(":127.0.0.1:{port}")).unwrap_err();
    assert_eq!(error.to_string(), "hop. OS reports: Connection refused");
    let error = hopen("localhost:5010").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a handle starts with a colon: write :localhost:5010"
    );
}

#[test]
fn a_close_in_the_middle_is_told_apart_from_one_between_messages() {
    let response = message(MessageKind::Response, vec![1_i64, 2, 3]);
    for end in 0..response.len() {
        let part = response[..end].to_vec();
        let server = Server::start(move |mut peer| {
            peer.log_in(b"\x06\0", 6);
            peer.expect(&message(MessageKind::Sync, "x"));
            peer.send(&part);
        });
        let error = hopen(server.port).unwrap().get("x").unwrap_err();
        let Error::Protocol(error) = error else {
            panic!("{error}")
        };
        match end {
            0 => assert_eq!(error, ProtocolError::ClosedBeforeResponse),
            _ => assert!(matches!(error, ProtocolError::Truncated { .. }), "{error}"),
        }
        server.finish();
    }
}

#[test]
fn more_async_messages_than_are_kept_end_the_wait() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        for _ in 0..3 {
            peer.send(&message(MessageKind::Async, vec![0_i64; 100]));
        }
        peer.expect_end();
    });
    let mut options = Options::new(Address::from(server.port));
    options.config.limits.kept_asyncs = 2000;
    let error = hopen(options).unwrap().get("x").unwrap_err();
    assert!(
        matches!(error, Error::KeptAsyncs { limit: 2000 }),
        "{error}"
    );
    server.finish();
}

#[test]
fn a_message_above_the_limit_ends_the_connection() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        peer.send(b"\x01\x02\0\xff\xff\xff\xff\xff"); // 1 TiB less a byte
        peer.expect_end();
    });
    let mut options = Options::new(Address::from(server.port));
    options.config.limits.message = 1024 * 1024;
    let error = hopen(options).unwrap().get("x").unwrap_err();
    assert!(
        matches!(error, Error::Protocol(ProtocolError::Frame(_))),
        "{error}"
    );
    server.finish();
}

#[test]
fn one_shot_asks_and_closes() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "1+1"));
        peer.send(&message(MessageKind::Response, 2_i64));
        peer.expect_end();
    });
    assert_eq!(one_shot(server.port, "1+1").unwrap(), Value::from(2_i64));
    server.finish();
}

/// A server for one connection.
struct Server {
    port: u16,
    thread: JoinHandle<()>,
}

impl Server {
    fn start(script: impl FnOnce(Peer) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let thread = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            stream.set_nodelay(true).expect("a socket");
            stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
            script(Peer(stream));
        });
        Self { port, thread }
    }

    fn handle(&self, credentials: &str) -> String {
        format!(":127.0.0.1:{}{credentials}", self.port)
    }

    /// Waits for the script's end, and fails where it failed.
    fn finish(self) {
        self.thread.join().expect("the script went as written");
    }
}

/// The server's end of a connection.
struct Peer(TcpStream);

impl Peer {
    fn log_in(&mut self, login: &[u8], reply: u8) {
        self.expect(login);
        self.send(&[reply]);
    }

    fn expect(&mut self, bytes: &[u8]) {
        let mut read = vec![0; bytes.len()];
        self.0.read_exact(&mut read).expect("what was expected");
        assert_eq!(read, bytes);
    }

    fn expect_end(&mut self) {
        // A client that drops unread bytes resets the connection.
        if let Ok(count) = self.0.read(&mut [0]) {
            assert_eq!(count, 0, "nothing more was expected");
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("a client that reads");
    }
}

fn message(kind: MessageKind, value: impl Into<Value>) -> Vec<u8> {
    bytes(kind, Body::encode(&value.into()).expect("a value"))
}

fn bytes(kind: MessageKind, body: Body) -> Vec<u8> {
    let mut outbox = Outbox::default();
    Message::new(kind, body).write(&mut outbox);
    let bytes: Bytes = outbox.copy_to_bytes(outbox.remaining());
    bytes.to_vec()
}

/// How long a script waits for what it expects, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

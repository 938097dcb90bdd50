//! A scripted server: a thread that reads what is expected and writes fixed bytes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;

/// A server for one connection.
pub(crate) struct Server {
    pub(crate) port: u16,
    thread: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(script: impl FnOnce(Peer) + Send + 'static) -> Self {
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

    /// Waits for the script's end, and fails where it failed.
    pub(crate) fn finish(self) {
        self.thread.join().expect("the script went as written");
    }
}

/// The server's end of a connection.
pub(crate) struct Peer(pub(crate) TcpStream);

impl Peer {
    pub(crate) fn log_in(&mut self, login: &[u8], reply: u8) {
        self.expect(login);
        self.send(&[reply]);
    }

    pub(crate) fn expect(&mut self, bytes: &[u8]) {
        let mut read = vec![0; bytes.len()];
        self.0.read_exact(&mut read).expect("what was expected");
        assert_eq!(read, bytes);
    }

    pub(crate) fn expect_end(&mut self) {
        // A client that drops unread bytes resets the connection.
        if let Ok(count) = self.0.read(&mut [0]) {
            assert_eq!(count, 0, "nothing more was expected");
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("a client that reads");
    }
}

pub(crate) fn message(kind: MessageKind, value: impl Into<Value>) -> Vec<u8> {
    bytes(kind, Body::encode(&value.into()).expect("a value"))
}

pub(crate) fn bytes(kind: MessageKind, body: Body) -> Vec<u8> {
    let mut outbox = Outbox::default();
    Message::new(kind, body).write(&mut outbox);
    let bytes: Bytes = outbox.copy_to_bytes(outbox.remaining());
    bytes.to_vec()
}

/// How long a script waits for what it expects, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

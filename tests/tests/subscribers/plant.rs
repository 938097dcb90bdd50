//! A tickerplant that does what a test says.

use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use bytes::Buf;
use hopen_blocking::{Channel, Error, Handle, Login, Received};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::value::{Table, Value};
use hopen_tls::{Server, ServerMode};

/// It listens while it is open.
pub(crate) struct Plant {
    listener: Option<TcpListener>,
    port: u16,
    mode: ServerMode,
    tls: Option<Server>,
}

/// A subscriber, as the tickerplant sees it.
pub(crate) struct Peer {
    handle: Handle,
    /// The same connection, for what no handle sends.
    stream: TcpStream,
}

impl Plant {
    pub(crate) fn open() -> Self {
        Self::open_with(ServerMode::Plain, None)
    }

    pub(crate) fn open_with(mode: ServerMode, tls: Option<Server>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            listener: Some(listener),
            port,
            mode,
            tls,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Takes no connections any more.
    pub(crate) fn close(&mut self) {
        self.listener = None;
    }

    /// Listens at the port that it had.
    pub(crate) fn open_again(&mut self) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        self.listener = Some(listener);
    }

    /// Waits for a connection and does nothing with it.
    pub(crate) fn connected(&self) -> TcpStream {
        let listener = self.listener.as_ref().unwrap();
        listener.accept().unwrap().0
    }

    /// Waits for a subscriber, and lets it in.
    pub(crate) fn accept(&self) -> Peer {
        let (login, stream) = self.login();
        let handle = login.accept().unwrap();
        Peer { handle, stream }
    }

    /// Waits for one with this password.
    pub(crate) fn accept_with(&self, password: &str) -> Peer {
        let (login, stream) = self.login();
        expect_password(&login, password);
        let handle = login.accept().unwrap();
        Peer { handle, stream }
    }

    /// Waits for one with this password, and does not let it in.
    pub(crate) fn refuse(&self, password: &str) {
        let (login, _) = self.login();
        expect_password(&login, password);
        login.refuse();
    }

    fn login(&self) -> (Login, TcpStream) {
        let stream = self.connected();
        let other = stream.try_clone().unwrap();
        let channel = Channel::tcp(stream).unwrap();
        let channel = channel.accepting(self.mode, self.tls.clone());
        let login = channel.receive_login(Config::server(), Some(PATIENCE));
        (login.unwrap(), other)
    }
}

impl Peer {
    /// Waits for a question and answers it.
    pub(crate) fn answer(&mut self, question: &str, answer: impl Into<Value>) {
        self.respond(question, Ok(answer.into()));
    }

    /// Waits for a question and signals an error.
    pub(crate) fn signals(&mut self, question: &str, error: &'static str) {
        self.respond(question, Err(RemoteError::new(error).unwrap()));
    }

    pub(crate) fn publish(&mut self, message: impl Into<Value>) {
        self.handle.set(message).unwrap();
        self.handle.flush().unwrap();
    }

    /// Sends an async message that is no value.
    pub(crate) fn publish_bad(&mut self) {
        self.stream
            .write_all(b"\x01\0\0\0\x0a\0\0\0\x03\0")
            .unwrap();
    }

    /// Sends half a message, and ends.
    pub(crate) fn breaks_off(mut self) {
        self.publish_half();
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Sends half a message.
    pub(crate) fn publish_half(&mut self) {
        let mut outbox = Outbox::default();
        Message::new(MessageKind::Async, Body::encode(&update(99)).unwrap()).write(&mut outbox);
        let bytes = outbox.copy_to_bytes(outbox.remaining());
        self.stream.write_all(&bytes[..bytes.len() / 2]).unwrap();
    }

    /// Waits until the subscriber has closed.
    pub(crate) fn expects_end(&mut self) {
        let end = self.handle.recv_timeout(PATIENCE).unwrap_err();
        assert!(matches!(end, Error::Closed), "{end}");
    }

    fn respond(&mut self, question: &str, answer: Result<Value, RemoteError>) {
        let Received::Request(ticket, asked) = self.handle.receive().unwrap() else {
            panic!("a subscriber asks")
        };
        assert_eq!(asked.to_string(), question);
        self.handle.respond(ticket, answer).unwrap();
    }
}

fn expect_password(login: &Login, password: &str) {
    let expected = Credentials::new("ann", password).unwrap();
    assert!(*login.credentials() == expected, "it is not {password}");
}

/// Rows of a table of numbers.
pub(crate) fn rows(numbers: impl Into<Vec<i64>>) -> Table {
    table(numbers.into())
}

pub(crate) fn table(column: impl Into<Value>) -> Table {
    Table::new([(sym!("n"), column.into())]).unwrap()
}

/// An update of trades with this number.
pub(crate) fn update(number: i64) -> Value {
    (sym!("upd"), sym!("trade"), rows([number])).into()
}

/// Longer than anything takes that does not fail.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

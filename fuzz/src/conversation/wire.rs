//! Messages that carry a number, connections without their login, and what is over for good.

use bytes::{Buf, BytesMut};
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config, Limits};
use hopen_codec::connection::{Connection, ProtocolError, SendError, Ticket};
use hopen_codec::frame::FrameDecoder;
use hopen_codec::handshake::{ClientHandshake, Progress};
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

/// A message by its content: a number, with or without others behind it, or the text of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Async(i64),
    Sync(i64),
    Response(i64),
    Error(String),
}

impl Said {
    pub fn error(text: &str) -> Self {
        Self::Error(text.to_owned())
    }

    /// Reads what a message says.
    pub fn of(kind: MessageKind, body: &Body) -> Self {
        let content = body.decode(&Limits::client()).expect("the body is valid");
        let number = |value: &Value| {
            let mut items = value.as_ref().elements().into_iter().flatten();
            let first = items.next().unwrap_or(value.as_ref());
            first
                .to()
                .expect("the value is a number, or starts with one")
        };
        match (kind, content) {
            (MessageKind::Async, Ok(value)) => Self::Async(number(&value)),
            (MessageKind::Sync, Ok(value)) => Self::Sync(number(&value)),
            (MessageKind::Response, Ok(value)) => Self::Response(number(&value)),
            (MessageKind::Response, Err(error)) => Self::Error(error.to_string()),
            (kind, Err(error)) => panic!("{kind:?} with {error:?}"),
        }
    }

    pub fn bytes(&self) -> BytesMut {
        let (kind, body) = match self {
            Self::Async(number) => (MessageKind::Async, encode(*number)),
            Self::Sync(number) => (MessageKind::Sync, encode(*number)),
            Self::Response(number) => (MessageKind::Response, encode(*number)),
            Self::Error(text) => (MessageKind::Response, Body::error(&remote_error(text))),
        };
        let mut outbox = Outbox::default();
        Message::new(kind, body).write(&mut outbox);
        take(&mut outbox, usize::MAX)
    }
}

/// Returns a connection whose peer has this capability.
pub fn connected(config: Config, capability: Capability) -> Connection {
    let anonymous = Credentials::anonymous();
    let client = ClientHandshake::start(&anonymous, config, &mut Outbox::default());
    let client = client.expect("the login is empty");
    let mut reply = BytesMut::from(&[capability.number()][..]);
    match client.receive(&mut reply).expect("any byte is a reply") {
        Progress::Done(connection) => connection,
        Progress::NeedsInput(_) => panic!("the reply was there"),
    }
}

/// Takes up to so many bytes out of the outbox.
pub fn take(outbox: &mut Outbox, count: usize) -> BytesMut {
    let count = count.min(outbox.remaining());
    BytesMut::from(&outbox.copy_to_bytes(count)[..])
}

/// Reads every message in the outbox, which holds whole ones.
pub fn written(outbox: &mut Outbox) -> Vec<Said> {
    let mut bytes = take(outbox, usize::MAX);
    let said = read_all(&mut bytes);
    assert!(bytes.is_empty(), "part of a message was written");
    said
}

/// Takes the whole messages from the front of the bytes.
pub fn read_all(bytes: &mut BytesMut) -> Vec<Said> {
    let mut frames = FrameDecoder::new(Limits::LARGEST_MESSAGE);
    let mut said = Vec::new();
    while let Some(message) = frames.decode(bytes).expect("the headers are valid") {
        said.push(Said::of(message.kind, &message.body));
    }
    said
}

/// Makes sure that every call says that the connection is over, does nothing and writes nothing.
pub fn assert_over(
    connection: &mut Connection,
    tickets: impl IntoIterator<Item = Ticket>,
    error: ProtocolError,
) {
    let (mut outbox, one) = (Outbox::default(), Value::from(1_i64));
    let failed = Err(SendError::Failed(error));
    for ticket in tickets {
        assert_eq!(connection.respond(ticket, Ok(&one), &mut outbox), failed);
    }
    for _ in 0..2 {
        assert_eq!(connection.request(&one, &mut outbox), failed);
        assert_eq!(connection.notify(&one, &mut outbox), failed);
        for said in [Said::Async(1), Said::Sync(1), Said::Response(1)] {
            let bytes = said.bytes();
            let mut input = bytes.clone();
            let received = connection.receive(&mut input, &mut outbox);
            assert_eq!(received.expect_err("it is over"), error);
            assert_eq!(input, bytes);
        }
        assert_eq!(connection.receive_eof(&BytesMut::new()), Err(error));
        assert_eq!(connection.receive_eof(&BytesMut::from("\x01")), Err(error));
        assert!(!connection.is_awaiting());
        connection.give_up();
        assert_eq!(connection.failure(), Some(error));
    }
    assert!(outbox.is_empty());
}

pub fn remote_error(text: &str) -> RemoteError {
    RemoteError::new(text.to_owned()).expect("the text holds no NUL")
}

fn encode(number: i64) -> Body {
    Body::encode(&Value::from(number)).expect("there is room for a number")
}

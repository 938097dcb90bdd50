//! A connection behind its handshake: who owes whom an answer.
//!
//! ```text
//! request  ──▶ sync      ┐                    respond ──▶ response
//! notify   ──▶ async     │ outbox             ◀── request: the peer waits for `respond`
//! receive  ◀── response  ┘                    ◀── async
//! ```
//!
//! Responses carry no mark of the request that they answer, so one request is outstanding at a
//! time. Whatever else arrives meanwhile comes out of [`Connection::receive`] as it arrives: asyncs,
//! and requests of the peer, which waits until they are answered.

use core::fmt;

use bytes::BytesMut;

use crate::byte_order::ByteOrder;
use crate::compress;
use crate::config::{Capability, Compression, Config};
use crate::encode::{self, EncodeError, Measure};
use crate::frame::{FrameDecoder, FrameError, Header};
use crate::message::{Body, Message, MessageKind};
use crate::outbox::Outbox;
use crate::remote_error::RemoteError;
use crate::value::Value;

/// One end of a connection.
///
/// - What goes out: [`request`](Self::request), [`notify`](Self::notify),
///   [`respond`](Self::respond). Each appends one whole message to the outbox or, on an error,
///   nothing.
/// - What comes in: [`make_room`](Self::make_room) before bytes are read,
///   [`receive`](Self::receive) until it has nothing more, [`receive_eof`](Self::receive_eof) when
///   the peer has closed.
///
/// Calls of both families may be mixed freely. After an error of [`receive`](Self::receive) or
/// [`receive_eof`](Self::receive_eof) the connection is over, and every call says so.
#[derive(Debug)]
pub struct Connection {
    config: Config,
    capability: Capability,
    frames: FrameDecoder,
    awaiting: bool,
    owed: usize,
    failed: Option<ProtocolError>,
}

impl Connection {
    pub(crate) fn new(config: Config, capability: Capability) -> Self {
        let frames = FrameDecoder::new(config.limits.message);
        Self {
            config,
            capability,
            frames,
            awaiting: false,
            owed: 0,
            failed: None,
        }
    }

    /// Sends a sync message, whose response is awaited.
    ///
    /// # Errors
    ///
    /// Where an earlier request is still to be answered, or the value cannot be sent to this peer.
    /// Nothing was written then.
    pub fn request<'a>(
        &mut self,
        what: impl Into<Outgoing<'a>>,
        outbox: &mut Outbox,
    ) -> Result<(), SendError> {
        self.check()?;
        if self.awaiting {
            return Err(SendError::RequestOutstanding);
        }
        self.send(MessageKind::Sync, what.into(), outbox)?;
        self.awaiting = true;
        Ok(())
    }

    /// Sends an async message, which is not answered.
    ///
    /// # Errors
    ///
    /// Where the value cannot be sent to this peer. Nothing was written then.
    pub fn notify<'a>(
        &mut self,
        what: impl Into<Outgoing<'a>>,
        outbox: &mut Outbox,
    ) -> Result<(), SendError> {
        self.check()?;
        Ok(self.send(MessageKind::Async, what.into(), outbox)?)
    }

    /// Answers the oldest request of the peer that is not answered yet. An answer that cannot be
    /// sent to this peer becomes an error response that says so: the peer waits for something.
    ///
    /// # Errors
    ///
    /// Where no request is to be answered, or where the answer could not be encoded; in the latter
    /// case an error response was written in its place.
    pub fn respond<'a>(
        &mut self,
        answer: Result<impl Into<Outgoing<'a>>, RemoteError>,
        outbox: &mut Outbox,
    ) -> Result<(), SendError> {
        self.check()?;
        let owed = self.owed.checked_sub(1).ok_or(SendError::NothingToAnswer)?;
        self.owed = owed;
        let sent = match answer {
            Ok(what) => self.send(MessageKind::Response, what.into(), outbox),
            Err(error) => self.send_body(MessageKind::Response, &Body::error(&error), outbox),
        };
        if let Err(error) = sent {
            let body = Body::error(&RemoteError::trusted(error.q_text().into()));
            Message::new(MessageKind::Response, body).write(outbox);
        }
        Ok(sent?)
    }

    /// Makes room for more input and returns how many bytes to try to read; see
    /// [`FrameDecoder::make_room`].
    pub fn make_room(&self, input: &mut BytesMut) -> usize {
        self.frames.make_room(input)
    }

    /// Takes the next message out of the input, or `None` where more bytes are needed.
    ///
    /// # Errors
    ///
    /// Where the peer broke the protocol. That ends the connection: every later call gives the same
    /// error.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let message = match self.frames.decode(input) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.fail(ProtocolError::Frame(error))),
        };
        Ok(Some(match message.kind {
            MessageKind::Async => Incoming::Async(message.body),
            MessageKind::Sync => {
                self.owed += 1;
                Incoming::Request(message.body)
            }
            MessageKind::Response if self.awaiting => {
                self.awaiting = false;
                Incoming::Response(message.body)
            }
            MessageKind::Response => return Err(self.fail(ProtocolError::UnexpectedResponse)),
        }))
    }

    /// Is told that the peer has closed, with what is left of the input.
    ///
    /// # Errors
    ///
    /// Where that was in the middle of a message, or with a request unanswered.
    pub fn receive_eof(&mut self, input: &BytesMut) -> Result<(), ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !input.is_empty() {
            let arrived = input.len() as u64;
            let announced = self
                .frames
                .announced(input)
                .map(|announced| announced.length);
            return Err(self.fail(ProtocolError::Truncated { arrived, announced }));
        }
        if self.awaiting {
            return Err(self.fail(ProtocolError::ClosedBeforeResponse));
        }
        Ok(())
    }

    /// Returns the capability that both ends have.
    pub const fn capability(&self) -> Capability {
        self.capability
    }

    /// Returns what the connection was told at its start.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Returns whether a request is still to be answered by the peer.
    pub const fn is_awaiting(&self) -> bool {
        self.awaiting
    }

    fn send(
        &self,
        kind: MessageKind,
        what: Outgoing<'_>,
        outbox: &mut Outbox,
    ) -> Result<(), EncodeError> {
        match what {
            Outgoing::Body(body) => self.send_body(kind, body, outbox),
            Outgoing::Value(value) => {
                let order = ByteOrder::Little;
                let measure = Measure::of(value, order)?;
                encode::check_for(measure.feature, measure.length, self.capability)?;
                let length = measure.length + Header::LENGTH as u64;
                if length >= compress::THRESHOLD as u64 && self.config.compresses(self.capability) {
                    return self.send_body(kind, &Body::encode(value)?, outbox);
                }
                outbox.put_slice(&Header::new(order, kind, None, length).to_bytes());
                encode::write(value, order, outbox);
                Ok(())
            }
        }
    }

    fn send_body(
        &self,
        kind: MessageKind,
        body: &Body,
        outbox: &mut Outbox,
    ) -> Result<(), EncodeError> {
        let limits = &self.config.limits;
        body.check_for(self.capability, limits)?;
        let body = if self.config.compresses(self.capability) {
            body.compress()
        } else if self.capability.compresses() && self.config.compression != Compression::Never {
            // What came compressed goes on as it is.
            body.clone()
        } else {
            body.decompress(limits).map_err(EncodeError::Invalid)?
        };
        Message::new(kind, body).write(outbox);
        Ok(())
    }

    fn check(&self) -> Result<(), SendError> {
        self.failed
            .map_or(Ok(()), |error| Err(SendError::Failed(error)))
    }

    fn fail(&mut self, error: ProtocolError) -> ProtocolError {
        self.failed = Some(error);
        self.awaiting = false;
        error
    }
}

/// What is sent: a value, or a body that was encoded or received before.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outgoing<'a> {
    /// A value, encoded as it is sent.
    Value(&'a Value),
    /// A body, sent on as it is.
    Body(&'a Body),
}

impl<'a> From<&'a Value> for Outgoing<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Value(value)
    }
}

impl<'a> From<&'a Body> for Outgoing<'a> {
    fn from(body: &'a Body) -> Self {
        Self::Body(body)
    }
}

/// What has arrived.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what arrives is to be handled in full"
)]
pub enum Incoming {
    /// A message that nobody waits for.
    Async(Body),
    /// A message whose sender waits for [`Connection::respond`].
    Request(Body),
    /// The answer to the outstanding request.
    Response(Body),
}

/// A message that was not sent: nothing was written. Unless the connection had
/// [failed](Self::Failed) before, it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// An earlier request is still to be answered.
    RequestOutstanding,
    /// The peer waits for no answer.
    NothingToAnswer,
    /// The value cannot be sent to this peer.
    Encode(EncodeError),
    /// The connection is over.
    Failed(ProtocolError),
}

impl From<EncodeError> for SendError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestOutstanding => f.write_str("an earlier request is still to be answered"),
            Self::NothingToAnswer => f.write_str("the peer waits for no answer"),
            Self::Encode(error) => fmt::Display::fmt(error, f),
            Self::Failed(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for SendError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Encode(error) => error.source(),
            Self::Failed(error) => error.source(),
            Self::RequestOutstanding | Self::NothingToAnswer => None,
        }
    }
}

/// The peer broke the protocol, or went away in the middle of something. The connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// What should be the header of a message is none.
    Frame(FrameError),
    /// A response came where no request was outstanding.
    UnexpectedResponse,
    /// The peer closed in the middle of a message.
    Truncated {
        /// How many bytes of it had arrived.
        arrived: u64,
        /// How many it was to have, where its header had arrived.
        announced: Option<u64>,
    },
    /// The peer closed with a request unanswered.
    ClosedBeforeResponse,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(error) => fmt::Display::fmt(error, f),
            Self::UnexpectedResponse => f.write_str("a response to no request"),
            Self::Truncated {
                arrived,
                announced: Some(announced),
            } => {
                write!(
                    f,
                    "the peer closed after {arrived} of a message's {announced} bytes"
                )
            }
            Self::Truncated {
                arrived,
                announced: None,
            } => {
                write!(
                    f,
                    "the peer closed after {arrived} bytes of a message's header"
                )
            }
            Self::ClosedBeforeResponse => f.write_str("the peer closed instead of responding"),
        }
    }
}

impl core::error::Error for ProtocolError {}

#[cfg(test)]
mod tests {
    use bytes::{Buf, Bytes};

    use super::*;
    use crate::auth::Credentials;
    use crate::config::Compression;
    use crate::handshake::{ClientHandshake, Progress};
    use crate::sym;
    use crate::value::{Guid, Timespan};

    #[test]
    fn a_request_is_answered_before_the_next_one_goes_out() {
        let (mut connection, mut outbox) = connected(6);
        connection
            .request(&Value::from("1+1"), &mut outbox)
            .unwrap();
        let sent = outbox.len();
        assert_eq!(
            connection.request(&Value::from("2+2"), &mut outbox),
            Err(SendError::RequestOutstanding)
        );
        assert_eq!(outbox.len(), sent);
        let mut input = message(MessageKind::Response, &Value::from(2_i64));
        let Ok(Some(Incoming::Response(body))) = connection.receive(&mut input) else {
            panic!("a response was there");
        };
        let limits = connection.config().limits;
        assert_eq!(body.decode(&limits).unwrap(), Ok(Value::from(2_i64)));
        assert!(connection.request(&Value::from("2+2"), &mut outbox).is_ok());
    }

    #[test]
    fn what_arrives_before_the_response_comes_out_in_order() {
        let (mut connection, mut outbox) = connected(6);
        connection
            .request(&Value::from("1+1"), &mut outbox)
            .unwrap();
        let mut input = message(MessageKind::Async, &Value::from(1_i64));
        input.unsplit(message(MessageKind::Sync, &Value::from(2_i64)));
        input.unsplit(message(MessageKind::Response, &Value::from(3_i64)));
        assert!(matches!(
            connection.receive(&mut input),
            Ok(Some(Incoming::Async(_)))
        ));
        assert!(matches!(
            connection.receive(&mut input),
            Ok(Some(Incoming::Request(_)))
        ));
        assert!(matches!(
            connection.receive(&mut input),
            Ok(Some(Incoming::Response(_)))
        ));
        assert!(matches!(connection.receive(&mut input), Ok(None)));
    }

    #[test]
    fn a_peer_s_request_is_answered_once() {
        let (mut connection, mut outbox) = connected(6);
        let two = Value::from(2_i64);
        assert_eq!(
            connection.respond(Ok(&two), &mut outbox),
            Err(SendError::NothingToAnswer)
        );
        let mut input = message(MessageKind::Sync, &Value::from("1+1"));
        connection.receive(&mut input).unwrap();
        connection.respond(Ok(&two), &mut outbox).unwrap();
        assert_eq!(drain(&mut outbox), message(MessageKind::Response, &two));
        assert_eq!(
            connection.respond(Ok(&two), &mut outbox),
            Err(SendError::NothingToAnswer)
        );
        assert!(outbox.is_empty());
    }

    #[test]
    fn an_answer_that_cannot_be_sent_becomes_an_error_response() {
        let (mut connection, mut outbox) = connected(0);
        let mut input = message(MessageKind::Sync, &Value::from("now"));
        connection.receive(&mut input).unwrap();
        let sent = connection.respond(Ok(&Value::from(Timespan(1))), &mut outbox);
        assert!(matches!(
            sent,
            Err(SendError::Encode(EncodeError::NotUnderstood { .. }))
        ));
        assert_eq!(drain(&mut outbox)[..], *b"\x01\x02\0\0\x0e\0\0\0\x80type\0");
    }

    #[test]
    fn a_response_to_nothing_ends_the_connection() {
        let (mut connection, _) = connected(6);
        let mut input = message(MessageKind::Response, &Value::from(3_i64));
        input.unsplit(message(MessageKind::Async, &Value::from(1_i64)));
        for _ in 0..2 {
            assert_eq!(
                connection.receive(&mut input).unwrap_err(),
                ProtocolError::UnexpectedResponse
            );
        }
    }

    #[test]
    fn a_close_at_each_byte_is_told_apart_from_a_clean_one() {
        let bytes = message(MessageKind::Async, &Value::from(sym!("a")));
        for end in 0..bytes.len() {
            let (mut connection, _) = connected(6);
            let mut input = BytesMut::from(&bytes[..end]);
            assert!(connection.receive(&mut input).unwrap().is_none());
            let announced = (end >= 8).then_some(bytes.len() as u64);
            let expected = match end {
                0 => Ok(()),
                _ => Err(ProtocolError::Truncated {
                    arrived: end as u64,
                    announced,
                }),
            };
            assert_eq!(connection.receive_eof(&input), expected, "{end}");
        }
        let (mut connection, mut outbox) = connected(6);
        connection.request(&Value::from("1"), &mut outbox).unwrap();
        for _ in 0..2 {
            assert_eq!(
                connection.receive_eof(&BytesMut::new()),
                Err(ProtocolError::ClosedBeforeResponse)
            );
        }
    }

    #[test]
    fn an_answer_that_is_too_large_is_called_limit() {
        let (mut connection, mut outbox) = connected(3);
        let mut input = message(MessageKind::Sync, &Value::from("all"));
        connection.receive(&mut input).unwrap();
        let wide = Body::from_bytes(
            Bytes::from_static(b"\x04\x80\x01\0\0\0\0\0\0\0\xaa"),
            ByteOrder::Little,
        );
        assert!(connection.respond(Ok(&wide), &mut outbox).is_err());
        assert_eq!(
            drain(&mut outbox)[..],
            *b"\x01\x02\0\0\x0f\0\0\0\x80limit\0"
        );
    }

    #[test]
    fn after_a_failure_nothing_is_sent() {
        let (mut connection, mut outbox) = connected(6);
        connection.request(&Value::from("1"), &mut outbox).unwrap();
        outbox.clear();
        let error = connection
            .receive(&mut BytesMut::from(&b"HTTP/1.1 400"[..]))
            .unwrap_err();
        assert!(matches!(error, ProtocolError::Frame(_)));
        assert!(!connection.is_awaiting());
        let one = Value::from(1_i64);
        assert_eq!(
            connection.request(&one, &mut outbox),
            Err(SendError::Failed(error))
        );
        assert_eq!(
            connection.notify(&one, &mut outbox),
            Err(SendError::Failed(error))
        );
        assert_eq!(
            connection.respond(Ok(&one), &mut outbox),
            Err(SendError::Failed(error))
        );
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_message_without_a_body_is_not_sent() {
        let (mut connection, mut outbox) = connected(6);
        let nothing = Body::from_bytes(Bytes::new(), ByteOrder::Little);
        let sent = connection.notify(&nothing, &mut outbox);
        assert!(matches!(
            sent,
            Err(SendError::Encode(EncodeError::Invalid(_)))
        ));
        assert!(outbox.is_empty());
    }

    #[test]
    fn only_what_pays_toward_a_peer_that_understands_it_is_compressed() {
        let value = Value::from(vec![7_i64; 1000]);
        for (capability, compression, compressed) in [
            (6, Compression::Auto, true),
            (2, Compression::Auto, false),
            (0, Compression::Always, false),
            (1, Compression::Always, true),
            (6, Compression::Never, false),
        ] {
            let (mut connection, mut outbox) = connected(capability);
            connection.config.compression = compression;
            connection.notify(&value, &mut outbox).unwrap();
            let mut sent = drain(&mut outbox);
            assert_eq!(sent[2] == 1, compressed, "{capability} {compression:?}");
            let Ok(Some(Incoming::Async(body))) = connection.receive(&mut sent) else {
                panic!("a message was sent");
            };
            assert_eq!(
                body.decode(&connection.config().limits).unwrap(),
                Ok(value.clone())
            );
        }
    }

    #[test]
    fn a_body_on_its_way_through_is_checked_for_its_new_peer() {
        let received = |value: &Value| {
            let (mut connection, _) = connected(6);
            let mut input = message(MessageKind::Async, value);
            match connection.receive(&mut input) {
                Ok(Some(Incoming::Async(body))) => body,
                other => panic!("{other:?}"),
            }
        };
        let guid = received(&Value::from(vec![Value::from(Guid([7; 16]))]));
        let (mut old, mut outbox) = connected(1);
        assert!(matches!(
            old.notify(&guid, &mut outbox),
            Err(SendError::Encode(_))
        ));
        assert!(outbox.is_empty());
        let (mut new, mut outbox) = connected(3);
        new.notify(&guid, &mut outbox).unwrap();
        assert_eq!(drain(&mut outbox)[8..], guid.chunks()[0]);

        let nonsense = Body::from_bytes(Bytes::from_static(b"\x03"), ByteOrder::Little);
        assert!(matches!(
            new.notify(&nonsense, &mut outbox),
            Err(SendError::Encode(EncodeError::Invalid(_)))
        ));
        // A compressed body is taken apart for a peer that does not understand it.
        let zipped = Body::encode(&Value::from(vec![7_i64; 1000]))
            .unwrap()
            .compress();
        assert!(zipped.form().is_some());
        let (mut oldest, mut outbox) = connected(0);
        oldest.notify(&zipped, &mut outbox).unwrap();
        let (mut never, mut plain) = connected(6);
        never.config.compression = Compression::Never;
        never.notify(&zipped, &mut plain).unwrap();
        assert_eq!(drain(&mut plain)[2], 0);
        assert_eq!(
            drain(&mut outbox),
            message(MessageKind::Async, &Value::from(vec![7_i64; 1000]))
        );
    }

    fn connected(capability: u8) -> (Connection, Outbox) {
        let mut outbox = Outbox::default();
        let login = Credentials::anonymous();
        let client = ClientHandshake::start(&login, Config::client(), &mut outbox).unwrap();
        outbox.clear();
        match client.receive(&mut BytesMut::from(&[capability][..])) {
            Ok(Progress::Done(connection)) => (connection, outbox),
            other => panic!("{other:?}"),
        }
    }

    fn message(kind: MessageKind, value: &Value) -> BytesMut {
        let mut outbox = Outbox::default();
        Message::new(kind, Body::encode(value).unwrap()).write(&mut outbox);
        drain(&mut outbox)
    }

    fn drain(outbox: &mut Outbox) -> BytesMut {
        let mut bytes = BytesMut::new();
        while outbox.has_remaining() {
            let chunk = outbox.chunk().len();
            bytes.extend_from_slice(&outbox.copy_to_bytes(chunk));
        }
        bytes
    }
}

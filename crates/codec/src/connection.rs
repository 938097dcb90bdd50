//! A connection behind its handshake: who owes whom an answer.
//!
//! ```text
//! request  ──▶ sync      ┐                    respond ──▶ response
//! notify   ──▶ async     │ outbox             ◀── Request(ticket): the peer waits for `respond`
//! receive  ◀── response  ┘                    ◀── Async
//! ```
//!
//! Both ends are the same type: a server asks and a client answers as well as the other way round.
//!
//! Responses carry no mark of the request that they answer ([KX, deferred
//! response](https://code.kx.com/q/kb/deferred-response/): a server may answer later, and out of
//! order). Everything here follows from that:
//!
//! - **One request is outstanding** at a time, unless the connection is told to
//!   [pipeline](crate::config::Requests::Pipelined).
//! - **A request owns its answer.** Who does not want to wait any longer
//!   [gives up](Connection::give_up) the answer, not the order: it comes out as
//!   [`LateResponse`](Incoming::LateResponse), without its body, and until then no other request goes
//!   out.
//! - **The peer may ask meanwhile.** If it does so in the middle of a request of ours, it waits for that
//!   answer first; until it has it, another request of ours is [`Reentrant`](SendError::Reentrant).
//! - **Answers go out in the order in which the peer takes them**, whenever they are given: in the
//!   order of its requests; but what it asked while we waited for it comes first, the latest before the
//!   others, and what it had asked before that only when it has answered us. A q process that is
//!   called back nests in this way ([KX, IPC](https://code.kx.com/q/basics/ipc/)). An answer that is
//!   early is held.
//!
//! A client and a server in one process; what one writes is what the other reads:
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use hopen_codec::auth::Credentials;
//! use hopen_codec::config::Config;
//! use hopen_codec::connection::{Connection, Incoming};
//! use hopen_codec::handshake::{ClientHandshake, Progress, ServerHandshake};
//! use hopen_codec::outbox::Outbox;
//! use hopen_codec::value::Value;
//!
//! let wire = |outbox: &mut Outbox| BytesMut::from(&outbox.copy_to_bytes(outbox.remaining())[..]);
//! let (mut to_server, mut to_client) = (Outbox::default(), Outbox::default());
//!
//! // The client logs in, and the server looks who it is.
//! let ann = Credentials::new("ann", "secret")?;
//! let client = ClientHandshake::start(&ann, Config::client(), &mut to_server)?;
//! let server = ServerHandshake::start(Config::server());
//! let Progress::Done(login) = server.receive(&mut wire(&mut to_server))? else {
//!     panic!("the login is complete")
//! };
//! assert_eq!(login.credentials().user(), b"ann");
//! let mut server = login.accept(&mut to_client);
//! let Progress::Done(mut client) = client.receive(&mut wire(&mut to_client))? else {
//!     panic!("it is accepted")
//! };
//!
//! // The client asks, and the server answers.
//! client.request(&Value::from("2+3"), &mut to_server)?;
//! let asked = server.receive(&mut wire(&mut to_server), &mut to_client)?;
//! let Some(Incoming::Request(ticket, _question)) = asked else {
//!     panic!("the client asked")
//! };
//! server.respond(ticket, Ok(&Value::from(5_i64)), &mut to_client)?;
//! let answered = client.receive(&mut wire(&mut to_client), &mut to_server)?;
//! let Some(Incoming::Response(answer)) = answered else {
//!     panic!("the server answered")
//! };
//! assert_eq!(answer.decode(&client.config().limits)?, Ok(Value::from(5_i64)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use bytes::BytesMut;

use crate::byte_order::ByteOrder;
use crate::compress;
use crate::config::{Capability, Compression, Config, Requests};
use crate::encode::{self, EncodeError};
use crate::frame::{Announced, FrameDecoder, Header};
use crate::message::{Body, Message, MessageKind};
use crate::outbox::{Draft, Outbox};
use crate::remote_error::RemoteError;
use crate::value::Value;

mod error;
mod owed;

pub use error::{ProtocolError, SendError};
use owed::Owed;
pub use owed::Ticket;

/// One end of a connection.
///
/// - What goes out: [`request`](Self::request), [`notify`](Self::notify),
///   [`respond`](Self::respond). Each appends one whole message to the outbox or, on an error,
///   nothing.
/// - What comes in: [`make_room`](Self::make_room) before bytes are read,
///   [`receive`](Self::receive) until it has nothing more, [`receive_eof`](Self::receive_eof) when
///   the peer has closed.
/// - Who no longer waits: [`give_up`](Self::give_up).
///
/// Calls of all families may be mixed freely. After an error of [`receive`](Self::receive) or
/// [`receive_eof`](Self::receive_eof), or giving up a pipelined request, the connection is over, and
/// every call says so.
#[derive(Debug)]
pub struct Connection {
    config: Config,
    capability: Capability,
    frames: FrameDecoder,
    /// How many requests of ours are outstanding, one that was given up included.
    outstanding: usize,
    /// Whether the one that is outstanding was given up.
    given_up: bool,
    owed: Owed,
    failed: Option<ProtocolError>,
}

impl Connection {
    pub(crate) fn new(config: Config, capability: Capability) -> Self {
        let frames = FrameDecoder::new(config.limits.message);
        Self {
            config,
            capability,
            frames,
            outstanding: 0,
            given_up: false,
            owed: Owed::new(),
            failed: None,
        }
    }

    /// Sends a sync message, whose response is awaited.
    ///
    /// # Errors
    ///
    /// Where an earlier request is still to be answered, given up or not, where the peer waits for
    /// an answer before it gives that one, or where the value cannot be sent to this peer. Nothing
    /// was written then. The first three pass: when the response has come, and when the peer has its
    /// answer.
    pub fn request<'a>(
        &mut self,
        what: impl Into<Outgoing<'a>>,
        outbox: &mut Outbox,
    ) -> Result<(), SendError> {
        self.check()?;
        if let Some(hindrance) = self.request_hindrance() {
            return Err(hindrance);
        }
        self.send(MessageKind::Sync, what.into(), outbox)?;
        if self.outstanding == 0 {
            self.owed.ask();
        }
        self.outstanding += 1;
        Ok(())
    }

    /// Returns what keeps a request from being sent now, whatever it asks.
    pub(crate) fn request_hindrance(&self) -> Option<SendError> {
        if self.outstanding == 0 {
            return None;
        }
        if self.owed.is_asked_meanwhile() {
            return Some(SendError::Reentrant);
        }
        if self.given_up {
            return Some(SendError::LateResponseOutstanding);
        }
        // A peer that waits for us takes a second one for a call-back inside the first.
        let waits = self.config.requests == Requests::OneAtATime || self.owed.len() > 0;
        waits.then_some(SendError::RequestOutstanding)
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
        self.send(MessageKind::Async, what.into(), outbox)?;
        self.owed.tell();
        Ok(())
    }

    /// Answers a request of the peer. If its turn has not come, the answer is held and goes out in
    /// its turn. An answer that cannot be sent to this peer becomes an error response that says so:
    /// the peer waits for something.
    ///
    /// # Errors
    ///
    /// Where the ticket's request is answered already or is none of this connection, or where the
    /// answer could not be encoded; in the latter case an error response takes its place.
    pub fn respond<'a>(
        &mut self,
        ticket: Ticket,
        answer: Result<impl Into<Outgoing<'a>>, RemoteError>,
        outbox: &mut Outbox,
    ) -> Result<(), SendError> {
        self.check()?;
        let mut owed = core::mem::take(&mut self.owed);
        let sent = owed.settle(ticket, outbox, |outbox| {
            let sent = match answer {
                Ok(what) => self.send(MessageKind::Response, what.into(), outbox),
                Err(error) => self.send_body(MessageKind::Response, &Body::error(&error), outbox),
            };
            if let Err(error) = sent {
                let body = Body::error(&RemoteError::trusted(error.q_text().into()));
                Message::new(MessageKind::Response, body).write(outbox);
            }
            sent
        });
        self.owed = owed;
        Ok(sent.ok_or(SendError::NothingToAnswer)??)
    }

    /// Gives up the answer to the outstanding request: nobody waits for it any longer. When it comes
    /// it is dropped, and [`LateResponse`](Incoming::LateResponse) says so; until then there is no
    /// other request. Does nothing where no request is outstanding.
    ///
    /// Where requests are [pipelined](Requests::Pipelined) the connection is over, with
    /// [`GivenUp`](ProtocolError::GivenUp).
    pub fn give_up(&mut self) {
        if self.outstanding == 0 || self.failed.is_some() {
            return;
        }
        match self.config.requests {
            Requests::OneAtATime => self.given_up = true,
            Requests::Pipelined => {
                self.fail(ProtocolError::GivenUp);
            }
        }
    }

    /// Makes room for more input and returns how many bytes to try to read; see
    /// [`FrameDecoder::make_room`]. 0 when the connection is over.
    pub fn make_room(&self, input: &mut BytesMut) -> usize {
        match self.failed {
            Some(_) => 0,
            None => self.frames.make_room(input),
        }
    }

    /// Takes the next message out of the input, or `None` where more bytes are needed. Answers that
    /// were held for a response that has come now go to the outbox.
    ///
    /// # Errors
    ///
    /// Where the peer broke the protocol. That ends the connection: every later call gives the same
    /// error.
    pub fn receive(
        &mut self,
        input: &mut BytesMut,
        outbox: &mut Outbox,
    ) -> Result<Option<Incoming>, ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let message = match self.frames.decode(input) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.fail(ProtocolError::Frame(error))),
        };
        let incoming = match message.kind {
            MessageKind::Async => Ok(Incoming::Async(message.body)),
            MessageKind::Sync => self.asked(message.body),
            MessageKind::Response => self.answered(message.body, outbox),
        };
        incoming.map(Some).map_err(|error| self.fail(error))
    }

    /// Is told that the peer has closed, with what is left of the input.
    ///
    /// # Errors
    ///
    /// Where that was in the middle of a message, or with a request unanswered that was not given up.
    pub fn receive_eof(&mut self, input: &BytesMut) -> Result<(), ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !input.is_empty() {
            let arrived = input.len() as u64;
            let announced = self.announced(input).map(|announced| announced.length);
            return Err(self.fail(ProtocolError::Truncated { arrived, announced }));
        }
        if self.is_awaiting() {
            return Err(self.fail(ProtocolError::ClosedBeforeResponse));
        }
        Ok(())
    }

    /// Returns what is known of the message under way, which is at the front of the input: its
    /// length before anything is allocated for it, and how much has arrived. `None` before its header
    /// is there, and where it is refused.
    pub fn announced(&self, input: &BytesMut) -> Option<Announced> {
        self.frames.announced(input)
    }

    /// Returns the capability that both ends have.
    pub const fn capability(&self) -> Capability {
        self.capability
    }

    /// Returns what the connection was told at its start.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Returns why the connection is over, if it is.
    pub const fn failure(&self) -> Option<ProtocolError> {
        self.failed
    }

    /// Returns whether a response is awaited: a request is outstanding and was not given up.
    pub const fn is_awaiting(&self) -> bool {
        self.outstanding > 0 && !self.given_up
    }

    /// Returns how many requests of the peer have no answer yet, or one that is held.
    pub fn owed(&self) -> usize {
        self.owed.len()
    }

    /// Returns the bytes of the answers that are held until their turn. They are memory that a slow
    /// peer takes, as what is in the outbox.
    pub const fn held(&self) -> usize {
        self.owed.held()
    }

    /// Takes in a request of the peer.
    fn asked(&mut self, body: Body) -> Result<Incoming, ProtocolError> {
        let limit = self.config.limits.requests;
        if self.owed.len() >= limit {
            return Err(ProtocolError::TooManyRequests { limit });
        }
        if self.outstanding > 1 {
            return Err(ProtocolError::CalledBack);
        }
        Ok(Incoming::Request(self.owed.add(), body))
    }

    /// Takes in a response.
    fn answered(&mut self, body: Body, outbox: &mut Outbox) -> Result<Incoming, ProtocolError> {
        self.outstanding = self
            .outstanding
            .checked_sub(1)
            .ok_or(ProtocolError::UnexpectedResponse)?;
        if self.outstanding == 0 {
            self.owed.answered(outbox);
        }
        Ok(if core::mem::take(&mut self.given_up) {
            Incoming::LateResponse
        } else {
            Incoming::Response(body)
        })
    }

    fn send(
        &self,
        kind: MessageKind,
        what: Outgoing<'_>,
        outbox: &mut Outbox,
    ) -> Result<(), EncodeError> {
        match what {
            Outgoing::Body(body) => self.send_body(kind, body, outbox),
            Outgoing::Value(value) => self.send_value(kind, value, outbox),
        }
    }

    fn send_value(
        &self,
        kind: MessageKind,
        value: &Value,
        outbox: &mut Outbox,
    ) -> Result<(), EncodeError> {
        let order = ByteOrder::Little;
        let mut message = Draft::new(outbox, self.capability.longest_message());
        message.put_slice(&[0; Header::LENGTH]);
        let feature = encode::write(value, order, &mut message)?;
        let length = message.len();
        encode::check_for(feature, length, self.capability)?;
        if length >= compress::THRESHOLD as u64
            && self.config.compresses(self.capability)
            && let Some(compressed) = compress::compress(&message.bytes()[Header::LENGTH..], order)
        {
            drop(message);
            let length = (Header::LENGTH + compressed.payload.len()) as u64;
            outbox.put_slice(&Header::new(order, kind, Some(compressed.form), length).to_bytes());
            outbox.put_bytes(compressed.payload.into());
        } else {
            message.finish(&Header::new(order, kind, None, length).to_bytes());
        }
        Ok(())
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
        self.outstanding = 0;
        self.owed = Owed::new();
        error
    }
}

/// What is sent: a value, or a body that was encoded or received before.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outgoing<'a> {
    /// A value, encoded as it is sent.
    Value(&'a Value),
    /// A body, sent on without being decoded, and compressed or not as this peer takes it.
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
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what arrives is to be handled in full"
)]
pub enum Incoming {
    /// A message that nobody waits for.
    Async(Body),
    /// A message whose sender waits for [`Connection::respond`].
    Request(Ticket, Body),
    /// The answer to the outstanding request; of several, to the oldest.
    Response(Body),
    /// The answer to a request that was given up has come, and is dropped. The next request may go
    /// out.
    LateResponse,
}

#[cfg(test)]
mod tests;

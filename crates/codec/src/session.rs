//! What a handle decides, whoever moves its bytes.
//!
//! A [`Connection`] knows who owes whom an answer. Between it and those who use a handle there is more
//! that does not depend on how bytes are moved, or by which runtime: whose question goes out next and
//! whose response has come, what is kept for later and what is declined, when reading has to stop,
//! which bytes have gone, and what has ended the handle. That is a [`Session`]. A transport waits,
//! reads and writes.
//!
//! ```text
//!  callers ── queue_up, ask, notify, respond ──▶ session ── outbox ──▶ (stage) ──▶ medium
//!          ◀── take_response, next_kept ───────          ◀── receive ──────────────  input
//!
//!  bytes from the start:  ──── written ────┬──── taken ────┬──── held ────┬──── outbox ────▶ end
//!                          handed on        by the medium   by a stage
//! ```
//!
//! Where bytes are encrypted, a stage between outbox and medium [holds](Session::holds) some of them.
//! What a medium [takes](Session::taken_more) it may hand on at once, or say later that it
//! [has](Session::handed_on). `F` is what can fail in a medium or stage.
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use hopen_codec::auth::Credentials;
//! use hopen_codec::config::Config;
//! use hopen_codec::handshake::{ClientHandshake, Progress};
//! use hopen_codec::outbox::Outbox;
//! use hopen_codec::session::{Next, Role, Session};
//! use hopen_codec::value::Value;
//!
//! let nobody = Credentials::default();
//! let handshake = ClientHandshake::start(&nobody, Config::client(), &mut Outbox::default())?;
//! let Progress::Done(connection) = handshake.receive(&mut BytesMut::from(&b"\x03"[..]))? else {
//!     panic!("more than a byte is not needed")
//! };
//! let mut session = Session::<std::io::ErrorKind>::new(connection, Role::Client);
//!
//! // Two have a question. One goes out.
//! let (first, second) = (session.queue_up(), session.queue_up());
//! let Some(Ok(end)) = session.ask(first, &Value::from("2+3")) else {
//!     panic!("it is its turn")
//! };
//! assert!(session.ask(second, &Value::from("4+5")).is_none());
//!
//! // Everything is written at once …
//! let count = session.outbox().remaining();
//! session.outbox().advance(count);
//! session.taken_more(count);
//! assert!(session.handed_on() && session.has_gone(end));
//!
//! // … and the response is for the first.
//! let mut input = BytesMut::from(&b"\x01\x02\0\0\x11\0\0\0\xf9\x05\0\0\0\0\0\0\0"[..]);
//! assert_eq!(session.receive(&mut input), Next::Came);
//! assert!(session.take_response(first).is_some());
//! assert!(session.ask(second, &Value::from("4+5")).is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use core::ops::ControlFlow;
use std::collections::VecDeque;

use bytes::BytesMut;

use crate::backlog::{Backlog, Kept};
use crate::connection::{Connection, Incoming, Outgoing, ProtocolError, SendError, Ticket};
use crate::frame::{Announced, room};
use crate::message::Body;
use crate::outbox::Outbox;
use crate::remote_error::RemoteError;
use crate::value::Value;

mod cause;

pub use cause::{Cause, NotSent};

/// The codec's side of a handle: what waits to go out, and what has come for somebody.
///
/// - **A question**: [`queue_up`](Self::queue_up), [`ask`](Self::ask) until its turn has come,
///   [`take_response`](Self::take_response) until it is there. Whoever does not want to wait any longer
///   [leaves](Self::leave) the queue or [gives up](Self::give_up) the response.
/// - **Other messages**: [`notify`](Self::notify), [`respond`](Self::respond);
///   [`next_async`](Self::next_async), [`next_kept`](Self::next_kept).
/// - **Writing**: what is in the [`outbox`](Self::outbox), while it [may](Self::may_write);
///   [`holds`](Self::holds), [`taken_more`](Self::taken_more), [`handed_on`](Self::handed_on) and
///   [`all_has_gone`](Self::all_has_gone) tell what became of it.
/// - **Reading**: [`receive`](Self::receive) takes one message; what it says decides whether to read.
/// - **The end**: [`end`](Self::end), [`close`](Self::close), [`fail_writing`](Self::fail_writing),
///   [`peer_has_closed`](Self::peer_has_closed). Of several causes the first counts.
///
/// It never waits. Its `Debug` form tells lengths, and nothing of what was sent or received.
pub struct Session<F> {
    connection: Connection,
    role: Role,
    outbox: Outbox,
    /// How many bytes have left the outbox, and the medium has not taken.
    held: usize,
    /// How many bytes the medium has taken.
    taken: u64,
    /// How many of them it has handed on.
    written: u64,
    /// Messages that nobody has asked for yet.
    backlog: Backlog,
    /// Those whose request is to go out next, in their order.
    queue: VecDeque<Question>,
    /// Those whose request is outstanding, in their order.
    outstanding: VecDeque<Question>,
    /// The responses that have come, for those who wait for them.
    responses: Vec<(Question, Body)>,
    questions: u64,
    /// How many requests were declined or handled since the outbox was last empty.
    declined: usize,
    watcher: Option<Box<dyn FnMut(Announced) -> ControlFlow<()> + Send>>,
    /// Whether requests are handled as soon as they come.
    is_handled: bool,
    /// The one that is to be handled.
    asked: Option<(Ticket, Body)>,
    /// Why nothing can be written any more. What has arrived is still taken.
    unwritable: Option<Cause<F>>,
    /// Why nothing is read any more. What is in the backlog still comes out.
    over: Option<Cause<F>>,
    /// How far this side has stopped to take in what comes.
    reading: Reading,
}

/// Which end of the connection this is, which decides what becomes of requests that nobody waits
/// for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever opens a handle says which it is"
)]
pub enum Role {
    /// They are declined at once: the other side waits.
    Client,
    /// They are kept, as what a server is there for.
    Server,
    /// Whatever is no response ends the connection.
    OneShot,
}

/// What became of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever reads has to do something about each"
)]
pub enum Next {
    /// A message was taken in, or the connection is over. There may be more.
    Came,
    /// More has to be read: there is room for so many bytes behind the input. Where nothing of a
    /// message is there, whoever reads makes that room, or less.
    NeedsInput {
        /// How many bytes to read at most.
        room: usize,
    },
    /// The connection was over before, or nothing is to be read now: see
    /// [`Session::takes_more`].
    Rests,
}

/// How far this side has stopped to take in what comes, while it still writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It has not.
    Open,
    /// It is to, when what has arrived is taken.
    Stopped,
    /// Nothing is left to be read.
    Drained,
}

/// One caller's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question(u64);

/// A place in what goes out, in bytes from the start of the connection. The default is that start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u64);

impl<F: Clone> Session<F> {
    /// Begins after the login.
    pub fn new(connection: Connection, role: Role) -> Self {
        let backlog = Backlog::new(connection.config().limits.kept_asyncs);
        Self {
            connection,
            role,
            outbox: Outbox::default(),
            held: 0,
            taken: 0,
            written: 0,
            backlog,
            queue: VecDeque::new(),
            outstanding: VecDeque::new(),
            responses: Vec::new(),
            questions: 0,
            declined: 0,
            watcher: None,
            is_handled: false,
            asked: None,
            unwritable: None,
            over: None,
            reading: Reading::Open,
        }
    }

    /// Returns the connection, with what was agreed on.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Gets in the queue of those who have something to ask.
    pub fn queue_up(&mut self) -> Question {
        let question = Question(self.questions);
        self.questions += 1;
        self.queue.push_back(question);
        question
    }

    /// Sends the request of a question, if its turn has come and no other has to be answered first.
    /// Returns where it ends.
    pub fn ask(
        &mut self,
        question: Question,
        query: &Value,
    ) -> Option<Result<Position, NotSent<F>>> {
        if let Err(error) = self.check() {
            return Some(Err(error));
        }
        if self.queue.front() != Some(&question) {
            return None;
        }
        match self.connection.request(query, &mut self.outbox) {
            Ok(()) => {
                self.queue.pop_front();
                self.outstanding.push_back(question);
                Some(Ok(self.end_of_outbox()))
            }
            Err(SendError::RequestOutstanding | SendError::LateResponseOutstanding) => None,
            Err(error) => Some(Err(self.sending_failed(error))),
        }
    }

    /// Returns whether a question's turn has come: [`ask`](Self::ask) sends its request, or says why
    /// it cannot be sent.
    pub fn is_next(&self, question: Question) -> bool {
        let waits = matches!(
            self.connection.request_hindrance(),
            Some(SendError::RequestOutstanding | SendError::LateResponseOutstanding)
        );
        self.queue.front() == Some(&question) && !waits
    }

    /// Gets out of the queue.
    pub fn leave(&mut self, question: Question) {
        self.queue.retain(|waiting| *waiting != question);
    }

    /// Takes the response to a question, if it has come.
    pub fn take_response(&mut self, question: Question) -> Option<Body> {
        let place = self
            .responses
            .iter()
            .position(|(answered, _)| *answered == question)?;
        Some(self.responses.swap_remove(place).1)
    }

    /// Returns whether the response to a question has come, and was not taken.
    pub fn has_response(&self, question: Question) -> bool {
        let mut answered = self.responses.iter();
        answered.any(|(answered, _)| *answered == question)
    }

    /// Gives up the response to a question, which is outstanding.
    pub fn give_up(&mut self, question: Question) {
        self.connection.give_up();
        self.outstanding.retain(|waiting| *waiting != question);
        // Of pipelined requests it gives up all: the connection is over, as it says.
        if let Some(error) = self.connection.failure() {
            self.end(Cause::Protocol(error));
        }
    }

    /// Sends an async message.
    pub fn notify(&mut self, message: &Value) -> Result<Position, NotSent<F>> {
        self.check()?;
        let sent = self.connection.notify(message, &mut self.outbox);
        sent.map_err(|error| self.sending_failed(error))?;
        Ok(self.end_of_outbox())
    }

    /// Sends an async message that was encoded before.
    pub fn notify_body(&mut self, body: &Body) -> Result<(), NotSent<F>> {
        self.check()?;
        let sent = self.connection.notify(body, &mut self.outbox);
        sent.map_err(|error| self.sending_failed(error))
    }

    /// Answers a request of the other side.
    pub fn respond(
        &mut self,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
    ) -> Result<(), NotSent<F>> {
        self.check()?;
        let sent = self
            .connection
            .respond(ticket, answer.map(Outgoing::from), &mut self.outbox);
        sent.map_err(|error| self.sending_failed(error))
    }

    /// Returns what waits to go out, for the medium or a stage to take from.
    pub const fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Is told how many bytes a stage has taken out of the outbox that the medium has not taken.
    pub const fn holds(&mut self, count: usize) {
        self.held = count;
    }

    /// Is told that the medium has taken so many bytes of the codec's. Those that it took before are
    /// handed on: a medium takes nothing more before.
    pub const fn taken_more(&mut self, count: usize) {
        self.written = self.taken;
        self.taken += count as u64;
    }

    /// Is told that the medium has handed on everything that it has taken. Returns whether there was
    /// something that it had not before.
    pub const fn handed_on(&mut self) -> bool {
        let is_news = self.written < self.taken;
        self.written = self.taken;
        is_news
    }

    /// Returns whether the medium has handed on everything that it has taken, as far as was told.
    pub const fn is_handed_on(&self) -> bool {
        self.written == self.taken
    }

    /// Is told that nothing waits any more, neither here nor in a stage or the medium: answers to
    /// whoever asks on without reading are counted anew.
    pub const fn all_has_gone(&mut self) {
        self.declined = 0;
    }

    /// Returns whether it makes sense to write.
    pub const fn may_write(&self) -> bool {
        self.is_writable() && self.over.is_none()
    }

    /// Takes the next message out of the input.
    pub fn receive(&mut self, input: &mut BytesMut) -> Next {
        if self.over.is_some() || !self.takes_more() {
            return Next::Rests;
        }
        match self.connection.receive(input, &mut self.outbox) {
            Ok(Some(incoming)) => self.take_in(incoming),
            Ok(None) => {
                if let Some(room) = self.make_room(input) {
                    return Next::NeedsInput { room };
                }
            }
            Err(error) => self.end(Cause::Protocol(error)),
        }
        Next::Came
    }

    /// Makes room for the message under way, unless whoever watches refuses it, which ends the
    /// connection.
    fn make_room(&mut self, input: &mut BytesMut) -> Option<usize> {
        if let Some(watcher) = &mut self.watcher
            && let Some(announced) = self.connection.announced(input)
            && watcher(announced).is_break()
        {
            let length = announced.length;
            self.end(Cause::Refused { length });
            return None;
        }
        if input.is_empty() {
            // Who is idle needs no buffer.
            return Some(room::SHARED);
        }
        Some(self.connection.make_room(input))
    }

    /// Has somebody watch the messages under way: it is told of each, and may refuse it.
    pub fn watch(&mut self, watcher: Box<dyn FnMut(Announced) -> ControlFlow<()> + Send>) {
        self.watcher = Some(watcher);
    }

    /// Has requests handled as soon as they come.
    pub const fn handle_requests(&mut self) {
        self.is_handled = true;
    }

    /// Takes the request that is to be handled.
    pub const fn next_to_handle(&mut self) -> Option<(Ticket, Body)> {
        self.asked.take()
    }

    /// Is told that the other side has closed, with this left of what came.
    pub fn peer_has_closed(&mut self, input: &BytesMut) {
        let end = self.connection.receive_eof(input);
        self.end(end.err().map_or(Cause::Closed, Cause::Protocol));
    }

    /// Returns how many messages are kept that nobody has asked for yet.
    pub fn kept(&self) -> usize {
        self.backlog.len()
    }

    /// Takes the oldest message that was kept.
    pub fn next_kept(&mut self) -> Option<Kept> {
        self.backlog.pop()
    }

    /// Takes the oldest async message that was kept; requests before it are declined.
    pub fn next_async(&mut self) -> Option<Body> {
        loop {
            match self.backlog.pop()? {
                Kept::Async(body) => return Some(body),
                Kept::Request(ticket, _) => self.decline(ticket),
            }
        }
    }

    /// Ends the connection; of several causes the first counts, and that writing had failed before
    /// any.
    pub fn end(&mut self, cause: Cause<F>) {
        if self.over.is_none() {
            self.over = Some(self.unwritable.clone().unwrap_or(cause));
        }
    }

    /// Ends the connection because this side wants it, whatever has ended it before.
    pub fn close(&mut self) {
        self.over = Some(Cause::BadHandle);
    }

    /// Is told that nothing can be written any more. What has arrived is still taken.
    pub fn fail_writing(&mut self, failure: F) {
        self.unwritable
            .get_or_insert_with(|| Cause::Medium(failure));
    }

    /// Drops what waits in the outbox, and returns how many bytes that were. Those that a stage holds
    /// are for it to drop.
    pub fn drop_unsent(&mut self) -> usize {
        self.outbox.clear()
    }

    /// Checks that something can be sent.
    pub fn check(&self) -> Result<(), NotSent<F>> {
        let cause = self.over.as_ref().or(self.unwritable.as_ref());
        cause.map_or(Ok(()), |cause| Err(NotSent::Over(cause.clone())))
    }

    /// Returns whether the connection is over.
    pub const fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Returns what keeps a caller from what it waits for, which needs everything up to `end` to be
    /// written, if something does.
    pub fn hindrance(&self, end: Position) -> Option<&Cause<F>> {
        let unwritable = self.unwritable.as_ref().filter(|_| !self.has_gone(end));
        self.over.as_ref().or(unwritable)
    }

    /// Returns why nothing can be written any more, if so.
    pub const fn unwritable(&self) -> Option<&Cause<F>> {
        self.unwritable.as_ref()
    }

    /// Returns whether something can be written.
    pub const fn is_writable(&self) -> bool {
        self.unwritable.is_none()
    }

    /// Takes in nothing more but what has arrived.
    pub fn stop_reading(&mut self) {
        if self.reading == Reading::Open {
            self.reading = Reading::Stopped;
        }
    }

    /// Is told that nothing is left to be read, after it has [stopped](Self::stop_reading).
    pub const fn drained(&mut self) {
        self.reading = Reading::Drained;
    }

    /// Returns whether it [has stopped](Self::stop_reading) to take in more than has arrived.
    pub fn has_stopped(&self) -> bool {
        self.reading != Reading::Open
    }

    /// Returns whether nothing more comes, as this side has stopped to take in.
    pub fn is_drained(&self) -> bool {
        self.reading == Reading::Drained && self.backlog.is_empty()
    }

    /// Returns how many bytes wait to go out, or for their turn to.
    pub fn queued(&self) -> usize {
        self.unsent() + self.connection.held()
    }

    /// Returns how many bytes wait to go out.
    pub fn unsent(&self) -> usize {
        self.held + self.outbox.len()
    }

    /// Returns whether everything has gone out.
    pub fn is_written(&self) -> bool {
        self.has_gone(self.end_of_outbox())
    }

    /// Returns whether everything up to a place has gone out. Where the peer has closed, what a
    /// writer has taken counts: the peer may have read it and gone before the writer says so.
    pub const fn has_gone(&self, Position(end): Position) -> bool {
        match self.over {
            Some(Cause::Closed) => self.taken >= end,
            _ => self.written >= end,
        }
    }

    /// Returns where the outbox ends.
    pub fn end_of_outbox(&self) -> Position {
        Position(self.taken + self.unsent() as u64)
    }

    /// Returns whether another message can be taken in. Where somebody waits for a response, what
    /// comes before it has to be: if that is too much, it is an error. Else the other side waits.
    pub fn takes_more(&self) -> bool {
        if self.reading == Reading::Drained {
            return false;
        }
        !self.backlog.is_full() || !self.outstanding.is_empty() || !self.queue.is_empty()
    }

    fn take_in(&mut self, incoming: Incoming) {
        let kept = match incoming {
            Incoming::Response(body) => {
                if let Some(question) = self.outstanding.pop_front() {
                    self.responses.push((question, body));
                }
                return;
            }
            Incoming::LateResponse => return,
            Incoming::Async(_) | Incoming::Request(..) if self.role == Role::OneShot => {
                return self.end(Cause::ExpectedResponse);
            }
            // Answers that nobody reads are not piled up without end.
            Incoming::Request(ticket, body) if self.is_handled && self.has_room() => {
                if self.counts_one_more() {
                    self.asked = Some((ticket, body));
                }
                return;
            }
            Incoming::Request(ticket, _) if self.is_handled || self.role == Role::Client => {
                return self.decline(ticket);
            }
            Incoming::Request(ticket, body) => Kept::Request(ticket, body),
            Incoming::Async(body) => Kept::Async(body),
        };
        if let Err(full) = self.backlog.push(kept) {
            self.end(Cause::KeptAsyncs { limit: full.limit });
        }
    }

    /// Answers a request that nobody here handles: the other side waits for something. If that
    /// cannot be written, what has arrived behind the request still counts.
    fn decline(&mut self, ticket: Ticket) {
        if self.counts_one_more() && self.is_writable() {
            let error = RemoteError::new("nyi: this client answers no requests");
            let answer: Result<&Value, _> = Err(error.expect("a literal without a NUL"));
            if let Err(error) = self.connection.respond(ticket, answer, &mut self.outbox) {
                self.sending_failed(error);
            }
        }
    }

    /// Returns whether more may wait to go out.
    fn has_room(&self) -> bool {
        self.unsent() < self.connection.config().limits.queue
    }

    /// Counts a request that is answered at once. A peer that asks on without reading the answers
    /// would fill the outbox, and is left.
    fn counts_one_more(&mut self) -> bool {
        let limit = self.connection.config().limits.requests;
        if self.declined >= limit {
            self.end(Cause::Protocol(ProtocolError::TooManyRequests { limit }));
            return false;
        }
        self.declined += 1;
        true
    }

    /// Returns the error to give for what could not be sent. A connection that has failed is over.
    fn sending_failed(&mut self, error: SendError) -> NotSent<F> {
        if let SendError::Failed(failed) = error {
            self.end(Cause::Protocol(failed));
        }
        NotSent::Message(error)
    }
}

impl<F: fmt::Debug> fmt::Debug for Session<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("capability", &self.connection.capability())
            .field("outbox", &self.outbox.len())
            .field("backlog", &self.backlog.len())
            .field("outstanding", &self.outstanding.len())
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf;

    use super::*;
    use crate::auth::Credentials;
    use crate::config::Config;
    use crate::handshake::{ClientHandshake, Progress};
    use crate::message::{Message, MessageKind};

    #[test]
    fn what_has_gone_counts_what_a_stage_holds() {
        let mut session = session(Role::Client, |_| {});
        let end = session.notify(&Value::from("x")).unwrap();
        let count = session.outbox().clear();
        session.holds(count);
        assert_eq!((session.unsent(), session.queued()), (count, count));
        assert_eq!(session.end_of_outbox(), end);
        session.taken_more(count);
        session.holds(0);
        assert_eq!((session.unsent(), session.taken), (0, count as u64));
        assert!(!session.has_gone(end), "the medium may still have it");
        assert!(session.handed_on());
        assert!(!session.handed_on(), "it was told already");
        assert!(session.has_gone(end));
    }

    #[test]
    fn what_was_taken_counts_as_gone_when_the_other_side_has_closed() {
        let mut session = session(Role::Client, |_| {});
        let end = session.notify(&Value::from("x")).unwrap();
        let count = session.outbox().clear();
        session.taken_more(count);
        assert!(!session.has_gone(end));
        session.peer_has_closed(&BytesMut::new());
        assert!(session.has_gone(end));
        assert_eq!(session.check(), Err(NotSent::Over(Cause::Closed)));
    }

    #[test]
    fn a_response_that_was_given_up_is_nobody_s() {
        let mut session = session(Role::Client, |_| {});
        let (first, second) = (session.queue_up(), session.queue_up());
        session.ask(first, &Value::from("1")).unwrap().unwrap();
        session.give_up(first);
        assert_eq!(session.ask(second, &Value::from("2")), None);
        assert!(!session.is_next(second));
        let mut input = message(MessageKind::Response, "late");
        assert_eq!(session.receive(&mut input), Next::Came);
        assert!(session.take_response(first).is_none());
        assert!(session.is_next(second) && !session.is_next(first));
        session.ask(second, &Value::from("2")).unwrap().unwrap();
        let mut input = message(MessageKind::Response, "in time");
        assert_eq!(session.receive(&mut input), Next::Came);
        assert!(session.take_response(first).is_none());
        assert!(session.has_response(second) && !session.has_response(first));
        assert!(session.take_response(second).is_some());
        assert!(!session.has_response(second));
    }

    #[test]
    fn reading_rests_when_enough_is_kept_unless_a_response_is_waited_for() {
        let mut session = session(Role::Client, |config| config.limits.kept_asyncs = 1);
        let mut input = message(MessageKind::Async, "kept");
        input.extend_from_slice(&message(MessageKind::Async, "too many"));
        assert_eq!(session.receive(&mut input), Next::Came);
        assert_eq!(session.receive(&mut input), Next::Rests);
        session.queue_up();
        assert_eq!(session.receive(&mut input), Next::Came);
        let over = NotSent::Over(Cause::KeptAsyncs { limit: 1 });
        assert_eq!(session.check(), Err(over));
        // What was kept is still there.
        assert!(session.next_async().is_some() && session.next_async().is_none());
    }

    #[test]
    fn each_role_does_its_own_with_a_request() {
        for (role, kept, answered, over) in [
            (Role::Client, false, true, None),
            (Role::Server, true, false, None),
            (Role::OneShot, false, false, Some(Cause::ExpectedResponse)),
        ] {
            let mut session = session(role, |_| {});
            let mut input = message(MessageKind::Sync, "who?");
            assert_eq!(session.receive(&mut input), Next::Came);
            assert_eq!(session.next_kept().is_some(), kept, "{role:?}");
            assert_eq!(session.unsent() > 0, answered, "{role:?}");
            let ended = over.map_or(Ok(()), |cause| Err(NotSent::Over(cause)));
            assert_eq!(session.check(), ended);
        }
    }

    #[test]
    fn of_several_causes_the_first_counts_and_a_writer_s_before_all() {
        let mut session = session(Role::Client, |_| {});
        session.fail_writing("the pipe broke");
        assert!(!session.may_write());
        assert!(!session.is_over(), "what has arrived is still taken");
        session.end(Cause::Closed);
        session.end(Cause::KeptAsyncs { limit: 1 });
        let broken = NotSent::Over(Cause::Medium("the pipe broke"));
        assert_eq!(session.check(), Err(broken));
        session.close();
        assert_eq!(session.check(), Err(NotSent::Over(Cause::BadHandle)));
    }

    fn session(role: Role, change: impl FnOnce(&mut Config)) -> Session<&'static str> {
        let mut config = Config::client();
        change(&mut config);
        let nobody = Credentials::default();
        let handshake = ClientHandshake::start(&nobody, config, &mut Outbox::default()).unwrap();
        let answer = handshake.receive(&mut BytesMut::from(&b"\x03"[..]));
        let Ok(Progress::Done(connection)) = answer else {
            panic!("it is accepted")
        };
        Session::new(connection, role)
    }

    fn message(kind: MessageKind, text: &str) -> BytesMut {
        let mut outbox = Outbox::default();
        Message::new(kind, Body::encode(&text.into()).unwrap()).write(&mut outbox);
        BytesMut::from(outbox.copy_to_bytes(outbox.remaining()))
    }
}

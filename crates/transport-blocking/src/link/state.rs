//! What is behind the lock of a connection. Nothing here waits.

use core::fmt;
use core::ops::ControlFlow;
use std::collections::VecDeque;
use std::io;

use bytes::Buf;
use hopen_codec::backlog::{Backlog, Kept};
use hopen_codec::connection::{Connection, Incoming, Outgoing, ProtocolError, SendError, Ticket};
use hopen_codec::frame::Announced;
use hopen_codec::message::Body;
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::error::{Cause, Error};
use crate::medium::Medium;
use crate::stage::{Intake, Stage};

/// Which end of the connection this is, which decides what becomes of requests that nobody waits
/// for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// They are declined at once: the other side waits.
    Client,
    /// They are kept, as what a server is there for.
    Server,
    /// Whatever is no response ends the connection.
    OneShot,
}

/// Is told of every message under way, and may refuse it.
pub(crate) type Watcher = Box<dyn FnMut(Announced) -> ControlFlow<()> + Send>;

/// The codec, what waits to go out, and what has come for somebody.
pub(crate) struct State {
    connection: Connection,
    stage: Stage,
    role: Role,
    outbox: Outbox,
    /// How many bytes the medium has taken out of the outbox.
    taken: u64,
    /// How many of them are written. Looked at in one place, under the lock: a writer that ends
    /// wakes only those who wait for it, so whoever has seen it at work has to.
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
    watcher: Option<Watcher>,
    /// Whether requests are handled as soon as they come.
    is_handled: bool,
    /// The one that is to be handled.
    asked: Option<(Ticket, Body)>,
    /// Why nothing can be written any more. What has arrived is still taken.
    unwritable: Option<Cause>,
    /// Why nothing is read any more. What is in the backlog still comes out.
    over: Option<Cause>,
    /// How far this side has stopped to take in what comes.
    reading: Reading,
    /// How many threads wait for a change.
    pub(super) sleepers: usize,
    /// Whether a thread writes what does not go at once.
    pub(super) has_writer: bool,
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
pub(super) struct Question(u64);

/// A place in what goes out, in bytes from the start of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(u64);

impl State {
    pub(crate) fn new(connection: Connection, stage: Stage, role: Role) -> Self {
        let backlog = Backlog::new(connection.config().limits.kept_asyncs);
        Self {
            connection,
            stage,
            role,
            outbox: Outbox::default(),
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
            sleepers: 0,
            has_writer: false,
        }
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Gets in the queue of those who have something to ask.
    pub(super) fn queue_up(&mut self) -> Question {
        let question = Question(self.questions);
        self.questions += 1;
        self.queue.push_back(question);
        question
    }

    /// Sends the request of a question, if its turn has come and no other has to be answered first.
    /// Returns where it ends.
    pub(super) fn ask(
        &mut self,
        question: Question,
        query: &Value,
    ) -> Option<Result<Position, Error>> {
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

    /// Gets out of the queue.
    pub(super) fn leave(&mut self, question: Question) {
        self.queue.retain(|waiting| *waiting != question);
    }

    /// Takes the response to a question, if it has come.
    pub(super) fn take_response(&mut self, question: Question) -> Option<Body> {
        let place = self
            .responses
            .iter()
            .position(|(answered, _)| *answered == question)?;
        Some(self.responses.swap_remove(place).1)
    }

    /// Gives up the response to a question, which is outstanding.
    pub(super) fn give_up(&mut self, question: Question) {
        self.connection.give_up();
        self.outstanding.retain(|waiting| *waiting != question);
        // Of pipelined requests it gives up all: the connection is over, as it says.
        if let Some(error) = self.connection.failure() {
            self.end(Cause::Protocol(error));
        }
    }

    /// Sends an async message.
    pub(super) fn notify(&mut self, message: &Value) -> Result<Position, Error> {
        self.check()?;
        let sent = self.connection.notify(message, &mut self.outbox);
        sent.map_err(|error| self.sending_failed(error))?;
        Ok(self.end_of_outbox())
    }

    /// Sends an async message that was encoded before.
    pub(super) fn notify_body(&mut self, body: &Body) -> Result<(), Error> {
        self.check()?;
        let sent = self.connection.notify(body, &mut self.outbox);
        sent.map_err(|error| self.sending_failed(error))
    }

    /// Answers a request of the other side.
    pub(super) fn respond(
        &mut self,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
    ) -> Result<(), Error> {
        self.check()?;
        let sent = self
            .connection
            .respond(ticket, answer.map(Outgoing::from), &mut self.outbox);
        sent.map_err(|error| self.sending_failed(error))
    }

    /// Writes what goes at once of what waits in the outbox. Returns whether that was something. A
    /// failure is something too; it is kept for those who want something written.
    pub(super) fn write(&mut self, medium: &Medium) -> bool {
        let mut has_written = false;
        while self.is_writable() && self.over.is_none() {
            if self.written < self.taken && medium.is_written() {
                self.written = self.taken;
                has_written = true;
            }
            let wire = self.stage.outgoing(&mut self.outbox);
            let is_empty = !wire.has_remaining();
            if is_empty && self.written == self.taken {
                self.declined = 0;
                break;
            }
            match medium.try_write(wire) {
                Ok(0) if is_empty => break,
                Ok(0) => self.fail_writing(&io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    // A medium takes nothing more before what it has taken is written.
                    self.written = self.taken;
                    self.taken += self.stage.taken(count) as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => self.fail_writing(&error),
            }
            has_written = true;
        }
        has_written
    }

    /// Takes the next message out of what was read. Returns whether there was one, or the connection
    /// is over; if not, more has to be read.
    pub(super) fn receive(&mut self, intake: &mut Intake) -> bool {
        while self.over.is_none() && self.takes_more() {
            match self.connection.receive(&mut intake.input, &mut self.outbox) {
                Ok(Some(incoming)) => {
                    self.take_in(incoming);
                    return true;
                }
                Ok(None) => match self.make_room(intake) {
                    None => return true,
                    Some(room) => match self.stage.incoming(intake, room) {
                        Ok(0) if self.stage.has_ended() => self.peer_has_closed(intake),
                        Ok(0) => return false,
                        Ok(_) => continue,
                        Err(error) => self.end(Cause::Tls(error)),
                    },
                },
                Err(error) => self.end(Cause::Protocol(error)),
            }
            return true;
        }
        false
    }

    /// Returns the buffer to read into, and how much to try to read. The codec has room for that
    /// much: see [`receive`](Self::receive), which is called before anything is read.
    pub(super) fn buffer<'a>(&self, intake: &'a mut Intake) -> (&'a mut bytes::BytesMut, usize) {
        let room = self.connection.make_room(&mut intake.input);
        self.stage.buffer(intake, room)
    }

    /// Makes room for the message under way, unless whoever watches refuses it, which ends the
    /// connection.
    fn make_room(&mut self, intake: &mut Intake) -> Option<usize> {
        if let Some(watcher) = &mut self.watcher
            && let Some(announced) = self.connection.announced(&intake.input)
            && watcher(announced).is_break()
        {
            let length = announced.length;
            self.end(Cause::Refused { length });
            return None;
        }
        Some(self.connection.make_room(&mut intake.input))
    }

    /// Has somebody watch the messages under way.
    pub(super) fn watch(&mut self, watcher: Watcher) {
        self.watcher = Some(watcher);
    }

    /// Has requests handled as soon as they come.
    pub(super) const fn handle_requests(&mut self) {
        self.is_handled = true;
    }

    /// Takes the request that is to be handled.
    pub(super) const fn next_to_handle(&mut self) -> Option<(Ticket, Body)> {
        self.asked.take()
    }

    /// Says to the other side that nothing more comes, where that can be said and goes at once.
    pub(crate) fn say_goodbye(&mut self, medium: &Medium) {
        if self.is_writable() {
            medium.say_goodbye(&mut self.stage);
        }
    }

    /// Is told that the other side has closed.
    pub(super) fn peer_has_closed(&mut self, intake: &Intake) {
        let end = self.connection.receive_eof(&intake.input);
        self.end(end.err().map_or(Cause::Closed, Cause::Protocol));
    }

    /// Takes the oldest message that was kept.
    pub(super) fn next_kept(&mut self) -> Option<Kept> {
        self.backlog.pop()
    }

    /// Takes the oldest async message that was kept; requests before it are declined.
    pub(super) fn next_async(&mut self) -> Option<Body> {
        loop {
            match self.backlog.pop()? {
                Kept::Async(body) => return Some(body),
                Kept::Request(ticket, _) => self.decline(ticket),
            }
        }
    }

    /// Ends the connection; of several causes the first counts, and that writing had failed before
    /// any.
    pub(super) fn end(&mut self, cause: Cause) {
        if self.over.is_none() {
            self.over = Some(self.unwritable.clone().unwrap_or(cause));
        }
    }

    /// Ends the connection because this side wants it, whatever has ended it before.
    pub(super) fn close(&mut self) {
        self.over = Some(Cause::BadHandle);
    }

    pub(super) fn fail_writing(&mut self, error: &io::Error) {
        self.unwritable.get_or_insert_with(|| Cause::io(error));
    }

    /// Drops what waits to go out, and returns how many bytes that were.
    pub(crate) fn drop_unsent(&mut self) -> usize {
        self.outbox.clear() + self.stage.drop_unsent()
    }

    /// Checks that something can be sent.
    pub(super) fn check(&self) -> Result<(), Error> {
        let cause = self.over.as_ref().or(self.unwritable.as_ref());
        cause.map_or(Ok(()), |cause| Err(cause.error()))
    }

    /// Returns whether the connection is over.
    pub(super) const fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Returns what keeps a caller from what it waits for, which needs everything up to `end` to be
    /// written, if something does.
    pub(super) fn hindrance(&self, end: Position) -> Option<&Cause> {
        let unwritable = self.unwritable.as_ref().filter(|_| !self.has_gone(end));
        self.over.as_ref().or(unwritable)
    }

    /// Returns why nothing can be written any more, if so.
    pub(super) const fn unwritable(&self) -> Option<&Cause> {
        self.unwritable.as_ref()
    }

    pub(super) const fn is_writable(&self) -> bool {
        self.unwritable.is_none()
    }

    /// Takes in nothing more but what has arrived.
    pub(super) fn stop_reading(&mut self) {
        if self.reading == Reading::Open {
            self.reading = Reading::Stopped;
        }
    }

    /// Is told that nothing is left to be read, after it has [stopped](Self::stop_reading).
    pub(super) const fn drained(&mut self) {
        self.reading = Reading::Drained;
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.reading != Reading::Open
    }

    /// Returns whether nothing more comes, as this side has stopped to take in.
    pub(super) fn is_drained(&self) -> bool {
        self.reading == Reading::Drained && self.backlog.is_empty()
    }

    /// Returns how many bytes the medium has taken.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Returns how many bytes wait to go out, or for their turn to.
    pub(super) fn queued(&self) -> usize {
        self.unsent() + self.connection.held()
    }

    /// Returns where the last of the large pieces is that wait to go out.
    #[cfg(test)]
    pub(crate) fn last_shared(&self) -> *const u8 {
        let mut slices = [io::IoSlice::new(&[]); 1024];
        let count = self.outbox.chunks_vectored(&mut slices);
        let large = |slice: &&io::IoSlice<'_>| slice.len() >= Outbox::SHARE;
        let last = slices[..count].iter().rfind(large);
        last.expect("one waits").last().expect("it is large")
    }

    /// Returns how many bytes wait to go out.
    pub(crate) fn unsent(&self) -> usize {
        self.stage.pending() + self.outbox.len()
    }

    /// Returns whether everything has gone out.
    pub(super) fn is_written(&self) -> bool {
        self.has_gone(self.end_of_outbox())
    }

    /// Returns whether everything up to a place has gone out. Where the peer has closed, what a
    /// writer has taken counts: the peer may have read it and gone before the writer says so.
    pub(super) const fn has_gone(&self, Position(end): Position) -> bool {
        match self.over {
            Some(Cause::Closed) => self.taken >= end,
            _ => self.written >= end,
        }
    }

    /// Returns where the outbox ends.
    pub(super) fn end_of_outbox(&self) -> Position {
        Position(self.taken + self.unsent() as u64)
    }

    /// Returns whether another message can be taken in. Where somebody waits for a response, what
    /// comes before it has to be: if that is too much, it is an error. Else the other side waits.
    pub(super) fn takes_more(&self) -> bool {
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
    fn sending_failed(&mut self, error: SendError) -> Error {
        if let SendError::Failed(failed) = error {
            self.end(Cause::Protocol(failed));
        }
        error.into()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("capability", &self.connection.capability())
            .field("outbox", &self.outbox.len())
            .field("backlog", &self.backlog.len())
            .field("outstanding", &self.outstanding.len())
            .field("over", &self.over)
            .finish()
    }
}

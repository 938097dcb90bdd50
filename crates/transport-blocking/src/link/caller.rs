//! What a caller does with a connection: queue something, and wait.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use hopen_codec::backlog::Kept;
use hopen_codec::connection::Ticket;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::session::{Cause, Position};
use hopen_codec::value::Value;

use super::{Link, State};
use crate::Received;
use hopen_transport::server::Line as _;
use hopen_transport::{Broken, Deadline, Error, Intake, Phase, Standstill};

/// One who uses a connection.
pub(crate) struct Caller<'a> {
    link: &'a Link,
    reader: Reader<'a>,
    /// What must not stand still for long, where something must not.
    goes_on: Option<(GoesOn, Standstill)>,
}

/// What the other side has to go on with.
#[derive(Clone, Copy)]
enum GoesOn {
    /// Sending a message that it has begun.
    Sending,
    /// Taking an answer.
    Taking,
}

/// Who reads.
enum Reader<'a> {
    /// This caller. Here is what it has read.
    Here(&'a mut Intake),
    /// Somebody else, who says what has come.
    Elsewhere(&'a Arc<Link>),
}

impl<'a> Caller<'a> {
    /// A caller who reads for itself.
    pub(crate) const fn reading(link: &'a Link, intake: &'a mut Intake) -> Self {
        Self {
            link,
            reader: Reader::Here(intake),
            goes_on: None,
        }
    }

    /// A caller for whom another thread reads.
    pub(crate) fn told(link: &'a Arc<Link>) -> Self {
        Self {
            link,
            reader: Reader::Elsewhere(link),
            goes_on: None,
        }
    }

    /// Asks and waits for the response.
    pub(crate) fn get(&mut self, query: &Value, deadline: Deadline) -> Result<Value, Error> {
        let link = self.link;
        let mut state = link.lock();
        let question = state.core.session.queue_up();
        // Who reads may have stopped because nobody waited for a response.
        link.tell(&mut state);
        drop(state);
        let asked = self.until(deadline, Position::default(), |state| {
            state.core.session.ask(question, query)
        });
        let end = match asked {
            Ok(Some(Ok(end))) => end,
            outcome => {
                let mut state = link.lock();
                state.core.session.leave(question);
                link.tell(&mut state);
                return Err(match outcome {
                    Ok(Some(Err(error))) => error.into(),
                    Err(error) => error,
                    Ok(_) => Error::Timeout(Phase::EarlierResponse),
                });
            }
        };
        let body = self.until(deadline, end, |state| {
            state.core.session.take_response(question)
        })?;
        let body = body.or_else(|| {
            let mut state = link.lock();
            // It may have come while nobody looked.
            let response = state.core.session.take_response(question);
            if response.is_none() {
                state.core.session.give_up(question);
                link.tell(&mut state);
            }
            response
        });
        self.value(&body.ok_or(Error::Timeout(Phase::Response))?)
    }

    /// Sends without waiting for an answer; from 64 KiB on it writes.
    pub(crate) fn set(&mut self, message: &Value) -> Result<(), Error> {
        let mut state = self.link.lock();
        let end = state.core.session.notify(message)?;
        if state.core.session.unsent() < WRITTEN_AT {
            return Ok(());
        }
        drop(state);
        self.written(end, Deadline::NEVER).map(|_| ())
    }

    /// Sends without waiting for anything.
    pub(crate) fn try_set(&self, message: &Value) -> Result<(), Error> {
        let mut state = self.link.lock();
        let limit = state.core.connection().config().limits.queue;
        if state.core.session.unsent() >= limit {
            self.link.write(&mut state);
            state.core.session.check()?;
            if state.core.session.unsent() >= limit {
                return Err(Error::QueueFull { limit });
            }
        }
        state.core.session.notify(message)?;
        if state.core.session.unsent() >= WRITTEN_AT {
            self.link.write(&mut state);
        }
        Ok(())
    }

    /// Waits until everything has been written that was sent so far. `false` where the deadline has
    /// passed.
    pub(crate) fn flush(&mut self, deadline: Deadline) -> Result<bool, Error> {
        let state = self.link.lock();
        state.core.session.check()?;
        let end = state.core.session.end_of_outbox();
        drop(state);
        self.written(end, deadline)
    }

    /// Writes what waits, and waits for the next async message.
    pub(crate) fn recv(&mut self, deadline: Deadline) -> Result<Value, Error> {
        let body = self.next(deadline, |state| state.core.session.next_async())?;
        self.value(&body)
    }

    /// Writes what waits, and waits for the next message that is no response.
    pub(crate) fn receive(&mut self) -> Result<Received, Error> {
        match self.next(Deadline::NEVER, |state| state.core.session.next_kept())? {
            Kept::Async(body) => self.value(&body).map(Received::Async),
            Kept::Request(ticket, body) => match self.value(&body) {
                Ok(value) => Ok(Received::Request(ticket, value)),
                Err(error) => {
                    // It waits for something, whatever it was that it sent. If that cannot be written,
                    // the next call says so: what has come comes first.
                    let text = RemoteError::new("badmsg").expect("a literal without a NUL");
                    let _ = self.respond(ticket, Err(text));
                    Err(error)
                }
            },
        }
    }

    /// Answers a request, and waits until the answer is written.
    pub(crate) fn respond(
        &mut self,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
    ) -> Result<(), Error> {
        let mut state = self.link.lock();
        let answered = state.core.session.respond(ticket, answer);
        // Also where an error has taken the place of an answer.
        let end = state.core.session.end_of_outbox();
        drop(state);
        let written = self.written(end, Deadline::NEVER);
        answered?;
        written.map(|_| ())
    }

    /// Writes what waits, and waits for the next message that is no response, as it came. `None` when
    /// this side [has stopped reading](hopen_transport::server::Line::stop_reading) and nothing is left. If nothing more comes of
    /// a message that has begun for as long as `patience`, the other side is cut off.
    pub(crate) fn serve(&mut self, patience: Duration) -> Result<Option<Kept>, Error> {
        self.goes_on = Some((GoesOn::Sending, Standstill::new(patience)));
        let next = self.next(Deadline::NEVER, |state| {
            match state.core.session.next_kept() {
                None => state.core.session.is_drained().then_some(None),
                kept => Some(kept),
            }
        });
        self.goes_on = None;
        match next {
            Err(Error::Timeout(Phase::Message)) => Err(self.stalled(Phase::Rest)),
            next => next,
        }
    }

    /// Answers a request, and waits until the answer is written. If the other side takes nothing of what
    /// waits for as long as `patience`, it is cut off.
    pub(crate) fn respond_in_time(
        &mut self,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
        patience: Duration,
    ) -> Result<(), Error> {
        let link = self.link;
        let mut state = link.lock_with_room()?;
        let answered = state.core.session.respond(ticket, answer);
        let end = state.core.session.end_of_outbox();
        drop(state);
        self.goes_on = Some((GoesOn::Taking, Standstill::new(patience)));
        let written = self.written(end, Deadline::NEVER);
        self.goes_on = None;
        if !written? {
            return Err(self.stalled(Phase::Answer));
        }
        Ok(answered?)
    }

    /// Cuts the other side off, as nothing came or went for too long.
    fn stalled(&self, phase: Phase) -> Error {
        let cause = Cause::Medium(Broken::Stalled(phase));
        let error = Error::from(&cause);
        self.link.cut_off(cause);
        error
    }

    /// Waits until every request of the other side is answered and the answers are written. Only where
    /// this side has stopped reading, as nothing is kept for somebody else to take.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        let settled = self.until(Deadline::NEVER, Position::default(), |state| {
            match state.core.session.unwritable() {
                Some(cause) => Some(Err(Error::from(cause))),
                None => {
                    let is_settled =
                        state.core.connection().owed() == 0 && state.core.session.is_written();
                    is_settled.then_some(Ok(()))
                }
            }
        })?;
        settled.unwrap_or(Ok(()))
    }

    /// Takes in what comes, until the connection is over.
    pub(crate) fn drive(&mut self) -> Result<(), Error> {
        match self.until(Deadline::NEVER, Position::default(), |_| None::<()>) {
            Err(Error::Closed | Error::BadHandle) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits for what `take` takes, and writes what waits meanwhile. What has arrived comes out
    /// although the other side takes nothing, and before an error, which is given when nothing is
    /// left.
    fn next<T>(
        &mut self,
        deadline: Deadline,
        mut take: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<T, Error> {
        let reads = matches!(self.reader, Reader::Here(_));
        let end = if reads {
            // It writes while it waits to read, and reads all that there is when it cannot write.
            Position::default()
        } else {
            self.link.lock().core.session.end_of_outbox()
        };
        let taken = self.until(deadline, end, |state| {
            let taken = take(state).map(Ok);
            taken.or_else(|| match state.core.session.unwritable() {
                // Nothing more is read for a writer that has failed.
                Some(cause) if !reads => Some(Err(Error::from(cause))),
                _ => None,
            })
        })?;
        taken.ok_or(Error::Timeout(Phase::Message))?
    }

    /// Waits until everything up to `end` has been written. `false` where the deadline has passed.
    fn written(&mut self, end: Position, deadline: Deadline) -> Result<bool, Error> {
        let written = self.until(deadline, end, |state| {
            match state.core.session.unwritable() {
                Some(cause) => Some(Err(Error::from(cause))),
                None => state.core.session.has_gone(end).then_some(Ok(())),
            }
        })?;
        written.map_or(Ok(false), |written| written.map(|()| true))
    }

    /// Moves bytes until `done` has something, or the deadline passes (`None`), or the connection is
    /// over, or cannot write what `done` needs to be written, which is everything up to `end`.
    fn until<T>(
        &mut self,
        deadline: Deadline,
        end: Position,
        mut done: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let link = self.link;
        let mut state = link.lock();
        let mut is_last = false;
        loop {
            if let Some(result) = done(&mut state) {
                // What it has put in the outbox, or made room for, must not wait for the next call.
                link.write(&mut state);
                link.tell(&mut state);
                return Ok(Some(result));
            }
            if let Some(cause) = state.core.session.hindrance(end) {
                let error = Error::from(cause);
                link.tell(&mut state);
                return Err(error);
            }
            if link.write(&mut state) {
                continue;
            }
            if let Reader::Here(intake) = &mut self.reader
                && state.core.receive(intake)
            {
                link.tell(&mut state);
                if let Some((ticket, body)) = state.core.session.next_to_handle() {
                    drop(state);
                    link.handle(ticket, &body);
                    state = link.lock();
                }
                continue;
            }
            // What is there by then is still taken, and may give more time.
            let deadline = deadline.or_earlier(self.goes_on_by(&state));
            let was_last = is_last;
            is_last = deadline.has_passed();
            if was_last && is_last {
                return Ok(None);
            }
            state = self.wait(state, deadline);
        }
    }

    /// Returns by when the other side has to have gone on.
    fn goes_on_by(&mut self, state: &State) -> Deadline {
        let Some((goes_on, standstill)) = &mut self.goes_on else {
            return Deadline::NEVER;
        };
        let moved = match (goes_on, &self.reader) {
            (GoesOn::Taking, _) => Some(state.core.sent()),
            (GoesOn::Sending, Reader::Here(intake)) => intake.half(),
            (GoesOn::Sending, Reader::Elsewhere(_)) => None,
        };
        Deadline::at(standstill.by(moved, Instant::now))
    }

    /// Waits for something to happen, outside the lock.
    fn wait<'s>(
        &mut self,
        mut state: MutexGuard<'s, State>,
        deadline: Deadline,
    ) -> MutexGuard<'s, State>
    where
        'a: 's,
    {
        let link = self.link;
        match &mut self.reader {
            Reader::Here(intake) => link.read(state, intake, deadline),
            Reader::Elsewhere(shared) => {
                if state.core.session.is_writable() && !state.core.session.is_written() {
                    shared.write_elsewhere(&mut state);
                }
                link.sleep(state, deadline)
            }
        }
    }

    fn value(&self, body: &Body) -> Result<Value, Error> {
        let limits = self.link.lock().core.connection().config().limits;
        body.decode(&limits)
            .map_err(Error::BadMessage)?
            .map_err(Error::Remote)
    }
}

/// How many bytes may wait before `set` writes them.
const WRITTEN_AT: usize = 64 * 1024;

#[cfg(test)]
mod tests;

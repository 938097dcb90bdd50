//! What a caller does with a connection: queue something, and wait.

use core::mem;
use core::task::{Context, Waker};
use std::time::{Duration, Instant};

use hopen_codec::backlog::Kept;
use hopen_codec::connection::Ticket;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::session::{Cause, Position, Question};
use hopen_codec::value::Value;
use hopen_transport::server::Line as _;
use hopen_transport::{Broken, Deadline, Error, Phase, Standstill, State};

use super::{Core, Link, Wants, remote_error};
use crate::Received;

/// One who uses a connection.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    link: &'a Link,
    reader: Reader,
}

/// Who reads and writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// This caller.
    Here,
    /// The driver, which wakes those who wait.
    Elsewhere,
}

impl<'a> Caller<'a> {
    pub(crate) const fn new(link: &'a Link, reader: Reader) -> Self {
        Self { link, reader }
    }

    /// Asks and waits for the response. If it is dropped before, the question is not sent, or its
    /// response is given up.
    pub(crate) async fn get(self, query: Value, deadline: Deadline) -> Result<Value, Error> {
        let mut turn = Turn::queue_up(self.link);
        let question = turn.question;
        let asked = self
            .until(
                Wants::Turn(question),
                deadline,
                Position::default(),
                |state| {
                    let asked = state.session.ask(question, &query);
                    if matches!(asked, Some(Ok(_))) {
                        turn.progress = Progress::Outstanding;
                    }
                    asked
                },
            )
            .await?;
        let end = asked.ok_or(Error::Timeout(Phase::EarlierResponse))??;
        let body = self
            .until(Wants::Response(question), deadline, end, |state| {
                state.session.take_response(question)
            })
            .await?;
        let body = body.ok_or(Error::Timeout(Phase::Response))?;
        turn.progress = Progress::Done;
        self.value(&body)
    }

    /// Sends without waiting for an answer, when there is room for it.
    pub(crate) async fn set(self, message: Value) -> Result<(), Error> {
        loop {
            match self.try_set(&message) {
                Err(Error::QueueFull { limit }) => {
                    self.until(
                        Wants::Room(limit),
                        Deadline::NEVER,
                        Position::default(),
                        |state| {
                            let has_room = state.session.unsent() < limit;
                            has_room.then_some(())
                        },
                    )
                    .await?;
                }
                sent => return sent,
            }
        }
    }

    /// Sends without waiting for anything.
    pub(crate) fn try_set(self, message: &Value) -> Result<(), Error> {
        let mut core = self.link.lock();
        core.state.session.check()?;
        let limit = core.state.connection().config().limits.queue;
        if core.state.session.unsent() >= limit {
            self.push(&mut core);
            core.state.session.check()?;
            if core.state.session.unsent() >= limit {
                return Err(Error::QueueFull { limit });
            }
        }
        core.state.session.notify(message)?;
        if self.reader == Reader::Elsewhere || core.state.session.unsent() >= WRITTEN_AT {
            self.push(&mut core);
        }
        Ok(())
    }

    /// Waits until everything has been written that was sent so far. `false` where the deadline has
    /// passed.
    pub(crate) async fn flush(self, deadline: Deadline) -> Result<bool, Error> {
        let end = {
            let core = self.link.lock();
            core.state.session.check()?;
            core.state.session.end_of_outbox()
        };
        self.written(end, deadline).await
    }

    /// Writes what waits, and waits for the next async message.
    pub(crate) async fn recv(self, deadline: Deadline) -> Result<Value, Error> {
        let body = self
            .next(deadline, |state| state.session.next_async())
            .await?;
        self.value(&body)
    }

    /// Writes what waits, and waits for the next message that is no response.
    pub(crate) async fn receive(self) -> Result<Received, Error> {
        let next = self.next(Deadline::NEVER, |state| state.session.next_kept());
        match next.await? {
            Kept::Async(body) => self.value(&body).map(Received::Async),
            Kept::Request(ticket, body) => match self.value(&body) {
                Ok(value) => Ok(Received::Request(ticket, value)),
                Err(error) => {
                    // It waits for something, whatever it was that it sent.
                    // If that cannot be written, the next call says so: what has come comes first.
                    let _ = self.answer(ticket, Err(remote_error("badmsg")));
                    Err(error)
                }
            },
        }
    }

    /// Answers a request, and waits until the answer is written.
    pub(crate) async fn respond(
        self,
        ticket: Ticket,
        answer: Result<Value, RemoteError>,
    ) -> Result<(), Error> {
        // Also where an error has taken the place of an answer it is waited for.
        let (end, answered) = self.answer(ticket, answer.as_ref().map_err(Clone::clone));
        let written = self.written(end, Deadline::NEVER).await;
        answered?;
        written.map(|_| ())
    }

    /// Writes what waits, and waits for the next message that is no response, as it came. `None` when
    /// this side [has stopped reading](hopen_transport::server::Line::stop_reading) and nothing is left.
    /// If nothing more comes of a message that has begun for as long as `patience`, the other side is cut
    /// off.
    pub(crate) async fn serve(self, patience: Duration) -> Result<Option<Kept>, Error> {
        let next = self.while_it_goes_on(
            patience,
            (Wants::End, Position::default()),
            |core| core.intake.half(),
            |core| match core.state.session.next_kept() {
                None => core.state.session.is_drained().then_some(None),
                kept => Some(kept),
            },
        );
        next.await?.ok_or_else(|| self.stalled(Phase::Rest))
    }

    /// Answers a request, and waits until the answer is written. If the other side takes nothing of what
    /// waits for as long as `patience`, it is cut off.
    pub(crate) async fn respond_in_time(
        self,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
        patience: Duration,
    ) -> Result<(), Error> {
        let (answered, end) = {
            let mut core = self.link.lock_with_room()?;
            let session = &mut core.state.session;
            let answered = session.respond(ticket, answer);
            (answered, session.end_of_outbox())
        };
        let written = self.while_it_goes_on(
            patience,
            (Wants::Written(end), end),
            |core| Some(core.state.sent()),
            |core| has_gone(&core.state, end),
        );
        written
            .await?
            .ok_or_else(|| self.stalled(Phase::Answer))??;
        Ok(answered?)
    }

    /// Waits until `done` has something, as long as the other side goes on: by each byte that has
    /// `moved` it has the whole of `patience` again. `None` where it stands still.
    async fn while_it_goes_on<T>(
        self,
        patience: Duration,
        (wants, end): (Wants, Position),
        moved: impl Fn(&Core) -> Option<u64>,
        mut done: impl FnMut(&mut Core) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let (mut standstill, mut by) = (Standstill::new(patience), None);
        loop {
            let who = (self.reader, wants);
            let looked = self.link.until(who, Deadline::at(by), end, |core| {
                if let Some(done) = done(core) {
                    return Some(Some(done));
                }
                let before = mem::replace(&mut by, standstill.by(moved(core), Instant::now));
                (by != before).then_some(None)
            });
            match looked.await? {
                // It has more time.
                Some(None) => {}
                Some(done) => return Ok(done),
                None => return Ok(None),
            }
        }
    }

    /// Waits until every request of the other side is answered and the answers are written. Only where
    /// this side has stopped reading, as nothing is kept for somebody else to take.
    pub(crate) async fn settle(self) -> Result<(), Error> {
        let settled =
            self.until(
                Wants::End,
                Deadline::NEVER,
                Position::default(),
                |state| match state.session.unwritable() {
                    Some(cause) => Some(Err(Error::from(cause))),
                    None => {
                        let is_settled =
                            state.connection().owed() == 0 && state.session.is_written();
                        is_settled.then_some(Ok(()))
                    }
                },
            );
        settled.await?.unwrap_or(Ok(()))
    }

    /// Cuts the other side off, as nothing came or went for too long.
    fn stalled(self, phase: Phase) -> Error {
        let cause = Cause::Medium(Broken::Stalled(phase));
        let error = Error::from(&cause);
        self.link.cut_off(cause);
        error
    }

    /// Takes in what comes, until the connection is over.
    pub(crate) async fn drive(self) -> Result<(), Error> {
        let driven = self.until(Wants::End, Deadline::NEVER, Position::default(), |_| {
            None::<()>
        });
        match driven.await {
            Err(Error::Closed | Error::BadHandle) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn answer(
        self,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
    ) -> (Position, Result<(), Error>) {
        let mut core = self.link.lock();
        let answered = core.state.session.respond(ticket, answer);
        let end = core.state.session.end_of_outbox();
        self.push(&mut core);
        // One who waits for its turn to ask may have waited for this answer.
        core.changed();
        (end, answered.map_err(Error::from))
    }

    /// Waits for what `take` takes, and writes what waits meanwhile. What has arrived comes out
    /// although the other side takes nothing, and before an error, which is given when nothing is
    /// left.
    async fn next<T>(
        self,
        deadline: Deadline,
        mut take: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<T, Error> {
        let reads = self.reader == Reader::Here;
        let end = if reads {
            // It writes while it waits to read, and reads all that there is when it cannot write.
            Position::default()
        } else {
            self.link.lock().state.session.end_of_outbox()
        };
        let taken = self.until(Wants::Message, deadline, end, |state| {
            let taken = take(state).map(Ok);
            taken.or_else(|| match state.session.unwritable() {
                // Nothing more is read for a writer that has failed.
                Some(cause) if !reads => Some(Err(Error::from(cause))),
                _ => None,
            })
        });
        taken.await?.ok_or(Error::Timeout(Phase::Message))?
    }

    /// Waits until everything up to `end` has been written. `false` where the deadline has passed.
    async fn written(self, end: Position, deadline: Deadline) -> Result<bool, Error> {
        let written = self.until(Wants::Written(end), deadline, end, |state| {
            has_gone(state, end)
        });
        written
            .await?
            .map_or(Ok(false), |written| written.map(|()| true))
    }

    async fn until<T>(
        self,
        wants: Wants,
        deadline: Deadline,
        end: Position,
        mut done: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let (who, done) = ((self.reader, wants), |core: &mut Core| {
            done(&mut core.state)
        });
        self.link.until(who, deadline, end, done).await
    }

    /// Writes what goes at once, or has the driver do it.
    fn push(self, core: &mut Core) {
        match self.reader {
            // Whoever waits next is woken in place of nobody.
            Reader::Here => drop(core.write(&mut Context::from_waker(Waker::noop()))),
            Reader::Elsewhere => core.wake_driver(),
        }
    }

    fn value(self, body: &Body) -> Result<Value, Error> {
        let limits = self.link.lock().state.connection().config().limits;
        body.decode(&limits)
            .map_err(Error::BadMessage)?
            .map_err(Error::Remote)
    }
}

/// Returns whether everything up to `end` has been written, when that is known.
fn has_gone(state: &State, end: Position) -> Option<Result<(), Error>> {
    match state.session.unwritable() {
        Some(cause) => Some(Err(Error::from(cause))),
        None => state.session.has_gone(end).then_some(Ok(())),
    }
}

/// A question's turn, which ends with the future that holds it.
struct Turn<'a> {
    link: &'a Link,
    question: Question,
    progress: Progress,
}

/// How far a question has come.
enum Progress {
    Queued,
    Outstanding,
    Done,
}

impl<'a> Turn<'a> {
    fn queue_up(link: &'a Link) -> Self {
        let mut core = link.lock();
        let question = core.state.session.queue_up();
        // Who reads may have stopped because nobody waited for a response.
        core.wake_driver();
        Self {
            link,
            question,
            progress: Progress::Queued,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut core = self.link.lock();
        let session = &mut core.state.session;
        match self.progress {
            Progress::Queued => session.leave(self.question),
            // It may have come while nobody looked.
            Progress::Outstanding if session.take_response(self.question).is_none() => {
                session.give_up(self.question);
            }
            Progress::Outstanding | Progress::Done => return,
        }
        core.changed();
        core.wake_driver();
    }
}

/// How many bytes may wait before `set` writes them.
const WRITTEN_AT: usize = 64 * 1024;

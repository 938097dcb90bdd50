//! A connection that several tasks can use: its stream and, behind a lock, what goes over it.
//!
//! ```text
//!  stream ── poll_read ──▶ intake ──▶ stage ──▶ session ──▶ responses, backlog
//!         ◀── poll_write ─────────── stage ◀── session ◀── requests, asyncs: the outbox
//! ```
//!
//! Nobody waits under the lock. Reading and writing go on in the same poll, by one task: the caller's
//! own where a handle is not shared, the [driver](crate::Driver)'s where it is. What was read and what
//! is to be written lives here and never in a future, so a future that is dropped loses none of it.
//!
//! # Memory
//!
//! ```text
//!  idle: no buffer ── something comes ──▶ a little one ── full ──▶ as the codec says, 64 KiB and more
//!        ◀───────────── nothing has come, and nothing of a message is there ──────────────
//! ```
//!
//! A buffer has to be filled with zeros before it is read into, and most connections are idle most of
//! the time.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::task::{Context, Poll, Waker};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hopen_codec::connection::Ticket;
use hopen_codec::message::Body;
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::session::{Cause, Position};
use hopen_codec::value::Value;
use hopen_transport::{Broken, Deadline, Error, Intake, State};

use crate::alarm::Alarm;
use crate::medium::Medium;

mod caller;
mod push;
mod waiting;

pub(crate) use caller::{Caller, Reader};
use waiting::{Place, Waiting, Wants};

/// Answers what the other side asks.
pub(crate) type RequestHandler = Box<dyn FnMut(Value) -> Result<Value, RemoteError> + Send>;

/// One connection.
pub(crate) struct Link {
    core: Mutex<Core>,
    /// What answers requests of the other side.
    handler: Mutex<Option<RequestHandler>>,
}

/// What is behind the lock.
pub(crate) struct Core {
    pub(crate) state: State,
    pub(crate) intake: Intake,
    /// Dropped, and so closed, when the connection is over.
    medium: Option<Medium>,
    /// Tasks for which somebody else reads and writes.
    waiting: Waiting,
    /// The one that reads and writes for the others.
    driver: Option<Waker>,
    /// What is to be done when the lock is given back.
    after: After,
}

/// What is done outside the lock: waking a task or closing a stream may run anything, the end of a
/// future that uses this connection too.
#[derive(Default)]
struct After {
    woken: Vec<Waker>,
    closed: Option<Medium>,
}

/// The connection, locked. What its change has for others is told when the lock is given back.
pub(crate) struct Locked<'a> {
    /// `None` when it is dropped.
    core: Option<MutexGuard<'a, Core>>,
}

impl Deref for Locked<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        self.core
            .as_deref()
            .expect("it is there until it is dropped")
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        let core = self.core.as_deref_mut();
        core.expect("it is there until it is dropped")
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let after = self.core.take().and_then(|mut core| core.after.take());
        drop(after);
    }
}

impl After {
    /// Takes it; mostly there is nothing.
    fn take(&mut self) -> Option<Self> {
        let is_something = !self.woken.is_empty() || self.closed.is_some();
        is_something.then(|| mem::take(self))
    }
}

impl Drop for After {
    fn drop(&mut self) {
        // Closed before anybody is told that it is.
        self.closed = None;
        for waker in self.woken.drain(..) {
            waker.wake();
        }
    }
}

/// What a step has come to.
enum Step {
    /// Something has moved.
    Moved,
    /// The other side has asked something.
    Asked(Ticket, Body),
    /// Nothing moves; the task is woken when something does.
    Stuck,
}

impl Link {
    pub(crate) const fn new(medium: Medium, state: State, intake: Intake) -> Self {
        Self {
            core: Mutex::new(Core {
                state,
                intake,
                medium: Some(medium),
                waiting: Waiting::new(),
                driver: None,
                after: After {
                    woken: Vec::new(),
                    closed: None,
                },
            }),
            handler: Mutex::new(None),
        }
    }

    pub(crate) fn lock(&self) -> Locked<'_> {
        // A panic under the lock leaves no half-done state that matters more than the connection.
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { core: Some(core) }
    }

    /// Has requests answered as soon as they come, by whoever reads.
    pub(crate) fn on_request(&self, handler: RequestHandler) {
        let mut place = self.handler.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(handler);
        self.lock().state.session.handle_requests();
    }

    /// Closes the connection on this side, whoever uses it. What waits to go out is dropped; returns
    /// how many bytes that were.
    pub(crate) fn close(&self) -> usize {
        let mut core = self.lock();
        core.state.session.close();
        let dropped = core.state.drop_unsent();
        core.changed();
        dropped
    }

    /// Writes what goes at once, by the task that reads and writes, while that does something else.
    pub(crate) fn keep_writing(&self, context: &mut Context<'_>) {
        let mut core = self.lock();
        core.drives(context.waker());
        if core.write(context) {
            core.changed();
        }
    }

    /// Says to the other side that nothing more comes.
    pub(crate) fn end_writing(&self) {
        self.lock().say_goodbye();
    }

    /// Is told that nobody reads any longer.
    pub(crate) fn abandon(&self) {
        let mut core = self.lock();
        core.state.session.end(Cause::Closed);
        core.changed();
    }

    /// Answers a request of the other side, outside the lock.
    fn handle(&self, ticket: Ticket, body: &Body) {
        let limits = self.lock().state.connection().config().limits;
        let answer = match body.decode(&limits) {
            Ok(Ok(question)) => {
                let mut handler = self.handler.lock().unwrap_or_else(PoisonError::into_inner);
                handler
                    .as_mut()
                    .map_or_else(|| Err(remote_error("nyi")), |handler| handler(question))
            }
            // An error is no question.
            Ok(Err(_)) | Err(_) => Err(remote_error("badmsg")),
        };
        // Where it cannot be sent the other side is told so; a connection that is over needs none.
        let mut core = self.lock();
        let answer = answer.as_ref().map_err(Clone::clone);
        let _ = core.state.session.respond(ticket, answer);
    }

    /// Moves bytes, or has the driver move them, until `done` has something, or the deadline passes
    /// (`None`), or the connection is over, or cannot write what `done` needs to be written, which is
    /// everything up to `end`. `wants` says when the driver has to wake a task that waits.
    async fn until<T>(
        &self,
        (reader, wants): (Reader, Wants),
        deadline: Deadline,
        end: Position,
        mut done: impl FnMut(&mut Core) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let mut alarm = Alarm::of(deadline);
        let mut place = Place::new(self, wants);
        poll_fn(|context| {
            let mut core = self.lock();
            let (mut steps, mut is_last) = (0, false);
            if reader == Reader::Here {
                core.drives(context.waker());
            }
            loop {
                if let Some(result) = done(&mut core) {
                    place.is_left(&mut core);
                    // What it has put in the outbox, or made room for, must not wait for the next call.
                    match reader {
                        Reader::Here => drop(core.write(context)),
                        Reader::Elsewhere => core.wake_driver(),
                    }
                    core.changed();
                    return Poll::Ready(Ok(Some(result)));
                }
                if let Some(cause) = core.state.session.hindrance(end) {
                    let error = Error::from(cause);
                    core.changed();
                    return Poll::Ready(Err(error));
                }
                if is_last {
                    return Poll::Ready(Ok(None));
                }
                match reader {
                    Reader::Here => {
                        match core.step(context) {
                            Step::Moved => core.changed(),
                            Step::Asked(ticket, body) => {
                                drop(core);
                                self.handle(ticket, &body);
                                core = self.lock();
                            }
                            Step::Stuck => {
                                if !alarm.has_passed(context) {
                                    return Poll::Pending;
                                }
                                is_last = true;
                                continue;
                            }
                        }
                        steps += 1;
                        if steps < STEPS {
                            continue;
                        }
                        if !alarm.has_passed(context) {
                            // Others want to run as well.
                            core.after.woken.push(context.waker().clone());
                            return Poll::Pending;
                        }
                    }
                    Reader::Elsewhere => {
                        place.waits(&mut core, context.waker());
                        core.wake_driver();
                        if !alarm.has_passed(context) {
                            return Poll::Pending;
                        }
                    }
                }
                is_last = true;
            }
        })
        .await
    }
}

impl Drop for Link {
    /// Nobody uses it any more, and nobody has closed it.
    fn drop(&mut self) {
        let core = self.core.get_mut().unwrap_or_else(PoisonError::into_inner);
        core.close_medium();
        drop(mem::take(&mut core.after));
    }
}

impl Core {
    /// Writes what goes at once. Returns whether that was something.
    pub(crate) fn write(&mut self, context: &mut Context<'_>) -> bool {
        let Some(medium) = &mut self.medium else {
            return false;
        };
        let mut failure = None;
        // A stream with a buffer takes more before it has handed on what it has. What that was could not
        // be told any more, so it is given nothing.
        let hands_on = Cell::new(false);
        let context = RefCell::new((medium, context));
        let is_written = || {
            let (medium, context) = &mut *context.borrow_mut();
            let flushed = medium.poll_flush(context);
            hands_on.set(flushed.is_pending());
            match flushed {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(error)) => {
                    failure = Some(error);
                    false
                }
                Poll::Pending => false,
            }
        };
        let has_written = self.state.write(is_written, |wire| {
            if hands_on.get() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let (medium, context) = &mut *context.borrow_mut();
            medium.try_write(context, wire)
        });
        if let Some(error) = failure {
            self.state.fail_writing(&error);
            return true;
        }
        has_written
    }

    /// Moves some bytes in either direction, or takes in a message.
    fn step(&mut self, context: &mut Context<'_>) -> Step {
        if self.write(context) {
            return Step::Moved;
        }
        if self.state.receive(&mut self.intake) {
            return match self.state.session.next_to_handle() {
                Some((ticket, body)) => Step::Asked(ticket, body),
                None => Step::Moved,
            };
        }
        let Some(medium) = &mut self.medium else {
            return Step::Stuck;
        };
        if self.state.session.is_over() || !self.state.session.takes_more() {
            return Step::Stuck;
        }
        let (buffer, room) = self.state.buffer(&mut self.intake);
        let read = medium.poll_read(context, buffer, room);
        if read.is_pending() {
            self.intake.rest();
        }
        match read {
            Poll::Pending if self.waits_for_more() => return Step::Stuck,
            Poll::Pending if self.state.session.has_stopped() => self.state.session.drained(),
            // There is no point in waiting for more: what has arrived is taken.
            Poll::Pending => {
                let cause = self.state.session.unwritable().cloned();
                self.state.session.end(cause.unwrap_or(Cause::Closed));
            }
            Poll::Ready(Ok(0)) => self.state.session.peer_has_closed(&self.intake.input),
            Poll::Ready(Ok(count)) => self.intake.has_come(count),
            Poll::Ready(Err(error)) => {
                self.state.session.end(Cause::Medium(Broken::io(&error)));
            }
        }
        Step::Moved
    }

    /// Returns whether it makes sense to wait for what has not arrived yet.
    fn waits_for_more(&self) -> bool {
        self.state.session.is_writable() && !self.state.session.has_stopped()
    }

    /// Wakes those who wait for what has come, and closes what is over.
    pub(crate) fn changed(&mut self) {
        self.waiting
            .wake(&self.state.session, &mut self.after.woken);
        if self.state.session.is_over() {
            self.wake_driver();
            self.close_medium();
        }
    }

    /// Has the driver look at what is to be done.
    pub(crate) fn wake_driver(&mut self) {
        self.after.woken.extend(self.driver.take());
    }

    /// Takes the medium, with what is still to be said to the other side: that nothing more comes.
    pub(crate) fn end_writing(&mut self) -> Option<(Medium, Outbox)> {
        let mut words = Outbox::default();
        self.state.say_goodbye(|stage| {
            stage.end();
            words = mem::take(stage.outgoing(&mut Outbox::default()));
        });
        Some((self.medium.take()?, words))
    }

    /// Is told by whoever reads and writes who is to be woken.
    fn drives(&mut self, waker: &Waker) {
        match &mut self.driver {
            Some(driver) => driver.clone_from(waker),
            None => self.driver = Some(waker.clone()),
        }
    }

    fn close_medium(&mut self) {
        self.say_goodbye();
        if let Some(medium) = self.medium.take() {
            self.after.closed = Some(medium);
        }
    }

    fn say_goodbye(&mut self) {
        if let Some(medium) = &mut self.medium {
            self.state.say_goodbye(|stage| medium.say_goodbye(stage));
        }
    }
}

pub(crate) fn remote_error(text: &'static str) -> RemoteError {
    RemoteError::new(text).expect("a literal without a NUL")
}

/// How many steps a task makes before it lets others run.
const STEPS: usize = 256;

#[cfg(test)]
mod tests;

//! A connection that several threads can use: its medium, and behind a lock what goes over it.
//!
//! ```text
//!            outside the lock             under the lock
//!  medium ── read, waiting ──▶ intake ──▶ stage ──▶ codec ──▶ responses, backlog
//!         ◀── write what goes ──────────  stage ◀── codec ◀── requests, asyncs: the outbox
//!         ◀── wait until more goes
//! ```
//!
//! Nobody waits under the lock. Reading waits outside it, in one thread: the caller's own where a
//! handle is not shared, the [driver](crate::Driver)'s where it is. Writing takes what the medium
//! takes at once. If more is to be written, a caller who reads waits for either outside the lock; one
//! for whom the driver reads leaves it to a thread that is started when it is needed first, and waits
//! for a change as it does for everything. So a stalled write never stops the reading, nor keeps
//! anybody from what has come, and two ends that both send more than the system holds get on.

use core::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use bytes::BytesMut;
use hopen_codec::connection::Ticket;
use hopen_codec::frame::Announced;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::session::Cause;
use hopen_codec::value::Value;

use crate::medium::{Interest, Medium};
use hopen_transport::{Broken, Deadline, Intake};

mod caller;
mod push;
mod state;

pub(crate) use caller::Caller;
pub(crate) use state::State;

/// One connection.
pub(crate) struct Link {
    medium: Arc<Medium>,
    state: Mutex<State>,
    /// Something has arrived, been written or ended.
    changed: Condvar,
    /// There is something for the thread that writes what does not go at once.
    stalled: Condvar,
    /// What answers requests of the other side.
    handler: Mutex<Option<RequestHandler>>,
}

/// Answers what the other side asks.
pub(crate) type RequestHandler = Box<dyn FnMut(Value) -> Result<Value, RemoteError> + Send>;

impl Link {
    pub(crate) const fn new(medium: Arc<Medium>, state: State) -> Self {
        Self {
            medium,
            state: Mutex::new(state),
            changed: Condvar::new(),
            stalled: Condvar::new(),
            handler: Mutex::new(None),
        }
    }

    /// Has requests answered as soon as they come, by whoever reads.
    pub(crate) fn on_request(&self, handler: RequestHandler) {
        let mut place = self.handler.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(handler);
        self.lock().core.session.handle_requests();
    }

    /// Has somebody watch the messages under way.
    pub(crate) fn watch(&self, watcher: Box<dyn FnMut(Announced) -> ControlFlow<()> + Send>) {
        self.lock().core.session.watch(watcher);
    }

    /// Says to the other side that nothing more comes.
    pub(crate) fn end_writing(&self) {
        self.lock().say_goodbye(&self.medium);
        self.medium.shutdown_write();
    }

    /// Closes the connection on this side, whoever uses it. What waits to go out is dropped; returns
    /// how many bytes that were.
    pub(crate) fn close(&self) -> usize {
        let mut state = self.lock();
        state.core.session.close();
        let dropped = state.core.drop_unsent();
        self.tell(&mut state);
        dropped
    }

    /// Ends the connection for a reason of this side's, and drops what waits to go out.
    fn cut_off_locked(&self, state: &mut State, cause: Cause<Broken>) {
        state.core.session.end(cause);
        state.core.drop_unsent();
        self.tell(state);
    }

    /// Is told that nobody reads any longer.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.core.session.end(Cause::Closed);
        self.tell(&mut state);
    }

    pub(crate) fn medium(&self) -> &Medium {
        &self.medium
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves no half-done state that matters more than the connection.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for a change; if the connection is over, also those who wait for the
    /// medium.
    fn tell(&self, state: &mut State) {
        if state.sleepers > 0 {
            self.changed.notify_all();
        }
        if state.core.session.is_over() {
            self.stalled.notify_all();
            state.say_goodbye(&self.medium);
            self.medium.close();
        }
    }

    /// Writes what goes at once, and tells those who wait for that. Returns whether that was something.
    fn write(&self, state: &mut State) -> bool {
        let has_written = state.write(&self.medium);
        if has_written {
            self.tell(state);
        }
        has_written
    }

    /// Has what waits written by a thread that waits for the medium, so that the caller need not.
    fn write_elsewhere(self: &Arc<Self>, state: &mut State) {
        if state.has_writer {
            self.stalled.notify_one();
            return;
        }
        let link = Arc::clone(self);
        let thread = thread::Builder::new().name("hopen queue".into());
        match thread.spawn(move || link.write_on()) {
            Ok(_) => state.has_writer = true,
            Err(error) => {
                state.core.fail_writing(&error);
                self.tell(state);
            }
        }
    }

    /// Writes whatever waits, until nothing can be written any more.
    fn write_on(&self) {
        let mut state = self.lock();
        while !state.core.session.is_over() && state.core.session.is_writable() {
            state = if state.core.session.is_written() {
                let waited = self.stalled.wait(state);
                waited.unwrap_or_else(PoisonError::into_inner)
            } else {
                self.wait_to_write(state, Deadline::NEVER)
            };
            state.write(&self.medium);
            self.tell(&mut state);
        }
        state.has_writer = false;
    }

    /// Answers a request of the other side, outside the lock.
    fn handle(&self, ticket: Ticket, body: &Body) {
        let limits = self.lock().core.connection().config().limits;
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
        let _ = self
            .lock()
            .core
            .session
            .respond(ticket, answer.as_ref().map_err(Clone::clone));
    }

    /// Waits for a change that somebody else makes.
    fn sleep<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        deadline: Deadline,
    ) -> MutexGuard<'a, State> {
        state.sleepers += 1;
        let mut state = match deadline.left() {
            None => self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(left) => {
                self.changed
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        state.sleepers -= 1;
        state
    }

    /// Waits, outside the lock, until more can be written.
    fn wait_to_write<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        deadline: Deadline,
    ) -> MutexGuard<'a, State> {
        drop(state);
        let waited = self.medium.wait(Interest::Write, deadline);
        let mut state = self.lock();
        if let Err(error) = waited
            && !passed(&error, deadline)
        {
            state.core.fail_writing(&error);
        }
        state
    }

    /// Reads some bytes, outside the lock; where something waits to be written, waits for either.
    fn read<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        intake: &mut Intake,
        deadline: Deadline,
    ) -> MutexGuard<'a, State> {
        let writable = state.core.session.is_writable();
        let stalled = writable && !state.core.session.is_written();
        if !state.core.session.takes_more() {
            return if stalled {
                self.wait_to_write(state, deadline)
            } else {
                self.sleep(state, deadline)
            };
        }
        let (buffer, room) = state.core.buffer(intake);
        drop(state);
        let read = match (writable, stalled) {
            // There is no point in waiting for more: what has arrived is taken.
            (false, _) => self.medium.try_read(buffer, room),
            (true, false) => self.medium.read(buffer, room, deadline),
            (true, true) => self.read_or_wait(buffer, room, deadline),
        };
        let mut state = self.lock();
        match read {
            Ok(0) if state.core.session.has_stopped() => state.core.session.drained(),
            Ok(0) => state.core.session.peer_has_closed(&intake.input),
            Ok(count) => intake.has_come(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && writable => {}
            Err(error) if passed(&error, deadline) => {}
            Err(error) => state.core.session.end(Cause::Medium(Broken::io(&error))),
        }
        state
    }

    /// Waits until reading or writing is possible, and in the first case reads.
    fn read_or_wait(
        &self,
        buffer: &mut BytesMut,
        room: usize,
        deadline: Deadline,
    ) -> io::Result<usize> {
        let ready = self.medium.wait(Interest::Both, deadline)?;
        if ready.readable {
            self.medium.try_read(buffer, room)
        } else {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }
}

impl Drop for Link {
    /// Nobody uses it any more, and nobody has closed it.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.say_goodbye(&self.medium);
    }
}

pub(crate) fn remote_error(text: &'static str) -> RemoteError {
    RemoteError::new(text).expect("a literal without a NUL")
}

/// Returns whether an error says that the deadline has passed.
pub(crate) fn passed(error: &io::Error, deadline: Deadline) -> bool {
    error.kind() == io::ErrorKind::TimedOut && deadline.has_passed()
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::thread;

    use bytes::Buf;
    use hopen_codec::auth::Credentials;
    use hopen_codec::config::Config;
    use hopen_codec::handshake::{ClientHandshake, Progress};
    use hopen_codec::message::{Message, MessageKind};
    use hopen_codec::outbox::Outbox;
    use hopen_codec::session::Role;

    use super::*;
    use crate::{Error, Phase};

    #[test]
    fn the_reader_goes_on_for_a_question_that_waits_behind_one_that_was_given_up() {
        let (link, mut peer) = keeping_one();
        let mut caller = Caller::told(&link);
        let no_time = Deadline::after(Some(Duration::ZERO));
        let error = caller.get(&"late".into(), no_time).unwrap_err();
        assert!(matches!(error, Error::Timeout(Phase::Response)), "{error}");
        thread::scope(|scope| {
            let _closer = Closer(&link);
            let driver = scope.spawn(|| drive(&link));
            peer.write_all(&message(MessageKind::Async, 1_i64)).unwrap();
            peer.write_all(&message(MessageKind::Async, 2_i64)).unwrap();
            wait_for_sleepers(&link, 1);
            // Nobody has taken the first, and the response is behind both.
            peer.write_all(&message(MessageKind::Response, 3_i64))
                .unwrap();
            let error = caller.get(&"next".into(), patience()).unwrap_err();
            assert!(matches!(error, Error::KeptAsyncs { limit: 0 }), "{error}");
            let error = driver.join().unwrap().unwrap_err();
            assert!(matches!(error, Error::KeptAsyncs { limit: 0 }), "{error}");
        });
        assert_eq!(caller.recv(patience()).unwrap(), Value::from(1_i64));
    }

    #[test]
    fn a_reader_with_nothing_to_read_or_write_rests() {
        let (link, mut peer) = keeping_one();
        peer.write_all(&message(MessageKind::Async, 1_i64)).unwrap();
        link.medium.wait(Interest::Read, patience()).unwrap();
        link.medium.shutdown_write();
        let mut caller = Caller::told(&link);
        caller.set(&"lost".into()).unwrap();
        let error = caller.flush(patience()).unwrap_err();
        assert!(is_broken_pipe(&error), "{error}");
        thread::scope(|scope| {
            let _closer = Closer(&link);
            let driver = scope.spawn(|| drive(&link));
            // It keeps the one, and waits until that is taken.
            wait_for_sleepers(&link, 1);
            assert_eq!(caller.recv(patience()).unwrap(), Value::from(1_i64));
            let error = driver.join().unwrap().unwrap_err();
            assert!(is_broken_pipe(&error), "{error}");
        });
        assert!(is_broken_pipe(&caller.recv(patience()).unwrap_err()));
    }

    #[test]
    fn whoever_ends_a_connection_ends_the_reading_too() {
        let (link, mut peer) = keeping_one();
        thread::scope(|scope| {
            let _closer = Closer(&link);
            let driver = scope.spawn(|| drive(&link));
            // It reads from then on.
            peer.write_all(&message(MessageKind::Async, 1_i64)).unwrap();
            let received = Caller::told(&link).recv(patience()).unwrap();
            assert_eq!(received, Value::from(1_i64));
            let mut state = link.lock();
            state.core.session.end(Cause::KeptAsyncs { limit: 7 });
            link.tell(&mut state);
            drop(state);
            let error = driver.join().unwrap().unwrap_err();
            assert!(matches!(error, Error::KeptAsyncs { limit: 7 }), "{error}");
        });
    }

    #[test]
    fn who_waits_is_told_that_the_other_side_has_closed() {
        let (link, peer) = keeping_one();
        thread::scope(|scope| {
            let _closer = Closer(&link);
            let driver = scope.spawn(|| drive(&link));
            let waiter = scope.spawn(|| Caller::told(&link).recv(Deadline::NEVER));
            wait_for_sleepers(&link, 1);
            drop(peer);
            let error = waiter.join().unwrap().unwrap_err();
            assert!(matches!(error, Error::Closed), "{error}");
            driver.join().unwrap().unwrap();
        });
    }

    #[test]
    fn who_waits_for_a_message_gets_it_though_writing_has_stalled() {
        let (link, mut peer) = keeping_one();
        thread::scope(|scope| {
            let _closer = Closer(&link);
            let driver = scope.spawn(|| drive(&link));
            let large = Value::from(vec![7_i64; 8 * 1024 * 1024]);
            Caller::told(&link).try_set(&large).unwrap();
            let waiter = scope.spawn(|| Caller::told(&link).recv(patience()));
            wait_for_sleepers(&link, 1);
            peer.write_all(&message(MessageKind::Async, 1_i64)).unwrap();
            assert_eq!(waiter.join().unwrap().unwrap(), Value::from(1_i64));
            // What has stalled goes on as soon as it can.
            let mut length = message(MessageKind::Async, large).len();
            let mut piece = vec![0; 1024 * 1024];
            while length > 0 {
                length -= peer.read(&mut piece).unwrap();
            }
            assert!(Caller::told(&link).flush(patience()).unwrap());
            link.close();
            driver.join().unwrap().unwrap();
        });
    }

    /// Returns a client's link that keeps one async message, and the other end.
    fn keeping_one() -> (Arc<Link>, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut config = Config::client();
        config.limits.kept_asyncs = 0;
        config.peer_is_local = true;
        let nobody = Credentials::default();
        let handshake = ClientHandshake::start(&nobody, config, &mut Outbox::default()).unwrap();
        let answer = handshake.receive(&mut BytesMut::from(&b"\x06"[..]));
        let Ok(Progress::Done(connection)) = answer else {
            panic!("it is accepted")
        };
        let plain = hopen_transport::Stage::Plain;
        let state = State::new(hopen_transport::State::new(connection, plain, Role::Client));
        let link = Link::new(Arc::new(Medium::tcp(stream).unwrap()), state);
        (Arc::new(link), listener.accept().unwrap().0)
    }

    /// Closes a link at the end of a test, also of one that fails, so that nobody waits on.
    struct Closer<'a>(&'a Link);

    impl Drop for Closer<'_> {
        fn drop(&mut self) {
            self.0.close();
        }
    }

    /// Reads as a driver does.
    fn drive(link: &Link) -> Result<(), Error> {
        Caller::reading(link, &mut Intake::default()).drive()
    }

    /// Waits until so many threads wait for a change.
    fn wait_for_sleepers(link: &Link, count: usize) {
        let deadline = patience();
        while link.lock().sleepers != count {
            assert!(!deadline.has_passed(), "nobody rests");
            thread::yield_now();
        }
    }

    fn message(kind: MessageKind, value: impl Into<Value>) -> Vec<u8> {
        let mut outbox = Outbox::default();
        Message::new(kind, Body::encode(&value.into()).unwrap()).write(&mut outbox);
        outbox.copy_to_bytes(outbox.remaining()).to_vec()
    }

    fn is_broken_pipe(error: &Error) -> bool {
        matches!(error, Error::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Longer than anything takes that does not fail.
    fn patience() -> Deadline {
        Deadline::after(Some(Duration::from_secs(60)))
    }
}

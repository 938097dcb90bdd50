//! A handle: one connection to a process, used by one thread at a time.

use core::fmt;
use core::ops::ControlFlow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use hopen_codec::config::Capability;
use hopen_codec::connection::Ticket;
use hopen_codec::frame::Announced;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::Session;

use crate::link::{Caller, Link, passed};
use crate::{Driver, Error, Phase, SharedHandle};
use hopen_transport::Peer;
use hopen_transport::{Deadline, Intake};

/// An open handle to a process, which has connected to us or we to it.
///
/// What [`set`](Self::set) takes is written at 64 KiB, on [`flush`](Self::flush), and before the
/// next [`get`](Self::get) or [`recv`](Self::recv). Whatever has to wait until the other side reads
/// takes in meanwhile what the other side sends: async messages are kept for `recv`. Dropping a
/// handle closes it as [`close`](Self::close) does. Its `Debug` form tells the peer and lengths, and
/// nothing of what was sent or received.
///
/// An error that ends the handle ([`Error`] says which do) is given by every later call. But what had
/// arrived before is not lost: [`recv`](Self::recv) hands it out first.
///
/// [`into_shared`](Self::into_shared) makes a handle for several threads.
pub struct Handle {
    link: Arc<Link>,
    intake: Intake,
    peer: Peer,
}

/// A message that is no response.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what comes is to be handled in full"
)]
pub enum Received {
    /// An async message, which nobody waits for.
    Async(Value),
    /// A request, whose sender waits for [`respond`](Handle::respond).
    Request(Ticket, Value),
}

impl Handle {
    pub(crate) fn new(link: Link, intake: Intake, peer: Peer) -> Self {
        Self {
            link: Arc::new(link),
            intake,
            peer,
        }
    }

    /// Asks and waits for the answer: `h x`. A text is evaluated as q; a tuple or list is a
    /// function and its arguments.
    ///
    /// Async messages that come before the answer are kept for [`recv`](Self::recv), up to
    /// [`Limits::kept_asyncs`](hopen_codec::config::Limits::kept_asyncs). The other side may ask
    /// something meanwhile, which [`on_request`](Self::on_request) answers. Otherwise a client has no
    /// answer to that and says so; on a handle that was accepted it is kept for [`receive`](Self::receive): if it came of our question and waits for
    /// the answer before it gives its own, `get` does not return, and
    /// [`get_timeout`](Self::get_timeout) or a shared handle, on which another thread receives, helps.
    ///
    /// # Errors
    ///
    /// What the other side signals is [`Error::Remote`]; see [`Error`] for the others.
    pub fn get(&mut self, query: impl Into<Value>) -> Result<Value, Error> {
        self.get_until(query, Deadline::NEVER)
    }

    /// Asks, and waits no longer than `timeout` for the answer.
    ///
    /// A time-out gives up the answer and not the handle: when the answer comes it is dropped, and
    /// the next `get` waits for that before it sends anything, within its own time.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], with [`Phase::Response`] where the question was
    /// sent, or may have been, and [`Phase::EarlierResponse`] where it
    /// was not. Otherwise as [`get`](Self::get).
    pub fn get_timeout(
        &mut self,
        query: impl Into<Value>,
        timeout: Duration,
    ) -> Result<Value, Error> {
        self.get_until(query, Deadline::after(Some(timeout)))
    }

    pub(crate) fn get_until(
        &mut self,
        query: impl Into<Value>,
        deadline: Deadline,
    ) -> Result<Value, Error> {
        self.caller().get(&query.into(), deadline)
    }

    /// Sends without waiting for an answer: `(neg h) x`. At 64 KiB it writes what waits, as
    /// [`flush`](Self::flush) does.
    ///
    /// # Errors
    ///
    /// Where the value cannot be sent to this peer, or writing fails.
    pub fn set(&mut self, message: impl Into<Value>) -> Result<(), Error> {
        self.caller().set(&message.into())
    }

    /// Sends as [`set`](Self::set) does, but without waiting: what the system does not take at once
    /// stays in the queue, up to [`Limits::queue`](hopen_codec::config::Limits::queue), and goes out
    /// with later calls.
    ///
    /// # Errors
    ///
    /// [`Error::QueueFull`] where that much waits already; nothing is sent then. Otherwise as
    /// [`set`](Self::set).
    pub fn try_set(&mut self, message: impl Into<Value>) -> Result<(), Error> {
        self.caller().try_set(&message.into())
    }

    /// Writes everything that was [`set`](Self::set) to the socket: `neg[h][]`. Waits while the
    /// other side takes nothing.
    ///
    /// Meanwhile what the other side sends is taken in and kept, up to
    /// [`Limits::kept_asyncs`](hopen_codec::config::Limits::kept_asyncs), so that two ends that send
    /// to each other get on. Beyond that the other side has to wait as well.
    ///
    /// # Errors
    ///
    /// Where writing fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.caller().flush(Deadline::NEVER).map(|_| ())
    }

    /// Writes what waits, and waits for the next async message of the other side: `h[]`. A request
    /// that comes before it is declined; [`receive`](Self::receive) hands out both. A message that is
    /// there comes out at once, although the other side may not have taken everything.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the other side has closed, and what else ends the handle, but what
    /// had arrived comes out before that; see [`Error`] for the others.
    pub fn recv(&mut self) -> Result<Value, Error> {
        self.caller().recv(Deadline::NEVER)
    }

    /// Writes what waits, and waits for the next async message no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`]; otherwise as [`recv`](Self::recv).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Value, Error> {
        self.caller().recv(Deadline::after(Some(timeout)))
    }

    /// Writes what waits, and waits for the next message that is no response: what a server does.
    ///
    /// On a handle that we have opened only async messages come out: requests are declined as soon
    /// as they come.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv). A request that is no value is answered by `badmsg`, and
    /// [`Error::BadMessage`] says so here; q closes such a connection.
    pub fn receive(&mut self) -> Result<Received, Error> {
        self.caller().receive()
    }

    /// Answers a request and writes the answer, if its turn has come: answers go out in the order in
    /// which the other side takes them ([`Connection`](hopen_codec::connection)). An answer that
    /// cannot be sent to this peer becomes an error response, and the error is given here.
    ///
    /// # Errors
    ///
    /// Where the ticket's request is answered already or is none of this handle's, where the answer
    /// cannot be sent, or where writing fails.
    pub fn respond(
        &mut self,
        ticket: Ticket,
        answer: Result<impl Into<Value>, RemoteError>,
    ) -> Result<(), Error> {
        match answer {
            Ok(value) => self.caller().respond(ticket, Ok(&value.into())),
            Err(error) => self.caller().respond(ticket, Err(error)),
        }
    }

    /// Has a function answer what the other side asks, as soon as it asks it and whatever this side
    /// waits for: a [`get`](Self::get) whose evaluation calls back, too. It runs in the thread that
    /// uses the handle, or in the [`Driver`]'s, and must not use the handle itself. Without one, a
    /// client declines every request, and a server hands them out by [`receive`](Self::receive).
    ///
    /// Where more than [`Limits::queue`](hopen_codec::config::Limits::queue) bytes wait for the other
    /// side to read, its requests are declined.
    ///
    /// ```no_run
    /// # use hopen_blocking::hopen;
    /// # use hopen_codec::remote_error::RemoteError;
    /// let mut h = hopen(":localhost:5010")?;
    /// h.on_request(|question| match question.to::<&str>() {
    ///     Ok("name") => Ok("a client in Rust".into()),
    ///     _ => Err(RemoteError::new("nyi").expect("no NUL")),
    /// });
    /// h.get("reverse .z.w\"name\"")?; // the process asks back before it answers
    /// # Ok::<(), hopen_blocking::Error>(())
    /// ```
    pub fn on_request(
        &mut self,
        handler: impl FnMut(Value) -> Result<Value, RemoteError> + Send + 'static,
    ) {
        self.link.on_request(Box::new(handler));
    }

    /// Has a function watch each message under way whose end has not arrived: how long it is and how
    /// much of it is here. It is asked before anything is allocated for the message, and again
    /// whenever more has come. If it breaks, the message is refused: the handle is over, with
    /// [`Error::Refused`], since what is left of it would have to be read otherwise.
    ///
    /// It runs while the handle is locked, and has to be short.
    ///
    /// ```no_run
    /// # use core::ops::ControlFlow;
    /// # use hopen_blocking::hopen;
    /// let mut h = hopen(":localhost:5010")?;
    /// h.watch(|message| {
    ///     eprintln!("{} of {} bytes", message.arrived, message.length);
    ///     if message.length > 1_000_000_000 {
    ///         return ControlFlow::Break(());
    ///     }
    ///     ControlFlow::Continue(())
    /// });
    /// # Ok::<(), hopen_blocking::Error>(())
    /// ```
    pub fn watch(&mut self, watcher: impl FnMut(Announced) -> ControlFlow<()> + Send + 'static) {
        self.link.watch(Box::new(watcher));
    }

    /// Makes a handle that any number of threads can use, and the driver that reads for all of them:
    /// give it a thread of its own.
    ///
    /// ```no_run
    /// # use hopen_blocking::hopen;
    /// let (handle, driver) = hopen(":localhost:5010")?.into_shared();
    /// std::thread::spawn(move || driver.run());
    /// let other = handle.clone();
    /// std::thread::spawn(move || other.get("2+3"));
    /// handle.get("til 5")?;
    /// # Ok::<(), hopen_blocking::Error>(())
    /// ```
    pub fn into_shared(self) -> (SharedHandle, Driver) {
        let (link, intake, peer) = self.into_parts();
        (
            SharedHandle::new(Arc::clone(&link), peer),
            Driver::new(link, intake),
        )
    }

    /// Writes what waits, says that nothing more comes, and waits until the other side has closed,
    /// which a q process does when it has read everything; for `patience` at most, all together. What
    /// it sends meanwhile is dropped.
    ///
    /// Where the other side does not close within that time, this is no error: everything has been
    /// handed to the system by then.
    ///
    /// [`close`](Self::close) does not wait, as q does not: if the other side sends something to a
    /// socket that is closed, the system resets the connection, and what the other side has not
    /// read by then is lost although it was flushed.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] where the other side does not even let everything be written in time; where
    /// writing fails, or the connection breaks before the other side has closed.
    pub fn finish(mut self, patience: Duration) -> Result<(), Error> {
        let deadline = Deadline::after(Some(patience));
        if !self.caller().flush(deadline)? {
            return Err(Error::Timeout(Phase::Finish));
        }
        self.link.end_writing();
        let medium = self.link.medium();
        let mut unread = BytesMut::new();
        while !deadline.has_passed() {
            unread.clear();
            match medium.read(&mut unread, 16 * 1024, deadline) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if passed(&error, deadline) => break,
                Err(error) => return Err(Error::io(error)),
            }
        }
        Ok(())
    }

    /// Closes the handle: `hclose`. What was [`set`](Self::set) and not written yet is dropped, as q
    /// does. Returns how many bytes that were. [`finish`](Self::finish) waits until the other side
    /// has read what was written.
    pub fn close(self) -> usize {
        self.link.lock().core.drop_unsent()
    }

    /// Returns the address of the other side, where it has one: a pipe has none.
    pub const fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    /// Returns what TLS's handshake has come to, with the certificate that the other side has shown:
    /// `.z.e`. `None` where the connection is plain.
    pub fn tls(&self) -> Option<&Session> {
        self.peer.session.as_deref()
    }

    /// Returns the capability that both ends have.
    pub fn capability(&self) -> Capability {
        self.link.lock().core.connection().capability()
    }

    pub(crate) fn into_parts(self) -> (Arc<Link>, Intake, Peer) {
        let Self { link, intake, peer } = self;
        (link, intake, peer)
    }

    fn caller(&mut self) -> Caller<'_> {
        Caller::reading(&self.link, &mut self.intake)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("peer", &self.peer.address)
            .field("input", &self.intake.input.len())
            .field("state", &*self.link.lock())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::{io, thread};

    use bytes::Buf;
    use hopen_codec::config::Limits;
    use hopen_codec::connection::ProtocolError;
    use hopen_codec::message::{Body, Message, MessageKind};
    use hopen_codec::outbox::Outbox;

    use super::*;
    use crate::hopen;
    use crate::medium::Interest;

    #[test]
    fn a_handle_that_nothing_was_said_about_has_the_limits_of_a_client() {
        let (handle, _peer) = opened();
        let limits = handle.link.lock().core.connection().config().limits;
        assert_eq!(limits, Limits::client());
        assert_eq!(
            (limits.login, limits.message, limits.kept_asyncs),
            (64 * 1024, (1 << 40) - 1, 64 * 1024 * 1024)
        );
        assert_eq!((limits.requests, limits.queue), (65_536, 100 * 1024 * 1024));
    }

    #[test]
    fn finish_waits_until_the_other_side_has_read_everything() {
        let (mut handle, mut peer) = opened();
        let expected = message(MessageKind::Async, vec![7_i64; 1_000_000]).len();
        let reader = thread::spawn(move || {
            let mut count = 0;
            let mut piece = vec![0; 100_000];
            // What is pushed now would reset a connection that is closed already.
            loop {
                peer.write_all(&message(MessageKind::Async, 1_i64)).unwrap();
                match peer.read(&mut piece).unwrap() {
                    0 => return count,
                    read => count += read,
                }
            }
        });
        handle.set(vec![7_i64; 1_000_000]).unwrap();
        handle.finish(Duration::from_secs(60)).unwrap();
        assert_eq!(reader.join().unwrap(), expected);
    }

    #[test]
    fn finish_waits_no_longer_than_was_said() {
        let (handle, peer) = opened();
        handle.finish(Duration::from_millis(1)).unwrap();
        drop(peer);
    }

    #[test]
    fn finish_waits_no_longer_for_a_side_that_takes_nothing() {
        let (mut handle, peer) = opened();
        handle.try_set(larger_than_the_system_holds()).unwrap();
        let error = handle.finish(Duration::from_millis(1)).unwrap_err();
        assert!(matches!(error, Error::Timeout(Phase::Finish)), "{error:?}");
        drop(peer);
    }

    #[test]
    fn what_has_arrived_comes_out_though_the_other_side_takes_nothing() {
        let (mut handle, mut peer) = opened();
        handle.try_set(larger_than_the_system_holds()).unwrap();
        for n in 0..3_i64 {
            peer.write_all(&message(MessageKind::Async, n)).unwrap();
            let received = handle.recv_timeout(Duration::from_secs(60)).unwrap();
            assert_eq!(received, Value::from(n));
        }
        assert_ne!(handle.close(), 0);
    }

    #[test]
    fn what_has_arrived_comes_out_before_a_write_error() {
        let (mut handle, mut peer) = opened();
        let mut messages = Vec::new();
        for n in 0..4_i64 {
            messages.extend(message(MessageKind::Async, n));
        }
        messages.extend(message(MessageKind::Sync, "who?"));
        messages.extend(message(MessageKind::Async, 4_i64));
        // One has been read by then, and half of the next.
        let (read, unread) = messages.split_at(17 + 10);
        peer.write_all(read).unwrap();
        assert_eq!(handle.recv().unwrap(), Value::from(0_i64));
        peer.write_all(unread).unwrap();
        wait_for_bytes(&handle);
        drop(peer);

        handle.link.medium().shutdown_write();
        handle.set("lost").unwrap();
        for n in 1..5_i64 {
            assert_eq!(handle.recv().unwrap(), Value::from(n));
        }
        for _ in 0..2 {
            let error = handle.recv().unwrap_err();
            assert!(is_broken_pipe(&error), "{error:?}");
        }
        assert_eq!(handle.close(), message(MessageKind::Async, "lost").len());
    }

    #[test]
    fn after_a_write_error_nobody_waits_for_the_other_side() {
        let (mut handle, mut peer) = opened();
        peer.write_all(&message(MessageKind::Async, 1_i64)).unwrap();
        wait_for_bytes(&handle);
        handle.link.medium().shutdown_write();
        for _ in 0..2 {
            let error = handle.get("x").unwrap_err();
            assert!(is_broken_pipe(&error), "{error:?}");
        }
        assert_eq!(handle.recv().unwrap(), Value::from(1_i64));
        // The other side is still there.
        let error = handle.recv().unwrap_err();
        assert!(is_broken_pipe(&error), "{error:?}");
        drop(peer);
    }

    #[test]
    fn a_queue_has_its_limit_and_nothing_waits_for_it() {
        let (mut handle, mut peer) = opened();
        let limit = handle.link.lock().core.connection().config().limits.queue;
        let large = Value::from(vec![7_i64; 1_000_000]);
        let length = message(MessageKind::Async, large.clone()).len();
        let mut taken = 0;
        let error = loop {
            match handle.try_set(large.clone()) {
                Ok(()) => taken += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::QueueFull { limit: found } if found == limit));
        assert!(taken * length > limit);

        let reader = thread::spawn(move || {
            let mut all = Vec::new();
            peer.read_to_end(&mut all).unwrap();
            all.len()
        });
        handle.flush().unwrap();
        handle.try_set(large).unwrap();
        handle.finish(Duration::from_secs(60)).unwrap();
        assert_eq!(reader.join().unwrap(), (taken + 1) * length);
    }

    #[test]
    fn a_side_that_asks_on_and_reads_no_answers_is_left() {
        let (mut handle, mut peer) = opened();
        let limit = handle
            .link
            .lock()
            .core
            .connection()
            .config()
            .limits
            .requests;
        handle.try_set(larger_than_the_system_holds()).unwrap();
        let asking = thread::spawn(move || {
            // The last of them may find the connection closed.
            let _ = peer.write_all(&message(MessageKind::Sync, true).repeat(limit + 1));
            peer
        });
        let error = handle.recv_timeout(Duration::from_secs(60)).unwrap_err();
        let expected = ProtocolError::TooManyRequests { limit };
        assert!(matches!(error, Error::Protocol(found) if found == expected));
        drop(asking.join().unwrap());
    }

    #[test]
    fn its_debug_form_shows_nothing_that_was_sent_or_received() {
        let (mut handle, mut peer) = opened();
        let secret = message(MessageKind::Async, "secret");
        peer.write_all(&secret.repeat(2)).unwrap();
        peer.write_all(b"\x01\0\0\0\xff\0\0\0secret").unwrap();
        handle.set("secret").unwrap();
        assert_eq!(handle.recv().unwrap(), Value::from("secret"));
        handle.set("secret").unwrap();
        let shown = format!("{handle:?}");
        assert!(shown.contains("outbox: 20"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains(&handle.peer_addr().unwrap().to_string()));
    }

    /// Returns a handle and the server's end of its connection.
    fn opened() -> (Handle, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            peer.read_exact(&mut [0; b"\x06\0".len()]).unwrap();
            peer.write_all(b"\x06").unwrap();
            peer
        });
        let handle = hopen((port, Duration::from_secs(60))).unwrap();
        (handle, server.join().unwrap())
    }

    fn larger_than_the_system_holds() -> Value {
        Value::from(vec![7_i64; 8 * 1024 * 1024])
    }

    /// Waits until what was written at once, in one small packet, has arrived.
    fn wait_for_bytes(handle: &Handle) {
        let medium = handle.link.medium();
        medium.wait(Interest::Read, Deadline::NEVER).unwrap();
    }

    fn message(kind: MessageKind, value: impl Into<Value>) -> Vec<u8> {
        let mut outbox = Outbox::default();
        Message::new(kind, Body::encode(&value.into()).unwrap()).write(&mut outbox);
        outbox.copy_to_bytes(outbox.remaining()).to_vec()
    }

    fn is_broken_pipe(error: &Error) -> bool {
        matches!(error, Error::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

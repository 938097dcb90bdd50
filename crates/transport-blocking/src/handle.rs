//! A handle: one connection to a process.

use core::{fmt, mem};
use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use hopen_codec::backlog::Backlog;
use hopen_codec::connection::{Connection, Incoming, SendError};
use hopen_codec::message::Body;
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::stream::is_timeout;
use crate::{Error, stream};

/// An open handle to a process.
///
/// What [`set`](Self::set) takes is written at 64 KiB, on [`flush`](Self::flush), and before the
/// next [`get`](Self::get) or [`recv`](Self::recv). Dropping a handle closes it as
/// [`close`](Self::close) does. Its `Debug` form tells the peer and lengths, and nothing of what
/// was sent or received.
///
/// An error that ends the handle ([`Error`] says which do) is given once; later calls give
/// [`Error::Closed`]. But what had arrived before is not lost: [`recv`](Self::recv) hands it out
/// first.
pub struct Handle {
    stream: TcpStream,
    connection: Connection,
    input: BytesMut,
    outbox: Outbox,
    /// Async messages that came while a response was awaited.
    backlog: Backlog,
    state: State,
}

/// Whether something has ended the handle.
#[derive(Debug)]
enum State {
    /// Nothing has.
    Open,
    /// Writing has failed: what has arrived is still taken, without waiting for more. Holds the
    /// error until it is given to somebody.
    Unwritable(Option<io::Error>),
    /// Nothing more is read. What is in the backlog still comes out.
    Over,
}

impl Handle {
    pub(crate) fn new(
        stream: TcpStream,
        connection: Connection,
        input: BytesMut,
        outbox: Outbox,
    ) -> Self {
        let backlog = Backlog::new(connection.config().limits.kept_asyncs);
        Self {
            stream,
            connection,
            input,
            outbox,
            backlog,
            state: State::Open,
        }
    }

    /// Asks and waits for the answer: `h x`. A text is evaluated as q; a tuple or list is a
    /// function and its arguments.
    ///
    /// Async messages that come before the answer are kept for [`recv`](Self::recv). The other
    /// side may ask something meanwhile; a client has no answer to that and says so.
    ///
    /// # Errors
    ///
    /// What the other side signals is [`Error::Remote`]; see [`Error`] for the others.
    pub fn get(&mut self, query: impl Into<Value>) -> Result<Value, Error> {
        self.check()?;
        let sent = self.connection.request(&query.into(), &mut self.outbox);
        self.sent(sent)?;
        self.flush()?;
        self.response()
    }

    /// Sends without waiting for an answer: `(neg h) x`. At 64 KiB it writes what waits, as
    /// [`flush`](Self::flush) does.
    ///
    /// # Errors
    ///
    /// Where the value cannot be sent to this peer, or writing fails.
    pub fn set(&mut self, message: impl Into<Value>) -> Result<(), Error> {
        self.check()?;
        let sent = self.connection.notify(&message.into(), &mut self.outbox);
        self.sent(sent)?;
        if self.outbox.remaining() >= WRITTEN_AT {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes everything that was [`set`](Self::set) to the socket: `neg[h][]`. Waits while the
    /// other side takes nothing.
    ///
    /// A known limit: nothing is read meanwhile. If the other side also sends more than the two
    /// systems hold (some hundred KiB to some MiB) and waits until that is taken, both wait for
    /// ever. The same goes for every call that writes: [`get`](Self::get), [`set`](Self::set),
    /// [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// Where writing fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.check()?;
        self.write();
        self.check()
    }

    /// Waits for the next async message of the other side: `h[]`.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the other side has closed, and what else ends the handle, but what
    /// had arrived comes out before that; see [`Error`] for the others.
    pub fn recv(&mut self) -> Result<Value, Error> {
        self.write();
        if let Some(body) = self.backlog.pop() {
            return self.value(&body);
        }
        loop {
            match self.next()? {
                Incoming::Async(body) => return self.value(&body),
                Incoming::Request(_) => self.decline()?,
                // To a request whose `get` has failed; the codec lets no other through.
                Incoming::Response(_) => {}
            }
        }
    }

    /// Writes what waits, says that nothing more comes, and waits until the other side has closed,
    /// which a q process does when it has read everything; for `patience` at most. What it sends
    /// meanwhile is dropped.
    ///
    /// [`close`](Self::close) does not wait, as q does not: if the other side sends something to a
    /// socket that is closed, the system resets the connection, and what the other side has not
    /// read by then is lost although it was flushed.
    ///
    /// # Errors
    ///
    /// Where writing fails, or the connection breaks before the other side has closed.
    pub fn finish(mut self, patience: Duration) -> Result<(), Error> {
        self.flush()?;
        self.stream.shutdown(Shutdown::Write).map_err(Error::Io)?;
        let end = Instant::now().checked_add(patience);
        let mut unread = [0; 16 * 1024];
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            self.stream.set_read_timeout(left).map_err(Error::Io)?;
            match self.stream.read(&mut unread) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => return Ok(()),
                Err(error) => return Err(Error::Io(error)),
            }
        }
    }

    /// Closes the handle: `hclose`. What was [`set`](Self::set) and not written yet is dropped, as q
    /// does. Returns how many bytes that were. [`finish`](Self::finish) waits until the other side
    /// has read what was written.
    pub fn close(mut self) -> usize {
        self.outbox.clear()
    }

    /// Waits for the response to the outstanding request.
    fn response(&mut self) -> Result<Value, Error> {
        loop {
            match self.next()? {
                Incoming::Response(body) => return self.value(&body),
                Incoming::Async(body) => {
                    let kept = self.backlog.push(body);
                    kept.map_err(|full| self.end(full.into()))?;
                }
                Incoming::Request(_) => self.decline()?,
            }
        }
    }

    /// Writes what waits in the outbox, unless the handle has ended. A failure is in the state
    /// afterwards.
    fn write(&mut self) {
        while matches!(self.state, State::Open) && self.outbox.has_remaining() {
            let failure = match stream::write(&self.stream, &mut self.outbox) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(_) => continue,
                Err(error) => error,
            };
            self.state = State::Unwritable(Some(failure));
        }
    }

    /// Waits for the next message of any kind; where writing has failed, takes what there is.
    fn next(&mut self) -> Result<Incoming, Error> {
        while !matches!(self.state, State::Over) {
            match self.connection.receive(&mut self.input) {
                Ok(Some(incoming)) => return Ok(incoming),
                Ok(None) => {}
                Err(error) => return Err(self.end(error.into())),
            }
            if let Err(error) = self.read() {
                return Err(self.end(error));
            }
        }
        Err(Error::Closed)
    }

    /// Reads some bytes.
    fn read(&mut self) -> Result<(), Error> {
        if matches!(self.state, State::Unwritable(_)) {
            self.stream.set_nonblocking(true).map_err(Error::Io)?;
        }
        let wanted = self.connection.make_room(&mut self.input);
        match stream::read(&self.stream, &mut self.input, wanted) {
            Ok(0) => {
                let end = self.connection.receive_eof(&self.input);
                Err(end.err().map_or(Error::Closed, Error::from))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Io(error)),
        }
    }

    /// Answers a request of the other side: it waits for something. If that cannot be written, what
    /// has arrived behind the request still counts.
    fn decline(&mut self) -> Result<(), Error> {
        if !matches!(self.state, State::Open) {
            return Ok(());
        }
        let error = RemoteError::new("nyi: this client answers no requests");
        let answer: Result<&Value, _> = Err(error.expect("a literal without a NUL"));
        let sent = self.connection.respond(answer, &mut self.outbox);
        self.sent(sent)?;
        self.write();
        Ok(())
    }

    /// Checks that nothing has ended the handle.
    fn check(&mut self) -> Result<(), Error> {
        match &mut self.state {
            State::Open => Ok(()),
            State::Unwritable(failure) => Err(failure.take().map_or(Error::Closed, Error::Io)),
            State::Over => Err(Error::Closed),
        }
    }

    /// Looks at what came of sending: a connection that has failed is the end of the handle.
    fn sent(&mut self, sent: Result<(), SendError>) -> Result<(), Error> {
        sent.map_err(|error| {
            if matches!(error, SendError::Failed(_)) {
                self.end(error.into())
            } else {
                error.into()
            }
        })
    }

    /// Ends the handle and returns the error to give: where writing had failed, that is the one.
    fn end(&mut self, error: Error) -> Error {
        match mem::replace(&mut self.state, State::Over) {
            State::Open | State::Over => error,
            State::Unwritable(failure) => failure.map_or(Error::Closed, Error::Io),
        }
    }

    fn value(&self, body: &Body) -> Result<Value, Error> {
        let limits = &self.connection.config().limits;
        body.decode(limits)
            .map_err(Error::BadMessage)?
            .map_err(Error::Remote)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("peer", &self.stream.peer_addr().ok())
            .field("capability", &self.connection.capability())
            .field("input", &self.input.len())
            .field("outbox", &self.outbox.len())
            .field("backlog", &self.backlog.len())
            .field("state", &self.state)
            .finish()
    }
}

impl Drop for Handle {
    /// Takes what the other side has sent and nobody has read, without waiting. A socket that is
    /// closed over unread bytes is reset, and what it has still to send is lost: messages that
    /// [`flush`](Handle::flush) has handed to the system. What comes after that has the same effect;
    /// [`finish`](Handle::finish) waits for it.
    fn drop(&mut self) {
        let mut unread = [0; 16 * 1024];
        let mut left = DRAINED;
        // Failures mean that there is nothing more to save.
        let _ = self.stream.shutdown(Shutdown::Write);
        let waits_not = self.stream.set_nonblocking(true).is_ok();
        while waits_not && left > 0 {
            match self.stream.read(&mut unread) {
                Ok(count @ 1..) => left = left.saturating_sub(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
            }
        }
    }
}

/// How many bytes may wait before `set` writes them.
const WRITTEN_AT: usize = 64 * 1024;

/// How many unread bytes are taken at most when a handle closes: more than the system keeps, unless
/// the other side sends on and on.
const DRAINED: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;
    use std::time::Duration;

    use hopen_codec::config::Limits;
    use hopen_codec::message::{Message, MessageKind};
    use socket2::SockRef;

    use super::*;
    use crate::hopen;

    #[test]
    fn the_socket_keeps_the_options_and_not_the_time_out_of_the_login() {
        let (handle, _peer) = opened();
        let stream = &handle.stream;
        assert!(stream.nodelay().unwrap());
        assert!(SockRef::from(stream).keepalive().unwrap());
        assert_eq!(stream.read_timeout().unwrap(), None);
        assert_eq!(stream.write_timeout().unwrap(), None);
    }

    #[test]
    fn a_handle_that_nothing_was_said_about_has_the_limits_of_a_client() {
        let (handle, _peer) = opened();
        let limits = handle.connection.config().limits;
        assert_eq!(limits, Limits::client());
        assert_eq!(
            (limits.login, limits.message, limits.kept_asyncs),
            (64 * 1024, (1 << 40) - 1, 64 * 1024 * 1024)
        );
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
        drop(peer);
        wait_for(&handle, unread.len());

        handle.stream.shutdown(Shutdown::Write).unwrap();
        handle.set("lost").unwrap();
        for n in 1..5_i64 {
            assert_eq!(handle.recv().unwrap(), Value::from(n));
        }
        let error = handle.recv().unwrap_err();
        assert!(is_broken_pipe(&error), "{error:?}");
        assert!(matches!(handle.recv(), Err(Error::Closed)));
        assert_eq!(handle.close(), message(MessageKind::Async, "lost").len());
    }

    #[test]
    fn a_write_error_is_given_once_and_what_has_arrived_after_it() {
        let (mut handle, mut peer) = opened();
        peer.write_all(&message(MessageKind::Async, 1_i64)).unwrap();
        wait_for(&handle, 17);
        handle.stream.shutdown(Shutdown::Write).unwrap();
        let error = handle.get("x").unwrap_err();
        assert!(is_broken_pipe(&error), "{error:?}");
        assert!(matches!(handle.get("x"), Err(Error::Closed)));
        assert_eq!(handle.recv().unwrap(), Value::from(1_i64));
        // The other side is still there, and nobody waits for it.
        assert!(matches!(handle.recv(), Err(Error::Closed)));
        drop(peer);
    }

    #[test]
    fn a_response_counts_where_a_question_before_it_cannot_be_declined() {
        let (mut handle, mut peer) = opened();
        let query = Value::from("x");
        handle
            .connection
            .request(&query, &mut handle.outbox)
            .unwrap();
        handle.flush().unwrap();
        let messages = [
            message(MessageKind::Sync, "who?"),
            message(MessageKind::Async, 1_i64),
            message(MessageKind::Response, 2_i64),
        ]
        .concat();
        peer.write_all(&messages).unwrap();
        wait_for(&handle, messages.len());
        handle.stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(handle.response().unwrap(), Value::from(2_i64));
        let error = handle.set("x").unwrap_err();
        assert!(is_broken_pipe(&error), "{error:?}");
        assert_eq!(handle.recv().unwrap(), Value::from(1_i64));
        assert!(matches!(handle.recv(), Err(Error::Closed)));
    }

    #[test]
    fn its_debug_form_shows_nothing_that_was_sent_or_received() {
        let (mut handle, _peer) = opened();
        handle.input.extend_from_slice(b"secret");
        handle.set("secret").unwrap();
        let body = Body::encode(&Value::from("secret")).unwrap();
        handle.backlog.push(body).unwrap();
        let peer = handle.stream.peer_addr().unwrap();
        assert_eq!(
            format!("{handle:?}"),
            format!(
                "Handle {{ peer: Some({peer:?}), capability: {:?}, input: 6, outbox: 20, \
                 backlog: 1, state: Open }}",
                handle.connection.capability()
            )
        );
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

    /// Waits until so many bytes have arrived and are not read yet.
    fn wait_for(handle: &Handle, count: usize) {
        let mut bytes = vec![0; count];
        while handle.stream.peek(&mut bytes).unwrap() < count {
            thread::yield_now();
        }
    }

    fn message(kind: MessageKind, value: impl Into<Value>) -> Vec<u8> {
        let mut outbox = Outbox::default();
        Message::new(kind, Body::encode(&value.into()).unwrap()).write(&mut outbox);
        outbox.copy_to_bytes(outbox.remaining()).to_vec()
    }

    fn is_broken_pipe(error: &Error) -> bool {
        matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

//! A handle: one connection to a process.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};

use bytes::{Buf, BytesMut};
use hopen_codec::connection::{Connection, Incoming, ProtocolError};
use hopen_codec::message::Body;
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::{Error, stream};

/// An open handle to a process.
///
/// What [`set`](Self::set) takes is written at 64 KiB, on [`flush`](Self::flush), and before the
/// next [`get`](Self::get) or [`recv`](Self::recv). Dropping a handle closes it as
/// [`close`](Self::close) does.
#[derive(Debug)]
pub struct Handle {
    stream: TcpStream,
    connection: Connection,
    input: BytesMut,
    outbox: Outbox,
    /// Async messages that came while a response was awaited.
    kept: VecDeque<Body>,
    kept_bytes: usize,
    /// Whether something has ended the handle; from then on it is closed.
    over: bool,
}

impl Handle {
    pub(crate) fn new(
        stream: TcpStream,
        connection: Connection,
        input: BytesMut,
        outbox: Outbox,
    ) -> Self {
        Self {
            stream,
            connection,
            input,
            outbox,
            kept: VecDeque::new(),
            kept_bytes: 0,
            over: false,
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
        self.connection.request(&query.into(), &mut self.outbox)?;
        self.flush()?;
        loop {
            match self.next()? {
                Incoming::Response(body) => return self.value(&body),
                Incoming::Async(body) => self.keep(body)?,
                Incoming::Request(_) => self.decline()?,
            }
        }
    }

    /// Sends without waiting for an answer: `(neg h) x`.
    ///
    /// # Errors
    ///
    /// Where the value cannot be sent to this peer, or writing fails.
    pub fn set(&mut self, message: impl Into<Value>) -> Result<(), Error> {
        self.check()?;
        self.connection.notify(&message.into(), &mut self.outbox)?;
        if self.outbox.remaining() >= WRITTEN_AT {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes everything that was [`set`](Self::set) to the socket: `neg[h][]`.
    ///
    /// # Errors
    ///
    /// Where writing fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.check()?;
        while self.outbox.has_remaining() {
            match stream::write(&self.stream, &mut self.outbox) {
                Ok(0) => return Err(self.end(Error::Closed)),
                Ok(_) => {}
                Err(error) => return Err(self.end(Error::Io(error))),
            }
        }
        Ok(())
    }

    /// Waits for the next async message of the other side: `h[]`.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the other side has closed, but what was kept comes out before that;
    /// see [`Error`] for the others.
    pub fn recv(&mut self) -> Result<Value, Error> {
        if !self.over {
            self.flush()?;
        }
        if let Some(body) = self.kept.pop_front() {
            self.kept_bytes = self.kept_bytes.saturating_sub(bytes_of(&body));
            return self.value(&body);
        }
        self.check()?;
        loop {
            match self.next()? {
                Incoming::Async(body) => return self.value(&body),
                Incoming::Request(_) => self.decline()?,
                Incoming::Response(_) => {
                    return Err(self.end(Error::Protocol(ProtocolError::UnexpectedResponse)));
                }
            }
        }
    }

    /// Closes the handle: `hclose`. What was [`set`](Self::set) and not written yet is dropped, as q
    /// does. Returns how many bytes that were.
    pub fn close(mut self) -> usize {
        self.outbox.clear()
    }

    /// Waits for the next message of any kind.
    fn next(&mut self) -> Result<Incoming, Error> {
        loop {
            match self.connection.receive(&mut self.input) {
                Ok(Some(incoming)) => return Ok(incoming),
                Ok(None) => {}
                Err(error) => return Err(self.end(error.into())),
            }
            let wanted = self.connection.make_room(&mut self.input);
            match stream::read(&self.stream, &mut self.input, wanted) {
                Ok(0) => {
                    let end = self.connection.receive_eof(&self.input);
                    return Err(self.end(end.err().map_or(Error::Closed, Error::from)));
                }
                Ok(_) => {}
                Err(error) => return Err(self.end(Error::Io(error))),
            }
        }
    }

    /// Keeps an async message for `recv`.
    fn keep(&mut self, body: Body) -> Result<(), Error> {
        let limit = self.connection.config().limits.kept_asyncs;
        self.kept_bytes = self.kept_bytes.saturating_add(bytes_of(&body));
        if self.kept_bytes > limit {
            return Err(self.end(Error::KeptAsyncs { limit }));
        }
        self.kept.push_back(body);
        Ok(())
    }

    /// Answers a request of the other side: it waits for something.
    fn decline(&mut self) -> Result<(), Error> {
        let error = RemoteError::new("nyi: this client answers no requests");
        let answer: Result<&Value, _> = Err(error.expect("a literal without a NUL"));
        self.connection.respond(answer, &mut self.outbox)?;
        self.flush()
    }

    /// Checks that nothing has ended the handle.
    fn check(&self) -> Result<(), Error> {
        if self.over {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    /// Ends the handle.
    fn end(&mut self, error: Error) -> Error {
        self.over = true;
        error
    }

    fn value(&self, body: &Body) -> Result<Value, Error> {
        let limits = &self.connection.config().limits;
        body.decode(limits)
            .map_err(Error::BadMessage)?
            .map_err(Error::Remote)
    }
}

impl Drop for Handle {
    /// Takes what the other side has sent and nobody has read, without waiting. A socket that is
    /// closed over unread bytes is reset, and what it has still to send is lost: messages that
    /// [`flush`](Handle::flush) has handed to the system.
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

fn bytes_of(body: &Body) -> usize {
    usize::try_from(body.len()).unwrap_or(usize::MAX)
}

/// How many bytes may wait before `set` writes them.
const WRITTEN_AT: usize = 64 * 1024;

/// How many unread bytes are taken at most when a handle closes: more than the system keeps, unless
/// the other side sends on and on.
const DRAINED: usize = 16 * 1024 * 1024;

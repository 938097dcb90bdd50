//! A handle: one connection to a process.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;

use bytes::{Buf, BytesMut};
use hopen_codec::connection::{Connection, Incoming};
use hopen_codec::message::Body;
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::Error;

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
        self.connection.request(&query.into(), &mut self.outbox)?;
        self.flush()?;
        loop {
            match self.next()? {
                Incoming::Response(body) => return self.value(&body),
                Incoming::Async(body) => self.keep(body)?,
                _ => self.decline()?,
            }
        }
    }

    /// Sends without waiting for an answer: `(neg h) x`.
    ///
    /// # Errors
    ///
    /// Where the value cannot be sent to this peer, or writing fails.
    pub fn set(&mut self, message: impl Into<Value>) -> Result<(), Error> {
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
        while self.outbox.has_remaining() {
            let mut slices = [IoSlice::new(&[]); 16];
            let count = self.outbox.chunks_vectored(&mut slices);
            match self
                .stream
                .write_vectored(slices.get(..count).unwrap_or_default())
            {
                Ok(0) => return Err(Error::Closed),
                Ok(written) => self.outbox.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
        Ok(())
    }

    /// Waits for the next async message of the other side: `h[]`.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] once the other side has closed; see [`Error`] for the others.
    pub fn recv(&mut self) -> Result<Value, Error> {
        self.flush()?;
        if let Some(body) = self.kept.pop_front() {
            self.kept_bytes = self.kept_bytes.saturating_sub(bytes_of(&body));
            return self.value(&body);
        }
        loop {
            match self.next()? {
                Incoming::Async(body) => return self.value(&body),
                _ => self.decline()?,
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
            if let Some(incoming) = self.connection.receive(&mut self.input)? {
                return Ok(incoming);
            }
            if !self.read()? {
                self.connection.receive_eof(&self.input)?;
                return Err(Error::Closed);
            }
        }
    }

    /// Reads what has arrived, waiting for some. Returns whether the peer has not closed.
    fn read(&mut self) -> Result<bool, Error> {
        let wanted = self.connection.make_room(&mut self.input);
        let start = self.input.len();
        self.input.resize(start + wanted, 0);
        let room = self.input.get_mut(start..).unwrap_or_default();
        let read = loop {
            match self.stream.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.input.truncate(start + *read.as_ref().unwrap_or(&0));
        Ok(read.map_err(Error::Io)? > 0)
    }

    /// Keeps an async message for `recv`.
    fn keep(&mut self, body: Body) -> Result<(), Error> {
        let limit = self.connection.config().limits.kept_asyncs;
        self.kept_bytes = self.kept_bytes.saturating_add(bytes_of(&body));
        if self.kept_bytes > limit {
            return Err(Error::KeptAsyncs { limit });
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

    fn value(&self, body: &Body) -> Result<Value, Error> {
        let limits = &self.connection.config().limits;
        body.decode(limits)
            .map_err(Error::BadMessage)?
            .map_err(Error::Remote)
    }
}

fn bytes_of(body: &Body) -> usize {
    usize::try_from(body.len()).unwrap_or(usize::MAX)
}

/// How many bytes may wait before `set` writes them.
const WRITTEN_AT: usize = 64 * 1024;

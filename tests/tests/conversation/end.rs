//! Our end of a connection, as the scenarios see it, whatever the transport.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::connection::{ProtocolError, SendError, Ticket};
use hopen_codec::decode::DecodeError;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use super::fault::{Faults, Layer};

/// A way to connect our end to a scripted peer.
pub(crate) trait Transport {
    /// Returns what it is called when something goes wrong.
    fn name(&self) -> &'static str;

    /// Prepares a connection at which our end logs in, or one at which the peer does. What is wrong
    /// with its bytes happens in the transport's [`Layer`].
    fn connect(&self, opening: &Opening, faults: &Arc<Faults>) -> Ends;

    /// Returns where bytes are damaged.
    fn layer(&self) -> Layer;

    /// Returns how much of what may be wrong is tried each time.
    fn share(&self) -> Share {
        Share::Much
    }

    /// Returns what comes of an error of the streams that our end was given.
    fn fails_with(&self, error: &io::Error) -> Failure {
        Failure::Io(error.kind(), error.to_string())
    }

    /// Returns what comes of a writer that takes nothing, in std's words.
    fn takes_nothing(&self) -> Failure {
        let text = "failed to write whole buffer";
        Failure::Io(io::ErrorKind::WriteZero, text.into())
    }
}

/// How much of what may be wrong is tried over a transport each time. All of it is where all is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    Much,
    /// It differs from another in what is beneath our own code only.
    Little,
}

/// Both ends of a connection to be, each for a thread of its own.
pub(crate) struct Ends {
    /// Connects and logs in, or takes a login, within the time if there is one.
    pub(crate) ours: Connect,
    /// Connects the peer.
    pub(crate) theirs: Box<dyn FnOnce() -> io::Result<Wire> + Send>,
}

/// What opens our end.
pub(crate) type Connect = Box<dyn FnOnce(Opening, Config, Option<Duration>) -> Opened + Send>;

/// The peer's end of a connection. Dropping the writer says that nothing more comes.
pub(crate) struct Wire {
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) writer: Box<dyn Write + Send>,
}

/// How our end opens a connection.
#[derive(Clone)]
pub(crate) enum Opening {
    /// As a client.
    LogIn(Credentials),
    /// As a server that lets everybody in.
    Accept,
    /// As a server that lets nobody in.
    Refuse,
}

/// What came of it: who has logged in, if anybody did, and the open end, if it is one.
pub(crate) struct Opened {
    pub(crate) login: Option<Credentials>,
    pub(crate) end: Result<Option<Box<dyn End>>, Failure>,
}

/// Our end of an open connection.
pub(crate) trait End {
    fn capability(&self) -> u8;
    fn get(&mut self, query: Value, timeout: Option<Duration>) -> Result<Value, Failure>;
    fn set(&mut self, message: Value) -> Result<(), Failure>;
    fn try_set(&mut self, message: Value) -> Result<(), Failure>;
    fn flush(&mut self) -> Result<(), Failure>;
    fn recv(&mut self, timeout: Option<Duration>) -> Result<Value, Failure>;
    fn receive(&mut self) -> Result<Message, Failure>;
    fn respond(
        &mut self,
        ticket: Ticket,
        answer: Result<Value, RemoteError>,
    ) -> Result<(), Failure>;
    fn answer_requests(&mut self, answer: Value);

    /// Writes what waits and closes. A peer that is ahead has answered what is not written yet. Where
    /// the connection has ended this fails, and what the peer was to read is for its script to say.
    fn finish(self: Box<Self>);
    fn close(self: Box<Self>) -> usize;
}

/// A message that is no response.
pub(crate) enum Message {
    Async(Value),
    Request(Ticket, Value),
}

/// An error of any transport.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    Access,
    Login(HandshakeError),
    Timeout(Phase),
    Remote(RemoteError),
    Send(SendError),
    QueueFull,
    BadMessage(DecodeError),
    Protocol(ProtocolError),
    KeptAsyncs,
    /// The connection could not be made.
    Hop(io::ErrorKind),
    /// Reading or writing failed; the text is the system's.
    Io(io::ErrorKind, String),
    /// In the words of the TLS library.
    Tls(String),
    /// A client that speaks TLS where it is not taken, or the other way round.
    Mismatch,
    Closed,
    /// What no scenario provokes, as the transport words it.
    Other(String),
}

/// What was under way when the time had passed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Phase {
    Login,
    EarlierResponse,
    Response,
    Message,
}

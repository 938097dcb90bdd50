//! The blocking handles, over sockets, a pair of pipes and memory.

use std::io::{self, ErrorKind, Read, Write, pipe};
use std::sync::Arc;
use std::time::Duration;

use hopen_blocking::{Channel, Error, Handle, Phase, Received};
use hopen_codec::config::Config;
use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::ServerMode;

use super::end::{self, End, Ends, Failure, Message, Opened, Opening, Share, Transport};
use super::fault::{Faults, FaultyReader, FaultyWriter, Layer};
use super::memory;
use super::wire::{self, PipeStage};
use crate::tls;

mod sockets;

/// A channel of two pipes.
pub(crate) enum Pipes {
    Plain,
    Encrypted,
    /// In memory.
    Memory,
}

impl Transport for Pipes {
    fn name(&self) -> &'static str {
        match self {
            Self::Plain => "pipes",
            Self::Encrypted => "TLS in pipes",
            Self::Memory => "memory",
        }
    }

    fn connect(&self, opening: &Opening, faults: &Arc<Faults>) -> Ends {
        let stage = match self {
            Self::Plain | Self::Memory => PipeStage::Plain,
            Self::Encrypted => PipeStage::Tls,
        };
        match self {
            Self::Plain | Self::Encrypted => {
                let (reader, their_writer) = pipe().expect("a pipe");
                let (their_reader, writer) = pipe().expect("a pipe");
                let theirs = wire::Pipes::new(their_reader, their_writer, Arc::clone(faults));
                Ends {
                    ours: connect(reader, writer, stage, faults),
                    theirs: theirs.connect(stage, opening),
                }
            }
            Self::Memory => {
                let (reader, their_writer) = memory::pipe();
                let (their_reader, writer) = memory::pipe();
                let theirs = wire::Pipes::new(their_reader, their_writer, Arc::clone(faults));
                Ends {
                    ours: connect(reader, writer, stage, faults),
                    theirs: theirs.connect(stage, opening),
                }
            }
        }
    }

    fn layer(&self) -> Layer {
        match self {
            Self::Plain | Self::Memory => Layer::OurStreams,
            Self::Encrypted => Layer::OurStreamsUnderTls,
        }
    }

    fn share(&self) -> Share {
        match self {
            Self::Plain | Self::Encrypted => Share::Much,
            Self::Memory => Share::Little,
        }
    }

    /// Streams have to block: that they would is an error like any other.
    fn fails_with(&self, error: &io::Error) -> Failure {
        let may_wait = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        let kind = if may_wait {
            ErrorKind::Other
        } else {
            error.kind()
        };
        Failure::Io(kind, error.to_string())
    }
}

impl End for Handle {
    fn capability(&self) -> u8 {
        self.capability().number()
    }

    fn get(&mut self, query: Value, timeout: Option<Duration>) -> Result<Value, Failure> {
        Ok(match timeout {
            None => self.get(query),
            Some(timeout) => self.get_timeout(query, timeout),
        }?)
    }

    fn set(&mut self, message: Value) -> Result<(), Failure> {
        Ok(self.set(message)?)
    }

    fn try_set(&mut self, message: Value) -> Result<(), Failure> {
        Ok(self.try_set(message)?)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.flush()?)
    }

    fn recv(&mut self, timeout: Option<Duration>) -> Result<Value, Failure> {
        Ok(match timeout {
            None => self.recv(),
            Some(timeout) => self.recv_timeout(timeout),
        }?)
    }

    fn receive(&mut self) -> Result<Message, Failure> {
        Ok(match self.receive()? {
            Received::Async(value) => Message::Async(value),
            Received::Request(ticket, value) => Message::Request(ticket, value),
        })
    }

    fn respond(
        &mut self,
        ticket: Ticket,
        answer: Result<Value, RemoteError>,
    ) -> Result<(), Failure> {
        Ok(self.respond(ticket, answer)?)
    }

    fn answer_requests(&mut self, answer: Value) {
        self.on_request(move |_| Ok(answer.clone()));
    }

    fn finish(mut self: Box<Self>) {
        let _ = self.flush();
    }

    fn close(self: Box<Self>) -> usize {
        Self::close(*self)
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what no scenario provokes fails it with its text"
)]
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Access => Self::Access,
            Error::Login(error) => Self::Login(error),
            Error::Timeout(Phase::Login) => Self::Timeout(end::Phase::Login),
            Error::Timeout(Phase::EarlierResponse) => Self::Timeout(end::Phase::EarlierResponse),
            Error::Timeout(Phase::Response) => Self::Timeout(end::Phase::Response),
            Error::Timeout(Phase::Message) => Self::Timeout(end::Phase::Message),
            Error::Remote(error) => Self::Remote(error),
            Error::Send(error) => Self::Send(error),
            Error::QueueFull { .. } => Self::QueueFull,
            Error::BadMessage(error) => Self::BadMessage(error),
            Error::Protocol(error) => Self::Protocol(error),
            Error::KeptAsyncs { .. } => Self::KeptAsyncs,
            Error::Hop { error, .. } => Self::Hop(error.kind()),
            Error::Io { error, .. } => Self::Io(error.kind(), error.to_string()),
            Error::Tls { error, .. } => Self::Tls(error.to_string()),
            Error::Mismatch(_) => Self::Mismatch,
            Error::Closed => Self::Closed,
            error => Self::Other(error.to_string()),
        }
    }
}

impl Opened {
    /// What came of our login.
    fn after(opened: Result<Handle, Error>) -> Self {
        Self {
            login: None,
            end: opened.map(boxed).map_err(Failure::from),
        }
    }
}

/// Returns what opens our end of two pipes.
fn connect(
    reader: impl Read + Send + 'static,
    writer: impl Write + Send + 'static,
    stage: PipeStage,
    faults: &Arc<Faults>,
) -> end::Connect {
    let reader = FaultyReader::new(reader, Arc::clone(faults));
    let writer = FaultyWriter::new(writer, Arc::clone(faults));
    Box::new(move |opening, config, timeout| {
        let mut channel = Channel::new(reader, writer).expect("two threads");
        let Opening::LogIn(credentials) = &opening else {
            if stage == PipeStage::Tls {
                channel = channel.accepting(ServerMode::Tls, Some(tls::server()));
            }
            return serve(channel, &opening, config, timeout);
        };
        if stage == PipeStage::Tls {
            channel = match channel.start_tls(&tls::client(), "localhost", timeout) {
                Ok(channel) => channel,
                Err(error) => return Opened::after(Err(error)),
            };
        }
        Opened::after(channel.log_in(credentials, config, timeout))
    })
}

/// Takes a login, and lets in whoever it is, or nobody.
fn serve(channel: Channel, opening: &Opening, config: Config, timeout: Option<Duration>) -> Opened {
    match opening {
        Opening::Refuse => refuse(channel, config, timeout),
        Opening::Accept | Opening::LogIn(_) => accept(channel, config, timeout),
    }
}

fn accept(channel: Channel, config: Config, timeout: Option<Duration>) -> Opened {
    match channel.receive_login(config, timeout) {
        Ok(login) => Opened {
            login: Some(login.credentials().clone()),
            end: login.accept().map(boxed).map_err(Failure::from),
        },
        Err(error) => Opened::after(Err(error)),
    }
}

fn refuse(channel: Channel, config: Config, timeout: Option<Duration>) -> Opened {
    match channel.receive_login(config, timeout) {
        Ok(login) => {
            let credentials = login.credentials().clone();
            login.refuse();
            Opened {
                login: Some(credentials),
                end: Ok(None),
            }
        }
        Err(error) => Opened::after(Err(error)),
    }
}

fn boxed(handle: Handle) -> Option<Box<dyn End>> {
    Some(Box::new(handle))
}

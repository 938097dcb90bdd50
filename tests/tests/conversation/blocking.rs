//! The blocking handles, over sockets and over a pair of pipes.

use std::io::{self, ErrorKind, pipe};
use std::sync::Arc;
use std::time::Duration;

use hopen_blocking::{Channel, Error, Handle, Phase, Received};
use hopen_codec::config::Config;
use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::ServerMode;

use super::end::{self, End, Ends, Failure, Message, Opened, Opening, Transport, Wire};
use super::fault::{Faults, FaultyReader, FaultyWriter, Heard, Layer};
use super::{tls_peer, wire};
use crate::tls;

mod sockets;

pub(crate) use sockets::Sockets;

/// A channel of two pipes, with or without TLS.
pub(crate) enum Pipes {
    Plain,
    Encrypted,
}

impl Transport for Pipes {
    fn name(&self) -> &'static str {
        match self {
            Self::Plain => "pipes",
            Self::Encrypted => "TLS in pipes",
        }
    }

    fn connect(&self, opening: &Opening, faults: &Arc<Faults>) -> Ends {
        let (our_reader, writer) = pipe().expect("a pipe");
        let (reader, our_writer) = pipe().expect("a pipe");
        let our_reader = FaultyReader::new(our_reader, Arc::clone(faults));
        let our_writer = FaultyWriter::new(our_writer, Arc::clone(faults));
        let reader = Heard::new(reader, Arc::clone(faults));
        let is_encrypted = matches!(self, Self::Encrypted);
        let logs_in = matches!(opening, Opening::LogIn(_));
        Ends {
            ours: Box::new(move |opening, config, timeout| {
                let mut channel = Channel::new(our_reader, our_writer).expect("two threads");
                if is_encrypted && !logs_in {
                    channel = channel.accepting(ServerMode::Tls, Some(tls::server()));
                }
                match opening {
                    Opening::LogIn(credentials) => {
                        if is_encrypted {
                            channel = match channel.start_tls(&tls::client(), "localhost", timeout)
                            {
                                Ok(channel) => channel,
                                Err(error) => return Opened::after(Err(error)),
                            };
                        }
                        Opened::after(channel.log_in(&credentials, config, timeout))
                    }
                    Opening::Accept => accept(channel, config, timeout),
                    Opening::Refuse => refuse(channel, config, timeout),
                }
            }),
            theirs: Box::new(move || {
                let pipes = wire::Pipes {
                    reader,
                    writer: Some(writer),
                };
                match (is_encrypted, logs_in) {
                    (false, _) => Ok(Wire::pipes(pipes)),
                    (true, true) => tls_peer::serve(pipes),
                    (true, false) => tls_peer::connect(pipes),
                }
            }),
        }
    }

    fn layer(&self) -> Layer {
        match self {
            Self::Plain => Layer::OurStreams,
            Self::Encrypted => Layer::OurStreamsUnderTls,
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

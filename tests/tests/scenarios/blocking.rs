//! The blocking handles, over sockets and over a pair of pipes.

use std::io::pipe;
use std::time::Duration;

use hopen_blocking::{Channel, Error, Handle, Phase, Received};
use hopen_codec::config::Config;
use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::end::{self, End, Ends, Failure, Message, Opened, Opening, Transport, Wire};

mod sockets;

pub(crate) use sockets::Sockets;

/// A channel of two pipes.
pub(crate) struct Pipes;

impl Transport for Pipes {
    fn name(&self) -> &'static str {
        "pipes"
    }

    fn connect(&self, _: &Opening) -> Ends {
        let (our_reader, writer) = pipe().expect("a pipe");
        let (reader, our_writer) = pipe().expect("a pipe");
        Ends {
            ours: Box::new(move |opening, config, timeout| {
                let channel = Channel::new(our_reader, our_writer).expect("two threads");
                match opening {
                    Opening::LogIn(credentials) => {
                        Opened::after(channel.log_in(&credentials, config, timeout))
                    }
                    Opening::Accept => accept(channel, config, timeout),
                    Opening::Refuse => refuse(channel, config, timeout),
                }
            }),
            theirs: Box::new(move || {
                Ok(Wire {
                    reader: Box::new(reader),
                    writer: Box::new(writer),
                })
            }),
        }
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

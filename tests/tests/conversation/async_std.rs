//! The async handles, over sockets, a pair of pipes and memory.
//!
//! A scenario's end is synchronous, so each call blocks on its future. It does so by async-io's
//! `block_on`, which polls the reactor that the timers and sockets use in the same thread, and brings
//! no executor: nothing but the future itself may move bytes.

use std::io::{self, ErrorKind, pipe};
use std::sync::Arc;
use std::time::Duration;

use async_io::{Async, block_on};
use futures_io::{AsyncRead, AsyncWrite};
use hopen_async_std::{Channel, Error, Handle, Received};
use hopen_codec::config::Config;
use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::ServerMode;

use super::end::{self, End, Ends, Failure, Message, Opened, Opening, Share, Transport};
use super::fault::{Faults, Layer, PolledReader, PolledWriter};
use super::memory;
use super::wire::{self, PipeStage};
use crate::tls;
use crate::watchdog::PATIENCE;

mod sockets;

pub(crate) use sockets::Polled;

/// A channel of two pipes.
pub(crate) enum Pipes {
    Plain,
    Encrypted,
    /// In memory.
    Memory,
    EncryptedMemory,
}

impl Transport for Pipes {
    fn name(&self) -> &'static str {
        match self {
            Self::Plain => "async pipes",
            Self::Encrypted => "async TLS in pipes",
            Self::Memory => "async memory",
            Self::EncryptedMemory => "async TLS in memory",
        }
    }

    fn connect(&self, opening: &Opening, faults: &Arc<Faults>) -> Ends {
        let stage = match self {
            Self::Plain | Self::Memory => PipeStage::Plain,
            Self::Encrypted | Self::EncryptedMemory => PipeStage::Tls,
        };
        match self {
            Self::Plain | Self::Encrypted => {
                let (reader, their_writer) = pipe().expect("a pipe");
                let (their_reader, writer) = pipe().expect("a pipe");
                let theirs = wire::Pipes::new(their_reader, their_writer, Arc::clone(faults));
                let reader = Async::new(reader).expect("a pipe that can be polled");
                let writer = Async::new(writer).expect("a pipe that can be polled");
                Ends {
                    ours: connect(reader, writer, stage, faults),
                    theirs: theirs.connect(stage, opening),
                }
            }
            Self::Memory | Self::EncryptedMemory => {
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
            Self::Plain | Self::Memory => Layer::OurPolled,
            Self::Encrypted | Self::EncryptedMemory => Layer::OurPolledUnderTls,
        }
    }

    fn share(&self) -> Share {
        match self {
            Self::Memory | Self::EncryptedMemory => Share::Much,
            Self::Plain | Self::Encrypted => Share::Little,
        }
    }

    fn takes_nothing(&self) -> Failure {
        Failure::Io(ErrorKind::WriteZero, "write zero".into())
    }

    /// A stream of futures-io says in another way that it is not ready.
    fn fails_with(&self, error: &io::Error) -> Failure {
        let kind = if error.kind() == ErrorKind::WouldBlock {
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
            None => block_on(self.get(query)),
            Some(timeout) => block_on(self.get_timeout(query, timeout)),
        }?)
    }

    fn set(&mut self, message: Value) -> Result<(), Failure> {
        Ok(block_on(self.set(message))?)
    }

    fn try_set(&mut self, message: Value) -> Result<(), Failure> {
        Ok(self.try_set(message)?)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(block_on(self.flush())?)
    }

    fn recv(&mut self, timeout: Option<Duration>) -> Result<Value, Failure> {
        Ok(match timeout {
            None => block_on(self.recv()),
            Some(timeout) => block_on(self.recv_timeout(timeout)),
        }?)
    }

    fn receive(&mut self) -> Result<Message, Failure> {
        Ok(match block_on(self.receive())? {
            Received::Async(value) => Message::Async(value),
            Received::Request(ticket, value) => Message::Request(ticket, value),
        })
    }

    fn respond(
        &mut self,
        ticket: Ticket,
        answer: Result<Value, RemoteError>,
    ) -> Result<(), Failure> {
        Ok(block_on(self.respond(ticket, answer))?)
    }

    fn answer_requests(&mut self, answer: Value) {
        self.on_request(move |_| Ok(answer.clone()));
    }

    /// Nobody is left to write what a pipe that is full does not take at once.
    fn finish(self: Box<Self>) {
        let _ = block_on(Self::finish(*self, PATIENCE));
    }

    fn close(self: Box<Self>) -> usize {
        Self::close(*self)
    }
}

/// Returns what opens our end of two pipes.
fn connect(
    reader: impl AsyncRead + Send + Unpin + 'static,
    writer: impl AsyncWrite + Send + Unpin + 'static,
    stage: PipeStage,
    faults: &Arc<Faults>,
) -> end::Connect {
    let reader = PolledReader::new(reader, Arc::clone(faults));
    let writer = PolledWriter::new(writer, Arc::clone(faults));
    Box::new(move |opening, config, timeout| {
        let mut channel = Channel::of_pair(reader, writer);
        let Opening::LogIn(credentials) = &opening else {
            if stage == PipeStage::Tls {
                channel = channel.accepting(ServerMode::Tls, Some(tls::server()));
            }
            return block_on(serve(channel, &opening, config, timeout));
        };
        opened(block_on(async {
            if stage == PipeStage::Tls {
                let client = tls::client();
                channel = channel.start_tls(&client, "localhost", timeout).await?;
            }
            channel.log_in(credentials, config, timeout).await
        }))
    })
}

/// Takes a login, and lets in whoever it is, or nobody.
async fn serve(
    channel: Channel,
    opening: &Opening,
    config: Config,
    timeout: Option<Duration>,
) -> Opened {
    let login = match channel.receive_login(config, timeout).await {
        Ok(login) => login,
        Err(error) => return opened(Err(error)),
    };
    let credentials = login.credentials().clone();
    let end = match opening {
        Opening::Refuse => {
            login.refuse();
            Ok(None)
        }
        Opening::Accept | Opening::LogIn(_) => login.accept().await.map(Some),
    };
    Opened {
        login: Some(credentials),
        end: end.map(|handle| handle.map(boxed)).map_err(Failure::from),
    }
}

/// What came of our login.
fn opened(opened: Result<Handle, Error>) -> Opened {
    Opened {
        login: None,
        end: opened.map(boxed).map(Some).map_err(Failure::from),
    }
}

fn boxed(handle: Handle) -> Box<dyn End> {
    Box::new(handle)
}

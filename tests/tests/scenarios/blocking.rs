//! The blocking handles, over TCP and over a pair of pipes.

use std::io::{self, Write, pipe};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use hopen_blocking::{Channel, Error, Handle, Listener, Options, Phase, Received, hopen};
use hopen_codec::address::{Address, Endpoint};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::end::{self, End, Ends, Failure, Message, Opened, Opening, Transport, Wire};

/// `hopen` and `Listener`.
pub(crate) struct Tcp;

impl Transport for Tcp {
    fn name(&self) -> &'static str {
        "TCP"
    }

    fn connect(&self, opening: &Opening) -> Ends {
        match opening {
            Opening::LogIn(_) => to_their_port(),
            Opening::Accept | Opening::Refuse => to_our_port(),
        }
    }
}

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

/// The peer listens, and our end connects.
fn to_their_port() -> Ends {
    let listener = TcpListener::bind(ANY_PORT).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    Ends {
        ours: Box::new(move |opening, config, timeout| {
            let Opening::LogIn(credentials) = opening else {
                unreachable!("a server does not connect")
            };
            Opened::after(hopen(options(port, credentials, config, timeout)))
        }),
        theirs: Box::new(move || wire(listener.accept()?.0)),
    }
}

/// Our end listens, and the peer connects.
fn to_our_port() -> Ends {
    let listener = Listener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    Ends {
        ours: Box::new(move |opening, config, timeout| {
            let channel = listener.accept().expect("the peer connects");
            if matches!(opening, Opening::Refuse) {
                refuse(channel, config, timeout)
            } else {
                accept(channel, config, timeout)
            }
        }),
        theirs: Box::new(move || wire(TcpStream::connect(address)?)),
    }
}

fn options(
    port: u16,
    credentials: Credentials,
    config: Config,
    timeout: Option<Duration>,
) -> Options {
    let mut address = Address::new(Endpoint::Tcp {
        host: Ipv4Addr::LOCALHOST.to_string(),
        port,
    });
    address.credentials = credentials;
    let mut options = Options::new(address);
    options.config = config;
    options.timeout = timeout;
    options
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

/// The peer's end of a TCP connection, whose writes are sent at once.
fn wire(stream: TcpStream) -> io::Result<Wire> {
    stream.set_nodelay(true)?;
    Ok(Wire {
        reader: Box::new(stream.try_clone()?),
        writer: Box::new(WritingHalf(stream)),
    })
}

/// A stream whose clone reads: dropping it tells our end that nothing more comes.
struct WritingHalf(TcpStream);

impl Write for WritingHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for WritingHalf {
    fn drop(&mut self) {
        // It fails where our end has gone, which needs to be told nothing.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

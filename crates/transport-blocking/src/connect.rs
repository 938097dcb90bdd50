//! From an address to a handle: look-up, connection, login.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use hopen_codec::address::Endpoint;
use hopen_codec::connection::Connection;
use hopen_codec::handshake::{ClientHandshake, HandshakeError, Progress};
use hopen_codec::outbox::Outbox;
use socket2::SockRef;

use crate::{Error, Handle, Options, Phase};

/// Connects and logs in.
pub(crate) fn connect(options: &Options) -> Result<Handle, Error> {
    let deadline = options.timeout.map(|timeout| Deadline {
        end: Instant::now() + timeout,
    });
    let (host, port) = match &options.address.endpoint {
        Endpoint::Tcp { host, port } if host.is_empty() => ("localhost", *port),
        Endpoint::Tcp { host, port } => (host.as_str(), *port),
        other => return Err(Error::Hop(unsupported(other))),
    };
    let addresses = (host, port).to_socket_addrs().map_err(Error::Hop)?;
    let stream = reach(addresses, deadline)?;
    stream.set_nodelay(true).map_err(Error::Hop)?;
    SockRef::from(&stream)
        .set_keepalive(true)
        .map_err(Error::Hop)?;

    let mut config = options.config.clone();
    config.peer_is_local = is_local(&stream).map_err(Error::Hop)?;
    let mut outbox = Outbox::default();
    let handshake = ClientHandshake::start(&options.address.credentials, config, &mut outbox)
        .map_err(Error::Login)?;
    let (connection, input) = log_in(&stream, handshake, &mut outbox, deadline)?;
    stream.set_read_timeout(None).map_err(Error::Io)?;
    stream.set_write_timeout(None).map_err(Error::Io)?;
    Ok(Handle::new(stream, connection, input, outbox))
}

/// Tries one address after the other; the last failure counts.
fn reach(
    addresses: impl Iterator<Item = SocketAddr>,
    deadline: Option<Deadline>,
) -> Result<TcpStream, Error> {
    let mut failure = Error::Hop(io::Error::new(
        io::ErrorKind::NotFound,
        "the host has no address",
    ));
    for address in addresses {
        let attempt = match deadline {
            None => TcpStream::connect(address),
            Some(deadline) => TcpStream::connect_timeout(&address, deadline.left(Phase::Connect)?),
        };
        match attempt {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::TimedOut && deadline.is_some() => {
                failure = Error::Timeout(Phase::Connect);
            }
            Err(error) => failure = Error::Hop(error),
        }
    }
    Err(failure)
}

/// Sends the login and waits for its answer.
fn log_in(
    mut stream: &TcpStream,
    mut handshake: ClientHandshake,
    outbox: &mut Outbox,
    deadline: Option<Deadline>,
) -> Result<(Connection, BytesMut), Error> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(Phase::Login),
        // A server that closes with our login unread resets the connection.
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Error::Access,
        _ => Error::Io(error),
    };
    while outbox.has_remaining() {
        if let Some(deadline) = deadline {
            let left = deadline.left(Phase::Login)?;
            stream.set_write_timeout(Some(left)).map_err(Error::Io)?;
        }
        match stream.write(outbox.chunk()) {
            Ok(0) => return Err(Error::Access),
            Ok(written) => outbox.advance(written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let mut input = BytesMut::new();
    loop {
        handshake = match handshake.receive(&mut input) {
            Ok(Progress::Done(connection)) => return Ok((connection, input)),
            Ok(Progress::NeedsInput(handshake)) => handshake,
            Err(error) => return Err(Error::Login(error)),
        };
        if let Some(deadline) = deadline {
            let left = deadline.left(Phase::Login)?;
            stream.set_read_timeout(Some(left)).map_err(Error::Io)?;
        }
        let mut bytes = [0; 4096];
        match stream.read(&mut bytes) {
            Ok(0) => {
                return Err(match handshake.receive_eof() {
                    HandshakeError::Access => Error::Access,
                    error => Error::Login(error),
                });
            }
            Ok(count) => input.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Returns whether the peer is on this host: a loopback address, or our own.
fn is_local(stream: &TcpStream) -> io::Result<bool> {
    let peer = stream.peer_addr()?.ip();
    Ok(peer.to_canonical().is_loopback() || peer == stream.local_addr()?.ip())
}

fn unsupported(endpoint: &Endpoint) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("{endpoint} is not supported"),
    )
}

/// When everything has to be done.
#[derive(Clone, Copy)]
struct Deadline {
    end: Instant,
}

impl Deadline {
    /// Returns the time that is left, at least some.
    fn left(self, phase: Phase) -> Result<Duration, Error> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(Error::Timeout(phase))
        } else {
            Ok(left)
        }
    }
}

//! From an address to a handle: look-up, connection, login.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use hopen_codec::address::Endpoint;
use hopen_codec::connection::Connection;
use hopen_codec::handshake::{ClientHandshake, Progress};
use hopen_codec::outbox::Outbox;
use socket2::SockRef;

use crate::{Error, Handle, Options, Phase, stream};

/// Connects and logs in.
pub(crate) fn connect(options: &Options) -> Result<Handle, Error> {
    let deadline = options.timeout.map(|timeout| Deadline {
        end: Instant::now() + timeout,
    });
    let (host, port) = match &options.address.endpoint {
        Endpoint::Tcp { host, port } if host.is_empty() => ("localhost", *port),
        Endpoint::Tcp { host, port } => (host.as_str(), *port),
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
    let handshake = ClientHandshake::start(&options.address.credentials, config, &mut outbox)?;
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
    stream: &TcpStream,
    mut handshake: ClientHandshake,
    outbox: &mut Outbox,
    deadline: Option<Deadline>,
) -> Result<(Connection, BytesMut), Error> {
    let failed = |error: io::Error| {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, WouldBlock};
        let kind = error.kind();
        if matches!(kind, WouldBlock | TimedOut) {
            Error::Timeout(Phase::Login)
        } else if matches!(kind, ConnectionReset | BrokenPipe) {
            // A server that closes with our login unread resets the connection.
            Error::Access
        } else {
            Error::Io(error)
        }
    };
    while outbox.has_remaining() {
        if let Some(deadline) = deadline {
            let left = deadline.left(Phase::Login)?;
            stream.set_write_timeout(Some(left)).map_err(Error::Io)?;
        }
        if stream::write(stream, outbox).map_err(failed)? == 0 {
            return Err(Error::Access);
        }
    }
    let mut input = BytesMut::new();
    loop {
        handshake = match handshake.receive(&mut input) {
            Ok(Progress::Done(connection)) => return Ok((connection, input)),
            Ok(Progress::NeedsInput(handshake)) => handshake,
            Err(error) => return Err(error.into()),
        };
        if let Some(deadline) = deadline {
            let left = deadline.left(Phase::Login)?;
            stream.set_read_timeout(Some(left)).map_err(Error::Io)?;
        }
        let wanted = handshake.make_room(&mut input);
        if stream::read(stream, &mut input, wanted).map_err(failed)? == 0 {
            return Err(handshake.receive_eof().into());
        }
    }
}

/// Returns whether the peer is on this host: a loopback address, or our own.
fn is_local(stream: &TcpStream) -> io::Result<bool> {
    let peer = stream.peer_addr()?.ip();
    Ok(peer.to_canonical().is_loopback() || peer == stream.local_addr()?.ip())
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

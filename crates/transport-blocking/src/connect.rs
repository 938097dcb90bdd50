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
    let deadline = options.timeout.and_then(Deadline::after);
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

/// Tries one address after the other. Of the failures the first counts: the system sorts the
/// addresses, those without a route last.
fn reach(
    addresses: impl ExactSizeIterator<Item = SocketAddr>,
    deadline: Option<Deadline>,
) -> Result<TcpStream, Error> {
    let count = addresses.len();
    let mut failure = None;
    for (tried, address) in addresses.enumerate() {
        let attempt = match deadline.map(|deadline| deadline.left(Phase::Connect)) {
            None => TcpStream::connect(address),
            Some(Ok(left)) => TcpStream::connect_timeout(&address, share(left, count - tried)),
            Some(Err(timeout)) => return Err(failure.unwrap_or(timeout)),
        };
        match attempt {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                let timed_out = error.kind() == io::ErrorKind::TimedOut && deadline.is_some();
                failure.get_or_insert(if timed_out {
                    Error::Timeout(Phase::Connect)
                } else {
                    Error::Hop(error)
                });
            }
        }
    }
    Err(failure.unwrap_or_else(|| {
        let kind = io::ErrorKind::NotFound;
        Error::Hop(io::Error::new(kind, "the host has no address"))
    }))
}

/// Returns how much of the time that is `left` one of so many addresses may take: one that nothing
/// comes from must not take it all. Go's dialer divides it in the same way.
fn share(left: Duration, addresses: usize) -> Duration {
    let addresses = u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
    left.min((left / addresses).max(LEAST_SHARE))
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
    /// Returns the end of a time-out; `None` where there is none: for no time at all, as with KX's
    /// C library, and for more than the clock can tell.
    fn after(timeout: Duration) -> Option<Self> {
        if timeout.is_zero() {
            return None;
        }
        let end = Instant::now().checked_add(timeout)?;
        Some(Self { end })
    }

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

/// The least time for an attempt to connect, unless less is left: one packet may be lost.
const LEAST_SHARE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

    use super::*;

    #[test]
    fn every_address_is_tried() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let open = listener.local_addr().unwrap();
        let closed = SocketAddr::from((Ipv6Addr::LOCALHOST, open.port()));
        for deadline in [None, Deadline::after(PATIENCE)] {
            for addresses in [&[closed, open][..], &[nowhere(), closed, open], &[open]] {
                let stream = reach(addresses.iter().copied(), deadline).unwrap();
                assert_eq!(stream.peer_addr().unwrap(), open);
            }
        }
    }

    #[test]
    fn of_several_failures_the_first_is_told() {
        // Ports below 1024 are given out to nobody who asks for any, and nobody serves this one.
        let closed = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let text = |addresses: &[SocketAddr]| {
            let reached = reach(addresses.iter().copied(), Deadline::after(PATIENCE));
            reached.unwrap_err().to_string()
        };
        let refused = "hop. OS reports: Connection refused";
        assert_eq!(text(&[closed, nowhere()]), refused);
        assert_ne!(text(&[nowhere(), closed]), refused);
        assert_eq!(text(&[]), "hop. OS reports: the host has no address");
    }

    #[test]
    fn the_time_is_shared_by_the_addresses() {
        let seconds = Duration::from_secs;
        for (left, addresses, expected) in [
            (seconds(30), 1, seconds(30)),
            (seconds(30), 3, seconds(10)),
            (seconds(30), 100, seconds(2)),
            (seconds(3), 2, seconds(2)),
            (seconds(1), 2, seconds(1)),
            (Duration::MAX, 1, Duration::MAX),
        ] {
            assert_eq!(share(left, addresses), expected);
        }
    }

    #[test]
    fn no_time_and_more_than_the_clock_can_tell_are_no_deadline() {
        assert!(Deadline::after(Duration::ZERO).is_none());
        assert!(Deadline::after(Duration::MAX).is_none());
        let far = Deadline::after(PATIENCE).unwrap();
        assert!(far.left(Phase::Login).unwrap() <= PATIENCE);
    }

    /// An address that no connection can be made to: the system refuses at once.
    fn nowhere() -> SocketAddr {
        SocketAddr::from((Ipv4Addr::BROADCAST, 1))
    }

    const PATIENCE: Duration = Duration::from_secs(60);
}

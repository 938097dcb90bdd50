//! From a host and a port to a connection: look-up, and one address after the other.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::{Error, Phase};
use hopen_transport::Deadline;

/// Connects to the first address of a host that can be reached. No host is this host.
pub(super) fn connect(host: &str, port: u16, deadline: Deadline) -> Result<TcpStream, Error> {
    let host = if host.is_empty() { "localhost" } else { host };
    reach(&look_up(host, port, deadline)?, deadline)
}

/// Finds the addresses of a host.
fn look_up(host: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let host = host.to_owned();
    let ask = move || Ok((host.as_str(), port).to_socket_addrs()?.collect());
    let Some(left) = deadline.left() else {
        return ask().map_err(unknown);
    };
    // The system's look-up cannot be told when to end. Where it takes too long it goes on in its
    // thread, and nobody listens to it.
    let (sender, answer) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("hopen look-up".into())
        .spawn(move || sender.send(ask()))
        .map_err(unknown)?;
    match answer.recv_timeout(left) {
        Ok(addresses) => addresses.map_err(unknown),
        Err(RecvTimeoutError::Timeout) => Err(Error::Timeout(Phase::Lookup)),
        Err(RecvTimeoutError::Disconnected) => {
            Err(unknown(io::Error::other("the look-up broke off")))
        }
    }
}

const fn unknown(error: io::Error) -> Error {
    Error::Hop {
        phase: Phase::Lookup,
        error,
    }
}

/// Tries one address after the other. Of the failures the first counts: the system sorts the
/// addresses, those without a route last.
fn reach(addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, Error> {
    let mut failure = None;
    for (tried, address) in addresses.iter().enumerate() {
        let attempt = match deadline.left() {
            None => TcpStream::connect(address),
            Some(left) if left.is_zero() => {
                return Err(failure.unwrap_or(Error::Timeout(Phase::Connect)));
            }
            Some(left) => TcpStream::connect_timeout(address, share(left, addresses.len() - tried)),
        };
        match attempt {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                // Without a number it is our time-out, with one the system's own.
                let timed_out =
                    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none();
                failure.get_or_insert(if timed_out {
                    Error::Timeout(Phase::Connect)
                } else {
                    Error::hop(error)
                });
            }
        }
    }
    Err(failure.unwrap_or_else(|| {
        let kind = io::ErrorKind::NotFound;
        Error::hop(io::Error::new(kind, "the host has no address"))
    }))
}

/// Returns how much of the time that is `left` one of so many addresses may take: one that nothing
/// comes from must not take it all. Go's dialer divides it in the same way.
fn share(left: Duration, addresses: usize) -> Duration {
    let addresses = u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
    left.min((left / addresses).max(LEAST_SHARE))
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
        for deadline in [Deadline::NEVER, Deadline::after(Some(PATIENCE))] {
            for addresses in [&[closed, open][..], &[nowhere(), closed, open], &[open]] {
                let stream = reach(addresses, deadline).unwrap();
                assert_eq!(stream.peer_addr().unwrap(), open);
            }
        }
    }

    #[test]
    fn of_several_failures_the_first_is_told() {
        // Ports below 1024 are given out to nobody who asks for any, and nobody serves this one.
        let closed = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let text = |addresses: &[SocketAddr]| {
            let reached = reach(addresses, Deadline::after(Some(PATIENCE)));
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
    fn a_name_is_looked_up_within_the_time() {
        for deadline in [Deadline::NEVER, Deadline::after(Some(PATIENCE))] {
            let found = look_up("localhost", 7, deadline).unwrap();
            assert!(found.iter().all(|address| address.ip().is_loopback()));
            assert!(!found.is_empty());
        }
        let numeric = look_up("::1", 7, Deadline::after(Some(Duration::ZERO))).unwrap();
        assert_eq!(numeric, [SocketAddr::from((Ipv6Addr::LOCALHOST, 7))]);
    }

    /// An address that no connection can be made to: the system refuses at once.
    fn nowhere() -> SocketAddr {
        SocketAddr::from((Ipv4Addr::BROADCAST, 1))
    }

    const PATIENCE: Duration = Duration::from_secs(60);
}

//! How a port is had: found by its service, chosen from a range, shared with other processes.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::num::NonZeroU16;
use std::ops::RangeInclusive;

use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};
use hopen_codec::address::{ListenAddress, Sharing};
use socket2::{Domain, Protocol, Socket, Type};

use crate::Error;

/// Binds what an address says. The host is looked up once, however many ports are tried.
pub(super) fn bind(address: &ListenAddress) -> Result<TcpListener, Error> {
    let ports = address.ports.numbers(service)?;
    let listener = match &address.host {
        Some(host) => (host.as_str(), 0).to_socket_addrs().and_then(|found| {
            let found: Vec<SocketAddr> = found.collect();
            first_free(ports, |port| bind_first(&found, port, address.sharing))
        }),
        None => first_free(ports, |port| bind_everywhere(port, address.sharing)),
    };
    listener.map_err(|error| refused(address, error))
}

/// The error of what cannot be had.
pub(super) fn refused(address: &ListenAddress, error: io::Error) -> Error {
    Error::Bind {
        socket: address.to_string().into(),
        error,
    }
}

/// Returns the port of a service over TCP, as the system knows it.
fn service(name: &str) -> Result<Option<NonZeroU16>, Error> {
    use LookupErrorKind::{NoName, Service};
    let unknown = |error| Error::Bind {
        socket: name.into(),
        error,
    };
    let hints = AddrInfoHints {
        socktype: SockType::Stream.into(),
        ..AddrInfoHints::default()
    };
    let found = match getaddrinfo(None, Some(name), Some(hints)) {
        Ok(mut found) => found.next().transpose().map_err(unknown)?,
        // Systems do not agree on which it is; there is no other name that could be unknown.
        Err(error) if matches!(error.kind(), Service | NoName) => None,
        Err(error) => return Err(unknown(error.into())),
    };
    Ok(found.and_then(|found| NonZeroU16::new(found.sockaddr.port())))
}

/// Tries ports in random order until one can be had. One that others have, or that this process may
/// not have, is passed over; what else fails would fail with the next one too.
fn first_free<T>(
    ports: RangeInclusive<u16>,
    mut bind: impl FnMut(u16) -> io::Result<T>,
) -> io::Result<T> {
    let mut ports: Vec<u16> = ports.collect();
    let random = RandomState::new();
    ports.sort_by_cached_key(|port| random.hash_one(port));
    let mut failure = ErrorKind::AddrInUse.into();
    for port in ports {
        match bind(port) {
            Err(error) if is_taken(&error) => failure = error,
            bound => return bound,
        }
    }
    Err(failure)
}

/// Binds a port on the first of the addresses of a host where that is possible. Where it is not, a
/// port that is taken says more than an address that this machine does not have.
fn bind_first(addresses: &[SocketAddr], port: u16, sharing: Sharing) -> io::Result<TcpListener> {
    let mut failure = None;
    for address in addresses {
        let mut address = *address;
        address.set_port(port);
        match bind_one(address, sharing) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = failure.filter(is_taken).or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| io::Error::new(ErrorKind::NotFound, "the host has no address")))
}

/// Binds a port for IPv6 and IPv4, or for IPv4 where there is no IPv6.
fn bind_everywhere(port: u16, sharing: Sharing) -> io::Result<TcpListener> {
    let every = |ip: IpAddr| bind_one(SocketAddr::new(ip, port), sharing);
    every(Ipv6Addr::UNSPECIFIED.into()).or_else(|error| {
        if is_taken(&error) {
            Err(error)
        } else {
            every(Ipv4Addr::UNSPECIFIED.into())
        }
    })
}

fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrInUse | ErrorKind::PermissionDenied
    )
}

fn bind_one(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Elsewhere than on Unix this would let another process take the port over.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    match sharing {
        Sharing::Exclusive => {}
        Sharing::Shared => share(&socket)?,
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
fn share(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
fn share(_: &Socket) -> io::Result<()> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "this system has no ports that processes share (rp,)",
    ))
}

/// How many connections the system keeps that were not accepted yet.
pub(crate) const BACKLOG: i32 = 1024;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hopen_codec::address::ListenAddressError;

    use super::*;

    fn bound(address: &str) -> Result<(TcpListener, u16), Error> {
        let listener = bind(&address.parse().unwrap())?;
        let port = listener.local_addr().unwrap().port();
        Ok((listener, port))
    }

    fn kind(bound: Result<(TcpListener, u16), Error>) -> ErrorKind {
        let error = bound.unwrap_err();
        let Error::Bind { error, .. } = &error else {
            panic!("{error:?}")
        };
        error.kind()
    }

    #[test]
    fn each_port_of_a_range_is_tried_once_in_random_order() {
        let order = || {
            let mut tried = Vec::new();
            let refused = first_free::<()>(1000..=1999, |port| {
                tried.push(port);
                let kind = [ErrorKind::AddrInUse, ErrorKind::PermissionDenied];
                Err(kind[usize::from(port % 2)].into())
            });
            (tried, refused.unwrap_err().kind())
        };
        let (one, last) = order();
        let (other, _) = order();
        let all: BTreeSet<u16> = (1000..=1999).collect();
        assert_eq!((one.len(), other.len()), (1000, 1000));
        assert_eq!(one.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(other.iter().copied().collect::<BTreeSet<_>>(), all);
        // By chance these happen once in 1000! times.
        assert!(one != other && !one.is_sorted());
        let of_the_last = if one[999] % 2 == 0 {
            ErrorKind::AddrInUse
        } else {
            ErrorKind::PermissionDenied
        };
        assert_eq!(last, of_the_last);
    }

    #[test]
    fn what_is_wrong_with_more_than_a_port_is_not_tried_again() {
        let mut tried = 0;
        let refused = first_free::<()>(1..=65535, |_| {
            tried += 1;
            Err(ErrorKind::AddrNotAvailable.into())
        });
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::AddrNotAvailable);
        assert_eq!(tried, 1);
    }

    #[test]
    fn a_range_gives_its_free_ports_until_there_are_none() {
        let (_taken, port) = bound("127.0.0.1:0W").unwrap();
        let range = format!("127.0.0.1:{}/{port}", port - 3);
        let mut listeners = Vec::new();
        let last = loop {
            match bound(&range) {
                Ok((listener, found)) => {
                    assert!((port - 3..port).contains(&found), "{found} of {range}");
                    listeners.push((listener, found));
                }
                refused => break kind(refused),
            }
        };
        assert_eq!(last, ErrorKind::AddrInUse);
        let found: BTreeSet<u16> = listeners.iter().map(|(_, port)| *port).collect();
        assert_eq!(found.len(), listeners.len());
    }

    #[test]
    fn a_port_that_is_taken_on_one_address_is_taken() {
        let (taken, port) = bound("127.0.0.1:0W").unwrap();
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 0)); // for documentation, RFC 5737
        let here = taken.local_addr().unwrap();
        for addresses in [[elsewhere, here], [here, elsewhere]] {
            let refused = bind_first(&addresses, port, Sharing::Exclusive);
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::AddrInUse);
        }
    }

    #[test]
    #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
    fn a_port_is_shared_among_those_that_say_so() {
        for host in ["127.0.0.1:", ""] {
            let (_one, port) = bound(&format!("rp,{host}0W")).unwrap();
            let (_other, same) = bound(&format!("rp,{host}{port}/{port}")).unwrap();
            assert_eq!(same, port);
            let alone = bound(&format!("{host}{port}"));
            assert_eq!(kind(alone), ErrorKind::AddrInUse);
        }
        let (_alone, port) = bound("127.0.0.1:0W").unwrap();
        let shared = bound(&format!("rp,127.0.0.1:{port}"));
        assert_eq!(kind(shared), ErrorKind::AddrInUse);
    }

    #[test]
    #[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
    fn a_port_that_cannot_be_shared_is_not_bound_alone() {
        assert_eq!(kind(bound("rp,127.0.0.1:0W")), ErrorKind::Unsupported);
    }

    #[test]
    fn the_system_knows_the_ports_of_services() {
        match service("https").unwrap() {
            Some(port) => assert_eq!(port.get(), 443),
            None => eprintln!("skipped: this system knows no services, on Unix /etc/services"),
        }
    }

    #[test]
    fn a_service_that_nobody_knows_is_named() {
        for text in ["hopen-no-such-service", "localhost:1/hopen-no-such-service"] {
            let error = bound(text).unwrap_err();
            let unknown = ListenAddressError::UnknownService {
                name: "hopen-no-such-service".into(),
            };
            assert!(
                matches!(&error, Error::Listen(error) if *error == unknown),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_host_that_is_not_of_this_machine_is_refused_at_once() {
        // Of the addresses for documentation, RFC 5737.
        assert_eq!(
            kind(bound("192.0.2.1:1024/65535")),
            ErrorKind::AddrNotAvailable
        );
    }
}

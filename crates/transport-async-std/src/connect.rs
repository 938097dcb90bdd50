//! From an address to a handle: TCP connection and login.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_std::net::{TcpStream, ToSocketAddrs};
use hopen_codec::address::Endpoint;
use hopen_codec::session::Role;
use hopen_transport::{Error, Options, Phase};
use socket2::SockRef;

use crate::deadline::Deadline;
use crate::{Channel, Handle};

/// Connects and logs in.
pub(crate) async fn connect(
    options: &Options,
    deadline: Deadline,
    role: Role,
) -> Result<Handle, Error> {
    let credentials = options.login()?;
    let (host, port, is_encrypted) = match &options.address.endpoint {
        Endpoint::Tcp { host, port } => (host, *port, false),
        Endpoint::Tcps { host, port } => (host, *port, true),
        Endpoint::Unix { .. } | Endpoint::Unixs { .. } => {
            let what = "Unix domain sockets are not supported here";
            return Err(Error::hop(io::Error::new(io::ErrorKind::Unsupported, what)));
        }
    };
    let host = if host.is_empty() { "localhost" } else { host };
    // Before anything is connected to: what is wrong with it is no fault of the server's.
    let tls = match is_encrypted {
        true => Some(options.tls_client()?),
        false => None,
    };
    let addresses = look_up(host, port, deadline).await?;
    let mut channel = Channel::tcp(reach(&addresses, deadline).await?).map_err(Error::hop)?;
    if let Some(client) = tls {
        channel = channel.start_tls_until(&client, host, deadline).await?;
    }
    channel
        .log_in_until(&credentials, options.config.clone(), deadline, role)
        .await
}

impl Channel {
    /// Makes a channel of a TCP connection: sets `TCP_NODELAY` and `SO_KEEPALIVE` and finds out
    /// whether the peer is on this host: at a loopback address, or at the same address as we are.
    ///
    /// # Errors
    ///
    /// The system's, where the connection is broken already.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_keepalive(true)?;
        let peer = stream.peer_addr()?;
        let same = peer.ip().to_canonical() == stream.local_addr()?.ip().to_canonical();
        let local = peer.ip().to_canonical().is_loopback() || same;
        Ok(Self::over(stream, Some(peer), Some(local)))
    }
}

/// Finds the addresses of a host.
async fn look_up(host: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Error> {
    let found = within(deadline, (host, port).to_socket_addrs()).await;
    match found {
        None => Err(Error::Timeout(Phase::Lookup)),
        Some(Ok(addresses)) => Ok(addresses.collect()),
        Some(Err(error)) => Err(Error::Hop {
            phase: Phase::Lookup,
            error,
        }),
    }
}

/// Tries one address after the other. Of the failures the first counts: the system sorts the
/// addresses, those without a route last.
async fn reach(addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, Error> {
    let mut failure = None;
    for (tried, address) in addresses.iter().enumerate() {
        let turn = match deadline.left() {
            Some(left) if left.is_zero() => break,
            left => left.map(|left| share(left, addresses.len() - tried)),
        };
        let attempt = within(Deadline::after(turn), TcpStream::connect(address)).await;
        match attempt {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failure.get_or_insert_with(|| Error::hop(error)),
            None => failure.get_or_insert(Error::Timeout(Phase::Connect)),
        };
    }
    Err(failure.unwrap_or_else(|| {
        if addresses.is_empty() {
            let kind = io::ErrorKind::NotFound;
            Error::hop(io::Error::new(kind, "the host has no address"))
        } else {
            Error::Timeout(Phase::Connect)
        }
    }))
}

/// Returns how much of the time that is `left` one of so many addresses may take: one that nothing
/// comes from must not take it all.
fn share(left: Duration, addresses: usize) -> Duration {
    let addresses = u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
    left.min((left / addresses).max(LEAST_SHARE))
}

/// Waits for something no longer than until a deadline.
async fn within<T>(deadline: Deadline, future: impl Future<Output = T>) -> Option<T> {
    let (mut alarm, mut future) = (deadline.alarm(), pin!(future));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending if alarm.has_passed(context) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// The least time for an attempt to connect, unless less is left: one packet may be lost.
const LEAST_SHARE: Duration = Duration::from_secs(2);

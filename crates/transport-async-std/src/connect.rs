//! From an address to a handle: connection, by TCP or a Unix domain socket, and login.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

#[cfg(unix)]
use async_io::Async;
use async_std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use async_std::os::unix::net::UnixStream;
use futures_io::{AsyncRead, AsyncWrite};
use hopen_codec::address::Endpoint;
use hopen_codec::session::Role;
#[cfg(unix)]
use hopen_transport::unix_socket::{Name, names};
use hopen_transport::{Deadline, Error, Options, Phase};
use socket2::SockRef;

use crate::alarm::{Alarm, passes};
use crate::socket::Socket;
use crate::{Channel, Handle};

/// Connects and logs in.
pub(crate) async fn connect(
    options: &Options,
    deadline: Deadline,
    role: Role,
) -> Result<Handle, Error> {
    let credentials = options.login()?;
    // Before anything is connected to: what is wrong with it is no fault of the server's.
    let tls = options.tls_toward()?;
    let mut channel = reach(&options.address.endpoint, deadline).await?;
    if let Some((client, host)) = tls {
        channel = channel.start_tls_until(&client, host, deadline).await?;
    }
    channel
        .log_in_until(&credentials, options.config.clone(), deadline, role)
        .await
}

async fn reach(endpoint: &Endpoint, deadline: Deadline) -> Result<Channel, Error> {
    match endpoint {
        Endpoint::Tcp { host, port } | Endpoint::Tcps { host, port } => {
            let host = if host.is_empty() { "localhost" } else { host };
            let addresses = look_up(host, *port, deadline).await?;
            Channel::tcp(reach_one(&addresses, deadline).await?).map_err(Error::hop)
        }
        Endpoint::Unix { port } | Endpoint::Unixs { port } => of_unix_socket(*port, deadline).await,
    }
}

impl Channel {
    /// Makes a channel of a TCP connection: sets `TCP_NODELAY` and `SO_KEEPALIVE` and finds out
    /// whether the peer is on this host: at a loopback address, or at the same address as we are.
    ///
    /// # Errors
    ///
    /// The system's, where the connection is broken already.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        Self::of_tcp(stream)
    }

    pub(crate) fn of_tcp<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        stream: S,
    ) -> io::Result<Self>
    where
        for<'s> SockRef<'s>: From<&'s S>,
    {
        let socket = SockRef::from(&stream);
        socket.set_tcp_nodelay(true)?;
        socket.set_keepalive(true)?;
        let ip = |address: SocketAddr| address.ip().to_canonical();
        let peer = socket.peer_addr()?.as_socket();
        let own = socket.local_addr()?.as_socket();
        let local = peer.map(ip).is_some_and(|ip| ip.is_loopback()) || peer.map(ip) == own.map(ip);
        Ok(Self::over(Socket(stream), peer, Some(local)))
    }

    /// Makes a channel of a connection over a Unix domain socket. The peer is on this host.
    #[cfg(unix)]
    pub fn unix(stream: UnixStream) -> Self {
        Self::over(Socket(stream), None, Some(true))
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
async fn reach_one(addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, Error> {
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

/// Connects to the Unix domain socket of a port: tries one name after the other. Of the failures the
/// first counts: that of the name that q listens on here.
#[cfg(unix)]
async fn of_unix_socket(port: u16, deadline: Deadline) -> Result<Channel, Error> {
    let mut failure = None;
    for name in names(port) {
        match within(deadline, connect_by(&name)).await {
            Some(Ok(channel)) => return Ok(channel),
            Some(Err(error)) => failure.get_or_insert_with(|| Error::hop(error)),
            None => return Err(Error::Timeout(Phase::Connect)),
        };
    }
    Err(failure.unwrap_or(Error::Timeout(Phase::Connect)))
}

#[cfg(not(unix))]
async fn of_unix_socket(_: u16, _: Deadline) -> Result<Channel, Error> {
    let what = "Unix domain sockets are not supported here";
    Err(Error::hop(io::Error::new(io::ErrorKind::Unsupported, what)))
}

/// Connects. Linux has a client wait for a server whose queue of connections is full, but not one
/// that is not to block, and it says to nobody when there is room: that one has to try again.
#[cfg(unix)]
async fn connect_by(name: &Name) -> io::Result<Channel> {
    loop {
        match name.try_connect() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                passes(Deadline::after(Some(PAUSE))).await;
            }
            // Not by async-std's `From`, which panics where the system cannot wait for one more.
            stream => {
                let stream = Socket(Async::new(stream?)?);
                return Ok(Channel::over(stream, None, Some(true)));
            }
        }
    }
}

/// Waits for something no longer than until a deadline.
async fn within<T>(deadline: Deadline, future: impl Future<Output = T>) -> Option<T> {
    let (mut alarm, mut future) = (Alarm::of(deadline), pin!(future));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending if alarm.has_passed(context) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// How far apart attempts are to connect to a server whose queue is full: a rate, not a wait.
#[cfg(unix)]
const PAUSE: Duration = Duration::from_millis(10);

/// The least time for an attempt to connect, unless less is left: one packet may be lost.
const LEAST_SHARE: Duration = Duration::from_secs(2);

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use hopen_transport::unix_socket::Beside;
    use smol::block_on;
    use socket2::{Domain, SockAddr, Type};

    use super::*;

    #[test]
    fn a_server_whose_queue_is_full_is_waited_for_until_there_is_room_or_no_time() {
        let folder = tempfile::tempdir().unwrap();
        let name = Name::File(folder.path().join("kx.5010"));
        let server = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let address = SockAddr::unix(name.to_os_string()).unwrap();
        server.bind(&address).unwrap();
        server.listen(0).unwrap();
        block_on(async {
            let _waiting = connect_by(&name).await.unwrap();
            let brief = Deadline::after(Some(PAUSE * 3));
            assert!(within(brief, connect_by(&name)).await.is_none());
            // It listens on until the client has connected.
            let accepted = smol::unblock(move || server.accept().map(|_| server));
            connect_by(&name).await.unwrap();
            drop(accepted.await.unwrap());
        });
    }

    #[test]
    fn a_client_finds_a_socket_under_each_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kx.5010");
        for name in [
            Name::Abstract(path.clone()),
            Name::Filled(path.clone()),
            Name::File(path),
        ] {
            let listening = Beside::bind(name.clone()).unwrap();
            block_on(connect_by(&name)).unwrap();
            drop(listening);
            let error = block_on(connect_by(&name)).unwrap_err().kind();
            use io::ErrorKind::{ConnectionRefused, NotFound};
            assert!(matches!(error, ConnectionRefused | NotFound), "{error}");
        }
    }
}

//! Where clients connect to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::time::Duration;

use hopen_codec::address::ListenAddress;
use socket2::{Domain, Protocol, Socket, Type};

use crate::{Channel, Error};

/// A port that clients connect to.
///
/// It is bound once and hands out connections before their login, so that a client that is slow to
/// log in keeps nobody else waiting: [`receive_login`](Channel::receive_login) runs where the program
/// wants, in a thread of the connection's own for example.
///
/// ```no_run
/// use hopen_blocking::{LOGIN_TIMEOUT, Listener, Received};
/// use hopen_codec::config::Config;
///
/// let listener = Listener::bind("127.0.0.1:5010")?;
/// loop {
///     let channel = listener.accept()?;
///     std::thread::spawn(move || {
///         let login = channel.receive_login(Config::server(), Some(LOGIN_TIMEOUT))?;
///         if login.credentials().user() != b"ann" {
///             login.refuse();
///             return Ok(());
///         }
///         let mut handle = login.accept()?;
///         loop {
///             match handle.receive()? {
///                 Received::Request(ticket, question) => handle.respond(ticket, Ok(question))?,
///                 Received::Async(_) => {}
///             }
///         }
///         # #[expect(unreachable_code)]
///         Ok::<(), hopen_blocking::Error>(())
///     });
/// }
/// # #[expect(unreachable_code)]
/// # Ok::<(), hopen_blocking::Error>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
}

impl Listener {
    /// Binds a port: `5010` on every interface, as q's `\p 5010`; `localhost:5010` on one; `0W` for
    /// any that is free.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] where that is none, and [`Error::Io`] where the port cannot be had.
    pub fn bind<T>(on: T) -> Result<Self, Error>
    where
        T: TryInto<ListenAddress>,
        T::Error: Into<Error>,
    {
        let address: ListenAddress = on.try_into().map_err(Into::into)?;
        let listener = match &address.host {
            Some(host) => bind_first((host.as_str(), address.port)),
            None => bind_everywhere(address.port),
        };
        Ok(Self {
            listener: listener.map_err(Error::Io)?,
        })
    }

    /// Waits for a client to connect. One that has gone again by then is none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where files or memory have run out; the listener goes on.
    pub fn accept(&self) -> Result<Channel, Error> {
        use io::ErrorKind::{ConnectionAborted, InvalidInput, NotConnected};
        loop {
            let (stream, _) = match self.listener.accept() {
                Err(error) if error.kind() == ConnectionAborted => continue,
                accepted => accepted.map_err(Error::Io)?,
            };
            match Channel::of_tcp(stream) {
                // What Linux and Apple's systems say of a connection that is gone.
                Err(error) if matches!(error.kind(), NotConnected | InvalidInput) => {}
                channel => return channel.map_err(Error::Io),
            }
        }
    }

    /// Returns the address that clients connect to, with the port that was given out.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system does not say.
    pub fn local_addr(&self) -> Result<SocketAddr, Error> {
        self.listener.local_addr().map_err(Error::Io)
    }
}

/// How long a client has for its login, unless the program says otherwise: 10 s. A login is one packet;
/// what takes longer holds a file and a thread of the server.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);

fn bind_first(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut failure = None;
    for address in address.to_socket_addrs()? {
        match bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure
        .unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address")))
}

/// Binds a port for IPv6 and IPv4, or for IPv4 where there is no IPv6.
fn bind_everywhere(port: u16) -> io::Result<TcpListener> {
    let every = |ip: IpAddr| bind(SocketAddr::new(ip, port));
    every(Ipv6Addr::UNSPECIFIED.into()).or_else(|error| {
        use io::ErrorKind::{AddrInUse, PermissionDenied};
        if matches!(error.kind(), AddrInUse | PermissionDenied) {
            Err(error)
        } else {
            every(Ipv4Addr::UNSPECIFIED.into())
        }
    })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
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
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How many connections the system keeps that were not accepted yet.
const BACKLOG: i32 = 1024;

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use socket2::SockRef;

    use super::*;

    #[test]
    fn a_client_that_has_gone_again_keeps_nobody_from_being_accepted() {
        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap();
        let gone = TcpStream::connect(address).unwrap();
        SockRef::from(&gone)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(gone);
        let client = TcpStream::connect(address).unwrap();
        let accepted = listener.accept().unwrap();
        assert_eq!(accepted.peer_addr(), Some(client.local_addr().unwrap()));
    }
}

//! Where clients connect to.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
#[cfg(unix)]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(unix)]
use hopen_transport::unix_socket::Beside;
use hopen_transport::{Accepts, ListenOptions, is_gone};
#[cfg(unix)]
use rustix::event::{PollFd, PollFlags, poll};
#[cfg(unix)]
use rustix::io::retry_on_intr;

use crate::{Channel, Error};

mod stop;

pub(crate) use stop::{Stop, Stopper};

/// A port that clients connect to.
///
/// It is bound once and hands out connections before their login, so that a client that is slow to
/// log in keeps nobody else waiting: [`receive_login`](Channel::receive_login) runs where the program
/// wants, in a thread of the connection's own for example. A [`Server`](crate::server::Server) does that
/// and everything that comes after it.
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
    tcp: TcpListener,
    #[cfg(unix)]
    unix: Option<Beside>,
    /// Counts whose turn it is where clients wait at both.
    #[cfg(unix)]
    turns: AtomicUsize,
    accepts: Accepts,
}

impl Listener {
    /// Binds a port: `5010` on every interface, as q's `\p 5010`; `localhost:5010` on one; `0W` for
    /// any that is free; what else a [`ListenAddress`](hopen_codec::address::ListenAddress) can say. Beside it opens the Unix domain socket
    /// of that port, as q does, unless [`ListenOptions::unix`] or an empty variable `QUDSPATH` says
    /// otherwise, or the port is shared (`rp,`).
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] where that is none, or the system does not know the service; [`Error::Bind`]
    /// where the port, or none of the range, or the socket beside it can be had, and where the system
    /// has no ports that are shared.
    pub fn bind<T>(on: T) -> Result<Self, Error>
    where
        T: TryInto<ListenOptions>,
        T::Error: Into<Error>,
    {
        let options: ListenOptions = on.try_into().map_err(Into::into)?;
        let bound = options.bind()?;
        #[cfg(unix)]
        {
            let refused = |error| options.refused(error);
            // Both are waited for, and neither may keep a client of the other waiting.
            bound.tcp.set_nonblocking(true).map_err(refused)?;
            if let Some(beside) = &bound.unix {
                beside.listener.set_nonblocking(true).map_err(refused)?;
            }
        }
        Ok(Self {
            tcp: bound.tcp,
            #[cfg(unix)]
            unix: bound.unix,
            #[cfg(unix)]
            turns: AtomicUsize::new(0),
            accepts: bound.accepts,
        })
    }

    /// Waits for a client to connect. One that has gone again by then is none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where files or memory have run out; the listener goes on.
    pub fn accept(&self) -> Result<Channel, Error> {
        loop {
            if let Some(channel) = self.accept_unless(None)? {
                return Ok(channel);
            }
        }
    }

    /// Waits for a client to connect, or until it is stopped: `None`.
    pub(crate) fn accept_unless(&self, stop: Option<&Stop>) -> Result<Option<Channel>, Error> {
        loop {
            match self.accept_next(stop) {
                Err(error) if is_gone(&error) => {}
                accepted => {
                    let Accepts { mode, server, .. } = self.accepts.clone();
                    let channel = accepted.map_err(Error::io)?;
                    return Ok(channel.map(|channel| channel.accepting(mode, server)));
                }
            }
        }
    }

    /// Returns the address that clients connect to, with the port that was given out.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system does not say.
    pub fn local_addr(&self) -> Result<SocketAddr, Error> {
        self.tcp.local_addr().map_err(Error::io)
    }

    /// Returns the path that names the Unix domain socket beside the port, if there is one. On Linux
    /// it names no file.
    pub fn unix_path(&self) -> Option<&Path> {
        #[cfg(unix)]
        return self.unix.as_ref().map(|beside| beside.claim.path());
        #[cfg(not(unix))]
        return None;
    }

    #[cfg(unix)]
    fn accept_next(&self, stop: Option<&Stop>) -> io::Result<Option<Channel>> {
        let unix = self.unix.as_ref().map(|beside| &beside.listener);
        let mut polled = vec![PollFd::new(&self.tcp, PollFlags::IN)];
        polled.extend(unix.map(|listener| PollFd::new(listener, PollFlags::IN)));
        let clients = polled.len();
        polled.extend(stop.map(|stop| PollFd::new(stop, PollFlags::IN)));
        retry_on_intr(|| poll(&mut polled, None))?;
        let is_ready = |place: usize| {
            let polled = polled.get(place);
            polled.is_some_and(|polled| !polled.revents().is_empty())
        };
        if is_ready(clients) {
            return Ok(None);
        }
        let turn = self.turns.fetch_add(1, Ordering::Relaxed) % 2;
        match unix {
            Some(listener) if is_ready(1) && (turn == 1 || !is_ready(0)) => {
                let (stream, _) = listener.accept()?;
                // Some systems hand the mode on.
                stream.set_nonblocking(false)?;
                Ok(Some(Channel::unix(stream)))
            }
            _ => {
                let (stream, _) = self.tcp.accept()?;
                stream.set_nonblocking(false)?;
                Channel::of_tcp(stream).map(Some)
            }
        }
    }

    #[cfg(not(unix))]
    fn accept_next(&self, stop: Option<&Stop>) -> io::Result<Option<Channel>> {
        let (stream, _) = self.tcp.accept()?;
        if stop.is_some_and(Stop::is_stopped) {
            return Ok(None);
        }
        Channel::of_tcp(stream).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use hopen_transport::UnixSocket;
    use socket2::SockRef;

    use super::*;
    #[cfg(unix)]
    use crate::connect;
    use hopen_transport::Deadline;

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

    #[cfg(unix)]
    #[test]
    fn clients_of_both_sockets_are_accepted_in_turn() {
        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap();
        let path = format!("/tmp/kx.{}", address.port());
        assert_eq!(listener.unix_path(), Some(Path::new(&path)));
        let by_tcp = || TcpStream::connect(address).unwrap();
        let by_unix = || connect::unix::connect(address.port(), Deadline::NEVER).unwrap();
        let clients = [by_tcp(), by_tcp(), by_tcp()];
        let others = [by_unix(), by_unix(), by_unix()];
        let by_tcp = |_| listener.accept().unwrap().peer_addr().is_some();
        // Neither kind waits for the other.
        let accepted: [bool; 4] = std::array::from_fn(by_tcp);
        assert_eq!(accepted.iter().filter(|by_tcp| **by_tcp).count(), 2);
        assert_eq!(
            [by_tcp(4), by_tcp(5)]
                .iter()
                .filter(|by_tcp| **by_tcp)
                .count(),
            1
        );
        drop((clients, others));
    }

    #[cfg(unix)]
    #[test]
    fn there_need_be_no_socket_beside_a_port() {
        let mut options = ListenOptions::try_from("localhost:0W").unwrap();
        options.unix = UnixSocket::None;
        let listener = Listener::bind(options).unwrap();
        assert_eq!(listener.unix_path(), None);
        let port = listener.local_addr().unwrap().port();
        connect::unix::connect(port, Deadline::NEVER).unwrap_err();
    }

    #[test]
    fn a_port_that_is_taken_is_an_error_with_its_name() {
        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let error = Listener::bind(address.as_str()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("cannot listen on {address}. OS reports: Address already in use")
        );
    }
}

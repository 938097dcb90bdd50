//! Where clients connect to, and what tasks run on unless the program says otherwise.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use async_io::Async;
use async_std::task;
#[cfg(unix)]
use hopen_transport::unix_socket::{Beside, Claim};
use hopen_transport::{Accepts, Bound, Error, ListenOptions, is_gone};

use crate::Channel;
use crate::server::give_way;
use crate::socket::Socket;

/// A port that clients connect to.
///
/// It is bound once and hands out connections before their login, so that a client that is slow to
/// log in keeps nobody else waiting: [`receive_login`](Channel::receive_login) runs where the program
/// wants, in a task of the connection's own for example. A [`Server`](crate::server::Server) does that
/// and everything that comes after it.
///
/// ```no_run
/// use hopen_async_std::{Error, LOGIN_TIMEOUT, Listener, Received};
/// use hopen_codec::config::Config;
///
/// # async fn listen() -> Result<(), Error> {
/// let listener = Listener::bind("127.0.0.1:5010")?;
/// loop {
///     let channel = listener.accept().await?;
///     async_std::task::spawn(async move {
///         let login = channel.receive_login(Config::server(), Some(LOGIN_TIMEOUT)).await?;
///         if login.credentials().user() != b"ann" {
///             login.refuse();
///             return Ok(());
///         }
///         let mut handle = login.accept().await?;
///         loop {
///             match handle.receive().await? {
///                 Received::Request(ticket, question) => {
///                     handle.respond(ticket, Ok(question)).await?;
///                 }
///                 Received::Async(_) => {}
///             }
///         }
///         # #[expect(unreachable_code)]
///         Ok::<(), Error>(())
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    #[cfg(unix)]
    unix: Option<Unix>,
    tcp: Async<std::net::TcpListener>,
    /// Counts whose turn it is where clients wait at both.
    turns: AtomicUsize,
    accepts: Accepts,
}

/// The Unix domain socket beside a port.
#[cfg(unix)]
#[derive(Debug)]
struct Unix {
    /// Dropped first; see [`Beside::claim`].
    claim: Claim,
    listener: Async<std::os::unix::net::UnixListener>,
}

impl Listener {
    /// Binds a port: `5010` on every interface, as q's `\p 5010`; `localhost:5010` on one; `0W` for
    /// any that is free; what else a [`ListenAddress`](hopen_codec::address::ListenAddress) can say.
    /// Beside it opens the Unix domain socket of that port, as q does, unless
    /// [`ListenOptions::unix`] or an empty variable `QUDSPATH` says otherwise, or the port is shared
    /// (`rp,`).
    ///
    /// It blocks while the system looks up a host's or a service's name.
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
        Self::take(bound).map_err(|error| options.refused(error))
    }

    fn take(bound: Bound) -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            unix: bound.unix.map(Unix::take).transpose()?,
            tcp: Async::new(bound.tcp)?,
            turns: AtomicUsize::new(0),
            accepts: bound.accepts,
        })
    }

    /// Waits for a client to connect. One that has gone again by then is none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where files or memory have run out; the listener goes on.
    pub async fn accept(&self) -> Result<Channel, Error> {
        loop {
            match self.accept_next().await {
                // There may be many of them; others have their turn.
                Err(error) if is_gone(&error) => give_way().await,
                accepted => {
                    let Accepts { mode, server, .. } = self.accepts.clone();
                    return Ok(accepted.map_err(Error::io)?.accepting(mode, server));
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
        self.tcp.get_ref().local_addr().map_err(Error::io)
    }

    /// Returns the path that names the Unix domain socket beside the port, if there is one. On Linux
    /// it names no file.
    pub fn unix_path(&self) -> Option<&Path> {
        #[cfg(unix)]
        return self.unix.as_ref().map(|unix| unix.claim.path());
        #[cfg(not(unix))]
        return None;
    }

    async fn accept_next(&self) -> io::Result<Channel> {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed) % 2;
        let mut tcp = pin!(async {
            let (stream, _) = self.tcp.accept().await?;
            Channel::of_tcp(stream)
        });
        let mut unix = pin!(self.accept_unix());
        poll_fn(|context| {
            let by_turns: [&mut dyn Accepting; 2] = match turn {
                0 => [&mut tcp, &mut unix],
                _ => [&mut unix, &mut tcp],
            };
            let mut accepted = by_turns.into_iter().map(|socket| socket.poll_it(context));
            accepted.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }

    #[cfg(unix)]
    async fn accept_unix(&self) -> io::Result<Channel> {
        let Some(unix) = &self.unix else {
            return core::future::pending().await;
        };
        let (stream, _) = unix.listener.accept().await?;
        Ok(Channel::over(Socket(stream), None, Some(true)))
    }

    #[cfg(not(unix))]
    async fn accept_unix(&self) -> io::Result<Channel> {
        core::future::pending().await
    }
}

#[cfg(unix)]
impl Unix {
    fn take(beside: Beside) -> io::Result<Self> {
        let Beside {
            claim, listener, ..
        } = beside;
        let listener = Async::new(listener)?;
        Ok(Self { claim, listener })
    }
}

/// Waits for a client at one of the sockets.
trait Accepting {
    fn poll_it(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Channel>>;
}

impl<T: Future<Output = io::Result<Channel>>> Accepting for Pin<&mut T> {
    fn poll_it(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Channel>> {
        self.as_mut().poll(context)
    }
}

/// Runs a task on async-std's threads.
pub(crate) fn spawn(task: Pin<Box<dyn Future<Output = ()> + Send>>) {
    drop(task::spawn(task));
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use hopen_transport::UnixSocket;
    use smol::block_on;
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
        let accepted = block_on(listener.accept()).unwrap();
        assert_eq!(accepted.peer_addr(), Some(client.local_addr().unwrap()));
    }

    #[test]
    fn a_flood_of_clients_that_have_gone_again_leaves_others_their_turn() {
        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap();
        for _ in 0..5 {
            let gone = TcpStream::connect(address).unwrap();
            SockRef::from(&gone)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        }
        let _client = TcpStream::connect(address).unwrap();
        let mut accepts = pin!(listener.accept());
        let mut polls = 0;
        let accepted = block_on(poll_fn(|context| {
            polls += 1;
            accepts.as_mut().poll(context)
        }));
        accepted.unwrap();
        assert!(polls > 5, "{polls}");
    }

    #[cfg(unix)]
    #[test]
    fn clients_of_both_sockets_are_accepted_in_turn() {
        use hopen_transport::unix_socket::names;

        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap();
        let path = format!("/tmp/kx.{}", address.port());
        assert_eq!(listener.unix_path(), Some(Path::new(&path)));
        let name = names(address.port()).remove(0);
        let clients = [(); 3].map(|()| TcpStream::connect(address).unwrap());
        let others = [(); 3].map(|()| name.try_connect().unwrap());
        let by_tcp = |_| block_on(listener.accept()).unwrap().peer_addr().is_some();
        // Neither kind waits for the other.
        let accepted: [bool; 6] = core::array::from_fn(by_tcp);
        let count = |accepted: &[bool]| accepted.iter().filter(|by_tcp| **by_tcp).count();
        assert_eq!((count(&accepted[..4]), count(&accepted[4..])), (2, 1));
        drop((clients, others));
    }

    #[cfg(unix)]
    #[test]
    fn there_need_be_no_socket_beside_a_port() {
        use hopen_transport::unix_socket::names;

        let mut options = ListenOptions::try_from("localhost:0W").unwrap();
        options.unix = UnixSocket::None;
        let listener = Listener::bind(options).unwrap();
        assert_eq!(listener.unix_path(), None);
        let name = names(listener.local_addr().unwrap().port()).remove(0);
        name.try_connect().unwrap_err();
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

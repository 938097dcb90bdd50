//! The other end of what a scratch process does not do: it calls back, it sends what nobody asked
//! for, or it keeps silent.

use std::net::{Ipv4Addr, TcpListener};
use std::thread::{self, JoinHandle};

use hopen_blocking::{Error, Handle, LOGIN_TIMEOUT, ListenOptions, Listener, Received, UnixSocket};
use hopen_codec::config::Config;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use super::Failure;

/// A peer for one client, in a thread.
pub(super) struct Peer {
    port: u16,
    thread: JoinHandle<Result<(), Error>>,
}

impl Peer {
    /// Starts one that listens.
    pub(super) fn start() -> Result<Self, Failure> {
        let mut options = ListenOptions::try_from("127.0.0.1:0W").map_err(Error::from)?;
        options.unix = UnixSocket::None;
        let listener = Listener::bind(options)?;
        let port = listener.local_addr()?.port();
        let thread = thread::Builder::new().name("peer".into());
        let thread = thread
            .spawn(move || serve(&listener))
            .map_err(Failure::Process)?;
        Ok(Self { port, thread })
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Waits until it has ended, as it does when its client has closed.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self.thread.join() {
            Ok(served) => Ok(served?),
            Err(_) => Err(Failure::Surprise("the peer has panicked".to_owned())),
        }
    }
}

fn serve(listener: &Listener) -> Result<(), Error> {
    let login = listener
        .accept()?
        .receive_login(Config::server(), Some(LOGIN_TIMEOUT))?;
    let mut handle = login.accept()?;
    loop {
        match handle.receive() {
            Ok(Received::Request(ticket, query)) => {
                let answer = answer(&mut handle, &query)?;
                handle.respond(ticket, answer)?;
            }
            Ok(Received::Async(_)) => {}
            Err(Error::Closed) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn answer(handle: &mut Handle, query: &Value) -> Result<Result<Value, RemoteError>, Error> {
    if *query == Value::from(CALL_BACK) {
        // The client waits for our answer, and answers this first.
        return handle.get(QUESTION).map(Ok);
    }
    if *query == Value::from(PUSH) {
        handle.set(NEWS)?;
        return Ok(Ok(Value::IDENTITY));
    }
    Ok(Err(RemoteError::new("nyi").expect("it has no NUL")))
}

/// A port that nobody answers on.
pub(super) fn silent() -> Result<(TcpListener, u16), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Failure::Process)?;
    let port = listener.local_addr().map_err(Failure::Process)?.port();
    Ok((listener, port))
}

/// Has the peer ask back.
pub(super) const CALL_BACK: &str = "reverse .z.w\"name\"";

/// What it asks.
pub(super) const QUESTION: &str = "name";

/// Has the peer send something.
pub(super) const PUSH: &str = "(neg .z.w)\"news\"";

/// What it sends.
pub(super) const NEWS: &str = "news";

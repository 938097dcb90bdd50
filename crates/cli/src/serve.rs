//! `hopen serve`: the scratch process on a port.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use hopen_blocking::{Channel, Error, LOGIN_TIMEOUT, ListenOptions, Listener, Received};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::{ServerMode, Settings, TlsError, VerifyClient};

use crate::args::{ServeOptions, ServeTls};
use crate::scratch::Scratch;
use crate::status::{Status, file_name, report};

/// Listens, and serves clients until a signal ends the process. An error is one of writing to `out`.
pub(crate) fn run(options: ServeOptions, out: &mut impl Write) -> io::Result<Status> {
    let mut listen = ListenOptions::new(options.listen);
    listen.unix = options.unix;
    listen.mode = options.tls.mode;
    let certified = match prepare_tls(options.tls, &mut listen) {
        Ok(certified) => certified,
        Err(error) => {
            report(format_args!("error: TLS: {error}"));
            return Ok(Status::NotConnected);
        }
    };
    let listening = Listener::bind(listen).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    let (listener, address) = match listening {
        Ok(listening) => listening,
        Err(error) => {
            report(format_args!("error: {error}"));
            return Ok(Status::NotConnected);
        }
    };
    let server = Arc::new(Server {
        users: options.users,
        scratch: Mutex::new(Scratch::new()),
        connections: AtomicUsize::new(0),
    });
    if let Err(error) = end_on_signal(&server) {
        report(format_args!("error: cannot watch for signals: {error}"));
        return Ok(Status::Failure);
    }
    // The port of this host only, and the socket beside it, are for the users of this host.
    let is_open = server.users.is_empty() && certified == Certified::NotAll;
    if is_open && !address.ip().to_canonical().is_loopback() {
        let beside = match listener.unix_path() {
            Some(path) => format!(" or {}", file_name(path)),
            None => String::new(),
        };
        report(format_args!(
            "warning: whoever reaches {address}{beside} is let in; --user NAME:PASSWORD asks for a \
             login"
        ));
    }
    writeln!(out, "listening on {address}")?;
    out.flush()?;
    loop {
        match listener.accept() {
            Ok(channel) => Server::admit(&server, channel),
            Err(error) => {
                report(format_args!("error: cannot accept a connection: {error}"));
                // Where files or memory have run out the next attempt fails at once as well, and
                // nothing says when the system has some again: so many attempts, and no more.
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Whether all clients have to show a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certified {
    All,
    NotAll,
}

/// Reads what TLS needs, where it is spoken.
fn prepare_tls(options: ServeTls, listen: &mut ListenOptions) -> Result<Certified, TlsError> {
    if options.mode == ServerMode::Plain {
        return Ok(Certified::NotAll);
    }
    let mut settings = Settings::from_variables(|name| std::env::var_os(name))?;
    if let Some((certificate, key)) = options.identity {
        settings.certificate_file = Some(certificate);
        settings.key_file = Some(key);
    }
    listen.tls = Some(hopen_tls::Server::new(&settings)?);
    let asks_all =
        options.mode == ServerMode::Tls && settings.verify_client == VerifyClient::Required;
    Ok(if asks_all {
        Certified::All
    } else {
        Certified::NotAll
    })
}

/// What all connections share.
struct Server {
    /// Who may log in; everybody if it is empty.
    users: Vec<Credentials>,
    scratch: Mutex<Scratch>,
    connections: AtomicUsize,
}

impl Server {
    /// Gives a connection a thread, or closes it where there are too many.
    fn admit(server: &Arc<Self>, channel: Channel) {
        let place = Place::take(server);
        let peer = name(&channel);
        let Some(place) = place else {
            report(format_args!(
                "{peer}: closed: {MOST_CONNECTIONS} connections are open"
            ));
            return;
        };
        let thread = thread::Builder::new().name("connection".into());
        let spawned = thread.spawn(move || {
            let peer = name(&channel);
            if let Err(error) = place.0.serve(channel) {
                report(format_args!("{peer}: {error}"));
            }
        });
        if let Err(error) = spawned {
            report(format_args!("{peer}: closed: {error}"));
        }
    }

    /// Lets a client log in and answers it until it closes.
    fn serve(&self, channel: Channel) -> Result<(), Error> {
        let peer = name(&channel);
        let login = match channel.receive_login(Config::server(), Some(LOGIN_TIMEOUT)) {
            // Somebody looks whether the port is open.
            Err(Error::Login(HandshakeError::LoginCutOff { received: 0 })) => return Ok(()),
            login => login?,
        };
        if !self.lets_in(login.credentials()) {
            login.refuse();
            return Err(Error::Access);
        }
        let mut handle = login.accept()?;
        loop {
            match handle.receive() {
                Ok(Received::Request(ticket, query)) => {
                    let answer = self.evaluate(&query);
                    match handle.respond(ticket, answer) {
                        // An answer that this client does not understand; it was told.
                        Ok(()) | Err(Error::Send(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(Received::Async(query)) => {
                    if let Err(error) = self.evaluate(&query) {
                        report(format_args!("{peer}: '{error}"));
                    }
                }
                // An error that nobody asked for, as qPython sends it, is none of ours.
                Err(Error::Remote(_)) => {}
                Err(Error::Closed) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn lets_in(&self, credentials: &Credentials) -> bool {
        // All of them are compared: the time tells nothing about which comes first.
        let found = self.users.iter().filter(|user| *user == credentials);
        self.users.is_empty() || found.count() > 0
    }

    /// Evaluates one query; the others wait, as they do for q.
    fn evaluate(&self, query: &Value) -> Result<Value, RemoteError> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        scratch.evaluate(query)
    }
}

/// One of the connections that may be open.
struct Place(Arc<Server>);

impl Place {
    /// Takes a place, if one is free.
    fn take(server: &Arc<Server>) -> Option<Self> {
        let place = Self(Arc::clone(server));
        // The place that was one too many is given back as it is dropped.
        (server.connections.fetch_add(1, Ordering::Relaxed) < MOST_CONNECTIONS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends the process on SIGINT and SIGTERM, when no query is being evaluated.
#[cfg(unix)]
fn end_on_signal(server: &Arc<Server>) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let server = Arc::clone(server);
    let thread = thread::Builder::new().name("signals".into());
    thread.spawn(move || {
        if signals.forever().next().is_some() {
            let _scratch = server.scratch.lock();
            std::process::exit(0);
        }
    })?;
    Ok(())
}

/// Elsewhere the system ends the process by itself.
#[cfg(not(unix))]
fn end_on_signal(_server: &Arc<Server>) -> io::Result<()> {
    Ok(())
}

/// Names a client in a message.
fn name(channel: &Channel) -> String {
    channel
        .peer_addr()
        .map_or_else(|| "a client".into(), |peer| peer.to_string())
}

/// How many connections may be open: 1024 files, which is what a process commonly may open, less its
/// own.
const MOST_CONNECTIONS: usize = 1000;

/// How far apart attempts to accept a connection are, after one that failed: a rate, not a wait.
const PAUSE: Duration = Duration::from_millis(100);

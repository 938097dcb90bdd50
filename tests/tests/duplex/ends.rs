//! Pairs of handles.

use std::io::pipe;
use std::thread;
use std::time::Duration;

use hopen_blocking::{
    Channel, Driver, Error, Handle, ListenOptions, Listener, Options, Received, SharedHandle, hopen,
};
use hopen_codec::address::{Address, Endpoint};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::connection::Ticket;
use hopen_codec::value::Value;
use hopen_tls::ServerMode;

use crate::{tls, watchdog};

/// What lies between two handles.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Between {
    Tcp,
    Pipes,
    #[cfg(unix)]
    Unix,
    Tls,
}

impl Between {
    /// Each of them.
    pub(crate) const ALL: &[Self] = &[
        Self::Tcp,
        Self::Pipes,
        #[cfg(unix)]
        Self::Unix,
        Self::Tls,
    ];

    /// Does something with each, and fails where that does not end.
    pub(crate) fn each(what: &str, work: impl Fn(Self) + Send + Copy + 'static) {
        for between in Self::ALL.iter().copied() {
            watchdog::ends(format!("{what}, {between:?}"), move || work(between));
        }
    }

    /// Returns a client's handle and a server's.
    pub(crate) fn handles(self) -> (Handle, Handle) {
        self.configured(|_| {})
    }

    /// Returns a client's handle and a server's, both configured in this way.
    pub(crate) fn configured(self, configure: impl Fn(&mut Config)) -> (Handle, Handle) {
        let (mut client, mut server) = (Config::client(), Config::server());
        for config in [&mut client, &mut server] {
            // Nothing is compressed, as over TCP on one host.
            config.peer_is_local = true;
            configure(config);
        }
        match self {
            Self::Tcp => over_sockets(client, server, |host, port| Endpoint::Tcp { host, port }),
            Self::Pipes => over_pipes(client, server),
            #[cfg(unix)]
            Self::Unix => over_sockets(client, server, |_, port| Endpoint::Unix { port }),
            Self::Tls => over_sockets(client, server, |host, port| Endpoint::Tcps { host, port }),
        }
    }
}

/// Runs a driver in a thread of its own, for as long as the connection lasts.
pub(crate) fn drive(
    (handle, driver): (SharedHandle, Driver),
) -> (SharedHandle, thread::JoinHandle<Result<(), Error>>) {
    (handle, thread::spawn(move || driver.run()))
}

/// Waits for a request.
pub(crate) fn request(handle: &mut Handle) -> (Ticket, Value) {
    match handle.receive().expect("a request") {
        Received::Request(ticket, question) => (ticket, question),
        Received::Async(value) => panic!("an async message: {value}"),
    }
}

/// Answers every question with itself until the client closes. Returns what else has come.
pub(crate) fn echo(mut handle: Handle) -> Vec<Value> {
    let mut asyncs = Vec::new();
    loop {
        match handle.receive() {
            Ok(Received::Request(ticket, question)) => {
                handle.respond(ticket, Ok(question)).expect("a client");
            }
            Ok(Received::Async(value)) => asyncs.push(value),
            Err(Error::Closed) => return asyncs,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// A time that passes.
pub(crate) const BRIEF: Duration = Duration::from_millis(10);

fn over_sockets(
    client: Config,
    server: Config,
    endpoint: impl FnOnce(String, u16) -> Endpoint,
) -> (Handle, Handle) {
    let mut options = ListenOptions::try_from("127.0.0.1:0").expect("an address");
    options.mode = ServerMode::Both;
    options.tls = Some(tls::server());
    let listener = Listener::bind(options).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let accepted = thread::spawn(move || accept(listener.accept().expect("a client"), server));
    let endpoint = endpoint(String::from("127.0.0.1"), port);
    let mut options = Options::new(Address::new(endpoint));
    options.config = client;
    options.tls = Some(tls::client());
    let handle = hopen(options).expect("a server");
    (handle, accepted.join().expect("it accepts"))
}

fn over_pipes(client: Config, server: Config) -> (Handle, Handle) {
    let (from_client, to_server) = pipe().expect("a pipe");
    let (from_server, to_client) = pipe().expect("a pipe");
    let theirs = Channel::new(from_client, to_client).expect("two threads");
    let accepted = thread::spawn(move || accept(theirs, server));
    let ours = Channel::new(from_server, to_server).expect("two threads");
    let handle = ours.log_in(&Credentials::anonymous(), client, None);
    (
        handle.expect("a server"),
        accepted.join().expect("it accepts"),
    )
}

fn accept(channel: Channel, config: Config) -> Handle {
    let login = channel.receive_login(config, None).expect("a login");
    login.accept().expect("a client")
}

//! The other connections of a server, while something is wrong with one.
//!
//! Three clients are there all the time, by three kinds of sockets. Each client that something is
//! wrong with sends its conversation up to some byte; the three ask and publish. Then it does what
//! it does, and the three ask and publish again. Some of them stay as they are, half a message in
//! the middle, until the end.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};

use hopen_blocking::server::{Answer, Client, Control, Handler, Server, ServerOptions};
use hopen_blocking::{Handle, ListenOptions, Listener, Options, hopen};
use hopen_codec::address::{Address, Endpoint};
use hopen_codec::auth::Credentials;
use hopen_codec::value::Value;
use hopen_tls::ServerMode;

use crate::conversation::fault::Kind;
use crate::conversation::whole;
use crate::conversation::wire::{Socket, Stream};
use crate::damage::sent;
use crate::{tls, watchdog};

#[test]
fn the_other_connections_of_a_server_get_every_answer_and_every_message() {
    let counts = watchdog::ends("a server and its clients", || {
        let conversation = sent(&whole::of_a_server());
        let clients = KINDS.len() * conversation.len();
        let (address, control, running) = start();
        let mut good = Good::connect(address);
        let mut held = Vec::new();
        for offset in 0..conversation.len() {
            for kind in KINDS {
                let (before, behind) = conversation.split_at(offset);
                let mut bad = TcpStream::connect(address).expect("a server that goes on");
                bad.write_all(before).expect("a server that reads");
                good.ask_and_publish();
                held.extend(go_wrong(bad, kind, behind));
                good.ask_and_publish();
            }
        }
        let counts = (clients, held.len(), good.answered, good.received);
        drop(held);
        drop(good);
        control.stop(watchdog::PATIENCE);
        running.join().expect("the server does not panic");
        counts
    });
    let (clients, held, answered, received) = counts;
    let text = format!(
        "\n{clients} clients that something was wrong with, {held} of them to the end; beside them \
         {answered} answers to {} that asked, and {received} messages\n",
        GOOD.len(),
    );
    io::stderr().write_all(text.as_bytes()).expect("stderr");
    assert_eq!(answered, 2 * clients as i64 * GOOD.len() as i64);
    assert_eq!(received, answered * GOOD.len() as i64);
}

/// Sends the rest as a fault has it. Returns the client if it stays.
fn go_wrong(mut bad: TcpStream, kind: Kind, rest: &[u8]) -> Option<TcpStream> {
    if kind == Kind::Split {
        return Some(bad);
    }
    if kind == Kind::End {
        bad.end_writing().expect("an open socket");
        return Some(bad);
    }
    if kind == Kind::Reset {
        bad.reset_on_drop().expect("an open socket");
    }
    if let Kind::Flip(_) | Kind::Replace(_) = kind {
        let mut rest = rest.to_vec();
        rest[0] = kind.damaged(rest[0]);
        // The server may have closed by now.
        let _ = bad.write_all(&rest);
    }
    None
}

/// Stays half-way, ends, resets, closes with a byte damaged or none.
const KINDS: [Kind; 6] = [
    Kind::Split,
    Kind::End,
    Kind::Close,
    Kind::Reset,
    Kind::Flip(0),
    Kind::Replace(0xff),
];

/// Answers what is asked, and publishes to all that have a name of [`GOOD`] what these send.
#[derive(Default)]
struct Echo {
    subscribers: Mutex<Vec<Client>>,
}

impl Handler for Echo {
    fn opened(&self, client: &Client) {
        if is_good(client) {
            let mut subscribers = self.subscribers.lock().expect("nobody panics");
            subscribers.push(client.clone());
        }
    }

    fn request(&self, _: &Client, question: Value) -> Answer<'_> {
        Ok(question).into()
    }

    fn notice(&self, client: &Client, message: Value) {
        if is_good(client) {
            for subscriber in &*self.subscribers.lock().expect("nobody panics") {
                subscriber.set(message.clone()).expect("an open connection");
            }
        }
    }
}

fn is_good(client: &Client) -> bool {
    GOOD.iter().any(|name| client.user() == name.as_bytes())
}

/// Starts a server for plain and encrypted clients.
fn start() -> (SocketAddr, Control, JoinHandle<usize>) {
    let mut options = ListenOptions::try_from("127.0.0.1:0W").expect("an address");
    options.mode = ServerMode::Both;
    options.tls = Some(tls::server());
    let listener = Listener::bind(options).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = Server::new(listener, Echo::default(), ServerOptions::default());
    let server = server.expect("nothing has to be read");
    let control = server.control();
    (address, control, thread::spawn(move || server.run()))
}

/// The clients with which nothing is wrong.
struct Good {
    handles: Vec<Handle>,
    answered: i64,
    received: i64,
}

impl Good {
    fn connect(address: SocketAddr) -> Self {
        let port = address.port();
        let host = Ipv4Addr::LOCALHOST.to_string();
        let endpoints = [
            Endpoint::Tcp {
                host: host.clone(),
                port,
            },
            Endpoint::Tcps { host, port },
            #[cfg(unix)]
            Endpoint::Unix { port },
        ];
        let connect = |(endpoint, name): (_, &&str)| {
            let mut address = Address::new(endpoint);
            address.credentials = Credentials::new(*name, "").expect("no NUL");
            let mut options = Options::new(address);
            options.tls = Some(tls::client());
            let mut handle = hopen(options).expect("a server");
            // It is a subscriber when it has its first answer.
            assert_eq!(handle.get("there?").expect("an answer"), "there?".into());
            handle
        };
        Self {
            handles: endpoints.into_iter().zip(GOOD).map(connect).collect(),
            answered: 0,
            received: 0,
        }
    }

    /// Each asks, and tells the others.
    fn ask_and_publish(&mut self) {
        for client in 0..self.handles.len() {
            let handle = &mut self.handles[client];
            let question = Value::from(self.answered);
            handle.set(question.clone()).expect("a server that reads");
            let answer = handle.get(question.clone()).expect("an answer");
            assert_eq!(answer, question);
            self.answered += 1;
            for handle in &mut self.handles {
                assert_eq!(handle.recv().expect("a message"), question);
                self.received += 1;
            }
        }
    }
}

/// What they are called.
#[cfg(unix)]
const GOOD: &[&str] = &["tcp", "tls", "unix"];
#[cfg(not(unix))]
const GOOD: &[&str] = &["tcp", "tls"];

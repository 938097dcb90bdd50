//! The server role over TLS, beside plain connections at the same port.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use hopen_blocking::server::{Answer, Client, Handler, Reply, Server, ServerOptions, TextProtocol};
use hopen_blocking::{Error, ListenOptions, Listener, Login, Options, hopen};
use hopen_codec::value::Value;
use hopen_tls::ServerMode;

#[path = "../tls/mod.rs"]
mod tls;

#[test]
fn a_session_is_told_to_the_handler_and_a_stop_is_an_end_and_no_break() {
    let mut listen = ListenOptions::try_from("localhost:0W").unwrap();
    listen.mode = ServerMode::Both;
    listen.tls = Some(tls::server());
    let listener = Listener::bind(listen).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, asked) = mpsc::channel();
    let mut options = ServerOptions::default();
    options.text = TextProtocol::On;
    let server = Server::new(listener, Told { asked: sender }, options).unwrap();
    let control = server.control();
    let running = thread::spawn(move || server.run());

    let mut clients: Vec<_> = [("tcps://", true), ("", false)]
        .map(|(scheme, is_encrypted)| {
            let handle = format!(":{scheme}localhost:{port}:ann:pw");
            let mut options = Options::try_from(handle).unwrap();
            options.tls = Some(tls::client());
            options.timeout = Some(PATIENCE);
            let mut client = hopen(options).unwrap();
            assert_eq!(client.get("x").unwrap(), is_encrypted.into());
            client
        })
        .into();
    // qcon knows no TLS; it comes to the same port.
    let mut qcon = TcpStream::connect(("localhost", port)).unwrap();
    qcon.set_read_timeout(Some(PATIENCE)).unwrap();
    qcon.write_all(b"qcon\0x\0").unwrap();
    let mut answer = String::new();
    qcon.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "plain\n");

    let mut waits = clients.remove(0);
    let waiting = thread::spawn(move || (waits.get("later").unwrap(), waits.recv()));
    let reply = asked.recv_timeout(PATIENCE).unwrap();
    control.stop(PATIENCE);
    let large = Value::from(vec![7_i64; 1_000_000]);
    reply.client().set(large.clone()).unwrap();
    reply.answer(Ok("at last")).unwrap();
    let (answer, pushed) = waiting.join().unwrap();
    assert_eq!((answer, pushed.unwrap()), ("at last".into(), large));
    let end = clients[0].recv().unwrap_err();
    assert!(matches!(end, Error::Closed), "{end}");
    assert_eq!(running.join().unwrap(), 0);
}

/// Answers whether a connection is encrypted.
struct Told {
    asked: Sender<Reply>,
}

impl Handler for Told {
    fn login(&self, login: &Login) -> hopen_blocking::server::Decision {
        assert!(login.tls().is_none() || login.credentials().user() == b"ann");
        hopen_blocking::server::Decision::Accept
    }

    fn request(&self, client: &Client, query: Value) -> Answer<'_> {
        if query == "later".into() {
            return Answer::deferred(|reply| drop(self.asked.send(reply)));
        }
        Ok(client.tls().is_some().into()).into()
    }

    fn text(&self, login: &Login, _line: &[u8]) -> Vec<u8> {
        let text = if login.tls().is_some() {
            "TLS\n"
        } else {
            "plain\n"
        };
        text.into()
    }
}

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(60);

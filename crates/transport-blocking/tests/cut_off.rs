//! A peer that sends without an end is cut off: its own write has to fail then, not wait for room.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use hopen_blocking::{Error, ListenOptions, Listener, UnixSocket, hopen};
use hopen_codec::config::Config;
use hopen_codec::connection::ProtocolError;
use hopen_codec::message::MessageKind;
use server::{PATIENCE, Server, message};

mod server;

#[test]
fn a_server_that_floods_is_told_that_its_client_has_closed() {
    let (flooded, ends) = mpsc::channel();
    let server = Server::start(move |mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        flood(&mut peer.0, &message(MessageKind::Async, vec![7_i64; 1000]));
        peer.expect_end();
        flooded.send(()).expect("the test waits");
    });
    let mut handle = hopen(server.port).expect("a server");
    let error = handle.get("x").expect_err("it never comes");
    assert!(matches!(error, Error::KeptAsyncs { .. }), "{error}");
    // What was kept is there for as long as the handle is, and the server is told meanwhile.
    assert_ends(&ends);
    handle.recv().expect("one of them");
    server.finish();
}

#[test]
fn a_client_that_floods_is_told_that_its_server_has_closed() {
    let (filled, is_full) = mpsc::channel();
    let (flooded, ends) = mpsc::channel();
    let mut options = ListenOptions::new("localhost:0W".parse().expect("an address"));
    options.unix = UnixSocket::None;
    let listener = Listener::bind(options).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let client = thread::spawn(move || {
        let mut peer = TcpStream::connect(("127.0.0.1", port)).expect("a server");
        peer.write_all(b"eve:x\x06\0").expect("a server that reads");
        peer.read_exact(&mut [0]).expect("it is accepted");
        // No header, and behind it more than the systems hold.
        peer.set_nonblocking(true).expect("a socket");
        flood(&mut peer, &[0xff; 4096]);
        filled.send(()).expect("the test waits");
        peer.set_nonblocking(false).expect("a socket");
        flood(&mut peer, &[0xff; 4096]);
        flooded.send(()).expect("the test waits");
    });
    let channel = listener.accept().expect("the client");
    let login = channel.receive_login(Config::server(), None);
    let mut handle = login.expect("a login").accept().expect("a client");
    is_full.recv().expect("nobody reads");
    let error = handle.receive().expect_err("it is none");
    assert!(
        matches!(error, Error::Protocol(ProtocolError::Frame(_))),
        "{error}"
    );
    assert_ends(&ends);
    client.join().expect("it went as written");
}

/// Sends for as long as that goes.
fn flood(peer: &mut TcpStream, bytes: &[u8]) {
    while peer.write_all(bytes).is_ok() {}
}

/// Fails where a flood does not end. Where nobody resets the connection Linux needs 108 s, so the
/// time is no question of how busy the machine is.
fn assert_ends(ends: &Receiver<()>) {
    ends.recv_timeout(PATIENCE).expect("the write fails");
}

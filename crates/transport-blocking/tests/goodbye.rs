//! What the other side is told over TLS where no handle comes of a connection.

use std::net::{TcpListener, TcpStream};
use std::thread;

use hopen_blocking::Channel;
use hopen_codec::config::Config;
use hopen_tls::ServerMode;
use tls_peer::{Peer, client, server};

mod tls_peer;

#[test]
fn a_channel_that_is_dropped_behind_tls_s_handshake_says_so() {
    let (ours, theirs) = ends();
    let peer = thread::spawn(move || Peer::server(theirs).hears_the_end());
    let channel = Channel::tcp(ours).unwrap();
    drop(channel.start_tls(&client(), "localhost", None).unwrap());
    assert!(peer.join().unwrap());
}

#[test]
fn a_login_that_is_dropped_says_so() {
    let (ours, theirs) = ends();
    let peer = thread::spawn(move || {
        let mut peer = Peer::client(theirs);
        peer.write(b"ann:pw\x06\0");
        peer.hears_the_end()
    });
    let channel = Channel::tcp(ours).unwrap();
    let channel = channel.accepting(ServerMode::Tls, Some(server()));
    drop(channel.receive_login(Config::server(), None).unwrap());
    assert!(peer.join().unwrap());
}

/// Returns both ends of a connection.
fn ends() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let stream = TcpStream::connect(address).expect("it listens");
    (stream, listener.accept().expect("a client").0)
}

//! How a handle is left: what was written arrives, and the other side is told.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use async_std::net::TcpListener;
use bytes::Buf;
use hopen_async_std::{Channel, Handle};
use hopen_codec::config::{Compression, Config};
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;
use hopen_tls::ServerMode;
use smol::block_on;
use tls_peer::Peer;

#[path = "../../transport-blocking/tests/tls_peer/mod.rs"]
mod tls_peer;

#[test]
fn what_was_flushed_arrives_though_the_handle_has_not_read_everything() {
    let (mut handle, mut peer) = opened();
    let update = Value::from(vec![7_u8; 100_000]);
    block_on(async {
        handle.set(update.clone()).await.unwrap();
        handle.flush().await.unwrap();
    });
    // Nobody receives this: over unread bytes a socket is reset, unless they are taken first.
    peer.write_all(&[7; 100_000]).unwrap();
    drop(handle);
    let mut read = Vec::new();
    peer.read_to_end(&mut read).unwrap();
    assert!(read == message(update));
}

#[test]
fn who_finishes_tells_the_other_side_and_waits_until_it_has_closed() {
    let (mut handle, mut peer) = opened();
    let (teller, told) = mpsc::channel();
    thread::spawn(move || {
        let finished = block_on(async {
            handle.set("last").await?;
            handle.finish(Duration::MAX).await
        });
        teller.send(finished).unwrap();
    });
    // To the end, which comes while the handle is still there.
    let mut read = Vec::new();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    peer.read_to_end(&mut read).unwrap();
    assert_eq!(read, message("last"));
    assert!(told.try_recv().is_err(), "the peer has not closed");
    drop(peer);
    told.recv_timeout(PATIENCE).unwrap().unwrap();
}

#[test]
fn a_channel_that_is_dropped_behind_tls_s_handshake_says_so() {
    let (channel, peer) = channel();
    let peer = thread::spawn(move || Peer::server(peer).hears_the_end());
    let channel = block_on(channel.start_tls(&tls_peer::client(), "localhost", None));
    drop(channel.unwrap());
    assert!(peer.join().unwrap());
}

#[test]
fn a_login_that_is_dropped_says_so() {
    let (channel, peer) = channel();
    let peer = thread::spawn(move || {
        let mut peer = Peer::client(peer);
        peer.write(b"ann:pw\x06\0");
        peer.hears_the_end()
    });
    let channel = channel.accepting(ServerMode::Tls, Some(tls_peer::server()));
    drop(block_on(channel.receive_login(Config::server(), None)).unwrap());
    assert!(peer.join().unwrap());
}

/// Returns a connection that nothing was said over, and the other side's socket.
fn channel() -> (Channel, TcpStream) {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let peer = TcpStream::connect(address).expect("it listens");
        let (stream, _) = listener.accept().await.expect("a client");
        (Channel::tcp(stream).expect("an open socket"), peer)
    })
}

/// Returns a server's handle, and the client's socket.
fn opened() -> (Handle, TcpStream) {
    let (channel, mut peer) = channel();
    peer.write_all(b"ann:pw\x06\0").expect("it reads");
    block_on(async {
        let mut config = Config::server();
        config.compression = Compression::Never;
        let login = channel.receive_login(config, None).await.expect("a login");
        let handle = login.accept().await.expect("a client");
        let mut answer = [0];
        peer.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer, [6]);
        (handle, peer)
    })
}

/// The bytes of an async message.
fn message(value: impl Into<Value>) -> Vec<u8> {
    let body = Body::encode(&value.into()).expect("a value");
    let mut outbox = Outbox::default();
    Message::new(MessageKind::Async, body).write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).into()
}

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(60);

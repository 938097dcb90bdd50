//! Every limit at its default, reached through a real socket by a peer that means no good: what it
//! costs us, and what becomes of the connection. The table is in docs/security.md.
//!
//! The allocator counts for the whole process, so each test takes its turn.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;

use hopen_blocking::{Error, Handle, LOGIN_TIMEOUT, ListenOptions, Listener, Received, hopen};
use hopen_blocking::{Login, UnixSocket};
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::compress::DecompressError;
use hopen_codec::config::{Config, Limits};
use hopen_codec::connection::ProtocolError;
use hopen_codec::decode::DecodeErrorKind;
use hopen_codec::frame::FrameError;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::message::{Body, MessageKind};
use hopen_codec::value::Value;
use memory::{MEBIBYTE, measured, turn};
use server::{PATIENCE, Server, bytes, message};

mod memory;
mod server;

#[test]
fn a_login_without_an_end_is_read_for_64_kib() {
    let _turn = turn();
    let (error, took) = measured(|| {
        let client = |mut peer: TcpStream| {
            // More than the limit, and as long as somebody reads it.
            while peer.write_all(&[b'a'; 1024]).is_ok() {}
        };
        log_in(client).expect_err("it never ends")
    });
    let limit = Limits::server().login;
    assert_eq!(limit, 64 * 1024);
    let Error::Login(HandshakeError::LoginTooLong { limit: found, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(found, limit);
    assert!(took < MEBIBYTE, "{took} bytes");
}

#[test]
fn a_server_takes_no_message_above_a_gibibyte() {
    let _turn = turn();
    let limit = Limits::server().message;
    assert_eq!(limit, 1024 * 1024 * 1024);
    let (error, took) = measured(|| {
        let mut handle = serve(|mut peer| {
            // One byte more.
            peer.write_all(b"\x01\x01\0\0\x01\0\0\x40")
                .expect("a server");
            read_to_end(&peer);
        });
        handle.receive().expect_err("it is none")
    });
    let frame = FrameError::AboveLimit {
        length: limit + 1,
        limit,
    };
    assert!(
        matches!(error, Error::Protocol(ProtocolError::Frame(found)) if found == frame),
        "{error}"
    );
    assert!(took < MEBIBYTE, "{took} bytes");
}

#[test]
fn a_claim_of_a_tebibyte_takes_64_mib_of_a_client() {
    let _turn = turn();
    let length = Limits::client().message;
    assert_eq!(length, (1 << 40) - 1);
    let (error, took) = measured(|| {
        let server = Server::start(|mut peer| {
            peer.log_in(b"\x06\0", 6);
            peer.expect(&message(MessageKind::Sync, "all"));
            peer.send(b"\x01\x02\0\xff\xff\xff\xff\xffabc");
        });
        let error = hopen(server.port).expect("a server").get("all");
        server.finish();
        error.expect_err("most of it is missing")
    });
    let cut = ProtocolError::Truncated {
        arrived: 11,
        announced: Some(length),
    };
    assert!(
        matches!(error, Error::Protocol(found) if found == cut),
        "{error}"
    );
    assert!(took < 65 * MEBIBYTE, "{took} bytes");
}

#[test]
fn a_compressed_message_claims_no_more_than_128_times_its_bytes() {
    let _turn = turn();
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        // 26 bytes that claim 256 MiB.
        peer.send(b"\x01\x02\x01\0\x1a\0\0\0\0\0\0\x10\0aaaaaaaaaaaaa");
        peer.expect(&message(MessageKind::Sync, "y"));
        peer.send(&message(MessageKind::Response, 1_i64));
        peer.expect_end();
    });
    let mut handle = hopen(server.port).expect("a server");
    let (error, took) = measured(|| handle.get("x").expect_err("it is none"));
    let Error::BadMessage(error) = error else {
        panic!("{error}");
    };
    let DecodeErrorKind::Compression(claim) = error.kind else {
        panic!("{error}");
    };
    assert!(
        matches!(claim, DecompressError::ClaimAboveExpansion { .. }),
        "{claim}"
    );
    assert!(took < MEBIBYTE, "{took} bytes");
    // The message was bad, not the connection.
    assert_eq!(handle.get("y").expect("the next"), Value::from(1_i64));
    drop(handle);
    server.finish();
}

#[test]
fn a_client_keeps_64_mib_of_what_nobody_receives() {
    let _turn = turn();
    let limit = Limits::client().kept_asyncs;
    assert_eq!(limit, 64 * MEBIBYTE);
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        let update = message(MessageKind::Async, vec![7_i64; 1000]);
        while peer.0.write_all(&update).is_ok() {}
    });
    let mut handle = hopen(server.port).expect("a server");
    let (error, took) = measured(|| handle.get("x").expect_err("it never comes"));
    assert!(
        matches!(error, Error::KeptAsyncs { limit: found } if found == limit),
        "{error}"
    );
    // And a message beyond it, and what is read at once.
    assert!((limit / 2..limit + 2 * MEBIBYTE).contains(&took), "{took}");
    // What was kept is not lost.
    assert_eq!(
        handle.recv().expect("one of them"),
        Value::from(vec![7_i64; 1000])
    );
    server.finish();
}

#[test]
fn a_client_has_65_536_requests_open_and_no_more() {
    let _turn = turn();
    let limit = Limits::server().requests;
    assert_eq!(limit, 65_536);
    let ((), took) = measured(|| {
        let mut handle = serve(move |mut peer| {
            let asked = message(MessageKind::Sync, true).repeat(limit + 1);
            peer.write_all(&asked).expect("a server that reads");
            read_to_end(&peer);
        });
        let mut tickets = Vec::new();
        let error = loop {
            match handle.receive() {
                Ok(Received::Request(ticket, _)) => tickets.push(ticket),
                Ok(Received::Async(_)) => panic!("nothing of that was sent"),
                Err(error) => break error,
            }
        };
        assert_eq!(tickets.len(), limit);
        let many = ProtocolError::TooManyRequests { limit };
        assert!(
            matches!(error, Error::Protocol(found) if found == many),
            "{error}"
        );
    });
    // The client's bytes are this process's as well.
    assert!(took < 16 * MEBIBYTE, "{took} bytes");
}

#[test]
fn a_client_that_reads_nothing_makes_100_mib_wait_and_no_more() {
    let _turn = turn();
    let limit = Limits::server().queue;
    assert_eq!(limit, 100 * MEBIBYTE);
    let (send, done) = std::sync::mpsc::channel::<()>();
    let mut handle = serve(move |_peer| {
        // Reads nothing until it is over.
        done.recv().expect_err("nobody says anything");
    });
    // 16 KiB less the header: each is copied.
    let update = Value::from(vec![7_i64; 2000]);
    let (taken, took) = measured(|| {
        let mut taken = 0;
        loop {
            match handle.try_set(update.clone()) {
                Ok(()) => taken += 16_014,
                Err(Error::QueueFull { limit: found }) => {
                    assert_eq!(found, limit);
                    return taken;
                }
                Err(error) => panic!("{error}"),
            }
        }
    });
    // What the system holds was taken as well.
    assert!(taken > limit, "{taken} bytes");
    assert!(took < 2 * limit, "{took} bytes for {limit}");
    let dropped = handle.close();
    assert!((limit..taken).contains(&dropped), "{dropped} bytes");
    drop(send);
}

#[test]
fn a_value_of_any_depth_is_printed_to_a_thousand_levels() {
    let _turn = turn();
    const DEEP: usize = 1_000_000;
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        let nested = [b"\0\0\x01\0\0\0".repeat(DEEP), b"\xff\x01".to_vec()].concat();
        let body = Body::from_bytes(nested.into(), ByteOrder::Little);
        peer.send(&bytes(MessageKind::Response, body));
    });
    let mut handle = hopen(server.port).expect("a server");
    let (value, took) = measured(|| handle.get("x").expect("a value"));
    assert!(
        took < 16 * MEBIBYTE,
        "{took} bytes for {} of value",
        6 * DEEP
    );
    let text = value.to_string();
    assert!(text.len() < 10_000, "{} bytes", text.len());
    assert!(text.contains(".."), "{text}");
    server.finish();
}

#[test]
fn a_message_of_any_shape_is_decoded_in_its_own_memory() {
    let _turn = turn();
    // Lists within a list, lists of one, a dictionary in a dictionary, functions of functions,
    // symbols; and some that are refused at their very end, when all has been looked at.
    let nested = |start: &[u8]| [&start.repeat(LARGE / start.len())[..], b"\xff\x01"].concat();
    let many = |code: u8, item: &[u8]| {
        let count = (LARGE / item.len()) as u32;
        let head = [&[code, 0][..], &count.to_le_bytes()].concat();
        [head, item.repeat(count as usize)].concat()
    };
    for (body, is_value) in [
        (many(0, b"\0\0\0\0\0\0"), true),
        (many(11, b"\0"), true),
        (nested(b"\0\0\x01\0\0\0"), true),
        (nested(b"\x63\xfc\x01"), true),
        (nested(b"\x6a"), true),
        ([&many(0, b"\xff\x01")[..], b"\0"].concat(), false),
        (nested(b"\x63"), false),
        (nested(b"\0\0\x02\0\0\0"), false),
    ] {
        let start = body[..8].to_vec();
        let body = Body::from_bytes(body.into(), ByteOrder::Little);
        let plain = body.len() as usize;
        let packed = body.compress();
        // What repeats itself is packed to a hundredth of it.
        assert!((packed.len() as usize) < plain / 50, "{start:?}");
        for (body, most) in [(packed, plain + plain / 50), (body, plain)] {
            let answer = bytes(MessageKind::Response, body);
            let server = Server::start(move |mut peer| {
                peer.log_in(b"\x06\0", 6);
                peer.expect(&message(MessageKind::Sync, "x"));
                peer.send(&answer);
            });
            let mut handle = hopen(server.port).expect("a server");
            let (answer, took) = measured(|| handle.get("x"));
            match answer {
                Ok(_) => assert!(is_value, "{start:?}"),
                Err(Error::BadMessage(_)) => assert!(!is_value, "{start:?}"),
                Err(error) => panic!("{start:?}: {error}"),
            }
            // And what all handles have: 64 KiB to read to.
            assert!(took < most + 128 * 1024, "{start:?}: {took} bytes");
            server.finish();
        }
    }
}

/// Has a client connect, of whom nothing is known, and says what becomes of its login.
fn log_in(client: impl FnOnce(TcpStream) + Send + 'static) -> Result<Login, Error> {
    let mut options = ListenOptions::new("localhost:0W".parse().expect("an address"));
    options.unix = UnixSocket::None;
    let listener = Listener::bind(options).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let peer = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a server");
        peer.set_read_timeout(Some(PATIENCE)).expect("a socket");
        client(peer);
    });
    let channel = listener.accept().expect("the client");
    channel.receive_login(Config::server(), Some(LOGIN_TIMEOUT))
}

/// Has a client log in and do what it means to do, and returns the server's handle.
fn serve(client: impl FnOnce(TcpStream) + Send + 'static) -> Handle {
    let login = log_in(|mut peer| {
        peer.write_all(b"eve:x\x06\0").expect("a server that reads");
        let mut answer = [0];
        peer.read_exact(&mut answer).expect("it is accepted");
        client(peer);
    });
    login.expect("a login").accept().expect("a client")
}

/// The length of a body that is large enough for anything beside it to be seen.
const LARGE: usize = MEBIBYTE;

/// Reads until our end has closed, or reset what it had not read.
fn read_to_end(mut peer: &TcpStream) {
    let mut buffer = [0; 4096];
    while peer.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

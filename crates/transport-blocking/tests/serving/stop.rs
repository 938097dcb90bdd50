//! How a server comes to its end.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use hopen_blocking::Error;
use hopen_blocking::server::ServerOptions;
use hopen_codec::message::MessageKind;

use crate::support::{PATIENCE, Running, expect, large, message, read_to_end};

#[test]
fn an_idle_server_stops_and_its_clients_are_closed() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.client();
    let handle = server.opened().handle();
    let port = server.port;
    server.control.stop(PATIENCE);
    let error = client.recv().unwrap_err();
    assert!(matches!(error, Error::Closed), "{error}");
    assert_eq!(server.closed(), (handle, "Bad file descriptor".into()));
    assert_eq!(server.ended(), 0);
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
}

#[test]
fn what_was_taken_in_is_answered() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    for query in ["slowly", "later", "x"] {
        client
            .write_all(&message(MessageKind::Sync, query))
            .unwrap();
    }
    let gate = server.evaluates();
    server.control.stop(PATIENCE);
    drop(gate);
    server.asked().answer(Ok("at last")).unwrap();
    for answer in ["slowly", "at last", "x"] {
        expect(&mut client, &message(MessageKind::Response, answer));
    }
    assert_eq!(read_to_end(&mut client), b"");
    assert_eq!(server.ended(), 0);
}

#[test]
fn what_is_queued_is_written() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    let kept = server.opened();
    kept.set(large()).unwrap();
    kept.set("last").unwrap();
    server.control.stop(PATIENCE);
    expect(&mut client, &message(MessageKind::Async, large()));
    expect(&mut client, &message(MessageKind::Async, "last"));
    assert_eq!(read_to_end(&mut client), b"");
    assert_eq!(server.ended(), 0);
}

#[test]
fn what_is_not_done_in_time_is_cut_off() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    client
        .write_all(&message(MessageKind::Sync, "later"))
        .unwrap();
    let reply = server.asked();
    let _reads_nothing = server.raw_client();
    server.opened().set(large()).unwrap();
    let mut evaluated = server.raw_client();
    evaluated
        .write_all(&message(MessageKind::Sync, "slowly"))
        .unwrap();
    let gate = server.evaluates();
    server.control.stop(Duration::from_millis(1));
    assert_eq!(server.ended(), 3);
    assert_eq!(read_to_end(&mut client), b"");
    let error = reply.answer(Ok(1_i64)).unwrap_err();
    assert!(matches!(error, Error::BadHandle), "{error}");
    assert_eq!(read_to_end(&mut evaluated), b"");
    drop(gate);
}

#[test]
fn whoever_has_not_logged_in_is_closed_at_once() {
    let server = Running::start(ServerOptions::default());
    let mut slow = server.raw(b"slow");
    // It is accepted in its turn, so by then it was.
    server.client();
    assert_eq!(server.stop(), 0);
    assert_eq!(read_to_end(&mut slow), b"");
}

#[test]
fn the_shorter_time_counts() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    client
        .write_all(&message(MessageKind::Sync, "later"))
        .unwrap();
    let _kept = server.asked();
    server.control.stop(PATIENCE * 60);
    server.control.stop(Duration::ZERO);
    server.control.stop(PATIENCE * 60);
    assert_eq!(server.ended(), 1);
    assert_eq!(read_to_end(&mut client), b"");
}

#[test]
fn a_server_stops_though_clients_connect_and_ask_on_and_on() {
    let server = Running::start(ServerOptions::default());
    let port = server.port;
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let options = server.options();
            thread::spawn(move || {
                let mut answers = 0_u32;
                // Until nobody listens any longer.
                while let Ok(mut client) = hopen_blocking::hopen(options.clone()) {
                    while client.get("x").is_ok() {
                        answers += 1;
                    }
                }
                answers
            })
        })
        .collect();
    for _ in 0..4 {
        server.opened();
    }
    assert_eq!(server.client().get("x").unwrap(), "x".into());
    assert_eq!(server.stop(), 0);
    for client in clients {
        client.join().unwrap();
    }
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
}

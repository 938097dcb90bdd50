//! Shared handles against a scripted server.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hopen_blocking::{Driver, Error, Options, Phase, SharedHandle, hopen};
use hopen_codec::address::Address;
use hopen_codec::config::Requests;
use hopen_codec::connection::ProtocolError;
use hopen_codec::message::MessageKind;
use hopen_codec::value::Value;

mod server;

use server::{PATIENCE, Server, message};

#[test]
fn who_waits_to_write_is_told_that_the_handle_is_over() {
    let (over, ended) = mpsc::channel();
    let server = Server::start(move |mut peer| {
        peer.log_in(b"\x06\0", 6);
        // By then the writer waits: nothing of this is read.
        peer.0.peek(&mut [0]).expect("a message");
        peer.send(b"HTTP/1.1 400");
        ended.recv_timeout(PATIENCE).expect("the client");
    });
    let (handle, driver) = shared(server.port);
    let is_it = |error| matches!(error, Error::Protocol(ProtocolError::Frame(_)));
    thread::scope(|scope| {
        let driver = scope.spawn(|| driver.run());
        assert!(is_it(
            handle.set(larger_than_the_system_holds()).unwrap_err()
        ));
        assert!(is_it(driver.join().unwrap().unwrap_err()));
    });
    over.send(()).unwrap();
    server.finish();
}

#[test]
fn who_waits_to_write_is_told_that_nobody_reads_any_longer() {
    let server = Server::start(move |mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.0.peek(&mut [0]).expect("a message");
        std::io::copy(&mut peer.0, &mut std::io::sink()).expect("an end");
    });
    let (handle, driver) = shared(server.port);
    thread::scope(|scope| {
        let writer = scope.spawn(|| handle.set(larger_than_the_system_holds()));
        drop(driver);
        let error = writer.join().unwrap().unwrap_err();
        assert!(matches!(error, Error::Closed), "{error}");
    });
    server.finish();
}

#[test]
fn giving_up_among_pipelined_requests_ends_the_driver_too() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.send(&message(MessageKind::Async, 1_i64));
        peer.expect(&message(MessageKind::Sync, "x"));
        peer.expect_end();
    });
    let mut options = Options::new(Address::from(server.port));
    options.config.requests = Requests::Pipelined;
    let (handle, driver) = shared(options);
    let driver = thread::spawn(|| driver.run());
    // The driver reads from then on.
    assert_eq!(handle.recv().unwrap(), Value::from(1_i64));
    let error = handle.get_timeout("x", Duration::ZERO).unwrap_err();
    assert!(matches!(error, Error::Timeout(Phase::Response)), "{error}");
    let is_it = |error| matches!(error, Error::Protocol(ProtocolError::GivenUp));
    assert!(is_it(driver.join().unwrap().unwrap_err()));
    assert!(is_it(handle.get("x").unwrap_err()));
    server.finish();
}

#[test]
fn what_has_arrived_comes_out_though_the_other_side_takes_nothing() {
    let (read, was_read) = mpsc::channel();
    let server = Server::start(move |mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.send(&message(MessageKind::Async, 1_i64).repeat(2));
        was_read.recv_timeout(PATIENCE).expect("the client");
    });
    let (handle, driver) = shared(server.port);
    let driver = thread::spawn(|| driver.run());
    assert_eq!(handle.recv().unwrap(), Value::from(1_i64));
    while !format!("{handle:?}").contains("backlog: 1") {
        thread::yield_now();
    }
    handle.try_set(larger_than_the_system_holds()).unwrap();
    let received = handle.recv_timeout(PATIENCE).unwrap();
    assert_eq!(received, Value::from(1_i64));
    assert_ne!(handle.close(), 0);
    driver.join().unwrap().unwrap();
    read.send(()).unwrap();
    server.finish();
}

fn shared(to: impl Into<Options>) -> (SharedHandle, Driver) {
    hopen(to.into()).expect("a server").into_shared()
}

fn larger_than_the_system_holds() -> Value {
    Value::from(vec![7_i64; 8 * 1024 * 1024])
}

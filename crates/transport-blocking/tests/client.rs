//! What a client does beside asking: it is called back, watches what comes, asks once, and makes its
//! credentials.

use core::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hopen_blocking::{Error, Options, Phase, hopen, one_shot};
use hopen_codec::auth::Credentials;
use hopen_codec::message::{Body, MessageKind};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::value::Value;

mod server;

use server::{Peer, Server, bytes, message};

#[test]
fn a_call_back_is_answered_by_the_function_that_is_there_for_it() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "go"));
        // Called back twice before the answer, with an async in between.
        peer.send(&message(MessageKind::Sync, 20_i64));
        peer.expect(&message(MessageKind::Response, 21_i64));
        peer.send(&message(MessageKind::Async, "news"));
        peer.send(&message(MessageKind::Sync, sym!("what")));
        peer.expect(&error("type"));
        // What is no value, and what is an error, are no questions.
        peer.send(b"\x01\x01\0\0\x0a\0\0\0\x03\0");
        peer.expect(&error("badmsg"));
        peer.send(&bytes(MessageKind::Sync, Body::error(&remote_error("x"))));
        peer.expect(&error("badmsg"));
        peer.send(&message(MessageKind::Response, "done"));
        // And while something else is waited for.
        peer.send(&message(MessageKind::Sync, 1_i64));
        peer.expect(&message(MessageKind::Response, 2_i64));
        peer.send(&message(MessageKind::Async, "end"));
        peer.expect_end();
    });
    let mut handle = hopen(server.port).unwrap();
    let mut asked = 0;
    handle.on_request(move |question| {
        asked += 1;
        match question.to::<i64>() {
            Ok(number) => Ok((number + 1).into()),
            Err(_) if asked < 4 => Err(remote_error("type")),
            Err(_) => Err(remote_error("too many")),
        }
    });
    assert_eq!(handle.get("go").unwrap(), Value::from("done"));
    assert_eq!(handle.recv().unwrap(), Value::from("news"));
    assert_eq!(handle.recv().unwrap(), Value::from("end"));
    handle.close();
    server.finish();
}

#[test]
fn the_driver_answers_for_a_shared_handle() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "go"));
        peer.send(&message(MessageKind::Sync, 2_i64));
        peer.expect(&message(MessageKind::Response, 3_i64));
        peer.send(&message(MessageKind::Response, "done"));
        peer.expect_end();
    });
    let mut handle = hopen(server.port).unwrap();
    handle.on_request(|question| Ok((question.to::<i64>().expect("a long") + 1).into()));
    let (handle, driver) = handle.into_shared();
    let driver = thread::spawn(move || driver.run());
    assert_eq!(handle.get("go").unwrap(), Value::from("done"));
    handle.close();
    driver.join().unwrap().unwrap();
    server.finish();
}

#[test]
fn a_side_that_asks_on_and_reads_no_answers_is_left_by_a_function_too() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        let asked = message(MessageKind::Sync, true).repeat(1000);
        // Until our end has gone, which is what it is to do.
        while std::io::Write::write_all(&mut peer.0, &asked).is_ok() {}
    });
    let mut handle = hopen(server.port).unwrap();
    let answers = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&answers);
    handle.on_request(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(vec![7_i64; 100_000].into())
    });
    let error = handle.recv().unwrap_err();
    assert!(matches!(error, Error::Protocol(_)), "{error:?}");
    handle.close();
    server.finish();
    // 100 MiB wait at most, and what the system holds.
    let answered = answers.load(Ordering::Relaxed);
    assert!((1..1000).contains(&answered), "{answered}");
}

#[test]
fn a_message_under_way_is_watched() {
    let large = message(MessageKind::Response, vec![7_i64; 1_000_000]);
    let length = large.len() as u64;
    let server = Server::start(move |mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "all"));
        peer.send(&large);
    });
    let mut handle = hopen(server.port).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watched = Arc::clone(&seen);
    handle.watch(move |message| {
        watched
            .lock()
            .unwrap()
            .push((message.length, message.arrived));
        ControlFlow::Continue(())
    });
    let answer = handle.get("all").unwrap();
    assert_eq!(answer, Value::from(vec![7_i64; 1_000_000]));
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|(announced, _)| *announced == length));
    assert!(seen.is_sorted_by(|(_, before), (_, after)| before < after));
    assert!(seen.len() > 2, "{seen:?}");
    server.finish();
}

#[test]
fn a_message_is_refused_before_anything_is_allocated_for_it() {
    // Just below a terabyte, of which nothing comes.
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "all"));
        peer.send(&message(MessageKind::Async, "before"));
        peer.send(b"\x01\x02\0\xff\xff\xff\xff\xff");
        peer.expect_end();
    });
    let mut handle = hopen(server.port).unwrap();
    handle.watch(|message| {
        if message.length > 1_000_000 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    let length = (1 << 40) - 1;
    let error = handle.get("all").unwrap_err();
    assert!(matches!(error, Error::Refused { length: found } if found == length));
    assert_eq!(
        error.to_string(),
        "a message of 1099511627775 bytes is not wanted here"
    );
    // What had come before is not lost.
    assert_eq!(handle.recv().unwrap(), Value::from("before"));
    assert!(matches!(handle.recv(), Err(Error::Refused { .. })));
    server.finish();
}

#[test]
fn a_one_shot_takes_a_response_and_nothing_else() {
    for kind in [MessageKind::Async, MessageKind::Sync] {
        for before in [false, true] {
            let server = Server::start(move |mut peer| {
                peer.expect(b"\x06\0");
                let other = message(kind, "news");
                if before {
                    peer.send(&[b"\x06", &other[..]].concat());
                } else {
                    peer.send(b"\x06");
                    peer.expect(&message(MessageKind::Sync, "1+1"));
                    peer.send(&other);
                }
            });
            let error = one_shot(server.port, "1+1").unwrap_err();
            assert!(matches!(error, Error::ExpectedResponse), "{error:?}");
            assert_eq!(error.to_string(), "expected response");
            server.finish();
        }
    }
    let server = Server::start(|mut peer| {
        peer.log_in(b"ann:pw\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "1+1"));
        peer.send(&message(MessageKind::Response, 2_i64));
        peer.expect_end();
    });
    let handle = format!("(`::{}:ann:pw;60000)", server.port);
    assert_eq!(one_shot(handle, "1+1").unwrap(), Value::from(2_i64));
    server.finish();
}

#[test]
fn the_time_of_a_one_shot_is_for_the_answer_too() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "1+1"));
        peer.expect_end();
    });
    let error = one_shot((server.port, Duration::from_millis(200)), "1+1").unwrap_err();
    assert!(
        matches!(error, Error::Timeout(Phase::Response)),
        "{error:?}"
    );
    server.finish();
}

#[test]
fn credentials_are_made_for_each_attempt() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let log_in = |peer: &mut Peer, token: &str| {
        peer.log_in(format!("ann:{token}\x06\0").as_bytes(), 6);
    };
    let options = |port: u16| {
        let counted = Arc::clone(&counted);
        Options::try_from(format!("::{port}:ignored:ignored"))
            .unwrap()
            .credentials_from(move || {
                let attempt = counted.fetch_add(1, Ordering::Relaxed);
                if attempt == 2 {
                    return Err("the ticket has expired".into());
                }
                Ok(Credentials::new("ann", format!("token{attempt}"))?)
            })
    };
    for token in ["token0", "token1"] {
        let server = Server::start(move |mut peer| log_in(&mut peer, token));
        hopen(options(server.port)).unwrap().close();
        server.finish();
    }
    let error = hopen(options(1)).unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
    assert_eq!(error.phase(), Phase::Credentials);
    assert_eq!(error.to_string(), "no credentials: the ticket has expired");
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
}

fn error(text: &'static str) -> Vec<u8> {
    bytes(MessageKind::Response, Body::error(&remote_error(text)))
}

fn remote_error(text: &'static str) -> RemoteError {
    RemoteError::new(text).expect("no NUL")
}

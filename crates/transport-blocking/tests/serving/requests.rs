//! What clients ask, and what becomes of it.

use std::io::Write;
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use hopen_blocking::server::{BadMessage, ServerOptions};
use hopen_blocking::{Error, Handle, hopen};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Capability;
use hopen_codec::message::MessageKind;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::support::{Event, Logger, PATIENCE, Running, expect, large, message, read_to_end};

#[test]
fn requests_are_answered_and_notices_arrive() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.client();
    assert_eq!(client.get(vec![1_i64, 2]).unwrap(), vec![1_i64, 2].into());
    assert_eq!(remote(&mut client, "error"), "wrong");
    client.set("news").unwrap();
    assert_eq!(client.get("x").unwrap(), "x".into());
    let (from, news) = server.next(|event| {
        if let Event::Notice(client, message) = event {
            Some((client, message))
        } else {
            None
        }
    });
    assert_eq!(news, "news".into());
    let handle = from.handle();
    drop(client);
    assert_eq!(server.closed(), (handle, "close".into()));
    assert_eq!(server.stop(), 0);
}

#[test]
fn what_a_client_has_sent_before_it_closed_is_taken_though_its_answer_is_not() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    // It never reads the answer, which waits in the middle when the rest comes.
    client
        .write_all(&message(MessageKind::Sync, "large"))
        .unwrap();
    client
        .write_all(&message(MessageKind::Async, "the last"))
        .unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let news = server.next(|event| match event {
        Event::Notice(_, message) => Some(message),
        Event::Closed(..) => panic!("it was dropped"),
        Event::Opened(_) | Event::Evaluates(_) | Event::Asked(_) | Event::Bad(_) => None,
    });
    assert_eq!(news, "the last".into());
}

#[test]
fn an_answer_can_be_put_off_and_given_by_another_thread() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.client();
    let waiting = thread::spawn(move || (client.get("later"), client));
    let reply = server.asked();
    // Meanwhile others are served, and the one that waits is sent something.
    assert_eq!(server.client().get("x").unwrap(), "x".into());
    reply.client().set("meanwhile").unwrap();
    thread::spawn(move || reply.answer(Ok(5_i64)).unwrap())
        .join()
        .unwrap();
    let (answer, mut client) = waiting.join().unwrap();
    assert_eq!(answer.unwrap(), 5_i64.into());
    assert_eq!(client.recv().unwrap(), "meanwhile".into());
    let waiting = thread::spawn(move || remote(&mut client, "later"));
    let error = RemoteError::new("wrong").unwrap();
    server.asked().answer(Err::<Value, _>(error)).unwrap();
    assert_eq!(waiting.join().unwrap(), "wrong");
    assert_eq!(server.stop(), 0);
}

#[test]
fn answers_keep_the_order_of_the_requests() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    for query in ["later", "now", "later"] {
        client
            .write_all(&message(MessageKind::Sync, query))
            .unwrap();
    }
    let first = server.asked();
    let last = server.asked();
    // Both are held, as is the answer that was given at once.
    last.answer(Ok(3_i64)).unwrap();
    first.answer(Ok(1_i64)).unwrap();
    for answer in [Value::from(1_i64), "now".into(), 3_i64.into()] {
        expect(&mut client, &message(MessageKind::Response, answer));
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_reply_that_is_dropped_is_an_error_and_no_silence() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.client();
    assert_eq!(remote(&mut client, "never"), "no answer");
    assert_eq!(remote(&mut client, "panic later"), "no answer");
    assert_eq!(client.get("x").unwrap(), "x".into());
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_handler_that_panics_ends_the_request_and_nothing_else() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.client();
    let name = server.opened().to_string();
    assert_eq!(remote(&mut client, "panic"), "panic");
    client.set("panic").unwrap();
    assert_eq!(client.get("x").unwrap(), "x".into());
    let logged = |what: &str| Logger::about(&format!("{name}: Handler::{what} has panicked"));
    for what in ["request", "notice"] {
        assert_eq!(logged(what).len(), 1, "{what}");
        assert_eq!(logged(what)[0].0, log::Level::Error);
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_connection_whose_opening_panics_is_closed() {
    let server = Running::start(ServerOptions::default());
    let user = Credentials::user_only("opened panics").unwrap();
    let mut client = server.log_in(user).unwrap();
    let error = client.get("x").unwrap_err();
    assert!(
        matches!(error, Error::Protocol(_) | Error::Io { .. } | Error::Closed),
        "{error}"
    );
    assert_eq!(server.closed().1, "Bad file descriptor");
    assert_eq!(server.client().get("x").unwrap(), "x".into());
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_client_is_told_of_an_answer_that_it_does_not_understand() {
    let server = Running::start(ServerOptions::default());
    let mut options = server.options();
    options.config.capability = Capability::V0;
    let mut old = hopen(options).unwrap();
    assert_eq!(remote(&mut old, "guid"), "type");
    assert_eq!(old.get("x").unwrap(), "x".into());
    assert_eq!(server.opened().capability(), Capability::V0);
    assert_eq!(server.stop(), 0);
}

#[test]
fn nobody_waits_for_the_answer_to_a_client_that_is_gone() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    client
        .write_all(&message(MessageKind::Sync, "later"))
        .unwrap();
    let reply = server.asked();
    drop(client);
    assert_eq!(server.closed().1, "close");
    let error = reply.answer(Ok(1_i64)).unwrap_err();
    assert!(matches!(error, Error::BadHandle), "{error}");
    assert_eq!(server.stop(), 0);
}

#[test]
fn requests_of_several_clients_are_evaluated_at_the_same_time() {
    let server = Running::start(ServerOptions::default());
    let clients = [server.client(), server.client()]
        .map(|mut client| thread::spawn(move || client.get("slowly").unwrap()));
    let gates = [server.evaluates(), server.evaluates()];
    assert_eq!(server.client().get("x").unwrap(), "x".into());
    drop(gates);
    for client in clients {
        assert_eq!(client.join().unwrap(), "slowly".into());
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_message_that_is_none_is_shown_and_closes_the_connection() {
    let server = Running::start(ServerOptions::default());
    for kind in [MessageKind::Sync, MessageKind::Async] {
        let mut bad = message(kind, "x");
        bad[8] = 77;
        let mut client = server.raw_client();
        client.write_all(&bad).unwrap();
        // Not even a request is answered.
        assert_eq!(read_to_end(&mut client), b"");
        let (body, error) = server.next(|event| {
            if let Event::Bad(BadMessage::Body { body, error }) = event {
                Some((body, error))
            } else {
                None
            }
        });
        assert_eq!(body.chunks()[0][..], bad[8..]);
        assert_eq!(server.closed().1, format!("badmsg: {error}"));
    }
    let mut client = server.raw_client();
    client.write_all(b"HTTP/1.1").unwrap();
    assert_eq!(read_to_end(&mut client), b"");
    let header = server.next(|event| {
        if let Event::Bad(BadMessage::Header(error)) = event {
            Some(error)
        } else {
            None
        }
    });
    assert_eq!(server.closed().1, header.to_string());
    assert_eq!(server.stop(), 0);
}

#[test]
fn answers_that_wait_for_their_turn_count_as_what_waits_for_a_reader() {
    let mut options = ServerOptions::default();
    options.config.limits.queue = 100_000;
    let server = Running::start(options);
    let mut client = server.raw_client();
    let mut wire = message(MessageKind::Sync, "later");
    wire.extend(message(MessageKind::Sync, vec![7_i64; 10_000]).repeat(3));
    client.write_all(&wire).unwrap();
    let _kept = server.asked();
    let (_, why) = server.closed();
    assert_eq!(
        why,
        "more than 100000 bytes wait for the other side to read"
    );
    assert_eq!(read_to_end(&mut client), b"");
    assert_eq!(server.stop(), 0);
}

#[test]
fn who_does_not_take_an_answer_is_cut_off() {
    let mut options = ServerOptions::default();
    options.stall_timeout = Duration::from_millis(10);
    let server = Running::start(options);
    let mut client = server.raw_client();
    client
        .write_all(&message(MessageKind::Sync, "large"))
        .unwrap();
    assert_eq!(server.closed().1, "timeout while writing an answer");
    let expected = message(MessageKind::Response, large());
    let read = read_to_end(&mut client);
    assert!(read.len() < expected.len() && expected.starts_with(&read));
    assert_eq!(server.stop(), 0);
}

#[test]
fn who_does_not_send_a_message_to_its_end_is_cut_off_and_who_sends_nothing_is_not() {
    let mut options = ServerOptions::default();
    options.stall_timeout = Duration::from_millis(10);
    let server = Running::start(options);
    let mut idle = server.client();
    let half = message(MessageKind::Sync, vec![7_i64; 100]);
    for length in [1, 8, half.len() - 1] {
        let mut client = server.raw_client();
        client.write_all(&half[..length]).unwrap();
        assert_eq!(
            server.closed().1,
            "timeout while waiting for the rest of a message"
        );
        assert_eq!(read_to_end(&mut client), b"");
    }
    // It may also be busy for longer, and have sent half a message by then.
    let mut client = server.raw_client();
    let slowly = message(MessageKind::Sync, "slowly");
    client
        .write_all(&[&slowly[..], &half[..9]].concat())
        .unwrap();
    drop(server.evaluates());
    expect(&mut client, &message(MessageKind::Response, "slowly"));
    assert_eq!(
        server.closed().1,
        "timeout while waiting for the rest of a message"
    );
    assert_eq!(idle.get("x").unwrap(), "x".into());
    assert_eq!(server.stop(), 0);
}

#[test]
fn while_a_request_is_evaluated_nothing_more_is_read_from_its_client() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    client
        .write_all(&message(MessageKind::Sync, "slowly"))
        .unwrap();
    let gate = server.evaluates();
    // The system takes some of it, and no more before the request is done.
    client.set_nonblocking(true).unwrap();
    let notice = message(MessageKind::Async, vec![0_i64; 100_000]);
    let mut sent = Vec::new();
    while sent.len() < 1_000_000_000 {
        match client.write(&notice[sent.len() % notice.len()..]) {
            Ok(count) => sent.resize(sent.len() + count, 0),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(sent.len() < 1_000_000_000);
    drop(gate);
    client.set_nonblocking(false).unwrap();
    let left = notice.len() - sent.len() % notice.len();
    client.write_all(&notice[notice.len() - left..]).unwrap();
    expect(&mut client, &message(MessageKind::Response, "slowly"));
    client.write_all(&message(MessageKind::Sync, "x")).unwrap();
    expect(&mut client, &message(MessageKind::Response, "x"));
    assert_eq!(server.stop(), 0);
}

/// Returns the error that a query is answered with.
fn remote(client: &mut Handle, query: &str) -> String {
    match client.get_timeout(query, PATIENCE) {
        Err(Error::Remote(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

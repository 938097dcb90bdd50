//! More in both directions at once than the systems hold on the way.

use std::thread;

use hopen_blocking::{Error, Handle, Phase};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::ends::{BRIEF, Between, request};

#[test]
fn both_ends_send_one_large_message_and_flush() {
    for length in [64_000_000, 64 * 1024 * 1024] {
        Between::each("one message", move |between| {
            send_at_each_other(between.handles(), 1, length);
        });
    }
}

#[test]
fn both_ends_send_many_large_messages_and_flush() {
    for length in [1_000_000, 1024 * 1024] {
        Between::each("64 messages", move |between| {
            send_at_each_other(between.handles(), 64, length);
        });
    }
}

#[test]
fn both_ends_send_very_many_small_messages_and_flush() {
    // All of 64 MB in an optimised build, which takes seconds.
    let count = if cfg!(debug_assertions) {
        64_000
    } else {
        640_000
    };
    Between::each("small messages", move |between| {
        // What keeping them takes is several times their length.
        let handles = between.configured(|config| config.limits.kept_asyncs = usize::MAX);
        send_at_each_other(handles, count, 100);
    });
}

#[test]
fn both_ends_receive_though_more_waits_to_go_out_than_either_keeps() {
    Between::each("more than is kept", |between| {
        let (client, server) = between.configured(|config| {
            config.limits.kept_asyncs = 1_000_000;
        });
        let exchange = |mut handle: Handle| {
            move || {
                for number in 0..COUNT {
                    handle.try_set(numbered(number, 100_000)).unwrap();
                }
                for number in 0..COUNT {
                    assert!(handle.recv().unwrap() == numbered(number, 100_000));
                }
                // The other end may not have received everything yet.
                handle.flush().unwrap();
                handle
            }
        };
        let client = thread::spawn(exchange(client));
        let _server = exchange(server)();
        client.join().unwrap();
    });

    const COUNT: usize = 100;
}

#[test]
fn a_client_that_asks_declines_what_it_is_asked_and_is_answered_all_the_same() {
    Between::each("both ask", |between| {
        let (mut client, mut server) = between.handles();
        let client = thread::spawn(move || {
            assert!(client.get(numbered(1, LARGE)).unwrap() == numbered(2, LARGE));
            assert_eq!(client.recv().unwrap(), Value::from("done"));
        });
        let declined = server.get(numbered(3, LARGE)).unwrap_err();
        assert!(is_declined(&declined), "{declined:?}");
        let (ticket, question) = request(&mut server);
        assert!(question == numbered(1, LARGE));
        server.respond(ticket, Ok(numbered(2, LARGE))).unwrap();
        server.set("done").unwrap();
        server.flush().unwrap();
        client.join().unwrap();
    });
}

#[test]
fn a_server_that_has_given_up_its_own_question_answers_the_client_s() {
    Between::each("a question given up", |between| {
        let (mut client, mut server) = between.handles();
        // The client reads nothing yet, so that most of this stays here.
        let error = server.get_timeout(numbered(3, LARGE), BRIEF).unwrap_err();
        assert!(
            matches!(error, Error::Timeout(Phase::Response)),
            "{error:?}"
        );
        let client = thread::spawn(move || {
            assert!(client.get(numbered(1, LARGE)).unwrap() == numbered(2, LARGE));
            let closed = client.recv().unwrap_err();
            assert!(matches!(closed, Error::Closed), "{closed:?}");
        });
        let (ticket, question) = request(&mut server);
        assert!(question == numbered(1, LARGE));
        server.respond(ticket, Ok(numbered(2, LARGE))).unwrap();
        let declined = server.get("again").unwrap_err();
        assert!(is_declined(&declined), "{declined:?}");
        drop(server);
        client.join().unwrap();
    });
}

/// Each end sends so many messages of such a length, flushes, and then receives the other's.
fn send_at_each_other((client, server): (Handle, Handle), count: usize, length: usize) {
    let exchange = move |mut handle: Handle| {
        move || {
            for number in 0..count {
                let sent = handle.set(numbered(number, length));
                sent.expect("the other end reads");
            }
            handle.set("that was all").expect("the other end reads");
            handle.flush().expect("the other end reads");
            for number in 0..count {
                assert!(
                    handle.recv().expect("a message") == numbered(number, length),
                    "{number}"
                );
            }
            assert_eq!(
                handle.recv().expect("a message"),
                Value::from("that was all")
            );
            handle
        }
    };
    let client = thread::spawn(exchange(client));
    let server = exchange(server)();
    let mut client = client.join().expect("it receives everything");
    drop(server);
    assert!(matches!(client.recv(), Err(Error::Closed)));
}

/// Returns a text of this length that is no other number's.
fn numbered(number: usize, length: usize) -> Value {
    let mut text = vec![number as u8; length];
    text[..8].copy_from_slice(&(number as u64).to_le_bytes());
    text[length - 8..].copy_from_slice(&(number as u64).to_be_bytes());
    Value::from(text)
}

fn is_declined(error: &Error) -> bool {
    let words = RemoteError::new("nyi: this client answers no requests").expect("no NUL");
    matches!(error, Error::Remote(found) if *found == words)
}

/// More than the systems keep on the way.
const LARGE: usize = 64_000_000;

//! What clients are sent unasked.

use std::io::Write;
use std::thread;

use hopen_blocking::server::{Client, ServerOptions, broadcast};
use hopen_blocking::{Error, hopen};
use hopen_codec::config::Capability;
use hopen_codec::message::MessageKind;
use hopen_codec::value::{Guid, Value};

use crate::support::{Event, PATIENCE, Running, expect, large, message};

#[test]
fn any_thread_sends_at_any_time() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.client();
    let kept = server.opened();
    let sender = {
        let kept = kept.clone();
        thread::spawn(move || (0..100_i64).for_each(|n| kept.set(n).unwrap()))
    };
    for n in 0..100_i64 {
        assert_eq!(client.recv_timeout(PATIENCE).unwrap(), n.into());
    }
    sender.join().unwrap();
    // Also while its request is evaluated, and more than the system holds.
    let waiting = thread::spawn(move || (client.get("slowly").unwrap(), client));
    let gate = server.evaluates();
    kept.set(large()).unwrap();
    kept.set("behind it").unwrap();
    drop(gate);
    let (answer, mut client) = waiting.join().unwrap();
    assert_eq!(answer, "slowly".into());
    assert_eq!(client.recv().unwrap(), large());
    assert_eq!(client.recv().unwrap(), "behind it".into());
    assert_eq!(server.stop(), 0);
}

#[test]
fn what_waits_is_written_though_the_handler_is_busy() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.raw_client();
    let kept = server.opened();
    client
        .write_all(&message(MessageKind::Sync, "slowly"))
        .unwrap();
    let gate = server.evaluates();
    kept.set(large()).unwrap();
    assert_ne!(kept.queued(), 0);
    expect(&mut client, &message(MessageKind::Async, large()));
    drop(gate);
    expect(&mut client, &message(MessageKind::Response, "slowly"));
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_client_that_is_closed_is_sent_nothing_more() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.client();
    let kept = server.opened();
    let handles = |server: &Running| -> Vec<u64> {
        let clients = server.control.clients();
        clients.iter().map(|client| client.handle()).collect()
    };
    assert_eq!(handles(&server), [kept.handle()]);
    assert_eq!((kept.queued(), kept.close()), (0, 0));
    let error = client.recv().unwrap_err();
    assert!(matches!(error, Error::Closed), "{error}");
    assert_eq!(
        server.closed(),
        (kept.handle(), "Bad file descriptor".into())
    );
    let error = kept.set("x").unwrap_err();
    assert!(matches!(error, Error::BadHandle), "{error}");
    assert_eq!((kept.queued(), kept.close()), (0, 0));
    assert!(handles(&server).is_empty());
    assert_eq!(server.stop(), 0);
}

#[test]
fn closing_tells_how_much_is_dropped() {
    let server = Running::start(ServerOptions::default());
    let _reads_nothing = server.raw_client();
    let kept = server.opened();
    kept.set(large()).unwrap();
    let queued = kept.queued();
    assert!(queued > 0);
    assert_eq!(kept.close(), queued);
    assert_eq!(server.stop(), 0);
}

#[test]
fn of_a_hundred_subscribers_the_one_that_stops_reading_is_cut_off() {
    const SUBSCRIBERS: usize = 100;
    let mut options = ServerOptions::default();
    options.config.limits.queue = 1_000_000;
    let server = Running::start(options);
    let _reads_nothing = server.raw_client();
    let slow = server.opened().handle();
    let readers: Vec<_> = (1..SUBSCRIBERS)
        .map(|_| {
            let mut client = server.client();
            thread::spawn(move || {
                let mut count = 0;
                while client.recv_timeout(PATIENCE).unwrap() != "end".into() {
                    count += 1;
                }
                count
            })
        })
        .collect();
    let subscribers: Vec<_> = (0..SUBSCRIBERS - 1).map(|_| server.opened()).collect();
    let update = Value::from(vec![7_i64; 4000]);
    let mut updates = 0;
    // What the system holds for the slow one, and the limit.
    while server.control.clients().len() == SUBSCRIBERS {
        // The others keep up, or this would have to wait for them.
        let is_behind = |client: &Client| client.queued() > 500_000;
        while subscribers.iter().any(is_behind) {
            thread::yield_now();
        }
        broadcast(&server.control.clients(), update.clone()).unwrap();
        updates += 1;
        assert!(updates < 10_000, "nobody is cut off");
    }
    let why = "more than 1000000 bytes wait for the other side to read";
    assert_eq!(server.closed(), (slow, why.into()));
    assert_eq!(broadcast(&subscribers, "end").unwrap(), SUBSCRIBERS - 1);
    for reader in readers {
        assert_eq!(reader.join().unwrap(), updates);
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_broadcast_that_one_does_not_understand_is_sent_to_none() {
    let server = Running::start(ServerOptions::default());
    let mut new = server.client();
    let first = server.opened();
    let mut options = server.options();
    options.config.capability = Capability::V2;
    let mut old = hopen(options).unwrap();
    let second = server.opened();
    let error = broadcast([&first, &second], Guid([1; 16])).unwrap_err();
    assert_eq!(error.handle, second.handle());
    let expected = format!("type error serializing for handle {}", second.handle());
    assert_eq!(error.to_string(), expected);
    assert_eq!(broadcast([&first, &second], "to both").unwrap(), 2);
    for client in [&mut new, &mut old] {
        assert_eq!(client.recv_timeout(PATIENCE).unwrap(), "to both".into());
    }
    // One that is gone is passed over.
    drop(old);
    server.closed();
    assert_eq!(broadcast([&first, &second], "to one").unwrap(), 1);
    assert_eq!(new.recv_timeout(PATIENCE).unwrap(), "to one".into());
    assert_eq!(broadcast([], "to nobody").unwrap(), 0);
    assert_eq!(server.stop(), 0);
}

#[test]
fn who_is_told_of_a_client_can_answer_by_an_async_message() {
    let server = Running::start(ServerOptions::default());
    let mut client = server.client();
    client.set("subscribe").unwrap();
    client.flush().unwrap();
    let from = server.next(|event| {
        if let Event::Notice(client, _) = event {
            Some(client)
        } else {
            None
        }
    });
    from.set("welcome").unwrap();
    assert_eq!(client.recv_timeout(PATIENCE).unwrap(), "welcome".into());
    assert_eq!(server.stop(), 0);
}

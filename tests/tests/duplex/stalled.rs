//! Callers that wait for a writer, a reader or a turn of somebody else's, and have to be woken.

use std::io::{self, PipeWriter, Write, pipe, sink};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use hopen_blocking::{Channel, Error, Handle, Phase, SharedHandle};
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Compression, Config};
use hopen_codec::value::Value;

use crate::ends::{BRIEF, Between, drive, echo, request};
use crate::watchdog;

#[test]
fn a_flush_that_its_writer_is_done_with_meanwhile_ends() {
    watchdog::ends("flushes of a handle that takes nothing more in", || {
        let mut config = Config::client();
        config.limits.kept_asyncs = 0;
        let (mut handle, mut peer) = opened(sink(), config);
        // The second comes with the first, and is kept by the first flush that waits.
        peer.write_all(&ASYNC.repeat(2)).unwrap();
        handle.recv().unwrap();
        for number in 0..FLUSHES {
            handle.set(number).unwrap();
            handle.flush().unwrap();
        }
        assert!(format!("{handle:?}").contains("backlog: 1"));
        drop(peer);
    });
}

#[test]
fn a_shared_flush_that_its_writer_is_done_with_meanwhile_ends() {
    watchdog::ends("flushes of a shared handle", || {
        let (handle, peer) = opened(sink(), Config::client());
        let (handle, driver) = drive(handle.into_shared());
        for number in 0..FLUSHES {
            handle.set(number).unwrap();
            handle.flush().unwrap();
        }
        drop(peer);
        driver.join().unwrap().unwrap();
    });
}

#[test]
fn an_answer_that_the_client_has_when_it_closes_was_written() {
    Between::each("closed at once behind the answer", |between| {
        for number in 0..CONNECTIONS {
            let (mut client, mut server) = between.handles();
            let client = thread::spawn(move || {
                assert_eq!(client.get(number).unwrap(), number.into());
            });
            let (ticket, question) = request(&mut server);
            server.respond(ticket, Ok(question)).unwrap();
            client.join().unwrap();
        }
    });
}

#[test]
fn a_driver_that_is_dropped_ends_a_flush_that_is_stuck() {
    watchdog::ends("a flush without a driver", || {
        let (told, writes) = mpsc::channel();
        let (_never, go) = mpsc::channel();
        let writer = Stuck {
            passes: 1,
            told,
            go,
        };
        let mut config = Config::client();
        config.compression = Compression::Never;
        let (handle, _peer) = opened(writer, config);
        let (handle, driver) = handle.into_shared();
        let flushed = thread::spawn(move || {
            // More than the writer has in hand.
            handle.set(vec![7_u8; 200_000])
        });
        await_writes(&writes, 2);
        drop(driver);
        let error = flushed.join().unwrap().unwrap_err();
        assert!(matches!(error, Error::Closed), "{error:?}");
    });
}

#[test]
fn who_asks_is_told_of_a_write_that_failed_though_nothing_comes() {
    watchdog::ends("a question to a peer that does not read", || {
        let (reader, writer) = pipe().unwrap();
        let (handle, mut peer) = opened(writer, Config::client());
        let (handle, _driver) = drive(handle.into_shared());
        peer.write_all(ASYNC).unwrap();
        // The driver reads by now.
        handle.recv().unwrap();
        drop(reader);
        let error = handle.get("x").unwrap_err();
        assert!(
            matches!(&error, Error::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe),
            "{error:?}"
        );
        drop(peer);
    });
}

#[test]
fn who_asks_makes_the_driver_read_on_behind_what_nobody_receives() {
    Between::each("a late answer behind what is kept", |between| {
        let (client, mut server) = between.configured(|config| config.limits.kept_asyncs = 0);
        let (client, driver) = drive(client.into_shared());
        let error = client.get_timeout("first", BRIEF).unwrap_err();
        assert!(
            matches!(error, Error::Timeout(Phase::Response)),
            "{error:?}"
        );
        let (late, _) = request(&mut server);
        server.set("kept").unwrap();
        server.respond(late, Ok("late")).unwrap();
        // From then on the driver reads nothing more until somebody wants it.
        wait_until_it_shows(&client, "backlog: 1,");
        let server = thread::spawn(move || echo(server));
        assert_eq!(client.get("second").unwrap(), Value::from("second"));
        assert_eq!(client.recv().unwrap(), Value::from("kept"));
        drop(client);
        driver.join().unwrap().unwrap();
        server.join().unwrap();
    });
}

#[test]
fn a_message_is_handed_out_while_one_of_ours_is_stuck() {
    Between::each("a message beside one that is stuck", |between| {
        let (client, mut server) = between.handles();
        let (client, _driver) = drive(client.into_shared());
        client.try_set(vec![7_u8; LARGE]).unwrap();
        let waits = client.clone();
        let waits = thread::spawn(move || waits.recv());
        // The server takes some of that while it writes, and no more.
        server.set("news").unwrap();
        server.flush().unwrap();
        assert_eq!(waits.join().unwrap().unwrap(), Value::from("news"));
        client.close();
    });
}

#[test]
fn an_answer_is_handed_out_while_somebody_else_s_message_is_stuck() {
    watchdog::ends("an answer beside a flush that is stuck", || {
        let (told, writes) = mpsc::channel();
        let (never, go) = mpsc::channel();
        // The login and the question.
        let writer = Stuck {
            passes: 2,
            told,
            go,
        };
        let (handle, mut peer) = opened(writer, Config::client());
        let (handle, driver) = drive(handle.into_shared());
        let [asks, sends] = [(); 2].map(|()| handle.clone());
        let asks = thread::spawn(move || asks.get("x"));
        await_writes(&writes, 2);
        let sends = thread::spawn(move || sends.set("stuck").and_then(|()| sends.flush()));
        await_writes(&writes, 1);
        // Each of these wakes who asks, who has to go on waiting for the answer and nothing else.
        for number in 1..=100 {
            peer.write_all(ASYNC).unwrap();
            wait_until_it_shows(&handle, &format!("backlog: {number},"));
        }
        peer.write_all(ANSWER).unwrap();
        assert_eq!(asks.join().unwrap().unwrap(), Value::from(true));
        handle.close();
        assert!(matches!(sends.join().unwrap(), Err(Error::BadHandle)));
        driver.join().unwrap().unwrap();
        drop(never);
    });
}

/// Waits until the `Debug` form of a handle, which tells lengths, has this in it.
fn wait_until_it_shows(handle: &SharedHandle, text: &str) {
    while !format!("{handle:?}").contains(text) {
        thread::yield_now();
    }
}

/// Returns a handle that writes to `writer`, and what its peer writes to.
fn opened(writer: impl Write + Send + 'static, config: Config) -> (Handle, PipeWriter) {
    let (reader, mut peer) = pipe().expect("a pipe");
    peer.write_all(b"\x06").expect("room for a byte");
    let channel = Channel::new(reader, writer).expect("two threads");
    let handle = channel.log_in(&Credentials::anonymous(), config, None);
    (handle.expect("a peer that has accepted"), peer)
}

/// A writer that takes what it gets so many times, and then waits. It tells of each time.
struct Stuck {
    passes: usize,
    told: Sender<()>,
    go: Receiver<()>,
}

/// Waits until a writer has been called so often.
fn await_writes(writes: &Receiver<()>, count: usize) {
    assert_eq!(writes.iter().take(count).count(), count);
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.told.send(()).expect("the test goes on");
        if self.passes == 0 {
            // Until the test is over.
            let _ = self.go.recv();
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.passes -= 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// More than the systems keep on the way.
const LARGE: usize = 64_000_000;

/// The answer to a question: a boolean.
const ANSWER: &[u8] = b"\x01\x02\0\0\x0a\0\0\0\xff\x01";

/// An async message: a byte.
const ASYNC: &[u8] = b"\x01\0\0\0\x0a\0\0\0\xfc\x01";

/// So many that one of them is closed before the writer has said that it is done.
const CONNECTIONS: i64 = 1000;

/// So many that one of them meets its writer at work, on most machines.
const FLUSHES: i64 = 50_000;

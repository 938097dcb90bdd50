//! Named pipes of the system, devices and files, and futures of theirs that are dropped.
#![cfg(target_os = "linux")]

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::io::{self, Write};
use std::sync::mpsc;

use async_io::block_on;
use bytes::Buf;
use fifo::Fifo;
use futures_io::AsyncRead;
use hopen_async_std::{Error, Lines, Opened, Pipe, open_any, open_pipe};
use hopen_codec::config::Limits;
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;

#[path = "../../transport-blocking/tests/fifo/mod.rs"]
mod fifo;

/// Returns what a future gives that is dropped at the poll that is so far away, and made anew.
macro_rules! cut {
    ($left:ident, $future:expr) => {
        loop {
            if let Some(done) = poll_until_cut(&mut $left, $future) {
                break done.expect("nothing is wrong with it");
            }
        }
    };
}

#[test]
fn reading_waits_for_a_writer_and_its_end_is_the_end() {
    block_on(async {
        let fifo = Fifo::new();
        let mut pipe = open_pipe(fifo.handle()).await.unwrap();
        // Nobody has come, and a reader that is not waited for any more has lost nothing.
        assert!(is_pending(pipe.read1()));
        assert!(is_pending(pipe.read_line()));
        let (done, wait) = mpsc::channel();
        let writer = fifo.write(move |mut pipe| {
            pipe.write_all(b"from the first").unwrap();
            wait.recv().unwrap();
        });
        assert_eq!(pipe.read1_up_to(4).await.unwrap(), "from");
        assert_eq!(pipe.read1().await.unwrap(), " the first");
        assert!(is_pending(pipe.read1()));
        done.send(()).unwrap();
        writer.join().unwrap();
        assert_eq!(pipe.read1().await.unwrap(), "");
        assert_eq!(pipe.read1().await.unwrap(), "");
    });
}

#[test]
fn a_writer_that_has_gone_before_anybody_reads_has_been_there() {
    block_on(async {
        let fifo = Fifo::new();
        for text in ["", "line"] {
            let mut pipe = open_pipe(fifo.handle()).await.unwrap();
            let writer = fifo.write(move |mut pipe| pipe.write_all(text.as_bytes()).unwrap());
            writer.join().unwrap();
            assert_eq!(pipe.read1().await.unwrap(), text);
            assert_eq!(pipe.read1().await.unwrap(), "");
        }
    });
}

#[test]
fn lines_and_messages_come_through_a_named_pipe() {
    block_on(async {
        let fifo = Fifo::new();
        let text: String = (0..100_000).map(|n| format!("trade,{n}\n")).collect();
        let value = Value::from(vec![7_i64; 100_000]);
        let wire = [b"columns\n", &message(&value)[..], text.as_bytes()].concat();
        let writer = fifo.write(move |mut pipe| pipe.write_all(&wire).unwrap());
        let mut pipe = open_pipe(fifo.handle()).await.unwrap();
        assert_eq!(pipe.read_line().await.unwrap().unwrap(), "columns");
        let message = pipe.read_message().await.unwrap().unwrap();
        assert_eq!(message.body.decode(&Limits::client()), Ok(Ok(value)));
        let mut found = Vec::new();
        while let Some(lines) = pipe.read_lines(Lines::CHUNK).await.unwrap() {
            found.extend_from_slice(lines.as_bytes());
        }
        writer.join().unwrap();
        assert!(found == text.as_bytes());
    });
}

#[test]
fn devices_and_files_are_read_by_a_thread() {
    block_on(async {
        let mut random = open_pipe(":fifo:///dev/urandom").await.unwrap();
        let first = random.read1_up_to(8).await.unwrap();
        let second = random.read1_up_to(8).await.unwrap();
        assert_eq!((first.len(), second.len()), (8, 8));
        assert_ne!(first, second);
        let zeros = open_pipe(":fifo:///dev/zero").await.unwrap();
        let error = zeros.line_limit(1_000_000).read_line().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            ":fifo:///dev/zero: the line at byte 0 is longer than 1000000 bytes"
        );
        let mut empty = open_pipe(":fifo:///dev/null").await.unwrap();
        assert_eq!(empty.read1().await.unwrap(), "");
        let error = open_pipe(":fifo:///nowhere").await.unwrap_err();
        let says = ":fifo:///nowhere cannot be opened. OS reports: ";
        assert!(error.to_string().starts_with(says), "{error}");
    });
}

#[test]
fn a_future_that_is_dropped_at_any_poll_has_lost_no_byte() {
    let value = Value::from("a text");
    let wire = [b"one\ntwo\r\n", &message(&value)[..], b"three\nrest"].concat();
    let mut at = 0;
    loop {
        let mut pipe = Pipe::new(Dribble::new(&wire));
        let mut left = Some(at);
        let first = cut!(left, pipe.read_line()).unwrap();
        assert_eq!(first, "one");
        let second = cut!(left, pipe.read_line()).unwrap();
        assert_eq!(second, "two");
        let found = cut!(left, pipe.read_message()).unwrap();
        assert_eq!(found.body.decode(&Limits::client()), Ok(Ok(value.clone())));
        let third = cut!(left, pipe.read_lines(1)).unwrap();
        assert_eq!(third.as_bytes(), "three\n");
        let rest = cut!(left, pipe.read_line()).unwrap();
        assert_eq!(rest, "rest");
        assert!(cut!(left, pipe.read_line()).is_none());
        if left.is_some() {
            break;
        }
        at += 1;
    }
    // Each byte, and the end, was waited for and once given up.
    assert_eq!(at, wire.len() + 1);
}

#[test]
fn a_writer_that_never_pauses_leaves_others_their_turn() {
    struct Flood(usize);
    impl AsyncRead for Flood {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            room: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            self.0 += 1;
            room.fill(b'x');
            // Its end is only for a test that would not come to one.
            Poll::Ready(Ok(if self.0 < 10_000 { room.len() } else { 0 }))
        }
    }
    let mut pipe = Pipe::new(Flood(0)).line_limit(1000);
    block_on(pipe.read_line()).unwrap_err();
    // The rest of the line is skipped, for ever.
    assert!(is_pending(pipe.read_line()));
    assert!(is_pending(pipe.read_line()));
    // Whoever waits is woken: it comes to the end.
    assert!(block_on(pipe.read_line()).unwrap().is_none());
}

#[test]
fn any_handle_opens_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("any");
    block_on(async {
        let opened = open_any(format!(":{}", path.display())).await.unwrap();
        let Opened::File(mut file) = opened else {
            panic!("it is a file")
        };
        file.append_line("a line").await.unwrap();
        // A file is a pipe that has an end, as on KX's page of read1.
        let opened = open_any(format!(":fifo://{}", path.display())).await;
        let Opened::Pipe(mut pipe) = opened.unwrap() else {
            panic!("it is a pipe")
        };
        assert_eq!(pipe.read_line().await.unwrap().unwrap(), "a line");
        assert_eq!(pipe.read1().await.unwrap(), "");
        // Nobody listens there: it is a process that is tried.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = open_any(format!(":127.0.0.1:{port}")).await.unwrap_err();
        assert!(matches!(error, Error::Hop { .. }), "{error}");
        let error = open_pipe(":data/log").await.unwrap_err();
        assert!(matches!(error, Error::Address(_)), "{error}");
    });
}

fn poll_until_cut<T>(left: &mut Option<usize>, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut nobody()) {
            Poll::Ready(done) => return Some(done),
            Poll::Pending if *left == Some(0) => {
                *left = None;
                return None;
            }
            Poll::Pending => *left = left.map(|left| left - 1),
        }
    }
}

/// Polls a future once and drops it.
fn is_pending(future: impl Future) -> bool {
    pin!(future).poll(&mut nobody()).is_pending()
}

fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A reader that gives one byte at every other poll.
struct Dribble<'w> {
    wire: &'w [u8],
    is_ready: bool,
}

impl<'w> Dribble<'w> {
    const fn new(wire: &'w [u8]) -> Self {
        Self {
            wire,
            is_ready: false,
        }
    }
}

impl AsyncRead for Dribble<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.is_ready = !self.is_ready;
        if self.is_ready {
            return Poll::Pending;
        }
        let count = room.len().min(self.wire.len()).min(1);
        let (given, rest) = self.wire.split_at(count);
        room[..count].copy_from_slice(given);
        self.wire = rest;
        Poll::Ready(Ok(count))
    }
}

fn message(value: &Value) -> Vec<u8> {
    let mut outbox = Outbox::default();
    let body = Body::encode(value).expect("it can be sent");
    Message::new(MessageKind::Async, body).write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).to_vec()
}

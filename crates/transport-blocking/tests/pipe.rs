//! Named pipes of the system, and devices.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::sync::mpsc;

use bytes::Buf;
use fifo::Fifo;
use flate2::Compression;
use flate2::write::GzEncoder;
use hopen_blocking::{Error, Lines, PipeErrorKind, open_pipe};
use hopen_codec::config::Limits;
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::sym;
use hopen_codec::value::Value;

mod fifo;

#[test]
fn opening_waits_for_a_writer_and_its_end_is_the_end() {
    let fifo = Fifo::new();
    let writer = fifo.write(|mut pipe| pipe.write_all(b"from the first").unwrap());
    let mut pipe = open_pipe(fifo.handle()).unwrap();
    writer.join().unwrap();
    assert_eq!(pipe.read1_up_to(4).unwrap(), "from");
    assert_eq!(pipe.read1().unwrap(), " the first");
    assert_eq!(pipe.read1().unwrap(), "");

    // Another writer is for whoever opens the pipe anew. It stays until that has happened, as the
    // first reader lets it begin.
    let (done, wait) = mpsc::channel();
    let writer = fifo.write(move |mut pipe| {
        pipe.write_all(b"from the second").unwrap();
        wait.recv().unwrap();
    });
    let mut another = open_pipe(fifo.handle()).unwrap();
    assert_eq!(pipe.read1().unwrap(), "");
    assert_eq!(another.read1().unwrap(), "from the second");
    done.send(()).unwrap();
    writer.join().unwrap();
    assert_eq!(another.read1().unwrap(), "");
}

#[test]
fn a_packed_file_of_lines_is_read_without_unpacking_it_first() {
    let fifo = Fifo::new();
    let text: String = (0..100_000)
        .map(|n| format!("trade,{n},{}\n", n * 7))
        .collect();
    let packed = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let writer = fifo.write(move |mut pipe| pipe.write_all(&packed).unwrap());
    let mut pipe = open_pipe(fifo.handle()).unwrap().gunzip();
    let mut pieces = Vec::new();
    while let Some(lines) = pipe.read_lines(Lines::CHUNK).unwrap() {
        assert!(lines.as_bytes().len() <= Lines::CHUNK);
        pieces.push(lines);
    }
    writer.join().unwrap();
    assert_eq!(pieces.len(), text.len().div_ceil(Lines::CHUNK));
    let lines = pieces.iter().flat_map(Lines::iter);
    assert!(lines.eq(text.lines().map(str::as_bytes)));
}

#[test]
fn messages_come_through_a_pipe() {
    let fifo = Fifo::new();
    let sent: Vec<Value> = (0..50_i64)
        .map(|n| (sym!("upd"), sym!("t"), vec![n; n as usize * 1000]).into())
        .collect();
    let to_send = sent.clone();
    let writer = fifo.write(move |mut pipe| {
        for value in to_send {
            pipe.write_all(&message(value)).unwrap();
        }
    });
    let mut pipe = open_pipe(fifo.handle()).unwrap();
    for value in sent {
        let message = pipe.read_message().unwrap().unwrap();
        assert_eq!(message.kind, MessageKind::Async);
        assert_eq!(message.body.decode(&Limits::client()), Ok(Ok(value)));
    }
    assert!(pipe.read_message().unwrap().is_none());
    writer.join().unwrap();
}

#[test]
fn a_writer_that_dies_in_a_message_is_told() {
    let fifo = Fifo::new();
    let writer = fifo.write(|mut pipe| {
        let whole = message(1_i64);
        pipe.write_all(&whole).unwrap();
        pipe.write_all(&whole[..12]).unwrap();
    });
    let mut pipe = open_pipe(fifo.handle()).unwrap();
    assert!(pipe.read_message().unwrap().is_some());
    let error = pipe.read_message().unwrap_err();
    writer.join().unwrap();
    assert!(matches!(error.kind, PipeErrorKind::Truncated { .. }));
    assert_eq!(
        Error::from(error).to_string(),
        format!(
            "{}: of the message at byte 17 there are 12 of 17 bytes",
            fifo.handle()
        )
    );
}

#[test]
fn a_device_gives_as_much_as_is_asked_for() {
    let mut random = open_pipe(":fifo:///dev/urandom").unwrap();
    let first = random.read1_up_to(8).unwrap();
    let second = random.read1_up_to(8).unwrap();
    assert_eq!((first.len(), second.len()), (8, 8));
    assert_ne!(first, second);
    // It never has a newline where one would be needed in time.
    let zeros = open_pipe(":fifo:///dev/zero").unwrap();
    let error = zeros.line_limit(1_000_000).read_line().unwrap_err();
    assert_eq!(
        error.to_string(),
        ":fifo:///dev/zero: the line at byte 0 is longer than 1000000 bytes"
    );
    let mut empty = open_pipe(":fifo:///dev/null").unwrap();
    assert_eq!(empty.read1().unwrap(), "");
}

fn message(value: impl Into<Value>) -> Vec<u8> {
    let mut outbox = Outbox::default();
    Message::new(
        MessageKind::Async,
        Body::encode(&value.into()).expect("it can be sent"),
    )
    .write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).to_vec()
}

use std::collections::VecDeque;
use std::io::{self, Read, Write as _};

use bytes::{Buf, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use hopen_codec::config::Limits;
use hopen_codec::frame::FrameError;
use hopen_codec::gzip::GzipError;
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;
use hopen_transport::PipeErrorKind;
use hopen_transport::pipe::Inflow;
use proptest::prelude::*;

use super::*;

#[test]
fn read1_reads_once_and_says_the_end_by_nothing() {
    let mut pipe = Pipe::new(script(&[b"ab", b"cde", &[7; 100_000]]));
    assert_eq!(pipe.read1().unwrap(), "ab");
    assert_eq!(pipe.read1_up_to(2).unwrap(), "cd");
    assert_eq!(pipe.read1_up_to(0).unwrap(), "");
    assert_eq!(pipe.source_reads(), 2);
    assert_eq!(pipe.read1().unwrap(), "e");
    assert_eq!(pipe.source_reads(), 3);
    let mut left = 100_000;
    while left > 0 {
        let reads = pipe.source_reads();
        let count = pipe.read1_up_to(1_000_000).unwrap().len();
        assert!((1..=64 * 1024).contains(&count));
        assert_eq!(pipe.source_reads(), reads + 1);
        left -= count;
    }
    assert_eq!(pipe.inflow().offset(), 100_005);
    let reads = pipe.source_reads() + 1;
    for _ in 0..2 {
        assert_eq!(pipe.read1().unwrap(), "");
        assert_eq!(pipe.source_reads(), reads);
    }
}

#[test]
fn lines_end_in_a_newline_or_with_the_pipe() {
    let text = b"one\n\ntwo\r\nth\rree\n\r\n\n last\r";
    let expected = ["one", "", "two", "th\rree", "", "", " last\r"];
    let mut pipe = Pipe::new(&text[..]);
    for line in expected {
        assert_eq!(pipe.read_line().unwrap().unwrap(), line);
    }
    assert_eq!(pipe.read_line().unwrap(), None);

    let lines = Pipe::new(&text[..]).read_lines(1000).unwrap().unwrap();
    assert!(lines.iter().eq(expected.iter().map(|line| line.as_bytes())));
    assert_eq!(lines.as_bytes(), &text[..]);
    assert_eq!(Pipe::new(&b"\n"[..]).read_line().unwrap().unwrap(), "");
    assert_eq!(Pipe::new(&b""[..]).read_lines(1).unwrap(), None);
}

#[test]
fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_not() {
    let text = b"12345\n123456\nab\n1234567890\n\n123456";
    let mut expected = Vec::new();
    for length in 1..=text.len() {
        let chunks: Vec<_> = text.chunks(length).collect();
        let mut pipe = Pipe::new(script(&chunks)).line_limit(5);
        let mut found = Vec::new();
        loop {
            found.push(match pipe.read_line() {
                Ok(Some(line)) => Ok(line),
                Ok(None) => break,
                Err(error) => {
                    let limit = matches!(error.kind, PipeErrorKind::LineTooLong { limit: 5 });
                    Err((error.offset, limit, error.to_string()))
                }
            });
        }
        if expected.is_empty() {
            expected.clone_from(&found);
        }
        assert_eq!(found, expected, "{length}");
    }
    let too_long = |offset: u64| {
        let says = format!("a reader: the line at byte {offset} is longer than 5 bytes");
        Err((offset, true, says))
    };
    assert_eq!(
        expected,
        [
            Ok("12345".into()),
            too_long(6),
            Ok("ab".into()),
            too_long(16),
            Ok("".into()),
            too_long(28),
        ]
    );
}

#[test]
fn a_line_without_end_takes_no_more_memory_than_its_limit() {
    let endless = io::repeat(b'x').take(10_000_000).chain(&b"\nnext\n"[..]);
    let mut pipe = Pipe::new(endless).line_limit(1_000_000);
    let error = pipe.read_line().unwrap_err();
    assert!(matches!(error.kind, PipeErrorKind::LineTooLong { .. }));
    assert_eq!(pipe.read_line().unwrap().unwrap(), "next");
    assert_eq!(pipe.inflow().offset(), 10_000_006);
    assert!(pipe.inflow().capacity() <= 4 * Inflow::LARGEST_READ);

    let endless = io::repeat(b'x').take(10_000_000).chain(&b"\nnext\n"[..]);
    let mut pipe = Pipe::new(endless).line_limit(1_000_000);
    let error = pipe.read_lines(10).unwrap_err();
    assert!(matches!(error.kind, PipeErrorKind::LineTooLong { .. }));
    let lines = pipe.read_lines(10).unwrap().unwrap();
    assert!(lines.iter().eq([b"next"]));
}

#[test]
fn lines_come_when_so_much_is_there_and_a_longer_line_alone() {
    let mut pipe = Pipe::new(&b"ab\ncd\nef\ngh\n0123456789\nij\nkl"[..]).line_limit(10);
    for lines in ["ab\ncd\n", "ef\ngh\n", "0123456789\n", "ij\nkl"] {
        assert_eq!(pipe.read_lines(7).unwrap().unwrap().as_bytes(), lines);
    }
    assert_eq!(pipe.read_lines(7).unwrap(), None);
}

#[test]
fn a_reader_cannot_claim_more_than_there_was_room_for() {
    struct Liar;
    impl Read for Liar {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            room.fill(b'x');
            Ok(room.len() + 1)
        }
    }
    assert_eq!(Pipe::new(Liar).read1_up_to(3).unwrap(), "xxx");
    assert!(Pipe::new(Liar).gunzip().read1().is_err());
}

#[test]
fn messages_come_one_behind_the_other_until_the_end() {
    let sent = messages();
    let wire: Vec<u8> = sent.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    for length in [1, 7, 64 * 1024, wire.len()] {
        let chunks: Vec<_> = wire.chunks(length).collect();
        let mut pipe = Pipe::new(script(&chunks));
        for (value, _) in &sent {
            let message = pipe.read_message().unwrap().unwrap();
            let decoded = message.body.decode(&Limits::client()).unwrap().unwrap();
            assert_eq!(&decoded, value);
        }
        assert!(pipe.read_message().unwrap().is_none());
        assert_eq!(pipe.inflow().offset(), wire.len() as u64);
    }
}

#[test]
fn a_pipe_that_ends_in_a_message_says_how_much_of_it_is_there() {
    let whole = message(7_i64);
    for end in 1..whole.len() {
        let wire = [&whole[..], &whole[..end]].concat();
        let mut pipe = Pipe::new(&wire[..]);
        assert!(pipe.read_message().unwrap().is_some());
        for _ in 0..2 {
            let error = pipe.read_message().unwrap_err();
            assert_eq!(error.offset, 17);
            let expected = (end >= 8).then_some(17);
            assert!(matches!(
                error.kind,
                PipeErrorKind::Truncated { arrived, length }
                    if arrived == end as u64 && length == expected
            ));
        }
        // What is there can still be had.
        assert_eq!(pipe.read1().unwrap(), whole[..end]);
    }
}

#[test]
fn a_hostile_stream_gets_no_memory_and_no_second_look() {
    let terabyte = b"\x01\0\0\xff\xff\xff\xff\xff";
    let mut pipe = Pipe::new(&terabyte[..]);
    let error = pipe.read_message().unwrap_err();
    let says = "a reader: of the message at byte 0 there are 8 of 1099511627775 bytes";
    assert_eq!(error.to_string(), says);
    assert!(pipe.inflow().capacity() <= 64 * 1024 * 1024 + 8);

    let mut pipe = Pipe::new(&terabyte[..]).message_limit(1000);
    for _ in 0..2 {
        let error = pipe.read_message().unwrap_err();
        assert!(matches!(
            error.kind,
            PipeErrorKind::Frame(FrameError::AboveLimit { limit: 1000, .. })
        ));
    }
    assert!(pipe.inflow().capacity() <= 2 * Inflow::LARGEST_READ);

    let wire = [&message(1_i64)[..], b"GET / HTTP/1.1\r\n"].concat();
    let mut pipe = Pipe::new(&wire[..]);
    assert!(pipe.read_message().unwrap().is_some());
    for _ in 0..2 {
        let error = pipe.read_message().unwrap_err();
        let says = "a reader: no message begins at byte 17: header byte 0 is 0x47, which is no byte \
                    order";
        assert_eq!(error.to_string(), says);
    }
    assert_eq!(pipe.read1().unwrap(), "GET / HTTP/1.1\r\n");
}

#[test]
fn the_ways_of_reading_take_turns() {
    let wire = [
        b"columns\n",
        &message("a\nb")[..],
        b"x\ny\nz\n",
        &message(1_i64),
    ]
    .concat();
    for length in [1, 3, wire.len()] {
        let chunks: Vec<_> = wire.chunks(length).collect();
        let mut pipe = Pipe::new(script(&chunks));
        assert_eq!(pipe.read_line().unwrap().unwrap(), "columns");
        assert!(pipe.read_message().unwrap().is_some());
        assert_eq!(pipe.read_lines(4).unwrap().unwrap().as_bytes(), "x\ny\n");
        assert_eq!(pipe.read1_up_to(1).unwrap(), "z");
        assert_eq!(pipe.read_line().unwrap().unwrap(), "");
        assert!(pipe.read_message().unwrap().is_some());
        assert_eq!(pipe.read1().unwrap(), "");
    }
}

#[test]
fn every_way_of_reading_works_on_what_is_packed() {
    let plain = [b"columns\n", &message("a\nb")[..], b"x\ny\nz\nrest"].concat();
    let (first, second) = plain.split_at(10);
    let packed = [pack(first), pack(second)].concat();
    for length in [1, 3, packed.len()] {
        let chunks: Vec<_> = packed.chunks(length).collect();
        let mut pipe = Pipe::new(script(&chunks)).gunzip().gunzip();
        assert_eq!(pipe.read_line().unwrap().unwrap(), "columns");
        assert!(pipe.read_message().unwrap().is_some());
        assert_eq!(pipe.read_lines(4).unwrap().unwrap().as_bytes(), "x\ny\n");
        assert_eq!(pipe.read_line().unwrap().unwrap(), "z");
        let mut rest = Vec::new();
        while pipe.inflow().offset() < plain.len() as u64 {
            rest.extend(pipe.read1_up_to(3).unwrap());
        }
        assert_eq!(rest, b"rest");
        assert_eq!(pipe.read1().unwrap(), "");
    }
}

#[test]
fn what_is_packed_may_begin_behind_a_line() {
    let wire = [b"gzip\n", &pack(&[7; 200_000])[..]].concat();
    let mut pipe = Pipe::new(&wire[..]);
    assert_eq!(pipe.read_line().unwrap().unwrap(), "gzip");
    let mut pipe = pipe.gunzip();
    let lines = pipe.read_lines(1_000_000).unwrap().unwrap();
    assert_eq!(lines.as_bytes(), &[7; 200_000][..]);
}

#[test]
fn a_bomb_is_read_as_it_is_asked_for() {
    let packed = pack(&vec![0; 20_000_000]);
    assert!(packed.len() < Inflow::LARGEST_READ);
    let mut pipe = Pipe::new(&packed[..]).gunzip();
    assert_eq!(pipe.read1().unwrap().len(), Inflow::LARGEST_READ);
    let error = pipe.read_line().unwrap_err();
    assert!(matches!(error.kind, PipeErrorKind::LineTooLong { .. }));
    let mut left = 0;
    loop {
        let read = pipe.read1().unwrap();
        assert!(pipe.inflow().capacity() <= 3 * Inflow::LINE_LIMIT);
        if read.is_empty() {
            break;
        }
        left += read.len();
    }
    assert!((1..20_000_000).contains(&left));
    assert_eq!(pipe.inflow().offset(), 20_000_000);
}

#[test]
fn what_comes_before_a_fault_of_the_packing_is_read_first() {
    let mut packed = pack(b"one\ntwo");
    packed.truncate(packed.len() - 1);
    let length = packed.len() as u64;
    let mut pipe = Pipe::new(&packed[..]).gunzip();
    assert_eq!(pipe.read_line().unwrap().unwrap(), "one");
    for _ in 0..2 {
        let error = pipe.read_line().unwrap_err();
        assert_eq!(error.offset, 7);
        let expected = GzipError::Truncated { offset: length };
        assert!(matches!(error.kind, PipeErrorKind::Gzip(found) if found == expected));
    }
    assert_eq!(pipe.read1().unwrap(), "two");
    assert!(pipe.read1().is_err());

    let error = Pipe::new(&b"plain"[..]).gunzip().read1().unwrap_err();
    let says = "a reader cannot be unpacked to byte 0: no gzip: byte 0 is 0x70, and gzip begins \
                with 1f 8b";
    assert_eq!(error.to_string(), says);
}

#[test]
fn signals_and_failures_lose_nothing() {
    let mut pipe = Pipe::new(Script {
        steps: VecDeque::from([
            Err(io::ErrorKind::Interrupted.into()),
            Ok(b"on".to_vec()),
            Err(failure()),
            Err(io::ErrorKind::Interrupted.into()),
            Ok(b"e\ntwo".to_vec()),
        ]),
        reads: 0,
    });
    let error = pipe.read_line().unwrap_err();
    assert!(matches!(&error.kind, PipeErrorKind::Read(_)));
    let says = "a reader cannot be read at byte 2. OS reports: ";
    assert!(error.to_string().starts_with(says), "{error}");
    assert_eq!(pipe.read_line().unwrap().unwrap(), "one");
    assert_eq!(pipe.read_line().unwrap().unwrap(), "two");
}

#[test]
fn no_debug_form_shows_what_was_read() {
    let mut pipe = Pipe::new(&b"secret\nsecret\nsecret"[..]);
    let lines = pipe.read_lines(8).unwrap().unwrap();
    let shown = format!("{pipe:?} {lines:?}");
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("input: 13"), "{shown}");
}

proptest! {
    #[test]
    fn any_chunks_give_the_same_lines(
        text in "[a\r\n]{0,60}",
        count in 0..20_usize,
        limit in 0..20_usize,
        lengths in prop::collection::vec(1..9_usize, 1..5),
    ) {
        let expected = read_all(Pipe::new(text.as_bytes()), count, limit);
        let mut rest = text.as_bytes();
        let mut chunks = Vec::new();
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, behind) = rest.split_at((*length).min(rest.len()));
            chunks.push(chunk);
            rest = behind;
        }
        prop_assert_eq!(&read_all(Pipe::new(script(&chunks)), count, limit), &expected);

        // Nothing is lost but the lines that are too long, and no piece is cut elsewhere or early.
        let all: usize = expected.iter().flatten().map(Bytes::len).sum();
        if expected.iter().all(Result::is_ok) {
            prop_assert_eq!(all, text.len());
        }
        if let Some((_, but_last)) = expected.split_last() {
            for piece in but_last.iter().flatten() {
                prop_assert!(piece.ends_with(b"\n"));
                prop_assert!(piece.len() <= count.max(1) || !piece[..piece.len() - 1].contains(&b'\n'));
            }
        }
    }
}

/// Reads pieces of lines and where lines were too long.
fn read_all<R: Read>(pipe: Pipe<R>, count: usize, limit: usize) -> Vec<Result<Bytes, u64>> {
    let mut pipe = pipe.line_limit(limit);
    let mut all = Vec::new();
    loop {
        match pipe.read_lines(count) {
            Ok(Some(lines)) => all.push(Ok(lines.as_bytes().clone())),
            Ok(None) => return all,
            Err(error) => all.push(Err(error.offset)),
        }
    }
}

fn failure() -> io::Error {
    io::Error::from_raw_os_error(5)
}

/// A reader that gives what it is told to, one step for each read.
struct Script {
    steps: VecDeque<io::Result<Vec<u8>>>,
    reads: usize,
}

fn script(chunks: &[&[u8]]) -> Script {
    Script {
        steps: chunks.iter().map(|chunk| Ok(chunk.to_vec())).collect(),
        reads: 0,
    }
}

impl Read for Script {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        match self.steps.pop_front() {
            None => Ok(0),
            Some(Err(error)) => Err(error),
            Some(Ok(mut bytes)) => {
                let count = bytes.len().min(room.len());
                room[..count].copy_from_slice(&bytes[..count]);
                let rest = bytes.split_off(count);
                if !rest.is_empty() {
                    self.steps.push_front(Ok(rest));
                }
                Ok(count)
            }
        }
    }
}

impl Pipe<Script> {
    fn source_reads(&self) -> usize {
        self.reader().reads
    }
}

fn messages() -> Vec<(Value, Vec<u8>)> {
    [
        Value::from(1_i64),
        Value::from("a text"),
        Value::from(vec![7_i64; 100_000]),
        Value::from(true),
    ]
    .into_iter()
    .map(|value| (value.clone(), message(value)))
    .collect()
}

fn message(value: impl Into<Value>) -> Vec<u8> {
    let mut outbox = Outbox::default();
    Message::new(MessageKind::Async, Body::encode(&value.into()).unwrap()).write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).to_vec()
}

fn pack(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

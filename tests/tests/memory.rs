//! What a peer can make this process allocate.
//!
//! The allocator counts for the whole process, so each test takes its turn.

use std::collections::hash_map::DefaultHasher;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::Limits;
use hopen_codec::frame::{FrameDecoder, Header};
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::strategy;
use hopen_codec::value::{Items, Value};
use peak_alloc::PeakAlloc;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

#[test]
fn whatever_is_cut_off_a_message_takes_memory_in_proportion() {
    let _turn = turn();
    let mut seen = Seen::default();
    for message in vectors() {
        let body = &message[Header::LENGTH..];
        let (head, rest) = (0..=body.len().min(300), 301..body.len());
        // All of them in an optimised build, which takes seconds; a sample of the longer ones else.
        let step = if cfg!(debug_assertions) {
            (rest.len() / 100).max(1)
        } else {
            1
        };
        for length in head.chain(rest.step_by(step)) {
            seen.look_at(&with_body(&message, &body[..length]));
        }
    }
    assert!(seen.values > 400 && seen.errors > 30_000, "{seen:?}");
}

#[test]
fn a_message_that_is_not_as_it_was_sent_takes_memory_in_proportion() {
    const MUTATIONS: usize = 1000;
    let _turn = turn();
    let seed = TestRng::from_seed(RngAlgorithm::XorShift, b"peers tell lies.");
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let mut seen = Seen::default();
    for message in vectors() {
        let mut new = |bytes: &[u8]| {
            let tree = strategy::mutated(bytes.to_vec()).new_tree(&mut runner);
            tree.expect("nothing is rejected").current()
        };
        for n in 0..MUTATIONS {
            // The length in the header is right most often, for the body to be looked at.
            if n % 10 == 0 {
                seen.look_at(&new(&message));
            } else {
                seen.look_at(&with_body(&message, &new(&message[Header::LENGTH..])));
            }
        }
    }
    assert!(seen.values > 50_000 && seen.errors > 50_000, "{seen:?}");
}

#[test]
fn nesting_of_any_depth_takes_neither_stack_nor_memory() {
    let _turn = turn();
    for (start, end, depth) in [
        // Lists of one, functions derived from each other, dictionaries in their values and in
        // their keys, projections, tables without a name.
        (&b"\0\0\x01\0\0\0"[..], &b""[..], 2_000_000),
        (b"\x6a", b"", 2_000_000),
        (b"\x63\xfc\x01", b"", 2_000_000),
        (b"\x63", b"\xfc\x01", 200_000),
        (b"\x68\x01\0\0\0", b"", 200_000),
        (b"\x62\0\x63\x0b\0\0\0\0\0\0\0\x01\0\0\0", b"", 200_000),
    ] {
        let body = [start.repeat(depth), b"\xfc\x07".into(), end.repeat(depth)].concat();
        let small = std::thread::Builder::new().stack_size(256 * 1024);
        let read = small.spawn(move || read_nested(body.into()));
        read.expect("a thread").join().expect("it does not panic");
    }
}

#[test]
fn a_large_message_is_received_and_read_in_its_own_size() {
    const SIZE: usize = 30_000_000;
    let _turn = turn();
    let value = Value::from(vec![1.0; SIZE / 8]);
    let wire = {
        let body = Body::encode(&value).expect("there is room");
        let message = Message::new(MessageKind::Async, body);
        let header = message.header().to_bytes();
        [&header[..], &message.body.chunks().concat()].concat()
    };
    drop(value);

    let start = Measured::start();
    let mut frames = FrameDecoder::new(Limits::LARGEST_MESSAGE);
    let mut input = BytesMut::new();
    let mut rest = &wire[..];
    let message = loop {
        if let Some(message) = frames.decode(&mut input).expect("a frame") {
            break message;
        }
        let room = frames.make_room(&mut input).min(64 * 1024).min(rest.len());
        let (now, later) = rest.split_at(room);
        input.extend_from_slice(now);
        rest = later;
    };
    let decoded = message.body.decode(&Limits::client());
    let value = decoded.expect("a value").expect("no error");
    let items = Items::<f64>::try_from(value).expect("floats");
    assert_eq!(items.iter().sum::<f64>(), (SIZE / 8) as f64);
    start.took_at_most(wire.len() * 11 / 10, "30 MB");
}

/// Reads a deeply nested value in every way that goes through all of it.
fn read_nested(body: Bytes) {
    let length = body.len();
    let limits = Limits::client();
    let receive = |bytes: Bytes, order| {
        let decoded = Body::from_bytes(bytes, order).decode(&limits);
        decoded.expect("a value").expect("no error")
    };

    let start = Measured::start();
    let value = receive(body.clone(), ByteOrder::Little);
    start.took_at_most(SLACK, "decoding");

    let start = Measured::start();
    let text = print(&value);
    start.took_at_most(PRINTING, "printing");
    assert!(text < 100_000, "{text} characters");

    let start = Measured::start();
    let copy = value.as_ref().detach();
    start.took_at_most(length + SLACK, "copying");

    let start = Measured::start();
    assert_eq!(value, copy);
    assert_eq!(hash(&value), hash(&copy));
    start.took_at_most(SLACK, "comparing and hashing");
    drop(copy);

    let start = Measured::start();
    let again = Body::encode(&value).expect("there is room");
    assert!(again.chunks().concat() == body);
    drop(again);
    let big = Body::encode_in(&value, ByteOrder::Big).expect("there is room");
    assert_eq!(big.len(), length as u64);
    let big = receive(big.chunks().concat().into(), ByteOrder::Big);
    assert_eq!(value, big);
    start.took_at_most(3 * length + SLACK, "encoding in the other byte order");
}

/// What became of many messages.
#[derive(Debug, Default)]
struct Seen {
    values: usize,
    errors: usize,
    unframed: usize,
}

impl Seen {
    /// Decodes a message, compares and prints every tenth value, and checks what that takes.
    fn look_at(&mut self, bytes: &[u8]) {
        let mut input = BytesMut::from(bytes);
        let limits = Limits::client();
        let start = Measured::start();
        let frame = FrameDecoder::new(limits.message).decode(&mut input);
        let Ok(Some(message)) = frame else {
            start.took_at_most(SLACK, "framing");
            self.unframed += 1;
            return;
        };
        let body = &message.body;
        let (plain, most) = sizes(body);
        match body.decode(&limits) {
            Ok(Ok(value)) => {
                start.took_at_most(most, "decoding");
                if self.values.is_multiple_of(10) {
                    let start = Measured::start();
                    assert!(value == value.clone());
                    hash(&value);
                    print(&value);
                    start.took_at_most(SLACK, "comparing, hashing and printing");
                }
                self.values += 1;
            }
            Ok(Err(error)) => {
                start.took_at_most(most, "decoding");
                let start = Measured::start();
                write!(Length(0), "{error}").expect("it takes everything");
                start.took_at_most(SLACK, "printing");
                self.values += 1;
            }
            Err(error) => {
                start.took_at_most(most, "refusing");
                assert!((8..=8 + plain).contains(&error.offset), "{error}");
                self.errors += 1;
            }
        }
    }
}

/// Returns how long a body may be without compression, and how much memory it may take to decode
/// it.
fn sizes(body: &Body) -> (u64, usize) {
    let Some(form) = body.form() else {
        return (body.len(), SLACK + 8 * body.len() as usize);
    };
    let bytes = &body.chunks()[0];
    let mut claim = [0; 8];
    let width = 4 * usize::from(form.to_byte());
    for (to, from) in claim.iter_mut().zip(bytes.iter().take(width)) {
        *to = *from;
    }
    let claim = match body.byte_order() {
        ByteOrder::Little => u64::from_le_bytes(claim),
        ByteOrder::Big => u64::from_be_bytes(claim) >> (64 - 8 * width),
    };
    let plain = claim.min(128 * (Header::LENGTH as u64 + body.len()));
    (plain, SLACK + 8 * plain as usize)
}

/// The memory that is taken from here on.
struct Measured {
    before: usize,
}

impl Measured {
    fn start() -> Self {
        ALLOCATOR.reset_peak_usage();
        Self {
            before: ALLOCATOR.current_usage(),
        }
    }

    fn took_at_most(self, most: usize, what: &str) {
        let took = ALLOCATOR.peak_usage().saturating_sub(self.before);
        assert!(took <= most, "{what} took {took} bytes of at most {most}");
    }
}

/// A place to print to that keeps nothing but the length.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

fn print(value: &Value) -> usize {
    let mut length = Length(0);
    write!(length, "{value}").expect("it takes everything");
    length.0
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Returns the message with another body, and the length of that in its header.
fn with_body(message: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (Header::LENGTH + body.len()) as u32;
    let length = match message[0] {
        0 => length.to_be_bytes(),
        _ => length.to_le_bytes(),
    };
    [&message[..4], &length, body].concat()
}

/// The messages of both files, the compressed ones as they travel.
fn vectors() -> Vec<Vec<u8>> {
    let lines = |file: &'static str, field: &'static str| {
        file.lines().map(move |line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            hex::decode(row[field].as_str().expect("a text")).expect("hex digits")
        })
    };
    let vectors: Vec<_> = lines(PUBLIC, "hex")
        .chain(lines(COMPRESSED, "compressed_hex"))
        .collect();
    assert_eq!(vectors.len(), 397 + 80);
    vectors
}

/// Waits until no other test measures.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What may be taken whatever the size.
const SLACK: usize = 64 * 1024;

/// What printing may take: it notes where it is in up to 1,000 values inside each other.
const PRINTING: usize = 256 * 1024;

const PUBLIC: &str = include_str!("../../crates/codec/tests/vectors/public.jsonl");
const COMPRESSED: &str = include_str!("../../crates/codec/tests/vectors/compressed_public.jsonl");

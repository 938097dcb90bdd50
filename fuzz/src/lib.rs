//! What the fuzz targets do, a module for each, and what they have in common: how an input is
//! divided, what makes a value of it, and how a transport delivers it.
//!
//! The main workspace has this library without libfuzzer, for `tests/tests/seeds.rs`, which looks at
//! every seed. What the targets and the codec's tests have in common is in `conversation`.

use bytes::BytesMut;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::strategy;
use hopen_codec::value::Value;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

pub mod address;
pub mod body;
pub mod client_handshake;
pub mod compress;
pub mod console;
pub mod conversation;
pub mod decompress;
pub mod frames;
pub mod gzip;
pub mod listen_address;
pub mod login;
pub mod password_file;
pub mod server_handshake;
pub mod tick;

/// What looks at one input.
pub type LookAt = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, LookAt); 14] = [
    ("address", address::look_at),
    ("body", body::look_at),
    ("client_handshake", client_handshake::look_at),
    ("compress", compress::look_at),
    ("console", console::look_at),
    ("conversation", conversation::look_at),
    ("decompress", decompress::look_at),
    ("frames", frames::look_at),
    ("gzip", gzip::look_at),
    ("listen_address", listen_address::look_at),
    ("login", login::look_at),
    ("password_file", password_file::look_at),
    ("server_handshake", server_handshake::look_at),
    ("tick", tick::look_at),
];

/// Makes what a strategy makes, with the first 16 bytes of the input in the place of chance. `None`
/// where the strategy gives up.
///
/// They are a seed: with proptest's `PassThrough`, where they would be chance itself, strategies that
/// draw again until something fits never end once the input has.
pub fn structured<S: Strategy>(strategy: &S, input: &[u8]) -> Option<S::Value> {
    let mut seed = [0; 16];
    seed.iter_mut()
        .zip(input)
        .for_each(|(seed, byte)| *seed = *byte);
    let rng = TestRng::from_seed(RngAlgorithm::XorShift, &seed);
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tree = strategy.new_tree(&mut runner).ok()?;
    Some(tree.current())
}

/// Makes a value of any kind of the input.
pub fn any_value(input: &[u8]) -> Option<Value> {
    thread_local! {
        static VALUES: BoxedStrategy<Value> = strategy::value(3, 12);
    }
    VALUES.with(|values| structured(values, input))
}

/// Returns the byte order that a message's first byte stands for, if it is its lowest bit.
pub fn byte_order(byte: u8) -> ByteOrder {
    if byte & 1 == 0 {
        ByteOrder::Big
    } else {
        ByteOrder::Little
    }
}

/// Takes a field of up to 255 bytes from the front of an input: its length, and the field.
pub fn take_field<'a>(input: &mut &'a [u8]) -> &'a [u8] {
    let Some((length, rest)) = input.split_first() else {
        return &[];
    };
    let (field, rest) = rest.split_at(rest.len().min(usize::from(*length)));
    *input = rest;
    field
}

/// Delivers `wire` as a transport does: in chunks of the given sizes (less one) in turn, as far as
/// there is room. `step` takes what has come and returns how much may come next; it is over where
/// that is nothing. Returns what is left of the input and what was not delivered.
pub fn deliver<'a>(
    wire: &'a [u8],
    chunks: &[u8],
    mut step: impl FnMut(&mut BytesMut) -> usize,
) -> (BytesMut, &'a [u8]) {
    let mut input = BytesMut::new();
    let mut chunks = chunks.iter().cycle();
    let mut rest = wire;
    loop {
        let room = step(&mut input);
        assert!(room <= input.capacity() - input.len());
        if room == 0 || rest.is_empty() {
            return (input, rest);
        }
        let chunk = chunks
            .next()
            .map_or(usize::MAX, |size| usize::from(*size) + 1);
        let (now, later) = rest.split_at(chunk.min(room).min(rest.len()));
        input.extend_from_slice(now);
        rest = later;
    }
}

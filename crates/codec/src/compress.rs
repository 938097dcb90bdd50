//! KX's own compression, both directions: a body before it goes behind a header, and a compressed
//! payload back to the body that it stands for. Whether a message is offered at all is
//! [`Config::compresses`](crate::config::Config::compresses)'s and [`THRESHOLD`]'s to say; headers
//! are read and written elsewhere.
//!
//! What follows the 8-byte header of a compressed message is the length of the message before
//! compression, its own header included, and then groups of eight tokens, each group behind a
//! byte of flags, lowest bit first. 300 zeros as a byte vector, little endian:
//!
//! ```text
//! 01 00 01 00 17 00 00 00   header; byte 2 is the form: 1 short, 2 long
//! 3a 01 00 00               length before: 314 (short: 4 bytes, long: 8; the message's order)
//! c0                        flags 11000000: six literals, then two matches
//! 04 00 2c 01 00 00         literals
//! 00 ff                     match: slot 00, 2 + 255 bytes
//! 00 29                     match: slot 00, 2 + 41 bytes
//! ```
//!
//! A match is a copy of what the message already has. Where from is not sent: both sides keep a
//! table of 256 places, and the match names its slot. The slot of a place is the exclusive or of
//! the byte there and the one after it. The places that go into the table are those where a token
//! starts: a literal's as soon as the byte after it is known, a match's with its first two bytes,
//! and none inside a match. A literal is put in after the token behind it has looked its slot up.
//! The copy may run into what it is writing, so a match of itself repeats a pattern.
//!
//! The format and when it is used are on
//! [KX, IPC protocol, compression](https://code.kx.com/q/basics/ipc/#compression); the algorithm
//! is `compress` and `uncompress` of KX's `c.java`. Both are checked against what KX's C library
//! and q itself have written.
//!
//! ```
//! use hopen_codec::byte_order::ByteOrder;
//! use hopen_codec::compress::{Form, compress, decompress};
//!
//! let mut body = vec![0x04, 0x00, 0x2c, 0x01, 0x00, 0x00]; // 300 bytes follow:
//! body.resize(6 + 300, 0x00);
//!
//! let compressed = compress(&body, ByteOrder::Little).expect("zeros compress to less than half");
//! assert_eq!(compressed.form, Form::Short);
//! assert_eq!(compressed.payload[..5], [0x3a, 0x01, 0x00, 0x00, 0xc0]);
//! assert_eq!(compressed.payload.len() + 8, 0x17);
//!
//! let back = decompress(Form::Short, &compressed.payload, ByteOrder::Little, 64 * 1024)?;
//! assert_eq!(back, body);
//! # Ok::<(), hopen_codec::compress::DecompressError>(())
//! ```

use core::fmt;

use crate::byte_order::ByteOrder;

#[cfg(test)]
mod plain;
mod reader;
mod writer;

/// The length in bytes, header included, from which KX's C library offers a message to its
/// compressor: a body of more than 2000 bytes.
///
/// Observed with KX's C library, and no q has been seen to compress less. KX's page says "more
/// than 2000 bytes"; KX's Java client counts the header among them and starts at 2001. Every
/// reader takes either.
pub const THRESHOLD: usize = 2009;

/// How many times the bytes of its payload a message may claim to have been.
///
/// The format ends below that: eight matches of 257 bytes in 17 bytes are 121. Without the bound a
/// message of twenty bytes could claim the whole of the limit and have it allocated.
pub const MAX_EXPANSION: u64 = 128;

/// Compresses a body: what follows the 8-byte header of a plain message.
///
/// The payload is, byte for byte, what KX's C library writes, and `None` where KX's gives up and
/// sends the message plain: its buffer is half of the message, and before each group of eight
/// tokens it wants room for the 17 bytes that the group may take. There is no threshold here; see
/// [`THRESHOLD`]. Takes half of the message as memory while it works.
pub fn compress(body: &[u8], order: ByteOrder) -> Option<Compressed> {
    let total = (body.len() as u64).checked_add(HEADER)?;
    let form = if total <= u64::from(u32::MAX) {
        Form::Short
    } else {
        Form::Long
    };
    let payload = writer::compress(form, body, order)?;
    Some(Compressed { form, payload })
}

/// Decompresses a payload: what follows the 8-byte header of a compressed message. Returns the
/// body of the plain message, without a header.
///
/// `limit` is the longest plain message, header included, that is accepted. Allocates once, what
/// the payload claims and nothing more, after the claim has been checked.
///
/// Bytes after the last token are ignored, as KX's C library does.
///
/// # Errors
///
/// Refuses a claim that is too small, above the limit or more than the payload could become
/// ([`MAX_EXPANSION`]), and tokens that end early, run past the claim or refer to nothing. KX's C
/// library answers all of the latter with `badmsg`.
pub fn decompress(
    form: Form,
    payload: &[u8],
    order: ByteOrder,
    limit: u64,
) -> Result<Vec<u8>, DecompressError> {
    let length = claimed(form, payload, order, limit)?;
    reader::decompress(payload, form.length_width(), length)
}

/// Which of the two compressed layouts a message has: byte 2 of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "KX's validator knows these two and refuses others"
)]
pub enum Form {
    /// `1`: the length of the message before compression takes 4 bytes.
    Short,
    /// `2`: it takes 8 bytes; for messages of 4 GiB and more. Observed with KX's C library, which
    /// also reads it around a small message.
    Long,
}

impl Form {
    /// Returns the form that a header's third byte stands for, or `None` where it is neither `01`
    /// nor `02`. A plain message, `00`, has no form.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Short),
            2 => Some(Self::Long),
            _ => None,
        }
    }

    /// Returns the header byte of this form.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Short => 1,
            Self::Long => 2,
        }
    }

    const fn length_width(self) -> usize {
        match self {
            Self::Short => 4,
            Self::Long => 8,
        }
    }
}

/// A body that was compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compressed {
    /// The layout, for byte 2 of the header.
    pub form: Form,
    /// What follows the 8-byte header: the length before compression, and the tokens.
    pub payload: Vec<u8>,
}

/// Why a compressed payload was refused. The fault is the peer's; the bytes of the message are all
/// there, so the connection can go on.
///
/// Offsets are into the payload, which starts behind the 8-byte header of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecompressError {
    /// The payload is too short for the length that it starts with.
    #[non_exhaustive]
    MissingLength {
        /// The bytes of the payload.
        payload: u64,
        /// The bytes of the length: 4 or 8.
        needed: u64,
    },
    /// The claimed length is no more than a header, which leaves nothing for a value.
    #[non_exhaustive]
    ClaimTooSmall {
        /// The claimed length of the plain message, header included.
        claimed: u64,
    },
    /// The claimed length is above the limit.
    #[non_exhaustive]
    ClaimAboveLimit {
        /// The claimed length of the plain message, header included.
        claimed: u64,
        /// The longest that is accepted.
        limit: u64,
    },
    /// The claimed length is more than any payload of this size can become ([`MAX_EXPANSION`]).
    #[non_exhaustive]
    ClaimAboveExpansion {
        /// The claimed length of the plain message, header included.
        claimed: u64,
        /// The bytes of the payload.
        payload: u64,
    },
    /// The system has no memory for the claimed length.
    #[non_exhaustive]
    OutOfMemory {
        /// The claimed length of the plain message, header included.
        claimed: u64,
    },
    /// The tokens end before the claimed length is reached.
    #[non_exhaustive]
    TokensEnd {
        /// Where the next byte was expected.
        offset: u64,
        /// The bytes of the body still missing.
        missing: u64,
    },
    /// A match refers to a slot that no earlier bytes have filled. KX's readers would copy from
    /// the start of the message; KX's writers never send it.
    #[non_exhaustive]
    EmptySlot {
        /// Where the match is.
        offset: u64,
        /// The slot.
        slot: u8,
    },
    /// A match is longer than what the claimed length leaves.
    #[non_exhaustive]
    MatchTooLong {
        /// Where the match is.
        offset: u64,
        /// The bytes that it stands for.
        length: u64,
        /// The bytes of the body still missing.
        missing: u64,
    },
}

impl DecompressError {
    /// Returns where in the payload it was found; 0, where the claimed length stands, for all that
    /// is wrong with that.
    pub const fn offset(&self) -> u64 {
        match *self {
            Self::MissingLength { .. }
            | Self::ClaimTooSmall { .. }
            | Self::ClaimAboveLimit { .. }
            | Self::ClaimAboveExpansion { .. }
            | Self::OutOfMemory { .. } => 0,
            Self::TokensEnd { offset, .. }
            | Self::EmptySlot { offset, .. }
            | Self::MatchTooLong { offset, .. } => offset,
        }
    }
}

impl fmt::Display for DecompressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MissingLength { payload, needed } => write!(
                f,
                "compressed message: {payload} bytes are too few for its length of {needed} bytes"
            ),
            Self::ClaimTooSmall { claimed } => write!(
                f,
                "compressed message: claims a plain length of {claimed} bytes, not more than a header"
            ),
            Self::ClaimAboveLimit { claimed, limit } => write!(
                f,
                "compressed message: claims a plain length of {claimed} bytes, the limit is {limit}"
            ),
            Self::ClaimAboveExpansion { claimed, payload } => write!(
                f,
                "compressed message: claims a plain length of {claimed} bytes, \
                 more than {MAX_EXPANSION} times its {payload} bytes"
            ),
            Self::OutOfMemory { claimed } => write!(
                f,
                "compressed message: no memory for its plain length of {claimed} bytes"
            ),
            Self::TokensEnd { missing, .. } => write!(
                f,
                "compressed message: ends with {missing} bytes of its body missing"
            ),
            Self::EmptySlot { slot, .. } => write!(
                f,
                "compressed message: a match refers to the empty slot {slot:#04x}"
            ),
            Self::MatchTooLong {
                length, missing, ..
            } => write!(
                f,
                "compressed message: a match of {length} bytes, \
                 where {missing} bytes of its body are missing"
            ),
        }
    }
}

impl core::error::Error for DecompressError {}

/// Reads and checks the length of the plain message; returns that of its body.
fn claimed(
    form: Form,
    payload: &[u8],
    order: ByteOrder,
    limit: u64,
) -> Result<usize, DecompressError> {
    let claimed = match form {
        Form::Short => payload.first_chunk().map(|bytes| order.u32(*bytes).into()),
        Form::Long => payload.first_chunk().map(|bytes| order.u64(*bytes)),
    };
    let size = payload.len() as u64;
    let Some(claimed) = claimed else {
        return Err(DecompressError::MissingLength {
            payload: size,
            needed: form.length_width() as u64,
        });
    };
    if claimed <= HEADER {
        return Err(DecompressError::ClaimTooSmall { claimed });
    }
    if claimed > limit {
        return Err(DecompressError::ClaimAboveLimit { claimed, limit });
    }
    if claimed > size.saturating_mul(MAX_EXPANSION) {
        return Err(DecompressError::ClaimAboveExpansion {
            claimed,
            payload: size,
        });
    }
    usize::try_from(claimed - HEADER).map_err(|_| DecompressError::OutOfMemory { claimed })
}

/// The bytes of a header, which every length of a message counts.
const HEADER: u64 = 8;

/// The tokens behind one byte of flags.
const GROUP: usize = 8;

/// The most bytes that a match stands for: the two that its slot is made of, and 255 more.
const LONGEST_MATCH: usize = 2 + 255;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_known_answer_compresses_and_decompresses() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 80);
        for vector in vectors {
            let Vector {
                name,
                raw,
                compressed,
                ..
            } = &vector;
            let order = ByteOrder::from_byte(raw[0]).unwrap();
            let offered = match vector.rule.split(':').next().unwrap() {
                "both" | "libe" => Some(raw.len() >= THRESHOLD),
                "javakdb" => Some(raw.len() > 2000),
                "algorithm only" => Some(true),
                "decode only" => None,
                rule => panic!("{name}: no such rule: {rule}"),
            };
            if let Some(offered) = offered {
                let written = offered.then(|| compress(&raw[8..], order)).flatten();
                assert_eq!(written.is_some(), vector.is_compressed, "{name}");
                if let Some(written) = written {
                    assert_eq!(written.form.to_byte(), compressed[2], "{name}");
                    assert!(written.payload == compressed[8..], "{name}");
                }
            }
            if vector.is_compressed {
                let form = Form::from_byte(compressed[2]).unwrap();
                let read = decompress(form, &compressed[8..], order, raw.len() as u64);
                assert!(read.as_deref() == Ok(&raw[8..]), "{name}");
            }
        }
    }

    #[test]
    fn the_long_form_differs_in_the_length_only() {
        let vector = vector("mode2_0");
        let order = ByteOrder::Little;
        let long = writer::compress(Form::Long, &vector.raw[8..], order).unwrap();
        assert_eq!(long, vector.compressed[8..]);
        let short = writer::compress(Form::Short, &vector.raw[8..], order).unwrap();
        assert_eq!(short[4..], long[8..]);
    }

    #[test]
    fn byte_order_matters_to_the_length_only() {
        let body = [0; 300];
        let little = compress(&body, ByteOrder::Little).unwrap().payload;
        let big = compress(&body, ByteOrder::Big).unwrap().payload;
        assert_eq!(little[..4], [0x34, 0x01, 0x00, 0x00]);
        assert_eq!(big[..4], [0x00, 0x00, 0x01, 0x34]);
        assert_eq!(little[4..], big[4..]);
        let read = decompress(Form::Short, &big, ByteOrder::Big, 308);
        assert_eq!(read, Ok(body.to_vec()));
    }

    #[test]
    fn bodies_too_small_for_a_group_are_given_up() {
        // Half of 58 bytes has room for a header, a length and one group; half of 57 has not.
        assert_eq!(compress(&[], ByteOrder::Little), None);
        assert_eq!(compress(&[0; 49], ByteOrder::Little), None);
        assert!(compress(&[0; 50], ByteOrder::Little).is_some());
    }

    #[test]
    fn bytes_after_the_last_token_are_ignored() {
        for (name, tail) in [("direct_zeros_100", 1), ("til_1000", 100)] {
            let Vector {
                raw,
                mut compressed,
                ..
            } = vector(name);
            compressed.resize(compressed.len() + tail, 0xff);
            let read = decompress(Form::Short, &compressed[8..], ByteOrder::Little, 1 << 20);
            assert_eq!(read.as_deref(), Ok(&raw[8..]));
        }
    }

    #[test]
    fn every_truncation_is_refused_where_it_ends() {
        for name in ["zeros_10k", "runs_257", "realq_02", "til_1000"] {
            let Vector {
                raw, compressed, ..
            } = vector(name);
            let payload = &compressed[8..];
            for end in 0..payload.len() {
                let read = decompress(Form::Short, &payload[..end], ByteOrder::Little, 1 << 20);
                let size = end as u64;
                let claimed = raw.len() as u64;
                let error = read.unwrap_err();
                let expected = match end {
                    0..4 => DecompressError::MissingLength {
                        payload: size,
                        needed: 4,
                    },
                    _ if size * MAX_EXPANSION < claimed => DecompressError::ClaimAboveExpansion {
                        claimed,
                        payload: size,
                    },
                    _ => {
                        let DecompressError::TokensEnd { offset, missing } = error else {
                            panic!("{name} cut at {end}: {error}");
                        };
                        assert!(offset == size && missing < claimed);
                        error
                    }
                };
                assert_eq!(error, expected, "{name} cut at {end}");
            }
        }
    }

    #[test]
    fn a_mutated_byte_gives_what_the_plain_reader_gives() {
        let small = vectors().into_iter().filter(|vector| {
            vector.is_compressed && vector.compressed[2] == 1 && vector.compressed.len() < 300
        });
        let mut refused = 0;
        for Vector {
            compressed, raw, ..
        } in small
        {
            let order = ByteOrder::from_byte(raw[0]).unwrap();
            let payload = &compressed[8..];
            for place in 0..payload.len() {
                for change in [0x01, 0x02, 0x08, 0x40, 0x80, 0xff] {
                    let mut mutated = payload.to_vec();
                    mutated[place] ^= change;
                    refused += u32::from(!agrees(&mutated, order));
                }
            }
        }
        assert!(refused > 1000);
    }

    #[test]
    fn a_claim_is_checked_before_memory_is_taken_for_it() {
        let refuse = |form, payload: &[u8], limit| {
            decompress(form, payload, ByteOrder::Little, limit).unwrap_err()
        };
        // An exabyte, which no allocator has.
        let exabyte = 1 << 60;
        let mut payload = u64::to_le_bytes(exabyte).to_vec();
        payload.extend([0; 32]);
        assert_eq!(
            refuse(Form::Long, &payload, exabyte - 1),
            DecompressError::ClaimAboveLimit {
                claimed: exabyte,
                limit: exabyte - 1,
            }
        );
        assert_eq!(
            refuse(Form::Long, &payload, u64::MAX),
            DecompressError::ClaimAboveExpansion {
                claimed: exabyte,
                payload: 40,
            }
        );
        // What the bytes allow is accepted and read on, one more is not.
        let most = 20 * MAX_EXPANSION as u32;
        let mut payload = most.to_le_bytes().to_vec();
        payload.extend([0; 16]);
        let error = refuse(Form::Short, &payload, u64::MAX);
        assert!(matches!(error, DecompressError::TokensEnd { .. }));
        payload[..4].copy_from_slice(&(most + 1).to_le_bytes());
        let error = refuse(Form::Short, &payload, u64::MAX);
        assert!(matches!(error, DecompressError::ClaimAboveExpansion { .. }));
        for claimed in 0..=8_u32 {
            payload[..4].copy_from_slice(&claimed.to_le_bytes());
            let claimed = claimed.into();
            assert_eq!(
                refuse(Form::Short, &payload, u64::MAX),
                DecompressError::ClaimTooSmall { claimed }
            );
        }
    }

    #[test]
    fn faults_say_what_and_where() {
        // One literal, then a match: flags 02. A length, what follows it, what is said.
        let table: [(u32, &[u8], u64, &str); 5] = [
            (
                0x20,
                &[0x02, 0x2a, 0x07, 0x00],
                6,
                "a match refers to the empty slot 0x07",
            ),
            (
                0x0d,
                &[0x08, 0x2a, 0x2a, 0x2a, 0x00, 0x01],
                8,
                "a match of 3 bytes, where 2 bytes of its body are missing",
            ),
            (
                0x20,
                &[0x08, 0x2a, 0x2a, 0x2a, 0x00],
                9,
                "ends with 21 bytes of its body missing",
            ),
            (
                0x08,
                &[0x00],
                0,
                "claims a plain length of 8 bytes, not more than a header",
            ),
            (
                0x1001,
                &[0x00, 0x00],
                0,
                "claims a plain length of 4097 bytes, the limit is 4096",
            ),
        ];
        for (claimed, tokens, offset, said) in table {
            let mut payload = claimed.to_le_bytes().to_vec();
            payload.extend_from_slice(tokens);
            let error = decompress(Form::Short, &payload, ByteOrder::Little, 4096).unwrap_err();
            assert_eq!(error.to_string(), format!("compressed message: {said}"));
            assert_eq!(error.offset(), offset);
        }
        let error = decompress(Form::Long, &[0; 7], ByteOrder::Little, 4096).unwrap_err();
        assert_eq!(
            error.to_string(),
            "compressed message: 7 bytes are too few for its length of 8 bytes"
        );
    }

    proptest! {
        #[test]
        fn whatever_compresses_is_what_the_plain_writer_writes_and_comes_back(body in body()) {
            roundtrips(&body);
        }

        #[test]
        fn whatever_is_read_is_what_the_plain_reader_reads(
            claimed in 0..20_000_u32,
            tokens in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let mut payload = claimed.to_le_bytes().to_vec();
            payload.extend(tokens);
            agrees(&payload, ByteOrder::Little);
        }

        #[test]
        fn whatever_is_mutated_is_what_the_plain_reader_reads(
            body in body(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            if let Some(Compressed { mut payload, .. }) = compress(&body, ByteOrder::Little) {
                for (place, byte) in changes {
                    *place.get_mut(&mut payload[4..]) = byte;
                }
                agrees(&payload, ByteOrder::Little);
            }
        }
    }

    fn roundtrips(body: &[u8]) {
        let written = compress(body, ByteOrder::Little);
        let plain = plain::compress(body);
        assert!(written.as_ref().map(|written| &written.payload) == plain.as_ref());
        if let Some(Compressed { form, payload }) = written {
            let limit = body.len() as u64 + 8;
            let read = decompress(form, &payload, ByteOrder::Little, limit);
            assert!(read.as_deref() == Ok(body));
        }
    }

    /// Compares with the plain reader; returns whether the payload was accepted.
    fn agrees(payload: &[u8], order: ByteOrder) -> bool {
        let read = decompress(Form::Short, payload, order, 1 << 20);
        assert!(read.as_ref().ok() == plain::decompress(payload, order).as_ref());
        read.is_ok()
    }

    /// Bodies that often compress: runs, noise, columns of numbers, and repetitions of all that.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            (any::<u8>(), 1..700_usize).prop_map(|(byte, count)| vec![byte; count]),
            prop::collection::vec(any::<u8>(), 1..40),
            prop::collection::vec(0..4_u8, 1..100),
            (0..1000_u64, 1..200_u64).prop_map(|(start, count)| {
                (start..start + count).flat_map(u64::to_le_bytes).collect()
            }),
        ];
        prop::collection::vec((piece, 1..9_usize), 1..12).prop_map(|pieces| {
            let repeated = pieces.iter().map(|(piece, times)| piece.repeat(*times));
            repeated.collect::<Vec<_>>().concat()
        })
    }

    struct Vector {
        name: String,
        raw: Vec<u8>,
        compressed: Vec<u8>,
        is_compressed: bool,
        rule: String,
    }

    fn vector(name: &str) -> Vector {
        let mut vectors = vectors().into_iter();
        vectors.find(|vector| vector.name == name).unwrap()
    }

    fn vectors() -> Vec<Vector> {
        let lines = include_str!("../tests/vectors/compressed_public.jsonl").lines();
        lines
            .map(|line| {
                let fields: serde_json::Value = serde_json::from_str(line).unwrap();
                let text = |field: &str| fields[field].as_str().unwrap().to_owned();
                Vector {
                    name: text("name"),
                    raw: hex::decode(text("raw_hex")).unwrap(),
                    compressed: hex::decode(text("compressed_hex")).unwrap(),
                    is_compressed: fields["compressed"].as_bool().unwrap(),
                    rule: text("emit_rule"),
                }
            })
            .collect()
    }
}

//! Frames: the 8-byte header, and cutting a stream of bytes into messages.
//!
//! ```text
//!  0     1     2     3     4     5     6     7     8 ...
//! +-----+-----+-----+-----+-----+-----+-----+-----+------------------
//! |order| kind|form | hi  |    low 32 bits of     | body
//! |     |     |     |     |      the length       |
//! +-----+-----+-----+-----+-----+-----+-----+-----+------------------
//! ```
//!
//! | byte | meaning |
//! | --- | --- |
//! | 0 | `01` little endian, `00` big endian: of the length and of the numbers in the body |
//! | 1 | `00` async, `01` sync, `02` response |
//! | 2 | `00` plain, `01` compressed, `02` compressed with an 8-byte length |
//! | 3 | bits 32 to 39 of the length, whatever the byte order |
//! | 4-7 | bits 0 to 31 of the length |
//!
//! The length counts the whole message, these 8 bytes included. Bytes 0, 1, 2 and 4 to 7 are
//! described by [KX, IPC protocol](https://code.kx.com/q/basics/ipc/); byte 3 and the value `02`
//! of byte 2 were observed with KX's C library, which sent `01 00 00 01 83 00 00 00` in front of
//! 4,294,967,427 bytes.
//!
//! This layer looks at nothing but headers. Bodies stay as they are: whether one decompresses and
//! decodes is found out when somebody asks for its value, and a bad one does not end the stream.
//!
//! ```
//! use bytes::BytesMut;
//! use hopen_codec::frame::FrameDecoder;
//! use hopen_codec::message::MessageKind;
//!
//! let wire = b"\x01\x01\x00\x00\x0f\x00\x00\x00\x0a\x00\x01\x00\x00\x00a"; // sync: "a"
//! let mut frames = FrameDecoder::new(1024 * 1024);
//! let mut input = BytesMut::new();
//! assert!(frames.make_room(&mut input) >= wire.len());
//!
//! input.extend_from_slice(&wire[..10]);
//! assert!(frames.decode(&mut input)?.is_none()); // more bytes needed
//! input.extend_from_slice(&wire[10..]);
//! let message = frames.decode(&mut input)?.expect("the rest has come");
//! assert_eq!(message.kind, MessageKind::Sync);
//! # Ok::<(), hopen_codec::frame::FrameError>(())
//! ```

use core::mem;

use bytes::{Buf, BytesMut};

use crate::message::{Body, Message, MessageKind};

pub(crate) mod room;

pub use crate::header::{FrameError, Header};

/// Cuts a stream of bytes into messages and says how to read it.
///
/// It owns no buffer: the bytes that have arrived are the caller's `input`, the same one in every
/// call, and [`decode`](Self::decode) takes whole messages from its front. The loop of a transport:
///
/// 1. [`decode`](Self::decode) until it returns `Ok(None)`;
/// 2. [`make_room`](Self::make_room), and read at most as many bytes as it says to the end of
///    `input`; from the top.
///
/// [`announced`](Self::announced) may be asked at any time.
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    limit: u64,
    failed: Option<FrameError>,
}

impl FrameDecoder {
    /// Returns a decoder that accepts messages of up to `limit` bytes, header included.
    ///
    /// The limit is never more than half of `isize::MAX`: 1 GiB on a 32-bit machine.
    pub const fn new(limit: u64) -> Self {
        let addressable = isize::MAX as u64 / 2;
        Self {
            limit: if limit < addressable {
                limit
            } else {
                addressable
            },
            failed: None,
        }
    }

    /// Takes the next whole message from the front of `input`, without copying it, or returns
    /// `None` where more bytes are needed.
    ///
    /// A header is looked at once its 8 bytes are there. What follows a message stays in `input`.
    /// The message shares the memory it was received in: a small one that is kept for long keeps
    /// up to 64 KiB with it.
    ///
    /// # Errors
    ///
    /// Any header that is not valid or announces more than the limit. The stream has no next
    /// message then: every later call returns the same error, and the connection is to be closed.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Message>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let (header, length) = match self.header(input) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.failed = Some(error);
                return Err(error);
            }
        };
        if input.len() < length {
            return Ok(None);
        }
        let mut frame = take_front(input, length).freeze();
        frame.advance(Header::LENGTH);
        Ok(Some(Message {
            kind: header.kind,
            body: Body::received(header.order, header.form, frame),
        }))
    }

    /// Makes room at the end of `input` and returns how many bytes to try to read into it: never
    /// more than its spare capacity, and at most 256 KiB (a transport that has to zero the
    /// memory first should not do so for megabytes of which it then receives a part).
    ///
    /// To be called when [`decode`](Self::decode) has returned `None`. The result is 0 only where
    /// nothing more is to be read: the message is complete, or the stream has failed.
    ///
    /// The policy:
    ///
    /// - Messages of up to 64 KiB share a buffer of that size. It is used again as soon as no
    ///   message that was cut from it is left, and otherwise replaced.
    /// - A larger message gets a buffer of its own, of exactly its length and room for the next
    ///   header, so that it is received in place and the next message is announced before it is
    ///   read. The buffer leaves with the message.
    /// - A message of more than 64 MiB gets the first part of such a buffer (its length halved
    ///   until it is at most 64 MiB), which doubles whenever it is full: a peer that announces
    ///   1 TB and sends nothing has bought address space for 64 MiB.
    /// - Nothing is reserved for a message above the limit.
    pub fn make_room(&self, input: &mut BytesMut) -> usize {
        if self.failed.is_some() {
            return 0;
        }
        match self.header(input) {
            Ok(Some((_, length))) if length <= input.len() => 0,
            Ok(Some((_, length))) if length > room::SHARED => room::for_large(input, length),
            Ok(Some((_, length))) => room::in_shared(input, length - input.len()),
            Ok(None) => room::in_shared(input, Header::LENGTH - input.len()),
            Err(_) => 0,
        }
    }

    /// Returns what is known of the message at the front of `input`: `None` until its header is
    /// there, and where that header is refused.
    pub fn announced(&self, input: &BytesMut) -> Option<Announced> {
        if self.failed.is_some() {
            return None;
        }
        let (header, length) = self.header(input).ok().flatten()?;
        Some(Announced {
            kind: header.kind,
            length: header.length,
            arrived: input.len().min(length) as u64,
        })
    }

    /// Returns the header at the front of `input` and its length as a size in memory.
    #[inline]
    fn header(&self, input: &BytesMut) -> Result<Option<(Header, usize)>, FrameError> {
        let Some(bytes) = input.first_chunk() else {
            return Ok(None);
        };
        let header = Header::parse(*bytes)?;
        match usize::try_from(header.length) {
            Ok(length) if header.length <= self.limit => Ok(Some((header, length))),
            _ => Err(FrameError::AboveLimit {
                length: header.length,
                limit: self.limit,
            }),
        }
    }
}

/// The message under way, as its header announces it: for a progress bar, or for a veto.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announced {
    /// What the message is for.
    pub kind: MessageKind,
    /// Its length in bytes, header included, as it travels: compressed, if it is.
    pub length: u64,
    /// How many of these bytes have arrived.
    pub arrived: u64,
}

/// Cuts the message of `length` bytes from the front of `input`. A large one leaves with its
/// buffer; what little has come behind it moves out.
fn take_front(input: &mut BytesMut, length: usize) -> BytesMut {
    if length <= room::SHARED {
        return input.split_to(length);
    }
    if input.len() == length {
        return mem::take(input);
    }
    let message = input.split_to(length);
    if input.len() <= room::LITTLE {
        *input = BytesMut::from(&input[..]);
    }
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::compress::Form;

    #[test]
    fn a_refused_header_is_refused_for_good_and_gets_no_room() {
        let limit = 1000;
        let above = |length| FrameError::AboveLimit { length, limit };
        let cases: [(&[u8; 8], FrameError); 7] = [
            (b"GET / HT", FrameError::UnknownByteOrder { byte: b'G' }),
            (
                b"\x01\x03\0\0\x0d\0\0\0",
                FrameError::UnknownKind { byte: 3 },
            ),
            (
                b"\x01\0\x03\0\x0d\0\0\0",
                FrameError::UnknownCompression { byte: 3 },
            ),
            (
                b"\x01\0\0\0\x08\0\0\0",
                FrameError::WithoutBody { length: 8 },
            ),
            (b"\x01\0\0\0\xe9\x03\0\0", above(1001)),
            (b"\x01\0\0\x01\x0d\0\0\0", above((1 << 32) + 13)),
            (b"\0\0\0\xff\xff\xff\xff\xff", above((1 << 40) - 1)),
        ];
        for (bytes, error) in cases {
            let mut frames = FrameDecoder::new(limit);
            let mut input = BytesMut::from(&bytes[..]);
            let capacity = input.capacity();
            assert_eq!(frames.make_room(&mut input), 0);
            assert_eq!(frames.announced(&input), None);
            assert_eq!(frames.decode(&mut input).unwrap_err(), error);
            assert_eq!(input.capacity(), capacity);

            let mut valid = BytesMut::from(&b"\x01\0\0\0\x0a\0\0\0\xff\x01"[..]);
            assert_eq!(frames.decode(&mut valid).unwrap_err(), error);
            assert_eq!(frames.announced(&valid), None);
            assert_eq!(frames.make_room(&mut valid), 0);
        }
    }

    #[test]
    fn a_message_as_long_as_the_limit_is_accepted() {
        let mut frames = FrameDecoder::new(10);
        let mut input = BytesMut::from(&b"\x01\0\0\0\x0a\0\0\0\xff\x01"[..]);
        assert!(frames.decode(&mut input).unwrap().is_some());
    }

    #[test]
    fn every_prefix_of_a_message_needs_more_and_announces_what_it_can() {
        let wire = message(ByteOrder::Big, MessageKind::Sync, None, &[7; 20]);
        for end in 0..wire.len() {
            let mut frames = FrameDecoder::new(28);
            let mut input = BytesMut::from(&wire[..end]);
            assert!(frames.decode(&mut input).unwrap().is_none());
            assert_eq!(input, wire[..end]);
            let announced = (end >= 8).then_some(Announced {
                kind: MessageKind::Sync,
                length: 28,
                arrived: end as u64,
            });
            assert_eq!(frames.announced(&input), announced);
            assert!(frames.make_room(&mut input) >= wire.len() - end);
        }
    }

    #[test]
    fn messages_that_are_kept_are_left_alone() {
        let mut frames = FrameDecoder::new(u64::MAX);
        let mut input = BytesMut::new();
        let mut kept = Vec::new();
        for n in 0..=255 {
            let wire = message(
                ByteOrder::Little,
                MessageKind::Async,
                None,
                &pattern(n, 10_000),
            );
            feed(&mut frames, &mut input, &wire, 9_999, |message| {
                kept.push(message)
            });
        }
        for (n, message) in kept.iter().enumerate() {
            assert_eq!(message.body.chunks().concat(), pattern(n as u8, 10_000));
        }
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_messages(
            sent in prop::collection::vec(any_message(), 1..10),
            chunks in prop::collection::vec(1_usize..100_000, 1..20),
        ) {
            let wire: Vec<u8> = sent
                .iter()
                .flat_map(|(order, kind, form, body)| message(*order, *kind, *form, body))
                .collect();
            let mut frames = FrameDecoder::new(u64::MAX);
            let mut input = BytesMut::new();
            let mut received = Vec::new();
            let mut chunks = chunks.into_iter().cycle();
            let mut rest = &wire[..];
            while let Some(chunk) = chunks.next().filter(|_| !rest.is_empty()) {
                let (now, later) = rest.split_at(chunk.min(rest.len()));
                feed(&mut frames, &mut input, now, chunk, |message| received.push(message));
                rest = later;
            }
            prop_assert!(input.is_empty());
            let received: Vec<_> = received
                .iter()
                .map(|Message { kind, body }| {
                    (body.byte_order(), *kind, body.form(), body.chunks().concat())
                })
                .collect();
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn no_bytes_panic_or_buy_more_than_they_may(bytes in hostile(), limit in 0..200_000_u64) {
            let mut frames = FrameDecoder::new(limit);
            let mut input = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = frames.decode(&mut input) {}
            frames.make_room(&mut input);
            prop_assert!(input.capacity() <= room::SHARED.max(limit as usize + Header::LENGTH));
        }
    }

    /// Does what a transport does: reads as much as it is told to, or less.
    fn feed(
        frames: &mut FrameDecoder,
        input: &mut BytesMut,
        mut bytes: &[u8],
        most: usize,
        mut received: impl FnMut(Message),
    ) {
        while !bytes.is_empty() {
            let room = frames.make_room(input);
            assert!(room > 0 && room <= room::spare(input));
            let (now, later) = bytes.split_at(room.min(most).min(bytes.len()));
            input.extend_from_slice(now);
            bytes = later;
            while let Some(message) = frames.decode(input).unwrap() {
                received(message);
            }
        }
    }

    fn message(order: ByteOrder, kind: MessageKind, form: Option<Form>, body: &[u8]) -> Vec<u8> {
        let length = (Header::LENGTH + body.len()) as u64;
        let mut wire = Header::new(order, kind, form, length).to_bytes().to_vec();
        wire.extend_from_slice(body);
        wire
    }

    fn any_message() -> impl Strategy<Value = (ByteOrder, MessageKind, Option<Form>, Vec<u8>)> {
        (
            prop::sample::select(vec![ByteOrder::Little, ByteOrder::Big]),
            prop::sample::select(vec![
                MessageKind::Async,
                MessageKind::Sync,
                MessageKind::Response,
            ]),
            prop::sample::select(vec![None, Some(Form::Short), Some(Form::Long)]),
            prop_oneof![
                6 => 1_usize..200,
                1 => room::SHARED - 20..room::SHARED + 20,
                1 => 1_usize..200_000,
            ]
            .prop_flat_map(|length| any::<u8>().prop_map(move |first| pattern(first, length))),
        )
    }

    fn pattern(first: u8, length: usize) -> Vec<u8> {
        (0..length)
            .map(|n| first.wrapping_add((n % 251) as u8))
            .collect()
    }

    /// Mostly valid first bytes, so that lengths are reached.
    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        (
            0..3_u8,
            0..4_u8,
            0..4_u8,
            prop::collection::vec(any::<u8>(), 0..100),
        )
            .prop_map(|(order, kind, form, rest)| [&[order, kind, form][..], &rest].concat())
    }
}

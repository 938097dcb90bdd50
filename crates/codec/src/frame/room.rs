//! The read policy: what room a message gets, described at
//! [`FrameDecoder::make_room`](super::FrameDecoder::make_room).
//!
//! Of `BytesMut` this relies on: a split leaves the spare capacity with the rest; `try_reclaim`
//! takes the whole buffer again when no message that was cut from it is left, and never allocates;
//! `reserve` on a full buffer of one's own reallocates it to twice its size.

use bytes::BytesMut;

use crate::header::Header;

/// Makes room in the buffer that small messages share, for at least `missing` bytes.
///
/// Of a partial message little is moved to get a better buffer, and a longer one is completed
/// where it is if it can be.
pub(crate) fn in_shared(input: &mut BytesMut, missing: usize) -> usize {
    let needed = if input.len() <= LITTLE {
        missing.max(LEAST_READ)
    } else {
        missing
    };
    let oversized = input.capacity() > 2 * SHARED;
    if oversized || (spare(input) < needed && !input.try_reclaim(needed)) {
        move_to(input, SHARED.max(input.len() + missing));
    }
    spare(input).min(SHARED)
}

/// Makes room for the message at the front of `input`, whose `length` is more than [`SHARED`].
pub(super) fn for_large(input: &mut BytesMut, length: usize) -> usize {
    let whole = length.saturating_add(Header::LENGTH);
    let mut first = whole;
    while first > LARGEST_STEP + Header::LENGTH {
        first = first.div_ceil(2);
    }
    if input.len() < first {
        if input.capacity() < first {
            move_to(input, first);
        }
    } else if spare(input) == 0 {
        // Of a full buffer this asks for as much again or less, and gets as much again:
        // halvings of the whole end at the whole.
        input.reserve(input.len().min(whole - input.len()));
    }
    spare(input).min(whole - input.len()).min(LARGEST_READ)
}

/// Moves what has arrived to a new buffer.
fn move_to(input: &mut BytesMut, capacity: usize) {
    let mut new = BytesMut::with_capacity(capacity);
    new.extend_from_slice(input);
    *input = new;
}

#[inline]
pub(super) fn spare(input: &BytesMut) -> usize {
    input.capacity() - input.len()
}

/// The size of the buffer that small messages share, and the largest message in it.
pub(crate) const SHARED: usize = 64 * 1024;

/// The largest message that gets its buffer whole, before more than its header has arrived.
const LARGEST_STEP: usize = 64 * 1024 * 1024;

/// The most that is read at once. Reading 30 MB over a Unix socket into memory that is zeroed just
/// before each read: 5.7 GB/s in steps of 64 KiB, 7.9 in steps of 256 KiB, 3.9 in steps of 4 MiB.
pub(super) const LARGEST_READ: usize = 256 * 1024;

/// The least room that is worth a read, when what has arrived is easily moved.
const LEAST_READ: usize = 16 * 1024;

/// What is easily moved.
pub(super) const LITTLE: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::config::Limits;
    use crate::frame::FrameDecoder;
    use crate::message::MessageKind;

    #[test]
    fn small_messages_share_a_buffer_that_is_used_again() {
        let wire = message(100);
        let mut frames = FrameDecoder::new(u64::MAX);
        let mut input = BytesMut::new();
        assert_eq!(frames.make_room(&mut input), SHARED);
        let start = input.as_ptr();
        for _ in 0..10_000 {
            assert!(frames.make_room(&mut input) >= LEAST_READ);
            assert!((start..start.wrapping_add(SHARED)).contains(&input.as_ptr()));
            input.extend_from_slice(&wire);
            assert!(frames.decode(&mut input).unwrap().is_some());
        }
    }

    #[test]
    fn a_large_message_is_received_in_place_and_what_follows_goes_elsewhere() {
        let length = 30_000_000;
        let wire = [message(length), message(13)].concat();
        let mut frames = FrameDecoder::new(u64::MAX);
        let mut input = BytesMut::with_capacity(SHARED);
        input.extend_from_slice(&wire[..SHARED]);
        frames.make_room(&mut input);
        let start = input.as_ptr();

        let mut from = SHARED;
        while input.len() < length {
            let room = frames.make_room(&mut input);
            assert!(room <= LARGEST_READ);
            input.extend_from_slice(&wire[from..][..room]);
            from += room;
            assert_eq!(
                (input.as_ptr(), input.capacity()),
                (start, length + Header::LENGTH)
            );
        }
        assert_eq!(input.len(), length + Header::LENGTH);

        let message = frames.decode(&mut input).unwrap().unwrap();
        assert_eq!(
            message.body.chunks()[0].as_ptr(),
            start.wrapping_add(Header::LENGTH)
        );
        assert_eq!(frames.announced(&input).map(|next| next.length), Some(13));
        drop(message);
        assert_eq!(frames.make_room(&mut input), SHARED - Header::LENGTH);
        assert_eq!(input.capacity(), SHARED);
        input.extend_from_slice(&wire[from..]);
        assert!(frames.decode(&mut input).unwrap().is_some());
    }

    #[test]
    fn a_buffer_is_whole_at_once_up_to_64_mib_and_halved_above() {
        let whole = LARGEST_STEP + Header::LENGTH;
        let cases = [
            (SHARED, SHARED),
            (SHARED + 1, SHARED + 1 + Header::LENGTH),
            (LARGEST_STEP, whole),
            (LARGEST_STEP + 1, (whole + 1).div_ceil(2)),
        ];
        for (length, capacity) in cases {
            let mut input = BytesMut::from(&header(length)[..]);
            FrameDecoder::new(u64::MAX).make_room(&mut input);
            assert_eq!(input.capacity(), capacity);
        }
    }

    #[test]
    fn of_what_follows_a_large_message_only_a_header_is_read() {
        let mut input = BytesMut::with_capacity(1_000_000);
        input.extend_from_slice(&message(100_000)[..99_000]);
        let room = FrameDecoder::new(u64::MAX).make_room(&mut input);
        assert_eq!(room, 1000 + Header::LENGTH);
    }

    #[test]
    fn a_header_that_promises_a_terabyte_buys_64_mib_and_then_what_has_arrived() {
        let length = Limits::LARGEST_MESSAGE as usize;
        let frames = FrameDecoder::new(u64::MAX);
        let mut input = BytesMut::from(&header(length)[..]);
        assert_eq!(frames.make_room(&mut input), LARGEST_READ);
        let first = input.capacity();
        assert!((LARGEST_STEP / 2..=LARGEST_STEP + Header::LENGTH).contains(&first));

        input.resize(first - 1, 0);
        assert_eq!((frames.make_room(&mut input), input.capacity()), (1, first));
        input.resize(first, 0);
        assert_eq!(frames.make_room(&mut input), LARGEST_READ);
        assert_eq!(input.capacity(), 2 * first);
    }

    #[test]
    fn a_buffer_that_grows_in_steps_ends_at_the_announced_length() {
        let length = LARGEST_STEP + 1;
        let mut frames = FrameDecoder::new(u64::MAX);
        let mut input = BytesMut::from(&header(length)[..]);
        loop {
            let room = frames.make_room(&mut input);
            input.resize(input.len() + room, 0);
            if input.len() >= length {
                break;
            }
        }
        let whole = length + Header::LENGTH;
        assert!((whole..whole + 2).contains(&input.capacity()));
        input.truncate(length);
        assert!(frames.decode(&mut input).unwrap().is_some());
        assert_eq!(input.capacity(), 0);
    }

    #[test]
    fn a_huge_buffer_is_not_kept_for_small_messages() {
        let mut frames = FrameDecoder::new(u64::MAX);
        let mut input = BytesMut::with_capacity(10_000_000);
        input.extend_from_slice(b"\x01\0\0\0");
        assert_eq!(frames.make_room(&mut input), SHARED - 4);
        assert_eq!(input, b"\x01\0\0\0"[..]);

        // Poured in by a caller of its own mind: what follows is not copied after every message.
        let wire = message(100_000).repeat(20);
        let mut input = BytesMut::from(&wire[..]);
        let start = input.as_ptr();
        for n in 1..20 {
            assert!(frames.decode(&mut input).unwrap().is_some());
            assert_eq!(input.as_ptr(), start.wrapping_add(n * 100_000));
        }
    }

    fn header(length: usize) -> [u8; Header::LENGTH] {
        Header::new(ByteOrder::Little, MessageKind::Async, None, length as u64).to_bytes()
    }

    fn message(length: usize) -> Vec<u8> {
        let mut wire = header(length).to_vec();
        wire.resize(length, 7);
        wire
    }
}

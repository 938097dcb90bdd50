//! Bytes waiting to be written.
//!
//! The state machines append whole messages to an [`Outbox`]; a transport writes from its front.
//! Small pieces are copied one behind the other, so that many small messages go out in one write;
//! large columns, which are [`Bytes`] already, are lined up as they are:
//!
//! ```text
//!  written so far ->| chunk         | chunk             | tail            | spare ->
//!                   | small, small  | a shared column   | small, small, …
//! ```
//!
//! ```
//! use bytes::{Buf, Bytes};
//! use hopen_codec::outbox::Outbox;
//!
//! let mut outbox = Outbox::default();
//! outbox.put_slice(b"small");
//! outbox.put_bytes(Bytes::from(vec![0; 1_000_000])); // not copied
//! assert_eq!(outbox.len(), 1_000_005);
//!
//! assert_eq!(outbox.chunk(), b"small"); // what to write next
//! outbox.advance(2); // a socket took two bytes
//! assert_eq!(outbox.chunk(), b"all");
//! ```

mod draft;

pub(crate) use draft::Draft;

use core::fmt;
use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};
use zeroize::Zeroizing;

/// Bytes waiting to be written, first in, first out.
///
/// - Fill it: [`put_slice`](Self::put_slice), [`put_bytes`](Self::put_bytes),
///   [`reserve`](Self::reserve).
/// - Empty it, as a [`Buf`]: [`chunk`](Buf::chunk) or [`chunks_vectored`](Buf::chunks_vectored),
///   then [`advance`](Buf::advance) by what was written. [`clear`](Self::clear) gives up.
///
/// It has no limit of its own: [`len`](Self::len) is there to ask before more is put. Its `Debug`
/// form tells the length only, as the bytes may hold a password.
#[derive(Default)]
pub struct Outbox {
    /// Finished chunks, none of them empty.
    chunks: VecDeque<Bytes>,
    /// The bytes in `chunks`.
    finished: usize,
    /// What small pieces are appended to; never larger than [`PIECE`].
    tail: BytesMut,
}

impl Outbox {
    /// The length in bytes from which [`put_bytes`](Self::put_bytes) shares and does not copy:
    /// 4 KiB. A shared piece is one more for the system to look at when it is written, which is
    /// about what it takes to copy a quarter of that.
    pub const SHARE: usize = 4 * 1024;

    /// Appends a copy of `bytes`.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        if bytes.len() > self.tail.capacity() - self.tail.len() && !self.make_room(bytes.len()) {
            return self.put_chunk(Bytes::copy_from_slice(bytes));
        }
        self.tail.extend_from_slice(bytes);
    }

    /// Appends `bytes`, without copying them where they are at least [`SHARE`](Self::SHARE).
    pub fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() < Self::SHARE {
            self.put_slice(&bytes);
        } else {
            self.put_chunk(bytes);
        }
    }

    /// Appends `bytes`, without copying them, which are overwritten when they have been written or
    /// dropped.
    pub(crate) fn put_secret(&mut self, bytes: Zeroizing<Vec<u8>>) {
        self.put_chunk(Bytes::from_owner(bytes));
    }

    /// Prepares for `additional` bytes in small pieces. A hint: of more than 128 KiB the rest is
    /// allocated when it comes.
    pub fn reserve(&mut self, additional: usize) {
        let additional = additional.min(PIECE);
        if additional > self.tail.capacity() - self.tail.len() {
            self.make_room(additional);
        }
    }

    /// Drops everything and returns how many bytes that were.
    pub fn clear(&mut self) -> usize {
        let dropped = self.len();
        self.chunks.clear();
        self.finished = 0;
        self.tail.clear();
        dropped
    }

    /// Returns how many bytes are waiting.
    #[inline]
    pub fn len(&self) -> usize {
        self.finished + self.tail.len()
    }

    /// Returns whether nothing is waiting.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns everything in its chunks, none of them empty.
    pub(crate) fn into_chunks(mut self) -> Vec<Bytes> {
        self.finish_tail();
        self.chunks.into()
    }

    /// Gives the tail room for `additional` bytes; returns `false` where they are too many for
    /// any tail.
    ///
    /// A full one becomes a chunk, which is freed when it has been written.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, additional: usize) -> bool {
        if additional > PIECE {
            return false;
        }
        if !grow(&mut self.tail, additional) {
            self.finish_tail();
            self.tail = BytesMut::with_capacity(PIECE);
        }
        true
    }

    fn put_chunk(&mut self, bytes: Bytes) {
        self.finish_tail();
        self.push(bytes);
    }

    /// Makes a chunk of what is in the tail; its spare room stays.
    fn finish_tail(&mut self) {
        if !self.tail.is_empty() {
            let tail = self.tail.split().freeze();
            self.push(tail);
        }
    }

    fn push(&mut self, chunk: Bytes) {
        self.finished += chunk.len();
        self.chunks.push_back(chunk);
    }
}

impl Buf for Outbox {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.chunks.front().map_or(&self.tail, |front| front)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let tail = (!self.tail.is_empty()).then_some(&self.tail[..]);
        let chunks = self.chunks.iter().map(|chunk| &chunk[..]).chain(tail);
        slices
            .iter_mut()
            .zip(chunks)
            .map(|(slice, chunk)| *slice = IoSlice::new(chunk))
            .count()
    }

    /// Drops the first `count` bytes, which have been written.
    ///
    /// # Panics
    ///
    /// When `count` is more than there is.
    fn advance(&mut self, mut count: usize) {
        assert!(
            count <= self.len(),
            "cannot write {count} bytes of {}",
            self.len()
        );
        while let Some(front) = self.chunks.front_mut() {
            if count < front.len() {
                front.advance(count);
                self.finished -= count;
                return;
            }
            count -= front.len();
            self.finished -= front.len();
            self.chunks.pop_front();
        }
        self.tail.advance(count);
    }
}

/// Gives a tail room for `additional` bytes, unless it would be larger than [`PIECE`].
///
/// One whose front has been written is used again. Otherwise it doubles.
fn grow(tail: &mut BytesMut, additional: usize) -> bool {
    if tail.try_reclaim(additional) {
        return true;
    }
    let needed = tail.len() + additional;
    if needed > PIECE {
        return false;
    }
    let mut larger = BytesMut::with_capacity(needed.next_power_of_two().max(LEAST_TAIL));
    larger.extend_from_slice(tail);
    *tail = larger;
    true
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The largest tail: twice the 64 KiB at which transports write, so that one that is emptied each
/// time is never replaced.
const PIECE: usize = 128 * 1024;

/// The smallest tail.
const LEAST_TAIL: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn many_small_messages_end_in_one_chunk() {
        let mut outbox = Outbox::default();
        for _ in 0..1000 {
            outbox.put_slice(&[7; 64]);
        }
        assert_eq!(outbox.chunk(), [7; 64_000]);
        assert_eq!((outbox.len(), outbox.remaining()), (64_000, 64_000));
    }

    #[test]
    fn large_chunks_are_shared_and_small_ones_copied() {
        let mut outbox = Outbox::default();
        let large = Bytes::from(vec![1; Outbox::SHARE]);
        let small = Bytes::from(vec![2; Outbox::SHARE - 1]);
        outbox.put_bytes(large.clone());
        outbox.put_bytes(small.clone());
        outbox.put_slice(b"end");
        let mut slices = [IoSlice::new(&[]); 9];
        assert_eq!(outbox.chunks_vectored(&mut slices), 2);
        assert_eq!(slices[0].as_ptr(), large.as_ptr());
        assert_ne!(slices[1].as_ptr(), small.as_ptr());
        assert_eq!(slices[1].len(), Outbox::SHARE + 2);
        assert_eq!(outbox.chunks_vectored(&mut slices[..1]), 1);
        assert_eq!(outbox.chunks_vectored(&mut []), 0);
    }

    #[test]
    fn what_is_written_does_not_move_the_rest() {
        let mut outbox = Outbox::default();
        outbox.put_slice(b"abcdef");
        let start = outbox.chunk().as_ptr();
        outbox.advance(2);
        assert_eq!(outbox.chunk(), b"cdef");
        assert_eq!(outbox.chunk().as_ptr(), start.wrapping_add(2));
    }

    #[test]
    fn memory_is_used_again_after_every_flush() {
        let mut outbox = Outbox::default();
        outbox.reserve(PIECE);
        let memory = outbox.tail.as_ptr();
        for _ in 0..100 {
            while outbox.len() < 64 * 1024 {
                outbox.put_slice(&[7; 600]);
            }
            assert!((memory..memory.wrapping_add(PIECE)).contains(&outbox.chunk().as_ptr()));
            assert!(outbox.chunks.is_empty());
            outbox.advance(1000);
            outbox.advance(outbox.len());
        }
        for _ in 0..1000 {
            outbox.put_slice(&[7; 600]);
            outbox.put_bytes(Bytes::from_static(&[7; Outbox::SHARE]));
            outbox.advance(outbox.len());
            assert!((memory..=memory.wrapping_add(PIECE)).contains(&outbox.tail.as_ptr()));
        }
    }

    #[test]
    fn no_giant_tail_stays() {
        let mut outbox = Outbox::default();
        outbox.reserve(10_000_000);
        assert_eq!(outbox.tail.capacity(), PIECE);
        outbox.put_slice(&vec![7; 10_000_000]);
        outbox.put_slice(b"end");
        for _ in 0..10_000 {
            outbox.put_slice(&[7; 1000]);
        }
        assert_eq!(outbox.len(), 20_000_003);
        outbox.advance(20_000_003);
        assert!(outbox.is_empty() && outbox.tail.capacity() <= PIECE);
        assert_eq!(outbox.chunk(), b"");
    }

    #[test]
    fn a_slow_reader_does_not_make_the_tail_grow() {
        let mut outbox = Outbox::default();
        for _ in 0..10_000 {
            outbox.put_slice(&[7; 700]);
            if outbox.len() > 90_000 {
                outbox.advance(700);
            }
            assert!(outbox.tail.capacity() <= PIECE);
        }
    }

    #[test]
    fn clear_tells_how_much_is_dropped() {
        let mut outbox = Outbox::default();
        outbox.put_slice(b"abc");
        outbox.put_bytes(Bytes::from(vec![0; 20_000]));
        outbox.put_slice(b"d");
        outbox.advance(1);
        assert_eq!(outbox.clear(), 20_003);
        assert_eq!((outbox.clear(), outbox.len()), (0, 0));
        outbox.put_slice(b"again");
        assert_eq!(outbox.chunk(), b"again");
    }

    #[test]
    fn chunks_can_be_taken_out() {
        assert_eq!(Outbox::default().into_chunks(), Vec::<Bytes>::new());
        let mut outbox = Outbox::default();
        let large = Bytes::from(vec![0; 20_000]);
        outbox.put_slice(b"abc");
        outbox.put_bytes(large.clone());
        outbox.put_slice(b"d");
        assert_eq!(outbox.into_chunks(), [&b"abc"[..], &large, b"d"]);
    }

    #[test]
    fn debug_shows_the_length_only() {
        let mut outbox = Outbox::default();
        outbox.put_slice(b"bob:secret\x06\0");
        assert_eq!(format!("{outbox:?}"), "Outbox { len: 12, .. }");
    }

    #[test]
    #[should_panic(expected = "cannot write 4 bytes of 3")]
    fn more_than_there_is_cannot_have_been_written() {
        let mut outbox = Outbox::default();
        outbox.put_slice(b"abc");
        outbox.advance(4);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Copy(usize),
        Share(usize),
        Reserve(usize),
        Write(usize),
    }

    proptest! {
        #[test]
        fn bytes_come_out_as_they_went_in(steps in prop::collection::vec(step(), 0..50)) {
            let mut outbox = Outbox::default();
            let mut model = VecDeque::new();
            let mut next = 0_u8;
            let mut piece = |length| {
                next = next.wrapping_add(1);
                vec![next; length]
            };
            for step in steps {
                match step {
                    Step::Copy(length) => {
                        let bytes = piece(length);
                        outbox.put_slice(&bytes);
                        model.extend(bytes);
                    }
                    Step::Share(length) => {
                        let bytes = piece(length);
                        model.extend(&bytes);
                        outbox.put_bytes(Bytes::from(bytes));
                    }
                    Step::Reserve(length) => outbox.reserve(length),
                    Step::Write(length) => {
                        let count = length.min(outbox.len());
                        let written = outbox.copy_to_bytes(count);
                        prop_assert!(model.drain(..count).eq(written));
                    }
                }
                prop_assert_eq!(outbox.len(), model.len());
                prop_assert_eq!(outbox.chunk().is_empty(), model.is_empty());
            }
            let mut slices = vec![IoSlice::new(&[]); 300];
            let count = outbox.chunks_vectored(&mut slices);
            prop_assert!(slices[..count].iter().all(|slice| !slice.is_empty()));
            prop_assert!(slices.iter().flat_map(|slice| slice.iter()).eq(&model));
        }
    }

    fn step() -> impl Strategy<Value = Step> {
        let length = || prop_oneof![8 => 0..300_usize, 3 => 0..40_000_usize, 1 => 0..150_000_usize];
        prop_oneof![
            4 => length().prop_map(Step::Copy),
            2 => length().prop_map(Step::Share),
            1 => length().prop_map(Step::Reserve),
            3 => length().prop_map(Step::Write),
        ]
    }
}

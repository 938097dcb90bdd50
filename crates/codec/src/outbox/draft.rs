//! A message on its way into an outbox, whose length is not known before it is there.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

use super::{Outbox, PIECE, grow};

/// What is being put into an [`Outbox`], behind what it holds: kept when it is
/// [finished](Self::finish), else taken back.
///
/// What has been put first stays open to be [written over](Self::finish) by what is known only in
/// the end:
///
/// ```text
///  earlier chunks  | head, not frozen yet   | chunks            | tail
///                  | earlier, this message  | of this message   | of this message
/// ```
pub(crate) struct Draft<'o> {
    outbox: &'o mut Outbox,
    /// The tail that was there first, once it is full: an empty chunk keeps its place.
    head: Option<BytesMut>,
    /// Where in that tail this starts.
    start: usize,
    /// The chunks that were finished before, and the bytes in them.
    before: (usize, usize),
    /// From which length on bytes are counted and not kept.
    limit: u64,
    /// How many were counted only.
    dropped: u64,
}

impl<'o> Draft<'o> {
    /// Starts behind what is in the outbox. What gets longer than `limit` must not be finished: no
    /// more memory is taken for it than for what is put next, and only its length is known.
    #[inline]
    pub(crate) fn new(outbox: &'o mut Outbox, limit: u64) -> Self {
        Self {
            start: outbox.tail.len(),
            before: (outbox.chunks.len(), outbox.finished),
            outbox,
            head: None,
            limit,
            dropped: 0,
        }
    }

    /// Appends a copy of `bytes`.
    #[inline]
    pub(crate) fn put_slice(&mut self, bytes: &[u8]) {
        let tail = &mut self.outbox.tail;
        if bytes.len() <= tail.capacity() - tail.len() {
            tail.extend_from_slice(bytes);
        } else {
            self.put_beyond_tail(bytes);
        }
    }

    /// Appends the first `length` of some bytes: a length that the compiler knows is copied in a
    /// few instructions, and taken back in one.
    #[inline]
    pub(crate) fn put_start<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        let tail = &mut self.outbox.tail;
        if N <= tail.capacity() - tail.len() {
            let end = tail.len() + length;
            tail.extend_from_slice(bytes);
            tail.truncate(end);
        } else {
            self.put_beyond_tail(&bytes[..length]);
        }
    }

    /// Appends `bytes`, without copying them where they are at least [`Outbox::SHARE`].
    #[inline]
    pub(crate) fn put_bytes(&mut self, bytes: &Bytes) {
        if bytes.len() < Outbox::SHARE {
            self.put_slice(bytes);
        } else {
            self.put_chunk(bytes.clone());
        }
    }

    /// Returns how many bytes were put.
    #[inline]
    pub(crate) fn len(&self) -> u64 {
        let all = self.outbox.finished + self.outbox.tail.len();
        self.dropped + (all - self.before.1 - self.start) as u64
    }

    /// Returns what was put, where it is in one piece.
    #[inline]
    pub(crate) fn piece(&self) -> Option<&[u8]> {
        let is_one = self.outbox.chunks.len() == self.before.0;
        is_one.then(|| &self.outbox.tail[self.start..])
    }

    /// Returns what was put, put together.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        if let Some(bytes) = self.piece() {
            return Cow::Borrowed(bytes);
        }
        let mut chunks = self.outbox.chunks.range(self.before.0..);
        let mut all = Vec::with_capacity(self.len() as usize);
        if let Some(head) = &self.head {
            all.extend_from_slice(&head[self.start..]);
            chunks.next();
        }
        chunks.for_each(|chunk| all.extend_from_slice(chunk));
        all.extend_from_slice(&self.outbox.tail);
        Cow::Owned(all)
    }

    /// Leaves it in the outbox, with `first` written over its first bytes.
    ///
    /// # Panics
    ///
    /// Where not as many bytes were put in the first place, by [`put_slice`](Self::put_slice).
    #[inline]
    pub(crate) fn finish(mut self, first: &[u8]) {
        debug_assert_eq!(self.dropped, 0, "not too long");
        let open = self.head.as_mut().unwrap_or(&mut self.outbox.tail);
        open[self.start..self.start + first.len()].copy_from_slice(first);
        if let Some(head) = self.head.take() {
            self.outbox.chunks[self.before.0] = head.freeze();
        }
        // What the drop would take back starts behind.
        self.start = self.outbox.tail.len();
        self.before = (self.outbox.chunks.len(), self.outbox.finished);
    }

    /// Appends what the tail has no room for.
    #[cold]
    #[inline(never)]
    fn put_beyond_tail(&mut self, bytes: &[u8]) {
        if bytes.len() > PIECE {
            return self.put_chunk(Bytes::copy_from_slice(bytes));
        }
        self.drop_what_is_too_long();
        if !grow(&mut self.outbox.tail, bytes.len()) {
            self.finish_tail();
            self.outbox.tail = BytesMut::with_capacity(PIECE);
        }
        self.outbox.tail.extend_from_slice(bytes);
    }

    fn put_chunk(&mut self, bytes: Bytes) {
        self.drop_what_is_too_long();
        self.finish_tail();
        self.outbox.push(bytes);
    }

    /// Makes a chunk of what is in the tail, or the head.
    fn finish_tail(&mut self) {
        if self.outbox.tail.is_empty() {
            return;
        }
        let tail = self.outbox.tail.split();
        if self.head.is_none() && tail.len() == self.start {
            // Nothing of this is in it, so it need not stay open.
            self.outbox.push(tail.freeze());
            self.before = (self.outbox.chunks.len(), self.outbox.finished);
            self.start = 0;
        } else if self.outbox.chunks.len() == self.before.0 {
            self.outbox.finished += tail.len();
            self.outbox.chunks.push_back(Bytes::new());
            self.head = Some(tail);
        } else {
            self.outbox.push(tail.freeze());
        }
    }

    fn drop_what_is_too_long(&mut self) {
        let length = self.len();
        if length > self.limit {
            self.take_back();
            self.dropped = length;
        }
    }

    /// Leaves the outbox as it was.
    fn take_back(&mut self) {
        let (chunks, finished) = self.before;
        self.outbox.chunks.truncate(chunks);
        self.outbox.finished = finished;
        if let Some(head) = self.head.take() {
            self.outbox.tail = head;
        }
        self.outbox.tail.truncate(self.start);
    }
}

impl Drop for Draft<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.outbox.tail.len() != self.start || self.outbox.chunks.len() != self.before.0 {
            self.take_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_finished_is_taken_back() {
        let mut outbox = Outbox::default();
        outbox.put_slice(b"before");
        let large = Bytes::from(vec![1; 100_000]);
        for step in 0..4 {
            let mut draft = Draft::new(&mut outbox, u64::MAX);
            draft.put_slice(b"draft");
            (0..step).for_each(|_| draft.put_bytes(&large));
            draft.put_slice(&vec![2; step * 100_000]);
            assert_eq!(draft.len(), 5 + 200_000 * step as u64);
            drop(draft);
            assert_eq!((outbox.len(), outbox.chunks.len()), (6, 0));
        }
        outbox.put_slice(b", after");
        assert_eq!(outbox.chunk(), b"before, after");
    }

    #[test]
    fn a_header_that_has_no_room_behind_a_full_tail_is_written_over_where_it_is() {
        for room in 0..=10 {
            for is_shared in [false, true] {
                let mut outbox = Outbox::default();
                let mut model = vec![7; PIECE - room];
                model.iter().for_each(|byte| outbox.put_slice(&[*byte]));
                let body = vec![8; if is_shared { Outbox::SHARE } else { 9 }];
                for _ in 0..2 {
                    let mut draft = Draft::new(&mut outbox, u64::MAX);
                    draft.put_slice(&[0; 8]);
                    draft.put_bytes(&Bytes::from(body.clone()));
                    drop(draft);
                    assert_eq!(outbox.len(), model.len());
                    let mut draft = Draft::new(&mut outbox, u64::MAX);
                    draft.put_slice(&[0; 8]);
                    draft.put_bytes(&Bytes::from(body.clone()));
                    assert_eq!(draft.len(), 8 + body.len() as u64);
                    draft.finish(b"finished");
                    model.extend(b"finished");
                    model.extend(&body);
                }
                assert!(*outbox.copy_to_bytes(model.len()) == model);
                assert!(outbox.is_empty());
            }
        }
    }

    #[test]
    fn of_what_is_too_long_only_the_length_is_kept() {
        let mut outbox = Outbox::default();
        outbox.put_slice(b"before");
        let shared = Bytes::from(vec![0; Outbox::SHARE]);
        let mut draft = Draft::new(&mut outbox, 1_000_000);
        let mut length = 0;
        for _ in 0..1000 {
            draft.put_slice(&[0; 999]);
            draft.put_bytes(&shared);
            (0..50).for_each(|_| draft.put_slice(&[0; 1000]));
            length += 50_999 + Outbox::SHARE as u64;
            assert_eq!(draft.len(), length);
            let kept: usize = draft.outbox.chunks.iter().map(Bytes::len).sum();
            assert!(kept <= 1_000_000 + PIECE && draft.outbox.tail.capacity() <= PIECE);
        }
        drop(draft);
        assert_eq!((outbox.len(), outbox.chunk()), (6, &b"before"[..]));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Copy(usize),
        Start(usize),
        Share(usize),
    }

    proptest! {
        #[test]
        fn a_draft_is_put_as_a_whole_or_not_at_all(
            before in prop::collection::vec(step(), 0..5),
            messages in prop::collection::vec(
                (prop::collection::vec(step(), 0..20), any::<bool>()),
                1..6,
            ),
        ) {
            let mut outbox = Outbox::default();
            let mut model = Vec::new();
            let mut draft = Draft::new(&mut outbox, u64::MAX);
            before.iter().for_each(|step| take(step, &mut draft, &mut model));
            draft.finish(&[]);
            for (steps, is_kept) in messages {
                let mut message = vec![0; 8];
                let mut draft = Draft::new(&mut outbox, u64::MAX);
                draft.put_slice(&[0; 8]);
                steps.iter().for_each(|step| take(step, &mut draft, &mut message));
                prop_assert_eq!(draft.len(), message.len() as u64);
                prop_assert!(*draft.bytes() == message);
                prop_assert!(draft.piece().is_none_or(|piece| *piece == message));
                if is_kept {
                    draft.finish(b"finished");
                    message[..8].copy_from_slice(b"finished");
                    model.extend(message);
                } else {
                    drop(draft);
                }
                prop_assert_eq!(outbox.len(), model.len());
                prop_assert!(outbox.chunks.iter().all(|chunk| !chunk.is_empty()));
            }
            prop_assert!(*outbox.copy_to_bytes(model.len()) == model);
        }
    }

    fn take(step: &Step, draft: &mut Draft<'_>, model: &mut Vec<u8>) {
        let next = model.len() as u8;
        match *step {
            Step::Copy(length) => {
                draft.put_slice(&vec![next; length]);
                model.extend(vec![next; length]);
            }
            Step::Start(length) => {
                draft.put_start(&[next; 22], length);
                model.extend(vec![next; length]);
            }
            Step::Share(length) => {
                draft.put_bytes(&vec![next; length].into());
                model.extend(vec![next; length]);
            }
        }
    }

    fn step() -> impl Strategy<Value = Step> {
        let length = || prop_oneof![8 => 0..300_usize, 3 => 0..40_000_usize, 1 => 0..150_000_usize];
        prop_oneof![
            4 => length().prop_map(Step::Copy),
            2 => (0..=22_usize).prop_map(Step::Start),
            2 => length().prop_map(Step::Share),
        ]
    }
}

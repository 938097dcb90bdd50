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
    /// more memory is taken for it, and only its length is known.
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

    /// Returns what was put, in one piece.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        let mut chunks = self.outbox.chunks.range(self.before.0..);
        if chunks.len() == 0 {
            return Cow::Borrowed(&self.outbox.tail[self.start..]);
        }
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
        if self.outbox.chunks.len() == self.before.0 {
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

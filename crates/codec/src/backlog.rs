//! Messages that wait for somebody to ask for them.
//!
//! While a response is awaited, other messages arrive: asyncs that the caller did not ask for yet, and
//! requests of the peer that are not for now. They are kept in order, and since the peer decides how
//! many they are, [`Backlog`] bounds what keeping them takes: by
//! [`Limits::kept_asyncs`](crate::config::Limits::kept_asyncs), in memory and not in bytes of the
//! wire. A message of 10 bytes takes much more than 10 to keep, and cut from the buffer that it was
//! received in it would keep all 64 KiB of that from being used again. So messages that share a buffer
//! are copied out of it; one of more than 64 KiB has a buffer of its own and stays there.
//!
//! ```
//! use hopen_codec::backlog::{Backlog, Kept};
//! use hopen_codec::config::Limits;
//! use hopen_codec::message::Body;
//! use hopen_codec::value::Value;
//!
//! let limits = Limits::client();
//! let mut backlog = Backlog::new(limits.kept_asyncs);
//! backlog.push(Kept::Async(Body::encode(&Value::from("first"))?))?;
//! backlog.push(Kept::Async(Body::encode(&Value::from("second"))?))?;
//! assert_eq!(backlog.len(), 2);
//!
//! let Some(Kept::Async(first)) = backlog.pop() else {
//!     panic!("two are kept")
//! };
//! assert_eq!(first.decode(&limits)?, Ok(Value::from("first")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use std::collections::VecDeque;

use bytes::Bytes;

use crate::connection::Ticket;
use crate::frame::{Header, room};
use crate::message::Body;

/// A message that nobody has asked for yet.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what was kept is to be handled in full"
)]
pub enum Kept {
    /// An async message.
    Async(Body),
    /// A request of the peer, which waits for an answer.
    Request(Ticket, Body),
}

/// Messages that nobody has asked for yet, first in, first out, within a limit.
///
/// Fill it with [`push`](Self::push), empty it with [`pop`](Self::pop). Its `Debug` form tells
/// sizes only.
pub struct Backlog {
    messages: VecDeque<Kept>,
    bytes: usize,
    limit: usize,
}

impl Backlog {
    /// What a message counts beside the bytes of its body: 32 bytes for its header and the
    /// allocation, and three places in the queue, as a full queue is copied into one of twice its
    /// size.
    pub const BESIDE: usize = 32 + 3 * size_of::<Kept>();

    /// Returns a backlog that is full when it takes `limit` bytes of memory.
    pub const fn new(limit: usize) -> Self {
        Self {
            messages: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    /// Keeps a message behind the others. It counts the length of its body and
    /// [`BESIDE`](Self::BESIDE).
    ///
    /// The last one may go beyond the limit, whatever its length, which has a limit of its own
    /// ([`Limits::message`](crate::config::Limits::message)): it is in memory already.
    ///
    /// A body of a message of up to 64 KiB is copied, so that it does not keep the buffer that
    /// such messages share. A larger one is kept as it is: received as
    /// [`FrameDecoder::make_room`](crate::frame::FrameDecoder::make_room) says, it has a buffer of
    /// its own.
    ///
    /// # Errors
    ///
    /// Where it [is full](Self::is_full). The message is dropped, those before it stay. One is
    /// missing then: to go on receiving would hide that.
    pub fn push(&mut self, message: Kept) -> Result<(), BacklogFull> {
        if self.is_full() {
            return Err(BacklogFull { limit: self.limit });
        }
        self.bytes = self.bytes.saturating_add(cost(&message));
        self.messages.push_back(alone(message));
        Ok(())
    }

    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<Kept> {
        let message = self.messages.pop_front()?;
        self.bytes = self.bytes.saturating_sub(cost(&message));
        if self.messages.is_empty() {
            self.messages.shrink_to(KEPT_PLACES);
        }
        Some(message)
    }

    /// Returns whether nothing more is kept before something is taken. Never of an empty backlog:
    /// one message is always kept.
    pub fn is_full(&self) -> bool {
        self.bytes >= self.limit && !self.is_empty()
    }

    /// Returns how many messages are kept.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns whether no message is kept.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Returns what the messages count: the limit and one message at most.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog")
            .field("len", &self.len())
            .field("bytes", &self.bytes)
            .field("limit", &self.limit)
            .finish()
    }
}

/// More messages came than are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BacklogFull {
    /// How many bytes of them are kept.
    pub limit: usize,
}

impl fmt::Display for BacklogFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} bytes of messages wait", self.limit)
    }
}

impl core::error::Error for BacklogFull {}

/// Returns what a message counts: the same before and after [`alone`].
fn cost(message: &Kept) -> usize {
    let (Kept::Async(body) | Kept::Request(_, body)) = message;
    usize::try_from(body.len())
        .unwrap_or(usize::MAX)
        .saturating_add(Backlog::BESIDE)
}

/// Returns the message with its body in memory that it shares with no other.
fn alone(message: Kept) -> Kept {
    match message {
        Kept::Async(body) => Kept::Async(copied(body)),
        Kept::Request(ticket, body) => Kept::Request(ticket, copied(body)),
    }
}

fn copied(body: Body) -> Body {
    if body.len() > (room::SHARED - Header::LENGTH) as u64 {
        return body;
    }
    let bytes = Bytes::from(body.chunks().concat());
    Body::received(body.byte_order(), body.form(), bytes)
}

/// How many places an empty queue keeps for the next bodies.
const KEPT_PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::config::Limits;
    use crate::frame::FrameDecoder;
    use crate::message::MessageKind;
    use crate::value::Value;

    #[test]
    fn bodies_come_out_in_order_and_count_until_then() {
        let mut backlog = Backlog::new(usize::MAX);
        let values = [Value::from(1_i64), Value::from("two"), Value::from(3_i64)];
        let mut counts = vec![0];
        for value in &values {
            let body = Body::encode(value).unwrap();
            counts.push(counts[counts.len() - 1] + body.len() as usize + Backlog::BESIDE);
            backlog.push(Kept::Async(body)).unwrap();
            assert_eq!(backlog.bytes(), counts[backlog.len()]);
        }
        for (n, value) in values.iter().enumerate() {
            let body = popped(&mut backlog);
            assert_eq!(&body.decode(&Limits::client()).unwrap().unwrap(), value);
            assert_eq!(backlog.bytes(), counts[3] - counts[n + 1]);
        }
        assert!(backlog.pop().is_none() && backlog.is_empty());
        assert_eq!((backlog.len(), backlog.bytes()), (0, 0));
    }

    #[test]
    fn one_message_may_go_beyond_the_limit_and_what_was_kept_stays() {
        let one = 100 + Backlog::BESIDE;
        for (limit, fits) in [(0, 1), (1, 1), (one, 1), (one + 1, 2), (3 * one, 3)] {
            let mut backlog = Backlog::new(limit);
            for _ in 0..fits {
                assert!(!backlog.is_full());
                backlog.push(Kept::Async(body(100))).unwrap();
            }
            assert!(backlog.is_full());
            for _ in 0..2 {
                let pushed = backlog.push(Kept::Async(body(100)));
                assert_eq!(pushed, Err(BacklogFull { limit }));
            }
            assert_eq!((backlog.len(), backlog.bytes()), (fits, fits * one));
            backlog.pop().unwrap();
            backlog.push(Kept::Async(body(100))).unwrap();
        }
    }

    #[test]
    fn a_flood_of_small_messages_takes_no_more_than_the_limit() {
        let limit = 1024 * 1024;
        let mut backlog = Backlog::new(limit);
        let mut input = BytesMut::new();
        let mut frames = FrameDecoder::new(u64::MAX);
        frames.make_room(&mut input);
        let buffer = input.as_ptr();
        let mut queues = Vec::new();
        loop {
            frames.make_room(&mut input);
            assert!(
                (buffer..buffer.wrapping_add(64 * 1024)).contains(&input.as_ptr()),
                "no kept message keeps the buffer"
            );
            input.extend_from_slice(b"\x01\0\0\0\x0a\0\0\0\x01\x01");
            let message = frames.decode(&mut input).unwrap().unwrap();
            if backlog.push(Kept::Async(message.body)).is_err() {
                break;
            }
            let places = backlog.messages.capacity();
            if queues.last() != Some(&places) {
                queues.push(places);
            }
        }
        // Allocations of 2 bytes take 32, with what a common allocator adds.
        let [.., before, last] = queues[..] else {
            panic!("the queue has grown")
        };
        assert!(before + last <= 3 * backlog.len());
        let held = backlog.len() * 32 + (before + last) * size_of::<Kept>();
        assert!(held <= limit + Backlog::BESIDE, "{held}");

        while backlog.pop().is_some() {}
        assert!(backlog.messages.capacity() <= KEPT_PLACES);
    }

    #[test]
    fn a_message_is_copied_where_it_shares_a_buffer_and_only_there() {
        for (length, copied) in [(10, true), (64 * 1024, true), (64 * 1024 + 1, false)] {
            let header = Header::new(ByteOrder::Big, MessageKind::Async, None, length);
            let mut input = BytesMut::from(&header.to_bytes()[..]);
            input.resize(length as usize, 7);
            let received = FrameDecoder::new(u64::MAX).decode(&mut input);
            let received = received.unwrap().unwrap().body;
            let mut backlog = Backlog::new(usize::MAX);
            backlog.push(Kept::Async(received.clone())).unwrap();
            let kept = popped(&mut backlog);
            assert_eq!(kept.chunks(), received.chunks());
            assert_eq!(kept.byte_order(), ByteOrder::Big);
            let moved = kept.chunks()[0].as_ptr() != received.chunks()[0].as_ptr();
            assert_eq!(moved, copied, "{length}");
        }
    }

    #[test]
    fn what_came_compressed_stays_compressed() {
        let value = Value::from(vec![7_i64; 1000]);
        let compressed = Body::encode(&value).unwrap().compress();
        let mut backlog = Backlog::new(usize::MAX);
        backlog.push(Kept::Async(compressed.clone())).unwrap();
        let kept = popped(&mut backlog);
        assert_eq!(kept.form(), compressed.form());
        assert_eq!(kept.decode(&Limits::client()).unwrap(), Ok(value));
    }

    fn popped(backlog: &mut Backlog) -> Body {
        match backlog.pop() {
            Some(Kept::Async(body)) => body,
            other => panic!("{other:?}"),
        }
    }

    fn body(length: usize) -> Body {
        Body::from_bytes(vec![0; length].into(), ByteOrder::Little)
    }
}

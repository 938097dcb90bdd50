//! Async messages that wait for somebody to ask for them.
//!
//! While a response is awaited, asyncs arrive that the caller did not ask for yet. They are kept in
//! order, and since the peer decides how many they are, [`Backlog`] bounds what keeping them
//! takes: by [`Limits::kept_asyncs`](crate::config::Limits::kept_asyncs), in memory and not in
//! bytes of the wire. A message of 10 bytes takes much more than 10 to keep, and cut from the
//! buffer that it was received in it would keep all 64 KiB of that from being used again. So
//! messages that share a buffer are copied out of it; one of more than 64 KiB has a buffer of its
//! own and stays there.
//!
//! ```
//! use hopen_codec::backlog::Backlog;
//! use hopen_codec::config::Limits;
//! use hopen_codec::message::Body;
//! use hopen_codec::value::Value;
//!
//! let limits = Limits::client();
//! let mut backlog = Backlog::new(limits.kept_asyncs);
//! backlog.push(Body::encode(&Value::from("first"))?)?;
//! backlog.push(Body::encode(&Value::from("second"))?)?;
//! assert_eq!(backlog.len(), 2);
//!
//! let first = backlog.pop().expect("two are kept");
//! assert_eq!(first.decode(&limits)?, Ok(Value::from("first")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use std::collections::VecDeque;

use bytes::Bytes;

use crate::frame::{Header, room};
use crate::message::Body;

/// Bodies of async messages, first in, first out, within a limit.
///
/// Fill it with [`push`](Self::push), empty it with [`pop`](Self::pop). Its `Debug` form tells
/// sizes only.
pub struct Backlog {
    bodies: VecDeque<Body>,
    bytes: usize,
    limit: usize,
}

impl Backlog {
    /// What a message counts beside the bytes of its body: 32 bytes for its header and the
    /// allocation, and three places in the queue, as a full queue is copied into one of twice its
    /// size.
    pub const BESIDE: usize = 32 + 3 * size_of::<Body>();

    /// Returns a backlog that may take up to `limit` bytes of memory.
    pub const fn new(limit: usize) -> Self {
        Self {
            bodies: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    /// Keeps a body behind the others. It counts its length and [`BESIDE`](Self::BESIDE).
    ///
    /// A body of a message of up to 64 KiB is copied, so that it does not keep the buffer that
    /// such messages share. A larger one is kept as it is: received as
    /// [`FrameDecoder::make_room`](crate::frame::FrameDecoder::make_room) says, it has a buffer of
    /// its own.
    ///
    /// # Errors
    ///
    /// Where that would be more than the limit, also of the first one. The body is dropped, those
    /// before it stay. A message is missing then: to go on receiving would hide that.
    pub fn push(&mut self, body: Body) -> Result<(), BacklogFull> {
        let full = BacklogFull { limit: self.limit };
        let bytes = self.bytes.checked_add(cost(&body)).ok_or(full)?;
        if bytes > self.limit {
            return Err(full);
        }
        self.bytes = bytes;
        self.bodies.push_back(alone(body));
        Ok(())
    }

    /// Takes the oldest body.
    pub fn pop(&mut self) -> Option<Body> {
        let body = self.bodies.pop_front()?;
        self.bytes -= cost(&body);
        if self.bodies.is_empty() {
            self.bodies.shrink_to(KEPT_PLACES);
        }
        Some(body)
    }

    /// Returns how many bodies are kept.
    pub fn len(&self) -> usize {
        self.bodies.len()
    }

    /// Returns whether no body is kept.
    pub fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// Returns what the bodies count, which is at most the limit.
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

/// More async messages came than are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BacklogFull {
    /// How many bytes of them are kept.
    pub limit: usize,
}

impl fmt::Display for BacklogFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} bytes of async messages wait", self.limit)
    }
}

impl core::error::Error for BacklogFull {}

/// Returns what a body counts: the same before and after [`alone`].
fn cost(body: &Body) -> usize {
    usize::try_from(body.len())
        .unwrap_or(usize::MAX)
        .saturating_add(Backlog::BESIDE)
}

/// Returns the body in memory that it shares with no other message.
fn alone(body: Body) -> Body {
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
            backlog.push(body).unwrap();
            assert_eq!(backlog.bytes(), counts[backlog.len()]);
        }
        for (n, value) in values.iter().enumerate() {
            let body = backlog.pop().unwrap();
            assert_eq!(&body.decode(&Limits::client()).unwrap().unwrap(), value);
            assert_eq!(backlog.bytes(), counts[3] - counts[n + 1]);
        }
        assert!(backlog.pop().is_none() && backlog.is_empty());
        assert_eq!((backlog.len(), backlog.bytes()), (0, 0));
    }

    #[test]
    fn the_limit_is_reached_exactly_and_what_was_kept_stays() {
        let one = 100 + Backlog::BESIDE;
        for (limit, fits) in [(0, 0), (one - 1, 0), (one, 1), (3 * one - 1, 2)] {
            let mut backlog = Backlog::new(limit);
            for _ in 0..fits {
                backlog.push(body(100)).unwrap();
            }
            for _ in 0..2 {
                assert_eq!(backlog.push(body(100)), Err(BacklogFull { limit }));
            }
            assert_eq!((backlog.len(), backlog.bytes()), (fits, fits * one));
            if fits > 0 {
                backlog.pop().unwrap();
                backlog.push(body(100)).unwrap();
            }
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
            if backlog.push(message.body).is_err() {
                break;
            }
            let places = backlog.bodies.capacity();
            if queues.last() != Some(&places) {
                queues.push(places);
            }
        }
        // Allocations of 2 bytes take 32, with what a common allocator adds.
        let [.., before, last] = queues[..] else {
            panic!("the queue has grown")
        };
        assert!(before + last <= 3 * backlog.len());
        let held = backlog.len() * 32 + (before + last) * size_of::<Body>();
        assert!(held <= limit, "{held}");

        while backlog.pop().is_some() {}
        assert!(backlog.bodies.capacity() <= KEPT_PLACES);
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
            backlog.push(received.clone()).unwrap();
            let kept = backlog.pop().unwrap();
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
        backlog.push(compressed.clone()).unwrap();
        let kept = backlog.pop().unwrap();
        assert_eq!(kept.form(), compressed.form());
        assert_eq!(kept.decode(&Limits::client()).unwrap(), Ok(value));
    }

    fn body(length: usize) -> Body {
        Body::from_bytes(vec![0; length].into(), ByteOrder::Little)
    }
}

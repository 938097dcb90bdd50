//! What we owe the peer: an answer to each of its requests, in the order in which it takes them.
//!
//! A response carries no mark of its request, so the peer takes the first one for whatever it waits
//! for just then. A peer that sends several requests without waiting takes the answers in the order
//! of its requests. A q process sends a second one only while it works on something of ours that came
//! in while it waited: it waits for the answer to that one first, and for the older one when it has
//! done with ours. So what is asked while a request of ours is outstanding is answered first, and what
//! was asked before waits until ours is answered:
//!
//! ```text
//!                     we ask             ours is answered
//!  asked: 1 2           |  asked: 3            |
//!  to answer: 1, 2      |  3                   |  1, 2
//!                          1, 2 wait
//! ```
//!
//! Of two that are asked while ours is outstanding the first has crossed ours, and the second came of
//! it: the first waits too. Unless an async of ours has gone out as well: then the second may have come
//! of that, inside the first, and is answered before it.
//!
//! The peer's bytes do not tell everything. A single request that crossed ours looks like a call-back
//! and is answered at once, which is right unless ours calls back later. A q that calls back from an
//! async of ours while nothing else of ours is outstanding looks like a peer that pipelines, and is
//! answered in the order of asking. And a peer that answers ours only when it has its own answer (a q
//! that puts ours off with `-30!` while it waits) gets neither: whoever asks back should answer what
//! was asked before only with what came back.

use core::cmp::Reverse;
use core::sync::atomic::{AtomicU64, Ordering};
use core::{fmt, mem};
use std::collections::VecDeque;

use bytes::Bytes;

use crate::outbox::Outbox;

/// The right to answer one request of the peer, once:
/// [`Connection::respond`](super::Connection::respond).
///
/// It belongs to the connection that handed it out, and can be kept for as long as the answer takes.
/// The peer waits until then: a ticket that is dropped leaves it waiting for ever.
#[derive(Debug, PartialEq, Eq, Hash)]
#[must_use = "the peer waits for an answer"]
pub struct Ticket {
    connection: u64,
    number: u64,
}

/// The requests of the peer that are not answered yet.
#[derive(Default)]
pub(super) struct Owed {
    /// Which connection's these are.
    connection: u64,
    /// What may be answered now, the next one first: the oldest, or while a request of ours is
    /// outstanding the latest.
    open: VecDeque<Debt>,
    /// What waits until our outstanding request is answered, the oldest first.
    waiting: VecDeque<Debt>,
    /// Whether a request of ours is outstanding.
    asking: bool,
    /// Whether an async of ours has gone out since.
    told: bool,
    /// How many requests there have been.
    asked: u64,
    /// The bytes of the answers that are held.
    held: usize,
}

/// A request that is not answered yet.
struct Debt {
    number: u64,
    /// Its answer, if that came before its turn.
    answer: Option<Vec<Bytes>>,
}

impl Owed {
    /// Nothing is owed yet on this connection.
    pub(super) fn new() -> Self {
        Self {
            connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
            ..Self::default()
        }
    }

    /// Adds a request of the peer.
    pub(super) fn add(&mut self) -> Ticket {
        let number = self.asked;
        self.asked += 1;
        let debt = Debt {
            number,
            answer: None,
        };
        if self.asking {
            // Nothing but our request made the peer ask again, so it works on that now.
            if !self.told {
                self.waiting.extend(self.open.drain(..).rev());
            }
            self.open.push_front(debt);
        } else {
            self.open.push_back(debt);
        }
        Ticket {
            connection: self.connection,
            number,
        }
    }

    /// Settles a request with the answer that `write` writes: to `outbox` in its turn, else it is
    /// held. Returns what `write` does, or `None` where no such request is owed an answer.
    pub(super) fn settle<T>(
        &mut self,
        ticket: Ticket,
        outbox: &mut Outbox,
        write: impl FnOnce(&mut Outbox) -> T,
    ) -> Option<T> {
        if ticket.connection != self.connection {
            return None;
        }
        let number = ticket.number;
        let next = self.open.front().map(|debt| debt.number);
        if next == Some(number) {
            let result = write(outbox);
            self.open.pop_front();
            self.release(outbox);
            return Some(result);
        }
        let debt = self.find(number)?;
        if debt.answer.is_some() {
            return None;
        }
        let mut early = Outbox::default();
        let result = write(&mut early);
        let length = early.len();
        debt.answer = Some(early.into_chunks().into_iter().map(alone).collect());
        self.held += length;
        Some(result)
    }

    /// Is told that a request of ours has gone out, with none before it outstanding.
    pub(super) fn ask(&mut self) {
        self.asking = true;
        self.told = false;
        self.waiting.append(&mut self.open);
    }

    /// Is told that an async of ours has gone out.
    pub(super) const fn tell(&mut self) {
        self.told = true;
    }

    /// Is told that nothing of ours is outstanding any more.
    pub(super) fn answered(&mut self, outbox: &mut Outbox) {
        self.asking = false;
        // A peer that answers us before it has its own answer does not nest: its order of asking.
        let meanwhile = mem::take(&mut self.open);
        self.open = mem::take(&mut self.waiting);
        self.open.extend(meanwhile.into_iter().rev());
        self.release(outbox);
    }

    /// Returns whether the peer asked something while ours was outstanding, and has no answer.
    pub(super) fn is_asked_meanwhile(&self) -> bool {
        self.asking && !self.open.is_empty()
    }

    /// Returns how many requests are not answered, or not in their turn.
    pub(super) fn len(&self) -> usize {
        self.open.len() + self.waiting.len()
    }

    /// Returns the bytes of the answers that are held.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Writes the answers whose turn has come.
    fn release(&mut self, outbox: &mut Outbox) {
        while let Some(chunks) = self.open.front_mut().and_then(|debt| debt.answer.take()) {
            self.open.pop_front();
            for chunk in chunks {
                self.held -= chunk.len();
                outbox.put_bytes(chunk);
            }
        }
    }

    fn find(&mut self, number: u64) -> Option<&mut Debt> {
        let open = if self.asking {
            self.open
                .binary_search_by_key(&Reverse(number), |debt| Reverse(debt.number))
        } else {
            self.open.binary_search_by_key(&number, |debt| debt.number)
        };
        if let Ok(place) = open {
            return self.open.get_mut(place);
        }
        let place = self
            .waiting
            .binary_search_by_key(&number, |debt| debt.number);
        self.waiting.get_mut(place.ok()?)
    }
}

/// How many connections there have been, which tells their tickets apart.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// Returns a small chunk without the room that is left behind it: it may be held for long.
fn alone(chunk: Bytes) -> Bytes {
    if chunk.len() < Outbox::SHARE {
        Bytes::copy_from_slice(&chunk)
    } else {
        chunk
    }
}

impl fmt::Debug for Owed {
    /// Counts only: answers are nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owed")
            .field("open", &self.open.len())
            .field("waiting", &self.waiting.len())
            .field("held", &self.held)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_go_out_in_the_order_of_the_requests() {
        let (mut owed, mut outbox) = (Owed::default(), Outbox::default());
        let [one, two, three] = [owed.add(), owed.add(), owed.add()];
        answer(&mut owed, three, b"3", &mut outbox);
        answer(&mut owed, two, b"2", &mut outbox);
        assert_eq!((outbox.len(), owed.held(), owed.len()), (0, 2, 3));
        answer(&mut owed, one, b"1", &mut outbox);
        assert_eq!(written(outbox), b"123");
        assert_eq!((owed.held(), owed.len()), (0, 0));
    }

    #[test]
    fn what_is_asked_while_we_ask_comes_first_and_what_was_asked_before_last() {
        for (told, order) in [(false, b"2o1"), (true, b"21o")] {
            let (mut owed, mut outbox) = (Owed::default(), Outbox::default());
            let old = owed.add();
            owed.ask();
            assert!(!owed.is_asked_meanwhile());
            if told {
                owed.tell();
            }
            let [first, second] = [owed.add(), owed.add()];
            assert!(owed.is_asked_meanwhile());
            answer(&mut owed, old, b"o", &mut outbox);
            answer(&mut owed, first, b"1", &mut outbox);
            assert!(outbox.is_empty());
            answer(&mut owed, second, b"2", &mut outbox);
            assert!(!owed.is_asked_meanwhile());
            assert_eq!(outbox.len(), if told { 2 } else { 1 });
            owed.answered(&mut outbox);
            assert_eq!(written(outbox), order);
        }
    }

    #[test]
    fn an_early_answer_takes_no_more_than_its_bytes() {
        let (mut owed, mut outbox) = (Owed::default(), Outbox::default());
        let [_first, second] = [owed.add(), owed.add()];
        answer(&mut owed, second, b"2", &mut outbox);
        let held = owed.open[1].answer.take().unwrap();
        let held: Vec<Vec<u8>> = held.into_iter().map(Vec::from).collect();
        assert_eq!(held.iter().map(Vec::capacity).sum::<usize>(), 1);
    }

    #[test]
    fn a_peer_that_answers_us_first_takes_its_answers_in_order() {
        let (mut owed, mut outbox) = (Owed::default(), Outbox::default());
        let old = owed.add();
        owed.ask();
        let [first, second] = [owed.add(), owed.add()];
        answer(&mut owed, first, b"1", &mut outbox);
        owed.answered(&mut outbox);
        assert!(outbox.is_empty() && !owed.is_asked_meanwhile());
        answer(&mut owed, second, b"2", &mut outbox);
        answer(&mut owed, old, b"o", &mut outbox);
        assert_eq!(written(outbox), b"o12");
    }

    #[test]
    fn nothing_is_answered_twice_and_nothing_that_was_not_asked() {
        let (mut owed, mut outbox) = (Owed::default(), Outbox::default());
        let [one, two] = [owed.add(), owed.add()];
        answer(&mut owed, two, b"2", &mut outbox);
        for number in [1, 2, u64::MAX] {
            let ticket = Ticket {
                connection: 0,
                number,
            };
            assert_eq!(owed.settle(ticket, &mut outbox, |_| ()), None);
        }
        let again = Ticket {
            connection: 0,
            number: 0,
        };
        answer(&mut owed, one, b"1", &mut outbox);
        assert_eq!(owed.settle(again, &mut outbox, |_| ()), None);
        assert_eq!(written(outbox), b"12");
    }

    fn answer(owed: &mut Owed, ticket: Ticket, text: &[u8], outbox: &mut Outbox) {
        let written = owed.settle(ticket, outbox, |outbox| outbox.put_slice(text));
        written.expect("it was asked");
    }

    fn written(outbox: Outbox) -> Vec<u8> {
        outbox.into_chunks().concat()
    }
}

//! Two ends of a connection and a program for them, beside a model of what must arrive: a byte for
//! how each end takes its requests and how large messages are, one for their capabilities, one for
//! the order in which answers are given at the end, and two for each operation.
//!
//! The model is what the codec's own tests use (`crates/codec/tests/conversation/pair.rs`).

use hopen_codec::config::{Capability, Requests};

mod end;
mod pair;
pub mod wire;

pub use pair::{Operation, Outcome, Pair, Setup, Side};

/// Looks at one input.
pub fn look_at(input: &[u8]) {
    let Some((&[kind, capabilities, order], program)) = input.split_first_chunk() else {
        return;
    };
    let requests = |bit: u8| match kind >> bit & 1 {
        0 => Requests::OneAtATime,
        _ => Requests::Pipelined,
    };
    let setup = Setup {
        requests: [requests(0), requests(1)],
        capabilities: [capabilities % 7, capabilities / 7].map(Capability::from_wire),
        padding: [0, 3, 300, 3000][usize::from(kind >> 2 & 3)],
    };
    let mut pair = Pair::new(setup);
    for operation in program.as_chunks().0.iter().take(MOST_OPERATIONS) {
        if pair.take(self::operation(*operation)) == Outcome::Over {
            return;
        }
    }
    pair.settle(order.into());
}

/// Reads an operation: what, and how much of it.
fn operation([what, much]: [u8; 2]) -> Operation {
    let side = if what & 1 == 0 {
        Side::Client
    } else {
        Side::Server
    };
    let much = usize::from(much);
    match what >> 1 & 15 {
        0..=2 => Operation::Ask(side),
        3 => Operation::Tell(side),
        4 | 5 => Operation::Answer(side, much),
        6 | 7 => Operation::Deliver(side, much),
        8 | 9 => Operation::Deliver(side, usize::MAX),
        10 => Operation::Deliver(side, much * 16),
        11 => Operation::GiveUp(side),
        12 => Operation::Abandon(side),
        13 => Operation::Corrupt(side, much, 1 << (what >> 5)),
        14 => Operation::Corrupt(side, much * 16, what | 1),
        _ => Operation::Close(side),
    }
}

/// Each may make the conversation longer, and the longest says nothing that a shorter one does not.
const MOST_OPERATIONS: usize = 300;

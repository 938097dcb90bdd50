//! Two connections and random programs for them, beside the model that the fuzz target
//! `conversation` has as well.

use hopen_codec::config::{Capability, Requests};
use hopen_fuzz::conversation::{Operation, Outcome, Pair, Setup, Side};
use proptest::prelude::*;

proptest! {
    #[test]
    fn two_that_ask_one_at_a_time_get_their_own_answers(
        program in program(),
        order in 0..8_usize,
    ) {
        let mut pair = one_at_a_time();
        prop_assert_eq!(pair.run(&program), Outcome::Goes);
        prop_assert_eq!(pair.settle(order), Outcome::Goes);
    }

    #[test]
    fn pipelined_requests_get_their_own_answers_in_whatever_order_these_are_given(
        program in program(),
        order in 0..8_usize,
    ) {
        let mut pair = Pair::new(Setup::plain(Requests::Pipelined, Requests::OneAtATime));
        let program: Vec<_> = program
            .into_iter()
            .filter(|operation| !matches!(operation, Operation::Ask(Side::Server)))
            .collect();
        prop_assert_eq!(pair.run(&program), Outcome::Goes);
        prop_assert_eq!(pair.settle(order), Outcome::Goes);
    }

    // An end that is asked while several requests of its own are outstanding is over: if it went on,
    // it could take the answer to its second request as that to its first.
    #[test]
    fn pipelined_requests_get_their_own_answers_or_end_with_a_call_back(
        client in requests(),
        server in requests(),
        program in program(),
        order in 0..8_usize,
    ) {
        let mut pair = Pair::new(Setup::plain(client, server));
        if pair.run(&program) == Outcome::Goes {
            pair.settle(order);
        }
    }

    #[test]
    fn what_is_cut_changed_or_given_up_is_noticed_or_settled(
        requests in [requests(), requests()],
        capabilities in [0..7_u8, 0..7],
        padding in prop_oneof![Just(0), Just(300)],
        program in rough_program(),
        order in 0..8_usize,
    ) {
        let mut pair = Pair::new(Setup {
            requests,
            capabilities: capabilities.map(Capability::from_wire),
            padding,
        });
        if pair.run(&program) == Outcome::Goes {
            pair.settle(order);
        }
    }
}

#[test]
fn requests_that_cross_are_answered_in_every_order_of_arrival_and_answering() {
    let mut seen = Seen::default();
    explore(&mut Vec::new(), &mut seen);
    // Both were asked before either was told, and answers went out before the other's and behind.
    assert!(seen.crossed > 0 && seen.crossed < seen.settled);
}

/// What was seen in all the ways in which a conversation can go.
#[derive(Default)]
struct Seen {
    settled: usize,
    crossed: usize,
}

/// Takes every way on from here, with two requests of each end.
fn explore(way: &mut Vec<Operation>, seen: &mut Seen) {
    let mut pair = one_at_a_time();
    let mut crossed = false;
    for &operation in &*way {
        pair.take(operation);
        crossed |=
            [&pair.client, &pair.server].map(|end| (end.asked > 0, end.heard)) == [(true, 0); 2];
    }
    let next = next(&pair);
    if next.is_empty() {
        pair.assert_settled();
        assert_eq!([&pair.client, &pair.server].map(|end| end.asked), [2; 2]);
        seen.settled += 1;
        seen.crossed += usize::from(crossed);
    }
    for operation in next {
        way.push(operation);
        explore(way, seen);
        way.pop();
    }
}

/// Returns everything that can happen next while neither end asks more than twice.
fn next(pair: &Pair) -> Vec<Operation> {
    let mut next = Vec::new();
    for (side, end) in [(Side::Client, &pair.client), (Side::Server, &pair.server)] {
        if end.asked < 2 && !end.has_request_outstanding() {
            next.push(Operation::Ask(side));
        }
        if end.has_bytes_under_way() {
            next.push(Operation::Deliver(side, usize::MAX));
        }
        let places = 0..end.open();
        next.extend(places.map(|place| Operation::Answer(side, place)));
    }
    next
}

fn one_at_a_time() -> Pair {
    Pair::new(Setup::plain(Requests::OneAtATime, Requests::OneAtATime))
}

/// Programs in which at last something ends, or is changed on its way.
fn rough_program() -> impl Strategy<Value = Vec<Operation>> {
    let side = || prop_oneof![Just(Side::Client), Just(Side::Server)];
    let end = prop_oneof![
        side().prop_map(Operation::Abandon),
        side().prop_map(Operation::Close),
        (side(), 0..3000_usize, 1..=u8::MAX)
            .prop_map(|(side, place, change)| Operation::Corrupt(side, place, change)),
    ];
    (program(), end, program()).prop_map(|(start, end, rest)| [start, vec![end], rest].concat())
}

fn program() -> impl Strategy<Value = Vec<Operation>> {
    let side = || prop_oneof![Just(Side::Client), Just(Side::Server)];
    let operation = prop_oneof![
        6 => side().prop_map(Operation::Ask),
        2 => side().prop_map(Operation::Tell),
        1 => side().prop_map(Operation::GiveUp),
        4 => (side(), 0..8_usize).prop_map(|(side, which)| Operation::Answer(side, which)),
        8 => (side(), 1..60_usize).prop_map(|(side, count)| Operation::Deliver(side, count)),
    ];
    prop::collection::vec(operation, 0..150)
}

fn requests() -> impl Strategy<Value = Requests> {
    prop_oneof![
        3 => Just(Requests::Pipelined),
        1 => Just(Requests::OneAtATime),
    ]
}

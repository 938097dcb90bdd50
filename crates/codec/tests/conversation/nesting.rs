//! A connection and a model of a q process, which waits inside what it evaluates.
//!
//! While q waits for an answer it evaluates what comes in, and may ask again inside that. An answer
//! is taken by the innermost wait:
//!
//! ```text
//!  q asks 101                     waits 101
//!      we ask 1                   waits 101 · evaluates 1
//!  q asks 102                     waits 101 · evaluates 1 · waits 102
//!      we answer                                                  ▲ takes the next answer
//! ```
//!
//! The model takes whatever answer comes, as q does, and says so where it was another's.

use std::collections::VecDeque;

use hopen_codec::config::{Capability, Config};
use hopen_codec::connection::{Connection, Incoming, Ticket};
use hopen_codec::message::MessageKind;
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::q::{Defers, Frame, Misattributed, Plan, Q};
use crate::wire::{Said, connected, written};

proptest! {
    #[test]
    fn each_wait_of_q_takes_its_own_answer(choices in choices()) {
        let mut world = World::new(Order::Connection);
        prop_assert_eq!(world.go(&choices), Ok(()));
        world.assert_settled();
    }
}

#[test]
fn in_any_other_order_a_wait_takes_the_answer_of_another() {
    for order in [Order::OfAsking, Order::LatestFirst, Order::AsGiven] {
        let mut runner = TestRunner::deterministic();
        let is_mixed_up = (0..256).any(|_| {
            let choices = choices().new_tree(&mut runner);
            let choices = choices.expect("nothing is filtered out").current();
            World::new(order).go(&choices).is_err()
        });
        assert!(is_mixed_up, "{order:?}");
    }
}

#[test]
fn a_request_that_crosses_ours_is_answered_behind_it_once_there_is_a_call_back() {
    let mut world = World::new(Order::Connection);
    let story = [
        Move::QAsks,
        Move::WeTell(Plan::calls(0)),
        Move::WeAsk(Plan::calls(2)),
        Move::QGoesOn,
        Move::QGoesOn,
        Move::QGoesOn,
        Move::QGoesOn,
        Move::WeHear,
        Move::WeHear,
        Move::WeAnswer(0),
        Move::WeAnswer(0),
    ];
    assert_eq!(world.play(&story), Ok(()));
    assert_eq!(world.go(&[]), Ok(()));
    world.assert_settled();
}

// What no order can be right for: two stories that look the same from here.

#[test]
fn a_request_that_crosses_ours_looks_like_a_call_back() {
    let call_back = [
        Move::WeAsk(Plan::calls(1)),
        Move::QGoesOn,
        Move::QGoesOn,
        Move::WeHear,
    ];
    let crossing = [
        Move::QAsks,
        Move::WeAsk(Plan::calls(1)),
        Move::QGoesOn,
        Move::WeHear,
    ];
    let mut stories = [call_back, crossing].map(|moves| {
        let mut world = World::new(Order::Connection);
        assert_eq!(world.play(&moves), Ok(()));
        world
    });
    // We have asked, and were asked. To q, the answer is due now or behind its own.
    let [call_back, crossing] = &mut stories;
    let answer = [Move::WeAnswer(0), Move::QGoesOn];
    assert_eq!(call_back.play(&answer), Ok(()));
    let answer = [Move::WeAnswer(0), Move::QGoesOn, Move::QGoesOn];
    let mixed_up = Misattributed {
        wanted: Some(102),
        answer: 101,
    };
    assert_eq!(crossing.play(&answer), Err(mixed_up));
}

#[test]
fn a_call_back_from_an_async_looks_like_a_second_request() {
    let mut world = World::new(Order::Connection);
    let story = [
        Move::QAsks,
        Move::WeHear,
        Move::WeTell(Plan::calls(1)),
        Move::QGoesOn,
        Move::QGoesOn,
        Move::WeHear,
        Move::WeAnswer(1),
        Move::WeAnswer(0),
    ];
    assert_eq!(world.play(&story), Ok(()));
    // One that sends two requests at once waits for the first answer first, and is not q.
    let mixed_up = Misattributed {
        wanted: Some(102),
        answer: 101,
    };
    assert_eq!(world.play(&[Move::QGoesOn]), Err(mixed_up));
}

#[test]
fn an_answer_that_is_put_off_looks_like_one_that_calls_back_first() {
    let story = |plan| {
        let mut world = World::new(Order::Connection);
        let moves = [
            Move::QAsks,
            Move::WeHear,
            Move::WeAsk(plan),
            Move::WeAnswer(0),
        ];
        assert_eq!(world.play(&moves), Ok(()));
        // The answer is held: the request may call back, and that would take it.
        assert_eq!(world.connection.owed(), 1);
        assert_eq!(world.go(&[]), Ok(()));
        world
    };
    story(Plan::calls(1)).assert_settled();
    // This one waits for the held answer before it gives the one that this is held for.
    let stuck = story(Plan {
        calls: 0,
        defers: Defers::Always,
    });
    assert!(matches!(stuck.q.stack[..], [Frame::Waits(101)]));
    assert_eq!(stuck.connection.owed(), 1);
}

/// Numbers that each choose one of the moves that are possible just then.
fn choices() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..1000_usize, 0..150)
}

/// In which order we answer q.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// As a connection does.
    Connection,
    /// The oldest request first, whatever we ask meanwhile.
    OfAsking,
    /// The latest request first.
    LatestFirst,
    /// Each answer as soon as there is one.
    AsGiven,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    /// q, which is idle, asks us.
    QAsks,
    /// q goes on with what it evaluates, or takes in what has come.
    QGoesOn,
    /// q, which is idle, gives an answer that it put off.
    QAnswersLate,
    WeAsk(Plan),
    WeTell(Plan),
    /// The next message of q arrives.
    WeHear,
    /// We answer one of the requests that have come.
    WeAnswer(usize),
}

/// A q process and us.
struct World {
    q: Q,
    /// What q has sent and we have not received.
    to_us: VecDeque<Said>,
    order: Order,
    connection: Connection,
    outbox: Outbox,
    /// How many messages we have sent that are no answers; each has its number.
    sent: i64,
    outstanding: Option<i64>,
    open: Vec<(i64, Ticket)>,
    /// Where the order is not the connection's: what we owe, oldest first, and whether its answer
    /// is there.
    owed: Vec<(i64, bool)>,
}

impl World {
    fn new(order: Order) -> Self {
        Self {
            q: Q::default(),
            to_us: VecDeque::new(),
            order,
            connection: connected(Config::client(), Capability::MAX),
            outbox: Outbox::default(),
            sent: 0,
            outstanding: None,
            open: Vec::new(),
            owed: Vec::new(),
        }
    }

    /// Makes one of the possible moves for each choice, and then those that end the conversation.
    fn go(&mut self, choices: &[usize]) -> Result<(), Misattributed> {
        for choice in choices {
            let moves = self.moves();
            self.take(moves[choice % moves.len()])?;
        }
        while let Some(next) = self.next() {
            self.take(next)?;
        }
        Ok(())
    }

    fn play(&mut self, moves: &[Move]) -> Result<(), Misattributed> {
        moves.iter().try_for_each(|&next| self.take(next))
    }

    /// Returns what is possible now. Nobody asks so that a request which calls back crosses one of
    /// q's own, and no async calls back: see the tests of what looks the same from here.
    fn moves(&self) -> Vec<Move> {
        let mut moves = vec![Move::WeTell(Plan::calls(0))];
        moves.extend(self.next());
        moves.extend(self.q.can_go_on().then_some(Move::QGoesOn));
        moves.extend((!self.to_us.is_empty()).then_some(Move::WeHear));
        moves.extend((0..self.open.len()).map(Move::WeAnswer));
        if self.q.stack.is_empty() && !self.q.is_to_call_back() {
            moves.push(Move::QAsks);
        }
        if self.outstanding.is_none() {
            let asked = self.to_us.iter().any(|said| matches!(said, Said::Sync(_)));
            for calls in 0..=if asked { 0 } else { 3 } {
                let plans = [Defers::Never, Defers::Idle].map(|defers| Plan { calls, defers });
                moves.extend(plans.map(Move::WeAsk));
            }
        }
        moves
    }

    /// Returns a move that brings the end closer, or `None` where everything is settled or stuck.
    fn next(&self) -> Option<Move> {
        if self.q.can_go_on() {
            return Some(Move::QGoesOn);
        }
        if !self.to_us.is_empty() {
            return Some(Move::WeHear);
        }
        if !self.open.is_empty() {
            return Some(Move::WeAnswer(0));
        }
        let idle = self.q.stack.is_empty();
        (idle && !self.q.put_off.is_empty()).then_some(Move::QAnswersLate)
    }

    fn take(&mut self, next: Move) -> Result<(), Misattributed> {
        match next {
            Move::QAsks => self.to_us.push_back(self.q.ask()),
            Move::QGoesOn => self.to_us.extend(self.q.go_on()?),
            Move::QAnswersLate => {
                let number = self.q.put_off.pop_front().expect("it put one off");
                self.to_us.push_back(Said::Response(number));
            }
            Move::WeAsk(plan) => {
                let value = Value::from(self.number(plan));
                let sent = self.connection.request(&value, &mut self.outbox);
                assert_eq!(sent, Ok(()));
                self.outstanding = Some(self.sent);
            }
            Move::WeTell(plan) => {
                let value = Value::from(self.number(plan));
                let sent = self.connection.notify(&value, &mut self.outbox);
                assert_eq!(sent, Ok(()));
            }
            Move::WeHear => {
                let said = self.to_us.pop_front().expect("q has sent something");
                self.hear(&said);
            }
            Move::WeAnswer(place) => {
                let (number, ticket) = self.open.remove(place);
                self.answer(number, ticket);
            }
        }
        self.q.inbox.extend(written(&mut self.outbox));
        Ok(())
    }

    /// Numbers what we send next, and has q plan what it does with it.
    fn number(&mut self, plan: Plan) -> i64 {
        self.sent += 1;
        self.q.plans.insert(self.sent, plan);
        self.sent
    }

    fn hear(&mut self, said: &Said) {
        let mut input = said.bytes();
        let received = self.connection.receive(&mut input, &mut self.outbox);
        let incoming = received.expect("q does nothing wrong");
        match incoming.expect("the message is whole") {
            Incoming::Request(ticket, body) => {
                let Said::Sync(number) = Said::of(MessageKind::Sync, &body) else {
                    panic!("a request is a number");
                };
                self.open.push((number, ticket));
                self.owed.push((number, false));
            }
            Incoming::Response(body) => {
                let number = self.outstanding.take().expect("we have asked");
                let said = Said::of(MessageKind::Response, &body);
                assert_eq!(said, Said::Response(number));
            }
            Incoming::Async(_) | Incoming::LateResponse => panic!("q sends no such thing"),
        }
    }

    fn answer(&mut self, number: i64, ticket: Ticket) {
        if self.order == Order::Connection {
            let value = Value::from(number);
            let sent = self
                .connection
                .respond(ticket, Ok(&value), &mut self.outbox);
            return assert_eq!(sent, Ok(()));
        }
        for (owed, is_given) in &mut self.owed {
            *is_given |= *owed == number;
        }
        while let Some(place) = self.turn() {
            let (number, is_given) = self.owed[place];
            if !is_given {
                break;
            }
            self.owed.remove(place);
            self.q.inbox.push_back(Said::Response(number));
        }
    }

    /// Returns the place of the request whose turn it is, where the order is not the connection's.
    fn turn(&self) -> Option<usize> {
        match self.order {
            Order::Connection => None,
            Order::OfAsking => (!self.owed.is_empty()).then_some(0),
            Order::LatestFirst => self.owed.len().checked_sub(1),
            Order::AsGiven => self.owed.iter().position(|&(_, is_given)| is_given),
        }
    }

    fn assert_settled(&self) {
        assert!(self.q.stack.is_empty(), "q waits: {:?}", self.q.stack);
        assert_eq!(self.outstanding, None);
        assert_eq!((self.connection.owed(), self.connection.held()), (0, 0));
    }
}

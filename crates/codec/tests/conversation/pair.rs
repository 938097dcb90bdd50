//! Two connections, each reading what the other writes, beside a model of what must come.
//!
//! Every message carries a number, and an answer that of its request. The model is that of a caller
//! without an opinion: its answers come in the order of its requests, whoever asks what meanwhile.

use core::mem;
use std::collections::VecDeque;

use bytes::BytesMut;
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Config, Requests};
use hopen_codec::connection::{Connection, Incoming, ProtocolError, SendError, Ticket};
use hopen_codec::handshake::{ClientHandshake, Progress, ServerHandshake};
use hopen_codec::message::MessageKind;
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;
use proptest::prelude::*;

use crate::wire::{Said, assert_over, remote_error, take};

proptest! {
    #[test]
    fn two_that_ask_one_at_a_time_get_their_own_answers(
        program in program(),
        order in 0..8_usize,
    ) {
        let mut pair = Pair::new(Requests::OneAtATime, Requests::OneAtATime);
        prop_assert_eq!(pair.run(&program), Outcome::Goes);
        prop_assert_eq!(pair.settle(order), Outcome::Goes);
    }

    #[test]
    fn pipelined_requests_get_their_own_answers_in_whatever_order_these_are_given(
        program in program(),
        order in 0..8_usize,
    ) {
        let mut pair = Pair::new(Requests::Pipelined, Requests::OneAtATime);
        let program: Vec<_> = program
            .into_iter()
            .filter(|operation| !matches!(operation, Operation::Ask(Side::Server)))
            .collect();
        prop_assert_eq!(pair.run(&program), Outcome::Goes);
        prop_assert_eq!(pair.settle(order), Outcome::Goes);
    }

    // request as that to its first.
    #[test]
    fn pipelined_requests_get_their_own_answers_or_end_with_a_call_back(
        client in requests(),
        server in requests(),
        program in program(),
        order in 0..8_usize,
    ) {
        let mut pair = Pair::new(client, server);
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
    let mut pair = Pair::new(Requests::OneAtATime, Requests::OneAtATime);
    let mut crossed = false;
    for &operation in &*way {
        pair.take(operation);
        crossed |= pair.both(|end| end.asked > 0 && end.heard == 0);
    }
    let next = pair.next();
    if next.is_empty() {
        pair.assert_settled();
        assert!(pair.both(|end| end.asked == 2));
        seen.settled += 1;
        seen.crossed += usize::from(crossed);
    }
    for operation in next {
        way.push(operation);
        explore(way, seen);
        way.pop();
    }
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

#[derive(Clone, Copy, Debug)]
enum Side {
    Client,
    Server,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Ask(Side),
    Tell(Side),
    GiveUp(Side),
    /// This end answers one of the requests that it was asked, counted in a ring.
    Answer(Side, usize),
    /// So many of the bytes that this end has written arrive, and all messages that they complete
    /// are received.
    Deliver(Side, usize),
}

/// What an operation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Goes,
    Over,
}

struct Pair {
    client: End,
    server: End,
}

impl Pair {
    /// Logs in.
    fn new(client: Requests, server: Requests) -> Self {
        let (mut to_server, mut to_client) = (Outbox::default(), Outbox::default());
        let mut config = Config::client();
        config.requests = client;
        let anonymous = Credentials::anonymous();
        let client = ClientHandshake::start(&anonymous, config, &mut to_server);
        let client = client.expect("the login is empty");
        let mut config = Config::server();
        config.requests = server;
        let server = ServerHandshake::start(config);
        let login = done(server.receive(&mut take(&mut to_server, usize::MAX)));
        let server = login.accept(&mut to_client);
        let client = done(client.receive(&mut take(&mut to_client, usize::MAX)));
        Self {
            client: End::new(client),
            server: End::new(server),
        }
    }

    fn run(&mut self, program: &[Operation]) -> Outcome {
        for &operation in program {
            if self.take(operation) == Outcome::Over {
                return Outcome::Over;
            }
        }
        Outcome::Goes
    }

    fn take(&mut self, operation: Operation) -> Outcome {
        match operation {
            Operation::Ask(side) => self.end(side).ask(),
            Operation::Tell(side) => self.end(side).tell(),
            Operation::GiveUp(side) => self.end(side).give_up(),
            Operation::Answer(side, which) => self.end(side).answer(which),
            Operation::Deliver(Side::Client, count) => {
                let bytes = take(&mut self.client.outbox, count);
                return self.server.receive(&bytes);
            }
            Operation::Deliver(Side::Server, count) => {
                let bytes = take(&mut self.server.outbox, count);
                return self.client.receive(&bytes);
            }
        }
        Outcome::Goes
    }

    /// Delivers everything and answers everything, which is all that it takes.
    fn settle(&mut self, order: usize) -> Outcome {
        while self.client.is_busy() || self.server.is_busy() {
            let round = [Side::Client, Side::Server].map(|side| {
                let deliver = Operation::Deliver(side, usize::MAX);
                [deliver, Operation::Answer(side, order)]
            });
            if self.run(round.as_flattened()) == Outcome::Over {
                return Outcome::Over;
            }
        }
        self.assert_settled();
        Outcome::Goes
    }

    /// Returns everything that can happen next while neither end asks more than twice.
    fn next(&self) -> Vec<Operation> {
        let mut next = Vec::new();
        for (side, end) in [(Side::Client, &self.client), (Side::Server, &self.server)] {
            if end.asked < 2 && end.outstanding.is_empty() {
                next.push(Operation::Ask(side));
            }
            if !end.outbox.is_empty() {
                next.push(Operation::Deliver(side, usize::MAX));
            }
            let places = 0..end.open.len();
            next.extend(places.map(|place| Operation::Answer(side, place)));
        }
        next
    }

    fn assert_settled(&mut self) {
        assert_eq!(self.client.asked, self.server.heard);
        assert_eq!(self.server.asked, self.client.heard);
        assert_eq!(self.client.told, self.server.was_told);
        assert_eq!(self.server.told, self.client.was_told);
        for end in [&mut self.client, &mut self.server] {
            assert_eq!(end.outstanding, []);
            assert_eq!((end.connection.owed(), end.connection.held()), (0, 0));
            assert!(!end.connection.is_awaiting());
            assert_eq!(end.connection.receive_eof(&end.input), Ok(()));
        }
    }

    fn both(&self, is_so: impl Fn(&End) -> bool) -> bool {
        is_so(&self.client) && is_so(&self.server)
    }

    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// One end, and what must be true of it.
struct End {
    connection: Connection,
    outbox: Outbox,
    input: BytesMut,
    /// How many requests and asyncs were sent; each has its number.
    asked: i64,
    told: i64,
    /// How many have arrived.
    heard: i64,
    was_told: i64,
    /// The requests whose answers must come, in order.
    outstanding: VecDeque<i64>,
    given_up: bool,
    /// The requests of the other end that are to be answered.
    open: Vec<Open>,
    /// Whether several requests of the other end came while one of ours was on its way to it. It
    /// will hear of ours and end; until then a request is refused for one reason or another.
    crossed_a_pipeline: bool,
}

struct Open {
    number: i64,
    ticket: Ticket,
    /// Whether it came while a request of this end was outstanding that still is.
    meanwhile: bool,
}

impl End {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            outbox: Outbox::default(),
            input: BytesMut::new(),
            asked: 0,
            told: 0,
            heard: 0,
            was_told: 0,
            outstanding: VecDeque::new(),
            given_up: false,
            open: Vec::new(),
            crossed_a_pipeline: false,
        }
    }

    fn ask(&mut self) {
        let number = self.asked + 1;
        let expected = self.may_ask();
        let written = self.outbox.len();
        let value = Value::from(number);
        let sent = self.connection.request(&value, &mut self.outbox);
        if expected.is_ok() {
            assert_eq!(sent, expected);
            self.asked = number;
            self.outstanding.push_back(number);
        } else {
            assert!(sent == expected || sent.is_err() && self.crossed_a_pipeline);
            assert_eq!(self.outbox.len(), written);
        }
    }

    fn may_ask(&self) -> Result<(), SendError> {
        if self.outstanding.is_empty() {
            return Ok(());
        }
        if self.open.iter().any(|open| open.meanwhile) {
            return Err(SendError::Reentrant);
        }
        if self.given_up {
            return Err(SendError::LateResponseOutstanding);
        }
        // An end that waits for us takes several requests for call-backs inside each other.
        match self.connection.config().requests {
            Requests::Pipelined if self.connection.owed() == 0 => Ok(()),
            Requests::Pipelined | Requests::OneAtATime => Err(SendError::RequestOutstanding),
        }
    }

    fn tell(&mut self) {
        self.told += 1;
        let value = Value::from(self.told);
        assert_eq!(self.connection.notify(&value, &mut self.outbox), Ok(()));
    }

    /// Gives up, where that is not the end.
    fn give_up(&mut self) {
        if self.connection.config().requests == Requests::OneAtATime {
            self.connection.give_up();
            self.given_up = !self.outstanding.is_empty();
        }
    }

    fn answer(&mut self, which: usize) {
        if self.open.is_empty() {
            return;
        }
        let open = self.open.remove(which % self.open.len());
        let value = Value::from(open.number);
        let answer = match answer_to(open.number) {
            Said::Error(text) => Err(remote_error(&text)),
            Said::Async(_) | Said::Sync(_) | Said::Response(_) => Ok(&value),
        };
        let sent = self
            .connection
            .respond(open.ticket, answer, &mut self.outbox);
        assert_eq!(sent, Ok(()));
    }

    /// Receives everything that these bytes complete.
    fn receive(&mut self, bytes: &[u8]) -> Outcome {
        self.input.extend_from_slice(bytes);
        loop {
            let received = self.connection.receive(&mut self.input, &mut self.outbox);
            match received {
                Ok(Some(incoming)) => self.came(incoming),
                Ok(None) => {
                    let awaits = !self.outstanding.is_empty() && !self.given_up;
                    assert_eq!(self.connection.is_awaiting(), awaits);
                    return Outcome::Goes;
                }
                Err(error) => {
                    assert_eq!(error, ProtocolError::CalledBack);
                    assert!(self.outstanding.len() > 1);
                    let tickets = mem::take(&mut self.open);
                    let tickets = tickets.into_iter().map(|open| open.ticket);
                    assert_over(&mut self.connection, tickets, error);
                    return Outcome::Over;
                }
            }
        }
    }

    fn came(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Async(body) => {
                self.was_told += 1;
                let said = Said::of(MessageKind::Async, &body);
                assert_eq!(said, Said::Async(self.was_told));
            }
            Incoming::Request(ticket, body) => {
                self.heard += 1;
                let said = Said::of(MessageKind::Sync, &body);
                assert_eq!(said, Said::Sync(self.heard));
                assert!(self.outstanding.len() <= 1);
                self.crossed_a_pipeline |= self.open.iter().any(|open| open.meanwhile);
                self.open.push(Open {
                    number: self.heard,
                    ticket,
                    meanwhile: !self.outstanding.is_empty(),
                });
            }
            Incoming::Response(body) => {
                assert!(!self.given_up);
                let number = self.answered();
                let said = Said::of(MessageKind::Response, &body);
                assert_eq!(said, answer_to(number));
            }
            Incoming::LateResponse => {
                assert!(mem::take(&mut self.given_up));
                self.answered();
            }
        }
    }

    fn answered(&mut self) -> i64 {
        let number = self.outstanding.pop_front();
        if self.outstanding.is_empty() {
            for open in &mut self.open {
                open.meanwhile = false;
            }
        }
        number.expect("something was asked")
    }

    fn is_busy(&self) -> bool {
        !self.outbox.is_empty() || !self.open.is_empty()
    }
}

/// Returns the answer to this request: each third is an error.
fn answer_to(number: i64) -> Said {
    match number % 3 {
        0 => Said::Error(number.to_string()),
        _ => Said::Response(number),
    }
}

fn done<S, T, E>(progress: Result<Progress<S, T>, E>) -> T {
    match progress {
        Ok(Progress::Done(done)) => done,
        Ok(Progress::NeedsInput(_)) => panic!("the input was all there is"),
        Err(_) => panic!("the login is accepted"),
    }
}

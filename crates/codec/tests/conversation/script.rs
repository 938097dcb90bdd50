//! A conversation as data: what we do, what the peer sends, what comes of it.
//!
//! A request and its answer carry the same number. Whatever is written by anything but
//! [`Ask`](Step::Ask) and [`Tell`](Step::Tell) is to be named by the [`Writes`](Step::Writes)
//! right behind it, in full.

use core::slice;
use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use hopen_codec::config::{Capability, Config, Requests};
use hopen_codec::connection::{Connection, Incoming, ProtocolError, SendError, Ticket};
use hopen_codec::message::MessageKind;
use hopen_codec::outbox::Outbox;
use hopen_codec::value::{Timespan, Value};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

use crate::wire::{Said, assert_over, connected, remote_error, written};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// We ask, and the request goes out.
    Ask(i64),
    /// We ask, and nothing goes out.
    Refused(SendError),
    /// We send an async message.
    Tell(i64),
    /// We give up the answer. Where requests are pipelined, that is the end.
    GiveUp,
    /// We answer the peer's request of this number.
    Answer(i64),
    /// We answer it with an error.
    AnswerError(i64, &'static str),
    /// We answer it with a timespan, which a peer of capability 0 does not understand.
    AnswerUnsendable(i64),
    /// This is what has been written.
    Writes(Said),
    /// The peer sends this, and it comes out.
    Comes(Said),
    /// The peer sends this, and it comes out as the answer that was given up.
    Late(Said),
    /// The peer sends this, and the connection is over.
    Ends(Said, ProtocolError),
    /// The peer sends these bytes, and the connection is over.
    EndsIn(&'static [u8], ProtocolError),
}

/// Steps, and the connection that takes them.
pub(crate) struct Script {
    config: Config,
    capability: Capability,
    steps: Vec<Step>,
}

impl Script {
    pub(crate) fn new(steps: impl Into<Vec<Step>>) -> Self {
        Self {
            config: Config::client(),
            capability: Capability::MAX,
            steps: steps.into(),
        }
    }

    pub(crate) fn pipelined(mut self) -> Self {
        self.config.requests = Requests::Pipelined;
        self
    }

    /// Lets the peer have so many requests open.
    pub(crate) fn open(mut self, limit: usize) -> Self {
        self.config.limits.requests = limit;
        self
    }

    pub(crate) fn capability(mut self, capability: Capability) -> Self {
        self.capability = capability;
        self
    }

    /// Goes through the steps with the peer's bytes there at once, one by one and in random pieces;
    /// and with a peer that closes after each of its bytes, noticed at once and when the next
    /// message is wanted.
    pub(crate) fn go(&self) {
        let length = self.stream().len();
        self.run(&[length], length, Notice::WhenWanted);
        self.run(&vec![1; length], length, Notice::WhenWanted);
        for end in 0..=length {
            for notice in [Notice::AtOnce, Notice::WhenWanted] {
                self.run(&[end], end, notice);
            }
        }
        let pieces = prop::collection::vec(any::<Index>(), 0..8);
        let config = ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let random = TestRunner::new(config).run(&pieces, |cuts| {
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(length + 1)).collect();
            cuts.push(length);
            cuts.sort_unstable();
            let starts = [0].into_iter().chain(cuts.iter().copied());
            let pieces: Vec<_> = starts.zip(&cuts).map(|(start, end)| end - start).collect();
            self.run(&pieces, length, Notice::WhenWanted);
            Ok(())
        });
        if let Err(failure) = random {
            panic!("{failure}");
        }
    }

    /// Goes through the steps until the first `end` bytes of the peer are used up.
    fn run(&self, pieces: &[usize], end: usize, notice: Notice) {
        let stream = self.stream();
        let mut run = Run {
            connection: connected(self.config.clone(), self.capability),
            outbox: Outbox::default(),
            input: BytesMut::new(),
            to_come: &stream[..end],
            pieces: pieces.iter(),
            asked: VecDeque::new(),
            given_up: false,
            tickets: BTreeMap::new(),
            owed: 0,
            given: 0,
            written: VecDeque::new(),
        };
        for step in &self.steps {
            let is_cut_off = end < stream.len();
            if is_cut_off && notice == Notice::AtOnce && run.is_used_up() {
                return run.close();
            }
            match run.take(step) {
                Flow::Goes => run.check(),
                Flow::CutOff => {
                    assert!(is_cut_off, "nothing came for {step:?}");
                    return run.close();
                }
                Flow::Over(error) => {
                    assert_over(&mut run.connection, run.tickets.into_values(), error);
                    return assert!(run.outbox.is_empty());
                }
            }
        }
        assert_eq!(run.written, [], "was written and is not in the script");
        run.close();
    }

    /// Returns all that the peer sends.
    fn stream(&self) -> Vec<u8> {
        let sent = self.steps.iter().map(|step| match step {
            Step::Comes(said) | Step::Late(said) | Step::Ends(said, _) => said.bytes().to_vec(),
            Step::EndsIn(bytes, _) => bytes.to_vec(),
            Step::Ask(_)
            | Step::Refused(_)
            | Step::Tell(_)
            | Step::GiveUp
            | Step::Answer(_)
            | Step::AnswerError(..)
            | Step::AnswerUnsendable(_)
            | Step::Writes(_) => Vec::new(),
        });
        sent.flatten().collect()
    }
}

/// When a close is noticed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notice {
    /// As soon as the last whole message has come out.
    AtOnce,
    /// When another message is wanted.
    WhenWanted,
}

/// What a step leads to.
enum Flow {
    Goes,
    /// The peer has closed before what the step waits for.
    CutOff,
    Over(ProtocolError),
}

/// A script under way, with what must be true of the connection at this point.
struct Run<'a> {
    connection: Connection,
    outbox: Outbox,
    input: BytesMut,
    to_come: &'a [u8],
    pieces: slice::Iter<'a, usize>,
    /// Our requests that are not answered.
    asked: VecDeque<i64>,
    given_up: bool,
    tickets: BTreeMap<i64, Ticket>,
    /// The requests of the peer whose answer was not written.
    owed: usize,
    /// The bytes of the answers that were given and not written.
    given: usize,
    /// What was written and not named by a step yet.
    written: VecDeque<Said>,
}

impl Run<'_> {
    fn take(&mut self, step: &Step) -> Flow {
        if let Step::Writes(said) = step {
            assert_eq!(self.written.pop_front().as_ref(), Some(said));
            return Flow::Goes;
        }
        assert_eq!(self.written, [], "was written before {step:?}");
        match step {
            Step::Ask(number) => {
                let sent = self
                    .connection
                    .request(&Value::from(*number), &mut self.outbox);
                assert_eq!(sent, Ok(()));
                assert_eq!(written(&mut self.outbox), [Said::Sync(*number)]);
                self.asked.push_back(*number);
            }
            Step::Refused(error) => {
                let sent = self
                    .connection
                    .request(&Value::from(0_i64), &mut self.outbox);
                assert_eq!(sent, Err(*error));
                assert!(self.outbox.is_empty());
            }
            Step::Tell(number) => {
                let sent = self
                    .connection
                    .notify(&Value::from(*number), &mut self.outbox);
                assert_eq!(sent, Ok(()));
                assert_eq!(written(&mut self.outbox), [Said::Async(*number)]);
            }
            Step::GiveUp => return self.give_up(),
            Step::Answer(number) => {
                let ticket = self.ticket(*number);
                let value = Value::from(*number);
                let sent = self
                    .connection
                    .respond(ticket, Ok(&value), &mut self.outbox);
                assert_eq!(sent, Ok(()));
                self.answered(&Said::Response(*number));
            }
            Step::AnswerError(number, text) => {
                let ticket = self.ticket(*number);
                let error = Err::<&Value, _>(remote_error(text));
                let sent = self.connection.respond(ticket, error, &mut self.outbox);
                assert_eq!(sent, Ok(()));
                self.answered(&Said::error(text));
            }
            Step::AnswerUnsendable(number) => {
                let ticket = self.ticket(*number);
                let value = Value::from(Timespan(*number));
                let sent = self
                    .connection
                    .respond(ticket, Ok(&value), &mut self.outbox);
                assert!(matches!(sent, Err(SendError::Encode(_))), "{sent:?}");
                self.answered(&Said::error("type"));
            }
            Step::Writes(_) => unreachable!("it is looked at above"),
            Step::Comes(said) => return self.comes(said),
            Step::Late(said) => return self.late(said),
            Step::Ends(_, error) | Step::EndsIn(_, error) => return self.ends(*error),
        }
        Flow::Goes
    }

    fn give_up(&mut self) -> Flow {
        self.connection.give_up();
        if self.asked.is_empty() {
            return Flow::Goes;
        }
        match self.connection.config().requests {
            Requests::OneAtATime => {
                self.given_up = true;
                Flow::Goes
            }
            Requests::Pipelined => Flow::Over(ProtocolError::GivenUp),
        }
    }

    fn comes(&mut self, said: &Said) -> Flow {
        let Some(incoming) = self.receive() else {
            return Flow::CutOff;
        };
        let incoming = incoming.expect("the peer did nothing wrong");
        let found = match incoming {
            Incoming::Async(body) => Said::of(MessageKind::Async, &body),
            Incoming::Response(body) => {
                self.asked.pop_front();
                Said::of(MessageKind::Response, &body)
            }
            Incoming::Request(ticket, body) => {
                let said = Said::of(MessageKind::Sync, &body);
                if let Said::Sync(number) = said {
                    self.owed += 1;
                    self.tickets.insert(number, ticket);
                }
                said
            }
            Incoming::LateResponse => panic!("a late response instead of {said:?}"),
        };
        assert_eq!(found, *said);
        self.collect();
        Flow::Goes
    }

    fn late(&mut self, said: &Said) -> Flow {
        let Some(incoming) = self.receive() else {
            return Flow::CutOff;
        };
        assert!(matches!(incoming, Ok(Incoming::LateResponse)), "{said:?}");
        self.asked.pop_front();
        self.given_up = false;
        self.collect();
        Flow::Goes
    }

    fn ends(&mut self, error: ProtocolError) -> Flow {
        let Some(incoming) = self.receive() else {
            return Flow::CutOff;
        };
        assert_eq!(incoming.expect_err("the connection is over"), error);
        Flow::Over(error)
    }

    /// Receives until something comes, or returns `None` where the peer has closed.
    fn receive(&mut self) -> Option<Result<Incoming, ProtocolError>> {
        loop {
            let received = self.connection.receive(&mut self.input, &mut self.outbox);
            if let Some(incoming) = received.transpose() {
                return Some(incoming);
            }
            let (piece, rest) = self.to_come.split_at(*self.pieces.next()?);
            self.input.extend_from_slice(piece);
            self.to_come = rest;
        }
    }

    fn ticket(&mut self, number: i64) -> Ticket {
        self.tickets.remove(&number).expect("the peer asked this")
    }

    /// Notes an answer that was given.
    fn answered(&mut self, answer: &Said) {
        self.given += answer.bytes().len();
        self.collect();
    }

    /// Takes what was written, answers all of it.
    fn collect(&mut self) {
        for said in written(&mut self.outbox) {
            self.owed -= 1;
            self.given -= said.bytes().len();
            self.written.push_back(said);
        }
    }

    /// Makes sure that the connection knows where it stands.
    fn check(&self) {
        let connection = &self.connection;
        assert_eq!(connection.failure(), None);
        assert_eq!(connection.is_awaiting(), self.is_awaiting());
        assert_eq!(connection.owed(), self.owed);
        assert_eq!(connection.held(), self.given);
    }

    fn is_awaiting(&self) -> bool {
        !self.asked.is_empty() && !self.given_up
    }

    /// Returns whether no whole message of the peer is left.
    fn is_used_up(&self) -> bool {
        let left = [&self.input[..], self.to_come].concat();
        announced(&left).is_none_or(|length| (left.len() as u64) < length)
    }

    /// Has the peer close.
    fn close(mut self) {
        self.input.extend_from_slice(self.to_come);
        let left = self.connection.receive(&mut self.input, &mut self.outbox);
        assert!(left.expect("nothing is wrong yet").is_none());
        let expected = if !self.input.is_empty() {
            Err(ProtocolError::Truncated {
                arrived: self.input.len() as u64,
                announced: announced(&self.input),
            })
        } else if self.is_awaiting() {
            Err(ProtocolError::ClosedBeforeResponse)
        } else {
            Ok(())
        };
        assert_eq!(self.connection.receive_eof(&self.input), expected);
        if let Err(error) = expected {
            let tickets = self.tickets.into_values();
            assert_over(&mut self.connection, tickets, error);
        }
    }
}

/// Returns the length of the message that starts here, if its header is there.
fn announced(bytes: &[u8]) -> Option<u64> {
    let header = bytes.first_chunk::<8>()?;
    Some(u32::from_le_bytes([header[4], header[5], header[6], header[7]]).into())
}

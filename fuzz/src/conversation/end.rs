//! One end of two, and what must be true of it.

use std::collections::VecDeque;
use std::mem;

use bytes::BytesMut;
use hopen_codec::config::{Limits, Requests};
use hopen_codec::connection::{Connection, Incoming, ProtocolError, SendError, Ticket};
use hopen_codec::message::MessageKind;
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;

use super::pair::Outcome;
use super::wire::{Said, assert_over, remote_error, take};

/// One end, and what must be true of it.
pub struct End {
    connection: Connection,
    outbox: Outbox,
    input: BytesMut,
    padding: usize,
    /// What was written and has not arrived.
    wire: BytesMut,
    /// How many bytes have arrived.
    arrived: usize,
    /// Where the messages on the wire end, counted from the first byte of all.
    ends: VecDeque<usize>,
    /// Where the last message ends that has arrived as a whole.
    whole: usize,
    /// The first byte that was changed.
    corrupt: Option<usize>,
    /// How many requests and asyncs were sent; each has its number.
    pub asked: i64,
    pub told: i64,
    /// How many have arrived.
    pub heard: i64,
    pub was_told: i64,
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
    pub(super) fn new(connection: Connection, padding: usize) -> Self {
        Self {
            connection,
            outbox: Outbox::default(),
            input: BytesMut::new(),
            padding,
            wire: BytesMut::new(),
            arrived: 0,
            ends: VecDeque::new(),
            whole: 0,
            corrupt: None,
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

    pub(super) fn ask(&mut self) -> Outcome {
        let number = self.asked + 1;
        let expected = self.may_ask();
        let value = self.value(number);
        let sent = self.connection.request(&value, &mut self.outbox);
        if expected.is_ok() {
            assert_eq!(sent, expected);
            self.asked = number;
            self.outstanding.push_back(number);
        } else {
            assert!(sent == expected || sent.is_err() && self.crossed_a_pipeline);
            assert!(self.outbox.is_empty());
        }
        Outcome::Goes
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

    pub(super) fn tell(&mut self) -> Outcome {
        self.told += 1;
        let value = self.value(self.told);
        assert_eq!(self.connection.notify(&value, &mut self.outbox), Ok(()));
        Outcome::Goes
    }

    /// Gives up, where that is not the end.
    pub(super) fn give_up(&mut self) -> Outcome {
        match self.connection.config().requests {
            Requests::OneAtATime => self.abandon(),
            Requests::Pipelined => Outcome::Goes,
        }
    }

    /// Gives up.
    pub(super) fn abandon(&mut self) -> Outcome {
        self.connection.give_up();
        if self.outstanding.is_empty() {
            return Outcome::Goes;
        }
        match self.connection.config().requests {
            Requests::OneAtATime => {
                self.given_up = true;
                Outcome::Goes
            }
            Requests::Pipelined => self.over(ProtocolError::GivenUp),
        }
    }

    pub(super) fn answer(&mut self, which: usize) -> Outcome {
        if self.open.is_empty() {
            return Outcome::Goes;
        }
        let open = self.open.remove(which % self.open.len());
        let value = self.value(open.number);
        let answer = match answer_to(open.number) {
            Said::Error(text) => Err(remote_error(&text)),
            Said::Async(_) | Said::Sync(_) | Said::Response(_) => Ok(&value),
        };
        let sent = self
            .connection
            .respond(open.ticket, answer, &mut self.outbox);
        assert_eq!(sent, Ok(()));
        Outcome::Goes
    }

    /// Puts what was written on the wire, where nothing but whole messages comes to.
    pub(super) fn write(&mut self) {
        let bytes = take(&mut self.outbox, usize::MAX);
        let start = self.arrived + self.wire.len();
        let mut at = 0;
        while at < bytes.len() {
            let length = length(&bytes[at..]).expect("a header is written whole");
            at += length;
            self.ends.push_back(start + at);
        }
        assert_eq!(at, bytes.len());
        self.wire.unsplit(bytes);
    }

    /// Changes a byte on the wire.
    pub(super) fn corrupt(&mut self, place: usize, change: u8) -> Outcome {
        if !self.wire.is_empty() {
            let place = place % self.wire.len();
            self.wire[place] ^= change;
            let place = self.arrived + place;
            self.corrupt = Some(self.corrupt.map_or(place, |first| first.min(place)));
        }
        Outcome::Goes
    }

    /// Takes bytes off the wire, but none of a message with a changed byte. Returns them, and how
    /// many messages they complete.
    pub(super) fn deliver(&mut self, count: usize) -> (BytesMut, usize) {
        let good = match self.corrupt {
            Some(first) => {
                let mut ends = self.ends.iter().rev();
                let before = ends.find(|end| **end <= first);
                before.unwrap_or(&self.arrived) - self.arrived
            }
            None => self.wire.len(),
        };
        let bytes = self.wire.split_to(count.min(good));
        self.arrived += bytes.len();
        let mut due = 0;
        while let Some(end) = self.ends.pop_front_if(|end| *end <= self.arrived) {
            self.whole = end;
            due += 1;
        }
        (bytes, due)
    }

    /// Returns whether the next message on the wire has a changed byte.
    pub(super) fn is_corrupt(&self) -> bool {
        let next = self.ends.front();
        self.corrupt
            .is_some_and(|first| next.is_some_and(|end| first < *end))
    }

    /// Returns all that is on the wire.
    pub(super) fn rest(&mut self) -> BytesMut {
        self.wire.split()
    }

    /// Receives everything that these bytes complete, which is so many messages.
    pub(super) fn receive(&mut self, bytes: &[u8], due: usize) -> Outcome {
        self.input.extend_from_slice(bytes);
        let mut came = 0;
        loop {
            let received = self.connection.receive(&mut self.input, &mut self.outbox);
            match received {
                Ok(Some(incoming)) => {
                    came += 1;
                    self.came(incoming);
                }
                Ok(None) => {
                    assert_eq!(came, due);
                    let awaits = !self.outstanding.is_empty() && !self.given_up;
                    assert_eq!(self.connection.is_awaiting(), awaits);
                    return Outcome::Goes;
                }
                Err(error) => {
                    assert_eq!(error, ProtocolError::CalledBack);
                    assert!(self.outstanding.len() > 1 && came < due);
                    return self.over(error);
                }
            }
        }
    }

    /// Receives what nobody has sent like that. Either that ends the connection, or it goes on.
    pub(super) fn receive_anything(&mut self, bytes: BytesMut) {
        self.input.unsplit(bytes);
        let mut took = usize::MAX;
        loop {
            // No byte is looked at for ever.
            assert!(self.input.len() < took);
            took = self.input.len();
            match self.connection.receive(&mut self.input, &mut self.outbox) {
                Ok(Some(Incoming::Async(body) | Incoming::Response(body))) => {
                    drop(body.decode(&Limits::server()));
                }
                Ok(Some(Incoming::Request(ticket, body))) => {
                    let sent = match body.decode(&Limits::server()) {
                        Ok(Ok(value)) => {
                            let answer = Ok(&value);
                            self.connection.respond(ticket, answer, &mut self.outbox)
                        }
                        Ok(Err(error)) => {
                            let answer = Err::<&Value, _>(error);
                            self.connection.respond(ticket, answer, &mut self.outbox)
                        }
                        Err(_) => {
                            let answer = Err::<&Value, _>(remote_error("badmsg"));
                            self.connection.respond(ticket, answer, &mut self.outbox)
                        }
                    };
                    assert!(matches!(sent, Ok(()) | Err(SendError::Encode(_))));
                }
                Ok(Some(Incoming::LateResponse)) => {}
                Ok(None) => {
                    let room = self.connection.make_room(&mut self.input);
                    assert!(0 < room && self.input.capacity() <= MOST_ROOM);
                    break;
                }
                Err(error) => {
                    self.over(error);
                    return;
                }
            }
        }
        let part = self.input.len() as u64;
        match self.connection.receive_eof(&self.input) {
            Ok(()) => assert_eq!(part, 0),
            Err(error) => {
                match error {
                    ProtocolError::Truncated { arrived, .. } => assert_eq!(arrived, part),
                    error => assert_eq!((error, part), (ProtocolError::ClosedBeforeResponse, 0)),
                }
                self.over(error);
            }
        }
    }

    /// Returns how many bytes have arrived of a message that has not arrived whole.
    pub(super) fn part(&self) -> usize {
        self.arrived - self.whole
    }

    /// Is told that the other end has closed, with so many bytes of a message that is not whole.
    pub(super) fn receive_eof(&mut self, part: usize) {
        assert_eq!(self.input.len(), part);
        let told = self.connection.receive_eof(&self.input);
        let awaits = !self.outstanding.is_empty() && !self.given_up;
        match told {
            Ok(()) => assert!(self.input.is_empty() && !awaits),
            Err(ProtocolError::Truncated { arrived, announced }) => {
                assert_eq!(arrived, self.input.len() as u64);
                assert!(arrived > 0);
                let length = length(&self.input).map(|length| length as u64);
                assert_eq!(announced, length);
            }
            Err(error) => {
                assert_eq!(error, ProtocolError::ClosedBeforeResponse);
                assert!(awaits && self.input.is_empty());
            }
        }
        if let Err(error) = told {
            self.over(error);
        }
    }

    pub fn has_request_outstanding(&self) -> bool {
        !self.outstanding.is_empty()
    }

    /// Returns how many requests of the other end can be answered.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    pub fn has_bytes_under_way(&self) -> bool {
        !self.wire.is_empty()
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.wire.is_empty() || !self.open.is_empty()
    }

    pub(super) fn assert_settled(&mut self) {
        assert!(self.outstanding.is_empty());
        assert_eq!((self.connection.owed(), self.connection.held()), (0, 0));
        assert!(!self.connection.is_awaiting());
        assert_eq!(self.connection.receive_eof(&self.input), Ok(()));
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

    fn over(&mut self, error: ProtocolError) -> Outcome {
        let tickets = mem::take(&mut self.open);
        let tickets = tickets.into_iter().map(|open| open.ticket);
        assert_over(&mut self.connection, tickets, error);
        Outcome::Over
    }

    /// Returns a value that carries a number.
    fn value(&self, number: i64) -> Value {
        match self.padding {
            0 => Value::from(number),
            padding => Value::from((number, vec![number; padding])),
        }
    }
}

/// Returns the answer to this request: each third is an error.
fn answer_to(number: i64) -> Said {
    match number % 3 {
        0 => Said::Error(number.to_string()),
        _ => Said::Response(number),
    }
}

/// Reads the length out of a header, which is of a short message and little endian.
fn length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(4..8)?.first_chunk()?;
    Some(u32::from_le_bytes(*length) as usize)
}

/// The longest message, and what small ones share.
const MOST_ROOM: usize = 1024 * 1024;

//! What a subscriber decides, whichever transport connects and waits for it.
//!
//! ```text
//!              fails: Failed          lost: Lost
//!           ┌───────────────┐      ┌──────────────────────────────┐
//!           ▼               │      ▼                              │
//!  ──▶ connect, log in, ask ┴─▶ wait: the back-off             receive ◀─┐
//!           │      ▲               │                              │ ▲    │ Update, EndOfDay,
//!           │      └───────────────┘                              └─┼────┘ Other, Bad
//!           ├─ all is answered: Gap, if it was lost; Schema, Answer ┘
//!           └─ refused too often, or no sense in it ──▶ the error, and over
//! ```
//!
//! A [`Subscription`] says what is to be done [next](Subscription::step) and is told what came of it.
//! It has no sockets, does not wait, and knows no time but what it is told, so that losses and
//! reconnections of years go through it in a test. What the messages mean is [`hopen_codec::tick`]'s
//! to know.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use hopen_codec::sym;
//! use hopen_codec::tick::Topic;
//! use hopen_codec::value::{Table, Value};
//! use hopen_transport::Error;
//! use hopen_transport::subscription::{Event, Step, SubscriberOptions, Subscription};
//!
//! let trades = Topic::table(sym!("trade"));
//! let mut subscription = Subscription::new(SubscriberOptions::new(5010, [trades])?);
//! assert!(matches!(subscription.step(), Step::Connect));
//!
//! let rows = Table::new([(sym!("price"), vec![101.25].into())])?;
//! let answer = Value::from((sym!("trade"), rows.clone()));
//! subscription.connected(vec![answer], SystemTime::now());
//! assert!(matches!(subscription.step(), Step::Event(Event::Schema { .. })));
//! assert!(matches!(subscription.step(), Step::Receive(None)));
//!
//! subscription.received(Ok((sym!("upd"), sym!("trade"), rows).into()));
//! let Step::Event(Event::Update { table, data }) = subscription.step() else { panic!("it is one") };
//! assert_eq!((table, data.rows()), (sym!("trade"), Some(1)));
//!
//! subscription.received(Err(Error::Closed));
//! assert!(matches!(subscription.step(), Step::Event(Event::Lost { cause: Error::Closed, .. })));
//! assert!(matches!(subscription.step(), Step::Wait(_)));
//! subscription.waited();
//! assert!(matches!(subscription.step(), Step::Connect));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use hopen_codec::tick::{Column, Publication, Schema};
use hopen_codec::value::{Symbol, Value};

use crate::{Error, Options};

mod event;
mod options;
#[cfg(test)]
mod tests;
mod verdict;

pub use event::{Event, Gap, SchemaChange};
pub use options::{Backoff, Request, SubscriberOptions};

use verdict::Verdict;

/// A subscription that is made again when its connection is lost; see the [module](self).
///
/// Call [`step`](Self::step), do what it says, and tell what came of it: [`connected`](Self::connected)
/// or [`failed`](Self::failed), [`waited`](Self::waited), [`received`](Self::received). Nothing is lost
/// where something is done later, or asked for again.
pub struct Subscription {
    options: SubscriberOptions,
    state: State,
    /// What has happened and was not handed out yet.
    events: VecDeque<Event>,
    /// The columns of the tables, as they were described last.
    columns: BTreeMap<Symbol, Vec<Column>>,
    /// Since when something may be missing, after a connection was lost.
    lost: Option<SystemTime>,
    /// How many attempts have failed in a row.
    failures: u32,
    /// How many of them in a row were refused.
    refusals: u32,
    /// How many times a wait has become longer.
    level: u32,
    random: fastrand::Rng,
}

#[derive(Debug)]
enum State {
    Connecting,
    Waiting(Duration),
    Live {
        /// When everything that had come was taken.
        caught_up: SystemTime,
    },
    Failed(Error),
    Over,
}

/// What a transport is to do.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "all of it is to be done")]
pub enum Step {
    /// Hand this out.
    Event(Event),
    /// Drop the connection, if there is one; [connect](Subscription::connect), ask the
    /// [questions](Subscription::questions) one after the other, and say
    /// [`connected`](Subscription::connected) or [`failed`](Subscription::failed).
    Connect,
    /// Drop the connection, if there is one; let so much time pass, and say
    /// [`waited`](Subscription::waited).
    Wait(Duration),
    /// Wait for an async message, and say [`received`](Subscription::received). Where there is a time,
    /// for no longer than that since the last message or the connection: [`Error::Timeout`] is what was
    /// received then.
    Receive(Option<Duration>),
    /// It is over: hand this out as the last.
    Failed(Error),
    /// It is over, and everything was handed out.
    Over,
}

impl Subscription {
    /// Begins, without a connection.
    pub fn new(options: SubscriberOptions) -> Self {
        Self {
            options,
            state: State::Connecting,
            events: VecDeque::new(),
            columns: BTreeMap::new(),
            lost: None,
            failures: 0,
            refusals: 0,
            level: 0,
            random: fastrand::Rng::new(),
        }
    }

    /// Returns what is to be done next.
    pub fn step(&mut self) -> Step {
        if let Some(event) = self.events.pop_front() {
            return Step::Event(event);
        }
        match self.state {
            State::Connecting => Step::Connect,
            State::Waiting(time) => Step::Wait(time),
            State::Live { .. } => Step::Receive(self.options.silence),
            State::Failed(_) => {
                if let State::Failed(error) = core::mem::replace(&mut self.state, State::Over) {
                    Step::Failed(error)
                } else {
                    Step::Over
                }
            }
            State::Over => Step::Over,
        }
    }

    /// Is told that a connection was made, and the answers to the questions, in their order, now.
    pub fn connected(&mut self, answers: Vec<Value>, now: SystemTime) {
        let mut events = VecDeque::new();
        // Of this connection only: what another names in vain is not kept for ever.
        let mut columns = BTreeMap::new();
        for (request, (asked, answer)) in self.options.requests.iter().zip(answers).enumerate() {
            if let Request::Query(_) = asked {
                events.push_back(Event::Answer { request, answer });
                continue;
            }
            match Schema::read_all(&answer) {
                Ok(schemas) => events.extend(schemas.into_iter().map(|schema| {
                    let now: Vec<Column> = schema.columns().collect();
                    let change = SchemaChange::of(self.columns.get(&schema.table), &now);
                    columns.insert(schema.table.clone(), now);
                    Event::Schema { schema, change }
                })),
                Err(error) => return self.failed(Error::NotSubscribed(error)),
            }
        }
        self.columns = columns;
        if let Some(from) = self.lost.take() {
            self.events.push_back(Event::Gap(Gap {
                from,
                to: now,
                attempts: self.failures.saturating_add(1),
            }));
        }
        self.events.append(&mut events);
        self.failures = 0;
        self.refusals = 0;
        self.state = State::Live { caught_up: now };
    }

    /// Is told that an attempt to connect has failed, or a question of it.
    pub fn failed(&mut self, cause: Error) {
        self.failures = self.failures.saturating_add(1);
        self.refusals = match Verdict::of(&cause) {
            Verdict::Passing => 0,
            Verdict::Refused => self.refusals.saturating_add(1),
            Verdict::Final => u32::MAX,
        };
        let is_last = self.refusals >= self.options.refusals.max(1)
            || self
                .options
                .attempts
                .is_some_and(|most| self.failures >= most);
        if is_last {
            self.state = State::Failed(cause);
            return;
        }
        let wait = self.back_off();
        self.events.push_back(Event::Failed {
            cause,
            attempts: self.failures,
            wait,
        });
    }

    /// Is told that the time to wait has passed.
    pub fn waited(&mut self) {
        if let State::Waiting(_) = self.state {
            self.state = State::Connecting;
        }
    }

    /// Is told that nothing is left of what has come, now. A transport says so before it waits for a
    /// message: what is received later may have come long before it is taken.
    pub fn caught_up(&mut self, now: SystemTime) {
        if let State::Live { caught_up } = &mut self.state {
            *caught_up = now;
        }
    }

    /// Is told what was received: a message, or why there is none.
    pub fn received(&mut self, received: Result<Value, Error>) {
        let State::Live { caught_up: since } = self.state else {
            return;
        };
        let event = match received {
            Ok(message) => match Publication::read(message) {
                Publication::Update { table, data } => Event::Update { table, data },
                Publication::EndOfDay(date) => Event::EndOfDay(date),
                Publication::Other(message) => Event::Other(message),
            },
            Err(error @ (Error::BadMessage(_) | Error::Remote(_))) => Event::Bad(error),
            Err(cause) => {
                self.lost = Some(since);
                self.events.push_back(Event::Lost { cause, since });
                self.back_off();
                return;
            }
        };
        // It was worth connecting to.
        self.level = 0;
        self.events.push_back(event);
    }

    /// Is told that nobody wants it any longer: nothing more is handed out.
    pub fn stop(&mut self) {
        self.events.clear();
        self.state = State::Over;
    }

    /// Returns what to connect with. Its time-out is for the whole attempt, the answers too.
    pub fn connect(&self) -> Options {
        let mut connect = self.options.connect.clone();
        connect.timeout.get_or_insert(SubscriberOptions::TIMEOUT);
        connect
    }

    /// Returns what to ask, one after the other, of each connection.
    pub fn questions(&self) -> Vec<Value> {
        let requests = self.options.requests.iter();
        requests.map(Request::question).collect()
    }

    /// Begins to wait until the next attempt. Returns for how long.
    fn back_off(&mut self) -> Duration {
        let wait = self.options.backoff.wait(self.level, &mut self.random);
        self.level = self.level.saturating_add(1);
        self.state = State::Waiting(wait);
        wait
    }
}

impl fmt::Debug for Subscription {
    /// Tells nothing of what was received.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("address", &self.options.connect.address)
            .field("state", &self.state)
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

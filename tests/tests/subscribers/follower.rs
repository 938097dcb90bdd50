//! A subscriber of some transport in a thread of its own, and what it is told.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::time::Duration;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use hopen_blocking::{Error, Event, Gap, Phase, SchemaChange, SubscriberOptions};
use hopen_codec::value::{Table, Value};

use crate::plant::PATIENCE;

/// Each way to ask for events.
pub(crate) const EACH: [Way; 4] = [
    Way::Blocking,
    Way::BlockingWithTimeouts,
    Way::Async,
    Way::AsyncDropped,
];

#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The iterator.
    Blocking,
    /// With time-outs so short that most pass.
    BlockingWithTimeouts,
    /// One future for each event.
    Async,
    /// Each future is dropped after it was polled once.
    AsyncDropped,
}

pub(crate) struct Follower {
    way: Way,
    told: Receiver<String>,
    stop: Box<dyn Fn()>,
    thread: JoinHandle<()>,
}

impl Follower {
    pub(crate) fn start(way: Way, options: SubscriberOptions) -> Self {
        let (sender, told) = mpsc::channel();
        let blocking = || hopen_blocking::Subscriber::new(options.clone());
        let asynchronous = || hopen_async_std::Subscriber::new(options.clone());
        let (stop, thread): (Box<dyn Fn()>, _) = match way {
            Way::Blocking => {
                let subscriber = blocking();
                let stopper = subscriber.stopper();
                let thread = thread::spawn(move || follow(subscriber, &sender));
                (Box::new(move || stopper.stop()), thread)
            }
            Way::BlockingWithTimeouts => {
                let subscriber = blocking();
                let stopper = subscriber.stopper();
                let thread = thread::spawn(move || follow(timeouts(subscriber), &sender));
                (Box::new(move || stopper.stop()), thread)
            }
            Way::Async => {
                let mut subscriber = asynchronous();
                let stopper = subscriber.stopper();
                let next = core::iter::from_fn(move || smol::block_on(subscriber.next()));
                let thread = thread::spawn(move || follow(next, &sender));
                (Box::new(move || stopper.stop()), thread)
            }
            Way::AsyncDropped => {
                let mut subscriber = asynchronous();
                let stopper = subscriber.stopper();
                let next = core::iter::from_fn(move || smol::block_on(dropping(&mut subscriber)));
                let thread = thread::spawn(move || follow(next, &sender));
                (Box::new(move || stopper.stop()), thread)
            }
        };
        Self {
            way,
            told,
            stop,
            thread,
        }
    }

    /// Expects this to be told next.
    pub(crate) fn tells(&self, expected: &str) {
        let told = self.next();
        assert_eq!(told, expected, "{:?}", self.way);
    }

    /// Leaves out what begins otherwise, which may be attempts that fail and nothing else.
    pub(crate) fn next_that_is(&self, start: &str) -> String {
        loop {
            let told = self.next();
            if told.starts_with(start) {
                return told;
            }
            assert!(told.starts_with("failed "), "{told} before {start}");
        }
    }

    /// Stops it, and expects it to end then.
    pub(crate) fn stops(self) {
        (self.stop)();
        self.ends();
    }

    /// Expects it to end.
    pub(crate) fn ends(self) {
        let Self { told, thread, .. } = self;
        match told.recv_timeout(PATIENCE) {
            Err(mpsc::RecvTimeoutError::Disconnected) => {}
            other => panic!("{other:?} instead of the end of {:?}", self.way),
        }
        thread.join().unwrap();
    }

    fn next(&self) -> String {
        let told = self.told.recv_timeout(PATIENCE);
        told.unwrap_or_else(|error| panic!("{error}: {:?}", self.way))
    }
}

fn follow(events: impl Iterator<Item = Result<Event, Error>>, told: &Sender<String>) {
    for event in events {
        let text = match event {
            Ok(event) => shown(event),
            Err(error) => format!("over by {error}"),
        };
        // A test that has failed wants nothing more.
        let _ = told.send(text);
    }
}

fn timeouts(
    mut subscriber: hopen_blocking::Subscriber,
) -> impl Iterator<Item = Result<Event, Error>> {
    core::iter::from_fn(move || {
        loop {
            match subscriber.next_timeout(Duration::from_micros(300)) {
                Some(Err(Error::Timeout(Phase::Message))) => {}
                next => return next,
            }
        }
    })
}

/// Waits for an event with futures that are dropped after one poll.
async fn dropping(subscriber: &mut hopen_async_std::Subscriber) -> Option<Result<Event, Error>> {
    poll_fn(|context| {
        let next = pin!(subscriber.next());
        next.poll(context)
    })
    .await
}

fn shown(event: Event) -> String {
    match event {
        Event::Schema { schema, change } => {
            let change = match change {
                SchemaChange::First => "First".to_owned(),
                SchemaChange::Same => "Same".to_owned(),
                SchemaChange::Changed { before } => {
                    format!("Changed from {}", before[0].value_type)
                }
            };
            format!("schema {} {change}", schema.table)
        }
        Event::Answer { request, answer } => format!("answer {request}: {answer}"),
        Event::Update { table, data } => {
            let rows = Table::try_from(Value::from(data)).unwrap();
            let numbers: Vec<i64> = rows.as_ref().column("n").unwrap().to().unwrap();
            format!("update {table} {}", numbers[0])
        }
        Event::EndOfDay(day) => format!("end of {day}"),
        Event::Other(value) => format!("other {value}"),
        Event::Bad(error) => format!("bad {error}"),
        Event::Lost { .. } => "lost".to_owned(),
        Event::Failed {
            cause: Error::Hop { .. },
            attempts,
            ..
        } => format!("failed {attempts}: hop"),
        Event::Failed {
            cause, attempts, ..
        } => format!("failed {attempts}: {cause}"),
        Event::Gap(Gap { from, to, attempts }) => {
            assert!(from <= to);
            format!("gap after {attempts}")
        }
    }
}

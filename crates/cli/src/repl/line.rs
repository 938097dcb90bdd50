//! A connection, and the thread that asks by it.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use hopen_blocking::{Error, Handle, Options, Phase, hopen};
use hopen_codec::value::Value;

use super::Event;
use crate::progress::Progress;

/// A connection to a process. Questions are asked one after the other.
pub(super) struct Line {
    jobs: Sender<Job>,
    /// Whether somebody still waits for the last question's answer.
    is_wanted: Arc<AtomicBool>,
}

/// A question.
struct Job {
    number: u64,
    query: Value,
    is_wanted: Arc<AtomicBool>,
}

/// What came of a question, or of connecting.
pub(super) struct Done {
    /// Which it was.
    pub(super) number: u64,
    /// The answer; `::` where a connection was made.
    pub(super) outcome: Result<Value, Error>,
    /// What the process has sent before, and nobody had asked for; some of it may be no value, or an
    /// error.
    pub(super) pushed: Vec<Result<Value, Error>>,
}

impl Line {
    /// Starts to connect. What comes of it is told to `events` under this number.
    pub(super) fn open(
        options: Options,
        number: u64,
        progress: &Progress,
        events: &Sender<Event>,
    ) -> Result<Self, Error> {
        let (jobs, to_do) = mpsc::channel();
        let (progress, events) = (progress.clone(), events.clone());
        let thread = thread::Builder::new().name("connection".into());
        let spawned = thread.spawn(move || work(options, number, &to_do, &progress, &events));
        spawned.map_err(|error| Error::Io {
            phase: Phase::Connect,
            error,
        })?;
        Ok(Self {
            jobs,
            is_wanted: Arc::default(),
        })
    }

    /// Asks. What comes of it is told under this number.
    pub(super) fn ask(&mut self, number: u64, query: &str) {
        self.is_wanted = Arc::new(AtomicBool::new(true));
        let job = Job {
            number,
            query: query.into(),
            is_wanted: Arc::clone(&self.is_wanted),
        };
        self.jobs
            .send(job)
            .expect("a thread that has connected takes jobs as long as somebody listens to it");
    }

    /// Says that nobody waits for the last question's answer. If it was not asked yet, it will not
    /// be.
    pub(super) fn give_up(&self) {
        self.is_wanted.store(false, Ordering::Relaxed);
    }
}

/// Connects, and asks until nobody wants to ask any more.
fn work(
    options: Options,
    number: u64,
    jobs: &Receiver<Job>,
    progress: &Progress,
    events: &Sender<Event>,
) {
    // Nobody listens any more where the program ends.
    let tell = |done| events.send(Event::Done(done)).is_ok();
    let opened = hopen(options);
    let (outcome, handle) = match opened {
        Ok(handle) => (Ok(Value::IDENTITY), Some(handle)),
        Err(error) => (Err(error), None),
    };
    let told = tell(Done {
        number,
        outcome,
        pushed: Vec::new(),
    });
    let Some(mut handle) = handle.filter(|_| told) else {
        return;
    };
    progress.watch(&mut handle);
    for job in jobs {
        if !job.is_wanted.load(Ordering::Relaxed) {
            continue;
        }
        let outcome = handle.get(job.query);
        let pushed = pushed(&mut handle);
        // A handle that is over says so again to the next question, in case that nobody waited for
        // this one.
        if !tell(Done {
            number: job.number,
            outcome,
            pushed,
        }) {
            return;
        }
    }
}

/// Returns what has arrived and is no answer. What ends the handle is told with the next question.
fn pushed(handle: &mut Handle) -> Vec<Result<Value, Error>> {
    let received = core::iter::from_fn(|| match handle.recv_timeout(Duration::ZERO) {
        Err(Error::Timeout(_)) => None,
        Err(error) if is_over(&error) => None,
        received => Some(received),
    });
    received.take(MOST_PUSHED).collect()
}

/// Returns whether a handle that has given this error is of no more use.
pub(super) const fn is_over(error: &Error) -> bool {
    !matches!(
        error,
        Error::Remote(_)
            | Error::Send(_)
            | Error::QueueFull { .. }
            | Error::BadMessage(_)
            | Error::Timeout(_)
    )
}

/// Tells of every Ctrl-C, which ends the process no more.
#[cfg(unix)]
pub(super) fn forward_interrupts(events: &Sender<Event>) -> io::Result<()> {
    use signal_hook::consts::SIGINT;
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT])?;
    let events = events.clone();
    let thread = thread::Builder::new().name("signals".into());
    thread.spawn(move || {
        for _ in signals.forever() {
            if events.send(Event::Interrupted).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// Elsewhere Ctrl-C ends the process while it waits for an answer.
#[cfg(not(unix))]
pub(super) fn forward_interrupts(_events: &Sender<Event>) -> io::Result<()> {
    Ok(())
}

/// How many messages that nobody asked for come out with an answer: 1000. A process that goes on
/// sending would never let the answer be seen. The others come with the next.
const MOST_PUSHED: usize = 1000;

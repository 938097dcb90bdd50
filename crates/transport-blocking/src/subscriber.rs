//! A subscriber: a connection to a tickerplant that is made again when it is lost.

use core::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use hopen_codec::session::Role;
use hopen_codec::value::Value;
use hopen_transport::subscription::{Event, Request, Step, SubscriberOptions, Subscription};
use hopen_transport::{Deadline, Intake};

use crate::connect::connect;
use crate::link::{Caller, Link};
use crate::{Error, Options, Phase};

/// Subscribes to a tickerplant, and goes on where the connection is lost.
///
/// It is an iterator of what happens: schemas, updates, the ends of days, losses and gaps, all of
/// [`Event`]. An error is the last item: it has given up, as
/// [`SubscriberOptions::attempts`] and [`SubscriberOptions::refusals`] say. After that, and after a
/// [stop](Stopper::stop), comes `None`.
///
/// Nothing happens before it is asked for the next event. Between two questions messages wait in the
/// system's buffers, and in those of the tickerplant beyond that, which cuts off or runs out of memory
/// for a subscriber that is slow for long: what takes time belongs into another thread.
///
/// ```no_run
/// use hopen_blocking::{Event, Subscriber};
/// use hopen_codec::sym;
/// use hopen_codec::tick::Topic;
///
/// let trades = Topic::table(sym!("trade")).only([sym!("ibm"), sym!("amd")]);
/// for event in Subscriber::to(":prices:5010:ann", [trades])? {
///     match event? {
///         Event::Update { table, data } => println!("{table}: {:?}", data.rows()),
///         Event::Lost { cause, .. } => eprintln!("lost: {cause}"),
///         Event::Gap(gap) => eprintln!("connected again {gap}"),
///         _ => {}
///     }
/// }
/// # Ok::<(), hopen_blocking::Error>(())
/// ```
///
/// # Connecting
///
/// An attempt to connect goes on in a thread of its own, so that neither
/// [`next_timeout`](Self::next_timeout) nor a stop waits for it. It logs in, with credentials that are
/// made for it where a function makes them, asks the requests one after the other, and hands the
/// connection over. Nothing is asked after that: a query is never sent again by itself, but for the
/// requests, once on each new connection.
pub struct Subscriber {
    subscription: Subscription,
    /// What goes over the connection, while there is one.
    connection: Option<Connection>,
    /// By when the wait for the next attempt is over, while it waits.
    until: Option<Deadline>,
    meeting: Arc<Meeting>,
}

struct Connection {
    link: Arc<Link>,
    intake: Intake,
    /// By when something has to come, while it is waited for.
    quiet: Option<Deadline>,
}

impl Subscriber {
    /// Makes a subscriber; it connects when it is asked for an event.
    pub fn new(options: SubscriberOptions) -> Self {
        Self {
            subscription: Subscription::new(options),
            connection: None,
            until: None,
            meeting: Arc::new(Meeting::default()),
        }
    }

    /// Makes a subscriber to what an address has: [`SubscriberOptions`] with its defaults.
    ///
    /// # Errors
    ///
    /// Where the handle is none.
    pub fn to<T>(
        to: T,
        requests: impl IntoIterator<Item = impl Into<Request>>,
    ) -> Result<Self, Error>
    where
        T: TryInto<Options>,
        T::Error: Into<Error>,
    {
        SubscriberOptions::new(to, requests).map(Self::new)
    }

    /// Waits for the next event no longer than `timeout`. The error [`Error::Timeout`] with
    /// [`Phase::Message`] says that there was none, and that everything goes on: also an attempt to
    /// connect that is under way.
    pub fn next_timeout(&mut self, timeout: Duration) -> Option<Result<Event, Error>> {
        self.next_until(Deadline::after(Some(timeout)))
    }

    /// Returns what stops it from another thread.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            meeting: Arc::clone(&self.meeting),
        }
    }

    fn next_until(&mut self, deadline: Deadline) -> Option<Result<Event, Error>> {
        loop {
            if self.meeting.lock().is_stopped {
                self.subscription.stop();
            }
            let step = self.subscription.step();
            if !matches!(step, Step::Event(_) | Step::Receive(_))
                && self.connection.take().is_some()
            {
                self.meeting.lock().link = None;
            }
            let turn = match step {
                Step::Event(event) => return Some(Ok(event)),
                Step::Failed(error) => return Some(Err(error)),
                Step::Over => return None,
                Step::Connect => self.attempt(deadline),
                Step::Wait(time) => self.wait(time, deadline),
                Step::Receive(silence) => self.receive(silence, deadline),
            };
            if let Turn::Late = turn {
                return Some(Err(Error::Timeout(Phase::Message)));
            }
        }
    }

    /// Waits for an attempt to connect, which is begun where none is under way.
    fn attempt(&mut self, deadline: Deadline) -> Turn {
        let mut place = self.meeting.lock();
        loop {
            if place.is_stopped {
                return Turn::GoesOn;
            }
            match core::mem::take(&mut place.attempt) {
                Attempt::None => {
                    place.attempt = Attempt::UnderWay;
                    drop(place);
                    let connect = self.subscription.connect();
                    let questions = self.subscription.questions();
                    let begun = self.meeting.begin(connect, questions);
                    place = self.meeting.lock();
                    if let Err(error) = begun {
                        place.attempt = Attempt::None;
                        self.subscription.failed(Error::io(error));
                        return Turn::GoesOn;
                    }
                }
                Attempt::UnderWay if deadline.has_passed() => {
                    place.attempt = Attempt::UnderWay;
                    return Turn::Late;
                }
                Attempt::UnderWay => {
                    place.attempt = Attempt::UnderWay;
                    place = self.meeting.wait(place, deadline);
                }
                Attempt::Over(Ok(Made {
                    connection,
                    answers,
                    at,
                })) => {
                    self.connection = Some(connection);
                    self.subscription.connected(answers, at);
                    return Turn::GoesOn;
                }
                Attempt::Over(Err(error)) => {
                    self.subscription.failed(error);
                    return Turn::GoesOn;
                }
            }
        }
    }

    /// Waits until it is time for the next attempt.
    fn wait(&mut self, time: Duration, deadline: Deadline) -> Turn {
        let until = Deadline::after(Some(time));
        let until = *self.until.get_or_insert(until);
        let mut place = self.meeting.lock();
        loop {
            if place.is_stopped {
                return Turn::GoesOn;
            }
            if until.has_passed() {
                self.until = None;
                self.subscription.waited();
                return Turn::GoesOn;
            }
            if deadline.has_passed() {
                return Turn::Late;
            }
            place = self.meeting.wait(place, until.or_earlier(deadline));
        }
    }

    /// Waits for a message.
    fn receive(&mut self, silence: Option<Duration>, deadline: Deadline) -> Turn {
        let Some(connection) = &mut self.connection else {
            self.subscription.received(Err(Error::BadHandle));
            return Turn::GoesOn;
        };
        let Connection {
            link,
            intake,
            quiet,
        } = connection;
        let until = *quiet.get_or_insert_with(|| Deadline::after(silence));
        let at_once = Deadline::after(Some(Duration::ZERO));
        let mut received = Caller::reading(link, intake).recv(at_once);
        if let Err(Error::Timeout(Phase::Message)) = received {
            // Behind a part of a message there is more that may have come long ago.
            if intake.is_empty() {
                self.subscription.caught_up(SystemTime::now());
            }
            received = Caller::reading(link, intake).recv(deadline.or_earlier(until));
            if let Err(Error::Timeout(Phase::Message)) = received
                && !until.has_passed()
            {
                return Turn::Late;
            }
        }
        *quiet = None;
        self.subscription.received(received);
        Turn::GoesOn
    }
}

impl Iterator for Subscriber {
    type Item = Result<Event, Error>;

    /// Waits for the next event.
    fn next(&mut self) -> Option<Self::Item> {
        self.next_until(Deadline::NEVER)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.meeting.stop();
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

/// Whether a turn has come to something.
enum Turn {
    GoesOn,
    /// The deadline has passed.
    Late,
}

/// Stops a [`Subscriber`] from any thread; clones are cheap.
#[derive(Clone)]
pub struct Stopper {
    meeting: Arc<Meeting>,
}

impl Stopper {
    /// Closes the connection. Whoever waits for an event gets `None`, as does everybody who asks
    /// later; what had come and was not handed out is dropped.
    ///
    /// An attempt that is under way is abandoned: its thread ends when the system or the other side
    /// answers, or its time is over.
    pub fn stop(&self) {
        self.meeting.stop();
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper")
            .field("is_stopped", &self.meeting.lock().is_stopped)
            .finish()
    }
}

/// Where the subscriber, the thread that connects for it, and those who stop it meet.
#[derive(Default)]
struct Meeting {
    place: Mutex<Place>,
    changed: Condvar,
}

#[derive(Default)]
struct Place {
    is_stopped: bool,
    attempt: Attempt,
    /// The connection, for a stop to close it.
    link: Option<Arc<Link>>,
}

/// An attempt to connect and to have everything answered.
#[derive(Default)]
enum Attempt {
    #[default]
    None,
    UnderWay,
    Over(Result<Made, Error>),
}

/// A connection on which everything was answered.
struct Made {
    connection: Connection,
    answers: Vec<Value>,
    /// When the last answer came, which may be long before anybody asks for it.
    at: SystemTime,
}

impl Meeting {
    fn lock(&self) -> MutexGuard<'_, Place> {
        // Nothing that can panic is done under it.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, place: MutexGuard<'a, Place>, deadline: Deadline) -> MutexGuard<'a, Place> {
        match deadline.left() {
            None => self.changed.wait(place),
            Some(left) => {
                let waited = self.changed.wait_timeout(place, left);
                waited
                    .map(|(place, _)| place)
                    .map_err(|error| PoisonError::new(error.into_inner().0))
            }
        }
        .unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        let mut place = self.lock();
        place.is_stopped = true;
        place.attempt = Attempt::None;
        let link = place.link.take();
        drop(place);
        if let Some(link) = link {
            link.close();
        }
        self.changed.notify_all();
    }

    /// Starts a thread that connects.
    fn begin(self: &Arc<Self>, connect: Options, questions: Vec<Value>) -> std::io::Result<()> {
        let ending = Ending {
            meeting: Arc::clone(self),
        };
        let thread = thread::Builder::new().name("hopen subscriber".into());
        thread.spawn(move || ending.says(ending.meeting.attempt(&connect, questions)))?;
        Ok(())
    }

    fn attempt(&self, options: &Options, questions: Vec<Value>) -> Result<Made, Error> {
        let deadline = Deadline::of_opening(options.timeout);
        let (link, mut intake, _) = connect(options, deadline, Role::Client)?.into_parts();
        let mut place = self.lock();
        if place.is_stopped {
            return Err(Error::BadHandle);
        }
        place.link = Some(Arc::clone(&link));
        drop(place);
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(Caller::reading(&link, &mut intake).get(&question, deadline)?);
        }
        let connection = Connection {
            link,
            intake,
            quiet: None,
        };
        Ok(Made {
            connection,
            answers,
            at: SystemTime::now(),
        })
    }
}

/// Says what an attempt has come to, in whatever way its thread ends.
struct Ending {
    meeting: Arc<Meeting>,
}

impl Ending {
    fn says(&self, outcome: Result<Made, Error>) {
        let mut place = self.meeting.lock();
        if place.is_stopped {
            return;
        }
        if outcome.is_err() {
            place.link = None;
        }
        place.attempt = Attempt::Over(outcome);
        drop(place);
        self.meeting.changed.notify_all();
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if thread::panicking() {
            // Of what runs there only the function that makes credentials is not ours.
            let error = "the function has panicked".into();
            self.says(Err(Error::Credentials(error)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_panics_is_an_attempt_that_failed() {
        // The message of the panic goes to the output of the test.
        let mut options = SubscriberOptions::new(1, ["1"]).unwrap();
        options.attempts = Some(1);
        options.connect = options
            .connect
            .credentials_from(|| panic!("as was planned"));
        let mut subscriber = Subscriber::new(options);
        let Some(Err(Error::Credentials(error))) = subscriber.next() else {
            panic!("it fails")
        };
        assert_eq!(error.to_string(), "the function has panicked");
        assert!(subscriber.next().is_none());
    }
}

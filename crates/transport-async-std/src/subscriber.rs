//! A subscriber: a connection to a tickerplant that is made again when it is lost.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use hopen_codec::session::Role;
use hopen_codec::value::Value;
use hopen_transport::Deadline;
use hopen_transport::subscription::{Event, Request, Step, SubscriberOptions, Subscription};

use crate::alarm::Alarm;
use crate::connect::connect;
use crate::{Error, Handle, Options, Phase};

/// Subscribes to a tickerplant, and goes on where the connection is lost.
///
/// It is a stream of what happens: schemas, updates, the ends of days, losses and gaps, all of
/// [`Event`]. An error is the last item: it has given up, as
/// [`SubscriberOptions::attempts`] and [`SubscriberOptions::refusals`] say. After that, and after a
/// [stop](Stopper::stop), comes `None`.
///
/// Nothing happens before it is asked for the next event. Between two questions messages wait in the
/// system's buffers, and in those of the tickerplant beyond that, which cuts off or runs out of memory
/// for a subscriber that is slow for long: what takes time belongs into another task.
///
/// ```no_run
/// use hopen_async_std::{Event, Subscriber};
/// use hopen_codec::sym;
/// use hopen_codec::tick::Topic;
///
/// # async fn run() -> Result<(), hopen_async_std::Error> {
/// let trades = Topic::table(sym!("trade")).only([sym!("ibm"), sym!("amd")]);
/// let mut subscriber = Subscriber::to(":prices:5010:ann", [trades])?;
/// while let Some(event) = subscriber.next().await {
///     match event? {
///         Event::Update { table, data } => println!("{table}: {:?}", data.rows()),
///         Event::Lost { cause, .. } => eprintln!("lost: {cause}"),
///         Event::Gap(gap) => eprintln!("connected again {gap}"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Connecting
///
/// An attempt to connect logs in, with credentials that are made for it where a function makes them,
/// and asks the requests one after the other. Nothing is asked after that: a query is never sent again
/// by itself, but for the requests, once on each new connection.
///
/// # Dropped futures
///
/// A [`next`](Self::next) may be dropped wherever it is: connection, attempt and wait are kept here, and
/// the next one goes on with them.
pub struct Subscriber {
    subscription: Subscription,
    /// The connection, while there is one.
    handle: Option<Handle>,
    /// The attempt to make one, while it is under way.
    attempt: Option<Attempt>,
    /// The end of the wait for the next attempt, while it waits.
    alarm: Option<Alarm>,
    /// The end of the time in which something has to come, while it is waited for.
    quiet: Option<Alarm>,
    meeting: Arc<Meeting>,
}

/// Connects and has everything answered.
struct Attempt(Pin<Box<dyn Future<Output = Connected> + Send>>);

/// What an attempt has come to.
struct Connected(Result<(Handle, Vec<Value>, SystemTime), Error>);

impl Subscriber {
    /// Makes a subscriber; it connects when it is asked for an event.
    pub fn new(options: SubscriberOptions) -> Self {
        Self {
            subscription: Subscription::new(options),
            handle: None,
            attempt: None,
            alarm: None,
            quiet: None,
            meeting: Arc::default(),
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

    /// Waits for the next event.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Waits for the next event no longer than `timeout`. The error [`Error::Timeout`] with
    /// [`Phase::Message`] says that there was none, and that everything goes on: also an attempt to
    /// connect that is under way.
    pub async fn next_timeout(&mut self, timeout: Duration) -> Option<Result<Event, Error>> {
        let mut alarm = Alarm::of(Deadline::after(Some(timeout)));
        poll_fn(|context| match Pin::new(&mut *self).poll_next(context) {
            Poll::Pending if alarm.has_passed(context) => {
                Poll::Ready(Some(Err(Error::Timeout(Phase::Message))))
            }
            next @ (Poll::Ready(_) | Poll::Pending) => next,
        })
        .await
    }

    /// Returns what stops it from another task or thread.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            meeting: Arc::clone(&self.meeting),
        }
    }

    /// Does what is to be done, as far as it goes without waiting.
    fn poll_step(&mut self, step: Step, context: &mut Context<'_>) -> Poll<()> {
        match step {
            Step::Connect => {
                let Self {
                    attempt,
                    subscription,
                    ..
                } = self;
                let Attempt(future) = attempt.get_or_insert_with(|| {
                    let questions = subscription.questions();
                    Attempt::begin(subscription.connect(), questions)
                });
                let Poll::Ready(Connected(outcome)) = future.as_mut().poll(context) else {
                    return Poll::Pending;
                };
                *attempt = None;
                match outcome {
                    Ok((handle, answers, asked)) => {
                        self.handle = Some(handle);
                        subscription.connected(answers, SystemTime::now());
                        // When the last answer came nobody has seen, if this is polled late.
                        subscription.caught_up(asked);
                    }
                    Err(error) => subscription.failed(error),
                }
            }
            Step::Wait(time) => {
                let begin = || Alarm::of(Deadline::after(Some(time)));
                if !self.alarm.get_or_insert_with(begin).has_passed(context) {
                    return Poll::Pending;
                }
                self.alarm = None;
                self.subscription.waited();
            }
            Step::Receive(silence) => {
                let received = match &mut self.handle {
                    // Dropped at once where it is not ready, which loses nothing.
                    Some(handle) => pin!(handle.recv()).poll(context),
                    None => Poll::Ready(Err(Error::BadHandle)),
                };
                let received = match received {
                    Poll::Ready(received) => received,
                    Poll::Pending => {
                        // Behind a part of a message there is more that may have come long ago.
                        if !self.handle.as_ref().is_some_and(Handle::has_begun) {
                            self.subscription.caught_up(SystemTime::now());
                        }
                        let begin = || Alarm::of(Deadline::after(silence));
                        if !self.quiet.get_or_insert_with(begin).has_passed(context) {
                            return Poll::Pending;
                        }
                        Err(Error::Timeout(Phase::Message))
                    }
                };
                self.quiet = None;
                self.subscription.received(received);
            }
            Step::Event(_) | Step::Failed(_) | Step::Over => {}
        }
        Poll::Ready(())
    }
}

impl Stream for Subscriber {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.meeting.is_stopped(context.waker()) {
                self.subscription.stop();
            }
            let step = self.subscription.step();
            if !matches!(step, Step::Event(_) | Step::Receive(_)) {
                self.handle = None;
            }
            match step {
                Step::Event(event) => return Poll::Ready(Some(Ok(event))),
                Step::Failed(error) => return Poll::Ready(Some(Err(error))),
                Step::Over => {
                    self.attempt = None;
                    return Poll::Ready(None);
                }
                Step::Connect | Step::Wait(_) | Step::Receive(_) => {
                    if self.poll_step(step, context).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

impl Attempt {
    fn begin(options: Options, questions: Vec<Value>) -> Self {
        Self(Box::pin(async move {
            Connected(connect_and_ask(&options, questions).await)
        }))
    }
}

/// Returns with the answers when the last of them was asked for.
async fn connect_and_ask(
    options: &Options,
    questions: Vec<Value>,
) -> Result<(Handle, Vec<Value>, SystemTime), Error> {
    let deadline = Deadline::of_opening(options.timeout);
    let mut handle = connect(options, deadline, Role::Client).await?;
    let mut answers = Vec::with_capacity(questions.len());
    let mut asked = SystemTime::now();
    for question in questions {
        asked = SystemTime::now();
        answers.push(handle.get_until(question, deadline).await?);
    }
    Ok((handle, answers, asked))
}

/// Stops a [`Subscriber`] from any task or thread; clones are cheap.
#[derive(Clone)]
pub struct Stopper {
    meeting: Arc<Meeting>,
}

impl Stopper {
    /// Has the subscriber close its connection. Whoever waits for an event gets `None`, as does
    /// everybody who asks later; what had come and was not handed out is dropped.
    pub fn stop(&self) {
        let mut place = self.meeting.lock();
        place.is_stopped = true;
        let waker = place.waker.take();
        drop(place);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper")
            .field("is_stopped", &self.meeting.lock().is_stopped)
            .finish()
    }
}

/// Where the subscriber and those who stop it meet.
#[derive(Default)]
struct Meeting {
    place: Mutex<Place>,
}

#[derive(Default)]
struct Place {
    is_stopped: bool,
    /// The task that waits for an event.
    waker: Option<Waker>,
}

impl Meeting {
    fn lock(&self) -> MutexGuard<'_, Place> {
        // Nothing that can panic is done under it.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether it is stopped; if not, the task is woken when it is.
    fn is_stopped(&self, waker: &Waker) -> bool {
        let mut place = self.lock();
        match &mut place.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        place.is_stopped
    }
}

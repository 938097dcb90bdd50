//! The connections of a server, and how it is stopped.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hopen_transport::server::Places;

use super::Client;
use crate::alarm::Alarm;
use hopen_transport::Deadline;

/// What other tasks see a server by, and stop it. Clones are the same, and stay valid when the server
/// has ended.
#[derive(Clone)]
pub struct Control(Arc<Registry>);

impl Control {
    pub(super) const fn new(registry: Arc<Registry>) -> Self {
        Self(registry)
    }

    /// Has the server stop: it listens no more, closes whoever has not logged in yet, answers what it
    /// has taken in and what was put off, writes what is queued, and closes. What is not done within
    /// `patience` is cut off. Returns at once; [`Server::run`](super::Server::run) returns when it is
    /// done. Called again, the shorter time counts.
    pub fn stop(&self, patience: Duration) {
        let mut state = self.0.lock();
        state.places.stop(Deadline::after(Some(patience)));
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }

    /// Returns the clients that are logged in, in the order of their handles: `.z.H`.
    pub fn clients(&self) -> Vec<Client> {
        self.0.lock().places.clients()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Control")
            .field("connections", &state.places.len())
            .field("is_stopping", &state.places.stops().is_some())
            .finish()
    }
}

/// The connections of a server.
#[derive(Default)]
pub(super) struct Registry {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    places: Places<Arc<Life>>,
    /// The server's own task: a connection has ended, or the server is to stop.
    waker: Option<Waker>,
}

impl Registry {
    /// Waits for something, unless the server is to stop: `None`.
    pub(super) async fn unless_stopped<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.waits(context, |state| state.places.stops().is_some()) {
                return Poll::Ready(None);
            }
            future.as_mut().poll(context).map(Some)
        })
        .await
    }

    /// Has all connections come to an end, and returns how many had to be cut off.
    pub(super) async fn finish(&self) -> usize {
        let all = self.lock().places.all();
        for (life, client) in all {
            match client {
                Some(client) => client.stop_reading(),
                None => life.reach(Point::Stops),
            }
        }
        let mut alarm = Alarm::of(Deadline::NEVER);
        poll_fn(|context| {
            if self.waits(context, |state| state.places.is_empty()) {
                return Poll::Ready(());
            }
            let stop = self.lock().places.stops().unwrap_or(Deadline::NEVER);
            if alarm.deadline() != stop {
                alarm = Alarm::of(stop);
            }
            match alarm.has_passed(context) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        self.cut_off()
    }

    /// Cuts all connections off that are left, and returns how many those are. Nobody logs in any more.
    pub(super) fn cut_off(&self) -> usize {
        let mut state = self.lock();
        state.places.stop(Deadline::after(Some(Duration::ZERO)));
        let all = state.places.all();
        drop(state);
        if !all.is_empty() {
            log::warn!("{} connections are cut off as the server stops", all.len());
        }
        for (life, client) in &all {
            if let Some(client) = client {
                client.cut_off();
            }
            life.reach(Point::Over);
        }
        all.len()
    }

    /// Returns whether something is the case; if not, the server's task is woken when something changes.
    fn waits(&self, context: &Context<'_>, is: impl FnOnce(&State) -> bool) -> bool {
        let mut state = self.lock();
        let is = is(&state);
        let waker = (!is).then(|| context.waker().clone());
        let before = waker.and_then(|waker| state.waker.replace(waker));
        drop(state);
        // Outside the lock as well, whatever that runs.
        drop(before);
        is
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes a task, outside the lock: an executor that is gone may drop the task then, which uses the same
/// lock.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// One of the connections that may be open. Given back when it is dropped.
pub(super) struct Place {
    registry: Arc<Registry>,
    number: u64,
    life: Arc<Life>,
}

impl Place {
    /// Takes a place, unless `most` are taken.
    pub(super) fn take(registry: &Arc<Registry>, most: usize) -> Option<Self> {
        let life = Arc::<Life>::default();
        let number = registry.lock().places.take(Arc::clone(&life), most)?;
        Some(Self {
            registry: Arc::clone(registry),
            number,
            life,
        })
    }

    /// Waits for something, unless the server comes to a point before: `None`.
    pub(super) async fn unless<F: Future>(&self, point: Point, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.life.has_reached(point, context) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Says who has logged in. `false` where the server stops: it is too late.
    pub(super) fn is_taken_by(&self, client: &Client) -> bool {
        let places = &mut self.registry.lock().places;
        places.is_taken_by(self.number, client)
    }

    /// Says that nobody is logged in any more.
    pub(super) fn is_left(&self) {
        self.registry.lock().places.is_left(self.number);
    }

    /// Returns its number, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.registry.lock();
        state.places.give_back(self.number);
        let is_last_wanted = state.places.stops().is_some();
        let waker = is_last_wanted.then(|| state.waker.take()).flatten();
        drop(state);
        wake(waker);
    }
}

/// How long a connection's task goes on.
#[derive(Default)]
struct Life(Mutex<(Point, Option<Waker>)>);

/// How far a server has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Point {
    /// It serves.
    #[default]
    Serves,
    /// It stops: who has not logged in does so no more.
    Stops,
    /// It has stopped: nothing is waited for any more.
    Over,
}

impl Life {
    fn reach(&self, point: Point) {
        let mut life = self.lock();
        life.0 = life.0.max(point);
        let waker = life.1.take();
        drop(life);
        wake(waker);
    }

    /// Returns whether a point has been reached; if not, the task is woken when it is.
    fn has_reached(&self, point: Point, context: &Context<'_>) -> bool {
        let mut life = self.lock();
        let has_reached = life.0 >= point;
        let waker = (!has_reached).then(|| context.waker().clone());
        let before = waker.and_then(|waker| life.1.replace(waker));
        drop(life);
        drop(before);
        has_reached
    }

    fn lock(&self) -> MutexGuard<'_, (Point, Option<Waker>)> {
        // Nothing panics under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use core::future::pending;
    use std::task::Wake;

    use super::*;

    #[test]
    fn a_stop_wakes_the_server_outside_the_lock() {
        let (registry, looks) = watched();
        let mut serves = pin!(registry.unless_stopped(pending::<()>()));
        assert!(looks.poll(serves.as_mut()).is_none());
        Control::new(Arc::clone(&registry)).stop(Duration::ZERO);
        assert_eq!(looks.seen(), ["woken, free"]);
        assert_eq!(looks.poll(serves), Some(None));
    }

    #[test]
    fn a_place_that_is_given_back_wakes_the_server_outside_the_lock() {
        let (registry, looks) = watched();
        let place = Place::take(&registry, 1).unwrap();
        Control::new(Arc::clone(&registry)).stop(Duration::MAX);
        let mut ends = pin!(registry.finish());
        assert!(looks.poll(ends.as_mut()).is_none());
        drop(place);
        assert_eq!(looks.seen(), ["woken, free"]);
        assert_eq!(looks.poll(ends), Some(0));
    }

    #[test]
    fn a_connection_that_is_cut_off_is_woken_outside_the_locks() {
        let (registry, looks) = watched();
        let place = Place::take(&registry, 1).unwrap();
        *looks.0.life.lock().unwrap() = Some(Arc::clone(&place.life));
        let mut runs = pin!(place.unless(Point::Over, pending::<()>()));
        assert!(looks.poll(runs.as_mut()).is_none());
        assert_eq!(registry.cut_off(), 1);
        assert_eq!(looks.seen(), ["woken, free"]);
        assert_eq!(looks.poll(runs), Some(None));
    }

    #[test]
    fn a_waker_that_another_replaces_is_dropped_outside_the_locks() {
        let (registry, looks) = watched();
        let place = Place::take(&registry, 1).unwrap();
        *looks.0.life.lock().unwrap() = Some(Arc::clone(&place.life));
        let mut serves = pin!(registry.unless_stopped(pending::<()>()));
        let mut runs = pin!(place.unless(Point::Over, pending::<()>()));
        // Nobody else has the first waker.
        assert!(looks.poll(serves.as_mut()).is_none());
        assert!(looks.poll(serves.as_mut()).is_none());
        assert!(looks.poll(runs.as_mut()).is_none());
        assert!(looks.poll(runs.as_mut()).is_none());
        assert_eq!(looks.seen(), ["dropped, free", "dropped, free"]);
    }

    /// Makes wakers that say what they see.
    struct Looks(Arc<Seen>);

    struct Seen {
        registry: Arc<Registry>,
        life: Mutex<Option<Arc<Life>>>,
        seen: Mutex<Vec<&'static str>>,
    }

    fn watched() -> (Arc<Registry>, Looks) {
        let registry = Arc::<Registry>::default();
        let seen = Seen {
            registry: Arc::clone(&registry),
            life: Mutex::new(None),
            seen: Mutex::default(),
        };
        (registry, Looks(Arc::new(seen)))
    }

    impl Looks {
        /// Polls with a waker of its own.
        fn poll<F: Future>(&self, future: core::pin::Pin<&mut F>) -> Option<F::Output> {
            let looks = Look(Arc::clone(&self.0), Mutex::new(false));
            let waker = Waker::from(Arc::new(looks));
            match future.poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => None,
            }
        }

        fn seen(&self) -> Vec<&'static str> {
            self.0.seen.lock().unwrap().clone()
        }
    }

    impl Seen {
        /// Says whether the locks are free.
        fn look(&self, free: &'static str, taken: &'static str) {
            let life = self.life.lock().unwrap();
            let is_free = self.registry.state.try_lock().is_ok()
                && life.as_ref().is_none_or(|life| life.0.try_lock().is_ok());
            self.seen
                .lock()
                .unwrap()
                .push(if is_free { free } else { taken });
        }
    }

    /// Whether it was woken; it is seen to be dropped if not.
    struct Look(Arc<Seen>, Mutex<bool>);

    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            *self.1.lock().unwrap() = true;
            self.0.look("woken, free", "woken, taken");
        }
    }

    impl Drop for Look {
        fn drop(&mut self) {
            if !*self.1.lock().unwrap() {
                self.0.look("dropped, free", "dropped, taken");
            }
        }
    }
}

//! The connections of a server, and how it is stopped.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hopen_transport::server::Places;

use super::Client;
use crate::deadline::Deadline;

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
        let deadline = Deadline::after(Some(patience));
        let mut state = self.0.lock();
        state.stop = Some(deadline.or_earlier(state.stop.unwrap_or(Deadline::NEVER)));
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
            .field("is_stopping", &state.stop.is_some())
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
    /// By when the server is to have stopped.
    stop: Option<Deadline>,
    /// The server's own task: a connection has ended, or the server is to stop.
    waker: Option<Waker>,
}

impl Registry {
    /// Waits for something, unless the server is to stop: `None`.
    pub(super) async fn unless_stopped<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.waits(context, |state| state.stop.is_some()) {
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
        let mut alarm = Deadline::NEVER.alarm();
        poll_fn(|context| {
            if self.waits(context, |state| state.places.is_empty()) {
                return Poll::Ready(());
            }
            let stop = self.lock().stop.unwrap_or(Deadline::NEVER);
            if alarm.deadline() != stop {
                alarm = stop.alarm();
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
        state.stop = Some(Deadline::after(Some(Duration::ZERO)));
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
        if !is {
            state.waker = Some(context.waker().clone());
        }
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
        let mut state = self.registry.lock();
        if state.stop.is_some() {
            return false;
        }
        state.places.is_taken_by(self.number, client);
        true
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
        let is_last_wanted = state.stop.is_some();
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
        if !has_reached {
            life.1 = Some(context.waker().clone());
        }
        has_reached
    }

    fn lock(&self) -> MutexGuard<'_, (Point, Option<Waker>)> {
        // Nothing panics under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

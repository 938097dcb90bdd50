//! The connections of a server, and how it is stopped.

use core::fmt;
use core::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hopen_transport::server::Places;

use super::Client;
use crate::deadline::Deadline;
use crate::listener::Stopper;
use crate::medium::Medium;

/// What other threads see a server by, and stop it. Clones are the same, and stay valid when the server
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
        drop(state);
        self.0.changed.notify_all();
        self.0.stopper.stop();
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
pub(super) struct Registry {
    state: Mutex<State>,
    /// A connection has ended, or the server is to stop.
    changed: Condvar,
    stopper: Stopper,
}

#[derive(Default)]
struct State {
    places: Places<Weak<Medium>>,
    /// By when the server is to have stopped.
    stop: Option<Deadline>,
}

impl Registry {
    pub(super) fn new(stopper: Stopper) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            stopper,
        }
    }

    /// Waits that long, unless the server is to stop.
    pub(super) fn pause(&self, time: Duration) -> ControlFlow<()> {
        let deadline = Deadline::after(Some(time));
        let mut state = self.lock();
        while !deadline.has_passed() {
            if state.stop.is_some() {
                return ControlFlow::Break(());
            }
            state = self.wait(state, deadline);
        }
        ControlFlow::Continue(())
    }

    /// Has all connections come to an end, and returns how many had to be cut off.
    pub(super) fn finish(&self) -> usize {
        // Without a lock, as what is done to them.
        let all = self.lock().places.all();
        for (medium, client) in all {
            match client {
                Some(client) => client.stop_reading(),
                // Whoever waits for its login finds the end, and says so to the other side.
                None => {
                    if let Some(medium) = medium.upgrade() {
                        medium.shutdown_read();
                    }
                }
            }
        }
        let mut state = self.lock();
        while !state.places.is_empty() {
            let deadline = state.stop.unwrap_or(Deadline::NEVER);
            if deadline.has_passed() {
                let left = state.places.len();
                let all = state.places.all();
                drop(state);
                log::warn!("{left} connections are cut off as the server stops");
                for (medium, client) in all {
                    if let Some(client) = client {
                        client.cut_off();
                    }
                    close(&medium);
                }
                return left;
            }
            state = self.wait(state, deadline);
        }
        0
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, deadline: Deadline) -> MutexGuard<'a, State> {
        match deadline.left() {
            None => self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(left) => {
                self.changed
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn close(medium: &Weak<Medium>) {
    if let Some(medium) = medium.upgrade() {
        medium.close();
    }
}

/// One of the connections that may be open. Given back when it is dropped.
pub(super) struct Place {
    registry: Arc<Registry>,
    number: u64,
}

impl Place {
    /// Takes a place, unless `most` are taken.
    pub(super) fn take(
        registry: &Arc<Registry>,
        medium: Weak<Medium>,
        most: usize,
    ) -> Option<Self> {
        let number = registry.lock().places.take(medium, most)?;
        Some(Self {
            registry: Arc::clone(registry),
            number,
        })
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
        self.registry.lock().places.give_back(self.number);
        self.registry.changed.notify_all();
    }
}

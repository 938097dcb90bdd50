//! The connections of a server, and how it is stopped.

use core::fmt;
use core::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hopen_transport::server::Places;

use super::Client;
use crate::listener::Stopper;
use crate::medium::Medium;
use hopen_transport::Deadline;

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
        self.0.lock().stop(Deadline::after(Some(patience)));
        self.0.changed.notify_all();
        self.0.stopper.stop();
    }

    /// Returns the clients that are logged in, in the order of their handles: `.z.H`.
    pub fn clients(&self) -> Vec<Client> {
        self.0.lock().clients()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.0.lock();
        f.debug_struct("Control")
            .field("connections", &places.len())
            .field("is_stopping", &places.stops().is_some())
            .finish()
    }
}

/// The connections of a server.
pub(super) struct Registry {
    places: Mutex<Places<Weak<Medium>>>,
    /// A connection has ended, or the server is to stop.
    changed: Condvar,
    stopper: Stopper,
}

impl Registry {
    pub(super) fn new(stopper: Stopper) -> Self {
        Self {
            places: Mutex::default(),
            changed: Condvar::new(),
            stopper,
        }
    }

    /// Waits that long, unless the server is to stop.
    pub(super) fn pause(&self, time: Duration) -> ControlFlow<()> {
        let deadline = Deadline::after(Some(time));
        let mut places = self.lock();
        while !deadline.has_passed() {
            if places.stops().is_some() {
                return ControlFlow::Break(());
            }
            places = self.wait(places, deadline);
        }
        ControlFlow::Continue(())
    }

    /// Has all connections come to an end, and returns how many had to be cut off.
    pub(super) fn finish(&self) -> usize {
        // Without a lock, as what is done to them.
        let all = self.lock().all();
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
        let mut places = self.lock();
        while !places.is_empty() {
            let deadline = places.stops().unwrap_or(Deadline::NEVER);
            if deadline.has_passed() {
                let all = places.all();
                let left = all.len();
                drop(places);
                log::warn!("{left} connections are cut off as the server stops");
                for (medium, client) in all {
                    if let Some(client) = client {
                        client.cut_off();
                    }
                    close(&medium);
                }
                return left;
            }
            places = self.wait(places, deadline);
        }
        0
    }

    fn wait<'a>(
        &self,
        places: MutexGuard<'a, Places<Weak<Medium>>>,
        deadline: Deadline,
    ) -> MutexGuard<'a, Places<Weak<Medium>>> {
        match deadline.left() {
            None => self
                .changed
                .wait(places)
                .unwrap_or_else(PoisonError::into_inner),
            Some(left) => {
                self.changed
                    .wait_timeout(places, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places<Weak<Medium>>> {
        // Nothing panics under the lock.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
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
        let number = registry.lock().take(medium, most)?;
        Some(Self {
            registry: Arc::clone(registry),
            number,
        })
    }

    /// Says who has logged in. `false` where the server stops: it is too late.
    pub(super) fn is_taken_by(&self, client: &Client) -> bool {
        self.registry.lock().is_taken_by(self.number, client)
    }

    /// Says that nobody is logged in any more.
    pub(super) fn is_left(&self) {
        self.registry.lock().is_left(self.number);
    }

    /// Returns its number, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.lock().give_back(self.number);
        self.registry.changed.notify_all();
    }
}

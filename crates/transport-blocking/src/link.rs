//! A connection that several threads can use: its medium, and behind a lock what goes over it.
//!
//! ```text
//!            outside the lock             under the lock
//!  medium ── read, waiting ──▶ intake ──▶ stage ──▶ codec ──▶ responses, backlog
//!         ◀── write what goes ──────────  stage ◀── codec ◀── requests, asyncs: the outbox
//!         ◀── wait until more goes
//! ```
//!
//! Nobody waits under the lock. Reading waits outside it, in one thread: the caller's own where a
//! handle is not shared, the [driver](crate::Driver)'s where it is. Writing takes what the medium
//! takes at once; who needs more to be written waits for that outside, and reads meanwhile if it is
//! the one to read. So a stalled write never stops the reading, and two ends that both send more than
//! the system holds get on.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;

use crate::deadline::Deadline;
use crate::error::Cause;
use crate::medium::{Interest, Medium};
use crate::stage::Intake;

mod caller;
mod state;

pub(crate) use caller::Caller;
pub(crate) use state::{Role, State};

/// One connection.
pub(crate) struct Link {
    medium: Medium,
    state: Mutex<State>,
    /// Something has arrived, been written or ended.
    changed: Condvar,
}

impl Link {
    pub(crate) const fn new(medium: Medium, state: State) -> Self {
        Self {
            medium,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Closes the connection on this side, whoever uses it. What waits to go out is dropped; returns
    /// how many bytes that were.
    pub(crate) fn close(&self) -> usize {
        let mut state = self.lock();
        state.end(Cause::BadHandle);
        let dropped = state.drop_unsent();
        self.tell(&state);
        drop(state);
        self.medium.close();
        dropped
    }

    /// Is told that nobody reads any longer.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.end(Cause::Closed);
        self.tell(&state);
    }

    pub(crate) const fn medium(&self) -> &Medium {
        &self.medium
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves no half-done state that matters more than the connection.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for a change.
    fn tell(&self, state: &State) {
        if state.sleepers > 0 {
            self.changed.notify_all();
        }
    }

    /// Waits for a change that somebody else makes.
    fn sleep<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        deadline: Deadline,
    ) -> MutexGuard<'a, State> {
        state.sleepers += 1;
        let mut state = match deadline.left() {
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
        };
        state.sleepers -= 1;
        state
    }

    /// Waits, outside the lock, until more can be written.
    fn wait_to_write<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        deadline: Deadline,
    ) -> MutexGuard<'a, State> {
        drop(state);
        let waited = self.medium.wait(Interest::Write, deadline);
        let mut state = self.lock();
        if let Err(error) = waited
            && !passed(&error, deadline)
        {
            state.fail_writing(&error);
        }
        state
    }

    /// Reads some bytes, outside the lock; where something waits to be written, waits for either.
    fn read<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        intake: &mut Intake,
        deadline: Deadline,
    ) -> MutexGuard<'a, State> {
        let stalled = !state.is_written(&self.medium);
        if !state.takes_more() {
            return if stalled {
                self.wait_to_write(state, deadline)
            } else {
                self.sleep(state, deadline)
            };
        }
        let writable = state.is_writable();
        let (buffer, room) = state.room(intake);
        drop(state);
        let read = match (writable, stalled) {
            // There is no point in waiting for more: what has arrived is taken.
            (false, _) => self.medium.try_read(buffer, room),
            (true, false) => self.medium.read(buffer, room, deadline),
            (true, true) => self.read_or_wait(buffer, room, deadline),
        };
        let mut state = self.lock();
        match read {
            Ok(0) => state.peer_has_closed(intake),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && writable => {}
            Err(error) if passed(&error, deadline) => {}
            Err(error) => state.end(Cause::io(&error)),
        }
        state
    }

    /// Waits until reading or writing is possible, and in the first case reads.
    fn read_or_wait(
        &self,
        buffer: &mut BytesMut,
        room: usize,
        deadline: Deadline,
    ) -> io::Result<usize> {
        let ready = self.medium.wait(Interest::Both, deadline)?;
        if ready.readable {
            self.medium.try_read(buffer, room)
        } else {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        drain(&self.medium);
    }
}

/// Says that nothing more comes, and takes without waiting what the other side has sent and nobody
/// has read. A socket that is closed over unread bytes is reset, and what it has still to send is
/// lost: messages that [`flush`](crate::Handle::flush) has handed to the system. What comes after that
/// has the same effect; [`finish`](crate::Handle::finish) waits for it.
pub(crate) fn drain(medium: &Medium) {
    medium.shutdown_write();
    let mut unread = BytesMut::new();
    let mut left = DRAINED;
    while left > 0 {
        unread.clear();
        match medium.try_read(&mut unread, PIECE) {
            Ok(count @ 1..) => left = left.saturating_sub(count),
            // Failures mean that there is nothing more to save.
            Ok(0) | Err(_) => break,
        }
    }
}

/// Returns whether an error says that the deadline has passed.
pub(crate) fn passed(error: &io::Error, deadline: Deadline) -> bool {
    error.kind() == io::ErrorKind::TimedOut && deadline.has_passed()
}

/// How many unread bytes are taken at most when a handle closes: more than the system keeps, unless
/// the other side sends on and on.
const DRAINED: usize = 16 * 1024 * 1024;

/// How many of them at once.
const PIECE: usize = 16 * 1024;

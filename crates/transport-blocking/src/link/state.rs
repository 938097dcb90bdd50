//! What is behind the lock of a connection. Nothing here waits.

use core::fmt;

use crate::medium::Medium;

/// What goes over the connection, and who waits for it.
pub(crate) struct State {
    pub(crate) core: hopen_transport::State,
    /// How many threads wait for a change.
    pub(super) sleepers: usize,
    /// Whether a thread writes what does not go at once.
    pub(super) has_writer: bool,
}

impl State {
    pub(crate) const fn new(core: hopen_transport::State) -> Self {
        Self {
            core,
            sleepers: 0,
            has_writer: false,
        }
    }

    /// Writes what goes at once of what waits in the outbox. Returns whether that was something.
    pub(super) fn write(&mut self, medium: &Medium) -> bool {
        // Looked at in one place, under the lock: a writer that ends wakes only those who wait for
        // it, so whoever has seen it at work has to.
        let is_written = || medium.is_written();
        self.core.write(is_written, |wire| medium.try_write(wire))
    }

    /// Says to the other side that nothing more comes, where that can be said and goes at once.
    pub(crate) fn say_goodbye(&mut self, medium: &Medium) {
        self.core.say_goodbye(|stage| medium.say_goodbye(stage));
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.core, f)
    }
}

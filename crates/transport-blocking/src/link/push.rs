//! What a server sends to a client from any thread: it is queued, what goes at once is written, and
//! nobody waits. A client that lets more wait than the limit is cut off.

use std::sync::{Arc, MutexGuard};

use hopen_codec::connection::Ticket;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::session::Cause;
use hopen_codec::value::Value;

use super::{Link, State};
use hopen_transport::server::Line;
use hopen_transport::{Broken, Error};

impl Line for Link {
    fn push(self: Arc<Self>, body: &Body) -> Result<(), Error> {
        self.queue(|state| Ok(state.core.session.notify_body(body)?))
    }

    fn push_response(
        self: Arc<Self>,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
    ) -> Result<(), Error> {
        self.queue(|state| Ok(state.core.session.respond(ticket, answer)?))
    }

    fn close(&self) -> usize {
        Self::close(self)
    }

    fn queued(&self) -> usize {
        self.lock().core.session.queued()
    }

    fn stop_reading(&self) {
        let mut state = self.lock();
        state.core.session.stop_reading();
        self.medium().shutdown_read();
        self.tell(&mut state);
    }

    fn cut_off(&self, cause: Cause<Broken>) {
        self.cut_off_locked(&mut self.lock(), cause);
    }
}

impl Link {
    fn queue(
        self: &Arc<Self>,
        put: impl FnOnce(&mut State) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut state = self.lock_with_room()?;
        // Where an answer cannot be sent, an error has taken its place.
        let queued = put(&mut state);
        self.write(&mut state);
        if !state.core.session.is_over()
            && state.core.session.is_writable()
            && !state.core.session.is_written()
        {
            self.write_elsewhere(&mut state);
        }
        // Who waits until nothing is owed any more is told that it is.
        self.tell(&mut state);
        queued
    }

    /// Locks the connection if more may wait to go out; else cuts off the other side.
    pub(super) fn lock_with_room(&self) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = self.lock();
        state.core.session.check()?;
        let limit = state.core.connection().config().limits.queue;
        if state.core.session.queued() >= limit {
            self.write(&mut state);
            state.core.session.check()?;
            if state.core.session.queued() >= limit {
                self.cut_off_locked(&mut state, Cause::QueueFull { limit });
                return Err(Error::QueueFull { limit });
            }
        }
        Ok(state)
    }
}

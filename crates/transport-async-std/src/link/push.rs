//! What a server sends to a client from anywhere: it is queued, the connection's task writes it, and
//! nobody waits. A client that lets more wait than the limit is cut off.

use core::task::{Context, Waker};
use std::sync::Arc;

use hopen_codec::connection::Ticket;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::session::Cause;
use hopen_codec::value::Value;
use hopen_transport::server::Line;
use hopen_transport::{Broken, Error, State};

use super::{Core, Link, Locked};

impl Line for Link {
    fn push(self: Arc<Self>, body: &Body) -> Result<(), Error> {
        self.queue(|state| Ok(state.session.notify_body(body)?))
    }

    fn push_response(
        self: Arc<Self>,
        ticket: Ticket,
        answer: Result<&Value, RemoteError>,
    ) -> Result<(), Error> {
        self.queue(|state| Ok(state.session.respond(ticket, answer)?))
    }

    fn close(&self) -> usize {
        Self::close(self)
    }

    fn queued(&self) -> usize {
        self.lock().state.session.queued()
    }

    fn stop_reading(&self) {
        let mut core = self.lock();
        core.state.session.stop_reading();
        core.wake_driver();
    }

    fn cut_off(&self, cause: Cause<Broken>) {
        self.lock().cut_off(cause);
    }
}

impl Link {
    fn queue(&self, put: impl FnOnce(&mut State) -> Result<(), Error>) -> Result<(), Error> {
        let mut core = self.lock_with_room()?;
        // Where an answer cannot be sent, an error has taken its place.
        let queued = put(&mut core.state);
        core.wake_driver();
        queued
    }

    /// Locks the connection if more may wait to go out; else cuts off the other side.
    pub(super) fn lock_with_room(&self) -> Result<Locked<'_>, Error> {
        let mut core = self.lock();
        core.state.session.check()?;
        let limit = core.state.connection().config().limits.queue;
        if core.state.session.queued() >= limit {
            // The connection's task may have had no turn yet; it is woken in place of nobody.
            core.write(&mut Context::from_waker(Waker::noop()));
            core.wake_driver();
            core.state.session.check()?;
            if core.state.session.queued() >= limit {
                core.cut_off(Cause::QueueFull { limit });
                return Err(Error::QueueFull { limit });
            }
        }
        Ok(core)
    }
}

impl Core {
    /// Ends the connection for a reason of this side's, and drops what waits to go out.
    fn cut_off(&mut self, cause: Cause<Broken>) {
        self.state.session.end(cause);
        self.state.drop_unsent();
        self.changed();
    }
}

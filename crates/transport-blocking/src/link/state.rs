//! What is behind the lock of a connection. Nothing here waits.

use core::fmt;
use std::io;

use bytes::Buf;
use hopen_codec::connection::Connection;
#[cfg(test)]
use hopen_codec::outbox::Outbox;
use hopen_codec::session::{Cause, Next, Role, Session};

use crate::error::Broken;
use crate::medium::Medium;
use crate::stage::{Intake, Stage};

/// What the codec decides, and the stage between it and the medium.
pub(crate) struct State {
    pub(crate) session: Session<Broken>,
    stage: Stage,
    /// How many threads wait for a change.
    pub(super) sleepers: usize,
    /// Whether a thread writes what does not go at once.
    pub(super) has_writer: bool,
}

impl State {
    pub(crate) fn new(connection: Connection, stage: Stage, role: Role) -> Self {
        Self {
            session: Session::new(connection, role),
            stage,
            sleepers: 0,
            has_writer: false,
        }
    }

    /// Writes what goes at once of what waits in the outbox. Returns whether that was something. A
    /// failure is something too; it is kept for those who want something written.
    pub(super) fn write(&mut self, medium: &Medium) -> bool {
        let mut has_written = false;
        while self.session.may_write() {
            // Looked at in one place, under the lock: a writer that ends wakes only those who wait
            // for it, so whoever has seen it at work has to.
            if !self.session.is_handed_on() && medium.is_written() {
                has_written |= self.session.handed_on();
            }
            let is_handed_on = self.session.is_handed_on();
            let wire = self.stage.outgoing(self.session.outbox());
            let is_empty = !wire.has_remaining();
            let written = if is_empty && is_handed_on {
                None
            } else {
                Some(medium.try_write(wire))
            };
            if let Some(Ok(count @ 1..)) = written {
                self.session.taken_more(self.stage.taken(count));
            }
            self.session.holds(self.stage.pending());
            match written {
                None => {
                    self.session.all_has_gone();
                    break;
                }
                Some(Ok(0)) if is_empty => break,
                Some(Ok(0)) => self.fail_writing(&io::ErrorKind::WriteZero.into()),
                Some(Ok(_)) => {}
                Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => break,
                Some(Err(error)) => self.fail_writing(&error),
            }
            has_written = true;
        }
        has_written
    }

    /// Takes the next message out of what was read. Returns whether there was one, or the connection
    /// is over; if not, more has to be read.
    pub(super) fn receive(&mut self, intake: &mut Intake) -> bool {
        loop {
            let room = match self.session.receive(&mut intake.input) {
                Next::Came => return true,
                Next::Rests => return false,
                Next::NeedsInput { room } => room,
            };
            match self.stage.incoming(intake, room) {
                Ok(0) if self.stage.has_ended() => self.session.peer_has_closed(&intake.input),
                Ok(0) => return false,
                Ok(_) => continue,
                Err(error) => self.session.end(Cause::Medium(Broken::Tls(error))),
            }
            return true;
        }
    }

    /// Returns the buffer to read into, and how much to try to read. The codec has room for that
    /// much: see [`receive`](Self::receive), which is called before anything is read.
    pub(super) fn buffer<'a>(&self, intake: &'a mut Intake) -> (&'a mut bytes::BytesMut, usize) {
        let room = self.connection().make_room(&mut intake.input);
        self.stage.buffer(intake, room)
    }

    /// Says to the other side that nothing more comes, where that can be said and goes at once.
    pub(crate) fn say_goodbye(&mut self, medium: &Medium) {
        if self.session.is_writable() {
            medium.say_goodbye(&mut self.stage);
            self.session.holds(self.stage.pending());
        }
    }

    pub(super) fn fail_writing(&mut self, error: &io::Error) {
        self.session.fail_writing(Broken::io(error));
    }

    /// Drops what waits to go out, and returns how many bytes that were.
    pub(crate) fn drop_unsent(&mut self) -> usize {
        self.session.holds(0);
        self.session.drop_unsent() + self.stage.drop_unsent()
    }

    pub(crate) const fn connection(&self) -> &Connection {
        self.session.connection()
    }

    /// Returns where the last of the large pieces is that wait to go out.
    #[cfg(test)]
    pub(crate) fn last_shared(&mut self) -> *const u8 {
        let outbox = self.session.outbox();
        let mut slices = [io::IoSlice::new(&[]); 1024];
        let count = outbox.chunks_vectored(&mut slices);
        let large = |slice: &&io::IoSlice<'_>| slice.len() >= Outbox::SHARE;
        let last = slices[..count].iter().rfind(large);
        last.expect("one waits").last().expect("it is large")
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.session, f)
    }
}

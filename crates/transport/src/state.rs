//! What a handle decides, and the stage between it and the medium.

use core::fmt;
use std::io;

use bytes::{Buf, BytesMut};
use hopen_codec::connection::Connection;
use hopen_codec::outbox::Outbox;
use hopen_codec::session::{Cause, Next, Role, Session};

use crate::error::Broken;
use crate::stage::{Intake, LITTLE, Stage};

/// A [`Session`] and its [`Stage`]. Nothing here waits.
pub struct State {
    /// What the codec decides.
    pub session: Session<Broken>,
    stage: Stage,
    /// How many bytes the medium has taken.
    sent: u64,
}

impl State {
    /// Begins after the login.
    pub fn new(connection: Connection, stage: Stage, role: Role) -> Self {
        Self {
            session: Session::new(connection, role),
            stage,
            sent: 0,
        }
    }

    /// Writes what goes at once of what waits in the outbox. Returns whether that was something. A
    /// failure is something too; it is kept for those who want something written.
    ///
    /// `try_write` writes some of what it is given, advances that by as much, and returns how much it
    /// was; [`WouldBlock`](io::ErrorKind::WouldBlock) where nothing goes at once. `is_written` says
    /// whether the medium has handed on what it took.
    pub fn write(
        &mut self,
        mut is_written: impl FnMut() -> bool,
        mut try_write: impl FnMut(&mut Outbox) -> io::Result<usize>,
    ) -> bool {
        let mut has_written = false;
        while self.session.may_write() {
            if !self.session.is_handed_on() && is_written() {
                has_written |= self.session.handed_on();
            }
            let is_handed_on = self.session.is_handed_on();
            self.stage.outgoing(self.session.outbox());
            if self.stage.is_used_up() {
                self.session.holds(self.stage.pending());
                self.fail_writing(&io::Error::other("the keys of TLS 1.2 are used up"));
                has_written = true;
                continue;
            }
            let wire = self.stage.outgoing(self.session.outbox());
            let is_empty = !wire.has_remaining();
            let written = if is_empty && is_handed_on {
                None
            } else {
                Some(try_write(wire))
            };
            if let Some(Ok(count @ 1..)) = written {
                self.sent += count as u64;
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
    pub fn receive(&mut self, intake: &mut Intake) -> bool {
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

    /// Returns the buffer to read into, and how much to try to read; whoever reads makes room for that
    /// much, where it is not there already, and [says how much came](Intake::has_come).
    ///
    /// That is [a little](LITTLE) at first, and what the codec's read policy says as soon as a read has
    /// brought that, or of a message that has begun: see [`receive`](Self::receive), which is called
    /// before anything is read.
    pub fn buffer<'a>(&self, intake: &'a mut Intake) -> (&'a mut BytesMut, usize) {
        if intake.takes_little() {
            return (self.stage.buffer(intake, 0).0, LITTLE);
        }
        let room = self.connection().make_room(&mut intake.input);
        self.stage.buffer(intake, room)
    }

    /// Has the medium say to the other side that nothing more comes, where that can be said.
    pub fn say_goodbye(&mut self, say: impl FnOnce(&mut Stage)) {
        if self.session.is_writable() {
            say(&mut self.stage);
            self.session.holds(self.stage.pending());
        }
    }

    /// Is told that nothing can be written any more.
    pub fn fail_writing(&mut self, error: &io::Error) {
        self.session.fail_writing(Broken::io(error));
    }

    /// Drops what waits to go out, and returns how many bytes that were.
    pub fn drop_unsent(&mut self) -> usize {
        self.session.holds(0);
        self.session.drop_unsent() + self.stage.drop_unsent()
    }

    /// Returns how many bytes the medium has taken so far, as they go over the wire: who takes a part of
    /// what was encrypted together has taken something.
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns the connection, with what was agreed on.
    pub const fn connection(&self) -> &Connection {
        self.session.connection()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

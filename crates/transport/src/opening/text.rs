//! qcon: text where others log in.

use std::time::Duration;

use hopen_codec::handshake::{Login, Spoken, TextHandshake};

use super::{Dialogue, Does, Fed, Opening, Step};
use crate::error::Error;

/// The wait for a line of text, as qcon sends it behind a login without a capability byte. What other
/// clients send is left for the connection.
pub struct AwaitText(TextHandshake);

impl Opening {
    /// Waits for a line of text of a client that is to be let in.
    pub const fn await_text(&mut self, login: Login) -> AwaitText {
        self.does = Does::Login;
        AwaitText(login.await_text())
    }
}

impl Dialogue for AwaitText {
    type Done = Spoken;

    /// How long a client that sends no capability byte may send nothing before it is one of kdb+ 2.5
    /// that waits to be let in. qcon sends its line together with its login, so this covers the
    /// network alone.
    const PATIENCE: Option<Duration> = Some(Duration::from_secs(1));

    fn step(self, opening: &mut Opening) -> Result<Step<Self>, Error> {
        match opening.feed(self.0, TextHandshake::receive, TextHandshake::make_room)? {
            Fed::Done(spoken) => Ok(Step::Done(spoken)),
            Fed::Read(handshake, room) => Ok(Step::Read(Self(handshake), room)),
            Fed::Ended(handshake) => Self(handshake).ended(opening).map(Step::Done),
        }
    }

    fn ended(self, opening: &mut Opening) -> Result<Spoken, Error> {
        Ok(self.0.receive_eof(&mut opening.intake.input)?)
    }

    fn nothing_came(self, _opening: &mut Opening) -> Result<Spoken, Error> {
        Ok(Spoken::Messages(self.0.nothing_came()))
    }
}

//! TLS's own handshake.

use std::io;
use std::sync::Arc;

use hopen_tls::{Client, Server};

use super::{Dialogue, Does, Opening, Step};
use crate::error::{Error, Phase};
use crate::stage::{Stage, Tls};

/// TLS's handshake of a client.
pub struct StartTls {
    client: Client,
}

impl Opening {
    /// Begins TLS, as a client does: everything after that is encrypted, the login first. `host` is
    /// the name or address that the server's certificate has to be for.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] where the host has no such name.
    pub fn start_tls(&mut self, client: &Client, host: &str) -> Result<StartTls, Error> {
        self.does = Does::Tls;
        let tls = Tls::to(client, host).map_err(Error::tls)?;
        self.stage = Stage::Tls(Box::new(tls));
        Ok(StartTls {
            client: client.clone(),
        })
    }

    /// Begins TLS, as a server does whose client has said these first bytes of it.
    pub(super) fn answer_tls(&mut self, server: &Server) -> Result<(), Error> {
        self.does = Does::Tls;
        self.intake.wire = core::mem::take(&mut self.intake.input);
        let tls = Tls::from_client_of(server).map_err(Error::tls)?;
        self.stage = Stage::Tls(Box::new(tls));
        Ok(())
    }

    /// Takes in what has come of the handshake. Returns the stage when that is over.
    pub(super) fn shake_hands(&mut self) -> Result<Option<&Tls>, Error> {
        let Stage::Tls(tls) = &mut self.stage else {
            return Ok(None);
        };
        tls.shake_hands(&mut self.intake).map_err(Error::tls)?;
        Ok((!tls.is_handshaking()).then_some(tls))
    }
}

impl Dialogue for StartTls {
    type Done = ();

    fn step(self, opening: &mut Opening) -> Result<Step<Self>, Error> {
        let Some(tls) = opening.shake_hands()? else {
            return Ok(Step::Read(self, 0));
        };
        let session = tls.session(|connection| self.client.session(connection), |_| None);
        opening.session = session.map(Arc::new);
        Ok(Step::Done(()))
    }

    fn ended(self, _opening: &mut Opening) -> Result<(), Error> {
        Err(cut_off())
    }
}

/// Where the other side closes in the middle of it.
pub(super) fn cut_off() -> Error {
    Error::Io {
        phase: Phase::Tls,
        error: io::ErrorKind::UnexpectedEof.into(),
    }
}

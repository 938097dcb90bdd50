//! The login, of either role.

use std::sync::Arc;

use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::connection::Connection;
use hopen_codec::handshake::{ClientHandshake, Login, ServerHandshake};
use hopen_tls::{Encryption, Server, TlsError};

use super::tls::cut_off;
use super::{Dialogue, Does, Fed, Opening, Step};
use crate::error::Error;

/// A client's login.
pub struct LogIn(ClientHandshake);

impl Opening {
    /// Logs in, as a client does.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] where the login is none. Nothing is written then.
    pub fn log_in(&mut self, credentials: &Credentials, config: Config) -> Result<LogIn, Error> {
        self.does = Does::LogIn;
        let config = self.told_whether_local(config);
        let handshake = ClientHandshake::start(credentials, config, &mut self.outbox)?;
        Ok(LogIn(handshake))
    }

    /// Waits for the login of a client.
    pub fn receive_login(&mut self, config: Config) -> ReceiveLogin {
        self.does = Does::Login;
        ReceiveLogin {
            handshake: ServerHandshake::start(self.told_whether_local(config)),
            at: At::FirstByte,
        }
    }
}

impl Dialogue for LogIn {
    type Done = Connection;

    fn step(self, opening: &mut Opening) -> Result<Step<Self>, Error> {
        match opening.feed(self.0, ClientHandshake::receive, ClientHandshake::make_room)? {
            Fed::Done(connection) => Ok(Step::Done(connection)),
            Fed::Read(handshake, room) => Ok(Step::Read(Self(handshake), room)),
            Fed::Ended(handshake) => Self(handshake).ended(opening).map(Step::Done),
        }
    }

    fn ended(self, _opening: &mut Opening) -> Result<Connection, Error> {
        Err(self.0.receive_eof().into())
    }
}

/// The wait for a client's login. Its first byte tells whether it speaks TLS, which is begun then.
///
/// One that is no login is an [`Error::Login`]; a client that speaks HTTP is told that it is not
/// served.
pub struct ReceiveLogin {
    handshake: ServerHandshake,
    at: At,
}

/// How far it is.
enum At {
    FirstByte,
    Tls(Server),
    Login,
}

impl Dialogue for ReceiveLogin {
    type Done = Login;

    fn step(mut self, opening: &mut Opening) -> Result<Step<Self>, Error> {
        if let At::FirstByte = self.at {
            let Some(&first) = opening.intake.input.first() else {
                let room = self.handshake.make_room(&mut opening.intake.input);
                return Ok(Step::Read(self, room));
            };
            self.at = match opening
                .accepts
                .mode
                .decide(first)
                .map_err(Error::Mismatch)?
            {
                Encryption::Plain => At::Login,
                Encryption::Tls => {
                    let server = opening.accepts.server.take();
                    let server = server.ok_or_else(|| Error::tls(TlsError::NoIdentity))?;
                    opening.answer_tls(&server)?;
                    At::Tls(server)
                }
            };
        }
        if let At::Tls(server) = &self.at {
            let Some(tls) = opening.shake_hands()? else {
                return Ok(Step::Read(self, 0));
            };
            let session = tls.session(|_| None, |connection| server.session(connection));
            opening.session = session.map(Arc::new);
            opening.does = Does::Login;
            self.at = At::Login;
        }
        let Self { handshake, at } = self;
        match opening.feed(
            handshake,
            ServerHandshake::receive,
            ServerHandshake::make_room,
        ) {
            Ok(Fed::Done(login)) => Ok(Step::Done(login)),
            Ok(Fed::Read(handshake, room)) => Ok(Step::Read(Self { handshake, at }, room)),
            Ok(Fed::Ended(handshake)) => Self { handshake, at }.ended(opening).map(Step::Done),
            Err(error) => {
                if let Error::Login(error) = &error {
                    opening.outbox.put_slice(error.answer());
                }
                Err(error)
            }
        }
    }

    fn ended(self, opening: &mut Opening) -> Result<Login, Error> {
        match self.at {
            At::Tls(_) => Err(cut_off()),
            At::FirstByte | At::Login => {
                Err(self.handshake.receive_eof(&opening.intake.input).into())
            }
        }
    }
}

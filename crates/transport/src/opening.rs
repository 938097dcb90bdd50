//! From a connected medium to an open handle: TLS's handshake and the login, without waiting.
//!
//! ```text
//!  client:  start_tls ──▶ log_in ────────────────────────────▶ open
//!  server:  receive_login (looks whether it is TLS) ─▶ accept ─▶ open
//!                                └▶ await_text, for qcon
//! ```
//!
//! Each arrow is a [`Dialogue`]. A transport goes through one so: [`step`](Dialogue::step), then write
//! all of [`wire`](Opening::wire), whatever the step has come to; where it wants to
//! [read](Step::Read), read into [`buffer`](Opening::buffer), and step again.

use core::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use hopen_codec::config::Config;
use hopen_codec::connection::Connection;
use hopen_codec::handshake::{HandshakeError, Login, Progress};
use hopen_codec::outbox::Outbox;
use hopen_codec::session::Role;
use hopen_tls::Session;

use crate::error::{Error, Phase};
use crate::listen::Accepts;
use crate::stage::{Intake, Stage};
use crate::state::State;

mod login;
mod text;
mod tls;

pub use login::{LogIn, ReceiveLogin};
pub use text::AwaitText;
pub use tls::StartTls;

/// A connection that is not open yet, of either role.
#[derive(Default)]
pub struct Opening {
    stage: Stage,
    intake: Intake,
    /// What waits to be written, before the stage.
    outbox: Outbox,
    /// What TLS's handshake has come to, if there was one.
    session: Option<Arc<Session>>,
    /// Whether the peer is on this host, where that can be told.
    local: Option<bool>,
    accepts: Accepts,
    does: Does,
}

/// What is under way.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Does {
    Tls,
    /// Logging in.
    LogIn,
    /// Waiting for a login, or answering it.
    #[default]
    Login,
    /// Answering a line of text.
    Answer,
}

/// Something that both ends say until it is over. It is consumed by what it comes to.
pub trait Dialogue: Sized {
    /// What it comes to.
    type Done;

    /// How long nothing may come before that means [something](Self::nothing_came). `None` for ever.
    const PATIENCE: Option<Duration> = None;

    /// Looks at what has come. What is to be written then is, also where this is an error, which
    /// tells the other side so.
    ///
    /// # Errors
    ///
    /// What is wrong with what has come.
    fn step(self, opening: &mut Opening) -> Result<Step<Self>, Error>;

    /// Is told that the other side has closed.
    ///
    /// # Errors
    ///
    /// What that means here.
    fn ended(self, opening: &mut Opening) -> Result<Self::Done, Error>;

    /// Is told that nothing has come for as long as the [patience](Self::PATIENCE) lasts.
    ///
    /// # Errors
    ///
    /// A time-out, where that means nothing else.
    fn nothing_came(self, opening: &mut Opening) -> Result<Self::Done, Error> {
        Err(Error::Timeout(opening.phase()))
    }
}

/// What a step of a [`Dialogue`] has come to.
#[expect(clippy::exhaustive_enums, reason = "it is over or goes on")]
#[must_use = "it holds the dialogue, or what came of it"]
pub enum Step<D: Dialogue> {
    /// It is over.
    Done(D::Done),
    /// More has to be read: so many bytes of the codec's at most.
    Read(D, usize),
}

impl Opening {
    /// Begins at a connected medium. `local` says whether the peer is on this host, which decides
    /// about compression; where it is not known, [`Config::peer_is_local`] does.
    pub fn new(local: Option<bool>) -> Self {
        Self {
            local,
            ..Self::default()
        }
    }

    /// Says what a client may speak; plain before anything is said.
    pub fn accepting(&mut self, accepts: Accepts) {
        self.accepts = accepts;
    }

    /// Leaves the answer to a login in what is to be written: the client is let in.
    pub fn accept(&mut self, login: Login) -> Connection {
        self.does = Does::Login;
        login.accept(&mut self.outbox)
    }

    /// Leaves the answer to a [line of text](AwaitText) in what is to be written.
    pub fn answer(&mut self, text: &[u8]) {
        self.does = Does::Answer;
        self.outbox.put_slice(text);
    }

    /// Returns what is to be written to the medium, some at a time: until nothing is
    /// [left](Self::is_written).
    pub fn wire(&mut self) -> &mut Outbox {
        self.stage.outgoing(&mut self.outbox)
    }

    /// Returns whether nothing is left to be written, when the medium has taken some.
    pub fn is_written(&mut self) -> bool {
        self.stage.taken(0);
        !self.wire().has_remaining()
    }

    /// Returns the buffer to read into and how much to try to read, where a [step](Step::Read) wants
    /// `room`.
    pub fn buffer(&mut self, room: usize) -> (&mut BytesMut, usize) {
        self.stage.buffer(&mut self.intake, room)
    }

    /// Returns whether something has come that is no whole message yet.
    pub fn has_begun(&self) -> bool {
        !self.intake.input.is_empty()
    }

    /// Returns whether the peer is on this host, where that can be told.
    pub const fn local(&self) -> Option<bool> {
        self.local
    }

    /// Returns what is under way.
    pub const fn phase(&self) -> Phase {
        match self.does {
            Does::Tls => Phase::Tls,
            Does::LogIn | Does::Login => Phase::Login,
            Does::Answer => Phase::Answer,
        }
    }

    /// Returns what it means that the medium has failed.
    pub fn failed(&self, error: io::Error) -> Error {
        use io::ErrorKind::{BrokenPipe, ConnectionReset};
        match (self.does, error.kind()) {
            // A server that closes with our login unread resets the connection.
            (Does::LogIn, BrokenPipe | ConnectionReset) => Error::Access,
            _ => Error::Io {
                phase: self.phase(),
                error,
            },
        }
    }

    /// Returns what TLS's handshake has come to: `.z.e`. `None` where the connection is plain.
    pub fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    /// Returns the stage, for what is to be said to the other side where nothing comes of it.
    pub const fn stage(&mut self) -> &mut Stage {
        &mut self.stage
    }

    /// Makes the state of an open handle, and what was read behind the login.
    pub fn open(self, connection: Connection, role: Role) -> (State, Intake) {
        (State::new(connection, self.stage, role), self.intake)
    }

    fn told_whether_local(&self, mut config: Config) -> Config {
        if let Some(local) = self.local {
            config.peer_is_local = local;
        }
        config
    }

    /// Gives a phase of the codec's login what has come, decrypted as it has room for it.
    fn feed<P, T>(
        &mut self,
        mut phase: P,
        receive: impl Fn(P, &mut BytesMut) -> Result<Progress<P, T>, HandshakeError>,
        make_room: impl Fn(&P, &mut BytesMut) -> usize,
    ) -> Result<Fed<P, T>, Error> {
        loop {
            phase = match receive(phase, &mut self.intake.input)? {
                Progress::Done(done) => return Ok(Fed::Done(done)),
                Progress::NeedsInput(phase) => phase,
            };
            let room = make_room(&phase, &mut self.intake.input);
            let count = self.stage.incoming(&mut self.intake, room);
            if count.map_err(Error::tls)? == 0 {
                return Ok(if self.stage.has_ended() {
                    Fed::Ended(phase)
                } else {
                    Fed::Read(phase, room)
                });
            }
        }
    }
}

/// What comes of a phase that was given all that had come.
enum Fed<P, T> {
    Done(T),
    Read(P, usize),
    /// TLS says that nothing more comes.
    Ended(P),
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("phase", &self.phase())
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use hopen_codec::auth::Credentials;
    use hopen_codec::config::Compression;
    use hopen_codec::handshake::Spoken;
    use hopen_tls::{Mismatch, ServerMode, TlsError};

    use super::*;
    use crate::tests::identity;

    #[test]
    fn both_ends_say_hello_in_pieces_of_any_size() {
        for is_encrypted in [false, true] {
            for piece in [1, 7, usize::MAX] {
                let (mut client, mut server) = (Opening::new(None), Opening::new(None));
                let (trust, identity) = identity();
                server.accepting(Accepts::new(ServerMode::Both, Some(identity)));
                let mut waits = Some(server.receive_login(Config::server()));
                let mut login = None;
                if is_encrypted {
                    let tls = client.start_tls(&trust, "localhost").unwrap();
                    go_through(&mut client, tls, |client| {
                        carry(client, &mut server, piece);
                        serve(&mut server, &mut waits, &mut login);
                        carry(&mut server, client, piece);
                    })
                    .unwrap();
                    assert!(client.session().is_some());
                }
                let ann = Credentials::new("ann", "secret").unwrap();
                let log_in = client.log_in(&ann, Config::client()).unwrap();
                go_through(&mut client, log_in, |client| {
                    carry(client, &mut server, piece);
                    serve(&mut server, &mut waits, &mut login);
                    if let Some(login) = login.take() {
                        assert_eq!(login.credentials(), &ann);
                        let _connection = server.accept(login);
                    }
                    carry(&mut server, client, piece);
                })
                .unwrap();
                assert_eq!(server.session().is_some(), is_encrypted);
            }
        }
    }

    #[test]
    fn a_login_that_is_none_is_answered_as_it_is_to_be() {
        let mut server = Opening::new(None);
        let receive = server.receive_login(Config::server());
        server.intake.input.extend_from_slice(b"GET / HTTP/1.1\r\n");
        let Err(Error::Login(HandshakeError::Http)) = receive.step(&mut server) else {
            panic!("it is HTTP")
        };
        assert!(server.wire().chunk().starts_with(b"HTTP/1.1 501"));
    }

    #[test]
    fn what_a_client_may_not_speak_is_told_by_its_first_byte() {
        for (mode, first, expected) in [
            (ServerMode::Plain, 0x16, Mismatch::TlsToPlain),
            (ServerMode::Tls, b'a', Mismatch::PlainToTls),
        ] {
            let mut server = Opening::new(None);
            server.accepting(Accepts::new(mode, None));
            let receive = server.receive_login(Config::server());
            server.intake.input.extend_from_slice(&[first]);
            match receive.step(&mut server) {
                Err(Error::Mismatch(found)) => assert_eq!(found, expected),
                _ => panic!("{mode:?}"),
            }
        }
    }

    #[test]
    fn tls_without_a_certificate_is_an_error() {
        let mut server = Opening::new(None);
        server.accepting(Accepts::new(ServerMode::Tls, None));
        let receive = server.receive_login(Config::server());
        server.intake.input.extend_from_slice(&[0x16]);
        let error = receive.step(&mut server).err();
        assert!(matches!(
            error,
            Some(Error::Tls {
                error: TlsError::NoIdentity,
                ..
            })
        ));
    }

    #[test]
    fn an_end_in_the_middle_is_told_as_what_it_is() {
        let mut client = Opening::new(None);
        let log_in = client.log_in(&Credentials::default(), Config::client());
        let error = log_in.unwrap().ended(&mut client).unwrap_err();
        assert!(matches!(error, Error::Access), "{error}");

        let mut client = Opening::new(None);
        let tls = client.start_tls(&identity().0, "localhost").unwrap();
        let error = tls.ended(&mut client).unwrap_err();
        assert_eq!(error.phase(), Phase::Tls);

        let mut server = Opening::new(None);
        let receive = server.receive_login(Config::server());
        server.intake.input.extend_from_slice(b"ann");
        let Ok(Step::Read(receive, _)) = receive.step(&mut server) else {
            panic!("it does not end")
        };
        let error = receive.ended(&mut server).unwrap_err();
        let cut_off = HandshakeError::LoginCutOff { received: 3 };
        assert!(matches!(&error, Error::Login(found) if *found == cut_off));
    }

    #[test]
    fn a_connection_that_is_reset_while_a_client_logs_in_is_a_refusal() {
        let reset = || io::ErrorKind::ConnectionReset.into();
        let mut client = Opening::new(None);
        let _log_in = client.log_in(&Credentials::default(), Config::client());
        assert!(matches!(client.failed(reset()), Error::Access));
        let mut server = Opening::new(None);
        let _login = server.receive_login(Config::server());
        assert!(matches!(server.failed(reset()), Error::Io { .. }));
    }

    #[test]
    fn a_client_that_says_nothing_behind_its_login_is_let_in() {
        let mut server = Opening::new(None);
        server.intake.input.extend_from_slice(b"ann\0");
        let receive = server.receive_login(Config::server());
        let Ok(Step::Done(login)) = receive.step(&mut server) else {
            panic!("it is a login")
        };
        let text = server.await_text(login);
        let Ok(Step::Read(text, _)) = text.step(&mut server) else {
            panic!("nothing has come")
        };
        assert!(!server.has_begun());
        let spoken = text.nothing_came(&mut server).unwrap();
        assert!(matches!(spoken, Spoken::Messages(_)));
    }

    #[test]
    fn whether_a_peer_is_on_this_host_is_the_medium_s_to_say_if_it_can() {
        let mut config = Config::client();
        config.compression = Compression::Auto;
        for local in [false, true] {
            config.peer_is_local = local;
            let told = Opening::new(None).told_whether_local(config.clone());
            assert_eq!(told, config);
            let told = Opening::new(Some(!local)).told_whether_local(config.clone());
            assert_eq!(told.peer_is_local, !local);
        }
    }

    /// Goes through a dialogue, and calls the other side each time that it has to be waited for.
    fn go_through<D: Dialogue>(
        opening: &mut Opening,
        mut dialogue: D,
        mut turn: impl FnMut(&mut Opening),
    ) -> Result<D::Done, Error> {
        for _ in 0..100_000 {
            dialogue = match dialogue.step(opening)? {
                Step::Done(done) => {
                    turn(opening);
                    return Ok(done);
                }
                Step::Read(next, _) => next,
            };
            turn(opening);
        }
        panic!("it does not end")
    }

    /// Takes one step of a server that waits for a login.
    fn serve(server: &mut Opening, waits: &mut Option<ReceiveLogin>, login: &mut Option<Login>) {
        if let Some(receive) = waits.take() {
            match receive.step(server).unwrap() {
                Step::Done(done) => *login = Some(done),
                Step::Read(receive, _) => *waits = Some(receive),
            }
        }
    }

    /// Carries a piece of what one side has to say to the other.
    fn carry(from: &mut Opening, to: &mut Opening, piece: usize) {
        if !from.is_written() {
            let wire = from.wire();
            let count = wire.len().min(piece);
            let bytes = wire.copy_to_bytes(count);
            to.buffer(0).0.extend_from_slice(&bytes);
        }
    }
}

//! What a server is told.

use std::time::Duration;

use hopen_codec::config::Config;

use super::Passwords;
use crate::LOGIN_TIMEOUT;

/// What a server is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Capability, compression and limits of every connection. Default: [`Config::server`]. Whether a
    /// peer is on this host is found out, not taken from here.
    pub config: Config,
    /// How many connections may be open, those that log in among them. Default: 1,022, which was the
    /// limit of q before 4.1 ([KX, Errors](https://code.kx.com/q/basics/errors/), `conn`), as a process
    /// commonly may have 1,024 files open. Each takes a file, and a thread or a
    /// task: without a limit strangers would take all of them, from the rest of the process too.
    pub connections: usize,
    /// How long a client has for its login, and for TLS's handshake before it. Default:
    /// [`LOGIN_TIMEOUT`].
    pub login_timeout: Duration,
    /// How long a client may stand still in the middle of something: take nothing at all of an answer
    /// that it has asked for, or send nothing of a message that it has begun. Default: 60 s, as nginx
    /// has it for both (`send_timeout`, `client_body_timeout`). Without it a client that asks and does
    /// not read would keep the answer and what it has asked for since, for as long as it likes, and
    /// half a message that half, and each a thread or task. A client that sends nothing at all is an idle
    /// one and stays; what it is [sent](super::Client::set) unasked is bounded by
    /// [`Limits::queue`](hopen_codec::config::Limits::queue), as a subscriber may be busy for long.
    pub stall_timeout: Duration,
    /// Who may log in, before the handler is asked. Default: everybody.
    pub passwords: Option<Passwords>,
    /// Whether qcon is answered. Default: [`TextProtocol::Off`].
    pub text: TextProtocol,
}

/// Whether the text protocol of qcon, KX's command-line client, is answered, by the handler's `text`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is answered or it is not")]
pub enum TextProtocol {
    /// No. A login without a capability byte is one of kdb+ 2.5, and let in at once.
    #[default]
    Off,
    /// Yes. A login without a capability byte is one of kdb+ 2.5 if nothing follows it for a second.
    On,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            config: Config::server(),
            connections: CONNECTIONS,
            login_timeout: LOGIN_TIMEOUT,
            stall_timeout: STALL_TIMEOUT,
            passwords: None,
            text: TextProtocol::Off,
        }
    }
}

/// How many connections may be open.
const CONNECTIONS: usize = 1022;

/// How long a client may stand still in the middle of something.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_that_are_promised() {
        let options = ServerOptions::default();
        assert_eq!(options.config, Config::server());
        assert_eq!(options.connections, 1022);
        assert_eq!(options.login_timeout, Duration::from_secs(10));
        assert_eq!(options.stall_timeout, Duration::from_secs(60));
        assert!(options.passwords.is_none());
        assert_eq!(options.text, TextProtocol::Off);
    }
}

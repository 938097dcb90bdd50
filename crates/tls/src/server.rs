//! The end that is connected to: `q -E 1 -p 5010`.
//!
//! ```text
//! first bytes of a client     is
//! 16 03 ..                    TLS: a record of the handshake
//! anything else               plain: the user of a login, or its NUL
//! ```
//!
//! A plain login whose user starts with the byte 16 (a control character, SYN) would be taken for
//! TLS; none is known. How q tells the two apart is not documented: this is how it can be done.

use core::{error, fmt};
use std::sync::Arc;

use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use rustls::{ServerConfig, ServerConnection};

use crate::config::{provider, versions};
use crate::error::TlsError;
use crate::files::read_identity;
use crate::session::Session;
use crate::settings::{Settings, VerifyClient};
use crate::trust::{Purpose, Trust};
use crate::verifier::ClientVerifier;

/// What a program needs to take connections with TLS. Made once, it serves for any number of them.
///
/// A client may name in its hello (SNI) what it likes, an address too, as KX's library does.
#[derive(Clone)]
pub struct Server {
    config: Arc<ServerConfig>,
    verify: VerifyClient,
    trust: Arc<Trust>,
}

impl Server {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or does not hold what it should; no certificate or no key; nobody
    /// to trust where clients are verified; versions of the protocol that exclude each other.
    pub fn new(settings: &Settings) -> Result<Self, TlsError> {
        let provider = provider();
        let versions = versions(settings)?;
        let identity = read_identity(settings, &provider)?.ok_or(TlsError::NoIdentity)?;
        let trust = Arc::new(Trust::read(settings, provider.clone())?);
        match settings.verify_client {
            VerifyClient::Required | VerifyClient::IfPresent if trust.is_empty() => {
                return Err(TlsError::NoTrust);
            }
            VerifyClient::No
            | VerifyClient::Required
            | VerifyClient::IfPresent
            | VerifyClient::RequestOnly => {}
        }
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)?
            .with_client_cert_verifier(Arc::new(ClientVerifier {
                verify: settings.verify_client,
                trust: trust.clone(),
            }))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
        // A resumed session skips the certificates: one that has expired since would do.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self {
            config: Arc::new(config),
            verify: settings.verify_client,
            trust,
        })
    }

    /// Starts a connection from a client.
    ///
    /// # Errors
    ///
    /// None that is known of: rustls's function can fail.
    pub fn accept(&self) -> Result<ServerConnection, TlsError> {
        Ok(ServerConnection::new(self.config.clone())?)
    }

    /// Returns the configuration, for what drives rustls itself.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// Says what a connection of this server has come to, `None` before its handshake is over.
    pub fn session(&self, connection: &ServerConnection) -> Option<Session> {
        let trust = match self.verify {
            VerifyClient::No | VerifyClient::Required | VerifyClient::IfPresent => None,
            VerifyClient::RequestOnly => Some((&*self.trust, Purpose::Client)),
        };
        Session::new(connection, trust)
    }
}

impl fmt::Debug for Server {
    /// Leaves out the configuration, and so the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("verify", &self.verify)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// Which connections a port takes: q's option
/// [`-E`](https://code.kx.com/q/basics/cmdline/#-e-tls-server-mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are two kinds of connections"
)]
pub enum ServerMode {
    /// Plain ones: `-E 0`.
    #[default]
    Plain,
    /// Plain and TLS: `-E 1`.
    Both,
    /// TLS alone: `-E 2`.
    Tls,
}

impl ServerMode {
    /// Decides by the first byte of a client what its connection is.
    ///
    /// ```
    /// use hopen_tls::{Encryption, Mismatch, ServerMode};
    ///
    /// assert_eq!(ServerMode::Both.decide(0x16), Ok(Encryption::Tls));
    /// assert_eq!(ServerMode::Both.decide(b'a'), Ok(Encryption::Plain));
    /// assert_eq!(ServerMode::Plain.decide(0x16), Err(Mismatch::TlsToPlain));
    /// ```
    ///
    /// # Errors
    ///
    /// TLS on a plain port, a plain login on one for TLS alone. Such a connection is to be closed;
    /// a client learns no more from q either.
    pub const fn decide(self, first_byte: u8) -> Result<Encryption, Mismatch> {
        match (self, first_byte == TLS_HANDSHAKE) {
            (Self::Both | Self::Tls, true) => Ok(Encryption::Tls),
            (Self::Both | Self::Plain, false) => Ok(Encryption::Plain),
            (Self::Plain, true) => Err(Mismatch::TlsToPlain),
            (Self::Tls, false) => Err(Mismatch::PlainToTls),
        }
    }
}

/// What a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are two kinds of connections"
)]
pub enum Encryption {
    /// The bytes are the protocol's.
    Plain,
    /// The bytes are TLS's, and the protocol is in it from its login on.
    Tls,
}

/// A client and a port that do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are two kinds of connections"
)]
pub enum Mismatch {
    /// The client speaks TLS, the port is plain.
    TlsToPlain,
    /// The client does not speak TLS, the port is for TLS alone.
    PlainToTls,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TlsToPlain => "the client speaks TLS, and the port is a plain one",
            Self::PlainToTls => "the client does not speak TLS, and the port is for TLS alone",
        })
    }
}

impl error::Error for Mismatch {}

/// The content type of a TLS record of the handshake (RFC 8446, 5.1): what every client starts
/// with.
const TLS_HANDSHAKE: u8 = 0x16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_first_byte_is_tls_and_all_others_are_plain() {
        for byte in 0..=u8::MAX {
            let (plain, both, tls) = if byte == 0x16 {
                (
                    Err(Mismatch::TlsToPlain),
                    Encryption::Tls,
                    Ok(Encryption::Tls),
                )
            } else {
                (
                    Ok(Encryption::Plain),
                    Encryption::Plain,
                    Err(Mismatch::PlainToTls),
                )
            };
            assert_eq!(ServerMode::Plain.decide(byte), plain);
            assert_eq!(ServerMode::Both.decide(byte), Ok(both));
            assert_eq!(ServerMode::Tls.decide(byte), tls);
        }
    }
}

//! The end that opens a connection: `` hopen`:tcps://host:port ``.

use core::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ClientConnection};

use crate::config::{provider, versions};
use crate::error::TlsError;
use crate::files::read_identity;
use crate::session::Session;
use crate::settings::{Settings, VerifyServer};
use crate::trust::{Purpose, Trust};
use crate::verifier::ServerVerifier;

/// What a program needs to open connections with TLS. Made once, it serves for any number of them.
///
/// A name goes to the server before anything is encrypted (SNI, RFC 6066), an address does not.
/// KX's library sends addresses as well; RFC 6066 forbids it, and rustls cannot be made to.
///
/// ```
/// use hopen_tls::{Client, Settings};
///
/// let mut settings = Settings::default();
/// settings.ca_file = Some("no/such/ca.pem".into());
/// let error = Client::new(&settings).unwrap_err(); // before anything is connected to
/// assert!(error.to_string().starts_with("cannot read no/such/ca.pem: "));
/// ```
#[derive(Clone)]
pub struct Client {
    config: Arc<ClientConfig>,
    verify: VerifyServer,
    trust: Arc<Trust>,
}

impl Client {
    /// Reads the files that the settings name.
    ///
    /// Where no CA is named, [`VerifyServer::Full`] takes the system's store, as
    /// `rustls-native-certs` finds it. Where the environment has `SSL_CERT_FILE` or `SSL_CERT_DIR`,
    /// that crate takes them for the store, as OpenSSL does: a process that has its own certificate
    /// there, as KX means it, has to name its CA. [`VerifyServer::Chain`] takes no store: every
    /// owner of a domain has a certificate of one of these CAs, and without a name to compare each
    /// of them would do.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or does not hold what it should; a certificate without its key;
    /// nobody to trust; versions of the protocol that exclude each other.
    pub fn new(settings: &Settings) -> Result<Self, TlsError> {
        let provider = provider();
        let versions = versions(settings)?;
        let trust = Arc::new(read_trust(settings, provider.clone())?);
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(ServerVerifier {
                verify: settings.verify_server,
                trust: trust.clone(),
            }));
        let mut config = match read_identity(settings, &provider)? {
            Some(identity) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
            }
            None => builder.with_no_client_auth(),
        };
        // A resumed session skips the certificates: one that has expired since would do.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            verify: settings.verify_server,
            trust,
        })
    }

    /// Starts a connection to a host: a DNS name, or an IPv4 or IPv6 address without brackets. What
    /// goes over a Unix socket is to `localhost`.
    ///
    /// # Errors
    ///
    /// The host is neither a name nor an address.
    pub fn connect(&self, host: &str) -> Result<ClientConnection, TlsError> {
        let name = server_name(host)?;
        Ok(ClientConnection::new(self.config.clone(), name)?)
    }

    /// Returns the configuration, for what drives rustls itself; [`server_name`] makes the name
    /// that belongs to it.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Says what a connection of this client has come to, `None` before its handshake is over.
    pub fn session(&self, connection: &ClientConnection) -> Option<Session> {
        let trust = match self.verify {
            VerifyServer::Full | VerifyServer::Chain => None,
            VerifyServer::Off => Some((&*self.trust, Purpose::Server)),
        };
        Session::new(connection, trust)
    }
}

impl fmt::Debug for Client {
    /// Leaves out the configuration, and so the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("verify", &self.verify)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// Returns a host as rustls wants it named.
///
/// # Errors
///
/// The host is neither a DNS name nor an address.
pub fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(host)
        .map(|name| name.to_owned())
        .map_err(|_| TlsError::Host { host: host.into() })
}

fn read_trust(settings: &Settings, provider: Arc<CryptoProvider>) -> Result<Trust, TlsError> {
    let trust = Trust::read(settings, provider.clone())?;
    match settings.verify_server {
        VerifyServer::Full if trust.is_empty() => Trust::read_system(provider),
        VerifyServer::Chain if trust.is_empty() => Err(TlsError::NoTrust),
        VerifyServer::Full | VerifyServer::Chain | VerifyServer::Off => Ok(trust),
    }
}

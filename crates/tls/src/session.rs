//! What a connection has come to: q's `.z.e`.
//!
//! ```text
//! .z.e                 here
//! CIPHER               Session::cipher
//! PROTOCOL             Session::protocol
//! CERT SUBJECT         PeerCertificate::subject
//!      ISSUER          PeerCertificate::issuer
//!      NOTVALIDBEFORE  PeerCertificate::not_before
//!      NOTVALIDAFTER   PeerCertificate::not_after
//!      SERIALNUMBER    PeerCertificate::serial_number
//!      VERIFIED        PeerCertificate::verified is Ok
//!      VERIFYERROR     the error that it is otherwise
//! ```
//!
//! The keys are those of [KX's page](https://code.kx.com/q/ref/dotz/#ze-tls-connection-status); how
//! q spells the values could not be looked at.

use rustls::pki_types::UnixTime;
use rustls::{CipherSuite, CommonState, ProtocolVersion};

use crate::error::CertificateFault;
use crate::settings::Protocol;
use crate::text::Printable;
use crate::trust::{Purpose, Trust, parse};

/// What a connection has come to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Session {
    /// The cipher, as OpenSSL names it: `TLS_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
    /// The version of the protocol.
    pub protocol: Protocol,
    /// What the other side has shown, if it has.
    pub certificate: Option<PeerCertificate>,
}

/// What the other side has shown.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PeerCertificate {
    /// Whose it is: `C=US, O=Example, CN=localhost`. To be shown to people: two different subjects
    /// may print alike, so it is nothing to decide by. It holds no control character.
    pub subject: String,
    /// Who has signed it, likewise.
    pub issuer: String,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
    /// Its number among those of its issuer, in hexadecimal: `01`.
    pub serial_number: String,
    /// Whether it is good. Where a bad one would have ended the handshake, it is; otherwise it has
    /// been checked for this answer, but for the name.
    pub verified: Result<(), CertificateFault>,
}

impl Session {
    /// Returns `None` before the handshake is over. With somebody to trust the certificate is
    /// checked.
    pub(crate) fn new(connection: &CommonState, trust: Option<(&Trust, Purpose)>) -> Option<Self> {
        if connection.is_handshaking() {
            return None;
        }
        let protocol = if connection.protocol_version()? == ProtocolVersion::TLSv1_3 {
            Protocol::Tls13
        } else {
            Protocol::Tls12
        };
        Some(Self {
            cipher: cipher_name(connection.negotiated_cipher_suite()?.suite()),
            protocol,
            certificate: peer_certificate(connection, trust),
        })
    }
}

fn peer_certificate(
    connection: &CommonState,
    trust: Option<(&Trust, Purpose)>,
) -> Option<PeerCertificate> {
    let (leaf, intermediates) = connection.peer_certificates()?.split_first()?;
    // The handshake's signature was verified with its key, so it has been read before.
    let certificate = parse(leaf).ok()?;
    let verified = trust.map_or(Ok(()), |(trust, purpose)| {
        trust.verify(purpose, leaf, intermediates, UnixTime::now())
    });
    let serial = certificate.raw_serial();
    Some(PeerCertificate {
        subject: Printable(&certificate.subject().to_string()).to_string(),
        issuer: Printable(&certificate.issuer().to_string()).to_string(),
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        serial_number: serial.iter().map(|byte| format!("{byte:02X}")).collect(),
        verified,
    })
}

/// Returns OpenSSL's name of a cipher, which for TLS 1.3 is the standard's.
fn cipher_name(suite: CipherSuite) -> &'static str {
    CIPHERS
        .iter()
        .find(|(known, _)| *known == suite)
        .map_or_else(|| suite.as_str().unwrap_or("unknown"), |(_, name)| name)
}

/// Those of rustls's provider.
const CIPHERS: [(CipherSuite, &str); 9] = [
    (
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_128_GCM_SHA256",
    ),
    (
        CipherSuite::TLS13_AES_256_GCM_SHA384,
        "TLS_AES_256_GCM_SHA384",
    ),
    (
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        "TLS_CHACHA20_POLY1305_SHA256",
    ),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    ),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    ),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    ),
    (
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "ECDHE-RSA-AES128-GCM-SHA256",
    ),
    (
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "ECDHE-RSA-AES256-GCM-SHA384",
    ),
    (
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        "ECDHE-RSA-CHACHA20-POLY1305",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cipher_of_ours_has_openssls_name() {
        for suite in rustls::crypto::ring::ALL_CIPHER_SUITES {
            let name = cipher_name(suite.suite());
            let is_1_3 = suite.version().version == ProtocolVersion::TLSv1_3;
            let start = if is_1_3 { "TLS_" } else { "ECDHE-" };
            assert!(name.starts_with(start), "{name}");
        }
    }
}

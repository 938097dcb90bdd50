//! What rustls asks about the other side's certificate, answered as the settings say.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved, SignatureScheme};
use x509_parser::x509::X509Version;

use crate::error::CertificateFault;
use crate::settings::{VerifyClient, VerifyServer};
use crate::trust::{Purpose, Trust, certificate_fault, parse};

/// Asked by a client about a server.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    pub(crate) verify: VerifyServer,
    pub(crate) trust: Arc<Trust>,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = || {
            self.trust
                .verify(Purpose::Server, end_entity, intermediates, now)
        };
        match self.verify {
            VerifyServer::Full => {
                chain()?;
                verify_name(end_entity, server_name)?;
            }
            VerifyServer::Chain => chain()?,
            VerifyServer::Off => {}
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_handshake_1_2(message, cert, dss, self.trust.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_handshake_1_3(message, cert, dss, self.trust.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms().supported_schemes()
    }
}

/// Asked by a server about a client. With [`VerifyClient::No`] the client is not asked.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    pub(crate) verify: VerifyClient,
    pub(crate) trust: Arc<Trust>,
}

impl ClientCertVerifier for ClientVerifier {
    fn offer_client_auth(&self) -> bool {
        self.verify != VerifyClient::No
    }

    fn client_auth_mandatory(&self) -> bool {
        self.verify == VerifyClient::Required
    }

    /// Names no CA: a client shows what it was told to show.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.verify {
            VerifyClient::No | VerifyClient::Required | VerifyClient::IfPresent => {
                self.trust
                    .verify(Purpose::Client, end_entity, intermediates, now)?;
            }
            VerifyClient::RequestOnly => {}
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_handshake_1_2(message, cert, dss, self.trust.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_handshake_1_3(message, cert, dss, self.trust.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms().supported_schemes()
    }
}

/// Checks that a subject alternative name is what was connected to. A CN does not count.
fn verify_name(leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), CertificateFault> {
    if parse(leaf)?.version() == X509Version::V1 {
        return Err(CertificateFault::NoName);
    }
    ParsedCertificate::try_from(leaf)
        .and_then(|leaf| verify_server_name(&leaf, name))
        .map_err(certificate_fault)
}

/// As rustls does it, and for X.509 v1 with the key alone.
fn verify_handshake_1_2(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let Some(key) = v1_key(leaf)? else {
        return verify_tls12_signature(message, leaf, signed, algorithms);
    };
    let key = webpki::RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateFault::Encoding)?;
    let candidates = algorithms
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signed.scheme)
        .map(|(_, candidates)| *candidates)
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    // TLS 1.2 names the hash and not the curve.
    for algorithm in candidates {
        match key.verify_signature(*algorithm, message, signed.signature()) {
            Ok(()) => return Ok(HandshakeSignatureValid::assertion()),
            Err(webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {}
            Err(_) => return Err(CertificateFault::BadSignature.into()),
        }
    }
    Err(CertificateFault::Algorithm.into())
}

/// As rustls does it, and for X.509 v1 with the key alone.
fn verify_handshake_1_3(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    match v1_key(leaf)? {
        Some(key) => verify_tls13_signature_with_raw_key(message, &key, signed, algorithms),
        None => verify_tls13_signature(message, leaf, signed, algorithms),
    }
}

/// Returns the key of an X.509 v1 certificate, `None` of any other.
fn v1_key(
    leaf: &CertificateDer<'_>,
) -> Result<Option<SubjectPublicKeyInfoDer<'static>>, CertificateFault> {
    let certificate = parse(leaf)?;
    let is_v1 = certificate.version() == X509Version::V1;
    Ok(is_v1.then(|| certificate.public_key().raw.to_vec().into()))
}

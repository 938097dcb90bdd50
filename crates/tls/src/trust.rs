//! Which certificates are good. The only place where that is decided.
//!
//! ```text
//!                                      (a) v3 leaf   (b) v1 leaf   (c) self-signed
//!                                      of a CA       of a CA       and itself listed
//! found by                             webpki        issuer name   the same bytes
//! signature of the CA, sound           webpki        yes           - it is listed itself
//! intermediates between leaf and CA    webpki        none allowed  -
//! the CA says CA:TRUE, may sign keys   yes           yes           -
//! the CA's dates                       yes           yes           -
//! the CA's extended key usage          yes           yes           -
//! the CA's name constraints            webpki        none allowed  -
//! the leaf is no CA                    webpki        v1 cannot say -
//! the leaf's dates                     webpki        yes           yes
//! the leaf's extended key usage        webpki        v1 has none   yes
//! critical extensions are known        webpki        v1 has none   -
//! the name (Full)                      webpki        has none: no  webpki
//! the handshake's signature            webpki        yes           yes
//! ```
//!
//! "Listed" is in the CA file, the CA folder or the system's store. Names and signatures of the
//! handshake are the business of [`verifier`](crate::verifier). Revocation is not looked at: KX's
//! settings have no place for it. Nor is how many CAs may follow a listed one (`pathlen`), which
//! webpki does not keep of it; of those in between it is.
//!
//! webpki refuses certificates of version 1, and takes a listed certificate either as a CA or not
//! at all. KX's script makes leaves of version 1, and who starts with one self-signed certificate
//! lists it as its own CA; OpenSSL takes both. So these two have ways of their own here, as narrow
//! as can be. A listed certificate that does not say CA:TRUE is no CA here, as it is none to
//! OpenSSL: webpki would let it sign for others.
//!
//! Signatures are those of rustls's provider: RSA of 2048 bits and more with SHA-2, ECDSA with
//! P-256 and P-384, Ed25519. No other can be verified at all.

use core::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{CertificateError, RootCertStore};
use x509_parser::asn1_rs::Any;
use x509_parser::certificate::{TbsCertificate, X509Certificate, X509CertificateParser};
use x509_parser::nom::Parser as _;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Version;

use crate::error::{CertificateFault, TlsError};
use crate::files::{files_in, read_certificates};
use crate::settings::Settings;

/// The certificates that are trusted.
pub(crate) struct Trust {
    listed: Vec<Listed>,
    provider: Arc<CryptoProvider>,
}

/// What a certificate is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Server,
    Client,
}

impl Trust {
    /// Reads the CA file and the CA folder, as far as they are named.
    pub(crate) fn read(
        settings: &Settings,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let mut trust = Self {
            listed: Vec::new(),
            provider,
        };
        if let Some(file) = &settings.ca_file
            && trust.list_file(file)? == 0
        {
            return Err(TlsError::NoCertificateIn { file: file.clone() });
        }
        if let Some(folder) = &settings.ca_path {
            let mut found = 0;
            for file in files_in(folder)? {
                found += trust.list_file(&file)?;
            }
            if found == 0 {
                return Err(TlsError::NoCertificateIn {
                    file: folder.clone(),
                });
            }
        }
        Ok(trust)
    }

    /// Reads the system's store. What in it cannot be read is passed over: it is not the caller's,
    /// and what is missing can but be trusted less.
    pub(crate) fn read_system(provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let certificates = rustls_native_certs::load_native_certs().certs;
        let listed: Vec<_> = certificates.into_iter().filter_map(Listed::new).collect();
        if listed.is_empty() {
            return Err(TlsError::NoTrust);
        }
        Ok(Self { listed, provider })
    }

    /// Adds the certificates of a file. Returns how many it has.
    fn list_file(&mut self, file: &Path) -> Result<usize, TlsError> {
        let certificates = read_certificates(file)?;
        let count = certificates.len();
        for (index, certificate) in certificates.into_iter().enumerate() {
            let listed = Listed::new(certificate).ok_or_else(|| TlsError::BadCertificate {
                file: file.into(),
                index,
            })?;
            self.listed.push(listed);
        }
        Ok(count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    pub(crate) fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }

    /// Checks everything in the table above but the name and the handshake's signature.
    pub(crate) fn verify(
        &self,
        purpose: Purpose,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), CertificateFault> {
        let certificate = parse(leaf)?;
        let pinned = |listed: &&Listed| listed.self_issued && listed.der == *leaf;
        if let Some(listed) = self.listed.iter().find(pinned) {
            return listed.verify_as_leaf(purpose, now);
        }
        if certificate.version() == X509Version::V1 {
            return self.verify_v1(purpose, leaf, &certificate, now);
        }
        self.verify_v3(purpose, leaf, intermediates, now)
            .map_err(|fault| {
                if fault != CertificateFault::UnknownIssuer {
                    return fault;
                }
                self.why_no_issuer(purpose, &certificate, intermediates, now)
            })
    }

    /// (a): webpki, with the listed certificates that are CAs at this time for this purpose.
    fn verify_v3(
        &self,
        purpose: Purpose,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), CertificateFault> {
        let roots: Vec<_> = self
            .listed
            .iter()
            .filter_map(|listed| listed.as_issuer(purpose, now).ok())
            .cloned()
            .collect();
        if roots.is_empty() {
            return Err(CertificateFault::UnknownIssuer);
        }
        let roots = RootCertStore { roots };
        let result = match purpose {
            Purpose::Server => ParsedCertificate::try_from(leaf).and_then(|leaf| {
                let algorithms = self.algorithms().all;
                verify_server_cert_signed_by_trust_anchor(
                    &leaf,
                    &roots,
                    intermediates,
                    now,
                    algorithms,
                )
            }),
            Purpose::Client => {
                WebPkiClientVerifier::builder_with_provider(roots.into(), self.provider.clone())
                    .build()
                    .expect("there is a root, and there are no revocation lists to be wrong")
                    .verify_client_cert(leaf, intermediates, now)
                    .map(|_| ())
            }
        };
        result.map_err(certificate_fault)
    }

    /// (b): signed by a listed CA itself.
    fn verify_v1(
        &self,
        purpose: Purpose,
        leaf: &CertificateDer<'_>,
        certificate: &X509Certificate<'_>,
        now: UnixTime,
    ) -> Result<(), CertificateFault> {
        if !certificate.extensions().is_empty() {
            return Err(CertificateFault::Encoding);
        }
        check_dates(dates(certificate), now)?;
        let issuer = certificate.issuer().as_raw();
        let mut fault = CertificateFault::UnknownIssuer;
        for listed in self.listed.iter().filter(|listed| listed.subject == issuer) {
            let signed = listed.as_issuer(purpose, now).and_then(|anchor| {
                if anchor.name_constraints.is_some() {
                    return Err(CertificateFault::IssuerConstrained);
                }
                self.check_signature(leaf, certificate, &listed.public_key)
            });
            match signed {
                Ok(()) => return Ok(()),
                Err(found) => fault = found,
            }
        }
        Err(fault)
    }

    /// Checks that a certificate is signed with the key, in one of the ways of rustls's provider.
    fn check_signature(
        &self,
        leaf: &CertificateDer<'_>,
        certificate: &X509Certificate<'_>,
        key: &SubjectPublicKeyInfoDer<'_>,
    ) -> Result<(), CertificateFault> {
        let signed = Signed::parse(leaf).ok_or(CertificateFault::Encoding)?;
        if certificate.signature_algorithm != certificate.signature {
            return Err(CertificateFault::Encoding);
        }
        let key =
            webpki::RawPublicKeyEntity::try_from(key).map_err(|_| CertificateFault::Encoding)?;
        // One way to sign goes with several kinds of keys: SHA-256 with P-256 and with P-384.
        for algorithm in self.algorithms().all {
            if algorithm.signature_alg_id().as_ref() != signed.algorithm {
                continue;
            }
            match key.verify_signature(*algorithm, signed.message, signed.signature) {
                Ok(()) => return Ok(()),
                Err(webpki::Error::InvalidSignatureForPublicKey) => {
                    return Err(CertificateFault::BadSignature);
                }
                Err(_) => {}
            }
        }
        Err(CertificateFault::Algorithm)
    }

    /// Says why a listed issuer of one of these certificates did not count, if there is one.
    fn why_no_issuer(
        &self,
        purpose: Purpose,
        leaf: &X509Certificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> CertificateFault {
        let parsed = intermediates.iter().filter_map(|der| parse(der).ok());
        core::iter::once(leaf.issuer().as_raw().to_vec())
            .chain(parsed.map(|intermediate| intermediate.issuer().as_raw().to_vec()))
            .find_map(|issuer| {
                let mut listed = self.listed.iter().filter(|listed| listed.subject == issuer);
                listed.find_map(|listed| listed.as_issuer(purpose, now).err())
            })
            .unwrap_or(CertificateFault::UnknownIssuer)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("listed", &self.listed.len())
            .finish_non_exhaustive()
    }
}

/// A certificate that is trusted, and what was asked of it once.
struct Listed {
    der: CertificateDer<'static>,
    /// With its tag and length.
    subject: Vec<u8>,
    self_issued: bool,
    public_key: SubjectPublicKeyInfoDer<'static>,
    dates: Dates,
    /// What webpki takes for a CA, if it is one.
    anchor: Option<TrustAnchor<'static>>,
    server: bool,
    client: bool,
}

impl Listed {
    /// Returns `None` for what is no certificate.
    fn new(der: CertificateDer<'static>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let anchor = webpki::anchor_from_trusted_cert(&der).ok()?.to_owned();
        let usage = certificate.extended_key_usage().ok()?;
        let usage = usage.map(|usage| usage.value);
        Some(Self {
            subject: certificate.subject().as_raw().to_vec(),
            self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
            public_key: certificate.public_key().raw.to_vec().into(),
            dates: dates(&certificate),
            anchor: is_ca(&certificate)?.then_some(anchor),
            server: usage.is_none_or(|usage| usage.any || usage.server_auth),
            client: usage.is_none_or(|usage| usage.any || usage.client_auth),
            der: der.clone(),
        })
    }

    /// (c): it is trusted itself.
    fn verify_as_leaf(&self, purpose: Purpose, now: UnixTime) -> Result<(), CertificateFault> {
        check_dates(self.dates, now)?;
        if self.is_for(purpose) {
            Ok(())
        } else {
            Err(CertificateFault::Purpose)
        }
    }

    /// Returns what webpki takes for a CA, if this one can sign for this purpose at this time.
    fn as_issuer(
        &self,
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<&TrustAnchor<'static>, CertificateFault> {
        let Some(anchor) = &self.anchor else {
            return Err(CertificateFault::IssuerIsNoCa);
        };
        if check_dates(self.dates, now).is_err() || !self.is_for(purpose) {
            return Err(CertificateFault::IssuerUnfit);
        }
        Ok(anchor)
    }

    fn is_for(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Server => self.server,
            Purpose::Client => self.client,
        }
    }
}

/// When a certificate holds, in seconds of the Unix clock.
#[derive(Clone, Copy)]
struct Dates {
    not_before: i64,
    not_after: i64,
}

/// The parts of a certificate that its signature is about, as bytes.
///
/// ```text
/// 30 len | 30 len message | 30 len algorithm | 03 len 00 signature
/// ```
struct Signed<'a> {
    /// With its tag and length.
    message: &'a [u8],
    /// Without, as rustls keeps it.
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    fn parse(leaf: &'a [u8]) -> Option<Self> {
        let (parts, _) = part(leaf, SEQUENCE)?;
        let (_, rest) = part(parts, SEQUENCE)?;
        let message = parts.strip_suffix(rest)?;
        let (algorithm, rest) = part(rest, SEQUENCE)?;
        let ([0, signature @ ..], []) = part(rest, BIT_STRING)? else {
            return None;
        };
        Some(Self {
            message,
            algorithm,
            signature,
        })
    }
}

/// Cuts off the first part of an encoding, which has this tag. Returns what is in it and what
/// follows.
fn part(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    if *bytes.first()? != tag {
        return None;
    }
    let (rest, part) = Any::from_der(bytes).ok()?;
    Some((part.data, rest))
}

/// Reads a peer's certificate. What is in the extensions is left alone.
pub(crate) fn parse<'a>(
    der: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, CertificateFault> {
    match X509CertificateParser::new()
        .with_deep_parse_extensions(false)
        .parse(der)
    {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(CertificateFault::Encoding),
    }
}

/// Returns what is in an error about a certificate.
pub(crate) fn certificate_fault(error: rustls::Error) -> CertificateFault {
    if let rustls::Error::InvalidCertificate(error) = error {
        error.into()
    } else {
        CertificateFault::Other(CertificateError::Other(rustls::OtherError(Arc::new(error))))
    }
}

/// Says whether it may sign other certificates. `None` if that cannot be told.
fn is_ca(certificate: &TbsCertificate<'_>) -> Option<bool> {
    let constraints = certificate.basic_constraints().ok()?;
    let usage = certificate.key_usage().ok()?;
    Some(
        constraints.is_some_and(|constraints| constraints.value.ca)
            && usage.is_none_or(|usage| usage.value.key_cert_sign()),
    )
}

fn dates(certificate: &TbsCertificate<'_>) -> Dates {
    Dates {
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
    }
}

fn check_dates(dates: Dates, now: UnixTime) -> Result<(), CertificateFault> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < dates.not_before {
        Err(CertificateFault::NotYetValid)
    } else if now > dates.not_after {
        Err(CertificateFault::Expired)
    } else {
        Ok(())
    }
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::provider;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name)
    }

    fn trust(name: &str) -> Trust {
        let settings = Settings {
            ca_file: Some(fixture(name)),
            ..Settings::default()
        };
        Trust::read(&settings, provider()).unwrap()
    }

    fn leaf(name: &str) -> CertificateDer<'static> {
        read_certificates(&fixture(name)).unwrap().remove(0)
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(core::time::Duration::from_secs(seconds))
    }

    #[test]
    fn the_first_and_the_last_second_count() {
        // 2020-01-01 and 2126-01-01, as tests/fixtures/make.sh says.
        let (first, last) = (1_577_836_800, 4_922_899_200);
        for (ca, name) in [
            ("ca.pem", "server.pem"),
            ("self-signed-v1.pem", "self-signed-v1.pem"),
        ] {
            let (trust, leaf) = (trust(ca), leaf(name));
            for (now, expected) in [
                (0, Err(CertificateFault::NotYetValid)),
                (first - 1, Err(CertificateFault::NotYetValid)),
                (first, Ok(())),
                (last, Ok(())),
                (last + 1, Err(CertificateFault::Expired)),
                (u64::MAX, Err(CertificateFault::Expired)),
            ] {
                for purpose in [Purpose::Server, Purpose::Client] {
                    let found = trust.verify(purpose, &leaf, &[], at(now));
                    assert_eq!(found, expected, "{name} {now}");
                }
            }
        }
    }

    #[test]
    fn no_byte_of_a_v1_certificate_can_be_changed_or_left_out() {
        let now = at(1_800_000_000);
        let trust = trust("ca.pem");
        let leaf = leaf("server.pem");
        trust.verify(Purpose::Server, &leaf, &[], now).unwrap();
        let refused = |bytes: &[u8]| {
            let bytes = CertificateDer::from(bytes);
            trust.verify(Purpose::Server, &bytes, &[], now).is_err()
        };
        for index in 0..leaf.len() {
            assert!(refused(&leaf[..index]), "the first {index} bytes");
            for change in [0x01, 0x02, 0x20, 0x80, 0xff] {
                let mut bytes = leaf.to_vec();
                bytes[index] ^= change;
                assert!(refused(&bytes), "byte {index} changed by {change:#x}");
            }
        }
        assert!(refused(&[&leaf, &[0_u8][..]].concat()), "a byte behind it");
        // A NULL behind the signature; the length of the whole is two bytes at 2.
        let mut bytes = [&leaf, &[5_u8, 0][..]].concat();
        let length = u16::from_be_bytes([bytes[2], bytes[3]]) + 2;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        assert!(refused(&bytes), "something behind the signature");
    }
}

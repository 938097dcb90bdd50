//! What can go wrong with TLS, before a connection and in it.

use core::fmt;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::CertificateError;

use crate::settings::Protocol;
use crate::text::Printable;

/// What went wrong with TLS.
///
/// It can be cloned, so that a connection that is over says the same to everybody who asks. No key
/// and nothing of one is in it. What a file, a variable or the peer said prints as one line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// The variable says what KX's page does not know.
    UnknownValue {
        /// The variable, as it was found: with `KX_` or without.
        variable: &'static str,
        /// What it says.
        value: OsString,
    },
    /// The variable asks for what cannot be done here.
    Unsupported {
        /// The variable, as it was found: with `KX_` or without.
        variable: &'static str,
        /// What it asks for.
        what: Unsupported,
    },
    /// The lowest version of the protocol is above the highest.
    ProtocolRange {
        /// The lowest.
        minimum: Protocol,
        /// The highest.
        maximum: Protocol,
    },
    /// There is a certificate and no key.
    NoKey,
    /// There is a key and no certificate.
    NoCertificate,
    /// A server needs a certificate and a key, and was given neither.
    NoIdentity,
    /// Nobody was said to trust, and there is something to verify.
    NoTrust,
    /// The file or folder cannot be read.
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// A block of the PEM file is broken: its end is missing, or it is not base64.
    BrokenPem {
        /// The file.
        file: PathBuf,
    },
    /// There is no certificate in the file, or in no file of the folder.
    NoCertificateIn {
        /// The file or folder.
        file: PathBuf,
    },
    /// There is no key in the file, or only an encrypted one.
    NoKeyIn {
        /// The file.
        file: PathBuf,
    },
    /// What is in the file as a certificate is none.
    BadCertificate {
        /// The file.
        file: PathBuf,
        /// The how manieth certificate in it, from 0.
        index: usize,
    },
    /// What is in the file as a key is none, or one of a kind that is not supported.
    BadKey {
        /// The file.
        file: PathBuf,
    },
    /// The key is not the certificate's.
    WrongKey {
        /// The file of the certificate.
        certificate_file: PathBuf,
        /// The file of the key.
        key_file: PathBuf,
    },
    /// What was to be connected to is neither a DNS name nor an address.
    Host {
        /// What it is.
        host: String,
    },
    /// The peer's certificate is refused. The connection is over.
    Certificate(CertificateFault),
    /// Anything else that rustls says: what the peer sent is no TLS, it refused us, nothing is in
    /// common. The connection is over.
    Rustls(rustls::Error),
}

/// What a variable can ask for, and not be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// A list of ciphers. rustls has its own, without any that is weak.
    Ciphers,
    /// A version below TLS 1.2.
    OldProtocol,
}

/// Why a certificate is refused. `Display` says what to do about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// Nobody who is trusted has signed it.
    UnknownIssuer,
    /// What has signed it is among those to trust, and does not say of itself that it is a CA. KX's
    /// script `makeCerts.sh` makes such a one.
    IssuerIsNoCa,
    /// What has signed it is among those to trust, and its dates do not hold, or it is a CA for
    /// other purposes.
    IssuerUnfit,
    /// What has signed it may only sign for some names, and the certificate has none (X.509 v1).
    IssuerConstrained,
    /// It has expired.
    Expired,
    /// Its time has not come yet.
    NotYetValid,
    /// It is for other purposes: not for servers, or not for clients.
    Purpose,
    /// It is not signed by the key of its issuer, or what the peer signed not by the certificate's;
    /// or that key is RSA with less than 2048 bits, which verifies nothing here.
    BadSignature,
    /// It is signed in a way that is not sound (MD5, SHA-1) or not supported.
    Algorithm,
    /// It has no subject alternative name to compare with what was connected to.
    NoName,
    /// Its subject alternative names are others than what was connected to.
    WrongName {
        /// What it has, as rustls prints it.
        presented: Vec<String>,
    },
    /// It is a CA's certificate, and not itself among those to trust.
    CaAsPeer,
    /// It cannot be read as a certificate.
    Encoding,
    /// Anything else that rustls says.
    Other(CertificateError),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownValue { variable, value } => {
                write!(
                    f,
                    "{variable} says {}, ",
                    Printable(&value.to_string_lossy())
                )?;
                f.write_str("which is none of the words that it can say")
            }
            Self::Unsupported { variable, what } => write!(f, "{variable} asks for {what}"),
            Self::ProtocolRange { minimum, maximum } => {
                write!(
                    f,
                    "the lowest protocol, {minimum}, is above the highest, {maximum}"
                )
            }
            Self::NoKey => f.write_str(
                "there is a certificate file and no key file: set KX_SSL_KEY_FILE too, or neither",
            ),
            Self::NoCertificate => f.write_str(
                "there is a key file and no certificate file: set KX_SSL_CERT_FILE too, or neither",
            ),
            Self::NoIdentity => f.write_str(
                "a server needs a certificate and a key: set KX_SSL_CERT_FILE and KX_SSL_KEY_FILE",
            ),
            Self::NoTrust => f.write_str(
                "nobody is said to trust: set KX_SSL_CA_CERT_FILE to a file with the certificate \
                 of the CA",
            ),
            Self::Unreadable { file, error } => {
                write!(f, "cannot read {}: {error}", path(file))
            }
            Self::BrokenPem { file } => write!(f, "{} is broken as a PEM file", path(file)),
            Self::NoCertificateIn { file } => {
                write!(f, "there is no certificate (PEM) in {}", path(file))
            }
            Self::NoKeyIn { file } => {
                write!(f, "there is no key (PEM, not encrypted) in {}", path(file))
            }
            Self::BadCertificate { file, index } => {
                write!(
                    f,
                    "certificate {} in {} is none",
                    index.saturating_add(1),
                    path(file)
                )
            }
            Self::BadKey { file } => {
                write!(
                    f,
                    "the key in {} is none, or of no kind that is supported",
                    path(file)
                )
            }
            Self::WrongKey {
                certificate_file,
                key_file,
            } => write!(
                f,
                "the key in {} is not that of the certificate in {}",
                path(key_file),
                path(certificate_file)
            ),
            Self::Host { host } => write!(
                f,
                "{} is neither a host name nor an address",
                Printable(host)
            ),
            Self::Certificate(fault) => {
                write!(f, "the certificate of the other side is refused: {fault}")
            }
            Self::Rustls(error) => write!(f, "TLS failed: {}", Printable(&error.to_string())),
        }
    }
}

impl fmt::Display for Unsupported {
    /// As it follows "asks for".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ciphers => {
                "ciphers of its own: these cannot be chosen here, all that are used are sound; \
                 unset it, or set it with KX_ in front to nothing"
            }
            Self::OldProtocol => "a protocol below TLSv1.2, and none of these is spoken here",
        })
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer => f.write_str(
                "nobody who is trusted has signed it; the certificate of its CA belongs in the \
                 file that KX_SSL_CA_CERT_FILE names",
            ),
            Self::IssuerIsNoCa => f.write_str(
                "what signed it is trusted, but does not say that it is a CA (CA:TRUE), nor does \
                 one that KX's makeCerts.sh makes; make both anew, the CA with -extensions v3_ca",
            ),
            Self::IssuerUnfit => f.write_str(
                "what signed it is trusted, but has expired, is not valid yet, or is a CA for \
                 other purposes",
            ),
            Self::IssuerConstrained => f.write_str(
                "what signed it may sign for some names only, and it is X.509 v1, which has none; \
                 make it anew with a subject alternative name",
            ),
            Self::Expired => f.write_str("it has expired"),
            Self::NotYetValid => f.write_str("it is not valid yet; is the clock right?"),
            Self::Purpose => f.write_str("its extended key usage is for other purposes"),
            Self::BadSignature => f.write_str(
                "a signature does not fit its key, or that key is RSA with less than 2048 bits",
            ),
            Self::Algorithm => f.write_str(
                "it is signed with MD5, SHA-1, or in a way that is not supported; make it anew \
                 with SHA-256",
            ),
            Self::NoName => f.write_str(
                "it has no subject alternative name, and its CN does not count; make it anew with \
                 one (-addext subjectAltName=DNS:host), or verify the chain only \
                 (KX_SSL_VERIFY_SERVER=YES)",
            ),
            Self::WrongName { presented } => {
                f.write_str("it is for another name (")?;
                for (index, name) in presented.iter().take(NAMES).enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", Printable(name))?;
                }
                if presented.len() > NAMES {
                    f.write_str(", ..")?;
                }
                f.write_str(
                    "); connect to that, make it anew with this one, or verify the chain only \
                     (KX_SSL_VERIFY_SERVER=YES)",
                )
            }
            Self::CaAsPeer => f.write_str(
                "it is a CA's; if it is self-signed and meant, it belongs itself in the file that \
                 KX_SSL_CA_CERT_FILE names",
            ),
            Self::Encoding => f.write_str("it cannot be read"),
            Self::Other(error) => fmt::Display::fmt(&Printable(&error.to_string()), f),
        }
    }
}

impl fmt::Display for Protocol {
    /// As KX's variables spell it: `TLSv1.2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        })
    }
}

impl std::error::Error for TlsError {
    /// Returns what is behind the error that is held here, whose text `Display` prints already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => error.source(),
            Self::Rustls(error) => error.source(),
            Self::UnknownValue { .. }
            | Self::Unsupported { .. }
            | Self::ProtocolRange { .. }
            | Self::NoKey
            | Self::NoCertificate
            | Self::NoIdentity
            | Self::NoTrust
            | Self::BrokenPem { .. }
            | Self::NoCertificateIn { .. }
            | Self::NoKeyIn { .. }
            | Self::BadCertificate { .. }
            | Self::BadKey { .. }
            | Self::WrongKey { .. }
            | Self::Host { .. }
            | Self::Certificate(_) => None,
        }
    }
}

impl std::error::Error for CertificateFault {}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        if let rustls::Error::InvalidCertificate(error) = error {
            Self::Certificate(error.into())
        } else {
            Self::Rustls(error)
        }
    }
}

impl From<CertificateError> for CertificateFault {
    fn from(error: CertificateError) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "it is kept as it is")]
        match error {
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::Purpose
            }
            CertificateError::BadSignature => Self::BadSignature,
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Self::Algorithm
            }
            CertificateError::NotValidForName => Self::WrongName { presented: vec![] },
            CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
                Self::NoName
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongName { presented }
            }
            CertificateError::BadEncoding => Self::Encoding,
            CertificateError::Other(other) => {
                if let Some(fault) = other.0.downcast_ref::<Self>() {
                    return fault.clone();
                }
                match other.0.downcast_ref::<webpki::Error>() {
                    Some(webpki::Error::CaUsedAsEndEntity) => Self::CaAsPeer,
                    _ => Self::Other(CertificateError::Other(other)),
                }
            }
            error => Self::Other(error),
        }
    }
}

impl From<CertificateFault> for rustls::Error {
    /// Picks what makes rustls send the alert that fits.
    fn from(fault: CertificateFault) -> Self {
        Self::InvalidCertificate(match fault {
            CertificateFault::UnknownIssuer => CertificateError::UnknownIssuer,
            CertificateFault::Expired => CertificateError::Expired,
            CertificateFault::NotYetValid => CertificateError::NotValidYet,
            CertificateFault::Purpose => CertificateError::InvalidPurpose,
            CertificateFault::BadSignature => CertificateError::BadSignature,
            CertificateFault::Encoding => CertificateError::BadEncoding,
            CertificateFault::Other(error) => error,
            fault @ (CertificateFault::IssuerIsNoCa
            | CertificateFault::IssuerUnfit
            | CertificateFault::IssuerConstrained
            | CertificateFault::Algorithm
            | CertificateFault::NoName
            | CertificateFault::WrongName { .. }
            | CertificateFault::CaAsPeer) => {
                CertificateError::Other(rustls::OtherError(Arc::new(fault)))
            }
        })
    }
}

/// Prints a path on one line.
fn path(path: &Path) -> impl fmt::Display {
    fmt::from_fn(move |f| fmt::Display::fmt(&Printable(&path.to_string_lossy()), f))
}

/// A hostile certificate may have names by the thousand; a line shows a few.
const NAMES: usize = 5;

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn faults() -> Vec<CertificateFault> {
        vec![
            CertificateFault::UnknownIssuer,
            CertificateFault::IssuerIsNoCa,
            CertificateFault::IssuerUnfit,
            CertificateFault::IssuerConstrained,
            CertificateFault::Expired,
            CertificateFault::NotYetValid,
            CertificateFault::Purpose,
            CertificateFault::BadSignature,
            CertificateFault::Algorithm,
            CertificateFault::NoName,
            CertificateFault::WrongName {
                presented: vec!["a\n".into(); 9],
            },
            CertificateFault::CaAsPeer,
            CertificateFault::Encoding,
            CertificateFault::Other(CertificateError::Revoked),
        ]
    }

    #[test]
    fn a_fault_is_the_same_when_rustls_has_handed_it_on() {
        for fault in faults() {
            let error = TlsError::from(rustls::Error::from(fault.clone()));
            assert!(
                matches!(&error, TlsError::Certificate(found) if *found == fault),
                "{error:?}"
            );
        }
    }

    #[test]
    fn every_error_is_one_line_and_says_nothing_twice() {
        let file = || PathBuf::from("a\x1b[2J/b");
        let mut errors: Vec<_> = faults().into_iter().map(TlsError::Certificate).collect();
        errors.extend([
            TlsError::UnknownValue {
                variable: "SSL_VERIFY_SERVER",
                value: "\n".into(),
            },
            TlsError::Unsupported {
                variable: "SSL_CIPHER_LIST",
                what: Unsupported::Ciphers,
            },
            TlsError::Unsupported {
                variable: "SSL_MINPROTOCOL",
                what: Unsupported::OldProtocol,
            },
            TlsError::ProtocolRange {
                minimum: Protocol::Tls13,
                maximum: Protocol::Tls12,
            },
            TlsError::NoKey,
            TlsError::NoCertificate,
            TlsError::NoIdentity,
            TlsError::NoTrust,
            TlsError::Unreadable {
                file: file(),
                error: Arc::new(io::Error::other("our own words")),
            },
            TlsError::BrokenPem { file: file() },
            TlsError::NoCertificateIn { file: file() },
            TlsError::NoKeyIn { file: file() },
            TlsError::BadCertificate {
                file: file(),
                index: usize::MAX,
            },
            TlsError::BadKey { file: file() },
            TlsError::WrongKey {
                certificate_file: file(),
                key_file: file(),
            },
            TlsError::Host { host: "\r".into() },
            TlsError::Rustls(rustls::Error::General("\x07".into())),
        ]);
        let mut seen = Vec::new();
        for error in errors {
            let text = error.to_string();
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(
                error
                    .source()
                    .is_none_or(|source| !text.contains(&source.to_string()))
            );
            assert!(!seen.contains(&text), "{text}");
            seen.push(text);
        }
    }
}

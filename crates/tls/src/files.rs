//! Certificates and keys from PEM files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use crate::error::TlsError;
use crate::settings::Settings;

/// Reads the certificate and the key of this end, if there are any.
///
/// rustls would do this itself, but takes no X.509 v1 certificate, which KX's script makes.
pub(crate) fn read_identity(
    settings: &Settings,
    provider: &CryptoProvider,
) -> Result<Option<Arc<CertifiedKey>>, TlsError> {
    let (certificate_file, key_file) = match (&settings.certificate_file, &settings.key_file) {
        (Some(certificate_file), Some(key_file)) => (certificate_file, key_file),
        (Some(_), None) => return Err(TlsError::NoKey),
        (None, Some(_)) => return Err(TlsError::NoCertificate),
        (None, None) => return Ok(None),
    };
    let chain = read_certificates(certificate_file)?;
    let Some(leaf) = chain.first() else {
        return Err(TlsError::NoCertificateIn {
            file: certificate_file.clone(),
        });
    };
    let Ok((_, certificate)) = X509Certificate::from_der(leaf) else {
        return Err(TlsError::BadCertificate {
            file: certificate_file.clone(),
            index: 0,
        });
    };
    let bad_key = || TlsError::BadKey {
        file: key_file.clone(),
    };
    let key = provider
        .key_provider
        .load_private_key(read_key(key_file)?)
        .map_err(|_| bad_key())?;
    // All keys of this provider know their public half.
    let public = key.public_key().ok_or_else(bad_key)?;
    if public.as_ref() != certificate.public_key().raw {
        return Err(TlsError::WrongKey {
            certificate_file: certificate_file.clone(),
            key_file: key_file.clone(),
        });
    }
    Ok(Some(Arc::new(CertifiedKey::new(chain, key))))
}

/// Reads all certificates of a PEM file, none if there are none. Text between them is passed over.
pub(crate) fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = fs::read(file).map_err(|error| unreadable(file, error))?;
    CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::BrokenPem { file: file.into() })
}

/// Returns the files of a folder that may hold certificates, in the order of their names.
pub(crate) fn files_in(folder: &Path) -> Result<Vec<PathBuf>, TlsError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut files: Vec<_> = entries
        .map_err(|error| unreadable(folder, error))?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(may_hold_certificates) && path.is_file())
        .collect();
    files.sort();
    Ok(files)
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = Zeroizing::new(fs::read(file).map_err(|error| unreadable(file, error))?);
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let file = file.into();
        if matches!(error, pem::Error::NoItemsFound) {
            TlsError::NoKeyIn { file }
        } else {
            TlsError::BrokenPem { file }
        }
    })
}

/// Says whether a file with this extension is looked into: `pem`, or the `0` of `5ed36f99.0`.
fn may_hold_certificates(extension: &OsStr) -> bool {
    let bytes = extension.as_encoded_bytes();
    let is = |other: &str| extension.eq_ignore_ascii_case(other);
    is("pem") || is("crt") || is("cer") || bytes.iter().all(u8::is_ascii_digit)
}

fn unreadable(file: &Path, error: io::Error) -> TlsError {
    TlsError::Unreadable {
        file: file.into(),
        error: Arc::new(error),
    }
}

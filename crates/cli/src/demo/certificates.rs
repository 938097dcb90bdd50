//! A CA and what it signs, made for one conversation.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::Failure;

/// Files of a CA and of a server's certificate.
pub(super) struct Certificates {
    pub(super) ca: PathBuf,
    pub(super) server: PathBuf,
    pub(super) server_key: PathBuf,
}

impl Certificates {
    /// Makes them in a folder. The server's is for `localhost`.
    pub(super) fn make(folder: &Path) -> Result<Self, Failure> {
        let made = Self {
            ca: folder.join("ca.pem"),
            server: folder.join("server.pem"),
            server_key: folder.join("server-key.pem"),
        };
        let (ca, server, server_key) = sign()?;
        for (path, text) in [
            (&made.ca, ca),
            (&made.server, server),
            (&made.server_key, server_key),
        ] {
            fs::write(path, text).map_err(Failure::Process)?;
        }
        Ok(made)
    }
}

/// Returns the CA's certificate, the server's, and the server's key, as PEM. The CA's key is nowhere.
fn sign() -> Result<(String, String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([])?;
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "a CA for one conversation");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key)?;

    let server_key = KeyPair::generate()?;
    let server = CertificateParams::new(["localhost".to_owned()])?;
    let issuer = Issuer::from_params(&params, &key);
    let server = server.signed_by(&server_key, &issuer)?;
    Ok((ca.pem(), server.pem(), server_key.serialize_pem()))
}

//! A CA and what it signs.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// A folder with a CA's certificate, and one for a server at `localhost` that the CA has signed, which
/// serves a client as well.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    /// Makes them.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = KeyPair::generate().expect("there is randomness");
        let mut params = CertificateParams::new([]).expect("there is no name to be wrong");
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "the CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).expect("the parameters are good");

        let leaf_key = KeyPair::generate().expect("there is randomness");
        let leaf = CertificateParams::new(["localhost".to_owned()]).expect("it is a name");
        let issuer = Issuer::from_params(&params, &key);
        let leaf = leaf
            .signed_by(&leaf_key, &issuer)
            .expect("the parameters are good");
        for (name, text) in [
            ("ca.pem", ca.pem()),
            ("leaf.pem", leaf.pem()),
            ("leaf-key.pem", leaf_key.serialize_pem()),
        ] {
            fs::write(folder.path().join(name), text).expect("it is ours");
        }
        Self(folder)
    }

    /// Returns the path of one of the files.
    pub(crate) fn path(&self, name: &str) -> String {
        let path = self.0.path().join(name);
        path.to_str().expect("it has a plain name").to_owned()
    }

    /// Returns the arguments of `hopen serve` for this mode.
    pub(crate) fn arguments(&self, mode: &str) -> Vec<String> {
        let (certificate, key) = (self.path("leaf.pem"), self.path("leaf-key.pem"));
        [
            "--tls-mode",
            mode,
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

//! `hopen` against a server whose TLS is OpenSSL's, as q's is: each kind of certificate in each way to
//! verify it. Skipped where there is no `openssl` of version 3.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hopen_blocking::{Error, Options, Phase, hopen};
use hopen_tls::{CertificateFault, Client, Protocol, Settings, TlsError, VerifyServer};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use VerifyServer::{Chain, Full, Off};

#[test]
fn each_kind_of_certificate_is_verified_as_was_said() {
    if !has_openssl() {
        return;
    }
    let files = Files::new();
    let kx = fixture("ca.pem");
    let no_name = Some(CertificateFault::NoName);
    let unknown = Some(CertificateFault::UnknownIssuer);
    for (kind, ca, verify, fault) in [
        // Version 3, with a name.
        (&files.v3, &files.ca, Full, None),
        (&files.v3, &files.ca, Chain, None),
        (&files.v3, &kx, Chain, unknown.clone()),
        (&files.v3, &kx, Off, None),
        // Version 1, as KX's script makes it.
        (&files.v1, &kx, Full, no_name.clone()),
        (&files.v1, &kx, Chain, None),
        (&files.v1, &files.ca, Chain, unknown.clone()),
        (&files.v1, &files.ca, Off, None),
        // Signed by itself, and listed.
        (&files.own, &files.own.certificate, Full, no_name),
        (&files.own, &files.own.certificate, Chain, None),
        (&files.own, &files.ca, Chain, unknown),
        (&files.own, &files.ca, Off, None),
    ] {
        let server = Openssl::start(kind);
        let mut settings = Settings::default();
        settings.ca_file = Some(ca.clone());
        settings.verify_server = verify;
        let mut options = Options::try_from(format!(":tcps://127.0.0.1:{}:ann:pw", server.port));
        let options = options.as_mut().expect("a handle");
        options.tls = Some(Client::new(&settings).expect("its files are there"));
        options.timeout = Some(PATIENCE);
        let what = format!(
            "{}, {verify:?}, {}",
            kind.certificate.display(),
            ca.display()
        );
        match (hopen(options.clone()), fault) {
            (Ok(handle), None) => {
                let session = handle.tls().expect("it is encrypted");
                assert_eq!(session.protocol, Protocol::Tls13, "{what}");
                let shown = session.certificate.as_ref().expect("servers show one");
                // Where nothing is verified one can ask all the same what it would have come to.
                assert_eq!(shown.verified.is_ok(), verify != Off, "{what}");
            }
            (Err(error), Some(fault)) => {
                assert_eq!(error.phase(), Phase::Tls);
                assert!(
                    matches!(
                        &error,
                        Error::Tls { error: TlsError::Certificate(found), .. } if *found == fault
                    ),
                    "{what}: {error:?}"
                );
            }
            (opened, fault) => panic!("{what}: {opened:?} and not {fault:?}"),
        }
    }
}

/// A certificate and its key.
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

impl Identity {
    fn fixture(name: &str) -> Self {
        Self {
            certificate: fixture(&format!("{name}.pem")),
            key: fixture(&format!("{name}-key.pem")),
        }
    }
}

/// Certificates of each kind.
struct Files {
    ca: PathBuf,
    v3: Identity,
    v1: Identity,
    own: Identity,
    _folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("room");
            path
        };
        let ca_key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "a CA of this test");
        let ca = params.self_signed(&ca_key).expect("good parameters");
        let key = KeyPair::generate().expect("randomness");
        let leaf = CertificateParams::new(["127.0.0.1".to_owned()]).expect("an address");
        let leaf = leaf.signed_by(&key, &Issuer::from_params(&params, &ca_key));
        Self {
            ca: write("ca.pem", ca.pem()),
            v3: Identity {
                certificate: write("server.pem", leaf.expect("good parameters").pem()),
                key: write("server-key.pem", key.serialize_pem()),
            },
            v1: Identity::fixture("server"),
            own: Identity::fixture("self-signed-v1"),
            _folder: folder,
        }
    }
}

/// `openssl s_server`, which takes whoever comes and says what a server says that accepts a login.
struct Openssl {
    port: u16,
    child: Child,
}

impl Openssl {
    fn start(identity: &Identity) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1"])
            .arg("-cert")
            .arg(&identity.certificate)
            .arg("-key")
            .arg(&identity.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it has just told its version");
        let mut stdin = child.stdin.take().expect("it is piped");
        // It reads that when a client has come.
        stdin.write_all(b"\x06").expect("it reads");
        child.stdin = Some(stdin);
        let stdout = child.stdout.take().expect("it is piped");
        let port = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let address = line.strip_prefix("ACCEPT ")?;
                address.rsplit(':').next()?.parse().ok()
            });
        Self {
            port: port.expect("it says where it listens"),
            child,
        }
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        // It fails where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn has_openssl() -> bool {
    let output = Command::new("openssl").arg("version").output();
    let has = output.is_ok_and(|output| output.stdout.starts_with(b"OpenSSL 3."));
    if !has {
        // Not by `eprintln!`, which the test runner would keep to itself.
        let _ = io::stderr().write_all(b"skipped: openssl is not there, or not of version 3\n");
    }
    has
}

/// A certificate that `hopen-tls` is tested with.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tls/tests/fixtures")
        .join(name)
}

const PATIENCE: Duration = Duration::from_secs(60);

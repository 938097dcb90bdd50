//! KX's own C library, by itself and as PyKX uses it, and kola, over each kind of socket that `hopen serve`
//! has, with passwords from a file.

use std::fs;
use std::path::{Path, PathBuf};

use hopen_async_std::ListenOptions;
use hopen_tls::{Server, ServerMode, Settings};
use tempfile::TempDir;

use crate::gateway::Gateway;
use crate::python;
use crate::serving::Serving;

#[test]
fn others_log_in_by_every_kind_of_socket_and_password_file() {
    let processes = PASSWORDS.map(|passwords| (passwords, Process::start(passwords)));
    let gateway = Process::start(PASSWORDS[0]).behind_a_gateway();
    for (passwords, process) in processes.into_iter().chain([("a gateway", gateway)]) {
        for (library, sockets, refused) in LIBRARIES {
            for socket in *sockets {
                let Some(said) = process.asked_by(library, socket, "ann:secret", Some("ca.pem"))
                else {
                    return;
                };
                assert_eq!(said, "5", "{library}, {socket}, {passwords}");
                let said = process.asked_by(library, socket, "ann:wrong", Some("ca.pem"));
                let said = said.expect("it has just been there");
                assert_eq!(said, *refused, "{library}, {socket}, {passwords}");
            }
        }
    }
}

#[test]
fn kx_s_library_refuses_a_server_of_another_ca() {
    let process = Process::start(PASSWORDS[0]);
    for socket in ["tls", "unixs"] {
        for ca in [Some("script-ca.pem"), None] {
            let Some(said) = process.asked_by("libe", socket, "ann:secret", ca) else {
                return;
            };
            assert_eq!(said, "refused -1", "{socket}, {ca:?}");
        }
    }
    if let Some(said) = process.asked_by("pykx", "tls", "ann:secret", Some("script-ca.pem")) {
        assert_eq!(said, "refused Connection error");
    }
}

/// What PyKX does not do is TLS over a Unix domain socket; kola knows none of these, and verifies no
/// certificate.
const LIBRARIES: &[(&str, &[&str], &str)] = &[
    ("libe", &["tcp", "unix", "tls", "unixs"], "refused 0"),
    (
        "pykx",
        &["tcp", "unix", "tls"],
        "refused Authentication error",
    ),
    ("kola", &["tcp", "tls"], "refused Wrong credential."),
];

/// The user ann, whose password is "secret", in each kind of password file.
const PASSWORDS: [&str; 3] = [
    "ann:secret\n",
    "ann:5ebe2294ecd0e0f08eab7690d2a6ee69\n",
    "ann:e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4\n",
];

/// `hopen serve` at all its sockets, with and without TLS, or a gateway of the async transport that has
/// them in its place.
struct Process {
    port: u16,
    _gateway: Option<Gateway>,
    serving: Serving,
    _folder: TempDir,
}

impl Process {
    fn start(passwords: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("passwords");
        fs::write(&file, passwords).expect("room");
        let (certificate, key) = (fixture("server.pem"), fixture("server-key.pem"));
        let text = |path: &Path| path.to_str().expect("a path in ASCII").to_owned();
        let serving = Serving::start(&[
            "--passwords",
            &text(&file),
            "--tls-mode",
            "both",
            "--tls-cert",
            &text(&certificate),
            "--tls-key",
            &text(&key),
        ]);
        Self {
            port: serving.port(),
            _gateway: None,
            serving,
            _folder: folder,
        }
    }

    fn behind_a_gateway(self) -> Self {
        let mut listen = ListenOptions::try_from("127.0.0.1:0W").expect("it is one");
        listen.mode = ServerMode::Both;
        let mut settings = Settings::default();
        settings.certificate_file = Some(fixture("server.pem"));
        settings.key_file = Some(fixture("server-key.pem"));
        listen.tls = Some(Server::new(&settings).expect("they belong together"));
        let gateway = Gateway::listening(listen, &self.serving, ":ann:secret");
        Self {
            port: gateway.port,
            _gateway: Some(gateway),
            ..self
        }
    }

    /// Has a library ask for `2+3`, trusting this CA. Returns what it says; `None` where there is no
    /// library.
    fn asked_by(
        &self,
        library: &str,
        socket: &str,
        credentials: &str,
        ca: Option<&str>,
    ) -> Option<String> {
        let mut script = python::script("clients/sockets_client.py")?;
        script.args([library, socket, &self.port.to_string(), credentials]);
        script.env("KX_SSL_VERIFY_SERVER", "YES");
        script.env(
            "KX_SSL_CA_CERT_FILE",
            ca.map_or_else(|| PathBuf::from("no/such/file.pem"), fixture),
        );
        let output = script.output().expect("Python runs");
        let said = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        let reason = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{library}, {socket}: {reason}");
        Some(said)
    }
}

/// A certificate that `hopen-tls` is tested with.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tls/tests/fixtures")
        .join(name)
}

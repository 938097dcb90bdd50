//! KX's own C library, by itself and as PyKX uses it, over each kind of socket that a listener of
//! ours has. Skipped, with a word about it, unless `HOPEN_INTEROP_PYTHON` names a Python that has it;
//! `.ci/run` sets one up.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod python;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use hopen_blocking::{Error, ListenOptions, Listener, Received};
use hopen_codec::config::Config;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_tls::{Server, ServerMode, Settings};

#[test]
fn kx_s_library_connects_by_every_kind_of_socket() {
    for (library, sockets) in LIBRARIES {
        for socket in *sockets {
            let Some(said) = ask(library, socket, "ann:secret", Some("ca.pem")) else {
                return;
            };
            assert_eq!(said, "5", "{library}, {socket}");
        }
    }
}

#[test]
fn a_wrong_password_is_refused_on_every_kind_of_socket() {
    for socket in ["tcp", "unix", "tls", "unixs"] {
        let Some(said) = ask("libe", socket, "ann:wrong", Some("ca.pem")) else {
            return;
        };
        assert_eq!(said, "refused 0", "{socket}");
    }
}

#[test]
fn kx_s_library_refuses_a_server_of_another_ca() {
    for socket in ["tls", "unixs"] {
        for ca in [Some("script-ca.pem"), None] {
            let Some(said) = ask("libe", socket, "ann:secret", ca) else {
                return;
            };
            assert_eq!(said, "refused -1", "{socket}, {ca:?}");
        }
    }
    if let Some(said) = ask("pykx", "tls", "ann:secret", Some("script-ca.pem")) {
        assert_eq!(said, "refused Connection error");
    }
}

/// What PyKX does not do is TLS over a Unix domain socket.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("libe", &["tcp", "unix", "tls", "unixs"]),
    ("pykx", &["tcp", "unix", "tls"]),
];

/// Has a library ask a server for `2+3`, trusting this CA. Returns what it says; `None` where there
/// is no library.
fn ask(library: &str, socket: &str, credentials: &str, ca: Option<&str>) -> Option<String> {
    let mut script = python::script("clients/sockets_client.py")?;
    let port = serve();
    script.args([library, socket, &port.to_string(), credentials]);
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

/// Takes one client at all sockets of a port, and answers what it asks until it goes.
fn serve() -> u16 {
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixture("server.pem"));
    settings.key_file = Some(fixture("server-key.pem"));
    let mut options = ListenOptions::try_from("127.0.0.1:0W").expect("an address");
    options.mode = ServerMode::Both;
    options.tls = Some(Server::new(&settings).expect("they belong together"));
    let listener = Listener::bind(options).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let channel = listener.accept()?;
        let login = channel.receive_login(Config::server(), Some(PATIENCE))?;
        let password = login.credentials().password().map(|secret| secret.expose());
        if login.credentials().user() != b"ann" || password != Some(b"secret") {
            login.refuse();
            return Ok(());
        }
        let mut handle = login.accept()?;
        loop {
            if let Received::Request(ticket, question) = handle.receive()? {
                let answer = match question.to::<&[u8]>() {
                    Ok(b"2+3") => Ok(Value::from(5_i64)),
                    _ => Err(RemoteError::new("nyi").expect("no NUL")),
                };
                handle.respond(ticket, answer)?;
            }
        }
        #[expect(unreachable_code, reason = "it says what the errors are")]
        Ok::<(), Error>(())
    });
    port
}

/// A certificate that `hopen-tls` is tested with.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tls/tests/fixtures")
        .join(name)
}

const PATIENCE: Duration = Duration::from_secs(60);

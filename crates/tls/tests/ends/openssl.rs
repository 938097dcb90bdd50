//! Both ends against OpenSSL's, which is what q uses. Skipped where there is no `openssl` of
//! version 3.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::support::{Authority, Failed, Files, Identity, connect, expired, fixture, self_signed};
use hopen_tls::{
    CertificateFault, Client, PeerCertificate, Protocol, Server, Settings, TlsError, VerifyClient,
    VerifyServer,
};
use rustls::{Error, Stream};

#[test]
fn our_client_says_of_openssls_server_what_it_says_of_ours() {
    if is_not("OpenSSL 3.") {
        return;
    }
    let ca = Authority::new(|_| {});
    let own = self_signed(|_| {});
    let v1_ca = fixture("ca.pem");
    let v1 = |name: &str| Identity::fixture(name);
    use VerifyServer::{Chain, Full, Off};
    let cases: Vec<(Identity, &str, VerifyServer, Option<CertificateFault>)> = vec![
        (ca.issue(|_| {}), &ca.certificate, Full, None),
        (ca.issue(|_| {}), &ca.certificate, Chain, None),
        (
            ca.issue(expired),
            &ca.certificate,
            Chain,
            Some(CertificateFault::Expired),
        ),
        (ca.issue(expired), &ca.certificate, Off, None),
        (
            ca.issue(|_| {}),
            &v1_ca,
            Chain,
            Some(CertificateFault::UnknownIssuer),
        ),
        (Identity { ..own }, "", Full, None),
        (v1("server"), &v1_ca, Chain, None),
        (v1("server"), &v1_ca, Full, Some(CertificateFault::NoName)),
        (
            v1("server"),
            &ca.certificate,
            Chain,
            Some(CertificateFault::UnknownIssuer),
        ),
        (v1("server"), &ca.certificate, Off, None),
        (v1("self-signed-v1"), "", Chain, None),
        (
            v1("self-signed-v1"),
            &v1_ca,
            Chain,
            Some(CertificateFault::UnknownIssuer),
        ),
        (
            v1("server-sha1"),
            &v1_ca,
            Chain,
            Some(CertificateFault::Algorithm),
        ),
        (
            v1("server-md5"),
            &v1_ca,
            Chain,
            Some(CertificateFault::Algorithm),
        ),
        (
            v1("server-rsa1024"),
            &v1_ca,
            Chain,
            Some(CertificateFault::BadSignature),
        ),
        (
            v1("server-rsa1024"),
            &v1_ca,
            Off,
            Some(CertificateFault::BadSignature),
        ),
    ];
    for (shown, ca, verify, expected) in cases {
        let ca = if ca.is_empty() {
            shown.certificate.clone()
        } else {
            ca.to_owned()
        };
        for protocol in [Protocol::Tls12, Protocol::Tls13] {
            let files = Files::new();
            let mut settings = files.settings(None, Some(&ca));
            settings.verify_server = verify;
            let client = Client::new(&settings).unwrap();
            let served = OpensslServer::start(&shown, protocol, &[]);
            let found = served.talk(&client);
            match (found, &expected) {
                (Ok(_), None) => {}
                (Err(TlsError::Certificate(found)), Some(expected)) if found == *expected => {}
                (found, _) => panic!("{verify:?} {protocol:?}: {found:?} and not {expected:?}"),
            }
        }
    }
}

#[test]
fn our_client_shows_its_certificate_to_openssls_server() {
    if is_not("OpenSSL 3.") {
        return;
    }
    let files = Files::new();
    let ca = fixture("ca.pem");
    let ca_file = files.write("client-ca.pem", &ca);
    for (identity, accepted) in [
        (Some(Identity::fixture("client")), true),
        (Some(Identity::fixture("self-signed-v1")), false),
        (None, false),
    ] {
        for protocol in [Protocol::Tls12, Protocol::Tls13] {
            let mut settings = files.settings(identity.as_ref(), Some(&ca));
            settings.verify_server = VerifyServer::Chain;
            let client = Client::new(&settings).unwrap();
            let asking = [
                "-Verify",
                "1",
                "-verify_return_error",
                "-CAfile",
                text(&ca_file),
            ];
            let served = OpensslServer::start(&Identity::fixture("server"), protocol, &asking);
            let found = served.talk(&client);
            assert_eq!(found.is_ok(), accepted, "{protocol:?}: {found:?}");
        }
    }
}

#[test]
fn openssls_client_is_served_from_tls_1_2_on() {
    if is_not("OpenSSL 3.") {
        return;
    }
    let files = Files::new();
    let ca_file = files.write("ca.pem", &fixture("ca.pem"));
    let settings = files.settings(Some(&Identity::fixture("server")), None);
    let server = Server::new(&settings).unwrap();
    let verify = ["-verify_return_error", "-CAfile", text(&ca_file)];
    for version in ["-tls1_2", "-tls1_3"] {
        // The last as KX's library names an address.
        for name in [
            &["-noservername"][..],
            &["-servername", "localhost"],
            &["-servername", "127.0.0.1"],
        ] {
            let options = [&[version], name, &verify].concat();
            assert_eq!(serve(&server, &options).unwrap(), None, "{options:?}");
        }
    }
    for version in ["-tls1", "-tls1_1"] {
        let options = [&[version, "-cipher", "ALL:@SECLEVEL=0"], &verify[..]].concat();
        let error = serve(&server, &options).unwrap_err();
        assert!(
            matches!(error, TlsError::Rustls(Error::PeerIncompatible(_))),
            "{version}: {error:?}"
        );
    }
}

#[test]
fn openssls_client_is_asked_as_the_server_is_told() {
    if is_not("OpenSSL 3.") {
        return;
    }
    let files = Files::new();
    let good = Identity::fixture("client");
    let bad = Identity::fixture("self-signed-v1");
    let good = [
        files.write("good.pem", &good.certificate),
        files.write("good-key.pem", &good.key),
    ];
    let bad = [
        files.write("bad.pem", &bad.certificate),
        files.write("bad-key.pem", &bad.key),
    ];
    for (verify, [nothing, shown, wrong]) in [
        (VerifyClient::No, [Some(None), Some(None), Some(None)]),
        (VerifyClient::Required, [None, Some(Some(true)), None]),
        (
            VerifyClient::IfPresent,
            [Some(None), Some(Some(true)), None],
        ),
        (
            VerifyClient::RequestOnly,
            [Some(None), Some(Some(true)), Some(Some(false))],
        ),
    ] {
        let mut settings =
            files.settings(Some(&Identity::fixture("server")), Some(&fixture("ca.pem")));
        settings.verify_client = verify;
        let server = Server::new(&settings).unwrap();
        for (files, expected) in [(None, nothing), (Some(&good), shown), (Some(&bad), wrong)] {
            for version in ["-tls1_2", "-tls1_3"] {
                let mut options = vec![version];
                if let Some([certificate, key]) = files {
                    options.extend(["-cert", text(certificate), "-key", text(key)]);
                }
                let found = serve(&server, &options).ok();
                let found = found.map(|shown| shown.map(|shown| shown.verified.is_ok()));
                assert_eq!(found, expected, "{verify:?} {options:?}");
            }
        }
    }
}

/// The commands of KX's page in another folder. Later versions of OpenSSL make other certificates.
#[test]
fn what_kx_s_script_makes_is_good_by_its_chain_if_the_ca_is_one() {
    if is_not("OpenSSL 3.0.") {
        return;
    }
    for (section, fault) in [
        ("v3_ca", None),
        ("usr_cert", Some(CertificateFault::IssuerIsNoCa)),
    ] {
        let files = Files::new();
        let subject = "/C=US/ST=New York/L=Brooklyn/O=Example Brooklyn Company";
        let script = format!(
            "set -e
            openssl genrsa 2048 > ca-key.pem
            openssl req -new -x509 -nodes -days 3600 -key ca-key.pem -out ca.pem \
                -extensions {section} -subj '{subject}/CN=examplebrooklyn.com'
            openssl req -newkey rsa:2048 -days 3600 -nodes -keyout server-key.pem \
                -out server-req.pem -extensions usr_cert -subj '{subject}/CN=myname.com'
            openssl rsa -in server-key.pem -out server-key.pem
            openssl x509 -req -in server-req.pem -days 3600 -CA ca.pem -CAkey ca-key.pem \
                -set_serial 01 -out server-crt.pem -extensions usr_cert"
        );
        let configuration =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openssl.cnf");
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(files.path())
            .env("OPENSSL_CONF", configuration)
            .env("WORK", files.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut settings = Settings::default();
        settings.certificate_file = Some(files.path().join("server-crt.pem"));
        settings.key_file = Some(files.path().join("server-key.pem"));
        let server = Server::new(&settings).unwrap();
        settings.ca_file = Some(files.path().join("ca.pem"));
        settings.verify_server = VerifyServer::Chain;
        let client = Client::new(&settings).unwrap();
        match (connect(&client, &server, "localhost"), fault) {
            (Ok(_), None) => {}
            (Err(Failed::Client(TlsError::Certificate(found))), Some(fault)) => {
                assert_eq!(found, fault);
            }
            (Ok(_), Some(fault)) => panic!("taken in, and not {fault}"),
            (Err(failed), _) => panic!("{failed:?}"),
        }
    }
}

/// How long OpenSSL may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Says on standard error why a test is skipped where there is not this version of OpenSSL.
fn is_not(wanted: &str) -> bool {
    let version = Command::new("openssl").arg("version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match version {
        Ok(version) if version.starts_with(wanted) => return false,
        Ok(version) => tell(&format!("skipped: openssl is {version:?}, not {wanted}\n")),
        Err(error) => tell(&format!("skipped: openssl: {error}\n")),
    }
    true
}

/// Writes to standard error itself, which the test runner does not keep to itself.
fn tell(text: &str) {
    io::stderr()
        .write_all(text.as_bytes())
        .expect("somebody listens");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

/// `openssl s_server`, which sends each line back reversed. It ends when this is dropped.
struct OpensslServer {
    process: Child,
    port: u16,
    _files: Files,
}

impl OpensslServer {
    fn start(shown: &Identity, protocol: Protocol, options: &[&str]) -> Self {
        let files = Files::new();
        let certificate = files.write("shown.pem", &shown.certificate);
        let key = files.write("shown-key.pem", &shown.key);
        let version = if protocol == Protocol::Tls12 {
            "-tls1_2"
        } else {
            "-tls1_3"
        };
        let mut process = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-rev", version])
            .args(["-cert", text(&certificate), "-key", text(&key)])
            // Of the security levels the lowest, which lets it show anything.
            .args(["-cipher", "ALL:@SECLEVEL=0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is there");
        let lines = lines(BufReader::new(process.stdout.take().expect("it is piped")));
        let port = loop {
            let line = lines
                .recv_timeout(PATIENCE)
                .expect("it says where it listens");
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                let (_, port) = address.rsplit_once(':').expect("it is an address");
                break port.parse().expect("it is a port");
            }
        };
        Self {
            process,
            port,
            _files: files,
        }
    }

    /// Shakes hands, sends a line and takes it back.
    fn talk(&self, client: &Client) -> Result<(), TlsError> {
        let mut connection = client.connect("localhost")?;
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("it is not zero");
        let mut stream = Stream::new(&mut connection, &mut socket);
        stream.write_all(b"til 5\n").map_err(tls_error)?;
        let mut line = [0; 6];
        stream.read_exact(&mut line).map_err(tls_error)?;
        assert_eq!(&line, b"5 lit\n");
        Ok(())
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        // It may have ended itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Lets `openssl s_client` connect, and returns what it has shown.
fn serve(server: &Server, options: &[&str]) -> Result<Option<PeerCertificate>, TlsError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
    let port = listener.local_addr().expect("it is bound").port();
    let server = server.clone();
    let (sender, result) = mpsc::channel();
    thread::spawn(move || {
        // The test may have given up.
        let _ = sender.send(serve_one(&server, &listener));
    });
    let mut process = Command::new("openssl")
        .args([
            "s_client",
            "-connect",
            &format!("127.0.0.1:{port}"),
            "-quiet",
        ])
        .args(options)
        .stdin(Stdio::piped()) // open until it has read
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is there");
    let lines = lines(BufReader::new(process.stdout.take().expect("it is piped")));
    let result = result.recv_timeout(PATIENCE).expect("it connects");
    let line = lines.recv_timeout(PATIENCE).ok();
    // It may have ended itself.
    let _ = process.kill();
    let _ = process.wait();
    assert_eq!(line.as_deref(), result.is_ok().then_some("hello"));
    result
}

fn serve_one(server: &Server, listener: &TcpListener) -> Result<Option<PeerCertificate>, TlsError> {
    let mut connection = server.accept()?;
    let (mut socket, _) = listener.accept().expect("somebody connects");
    socket
        .set_read_timeout(Some(PATIENCE))
        .expect("it is not zero");
    connection.complete_io(&mut socket).map_err(tls_error)?;
    let shown = server
        .session(&connection)
        .expect("the handshake is over")
        .certificate;
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream.write_all(b"hello\n").map_err(tls_error)?;
    connection.send_close_notify();
    connection.complete_io(&mut socket).map_err(tls_error)?;
    Ok(shown)
}

/// What rustls said, where it speaks through std.
fn tls_error(error: io::Error) -> TlsError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    inner
        .cloned()
        .unwrap_or_else(|| Error::General(error.to_string()))
        .into()
}

/// Reads lines in a thread, so that a test waits no longer than it will.
fn lines(reader: impl BufRead + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

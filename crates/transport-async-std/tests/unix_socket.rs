//! Handles over the Unix domain socket beside a port, plain and by TLS.
#![cfg(unix)]

use std::path::Path;
use std::thread;
use std::time::Duration;

use hopen_async_std::{Error, Options, hopen};
use hopen_blocking::{ListenOptions, Listener, Received};
use hopen_codec::config::Config;
use hopen_codec::value::Value;
use hopen_tls::{Client, Server, ServerMode, Settings, VerifyServer};

#[test]
fn a_process_is_reached_by_its_socket() {
    let (port, server) = serve_two();
    smol::block_on(async {
        let mut handle = hopen(format!(":unix://{port}:ann")).await.unwrap();
        assert_eq!(handle.get("plain").await.unwrap(), Value::from("plain"));
        assert_eq!((handle.peer_addr(), handle.tls().is_none()), (None, true));
        handle.close();

        let encrypted = format!(":unixs://{port}:ann");
        let mut options = Options::try_from(encrypted).unwrap();
        let mut settings = Settings::default();
        settings.ca_file = Some(fixture("ca.pem"));
        // The certificate names nobody.
        settings.verify_server = VerifyServer::Chain;
        options.tls = Some(Client::new(&settings).unwrap());
        let mut handle = hopen(options).await.unwrap();
        let encrypted = Value::from("encrypted");
        assert_eq!(handle.get(encrypted.clone()).await.unwrap(), encrypted);
        assert!(handle.tls().is_some());
        handle.close();
    });
    server.join().unwrap();
    // Nobody listens any more.
    let gone = smol::block_on(hopen((format!(":unix://{port}"), PATIENCE))).unwrap_err();
    assert!(matches!(gone, Error::Hop { .. }), "{gone}");
    assert_eq!(gone.to_string(), "hop. OS reports: Connection refused");
}

/// Starts a process that echoes what two clients ask, one after the other. Returns its port.
fn serve_two() -> (u16, thread::JoinHandle<()>) {
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixture("server.pem"));
    settings.key_file = Some(fixture("server-key.pem"));
    let mut options = ListenOptions::try_from("localhost:0W").expect("an address");
    options.mode = ServerMode::Both;
    options.tls = Some(Server::new(&settings).expect("they belong together"));
    let listener = Listener::bind(options).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let channel = listener.accept().expect("a client");
            let login = channel.receive_login(Config::server(), Some(PATIENCE));
            let login = login.expect("a login");
            assert_eq!(login.credentials().user(), b"ann");
            let mut handle = login.accept().expect("it waits");
            loop {
                match handle.receive() {
                    Ok(Received::Request(ticket, question)) => {
                        handle.respond(ticket, Ok(question)).expect("it reads");
                    }
                    Err(Error::Closed) => break,
                    other => panic!("{other:?}"),
                }
            }
        }
    });
    (port, server)
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tls/tests/fixtures")
        .join(name)
}

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(60);

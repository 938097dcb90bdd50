//! Every error that can be made, provoked with a password that is marked, which none of them shows, and
//! every form for a debugger. The async transport has the same tests.

use core::ops::ControlFlow;
use core::time::Duration;
use std::collections::BTreeSet;
use std::error::Error as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use bytes::Buf;

use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::tick::Topic;
use hopen_codec::value::{Symbol, Value};
use hopen_tls::{Client, Server, ServerMode, Settings, VerifyServer};

use crate::wait::Wait as _;
use crate::{
    Error, ListenOptions, Listener, Options, Subscriber, SubscriberOptions, hopen, one_shot,
    open_any, open_file, open_pipe,
};

#[test]
fn no_error_shows_a_password() {
    let mut seen = BTreeSet::new();
    let all = [of_texts(), of_opening(), of_tls(), of_a_server(), of_use()];
    for error in all.into_iter().flatten() {
        seen.insert(error.kind());
        let mut shown = format!("{error} {error:?} {}", error.phase());
        let mut source = error.source();
        while let Some(error) = source {
            shown.push_str(&format!(" {error} {error:?}"));
            source = error.source();
        }
        assert!(!shown.contains(MARKED), "{shown}");
    }
    let missing: Vec<_> = (0..Error::KINDS)
        .filter(|kind| !seen.contains(kind))
        .collect();
    assert!(
        missing.is_empty(),
        "{missing:?} of the errors of hopen_transport"
    );
}

#[test]
fn no_form_for_a_debugger_shows_a_password() {
    let listener = Listener::bind("127.0.0.1:0W").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = thread::spawn(move || hopen(options(port)).wait().unwrap());
    let channel = listener.accept().wait().unwrap();
    let mut shown = format!("{:?} {listener:?} {channel:?}", options(port));
    let login = channel.receive_login(Config::server(), Some(PATIENCE));
    let login = login.wait().unwrap();
    let expected = Credentials::new("ann", MARKED).unwrap();
    assert_eq!(login.credentials(), &expected);
    shown.push_str(&format!("{login:?}"));
    let server = login.accept().wait().unwrap();
    let mut client = client.join().unwrap();
    // What waits to go out is not shown either.
    client.set(MARKED).wait().unwrap();
    shown.push_str(&format!("{server:?} {client:?}"));
    let (shared, driver) = client.into_shared();
    shown.push_str(&format!("{shared:?} {driver:?}"));
    let topics = [Topic::table(Symbol::new("trade").unwrap())];
    let told = SubscriberOptions::new(options(port), topics).unwrap();
    shown.push_str(&format!("{told:?} {:?}", Subscriber::new(told.clone())));
    assert!(!shown.contains(MARKED), "{shown}");
}

/// Handles that are none, and what to listen on that is none.
fn of_texts() -> Vec<Error> {
    let handles = [
        "h:1:ann:{}",
        "::h:1:ann:{}",
        ":h:x:ann:{}",
        ":h:0:ann:{}",
        ":ann:{}@h:1",
        ":ann:{}",
        ":a b:1:ann:{}",
        ":[h]:1:ann:{}",
        ":tcps://h:ann:{}",
        ":tcps://ann:{}@h:1",
        ":unix://h:1:ann:{}",
        ":unixs:///tmp/kx.1:ann:{}",
        ":x://h:1:ann:{}",
        ":h:1:a\0b:{}",
        ":h:1:ann:{}\0",
        ":a/b:{}",
        "(:h:1:ann:{};x)",
        "(`:h:1:ann:{}",
        "h:1:ann:{}",
        "5010:ann:{}",
    ];
    let listens = [":h:1:ann:{}", "h:1:ann:{}", "rp,h:1:ann:{}", "::1:ann:{}"];
    let opened = handles
        .into_iter()
        .map(|text| hopen(marked(text)).wait().map(drop));
    let bound = listens
        .into_iter()
        .map(|text| Listener::bind(marked(text).as_str()).map(drop));
    let others = [
        open_file(marked(":h:1:ann:{}")).wait().map(drop),
        open_pipe(marked(":tcps://h:1:ann:{}")).wait().map(drop),
        open_pipe(marked("(`:fifo://p:{};1)")).wait().map(drop),
        open_any(marked(":ann:{}@h:1")).wait().map(drop),
        open_pipe(":fifo:///no/such/pipe").wait().map(drop),
        open_file(":/dev/null/file").wait().map(drop),
    ];
    let all = opened.chain(bound).chain(others);
    all.map(Result::unwrap_err).collect()
}

/// What keeps a plain handle from being opened.
fn of_opening() -> Vec<Error> {
    let mut too_long = options(closed_port());
    too_long.config.limits.login = 5;
    let (port, _server) = serve(|mut stream| {
        stream.read_exact(&mut [0; LOGIN]).unwrap();
    });
    let (accepts, _too_long_server) = serve(|_| {});
    too_long.address = address(accepts);
    let (silent, _silent) = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let mut slow = options(silent);
    slow.timeout = Some(BRIEF);
    let failing = options(1).credentials_from(|| Err("no ticket".into()));
    let nowhere = "255.255.255.255:1";
    let mut everything = Vec::new();
    everything.extend([
        hopen(options(closed_port())).wait().unwrap_err(),
        hopen(marked(":no such host.invalid:1:ann:{}"))
            .wait()
            .unwrap_err(),
        hopen(marked(":no-such-host.invalid:1:ann:{}"))
            .wait()
            .unwrap_err(),
        hopen(marked(&format!(":{nowhere}:ann:{{}}")))
            .wait()
            .unwrap_err(),
        hopen(marked(":unix://1:ann:{}")).wait().unwrap_err(),
        hopen(options(port)).wait().unwrap_err(),
        hopen(too_long).wait().unwrap_err(),
        hopen(slow).wait().unwrap_err(),
        hopen(failing).wait().unwrap_err(),
    ]);
    everything
}

/// What keeps a handle from being opened by TLS.
fn of_tls() -> Vec<Error> {
    let mut everything = Vec::new();
    // Nothing to trust: before anything is connected to.
    let mut settings = Settings::default();
    settings.ca_file = Some("no/such/file.pem".into());
    everything.push(Error::tls(Client::new(&settings).unwrap_err()));

    let trusting = |verify, ca: Option<&str>| {
        let mut settings = Settings::default();
        settings.verify_server = verify;
        settings.ca_file = ca.map(fixture);
        Client::new(&settings).unwrap()
    };
    let clients = [
        // Another CA; the right one, and no name in the certificate.
        trusting(VerifyServer::Chain, Some("script-ca.pem")),
        trusting(VerifyServer::Full, Some("ca.pem")),
    ];
    // A host that no certificate can be for.
    let mut options_of_zone = Options::try_from(marked(":tcps://[fe80::1%lo]:1:ann:{}")).unwrap();
    options_of_zone.tls = Some(trusting(VerifyServer::Off, None));
    options_of_zone.timeout = Some(PATIENCE);
    everything.push(hopen(options_of_zone).wait().unwrap_err());
    let listener = tls_listener(ServerMode::Tls);
    let port = listener.local_addr().unwrap().port();
    let refusing = thread::spawn(move || {
        [(); 3].map(|()| {
            let channel = listener.accept().wait().unwrap();
            let login = channel.receive_login(Config::server(), Some(PATIENCE));
            login.wait().unwrap_err()
        })
    });
    for client in clients {
        let text = format!(":tcps://localhost:{port}:ann:{{}}");
        let mut options = Options::try_from(marked(&text)).unwrap();
        options.tls = Some(client);
        everything.push(hopen(options).wait().unwrap_err());
    }
    // A plain login to a port for TLS alone, which closes, and one that speaks no TLS.
    everything.push(hopen(options(port)).wait().unwrap_err());
    everything.extend(refusing.join().unwrap());
    let (plain, _server) = serve(|mut stream| {
        stream.write_all(b"\x06 this is no TLS").unwrap();
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let (silent, _silent) = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    for (port, timeout) in [(plain, PATIENCE), (silent, BRIEF)] {
        let text = format!(":tcps://127.0.0.1:{port}:ann:{{}}");
        let mut options = Options::try_from(marked(&text)).unwrap();
        options.tls = Some(trusting(VerifyServer::Off, None));
        options.timeout = Some(timeout);
        everything.push(hopen(options).wait().unwrap_err());
    }
    everything
}

/// What a server says of a login, and of a port.
fn of_a_server() -> Vec<Error> {
    let mut everything = Vec::new();
    let listener = Listener::bind("127.0.0.1:0W").unwrap();
    let address = listener.local_addr().unwrap();
    everything.push(Listener::bind(address.to_string().as_str()).unwrap_err());
    let login = marked("ann:{}");
    let long = [login.as_bytes(), &[b'x'; 100_000]].concat();
    for (sent, timeout) in [
        (login.as_bytes(), PATIENCE),
        (&long, PATIENCE),
        (&[b"\x16", login.as_bytes()].concat(), PATIENCE),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(sent).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let channel = listener.accept().wait().unwrap();
        let login = channel.receive_login(Config::server(), Some(timeout));
        everything.push(login.wait().unwrap_err());
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(login.as_bytes()).unwrap();
    let channel = listener.accept().wait().unwrap();
    let login = channel.receive_login(Config::server(), Some(BRIEF));
    everything.push(login.wait().unwrap_err());
    everything
}

/// What goes wrong with an open handle. What was sent and received is marked as well.
fn of_use() -> Vec<Error> {
    let text = marked("{}");
    let response = |value: Value| message(MessageKind::Response, Body::encode(&value).unwrap());
    let note = message(
        MessageKind::Async,
        Body::encode(&text.as_str().into()).unwrap(),
    );
    let signal = RemoteError::new("type").unwrap();
    let mut everything = Vec::new();

    let answering = |bytes: Vec<u8>| {
        let (port, _) = serve(move |mut stream| {
            let question = b"\x01\x01\0\0\x0f\0\0\0\x0a\0\x01\0\0\0?";
            stream.read_exact(&mut [0; LOGIN]).unwrap();
            stream.write_all(b"\x06").unwrap();
            drop(stream.read_exact(&mut vec![0; question.len()]));
            stream.write_all(&bytes).unwrap();
            drop(stream.read_to_end(&mut Vec::new()));
        });
        options(port)
    };
    let ask = |options: Options| hopen(options).wait().unwrap().get("?").wait().unwrap_err();
    everything.push(ask(answering(message(
        MessageKind::Response,
        Body::error(&signal),
    ))));
    everything.push(ask(answering(b"\x01\x02\0\0\x0a\0\0\0\x03\0".to_vec())));
    everything.push(ask(answering(b"\x01\x07\0\0\x0a\0\0\0\x03\0".to_vec())));
    let mut keeping = answering(note.repeat(3));
    keeping.config.limits.kept_asyncs = 0;
    everything.push(ask(keeping));
    everything.push(one_shot(answering(note.clone()), "?").wait().unwrap_err());
    let topics = [Topic::table(Symbol::new(MARKED).unwrap())];
    let mut told =
        SubscriberOptions::new(answering(response(text.as_str().into())), topics).unwrap();
    told.refusals = 1;
    let mut refused = Subscriber::new(told);
    while let Some(event) = refused.next_timeout(PATIENCE).wait() {
        everything.extend(event.err());
    }

    let mut watched = hopen(answering(b"\x01\x02\0\xff\0\0\0\0".to_vec()))
        .wait()
        .unwrap();
    watched.watch(|_| ControlFlow::Break(()));
    everything.push(watched.get("?").wait().unwrap_err());
    let mut late = hopen(answering(Vec::new())).wait().unwrap();
    everything.push(late.get_timeout(text.as_str(), BRIEF).wait().unwrap_err());
    everything.push(late.get_timeout(text.as_str(), BRIEF).wait().unwrap_err());
    everything.push(late.recv_timeout(BRIEF).wait().unwrap_err());

    let mut old = hopen(answering(response(Value::IDENTITY))).wait().unwrap();
    let mut queue = options(answering(Vec::new()).address.endpoint.port());
    queue.config.limits.queue = 1;
    let mut full = hopen(queue).wait().unwrap();
    full.try_set(text.repeat(2_000_000).as_str()).unwrap();
    everything.push(full.try_set(text.as_str()).unwrap_err());
    everything.push(full.finish(BRIEF).wait().unwrap_err());
    old.get("?").wait().unwrap();
    everything.push(of_reset());

    let (port, _) = serve(|mut stream| {
        stream.read_exact(&mut [0; LOGIN]).unwrap();
        // Capability 0: no guids.
        stream.write_all(&[0]).unwrap();
    });
    let mut ancient = hopen(options(port)).wait().unwrap();
    let guid = hopen_codec::value::Guid::default();
    everything.push(ancient.get((text.as_str(), guid)).wait().unwrap_err());
    everything.push(ancient.recv().wait().unwrap_err());
    let (shared, _driver) = ancient.into_shared();
    shared.close();
    everything.push(shared.get(text.as_str()).wait().unwrap_err());
    everything
}

/// Waits at a connection that is reset.
fn of_reset() -> Error {
    let (port, _) = serve(|mut stream| {
        stream.read_exact(&mut [0; LOGIN]).unwrap();
        stream.write_all(&[6]).unwrap();
        // What came behind the login is unread when it is closed.
        stream.read_exact(&mut [0]).unwrap();
    });
    let mut handle = hopen(options(port)).wait().unwrap();
    handle.set(marked("{}").as_str()).wait().unwrap();
    handle.recv().wait().unwrap_err()
}

fn serve(script: impl FnOnce(TcpStream) + Send + 'static) -> (u16, thread::JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || script(listener.accept().unwrap().0));
    (port, thread)
}

fn tls_listener(mode: ServerMode) -> Listener {
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixture("server.pem"));
    settings.key_file = Some(fixture("server-key.pem"));
    let mut options = ListenOptions::try_from("localhost:0W").unwrap();
    options.mode = mode;
    options.tls = Some(Server::new(&settings).unwrap());
    Listener::bind(options).unwrap()
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tls/tests/fixtures")
        .join(name)
}

fn message(kind: MessageKind, body: Body) -> Vec<u8> {
    let mut outbox = Outbox::default();
    Message::new(kind, body).write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).to_vec()
}

fn options(port: u16) -> Options {
    Options::new(address(port))
}

fn address(port: u16) -> hopen_codec::address::Address {
    marked(&format!(":127.0.0.1:{port}:ann:{{}}"))
        .parse()
        .unwrap()
}

/// Ports below 1024 are given out to nobody who asks for any, and nobody serves this one.
const fn closed_port() -> u16 {
    1
}

fn marked(text: &str) -> String {
    text.replace("{}", MARKED)
}

const MARKED: &str = "MARKEDpassword";

/// The length of `ann:MARKEDpassword`, a capability and a NUL.
const LOGIN: usize = 4 + MARKED.len() + 2;

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(60);

/// A time that passes.
const BRIEF: Duration = Duration::from_millis(10);

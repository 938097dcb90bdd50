//! KX's page of [hopen and hclose](https://code.kx.com/q/ref/hopen/), form by form and sentence by
//! sentence, in its order. Where the page names a host of its own, `localhost` stands here; where it
//! has a number of a port, one that is free. `README.md` has the table.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Buf;
use hopen_blocking::{
    Error, Handle, ListenOptions, Listener, Login, Opened, Options, Phase, Received, hopen,
    one_shot, open_any, open_file,
};
use hopen_codec::address::{AddressError, HopenArgument};
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::{Config, Limits};
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::{Function, Symbol, Value};
use hopen_tls::{Client, Server, ServerMode, Settings, VerifyServer};

#[test]
fn hopen_takes_a_handle_as_symbol_or_string_with_or_without_a_time_out_and_a_port() {
    let port = serve();
    let address = format!(":localhost:{port}");
    let symbol = Symbol::new(&address).unwrap();
    let argument = |value: Value| HopenArgument::try_from(value.as_ref()).unwrap();
    for options in [
        Options::try_from(argument(symbol.clone().into())),
        Options::try_from(argument(address.as_str().into())),
        Options::try_from(argument((symbol, 10_000_i64).into())),
        Options::try_from(argument((address.as_str(), 10_000_i64).into())),
        Options::try_from(argument(i64::from(port).into())),
        // The same as a Rust program writes them.
        Options::try_from(format!("`{address}")),
        Options::try_from(address.as_str()),
        Options::try_from(format!("(`{address};10000)")),
        Ok(Options::from(port)),
    ] {
        assert_two_and_two(hopen(options.unwrap()).unwrap());
    }
    assert_two_and_two(hopen((address.as_str(), PATIENCE)).unwrap());
}

#[test]
fn hopen_itself_travels_as_a_lambda() {
    let lambda = Value::from(Function::lambda("{hopen x}"));
    let mut outbox = Outbox::default();
    Message::new(MessageKind::Sync, Body::encode(&lambda).unwrap()).write(&mut outbox);
    let body = b"\x64\0\x0a\0\x09\0\0\0{hopen x}";
    assert_eq!(outbox.chunk()[8..], body[..]);
    let read = Body::from_bytes(body[..].into(), ByteOrder::Little);
    assert_eq!(read.decode(&Limits::client()), Ok(Ok(lambda)));
}

#[test]
fn hopen_of_what_the_page_lists_is_read_as_there() {
    for (text, kind) in [
        (":path/to/file.txt", "a file"),
        ("`:unix://5010", "a process"),
        ("(\":10.43.23.198:5010\";10000)", "a process"),
        ("5010", "a process"),
        ("`:mysymbol", "a file"),
        (":mycharvector", "a file"),
        ("`:localhost:5000", "a process"),
        (":localhost:5000", "a process"),
        ("(`:localhost:5000;1000)", "a process"),
        ("(\":localhost:5000\";1000)", "a process"),
        ("`::5001", "a process"),
        (":f.dat", "a file"),
        (":c:/q/test.txt", "a file"),
        ("`:fifo://filename", "a pipe"),
        ("`:10.43.23.198:5010", "a process"),
        (":mydb.us.com:5010", "a process"),
        ("`:tcps://mydb.us.com:5010", "a process"),
        ("(`:mydb.us.com:5010:elmo:sesame;10000)", "a process"),
    ] {
        let argument: HopenArgument = text.parse().unwrap();
        assert_eq!(argument.target.kind().to_string(), kind, "{text}");
    }
}

#[test]
fn hclose_destroys_the_handle() {
    let (handle, driver) = hopen(serve()).unwrap().into_shared();
    let driver = thread::spawn(move || driver.run());
    let other = handle.clone();
    assert_eq!(handle.get("til 5").unwrap().to_string(), "0 1 2 3 4");
    handle.close();
    // What cannot be written in Rust of a handle that is closed can of a clone of it.
    let error = other.get("til 5").unwrap_err();
    assert_eq!(error.to_string(), "Bad file descriptor");
    driver.join().unwrap().unwrap();
}

#[test]
fn hclose_does_not_send_what_waits_and_a_flush_before_it_does() {
    let port = serve();
    let mut handle = hopen(port).unwrap();
    handle.set("a:1").unwrap();
    assert!(handle.close() > 0);
    let mut handle = hopen(port).unwrap();
    assert_eq!(handle.get("a").unwrap_err().to_string(), "a");
    handle.set("a:2").unwrap();
    handle.flush().unwrap();
    assert_eq!(handle.close(), 0);
    // It may still be on its way to the process.
    let mut handle = hopen(port).unwrap();
    while handle.get("a").is_err() {}
    assert_eq!(handle.get("a").unwrap(), Value::from(2_i64));
}

#[test]
fn a_file_is_made_with_its_directories_and_appended_to_as_over_ipc() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/directories/f.dat");
    let handle = format!(":{}", path.display());
    let mut data = open_file(&handle).unwrap();
    data.append([0x23, 0x24]).unwrap();
    data.close();
    let mut text = open_file(format!("`{handle}")).unwrap();
    text.append("some text\n").unwrap();
    text.append_lines(["asdf", "qwer"]).unwrap();
    text.close();
    assert_eq!(fs::read(&path).unwrap(), b"#$some text\nasdf\nqwer\n");
}

#[test]
fn a_path_with_a_colon_is_no_file() {
    for text in [":a/b:c", ":data/09:30.log"] {
        let error = open_file(text).unwrap_err();
        assert!(
            matches!(error, Error::Address(AddressError::ColonInPath { .. })),
            "{error}"
        );
    }
}

#[test]
fn a_host_is_a_name_or_an_address_or_this_host() {
    let port = serve();
    for handle in [
        format!(":localhost:{port}"),
        format!(":127.0.0.1:{port}"),
        format!("::{port}"),
        port.to_string(),
    ] {
        assert_two_and_two(hopen(&handle).unwrap());
    }
}

#[cfg(unix)]
#[test]
fn a_unix_domain_socket_is_opened_by_the_port_and_takes_logins() {
    let port = serve();
    assert_two_and_two(hopen(format!(":unix://{port}")).unwrap());
    assert_two_and_two(hopen(format!("`:unix://{port}:elmo:sesame")).unwrap());
    let error = hopen(format!(":unix://{port}:elmo:wrong")).unwrap_err();
    assert!(matches!(error, Error::Access), "{error}");
}

#[test]
fn tls_is_opened_by_host_and_port_and_takes_logins() {
    let port = serve();
    let with_tls = |handle: String| {
        let mut options = Options::try_from(handle).unwrap();
        options.tls = Some(trusting_client());
        options
    };
    assert_two_and_two(hopen(with_tls(format!(":tcps://localhost:{port}"))).unwrap());
    assert_two_and_two(hopen(with_tls(format!(":tcps://:{port}:elmo:sesame"))).unwrap());
    #[cfg(unix)]
    assert_two_and_two(hopen(with_tls(format!(":unixs://{port}:elmo:sesame"))).unwrap());
    let error = hopen(with_tls(format!(":tcps://localhost:{port}:elmo:wrong"))).unwrap_err();
    assert!(matches!(error, Error::Access), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_fifo_is_opened_to_be_read() {
    use rustix::fs::{CWD, Mode, mkfifoat};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let writer = thread::spawn({
        let path = path.clone();
        move || fs::write(path, "quick brown fox")
    });
    let opened = open_any(format!("`:fifo://{}", path.display())).unwrap();
    let Opened::Pipe(mut pipe) = opened else {
        panic!("{opened:?}")
    };
    let mut read = Vec::new();
    loop {
        let piece = pipe.read1().unwrap();
        if piece.is_empty() {
            break;
        }
        read.extend_from_slice(&piece);
    }
    assert_eq!(read, b"quick brown fox");
    writer.join().unwrap().unwrap();
}

#[test]
fn user_and_password_are_required_where_the_server_says_so() {
    let port = serve();
    assert_two_and_two(hopen(format!("(`::{port}:elmo:sesame;10000)")).unwrap());
    for login in ["elmo", "elmo:", "elmo:Sesame", "bert:sesame"] {
        let error = hopen(format!("::{port}:{login}")).unwrap_err();
        assert!(matches!(error, Error::Access), "{login}: {error}");
        assert_eq!(error.to_string(), "access");
        assert_eq!(error.phase(), Phase::Login);
    }
}

#[test]
fn the_time_out_applies_to_the_connection_and_not_to_its_use() {
    let port = serve();
    let brief = Duration::from_millis(200);
    let begun = Instant::now();
    let mut handle = loop {
        // A busy machine may need longer.
        match hopen((port, brief)) {
            Err(Error::Timeout(_)) => {}
            opened => break opened.unwrap(),
        }
    };
    let opened = Instant::now();
    while opened.elapsed() <= brief {
        assert!(begun.elapsed() < PATIENCE);
        assert_eq!(handle.get("2+2").unwrap(), Value::from(4_i64));
    }
    // The time has passed.
    assert_eq!(handle.get("2+2").unwrap(), Value::from(4_i64));

    // A port that nobody accepts at: the system connects, and no login is answered.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = hopen(format!("(`::{port};50)")).unwrap_err();
    assert!(matches!(error, Error::Timeout(Phase::Login)), "{error:?}");
}

#[test]
fn a_message_is_sync_or_async() {
    let mut handle = hopen(serve()).unwrap();
    assert_eq!(handle.get("2+2").unwrap(), Value::from(4_i64));
    handle.set("a:2").unwrap();
    assert_eq!(handle.get("a").unwrap(), Value::from(2_i64));
}

#[test]
fn a_one_shot_connects_asks_and_closes_with_or_without_a_time_out() {
    let port = serve();
    let two = Value::from(2_i64);
    assert_eq!(
        one_shot(format!("`::{port}:elmo:sesame"), "1+1").unwrap(),
        two
    );
    for handle in [
        format!("(\":localhost:{port}:elmo:sesame\";5000)"),
        format!("(`:localhost:{port}:elmo:sesame;5000)"),
    ] {
        assert_eq!(one_shot(handle, "1+1").unwrap(), two);
    }
}

fn assert_two_and_two(mut handle: Handle) {
    assert_eq!(handle.get("2+2").expect("an answer"), Value::from(4_i64));
    assert_eq!(handle.close(), 0);
}

/// Starts a process that lets in elmo with his password, and nobody in particular; at its port, with
/// and without TLS, and at the socket beside it.
fn serve() -> u16 {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tls/tests/fixtures");
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixtures.join("server.pem"));
    settings.key_file = Some(fixtures.join("server-key.pem"));
    let mut options = ListenOptions::try_from("0W").expect("any port");
    options.mode = ServerMode::Both;
    options.tls = Some(Server::new(&settings).expect("they belong together"));
    let listener = Listener::bind(options).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let a = Arc::new(Mutex::new(None));
    thread::spawn(move || {
        loop {
            let channel = listener.accept().expect("a client");
            let a = Arc::clone(&a);
            thread::spawn(move || {
                // One that is refused, or closes, ends its thread.
                let login = channel.receive_login(Config::server(), Some(PATIENCE))?;
                let mut handle = let_in(login)?;
                loop {
                    match handle.receive()? {
                        Received::Request(ticket, question) => {
                            let answer = evaluate(&question, &a);
                            handle.respond(ticket, answer)?;
                        }
                        Received::Async(text) => drop(evaluate(&text, &a)),
                    }
                }
                #[expect(unreachable_code, reason = "it says what the errors are")]
                Ok::<(), Error>(())
            });
        }
    });
    port
}

fn let_in(login: Login) -> Result<Handle, Error> {
    let password = login.credentials().password().map(|secret| secret.expose());
    match (login.credentials().user(), password) {
        (b"", None) | (b"elmo", Some(b"sesame")) => login.accept(),
        _ => {
            login.refuse();
            Err(Error::Access)
        }
    }
}

/// The corner of q that the page needs.
fn evaluate(text: &Value, a: &Mutex<Option<i64>>) -> Result<Value, RemoteError> {
    let mut a = a.lock().expect("nobody panics with it");
    match text.to::<&str>() {
        Ok("1+1") => Ok(2_i64.into()),
        Ok("2+2") => Ok(4_i64.into()),
        Ok("til 5") => Ok(vec![0_i64, 1, 2, 3, 4].into()),
        Ok("a") => a.map(Value::from).ok_or_else(|| signal("a")),
        Ok("a:1") => Ok((*a.insert(1)).into()),
        Ok("a:2") => Ok((*a.insert(2)).into()),
        _ => Err(signal("nyi")),
    }
}

fn signal(text: &'static str) -> RemoteError {
    RemoteError::new(text).expect("no NUL")
}

fn trusting_client() -> Client {
    let mut settings = Settings::default();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tls/tests/fixtures");
    settings.ca_file = Some(fixtures.join("ca.pem"));
    settings.verify_server = VerifyServer::Chain;
    Client::new(&settings).expect("the file is there")
}

const PATIENCE: Duration = Duration::from_secs(60);

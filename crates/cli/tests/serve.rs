//! `hopen serve` and `hopen demo`: the program as a server, and the clients that others wrote.
//!
//! The latter are the scripts in `tests/interop/clients`. They are skipped, with a word about it,
//! unless `HOPEN_INTEROP_PYTHON` names a Python that has the libraries, and `HOPEN_INTEROP_NODE` the
//! modules for Node.js; `.ci/run` sets both up.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod certificates;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod node;
#[cfg(test)]
mod program;
#[cfg(test)]
mod python;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod sockets;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use hopen_blocking::Handle;
use hopen_codec::sym;
use hopen_codec::value::{Date, Symbol, Table, Value};

use gateway::Gateway;
use program::{Outcome, hopen, run};
use serving::Serving;

#[test]
fn pykx_is_understood() {
    understands("pykx_client.py");
}

#[test]
fn kxs_c_library_is_understood() {
    understands("kx_client.py");
}

#[test]
fn aiokdb_is_understood() {
    understands("aiokdb_client.py");
}

#[test]
fn qpython_is_understood() {
    understands("qpython_client.py");
}

#[test]
fn kola_is_understood() {
    understands("kola_client.py");
}

#[test]
fn the_program_is_asked_and_answers() {
    let serving = Serving::start(&[]);
    for (query, printed) in [
        ("2+2", "4\n"),
        ("-2+3", "1\n"),
        ("echo 1", "1\n"),
        ("til 5", "0 1 2 3 4\n"),
        ("(1;`a;\"text\")", "(1;`a;\"text\")\n"),
        ("a:1", ""),
        ("a", "1\n"),
        ("count trade", "6\n"),
    ] {
        let outcome = hopen(&[&serving.handle(""), query], "");
        assert_eq!(outcome, Outcome::success(printed), "{query}");
    }
    for (query, error) in [("1+`a", "'type\n"), ("nosuch", "'nosuch\n")] {
        let outcome = hopen(&[&serving.handle(""), query], "");
        assert_eq!(outcome, Outcome::new(1, "", error), "{query}");
    }
}

#[test]
fn it_listens_on_this_host_and_a_free_port_unless_told_otherwise() {
    let (one, other) = (Serving::start(&[]), Serving::start(&[]));
    for serving in [&one, &other] {
        assert_eq!(serving.address, format!("127.0.0.1:{}", serving.port()));
    }
    assert_ne!(one.port(), other.port());
}

#[test]
fn two_clients_share_one_state() {
    let serving = Serving::start(&[]);
    let (mut one, mut other) = (open(&serving, ""), open(&serving, ""));
    one.set("n:1").unwrap();
    assert_eq!(one.get("n").unwrap(), Value::from(1_i64));
    assert_eq!(other.get("n").unwrap(), Value::from(1_i64));
    assert_eq!(other.get("n:n+1").unwrap(), Value::IDENTITY);
    assert_eq!(one.get("n").unwrap(), Value::from(2_i64));
    one.close();
    assert_eq!(other.get("n").unwrap(), Value::from(2_i64));
}

#[test]
fn what_is_echoed_comes_back_as_it_was() {
    let serving = Serving::start(&[]);
    let mut handle = open(&serving, "");
    for value in [
        Value::IDENTITY,
        vec![1_i64, 2, 3].into(),
        "text".into(),
        Value::from((1.5, sym!("ibm"), "text")),
        vec![7_u8; 1_000_000].into(),
        (0..1_000_000_i64).collect::<Vec<_>>().into(),
    ] {
        // Compared without assert_eq!, which would print megabytes.
        assert!(handle.get((sym!("echo"), &value)).unwrap() == value);
    }
}

#[test]
fn users_are_let_in_with_their_password_only() {
    let serving = Serving::start(&["--user", "ann:secret:x", "--user", "bob:"]);
    for credentials in [":ann:secret:x", ":bob:"] {
        let outcome = hopen(&[&serving.handle(credentials), "2+2"], "");
        assert_eq!(outcome, Outcome::success("4\n"), "{credentials}");
    }
    for (credentials, shown) in [
        (":ann:wrong", ":ann"),
        (":ann:secret", ":ann"),
        (":ann:secret:x!", ":ann"),
        (":ann:", ":ann"),
        (":ann", ":ann"),
        (":bob:x", ":bob"),
        (":eve:secret:x", ":eve"),
        ("", ""),
    ] {
        let outcome = hopen(&[&serving.handle(credentials), "2+2"], "");
        let stderr = format!("'access ({})\n", serving.handle(shown));
        assert_eq!(outcome, Outcome::new(2, "", &stderr), "{credentials}");
        let complaint = serving.complaint();
        assert!(complaint.starts_with("127.0.0.1:"), "{complaint}");
        assert!(complaint.contains(": refused: "), "{complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}

/// The users ann and bob, whose passwords are "secret" and "pw", in each kind of password file.
const PASSWORDS: [&str; 3] = [
    "ann:secret\nbob:pw\n",
    "ann:5ebe2294ecd0e0f08eab7690d2a6ee69\nbob:8fe4c11451281c094a6578e6ddbf5eed\n",
    "ann:e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4\nbob:1a91d62f7ca67399625a4368a6ab5d4a3baa6073\n",
];

#[test]
fn a_password_file_of_any_kind_says_who_is_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    for passwords in PASSWORDS {
        fs::write(&file, passwords).unwrap();
        let serving = Serving::start(&["--passwords", file.to_str().unwrap()]);
        for (credentials, code) in [
            (":ann:secret", 0),
            (":bob:pw", 0),
            (":ann:pw", 2),
            (":eve:secret", 2),
            (":ann", 2),
            ("", 2),
        ] {
            let outcome = hopen(&[&serving.handle(credentials), "2+2"], "");
            assert_eq!(outcome.code, Some(code), "{passwords}, {credentials}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_password_file_is_read_again_on_a_signal_and_kept_if_it_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    fs::write(&file, PASSWORDS[0]).unwrap();
    let serving = Serving::start(&["--passwords", file.to_str().unwrap()]);
    let mut logged_in = open(&serving, ":ann:secret");
    let code = |credentials| hopen(&[&serving.handle(credentials), "2+2"], "").code;

    fs::write(&file, "ann:new\n").unwrap();
    serving.signal("HUP");
    let complaint = serving.complaint();
    assert_eq!(complaint, format!("{}: read again", file.display()));
    assert_eq!((code(":ann:new"), code(":ann:secret")), (Some(0), Some(2)));
    assert!(serving.complaint().contains("refused"));
    // Who is logged in stays so.
    assert_eq!(logged_in.get("2+2").unwrap(), Value::from(4_i64));

    fs::write(&file, "ann:newer\nbroken\n").unwrap();
    serving.signal("HUP");
    let complaint = serving.complaint();
    assert!(complaint.contains("line 2"), "{complaint}");
    assert!(
        complaint.ends_with("; the old passwords are kept"),
        "{complaint}"
    );
    assert!(!complaint.contains("newer"), "{complaint}");
    assert_eq!(code(":ann:new"), Some(0));
}

#[test]
fn a_password_file_that_is_none_is_said_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    let path = file.to_str().unwrap();
    let outcome = hopen(&["serve", "--passwords", path], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(66), ""));
    assert!(
        outcome
            .stderr
            .starts_with(&format!("error: cannot read {path}: "))
    );
    fs::write(&file, "ann:secret\nsecret\n").unwrap();
    let outcome = hopen(&["serve", "--passwords", path], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(66), ""));
    assert!(outcome.stderr.contains("line 2"), "{outcome:?}");
    assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
}

#[test]
fn qcon_is_answered_as_by_a_console_and_http_not() {
    let serving = Serving::start(&["--user", "ann:secret"]);
    let said = |sent: &[u8]| {
        let mut stream = TcpStream::connect(("127.0.0.1", serving.port())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(sent).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        // Who is refused with something unread is reset.
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    assert_eq!(said(b"ann:secret\0til 5\0"), "0 1 2 3 4\n");
    assert_eq!(said(b"ann:secret\0(1 2;3 40)\0"), "1 2 \n3 40\n");
    assert_eq!(said(b"ann:secret\0nosuch\0"), "'nosuch\n");
    assert_eq!(said(b"ann:wrong\0til 5\0"), "");
    let answer = said(b"GET /?til%205 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 501 Not Implemented\r\n"),
        "{answer}"
    );
}

#[test]
fn a_feed_is_subscribed_to_as_a_tickerplant() {
    let serving = Serving::start(&["--feed"]);
    let mut handle = open(&serving, "");
    // All tables, then only some symbols of one of them.
    let all = handle.get((sym!(".u.sub"), sym!(""), sym!(""))).unwrap();
    let all: Vec<Value> = all.to().unwrap();
    let names = |value: &Value| value.to_string();
    assert!(
        names(&all[0]).starts_with("(`trade;+`time`sym`price`size!("),
        "{}",
        all[0]
    );
    assert!(names(&all[1]).starts_with("(`quote;+`time`sym`bid`ask`bsize`asize!("));
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        let (table, rows) = update(&mut handle);
        assert!(rows.as_ref().rows().unwrap() > 0);
        seen.insert(table);
    }
    let schema = handle
        .get((".u.sub", sym!("trade"), vec![sym!("ibm")]))
        .unwrap();
    assert!(names(&schema).starts_with("(`trade;"), "{schema}");
    let mut ours = 0;
    while ours < 3 {
        let (table, rows) = update(&mut handle);
        if table == "trade" {
            let symbols: Vec<Symbol> = rows.as_ref().column("sym").unwrap().to().unwrap();
            // What was sent before the answer has come before it, or behind.
            if symbols.iter().all(|name| *name == sym!("ibm")) {
                ours += 1;
            } else {
                assert_eq!(ours, 0, "{symbols:?}");
            }
        }
    }
    let error = handle
        .get((".u.sub", sym!("nosuch"), sym!("")))
        .unwrap_err();
    assert_eq!(error.to_string(), "nosuch");
    handle.get((sym!(".u.end"), Date(9824))).unwrap();
    let end = Value::from((sym!(".u.end"), Date(9824)));
    while handle.recv_timeout(PATIENCE).unwrap() != end {}
    // Without the option it is no tickerplant.
    let serving = Serving::start(&[]);
    let subscribe = (".u.sub", sym!("trade"), sym!(""));
    open(&serving, "").get(subscribe).unwrap_err();
}

/// Waits for rows of a table.
fn update(handle: &mut Handle) -> (String, Table) {
    let update = handle.recv_timeout(PATIENCE).expect("an update");
    let update: Vec<Value> = update.to().expect("a list");
    let [upd, table, rows] = &update[..] else {
        panic!("{update:?}")
    };
    assert_eq!(*upd, Value::from(sym!("upd")));
    let table: Symbol = table.to().expect("a name");
    let Value::Table(rows) = rows else {
        panic!("{rows}")
    };
    (table.to_string(), rows.clone())
}

#[test]
fn without_users_everybody_is_let_in() {
    let serving = Serving::start(&[]);
    for credentials in ["", ":ann", ":ann:", ":ann:secret", "::secret"] {
        let outcome = hopen(&[&serving.handle(credentials), "2+2"], "");
        assert_eq!(outcome, Outcome::success("4\n"), "{credentials}");
    }
}

#[test]
fn what_fails_in_an_async_message_is_printed_where_it_is_served() {
    let serving = Serving::start(&[]);
    let outcome = hopen(&["--async", &serving.handle(""), "nosuch", "a:1"], "");
    assert_eq!(outcome, Outcome::success(""));
    let complaint = serving.complaint();
    assert!(complaint.starts_with("127.0.0.1:"), "{complaint}");
    assert!(complaint.ends_with(": 'nosuch"), "{complaint}");
    let outcome = hopen(&[&serving.handle(""), "a"], "");
    assert_eq!(outcome, Outcome::success("1\n"));
}

#[test]
fn a_client_that_does_not_end_its_login_stops_nobody() {
    let serving = Serving::start(&["--user", "ann:secret"]);
    let connect = || TcpStream::connect(("127.0.0.1", serving.port())).unwrap();
    let silent = connect();
    let mut half = connect();
    half.write_all(b"ann:sec").unwrap();
    for _ in 0..2 {
        let outcome = hopen(&[&serving.handle(":ann:secret"), "2+2"], "");
        assert_eq!(outcome, Outcome::success("4\n"));
    }
    // It was only slow.
    half.write_all(b"ret\x03\0").unwrap();
    let mut reply = [0];
    half.set_read_timeout(Some(PATIENCE)).unwrap();
    half.read_exact(&mut reply).unwrap();
    assert_eq!(reply, [3]);
    drop(silent);
}

#[test]
fn a_client_that_breaks_the_protocol_is_closed_and_named() {
    let serving = Serving::start(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", serving.port())).unwrap();
    let name = stream.local_addr().unwrap().to_string();
    stream
        .write_all(b"\x03\0\xff\xff\xff\xff\xff\xff\xff\xff")
        .unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, [3]);
    let complaint = serving.complaint();
    assert!(
        complaint.starts_with(&format!("{name} (handle ")),
        "{complaint}"
    );
    let outcome = hopen(&[&serving.handle(""), "2+2"], "");
    assert_eq!(outcome, Outcome::success("4\n"));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_a_client_connected() {
    for signal in ["TERM", "INT"] {
        let serving = Serving::start(&[]);
        let mut handle = open(&serving, "");
        assert_eq!(handle.get("2+2").unwrap(), Value::from(4_i64));
        assert_eq!(serving.stop(signal), Outcome::success(""), "{signal}");
        let error = handle.recv().unwrap_err();
        assert!(matches!(error, hopen_blocking::Error::Closed), "{error:?}");
    }
}

#[cfg(unix)]
#[test]
fn it_warns_where_it_lets_everybody_in_from_everywhere() {
    let serving = Serving::start(&["--listen", "0W"]);
    let outcome = hopen(&[&serving.handle(""), "2+2"], "");
    assert_eq!(outcome, Outcome::success("4\n"));
    let warning = format!(
        "warning: whoever reaches {} or /tmp/kx.{} is let in; --user NAME:PASSWORD or --passwords FILE asks for a login\n",
        serving.address,
        serving.port()
    );
    assert_eq!(serving.stop("TERM"), Outcome::new(0, "", &warning));
    for arguments in [
        &["--listen", "0W", "--user", "ann:secret"][..],
        &["--listen", "localhost:0W"],
        &["--listen", "127.0.0.1:0W"],
        &["--listen", "127.0.0.1:49152/65535"],
    ] {
        let serving = Serving::start(arguments);
        assert_eq!(serving.stop("TERM"), Outcome::success(""), "{arguments:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_no_connection() {
    let serving = Serving::start(&[]);
    let outcome = hopen(&["serve", "--listen", &serving.address], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert!(
        outcome.stderr.starts_with("error: cannot listen"),
        "{outcome:?}"
    );
}

#[test]
fn a_service_that_nobody_knows_is_no_connection() {
    let outcome = hopen(&["serve", "--listen", "hopen-no-such-service"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert!(
        outcome.stderr.contains("this system knows no service"),
        "{outcome:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn several_processes_listen_on_a_port_that_they_share() {
    let first = Serving::start(&["--listen", "rp,127.0.0.1:0W"]);
    let listen = format!("rp,{}", first.address);
    let second = Serving::start(&["--listen", &listen]);
    assert_eq!(second.address, first.address);
    for serving in [first, second] {
        assert_eq!(serving.stop("TERM"), Outcome::success(""));
    }
}

#[test]
fn wrong_usage_says_what_is_wrong_and_never_a_password() {
    for (arguments, says) in [
        (&["--listen", "nonsense!"][..], "nonsense!"),
        (&["--listen", "65536"], "65536"),
        (&["--listen", "-5010"], "-5010"),
        (&["--listen", ":localhost:5010:ann:secret"], "[rp,][HOST:]"),
        (&["--listen", "5010:ann:secret"], "[rp,][HOST:]"),
        (&["--listen", "5020/5010"], "write 5010/5020"),
        (&["--listen"], "--listen <SPEC>"),
        (&["--user"], "a value is required"),
        (&["--user", "secret"], "NAME:PASSWORD"),
        (&["--user=secret"], "NAME:PASSWORD"),
        (&["--users", "ann:secret"], "--users"),
        (&["--users=ann:secret"], "unexpected argument"),
        (&["--passwords", ":h:1:ann:secret"], "not a handle"),
        (
            &["--passwords", "file", "--user", "ann:secret"],
            "cannot be used with",
        ),
        (&["ann:secret"], "unexpected argument"),
        (&[":127.0.0.1:5010:ann:secret"], "unexpected argument"),
    ] {
        let outcome = hopen(&[&["serve"], arguments].concat(), "");
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(64), ""));
        assert!(outcome.stderr.contains(says), "{outcome:?}");
        assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
    }
}

#[test]
fn the_demo_shows_every_kind_of_handle_and_all_is_as_expected() {
    let outcome = hopen(&["demo"], "");
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{}",
        outcome.stdout
    );
    let mut rows = vec![
        "one-shot     :localhost:",
        "by TCP       :localhost:",
        "this host    ::",
        "as a symbol  `::",
        "with ms      (`::",
        "a port       ",
        "TLS          :tcps://localhost:",
        "login        ::",
        "time-out     (`::",
        "function     (`sum;1 2 3)",
        "async        prices:",
        "error        1+`a",
        "table        trade",
        "call-back    ",
        "pushed       ",
        "file         :",
    ];
    if cfg!(unix) {
        rows.extend([
            "Unix socket  :unix://",
            "TLS, Unix    :unixs://",
            "pipe         :fifo://",
            "gzip         :fifo://",
        ]);
        assert!(!outcome.stdout.contains("skipped"), "{}", outcome.stdout);
    }
    for row in rows {
        let found = outcome
            .stdout
            .lines()
            .any(|line| line.trim_start().starts_with(row));
        assert!(found, "no {row:?} in {}", outcome.stdout);
    }
    assert!(outcome.stdout.contains("All is as expected"));
}

/// Runs a client against a process that lets everybody in, and its logins against one that does not;
/// then both against a gateway of the async transport before the process.
#[track_caller]
fn understands(client: &str) {
    let mut limits = String::new();
    for (users, login) in [
        (&[][..], None),
        (&["--user", "ann:secret:x"], Some("ann:secret:x")),
    ] {
        let serving = Serving::start(users);
        let Some(said) = asked_by(client, &serving.address, login) else {
            return;
        };
        let credentials = login.map_or_else(String::new, |login| format!(":{login}"));
        let gateway = Gateway::before(&serving, &credentials);
        let beyond = asked_by(client, &gateway.address(), login);
        assert_eq!(beyond.as_deref(), Some(&*said), "{client}: not as before");
        for limit in said.lines().filter(|line| line.starts_with("limit ")) {
            limits.extend([client, ": ", limit, "\n"]);
        }
    }
    python::tell(&limits);
}

/// Runs a client, and returns what it says; `None` where its libraries are not there.
#[track_caller]
fn asked_by(client: &str, address: &str, login: Option<&str>) -> Option<String> {
    let mut script = python::script(&format!("clients/{client}"))?;
    let outcome = run(script.arg(address).args(login), "");
    assert!(
        outcome.code == Some(0),
        "{client} ended with {:?}\n{}{}",
        outcome.code,
        without_success(&outcome.stdout),
        outcome.stderr,
    );
    Some(outcome.stdout)
}

/// Returns what a client printed, but for what is as it should be.
fn without_success(lines: &str) -> String {
    let lines = lines.lines().filter(|line| !line.starts_with("ok "));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn open(serving: &Serving, credentials: &str) -> Handle {
    let handle = serving.handle(credentials);
    hopen_blocking::hopen((handle, PATIENCE)).expect("it listens")
}

/// How long the process may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

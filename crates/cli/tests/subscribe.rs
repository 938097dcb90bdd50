//! `hopen subscribe`: against `hopen serve --feed`, which is killed and started again at the same port,
//! and against tickerplants that do what a script says.
#![cfg(unix)]

#[allow(dead_code, reason = "this test needs less of it than others")]
#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod program;
#[allow(dead_code, reason = "this test needs less of it than others")]
#[cfg(test)]
mod server;
#[allow(dead_code, reason = "this test needs less of it than others")]
#[cfg(test)]
mod serving;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hopen_blocking::{Error, Handle, Listener, Received};
use hopen_codec::config::Config;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::value::{Date, Table, Value};
use rexpect::process::WaitStatus;
use rexpect::session::spawn_command;

use program::{command, hopen};
use server::{ASYNC, Server};
use serving::Serving;

#[test]
fn a_feed_is_watched_over_a_restart_of_the_process() {
    let serving = Serving::start(&["--feed"]);
    let address = serving.address.clone();
    let handle = serving.handle("");
    let watching = Watching::start(&[&handle, "trade", "ibm,amd"]);
    let line = watching.line();
    assert!(
        line.starts_with("(`upd;`trade;+`time`sym`price`size!("),
        "{line}"
    );
    assert!(line.contains("`ibm") || line.contains("`amd"), "{line}");
    assert!(!line.contains("`msft"), "{line}");
    // Its end in the middle, however it ends.
    drop(serving);
    let lost = watching.complaint();
    assert!(
        lost.ends_with(&format!("({handle}); connecting again")),
        "{lost}"
    );
    let failed = watching.complaint_that_is("'hop. OS reports: Connection refused");
    assert!(failed.contains("; attempt "), "{failed}");
    while watching.stdout.try_recv().is_ok() {}
    let serving = Serving::start(&["--feed", "--listen", &address]);
    let gap = watching.complaint_that_is("connected again after ");
    assert!(gap.contains("; something may be missing from 2"), "{gap}");
    assert!(gap.ends_with(" (UTC)"), "{gap}");
    assert!(watching.line().starts_with("(`upd;`trade;+"));
    watching.signal("INT");
    let summary = watching.complaint();
    assert!(summary.contains(" updates, "), "{summary}");
    assert!(summary.contains("; 1 loss, "), "{summary}");
    assert_eq!(watching.ends(), Some(0));
    drop(serving);
}

#[test]
fn updates_are_printed_in_the_form_that_was_asked_for() {
    let day = Date(9824);
    let publish = move |handle: &mut Handle| {
        subscribed(handle, r#"(".u.sub";`trade;`)"#);
        for number in 1..=2 {
            handle.set(update(vec![number])).unwrap();
        }
        // A column more, from here on.
        let wider = Table::new([
            (sym!("n"), vec![3_i64].into()),
            (sym!("text"), vec!["a,b"].into()),
        ]);
        handle
            .set((sym!("upd"), sym!("trade"), wider.unwrap()))
            .unwrap();
        handle.set((sym!(".u.end"), day)).unwrap();
        handle.set("something else").unwrap();
        handle.flush().unwrap();
        closed(handle);
    };
    for (options, printed, said) in [
        (
            &[][..],
            &[
                "(`upd;`trade;+(,`n)!,,1)",
                "(`upd;`trade;+(,`n)!,,2)",
                "(`upd;`trade;+`n`text!(,3;,\"a,b\"))",
                "(`.u.end;2026.11.24)",
                "\"something else\"",
            ][..],
            &[][..],
        ),
        (
            &["--json"],
            &[
                r#"{"table":"trade","data":[{"n":1}]}"#,
                r#"{"table":"trade","data":[{"n":2}]}"#,
                r#"{"table":"trade","data":[{"n":3,"text":"a,b"}]}"#,
                r#"{"end":"2026-11-24"}"#,
                r#"{"message":"something else"}"#,
            ],
            &[],
        ),
        (
            &["--csv"],
            &["n", "1", "2", "n,text", "3,\"a,b\""],
            &[
                "2026.11.24 has ended",
                "a message that is no update: \"something else\"",
            ],
        ),
    ] {
        let plant = Plant::start(vec![Script::new(publish)]);
        let handle = plant.handle();
        let arguments = [options, &[handle.as_str(), "trade"]].concat();
        let watching = Watching::start(&arguments);
        for expected in printed {
            assert_eq!(watching.line(), *expected, "{options:?}");
        }
        for expected in said {
            assert_eq!(watching.complaint(), *expected, "{options:?}");
        }
        watching.signal("TERM");
        assert!(watching.complaint().starts_with("3 updates, 3 rows in "));
        assert_eq!(watching.ends(), Some(0));
        plant.ends();
    }
}

#[test]
fn a_table_that_has_changed_is_said() {
    let plant = Plant::start(vec![
        Script::new(|handle| subscribed(handle, r#"(".u.sub";`;`)"#)),
        Script::new(|handle| {
            let other = table(vec![1.5]);
            answer(
                handle,
                r#"(".u.sub";`;`)"#,
                Ok((sym!("trade"), other).into()),
            );
            closed(handle);
        }),
    ]);
    let watching = Watching::start(&[&plant.handle(), "all"]);
    let lost = watching.complaint();
    assert_eq!(
        lost,
        format!("'close ({}); connecting again", plant.handle())
    );
    assert!(
        watching
            .complaint()
            .starts_with("connected again after 1 attempt; something may be missing from ")
    );
    assert_eq!(watching.complaint(), "trade has changed: n float vector");
    watching.signal("INT");
    assert!(watching.complaint().starts_with("0 updates, 0 rows in "));
    assert_eq!(watching.ends(), Some(0));
    plant.ends();
}

#[test]
fn a_message_that_is_no_value_is_said_and_the_next_printed() {
    let body = |value: Value| {
        let body = Body::encode(&value).expect("a value");
        body.chunks().concat()
    };
    let schema = table(Vec::<i64>::new());
    let schema = body((sym!("trade"), schema).into());
    let server = Server::start(move |peer| {
        peer.accept();
        peer.answer(&schema);
        peer.send_message(ASYNC, b"\x03\0");
        peer.send_message(ASYNC, &body(update(vec![1])));
        peer.rest()
    });
    let watching = Watching::start(&[&server.handle(""), "trade"]);
    assert_eq!(
        watching.complaint(),
        "error: a message: badmsg: at byte 8: unknown type 3"
    );
    assert_eq!(watching.line(), "(`upd;`trade;+(,`n)!,,1)");
    watching.signal("INT");
    assert!(watching.complaint().starts_with("1 update, 1 row in "));
    assert_eq!(watching.ends(), Some(1));
    server.seen();
}

#[test]
fn what_is_refused_for_good_ends_it() {
    let serving = Serving::start(&["--feed", "--user", "ann:secret"]);
    let handle = serving.handle(":ann:wrong");
    let watching = Watching::start(&[&handle, "trade"]);
    for attempt in 1..5 {
        let said = watching.complaint();
        let start = format!("'access ({}); attempt {attempt}, ", serving.handle(":ann"));
        assert!(said.starts_with(&start), "{said}");
    }
    assert_eq!(
        watching.complaint(),
        format!("'access ({})", serving.handle(":ann"))
    );
    assert!(watching.complaint().starts_with("0 updates"));
    assert_eq!(watching.ends(), Some(2));

    let watching = Watching::start(&["--attempts", "2", &serving.handle(":ann:secret"), "nosuch"]);
    let said = watching.complaint();
    assert!(said.starts_with("'nosuch ("), "{said}");
    assert_eq!(watching.complaint(), "'nosuch");
    assert!(watching.complaint().starts_with("0 updates"));
    assert_eq!(watching.ends(), Some(1));
}

#[test]
fn a_wrong_command_line_is_said_before_anything_is_opened() {
    for (arguments, said) in [
        (
            &["subscribe", "--csv", "::1", "all"][..],
            "error: CSV is of one table: write its name instead of `all`\n",
        ),
        (
            &["subscribe", ":fifo://x", "trade"],
            "error: only a process is subscribed to: write :HOST:PORT\n",
        ),
        (
            &["subscribe", "--timeout", "5", "(::1;5)", "trade"],
            "error: the handle has a time-out: write no --timeout\n",
        ),
    ] {
        let outcome = hopen(arguments, "");
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(64), ""));
        assert!(outcome.stderr.starts_with(said), "{outcome:?}");
    }
}

#[test]
fn on_a_terminal_tables_show_as_on_a_console_and_a_line_tells_the_rate() {
    let plant = Plant::start(vec![Script::new(|handle| {
        subscribed(handle, r#"(".u.sub";`trade;`)"#);
        handle.set(update(vec![1, 2])).unwrap();
        handle.flush().unwrap();
        closed(handle);
    })]);
    let mut command = command(&["subscribe", &plant.handle(), "trade"]);
    command.env("TERM", "xterm");
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    session.exp_string("trade\r\nn\r\n-\r\n1\r\n2\r\n").unwrap();
    session.exp_string("updates/s, ").unwrap();
    session.exp_string("/s; 1 update").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("1 update, 2 rows in ").unwrap();
    assert!(matches!(
        session.process().wait().unwrap(),
        WaitStatus::Exited(_, 0)
    ));
    plant.ends();
}

/// The program, which subscribes.
struct Watching {
    process: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Watching {
    fn start(arguments: &[&str]) -> Self {
        let mut process = command(&[&["subscribe"], arguments].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cargo has built it");
        let stdout = lines(process.stdout.take().expect("it is piped"));
        let stderr = lines(process.stderr.take().expect("it is piped"));
        Self {
            process,
            stdout,
            stderr,
        }
    }

    /// Returns the next line that it prints.
    fn line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).expect("it prints")
    }

    /// Returns the next line of its standard error.
    fn complaint(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).expect("it says more")
    }

    /// Returns the next line of its standard error that begins so.
    fn complaint_that_is(&self, start: &str) -> String {
        loop {
            let complaint = self.complaint();
            if complaint.starts_with(start) {
                return complaint;
            }
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status();
        assert!(sent.expect("a system with signals has kill").success());
    }

    /// Waits for its end. Returns its status.
    fn ends(mut self) -> Option<i32> {
        let end = self.stderr.recv_timeout(PATIENCE);
        assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected));
        self.process.wait().expect("it was started here").code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// What happens on a connection.
struct Script(Box<dyn FnOnce(&mut Handle) + Send>);

impl Script {
    fn new(script: impl FnOnce(&mut Handle) + Send + 'static) -> Self {
        Self(Box::new(script))
    }
}

/// A tickerplant that does what a script says, one for each connection.
struct Plant {
    port: u16,
    thread: JoinHandle<()>,
}

impl Plant {
    fn start(scripts: Vec<Script>) -> Self {
        let listener = Listener::bind("localhost:0W").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let thread = thread::spawn(move || {
            for script in scripts {
                let channel = listener.accept().expect("a connection");
                let login = channel.receive_login(Config::server(), Some(PATIENCE));
                (script.0)(&mut login.expect("a login").accept().expect("it is there"));
            }
        });
        Self { port, thread }
    }

    fn handle(&self) -> String {
        format!(":localhost:{}", self.port)
    }

    fn ends(self) {
        self.thread.join().expect("the scripts go as planned");
    }
}

/// Waits for a subscription, and answers it.
fn subscribed(handle: &mut Handle, question: &str) {
    let schema = table(Vec::<i64>::new());
    answer(handle, question, Ok((sym!("trade"), schema).into()));
}

fn answer(handle: &mut Handle, question: &str, answer: Result<Value, RemoteError>) {
    let Received::Request(ticket, asked) = handle.receive().expect("a question") else {
        panic!("a subscriber asks")
    };
    assert_eq!(asked.to_string(), question);
    handle.respond(ticket, answer).expect("it is there");
}

/// Waits until the program has closed.
fn closed(handle: &mut Handle) {
    let end = handle.receive().expect_err("it has nothing to say");
    assert!(matches!(end, Error::Closed), "{end}");
}

fn update(numbers: Vec<i64>) -> Value {
    (sym!("upd"), sym!("trade"), table(numbers)).into()
}

/// A table of one column.
fn table(numbers: impl Into<Value>) -> Table {
    Table::new([(sym!("n"), numbers.into())]).expect("one column is of one count")
}

/// How long the program may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

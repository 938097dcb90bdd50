//! `hopen HANDLE` on a terminal: queries that are typed, the console, what shows meanwhile.
#![cfg(unix)]

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use hopen_blocking::{Error, Handle, Listener, Received};
use hopen_codec::config::Config;
use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::value::{Table, Value};
use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use tempfile::TempDir;

use program::{Outcome, command, hopen};

#[test]
fn what_is_typed_is_asked_until_it_is_left() {
    for leaves in ["\\\\", " \\\\ "] {
        let process = Process::start(|handle| {
            for (query, answer) in [
                ("2+3", Ok(Value::from(5_i64))),
                ("a:1", Ok(Value::IDENTITY)),
                ("1+`a", Err(RemoteError::new("type").unwrap())),
                ("\\t 1+1", Ok(Value::from(7_i64))),
                ("exit", Ok(Value::from(8_i64))),
            ] {
                let ticket = asked(handle, query);
                handle.respond(ticket, answer).unwrap();
            }
            closed(handle);
        });
        let mut terminal = Terminal::start(&process.handle(""));
        terminal.types("2+3");
        terminal.shows("\r\n5\r\n");
        terminal.types("");
        terminal.types("a:1");
        terminal.types("1+`a");
        terminal.shows("\r\n'type\r\n");
        terminal.types("\\t 1+1");
        terminal.shows("\r\n7\r\n");
        terminal.types("exit");
        terminal.shows("\r\n8\r\n");
        terminal.types(leaves);
        assert_eq!(terminal.ends(), 0);
        process.ends();
    }
}

#[test]
fn the_end_of_input_leaves() {
    let process = Process::start(closed);
    let mut terminal = Terminal::start(&process.handle(""));
    terminal.prompt();
    terminal.session.send_control('d').unwrap();
    assert_eq!(terminal.ends(), 0);
    process.ends();
}

#[test]
fn what_is_typed_ahead_is_asked_as_well() {
    let process = Process::start(|handle| {
        for query in ["1", "2", "3"] {
            let ticket = asked(handle, query);
            handle.respond(ticket, Ok(query)).unwrap();
        }
        closed(handle);
    });
    let mut terminal = Terminal::start(&process.handle(""));
    terminal.prompt();
    terminal.session.send("1\r2\r3\r\\\\\r").unwrap();
    terminal.session.flush().unwrap();
    for query in ["1", "2", "3"] {
        terminal.shows(&format!("\r\n,\"{query}\"\r\n"));
    }
    assert_eq!(terminal.ends(), 0);
    process.ends();
}

#[test]
fn an_answer_is_given_up_and_the_connection_stays_in_step() {
    let (arrived, arrives) = mpsc::channel();
    let (let_go, goes_on) = mpsc::channel();
    let process = Process::start(move |handle| {
        let ticket = asked(handle, "slow");
        arrived.send(()).unwrap();
        goes_on.recv().unwrap();
        handle.respond(ticket, Ok("late")).unwrap();
        // Not the one that was given up before it was asked.
        let ticket = asked(handle, "2+3");
        handle.respond(ticket, Ok(5_i64)).unwrap();
        closed(handle);
    });
    let mut terminal = Terminal::start(&process.handle(""));
    terminal.types("slow");
    arrives.recv().unwrap();
    terminal.session.send_control('c').unwrap();
    terminal.shows("the answer is given up");
    terminal.types("never asked");
    // The line has been taken: from here on Ctrl-C is a signal and no input.
    terminal.shows("\x1b[?2004l");
    terminal.session.send_control('c').unwrap();
    terminal.shows("the answer is given up");
    terminal.types("2+3");
    let_go.send(()).unwrap();
    let before = terminal.shows("\r\n5\r\n");
    assert!(!before.contains("late"), "{before}");
    terminal.types("\\\\");
    assert_eq!(terminal.ends(), 0);
    process.ends();
}

#[test]
fn ctrl_c_at_the_prompt_gives_up_the_line() {
    let process = Process::start(|handle| {
        let ticket = asked(handle, "2+3");
        handle.respond(ticket, Ok(5_i64)).unwrap();
        closed(handle);
    });
    let mut terminal = Terminal::start(&process.handle(""));
    terminal.prompt();
    terminal.session.send("not this").unwrap();
    terminal.session.send_control('c').unwrap();
    terminal.types("2+3");
    terminal.shows("\r\n5\r\n");
    terminal.types("\\\\");
    assert_eq!(terminal.ends(), 0);
    process.ends();
}

#[test]
fn a_lost_connection_is_told_and_made_again_when_asked_for() {
    let listener = Listener::bind("127.0.0.1:0W").unwrap();
    let port = listener.local_addr().unwrap().port();
    let process = thread::spawn(move || {
        let mut handle = accept(&listener);
        // Never answered.
        let _ticket = asked(&mut handle, "exit 0");
        handle.close();
        let mut handle = accept(&listener);
        let ticket = asked(&mut handle, "2+3");
        handle.respond(ticket, Ok(5_i64)).unwrap();
        closed(&mut handle);
    });
    let mut terminal = Terminal::start(&format!("::{port}:ann:secret"));
    terminal.types("exit 0");
    terminal.shows(&format!(" (::{port}:ann)\r\n"));
    terminal.shows("the connection is lost; \\reconnect connects again");
    terminal.types("2+3");
    terminal.shows("error: not connected");
    terminal.types("\\reconnect");
    terminal.types("2+3");
    terminal.shows("\r\n5\r\n");
    terminal.types("\\\\");
    assert_eq!(terminal.ends(), 0);
    process.join().unwrap();
}

#[test]
fn what_is_pushed_before_an_answer_is_shown_with_it() {
    let process = Process::start(|handle| {
        let ticket = asked(handle, "2+3");
        handle.set("news").unwrap();
        handle.set((1_i64, "more")).unwrap();
        handle.respond(ticket, Ok(5_i64)).unwrap();
        closed(handle);
    });
    let mut terminal = Terminal::start(&process.handle(""));
    terminal.types("2+3");
    terminal.shows("async message:\r\n\"news\"\r\n");
    terminal.shows("async message:\r\n1\r\n\"more\"\r\n");
    terminal.shows("5\r\n");
    terminal.types("\\\\");
    assert_eq!(terminal.ends(), 0);
    process.ends();
}

#[test]
fn lines_are_kept_for_their_owner_but_not_the_password() {
    let state = tempfile::tempdir().unwrap();
    let ask = |lines: &[&str]| {
        let asked = lines.len();
        let process = Process::start(move |handle| {
            for _ in 0..asked {
                let Ok(Received::Request(ticket, query)) = handle.receive() else {
                    panic!("no question")
                };
                handle.respond(ticket, Ok(query)).unwrap();
            }
            closed(handle);
        });
        let mut terminal = Terminal::start_in(&process.handle(":ann:se:cret"), &state);
        for line in lines {
            terminal.types(line);
            terminal.shows("\r\n\"");
        }
        terminal.types("\\\\");
        assert_eq!(terminal.ends(), 0);
        process.ends();
    };
    ask(&["first line", " not kept", "hopen `::1:ann:se:cret"]);
    ask(&["second line"]);
    let path = state.path().join("hopen/history");
    let kept = fs::read_to_string(&path).unwrap();
    let kept: Vec<_> = kept.lines().filter(|line| line.contains("line")).collect();
    assert_eq!(kept, ["first line", "second line"]);
    for (path, mode) in [(path.as_path(), 0o600), (path.parent().unwrap(), 0o700)] {
        let permissions = fs::metadata(path).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{}", path.display());
    }

    // Up and up: past `\\` to what was asked before.
    let process = Process::start(|handle| {
        let ticket = asked(handle, "second line");
        handle.respond(ticket, Ok(5_i64)).unwrap();
        closed(handle);
    });
    let mut terminal = Terminal::start_in(&process.handle(""), &state);
    terminal.types("\x1b[A\x1b[A");
    terminal.shows("\r\n5\r\n");
    terminal.types("\\\\");
    assert_eq!(terminal.ends(), 0);
    process.ends();
}

#[test]
fn values_show_as_on_qs_console_cut_to_the_terminals_size() {
    for (options, query, shown) in [
        (
            "",
            "t",
            "n name   ..\r\n---------..\r\n0 a name ..\r\n1 a name ..\r\n",
        ),
        ("--short", "1", "1\r\n"),
        ("--csv", "t", "n,name\r\n0,a name that is long\r\n"),
        ("--precision 2", "third", "0.33\r\n"),
    ] {
        let process = Process::start(move |handle| {
            let ticket = asked(handle, query);
            let answer = match query {
                "t" => table(),
                "1" => Value::from(1_i64),
                _ => Value::from(1.0 / 3.0),
            };
            handle.respond(ticket, Ok(answer)).unwrap();
            closed(handle);
        });
        let program = env!("CARGO_BIN_EXE_hopen");
        let handle = process.handle("");
        let script = format!("stty cols 12 rows 10; exec {program} {options} {handle} {query}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]);
        let mut session = spawn_command(shell, Some(PATIENCE)).unwrap();
        session.exp_string(shown).unwrap();
        let rest = session.exp_eof().unwrap();
        assert_eq!(rest.contains("..\r\n"), options.is_empty(), "{rest}");
        process.ends();
    }
}

#[test]
fn a_console_has_no_more_than_2000_lines_and_columns_however_large_the_terminal() {
    for (answer, lines, columns) in [
        // A name, a line below it, rows and the dots, with two lines left for what is typed.
        (long_table(), 1_998, 2),
        (vec![7_i64; 1_000_000].into(), 1, 1_999),
    ] {
        let process = Process::start(move |handle| {
            let ticket = asked(handle, "x");
            handle.respond(ticket, Ok(answer)).unwrap();
            closed(handle);
        });
        let program = env!("CARGO_BIN_EXE_hopen");
        let handle = process.handle("");
        let script = format!("stty cols 9000 rows 9000; exec {program} {handle} x");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]);
        let mut session = spawn_command(shell, Some(PATIENCE)).unwrap();
        let shown = session.exp_eof().unwrap();
        let widest = shown.lines().map(str::len).max();
        eprintln!(
            "{} {:?} {:?}",
            shown.lines().count(),
            widest,
            &shown[shown.len() - 20..]
        );
        assert_eq!((shown.lines().count(), widest), (lines, Some(columns)));
        assert!(shown.ends_with("..\r\n"), "{shown}");
        process.ends();
    }
}

#[test]
fn without_a_connection_there_is_nothing_to_type() {
    let mut terminal = Terminal::start("::1:ann:secret");
    let shown = terminal.session.exp_eof().unwrap();
    assert_eq!(shown, "'hop. OS reports: Connection refused (::1:ann)\r\n");
    let status = terminal.session.process().wait().unwrap();
    assert!(matches!(status, WaitStatus::Exited(_, 2)), "{status:?}");
}

#[test]
fn without_a_terminal_all_of_standard_input_is_one_query() {
    let process = Process::start(|handle| {
        let ticket = asked(handle, "1\n\\\\");
        handle.respond(ticket, Ok(5_i64)).unwrap();
        closed(handle);
    });
    let outcome = hopen(&[&process.handle("")], "1\n\\\\\n");
    assert_eq!(outcome, Outcome::success("5\n"));
    process.ends();
}

/// The program on a terminal of its own.
struct Terminal {
    session: PtySession,
    /// Where its history is, if nobody else has it.
    _state: Option<TempDir>,
}

impl Terminal {
    fn start(handle: &str) -> Self {
        let state = tempfile::tempdir().expect("a folder");
        let terminal = Self::start_in(handle, &state);
        Self {
            _state: Some(state),
            ..terminal
        }
    }

    fn start_in(handle: &str, state: &TempDir) -> Self {
        let mut command = command(&[handle]);
        command.env("XDG_STATE_HOME", state.path());
        command.env("TERM", "xterm");
        Self {
            session: spawn_command(command, Some(PATIENCE)).expect("cargo has built it"),
            _state: None,
        }
    }

    /// Waits for the prompt.
    fn prompt(&mut self) {
        self.session
            .exp_regex("::[0-9]+>|:127.0.0.1:[0-9]+>")
            .expect("a prompt");
    }

    /// Waits for the prompt and types a line.
    fn types(&mut self, line: &str) {
        self.prompt();
        self.session.send(line).expect("a terminal");
        self.session.send("\r").expect("a terminal");
        self.session.flush().expect("a terminal");
    }

    /// Waits until this shows, and returns what did before.
    #[track_caller]
    fn shows(&mut self, text: &str) -> String {
        self.session
            .exp_string(text)
            .unwrap_or_else(|error| panic!("{text:?} does not show: {error}"))
    }

    /// Waits until the program has ended, and returns its status.
    fn ends(&mut self) -> i32 {
        self.session.exp_eof().expect("it ends");
        let ended = self.session.process().wait().expect("it was started here");
        let WaitStatus::Exited(_, status) = ended else {
            panic!("{ended:?}")
        };
        status
    }
}

/// A process with one client that follows a script.
struct Process {
    port: u16,
    script: JoinHandle<()>,
}

impl Process {
    fn start(script: impl FnOnce(&mut Handle) + Send + 'static) -> Self {
        let listener = Listener::bind("127.0.0.1:0W").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let script = thread::spawn(move || script(&mut accept(&listener)));
        Self { port, script }
    }

    fn handle(&self, credentials: &str) -> String {
        format!("::{}{credentials}", self.port)
    }

    fn ends(self) {
        self.script.join().expect("the script goes as planned");
    }
}

fn accept(listener: &Listener) -> Handle {
    let channel = listener.accept().expect("a connection");
    let login = channel.receive_login(Config::server(), None);
    login.expect("a login").accept().expect("it is there")
}

/// Waits for a question, which has to be this one.
fn asked(handle: &mut Handle, query: &str) -> Ticket {
    match handle.receive() {
        Ok(Received::Request(ticket, found)) if found == Value::from(query) => ticket,
        other => panic!("{other:?} instead of {query:?}"),
    }
}

fn closed(handle: &mut Handle) {
    let end = handle.receive();
    assert!(matches!(end, Err(Error::Closed)), "{end:?}");
}

/// A table that is too long for any terminal.
fn long_table() -> Value {
    Table::new([(sym!("n"), vec![7_i64; 1_000_000].into())])
        .expect("there is one column")
        .into()
}

/// A table that is too large for a small terminal.
fn table() -> Value {
    let rows = 20_i64;
    let name = sym!("a name that is long");
    let names: Vec<_> = (0..rows).map(|_| name.clone()).collect();
    Table::new([
        (sym!("n"), (0..rows).collect::<Vec<_>>().into()),
        (sym!("name"), names.into()),
    ])
    .expect("the columns are of one count")
    .into()
}

/// How long the program may take, on a machine that is busy, in ms.
const PATIENCE: u64 = 60_000;

//! The program against servers that others wrote: aiokdb's, and one whose bytes KX's own C library
//! makes. Skipped, with a word about it, unless `HOPEN_INTEROP_PYTHON` names a Python that has them;
//! `.ci/run` sets one up.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod peers;

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use peers::{PATIENCE, Peer};

const AIOKDB: &str = "aiokdb_server.py";
const KX: &str = "kx_server.py";

#[test]
fn aiokdb_answers_and_the_value_is_printed_in_qs_short_form() {
    let Some(peer) = Peer::start(AIOKDB, &[]) else {
        return;
    };
    for (query, printed) in [
        ("til 5", "0 1 2 3 4\n"),
        ("2+3", "5\n"),
        ("-2+3", "1\n"),
        ("`abc", "`abc\n"),
        ("\"text\"", "\"text\"\n"),
        ("t", "+`s`n!(`a`b;1 2)\n"),
        ("::", ""),
    ] {
        assert_eq!(
            hopen(&[&peer.handle(""), query]),
            Outcome::success(printed),
            "{query}"
        );
    }
}

#[test]
fn the_bytes_of_kxs_own_library_are_printed_in_qs_short_form() {
    let Some(peer) = Peer::start(KX, &[]) else {
        return;
    };
    for (query, printed) in [
        ("til 5", "0 1 2 3 4\n"),
        ("2+3", "5\n"),
        ("-2+3", "1\n"),
        ("`abc", "`abc\n"),
        ("\"text\"", "\"text\"\n"),
        ("2026.11.22", "2026.11.22\n"),
        (
            "2026.11.22D01:02:03.000000004",
            "2026.11.22D01:02:03.000000004\n",
        ),
        ("(1;`a;2 3f)", "(1;`a;2 3f)\n"),
        ("`a`b!1 2", "`a`b!1 2\n"),
        ("t", "+`s`p!(`a`b;1.5 2)\n"),
        ("::", ""),
    ] {
        assert_eq!(
            hopen(&[&peer.handle(""), query]),
            Outcome::success(printed),
            "{query}"
        );
    }
}

#[test]
fn an_answer_that_kxs_library_compressed_is_expanded() {
    let Some(peer) = Peer::start(KX, &[]) else {
        return;
    };
    let numbers: Vec<String> = (0..100_000).map(|n: u32| n.to_string()).collect();
    let printed = numbers.join(" ") + "\n";
    // Compared without assert_eq!, which would print a megabyte.
    assert!(hopen(&[&peer.handle(""), "til 100000"]) == Outcome::success(&printed));
}

#[test]
fn an_error_of_the_server_goes_to_standard_error_with_exit_1() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let outcome = hopen(&[&peer.handle(""), "nosuch"]);
        assert_eq!(outcome, Outcome::failure(1, "'nosuch\n"), "{script}");
    }
}

#[test]
fn a_message_pushed_before_the_answer_is_not_taken_for_it() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let outcome = hopen(&[&peer.handle(""), "push then 2+3"]);
        assert_eq!(outcome, Outcome::success("5\n"), "{script}");
    }
}

#[test]
fn an_async_query_arrives_and_nothing_is_printed() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let outcome = hopen(&["--async", &peer.handle(""), "a:1"]);
        assert_eq!(outcome, Outcome::success(""), "{script}");
        let mut line = peer.line();
        if line.starts_with("login ") {
            line = peer.line();
        }
        assert_eq!(line, "async a:1", "{script}");
    }
}

#[test]
fn a_query_is_read_from_standard_input() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let outcome = hopen_with_input(&[&peer.handle("")], "til 5");
        assert_eq!(outcome, Outcome::success("0 1 2 3 4\n"), "{script}");
    }
}

#[test]
fn credentials_arrive_as_they_were_written() {
    let Some(peer) = Peer::start(KX, &[]) else {
        return;
    };
    for credentials in ["user", "user:password", "user:pass:word", ":password"] {
        let outcome = hopen(&[&peer.handle(&format!(":{credentials}")), "2+3"]);
        assert_eq!(outcome, Outcome::success("5\n"), "{credentials}");
        let line = peer.line();
        let seen = line
            .strip_prefix("login ")
            .and_then(|rest| rest.rsplit_once(' '));
        assert_eq!(
            seen.map(|(seen, _capability)| seen),
            Some(credentials),
            "{line}"
        );
    }
}

#[test]
fn a_login_is_accepted_with_the_password_and_refused_without() {
    let Some(peer) = Peer::start(AIOKDB, &["--password", "word"]) else {
        return;
    };
    assert_eq!(
        hopen(&[&peer.handle(":user:word"), "2+3"]),
        Outcome::success("5\n")
    );
    hopen(&[&peer.handle(":user:other"), "2+3"]).assert_not_connected("access");
}

#[test]
fn a_server_that_closes_without_a_byte_refused_the_login() {
    let Some(peer) = Peer::start(KX, &["--refuse"]) else {
        return;
    };
    hopen(&[&peer.handle(""), "2+3"]).assert_not_connected("access");
}

#[test]
fn a_server_that_never_answers_the_login_is_a_time_out() {
    let Some(peer) = Peer::start(KX, &["--silent"]) else {
        return;
    };
    hopen(&["--timeout", "200", &peer.handle(""), "2+3"]).assert_not_connected("timeout");
}

#[test]
fn an_old_server_with_capability_1_is_understood() {
    let Some(peer) = Peer::start(KX, &["--reply", "1"]) else {
        return;
    };
    assert_eq!(
        hopen(&[&peer.handle(""), "til 5"]),
        Outcome::success("0 1 2 3 4\n")
    );
}

#[test]
fn localhost_finds_a_server_that_listens_on_ipv4_only() {
    let Some(peer) = Peer::start(AIOKDB, &[]) else {
        return;
    };
    let handle = format!(":localhost:{}", peer.port());
    assert_eq!(hopen(&[&handle, "til 5"]), Outcome::success("0 1 2 3 4\n"));
}

/// How the program ended and what it printed.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn success(stdout: &str) -> Self {
        Self {
            code: Some(0),
            stdout: stdout.to_owned(),
            stderr: String::new(),
        }
    }

    fn failure(code: i32, stderr: &str) -> Self {
        Self {
            code: Some(code),
            stdout: String::new(),
            stderr: stderr.to_owned(),
        }
    }

    #[track_caller]
    fn assert_not_connected(&self, word: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        assert!(self.stderr.contains(word), "{self:?}");
    }
}

fn hopen(arguments: &[&str]) -> Outcome {
    hopen_with_input(arguments, "")
}

/// Runs the program to its end. A test that gives up drops its peer, which ends the program too.
fn hopen_with_input(arguments: &[&str], input: &str) -> Outcome {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hopen"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cargo has built it");
    let mut stdin = program.stdin.take().expect("it is piped");
    // A program that does not read its input may be gone by now.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(program.wait_with_output()));
    let output = ended
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| panic!("hopen {arguments:?} does not end"))
        .expect("its output can be read");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("it prints UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("it prints UTF-8"),
    }
}

//! The program against servers that others wrote: aiokdb's, and one whose bytes KX's own C library
//! makes. Skipped, with a word about it, unless `HOPEN_INTEROP_PYTHON` names a Python that has them;
//! `.ci/run` sets one up.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod peers;
#[cfg(test)]
mod program;
#[cfg(test)]
mod python;
#[cfg(test)]
mod vectors;

use peers::Peer;
use program::{Outcome, hopen, run};

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
            ask(&[&peer.handle(""), query]),
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
            ask(&[&peer.handle(""), query]),
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
    assert!(ask(&[&peer.handle(""), "til 100000"]) == Outcome::success(&printed));
}

#[test]
fn an_error_of_the_server_goes_to_standard_error_with_exit_1() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let outcome = ask(&[&peer.handle(""), "nosuch"]);
        assert_eq!(outcome, Outcome::new(1, "", "'nosuch\n"), "{script}");
    }
}

#[test]
fn a_message_pushed_before_the_answer_is_not_taken_for_it() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let outcome = ask(&[&peer.handle(""), "push then 2+3"]);
        assert_eq!(outcome, Outcome::success("5\n"), "{script}");
    }
}

#[test]
fn an_async_query_arrives_and_nothing_is_printed() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let outcome = ask(&["--async", &peer.handle(""), "a:1"]);
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
        let outcome = hopen(&[&peer.handle("")], "til 5");
        assert_eq!(outcome, Outcome::success("0 1 2 3 4\n"), "{script}");
    }
}

#[test]
fn credentials_arrive_as_they_were_written() {
    let Some(peer) = Peer::start(KX, &[]) else {
        return;
    };
    for credentials in ["user", "user:password", "user:pass:word", ":password"] {
        let outcome = ask(&[&peer.handle(&format!(":{credentials}")), "2+3"]);
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
        ask(&[&peer.handle(":user:word"), "2+3"]),
        Outcome::success("5\n")
    );
    assert_not_connected(&ask(&[&peer.handle(":user:other"), "2+3"]), "access");
}

#[test]
fn a_server_that_closes_without_a_byte_refused_the_login() {
    let Some(peer) = Peer::start(KX, &["--refuse"]) else {
        return;
    };
    assert_not_connected(&ask(&[&peer.handle(""), "2+3"]), "access");
}

#[test]
fn a_server_that_never_answers_the_login_is_a_time_out() {
    let Some(peer) = Peer::start(KX, &["--silent"]) else {
        return;
    };
    assert_not_connected(
        &ask(&["--timeout", "200", &peer.handle(""), "2+3"]),
        "timeout",
    );
}

#[test]
fn an_old_server_with_capability_1_is_understood() {
    let Some(peer) = Peer::start(KX, &["--reply", "1"]) else {
        return;
    };
    assert_eq!(
        ask(&[&peer.handle(""), "til 5"]),
        Outcome::success("0 1 2 3 4\n")
    );
}

#[test]
fn localhost_finds_a_server_that_listens_on_ipv4_only() {
    let Some(peer) = Peer::start(AIOKDB, &[]) else {
        return;
    };
    let handle = format!(":localhost:{}", peer.port());
    assert_eq!(ask(&[&handle, "til 5"]), Outcome::success("0 1 2 3 4\n"));
}

#[test]
fn kxs_own_validator_accepts_whatever_recode_writes() {
    let messages = vectors::lines(&vectors::public(), "hex");
    let compressed = vectors::lines(&vectors::compressed(), "compressed_hex");
    for (messages, options) in [
        (&messages, &["--order", "little"][..]),
        (&messages, &["--order", "big"]),
        (&messages, &["--compress", "always"]),
        (&compressed, &["--compress", "keep"]),
    ] {
        let Some(mut validator) = python::script("client_bytes.py") else {
            return;
        };
        let written = hopen(&[&["recode"], options].concat(), messages);
        assert_eq!((written.code, written.stderr.as_str()), (Some(0), ""));
        let verdicts = run(&mut validator, &written.stdout);
        let accepted = "ok\n".repeat(messages.lines().count());
        assert_eq!(verdicts, Outcome::success(&accepted), "{options:?}");
    }
}

/// Runs the program to its end, with nothing on its standard input.
fn ask(arguments: &[&str]) -> Outcome {
    hopen(arguments, "")
}

#[track_caller]
fn assert_not_connected(outcome: &Outcome, word: &str) {
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(2), ""),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains(word), "{outcome:?}");
}

//! `hopen HANDLE [QUERY…]` against servers that follow a script.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod program;
#[cfg(test)]
mod server;

use std::fs;

use program::{Outcome, command, hopen, run};
use server::{ASYNC, IDENTITY, Server, chars, long};

#[test]
fn queries_are_asked_in_turn_over_one_connection() {
    let server = Server::start(|peer| {
        peer.accept();
        let queries = [
            peer.answer(&long(5)),
            peer.answer(IDENTITY),
            peer.answer(&chars("text")),
        ];
        assert!(peer.rest().is_empty());
        queries
    });
    let outcome = hopen(&[&server.handle(""), "2+3", "a:1", "string `text"], "");
    assert_eq!(outcome, Outcome::success("5\n\"text\"\n"));
    assert_eq!(server.seen(), ["2+3", "a:1", "string `text"].map(chars));
}

#[test]
fn a_query_may_begin_with_a_dash_or_look_like_an_option() {
    for (arguments, query) in [
        (&["-2+3"][..], "-2+3"),
        (&["--", "-2+3"], "-2+3"),
        (&["--async"], "--async"),
        (&["-h"], "-h"),
        (&["decode"], "decode"),
        (&["-"], "-"),
    ] {
        let server = Server::start(|peer| {
            peer.accept();
            peer.answer(&long(1))
        });
        let handle = server.handle("");
        let outcome = hopen(&[&["--timeout", "30000", &handle], arguments].concat(), "");
        assert_eq!(outcome, Outcome::success("1\n"), "{arguments:?}");
        assert_eq!(server.seen(), chars(query));
    }
}

#[test]
fn all_of_standard_input_is_one_query_without_its_last_newline() {
    for (input, query) in [
        ("til 5", "til 5"),
        ("til 5\n", "til 5"),
        ("til 5\r\n", "til 5"),
        ("a:1\n\nb:2\n\n", "a:1\n\nb:2\n"),
        ("", ""),
    ] {
        let server = Server::start(|peer| {
            peer.accept();
            peer.answer(&long(1))
        });
        assert_eq!(hopen(&[&server.handle("")], input), Outcome::success("1\n"));
        assert_eq!(server.seen(), chars(query), "{input:?}");
    }
}

#[test]
fn a_query_is_bytes_in_no_particular_encoding() {
    let server = Server::start(|peer| {
        peer.accept();
        peer.answer(&chars(b"\xfc"))
    });
    let outcome = hopen(&[&server.handle("")], b"\"\xfc\"");
    assert_eq!(outcome, Outcome::success(",\"\\374\"\n"));
    assert_eq!(server.seen(), chars(b"\"\xfc\""));
}

#[test]
fn an_error_of_q_ends_the_queries() {
    let server = Server::start(|peer| {
        peer.accept();
        peer.answer(&long(1));
        peer.answer(b"\x80type\0");
        peer.rest()
    });
    let outcome = hopen(&[&server.handle(""), "1", "1+`a", "2"], "");
    assert_eq!(outcome, Outcome::new(1, "1\n", "'type\n"));
    assert!(server.seen().is_empty(), "nothing more was asked");
}

#[test]
fn an_error_text_does_not_drive_the_terminal() {
    let server = Server::start(|peer| {
        peer.accept();
        peer.answer(b"\x80\x1b[2J\xff\0");
    });
    let outcome = hopen(&[&server.handle(""), "x"], "");
    assert_eq!(outcome, Outcome::new(1, "", "'\\033[2J\\377\n"));
}

#[test]
fn what_is_pushed_before_the_answer_is_not_taken_for_it() {
    let server = Server::start(|peer| {
        peer.accept();
        peer.send_message(ASYNC, &chars("welcome"));
        peer.message();
        peer.send_message(ASYNC, &chars("news"));
        peer.send_message(server::RESPONSE, &long(5));
    });
    assert_eq!(
        hopen(&[&server.handle(""), "2+3"], ""),
        Outcome::success("5\n")
    );
}

#[test]
fn with_async_everything_is_sent_and_nothing_awaited() {
    let server = Server::start(|peer| {
        peer.accept();
        let messages = [peer.message(), peer.message()];
        assert!(peer.rest().is_empty());
        messages
    });
    let handle = server.handle("");
    let arguments = ["--async", &handle];
    let outcome = hopen(&[&arguments[..], &["a:1", "b:2"]].concat(), "");
    assert_eq!(outcome, Outcome::success(""));
    assert_eq!(
        server.seen(),
        [(ASYNC, chars("a:1")), (ASYNC, chars("b:2"))]
    );
}

#[test]
fn an_async_query_arrives_also_where_the_server_pushes_something_meanwhile() {
    let server = Server::start(|peer| {
        peer.accept();
        let header = peer.header();
        // A system resets a connection that is closed with something unread, and drops what it
        // has not sent by then.
        peer.send_message(ASYNC, &chars("news"));
        let message = peer.body(header);
        peer.send_message(ASYNC, &chars("thanks"));
        assert!(peer.rest().is_empty());
        message
    });
    // More than the systems on both sides keep for a reader who does not read.
    let query = "x".repeat(16 * 1024 * 1024);
    let outcome = hopen(&["--async", &server.handle("")], &query);
    assert_eq!(outcome, Outcome::success(""));
    assert!(server.seen() == (ASYNC, chars(query)));
}

#[test]
fn a_password_comes_from_a_file_or_the_environment_where_the_handle_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "from:file\nand a note\n").unwrap();
    let file = ["--password-file", file.to_str().unwrap()];
    let variable = "from environment";
    for (options, variable, credentials, login) in [
        (&file[..], None, ":ann", "ann:from:file"),
        (&file, None, "", ":from:file"),
        (&file, Some(variable), ":ann", "ann:from:file"),
        (&file, Some(variable), ":ann:own", "ann:own"),
        (&file, Some(variable), ":ann:", "ann:"),
        (&[], Some(variable), ":ann", "ann:from environment"),
        (&[], Some(variable), "", ":from environment"),
        (&[], Some(variable), ":ann:own", "ann:own"),
        (&[], Some(""), ":ann", "ann"),
        (&[], None, "", ""),
    ] {
        let server = Server::start(|peer| {
            let login = peer.accept();
            peer.answer(&long(1));
            login
        });
        let handle = server.handle(credentials);
        let mut command = command(&[options, &[&handle, "1"]].concat());
        command.envs(variable.map(|value| ("HOPEN_PASSWORD", value)));
        assert_eq!(run(&mut command, ""), Outcome::success("1\n"));
        assert_eq!(String::from_utf8(server.seen()).unwrap(), login);
    }
}

#[test]
fn a_password_file_that_cannot_be_read_is_named() {
    let outcome = hopen(&["--password-file", "/no/such/file", "::1", "1"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(66), ""));
    assert!(outcome.stderr.contains("/no/such/file"), "{outcome:?}");
}

#[test]
fn a_refused_login_is_access_and_does_not_show_the_password() {
    let server = Server::start(|peer| peer.login());
    let handle = server.handle(":ann:secret");
    let outcome = hopen(&[&handle, "1"], "");
    let stderr = format!("'access ({})\n", server.handle(":ann"));
    assert_eq!(outcome, Outcome::new(2, "", &stderr));
    assert_eq!(server.seen(), b"ann:secret");
}

#[test]
fn a_refused_connection_is_what_q_says() {
    // Ports below 1024 are given out to nobody who asks for any, and nobody serves this one.
    let handle = ":127.0.0.1:1:ann:secret";
    let outcome = hopen(&[handle, "1"], "");
    let without_password = handle.strip_suffix(":secret").unwrap();
    let stderr = format!("'hop. OS reports: Connection refused ({without_password})\n");
    assert_eq!(outcome, Outcome::new(2, "", &stderr));
}

#[test]
fn a_server_that_does_not_answer_the_login_is_a_timeout() {
    let server = Server::start(|peer| {
        peer.login();
        peer.rest()
    });
    let outcome = hopen(&["--timeout", "100", &server.handle(""), "1"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert!(outcome.stderr.starts_with("'timeout"), "{outcome:?}");
    assert!(server.seen().is_empty());
}

#[test]
fn a_connection_that_ends_before_the_answer_is_no_answer() {
    let server = Server::start(|peer| {
        peer.accept();
        peer.answer(&long(1));
        peer.message();
    });
    let outcome = hopen(&[&server.handle(""), "1", "exit 0"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), "1\n"));
    assert!(outcome.stderr.starts_with('\''), "{outcome:?}");
}

#[test]
fn an_answer_that_is_no_value_is_badmsg() {
    let server = Server::start(|peer| {
        peer.accept();
        peer.answer(&[0xff, 2]);
    });
    let outcome = hopen(&[&server.handle(""), "1"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert!(outcome.stderr.starts_with("'badmsg"), "{outcome:?}");
}

#[cfg(unix)]
#[test]
fn what_takes_long_is_shown_on_the_terminal_until_it_is_there() {
    use rexpect::session::spawn_command;

    let patience = Some(60_000);
    let (told, goes_on) = std::sync::mpsc::channel();
    let server = Server::start(move |peer| {
        peer.accept();
        peer.answer(&chars("quick"));
        peer.message();
        // The terminal has shown that somebody waits.
        goes_on.recv().unwrap();
        let body = chars("x".repeat(4096));
        let length = (body.len() as u32 + 8).to_le_bytes();
        peer.send(&[&[1, server::RESPONSE, 0, 0], &length[..], &body[..2040]].concat());
        // And how much has come.
        goes_on.recv().unwrap();
        peer.send(&body[2040..]);
        peer.rest()
    });
    let program = command(&["--short", &server.handle(""), "quick", "slow"]);
    let mut session = spawn_command(program, patience).unwrap();
    let before = session.exp_string("\"quick\"\r\n").unwrap();
    assert_eq!(before, "", "what comes at once shows nothing");
    session.exp_string("waiting for the answer, ").unwrap();
    told.send(()).unwrap();
    session.exp_string("2.00 KiB/4.01 KiB").unwrap();
    told.send(()).unwrap();
    // What was drawn is cleared before the answer.
    let drawn = session.exp_string("\"xxx").unwrap();
    assert!(drawn.ends_with("\r\x1b[2K"), "{drawn:?}");
    session.exp_eof().unwrap();
    assert!(server.seen().is_empty());
}

#[test]
fn wrong_usage_says_what_to_write_and_never_a_password() {
    for (arguments, says) in [
        (&["localhost:5010", "1"][..], "write :localhost:5010"),
        (&[":5010", "1"], "write ::5010"),
        (&["localhost:5010:ann:secret", "1"], "write :localhost:5010"),
        (&[":h:0:ann:secret", "1"], "the port is 0"),
        (&["--timeout", ":h:1:ann:secret", "1"], "--timeout <MS>"),
        (&["--timeout=0", "::1", "1"], "--timeout <MS>"),
        (&["--async=:h:1:ann:secret", "1"], "--async"),
        (&["--:h:1:ann:secret", "1"], "unexpected argument"),
        (&["--nosuch", "::1", "1"], "--nosuch"),
        (&["--timeout", "5"], "<HANDLE>"),
        (&[], "<HANDLE>"),
        (&["decode", "--nosuch"], "--nosuch"),
        (&["recode", "--order", "middle"], "little, big"),
    ] {
        let outcome = hopen(arguments, "");
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(64), ""));
        assert!(outcome.stderr.contains(says), "{outcome:?}");
        assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for (arguments, says) in [
        (&["--help"][..], "HOPEN_PASSWORD"),
        (&["--help"], "KX_SSL_CA_CERT_FILE"),
        (&["--help"], "\n  \\\\           leaves"),
        (&["-h"], "Usage: hopen [OPTIONS] HANDLE [QUERY]..."),
        (&["read", "--help"], ":fifo://PATH"),
        (&["append", "--help"], "hopen append --raw HANDLE"),
        (&["serve", "--help"], "KX_SSL_CERT_FILE"),
        (&["decode", "--help"], "hex line"),
        (&["recode", "--help"], "KX's C library"),
        (&["--version"], concat!("hopen ", env!("CARGO_PKG_VERSION"))),
    ] {
        let outcome = hopen(arguments, "");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        assert!(outcome.stdout.contains(says), "{outcome:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn of_a_password_file_without_an_end_no_more_is_read_than_a_login_may_be() {
    let outcome = hopen(&["--password-file", "/dev/zero", "::1", "1"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(64), ""));
    assert!(outcome.stderr.contains("/dev/zero"), "{outcome:?}");
}

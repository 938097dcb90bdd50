//! `hopen HANDLE` against `hopen serve`: by every kind of handle, what is refused, and how answers
//! print for programs.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod certificates;
#[cfg(test)]
mod program;
#[cfg(test)]
mod serving;

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use hopen_codec::value::Value;

use certificates::Certificates;
use program::{Outcome, command, hopen, run};
use serving::Serving;

#[test]
fn every_kind_of_handle_is_asked() {
    let certificates = Certificates::new();
    let guarded = serve(&certificates, "both", &["--user", "ann:se:cret"]);
    let port = guarded.port();
    let mut handles = vec![
        format!(":localhost:{port}:ann:se:cret"),
        format!("::{port}:ann:se:cret"),
        format!("`:127.0.0.1:{port}:ann:se:cret"),
        format!("(`::{port}:ann:se:cret;60000)"),
        format!("(\":localhost:{port}:ann:se:cret\";60000)"),
        format!(":tcps://localhost:{port}:ann:se:cret"),
        format!("`:tcps://localhost:{port}:ann:se:cret"),
        format!("(`:tcps://localhost:{port}:ann:se:cret;60000)"),
    ];
    if cfg!(unix) {
        handles.extend([
            format!(":unix://{port}:ann:se:cret"),
            format!(":unixs://{port}:ann:se:cret"),
            format!("(`:unixs://{port}:ann:se:cret;60000)"),
        ]);
    }
    for handle in handles {
        let outcome = ask(&certificates, &handle, "til 5");
        assert_eq!(outcome, Outcome::success("0 1 2 3 4\n"), "{handle}");
    }
    let open = Serving::start(&[]);
    for handle in [open.port().to_string(), format!("({};60000)", open.port())] {
        let outcome = hopen(&[&handle, "til 5"], "");
        assert_eq!(outcome, Outcome::success("0 1 2 3 4\n"), "{handle}");
    }
}

#[test]
fn the_time_out_of_a_handle_holds_and_is_not_said_twice() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let handle = format!("(`::{port}:ann:secret;100)");
    let outcome = hopen(&[&handle, "1"], "");
    let stderr = format!("'timeout while logging in (::{port}:ann)\n");
    assert_eq!(outcome, Outcome::new(2, "", &stderr));
    let outcome = hopen(&["--timeout", "5", &handle, "1"], "");
    assert_eq!(outcome.code, Some(64), "{outcome:?}");
    assert!(outcome.stderr.contains("write no --timeout"), "{outcome:?}");
    assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
}

#[test]
fn a_certificate_is_verified_as_the_environment_says() {
    let certificates = Certificates::new();
    let serving = serve(&certificates, "tls", &[]);
    let by = |host: &str, variables: &[(&str, &str)]| {
        let handle = format!(":tcps://{host}:{}", serving.port());
        let mut command = command(&[&handle, "2+2"]);
        run(command.envs(variables.iter().copied()), "")
    };
    let ca = certificates.path("ca.pem");
    let ca = ca.as_str();
    for (host, variables) in [
        ("localhost", &[("KX_SSL_CA_CERT_FILE", ca)][..]),
        ("localhost", &[("SSL_CA_CERT_FILE", ca)]),
        (
            "127.0.0.1",
            &[("KX_SSL_CA_CERT_FILE", ca), ("KX_SSL_VERIFY_SERVER", "YES")],
        ),
        ("127.0.0.1", &[("KX_SSL_VERIFY_SERVER", "NO")]),
    ] {
        assert_eq!(
            by(host, variables),
            Outcome::success("4\n"),
            "{variables:?}"
        );
    }
    for (host, variables, says) in [
        (
            "127.0.0.1",
            &[("KX_SSL_CA_CERT_FILE", ca)][..],
            "another name",
        ),
        (
            "localhost",
            &[("KX_SSL_CA_CERT_FILE", "/no/such/file")],
            "/no/such/file",
        ),
        (
            "localhost",
            &[("KX_SSL_VERIFY_SERVER", "yes")],
            "KX_SSL_VERIFY_SERVER",
        ),
    ] {
        let outcome = by(host, variables);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
        assert!(outcome.stderr.starts_with("'TLS: "), "{outcome:?}");
        assert!(outcome.stderr.contains(says), "{outcome:?}");
    }
}

#[test]
fn a_port_takes_the_clients_of_its_mode() {
    let certificates = Certificates::new();
    for (mode, plain, tls) in [
        ("plain", true, false),
        ("tls", false, true),
        ("both", true, true),
    ] {
        let serving = match mode {
            "plain" => Serving::start(&["--tls-mode", mode]),
            _ => serve(&certificates, mode, &[]),
        };
        let port = serving.port();
        let mut handles = vec![
            (format!("::{port}"), plain),
            (format!(":tcps://localhost:{port}"), tls),
        ];
        if cfg!(unix) {
            handles.push((format!(":unix://{port}"), plain));
            handles.push((format!(":unixs://{port}"), tls));
        }
        for (handle, is_taken) in handles {
            let outcome = ask(&certificates, &handle, "2+2");
            if is_taken {
                assert_eq!(outcome, Outcome::success("4\n"), "{mode} {handle}");
            } else {
                assert_eq!(outcome.code, Some(2), "{mode} {handle}: {outcome:?}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_the_mode_is_closed_while_others_are_answered() {
    let certificates = Certificates::new();
    let ca = certificates.path("ca.pem");
    let hello = client_hello(&ca);
    for (mode, scheme, bytes, says) in [
        ("tls", "tcps", &b"ann:secret\x03\0"[..], "TLS alone"),
        ("plain", "", &hello, "a plain one"),
    ] {
        let serving = match mode {
            "plain" => Serving::start(&[]),
            _ => serve(&certificates, mode, &[]),
        };
        let port = serving.port();
        let mut options = match scheme {
            "" => hopen_blocking::Options::from(port),
            _ => format!(":tcps://localhost:{port}").try_into().unwrap(),
        };
        options.tls = Some(trusting(&ca));
        let mut other = hopen_blocking::hopen(options).unwrap();
        assert_eq!(other.get("n:1").unwrap(), Value::IDENTITY);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        assert_eq!(other.get("n").unwrap(), Value::from(1_i64));
        // Closed, whether the system says so by an end or by a reset. No time-out: the server has
        // to act first.
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
        assert!(answer.is_empty(), "{mode}: {answer:?}");
        let complaint = serving.complaint();
        assert!(complaint.contains(says), "{complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
        assert_eq!(other.get("n").unwrap(), Value::from(1_i64));
    }
}

#[test]
fn openssl_connects_by_tls_from_1_2_on() {
    if Command::new("openssl").arg("version").output().is_err() {
        let _ = io::stderr().write_all(b"skipped: there is no openssl\n");
        return;
    }
    let certificates = Certificates::new();
    let ca = certificates.path("ca.pem");
    let serving = serve(&certificates, "tls", &[]);
    let target = format!("localhost:{}", serving.port());
    for (version, is_taken) in [("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &target, version, "-CAfile", &ca])
            // Without it, OpenSSL's end would not offer 1.1 at all.
            .args(["-cipher", "DEFAULT@SECLEVEL=0"])
            .args(["-verify_return_error", "-verify_hostname", "localhost"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.success(), is_taken, "{version}: {output:?}");
        // It is the server that refuses.
        let says = String::from_utf8_lossy(&output.stderr);
        assert_eq!(says.contains("alert"), !is_taken, "{version}: {says}");
    }
    let handle = format!(":tcps://{target}");
    assert_eq!(ask(&certificates, &handle, "2+2"), Outcome::success("4\n"));
}

#[test]
fn clients_are_verified_as_the_environment_says() {
    let certificates = Certificates::new();
    let [ca, leaf, key] =
        ["ca.pem", "leaf.pem", "leaf-key.pem"].map(|name| certificates.path(name));
    for (verify, with, without) in [
        ("NO", true, true),
        ("IFPRESENT", true, true),
        ("YES", true, false),
    ] {
        let serving = Serving::start_with(
            &["--tls-mode", "tls"],
            &[
                ("KX_SSL_CERT_FILE", &leaf),
                ("KX_SSL_KEY_FILE", &key),
                ("KX_SSL_CA_CERT_FILE", &ca),
                ("KX_SSL_VERIFY_CLIENT", verify),
            ],
        );
        let handle = format!(":tcps://localhost:{}", serving.port());
        for (is_taken, shows) in [(with, true), (without, false)] {
            let mut command = command(&[&handle, "2+2"]);
            command.env("KX_SSL_CA_CERT_FILE", &ca);
            if shows {
                command.env("KX_SSL_CERT_FILE", &leaf);
                command.env("KX_SSL_KEY_FILE", &key);
            }
            let outcome = run(&mut command, "");
            if is_taken {
                assert_eq!(outcome, Outcome::success("4\n"), "{verify}, shown: {shows}");
            } else {
                assert_eq!(outcome.code, Some(2), "{verify}, shown: {shows}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn without_its_socket_a_process_is_reached_by_its_port_alone() {
    let serving = Serving::start(&["--no-unix"]);
    let outcome = hopen(&[&format!(":unix://{}", serving.port()), "2+2"], "");
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(
        outcome.stderr.starts_with("'hop. OS reports: "),
        "{outcome:?}"
    );
    let outcome = hopen(&[&serving.handle(""), "2+2"], "");
    assert_eq!(outcome, Outcome::success("4\n"));
}

#[cfg(unix)]
#[test]
fn the_warning_names_all_that_is_open() {
    let certificates = Certificates::new();
    let [ca, leaf, key] =
        ["ca.pem", "leaf.pem", "leaf-key.pem"].map(|name| certificates.path(name));
    let tls = [
        "--listen",
        "0W",
        "--tls-mode",
        "tls",
        "--tls-cert",
        &leaf,
        "--tls-key",
        &key,
    ];
    let trusts = ("KX_SSL_CA_CERT_FILE", ca.as_str());
    for (arguments, variables, warns) in [
        (&["--listen", "0W", "--no-unix"][..], &[][..], true),
        (&tls, &[], true),
        (&tls, &[trusts, ("KX_SSL_VERIFY_CLIENT", "IFPRESENT")], true),
        (&tls, &[trusts, ("KX_SSL_VERIFY_CLIENT", "YES")], false),
    ] {
        let serving = Serving::start_with(arguments, variables);
        let address = serving.address.clone();
        let stderr = serving.stop("TERM").stderr;
        assert_eq!(
            stderr.starts_with("warning: whoever reaches "),
            warns,
            "{stderr}"
        );
        assert!(!warns || stderr.contains(&address), "{stderr}");
        let has_socket = !arguments.contains(&"--no-unix");
        assert_eq!(stderr.contains("/tmp/kx."), warns && has_socket, "{stderr}");
    }
}

#[test]
fn what_tls_lacks_is_no_port() {
    let certificates = Certificates::new();
    let key = certificates.path("leaf-key.pem");
    for (arguments, says) in [
        (&["--tls-mode", "tls"][..], "certificate"),
        (
            &[
                "--tls-mode",
                "both",
                "--tls-cert",
                "/no/such/file",
                "--tls-key",
                &key,
            ],
            "/no/such/file",
        ),
        (
            &["--tls-mode", "both", "--tls-cert", &key, "--tls-key", &key],
            "certificate",
        ),
    ] {
        let outcome = hopen(&[&["serve"], arguments].concat(), "");
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
        assert!(outcome.stderr.starts_with("error: TLS: "), "{outcome:?}");
        assert!(outcome.stderr.contains(says), "{outcome:?}");
    }
}

#[test]
fn wrong_usage_says_what_to_write_and_never_a_password() {
    for (arguments, says) in [
        (&[":fifo:///tmp/trades", "1"][..], "`hopen read` reads"),
        (&[":notes.txt", "1"], "`hopen append` appends"),
        (&[":unix://host:5010:ann:secret", "1"], "write :unix://PORT"),
        (
            &[":tls://host:5010:ann:secret", "1"],
            "write :tcps://HOST:PORT",
        ),
        (&[":tcps://ann:secret@host:5010", "1"], "behind the port"),
        (&[":unixs://0:ann:secret", "1"], "the port is 0"),
        (&["`localhost:5010:ann:secret", "1"], "write "),
        (&["(`::5010:ann:secret)", "1"], "time-out"),
        (&["(`::5010:ann:secret;soon)", "1"], "time-out"),
        (&["(`:tcps://h:5010:ann:secret;5", "1"], "error: "),
        (&["--csv", "--json", "::1", "1"], "--json"),
        (&["--async", "--csv", "::1", "1"], "--csv"),
        (&["--precision", "18", "::1", "1"], "18"),
        (&["--precision", ":h:1:ann:secret", "1"], "--precision"),
        (&["--csv=:h:1:ann:secret", "1"], "--csv"),
        (&["--short=:unix://1:ann:secret", "1"], "--short"),
        (&["serve", "--tls-cert", "a"], "--tls-key"),
        (&["serve", "--tls-key", "a"], "--tls-cert"),
        (
            &["serve", "--tls-cert", "a", "--tls-key", "b"],
            "--tls-mode",
        ),
        (
            &[
                "serve",
                "--tls-mode",
                "tls",
                "--tls-cert",
                ":tcps://h:1:ann:secret",
                "--tls-key",
                "b",
            ],
            "not handles",
        ),
        (
            &["read", ":fifo://host:5010:ann:secret"],
            "write :HOST:PORT",
        ),
        (&["read", ":fifo://5010:ann:secret"], "write :HOST:PORT"),
        (&["read", ":fifo://h:nope:ann:secret"], "write :HOST:PORT"),
        (
            &["append", ":unix://5010:ann:secret", "a"],
            "for a file write :PATH",
        ),
        (&["serve", "--tls-mode", "maybe"], "plain, tls, both"),
        (
            &["serve", "--tls-mode", ":tcps://h:1:ann:secret"],
            "--tls-mode",
        ),
        (&["serve", "--no-unix=:unix://1:ann:secret"], "--no-unix"),
        (&["serve", ":unix://1:ann:secret"], "unexpected argument"),
        (
            &["read", "::5010:ann:secret"],
            "for a pipe write :fifo://PATH",
        ),
        (&["read", ":notes.txt"], "for a pipe write :fifo://PATH"),
        (&["read", "(`:fifo://a;5)"], "no time-out"),
        (
            &["read", "--lines", "--messages", ":fifo://a"],
            "--messages",
        ),
        (&["read", "--gzip=:tcps://h:1:ann:secret"], "--gzip"),
        (
            &["read", ":fifo://a", ":unix://1:ann:secret"],
            "unexpected argument",
        ),
        (&["read"], "<HANDLE>"),
        (
            &["append", "::5010:ann:secret", "a"],
            "for a file write :PATH",
        ),
        (&["append", ":fifo://a", "a"], "for a file write :PATH"),
        (&["append", "(`:a;5)", "a"], "no time-out"),
        (&["append", ":a"], "nothing to append"),
        (&["append", "--raw", ":a", "b"], "write no LINE"),
        (&["append", "localhost:5010:ann:secret", "a"], "write "),
        (&["append"], "HANDLE"),
    ] {
        let outcome = hopen(arguments, "");
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(64), ""),
            "{arguments:?}: {outcome:?}"
        );
        assert!(outcome.stderr.contains(says), "{arguments:?}: {outcome:?}");
        assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
    }
}

#[test]
fn what_is_refused_does_not_show_the_password() {
    let certificates = Certificates::new();
    let serving = serve(&certificates, "both", &["--user", "ann:other"]);
    let port = serving.port();
    let mut handles = vec![
        (
            format!("(`::{port}:ann:secret;60000)"),
            format!("::{port}:ann"),
        ),
        (
            format!(":tcps://localhost:{port}:ann:secret"),
            format!(":tcps://localhost:{port}:ann"),
        ),
    ];
    if cfg!(unix) {
        let schemes = ["unix", "unixs"];
        handles.extend(schemes.map(|scheme| {
            let shown = format!(":{scheme}://{port}:ann");
            (format!("{shown}:secret"), shown)
        }));
    }
    for (handle, shown) in handles {
        let outcome = ask(&certificates, &handle, "1");
        let stderr = format!("'access ({shown})\n");
        assert_eq!(outcome, Outcome::new(2, "", &stderr), "{handle}");
    }
}

#[test]
fn values_print_in_the_form_that_was_asked_for() {
    let serving = Serving::start(&[]);
    let handle = serving.handle("");
    for (options, query, printed) in [
        (&[][..], "(1;`a;\"text\")", "(1;`a;\"text\")\n"),
        (&["--short"], "(1;`a;\"text\")", "(1;`a;\"text\")\n"),
        (&["--csv"], "trade", TRADE),
        (&["--json"], "(1;`a;\"text\")", "[1,\"a\",\"text\"]\n"),
        (&["--json"], "til 3", "[0,1,2]\n"),
        (&["--short"], "a:1", ""),
        (&["--csv"], "a:1", ""),
        (&["--json"], "a:1", ""),
        (&[], "1%3", "0.3333333\n"),
        (&["--precision", "3"], "1%3", "0.333\n"),
        (&["--precision", "3", "--short"], "1%3", "0.333\n"),
        (&["--precision", "0"], "1%3", "0.33333333333333331\n"),
        (
            &["--precision", "0", "--json"],
            "1%3",
            "0.33333333333333331\n",
        ),
        (&["--precision", "3", "--json"], "1%3", "0.333\n"),
    ] {
        let outcome = hopen(&[options, &[&handle, query]].concat(), "");
        assert_eq!(outcome, Outcome::success(printed), "{options:?} {query}");
    }
    let outcome = hopen(&["--json", &handle, "trade"], "");
    let rows: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(rows[2]["sym"], "ibm");
    assert_eq!(rows[2]["price"], 101.5);
    assert_eq!(rows.as_array().unwrap().len(), 6);
}

#[test]
fn what_is_no_table_is_no_csv_and_ends_the_queries() {
    let serving = Serving::start(&[]);
    let handle = serving.handle("");
    let outcome = hopen(&["--csv", &handle, "trade", "til 3", "a:1"], "");
    let stderr = "error: the value is no table: its type is long vector\n";
    assert_eq!(outcome, Outcome::new(1, TRADE, stderr));
    let outcome = hopen(&[&handle, "a"], "");
    assert_eq!(outcome, Outcome::new(1, "", "'a\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let serving = Serving::start(&[]);
    for format in ["--short", "--csv", "--json"] {
        let mut command = command(&[format, &serving.handle(""), "trade"]);
        let full = std::fs::File::options().write(true).open("/dev/full");
        let output = command.stdout(full.unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(74), "{format}: {output:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.starts_with("error: cannot write to standard output"),
            "{stderr}"
        );
    }
}

fn serve(certificates: &Certificates, mode: &str, more: &[&str]) -> Serving {
    let arguments = certificates.arguments(mode);
    let mut arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    arguments.extend(more);
    Serving::start(&arguments)
}

/// Asks, trusting the CA.
fn ask(certificates: &Certificates, handle: &str, query: &str) -> Outcome {
    let mut command = command(&[handle, query]);
    run(
        command.env("KX_SSL_CA_CERT_FILE", certificates.path("ca.pem")),
        "",
    )
}

fn trusting(ca: &str) -> hopen_tls::Client {
    let mut settings = hopen_tls::Settings::default();
    settings.ca_file = Some(ca.into());
    hopen_tls::Client::new(&settings).expect("the CA can be read")
}

/// What a client that speaks TLS says first.
fn client_hello(ca: &str) -> Vec<u8> {
    let mut hello = Vec::new();
    let mut connection = trusting(ca).connect("localhost").expect("it is a name");
    connection.write_tls(&mut hello).expect("it is in memory");
    hello
}

/// How long a process may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The table of a scratch process.
const TRADE: &str = "\
time,sym,price,size
0D09:30:00.000000000,ibm,101.25,300
0D09:30:00.000000000,msft,52.5,200
0D09:31:00.000000000,ibm,101.5,100
0D09:33:00.000000000,amd,33.75,500
0D09:33:00.000000000,msft,52.25,400
0D09:35:00.000000000,ibm,101,250
";

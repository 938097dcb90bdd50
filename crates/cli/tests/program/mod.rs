//! Runs the program.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How the program ended and what it printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn new(code: i32, stdout: &str, stderr: &str) -> Self {
        Self {
            code: Some(code),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    pub(crate) fn success(stdout: &str) -> Self {
        Self::new(0, stdout, "")
    }
}

/// Runs the program to its end.
pub(crate) fn hopen(arguments: &[&str], input: impl AsRef<[u8]>) -> Outcome {
    run(&mut command(arguments), input)
}

/// The program, without what its environment could say of passwords, TLS and sockets.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hopen"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_tls = text.starts_with("SSL_") || text.starts_with("KX_SSL_");
        if is_tls || text == "HOPEN_PASSWORD" || text == "QUDSPATH" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command, input: impl AsRef<[u8]>) -> Outcome {
    let mut program = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cargo has built it");
    let mut stdin = program.stdin.take().expect("it is piped");
    let input = input.as_ref().to_vec();
    // Beside the reading of the output, or both sides would wait where it is long.
    let writer = thread::spawn(move || {
        // A program that does not read its input may be gone by now.
        let _ = stdin.write_all(&input);
    });
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(program.wait_with_output()));
    let output = ended
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| panic!("{command:?} does not end"))
        .expect("its output can be read");
    writer.join().expect("it does not panic");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("it prints UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("it prints UTF-8"),
    }
}

/// How long the program may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

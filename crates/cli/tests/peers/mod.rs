//! Other people's servers, which the scripts in `tests/interop` start.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// The environment variable that names a Python with `tests/interop/requirements.txt` installed.
const PYTHON: &str = "HOPEN_INTEROP_PYTHON";

/// How long a peer, or the program that talks to one, may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server on this machine; it ends when this is dropped.
pub(crate) struct Peer {
    process: Child,
    lines: Receiver<String>,
    port: u16,
}

impl Peer {
    /// Starts a script of `tests/interop` and waits until it listens.
    ///
    /// `None`, with the reason on standard error, where no Python is named.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Option<Self> {
        let Some(python) = std::env::var_os(PYTHON) else {
            let reason = format!("skipped: {PYTHON} names no Python with {script}'s libraries\n");
            // Not `eprintln!`, which the test runner would keep to itself; in one write, so that
            // the lines of several tests do not mix. `.ci/run` counts them.
            let _ = io::stderr().write_all(reason.as_bytes());
            return None;
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/interop")
            .join(script);
        let mut process = Command::new(&python)
            .arg("-B")
            .arg(path)
            .args(arguments)
            .stdin(Stdio::piped()) // closed when we end, however we end
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{PYTHON} is {python:?}: {error}"));
        let stdout = process.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut peer = Self {
            process,
            lines,
            port: 0,
        };
        let first = peer.line();
        peer.port = first
            .strip_prefix("listening on 127.0.0.1:")
            .and_then(|port| port.parse().ok())
            .unwrap_or_else(|| panic!("{script} said {first:?} instead of where it listens"));
        Some(peer)
    }

    /// The next line that the peer prints.
    pub(crate) fn line(&self) -> String {
        self.lines
            .recv_timeout(PATIENCE)
            .expect("the peer runs and has something to say")
    }

    /// Where the peer listens, as `hopen` wants it, and what follows the port.
    pub(crate) fn handle(&self, credentials: &str) -> String {
        format!(":127.0.0.1:{}{credentials}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

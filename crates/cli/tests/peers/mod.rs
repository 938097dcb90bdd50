//! Other people's servers, which the scripts in `tests/interop` start.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::python;

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
    /// `None`, with the reason on standard error, where there is no Python for it.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Option<Self> {
        let mut command = python::script(script)?;
        let mut process = command
            .args(arguments)
            .stdin(Stdio::piped()) // closed when we end, however we end
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
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

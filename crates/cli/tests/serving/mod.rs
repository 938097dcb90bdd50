//! A scratch process: `hopen serve`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::program::{Outcome, command};

/// A process that listens; it ends when this is dropped.
pub(crate) struct Serving {
    process: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// As the process says it.
    pub(crate) address: String,
}

impl Serving {
    /// Starts one and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// Starts one with these variables in its environment.
    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut process = command(&[&["serve"], arguments].concat())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cargo has built it");
        let stdout = lines(process.stdout.take().expect("it is piped"));
        let stderr = lines(process.stderr.take().expect("it is piped"));
        let mut serving = Self {
            process,
            stdout,
            stderr,
            address: String::new(),
        };
        let first = serving.stdout.recv_timeout(PATIENCE);
        serving.address = first
            .as_ref()
            .ok()
            .and_then(|line| line.strip_prefix("listening on "))
            .unwrap_or_else(|| panic!("{arguments:?}: {first:?} instead of where it listens"))
            .to_owned();
        serving
    }

    /// Returns the port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        let port = self.address.rsplit_once(':').map(|(_, port)| port.parse());
        port.and_then(Result::ok).expect("an address has a port")
    }

    /// Where it listens on this host, as `hopen` wants it, and what follows the port.
    pub(crate) fn handle(&self, credentials: &str) -> String {
        format!(":127.0.0.1:{}{credentials}", self.port())
    }

    /// Returns the most memory that it has had so far, in bytes.
    #[cfg(target_os = "linux")]
    #[allow(dead_code, reason = "one file of tests needs it")]
    pub(crate) fn peak_memory(&self) -> usize {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: Option<usize> = kibibytes.and_then(|number| number.parse().ok());
        1024 * kibibytes.expect("Linux says it in kB")
    }

    /// Returns the next line of its standard error.
    pub(crate) fn complaint(&self) -> String {
        self.stderr
            .recv_timeout(PATIENCE)
            .expect("it runs and has something to say")
    }

    /// Sends it a signal by its name.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status();
        assert!(sent.expect("a system with signals has kill").success());
    }

    /// Sends it a signal by its name and waits until it has ended. Returns what it has printed since
    /// it listens, but for the [complaints](Self::complaint) that were taken.
    #[cfg(unix)]
    pub(crate) fn stop(mut self, signal: &str) -> Outcome {
        self.signal(signal);
        let (stdout, stderr) = (rest(&self.stdout), rest(&self.stderr));
        // It has closed both, so it has ended or is about to.
        let status = self.process.wait().expect("it was started here");
        Outcome {
            code: status.code(),
            stdout,
            stderr,
        }
    }
}

impl Drop for Serving {
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

/// Returns all lines up to the end of the stream.
#[cfg(unix)]
fn rest(lines: &Receiver<String>) -> String {
    let mut rest = String::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest.extend([line.as_str(), "\n"]),
            Err(mpsc::RecvTimeoutError::Disconnected) => return rest,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the process does not end"),
        }
    }
}

/// How long the process may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

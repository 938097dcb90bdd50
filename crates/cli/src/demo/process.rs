//! A process to talk to: `hopen serve`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::Failure;

/// A scratch process, which ends when this is dropped.
pub(super) struct Process {
    child: Child,
    /// Where it listens: `127.0.0.1:PORT`.
    address: String,
}

impl Process {
    /// Starts one and waits until it listens. What the environment says of TLS and sockets is not for
    /// it.
    pub(super) fn start(arguments: &[&OsStr]) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::Process)?;
        let mut command = Command::new(program);
        for (name, value) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let is_tls = text.starts_with("SSL_") || text.starts_with("KX_SSL_");
            if is_tls || (text == "QUDSPATH" && value.is_empty()) {
                command.env_remove(name);
            }
        }
        let child = command
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Failure::Process)?;
        let mut process = Self {
            child,
            address: String::new(),
        };
        let mut line = String::new();
        if let Some(stdout) = process.child.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut line);
            read.map_err(Failure::Process)?;
        }
        match line.trim_end().strip_prefix("listening on ") {
            Some(address) => process.address = address.to_owned(),
            None => {
                // It has ended, and has said why.
                let mut reason = line;
                if let Some(mut stderr) = process.child.stderr.take() {
                    let read = stderr.read_to_string(&mut reason);
                    read.map_err(Failure::Process)?;
                }
                return Err(Failure::Surprise(reason));
            }
        }
        Ok(process)
    }

    /// Returns where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the port that it listens on.
    pub(super) fn port(&self) -> Result<u16, Failure> {
        let port = self.address.rsplit_once(':').map(|(_, port)| port.parse());
        port.and_then(Result::ok)
            .ok_or_else(|| Failure::Surprise(self.address.clone()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Clients in Python, which clients.py drives in a process of its own and times there.

use std::error::Error;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::measure::slug;
use crate::sockets::client::Measured;
use crate::sockets::{Address, Work};
use crate::subject::Rank;
use crate::workloads::Workload;

/// The variable that names a Python with the libraries, as for the tests.
pub const PYTHON: &str = "HOPEN_INTEROP_PYTHON";

/// Their names, and the modules.
pub const ALL: [(&str, &str); 3] = [("kola", "kola"), ("PyKX", "pykx"), ("qPython", "qpython")];

pub struct Python {
    name: &'static str,
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// Where it cannot be started, or says that the library is not there.
    pub fn start(python: &OsStr, name: &'static str, module: &str) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(python)
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/clients.py"), module])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = process.stdin.take().ok_or("a pipe")?;
        let answers = BufReader::new(process.stdout.take().ok_or("a pipe")?);
        let mut python = Self {
            name,
            process,
            commands,
            answers,
        };
        match python.answer()?.as_str() {
            "ok" => Ok(python),
            why => Err(why.into()),
        }
    }

    fn ask(&mut self, command: &str) -> Result<String, Box<dyn Error>> {
        writeln!(self.commands, "{command}")?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String, Box<dyn Error>> {
        let mut answer = String::new();
        match self.answers.read_line(&mut answer)? {
            0 => Err("it has ended".into()),
            _ => Ok(answer.trim().into()),
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It would end with its input, but nobody waits for what it does.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Measured for Python {
    fn name(&self) -> &'static str {
        self.name
    }

    fn rank(&self) -> Rank {
        Rank::Peer
    }

    /// A loop of Python's over all items says nothing about a library.
    fn does(&self, work: Work) -> bool {
        work != Work::ReceiveVisitDrop
    }

    fn prepare(
        &mut self,
        to: Address,
        work: Work,
        workload: &Workload,
    ) -> Result<bool, Box<dyn Error>> {
        let command = format!(
            "prepare {} {} {} {} {}",
            to.medium.name(),
            to.port,
            slug(work.title()),
            workload.id,
            workload.checksum,
        );
        match self.ask(&command)?.as_str() {
            "ok" => Ok(true),
            "no" => Ok(false),
            wrong => Err(wrong.into()),
        }
    }

    fn run(&mut self, work: Work, workload: &Workload, times: u32) -> Result<f64, Box<dyn Error>> {
        let answer = self.ask(&format!(
            "run {} {} {times}",
            slug(work.title()),
            workload.id
        ))?;
        let spent: f64 = answer.parse().map_err(|_| answer)?;
        Ok(spent / f64::from(times))
    }

    fn close(&mut self) {
        // If it has ended, the next command says so.
        let _ = self.ask("close");
    }
}

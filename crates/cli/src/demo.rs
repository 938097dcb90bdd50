//! `hopen demo`: a client and a scratch process in conversation.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hopen_blocking::{Error, Handle, Options, hopen, one_shot};
use hopen_codec::address::Address;
use hopen_codec::auth::Credentials;
use hopen_codec::sym;
use hopen_codec::value::{Table, TableError, Value};

use crate::status::{Status, report};

/// Starts a scratch process, talks to it, and prints both sides. An error is one of writing to
/// `out`.
pub(crate) fn run(out: &mut impl Write) -> io::Result<Status> {
    match Talk::start(out).and_then(|mut talk| talk.everything()) {
        Ok(()) => return Ok(Status::Success),
        Err(Failure::Output(error)) => return Err(error),
        Err(Failure::Process(error)) => {
            report(format_args!("error: cannot start a process: {error}"));
        }
        Err(Failure::Handle(error)) => report(format_args!("'{error}")),
        Err(Failure::Surprise(what)) => report(format_args!("error: unexpected: {what}")),
    }
    Ok(Status::NotConnected)
}

/// A conversation with a process.
struct Talk<'a, W> {
    out: &'a mut W,
    process: Process,
}

impl<'a, W: Write> Talk<'a, W> {
    fn start(out: &'a mut W) -> Result<Self, Failure> {
        writeln!(out, "A process that speaks the kdb+ IPC protocol:\n")?;
        writeln!(out, "  $ hopen serve --user {USER}:{PASSWORD}")?;
        let process = Process::start()?;
        writeln!(out, "  listening on {}\n", process.address)?;
        writeln!(out, "A client that talks to it:\n")?;
        Ok(Self { out, process })
    }

    fn everything(&mut self) -> Result<(), Failure> {
        let options = self.options(PASSWORD)?;
        let answer = one_shot(options.clone(), "2+3");
        self.row("one-shot", "2+3", answer)?;

        let mut handle = hopen(options)?;
        self.get(&mut handle, "sync", "til 5")?;
        self.get(&mut handle, "sync", "sum 1.5*til 5")?;
        self.get(&mut handle, "function", (sym!("sum"), vec![1_i64, 2, 3]))?;
        self.set(&mut handle, "prices:101.25 101.5 102")?;
        self.get(&mut handle, "sync", "count prices")?;
        self.get(&mut handle, "error", "1+`a")?;
        self.get(&mut handle, "error", "nosuch")?;

        let table = handle.get("trade")?;
        self.line("table", "trade", "")?;
        let Value::Table(table) = table else {
            return Err(Failure::Surprise(table.to_string()));
        };
        self.table(&table)?;
        let list = (1.5, sym!("ibm"), "text");
        self.get(&mut handle, "echo", (sym!("echo"), list))?;
        handle.close();

        let refused = hopen(self.options("wrong")?).map(|_| Value::IDENTITY);
        self.row(
            "login",
            &format!(":{}:{USER}:wrong", self.process.address),
            refused,
        )?;
        writeln!(
            self.out,
            "\nThe process has ended. `hopen serve` starts one to try things on."
        )?;
        Ok(())
    }

    /// Asks, and prints question and answer.
    fn get(
        &mut self,
        handle: &mut Handle,
        what: &str,
        query: impl Into<Value>,
    ) -> Result<(), Failure> {
        let query = query.into();
        let sent = text(&query);
        let answer = handle.get(query);
        self.row(what, &sent, answer)
    }

    /// Sends without waiting for an answer.
    fn set(&mut self, handle: &mut Handle, message: &str) -> Result<(), Failure> {
        handle.set(message)?;
        self.line("async", message, "")
    }

    /// Prints a table, a line for each row.
    fn table(&mut self, table: &Table) -> Result<(), Failure> {
        let table = table.as_ref();
        let surprise = |error: TableError| Failure::Surprise(error.to_string());
        let mut lines = vec![table.columns().map(|(name, _)| name.to_string()).collect()];
        for index in 0..table.rows().map_err(surprise)? {
            let row = table.row(index).map_err(surprise)?;
            lines.push(row.map(|(_, item)| item.to_string()).collect::<Vec<_>>());
        }
        for line in &lines {
            let cells: Vec<_> = (0..line.len())
                .map(|column| {
                    let width = lines.iter().map(|line| line[column].len()).max();
                    format!("{:<1$}", line[column], width.unwrap_or(0))
                })
                .collect();
            writeln!(self.out, "            {}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }

    /// Prints what was sent and what came back. What is no answer ends the conversation.
    fn row(&mut self, what: &str, sent: &str, answer: Result<Value, Error>) -> Result<(), Failure> {
        match answer {
            Ok(value) => self.line(what, sent, &value.to_string()),
            Err(error @ (Error::Remote(_) | Error::Access)) => {
                self.line(what, sent, &format!("'{error}"))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn line(&mut self, what: &str, sent: &str, got: &str) -> Result<(), Failure> {
        let line = format!("  {what:<10}{sent:<36} {got}");
        Ok(writeln!(self.out, "{}", line.trim_end())?)
    }

    fn options(&self, password: &str) -> Result<Options, Failure> {
        let mut address: Address = format!(":{}", self.process.address)
            .parse()
            .map_err(Error::from)?;
        address.credentials = Credentials::new(USER, password)
            .map_err(|error| Failure::Surprise(error.to_string()))?;
        let mut options = Options::new(address);
        options.timeout = Some(PATIENCE);
        Ok(options)
    }
}

/// A scratch process, which ends when this is dropped.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts one and waits until it listens.
    fn start() -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::Process)?;
        let child = Command::new(program)
            .args(["serve", "--user", &format!("{USER}:{PASSWORD}")])
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
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Why there was no conversation, or only half of one.
enum Failure {
    /// It could not be printed.
    Output(io::Error),
    /// The process could not be started.
    Process(io::Error),
    /// The process was not understood.
    Handle(Error),
    /// Something came that was not expected.
    Surprise(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Handle(error)
    }
}

/// Returns how a query looks in q: a text as it is, without its quotes.
fn text(query: &Value) -> String {
    let text: Option<Vec<u8>> = query.to().ok();
    match text {
        Some(text) => String::from_utf8_lossy(&text).into_owned(),
        None => query.to_string(),
    }
}

/// Who logs in.
const USER: &str = "ann";

/// Her password, which is no secret.
const PASSWORD: &str = "secret";

/// How long to wait for the process.
const PATIENCE: Duration = Duration::from_secs(30);

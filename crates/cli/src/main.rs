//! The program `hopen`: asks kdb+ processes, reads pipes and appends to files, is a process to try
//! things on, shows what the bytes of messages mean, and makes new messages of them.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`args`] | the command line, and what `--help` says |
//! | [`query`], [`repl`] | `hopen HANDLE [QUERY…]`, and what is typed by hand |
//! | [`subscribe`] | `hopen subscribe`: what a tickerplant publishes |
//! | [`output`], [`progress`] | how values are printed, and what shows until they come |
//! | [`read`], [`append`] | `hopen read`: pipes; `hopen append`: files |
//! | [`decode`], [`explain`] | `hopen decode`: messages as text, byte by byte on request |
//! | [`recode`] | `hopen recode`: messages read and written again |
//! | [`serve`], [`scratch`] | `hopen serve`: a process to try things on, and what it evaluates |
//! | [`demo`] | `hopen demo`: every kind of handle in use |
//! | [`input`], [`fault`] | where messages come from, and what can be wrong with one |
//! | [`status`] | the exit status, and what goes to standard error |
//!
//! What a message means is [`hopen_codec`]'s to know, and how a connection is made
//! [`hopen_blocking`]'s; here is only what a terminal needs.
#![forbid(unsafe_code)]

mod append;
mod args;
mod decode;
mod demo;
mod explain;
mod fault;
mod input;
mod output;
mod progress;
mod query;
mod read;
mod recode;
mod repl;
mod scratch;
mod serve;
mod status;
mod subscribe;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use args::Task;
use status::{Status, report};

fn main() -> ExitCode {
    let task = match args::read() {
        Ok(task) => task,
        Err(status) => return status.into(),
    };
    match run(task) {
        Ok(status) => status,
        // Whoever read our output has had enough: `hopen decode … | head -1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Status::Success,
        Err(error) => {
            report(format_args!(
                "error: cannot write to standard output: {error}"
            ));
            Status::CannotWrite
        }
    }
    .into()
}

/// Does what the command line says. An error is one of writing to standard output.
fn run(task: Task) -> io::Result<Status> {
    let mut out = BufWriter::new(io::stdout().lock());
    let status = match task {
        Task::Query(options) => query::run(options, &mut out),
        Task::Subscribe(options) => subscribe::run(options, &mut out),
        Task::Read(options) => read::run(options, &mut out),
        Task::Append(options) => Ok(append::run(options)),
        Task::Decode(options) => decode::run(&options, &mut out),
        Task::Recode(options) => recode::run(&options, &mut out),
        Task::Serve(options) => serve::run(options, &mut out),
        Task::Demo => demo::run(&mut out),
    }?;
    out.flush()?;
    Ok(status)
}

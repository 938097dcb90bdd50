//! `hopen HANDLE [QUERY…]`: one connection, some questions.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::time::Duration;

use hopen_blocking::{Error, Handle, Options, hopen};
use hopen_codec::address::Address;
use hopen_codec::auth::Credentials;
use hopen_codec::config::Limits;
use hopen_codec::value::Value;
use hopen_console::ExportError;

use crate::args::{Mode, QueryOptions};
use crate::output::Printer;
use crate::progress::Progress;
use crate::repl;
use crate::status::{Status, file_name, report};

/// Asks everything and prints the answers. An error is one of writing to `out`.
pub(crate) fn run(options: QueryOptions, out: &mut impl Write) -> io::Result<Status> {
    let mut address = options.address;
    if let Err(status) = find_password(&mut address, options.password_file.as_deref()) {
        return Ok(status);
    }
    let printer = Printer::new(options.output);
    let mut connect = Options::new(address);
    connect.timeout = options.timeout;
    let by_hand = || io::stdin().is_terminal() && io::stdout().is_terminal();
    if options.queries.is_empty() && options.mode == Mode::Sync && by_hand() {
        return repl::run(connect, printer, out);
    }
    // Before connecting: who types a query may take longer than a server waits for one.
    let queries = match queries(options.queries) {
        Ok(queries) => queries,
        Err(error) => {
            report(format_args!("error: cannot read standard input: {error}"));
            return Ok(Status::NoInput);
        }
    };
    let address = connect.address.clone();
    let asked = hopen(connect)
        .map_err(Failure::Handle)
        .and_then(|handle| match options.mode {
            Mode::Sync => ask(handle, queries, printer, out),
            Mode::Async => tell(handle, queries).map_err(Failure::Handle),
        });
    match asked {
        Ok(()) => Ok(Status::Success),
        Err(Failure::Output(error)) => Err(error),
        Err(Failure::Form(error)) => {
            report(format_args!("error: {error}"));
            Ok(Status::Failure)
        }
        Err(Failure::Handle(error)) => Ok(tell_error(&error, &address)),
    }
}

/// Why the questions were not all asked.
enum Failure {
    /// The handle, or what came from it.
    Handle(Error),
    /// The answer has not the form that it was to be printed in.
    Form(ExportError),
    /// The answer could not be printed.
    Output(io::Error),
}

/// Says on standard error what is wrong with a handle, or what q signalled.
pub(crate) fn tell_error(error: &Error, address: &Address) -> Status {
    if let Error::Remote(error) = error {
        report(format_args!("'{error}"));
        Status::Failure
    } else {
        report(format_args!("'{error} ({address})"));
        Status::NotConnected
    }
}

/// Asks one after the other and prints each answer as soon as it is there.
fn ask(
    mut handle: Handle,
    queries: Vec<Value>,
    printer: Printer,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let progress = Progress::new();
    progress.watch(&mut handle);
    for query in queries {
        let answer = progress.during(|| handle.get(query));
        let answer = answer.map_err(Failure::Handle)?;
        let printed = printer.print(&answer, out).map_err(Failure::Output)?;
        printed.map_err(Failure::Form)?;
    }
    handle.close();
    Ok(())
}

/// Sends everything without waiting for answers.
fn tell(mut handle: Handle, queries: Vec<Value>) -> Result<(), Error> {
    for query in queries {
        handle.set(query)?;
    }
    handle.finish(LINGER)
}

/// Returns the questions as they are sent: char vectors.
fn queries(arguments: Vec<OsString>) -> io::Result<Vec<Value>> {
    if !arguments.is_empty() {
        let bytes = arguments.into_iter().map(OsString::into_encoded_bytes);
        return Ok(bytes.map(Value::from).collect());
    }
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text)?;
    text.truncate(without_newline(&text).len());
    Ok(vec![text.into()])
}

/// Adds a password to an address that has none, if there is one.
pub(crate) fn find_password(address: &mut Address, file: Option<&Path>) -> Result<(), Status> {
    if address.credentials.password().is_some() {
        return Ok(());
    }
    let (password, source) = match (file, std::env::var_os(VARIABLE)) {
        (Some(path), _) => {
            let name = file_name(path);
            let password = first_line(path).map_err(|error| {
                report(format_args!(
                    "error: cannot read the password file {name}: {error}"
                ));
                Status::NoInput
            })?;
            (password, name)
        }
        (None, Some(password)) if !password.is_empty() => {
            (password.into_encoded_bytes(), VARIABLE.to_owned())
        }
        (None, _) => return Ok(()),
    };
    address.credentials =
        Credentials::new(address.credentials.user(), password).map_err(|error| {
            report(format_args!("error: {source}: {error}"));
            Status::Usage
        })?;
    Ok(())
}

/// Reads the first line of a file. Of more than any login can be, the start will do.
fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let limit = Limits::client().login as u64 + 1;
    BufReader::new(File::open(path)?.take(limit)).read_until(b'\n', &mut line)?;
    line.truncate(without_newline(&line).len());
    Ok(line)
}

fn without_newline(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r\n")
        .or_else(|| text.strip_suffix(b"\n"))
        .unwrap_or(text)
}

/// How long to wait at most for the other side to have read everything: it may be busy with a query.
const LINGER: Duration = Duration::from_secs(10);

/// The environment variable that may hold a password.
const VARIABLE: &str = "HOPEN_PASSWORD";

//! How the program ends, and what it says on standard error.

use core::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use hopen_codec::address::Address;
use hopen_codec::value::SymbolRef;

/// How the program ends; the worst of what happened, which is the greatest.
///
/// The numbers from 64 on are those of BSD's `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// 0: everything was done.
    Success,
    /// 1: q signalled an error, or a message could not be read.
    Failure,
    /// 2: there was no connection, or it ended too early.
    NotConnected,
    /// 64, `EX_USAGE`: the command line is wrong.
    Usage,
    /// 66, `EX_NOINPUT`: a file cannot be read.
    NoInput,
    /// 74, `EX_IOERR`: the output cannot be written.
    CannotWrite,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Success => 0,
            Status::Failure => 1,
            Status::NotConnected => 2,
            Status::Usage => 64,
            Status::NoInput => 66,
            Status::CannotWrite => 74,
        })
    }
}

/// Names a file in a message: on one line, without what could drive a terminal, and without the
/// password of what is a handle in the wrong place.
pub(crate) fn file_name(path: &Path) -> String {
    if let Some(Ok(address)) = path.to_str().map(str::parse::<Address>) {
        return address.to_string();
    }
    SymbolRef::new(path.as_os_str().as_encoded_bytes())
        .map_or_else(|_| "a name with a NUL".to_owned(), |name| name.to_string())
}

/// Writes a line to standard error. Where that fails there is nobody left to tell.
pub(crate) fn report(line: fmt::Arguments<'_>) {
    // In one write, so that the lines of several processes do not mix.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

//! `hopen append`: lines, or bytes as they are, behind what a file has.

use std::ffi::OsString;
use std::io::{self, Read};

use hopen_blocking::{Error, FileHandle, open_file};

use crate::args::{AppendOptions, Pieces};
use crate::status::{Status, report};

/// Appends everything.
pub(crate) fn run(options: AppendOptions) -> Status {
    let appended = open_file(options.file)
        .map_err(Failure::File)
        .and_then(|file| match options.pieces {
            Pieces::Lines(lines) => append_lines(file, lines),
            Pieces::Input => append_input(file, io::stdin().lock()),
        });
    match appended {
        Ok(()) => Status::Success,
        Err(Failure::File(error)) => {
            report(format_args!("error: {error}"));
            Status::CannotWrite
        }
        Err(Failure::Input(error)) => {
            report(format_args!("error: cannot read standard input: {error}"));
            Status::NoInput
        }
    }
}

/// Why not everything was appended.
enum Failure {
    /// The file could not be opened or written.
    File(Error),
    /// Standard input could not be read.
    Input(io::Error),
}

fn append_lines(mut file: FileHandle, lines: Vec<OsString>) -> Result<(), Failure> {
    let lines = lines.into_iter().map(OsString::into_encoded_bytes);
    file.append_lines(lines)
        .map_err(|error| Failure::File(error.into()))
}

fn append_input(mut file: FileHandle, mut input: impl Read) -> Result<(), Failure> {
    let mut piece = vec![0; PIECE];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => file
                .append(&piece[..count])
                .map_err(|error| Failure::File(error.into()))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Input(error)),
        }
    }
}

/// How much is read of standard input at a time: 64 KiB, what a pipe of the system holds.
const PIECE: usize = 64 * 1024;

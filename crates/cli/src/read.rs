//! `hopen read`: what a named pipe or a device brings.

use std::io::{self, Write};

use hopen_blocking::{Error, Pipe, PipeError, PipeErrorKind, open_pipe};
use hopen_codec::config::Limits;
use hopen_codec::message::Message;

use crate::args::{Content, Packing, ReadOptions};
use crate::status::{Status, report};

/// Prints what comes until the pipe ends. An error is one of writing to `out`.
pub(crate) fn run(options: ReadOptions, out: &mut impl Write) -> io::Result<Status> {
    let pipe = match open_pipe(options.pipe) {
        Ok(pipe) => pipe,
        Err(error) => return Ok(cannot_read(&error)),
    };
    let pipe = match options.packing {
        Packing::None => pipe,
        Packing::Gzip => pipe.gunzip(),
    };
    match options.content {
        Content::Bytes => bytes(pipe, out),
        Content::Lines => lines(pipe, out),
        Content::Messages => messages(pipe, out),
    }
}

fn bytes(mut pipe: Pipe, out: &mut impl Write) -> io::Result<Status> {
    loop {
        match pipe.read1() {
            Ok(bytes) if bytes.is_empty() => return Ok(Status::Success),
            Ok(bytes) => out.write_all(&bytes)?,
            Err(error) => return Ok(cannot_read(&error.into())),
        }
        out.flush()?;
    }
}

fn lines(mut pipe: Pipe, out: &mut impl Write) -> io::Result<Status> {
    let mut status = Status::Success;
    loop {
        match pipe.read_line() {
            Ok(None) => return Ok(status),
            Ok(Some(line)) => {
                out.write_all(&line)?;
                out.write_all(b"\n")?;
            }
            Err(error) => {
                let is_long = matches!(error.kind, PipeErrorKind::LineTooLong { .. });
                status = status.max(cannot_read(&error.into()));
                if !is_long {
                    return Ok(status);
                }
            }
        }
        // Somebody may wait for this line, and the next may be long in coming.
        out.flush()?;
    }
}

fn messages(mut pipe: Pipe, out: &mut impl Write) -> io::Result<Status> {
    let mut status = Status::Success;
    loop {
        match pipe.read_message() {
            Ok(None) => return Ok(status),
            Ok(Some(message)) => status = status.max(print(&message, out)?),
            Err(error) => return Ok(status.max(cannot_read(&error.into()))),
        }
        out.flush()?;
    }
}

/// Prints a message's value. One that is none is told of on standard error, in place of it.
fn print(message: &Message, out: &mut impl Write) -> io::Result<Status> {
    match message.body.decode(&Limits::client()) {
        Ok(Ok(value)) => writeln!(out, "{value}")?,
        Ok(Err(error)) => writeln!(out, "'{error}")?,
        Err(error) => {
            out.flush()?;
            report(format_args!("error: a message is no value: {error}"));
            return Ok(Status::Failure);
        }
    }
    Ok(Status::Success)
}

/// Says what is wrong with the pipe, or with what it brings.
fn cannot_read(error: &Error) -> Status {
    report(format_args!("error: {error}"));
    let is_system = matches!(
        error,
        Error::Pipe(PipeError {
            kind: PipeErrorKind::Open(_) | PipeErrorKind::Read(_),
            ..
        })
    );
    if is_system {
        Status::NoInput
    } else {
        Status::Failure
    }
}

//! `hopen decode`: messages as text, one line each, or byte by byte.

use std::io::{self, Write};

use hopen_codec::config::Limits;
use hopen_codec::message::Message;

use crate::args::{DecodeOptions, Detail};
use crate::explain::explain;
use crate::fault::Fault;
use crate::input::{self, Shown};
use crate::status::Status;

/// Prints every message of the input.
pub(crate) fn run(options: &DecodeOptions, out: &mut impl Write) -> io::Result<Status> {
    let mut first = true;
    input::for_each(&options.input, out, |message, out| match options.detail {
        Detail::ShortForm => print(message, out),
        Detail::EveryByte => {
            if !core::mem::take(&mut first) {
                writeln!(out)?;
            }
            explain(message, &Limits::client(), out)
        }
    })
}

/// Prints the value in q's short form, or the error that stands in its place as q shows it.
fn print(message: &Message, out: &mut dyn Write) -> io::Result<Shown> {
    match message.body.decode(&Limits::client()) {
        Ok(Ok(value)) => writeln!(out, "{value}")?,
        Ok(Err(error)) => writeln!(out, "'{error}")?,
        Err(error) => return Ok(Err(Fault::Decode(error))),
    }
    Ok(Ok(()))
}

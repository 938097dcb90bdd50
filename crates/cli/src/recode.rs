//! `hopen recode`: messages decoded and encoded again.

use std::io::{self, Write};

use hopen_codec::config::Limits;
use hopen_codec::message::{Body, Message};

use crate::args::{RecodeOptions, Recompress};
use crate::fault::Fault;
use crate::input;
use crate::status::Status;

/// Prints every message of the input, written anew, as a line of hex digits.
pub(crate) fn run(options: &RecodeOptions, out: &mut impl Write) -> io::Result<Status> {
    input::for_each(&options.input, out, |message, out| {
        let message = match recode(message, options) {
            Ok(message) => message,
            Err(fault) => return Ok(Err(fault)),
        };
        print_hex(&message.header().to_bytes(), out)?;
        for chunk in message.body.chunks() {
            print_hex(chunk, out)?;
        }
        writeln!(out)?;
        Ok(Ok(()))
    })
}

/// Decodes a message and encodes what came out.
fn recode(message: &Message, options: &RecodeOptions) -> Result<Message, Fault> {
    let order = options.order.unwrap_or_else(|| message.body.byte_order());
    let body = match message.body.decode(&Limits::client())? {
        Ok(value) => Body::encode_in(&value, order)?,
        Err(error) => Body::error_in(&error, order),
    };
    let body = match options.compress {
        Recompress::Always => body.compress(),
        // Whatever its length: who compressed it may have another threshold than KX's C library.
        Recompress::Keep if message.body.form().is_some() => body.compress_from(0),
        Recompress::Keep | Recompress::Never => body,
    };
    Ok(Message::new(message.kind, body))
}

/// Prints bytes as hex digits, lower case, without ever holding all of them.
fn print_hex(bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut digits = [0; 2 * PIECE];
    for piece in bytes.chunks(PIECE) {
        let digits = &mut digits[..2 * piece.len()];
        hex::encode_to_slice(piece, digits).map_err(io::Error::other)?;
        out.write_all(digits)?;
    }
    Ok(())
}

/// How many bytes become digits at a time.
const PIECE: usize = 4 * 1024;

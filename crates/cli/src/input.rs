//! Where messages come from: hex lines or plain bytes, in files or on standard input.
//!
//! Lines and messages are read one at a time, so that the length of the input does not matter, and
//! what is printed has been written out before more input is waited for.

use core::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use bytes::BytesMut;
use hopen_codec::config::Limits;
use hopen_codec::frame::{FrameDecoder, Header};
use hopen_codec::message::Message;

use crate::args::{InputOptions, Layout};
use crate::fault::Fault;
use crate::status::{Status, file_name, report};

/// What came of showing a message: nothing more to say, or what is wrong with it.
pub(crate) type Shown = Result<(), Fault>;

/// Hands every message of the input to `show`. In place of one that cannot be read an `error:`
/// line is printed, and its place goes to standard error; the others are still done.
///
/// An error is one of writing to `out`.
pub(crate) fn for_each<W: Write>(
    options: &InputOptions,
    out: &mut W,
    show: impl FnMut(&Message, &mut dyn Write) -> io::Result<Shown>,
) -> io::Result<Status> {
    let mut run = Run {
        out,
        show,
        status: Status::Success,
    };
    if options.files.is_empty() {
        run.read(STDIN, &mut io::stdin().lock(), options.layout)?;
    }
    for path in &options.files {
        if path == Path::new("-") {
            run.read(STDIN, &mut io::stdin().lock(), options.layout)?;
            continue;
        }
        let name = file_name(path);
        match File::open(path) {
            Ok(mut file) => run.read(&name, &mut file, options.layout)?,
            Err(error) => run.unreadable(&name, &error)?,
        }
    }
    Ok(run.status)
}

/// One pass over the input.
struct Run<'a, W, S> {
    out: &'a mut W,
    show: S,
    status: Status,
}

impl<W, S> Run<'_, W, S>
where
    W: Write,
    S: FnMut(&Message, &mut dyn Write) -> io::Result<Shown>,
{
    fn read(&mut self, name: &str, source: &mut dyn Read, layout: Layout) -> io::Result<()> {
        match layout {
            Layout::HexLines => self.lines(name, source),
            Layout::Raw => self.raw(name, source),
        }
    }

    /// Reads a message from each line that is not blank.
    fn lines(&mut self, name: &str, source: &mut dyn Read) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(BUFFER, source);
        let mut line = Vec::new();
        for number in 1_u64.. {
            if reader.buffer().is_empty() {
                self.out.flush()?;
            }
            line.clear();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return self.unreadable(name, &error),
            }
            let place = format_args!("{name}:{number}");
            match parse_hex(&line).and_then(|bytes| bytes.map(only_message).transpose()) {
                Ok(Some(message)) => self.message(place, &message)?,
                Ok(None) => {}
                Err(fault) => self.fault(place, &fault, "")?,
            }
        }
        Ok(())
    }

    /// Reads messages that stand one behind the other.
    fn raw(&mut self, name: &str, source: &mut dyn Read) -> io::Result<()> {
        let mut frames = FrameDecoder::new(Limits::LARGEST_MESSAGE);
        let mut input = BytesMut::new();
        let mut start = 0;
        loop {
            let place = format_args!("{name}: byte {start}");
            match frames.decode(&mut input) {
                Ok(Some(message)) => {
                    self.message(place, &message)?;
                    start += Header::LENGTH as u64 + message.body.len();
                    continue;
                }
                Ok(None) => self.out.flush()?,
                Err(error) => {
                    // Where the next message would start is not known.
                    return self.fault(place, &error.into(), "; the rest of the input is skipped");
                }
            }
            match fill(&frames, &mut input, source) {
                Ok(0) if input.is_empty() => return Ok(()),
                Ok(0) => return self.fault(place, &truncated(&frames, &input), ""),
                Ok(_) => {}
                Err(error) => return self.unreadable(name, &error),
            }
        }
    }

    fn message(&mut self, place: fmt::Arguments<'_>, message: &Message) -> io::Result<()> {
        match (self.show)(message, self.out)? {
            Ok(()) => Ok(()),
            Err(fault) => self.fault(place, &fault, ""),
        }
    }

    /// Says that a message cannot be read: in its place, and with its place on standard error.
    fn fault(&mut self, place: fmt::Arguments<'_>, fault: &Fault, then: &str) -> io::Result<()> {
        writeln!(self.out, "error: {fault}{then}")?;
        self.out.flush()?;
        report(format_args!("{place}: {fault}{then}"));
        self.status = self.status.max(Status::Failure);
        Ok(())
    }

    /// Says that a file cannot be read, or not to its end.
    fn unreadable(&mut self, name: &str, error: &io::Error) -> io::Result<()> {
        self.out.flush()?;
        report(format_args!("error: cannot read {name}: {error}"));
        self.status = self.status.max(Status::NoInput);
        Ok(())
    }
}

/// Reads more of a source into the input and returns how many bytes came; 0 at its end.
fn fill(frames: &FrameDecoder, input: &mut BytesMut, source: &mut dyn Read) -> io::Result<usize> {
    let start = input.len();
    let wanted = frames.make_room(input);
    input.resize(start + wanted, 0);
    let read = loop {
        match source.read(&mut input[start..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    input.truncate(start + *read.as_ref().unwrap_or(&0));
    read
}

/// Makes a message of bytes that have to be one message and nothing else.
fn only_message(mut bytes: BytesMut) -> Result<Message, Fault> {
    let mut frames = FrameDecoder::new(Limits::LARGEST_MESSAGE);
    let message = frames
        .decode(&mut bytes)?
        .ok_or_else(|| truncated(&frames, &bytes))?;
    if !bytes.is_empty() {
        let length = Header::LENGTH as u64 + message.body.len();
        return Err(Fault::Trailing {
            length,
            count: bytes.len() as u64,
        });
    }
    Ok(message)
}

fn truncated(frames: &FrameDecoder, input: &BytesMut) -> Fault {
    let announced = frames.announced(input).map(|announced| announced.length);
    Fault::Truncated {
        arrived: input.len() as u64,
        announced,
    }
}

/// Reads the hex digits of a line: two make a byte, white space stands anywhere, and `0x` where a
/// byte begins, at the start of the line or behind white space. A blank line is `None`.
fn parse_hex(line: &[u8]) -> Result<Option<BytesMut>, Fault> {
    let mut bytes = BytesMut::with_capacity(line.len() / 2);
    let mut half = None;
    let mut rest = line;
    while let Some((&found, behind)) = rest.split_first() {
        let at = line.len() - rest.len();
        rest = behind;
        if let Some(digit) = char::from(found).to_digit(16) {
            let begins = at == 0 || line[at - 1].is_ascii_whitespace();
            if begins && half.is_none() && found == b'0' && matches!(rest, [b'x' | b'X', ..]) {
                rest = &rest[1..];
                continue;
            }
            match half.take() {
                None => half = Some((digit, at + 1)),
                Some((high, _)) => bytes.extend_from_slice(&[(high << 4 | digit) as u8]),
            }
        } else if !found.is_ascii_whitespace() {
            return Err(Fault::Digit {
                offset: bytes.len(),
                column: at + 1,
                found,
            });
        }
    }
    match half {
        Some((_, column)) => Err(Fault::HalfByte {
            offset: bytes.len(),
            column,
        }),
        None if line.trim_ascii().is_empty() => Ok(None),
        None => Ok(Some(bytes)),
    }
}

/// How standard input is called where a file would be named.
const STDIN: &str = "stdin";

/// How much of a file is read at a time.
const BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_0x_may_stand_between_the_bytes() {
        for line in [
            "0109ff",
            "0x0109ff\r\n",
            " 01 09\tff ",
            "0x01 0X09 0xFF",
            "0 10 9f f",
            "0x 0109ff",
        ] {
            let bytes = parse_hex(line.as_bytes()).unwrap().unwrap();
            assert_eq!(bytes, [0x01, 0x09, 0xff][..], "{line}");
        }
        for line in ["", "\n", " \t\r\n"] {
            assert_eq!(parse_hex(line.as_bytes()), Ok(None));
        }
        assert_eq!(parse_hex(b"0x"), Ok(Some(BytesMut::new())));
    }

    #[test]
    fn what_is_no_digit_is_named_with_its_column() {
        let digit = |offset, column, found| Fault::Digit {
            offset,
            column,
            found,
        };
        let half = |offset, column| Fault::HalfByte { offset, column };
        for (line, fault) in [
            ("01 0g", digit(1, 5, b'g')),
            ("\u{e9}", digit(0, 1, 0xc3)),
            ("010x02", digit(1, 4, b'x')),
            ("0x1 0x02", digit(1, 6, b'x')),
            ("01,02", digit(1, 3, b',')),
            ("01 2", half(1, 4)),
            ("0x0", half(0, 3)),
        ] {
            assert_eq!(parse_hex(line.as_bytes()), Err(fault), "{line}");
        }
    }
}

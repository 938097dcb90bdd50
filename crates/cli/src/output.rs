//! How values are printed.

use std::io::{self, IsTerminal, Write};

use hopen_codec::value::Value;
use hopen_console::{Console, ExportError, write_csv, write_csv_rows, write_json};
use terminal_size::{Height, Width, terminal_size_of};

use crate::args::{Format, OutputOptions};

/// Prints values, each on lines of its own.
#[derive(Clone, Copy)]
pub(crate) struct Printer {
    options: OutputOptions,
    to: Destination,
}

/// Who reads what is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Destination {
    /// People, by a terminal.
    Terminal,
    /// A program, or nobody yet.
    Pipe,
}

/// The forms that are printed, where the destination has been looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As q's console has it.
    Console,
    /// One line, as q's `-3!` has it.
    Short,
    /// Tables as CSV.
    Csv,
    /// JSON.
    Json,
}

/// Whether CSV begins with the names of the columns.
#[derive(Clone, Copy)]
enum Head {
    Printed,
    None,
}

impl Printer {
    /// Makes a printer for standard output.
    pub(crate) fn new(options: OutputOptions) -> Self {
        let to = if io::stdout().is_terminal() {
            Destination::Terminal
        } else {
            Destination::Pipe
        };
        Self { options, to }
    }

    /// Prints a value, `::` as nothing. The inner error is that the value has not the form that was
    /// asked for; the outer one is of writing.
    pub(crate) fn print(
        self,
        value: &Value,
        out: &mut impl Write,
    ) -> io::Result<Result<(), ExportError>> {
        self.print_with(value, Head::Printed, out)
    }

    /// Prints a table, as CSV without its line of names: more rows of one that was printed before.
    pub(crate) fn print_more(
        self,
        table: &Value,
        out: &mut impl Write,
    ) -> io::Result<Result<(), ExportError>> {
        self.print_with(table, Head::None, out)
    }

    fn print_with(
        self,
        value: &Value,
        head: Head,
        out: &mut impl Write,
    ) -> io::Result<Result<(), ExportError>> {
        let OutputOptions { format, precision } = self.options;
        if *value == Value::IDENTITY {
            return Ok(Ok(()));
        }
        let write_csv = |value, precision, out: &mut dyn Write| match head {
            Head::Printed => write_csv(value, precision, out),
            Head::None => write_csv_rows(value, precision, out),
        };
        let printed = match (format, self.to) {
            (Format::Usual, Destination::Terminal) => self
                .print_for_people(value, out)
                .map_err(ExportError::Write),
            (Format::Usual | Format::ShortForm, _) => {
                writeln!(out, "{value:.*}", precision.digits()).map_err(ExportError::Write)
            }
            (Format::Csv, Destination::Pipe) => write_csv(value.as_ref(), precision, out),
            (Format::Csv, Destination::Terminal) => {
                write_csv(value.as_ref(), precision, &mut Visible::new(&mut *out))
            }
            // JSON has no control characters.
            (Format::Json, _) => {
                // What cannot be written whole is not begun: the line of the next would go on from it.
                let mut line = Vec::new();
                write_json(value.as_ref(), precision, &mut line).and_then(|()| {
                    line.push(b'\n');
                    out.write_all(&line).map_err(ExportError::Write)
                })
            }
        };
        match printed {
            Err(ExportError::Write(error)) => Err(error),
            printed => {
                out.flush()?;
                Ok(printed)
            }
        }
    }

    /// Returns the form in which values are printed.
    pub(crate) fn form(self) -> Form {
        match (self.options.format, self.to) {
            (Format::Usual, Destination::Terminal) => Form::Console,
            (Format::Usual | Format::ShortForm, _) => Form::Short,
            (Format::Csv, _) => Form::Csv,
            (Format::Json, _) => Form::Json,
        }
    }

    /// Prints a value as q's console does.
    pub(crate) fn print_for_people(self, value: &Value, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{}", self.console().show(value.as_ref()))
    }

    /// Returns a console as large as the terminal is now.
    fn console(self) -> Console {
        let console = Console::new().with_precision(self.options.precision);
        match terminal_size_of(io::stdout()) {
            Some((Width(columns), Height(lines))) => {
                console.with_size(lines.into(), columns.into())
            }
            None => console,
        }
    }
}

/// Writes text to a terminal that must not drive it: control characters as `\ooo`.
struct Visible<W> {
    out: W,
    /// Whether the last byte was the first of two that may be a control character.
    lead: bool,
}

impl<W> Visible<W> {
    const fn new(out: W) -> Self {
        Self { out, lead: false }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            // U+0080 to U+009F are c2 80 to c2 9f.
            let lead = core::mem::replace(&mut self.lead, byte == C1_LEAD);
            match (lead, byte) {
                (true, 0x80..=0x9f) => write!(self.out, "\\{C1_LEAD:03o}\\{byte:03o}")?,
                (true, _) => self.out.write_all(&[C1_LEAD])?,
                (false, _) => {}
            }
            match byte {
                C1_LEAD => {}
                0x80..=0x9f if lead => {}
                0..=9 | 11..=0x1f | 0x7f => write!(self.out, "\\{byte:03o}")?,
                _ => self.out.write_all(&[byte])?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if core::mem::take(&mut self.lead) {
            self.out.write_all(&[C1_LEAD])?;
        }
        self.out.flush()
    }
}

/// What the control characters beyond ASCII begin with in UTF-8.
const C1_LEAD: u8 = 0xc2;

#[cfg(test)]
mod tests {
    use hopen_codec::sym;
    use hopen_codec::value::Dict;
    use hopen_console::Precision;

    use super::*;

    #[test]
    fn what_cannot_be_json_is_not_begun() {
        let unequal = Dict::new(vec![sym!("a")], vec![1_i64, 2]);
        let printer = Printer {
            options: OutputOptions {
                format: Format::Json,
                precision: Precision::DEFAULT,
            },
            to: Destination::Pipe,
        };
        let mut out = Vec::new();
        for (value, written) in [
            (Value::from(vec![Value::from(1_i64), unequal.into()]), ""),
            (7_i64.into(), "7\n"),
        ] {
            let printed = printer.print(&value, &mut out).unwrap();
            assert_eq!(printed.is_ok(), !written.is_empty());
            assert_eq!(String::from_utf8_lossy(&out), written);
        }
    }

    #[test]
    fn what_drives_a_terminal_is_written_in_digits() {
        for (bytes, seen) in [
            (&b"a,b\n1,2\n"[..], "a,b\n1,2\n"),
            (b"\x1b[2J\x7f\t\r", "\\033[2J\\177\\011\\015"),
            ("\u{9b}2J".as_bytes(), "\\302\\2332J"),
            ("\u{a3}\u{e9}\u{4fa1}".as_bytes(), "\u{a3}\u{e9}\u{4fa1}"),
            (b"\xc2\xc2\x9b", "\u{fffd}\\302\\233"),
            (b"end\xc2", "end\u{fffd}"),
        ] {
            for size in [1, 2, bytes.len()] {
                let mut out = Vec::new();
                let mut visible = Visible::new(&mut out);
                for piece in bytes.chunks(size) {
                    visible.write_all(piece).unwrap();
                }
                visible.flush().unwrap();
                assert_eq!(String::from_utf8_lossy(&out), seen, "{bytes:?} by {size}");
            }
        }
    }
}

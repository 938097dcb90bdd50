//! The console: how large it is, and what it shows.

use core::fmt::{self, Write as _};

use hopen_codec::value::{FunctionRef, UnaryPrimitive, ValueRef};

use crate::Precision;
use crate::layout::Layout;
use crate::line::{CUT, Line};

/// How a console shows values: q's `\c` and `\P`.
///
/// ```
/// use hopen_codec::{sym, value::{Table, Value}};
/// use hopen_console::Console;
///
/// let trades = Value::from(Table::new([
///     (sym!("ticker"), [sym!("ibm"), sym!("amd")].into()),
///     (sym!("price"), vec![101.25, f64::NAN].into()),
/// ])?);
/// let console = Console::new();
/// assert_eq!(
///     console.show(trades.as_ref()).to_string(),
///     "ticker price \n\
///      -------------\n\
///      ibm    101.25\n\
///      amd          \n"
/// );
/// let narrow = console.with_size(25, 10);
/// assert!(narrow.show(trades.as_ref()).to_string().starts_with("ticker ..\n"));
/// # Ok::<(), hopen_codec::value::TableError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Console {
    lines: usize,
    columns: usize,
    precision: Precision,
}

impl Console {
    /// The fewest lines and columns that a console has, as in q.
    pub const SMALLEST: usize = 10;

    /// The most lines and columns that a console has, as in q.
    pub const LARGEST: usize = 2_000;

    /// A console of 25 lines and 80 columns that shows 7 digits of a float: what q has where
    /// nobody says anything else.
    pub const fn new() -> Self {
        Self {
            lines: 25,
            columns: 80,
            precision: Precision::DEFAULT,
        }
    }

    /// Returns the same console with so many lines and columns, or with the
    /// [fewest](Self::SMALLEST) or [most](Self::LARGEST) that there are: `\c`.
    #[must_use]
    pub fn with_size(self, lines: usize, columns: usize) -> Self {
        Self {
            lines: lines.clamp(Self::SMALLEST, Self::LARGEST),
            columns: columns.clamp(Self::SMALLEST, Self::LARGEST),
            ..self
        }
    }

    /// Returns the same console with so many digits for a float: `\P`.
    #[must_use]
    pub const fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Returns the value as the console shows it: whole lines, of which there are none for `::` and
    /// the empty list.
    pub const fn show(self, value: ValueRef<'_>) -> Shown<'_> {
        Shown {
            console: self,
            value,
        }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

/// A value as a console shows it. Made by [`Console::show`].
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    console: Console,
    value: ValueRef<'a>,
}

impl Shown<'_> {
    /// Writes q's short form on one line.
    fn write_short_form(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.console.precision.digits();
        let text = format_args!("{:.*}", digits, self.value);
        writeln!(f, "{}", Line::of(text, self.console.columns))
    }

    /// Writes the text of a function, on the lines that it has.
    fn write_function(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut source = Source {
            line: Line::new(self.console.columns),
            columns: self.console.columns,
            lines: MOST_LINES - 1,
            bytes: MOST_BYTES,
            written: Ok(()),
            f,
        };
        let digits = self.console.precision.digits();
        let is_whole = write!(source, "{:#.*}", digits, self.value).is_ok();
        source.written?;
        source.end_line()?;
        if is_whole {
            Ok(())
        } else {
            writeln!(source.f, "{CUT}")
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Console {
            lines,
            columns,
            precision,
        } = self.console;
        if let ValueRef::Function(function) = self.value {
            if let FunctionRef::Unary(UnaryPrimitive::IDENTITY) = function {
                return Ok(());
            }
            return self.write_function(f);
        }
        let is_laid_out = matches!(
            self.value,
            ValueRef::List(_) | ValueRef::Dict(_) | ValueRef::Table(_)
        );
        if is_laid_out && let Ok(lines) = Layout::new(columns, precision).lines(self.value, lines) {
            return lines.iter().try_for_each(|line| writeln!(f, "{line}"));
        }
        self.write_short_form(f)
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { console, value } = self;
        f.debug_struct("Shown")
            .field("console", console)
            .field("value", value)
            .finish()
    }
}

/// Writes a text of several lines, each cut where the console ends. Its error is that enough has
/// been seen, or that of the formatter, which `written` keeps.
struct Source<'f, 'b> {
    line: Line,
    columns: usize,
    /// How many more lines may begin.
    lines: usize,
    /// How many more bytes are looked at.
    bytes: usize,
    written: fmt::Result,
    f: &'f mut fmt::Formatter<'b>,
}

impl Source<'_, '_> {
    fn end_line(&mut self) -> fmt::Result {
        let line = core::mem::replace(&mut self.line, Line::new(self.columns));
        self.written = writeln!(self.f, "{line}");
        self.written
    }
}

impl fmt::Write for Source<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                self.lines = self.lines.checked_sub(1).ok_or(fmt::Error)?;
                self.end_line()?;
            }
            self.bytes = self.bytes.checked_sub(part.len()).ok_or(fmt::Error)?;
            self.line.push(format_args!("{part}"));
        }
        Ok(())
    }
}

/// How many lines of a function are shown: as many as the largest console has. q shows them all.
const MOST_LINES: usize = Console::LARGEST;

/// How many bytes of a function are looked at, 1 MiB: a line that is cut is read to its end, for the
/// next one to be found, and a peer decides how long it is. No function written by hand is longer.
const MOST_BYTES: usize = 1 << 20;

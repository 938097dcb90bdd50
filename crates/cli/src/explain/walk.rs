//! From object to object through the bytes of a body.

use core::ops::Range;
use std::io;

use bytes::Bytes;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::value::{Attribute, BasicType, SymbolRef, ValueType};

use super::reader::{End, Reader, WIDE_COUNT, count_width};
use super::rows::Rows;

/// A walk over the bytes of a body that the codec has checked, or of its start.
///
/// Every object says at its start how many objects follow inside it. Those that are open are on a
/// stack, so that a row knows its depth; there is no recursion.
pub(super) struct Walk<'a> {
    reader: Reader<'a>,
    open: Vec<Open>,
}

/// An object some of whose parts are still to come.
struct Open {
    inside: Inside,
    part: usize,
    parts: usize,
}

/// What the parts of an object are called.
#[derive(Clone, Copy)]
enum Inside {
    List,
    Dict,
    /// Of the names.
    Table(Names),
    /// Of the names still to come.
    Columns(Names),
    Lambda,
    Projection,
    Composition,
    Derived,
}

impl Inside {
    /// Returns whether only the first parts are shown.
    fn is_cut(self) -> bool {
        matches!(self, Self::List | Self::Projection | Self::Composition)
    }
}

/// The names of columns: where the next one is, and how many there are.
#[derive(Clone, Copy)]
struct Names {
    at: usize,
    count: usize,
}

/// Why a walk is over before its end.
enum Stop {
    /// The bytes are.
    End,
    /// The rows cannot be printed.
    Output(io::Error),
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self {
            reader: Reader {
                bytes,
                order,
                at: 0,
            },
            open: Vec::new(),
        }
    }

    /// Prints as much of the body as can be explained, and returns how many bytes that are.
    pub(super) fn run(&mut self, rows: &mut Rows<'_>) -> io::Result<usize> {
        match self.body(rows) {
            Ok(()) | Err(Stop::End) => Ok(self.reader.at),
            Err(Stop::Output(error)) => Err(error),
        }
    }

    fn body(&mut self, rows: &mut Rows<'_>) -> Result<(), Stop> {
        if self.reader.bytes.first() == Some(&ERROR) {
            return self.error(rows);
        }
        self.object("", rows)?;
        while let Some(open) = self.open.last_mut() {
            let left = open.parts - open.part;
            let cut = open.part == SHOWN && open.inside.is_cut();
            if left == 0 {
                self.open.pop();
            } else if cut {
                self.open.pop();
                let bytes = self.reader.pass_over(left)?;
                let what = format_args!("{left} more, {bytes} bytes");
                rows.passed_over(self.open.len() + 1, what)?;
            } else {
                let part = open.part;
                open.part += 1;
                let inside = open.inside;
                let label = self.label(inside, part)?;
                self.object(&label, rows)?;
            }
        }
        Ok(())
    }

    /// Prints the text that stands in place of a value.
    fn error(&mut self, rows: &mut Rows<'_>) -> Result<(), Stop> {
        rows.row(0, self.reader.take(1)?, "type -128, error")?;
        let text = self.reader.name()?;
        Ok(rows.row(
            0,
            self.reader.part(&text)?,
            format_args!("'{}", self.shown_name(&text, "")),
        )?)
    }

    /// Prints the start of an object, all of it where nothing is inside.
    fn object(&mut self, label: &str, rows: &mut Rows<'_>) -> Result<(), Stop> {
        let depth = self.open.len();
        let code = self.reader.byte(0)?;
        let kind = ValueType::from_code(code as i8);
        if depth >= DEEPEST {
            let bytes = self.reader.pass_over(1)?;
            let what = format_args!("{label}{kind}, {bytes} bytes, too deep to be shown");
            return Ok(rows.passed_over(depth, what)?);
        }
        let meaning = format_args!("{label}type {}, {kind}", kind.code());
        rows.row(depth, self.reader.take(1)?, meaning)?;
        match code {
            0 => {
                let count = self.list_header(depth, rows)?;
                let inside = match self.open.last() {
                    Some(Open {
                        inside: Inside::Table(names),
                        part: 2,
                        ..
                    }) => Inside::Columns(*names),
                    _ => Inside::List,
                };
                self.enter(inside, count);
            }
            98 => self.table(depth, rows)?,
            99 | 127 => self.enter(Inside::Dict, 2),
            100 => {
                let context = self.reader.name()?;
                let text = match self.shown_name(&context, ".") {
                    name if name == "." => "the root namespace".to_owned(),
                    name => format!("namespace {name}"),
                };
                rows.row(depth, self.reader.part(&context)?, text)?;
                self.enter(Inside::Lambda, 1);
            }
            101..=103 => {
                let text = match self.text(self.reader.at - 1..self.reader.at + 1) {
                    text if text.is_empty() => "an argument left out".to_owned(),
                    text => text,
                };
                rows.row(depth, self.reader.take(1)?, text)?;
            }
            104 | 105 => {
                let count = self.reader.number(4)?;
                rows.row(depth, self.reader.take(4)?, format_args!("count {count}"))?;
                let inside = if code == 104 {
                    Inside::Projection
                } else {
                    Inside::Composition
                };
                self.enter(inside, count);
            }
            106..=111 => self.enter(Inside::Derived, 1),
            11 => {
                let count = self.list_header(depth, rows)?;
                self.symbols(count, depth + 1, rows)?;
            }
            _ => self.basic(code as i8, depth, rows)?,
        }
        Ok(())
    }

    /// Prints what follows the type of a table.
    fn table(&mut self, depth: usize, rows: &mut Rows<'_>) -> Result<(), Stop> {
        self.attribute(depth, rows)?;
        rows.row(depth, self.reader.take(1)?, "type 99, dictionary")?;
        let width = count_width(self.reader.byte(1)?);
        let count = self.reader.number_at(self.reader.at + 2, width)?;
        let at = self.reader.at + 2 + width;
        self.enter(Inside::Table(Names { at, count }), 2);
        Ok(())
    }

    /// Prints what follows the type of an atom, or of a vector whose items have one width.
    fn basic(&mut self, code: i8, depth: usize, rows: &mut Rows<'_>) -> Result<(), Stop> {
        let basic = BasicType::from_number(code.unsigned_abs()).ok_or(Stop::End)?;
        let Some(width) = basic.width() else {
            let start = self.reader.at - 1;
            let name = self.reader.name()?;
            let text = if name.len() <= LONGEST_NAME {
                self.text(start..self.reader.at)
            } else {
                self.shown_name(&name, "`")
            };
            return Ok(rows.row(depth, self.reader.part(&name)?, text)?);
        };
        if code < 0 {
            let text = self.text(self.reader.at - 1..self.reader.at + width);
            return Ok(rows.row(depth, self.reader.take(width)?, text)?);
        }
        let count = self.list_header(depth, rows)?;
        let at_once = if width == 1 { Rows::BYTES } else { 1 };
        let mut left = count;
        for _ in 0..SHOWN {
            let items = left.min(at_once);
            if items == 0 {
                break;
            }
            left -= items;
            let bytes = self.reader.take(items * width)?;
            rows.row(depth + 1, bytes, self.items(basic, items, bytes))?;
        }
        if left > 0 {
            let bytes = left.checked_mul(width).ok_or(Stop::End)?;
            self.reader.take(bytes)?;
            rows.passed_over(depth + 1, format_args!("{left} more, {bytes} bytes"))?;
        }
        Ok(())
    }

    fn symbols(&mut self, count: usize, depth: usize, rows: &mut Rows<'_>) -> Result<(), Stop> {
        for _ in 0..count.min(SHOWN) {
            let name = self.reader.name()?;
            rows.row(depth, self.reader.part(&name)?, self.shown_name(&name, "`"))?;
        }
        if count > SHOWN {
            let start = self.reader.at;
            for _ in SHOWN..count {
                self.reader.name()?;
            }
            let (left, bytes) = (count - SHOWN, self.reader.at - start);
            rows.passed_over(depth, format_args!("{left} more, {bytes} bytes"))?;
        }
        Ok(())
    }

    /// Prints attribute and count, and returns the latter.
    fn list_header(&mut self, depth: usize, rows: &mut Rows<'_>) -> Result<usize, Stop> {
        let width = self.attribute(depth, rows)?;
        let count = self.reader.number(width)?;
        rows.row(
            depth,
            self.reader.take(width)?,
            format_args!("count {count}"),
        )?;
        Ok(count)
    }

    /// Prints an attribute and returns how many bytes the count behind it takes.
    fn attribute(&mut self, depth: usize, rows: &mut Rows<'_>) -> Result<usize, Stop> {
        let byte = self.reader.byte(0)?;
        let attribute = match Attribute::from_byte(byte & !WIDE_COUNT).ok_or(Stop::End)? {
            Attribute::None => "none",
            Attribute::Sorted => "`s#, sorted",
            Attribute::Unique => "`u#, unique",
            Attribute::Parted => "`p#, parted",
            Attribute::Grouped => "`g#, grouped",
        };
        let width = count_width(byte);
        let count = match width {
            8 => "; the count takes 8 bytes",
            _ => "",
        };
        let meaning = format_args!("attributes: {attribute}{count}");
        rows.row(depth, self.reader.take(1)?, meaning)?;
        Ok(width)
    }

    fn enter(&mut self, inside: Inside, parts: usize) {
        self.open.push(Open {
            inside,
            part: 0,
            parts,
        });
    }

    /// Returns what the part of this number is called, with a colon, or nothing.
    fn label(&mut self, inside: Inside, part: usize) -> Result<String, Stop> {
        let label = match inside {
            Inside::List | Inside::Composition => return Ok(String::new()),
            Inside::Dict if part == 0 => "keys",
            Inside::Dict => "values",
            Inside::Table(_) if part == 0 => "names",
            Inside::Table(_) => "columns",
            Inside::Lambda => "text",
            Inside::Projection if part == 0 => "function",
            Inside::Projection => return Ok(format!("argument {part}: ")),
            Inside::Derived => "function",
            // A peer may send more columns than names.
            Inside::Columns(Names { count: 0, .. }) => return Ok(String::new()),
            Inside::Columns(Names { at, count }) => {
                let name = self.reader.name_at(at)?;
                let left = Names {
                    at: name.end,
                    count: count - 1,
                };
                if let Some(open) = self.open.last_mut() {
                    open.inside = Inside::Columns(left);
                }
                return Ok(format!("{}: ", self.shown_name(&name, "`")));
            }
        };
        Ok(format!("{label}: "))
    }

    /// Returns the short form of a piece that is a whole object.
    fn text(&self, object: Range<usize>) -> String {
        let object = self.reader.bytes.get(object).unwrap_or_default();
        short_form(Bytes::copy_from_slice(object), self.reader.order)
    }

    /// Returns the short form of a few items of a vector: an atom, or several bytes.
    fn items(&self, basic: BasicType, count: usize, items: &[u8]) -> String {
        let number = basic.number();
        let start = if count == 1 {
            vec![number.wrapping_neg()]
        } else {
            let count = count as u32;
            let count = match self.reader.order {
                ByteOrder::Little => count.to_le_bytes(),
                ByteOrder::Big => count.to_be_bytes(),
            };
            [&[number, 0][..], &count].concat()
        };
        short_form([&start, items].concat().into(), self.reader.order)
    }

    /// Returns a name as it is shown behind `prefix`; of a long one only the start.
    fn shown_name(&self, name: &Range<usize>, prefix: &str) -> String {
        let bytes = self
            .reader
            .bytes
            .get(name.start..name.end.saturating_sub(1))
            .unwrap_or_default();
        let start = bytes.get(..LONGEST_NAME).unwrap_or(bytes);
        let Ok(shown) = SymbolRef::new(start) else {
            return String::new();
        };
        let more = bytes.len() - start.len();
        if more == 0 {
            format!("{prefix}{shown}")
        } else {
            format!("{prefix}{shown}… and {more} more bytes")
        }
    }
}

impl From<End> for Stop {
    fn from(End: End) -> Self {
        Self::End
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Returns the short form of an object, which is nothing where it is none.
fn short_form(object: Bytes, order: ByteOrder) -> String {
    match Body::from_bytes(object, order).decode(&Limits::client()) {
        Ok(Ok(value)) => value.to_string(),
        Ok(Err(_)) | Err(_) => String::new(),
    }
}

/// The type byte of an error.
const ERROR: u8 = 0x80;

/// How many items of a vector or list are shown; of one-byte items, how many rows of them.
const SHOWN: usize = 8;

/// How many bytes of a name are shown.
const LONGEST_NAME: usize = 64;

/// The depth from which objects are not taken apart.
const DEEPEST: usize = 1000;

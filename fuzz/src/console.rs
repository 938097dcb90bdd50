//! A value as the console shows it: a byte each for its lines, its columns and its digits, the lowest
//! bit of the last for whether a body follows or what decides on a value.

use std::fmt::{self, Write};

use bytes::Bytes;
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::value::{Value, ValueRef};
use hopen_console::{Console, Precision};
use unicode_width::UnicodeWidthChar as _;

use crate::{any_value, byte_order};

/// Looks at one input.
pub fn look_at(input: &[u8]) {
    let Some((&[lines, columns, kind], rest)) = input.split_first_chunk() else {
        return;
    };
    let value = if kind & 1 == 0 {
        received(rest)
    } else {
        any_value(rest)
    };
    let Some(value) = value else {
        return;
    };
    let (lines, columns) = (usize::from(lines), usize::from(columns));
    let console = Console::new()
        .with_size(lines, columns)
        .with_precision(Precision::new(usize::from(kind >> 1)));
    let size = Size {
        lines: lines.max(Console::SMALLEST),
        columns: columns.max(Console::SMALLEST),
    };
    size.check(console, value.as_ref());
}

fn received(input: &[u8]) -> Option<Value> {
    let (order, body) = input.split_first()?;
    let body = Body::from_bytes(Bytes::copy_from_slice(body), byte_order(*order));
    body.decode(&Limits::server()).ok()?.ok()
}

/// The size of a console.
struct Size {
    lines: usize,
    columns: usize,
}

impl Size {
    fn check(&self, console: Console, value: ValueRef<'_>) {
        let most = match value {
            // Functions have the lines of their text, and one that says that there are more.
            ValueRef::Function(_) => Console::LARGEST + 1,
            _ => self.lines,
        };
        let mut screen = Screen {
            columns: self.columns,
            lines: 0,
            most,
            used: 0,
        };
        write!(screen, "{}", console.show(value)).expect("the screen takes it all");
        assert_eq!(screen.used, 0, "the last line is not ended");
    }
}

/// Takes what is shown, and finds at once what goes beyond it.
struct Screen {
    columns: usize,
    lines: usize,
    most: usize,
    /// How many columns of the line are used.
    used: usize,
}

impl Write for Screen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            if char == '\n' {
                self.lines += 1;
                self.used = 0;
                assert!(self.lines <= self.most);
            } else {
                assert!(!char.is_control(), "{char:?}");
                // A mark without a width takes a column: a line has no more characters than columns.
                self.used += char.width().unwrap_or(1).max(1);
                assert!(self.used < self.columns);
            }
        }
        Ok(())
    }
}

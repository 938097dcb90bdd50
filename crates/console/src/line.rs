//! A line of a console: how wide it is, and where it is cut.

use core::fmt::{self, Write as _};

use unicode_width::UnicodeWidthChar as _;

/// A line or a part of one, kept as far as it can matter.
///
/// A console of `columns` shows `columns - 1` of a line: one that is wider ends with `..`. So a line
/// that has come to `columns` is full, whatever would follow, and takes no more.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    text: String,
    /// How many columns the text takes; `full` at most.
    width: usize,
    full: usize,
}

impl Line {
    pub(crate) const fn new(columns: usize) -> Self {
        Self {
            text: String::new(),
            width: 0,
            full: columns,
        }
    }

    /// Makes a line of a text, of which no more is written than the line takes.
    pub(crate) fn of(text: fmt::Arguments<'_>, columns: usize) -> Self {
        let mut line = Self::new(columns);
        line.push(text);
        line
    }

    /// Makes a rule of so many dashes.
    pub(crate) fn dashes(width: usize, columns: usize) -> Self {
        Self::of(format_args!("{:-<1$}", "", width.min(columns)), columns)
    }

    pub(crate) fn push(&mut self, text: fmt::Arguments<'_>) {
        // Its only error is that the line is full, and then that is what `width` says.
        let _full = self.write_fmt(text);
    }

    /// Adds another line, or as much of it as there is room for.
    pub(crate) fn append(&mut self, part: &Self) {
        self.push(format_args!("{}", part.text));
        if part.is_full() {
            self.width = self.full;
        }
    }

    /// Adds blanks until the line is so wide.
    pub(crate) fn pad(&mut self, width: usize) {
        let blanks = width.min(self.full).saturating_sub(self.width);
        self.push(format_args!("{:blanks$}", ""));
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    /// Returns whether the line is wider than the console shows.
    pub(crate) const fn is_full(&self) -> bool {
        self.width >= self.full
    }

    /// Returns as much of a full line as stands in front of `..`.
    fn start(&self) -> &str {
        let room = self.full.saturating_sub(1 + CUT.len());
        let mut width = 0;
        let end = self.text.char_indices().find(|(_, char)| {
            width += columns(*char);
            width > room
        });
        match end {
            Some((at, _)) => self.text.split_at(at).0,
            None => &self.text,
        }
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            let width = self.width + columns(char);
            self.width = width.min(self.full);
            if width <= self.full {
                self.text.push(char);
            }
            if self.is_full() {
                return Err(fmt::Error);
            }
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    /// Writes the line as the console shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_full() {
            f.write_str(self.start())?;
            f.write_str(CUT)
        } else {
            f.write_str(&self.text)
        }
    }
}

/// Returns how many columns a character takes on a terminal, and one for what takes none: else any
/// number of combining marks would fit into a line.
pub(crate) fn columns(char: char) -> usize {
    char.width().unwrap_or(1).max(1)
}

/// What stands for what is not shown.
pub(crate) const CUT: &str = "..";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_all_columns_is_cut_and_one_of_a_column_less_is_not() {
        for (text, shown) in [
            ("", ""),
            ("123456789", "123456789"),
            ("1234567890", "1234567.."),
            ("12345678901", "1234567.."),
            ("価価価価", "価価価価"),
            ("価価価価1", "価価価価1"),
            ("価価価価価", "価価価.."),
            ("1価価価価価", "1価価価.."),
            ("123456価価", "123456.."),
            (
                "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
                "e\u{301}e\u{301}e\u{301}e..",
            ),
        ] {
            let line = Line::of(format_args!("{text}"), 10);
            assert_eq!(line.to_string(), shown);
        }
    }

    #[test]
    fn a_full_line_takes_no_more() {
        let mut line = Line::new(10);
        assert!(line.write_str("123456789").is_ok());
        assert!(line.write_str("価").is_err());
        assert!(line.write_str(&"x".repeat(1000)).is_err());
        assert!(line.is_full() && line.text.len() <= 10, "{line:?}");
        line.append(&Line::dashes(usize::MAX, 10));
        line.pad(usize::MAX);
        assert!(line.width == 10 && line.text.len() <= 10, "{line:?}");
    }

    #[test]
    fn a_part_is_padded_to_where_the_next_one_begins() {
        let mut line = Line::of(format_args!("a"), 10);
        line.append(&Line::of(format_args!("価"), 10));
        line.pad(5);
        assert_eq!((line.to_string(), line.width()), ("a価  ".to_owned(), 5));
        // A full part makes the line full, even if a wide character left a column of it.
        let mut line = Line::new(10);
        line.append(&Line::of(format_args!("12345678価"), 9));
        assert_eq!(line.to_string(), "1234567..");
    }
}

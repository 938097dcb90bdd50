//! Tables and other values for programs that know nothing of q: what CSV and JSON have in common.

pub(crate) mod csv;
pub(crate) mod json;

use core::fmt::{self, Write as _};
use std::io;

use hopen_codec::value::{
    Atom, BasicType, Elements, SymbolRef, TableError, TableRef, ValueRef, ValueType, Vector,
};

use crate::Precision;

/// Why a value was not exported, or not all of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// The value is no table, keyed or not. Nothing was written.
    NotATable {
        /// What it is.
        found: ValueType,
    },
    /// The columns of a table do not fit together, or did not come with it.
    Table(TableError),
    /// The keys and the values of a dictionary are not as many, or one side has no items.
    Dict {
        /// How many keys there are; `None` where they are no vector or list.
        keys: Option<usize>,
        /// How many values there are; `None` where they are no vector, list or table.
        values: Option<usize>,
    },
    /// Values are nested more deeply than is written. Nothing was written.
    TooDeep {
        /// How many may be inside each other.
        most: usize,
    },
    /// The writer failed.
    Write(io::Error),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotATable { found } => write!(f, "the value is no table: its type is {found}"),
            Self::Table(error) => write!(f, "a table is not whole: {error}"),
            Self::Dict { keys: None, .. } => {
                f.write_str("the keys of a dictionary are neither a vector nor a list")
            }
            Self::Dict { values: None, .. } => {
                f.write_str("a dictionary maps its keys to no vector, list or table")
            }
            Self::Dict {
                keys: Some(keys),
                values: Some(values),
            } => write!(f, "a dictionary maps {keys} keys to {values} values"),
            Self::TooDeep { most } => {
                write!(f, "more than {most} values are inside each other")
            }
            Self::Write(error) => write!(f, "cannot write: {error}"),
        }
    }
}

impl core::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Table(error) => Some(error),
            Self::Write(error) => Some(error),
            Self::NotATable { .. } | Self::Dict { .. } | Self::TooDeep { .. } => None,
        }
    }
}

impl From<TableError> for ExportError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// The rows of a table, those of a keyed one with their keys in front.
pub(crate) struct Rows<'a> {
    columns: Vec<Column<'a>>,
    left: usize,
}

/// A column, and how far it has been read.
pub(crate) struct Column<'a> {
    pub(crate) name: SymbolRef<'a>,
    items: Elements<'a>,
}

impl<'a> Rows<'a> {
    /// Returns the rows of a value, unless it is no table.
    pub(crate) fn of(value: ValueRef<'a>) -> Result<Option<Self>, TableError> {
        if let ValueRef::Table(table) = value {
            return Self::of_table(table).map(Some);
        }
        if let ValueRef::Dict(dict) = value
            && let Some((keys, values)) = dict.keyed_table()
        {
            return Self::of_keyed_table(keys, values).map(Some);
        }
        Ok(None)
    }

    fn of_table(table: TableRef<'a>) -> Result<Self, TableError> {
        let left = table.rows()?;
        let columns = table.columns().map(|(name, column)| {
            let items = column.elements();
            let items = items.ok_or_else(|| TableError::NotAColumn {
                name: name.to_symbol(),
            })?;
            Ok(Column { name, items })
        });
        let columns = columns.collect::<Result<Vec<_>, TableError>>()?;
        Ok(Self { columns, left })
    }

    fn of_keyed_table(keys: TableRef<'a>, values: TableRef<'a>) -> Result<Self, TableError> {
        let (mut all, values) = (Self::of_table(keys)?, Self::of_table(values)?);
        if all.left != values.left {
            return Err(TableError::Keys {
                keys: all.left,
                rows: values.left,
            });
        }
        all.columns.extend(values.columns);
        Ok(all)
    }

    /// Returns the names of the columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = SymbolRef<'a>> {
        self.columns.iter().map(|column| column.name)
    }

    /// Returns how many rows are to come.
    pub(crate) const fn len(&self) -> usize {
        self.left
    }

    /// Returns the next row: names and items.
    pub(crate) fn next_row(
        &mut self,
    ) -> Option<impl Iterator<Item = (SymbolRef<'a>, ValueRef<'a>)>> {
        self.left = self.left.checked_sub(1)?;
        let items = |column: &mut Column<'a>| Some((column.name, column.items.next()?));
        Some(self.columns.iter_mut().filter_map(items))
    }
}

/// Writes an item that stands for itself: of chars and symbols their bytes, of other atoms their
/// text, of anything else q's short form.
pub(crate) fn write_field(
    item: ValueRef<'_>,
    precision: Precision,
    out: &mut impl io::Write,
) -> io::Result<()> {
    if let ValueRef::Vector(Vector::Char(chars)) = item {
        return out.write_all(chars.as_bytes());
    }
    let ValueRef::Atom(atom) = item else {
        return write!(out, "{item:.*}", precision.digits());
    };
    if let Atom::Symbol(symbol) = atom {
        out.write_all(symbol.as_bytes())
    } else if let Atom::Char(char) = atom {
        out.write_all(&[char.0])
    } else {
        write!(out, "{}", Text { atom, precision })
    }
}

/// What CSV has of an atom, and JSON in quotes: q's `string`, but for days, which are those of ISO
/// 8601: `2000-01-01`, `2000-01`, `2000-01-01T00:00:00.000000000`.
pub(crate) struct Text<'a> {
    pub(crate) atom: Atom<SymbolRef<'a>>,
    pub(crate) precision: Precision,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.precision.digits();
        let has_day = matches!(
            self.atom.basic_type(),
            BasicType::Timestamp | BasicType::Month | BasicType::Date | BasicType::Datetime
        );
        if has_day {
            let mut iso = Iso { f, in_day: true };
            write!(iso, "{:.*}", digits, self.atom.string())
        } else {
            write!(f, "{:.*}", digits, self.atom.string())
        }
    }
}

/// Writes `2000.01.01D12` as `2000-01-01T12`.
struct Iso<'f, 'b> {
    f: &'f mut fmt::Formatter<'b>,
    in_day: bool,
}

impl fmt::Write for Iso<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            let (char, in_day) = match char {
                '.' if self.in_day => ('-', true),
                'D' | 'T' if self.in_day => ('T', false),
                _ => (char, self.in_day),
            };
            self.f.write_char(char)?;
            self.in_day = in_day;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hopen_codec::value::{Date, Datetime, Month, Timespan, Timestamp};

    #[test]
    fn days_are_those_of_iso_8601() {
        let text = |atom: Atom| {
            let (atom, precision) = (atom.as_ref(), Precision::DEFAULT);
            Text { atom, precision }.to_string()
        };
        for (atom, expected) in [
            (Atom::Date(Date(0)), "2000-01-01"),
            (Atom::Date(Date::NEG_INFINITY), "-0W"),
            (Atom::Date(Date::NULL), ""),
            (Atom::Month(Month(0)), "2000-01"),
            (
                Atom::Timestamp(Timestamp(1)),
                "2000-01-01T00:00:00.000000001",
            ),
            (Atom::Datetime(Datetime(0.5)), "2000-01-01T12:00:00.000"),
            (Atom::Timespan(Timespan(1)), "0D00:00:00.000000001"),
            (Atom::Float(1.5), "1.5"),
        ] {
            assert_eq!(text(atom), expected);
        }
    }

    #[test]
    fn an_error_says_what_does_not_fit() {
        let found = ValueType::LIST;
        for (error, text) in [
            (
                ExportError::NotATable { found },
                "the value is no table: its type is list",
            ),
            (
                ExportError::Table(TableError::Keys { keys: 1, rows: 2 }),
                "a table is not whole: 1 rows of keys for 2 rows of values",
            ),
            (
                ExportError::Dict {
                    keys: Some(1),
                    values: None,
                },
                "a dictionary maps its keys to no vector, list or table",
            ),
            (
                ExportError::Dict {
                    keys: None,
                    values: Some(1),
                },
                "the keys of a dictionary are neither a vector nor a list",
            ),
            (
                ExportError::Dict {
                    keys: Some(2),
                    values: Some(1),
                },
                "a dictionary maps 2 keys to 1 values",
            ),
            (
                ExportError::TooDeep { most: 3 },
                "more than 3 values are inside each other",
            ),
            (
                ExportError::Write(io::ErrorKind::BrokenPipe.into()),
                "cannot write: broken pipe",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}

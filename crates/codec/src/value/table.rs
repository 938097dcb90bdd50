//! Tables: columns and their names.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::display::Escaped;
use super::keep::Keep;
use super::list::Values;
use super::symbol::{Symbol, SymbolRef};
use super::symbols::{IsSymbol, Symbols, SymbolsIter};
use super::types::Attribute;
use super::view::{SharedView, View};
use super::{Atom, List, Value, ValueRef};

/// A table: named columns of equal count.
///
/// On the wire it is a dictionary of column names to columns, with a type and an attribute in
/// front:
///
/// ```text
/// ([]a:,2i;b:,3i)   62 00 63 0b 00 02000000 6100 6200 00 00 02000000 06 00 01000000 02000000 …
///                   │  │  │  names                    columns: a general list of them
///                   │  │  dictionary
///                   │  attribute: `s# on a table, else 0
///                   table
/// ```
///
/// A server that returns a table which it has mapped from disk sends the names and, instead of the
/// columns, a symbol that says where it has them ([`TableRef::source`]).
///
/// ```
/// use hopen_codec::{sym, value::{Items, Table}};
///
/// let trades = Table::new([
///     (sym!("price"), vec![101.25, 101.5].into()),
///     (sym!("size"), vec![300_i64, 200].into()),
/// ])?;
/// assert_eq!(trades.as_ref().rows()?, 2);
/// let prices: Items<f64> = trades.as_ref().column("price")?.to()?;
/// assert_eq!(prices.iter().sum::<f64>(), 202.75);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Table(pub(super) Repr);

#[derive(Clone)]
pub(super) enum Repr {
    Built {
        parts: Arc<Parts>,
        attribute: Attribute,
    },
    View(SharedView),
}

pub(crate) struct Parts {
    pub(crate) names: Symbols,
    pub(crate) columns: Value,
}

impl Table {
    /// Makes a table of its columns.
    ///
    /// # Errors
    ///
    /// Where there is no column, the columns are not of one count, or one is no vector or list.
    pub fn new(columns: impl IntoIterator<Item = (Symbol, Value)>) -> Result<Self, TableError> {
        let (names, columns): (Vec<Symbol>, Vec<Value>) = columns.into_iter().unzip();
        let mut rows = None;
        for (name, column) in names.iter().zip(&columns) {
            let count = column_count(column.as_ref())
                .ok_or_else(|| TableError::NotAColumn { name: name.clone() })?;
            let rows = *rows.get_or_insert(count);
            if rows != count {
                return Err(TableError::Ragged {
                    name: name.clone(),
                    count,
                    rows,
                });
            }
        }
        Self::built(names, List::from(columns))
    }

    /// Makes a table whose columns the peer has, or is to take from `source`: the path of a
    /// splayed table, the name of a partitioned one.
    ///
    /// ```
    /// use hopen_codec::{sym, value::{Table, Value}};
    ///
    /// let trades = Table::by_reference([sym!("price"), sym!("size")], sym!(":db/trades/"))?;
    /// assert_eq!(trades.as_ref().source().expect("it has one"), ":db/trades/");
    /// assert_eq!(Value::from(trades).to_string(), "+`price`size!`:db/trades/");
    /// # Ok::<(), hopen_codec::value::TableError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where there is no name.
    pub fn by_reference<S: AsRef<[u8]> + IsSymbol>(
        names: impl IntoIterator<Item = S>,
        source: Symbol,
    ) -> Result<Self, TableError> {
        Self::built(names, source)
    }

    /// Borrows the table.
    #[inline]
    pub fn as_ref(&self) -> TableRef<'_> {
        TableRef(match &self.0 {
            Repr::Built { parts, attribute } => Inner::Built {
                parts,
                attribute: *attribute,
            },
            Repr::View(view) => Inner::View(view.as_view()),
        })
    }

    /// Returns the same table with another attribute. A received table is taken apart for it.
    ///
    /// The only one that q gives to a table is `` `s# ``: the rows ascend by the first column.
    /// Whether they do is the caller's to know: q believes it.
    ///
    /// ```
    /// use hopen_codec::{sym, value::{Attribute, Table, Value}};
    ///
    /// let trades = Table::new([(sym!("size"), vec![200_i64, 300].into())])?;
    /// let sorted = trades.with_attribute(Attribute::Sorted);
    /// assert_eq!(Value::from(sorted).to_string(), "`s#+(,`size)!,200 300");
    /// # Ok::<(), hopen_codec::value::TableError>(())
    /// ```
    #[must_use]
    pub fn with_attribute(self, attribute: Attribute) -> Self {
        let parts = match self.0 {
            Repr::Built { parts, .. } => parts,
            Repr::View(view) => {
                let table = TableRef::of_view(view.as_view());
                let (names, columns) = table.parts();
                Arc::new(Parts {
                    names: names.in_storage(|names| view.object.slice_ref(names)),
                    columns: columns.share(&view.object),
                })
            }
        };
        Self(Repr::Built { parts, attribute })
    }

    fn built<S: AsRef<[u8]> + IsSymbol>(
        names: impl IntoIterator<Item = S>,
        columns: impl Into<Value>,
    ) -> Result<Self, TableError> {
        let names = Symbols::from_iter(names);
        if names.is_empty() {
            return Err(TableError::NoColumns);
        }
        let columns = columns.into();
        Ok(Self(Repr::Built {
            parts: Arc::new(Parts { names, columns }),
            attribute: Attribute::None,
        }))
    }

    pub(crate) const fn of_view(view: SharedView) -> Self {
        Self(Repr::View(view))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// A borrowed table.
#[derive(Clone, Copy)]
pub struct TableRef<'a>(pub(super) Inner<'a>);

#[derive(Clone, Copy)]
pub(super) enum Inner<'a> {
    Built {
        parts: &'a Parts,
        attribute: Attribute,
    },
    View(View<'a>),
}

impl<'a> TableRef<'a> {
    #[inline]
    pub(super) const fn of_view(view: View<'a>) -> Self {
        Self(Inner::View(view))
    }

    /// Makes an owner of the table.
    pub(super) fn keep(self, keep: Keep<'_>) -> Table {
        Table(match self.0 {
            Inner::Built { parts, attribute } => {
                let names = parts.names.as_ref();
                Repr::Built {
                    parts: Arc::new(Parts {
                        names: names.in_storage(|names| keep.bytes(names)),
                        columns: keep.value(&parts.columns),
                    }),
                    attribute,
                }
            }
            Inner::View(view) => Repr::View(keep.view(view)),
        })
    }

    /// Returns the names of the columns.
    pub fn names(self) -> Symbols<&'a [u8]> {
        match self.0 {
            Inner::Built { parts, .. } => parts.names.as_ref(),
            Inner::View(view) => view.cursor(3).symbols().unwrap_or(NO_NAMES),
        }
    }

    /// Iterates over names and columns, as far as there are both. A table by reference
    /// ([`source`](Self::source)) has none.
    pub fn columns(self) -> Columns<'a> {
        let (names, columns) = self.parts();
        let columns = if let ValueRef::List(list) = columns {
            Some(list.iter())
        } else {
            None
        };
        Columns {
            names: names.into_iter(),
            columns,
        }
    }

    /// Returns the column of this name.
    ///
    /// # Errors
    ///
    /// Where there is none, where its count differs from that of the first column (a peer may send
    /// such a table), or where the table came by reference.
    pub fn column(self, name: impl AsRef<[u8]>) -> Result<ValueRef<'a>, TableError> {
        if let Some(source) = self.source() {
            return Err(TableError::ByReference {
                source: source.to_symbol(),
            });
        }
        let name = name.as_ref();
        let mut columns = self.columns().peekable();
        let rows = columns
            .peek()
            .and_then(|(_, first)| column_count(*first))
            .unwrap_or(0);
        let (name, column) = columns
            .find(|(found, _)| found.as_bytes() == name)
            .ok_or_else(|| TableError::Missing {
                name: Bytes::copy_from_slice(name),
            })?;
        match column_count(column) {
            Some(count) if count == rows => Ok(column),
            Some(count) => Err(TableError::Ragged {
                name: name.to_symbol(),
                count,
                rows,
            }),
            None => Err(TableError::NotAColumn {
                name: name.to_symbol(),
            }),
        }
    }

    /// Returns how many rows there are.
    ///
    /// # Errors
    ///
    /// Where the columns are not of one count, one is no vector or list, or the table came by
    /// reference.
    pub fn rows(self) -> Result<usize, TableError> {
        if let Some(source) = self.source() {
            return Err(TableError::ByReference {
                source: source.to_symbol(),
            });
        }
        let mut rows = None;
        for (name, column) in self.columns() {
            let count = column_count(column).ok_or_else(|| TableError::NotAColumn {
                name: name.to_symbol(),
            })?;
            let rows = *rows.get_or_insert(count);
            if count != rows {
                return Err(TableError::Ragged {
                    name: name.to_symbol(),
                    count,
                    rows,
                });
            }
        }
        Ok(rows.unwrap_or(0))
    }

    /// Iterates over the names of the columns and their items at `index`, counted from 0.
    ///
    /// It walks to the row in each column: who wants all rows iterates over the
    /// [`elements`](ValueRef::elements) of the columns.
    ///
    /// ```
    /// use hopen_codec::{sym, value::Table};
    ///
    /// let trades = Table::new([
    ///     (sym!("ticker"), [sym!("ibm"), sym!("amd")].into()),
    ///     (sym!("price"), vec![101.25, 101.5].into()),
    /// ])?;
    /// let last: Vec<String> =
    ///     trades.as_ref().row(1)?.map(|(name, item)| format!("{name}: {item}")).collect();
    /// assert_eq!(last, ["ticker: `amd", "price: 101.5"]);
    /// # Ok::<(), hopen_codec::value::TableError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where there is no such row, and where the rows cannot be counted; see [`rows`](Self::rows).
    pub fn row(self, index: usize) -> Result<Row<'a>, TableError> {
        let rows = self.rows()?;
        if index < rows {
            Ok(Row {
                columns: self.columns(),
                index,
            })
        } else {
            Err(TableError::NoRow { index, rows })
        }
    }

    /// Returns where the server has the columns, if it sent the table by reference: the path of a
    /// splayed table, the name of a partitioned one.
    pub fn source(self) -> Option<SymbolRef<'a>> {
        if let ValueRef::Atom(Atom::Symbol(source)) = self.parts().1 {
            Some(source)
        } else {
            None
        }
    }

    /// Returns the attribute.
    pub fn attribute(self) -> Attribute {
        match self.0 {
            Inner::Built { attribute, .. } => attribute,
            Inner::View(view) => view
                .byte(1)
                .and_then(Attribute::from_byte)
                .unwrap_or_default(),
        }
    }

    /// Returns the names and what holds the columns.
    pub(crate) fn parts(self) -> (Symbols<&'a [u8]>, ValueRef<'a>) {
        match self.0 {
            Inner::Built { parts, .. } => (parts.names.as_ref(), parts.columns.as_ref()),
            Inner::View(view) => {
                let mut cursor = view.cursor(3);
                let names = cursor.symbols().unwrap_or(NO_NAMES);
                (names, cursor.read().unwrap_or(ValueRef::EMPTY))
            }
        }
    }
}

impl fmt::Debug for TableRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ValueRef::Table(*self), f)
    }
}

/// Iterates over the names and columns of a table.
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    names: SymbolsIter<'a>,
    columns: Option<Values<'a>>,
}

impl<'a> Iterator for Columns<'a> {
    type Item = (SymbolRef<'a>, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let column = self.columns.as_mut()?.next()?;
        Some((self.names.next()?, column))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let columns = self.columns.as_ref().map_or(0, Values::len);
        let left = self.names.len().min(columns);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Columns<'_> {}

/// Iterates over one row of a table: names and items.
///
/// Made by [`TableRef::row`].
#[derive(Clone, Debug)]
pub struct Row<'a> {
    columns: Columns<'a>,
    index: usize,
}

impl<'a> Iterator for Row<'a> {
    type Item = (SymbolRef<'a>, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, column) = self.columns.next()?;
        Some((name, column.elements()?.nth(self.index)?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.columns.size_hint()
    }
}

impl ExactSizeIterator for Row<'_> {}

/// Why there is no such table, or no such column or row in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableError {
    /// No column has this name.
    Missing {
        /// The name that was asked for, which may be any bytes.
        name: Bytes,
    },
    /// No row stands there.
    NoRow {
        /// Which one was asked for, counted from 0.
        index: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// The table would have no columns. None has in q.
    NoColumns,
    /// A column is longer or shorter than the first one.
    Ragged {
        /// The name of the column.
        name: Symbol,
        /// How many items it has.
        count: usize,
        /// How many the first column has.
        rows: usize,
    },
    /// What stands for a column is neither a vector nor a list.
    NotAColumn {
        /// The name of the column.
        name: Symbol,
    },
    /// The keys of a keyed table are not as many as its rows.
    Keys {
        /// How many rows the table of keys has.
        keys: usize,
        /// How many the other one has.
        rows: usize,
    },
    /// The server sent the table by reference: it kept the columns.
    ByReference {
        /// Where it has them.
        source: Symbol,
    },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => write!(f, "no column `{}", Escaped(name)),
            Self::NoRow { index, rows } => {
                write!(f, "no row {index} (counted from 0): the table has {rows}")
            }
            Self::NoColumns => f.write_str("a table has at least one column"),
            Self::Keys { keys, rows } => {
                write!(f, "{keys} rows of keys for {rows} rows of values")
            }
            Self::Ragged { name, count, rows } => {
                write!(
                    f,
                    "column `{name} has {count} items where the first column has {rows}"
                )
            }
            Self::NotAColumn { name } => write!(f, "column `{name} is neither a vector nor a list"),
            Self::ByReference { source } => {
                write!(
                    f,
                    "the table came by reference to `{source}, without its columns"
                )
            }
        }
    }
}

impl core::error::Error for TableError {}

/// Returns how many items a column has; nothing for what cannot be one.
fn column_count(column: ValueRef<'_>) -> Option<usize> {
    match column {
        ValueRef::Vector(vector) => Some(vector.len()),
        ValueRef::List(list) => Some(list.len()),
        ValueRef::Atom(_) | ValueRef::Dict(_) | ValueRef::Table(_) | ValueRef::Function(_) => None,
    }
}

/// What a view shows that is no table after all.
const NO_NAMES: Symbols<&[u8]> = Symbols::EMPTY;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::{strategy, sym};

    #[test]
    fn a_table_has_a_column() {
        let error = Table::new([]).unwrap_err();
        assert_eq!(error, TableError::NoColumns);
        assert_eq!(error.to_string(), "a table has at least one column");
        let error = Table::by_reference(<[Symbol; 0]>::default(), sym!(":t/"));
        assert_eq!(error.unwrap_err(), TableError::NoColumns);
    }

    #[test]
    fn a_table_by_reference_has_names_and_a_source() {
        let table = Table::by_reference([sym!("a"), sym!("b")], sym!(":t/")).unwrap();
        let received = strategy::receive(&table.clone().into(), ByteOrder::Big);
        for table in [table.as_ref(), received.to().unwrap()] {
            assert_eq!(table.source().unwrap(), ":t/");
            assert_eq!(format!("{:?}", table.names()), "[`a, `b]");
            assert_eq!(table.columns().len(), 0);
            let source = sym!(":t/");
            let error = TableError::ByReference { source };
            assert_eq!(table.row(0).unwrap_err(), error);
            assert_eq!(table.rows(), Err(error));
        }
    }

    #[test]
    fn a_row_is_one_item_of_each_column() {
        let table = Table::new([
            (sym!("s"), [sym!("a"), sym!("b"), sym!("c")].into()),
            (sym!("l"), (1_i64, "text", vec![2.5]).into()),
            (sym!("j"), vec![4_i64, 5, 6].into()),
        ])
        .unwrap();
        let received = strategy::receive(&table.clone().into(), ByteOrder::Big);
        for table in [table.as_ref(), received.to().unwrap()] {
            let row = |at| -> Result<Vec<String>, TableError> {
                Ok(table
                    .row(at)?
                    .map(|(name, item)| format!("{name} {item}"))
                    .collect())
            };
            assert_eq!(row(0).unwrap(), ["s `a", "l 1", "j 4"]);
            assert_eq!(row(2).unwrap(), ["s `c", "l ,2.5", "j 6"]);
            let error = row(3).unwrap_err();
            assert_eq!(error, TableError::NoRow { index: 3, rows: 3 });
            assert_eq!(
                error.to_string(),
                "no row 3 (counted from 0): the table has 3"
            );
            let mut row = table.row(1).unwrap();
            for left in [3, 2, 1, 0, 0] {
                assert_eq!((row.len(), row.columns.len()), (left, left));
                assert_eq!(row.next().is_some(), left > 0);
            }
        }
    }

    #[test]
    fn a_name_that_is_missing_is_said_as_q_writes_names() {
        let table = Table::new([(sym!("a"), vec![1_i64].into())]).unwrap();
        let missing = |name: &[u8]| table.as_ref().column(name).unwrap_err().to_string();
        assert_eq!(missing(b"x"), "no column `x");
        assert_eq!(missing(b"caf\xe9\x1b"), "no column `caf\\351\\033");
        let name = Bytes::from_static(b"\xe9");
        let error = table.as_ref().column(&name).unwrap_err();
        assert_eq!(error, TableError::Missing { name });
    }

    #[test]
    fn what_is_no_column_is_said_by_name() {
        let error = Table::new([(sym!("a"), Value::from(1_i64))]).unwrap_err();
        assert_eq!(error, TableError::NotAColumn { name: sym!("a") });
        assert_eq!(
            error.to_string(),
            "column `a is neither a vector nor a list"
        );
    }
}

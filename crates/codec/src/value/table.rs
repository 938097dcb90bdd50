//! Tables: columns and their names.

use core::fmt;
use std::sync::Arc;

use super::list::Values;
use super::symbol::{Symbol, SymbolRef};
use super::symbols::{Symbols, SymbolsIter};
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

#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) names: Symbols,
    pub(crate) columns: Value,
}

impl Table {
    /// Makes a table of its columns.
    ///
    /// # Errors
    ///
    /// Where the columns are not of one count, or a column is no vector or list.
    pub fn new(columns: impl IntoIterator<Item = (Symbol, Value)>) -> Result<Self, TableError> {
        let (names, columns): (Vec<Symbol>, Vec<Value>) = columns.into_iter().unzip();
        let mut rows = None;
        for (name, column) in names.iter().zip(&columns) {
            let count = column_count(column.as_ref())
                .ok_or_else(|| TableError::NoColumn { name: name.clone() })?;
            let rows = *rows.get_or_insert(count);
            if rows != count {
                return Err(TableError::Ragged {
                    name: name.clone(),
                    count,
                    rows,
                });
            }
        }
        let parts = Parts {
            names: Symbols::from_iter(&names),
            columns: Value::List(List::from(columns)),
        };
        Ok(Self(Repr::Built {
            parts: Arc::new(parts),
            attribute: Attribute::None,
        }))
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

    /// Makes an owner of the table, with `share` to keep the bytes of a received one.
    pub(super) fn keep(self, share: impl FnOnce(View<'a>) -> SharedView) -> Table {
        Table(match self.0 {
            Inner::Built { parts, attribute } => Repr::Built {
                parts: Arc::new(parts.clone()),
                attribute,
            },
            Inner::View(view) => Repr::View(share(view)),
        })
    }

    /// Returns the names of the columns.
    pub fn names(self) -> Symbols<&'a [u8]> {
        match self.0 {
            Inner::Built { parts, .. } => parts.names.borrow(),
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
                name: String::from_utf8_lossy(name).into_owned(),
            })?;
        match column_count(column) {
            Some(count) if count == rows => Ok(column),
            Some(count) => Err(TableError::Ragged {
                name: name.to_symbol(),
                count,
                rows,
            }),
            None => Err(TableError::NoColumn {
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
            let count = column_count(column).ok_or_else(|| TableError::NoColumn {
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
            Inner::Built { parts, .. } => (parts.names.borrow(), parts.columns.as_ref()),
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
}

/// Why a table has no such column, or no common count of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableError {
    /// No column has this name.
    Missing {
        /// The name that was asked for.
        name: String,
    },
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
    NoColumn {
        /// The name of the column.
        name: Symbol,
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
            Self::Missing { name } => write!(f, "no column {name:?}"),
            Self::Ragged { name, count, rows } => {
                write!(
                    f,
                    "column `{name} has {count} items where the first column has {rows}"
                )
            }
            Self::NoColumn { name } => write!(f, "column `{name} is neither a vector nor a list"),
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

//! Values: what q objects are in Rust.
//!
//! A [`Value`] owns what it holds; a [`ValueRef`] borrows it, is `Copy`, and is what is read.
//! Received values are views: [`decode`](crate::decode) checks the bytes of a message once and
//! keeps them, and numbers are made when somebody reads them. Values that a program makes hold its
//! own vectors, taken over without a copy. Both kinds print, compare, convert and encode alike.
//!
//! ```
//! use hopen_codec::sym;
//! use hopen_codec::value::{Value, ValueRef};
//!
//! let update = Value::from((sym!("upd"), sym!("trade"), vec![101.25, 101.5]));
//! assert_eq!(update.to_string(), "(`upd;`trade;101.25 101.5)");
//!
//! let ValueRef::List(items) = update.as_ref() else { panic!("a tuple is a list") };
//! let prices: Vec<f64> = items.get(2).expect("three items").to()?;
//! assert_eq!(prices, [101.25, 101.5]);
//! # Ok::<(), hopen_codec::value::ConvertError>(())
//! ```
//!
//! # Nested values
//!
//! What is inside a received list is stepped over each time that the list is read: to go into
//! lists within lists by recursion reads the innermost ones once for every level, and takes stack.
//! A peer that nests its lists deep enough makes that slow, so what goes through values of unknown
//! make uses [`ValueRef::walk`]:
//!
//! ```
//! use hopen_codec::value::{BasicType, Value, ValueType};
//!
//! /// Returns how many texts there are, however deep inside.
//! fn texts(answer: &Value) -> usize {
//!     let text = ValueType::vector(BasicType::Char);
//!     answer.as_ref().walk().filter(|(_, value)| value.value_type() == text).count()
//! }
//!
//! assert_eq!(texts(&Value::from(("a", (1_i64, "bc")))), 2);
//! ```
//!
//! Printing, comparing, hashing and encoding take time in proportion to the value as well.
//!
//! [`BasicType`] has the table of q types, Rust types, nulls and infinities; [`convert`] says what
//! converts into a [`Value`] and out of one.

mod atom;
mod compare;
pub mod convert;
mod dict;
mod display;
mod elements;
mod function;
mod header;
mod index;
mod item;
mod items;
mod keep;
mod list;
mod nodes;
mod objects;
mod symbol;
mod symbols;
mod table;
mod temporal;
mod types;
mod vector;
mod view;
mod walk;

use core::fmt;

use bytes::Bytes;

pub use atom::Atom;
pub use convert::error::{ConvertError, Expected};
pub use dict::{Dict, DictRef, Pairs};
pub use display::AtomString;
pub use elements::Elements;
pub use function::{
    BinaryPrimitive, DerivedRef, Function, FunctionRef, IteratorPrimitive, LambdaRef,
    UnaryPrimitive,
};
pub use index::Indexed;
pub use item::{Byte, Char, Guid, Item, Nullable};
pub use items::{Items, Iter};
pub use list::{List, ListRef, Values};
pub use symbol::{Symbol, SymbolError, SymbolRef};
pub use symbols::{IsSymbol, Symbols, SymbolsIter};
pub use table::{Columns, Row, Table, TableError, TableRef};
pub use temporal::{
    Date, Datetime, Minute, Month, Second, TemporalError, Time, Timespan, Timestamp,
};
pub use types::{Attribute, BasicType, ValueType};
pub use vector::Vector;
pub use walk::Walk;

pub(crate) use atom::with_atom;
pub(crate) use header::VectorHeader;
pub(crate) use items::NATIVE;
pub(crate) use nodes::{Node, Nodes, WideCount};
pub(crate) use objects::{Built, Outline};
pub(crate) use vector::with_vector;
pub(crate) use view::{Cursor, SharedView};

/// A q object that owns what it holds, or shares it with the message that it came in.
///
/// Made by `From`, read by [`as_ref`](Self::as_ref) or [`to`](Self::to); [`convert`] has the table
/// of what converts.
#[derive(Clone)]
#[non_exhaustive]
pub enum Value {
    /// A single value of a basic type.
    Atom(Atom),
    /// Many values of one basic type.
    Vector(Vector),
    /// Values of any types.
    List(List),
    /// Keys and what they map to; a keyed table is one.
    Dict(Dict),
    /// Named columns.
    Table(Table),
    /// A function, `::` among them.
    Function(Function),
}

impl Value {
    /// `::`, the identity function: what q returns where there is nothing to return.
    pub const IDENTITY: Self = Self::Function(Function::IDENTITY);

    /// Borrows the value, to read it.
    #[inline]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Atom(atom) => ValueRef::Atom(atom.as_ref()),
            Self::Vector(vector) => ValueRef::Vector(vector.as_ref()),
            Self::List(list) => ValueRef::List(list.as_ref()),
            Self::Dict(dict) => ValueRef::Dict(dict.as_ref()),
            Self::Table(table) => ValueRef::Table(table.as_ref()),
            Self::Function(function) => ValueRef::Function(function.as_ref()),
        }
    }

    /// Returns what the value is, as q's `type` has it.
    pub fn value_type(&self) -> ValueType {
        self.as_ref().value_type()
    }

    /// Converts the value; see [`ValueRef::to`].
    ///
    /// # Errors
    ///
    /// Where the value is of another type.
    pub fn to<'a, T>(&'a self) -> Result<T, ConvertError>
    where
        T: TryFrom<ValueRef<'a>>,
        ConvertError: From<T::Error>,
    {
        self.as_ref().to()
    }

    /// Takes a part of this value out of it, sharing its bytes where it can: of a received table, a
    /// column that lives on without a copy. It keeps the whole message alive; see
    /// [`ValueRef::detach`] for a small part of a large one.
    ///
    /// ```
    /// use hopen_codec::value::{Items, TableRef, Value};
    ///
    /// fn prices(answer: &Value) -> Result<Items<f64>, Box<dyn std::error::Error>> {
    ///     let table: TableRef<'_> = answer.to()?;
    ///     let prices = answer.share(table.column("price")?);
    ///     Ok(Items::try_from(prices)?)
    /// }
    /// # use hopen_codec::{sym, value::Table};
    /// # let trades = Table::new([(sym!("price"), vec![101.25, 101.5].into())])?;
    /// # assert_eq!(prices(&trades.into())?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// What is no part of this value is copied, and so are the parts of a list, dictionary, table
    /// or function that a program made: it has no one block of bytes to share.
    #[must_use]
    pub fn share(&self, part: ValueRef<'_>) -> Self {
        match self.bytes() {
            Some(bytes) => part.share(bytes),
            None => part.detach(),
        }
    }

    /// Returns the bytes that the value keeps, where it keeps one block of them.
    fn bytes(&self) -> Option<&Bytes> {
        if let Self::Vector(vector) = self {
            Some(with_vector!(vector, items => items.as_bytes(), symbols => symbols.object()))
        } else {
            self.view().map(|view| &view.object)
        }
    }

    /// Returns the view that the value is, if it came in a message and has parts.
    pub(crate) fn view(&self) -> Option<&SharedView> {
        if let Self::List(List(list::Repr::View(view)))
        | Self::Dict(Dict(dict::Repr::View(view)))
        | Self::Table(Table(table::Repr::View(view)))
        | Self::Function(Function(function::Repr::View(view))) = self
        {
            Some(view)
        } else {
            None
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A borrowed q object: what a value looks like to a reader.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// A single value of a basic type.
    Atom(Atom<SymbolRef<'a>>),
    /// Many values of one basic type.
    Vector(Vector<&'a [u8]>),
    /// Values of any types.
    List(ListRef<'a>),
    /// Keys and what they map to; a keyed table is one.
    Dict(DictRef<'a>),
    /// Named columns.
    Table(TableRef<'a>),
    /// A function, `::` among them.
    Function(FunctionRef<'a>),
}

impl<'a> ValueRef<'a> {
    /// The empty list.
    const EMPTY: Self = Self::List(ListRef::of_items(&[]));

    /// Returns what the value is, as q's `type` has it.
    pub fn value_type(self) -> ValueType {
        match self {
            Self::Atom(atom) => ValueType::atom(atom.basic_type()),
            Self::Vector(vector) => ValueType::vector(vector.basic_type()),
            Self::List(_) => ValueType::LIST,
            Self::Dict(dict) if dict.is_sorted() => ValueType::SORTED_DICT,
            Self::Dict(_) => ValueType::DICT,
            Self::Table(_) => ValueType::TABLE,
            Self::Function(function) => ValueType::from_code(match function {
                FunctionRef::Lambda(_) => 100,
                FunctionRef::Unary(_) => 101,
                FunctionRef::Binary(_) => 102,
                FunctionRef::Iterator(_) => 103,
                FunctionRef::Projection(_) => 104,
                FunctionRef::Composition(_) => 105,
                FunctionRef::Derived(derived) => derived.iterator().derived_type() as i8,
            }),
        }
    }

    /// Converts the value to what a program has in hand: `i64`, `String`, `Vec<f64>`,
    /// `Option<Timestamp>`, a tuple; [`convert`] has the table.
    ///
    /// Nothing is widened, rounded or parsed: a long converts to `i64` and an int to `i32`. In an
    /// `Option` the type's null becomes `None`.
    ///
    /// ```
    /// use hopen_codec::value::Value;
    ///
    /// let answer = Value::from(vec![1_i64, i64::MIN, 3]);
    /// let longs: Vec<Option<i64>> = answer.to()?;
    /// assert_eq!(longs, [Some(1), None, Some(3)]);
    /// let error = answer.to::<f64>().unwrap_err();
    /// assert_eq!(error.to_string(), "expected a float atom, found a long vector");
    /// # Ok::<(), hopen_codec::value::ConvertError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the value is of another type.
    pub fn to<T>(self) -> Result<T, ConvertError>
    where
        T: TryFrom<Self>,
        ConvertError: From<T::Error>,
    {
        Ok(T::try_from(self)?)
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const _: () = {
    const fn can_be_shared_between_threads<T: Send + Sync>() {}
    can_be_shared_between_threads::<Value>();
    assert!(size_of::<Value>() <= 48);
};

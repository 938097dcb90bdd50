//! Out of values: `TryFrom`, which says what was expected and what was there.

use std::borrow::Cow;

use bytes::Bytes;

use super::error::{ConvertError, Expected};
use crate::value::{
    Atom, BasicType, Byte, Char, Date, Datetime, Dict, DictRef, Function, FunctionRef, Guid, Item,
    Items, List, ListRef, Minute, Month, Nullable, Second, Symbol, SymbolRef, Symbols, Table,
    TableRef, Time, Timespan, Timestamp, UnaryPrimitive, Value, ValueRef, Values, Vector,
    with_vector,
};

/// Conversions by the expression behind the type, whose `?` gives a [`ConvertError`].
macro_rules! from_value {
    ($($(#[doc = $doc:literal])+
        [$($generics:tt)*] $type:ty, |$value:ident| $convert:expr;)*) => {$(
        impl<'a, $($generics)*> TryFrom<ValueRef<'a>> for $type {
            type Error = ConvertError;

            $(#[doc = $doc])+
            fn try_from($value: ValueRef<'a>) -> Result<Self, ConvertError> {
                $convert
            }
        }
    )*};
}

/// Conversions that take a value apart which is of one kind.
macro_rules! part_of_value {
    ($($(#[doc = $doc:literal])+
        [$($generics:tt)*] $type:ty, $expected:expr, $($part:pat => $convert:expr),+;)*) => {$(
        impl<'a, $($generics)*> TryFrom<ValueRef<'a>> for $type {
            type Error = ConvertError;

            $(#[doc = $doc])+
            #[inline]
            fn try_from(value: ValueRef<'a>) -> Result<Self, ConvertError> {
                match value {
                    $($part => Ok($convert),)+
                    _ => Err(ConvertError::new($expected, value)),
                }
            }
        }
    )*};
}

macro_rules! items_of_value {
    ($($item:ty)+) => {$(
        impl<'a> TryFrom<ValueRef<'a>> for $item {
            type Error = ConvertError;

            /// From an atom of just this type.
            #[inline]
            fn try_from(value: ValueRef<'a>) -> Result<Self, ConvertError> {
                item(value)
            }
        }
    )+};
}

items_of_value! {
    bool Guid Byte i16 i32 i64 f32 f64 Char
    Timestamp Month Date Datetime Timespan Minute Second Time
}

// What a value is made of.
part_of_value! {
    /// From any atom.
    [] Atom<SymbolRef<'a>>, Expected::AnyAtom, ValueRef::Atom(atom) => atom;
    /// From any atom.
    [] Atom, Expected::AnyAtom, ValueRef::Atom(atom) => atom.map_symbol(SymbolRef::to_symbol);
    /// From any vector, borrowing the items.
    [] Vector<&'a [u8]>, Expected::AnyVector, ValueRef::Vector(vector) => vector;
    /// From a general list, borrowing the items.
    [] ListRef<'a>, Expected::List, ValueRef::List(list) => list;
    /// From a dictionary, sorted or not, borrowing what it holds.
    [] DictRef<'a>, Expected::Dict, ValueRef::Dict(dict) => dict;
    /// From a table, borrowing the columns. A keyed table is a dictionary of two tables.
    [] TableRef<'a>, Expected::Table, ValueRef::Table(table) => table;
    /// From a function of any kind.
    [] FunctionRef<'a>, Expected::Function, ValueRef::Function(function) => function;
    /// From `::`, the identity function: what q returns where there is nothing to return.
    [] (), Expected::Nothing,
        ValueRef::Function(FunctionRef::Unary(UnaryPrimitive::IDENTITY)) => ();
}

// Atoms.
from_value! {
    /// From an atom of just this type; the null becomes `None`.
    [T: Nullable] Option<T>, |value| {
        let item: T = item(value)?;
        Ok((!item.is_null()).then_some(item))
    };
    /// From a symbol atom.
    [] Symbol, |value| Ok(symbol(value)?.to_symbol());
    /// From a symbol atom; the null, the empty symbol, becomes `None`.
    [] Option<Symbol>, |value| Ok(value.to::<Option<SymbolRef<'a>>>()?.map(SymbolRef::to_symbol));
    /// From a symbol atom.
    [] SymbolRef<'a>, |value| symbol(value);
    /// From a symbol atom; the null, the empty symbol, becomes `None`.
    [] Option<SymbolRef<'a>>, |value| Ok(Some(symbol(value)?).filter(|symbol| !symbol.is_null()));
}

// Text.
part_of_value! {
    /// From a char vector or a char atom, as bytes in whatever encoding they are.
    [] &'a [u8], Expected::Vector(BasicType::Char),
        ValueRef::Vector(Vector::Char(text)) => *text.as_bytes(),
        ValueRef::Atom(Atom::Char(char)) => core::slice::from_ref(&CHARS[usize::from(char.0)]);
}

from_value! {
    /// From a char vector or a char atom, as bytes in whatever encoding they are.
    [] Vec<u8>, |value| Ok(value.to::<&[u8]>()?.to_vec());
    /// From a char vector or a char atom that is UTF-8.
    [] &'a str, |value| core::str::from_utf8(value.to()?).map_err(|error| {
        ConvertError::NotUtf8 { position: error.valid_up_to() }
    });
    /// From a char vector or a char atom that is UTF-8.
    [] String, |value| Ok(value.to::<&str>()?.to_owned());
}

// Vectors.
from_value! {
    /// From a vector of just this type, borrowing the items.
    [T: Item] Items<T, &'a [u8]>, |value| items(value);
    /// From a vector of just this type, copying the items.
    [T: Item] Items<T>, |value| Ok(items(value)?.in_storage(Bytes::copy_from_slice));
    /// From a vector of just this type, or from the empty list.
    [T: Item] Vec<T>, |value| {
        if is_empty_list(value) {
            return Ok(Self::new());
        }
        Ok(items(value)?.into_slice().into_owned())
    };
    /// From a vector of just this type, or from the empty list, borrowing the items where they
    /// stand as Rust has them; see [`Items::to_slice`].
    [T: Item] Cow<'a, [T]>, |value| {
        if is_empty_list(value) {
            return Ok(Cow::Borrowed(&[]));
        }
        Ok(items(value)?.into_slice())
    };
    /// From a vector of just this type, or from the empty list; each null becomes `None`.
    [T: Nullable] Vec<Option<T>>, |value| {
        if is_empty_list(value) {
            return Ok(Self::new());
        }
        let items: Items<T, _> = items(value)?;
        Ok(items.iter().map(|item| (!item.is_null()).then_some(item)).collect())
    };
    /// From a symbol vector, or from the empty list.
    [] Vec<Symbol>, |value| collect(value, SymbolRef::to_symbol);
    /// From a symbol vector, or from the empty list, borrowing the names.
    [] Vec<SymbolRef<'a>>, |value| collect(value, core::convert::identity);
    /// From a symbol vector, copying the names.
    [] Symbols, |value| {
        let symbols: Symbols<&[u8]> = value.to()?;
        Ok(symbols.in_storage(Bytes::copy_from_slice))
    };
}

part_of_value! {
    /// From a symbol vector, borrowing the names.
    [] Symbols<&'a [u8]>, Expected::Vector(BasicType::Symbol),
        ValueRef::Vector(Vector::Symbol(symbols)) => symbols;
}

// Lists.
from_value! {
    /// From a general list, or from a vector, whose items become atoms.
    [] Vec<ValueRef<'a>>, |value| match value {
        ValueRef::List(list) => Ok(list.iter().collect()),
        ValueRef::Vector(vector) => Ok(atoms(vector)),
        ValueRef::Atom(_) | ValueRef::Dict(_) | ValueRef::Table(_) | ValueRef::Function(_) => {
            Err(ConvertError::new(Expected::List, value))
        }
    };
    /// From a general list, or from a vector, whose items become atoms. Each item is copied, as
    /// [`ValueRef::detach`] does.
    [] Vec<Value>, |value| {
        Ok(value.to::<Vec<ValueRef<'_>>>()?.into_iter().map(ValueRef::detach).collect())
    };
    /// From a list of char vectors or char atoms, each of which is UTF-8.
    [] Vec<String>, |value| each(value);
    /// From a list of char vectors or char atoms, each of which is UTF-8.
    [] Vec<&'a str>, |value| each(value);
    /// From a list of char vectors or char atoms, as bytes in whatever encoding they are.
    [] Vec<Vec<u8>>, |value| each(value);
    /// From a list of char vectors or char atoms, as bytes in whatever encoding they are.
    [] Vec<&'a [u8]>, |value| each(value);
}

macro_rules! tuple_from_value {
    ($count:literal $($name:ident)+) => {
        impl<'a, $($name: TryFrom<ValueRef<'a>>),+> TryFrom<ValueRef<'a>> for ($($name,)+)
        where
            $(ConvertError: From<$name::Error>,)+
        {
            type Error = ConvertError;

            /// From a general list of as many items, or from a vector, whose items become atoms.
            fn try_from(value: ValueRef<'a>) -> Result<Self, ConvertError> {
                let mut parts = Parts::new(value, $count)?;
                Ok(($(parts.next::<$name>()?,)+))
            }
        }
    };
}

tuple_from_value!(1 A);
tuple_from_value!(2 A B);
tuple_from_value!(3 A B C);
tuple_from_value!(4 A B C D);
tuple_from_value!(5 A B C D E);
tuple_from_value!(6 A B C D E F);
tuple_from_value!(7 A B C D E F G);
tuple_from_value!(8 A B C D E F G H);
tuple_from_value!(9 A B C D E F G H I);

/// Unwraps owned values, without a copy.
macro_rules! unwrap_value {
    ($($(#[doc = $doc:literal])+ $type:ty, $variant:ident, $expected:expr;)*) => {$(
        impl TryFrom<Value> for $type {
            type Error = ConvertError;

            $(#[doc = $doc])+
            fn try_from(value: Value) -> Result<Self, ConvertError> {
                match value {
                    Value::$variant(part) => Ok(part),
                    _ => Err(ConvertError::new($expected, value.as_ref())),
                }
            }
        }
    )*};
}

unwrap_value! {
    /// Unwraps an atom.
    Atom, Atom, Expected::AnyAtom;
    /// Unwraps a vector, without a copy.
    Vector, Vector, Expected::AnyVector;
    /// Unwraps a general list, without a copy.
    List, List, Expected::List;
    /// Unwraps a dictionary, without a copy.
    Dict, Dict, Expected::Dict;
    /// Unwraps a table, without a copy.
    Table, Table, Expected::Table;
    /// Unwraps a function, without a copy.
    Function, Function, Expected::Function;
}

impl<T: Item> TryFrom<Value> for Items<T> {
    type Error = ConvertError;

    /// Unwraps a vector of just this type, without a copy.
    fn try_from(value: Value) -> Result<Self, ConvertError> {
        let expected = Expected::Vector(T::TYPE);
        let Value::Vector(vector) = value else {
            return Err(ConvertError::new(expected, value.as_ref()));
        };
        T::from_vector(vector)
            .map_err(|found| ConvertError::new(expected, ValueRef::Vector(found.as_ref())))
    }
}

impl TryFrom<Value> for Symbols {
    type Error = ConvertError;

    /// Unwraps a symbol vector, without a copy.
    fn try_from(value: Value) -> Result<Self, ConvertError> {
        if let Value::Vector(Vector::Symbol(symbols)) = value {
            return Ok(symbols);
        }
        let expected = Expected::Vector(BasicType::Symbol);
        Err(ConvertError::new(expected, value.as_ref()))
    }
}

/// The items of what is to become a tuple.
struct Parts<'a> {
    source: Source<'a>,
    next: usize,
    count: usize,
}

enum Source<'a> {
    List(Values<'a>),
    Vector(std::vec::IntoIter<ValueRef<'a>>),
}

impl<'a> Parts<'a> {
    fn new(value: ValueRef<'a>, count: usize) -> Result<Self, ConvertError> {
        let check = |found| match found == count {
            true => Ok(()),
            false => Err(ConvertError::Count {
                expected: count,
                found,
            }),
        };
        let source = match value {
            ValueRef::List(list) => {
                check(list.len())?;
                Source::List(list.iter())
            }
            ValueRef::Vector(vector) => {
                check(vector.len())?;
                Source::Vector(atoms(vector).into_iter())
            }
            ValueRef::Atom(_) | ValueRef::Dict(_) | ValueRef::Table(_) | ValueRef::Function(_) => {
                return Err(ConvertError::new(Expected::List, value));
            }
        };
        Ok(Self {
            source,
            next: 0,
            count,
        })
    }

    fn next<T: TryFrom<ValueRef<'a>>>(&mut self) -> Result<T, ConvertError>
    where
        ConvertError: From<T::Error>,
    {
        let index = self.next;
        let value = match &mut self.source {
            Source::List(values) => values.next(),
            Source::Vector(values) => values.next(),
        };
        self.next += 1;
        let value = value.ok_or(ConvertError::Count {
            expected: self.count,
            found: index,
        })?;
        T::try_from(value).map_err(|error| ConvertError::from(error).in_item(index))
    }
}

fn item<T: Item>(value: ValueRef<'_>) -> Result<T, ConvertError> {
    let item = if let ValueRef::Atom(atom) = &value {
        T::from_atom(atom)
    } else {
        None
    };
    item.ok_or_else(|| ConvertError::new(Expected::Atom(T::TYPE), value))
}

fn items<T: Item>(value: ValueRef<'_>) -> Result<Items<T, &[u8]>, ConvertError> {
    let items = if let ValueRef::Vector(vector) = value {
        T::from_vector(vector).ok()
    } else {
        None
    };
    items.ok_or_else(|| ConvertError::new(Expected::Vector(T::TYPE), value))
}

fn symbol(value: ValueRef<'_>) -> Result<SymbolRef<'_>, ConvertError> {
    if let ValueRef::Atom(Atom::Symbol(symbol)) = value {
        Ok(symbol)
    } else {
        Err(ConvertError::new(Expected::Atom(BasicType::Symbol), value))
    }
}

/// Converts the names of a symbol vector.
fn collect<'a, T>(
    value: ValueRef<'a>,
    convert: impl FnMut(SymbolRef<'a>) -> T,
) -> Result<Vec<T>, ConvertError> {
    if is_empty_list(value) {
        return Ok(Vec::new());
    }
    let symbols: Symbols<&[u8]> = value.to()?;
    Ok(symbols.into_iter().map(convert).collect())
}

/// Converts the items of a list.
fn each<'a, T>(value: ValueRef<'a>) -> Result<Vec<T>, ConvertError>
where
    T: TryFrom<ValueRef<'a>, Error = ConvertError>,
{
    let list: ListRef<'_> = value.to()?;
    let items = list.iter().enumerate();
    items
        .map(|(index, item)| {
            item.to()
                .map_err(|error: ConvertError| error.in_item(index))
        })
        .collect()
}

/// Returns the items of a vector as atoms.
fn atoms(vector: Vector<&[u8]>) -> Vec<ValueRef<'_>> {
    with_vector!(
        vector,
        items => items.into_iter().map(|item| ValueRef::Atom(item.into_atom())).collect(),
        symbols => symbols.into_iter().map(|symbol| ValueRef::Atom(Atom::Symbol(symbol))).collect()
    )
}

/// Returns whether this is `()`, which q has for an empty vector of no type in particular.
fn is_empty_list(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::List(list) if list.is_empty())
}

/// Every char, for borrowing one.
static CHARS: [u8; 256] = {
    let mut chars = [0; 256];
    let mut char = 0;
    while char < chars.len() {
        chars[char] = char as u8;
        char += 1;
    }
    chars
};

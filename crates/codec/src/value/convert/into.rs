//! Into values: `From`, which cannot fail.

use bytes::Bytes;

use crate::value::items::NATIVE;
use crate::value::{
    Atom, Attribute, BinaryPrimitive, Byte, Char, Dict, Function, Item, Items, IteratorPrimitive,
    List, Nullable, Symbol, SymbolRef, Symbols, Table, UnaryPrimitive, Value, ValueRef, Vector,
};

/// Conversions by the closure behind the type.
macro_rules! value_from {
    ($($(#[doc = $doc:literal])+ [$($generics:tt)*] $type:ty, $convert:expr;)*) => {$(
        impl<$($generics)*> From<$type> for Value {
            $(#[doc = $doc])+
            #[inline]
            fn from(from: $type) -> Self {
                let convert: fn($type) -> Self = $convert;
                convert(from)
            }
        }
    )*};
}

// What a value is made of.
value_from! {
    /// The atom.
    [] Atom, Self::Atom;
    /// The vector.
    [] Vector, Self::Vector;
    /// The vector.
    [T: Item] Items<T>, |items| Self::Vector(T::into_vector(items));
    /// The symbol vector.
    [] Symbols, |symbols| Self::Vector(Vector::Symbol(symbols));
    /// The list.
    [] List, Self::List;
    /// The dictionary.
    [] Dict, Self::Dict;
    /// The table.
    [] Table, Self::Table;
    /// The function.
    [] Function, Self::Function;
    /// The primitive, a function.
    [] UnaryPrimitive, |primitive| Self::Function(primitive.into());
    /// The primitive, a function.
    [] BinaryPrimitive, |primitive| Self::Function(primitive.into());
    /// The iterator, a function.
    [] IteratorPrimitive, |primitive| Self::Function(primitive.into());
    /// `::`, the identity function: what q returns where there is nothing to return.
    [] (), |()| Self::IDENTITY;
    /// The same value, without a copy: both share what they hold.
    [] &Self, Self::clone;
    /// A copy that keeps nothing of the message that the value, or a part of it, came in, as
    /// [`ValueRef::detach`]. See [`Value::share`] for one that copies nothing.
    [] ValueRef<'_>, |value| value.detach();
}

// Atoms.
value_from! {
    /// An atom. An integer literal without a suffix is an `i32`: q's longs are `1_i64`.
    [T: Item] T, |item| Self::Atom(item.into_atom());
    /// An atom; `None` is the null.
    [T: Nullable] Option<T>, |item| item.unwrap_or(T::NULL).into();
    /// A symbol atom.
    [] Symbol, |symbol| Self::Atom(Atom::Symbol(symbol));
    /// A symbol atom.
    [] &Symbol, |symbol| symbol.clone().into();
    /// A symbol atom.
    [] SymbolRef<'_>, |symbol| symbol.to_symbol().into();
    /// A symbol atom; `None` is the null, the empty symbol.
    [] Option<Symbol>, |symbol| symbol.unwrap_or_default().into();
    /// A symbol atom; `None` is the null, the empty symbol.
    [] Option<SymbolRef<'_>>, |symbol| symbol.unwrap_or_default().into();
}

// Text.
value_from! {
    /// A char vector, whatever the length.
    [] &str, |text| Items::<Char>::from(text).into();
    /// A char vector, whatever the length.
    [] &String, |text| text.as_str().into();
    /// A char vector, whatever the length; the text is taken over without a copy.
    [] String, |text| Items::<Char>::from(text).into();
    /// A char vector, whatever the length. Bytes that are no text are [`Items<Byte>`](Items).
    [] &[u8], |text| Items::<Char>::from(text).into();
    /// A char vector, whatever the length. Bytes that are no text are [`Items<Byte>`](Items).
    [const N: usize] &[u8; N], |text| text.as_slice().into();
    /// A char vector, whatever the length. Bytes that are no text are [`Items<Byte>`](Items).
    [] &Vec<u8>, |text| text.as_slice().into();
    /// A char vector, whatever the length; the bytes are taken over without a copy. Bytes that are
    /// no text are [`Items<Byte>`](Items).
    [] Vec<u8>, |text| Items::<Char>::from(text).into();
}

// Vectors.
value_from! {
    /// A vector; the items are taken over without a copy.
    [T: Item] Vec<T>, |items| Items::from(items).into();
    /// A vector.
    [T: Item] &Vec<T>, |items| items.as_slice().into();
    /// A vector.
    [T: Item] &[T], |items| Items::from(items).into();
    /// A vector.
    [T: Item, const N: usize] &[T; N], |items| items.as_slice().into();
    /// A vector.
    [T: Item, const N: usize] [T; N], |items| items.as_slice().into();
    /// A vector; each `None` is the null.
    [T: Nullable] Vec<Option<T>>, |items| items.as_slice().into();
    /// A vector; each `None` is the null.
    [T: Nullable] &[Option<T>], |items| {
        let items = items.iter().map(|item| item.unwrap_or(T::NULL));
        items.collect::<Items<T>>().into()
    };
    /// A vector; each `None` is the null.
    [T: Nullable, const N: usize] [Option<T>; N], |items| items.as_slice().into();
    /// A symbol vector.
    [] Vec<Symbol>, |symbols| symbols.as_slice().into();
    /// A symbol vector.
    [] &[Symbol], |symbols| Symbols::from_iter(symbols).into();
    /// A symbol vector.
    [const N: usize] [Symbol; N], |symbols| symbols.as_slice().into();
    /// A symbol vector.
    [] Vec<SymbolRef<'_>>, |symbols| symbols.as_slice().into();
    /// A symbol vector.
    [] &[SymbolRef<'_>], |symbols| Symbols::from_iter(symbols.iter().copied()).into();
    /// A symbol vector.
    [const N: usize] [SymbolRef<'_>; N], |symbols| symbols.as_slice().into();
}

// Lists.
value_from! {
    /// A general list.
    [] Vec<Self>, |items| List::from(items).into();
    /// A general list.
    [] &[Self], |items| items.iter().cloned().collect::<List>().into();
    /// A general list.
    [const N: usize] [Self; N], |items| items.into_iter().collect::<List>().into();
    /// A list of char vectors.
    [] Vec<String>, |texts| texts.into_iter().map(Self::from).collect::<List>().into();
    /// A list of char vectors.
    [] &[String], |texts| texts.iter().map(Self::from).collect::<List>().into();
    /// A list of char vectors.
    [const N: usize] [String; N], |texts| texts.map(Self::from).into();
    /// A list of char vectors.
    [] Vec<&str>, |texts| texts.as_slice().into();
    /// A list of char vectors.
    [] &[&str], |texts| texts.iter().copied().map(Self::from).collect::<List>().into();
    /// A list of char vectors.
    [const N: usize] [&str; N], |texts| texts.as_slice().into();
    /// A list of char vectors.
    [] Vec<Vec<u8>>, |texts| texts.into_iter().map(Self::from).collect::<List>().into();
    /// A list of char vectors.
    [] &[Vec<u8>], |texts| texts.iter().map(Self::from).collect::<List>().into();
    /// A list of char vectors.
    [] Vec<&[u8]>, |texts| texts.as_slice().into();
    /// A list of char vectors.
    [] &[&[u8]], |texts| texts.iter().copied().map(Self::from).collect::<List>().into();
    /// A list of char vectors.
    [const N: usize] [&[u8]; N], |texts| texts.as_slice().into();
}

macro_rules! value_from_tuple {
    ($($name:ident)+) => {
        impl<$($name: Into<Self>),+> From<($($name,)+)> for Value {
            /// A general list: a function and up to eight arguments, say.
            #[expect(non_snake_case, reason = "the items are named as their types")]
            fn from(($($name,)+): ($($name,)+)) -> Self {
                Self::List([$($name.into()),+].into_iter().collect())
            }
        }
    };
}

value_from_tuple!(A);
value_from_tuple!(A B);
value_from_tuple!(A B C);
value_from_tuple!(A B C D);
value_from_tuple!(A B C D E);
value_from_tuple!(A B C D E F);
value_from_tuple!(A B C D E F G);
value_from_tuple!(A B C D E F G H);
value_from_tuple!(A B C D E F G H I);

/// Vectors of items that are bytes, of bytes.
macro_rules! items_from_bytes {
    ($($item:ty)+) => {$(
        impl From<Bytes> for Items<$item> {
            /// Shares the bytes.
            fn from(bytes: Bytes) -> Self {
                Self::from_wire(bytes, NATIVE, Attribute::None, false)
            }
        }

        impl From<Vec<u8>> for Items<$item> {
            /// Takes the bytes over without a copy.
            fn from(bytes: Vec<u8>) -> Self {
                Bytes::from(bytes).into()
            }
        }

        impl From<&[u8]> for Items<$item> {
            /// Copies the bytes.
            fn from(bytes: &[u8]) -> Self {
                Bytes::copy_from_slice(bytes).into()
            }
        }
    )+};
}

items_from_bytes!(Byte Char);

impl From<String> for Items<Char> {
    /// Takes the text over without a copy.
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&str> for Items<Char> {
    /// Copies the text.
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

//! Conversions between values and what a program has in hand.
//!
//! Into a [`Value`] by `From`, so that whatever a function takes as `impl Into<Value>` can be given
//! as it is. Out of one by [`Value::to`] and [`ValueRef::to`], which fail with what was expected
//! and what was there. Nothing is widened, rounded or parsed on the way, in either direction: an
//! `i64` is a long and a long is an `i64`.
//!
//! ```
//! use hopen_codec::sym;
//! use hopen_codec::value::{SymbolRef, TableRef, Timestamp, Value};
//!
//! // A function and its arguments: a tuple is a list.
//! let call = Value::from((sym!("upd"), "some text", vec![101.25, 101.5], Timestamp(0)));
//! // And back again, borrowing what can be borrowed.
//! let (function, text, prices, at) = call.to::<(SymbolRef<'_>, &str, Vec<f64>, Timestamp)>()?;
//! assert_eq!(function, "upd");
//! assert_eq!((text, at), ("some text", Timestamp(0)));
//! assert_eq!(prices, [101.25, 101.5]);
//!
//! let error = call.to::<(SymbolRef<'_>, &str, TableRef<'_>, Timestamp)>().unwrap_err();
//! assert_eq!(error.to_string(), "item 2: expected a table, found a float vector");
//! # Ok::<(), hopen_codec::value::ConvertError>(())
//! ```
//!
//! # Types
//!
//! | q | Rust, both ways | out only, borrowing | `None` is |
//! | --- | --- | --- | --- |
//! | boolean atom | `bool` | | – |
//! | guid atom | [`Guid`], which is `From<[u8; 16]>` | | `0Ng`, all zeros |
//! | byte atom | [`Byte`] | | – |
//! | short, int, long atom | `i16`, `i32`, `i64` | | `0Nh`, `0Ni`, `0N`: the `MIN` |
//! | real, float atom | `f32`, `f64` | | `0Ne`, `0n`: any NaN |
//! | char atom | [`Char`] | | – |
//! | symbol atom | [`Symbol`], [`SymbolRef`] | | the empty symbol |
//! | timestamp, date, … atom | [`Timestamp`], [`Date`] … | | `0Np`, `0Nd` … |
//! | vector of one of these `T` | `Vec<T>`, [`Items<T>`](Items) | [`Items<T, &[u8]>`](Items), `Cow<[T]>` | in `Vec<Option<T>>` |
//! | symbol vector | `Vec<Symbol>`, `Vec<SymbolRef>`, [`Symbols`] | [`Symbols<&[u8]>`](Symbols) | – |
//! | char vector | `String`, `&str`, `Vec<u8>`, `&[u8]` | | – |
//! | list of char vectors | `Vec` of one of these | | – |
//! | list | `Vec<Value>`, tuples of 1 to 9, [`List`] | `Vec<ValueRef>`, [`ListRef`] | – |
//! | dictionary, table, function | [`Dict`], [`Table`], [`Function`] | [`DictRef`], [`TableRef`], [`FunctionRef`] | – |
//! | any atom, any vector | [`Atom`], [`Vector`] | `Atom<SymbolRef>`, `Vector<&[u8]>` | – |
//! | `::` | `()` | | – |
//!
//! Where the table has a null, `Option<T>` converts as well: `None` into the null and any null into
//! `None`. Without the `Option` a null is a number like any other; so are infinities, always.
//! Slices and arrays convert into what a `Vec` of the same converts into. [`List`], [`Dict`],
//! [`Table`], [`Function`] and [`Vector`] come out of an owned [`Value`] only, see below.
//!
//! `std::time` and, with the feature `jiff-0_2`, the types of jiff 0.2 convert from and to the
//! temporal types, not straight from and to values: a [`SystemTime`](std::time::SystemTime) may be
//! out of a timestamp's range, and whether a [`Duration`](std::time::Duration) is to be a timespan
//! or a time is the program's to say.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use hopen_codec::value::{Timespan, Timestamp, Value};
//!
//! let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
//! let value = Value::from(Timestamp::try_from(time)?);
//! assert_eq!(SystemTime::try_from(value.to::<Timestamp>()?)?, time);
//! assert_eq!(Timespan::try_from(Duration::from_micros(2))?, Timespan(2_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Text, chars and bytes
//!
//! `&str`, `String`, `&[u8]`, `Vec<u8>` and `b"…"` are char *vectors*, of one character too: to q
//! `"a"` is a char and `,"a"` a char vector, and what a program's text becomes should not depend on
//! its length. There is no conversion from `u8`, `char` or `[u8; N]`: [`Byte`] and [`Char`] say
//! which of two things a byte is, [`Guid`] what sixteen of them are, and a Rust `char` need not fit
//! into one of q's. Bytes that are not to be text are [`Items<Byte>`](Items), which takes over a
//! `Vec<u8>` or [`Bytes`](bytes::Bytes).
//!
//! Out of a value, text comes from a char vector and from a char atom, which is what a q program
//! sends that writes `"a"`. It has to be UTF-8 to become a `str`; as bytes it always converts.
//!
//! ```
//! use hopen_codec::value::{Byte, Char, Items, Value, ValueRef};
//!
//! assert!(matches!(Value::from("a").as_ref(), ValueRef::Vector(_)));
//! assert_eq!(Value::from(Char(b'a')).to::<&str>()?, "a");
//! let latin_1 = Value::from(b"caf\xe9");
//! assert_eq!(latin_1.to::<&[u8]>()?, b"caf\xe9");
//! let error = latin_1.to::<String>().unwrap_err();
//! assert_eq!(error.to_string(), "the text is not UTF-8 from byte 3 on");
//!
//! let blob = Value::from(Items::<Byte>::from(vec![0xca, 0xfe]));
//! assert_eq!(blob.to::<Vec<Byte>>()?, [Byte(0xca), Byte(0xfe)]);
//! # Ok::<(), hopen_codec::value::ConvertError>(())
//! ```
//!
//! # Numbers
//!
//! An integer literal without a suffix is an `i32` to Rust and a long to q, so calls want `2_i64`.
//! There are no conversions from `u64` or `usize`, which q has not: `i64::try_from` is the
//! program's to call.
//!
//! # Lists that q makes into vectors, and those that it does not
//!
//! q keeps a list whose items are atoms of one type as a vector: `(1;2)` *is* `1 2`. So a tuple
//! also converts from a vector of as many items, and `Vec<Value>` and `Vec<ValueRef>` from any
//! vector, the items being atoms. And q's empty list `()` has no type, so it also converts to an
//! empty `Vec` of any items ([`Items`], which would write it again with a type, does not).
//!
//! ```
//! use hopen_codec::value::{List, Value};
//!
//! assert_eq!(Value::from(vec![1_i64, 2]).to::<(i64, i64)>()?, (1, 2));
//! assert!(Value::from(List::from(vec![])).to::<Vec<f64>>()?.is_empty());
//! # Ok::<(), hopen_codec::value::ConvertError>(())
//! ```
//!
//! # What is copied
//!
//! Into a value, a `Vec` of items, a `Vec<u8>` and a `String` are taken over as they are; slices,
//! symbols and `Option`s are copied. Out of one, references, [`Items<T, &[u8]>`](Items),
//! [`Symbols<&[u8]>`](Symbols), [`ListRef`], [`DictRef`] and [`TableRef`] borrow, `Cow<[T]>` where
//! it can ([`Items::to_slice`]); `Vec`, `String` and `Items<T>` copy. Who owns the value unwraps it without a copy, by `TryFrom`:
//!
//! ```
//! use hopen_codec::value::{Items, Value};
//!
//! let answer = Value::from(vec![101.25, 101.5]);
//! let prices = Items::<f64>::try_from(answer)?;
//! assert_eq!(prices.len(), 2);
//! # Ok::<(), hopen_codec::value::ConvertError>(())
//! ```
//!
//! # Types of one's own
//!
//! What implements `TryFrom<ValueRef>` with [`ConvertError`](super::ConvertError) converts like
//! the types above, also as an item of a tuple.
//!
//! ```
//! use hopen_codec::sym;
//! use hopen_codec::value::{ConvertError, SymbolRef, Value, ValueRef};
//!
//! struct Quote<'a> {
//!     ticker: SymbolRef<'a>,
//!     bid: f64,
//! }
//!
//! impl<'a> TryFrom<ValueRef<'a>> for Quote<'a> {
//!     type Error = ConvertError;
//!
//!     fn try_from(value: ValueRef<'a>) -> Result<Self, ConvertError> {
//!         let (ticker, bid) = value.to()?;
//!         Ok(Self { ticker, bid })
//!     }
//! }
//!
//! let message = Value::from((sym!("quote"), (sym!("ibm"), 101.25)));
//! let (_, quote): (SymbolRef<'_>, Quote<'_>) = message.to()?;
//! assert_eq!(quote.ticker, "ibm");
//! assert_eq!(quote.bid, 101.25);
//! # Ok::<(), ConvertError>(())
//! ```

pub(super) mod error;
mod from;
mod into;

// For the links above.
#[cfg(doc)]
use super::{
    Atom, Byte, Char, Date, Dict, DictRef, Function, FunctionRef, Guid, Items, List, ListRef,
    Symbol, SymbolRef, Symbols, Table, TableRef, Timestamp, Value, ValueRef, Vector,
};

#[cfg(test)]
mod tests;

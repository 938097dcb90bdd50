//! Atoms: single values of a basic type.

use core::hash::{Hash, Hasher};

use super::item::{Byte, Char, Guid, Item};
use super::symbol::{Symbol, SymbolRef};
use super::temporal::{Date, Datetime, Minute, Month, Second, Time, Timespan, Timestamp};
use super::types::BasicType;
use crate::value::item::sealed::Wire as _;

/// A single value of a basic type.
///
/// `S` is what holds a symbol: [`Symbol`] where the atom owns it, [`SymbolRef`] where it is
/// borrowed. On the wire an atom is its type as a negative number, one byte, and the value: an int
/// 1 is `fa 01 00 00 00`.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the wire has these and no others")]
#[expect(missing_docs, reason = "BasicType has the table")]
pub enum Atom<S = Symbol> {
    Boolean(bool),
    Guid(Guid),
    Byte(Byte),
    Short(i16),
    Int(i32),
    Long(i64),
    Real(f32),
    Float(f64),
    Char(Char),
    Symbol(S),
    Timestamp(Timestamp),
    Month(Month),
    Date(Date),
    Datetime(Datetime),
    Timespan(Timespan),
    Minute(Minute),
    Second(Second),
    Time(Time),
}

/// Evaluates an expression for whatever item an atom holds, and another for a symbol.
macro_rules! with_atom {
    ($atom:expr, $item:ident => $do:expr, $symbol:ident => $other:expr) => {
        match $atom {
            $crate::value::Atom::Boolean($item) => $do,
            $crate::value::Atom::Guid($item) => $do,
            $crate::value::Atom::Byte($item) => $do,
            $crate::value::Atom::Short($item) => $do,
            $crate::value::Atom::Int($item) => $do,
            $crate::value::Atom::Long($item) => $do,
            $crate::value::Atom::Real($item) => $do,
            $crate::value::Atom::Float($item) => $do,
            $crate::value::Atom::Char($item) => $do,
            $crate::value::Atom::Timestamp($item) => $do,
            $crate::value::Atom::Month($item) => $do,
            $crate::value::Atom::Date($item) => $do,
            $crate::value::Atom::Datetime($item) => $do,
            $crate::value::Atom::Timespan($item) => $do,
            $crate::value::Atom::Minute($item) => $do,
            $crate::value::Atom::Second($item) => $do,
            $crate::value::Atom::Time($item) => $do,
            $crate::value::Atom::Symbol($symbol) => $other,
        }
    };
}
pub(crate) use with_atom;

impl<S> Atom<S> {
    /// Returns the basic type of the atom.
    pub fn basic_type(&self) -> BasicType {
        fn of<T: Item>(_: &T) -> BasicType {
            T::TYPE
        }
        with_atom!(self, item => of(item), _symbol => BasicType::Symbol)
    }

    /// Returns the same atom, its symbol held otherwise.
    pub(crate) fn map_symbol<R>(self, hold: impl FnOnce(S) -> R) -> Atom<R> {
        with_atom!(self, item => item.into_atom(), symbol => Atom::Symbol(hold(symbol)))
    }
}

impl Atom {
    /// Borrows the atom.
    #[inline]
    pub fn as_ref(&self) -> Atom<SymbolRef<'_>> {
        with_atom!(self, item => item.into_atom(), symbol => Atom::Symbol(symbol.as_ref()))
    }
}

impl<S: AsRef<[u8]>> PartialEq for Atom<S> {
    /// The same type and the same value; any NaN equals any NaN.
    fn eq(&self, other: &Self) -> bool {
        if self.basic_type() != other.basic_type() {
            return false;
        }
        match (self, other) {
            (Self::Symbol(a), Self::Symbol(b)) => a.as_ref() == b.as_ref(),
            _ => self.key() == other.key(),
        }
    }
}

impl<S: AsRef<[u8]>> Eq for Atom<S> {}

impl<S: AsRef<[u8]>> Hash for Atom<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.basic_type().hash(state);
        if let Self::Symbol(symbol) = self {
            symbol.as_ref().hash(state);
        } else {
            self.key().hash(state);
        }
    }
}

impl<S> Atom<S> {
    /// Returns what equal atoms of a type have in common, for all but symbols.
    fn key(&self) -> u128 {
        with_atom!(self, item => item.key(), _symbol => 0)
    }
}

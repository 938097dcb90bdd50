//! Vectors: many values of one basic type.

use bytes::Bytes;

use super::item::{Byte, Char, Guid, Item};
use super::items::Items;
use super::symbols::Symbols;
use super::temporal::{Date, Datetime, Minute, Month, Second, Time, Timespan, Timestamp};
use super::types::{Attribute, BasicType};

/// Many values of one basic type.
///
/// `B` is what holds the bytes: [`Bytes`] where the vector owns them (or shares them with the
/// message that they came in), `&[u8]` where it is borrowed. On the wire a vector is its type, its
/// attribute, its count and the items:
///
/// ```text
/// `s#1 2 3i      06 01 03000000 01000000 02000000 03000000
///                │  │  │        items
///                │  │  count: 4 bytes, or 8 where bit 0x80 of the attribute is set
///                │  attribute
///                type
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the wire has these and no others")]
#[expect(missing_docs, reason = "BasicType has the table")]
pub enum Vector<B: AsRef<[u8]> = Bytes> {
    Boolean(Items<bool, B>),
    Guid(Items<Guid, B>),
    Byte(Items<Byte, B>),
    Short(Items<i16, B>),
    Int(Items<i32, B>),
    Long(Items<i64, B>),
    Real(Items<f32, B>),
    Float(Items<f64, B>),
    Char(Items<Char, B>),
    Symbol(Symbols<B>),
    Timestamp(Items<Timestamp, B>),
    Month(Items<Month, B>),
    Date(Items<Date, B>),
    Datetime(Items<Datetime, B>),
    Timespan(Items<Timespan, B>),
    Minute(Items<Minute, B>),
    Second(Items<Second, B>),
    Time(Items<Time, B>),
}

/// Evaluates an expression for whatever items a vector holds, and another for symbols.
macro_rules! with_vector {
    ($vector:expr, $items:ident => $do:expr, $symbols:ident => $other:expr) => {
        match $vector {
            $crate::value::Vector::Boolean($items) => $do,
            $crate::value::Vector::Guid($items) => $do,
            $crate::value::Vector::Byte($items) => $do,
            $crate::value::Vector::Short($items) => $do,
            $crate::value::Vector::Int($items) => $do,
            $crate::value::Vector::Long($items) => $do,
            $crate::value::Vector::Real($items) => $do,
            $crate::value::Vector::Float($items) => $do,
            $crate::value::Vector::Char($items) => $do,
            $crate::value::Vector::Timestamp($items) => $do,
            $crate::value::Vector::Month($items) => $do,
            $crate::value::Vector::Date($items) => $do,
            $crate::value::Vector::Datetime($items) => $do,
            $crate::value::Vector::Timespan($items) => $do,
            $crate::value::Vector::Minute($items) => $do,
            $crate::value::Vector::Second($items) => $do,
            $crate::value::Vector::Time($items) => $do,
            $crate::value::Vector::Symbol($symbols) => $other,
        }
    };
}
pub(crate) use with_vector;

impl<B: AsRef<[u8]>> Vector<B> {
    /// Returns the basic type of the items.
    pub fn basic_type(&self) -> BasicType {
        fn of<T: Item, B>(_: &Items<T, B>) -> BasicType {
            T::TYPE
        }
        with_vector!(self, items => of(items), _symbols => BasicType::Symbol)
    }

    /// Returns how many items there are.
    pub fn len(&self) -> usize {
        with_vector!(self, items => items.len(), symbols => symbols.len())
    }

    /// Returns whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the attribute.
    pub fn attribute(&self) -> Attribute {
        with_vector!(self, items => items.attribute(), symbols => symbols.attribute())
    }

    /// Returns the same vector with another attribute. Whether it is true is the caller's to know:
    /// q believes it.
    #[must_use]
    pub fn with_attribute(self, attribute: Attribute) -> Self {
        with_vector!(
            self,
            items => Item::into_vector(items.with_attribute(attribute)),
            symbols => Self::Symbol(symbols.with_attribute(attribute))
        )
    }

    /// Borrows the vector.
    #[inline]
    pub fn as_ref(&self) -> Vector<&[u8]> {
        with_vector!(
            self,
            items => Item::into_vector(items.as_ref()),
            symbols => Vector::Symbol(symbols.as_ref())
        )
    }

    /// Returns the same vector in other storage.
    pub(crate) fn in_storage<C: AsRef<[u8]>>(self, store: impl FnOnce(B) -> C) -> Vector<C> {
        with_vector!(
            self,
            items => Item::into_vector(items.in_storage(store)),
            symbols => Vector::Symbol(symbols.in_storage(store))
        )
    }
}

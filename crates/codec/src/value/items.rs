//! The items of a vector: bytes that are read as numbers where somebody looks at them.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::ops::{Bound, RangeBounds};
use std::borrow::Cow;

use bytes::Bytes;

use super::temporal::{Date, Datetime, Minute, Month, Second, Time, Timespan, Timestamp};
use super::types::{Attribute, BasicType};
use super::{Atom, Vector};
use crate::byte_order::ByteOrder;

/// A vector's items, of one fixed width, in the byte order they came in.
///
/// `B` is what holds the bytes: [`Bytes`] where the items own their storage (or share it with the
/// message that they came in), `&[u8]` where they are borrowed from a value. Making one costs the
/// same whatever its length: nothing is copied or converted until an item is read.
///
/// ```
/// use hopen_codec::value::Items;
///
/// let prices = Items::from(vec![101.25, 101.5, 101.0]); // takes the vector over, no copy
/// assert_eq!(prices.get(1), Some(101.5));
/// assert_eq!(prices.iter().sum::<f64>(), 303.75);
/// assert_eq!(&*prices.to_slice(), [101.25, 101.5, 101.0]);
/// ```
#[derive(Clone, Copy)]
pub struct Items<T, B = Bytes> {
    bytes: B,
    order: ByteOrder,
    attribute: Attribute,
    /// Whether the count took eight bytes on the wire although four would do, so that what is
    /// written again is what was read.
    wide_count: bool,
    item: PhantomData<T>,
}

impl<T: Item, B: AsRef<[u8]>> Items<T, B> {
    /// Takes the bytes of whole items.
    #[inline]
    pub(crate) fn from_wire(
        bytes: B,
        order: ByteOrder,
        attribute: Attribute,
        wide_count: bool,
    ) -> Self {
        debug_assert_eq!(bytes.as_ref().len() % T::WIDTH, 0, "whole items");
        Self {
            bytes,
            order,
            attribute,
            wide_count,
            item: PhantomData,
        }
    }

    /// Returns how many items there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.as_ref().len() / T::WIDTH
    }

    /// Returns whether there is no item.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.as_ref().is_empty()
    }

    /// Returns the item at `index`, counted from 0.
    #[inline]
    pub fn get(&self, index: usize) -> Option<T> {
        let start = index.checked_mul(T::WIDTH)?;
        let item = self
            .bytes
            .as_ref()
            .get(start..start.checked_add(T::WIDTH)?)?;
        Some(T::from_wire(item, self.order))
    }

    /// Iterates over the items.
    #[inline]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self.bytes.as_ref(), self.order)
    }

    /// Returns the items as a slice: borrowed where they stand in this machine's byte order at an
    /// address fit for `T`, copied otherwise. Where in a message a vector starts is luck, so a
    /// slice that was received may or may not be a copy.
    pub fn to_slice(&self) -> Cow<'_, [T]> {
        let bytes = self.bytes.as_ref();
        if self.order == NATIVE || !T::SWAPS {
            if let Ok(items) = bytemuck::checked::try_cast_slice(bytes) {
                return Cow::Borrowed(items);
            }
        }
        Cow::Owned(self.iter().collect())
    }

    /// Returns the attribute.
    #[inline]
    pub fn attribute(&self) -> Attribute {
        self.attribute
    }

    /// Returns the byte order of [`as_bytes`](Self::as_bytes).
    #[inline]
    pub fn byte_order(&self) -> ByteOrder {
        self.order
    }

    /// Returns the bytes of the items as they are on the wire, without type, attribute and count.
    #[inline]
    pub fn as_bytes(&self) -> &B {
        &self.bytes
    }

    /// Returns the same items with another attribute. Whether it is true is the caller's to know:
    /// q believes it.
    #[must_use]
    pub fn with_attribute(self, attribute: Attribute) -> Self {
        Self { attribute, ..self }
    }

    /// Borrows the items.
    #[inline]
    pub fn borrow(&self) -> Items<T, &[u8]> {
        Items {
            bytes: self.bytes.as_ref(),
            order: self.order,
            attribute: self.attribute,
            wide_count: self.wide_count,
            item: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn wide_count(&self) -> bool {
        self.wide_count
    }

    /// Returns the same items in other storage.
    pub(crate) fn in_storage<C>(self, store: impl FnOnce(B) -> C) -> Items<T, C> {
        Items {
            bytes: store(self.bytes),
            order: self.order,
            attribute: self.attribute,
            wide_count: self.wide_count,
            item: PhantomData,
        }
    }
}

impl<T: Item> Items<T> {
    /// Returns the items of a range, without a copy and without the attribute.
    ///
    /// # Panics
    ///
    /// Where the range reaches beyond the items, like the slices of the standard library.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => *start + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(end) => *end + 1,
            Bound::Excluded(end) => *end,
            Bound::Unbounded => self.len(),
        };
        assert!(
            start <= end && end <= self.len(),
            "items {start}..{end} of {} were asked for",
            self.len()
        );
        let bytes = self.bytes.slice(start * T::WIDTH..end * T::WIDTH);
        Self::from_wire(bytes, self.order, Attribute::None, false)
    }
}

impl<'a, T: Item> IntoIterator for Items<T, &'a [u8]> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        Iter::new(self.bytes, self.order)
    }
}

impl<'a, T: Item, B: AsRef<[u8]>> IntoIterator for &'a Items<T, B> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T: Item> From<Vec<T>> for Items<T> {
    /// Takes the vector over without a copy.
    fn from(items: Vec<T>) -> Self {
        Self::from_wire(
            Bytes::from_owner(Owned(items)),
            NATIVE,
            Attribute::None,
            false,
        )
    }
}

impl<T: Item> From<&[T]> for Items<T> {
    /// Copies the slice.
    fn from(items: &[T]) -> Self {
        let bytes = Bytes::copy_from_slice(bytemuck::cast_slice(items));
        Self::from_wire(bytes, NATIVE, Attribute::None, false)
    }
}

impl<T: Item> FromIterator<T> for Items<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        items.into_iter().collect::<Vec<T>>().into()
    }
}

impl<T: Item, B: AsRef<[u8]>, C: AsRef<[u8]>> PartialEq<Items<T, C>> for Items<T, B> {
    /// The same attribute and the same items; the byte order does not count, and any NaN equals
    /// any NaN.
    fn eq(&self, other: &Items<T, C>) -> bool {
        if self.attribute != other.attribute || self.len() != other.len() {
            return false;
        }
        if T::BITWISE && (self.order == other.order || !T::SWAPS) {
            return self.bytes.as_ref() == other.bytes.as_ref();
        }
        self.iter()
            .zip(other.iter())
            .all(|(a, b)| a.key() == b.key())
    }
}

impl<T: Item, B: AsRef<[u8]>> Eq for Items<T, B> {}

impl<T: Item, B: AsRef<[u8]>> Hash for Items<T, B> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.attribute.hash(state);
        self.len().hash(state);
        for item in self.iter() {
            item.key().hash(state);
        }
    }
}

impl<T: Item, B: AsRef<[u8]>> fmt::Debug for Items<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Iterates over the items of a vector.
#[derive(Clone, Debug)]
pub struct Iter<'a, T> {
    chunks: core::slice::ChunksExact<'a, u8>,
    order: ByteOrder,
    item: PhantomData<T>,
}

impl<'a, T: Item> Iter<'a, T> {
    #[inline]
    fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self {
            chunks: bytes.chunks_exact(T::WIDTH),
            order,
            item: PhantomData,
        }
    }
}

impl<T: Item> Iterator for Iter<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.chunks
            .next()
            .map(|item| T::from_wire(item, self.order))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.chunks.size_hint()
    }

    fn nth(&mut self, n: usize) -> Option<T> {
        self.chunks
            .nth(n)
            .map(|item| T::from_wire(item, self.order))
    }

    /// One loop for each byte order, so that the compiler can turn either into vector
    /// instructions.
    #[inline]
    fn fold<A, F: FnMut(A, T) -> A>(self, init: A, mut f: F) -> A {
        match self.order {
            ByteOrder::Little => self
                .chunks
                .fold(init, |a, item| f(a, T::from_wire(item, ByteOrder::Little))),
            ByteOrder::Big => self
                .chunks
                .fold(init, |a, item| f(a, T::from_wire(item, ByteOrder::Big))),
        }
    }
}

impl<T: Item> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<T> {
        self.chunks
            .next_back()
            .map(|item| T::from_wire(item, self.order))
    }
}

impl<T: Item> ExactSizeIterator for Iter<'_, T> {}
impl<T: Item> core::iter::FusedIterator for Iter<'_, T> {}

/// A Rust type that is an item of a q vector, and an atom, of one fixed width.
///
/// The trait is sealed: the wire has just these. Symbols, which take what they need, are
/// [`Symbols`](super::Symbols).
pub trait Item: sealed::Wire {
    /// q's type of the item.
    const TYPE: BasicType;
    /// The bytes that an item takes.
    const WIDTH: usize = size_of::<Self>();

    /// Returns the atom of this item.
    fn into_atom<S>(self) -> Atom<S>;

    /// Returns the vector of these items.
    fn into_vector<B: AsRef<[u8]>>(items: Items<Self, B>) -> Vector<B>;

    /// Returns the item of an atom, if it is of this type.
    fn from_atom<S>(atom: &Atom<S>) -> Option<Self>;

    /// Returns the items of a vector, if they are of this type.
    fn from_vector<B: AsRef<[u8]>>(vector: Vector<B>) -> Result<Items<Self, B>, Vector<B>>;
}

/// An item whose type has a null: what `None` becomes, and what becomes `None`.
pub trait Nullable: Item {
    /// The null of the type. For floats any other NaN is null as well.
    const NULL: Self;

    /// Returns whether this is the null.
    fn is_null(self) -> bool;
}

/// Storage for a vector that a program made: its items, seen as bytes.
struct Owned<T>(Vec<T>);

impl<T: Item> AsRef<[u8]> for Owned<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// The byte order of this machine.
pub(crate) const NATIVE: ByteOrder = if cfg!(target_endian = "little") {
    ByteOrder::Little
} else {
    ByteOrder::Big
};

pub(crate) mod sealed {
    use super::ByteOrder;

    /// How an item stands on the wire.
    #[expect(unnameable_types, reason = "it seals `Item`")]
    pub trait Wire:
        Copy
        + core::fmt::Debug
        + PartialEq
        + Send
        + Sync
        + bytemuck::NoUninit
        + bytemuck::CheckedBitPattern
        + 'static
    {
        /// Whether the byte order matters.
        const SWAPS: bool;
        /// Whether two items are the same just where their bytes are.
        const BITWISE: bool;

        /// Reads an item; of fewer bytes than it takes comes zero.
        fn from_wire(bytes: &[u8], order: ByteOrder) -> Self;

        /// Writes an item to as many bytes as it takes.
        fn to_wire(self, order: ByteOrder, room: &mut [u8]) {
            room.copy_from_slice(bytemuck::bytes_of(&self));
            if Self::SWAPS && order != super::NATIVE {
                room.reverse();
            }
        }

        /// Returns what equal items have in common.
        fn key(self) -> u128;
    }
}

/// q's byte: `0x2a`. A type of its own because Rust's `u8` is used for text as well.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    bytemuck::Pod,
    bytemuck::Zeroable,
)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
#[repr(transparent)]
pub struct Byte(pub u8);

/// q's char: one byte of a text in no particular encoding.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    bytemuck::Pod,
    bytemuck::Zeroable,
)]
#[expect(clippy::exhaustive_structs, reason = "a byte and nothing else")]
#[repr(transparent)]
pub struct Char(pub u8);

/// q's guid: 16 bytes in the order in which they are printed, whatever the byte order of the
/// message. Converts from and to `[u8; 16]`, which is what UUID libraries have in hand.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    bytemuck::Pod,
    bytemuck::Zeroable,
)]
#[expect(clippy::exhaustive_structs, reason = "sixteen bytes and nothing else")]
#[repr(transparent)]
pub struct Guid(pub [u8; 16]);

impl From<[u8; 16]> for Guid {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl From<Guid> for [u8; 16] {
    fn from(guid: Guid) -> Self {
        guid.0
    }
}

/// Everything about an item but the bytes.
macro_rules! item {
    ($type:ty, $variant:ident) => {
        impl Item for $type {
            const TYPE: BasicType = BasicType::$variant;

            #[inline]
            fn into_atom<S>(self) -> Atom<S> {
                Atom::$variant(self)
            }

            #[inline]
            fn into_vector<B: AsRef<[u8]>>(items: Items<Self, B>) -> Vector<B> {
                Vector::$variant(items)
            }

            #[inline]
            fn from_atom<S>(atom: &Atom<S>) -> Option<Self> {
                if let Atom::$variant(item) = atom {
                    Some(*item)
                } else {
                    None
                }
            }

            #[inline]
            fn from_vector<B: AsRef<[u8]>>(vector: Vector<B>) -> Result<Items<Self, B>, Vector<B>> {
                if let Vector::$variant(items) = vector {
                    Ok(items)
                } else {
                    Err(vector)
                }
            }
        }
    };
}

/// Items of one byte.
macro_rules! byte_item {
    ($($type:ty, $variant:ident, $from:expr;)*) => {$(
        item!($type, $variant);

        impl sealed::Wire for $type {
            const SWAPS: bool = false;
            const BITWISE: bool = true;

            #[inline]
            fn from_wire(bytes: &[u8], _: ByteOrder) -> Self {
                $from(bytes.first().copied().unwrap_or_default())
            }

            fn key(self) -> u128 {
                u128::from(bytemuck::cast::<Self, u8>(self))
            }
        }
    )*};
}

byte_item! {
    bool, Boolean, |byte| byte != 0;
    Byte, Byte, Byte;
    Char, Char, Char;
}

item!(Guid, Guid);

impl sealed::Wire for Guid {
    const SWAPS: bool = false;
    const BITWISE: bool = true;

    #[inline]
    fn from_wire(bytes: &[u8], _: ByteOrder) -> Self {
        Self(bytes.first_chunk().copied().unwrap_or_default())
    }

    fn key(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl Nullable for Guid {
    const NULL: Self = Self([0; 16]);

    fn is_null(self) -> bool {
        self == Self::NULL
    }
}

/// Items that are integers: of `$number`, wrapped by `$wrap`.
macro_rules! integer_item {
    ($($type:ty, $variant:ident, $number:ty, $wrap:expr, $unwrap:expr;)*) => {$(
        item!($type, $variant);

        impl sealed::Wire for $type {
            const SWAPS: bool = true;
            const BITWISE: bool = true;

            #[inline]
            fn from_wire(bytes: &[u8], order: ByteOrder) -> Self {
                let bytes = bytes.first_chunk().copied().unwrap_or_default();
                $wrap(match order {
                    ByteOrder::Little => <$number>::from_le_bytes(bytes),
                    ByteOrder::Big => <$number>::from_be_bytes(bytes),
                })
            }

            #[expect(clippy::redundant_closure_call, reason = "the macro's way to unwrap")]
            fn key(self) -> u128 {
                $unwrap(self) as u128
            }
        }

        impl Nullable for $type {
            const NULL: Self = $wrap(<$number>::MIN);

            fn is_null(self) -> bool {
                self == Self::NULL
            }
        }
    )*};
}

integer_item! {
    i16, Short, i16, core::convert::identity, |item: i16| item;
    i32, Int, i32, core::convert::identity, |item: i32| item;
    i64, Long, i64, core::convert::identity, |item: i64| item;
    Timestamp, Timestamp, i64, Timestamp, |item: Timestamp| item.0;
    Month, Month, i32, Month, |item: Month| item.0;
    Date, Date, i32, Date, |item: Date| item.0;
    Timespan, Timespan, i64, Timespan, |item: Timespan| item.0;
    Minute, Minute, i32, Minute, |item: Minute| item.0;
    Second, Second, i32, Second, |item: Second| item.0;
    Time, Time, i32, Time, |item: Time| item.0;
}

/// Items that are floating-point numbers: of `$number`, wrapped by `$wrap`.
macro_rules! float_item {
    ($($type:ty, $variant:ident, $number:ty, $wrap:expr, $unwrap:expr;)*) => {$(
        item!($type, $variant);

        impl sealed::Wire for $type {
            const SWAPS: bool = true;
            const BITWISE: bool = false;

            #[inline]
            fn from_wire(bytes: &[u8], order: ByteOrder) -> Self {
                let bytes = bytes.first_chunk().copied().unwrap_or_default();
                $wrap(match order {
                    ByteOrder::Little => <$number>::from_le_bytes(bytes),
                    ByteOrder::Big => <$number>::from_be_bytes(bytes),
                })
            }

            #[expect(clippy::redundant_closure_call, reason = "the macro's way to unwrap")]
            fn key(self) -> u128 {
                let number: $number = $unwrap(self);
                let number = if number.is_nan() { <$number>::NAN } else { number };
                u128::from(number.to_bits())
            }
        }

        impl Nullable for $type {
            const NULL: Self = $wrap(<$number>::NAN);

            #[expect(clippy::redundant_closure_call, reason = "the macro's way to unwrap")]
            fn is_null(self) -> bool {
                $unwrap(self).is_nan()
            }
        }
    )*};
}

float_item! {
    f32, Real, f32, core::convert::identity, |item: f32| item;
    f64, Float, f64, core::convert::identity, |item: f64| item;
    Datetime, Datetime, f64, Datetime, |item: Datetime| item.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_read_the_same_items() {
        let little = Items::<i32, _>::from_wire(
            &[1, 0, 0, 0, 254, 255, 255, 255][..],
            ByteOrder::Little,
            Attribute::None,
            false,
        );
        let big = Items::<i32, _>::from_wire(
            &[0, 0, 0, 1, 255, 255, 255, 254][..],
            ByteOrder::Big,
            Attribute::None,
            false,
        );
        assert_eq!(little.iter().collect::<Vec<_>>(), [1, -2]);
        assert_eq!(little, big);
        assert_eq!(little.to_slice(), big.to_slice());
    }
}

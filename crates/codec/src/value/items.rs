//! The items of a vector: bytes that are read as numbers where somebody looks at them.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::ops::{Bound, RangeBounds};
use std::borrow::Cow;

use bytes::Bytes;

use super::item::Item;
use super::types::Attribute;
use crate::byte_order::ByteOrder;

/// A vector's items, of one fixed width, in the byte order they came in.
///
/// `B` is what holds the bytes: [`Bytes`] where the items own their storage (or share it with the
/// message that they came in), `&[u8]` where they are borrowed from a value. Making one costs the
/// same whatever its length: nothing is copied or converted until an item is read.
///
/// Two are equal where their attributes are and their items are bit for bit: `0.0` and `-0.0`
/// differ, but any NaN equals any NaN.
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
        self.as_ref().into_slice()
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
    pub fn as_ref(&self) -> Items<T, &[u8]> {
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
            Bound::Excluded(start) => start.checked_add(1).expect(WITHIN_USIZE),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(end) => end.checked_add(1).expect(WITHIN_USIZE),
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

impl<'a, T: Item> Items<T, &'a [u8]> {
    /// Returns the items as a slice, as [`to_slice`](Items::to_slice) does, for as long as the
    /// value lives that they are borrowed from.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use hopen_codec::value::{ConvertError, Items, Value};
    ///
    /// fn prices(answer: &Value) -> Result<Cow<'_, [f64]>, ConvertError> {
    ///     let prices: Items<f64, &[u8]> = answer.to()?;
    ///     Ok(prices.into_slice())
    /// }
    ///
    /// assert_eq!(*prices(&Value::from(vec![101.25, 101.5]))?, [101.25, 101.5]);
    /// # Ok::<(), ConvertError>(())
    /// ```
    pub fn into_slice(self) -> Cow<'a, [T]> {
        if (self.order == NATIVE || !T::SWAPS)
            && let Ok(items) = bytemuck::checked::try_cast_slice(self.bytes)
        {
            return Cow::Borrowed(items);
        }
        Cow::Owned(self.into_iter().collect())
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
    /// The same attribute and the same items, bit for bit, so that `-0.0` does not equal `0.0`,
    /// but any NaN equals any NaN. The byte order does not count.
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

/// Storage for a vector that a program made: its items, seen as bytes.
struct Owned<T>(Vec<T>);

impl<T: Item> AsRef<[u8]> for Owned<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// What the ends of a range of items are.
const WITHIN_USIZE: &str = "a range of items begins and ends at usize::MAX at most";

/// The byte order of this machine.
pub(crate) const NATIVE: ByteOrder = if cfg!(target_endian = "little") {
    ByteOrder::Little
} else {
    ByteOrder::Big
};

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

    #[test]
    fn a_range_shares_the_bytes_and_drops_the_attribute() {
        use core::ops::Bound::{Excluded, Included, Unbounded};

        for (order, bytes) in [(ByteOrder::Little, LITTLE), (ByteOrder::Big, BIG)] {
            let items = Items::<i16>::from_wire(bytes.into(), order, Attribute::Sorted, true);
            for (range, expected) in [
                ((Unbounded, Unbounded), &NUMBERS[..]),
                ((Included(1), Unbounded), &NUMBERS[1..]),
                ((Excluded(1), Unbounded), &NUMBERS[2..]),
                ((Unbounded, Included(1)), &NUMBERS[..=1]),
                ((Unbounded, Excluded(1)), &NUMBERS[..1]),
                ((Included(1), Included(2)), &NUMBERS[1..=2]),
                ((Included(2), Excluded(2)), &[]),
                ((Included(4), Excluded(4)), &[]),
            ] {
                let slice = items.slice(range);
                assert_eq!(*slice.to_slice(), *expected);
                assert_eq!(slice.attribute(), Attribute::None);
                assert!(!slice.wide_count());
                assert_eq!(slice.byte_order(), order);
                if let (Included(start), false) = (range.0, slice.is_empty()) {
                    let shared = items.as_bytes().slice(2 * start..);
                    assert_eq!(slice.as_bytes().as_ptr(), shared.as_ptr());
                }
            }
        }
    }

    #[test]
    fn a_range_beyond_the_items_panics() {
        use core::ops::Bound::{Excluded, Included, Unbounded};

        let items = Items::from(vec![1_i64, 2]);
        for range in [
            (Unbounded, Excluded(3)),
            (Unbounded, Included(2)),
            (Included(3), Unbounded),
            (Included(2), Excluded(1)),
            (Unbounded, Included(usize::MAX)),
            (Excluded(usize::MAX), Unbounded),
            (Excluded(usize::MAX), Included(usize::MAX)),
            (Unbounded, Excluded(usize::MAX / 8 + 2)),
        ] {
            let panic = std::panic::catch_unwind(|| items.slice(range)).unwrap_err();
            let text = match panic.downcast::<String>() {
                Ok(text) => *text,
                Err(panic) => (*panic.downcast::<&str>().unwrap()).to_owned(),
            };
            assert!(text.contains("items"), "{range:?}: {text}");
        }
    }

    #[test]
    fn items_are_read_from_both_ends_and_in_one_go() {
        for (order, bytes) in [(ByteOrder::Little, LITTLE), (ByteOrder::Big, BIG)] {
            let items = Items::<i16, _>::from_wire(bytes, order, Attribute::None, false);
            let mut backwards = NUMBERS;
            backwards.reverse();
            assert!(items.iter().rev().eq(backwards));
            let mut iter = items.iter();
            assert_eq!((iter.next(), iter.next_back()), (Some(1), Some(512)));
            assert_eq!(iter.len(), 2);
            assert_eq!((iter.next_back(), iter.next()), (Some(-2), Some(258)));
            assert_eq!((iter.next_back(), iter.next()), (None, None));

            assert_eq!(items.iter().sum::<i16>(), NUMBERS.iter().sum::<i16>());
            let joined = items
                .iter()
                .fold(String::new(), |text, item| format!("{text} {item}"));
            assert_eq!(joined, " 1 258 -2 512");

            for (n, number) in NUMBERS.iter().enumerate() {
                let mut iter = items.iter();
                assert_eq!(iter.nth(n), Some(*number));
                assert_eq!(iter.next(), NUMBERS.get(n + 1).copied());
            }
            assert_eq!(items.iter().nth(NUMBERS.len()), None);
        }
    }

    #[test]
    fn a_borrowed_slice_lives_as_long_as_its_bytes() {
        fn slice(bytes: &[u8], order: ByteOrder) -> Cow<'_, [i16]> {
            Items::from_wire(bytes, order, Attribute::None, false).into_slice()
        }
        assert_eq!(*slice(LITTLE, ByteOrder::Little), NUMBERS);
        assert_eq!(*slice(BIG, ByteOrder::Big), NUMBERS);
        let items = Items::from(NUMBERS.to_vec());
        let borrowed = items.as_ref().into_slice();
        assert!(matches!(borrowed, Cow::Borrowed(_)));
        assert_eq!(borrowed.as_ptr().cast(), items.as_bytes().as_ptr());
    }

    #[test]
    fn zeros_of_either_sign_differ_and_nans_do_not() {
        let floats = |float: f64| Items::from(vec![float]);
        assert_ne!(floats(0.0), floats(-0.0));
        assert_eq!(floats(f64::NAN), floats(-f64::NAN));
    }

    const NUMBERS: [i16; 4] = [1, 258, -2, 512];
    const LITTLE: &[u8] = &[1, 0, 2, 1, 0xfe, 0xff, 0, 2];
    const BIG: &[u8] = &[0, 1, 1, 2, 0xff, 0xfe, 2, 0];
}

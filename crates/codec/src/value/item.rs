//! The Rust types that are items of q vectors.

use super::items::{Items, NATIVE};
use super::temporal::{Date, Datetime, Minute, Month, Second, Time, Timespan, Timestamp};
use super::types::BasicType;
use super::{Atom, Vector};
use crate::byte_order::ByteOrder;

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

pub(crate) mod sealed {
    use crate::byte_order::ByteOrder;

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

/// Reads a number in either byte order, and wraps it.
macro_rules! number_from_wire {
    ($number:ty, $wrap:expr) => {
        #[inline]
        fn from_wire(bytes: &[u8], order: ByteOrder) -> Self {
            let bytes = bytes.first_chunk().copied().unwrap_or_default();
            $wrap(match order {
                ByteOrder::Little => <$number>::from_le_bytes(bytes),
                ByteOrder::Big => <$number>::from_be_bytes(bytes),
            })
        }
    };
}

/// Items that are integers: of `$number`, wrapped by `$wrap`.
macro_rules! integer_item {
    ($($type:ty, $variant:ident, $number:ty, $wrap:expr, $unwrap:expr;)*) => {$(
        item!($type, $variant);

        impl sealed::Wire for $type {
            const SWAPS: bool = true;
            const BITWISE: bool = true;

            number_from_wire!($number, $wrap);

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

            number_from_wire!($number, $wrap);

            fn key(self) -> u128 {
                let number: $number = $unwrap(self);
                let number = if number.is_nan() { <$number>::NAN } else { number };
                u128::from(number.to_bits())
            }
        }

        impl Nullable for $type {
            const NULL: Self = $wrap(<$number>::NAN);

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

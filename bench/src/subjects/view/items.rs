//! The items of one vector.

use super::nul;
use super::walk::Order;
use std::marker::PhantomData;

/// The items of a vector.
#[derive(Clone, Copy)]
pub struct Items<'a, T, const N: usize> {
    bytes: &'a [u8],
    order: Order,
    item: PhantomData<T>,
}

impl<'a, T: FromWire<N>, const N: usize> Items<'a, T, N> {
    #[inline(always)]
    pub const fn new(bytes: &'a [u8], order: Order) -> Self {
        Self {
            bytes,
            order,
            item: PhantomData,
        }
    }

    /// The items in order. The byte order is asked for once, not once an item.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T, N> {
        let order = self.order;
        self.bytes
            .as_chunks::<N>()
            .0
            .iter()
            .map(move |bytes| T::from_wire(bytes, order))
    }
}

/// The symbols of a vector, each with its NUL behind it.
#[derive(Clone, Copy)]
pub struct Symbols<'a> {
    bytes: &'a [u8],
}

impl<'a> Symbols<'a> {
    #[inline(always)]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn iter(&self) -> nul::Symbols<'a> {
        nul::Symbols::new(self.bytes)
    }
}

/// How an item of a vector is written.
pub trait FromWire<const N: usize>: Copy {
    fn from_wire(bytes: &[u8; N], order: Order) -> Self;
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl FromWire<{ size_of::<$type>() }> for $type {
            #[inline(always)]
            fn from_wire(bytes: &[u8; size_of::<$type>()], order: Order) -> Self {
                match order {
                    Order::Little => Self::from_le_bytes(*bytes),
                    Order::Big => Self::from_be_bytes(*bytes),
                }
            }
        }
    )*};
}

numbers!(u8 i16 i32 i64 f32 f64);

impl FromWire<1> for bool {
    #[inline(always)]
    fn from_wire(bytes: &[u8; 1], _: Order) -> Self {
        bytes[0] != 0
    }
}

impl FromWire<16> for [u8; 16] {
    #[inline(always)]
    fn from_wire(bytes: &[u8; 16], _: Order) -> Self {
        *bytes
    }
}

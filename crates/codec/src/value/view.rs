//! Reading values out of bytes that have been checked.
//!
//! [`decode`](crate::decode) walks a body once and verifies everything that can be wrong with it.
//! From then on it is read where it stands: a cursor makes a [`ValueRef`] of the object in front
//! of it and steps over its bytes. Nothing here trusts the check with its memory safety: bytes
//! that were no value after all would end an iteration early.

use bytes::Bytes;

use super::header::VectorHeader;
use super::items::{Byte, Char, Guid, Item, Items};
use super::list::ListRef;
use super::symbol::SymbolRef;
use super::symbols::Symbols;
use super::temporal::{Date, Datetime, Minute, Month, Second, Time, Timespan, Timestamp};
use super::types::BasicType;
use super::{
    Atom, BinaryPrimitive, DictRef, FunctionRef, IteratorPrimitive, TableRef, UnaryPrimitive,
    ValueRef, Vector,
};
use crate::byte_order::ByteOrder;
use crate::config::Capability;
use crate::nul;

/// One object within checked bytes, from its type byte to its end.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) object: &'a [u8],
    pub(crate) order: ByteOrder,
}

impl<'a> View<'a> {
    /// Returns a cursor at `offset` in the object.
    #[inline]
    pub(super) fn cursor(self, offset: usize) -> Cursor<'a> {
        Cursor {
            rest: self.object.get(offset..).unwrap_or_default(),
            order: self.order,
        }
    }

    #[inline]
    pub(super) fn code(self) -> u8 {
        self.object.first().copied().unwrap_or_default()
    }

    #[inline]
    pub(super) fn header(self) -> VectorHeader {
        VectorHeader::of_checked(self.object, self.order)
    }
}

/// One checked object that shares the message it came in.
#[derive(Clone)]
pub(crate) struct SharedView {
    pub(crate) object: Bytes,
    pub(crate) order: ByteOrder,
    /// The lowest capability that may be sent this object, where that is known.
    pub(crate) needs: Option<Capability>,
}

impl SharedView {
    #[inline]
    pub(crate) fn as_view(&self) -> View<'_> {
        View {
            object: &self.object,
            order: self.order,
        }
    }
}

/// Reads objects one behind the other.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub(crate) rest: &'a [u8],
    pub(crate) order: ByteOrder,
}

impl<'a> Cursor<'a> {
    /// Reads the object in front and steps over it.
    #[inline]
    pub(crate) fn read(&mut self) -> Option<ValueRef<'a>> {
        let code = *self.rest.first()?;
        Some(match code as i8 {
            -1 => self.atom::<bool>()?,
            -2 => self.atom::<Guid>()?,
            -4 => self.atom::<Byte>()?,
            -5 => self.atom::<i16>()?,
            -6 => self.atom::<i32>()?,
            -7 => self.atom::<i64>()?,
            -8 => self.atom::<f32>()?,
            -9 => self.atom::<f64>()?,
            -10 => self.atom::<Char>()?,
            -11 => {
                self.take(1)?;
                ValueRef::Atom(Atom::Symbol(self.symbol()?))
            }
            -12 => self.atom::<Timestamp>()?,
            -13 => self.atom::<Month>()?,
            -14 => self.atom::<Date>()?,
            -15 => self.atom::<Datetime>()?,
            -16 => self.atom::<Timespan>()?,
            -17 => self.atom::<Minute>()?,
            -18 => self.atom::<Second>()?,
            -19 => self.atom::<Time>()?,
            1 => self.vector::<bool>()?,
            2 => self.vector::<Guid>()?,
            4 => self.vector::<Byte>()?,
            5 => self.vector::<i16>()?,
            6 => self.vector::<i32>()?,
            7 => self.vector::<i64>()?,
            8 => self.vector::<f32>()?,
            9 => self.vector::<f64>()?,
            10 => self.vector::<Char>()?,
            11 => ValueRef::Vector(Vector::Symbol(self.symbols()?)),
            12 => self.vector::<Timestamp>()?,
            13 => self.vector::<Month>()?,
            14 => self.vector::<Date>()?,
            15 => self.vector::<Datetime>()?,
            16 => self.vector::<Timespan>()?,
            17 => self.vector::<Minute>()?,
            18 => self.vector::<Second>()?,
            19 => self.vector::<Time>()?,
            0 => ValueRef::List(ListRef::of_view(self.object()?)),
            98 => ValueRef::Table(TableRef::of_view(self.object()?)),
            99 | 127 => ValueRef::Dict(DictRef::of_view(self.object()?)),
            101 => ValueRef::Function(FunctionRef::Unary(UnaryPrimitive::new(self.primitive()?)?)),
            102 => ValueRef::Function(FunctionRef::Binary(BinaryPrimitive::new(
                self.primitive()?,
            )?)),
            103 => ValueRef::Function(FunctionRef::Iterator(IteratorPrimitive::new(
                self.primitive()?,
            )?)),
            100 | 104..=111 => ValueRef::Function(FunctionRef::of_view(self.object()?)),
            _ => return None,
        })
    }

    /// Steps over `count` objects and returns their bytes.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) -> Option<&'a [u8]> {
        self.take(extent(self.rest, self.order, count)?)
    }

    /// Reads a name and the NUL behind it.
    #[inline]
    pub(super) fn symbol(&mut self) -> Option<SymbolRef<'a>> {
        let name = self.take(nul::find(self.rest)?)?;
        self.take(1)?;
        Some(SymbolRef::trusted(name))
    }

    /// Reads a symbol vector.
    #[inline]
    pub(super) fn symbols(&mut self) -> Option<Symbols<&'a [u8]>> {
        let header = VectorHeader::of_checked(self.rest, self.order);
        let names = self.rest.get(header.length..)?;
        let object = self.take(header.length + nul::end_of_nth(names, header.count)?)?;
        Some(Symbols::from_wire(object, self.order, header.attribute))
    }

    /// Reads the header of a vector or list.
    #[inline]
    pub(super) fn header(&mut self) -> Option<VectorHeader> {
        let header = VectorHeader::of_checked(self.rest, self.order);
        self.take(header.length)?;
        Some(header)
    }

    #[inline]
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline]
    fn object(&mut self) -> Option<View<'a>> {
        let order = self.order;
        Some(View {
            object: self.skip(1)?,
            order,
        })
    }

    #[inline]
    fn atom<T: Item>(&mut self) -> Option<ValueRef<'a>> {
        let bytes = self.take(1 + T::WIDTH)?;
        Some(ValueRef::Atom(
            T::from_wire(bytes.get(1..)?, self.order).into_atom(),
        ))
    }

    #[inline]
    fn vector<T: Item>(&mut self) -> Option<ValueRef<'a>> {
        let header = self.header()?;
        let items = self.take(header.count.checked_mul(T::WIDTH)?)?;
        let items = Items::from_wire(items, self.order, header.attribute, header.is_wide());
        Some(ValueRef::Vector(T::into_vector(items)))
    }

    #[inline]
    fn primitive(&mut self) -> Option<u8> {
        self.take(2)?.last().copied()
    }
}

/// Returns how many bytes the first `count` objects of checked bytes take.
///
/// Every object says at its start how many follow inside it, so that a count of the objects still
/// to come is all there is to remember: no recursion, no stack, whatever the nesting.
pub(super) fn extent(bytes: &[u8], order: ByteOrder, count: usize) -> Option<usize> {
    let (mut at, mut pending) = (0_usize, count);
    while pending > 0 {
        pending -= 1;
        let code = *bytes.get(at)?;
        let fixed = FIXED[usize::from(code)];
        if fixed != 0 {
            at += usize::from(fixed);
            continue;
        }
        let object = bytes.get(at..)?;
        match code as i8 {
            -11 => at += 2 + nul::find(object.get(1..)?)?,
            0 => {
                let header = VectorHeader::of_checked(object, order);
                at += header.length;
                pending = pending.checked_add(header.count)?;
            }
            11 => {
                let header = VectorHeader::of_checked(object, order);
                at += header.length + nul::end_of_nth(object.get(header.length..)?, header.count)?;
            }
            98 => {
                at += 3;
                pending = pending.checked_add(2)?;
            }
            99 | 127 => {
                at += 1;
                pending = pending.checked_add(2)?;
            }
            100 => {
                at += 2 + nul::find(object.get(1..)?)?;
                pending = pending.checked_add(1)?;
            }
            104 | 105 => {
                let count = order.u32(*object.get(1..)?.first_chunk()?);
                at += 5;
                pending = pending.checked_add(count as usize)?;
            }
            106..=111 => {
                at += 1;
                pending = pending.checked_add(1)?;
            }
            _ => {
                let width = BasicType::from_number(code)?.width()?;
                let header = VectorHeader::of_checked(object, order);
                at = at
                    .checked_add(header.length)?
                    .checked_add(header.count.checked_mul(width)?)?;
            }
        }
    }
    (at <= bytes.len()).then_some(at)
}

/// The bytes of the objects whose length their type says, 0 for the others.
pub(crate) const FIXED: [u8; 256] = {
    let mut lengths = [0; 256];
    let mut number = 1_u8;
    while number <= 19 {
        if let Some(basic) = BasicType::from_number(number) {
            if let Some(width) = basic.width() {
                lengths[(number as i8).wrapping_neg() as u8 as usize] = 1 + width as u8;
            }
        }
        number += 1;
    }
    lengths[101] = 2;
    lengths[102] = 2;
    lengths[103] = 2;
    lengths
};

//! Reading values out of bytes that have been checked.
//!
//! [`decode`](crate::decode) walks a body once and verifies everything that can be wrong with it.
//! From then on it is read where it stands: a cursor makes a [`ValueRef`] of the object in front
//! of it and steps over its bytes. Nothing here trusts the check with its memory safety: bytes
//! that were no value after all would end an iteration early.

use bytes::Bytes;

use super::header::VectorHeader;
use super::item::{Byte, Char, Guid, Item};
use super::items::Items;
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

/// One object within checked bytes, from its type byte on; other objects may follow it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    bytes: &'a [u8],
    order: ByteOrder,
}

impl<'a> View<'a> {
    /// Returns the bytes of the object alone.
    pub(super) fn object(self) -> &'a [u8] {
        let end = extent(self.bytes, self.order, 1);
        end.and_then(|end| self.bytes.get(..end))
            .unwrap_or_default()
    }

    /// Returns a cursor at `offset` in the object.
    #[inline(always)]
    pub(super) fn cursor(self, offset: usize) -> Cursor<'a> {
        Cursor {
            bytes: self.bytes,
            at: offset,
            owed: 0,
            order: self.order,
        }
    }

    #[inline(always)]
    pub(super) fn code(self) -> u8 {
        self.bytes.first().copied().unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn header(self) -> VectorHeader {
        VectorHeader::of_checked(self.bytes, self.order)
    }

    /// Returns the byte at `offset` in the object.
    pub(super) fn byte(self, offset: usize) -> Option<u8> {
        self.bytes.get(offset).copied()
    }

    /// Returns how many parts a projection or composition has.
    #[inline]
    pub(super) fn parts(self) -> usize {
        let count = self.bytes.get(1..).and_then(<[u8]>::first_chunk);
        count.map_or(0, |count| self.order.u32(*count) as usize)
    }

    pub(super) fn order(self) -> ByteOrder {
        self.order
    }
}

/// One checked object that shares the message it came in.
#[derive(Clone)]
pub(crate) struct SharedView {
    /// The bytes of the object and no others.
    pub(crate) object: Bytes,
    pub(crate) order: ByteOrder,
    /// The lowest capability that may be sent this object, where that is known.
    pub(crate) needs: Option<Capability>,
}

impl SharedView {
    #[inline]
    pub(crate) fn as_view(&self) -> View<'_> {
        View {
            bytes: &self.object,
            order: self.order,
        }
    }
}

/// Reads objects one behind the other.
///
/// The slice stays as it is and an index moves: a slice that is cut anew for each object is stored
/// as two words and loaded as one vector, which stalls. What an object contains is stepped over
/// when the next object is asked for, so never for the last one. All of it is inline, for the
/// fields to stay in registers.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many objects, from `at` on, belong to the object that was read last.
    owed: usize,
    order: ByteOrder,
}

impl<'a> Cursor<'a> {
    /// Returns a cursor at the start of checked bytes.
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self {
            bytes,
            at: 0,
            owed: 0,
            order,
        }
    }

    /// Reads the object in front.
    #[inline(always)]
    pub(crate) fn read(&mut self) -> Option<ValueRef<'a>> {
        self.settle()?;
        let code = *self.bytes.get(self.at)?;
        if code < 0x80 {
            return self.read_compound(code);
        }
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
                self.at += 1;
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
            _ => return None,
        })
    }

    /// Reads the object in front, which is no atom.
    #[inline(always)]
    fn read_compound(&mut self, code: u8) -> Option<ValueRef<'a>> {
        Some(match code {
            0 => {
                let view = self.view();
                self.owed = self.header()?.count;
                ValueRef::List(ListRef::of_view(view))
            }
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
            98 => {
                let view = self.view();
                self.at += 3;
                self.owed = 2;
                ValueRef::Table(TableRef::of_view(view))
            }
            99 | 127 => {
                let view = self.view();
                self.at += 1;
                self.owed = 2;
                ValueRef::Dict(DictRef::of_view(view))
            }
            _ => ValueRef::Function(self.function(code)?),
        })
    }

    fn function(&mut self, code: u8) -> Option<FunctionRef<'a>> {
        let view = self.view();
        self.at += 1;
        Some(match code {
            100 => {
                self.symbol()?;
                self.owed = 1;
                FunctionRef::of_view(view)
            }
            101 => FunctionRef::Unary(UnaryPrimitive::new(self.byte()?)?),
            102 => FunctionRef::Binary(BinaryPrimitive::new(self.byte()?)?),
            103 => FunctionRef::Iterator(IteratorPrimitive::new(self.byte()?)?),
            104 | 105 => {
                self.at += 4;
                self.owed = view.parts();
                FunctionRef::of_view(view)
            }
            106..=111 => {
                self.owed = 1;
                FunctionRef::of_view(view)
            }
            _ => return None,
        })
    }

    /// Steps over `count` objects.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.owed = self.owed.checked_add(count)?;
        self.settle()
    }

    /// Returns where the next object starts.
    #[inline]
    pub(super) fn position(&mut self) -> Option<usize> {
        self.settle()?;
        Some(self.at)
    }

    /// Returns how many objects belong to the object that was read last, and goes on with them.
    #[inline(always)]
    pub(super) fn enter(&mut self) -> usize {
        core::mem::take(&mut self.owed)
    }

    /// Reads a name and the NUL behind it.
    #[inline(always)]
    pub(super) fn symbol(&mut self) -> Option<SymbolRef<'a>> {
        let rest = self.bytes.get(self.at..)?;
        let length = nul::find(rest)?;
        self.at += length + 1;
        Some(SymbolRef::trusted(rest.get(..length)?))
    }

    /// Reads a symbol vector.
    #[inline(always)]
    pub(super) fn symbols(&mut self) -> Option<Symbols<&'a [u8]>> {
        let rest = self.bytes.get(self.at..)?;
        let header = VectorHeader::of_checked(rest, self.order);
        let names = rest.get(header.length..)?;
        let length = header.length + nul::end_of_nth(names, header.count)?;
        self.at += length;
        Some(Symbols::from_wire(
            rest.get(..length)?,
            self.order,
            header.attribute,
        ))
    }

    #[inline(always)]
    fn settle(&mut self) -> Option<()> {
        if self.owed != 0 {
            self.at += extent(self.bytes.get(self.at..)?, self.order, self.owed)?;
            self.owed = 0;
        }
        Some(())
    }

    #[inline(always)]
    fn view(&self) -> View<'a> {
        View {
            bytes: self.bytes.get(self.at..).unwrap_or_default(),
            order: self.order,
        }
    }

    /// Reads the header of a vector or list.
    #[inline(always)]
    fn header(&mut self) -> Option<VectorHeader> {
        let header = VectorHeader::of_checked(self.bytes.get(self.at..)?, self.order);
        self.at += header.length;
        Some(header)
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    #[inline(always)]
    fn atom<T: Item>(&mut self) -> Option<ValueRef<'a>> {
        let start = self.at + 1;
        self.at = start + T::WIDTH;
        let item = T::from_wire(self.bytes.get(start..self.at)?, self.order);
        Some(ValueRef::Atom(item.into_atom()))
    }

    #[inline(always)]
    fn vector<T: Item>(&mut self) -> Option<ValueRef<'a>> {
        let header = self.header()?;
        let start = self.at;
        self.at = start.checked_add(header.count.checked_mul(T::WIDTH)?)?;
        let items = self.bytes.get(start..self.at)?;
        let items = Items::from_wire(items, self.order, header.attribute, header.is_wide());
        Some(ValueRef::Vector(T::into_vector(items)))
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
        let object = bytes.get(at..)?;
        match code as i8 {
            -1 | -4 | -10 | 101 | 102 | 103 => at += 2,
            -5 => at += 3,
            -6 | -8 | -13 | -14 | -17 | -18 | -19 => at += 5,
            -7 | -9 | -12 | -15 | -16 => at += 9,
            -2 => at += 17,
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

//! The items of a symbol vector: names one behind the other, each ended by a NUL.

use core::fmt;
use core::hash::{Hash, Hasher};

use bytes::Bytes;

use super::header::VectorHeader;
use super::index::Indexed;
use super::symbol::{INLINE, Symbol, SymbolRef};
use super::types::{Attribute, BasicType};
use crate::byte_order::ByteOrder;
use crate::nul;

/// The items of a symbol vector, as they stand on the wire.
///
/// ```text
/// `ibm`amd       0b 00 02000000 69626d00 616d6400
/// ```
///
/// Symbols have no fixed width, so [`iter`](Self::iter) is the way to read them and
/// [`get`](Self::get) walks; [`index`](Symbols::index) takes four bytes an item and makes `get`
/// take constant time. `B` is what holds the bytes, as in [`Items`](super::Items).
///
/// ```
/// use hopen_codec::{sym, value::Symbols};
///
/// let tickers = Symbols::from_iter([sym!("ibm"), sym!("amd")]);
/// assert_eq!(tickers.len(), 2);
/// assert!(tickers.iter().any(|ticker| ticker == "amd"));
/// ```
#[derive(Clone, Copy)]
pub struct Symbols<B = Bytes> {
    /// The whole object: type, attribute, count, names.
    object: B,
    order: ByteOrder,
    attribute: Attribute,
}

impl<B: AsRef<[u8]>> Symbols<B> {
    /// Takes the bytes of a checked symbol vector, from its type byte to its last NUL.
    #[inline]
    pub(crate) fn from_wire(object: B, order: ByteOrder, attribute: Attribute) -> Self {
        Self {
            object,
            order,
            attribute,
        }
    }

    /// Returns how many symbols there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.header().count
    }

    /// Returns whether there is no symbol.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the symbol at `index`, counted from 0, by walking to it. Of borrowed symbols,
    /// `into_iter().nth(index)` gives one that lives as long as the value.
    pub fn get(&self, index: usize) -> Option<SymbolRef<'_>> {
        self.iter().nth(index)
    }

    /// Iterates over the symbols.
    #[inline]
    pub fn iter(&self) -> SymbolsIter<'_> {
        SymbolsIter::new(self.names(), self.len())
    }

    /// Returns the names as they stand on the wire, each with its NUL.
    #[inline]
    pub fn names(&self) -> &[u8] {
        self.object
            .as_ref()
            .get(self.header().length..)
            .unwrap_or_default()
    }

    /// Returns the attribute.
    #[inline]
    pub fn attribute(&self) -> Attribute {
        self.attribute
    }

    /// Returns the same symbols with another attribute. Whether it is true is the caller's to
    /// know: q believes it.
    #[must_use]
    pub fn with_attribute(self, attribute: Attribute) -> Self {
        Self { attribute, ..self }
    }

    /// Borrows the symbols.
    #[inline]
    pub fn as_ref(&self) -> Symbols<&[u8]> {
        Symbols {
            object: self.object.as_ref(),
            order: self.order,
            attribute: self.attribute,
        }
    }

    #[inline]
    pub(crate) fn header(&self) -> VectorHeader {
        VectorHeader::of_checked(self.object.as_ref(), self.order)
    }

    /// Returns the bytes of the whole vector.
    pub(crate) fn object(&self) -> &B {
        &self.object
    }

    /// Returns the same symbols in other storage.
    pub(crate) fn in_storage<C>(self, store: impl FnOnce(B) -> C) -> Symbols<C> {
        Symbols {
            object: store(self.object),
            order: self.order,
            attribute: self.attribute,
        }
    }
}

impl<'a> Symbols<&'a [u8]> {
    /// No symbols.
    pub(super) const EMPTY: Self = Self {
        object: &[11, 0, 0, 0, 0, 0],
        order: ByteOrder::Little,
        attribute: Attribute::None,
    };

    /// Builds an index, so that `get` takes constant time: walks once and notes where each symbol
    /// starts, in four bytes an item (eight where the names take 4 GiB or more).
    pub fn index(self) -> Indexed<Self> {
        Indexed::new(self, self.len(), self.names().len(), |offsets| {
            let mut iter = self.into_iter();
            loop {
                let start = iter.start;
                if iter.next().is_none() {
                    break;
                }
                offsets.push(start);
            }
        })
    }

    /// Returns the names as they stand on the wire, each with its NUL, for as long as the value
    /// lives that they are borrowed from.
    #[inline]
    pub fn into_names(self) -> &'a [u8] {
        self.object.get(self.header().length..).unwrap_or_default()
    }
}

impl<'a> Indexed<Symbols<&'a [u8]>> {
    /// Returns the symbol at `index`, counted from 0.
    pub fn get(&self, index: usize) -> Option<SymbolRef<'a>> {
        let names = self.of().into_names();
        let name = names.get(self.offset(index)?..)?;
        Some(SymbolRef::trusted(name.get(..nul::find(name)?)?))
    }
}

impl<'a> IntoIterator for Symbols<&'a [u8]> {
    type Item = SymbolRef<'a>;
    type IntoIter = SymbolsIter<'a>;

    fn into_iter(self) -> SymbolsIter<'a> {
        SymbolsIter::new(self.into_names(), self.len())
    }
}

impl<'a, B: AsRef<[u8]>> IntoIterator for &'a Symbols<B> {
    type Item = SymbolRef<'a>;
    type IntoIter = SymbolsIter<'a>;

    fn into_iter(self) -> SymbolsIter<'a> {
        self.iter()
    }
}

impl<S: AsRef<[u8]> + IsSymbol> FromIterator<S> for Symbols {
    fn from_iter<I: IntoIterator<Item = S>>(symbols: I) -> Self {
        const SHORT: usize = VectorHeader::SHORT;
        let symbols = symbols.into_iter();
        let mut object = Vec::with_capacity(SHORT + ROOM + 4 * symbols.size_hint().0);
        // From `end` on all is zero, so that the NUL behind a name is there already.
        object.resize(SHORT + ROOM, 0);
        let mut end = SHORT;
        let mut count = 0_usize;
        for symbol in symbols {
            let (name, padded) = (symbol.as_ref(), symbol.padded());
            if object.len() - end < name.len() + ROOM {
                object.resize(end + name.len() + ROOM + end.min(STEP), 0);
            }
            // Of a length that the compiler knows, 22 bytes are copied faster than 4 that it does not.
            match (
                padded,
                object.get_mut(end..).and_then(<[u8]>::first_chunk_mut),
            ) {
                (Some(padded), Some(room)) => *room = *padded,
                _ => object[end..end + name.len()].copy_from_slice(name),
            }
            end += name.len() + 1;
            count += 1;
        }
        object.truncate(end);
        let header = VectorHeader::new(BasicType::Symbol.number(), Attribute::None, count, false);
        if header.length > SHORT {
            object.splice(..0, [0; VectorHeader::WIDE - SHORT]);
        }
        header.write(ByteOrder::Little, &mut object);
        Self::from_wire(object.into(), ByteOrder::Little, Attribute::None)
    }
}

/// What is kept free behind the names: a short name with its padding, and a NUL.
const ROOM: usize = INLINE + 1;

/// How far ahead of the names their room is zeroed, so that it happens in the cache.
const STEP: usize = 4 * 1024;

/// Types whose bytes hold no NUL, so that a symbol vector can be made of them.
pub trait IsSymbol: sealed::Sealed {}

impl IsSymbol for Symbol {}
impl IsSymbol for &Symbol {}
impl IsSymbol for SymbolRef<'_> {}

mod sealed {
    use super::{INLINE, Symbol, SymbolRef};

    #[expect(unnameable_types, reason = "it seals `IsSymbol`")]
    pub trait Sealed {
        /// Returns the bytes with zeros behind them, where they are kept like that.
        fn padded(&self) -> Option<&[u8; INLINE]>;
    }

    impl Sealed for Symbol {
        #[inline]
        fn padded(&self) -> Option<&[u8; INLINE]> {
            self.inline()
        }
    }

    impl Sealed for &Symbol {
        #[inline]
        fn padded(&self) -> Option<&[u8; INLINE]> {
            self.inline()
        }
    }

    impl Sealed for SymbolRef<'_> {
        #[inline]
        fn padded(&self) -> Option<&[u8; INLINE]> {
            None
        }
    }
}

impl<B: AsRef<[u8]>, C: AsRef<[u8]>> PartialEq<Symbols<C>> for Symbols<B> {
    /// The same attribute and the same symbols.
    fn eq(&self, other: &Symbols<C>) -> bool {
        self.attribute == other.attribute
            && self.len() == other.len()
            && self.names() == other.names()
    }
}

impl<B: AsRef<[u8]>> Eq for Symbols<B> {}

impl<B: AsRef<[u8]>> Hash for Symbols<B> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.attribute.hash(state);
        self.len().hash(state);
        self.names().hash(state);
    }
}

impl<B: AsRef<[u8]>> fmt::Debug for Symbols<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Iterates over the symbols of a vector.
#[derive(Clone)]
pub struct SymbolsIter<'a> {
    names: &'a [u8],
    /// How many symbols are still to come.
    left: usize,
    /// Where the next one starts.
    start: usize,
    /// A bit for each NUL of the block that has not been come to: the ends of several symbols are
    /// found at once, and where one starts does not wait for the search of the one before.
    nuls: u64,
    /// Where the next block is.
    ahead: usize,
}

impl<'a> SymbolsIter<'a> {
    #[inline]
    const fn new(names: &'a [u8], left: usize) -> Self {
        Self {
            names,
            left,
            start: 0,
            nuls: 0,
            ahead: 0,
        }
    }

    /// Looks for the next NUL, in blocks as long as there are any.
    #[inline]
    fn search(&mut self) -> Option<usize> {
        let mut rest = self.names.get(self.ahead..)?;
        while let Some((block, behind)) = rest.split_first_chunk() {
            self.nuls = nul::all_of_block(block);
            self.ahead += nul::BITS;
            if self.nuls != 0 {
                return Some(self.take());
            }
            rest = behind;
        }
        let end = self.ahead + nul::find(rest)?;
        self.ahead = end + 1;
        Some(end)
    }

    /// Takes the first NUL that is known of, which is in the block just before `ahead`.
    #[inline]
    const fn take(&mut self) -> usize {
        let end = self.ahead - nul::BITS + self.nuls.trailing_zeros() as usize;
        self.nuls &= self.nuls - 1;
        end
    }
}

impl<'a> Iterator for SymbolsIter<'a> {
    type Item = SymbolRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<SymbolRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        let end = if self.nuls != 0 {
            self.take()
        } else {
            self.search()?
        };
        let name = self.names.get(self.start..end)?;
        self.start = end + 1;
        Some(SymbolRef::trusted(name))
    }

    fn nth(&mut self, n: usize) -> Option<SymbolRef<'a>> {
        if n >= self.left {
            self.left = 0;
            return None;
        }
        let rest = self.names.get(self.start..)?;
        let end = nul::end_of_nth(rest, n)?;
        *self = Self::new(rest.get(end..)?, self.left - n);
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl fmt::Debug for SymbolsIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl ExactSizeIterator for SymbolsIter<'_> {}
impl core::iter::FusedIterator for SymbolsIter<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sym;

    proptest! {
        #[test]
        fn names_of_any_length_come_out_as_they_went_in(
            lengths in prop::collection::vec(
                prop_oneof![6 => 0..6_usize, 2 => 0..40_usize, 1 => 0..300_usize],
                0..100,
            ),
            steps in prop::collection::vec(0..20_usize, 0..10),
        ) {
            let name = |(index, length)| vec![b'a' + index as u8 % 26; length];
            let names: Vec<Vec<u8>> = lengths.into_iter().enumerate().map(name).collect();
            let kept: Vec<Symbol> = names.iter().map(|name| Symbol::new(name).unwrap()).collect();
            let symbols = Symbols::from_iter(&kept);
            prop_assert_eq!(symbols.len(), names.len());
            prop_assert!(symbols.iter().map(SymbolRef::as_bytes).eq(&names));
            prop_assert_eq!(&Symbols::from_iter(symbols.iter()), &symbols);
            let index = symbols.as_ref().index();
            for (at, name) in names.iter().enumerate() {
                prop_assert_eq!(index.get(at).map(SymbolRef::as_bytes), Some(&name[..]));
            }
            let (mut iter, mut model) = (symbols.iter(), names.iter());
            for step in steps {
                prop_assert_eq!(iter.next().map(SymbolRef::as_bytes), model.next().map(|n| &n[..]));
                prop_assert_eq!(iter.nth(step).map(SymbolRef::as_bytes), model.nth(step).map(|n| &n[..]));
                prop_assert_eq!(iter.len(), model.len());
            }
        }
    }

    #[test]
    fn names_and_symbols_live_as_long_as_what_they_are_borrowed_from() {
        fn names(symbols: &Symbols) -> &[u8] {
            symbols.as_ref().into_names()
        }
        fn second(symbols: &Symbols) -> Option<SymbolRef<'_>> {
            symbols.as_ref().into_iter().nth(1)
        }
        let symbols = Symbols::from_iter([sym!("ibm"), sym!("amd")]);
        assert_eq!(names(&symbols), b"ibm\0amd\0");
        assert_eq!(second(&symbols).unwrap(), "amd");
    }
}

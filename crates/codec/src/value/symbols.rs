//! The items of a symbol vector: names one behind the other, each ended by a NUL.

use core::fmt;
use core::hash::{Hash, Hasher};

use bytes::{Bytes, BytesMut};

use super::header::VectorHeader;
use super::index::Indexed;
use super::symbol::SymbolRef;
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
        SymbolsIter {
            left: self.len(),
            rest: self.names(),
        }
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
            let all = iter.rest.len();
            while iter.left > 0 {
                offsets.push(all - iter.rest.len());
                if iter.next().is_none() {
                    break;
                }
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
        let start = self.offset(index)?;
        SymbolsIter {
            left: 1,
            rest: names.get(start..)?,
        }
        .next()
    }
}

impl<'a> IntoIterator for Symbols<&'a [u8]> {
    type Item = SymbolRef<'a>;
    type IntoIter = SymbolsIter<'a>;

    fn into_iter(self) -> SymbolsIter<'a> {
        SymbolsIter {
            left: self.len(),
            rest: self.into_names(),
        }
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
        let mut object = BytesMut::with_capacity(SHORT + 4 * symbols.size_hint().0);
        object.resize(SHORT, 0);
        let mut count = 0_usize;
        for symbol in symbols {
            object.extend_from_slice(symbol.as_ref());
            object.extend_from_slice(&[0]);
            count += 1;
        }
        let header = VectorHeader::new(BasicType::Symbol.number(), Attribute::None, count, false);
        if header.length == SHORT {
            header.write(ByteOrder::Little, &mut object);
        } else {
            let names = object.split_off(SHORT);
            object = BytesMut::zeroed(header.length);
            header.write(ByteOrder::Little, &mut object);
            object.unsplit(names);
        }
        Self::from_wire(object.freeze(), ByteOrder::Little, Attribute::None)
    }
}

/// Types whose bytes hold no NUL, so that a symbol vector can be made of them.
pub trait IsSymbol: sealed::Sealed {}

impl IsSymbol for super::Symbol {}
impl IsSymbol for &super::Symbol {}
impl IsSymbol for SymbolRef<'_> {}

mod sealed {
    #[expect(unnameable_types, reason = "it seals `IsSymbol`")]
    pub trait Sealed {}
    impl Sealed for super::super::Symbol {}
    impl Sealed for &super::super::Symbol {}
    impl Sealed for super::SymbolRef<'_> {}
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
#[derive(Clone, Debug)]
pub struct SymbolsIter<'a> {
    left: usize,
    rest: &'a [u8],
}

impl<'a> Iterator for SymbolsIter<'a> {
    type Item = SymbolRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<SymbolRef<'a>> {
        if self.left == 0 {
            return None;
        }
        let end = nul::find(self.rest)?;
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        self.left -= 1;
        Some(SymbolRef::trusted(name))
    }

    fn nth(&mut self, n: usize) -> Option<SymbolRef<'a>> {
        if n >= self.left {
            self.left = 0;
            return None;
        }
        let end = nul::end_of_nth(self.rest, n)?;
        self.rest = self.rest.get(end..)?;
        self.left -= n;
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for SymbolsIter<'_> {}
impl core::iter::FusedIterator for SymbolsIter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sym;

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

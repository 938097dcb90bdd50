//! Symbols: names, as bytes without a NUL.

use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use std::sync::Arc;

/// A symbol that owns its bytes.
///
/// Up to 22 bytes are kept inline, so that a symbol taken out of a message allocates nothing and
/// does not keep the message alive; longer ones are shared. Symbols are bytes in no particular
/// encoding: [`SymbolRef::to_str`] is the view as text, which can fail. None holds a NUL, which
/// ends a symbol on the wire.
///
/// ```
/// use hopen_codec::sym;
/// use hopen_codec::value::Symbol;
///
/// let trade = sym!("trade"); // checked at compile time
/// assert_eq!(trade, Symbol::new("trade")?);
/// assert!(Symbol::new("tr\0ade").is_err());
/// # Ok::<(), hopen_codec::value::SymbolError>(())
/// ```
///
/// In maps and sets symbols are looked up by their bytes:
///
/// ```
/// use std::collections::HashMap;
/// use hopen_codec::sym;
///
/// let prices = HashMap::from([(sym!("ibm"), 101.25)]);
/// assert_eq!(prices.get("ibm".as_bytes()), Some(&101.25));
/// ```
#[derive(Clone)]
pub struct Symbol(Repr);

#[derive(Clone)]
enum Repr {
    Inline(u8, [u8; INLINE]),
    Static(&'static [u8]),
    Shared(Arc<[u8]>),
}

impl Symbol {
    /// The null symbol, which is the empty one.
    pub const NULL: Self = Self(Repr::Inline(0, [0; INLINE]));

    /// Makes a symbol of these bytes.
    ///
    /// # Errors
    ///
    /// Where a byte is NUL.
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self, SymbolError> {
        Ok(SymbolRef::new(name.as_ref())?.to_symbol())
    }

    /// Makes a symbol of a text that is known at compile time; [`sym!`](crate::sym) is its short
    /// form.
    ///
    /// # Panics
    ///
    /// Where the text holds a NUL; in a constant that is an error of the compiler.
    pub const fn from_static(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let mut inline = [0; INLINE];
        let mut at = 0;
        while at < bytes.len() {
            assert!(bytes[at] != 0, "a symbol cannot hold a NUL");
            if at < INLINE {
                inline[at] = bytes[at];
            }
            at += 1;
        }
        if bytes.len() <= INLINE {
            Self(Repr::Inline(bytes.len() as u8, inline))
        } else {
            Self(Repr::Static(bytes))
        }
    }

    /// Borrows the symbol.
    #[inline]
    pub fn as_ref(&self) -> SymbolRef<'_> {
        SymbolRef(match &self.0 {
            Repr::Inline(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Repr::Static(bytes) => bytes,
            Repr::Shared(bytes) => bytes,
        })
    }

    /// Returns the bytes, with zeros behind them, if they are kept inline.
    #[inline]
    pub(super) const fn inline(&self) -> Option<&[u8; INLINE]> {
        match &self.0 {
            Repr::Inline(_, bytes) => Some(bytes),
            Repr::Static(_) | Repr::Shared(_) => None,
        }
    }
}

impl Default for Symbol {
    fn default() -> Self {
        Self::NULL
    }
}

impl Deref for Symbol {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_ref().0
    }
}

impl AsRef<[u8]> for Symbol {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Symbol {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Symbol {}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl PartialEq<str> for Symbol {
    fn eq(&self, other: &str) -> bool {
        **self == *other.as_bytes()
    }
}

impl PartialEq<&str> for Symbol {
    fn eq(&self, other: &&str) -> bool {
        **self == *other.as_bytes()
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}

impl TryFrom<&str> for Symbol {
    type Error = SymbolError;

    fn try_from(name: &str) -> Result<Self, SymbolError> {
        Self::new(name)
    }
}

/// A borrowed symbol: bytes without a NUL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SymbolRef<'a>(&'a [u8]);

impl<'a> SymbolRef<'a> {
    /// Makes a symbol of these bytes.
    ///
    /// # Errors
    ///
    /// Where a byte is NUL.
    pub fn new(name: &'a [u8]) -> Result<Self, SymbolError> {
        match crate::nul::find(name) {
            None => Ok(Self(name)),
            Some(position) => Err(SymbolError { position }),
        }
    }

    /// Takes bytes that are known to hold no NUL.
    #[inline]
    pub(crate) const fn trusted(name: &'a [u8]) -> Self {
        Self(name)
    }

    /// Returns the bytes, without the NUL that ends them on the wire.
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Returns the text.
    ///
    /// # Errors
    ///
    /// Where the bytes are not UTF-8.
    pub const fn to_str(self) -> Result<&'a str, core::str::Utf8Error> {
        core::str::from_utf8(self.0)
    }

    /// Returns whether this is the null symbol, the empty one.
    pub const fn is_null(self) -> bool {
        self.0.is_empty()
    }

    /// Copies the symbol, so that it outlives what it was borrowed from.
    #[inline]
    pub fn to_symbol(self) -> Symbol {
        let mut inline = [0; INLINE];
        Symbol(match inline.get_mut(..self.0.len()) {
            Some(room) => {
                room.copy_from_slice(self.0);
                Repr::Inline(self.0.len() as u8, inline)
            }
            None => Repr::Shared(self.0.into()),
        })
    }
}

impl Deref for SymbolRef<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl AsRef<[u8]> for SymbolRef<'_> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl Borrow<[u8]> for SymbolRef<'_> {
    fn borrow(&self) -> &[u8] {
        self.0
    }
}

impl PartialEq<str> for SymbolRef<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for SymbolRef<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for SymbolRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}")
    }
}

/// A name was given that holds a NUL, which would end the symbol on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymbolError {
    /// Where in the name the first NUL stands.
    pub position: usize,
}

impl fmt::Display for SymbolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a symbol cannot hold a NUL (at byte {} of the name)",
            self.position
        )
    }
}

impl core::error::Error for SymbolError {}

/// Makes a [`Symbol`] of a literal; a NUL in it is an error of the compiler.
///
/// ```
/// use hopen_codec::{sym, value::Symbol};
///
/// const UPD: Symbol = sym!("upd");
/// assert_eq!(UPD, "upd");
/// ```
///
/// ```compile_fail
/// hopen_codec::sym!("a\0b");
/// ```
#[macro_export]
macro_rules! sym {
    ($name:literal) => {
        const { $crate::value::Symbol::from_static($name) }
    };
}

/// What is left of 24 bytes after the tag and the length.
pub(super) const INLINE: usize = 22;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[test]
    fn a_symbol_takes_24_bytes() {
        assert_eq!(size_of::<Symbol>(), 24);
    }

    #[test]
    fn symbols_of_every_length_keep_their_bytes() {
        for len in 0..100 {
            let name = vec![b'x'; len];
            let symbol = Symbol::new(&name).unwrap();
            assert_eq!(*symbol, *name);
            assert_eq!(symbol.as_ref().to_symbol(), symbol);
        }
    }

    #[test]
    fn static_symbols_equal_those_made_at_run_time() {
        const LONG: Symbol = sym!("a symbol of more than twenty-two bytes");
        assert_eq!(
            LONG,
            Symbol::new("a symbol of more than twenty-two bytes").unwrap()
        );
        assert_eq!(sym!(""), Symbol::NULL);
    }

    #[test]
    fn maps_find_symbols_by_their_bytes() {
        let names = [&b""[..], b"ibm", b"\xe9", &[b'x'; 22], &[b'x'; 23], b"y"];
        let symbols = names.map(|name| Symbol::new(name).unwrap());
        let hashed: HashMap<_, _> = symbols.iter().cloned().zip(names).collect();
        let sorted: BTreeMap<_, _> = symbols.iter().cloned().zip(names).collect();
        let borrowed: HashMap<_, _> = symbols.iter().map(Symbol::as_ref).zip(names).collect();
        for name in names {
            assert_eq!(hashed.get(name), Some(&name));
            assert_eq!(sorted.get(name), Some(&name));
            assert_eq!(borrowed.get(name), Some(&name));
        }
        assert_eq!(hashed.get(&b"ib"[..]), None);
        let mut by_bytes = names.to_vec();
        by_bytes.sort_unstable();
        assert!(sorted.into_values().eq(by_bytes));
    }

    #[test]
    fn a_nul_is_refused_with_its_position() {
        assert_eq!(Symbol::new("ab\0"), Err(SymbolError { position: 2 }));
    }
}

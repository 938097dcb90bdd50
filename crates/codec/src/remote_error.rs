//! Errors that the other side signalled.

use core::fmt;

use bytes::Bytes;

use crate::value::{SymbolError, SymbolRef};

/// What a q process signalled instead of answering: a text, as `'type` or `'length`.
///
/// On the wire it takes the place of a value and is never inside one; nothing but the text comes,
/// no code and no stack:
///
/// ```text
/// 'type          80 7479706500
/// ```
///
/// The text may hold any bytes but NUL, in no particular encoding. `Display` prints it without the
/// quote, control bytes and bytes that are not UTF-8 as `\ooo`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RemoteError(Bytes);

impl RemoteError {
    /// Makes an error of this text, to be sent as a response.
    ///
    /// # Errors
    ///
    /// Where the text holds a NUL, which would end it on the wire.
    pub fn new(text: impl Into<Bytes>) -> Result<Self, SymbolError> {
        let text = text.into();
        SymbolRef::new(&text)?;
        Ok(Self(text))
    }

    /// Takes a text that holds no NUL.
    pub(crate) const fn trusted(text: Bytes) -> Self {
        Self(text)
    }

    /// Returns the bytes of the text.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&SymbolRef::trusted(&self.0), f)
    }
}

impl fmt::Debug for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteError('{self})")
    }
}

impl core::error::Error for RemoteError {}

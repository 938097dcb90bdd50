//! What is wrong with a body, and where.

use core::fmt;

use super::HEADER;
use crate::compress::DecompressError;
use crate::value::ValueType;

/// A body that is no value: what is wrong, and where. The connection goes on: where the next
/// message starts is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// Where in the message, counted from its first byte: the 8 bytes of the header, then the
    /// body. Of a compressed message it counts the message without compression, but for faults of
    /// the compression itself ([`DecodeErrorKind::Compression`]), which are where they came in.
    pub offset: u64,
    /// What is wrong there.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    /// There is no body at all.
    pub(crate) const EMPTY: Self = Self {
        offset: HEADER,
        kind: DecodeErrorKind::UnexpectedEnd,
    };

    pub(super) fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self {
            offset: offset as u64 + HEADER,
            kind,
        }
    }
}

impl From<DecompressError> for DecodeError {
    fn from(error: DecompressError) -> Self {
        Self {
            offset: HEADER + error.offset(),
            kind: DecodeErrorKind::Compression(error),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.kind)
    }
}

impl core::error::Error for DecodeError {}

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The message ends where more must follow.
    UnexpectedEnd,
    /// Bytes follow the value.
    TrailingBytes {
        /// How many.
        count: u64,
    },
    /// The wire has no such type.
    UnknownType {
        /// The type byte.
        found: ValueType,
    },
    /// Indexes of an enumeration. They have no meaning without its domain, and their width cannot
    /// be told from the bytes (4 up to kdb+ 3.5, 8 since); q sends the symbols instead.
    Enumeration {
        /// The type byte, 20 to 76.
        found: ValueType,
    },
    /// An error inside a value; there is one only in place of a value.
    NestedError,
    /// There is no such attribute.
    Attribute {
        /// The byte.
        byte: u8,
    },
    /// More items are promised than the rest of the message can hold.
    Count {
        /// How many items are promised.
        count: u64,
        /// How many bytes are there for them.
        available: u64,
    },
    /// A boolean that is neither 0 nor 1.
    Boolean {
        /// The byte.
        byte: u8,
    },
    /// The message ends before the NUL of a symbol.
    UnterminatedSymbol,
    /// There is no such primitive.
    Primitive {
        /// 101 unary, 102 binary, 103 iterator.
        found: ValueType,
        /// The code.
        code: u8,
    },
    /// A lambda's text is no char vector.
    LambdaText {
        /// What it is.
        found: ValueType,
    },
    /// A table holds something else than a dictionary.
    TableContent {
        /// What it is.
        found: ValueType,
    },
    /// A table's names are no symbol vector.
    TableNames {
        /// What they are.
        found: ValueType,
    },
    /// A table's columns are neither a list nor a symbol.
    TableColumns {
        /// What they are.
        found: ValueType,
    },
    /// The compressed bytes make no message.
    Compression(DecompressError),
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedEnd => f.write_str("the message ends inside a value"),
            Self::TrailingBytes { count } => write!(f, "{count} bytes follow the value"),
            Self::UnknownType { found } => write!(f, "{found}"),
            Self::Enumeration { found } => write!(f, "{found}: indexes without their domain"),
            Self::NestedError => f.write_str("an error inside a value"),
            Self::Attribute { byte } => write!(f, "no attribute is 0x{byte:02x}"),
            Self::Count { count, available } => {
                write!(
                    f,
                    "{count} items are promised, {available} bytes are left for them"
                )
            }
            Self::Boolean { byte } => write!(f, "a boolean is 0x{byte:02x}, neither 0 nor 1"),
            Self::UnterminatedSymbol => f.write_str("a symbol has no end"),
            Self::Primitive { found, code } => write!(f, "no {found} has the code {code}"),
            Self::LambdaText { found } => {
                write!(f, "a lambda's text is no char vector but {found}")
            }
            Self::TableContent { found } => write!(f, "a table holds no dictionary but {found}"),
            Self::TableNames { found } => {
                write!(f, "a table's names are no symbol vector but {found}")
            }
            Self::TableColumns { found } => {
                write!(
                    f,
                    "a table's columns are neither a list nor a symbol but {found}"
                )
            }
            Self::Compression(error) => fmt::Display::fmt(error, f),
        }
    }
}

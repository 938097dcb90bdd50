//! From the bytes of a body to a checked value.
//!
//! One walk verifies everything that can be wrong with a body: types, attributes, counts,
//! booleans, the NULs behind symbols, the codes of functions, what a table is made of, that nothing
//! is left over. From then on the bytes are read where they stand. Every object says at its start
//! how many objects follow inside it, so the walk keeps one count of the objects still to come:
//! no recursion, no stack and no allocation, whatever the nesting.
//!
//! ```text
//! 00 00 02000000 f5 6100 06 00 01000000 2a000000        (`a;,42i)
//! │              │       └ 1 object still to come: an int vector of one item
//! │              └ 2 objects still to come
//! └ 1 object to come: a list, which adds 2
//! ```
//!
//! What is refused is what KX's own validator refuses (observed with KX's C library), and beyond
//! that a table that is no dictionary of names to columns, a lambda whose text is no char vector,
//! and the count's width bit on a table, which has no count.

use core::fmt;

use bytes::Bytes;

use crate::byte_order::ByteOrder;
use crate::compress::DecompressError;
use crate::config::Capability;
use crate::nul;
use crate::remote_error::RemoteError;
use crate::value::{
    Attribute, BasicType, BinaryPrimitive, Cursor, Dict, FIXED, Function, IteratorPrimitive, List,
    SharedView, Table, UnaryPrimitive, Value, ValueType, VectorHeader,
};

/// Checks the bytes of a body and makes a value of them, or the error that stands in its place.
pub(crate) fn decode(
    body: Bytes,
    order: ByteOrder,
) -> Result<Result<Value, RemoteError>, DecodeError> {
    if body.first() == Some(&ERROR) {
        return Ok(Err(error_text(&body)?));
    }
    let needs = check(&body, order)?;
    let code = body.first().copied().unwrap_or_default();
    let view = |object| SharedView {
        object,
        order,
        needs: Some(needs),
    };
    Ok(Ok(match code {
        0 => Value::List(List::of_view(view(body))),
        98 => Value::Table(Table::of_view(view(body))),
        99 | 127 => Value::Dict(Dict::of_view(view(body))),
        100 | 104..=111 => Value::Function(Function::of_view(view(body))),
        _ => match (Cursor { rest: &body, order }).read() {
            Some(value) => value.share(&body),
            None => return Err(DecodeError::new(0, DecodeErrorKind::UnexpectedEnd)),
        },
    }))
}

/// Checks the bytes of one object and returns the lowest capability that may be sent it.
pub(crate) fn check(bytes: &[u8], order: ByteOrder) -> Result<Capability, DecodeError> {
    let mut walk = Walk {
        bytes,
        order,
        at: 0,
        pending: 1,
        features: 0,
    };
    while walk.pending > 0 {
        walk.pending -= 1;
        let Some(code) = bytes.get(walk.at) else {
            return Err(walk.error(DecodeErrorKind::UnexpectedEnd));
        };
        let plain = PLAIN[usize::from(*code)];
        if plain == 0 {
            walk.object(*code)?;
        } else {
            walk.at += usize::from(plain & LENGTH_BITS);
            walk.features |= plain;
        }
    }
    if walk.at > bytes.len() {
        return Err(walk.error(DecodeErrorKind::UnexpectedEnd));
    }
    if walk.at < bytes.len() {
        let count = (bytes.len() - walk.at) as u64;
        return Err(walk.error(DecodeErrorKind::TrailingBytes { count }));
    }
    Ok(walk.needs())
}

/// Reads the text of an error, which is all of a body.
fn error_text(body: &Bytes) -> Result<RemoteError, DecodeError> {
    let text = body.get(1..).unwrap_or_default();
    let Some(end) = nul::find(text) else {
        return Err(DecodeError::new(body.len(), DecodeErrorKind::UnexpectedEnd));
    };
    if end + 1 < text.len() {
        let count = (text.len() - end - 1) as u64;
        return Err(DecodeError::new(
            end + 2,
            DecodeErrorKind::TrailingBytes { count },
        ));
    }
    Ok(RemoteError::trusted(body.slice(1..=end)))
}

/// The walk over a body.
struct Walk<'a> {
    bytes: &'a [u8],
    order: ByteOrder,
    /// Where the next object starts; beyond the end once an atom was cut short.
    at: usize,
    /// How many objects are still to come.
    pending: usize,
    /// What was met that not every peer understands.
    features: u8,
}

impl Walk<'_> {
    /// Steps over the start of an object whose type is not all there is to know of it.
    fn object(&mut self, code: u8) -> Result<(), DecodeError> {
        match code as i8 {
            -1 => {
                let value = self.byte(1)?;
                if value > 1 {
                    return Err(self.error_at(1, DecodeErrorKind::Boolean { byte: value }));
                }
                self.at += 2;
            }
            -11 => self.at += 1 + self.name(1)?,
            0 => {
                let header = self.header(2)?;
                self.at += header.length;
                self.expect(header.count);
            }
            1 => {
                let header = self.header(1)?;
                let start = self.at + header.length;
                let items = self
                    .bytes
                    .get(start..start + header.count)
                    .unwrap_or_default();
                // A fold without an early end, which the compiler turns into vector instructions.
                if items.iter().fold(0, |all, item| all | item) > 1 {
                    let wrong = items.iter().position(|item| *item > 1).unwrap_or_default();
                    let byte = items.get(wrong).copied().unwrap_or_default();
                    let kind = DecodeErrorKind::Boolean { byte };
                    return Err(self.error_at(header.length + wrong, kind));
                }
                self.at = start + header.count;
            }
            11 => self.symbols()?,
            98 => self.table()?,
            99 | 127 => {
                self.at += 1;
                self.expect(2);
            }
            100 => {
                let context = self.name(1)?;
                let text = self.byte(1 + context)?;
                if text != BasicType::Char.number() {
                    let found = ValueType::from_code(text as i8);
                    return Err(self.error_at(1 + context, DecodeErrorKind::LambdaText { found }));
                }
                self.at += 1 + context;
                self.expect(1);
            }
            101 => self.primitive(UnaryPrimitive::new(self.byte(1)?).is_some())?,
            102 => self.primitive(BinaryPrimitive::new(self.byte(1)?).is_some())?,
            103 => self.primitive(IteratorPrimitive::new(self.byte(1)?).is_some())?,
            104 | 105 => {
                let count = self.array(1).map(|count| self.order.u32(count))?;
                self.enough(u64::from(count), 5, 2)?;
                self.at += 5;
                self.expect(count as usize);
            }
            106..=111 => {
                self.at += 1;
                self.expect(1);
            }
            _ => self.vector(code)?,
        }
        Ok(())
    }

    /// Steps over a vector of items of one width, or finds that there is no such type.
    #[inline]
    fn vector(&mut self, code: u8) -> Result<(), DecodeError> {
        let Some(basic) = BasicType::from_number(code) else {
            let found = ValueType::from_code(code as i8);
            return Err(self.error(match code as i8 {
                20..=76 => DecodeErrorKind::Enumeration { found },
                -128 => DecodeErrorKind::NestedError,
                _ => DecodeErrorKind::UnknownType { found },
            }));
        };
        let width = basic.width().unwrap_or(1);
        let header = self.header(width)?;
        self.at += header.length + header.count * width;
        self.features |= match basic {
            BasicType::Timestamp | BasicType::Timespan => TIMESPANS,
            BasicType::Guid => GUIDS,
            _ => 0,
        };
        Ok(())
    }

    fn symbols(&mut self) -> Result<(), DecodeError> {
        let header = self.header(1)?;
        let names = self
            .bytes
            .get(self.at + header.length..)
            .unwrap_or_default();
        let Some(end) = nul::end_of_nth(names, header.count) else {
            return Err(self.error(DecodeErrorKind::UnterminatedSymbol));
        };
        self.at += header.length + end;
        Ok(())
    }

    /// Steps over a table's start: its attribute, the dictionary's type, the names; what holds the
    /// columns is still to come.
    fn table(&mut self) -> Result<(), DecodeError> {
        let attribute = self.byte(1)?;
        if Attribute::from_byte(attribute).is_none() {
            return Err(self.error_at(1, DecodeErrorKind::Attribute { byte: attribute }));
        }
        let [dict, names] = self.array(2)?;
        if dict != 99 {
            let found = ValueType::from_code(dict as i8);
            return Err(self.error_at(2, DecodeErrorKind::TableContent { found }));
        }
        if names != BasicType::Symbol.number() {
            let found = ValueType::from_code(names as i8);
            return Err(self.error_at(3, DecodeErrorKind::TableNames { found }));
        }
        self.at += 3;
        self.symbols()?;
        let columns = self.byte(0)? as i8;
        if columns != 0 && columns != -11 {
            let found = ValueType::from_code(columns);
            return Err(self.error(DecodeErrorKind::TableColumns { found }));
        }
        self.expect(1);
        Ok(())
    }

    fn primitive(&mut self, exists: bool) -> Result<(), DecodeError> {
        if !exists {
            let [code, primitive] = self.array(0)?;
            let found = ValueType::from_code(code as i8);
            return Err(self.error_at(
                1,
                DecodeErrorKind::Primitive {
                    found,
                    code: primitive,
                },
            ));
        }
        self.at += 2;
        Ok(())
    }

    /// Reads the header of the vector or list here, whose items take at least `width` bytes each,
    /// and checks that there are as many bytes.
    #[inline]
    fn header(&mut self, width: usize) -> Result<VectorHeader, DecodeError> {
        let attribute = self.byte(1)?;
        if Attribute::from_byte(attribute & !VectorHeader::WIDE_BIT).is_none() {
            return Err(self.error_at(1, DecodeErrorKind::Attribute { byte: attribute }));
        }
        let (count, length) = if attribute & VectorHeader::WIDE_BIT == 0 {
            (
                u64::from(self.order.u32(self.array(2)?)),
                VectorHeader::SHORT,
            )
        } else {
            self.features |= WIDE_COUNTS;
            (self.order.u64(self.array(2)?), VectorHeader::WIDE)
        };
        self.enough(count, length, width as u64)?;
        if count > i32::MAX as u64 {
            self.features |= WIDE_COUNTS;
        }
        Ok(VectorHeader::of_checked(
            self.bytes.get(self.at..).unwrap_or_default(),
            self.order,
        ))
    }

    /// Checks that `count` things of at least `width` bytes fit behind `offset` bytes from here.
    #[inline]
    fn enough(&self, count: u64, offset: usize, width: u64) -> Result<(), DecodeError> {
        let available = (self.bytes.len() - self.at).saturating_sub(offset) as u64;
        match count.checked_mul(width) {
            Some(needed) if needed <= available => Ok(()),
            _ => Err(self.error(DecodeErrorKind::Count { count, available })),
        }
    }

    /// Returns how many bytes the name at `offset` from here takes, with its NUL.
    #[inline]
    fn name(&self, offset: usize) -> Result<usize, DecodeError> {
        let name = self.bytes.get(self.at + offset..).and_then(nul::find);
        name.map(|end| end + 1)
            .ok_or_else(|| self.error(DecodeErrorKind::UnterminatedSymbol))
    }

    #[inline]
    fn byte(&self, offset: usize) -> Result<u8, DecodeError> {
        self.array(offset).map(|[byte]| byte)
    }

    #[inline]
    fn array<const N: usize>(&self, offset: usize) -> Result<[u8; N], DecodeError> {
        let bytes = self
            .bytes
            .get(self.at + offset..)
            .and_then(<[u8]>::first_chunk);
        bytes
            .copied()
            .ok_or_else(|| DecodeError::new(self.bytes.len(), DecodeErrorKind::UnexpectedEnd))
    }

    /// Notes that so many more objects are to come. There is at least a byte of the body for each.
    #[inline]
    fn expect(&mut self, count: usize) {
        self.pending = self.pending.saturating_add(count);
    }

    fn needs(&self) -> Capability {
        if self.features & WIDE_COUNTS != 0 {
            Capability::V6
        } else if self.features & GUIDS != 0 {
            Capability::V3
        } else if self.features & TIMESPANS != 0 {
            Capability::V1
        } else {
            Capability::V0
        }
    }

    #[cold]
    fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        self.error_at(0, kind)
    }

    #[cold]
    fn error_at(&self, offset: usize, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new((self.at + offset).min(self.bytes.len()), kind)
    }
}

/// A body that is no value: what is wrong, and where. The connection goes on: where the next
/// message starts is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// Where in the message, counted from its first byte: the 8 bytes of the header, then the
    /// body; of a compressed message, as it is without compression.
    pub offset: u64,
    /// What is wrong there.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self {
            offset: offset as u64 + HEADER,
            kind,
        }
    }
}

impl From<DecompressError> for DecodeError {
    fn from(error: DecompressError) -> Self {
        Self {
            offset: HEADER,
            kind: DecodeErrorKind::Compression(error),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.kind)
    }
}

impl core::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.kind {
            DecodeErrorKind::Compression(error) => Some(error),
            _ => None,
        }
    }
}

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
                write!(f, "a lambda's text is a {found}, not a char vector")
            }
            Self::TableContent { found } => write!(f, "a table holds a {found}, not a dictionary"),
            Self::TableNames { found } => {
                write!(f, "a table's names are a {found}, not a symbol vector")
            }
            Self::TableColumns { found } => {
                write!(
                    f,
                    "a table's columns are a {found}, neither a list nor a symbol"
                )
            }
            Self::Compression(error) => fmt::Display::fmt(error, f),
        }
    }
}

/// The type byte of an error.
pub(crate) const ERROR: u8 = 0x80;

/// The bytes of a message's header, which come before its body.
const HEADER: u64 = 8;

/// For each type byte whose length is all there is to know: the length, and what peers must
/// understand. 0 for all others.
const PLAIN: [u8; 256] = {
    let mut plain = FIXED;
    plain[0xff] = 0;
    plain[101] = 0;
    plain[102] = 0;
    plain[103] = 0;
    plain[(BasicType::Timestamp.number() as i8).wrapping_neg() as u8 as usize] |= TIMESPANS;
    plain[(BasicType::Timespan.number() as i8).wrapping_neg() as u8 as usize] |= TIMESPANS;
    plain[(BasicType::Guid.number() as i8).wrapping_neg() as u8 as usize] |= GUIDS;
    plain
};

const LENGTH_BITS: u8 = 0x1f;
const TIMESPANS: u8 = 0x20;
const GUIDS: u8 = 0x40;
const WIDE_COUNTS: u8 = 0x80;

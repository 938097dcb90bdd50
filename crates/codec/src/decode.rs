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

mod error;
#[cfg(test)]
mod steps;

use bytes::Bytes;

pub use error::{DecodeError, DecodeErrorKind};
#[cfg(test)]
use steps::look_at;

use crate::byte_order::ByteOrder;
use crate::config::Capability;
use crate::nul;
use crate::remote_error::RemoteError;
use crate::value::{
    Attribute, BasicType, BinaryPrimitive, Cursor, Dict, Function, IteratorPrimitive, List,
    SharedView, Symbols, Table, UnaryPrimitive, Value, ValueType, Vector, VectorHeader,
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
        11 => {
            let attribute = VectorHeader::of_checked(&body, order).attribute;
            Value::Vector(Vector::Symbol(Symbols::from_wire(body, order, attribute)))
        }
        100 | 104..=111 => Value::Function(Function::of_view(view(body))),
        _ => match Cursor::new(&body, order).read() {
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
        needs: Capability::V0,
    };
    while walk.pending > 0 {
        walk.pending -= 1;
        look_at(1);
        let Some(&code) = bytes.get(walk.at) else {
            return Err(walk.error(DecodeErrorKind::UnexpectedEnd));
        };
        // An atom may reach beyond the end: the next look, or the last, finds out.
        match code as i8 {
            -4 | -10 => walk.at += 2,
            -5 => walk.at += 3,
            -6 | -8 | -13 | -14 | -17 | -18 | -19 => walk.at += 5,
            -7 | -9 | -15 => walk.at += 9,
            -12 | -16 => {
                walk.at += 9;
                walk.needs = walk.needs.max(Capability::V1);
            }
            -2 => {
                walk.at += 17;
                walk.needs = walk.needs.max(Capability::V3);
            }
            -11 => walk.at += 1 + walk.name(1)?,
            0 => {
                let start = walk.start(2)?;
                walk.at += start.length;
                walk.expect(start.count);
            }
            4 | 10 => walk.step_over(1)?,
            6 | 8 | 13 | 14 | 17 | 18 | 19 => walk.step_over(4)?,
            7 | 9 | 15 => walk.step_over(8)?,
            12 | 16 => {
                walk.needs = walk.needs.max(Capability::V1);
                walk.step_over(8)?;
            }
            // By value, so that the walk can stay in registers meanwhile.
            _ => walk = walk.object(code)?,
        }
    }
    if walk.at > bytes.len() {
        return Err(walk.error(DecodeErrorKind::UnexpectedEnd));
    }
    if walk.at < bytes.len() {
        let count = (bytes.len() - walk.at) as u64;
        return Err(walk.error(DecodeErrorKind::TrailingBytes { count }));
    }
    Ok(walk.needs)
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
#[derive(Clone, Copy)]
struct Walk<'a> {
    bytes: &'a [u8],
    order: ByteOrder,
    /// Where the next object starts; beyond the end once an atom was cut short.
    at: usize,
    /// How many objects are still to come.
    pending: usize,
    /// The lowest capability of peers that understand what was met.
    needs: Capability,
}

impl Walk<'_> {
    /// Steps over the start of an object that is more than an atom of some bytes.
    #[inline(always)]
    fn object(mut self, code: u8) -> Result<Self, DecodeError> {
        match code as i8 {
            -1 => {
                let value = self.byte(1)?;
                if value > 1 {
                    return Err(self.error_at(1, DecodeErrorKind::Boolean { byte: value }));
                }
                self.at += 2;
            }
            1 => {
                let Start { length, count } = self.start(1)?;
                let start = self.at + length;
                let items = self.bytes.get(start..start + count).unwrap_or_default();
                look_at(items.len());
                // A fold without an early end, which the compiler turns into vector instructions.
                if items.iter().fold(0, |all, item| all | item) > 1 {
                    let wrong = items.iter().position(|item| *item > 1).unwrap_or_default();
                    let byte = items.get(wrong).copied().unwrap_or_default();
                    let kind = DecodeErrorKind::Boolean { byte };
                    return Err(self.error_at(length + wrong, kind));
                }
                self.at = start + count;
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
            5 => self.step_over(2)?,
            2 => {
                self.needs = self.needs.max(Capability::V3);
                self.step_over(16)?;
            }
            _ => return Err(self.unknown(code)),
        }
        Ok(self)
    }

    /// Tells of a type that is none.
    #[cold]
    fn unknown(&self, code: u8) -> DecodeError {
        let found = ValueType::from_code(code as i8);
        self.error(match code as i8 {
            20..=76 => DecodeErrorKind::Enumeration { found },
            -128 => DecodeErrorKind::NestedError,
            _ => DecodeErrorKind::UnknownType { found },
        })
    }

    fn symbols(&mut self) -> Result<(), DecodeError> {
        let Start { length, count } = self.start(1)?;
        let names = self.bytes.get(self.at + length..).unwrap_or_default();
        let end = nul::end_of_nth(names, count);
        look_at(end.unwrap_or(names.len()));
        let Some(end) = end else {
            return Err(self.error(DecodeErrorKind::UnterminatedSymbol));
        };
        self.at += length + end;
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

    /// Steps over a vector whose items take `width` bytes each.
    #[inline(always)]
    fn step_over(&mut self, width: usize) -> Result<(), DecodeError> {
        let start = self.start(width)?;
        self.at += start.length + start.count * width;
        Ok(())
    }

    /// Reads the start of the vector or list here, whose items take at least `width` bytes each,
    /// and checks that there are as many bytes.
    #[inline(always)]
    fn start(&mut self, width: usize) -> Result<Start, DecodeError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some([_, attribute, count @ ..]) = rest.first_chunk::<{ VectorHeader::SHORT }>() {
            let count = self.order.u32(*count);
            let available = (rest.len() - VectorHeader::SHORT) as u64;
            if *attribute <= Attribute::GREATEST
                && count <= i32::MAX as u32
                && u64::from(count) * width as u64 <= available
            {
                return Ok(Start {
                    length: VectorHeader::SHORT,
                    count: count as usize,
                });
            }
        }
        let start = self.rare_start(width)?;
        self.needs = Capability::V6;
        Ok(start)
    }

    /// As [`start`](Self::start), for what is wrong, or needs a peer of capability 6. Of a copy, so
    /// that the walk itself can stay in registers.
    #[cold]
    #[inline(never)]
    fn rare_start(self, width: usize) -> Result<Start, DecodeError> {
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
            (self.order.u64(self.array(2)?), VectorHeader::WIDE)
        };
        self.enough(count, length, width as u64)?;
        // There are as many bytes, so it fits.
        let count = count as usize;
        Ok(Start { length, count })
    }

    /// Checks that `count` things of at least `width` bytes fit behind `offset` bytes from here.
    #[inline(always)]
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
        let names = self.bytes.get(self.at + offset..).unwrap_or_default();
        let name = nul::find(names).map(|end| end + 1);
        look_at(name.unwrap_or(names.len()));
        name.ok_or_else(|| self.error(DecodeErrorKind::UnterminatedSymbol))
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

    #[cold]
    fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        self.error_at(0, kind)
    }

    #[cold]
    fn error_at(&self, offset: usize, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new((self.at + offset).min(self.bytes.len()), kind)
    }
}

/// The start of a vector or list.
struct Start {
    /// The bytes before its items.
    length: usize,
    /// Its items.
    count: usize,
}

/// Is told of each object that is stepped over, and of each byte beyond its start that is looked at:
/// all that takes time here. Tests count them.
#[cfg(not(test))]
#[inline(always)]
const fn look_at(_count: usize) {}

/// The type byte of an error.
pub(crate) const ERROR: u8 = 0x80;

/// The bytes of a message's header, which come before its body.
const HEADER: u64 = 8;

#[cfg(test)]
mod tests {
    use DecodeErrorKind as Kind;
    use proptest::prelude::*;

    use super::*;
    use crate::config::Limits;
    use crate::message::Body;
    use crate::strategy;

    #[test]
    fn what_is_no_value_is_refused_with_its_place_and_reason() {
        let found = ValueType::from_code;
        let cases: [(&[u8], u64, Kind); 67] = [
            (b"", 8, Kind::UnexpectedEnd),
            // Atoms.
            (b"\xf9\x01\0\0\0\0\0\0", 16, Kind::UnexpectedEnd),
            (b"\xff", 9, Kind::UnexpectedEnd),
            (b"\xff\x02", 9, Kind::Boolean { byte: 2 }),
            (b"\xf5", 8, Kind::UnterminatedSymbol),
            (b"\xf5abc", 8, Kind::UnterminatedSymbol),
            (b"\xfc\x01\x02", 10, Kind::TrailingBytes { count: 1 }),
            // Vectors.
            (b"\x06", 9, Kind::UnexpectedEnd),
            (b"\x06\0", 10, Kind::UnexpectedEnd),
            (b"\x06\0\0\0\0", 13, Kind::UnexpectedEnd),
            (b"\x06\x05\0\0\0\0", 9, Kind::Attribute { byte: 5 }),
            (b"\x06\x7f\0\0\0\0", 9, Kind::Attribute { byte: 0x7f }),
            (
                b"\x06\x85\0\0\0\0\0\0\0\0",
                9,
                Kind::Attribute { byte: 0x85 },
            ),
            (
                b"\x06\xff\0\0\0\0\0\0\0\0",
                9,
                Kind::Attribute { byte: 0xff },
            ),
            (b"\x06\0\x02\0\0\0\x01\0\0\0", 8, count(2, 4)),
            (b"\x06\0\x02\0\0\0\x01\0\0\0\x02\0\0", 8, count(2, 7)),
            (b"\x06\0\xff\xff\xff\xff", 8, count(0xffff_ffff, 0)),
            (b"\x02\0\x01\0\0\x00123456789abcdef", 8, count(1, 15)),
            (
                b"\x06\0\x01\0\0\0\x01\0\0\0\x02",
                18,
                Kind::TrailingBytes { count: 1 },
            ),
            (b"\x01\0\x03\0\0\0\x01\0\x02", 16, Kind::Boolean { byte: 2 }),
            (
                b"\x01\0\x03\0\0\0\xff\x02\0",
                14,
                Kind::Boolean { byte: 0xff },
            ),
            (
                b"\x01\x80\x01\0\0\0\0\0\0\0\x03",
                18,
                Kind::Boolean { byte: 3 },
            ),
            (b"\x0b\0\x02\0\0\0a\0b", 8, Kind::UnterminatedSymbol),
            (b"\x0b\0\x02\0\0\0a", 8, count(2, 1)),
            (
                b"\x0b\0\x01\0\0\0a\0b",
                16,
                Kind::TrailingBytes { count: 1 },
            ),
            // Counts of eight bytes.
            (b"\x04\x80\x01\0\0\0", 14, Kind::UnexpectedEnd),
            (b"\x04\x80\x01\0\0\0\0\0\0\0", 8, count(1, 0)),
            (b"\x04\x80\0\0\0\0\x01\0\0\0", 8, count(1 << 32, 0)),
            (b"\x06\x80\0\0\0\0\0\0\0\x40", 8, count(1 << 62, 0)),
            (
                b"\x0b\x80\xff\xff\xff\xff\xff\xff\xff\xff",
                8,
                count(u64::MAX, 0),
            ),
            (
                b"\x00\x80\xff\xff\xff\xff\xff\xff\xff\xff",
                8,
                count(u64::MAX, 0),
            ),
            // Lists.
            (b"\x00\0\0\0\0", 13, Kind::UnexpectedEnd),
            (b"\x00\x05\0\0\0\0", 9, Kind::Attribute { byte: 5 }),
            (b"\x00\0\x01\0\0\0", 8, count(1, 0)),
            (b"\x00\0\x02\0\0\0\xfc\x01\xfc", 8, count(2, 3)),
            (b"\x00\0\x02\0\0\0\xfa\x01\0\0\0", 19, Kind::UnexpectedEnd),
            (b"\x00\0\x02\0\0\0\xfa\x01\0\0", 18, Kind::UnexpectedEnd),
            (b"\x00\0\x01\0\0\0\x80a\0", 14, Kind::NestedError),
            (
                b"\x00\0\x01\0\0\0\x14\0\0\0\0\0",
                14,
                Kind::Enumeration { found: found(20) },
            ),
            (
                b"\x00\0\x02\0\0\0\xfc\x01\xff\x02",
                17,
                Kind::Boolean { byte: 2 },
            ),
            (
                b"\x00\0\x01\0\0\0\xfc\x01\x02",
                16,
                Kind::TrailingBytes { count: 1 },
            ),
            // Dictionaries.
            (b"\x63", 9, Kind::UnexpectedEnd),
            (b"\x63\xfc\x01", 11, Kind::UnexpectedEnd),
            (b"\x7f\xfc\x01\xff\x02", 12, Kind::Boolean { byte: 2 }),
            (
                b"\x63\xfc\x01\xfc\x02\xfc\x03",
                13,
                Kind::TrailingBytes { count: 2 },
            ),
            // Tables.
            (b"\x62", 9, Kind::UnexpectedEnd),
            (b"\x62\x05\x63", 9, Kind::Attribute { byte: 5 }),
            (b"\x62\x80\x63", 9, Kind::Attribute { byte: 0x80 }),
            (
                b"\x62\0\xfc\x01",
                10,
                Kind::TableContent { found: found(-4) },
            ),
            (
                b"\x62\0\x7f\x0b",
                10,
                Kind::TableContent { found: found(127) },
            ),
            (b"\x62\0\x63", 11, Kind::UnexpectedEnd),
            (
                b"\x62\0\x63\0\0\0\0\0\0",
                11,
                Kind::TableNames { found: found(0) },
            ),
            (b"\x62\0\x63\x0b\0\x01\0\0\0a", 11, Kind::UnterminatedSymbol),
            (b"\x62\0\x63\x0b\0\0\0\0\0", 17, Kind::UnexpectedEnd),
            (
                b"\x62\0\x63\x0b\0\0\0\0\0\xfc\x01",
                17,
                Kind::TableColumns { found: found(-4) },
            ),
            (
                b"\x62\0\x63\x0b\0\0\0\0\0\x0b",
                17,
                Kind::TableColumns { found: found(11) },
            ),
            (b"\x62\0\x63\x0b\0\0\0\0\0\0\0\x01\0\0\0", 17, count(1, 0)),
            // Functions.
            (b"\x64a", 8, Kind::UnterminatedSymbol),
            (b"\x64\0", 10, Kind::UnexpectedEnd),
            (b"\x64q\0\xf6{", 11, Kind::LambdaText { found: found(-10) }),
            (b"\x64\0\x0a\0\x02\0\0\0{", 10, count(2, 1)),
            (b"\x65", 9, Kind::UnexpectedEnd),
            (b"\x68\x02\0\0", 12, Kind::UnexpectedEnd),
            (b"\x69\x02\0\0\0\x65", 8, count(2, 1)),
            (b"\x6a", 9, Kind::UnexpectedEnd),
            // Errors.
            (b"\x80type", 13, Kind::UnexpectedEnd),
            (b"\x80type\0\0", 14, Kind::TrailingBytes { count: 1 }),
        ];
        for (body, offset, kind) in cases {
            assert_eq!(
                refusal(body),
                Some(DecodeError { offset, kind }),
                "{body:02x?}"
            );
        }
    }

    #[test]
    fn types_that_the_wire_does_not_have_are_refused() {
        for code in i8::MIN..=i8::MAX {
            let found = ValueType::from_code(code);
            let expected = match code {
                -19..=19 if ![-3, 0, 3].contains(&code) => continue,
                0 | 98..=111 | 127 | -128 => continue,
                20..=76 => Kind::Enumeration { found },
                _ => Kind::UnknownType { found },
            };
            let body = [&[code as u8][..], &[0; 30]].concat();
            let error = refusal(&body).expect("no such type");
            assert_eq!((error.offset, error.kind), (8, expected));
            let nested = [b"\x63\xfc\x01".as_slice(), &body].concat();
            let error = refusal(&nested).expect("no such type");
            assert_eq!((error.offset, error.kind), (11, expected));
        }
    }

    #[test]
    fn primitives_that_q_does_not_have_are_refused() {
        let has = |class, code| match class {
            101 => code <= 44 || code == 255,
            102 => code <= 36,
            _ => code <= 5,
        };
        for class in 101..=103 {
            for code in 0..=255 {
                let found = ValueType::from_code(class);
                let kind = Kind::Primitive { found, code };
                let refused = (!has(class, code)).then_some(DecodeError { offset: 9, kind });
                assert_eq!(refusal(&[class as u8, code]), refused);
            }
        }
    }

    #[test]
    fn offsets_are_those_of_the_plain_message_of_a_compressed_one() {
        let mut plain = vec![0; 3000];
        plain[..6].copy_from_slice(b"\x01\0\xb2\x0b\0\0");
        plain[2999] = 2;
        let body = Body::from_bytes(plain.into(), ByteOrder::Little).compress();
        assert!(body.form().is_some());
        let error = body.decode(&Limits::client()).unwrap_err();
        let kind = Kind::Boolean { byte: 2 };
        assert_eq!(error, DecodeError { offset: 3007, kind });
    }

    #[test]
    fn a_count_may_take_eight_bytes() {
        let body = b"\x04\x84\x02\0\0\0\0\0\0\0\xaa\xbb";
        let value = value(body, ByteOrder::Little);
        assert_eq!(encoded(&value, ByteOrder::Little), body);
        let big = b"\x04\x84\0\0\0\0\0\0\0\x02\xaa\xbb";
        assert_eq!(encoded(&value, ByteOrder::Big), big);
        assert_eq!(value, self::value(big, ByteOrder::Big));
        assert_eq!(
            value,
            self::value(b"\x04\x04\x02\0\0\0\xaa\xbb", ByteOrder::Little)
        );
    }

    #[test]
    fn a_count_of_eight_bytes_is_kept_in_every_vector_and_in_lists() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for code in (0..=19).filter(|code| *code != 3) {
                for (attribute, count) in [(0, 0), (4, 3)] {
                    let items = match code {
                        0 => [101, 0].repeat(count),
                        11 => b"a\0bc\0d\0"[..count * 2 + usize::from(count > 0)].to_vec(),
                        code => {
                            let width = BasicType::from_number(code).and_then(BasicType::width);
                            vec![1; count * width.expect("a type of fixed width")]
                        }
                    };
                    let (short, long) =
                        (order.u32_bytes(count as u32), order.u64_bytes(count as u64));
                    let wide = [&[code, attribute | 0x80], &long[..], &items].concat();
                    let narrow = [&[code, attribute], &short[..], &items].concat();
                    let value = value(&wide, order);
                    assert_eq!(encoded(&value, order), wide);
                    assert_eq!(encoded(&value.as_ref().detach(), order), wide);
                    assert_eq!(value, self::value(&narrow, order));
                    assert_eq!(check(&wide, order), Ok(Capability::V6));
                    assert!(check(&narrow, order).expect("a value") <= Capability::V3);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_check_of_bytes_and_the_measure_of_values_need_the_same(
            value in strategy::value(3, 4),
            order in strategy::byte_order(),
        ) {
            let body = Body::encode_in(&value, order).expect("a value");
            let bytes = body.chunks().concat();
            let needs = check(&bytes, order).expect("what was encoded");
            for number in 0..=6 {
                let capability = Capability::new(number).expect("one of seven");
                let accepted = body.check_for(capability, &Limits::client()).is_ok();
                prop_assert_eq!(accepted, capability >= needs);
            }
        }
    }

    fn refusal(body: &[u8]) -> Option<DecodeError> {
        decode(Bytes::copy_from_slice(body), ByteOrder::Little).err()
    }

    fn value(body: &[u8], order: ByteOrder) -> Value {
        let decoded = decode(Bytes::copy_from_slice(body), order);
        decoded.expect("a value").expect("no error")
    }

    fn encoded(value: &Value, order: ByteOrder) -> Vec<u8> {
        let body = Body::encode_in(value, order).expect("there is room");
        body.chunks().concat()
    }

    fn count(count: u64, available: u64) -> Kind {
        Kind::Count { count, available }
    }
}

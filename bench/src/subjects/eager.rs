//! An ordinary tree: a vector of values for each list, symbols kept inline up to 22 bytes, and
//! vectors of numbers as slices of the message.

use crate::subject;
use crate::workloads::symbol_sum;
use bytes::Bytes;

#[derive(Default)]
pub struct Subject(Bytes);

impl subject::Subject for Subject {
    type Value = Value;

    fn name(&self) -> &'static str {
        "eager"
    }

    fn load(&mut self, message: &[u8]) {
        self.0 = Bytes::copy_from_slice(&message[8..]);
    }

    fn decode(&self) -> Option<Value> {
        let mut reader = Reader {
            body: &self.0,
            at: 0,
        };
        let value = reader.value(0)?;
        (reader.at == self.0.len()).then_some(value)
    }

    fn visit(&self, value: &Value) -> u64 {
        visit(value)
    }
}

pub enum Value {
    Long(i64),
    Float(f64),
    Timestamp(i64),
    Symbol(Symbol),
    Longs(Bytes),
    Floats(Bytes),
    Timestamps(Bytes),
    Chars(Bytes),
    Symbols(Vec<Symbol>),
    List(Vec<Self>),
    Dict(Box<(Self, Self)>),
    Table(Box<Self>),
}

pub enum Symbol {
    Short(u8, [u8; 22]),
    Long(Box<[u8]>),
}

impl Symbol {
    #[inline]
    fn new(bytes: &[u8]) -> Self {
        let mut short = [0; 22];
        match short.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                Self::Short(bytes.len() as u8, short)
            }
            None => Self::Long(bytes.into()),
        }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(length, bytes) => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }
}

struct Reader<'a> {
    body: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: u32) -> Option<Value> {
        if depth > 1000 {
            return None;
        }
        let kind = self.take(1)?[0] as i8;
        Some(match kind {
            -7 => Value::Long(self.word()?),
            -9 => Value::Float(f64::from_bits(self.word()? as u64)),
            -12 => Value::Timestamp(self.word()?),
            -11 => Value::Symbol(self.symbol()?),
            98 => {
                self.take(1)?;
                Value::Table(Box::new(self.value(depth + 1)?))
            }
            99 => Value::Dict(Box::new((self.value(depth + 1)?, self.value(depth + 1)?))),
            0 | 7 | 9..=12 => {
                let head = self.take(5)?;
                let count = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
                // Every item takes a byte at least.
                if count > self.body.len() - self.at {
                    return None;
                }
                match kind {
                    0 => {
                        let mut items = Vec::with_capacity(count);
                        for _ in 0..count {
                            items.push(self.value(depth + 1)?);
                        }
                        Value::List(items)
                    }
                    11 => {
                        let mut items = Vec::with_capacity(count);
                        for _ in 0..count {
                            items.push(self.symbol()?);
                        }
                        Value::Symbols(items)
                    }
                    7 => Value::Longs(self.slice(8 * count)?),
                    9 => Value::Floats(self.slice(8 * count)?),
                    12 => Value::Timestamps(self.slice(8 * count)?),
                    _ => Value::Chars(self.slice(count)?),
                }
            }
            _ => return None,
        })
    }

    fn symbol(&mut self) -> Option<Symbol> {
        let rest = &self.body[self.at..];
        let length = super::view::nul::first(rest)?;
        self.at += length + 1;
        Some(Symbol::new(&rest[..length]))
    }

    fn slice(&mut self, n: usize) -> Option<Bytes> {
        let start = self.at;
        self.take(n)?;
        Some(self.body.slice(start..self.at))
    }

    fn word(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn take(&mut self, n: usize) -> Option<&[u8]> {
        let taken = self.body.get(self.at..)?.get(..n)?;
        self.at += n;
        Some(taken)
    }
}

fn visit(value: &Value) -> u64 {
    match value {
        Value::Long(long) | Value::Timestamp(long) => *long as u64,
        Value::Float(float) => float.to_bits(),
        Value::Symbol(symbol) => symbol_sum(symbol.as_bytes()),
        Value::Longs(bytes) | Value::Floats(bytes) | Value::Timestamps(bytes) => {
            let words = bytes.as_chunks::<8>().0;
            words
                .iter()
                .fold(0, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)))
        }
        Value::Chars(chars) => chars.iter().map(|char| u64::from(*char)).sum(),
        Value::Symbols(symbols) => symbols
            .iter()
            .map(|symbol| symbol_sum(symbol.as_bytes()))
            .sum(),
        Value::List(items) => items
            .iter()
            .fold(0, |sum, item| sum.wrapping_add(visit(item))),
        Value::Dict(pair) => visit(&pair.0).wrapping_add(visit(&pair.1)),
        Value::Table(dict) => visit(dict),
    }
}

//! The names of q's types.

use core::fmt;

use crate::config::Capability;

/// One of q's basic types: what an atom or the items of a vector are.
///
/// | number | letter | type | bytes | Rust | null | infinities |
/// | --: | --- | --- | --: | --- | --- | --- |
/// | 1 | b | boolean | 1 | `bool` | – | – |
/// | 2 | g | guid | 16 | [`Guid`](super::Guid) | all zeros | – |
/// | 4 | x | byte | 1 | [`Byte`](super::Byte) | – | – |
/// | 5 | h | short | 2 | `i16` | `i16::MIN` | `±i16::MAX` |
/// | 6 | i | int | 4 | `i32` | `i32::MIN` | `±i32::MAX` |
/// | 7 | j | long | 8 | `i64` | `i64::MIN` | `±i64::MAX` |
/// | 8 | e | real | 4 | `f32` | any NaN | `±f32::INFINITY` |
/// | 9 | f | float | 8 | `f64` | any NaN | `±f64::INFINITY` |
/// | 10 | c | char | 1 | [`Char`](super::Char) | blank | – |
/// | 11 | s | symbol | n+1 | [`Symbol`](super::Symbol) | empty | – |
/// | 12 | p | timestamp | 8 | [`Timestamp`](super::Timestamp), ns since 2000.01.01 | `i64::MIN` | `±i64::MAX` |
/// | 13 | m | month | 4 | [`Month`](super::Month), months since 2000.01 | `i32::MIN` | `±i32::MAX` |
/// | 14 | d | date | 4 | [`Date`](super::Date), days since 2000.01.01 | `i32::MIN` | `±i32::MAX` |
/// | 15 | z | datetime | 8 | [`Datetime`](super::Datetime), days since 2000.01.01 | any NaN | `±f64::INFINITY` |
/// | 16 | n | timespan | 8 | [`Timespan`](super::Timespan), ns | `i64::MIN` | `±i64::MAX` |
/// | 17 | u | minute | 4 | [`Minute`](super::Minute) | `i32::MIN` | `±i32::MAX` |
/// | 18 | v | second | 4 | [`Second`](super::Second) | `i32::MIN` | `±i32::MAX` |
/// | 19 | t | time | 4 | [`Time`](super::Time), ms | `i32::MIN` | `±i32::MAX` |
///
/// Where the table gives a null, `None` converts to it. Source:
/// [KX, Datatypes](https://code.kx.com/q/basics/datatypes/).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the wire has these and no others")]
#[repr(u8)]
pub enum BasicType {
    /// 1, `b`.
    Boolean = 1,
    /// 2, `g`.
    Guid = 2,
    /// 4, `x`.
    Byte = 4,
    /// 5, `h`.
    Short = 5,
    /// 6, `i`.
    Int = 6,
    /// 7, `j`.
    Long = 7,
    /// 8, `e`.
    Real = 8,
    /// 9, `f`.
    Float = 9,
    /// 10, `c`.
    Char = 10,
    /// 11, `s`.
    Symbol = 11,
    /// 12, `p`.
    Timestamp = 12,
    /// 13, `m`.
    Month = 13,
    /// 14, `d`.
    Date = 14,
    /// 15, `z`.
    Datetime = 15,
    /// 16, `n`.
    Timespan = 16,
    /// 17, `u`.
    Minute = 17,
    /// 18, `v`.
    Second = 18,
    /// 19, `t`.
    Time = 19,
}

impl BasicType {
    /// Returns the type with this number, or `None` where no basic type has it.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Boolean,
            2 => Self::Guid,
            4 => Self::Byte,
            5 => Self::Short,
            6 => Self::Int,
            7 => Self::Long,
            8 => Self::Real,
            9 => Self::Float,
            10 => Self::Char,
            11 => Self::Symbol,
            12 => Self::Timestamp,
            13 => Self::Month,
            14 => Self::Date,
            15 => Self::Datetime,
            16 => Self::Timespan,
            17 => Self::Minute,
            18 => Self::Second,
            19 => Self::Time,
            _ => return None,
        })
    }

    /// Returns the number: that of a vector's type byte; an atom's is its negative.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns q's letter for the type.
    pub const fn letter(self) -> char {
        b" bg xhijefcspmdznuvt"[self as usize] as char
    }

    /// Returns q's name for the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Guid => "guid",
            Self::Byte => "byte",
            Self::Short => "short",
            Self::Int => "int",
            Self::Long => "long",
            Self::Real => "real",
            Self::Float => "float",
            Self::Char => "char",
            Self::Symbol => "symbol",
            Self::Timestamp => "timestamp",
            Self::Month => "month",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Timespan => "timespan",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Time => "time",
        }
    }

    /// Returns the lowest capability of peers that understand the type.
    pub const fn capability(self) -> Capability {
        if matches!(self, Self::Guid) {
            Capability::V3
        } else if matches!(self, Self::Timestamp | Self::Timespan) {
            Capability::V1
        } else {
            Capability::V0
        }
    }

    /// Returns the bytes that an item takes, or `None` for symbols, which take what they need.
    pub const fn width(self) -> Option<usize> {
        match self {
            Self::Boolean | Self::Byte | Self::Char => Some(1),
            Self::Short => Some(2),
            Self::Int
            | Self::Real
            | Self::Month
            | Self::Date
            | Self::Minute
            | Self::Second
            | Self::Time => Some(4),
            Self::Long | Self::Float | Self::Timestamp | Self::Datetime | Self::Timespan => Some(8),
            Self::Guid => Some(16),
            Self::Symbol => None,
        }
    }
}

impl fmt::Display for BasicType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a value is: the first byte of its encoding, signed, as q's `type` shows it.
///
/// `Display` names it: `long atom`, `symbol vector`, `list`, `dictionary`, `table`, `lambda`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValueType(i8);

impl ValueType {
    /// A general list, 0.
    pub const LIST: Self = Self(0);
    /// A table, 98.
    pub const TABLE: Self = Self(98);
    /// A dictionary, 99; a keyed table is one.
    pub const DICT: Self = Self(99);
    /// A dictionary whose keys are sorted, 127.
    pub const SORTED_DICT: Self = Self(127);
    /// A lambda, 100.
    pub const LAMBDA: Self = Self(100);

    /// Returns the type of atoms of a basic type.
    pub const fn atom(of: BasicType) -> Self {
        Self(-(of as i8))
    }

    /// Returns the type of vectors of a basic type.
    pub const fn vector(of: BasicType) -> Self {
        Self(of as i8)
    }

    /// Returns the type that a value's first byte stands for, whether the wire has it or not.
    pub const fn from_code(code: i8) -> Self {
        Self(code)
    }

    /// Returns the number: -19 to 19, 98 to 111, 127.
    pub const fn code(self) -> i8 {
        self.0
    }

    /// Returns the basic type of an atom or of the items of a vector, or `None` for what is
    /// neither.
    ///
    /// ```
    /// use hopen_codec::value::{BasicType, Value};
    ///
    /// assert_eq!(Value::from(1_i64).value_type().basic_type(), Some(BasicType::Long));
    /// assert_eq!(Value::IDENTITY.value_type().basic_type(), None);
    /// ```
    pub const fn basic_type(self) -> Option<BasicType> {
        BasicType::from_number(self.0.unsigned_abs())
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(basic) = self.basic_type() {
            let shape = if self.0 < 0 { "atom" } else { "vector" };
            return write!(f, "{basic} {shape}");
        }
        f.write_str(match self.0 {
            0 => "list",
            98 => "table",
            99 => "dictionary",
            127 => "sorted dictionary",
            100 => "lambda",
            101 => "unary primitive",
            102 => "binary primitive",
            103 => "iterator",
            104 => "projection",
            105 => "composition",
            106..=111 => "derived function",
            112 => "dynamically loaded function",
            20..=76 => return write!(f, "enumeration (type {})", self.0),
            77..=97 => return write!(f, "mapped list (type {})", self.0),
            -128 => "error",
            _ => return write!(f, "unknown type {}", self.0),
        })
    }
}

impl fmt::Debug for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueType({}: {self})", self.0)
    }
}

/// What q knows about a vector, list or table beyond its items: the second byte of its encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "KX's validator knows these five and refuses others"
)]
#[repr(u8)]
pub enum Attribute {
    /// `0`: nothing.
    #[default]
    None = 0,
    /// `1`, `` `s# ``: the items ascend.
    Sorted = 1,
    /// `2`, `` `u# ``: no item occurs twice.
    Unique = 2,
    /// `3`, `` `p# ``: equal items are adjacent.
    Parted = 3,
    /// `4`, `` `g# ``: q keeps an index of the items.
    Grouped = 4,
}

impl Attribute {
    /// Returns the attribute with this number, or `None` above 4.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::None,
            1 => Self::Sorted,
            2 => Self::Unique,
            3 => Self::Parted,
            4 => Self::Grouped,
            _ => return None,
        })
    }

    /// The greatest number of an attribute; all below are one.
    pub(crate) const GREATEST: u8 = Self::Grouped as u8;

    /// Returns the number.
    pub const fn to_byte(self) -> u8 {
        self as u8
    }

    /// Returns q's letter: `s`, `u`, `p`, `g`; `None` for no attribute.
    pub const fn letter(self) -> Option<char> {
        match self {
            Self::None => None,
            Self::Sorted => Some('s'),
            Self::Unique => Some('u'),
            Self::Parted => Some('p'),
            Self::Grouped => Some('g'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_letters_and_names_agree() {
        let letters: String = (0..=19)
            .map(|n| BasicType::from_number(n).map_or(' ', BasicType::letter))
            .collect();
        assert_eq!(letters, " bg xhijefcspmdznuvt");
        for number in 0..=255 {
            if let Some(basic) = BasicType::from_number(number) {
                assert_eq!(basic.number(), number);
            }
        }
    }

    #[test]
    fn atoms_and_vectors_have_a_basic_type_and_nothing_else_has() {
        for code in i8::MIN..=i8::MAX {
            let basic = ValueType::from_code(code).basic_type();
            let known = matches!(code.unsigned_abs(), 1 | 2 | 4..=19);
            assert_eq!(basic.is_some(), known, "{code}");
            if let Some(basic) = basic {
                let back = if code < 0 {
                    ValueType::atom(basic)
                } else {
                    ValueType::vector(basic)
                };
                assert_eq!(back.code(), code);
            }
        }
    }

    #[test]
    fn types_are_named_as_q_users_name_them() {
        for (code, name) in [
            (-7, "long atom"),
            (11, "symbol vector"),
            (0, "list"),
            (127, "sorted dictionary"),
            (20, "enumeration (type 20)"),
            (3, "unknown type 3"),
        ] {
            assert_eq!(ValueType::from_code(code).to_string(), name);
        }
    }
}

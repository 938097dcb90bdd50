//! Why a value does not convert.

use core::convert::Infallible;
use core::fmt;

use crate::value::{BasicType, FunctionRef, UnaryPrimitive, ValueRef, ValueType};

/// Why a value does not convert to what was asked for.
///
/// A type of one's own that implements `TryFrom<ValueRef>` makes one with
/// [`new`](Self::new) and [`in_item`](Self::in_item).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConvertError {
    /// The value is of another type.
    Type {
        /// What was asked for.
        expected: Expected,
        /// What was there.
        found: ValueType,
    },
    /// The value is `::`, which q returns where there is nothing to return.
    Nothing {
        /// What was asked for.
        expected: Expected,
    },
    /// The list has more or fewer items.
    Count {
        /// How many were asked for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The text is not UTF-8.
    NotUtf8 {
        /// How many bytes of it are.
        position: usize,
    },
    /// An item of the list does not convert.
    Item {
        /// Which one, counted from 0.
        index: usize,
        /// Why.
        error: Box<Self>,
    },
}

impl ConvertError {
    /// Makes the error of a value that is not of the expected type.
    #[cold]
    pub fn new(expected: Expected, found: ValueRef<'_>) -> Self {
        let is_identity = matches!(
            found,
            ValueRef::Function(FunctionRef::Unary(UnaryPrimitive::IDENTITY))
        );
        let found = found.value_type();
        if is_identity {
            Self::Nothing { expected }
        } else {
            Self::Type { expected, found }
        }
    }

    /// Says that the error is that of an item of a list, counted from 0.
    #[cold]
    #[must_use]
    pub fn in_item(self, index: usize) -> Self {
        Self::Item {
            index,
            error: Box::new(self),
        }
    }
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { expected, found } => {
                let article = article(*found);
                write!(f, "expected {expected}, found {article} {found}")
            }
            Self::Nothing { expected } => write!(f, "expected {expected}, found ::"),
            Self::Count { expected, found } => {
                let items = if *expected == 1 { "item" } else { "items" };
                write!(f, "expected {expected} {items}, found {found}")
            }
            Self::NotUtf8 { position } => {
                write!(f, "the text is not UTF-8 from byte {position} on")
            }
            Self::Item { index, error } => write!(f, "item {index}: {error}"),
        }
    }
}

impl core::error::Error for ConvertError {}

impl From<Infallible> for ConvertError {
    /// For conversions that may fail and happen not to.
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// What a conversion expects a value to be.
///
/// `Display` says it with an article: `a float atom`, `an int vector`, `a table`, `::`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// A single value of this type.
    Atom(BasicType),
    /// Many values of this type.
    Vector(BasicType),
    /// A single value of any basic type.
    AnyAtom,
    /// Many values of any one basic type.
    AnyVector,
    /// A general list.
    List,
    /// A dictionary, sorted or not.
    Dict,
    /// A table.
    Table,
    /// A function of any kind.
    Function,
    /// `::`, which q returns where there is nothing to return.
    Nothing,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exactly = match self {
            Self::Atom(of) => ValueType::atom(*of),
            Self::Vector(of) => ValueType::vector(*of),
            Self::List => ValueType::LIST,
            Self::Dict => ValueType::DICT,
            Self::Table => ValueType::TABLE,
            Self::AnyAtom => return f.write_str("an atom"),
            Self::AnyVector => return f.write_str("a vector"),
            Self::Function => return f.write_str("a function"),
            Self::Nothing => return f.write_str("::"),
        };
        write!(f, "{} {exactly}", article(exactly))
    }
}

/// Returns the article that goes before the name of a type.
fn article(of: ValueType) -> &'static str {
    // int, iterator
    if matches!(of.code(), -6 | 6 | 103) {
        "an"
    } else {
        "a"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{IteratorPrimitive, Value};

    #[test]
    fn errors_say_what_was_expected_and_what_was_there() {
        let text =
            |expected, found: &Value| ConvertError::new(expected, found.as_ref()).to_string();
        let iterator = IteratorPrimitive::new(0).unwrap();
        for (expected, found, says) in [
            (
                Expected::Atom(BasicType::Float),
                vec![1_i64].into(),
                "expected a float atom, found a long vector",
            ),
            (
                Expected::Vector(BasicType::Int),
                Value::from(1),
                "expected an int vector, found an int atom",
            ),
            (
                Expected::AnyAtom,
                "".into(),
                "expected an atom, found a char vector",
            ),
            (
                Expected::AnyVector,
                iterator.into(),
                "expected a vector, found an iterator",
            ),
            (
                Expected::List,
                true.into(),
                "expected a list, found a boolean atom",
            ),
            (
                Expected::Dict,
                true.into(),
                "expected a dictionary, found a boolean atom",
            ),
            (
                Expected::Table,
                true.into(),
                "expected a table, found a boolean atom",
            ),
            (
                Expected::Function,
                true.into(),
                "expected a function, found a boolean atom",
            ),
            (
                Expected::Nothing,
                true.into(),
                "expected ::, found a boolean atom",
            ),
            (
                Expected::Table,
                Value::IDENTITY,
                "expected a table, found ::",
            ),
        ] {
            assert_eq!(text(expected, &found), says);
        }
        assert_eq!(
            ConvertError::Count {
                expected: 1,
                found: 0
            }
            .in_item(4)
            .in_item(2)
            .to_string(),
            "item 2: item 4: expected 1 item, found 0"
        );
        assert_eq!(
            ConvertError::Count {
                expected: 3,
                found: 1
            }
            .to_string(),
            "expected 3 items, found 1"
        );
    }

    #[test]
    fn errors_are_small() {
        assert!(size_of::<ConvertError>() <= 24);
    }
}

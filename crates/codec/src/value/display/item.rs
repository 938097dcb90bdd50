//! The items of basic types as text: atoms, and vectors of them.

use core::fmt;

use super::super::item::{Byte, Char, Guid, Item};
use super::super::temporal::{Date, Datetime, Minute, Month, Second, Time, Timespan, Timestamp};
use super::super::{Atom, BasicType, SymbolRef, Vector, with_atom, with_vector};
use super::text::{Escaped, write_chars};

/// How an item looks.
pub(super) trait Short: Item {
    /// Stands in front of the first item.
    const START: &'static str = "";
    /// Stands between two items.
    const BETWEEN: &'static str = " ";
    /// Stands behind the last item where no item shows its type.
    const END: &'static str = "";

    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error>;

    /// Returns whether q's `string` leaves the item blank: nulls, but for that of guids.
    fn is_blank(self) -> bool {
        false
    }
}

/// Whether the type of an item can be told from its text.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shows {
    Nothing,
    Type,
}

/// Writes an atom.
pub(super) fn write_atom(atom: &Atom<SymbolRef<'_>>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    with_atom!(*atom, item => write_item(item, f), symbol => {
        f.write_str("`")?;
        fmt::Display::fmt(&symbol, f)
    })
}

/// Writes an atom as q's `string` does.
pub(super) fn write_string(atom: &Atom<SymbolRef<'_>>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Atom::Char(char) = atom {
        return fmt::Display::fmt(&Escaped(&[char.0]), f);
    }
    with_atom!(*atom, item => {
        if !item.is_blank() {
            item.write(f)?;
        }
        Ok(())
    }, symbol => fmt::Display::fmt(&symbol, f))
}

/// Writes a vector, without its attribute.
pub(super) fn write_vector(vector: &Vector<&[u8]>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (vector.len(), vector.basic_type()) {
        (0, BasicType::Char) => return f.write_str("\"\""),
        (0, basic) => return write!(f, "`{basic}$()"),
        (1, _) => f.write_str(",")?,
        _ => {}
    }
    if let Vector::Char(chars) = vector {
        f.write_str(Char::START)?;
        write_chars(chars.as_bytes(), f)?;
        return f.write_str(Char::END);
    }
    with_vector!(*vector, items => write_items(items, f), symbols => {
        for symbol in symbols {
            f.write_str("`")?;
            fmt::Display::fmt(&symbol, f)?;
        }
        Ok(())
    })
}

/// Writes the items of a vector that has some.
fn write_items<T: Short>(
    items: impl IntoIterator<Item = T>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut shown = Shows::Nothing;
    let mut between = T::START;
    for item in items {
        f.write_str(between)?;
        between = T::BETWEEN;
        if item.write(f)? == Shows::Type {
            shown = Shows::Type;
        }
    }
    match shown {
        Shows::Nothing => f.write_str(T::END),
        Shows::Type => Ok(()),
    }
}

/// Writes an item by itself.
fn write_item<T: Short>(item: T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_items([item], f)
}

impl Short for bool {
    const BETWEEN: &'static str = "";
    const END: &'static str = "b";

    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
        f.write_str(if self { "1" } else { "0" })?;
        Ok(Shows::Nothing)
    }
}

impl Short for Byte {
    const START: &'static str = "0x";
    const BETWEEN: &'static str = "";

    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
        write!(f, "{:02x}", self.0)?;
        Ok(Shows::Nothing)
    }
}

impl Short for Guid {
    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
        let number = u128::from_be_bytes(self.0);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (number >> 96) as u32,
            (number >> 80) as u16,
            (number >> 64) as u16,
            (number >> 48) as u16,
            number & 0xffff_ffff_ffff,
        )?;
        Ok(Shows::Type)
    }
}

impl Short for Char {
    const START: &'static str = "\"";
    const BETWEEN: &'static str = "";
    const END: &'static str = "\"";

    fn write(self, f: &mut fmt::Formatter<'_>) -> Result<Shows, fmt::Error> {
        write_chars(&[self.0], f)?;
        Ok(Shows::Nothing)
    }
}

/// Implements `Display` as an atom of the item prints.
macro_rules! display {
    ($($type:ty)*) => {$(
        impl fmt::Display for $type {
            /// Writes the atom as q's short form has it.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_item(*self, f)
            }
        }
    )*};
}

display! {
    Byte Char Guid Timestamp Month Date Datetime Timespan Minute Second Time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_prints_as_its_atom() {
        assert_eq!(Byte(0x2a).to_string(), "0x2a");
        assert_eq!(Char(b'"').to_string(), r#""\"""#);
        assert_eq!(
            Guid::default().to_string(),
            "00000000-0000-0000-0000-000000000000"
        );
        assert_eq!(Date(0).to_string(), "2000.01.01");
        assert_eq!(Date::NULL.to_string(), "0Nd");
        assert_eq!(Datetime(f64::INFINITY).to_string(), "0wz");
    }
}

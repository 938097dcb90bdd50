//! The items of a vector or a list, as values.

use super::item::Item;
use super::list::Values;
use super::symbols::SymbolsIter;
use super::vector::with_vector;
use super::{Atom, Items, ValueRef, Vector};

/// Iterates over the items of a vector or list as values: an item of a vector is an atom.
///
/// Made by [`ValueRef::elements`]. Where all items are of one known type,
/// [`Items::iter`] is the faster way.
#[derive(Clone, Debug)]
pub struct Elements<'a>(Source<'a>);

#[derive(Clone, Debug)]
enum Source<'a> {
    Vector {
        vector: Vector<&'a [u8]>,
        next: usize,
    },
    Symbols(SymbolsIter<'a>),
    Values(Values<'a>),
}

impl<'a> ValueRef<'a> {
    /// Iterates over the items of a vector or list as values, or returns `None` for what has no
    /// items.
    ///
    /// ```
    /// use hopen_codec::value::Value;
    ///
    /// let longs = Value::from(vec![3_i64, 4]);
    /// let items: Vec<String> =
    ///     longs.as_ref().elements().into_iter().flatten().map(|item| item.to_string()).collect();
    /// assert_eq!(items, ["3", "4"]);
    /// ```
    pub fn elements(self) -> Option<Elements<'a>> {
        Some(Elements(match self {
            Self::Vector(Vector::Symbol(symbols)) => Source::Symbols(symbols.into_iter()),
            Self::Vector(vector) => Source::Vector { vector, next: 0 },
            Self::List(list) => Source::Values(list.iter()),
            Self::Atom(_) | Self::Dict(_) | Self::Table(_) | Self::Function(_) => return None,
        }))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<ValueRef<'a>> {
        match &mut self.0 {
            Source::Vector { vector, next } => {
                let atom = atom(vector, *next)?;
                *next += 1;
                Some(ValueRef::Atom(atom))
            }
            Source::Symbols(symbols) => symbols
                .next()
                .map(|name| ValueRef::Atom(Atom::Symbol(name))),
            Source::Values(values) => values.next(),
        }
    }

    fn nth(&mut self, n: usize) -> Option<ValueRef<'a>> {
        match &mut self.0 {
            Source::Vector { next, .. } => {
                *next = next.saturating_add(n);
                self.next()
            }
            Source::Symbols(symbols) => symbols
                .nth(n)
                .map(|name| ValueRef::Atom(Atom::Symbol(name))),
            Source::Values(values) => values.nth(n),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            Source::Vector { vector, next } => vector.len().saturating_sub(*next),
            Source::Symbols(symbols) => symbols.len(),
            Source::Values(values) => values.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Elements<'_> {}
impl core::iter::FusedIterator for Elements<'_> {}

/// Returns an item of a vector that is of one fixed width.
fn atom<'a>(vector: &Vector<&'a [u8]>, index: usize) -> Option<Atom<super::SymbolRef<'a>>> {
    fn of<T: Item, S>(items: &Items<T, &[u8]>, index: usize) -> Option<Atom<S>> {
        items.get(index).map(Item::into_atom)
    }
    with_vector!(vector, items => of(items, index), _symbols => None)
}

#[cfg(test)]
mod tests {
    use crate::sym;
    use crate::value::{Dict, Value};

    #[test]
    fn vectors_and_lists_have_elements_and_nothing_else_has() {
        for (value, elements) in [
            (Value::from(vec![1_i32, i32::MIN]), vec!["1i", "0Ni"]),
            (Value::from(vec![sym!("a"), sym!("")]), vec!["`a", "`"]),
            (Value::from("hi"), vec!["\"h\"", "\"i\""]),
            (Value::from((1_i64, "ab")), vec!["1", "\"ab\""]),
            (Value::from(Vec::<f64>::new()), vec![]),
        ] {
            let found = value.as_ref().elements().unwrap();
            assert_eq!(found.len(), elements.len());
            assert_eq!(
                found.map(|element| element.to_string()).collect::<Vec<_>>(),
                elements
            );
            let mut found = value.as_ref().elements().unwrap();
            assert_eq!(
                found.nth(1).map(|element| element.to_string()).as_deref(),
                elements.get(1).copied()
            );
        }
        assert!(Value::from(1_i64).as_ref().elements().is_none());
        assert!(
            Value::from(Dict::new(1_i64, 2_i64))
                .as_ref()
                .elements()
                .is_none()
        );
    }
}

//! Dictionaries: keys and their values.

use core::fmt;
use std::sync::Arc;

use super::view::{SharedView, View};
use super::{Atom, Elements, Value, ValueRef};

/// A dictionary: one value that holds the keys, one that holds what they map to.
///
/// Where both are tables it is a keyed table. On the wire:
///
/// ```text
/// `a`b!2 3i      63 0b 00 02000000 6100 6200 06 00 02000000 02000000 03000000
///                │  keys                     values
///                99; 127 where the keys are sorted (`s#)
/// ```
///
/// Nothing ties the counts of the two together: KX's own code accepts any two objects, and what
/// came is kept.
#[derive(Clone)]
pub struct Dict(pub(super) Repr);

#[derive(Clone)]
pub(super) enum Repr {
    Built {
        parts: Arc<[Value; 2]>,
        sorted: bool,
    },
    View(SharedView),
}

impl Dict {
    /// Makes a dictionary of its keys and what they map to.
    pub fn new(keys: impl Into<Value>, values: impl Into<Value>) -> Self {
        Self(Repr::Built {
            parts: Arc::new([keys.into(), values.into()]),
            sorted: false,
        })
    }

    /// Makes a dictionary whose keys are sorted, `` `s# ``: a step function from ranges of keys.
    /// Whether they are is the caller's to know: q believes it.
    pub fn sorted(keys: impl Into<Value>, values: impl Into<Value>) -> Self {
        Self(Repr::Built {
            parts: Arc::new([keys.into(), values.into()]),
            sorted: true,
        })
    }

    /// Borrows the dictionary.
    #[inline]
    pub fn as_ref(&self) -> DictRef<'_> {
        DictRef(match &self.0 {
            Repr::Built { parts, sorted } => Inner::Built {
                parts,
                sorted: *sorted,
            },
            Repr::View(view) => Inner::View(view.as_view()),
        })
    }

    pub(crate) const fn of_view(view: SharedView) -> Self {
        Self(Repr::View(view))
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// A borrowed dictionary.
#[derive(Clone, Copy)]
pub struct DictRef<'a>(pub(super) Inner<'a>);

#[derive(Clone, Copy)]
pub(super) enum Inner<'a> {
    Built { parts: &'a [Value; 2], sorted: bool },
    View(View<'a>),
}

impl<'a> DictRef<'a> {
    #[inline]
    pub(super) const fn of_view(view: View<'a>) -> Self {
        Self(Inner::View(view))
    }

    /// Makes an owner of the dictionary, with `share` to keep the bytes of a received one.
    pub(super) fn keep(self, share: impl FnOnce(View<'a>) -> SharedView) -> Dict {
        Dict(match self.0 {
            Inner::Built { parts, sorted } => Repr::Built {
                parts: Arc::new(parts.clone()),
                sorted,
            },
            Inner::View(view) => Repr::View(share(view)),
        })
    }

    /// Returns the keys.
    #[inline]
    pub fn keys(self) -> ValueRef<'a> {
        match self.0 {
            Inner::Built {
                parts: [keys, _], ..
            } => keys.as_ref(),
            Inner::View(view) => view.cursor(1).read().unwrap_or(ValueRef::EMPTY),
        }
    }

    /// Returns what the keys map to.
    #[inline]
    pub fn values(self) -> ValueRef<'a> {
        self.parts().1
    }

    /// Returns the keys and what they map to; in a received dictionary that is one walk instead
    /// of two.
    #[inline]
    pub fn parts(self) -> (ValueRef<'a>, ValueRef<'a>) {
        match self.0 {
            Inner::Built {
                parts: [keys, values],
                ..
            } => (keys.as_ref(), values.as_ref()),
            Inner::View(view) => {
                let mut cursor = view.cursor(1);
                let keys = cursor.read().unwrap_or(ValueRef::EMPTY);
                (keys, cursor.read().unwrap_or(ValueRef::EMPTY))
            }
        }
    }

    /// Iterates over keys and what they map to, as far as there are both. A keyed table has no
    /// pairs: its rows are those of two tables.
    pub fn iter(self) -> Pairs<'a> {
        let (keys, values) = self.parts();
        Pairs {
            keys: keys.elements(),
            values: values.elements(),
        }
    }

    /// Returns what a symbol maps to; where it stands among the keys more than once, the first, as
    /// in q.
    ///
    /// ```
    /// use hopen_codec::sym;
    /// use hopen_codec::value::{Dict, ValueRef};
    ///
    /// let prices = Dict::new(vec![sym!("ibm"), sym!("amd")], vec![101.25, 101.5]);
    /// let amd: f64 = prices.as_ref().get("amd").expect("it is there").to()?;
    /// assert_eq!(amd, 101.5);
    /// # Ok::<(), hopen_codec::value::ConvertError>(())
    /// ```
    pub fn get(self, key: impl AsRef<[u8]>) -> Option<ValueRef<'a>> {
        let (keys, values) = self.parts();
        let key = key.as_ref();
        let at = keys.elements()?.position(
            |found| matches!(found, ValueRef::Atom(Atom::Symbol(name)) if name.as_bytes() == key),
        )?;
        values.elements()?.nth(at)
    }

    /// Returns whether the keys are marked as sorted (type 127 on the wire).
    pub fn is_sorted(self) -> bool {
        match self.0 {
            Inner::Built { sorted, .. } => sorted,
            Inner::View(view) => view.code() == 127,
        }
    }

    /// Returns whether both keys and values are tables.
    pub fn is_keyed_table(self) -> bool {
        matches!(self.parts(), (ValueRef::Table(_), ValueRef::Table(_)))
    }
}

impl<'a> IntoIterator for DictRef<'a> {
    type Item = (ValueRef<'a>, ValueRef<'a>);
    type IntoIter = Pairs<'a>;

    fn into_iter(self) -> Pairs<'a> {
        self.iter()
    }
}

impl fmt::Debug for DictRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ValueRef::Dict(*self), f)
    }
}

/// Iterates over the keys of a dictionary and what they map to.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    keys: Option<Elements<'a>>,
    values: Option<Elements<'a>>,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (ValueRef<'a>, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.keys.as_mut()?.next()?, self.values.as_mut()?.next()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sym;

    #[test]
    fn pairs_end_with_the_shorter_side() {
        let dict = Dict::new(vec![sym!("a"), sym!("b"), sym!("a")], vec![1_i64, 2]);
        let pairs: Vec<String> = dict
            .as_ref()
            .iter()
            .map(|(key, value)| format!("{key}:{value}"))
            .collect();
        assert_eq!(pairs, ["`a:1", "`b:2"]);
        assert_eq!(dict.as_ref().get("a"), Some(Value::from(1_i64).as_ref()));
        assert_eq!(dict.as_ref().get("c"), None);
        assert_eq!(Dict::new(1_i64, 2_i64).as_ref().iter().count(), 0);
        assert_eq!(Dict::new(1_i64, 2_i64).as_ref().get("a"), None);
    }
}

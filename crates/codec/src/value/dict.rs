//! Dictionaries: keys and their values.

use core::fmt;
use std::sync::Arc;

use super::keep::Keep;
use super::view::{SharedView, View};
use super::{Atom, Elements, Table, TableError, TableRef, Value, ValueRef};

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

    /// Makes a keyed table: a dictionary of a table of keys to a table of as many rows.
    ///
    /// ```
    /// use hopen_codec::{sym, value::{Dict, Table, Value}};
    ///
    /// let keys = Table::new([(sym!("ticker"), [sym!("ibm"), sym!("amd")].into())])?;
    /// let values = Table::new([(sym!("price"), vec![101.25, 101.5].into())])?;
    /// let prices = Dict::keyed_table(keys, values)?;
    /// assert_eq!(Value::from(prices).to_string(), "(+(,`ticker)!,`ibm`amd)!+(,`price)!,101.25 101.5");
    /// # Ok::<(), hopen_codec::value::TableError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the two are not of one count of rows, or one of them has none to count: see
    /// [`TableRef::rows`].
    pub fn keyed_table(keys: Table, values: Table) -> Result<Self, TableError> {
        let counts = (keys.as_ref().rows()?, values.as_ref().rows()?);
        if counts.0 == counts.1 {
            Ok(Self::new(keys, values))
        } else {
            Err(TableError::Keys {
                keys: counts.0,
                rows: counts.1,
            })
        }
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

    /// Makes an owner of the dictionary.
    pub(super) fn keep(self, keep: Keep<'_>) -> Dict {
        Dict(match self.0 {
            Inner::Built { parts, sorted } => Repr::Built {
                parts: Arc::new(parts.each_ref().map(|part| keep.value(part))),
                sorted,
            },
            Inner::View(view) => Repr::View(keep.view(view)),
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
    /// in q. Other keys are looked up by [`find`](Self::find).
    ///
    /// The key has to be there, in a sorted dictionary as in any other: q, which takes that for a
    /// step function, would use the last key that is not above the one looked up.
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

    /// Returns what a key of any type maps to; where it stands among the keys more than once, the
    /// first, as in q.
    ///
    /// The key has to be there and to be of the same type, as values compare; what was said of
    /// sorted dictionaries at [`get`](Self::get) holds here too. The keys of a keyed table are
    /// rows, and no row is one value: see [`keyed_table`](Self::keyed_table).
    ///
    /// ```
    /// use hopen_codec::value::{Date, Dict};
    ///
    /// let closed = Dict::new(vec![Date(0), Date(1)], ["New Year", "Sunday"]);
    /// let why: &str = closed.as_ref().find(Date(1)).expect("it is there").to()?;
    /// assert_eq!(why, "Sunday");
    /// # Ok::<(), hopen_codec::value::ConvertError>(())
    /// ```
    pub fn find(self, key: impl Into<Value>) -> Option<ValueRef<'a>> {
        let (keys, values) = self.parts();
        let key = key.into();
        let key = key.as_ref();
        let at = keys.elements()?.position(|found| found == key)?;
        values.elements()?.nth(at)
    }

    /// Returns whether the keys are marked as sorted (type 127 on the wire).
    pub fn is_sorted(self) -> bool {
        match self.0 {
            Inner::Built { sorted, .. } => sorted,
            Inner::View(view) => view.code() == 127,
        }
    }

    /// Returns the keys and the values of a keyed table, or `None` where not both are tables.
    ///
    /// A peer may send two that have not the same count of rows.
    ///
    /// ```
    /// use hopen_codec::{sym, value::{Dict, Table}};
    ///
    /// let keys = Table::new([(sym!("ticker"), [sym!("ibm"), sym!("amd")].into())])?;
    /// let values = Table::new([(sym!("price"), vec![101.25, 101.5].into())])?;
    /// let prices = Dict::keyed_table(keys, values)?;
    ///
    /// let (keys, values) = prices.as_ref().keyed_table().expect("it is one");
    /// assert_eq!(keys.column("ticker")?.to_string(), "`ibm`amd");
    /// let row: Vec<String> = values.row(1)?.map(|(name, item)| format!("{name}={item}")).collect();
    /// assert_eq!(row, ["price=101.5"]);
    /// # Ok::<(), hopen_codec::value::TableError>(())
    /// ```
    pub fn keyed_table(self) -> Option<(TableRef<'a>, TableRef<'a>)> {
        if let (ValueRef::Table(keys), ValueRef::Table(values)) = self.parts() {
            Some((keys, values))
        } else {
            None
        }
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

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = |side: &Option<Elements<'_>>| side.as_ref().map_or(0, Elements::len);
        let left = count(&self.keys).min(count(&self.values));
        (left, Some(left))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::value::Date;
    use crate::{strategy, sym};

    #[test]
    fn pairs_end_with_the_shorter_side() {
        let dict = Dict::new(vec![sym!("a"), sym!("b"), sym!("a")], vec![1_i64, 2]);
        let pairs: Vec<String> = dict
            .as_ref()
            .iter()
            .map(|(key, value)| format!("{key}:{value}"))
            .collect();
        assert_eq!(pairs, ["`a:1", "`b:2"]);
        let mut pairs = dict.as_ref().iter();
        for left in [2, 1, 0, 0] {
            assert_eq!(pairs.len(), left);
            assert_eq!(pairs.next().is_some(), left > 0);
        }
        assert_eq!(Dict::new(1_i64, vec![2_i64]).as_ref().iter().len(), 0);
        assert_eq!(dict.as_ref().get("a"), Some(Value::from(1_i64).as_ref()));
        assert_eq!(dict.as_ref().get("c"), None);
        assert_eq!(Dict::new(1_i64, 2_i64).as_ref().iter().count(), 0);
        assert_eq!(Dict::new(1_i64, 2_i64).as_ref().get("a"), None);
    }

    #[test]
    fn a_key_of_any_type_is_found() {
        let list = Value::from((1_i64, "text", Date(3), sym!("a"), (1_i64, 2_i32), 1_i64));
        let dict = Dict::new(list, vec![10_i64, 11, 12, 13, 14, 15]);
        let received = strategy::receive(&dict.clone().into(), ByteOrder::Big);
        for dict in [dict.as_ref(), received.to().unwrap()] {
            let find = |key: Value| dict.find(key).map(|value| value.to().unwrap());
            assert_eq!(find(1_i64.into()), Some(10_i64));
            assert_eq!(find("text".into()), Some(11));
            assert_eq!(find(Date(3).into()), Some(12));
            assert_eq!(find(sym!("a").into()), Some(13));
            assert_eq!(find((1_i64, 2_i32).into()), Some(14));
            // Of another type, and missing.
            assert_eq!(find(1_i32.into()), None);
            assert_eq!(find(3_i64.into()), None);
        }
        let vectors = Dict::new(vec![0.0, f64::NAN], ["zero", "null"]);
        let find = |key: f64| Some(vectors.as_ref().find(key)?.to_string());
        assert_eq!(find(0.0).as_deref(), Some("\"zero\""));
        assert_eq!(find(-f64::NAN).as_deref(), Some("\"null\""));
        assert_eq!(find(-0.0), None);
        assert_eq!(Dict::new(1_i64, 2_i64).as_ref().find(1_i64), None);
    }

    #[test]
    fn a_sorted_dictionary_does_not_step() {
        let steps = Dict::sorted(vec![1_i64, 10], vec![sym!("low"), sym!("high")]);
        assert!(steps.as_ref().find(10_i64).is_some());
        assert_eq!(steps.as_ref().find(5_i64), None);
    }

    #[test]
    fn a_keyed_table_is_two_tables_of_as_many_rows() {
        let table = |rows| Table::new([(sym!("a"), vec![1_i64; rows].into())]).unwrap();
        let keyed = Dict::keyed_table(table(2), table(2)).unwrap();
        let received = strategy::receive(&keyed.clone().into(), ByteOrder::Little);
        for keyed in [keyed.as_ref(), received.to().unwrap()] {
            let (keys, values) = keyed.keyed_table().unwrap();
            assert_eq!((keys.rows(), values.rows()), (Ok(2), Ok(2)));
        }
        let error = Dict::keyed_table(table(2), table(3)).unwrap_err();
        assert_eq!(error, TableError::Keys { keys: 2, rows: 3 });
        assert_eq!(error.to_string(), "2 rows of keys for 3 rows of values");
        let away = Table::by_reference([sym!("a")], sym!(":t/")).unwrap();
        for error in [
            Dict::keyed_table(away.clone(), table(1)),
            Dict::keyed_table(table(1), away),
        ] {
            assert!(matches!(error, Err(TableError::ByReference { .. })));
        }
        for other in [Dict::new(table(1), 1_i64), Dict::new(1_i64, table(1))] {
            assert!(other.as_ref().keyed_table().is_none());
        }
    }
}

//! General lists: values of any types one behind the other.

use core::fmt;
use std::sync::Arc;

use super::index::Indexed;
use super::keep::Keep;
use super::types::Attribute;
use super::view::{Cursor, SharedView, View};
use super::{Value, ValueRef};

/// A general list: values of any types.
///
/// A list that was received is a view of its bytes, one that a program made holds its values;
/// both read alike through [`ListRef`], which [`as_ref`](Self::as_ref) borrows. On the wire:
///
/// ```text
/// (1;`a)         00 00 02000000 f9 0100000000000000 f5 6100
///                │  │  │        items, each a whole object
///                │  │  count
///                │  attribute
///                type
/// ```
///
/// ```
/// use hopen_codec::{sym, value::{List, Value}};
///
/// let list = List::from(vec![Value::from(1_i64), Value::from(sym!("a"))]);
/// assert_eq!(list.as_ref().len(), 2);
/// assert_eq!(Value::from(list).to_string(), "(1;`a)");
/// ```
#[derive(Clone)]
pub struct List(pub(super) Repr);

#[derive(Clone)]
pub(super) enum Repr {
    Built {
        items: Arc<[Value]>,
        attribute: Attribute,
    },
    View(SharedView),
}

impl List {
    /// Borrows the list.
    #[inline]
    pub fn as_ref(&self) -> ListRef<'_> {
        ListRef(match &self.0 {
            Repr::Built { items, attribute } => Inner::Built {
                items,
                attribute: *attribute,
            },
            Repr::View(view) => Inner::View(view.as_view()),
        })
    }

    /// Returns the same list with another attribute. A received list is taken apart for it.
    #[must_use]
    pub fn with_attribute(self, attribute: Attribute) -> Self {
        let items = match self.0 {
            Repr::Built { items, .. } => items,
            Repr::View(view) => {
                let list = ListRef::of_view(view.as_view());
                list.iter().map(|item| item.share(&view.object)).collect()
            }
        };
        Self(Repr::Built { items, attribute })
    }

    pub(crate) const fn of_view(view: SharedView) -> Self {
        Self(Repr::View(view))
    }
}

impl From<Vec<Value>> for List {
    fn from(items: Vec<Value>) -> Self {
        Self(Repr::Built {
            items: items.into(),
            attribute: Attribute::None,
        })
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self(Repr::Built {
            items: items.into_iter().collect(),
            attribute: Attribute::None,
        })
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// A borrowed general list, or the parts of a projection or composition.
#[derive(Clone, Copy)]
pub struct ListRef<'a>(pub(super) Inner<'a>);

#[derive(Clone, Copy)]
pub(super) enum Inner<'a> {
    Built {
        items: &'a [Value],
        attribute: Attribute,
    },
    View(View<'a>),
}

impl<'a> ListRef<'a> {
    #[inline]
    pub(super) const fn of_view(view: View<'a>) -> Self {
        Self(Inner::View(view))
    }

    pub(super) const fn of_items(items: &'a [Value]) -> Self {
        Self(Inner::Built {
            items,
            attribute: Attribute::None,
        })
    }

    /// Makes an owner of the list.
    pub(super) fn keep(self, keep: Keep<'_>) -> List {
        List(match self.0 {
            Inner::Built { items, attribute } => Repr::Built {
                items: keep.values(items),
                attribute,
            },
            Inner::View(view) => Repr::View(keep.view(view)),
        })
    }

    /// Returns how many items there are.
    #[inline]
    pub fn len(self) -> usize {
        match self.0 {
            Inner::Built { items, .. } => items.len(),
            Inner::View(view) => start(view).0,
        }
    }

    /// Returns whether there is no item.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the attribute.
    pub fn attribute(self) -> Attribute {
        match self.0 {
            Inner::Built { attribute, .. } => attribute,
            Inner::View(view) if view.code() == 0 => view.header().attribute,
            Inner::View(_) => Attribute::None,
        }
    }

    /// Iterates over the items: the way to read a list.
    ///
    /// In a received list, what is inside an item is stepped over when the next item is asked for.
    /// A recursion into lists within lists reads the innermost ones once for every level, and a
    /// peer decides how many there are: [`ValueRef::walk`] reads each value once.
    #[inline]
    pub fn iter(self) -> Values<'a> {
        Values(match self.0 {
            Inner::Built { items, .. } => Source::Built(items.iter()),
            Inner::View(view) => {
                let (count, items) = start(view);
                Source::View {
                    left: count,
                    cursor: view.cursor(items),
                }
            }
        })
    }

    /// Returns the item at `index`, counted from 0. In a received list it walks there, over all
    /// that is inside the items before it; see [`index`](Self::index), and
    /// [`iter`](Self::iter) on lists within lists.
    pub fn get(self, index: usize) -> Option<ValueRef<'a>> {
        self.iter().nth(index)
    }

    /// Builds an index, so that `get` takes constant time: walks once and notes where each item
    /// starts, in four bytes an item (eight where the list takes 4 GiB or more).
    pub fn index(self) -> Indexed<Self> {
        let bytes = match self.0 {
            Inner::Built { items, .. } => items.len(),
            Inner::View(view) => view.object().len(),
        };
        Indexed::new(self, self.len(), bytes, |offsets| match self.0 {
            Inner::Built { items, .. } => (0..items.len()).for_each(|at| offsets.push(at)),
            Inner::View(view) => {
                let (count, items) = start(view);
                let mut cursor = view.cursor(items);
                for _ in 0..count {
                    let Some(offset) = cursor.position() else {
                        break;
                    };
                    offsets.push(offset);
                    if cursor.skip(1).is_none() {
                        break;
                    }
                }
            }
        })
    }
}

impl<'a> Indexed<ListRef<'a>> {
    /// Returns the item at `index`, counted from 0.
    pub fn get(&self, index: usize) -> Option<ValueRef<'a>> {
        let offset = self.offset(index)?;
        match self.of().0 {
            Inner::Built { items, .. } => items.get(offset).map(Value::as_ref),
            Inner::View(view) => view.cursor(offset).read(),
        }
    }
}

impl<'a> IntoIterator for ListRef<'a> {
    type Item = ValueRef<'a>;
    type IntoIter = Values<'a>;

    fn into_iter(self) -> Values<'a> {
        self.iter()
    }
}

impl fmt::Debug for ListRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ValueRef::List(*self), f)
    }
}

/// Iterates over the values of a list, or of another value that holds several.
#[derive(Clone)]
pub struct Values<'a>(Source<'a>);

#[derive(Clone)]
enum Source<'a> {
    Built(core::slice::Iter<'a, Value>),
    View { left: usize, cursor: Cursor<'a> },
}

impl<'a> Iterator for Values<'a> {
    type Item = ValueRef<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<ValueRef<'a>> {
        match &mut self.0 {
            Source::Built(items) => items.next().map(Value::as_ref),
            Source::View { left, cursor } => {
                *left = left.checked_sub(1)?;
                cursor.read()
            }
        }
    }

    fn nth(&mut self, n: usize) -> Option<ValueRef<'a>> {
        match &mut self.0 {
            Source::Built(items) => items.nth(n).map(Value::as_ref),
            Source::View { left, cursor } => {
                let after = left.checked_sub(n);
                *left = after.unwrap_or(0);
                after?;
                cursor.skip(n)?;
                self.next()
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            Source::Built(items) => items.len(),
            Source::View { left, .. } => *left,
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Values<'_> {}
impl core::iter::FusedIterator for Values<'_> {}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// Returns how many items a list, projection or composition has, and where the first one starts.
#[inline]
fn start(view: View<'_>) -> (usize, usize) {
    if view.code() == 0 {
        let header = view.header();
        (header.count, header.length)
    } else {
        (view.parts(), 5)
    }
}

//! The objects of a value, one after the other: every one before those inside it.
//!
//! Each object says how many follow inside it, so the sequence tells all of the structure, and one
//! pass is enough to compare, hash, print or write a value, whatever its nesting.

use super::dict::{Dict, Inner as DictInner, Repr as DictRepr};
use super::function::{DerivedInner, FunctionRef, LambdaInner};
use super::list::{Inner as ListInner, List, Repr as ListRepr};
use super::symbols::Symbols;
use super::table::{Inner as TableInner, Repr as TableRepr, Table};
use super::types::Attribute;
use super::view::{Cursor, View};
use super::{Value, ValueRef, Vector};

/// Iterates over the objects of a value, each with the count of those inside it. A received value
/// needs no stack for it, a built one a stack on the heap.
#[derive(Clone)]
pub(super) struct Objects<'a> {
    current: Source<'a>,
    waiting: Vec<Source<'a>>,
}

/// Where the next objects come from.
#[derive(Clone)]
enum Source<'a> {
    One(Option<ValueRef<'a>>),
    Built(core::slice::Iter<'a, Value>),
    /// Checked bytes, of which so many objects are still to come.
    View(Cursor<'a>, usize),
}

impl<'a> Objects<'a> {
    pub(super) fn of(value: ValueRef<'a>) -> Self {
        Self {
            current: Source::One(Some(value)),
            waiting: Vec::new(),
        }
    }

    pub(super) fn of_view(view: View<'a>) -> Self {
        Self {
            current: Source::View(view.cursor(0), 1),
            waiting: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<(ValueRef<'a>, usize)> {
        loop {
            let value = match &mut self.current {
                Source::One(value) => value.take(),
                Source::Built(items) => items.next().map(Value::as_ref),
                Source::View(_, 0) => None,
                Source::View(cursor, pending) => {
                    let value = cursor.read()?;
                    let inside = cursor.enter();
                    *pending = (*pending - 1).saturating_add(inside);
                    return Some((value, inside));
                }
            };
            match value {
                Some(value) => return Some((value, self.open(value))),
                None => self.current = self.waiting.pop()?,
            }
        }
    }

    /// Continues with what is inside a value, and returns how many objects that is.
    fn open(&mut self, value: ValueRef<'a>) -> usize {
        match value.outline() {
            Outline::Leaf => 0,
            Outline::View(view) => {
                let mut cursor = view.cursor(0);
                let inside = cursor.read().map_or(0, |_| cursor.enter());
                self.enter(Source::View(cursor, inside));
                inside
            }
            Outline::Built { first, rest } => {
                self.enter(Source::Built(rest.iter()));
                if let Some(vector) = first {
                    self.enter(Source::One(Some(ValueRef::Vector(vector))));
                }
                usize::from(first.is_some()) + rest.len()
            }
        }
    }

    /// Continues with `inner`, and with what was under way after it.
    fn enter(&mut self, inner: Source<'a>) {
        let outer = core::mem::replace(&mut self.current, inner);
        if !outer.is_empty() {
            self.waiting.push(outer);
        }
    }
}

impl Source<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::One(value) => value.is_none(),
            Self::Built(items) => items.as_slice().is_empty(),
            Self::View(_, pending) => *pending == 0,
        }
    }
}

/// Where the values inside a value are.
pub(crate) enum Outline<'a> {
    /// There are none.
    Leaf,
    /// In checked bytes, as it is itself.
    View(View<'a>),
    /// In a vector, perhaps, and values behind it.
    Built {
        first: Option<Vector<&'a [u8]>>,
        rest: &'a [Value],
    },
}

impl<'a> ValueRef<'a> {
    /// Tells where the values inside the value are.
    pub(crate) fn outline(self) -> Outline<'a> {
        let built = |rest| Outline::Built { first: None, rest };
        match self {
            Self::Atom(_) | Self::Vector(_) => Outline::Leaf,
            Self::List(list) => match list.0 {
                ListInner::Built { items, .. } => built(items),
                ListInner::View(view) => Outline::View(view),
            },
            Self::Dict(dict) => match dict.0 {
                DictInner::Built { parts, .. } => built(parts),
                DictInner::View(view) => Outline::View(view),
            },
            Self::Table(table) => match table.0 {
                TableInner::Built { parts, .. } => Outline::Built {
                    first: Some(Vector::Symbol(parts.names.as_ref())),
                    rest: core::slice::from_ref(&parts.columns),
                },
                TableInner::View(view) => Outline::View(view),
            },
            Self::Function(function) => match function {
                FunctionRef::Unary(_) | FunctionRef::Binary(_) | FunctionRef::Iterator(_) => {
                    Outline::Leaf
                }
                FunctionRef::Lambda(lambda) => match lambda.0 {
                    LambdaInner::Built { text, .. } => Outline::Built {
                        first: Some(Vector::Char(text.as_ref())),
                        rest: &[],
                    },
                    LambdaInner::View(view) => Outline::View(view),
                },
                FunctionRef::Projection(parts) | FunctionRef::Composition(parts) => match parts.0 {
                    ListInner::Built { items, .. } => built(items),
                    ListInner::View(view) => Outline::View(view),
                },
                FunctionRef::Derived(derived) => match derived.0 {
                    DerivedInner::Built { function, .. } => built(core::slice::from_ref(function)),
                    DerivedInner::View(view) => Outline::View(view),
                },
            },
        }
    }
}

/// A list, dictionary or table that a program made, with the values inside it.
pub(crate) enum Built<'a> {
    List {
        attribute: Attribute,
        items: &'a [Value],
    },
    Dict {
        sorted: bool,
        parts: &'a [Value],
    },
    Table {
        attribute: Attribute,
        names: &'a Symbols,
        columns: &'a Value,
    },
}

impl Value {
    /// Returns what is inside, of a list, dictionary or table that a program made: the short way to
    /// what [`ValueRef::outline`] tells of all values.
    #[inline]
    pub(crate) fn built(&self) -> Option<Built<'_>> {
        Some(match self {
            Self::List(List(ListRepr::Built { items, attribute })) => Built::List {
                attribute: *attribute,
                items,
            },
            Self::Dict(Dict(DictRepr::Built { parts, sorted })) => Built::Dict {
                sorted: *sorted,
                parts: parts.as_slice(),
            },
            Self::Table(Table(TableRepr::Built { parts, attribute })) => Built::Table {
                attribute: *attribute,
                names: &parts.names,
                columns: &parts.columns,
            },
            Self::Atom(_)
            | Self::Vector(_)
            | Self::List(_)
            | Self::Dict(_)
            | Self::Table(_)
            | Self::Function(_) => return None,
        })
    }
}

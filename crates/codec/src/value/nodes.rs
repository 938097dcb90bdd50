//! A value as a flat sequence: every object before the objects inside it.
//!
//! Each object says how many follow inside it, so the sequence tells all of the structure. To
//! compare, hash or write values is one pass over it, whatever the nesting: a received value needs
//! no stack, a built one a stack on the heap.

use super::dict::Inner as DictInner;
use super::function::{
    BinaryPrimitive, DerivedInner, FunctionRef, IteratorPrimitive, LambdaInner, UnaryPrimitive,
};
use super::list::Inner as ListInner;
use super::symbol::SymbolRef;
use super::table::Inner as TableInner;
use super::types::Attribute;
use super::view::{Cursor, View};
use super::{Atom, Value, ValueRef, Vector};

/// One object, without those inside it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Node<'a> {
    Atom(Atom<SymbolRef<'a>>),
    Vector(Vector<&'a [u8]>),
    /// `count` objects follow.
    List {
        attribute: Attribute,
        count: usize,
        wide: WideCount,
    },
    /// Keys and values follow.
    Dict {
        sorted: bool,
    },
    /// A vector of names and what holds the columns follow.
    Table {
        attribute: Attribute,
    },
    /// The text follows, a char vector.
    Lambda {
        context: SymbolRef<'a>,
    },
    Unary(UnaryPrimitive),
    Binary(BinaryPrimitive),
    Iterator(IteratorPrimitive),
    /// `count` objects follow.
    Projection {
        count: usize,
    },
    /// `count` objects follow.
    Composition {
        count: usize,
    },
    /// The function follows.
    Derived {
        iterator: IteratorPrimitive,
    },
}

/// Whether a count took eight bytes on the wire although four would do. It makes no difference
/// between values, but is written again as it was read.
#[derive(Clone, Copy)]
pub(crate) struct WideCount(pub(crate) bool);

impl PartialEq for WideCount {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for WideCount {}

impl core::hash::Hash for WideCount {
    fn hash<H: core::hash::Hasher>(&self, _: &mut H) {}
}

/// Iterates over the objects of a value.
pub(crate) struct Nodes<'a> {
    current: Source<'a>,
    waiting: Vec<Source<'a>>,
}

/// Where the next objects come from.
enum Source<'a> {
    One(Option<ValueRef<'a>>),
    Built(core::slice::Iter<'a, Value>),
    /// Checked bytes, of which so many objects are still to come.
    View(Cursor<'a>, usize),
}

impl<'a> Nodes<'a> {
    pub(crate) fn of(value: ValueRef<'a>) -> Self {
        Self {
            current: Source::One(Some(value)),
            waiting: Vec::new(),
        }
    }

    pub(crate) fn of_view(view: View<'a>) -> Self {
        Self {
            current: Source::View(view.cursor(0), 1),
            waiting: Vec::new(),
        }
    }

    /// Continues with `inner`, and with what was under way after it.
    fn enter(&mut self, inner: Source<'a>) {
        let outer = core::mem::replace(&mut self.current, inner);
        if !outer.is_empty() {
            self.waiting.push(outer);
        }
    }

    fn open(&mut self, value: ValueRef<'a>) -> Node<'a> {
        match value.outline() {
            Outline::Leaf => {}
            Outline::View(view) => {
                let mut cursor = view.cursor(0);
                let inside = cursor.read().map_or(0, |_| cursor.enter());
                self.enter(Source::View(cursor, inside));
            }
            Outline::Built { first, rest } => {
                self.enter(Source::Built(rest.iter()));
                if let Some(vector) = first {
                    self.enter(Source::One(Some(ValueRef::Vector(vector))));
                }
            }
        }
        value.node()
    }
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        loop {
            let value = match &mut self.current {
                Source::One(value) => value.take(),
                Source::Built(items) => items.next().map(Value::as_ref),
                Source::View(_, 0) => None,
                Source::View(cursor, pending) => {
                    let value = cursor.read()?;
                    *pending = (*pending - 1).saturating_add(cursor.enter());
                    return Some(value.node());
                }
            };
            match value {
                Some(value) => return Some(self.open(value)),
                None => self.current = self.waiting.pop()?,
            }
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
    /// Returns the value without those inside it.
    pub(crate) fn node(self) -> Node<'a> {
        match self {
            Self::Atom(atom) => Node::Atom(atom),
            Self::Vector(vector) => Node::Vector(vector),
            Self::List(list) => Node::List {
                attribute: list.attribute(),
                count: list.len(),
                wide: WideCount(matches!(list.0, ListInner::View(view) if view.header().is_wide())),
            },
            Self::Dict(dict) => Node::Dict {
                sorted: dict.is_sorted(),
            },
            Self::Table(table) => Node::Table {
                attribute: table.attribute(),
            },
            Self::Function(function) => match function {
                FunctionRef::Lambda(lambda) => Node::Lambda {
                    context: lambda.context(),
                },
                FunctionRef::Unary(primitive) => Node::Unary(primitive),
                FunctionRef::Binary(primitive) => Node::Binary(primitive),
                FunctionRef::Iterator(primitive) => Node::Iterator(primitive),
                FunctionRef::Projection(parts) => Node::Projection { count: parts.len() },
                FunctionRef::Composition(parts) => Node::Composition { count: parts.len() },
                FunctionRef::Derived(derived) => Node::Derived {
                    iterator: derived.iterator(),
                },
            },
        }
    }

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

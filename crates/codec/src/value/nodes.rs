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

/// Iterates over the objects of a value.
pub(crate) struct Nodes<'a> {
    current: Source<'a>,
    waiting: Vec<Source<'a>>,
}

/// Where the next objects come from.
enum Source<'a> {
    One(Option<ValueRef<'a>>),
    Built(core::slice::Iter<'a, Value>),
    View(Cursor<'a>),
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
            current: Source::View(view.cursor(0)),
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

    fn open(&mut self, value: ValueRef<'a>) -> Option<Node<'a>> {
        match value.outline() {
            Outline::Leaf(node) => Some(node),
            Outline::View(view) => {
                let mut cursor = view.cursor(0);
                let node = cursor.node();
                self.enter(Source::View(cursor));
                node
            }
            Outline::Built { start, first, rest } => {
                self.enter(Source::Built(rest.iter()));
                if let Some(vector) = first {
                    self.enter(Source::One(Some(ValueRef::Vector(vector))));
                }
                Some(start)
            }
        }
    }
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        loop {
            let value = match &mut self.current {
                Source::One(value) => value.take(),
                Source::Built(items) => items.next().map(Value::as_ref),
                Source::View(cursor) if cursor.rest.is_empty() => None,
                Source::View(cursor) => return cursor.node(),
            };
            match value {
                Some(value) => return self.open(value),
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
            Self::View(cursor) => cursor.rest.is_empty(),
        }
    }
}

/// A value with the values inside it still closed.
pub(crate) enum Outline<'a> {
    /// Nothing is inside.
    Leaf(Node<'a>),
    /// It is in checked bytes.
    View(View<'a>),
    /// It was built of a vector, perhaps, and values.
    Built {
        start: Node<'a>,
        first: Option<Vector<&'a [u8]>>,
        rest: &'a [Value],
    },
}

impl<'a> ValueRef<'a> {
    /// Tells how the value is made.
    pub(crate) fn outline(self) -> Outline<'a> {
        let built = |start, rest| Outline::Built {
            start,
            first: None,
            rest,
        };
        match self {
            Self::Atom(atom) => Outline::Leaf(Node::Atom(atom)),
            Self::Vector(vector) => Outline::Leaf(Node::Vector(vector)),
            Self::List(list) => match list.0 {
                ListInner::Built { items, attribute } => built(
                    Node::List {
                        attribute,
                        count: items.len(),
                    },
                    items,
                ),
                ListInner::View(view) => Outline::View(view),
            },
            Self::Dict(dict) => match dict.0 {
                DictInner::Built { parts, sorted } => built(Node::Dict { sorted }, parts),
                DictInner::View(view) => Outline::View(view),
            },
            Self::Table(table) => match table.0 {
                TableInner::Built { parts, attribute } => Outline::Built {
                    start: Node::Table { attribute },
                    first: Some(Vector::Symbol(parts.names.borrow())),
                    rest: core::slice::from_ref(&parts.columns),
                },
                TableInner::View(view) => Outline::View(view),
            },
            Self::Function(function) => match function {
                FunctionRef::Lambda(lambda) => match lambda.0 {
                    LambdaInner::Built { context, text } => Outline::Built {
                        start: Node::Lambda {
                            context: context.as_ref(),
                        },
                        first: Some(Vector::Char(text.borrow())),
                        rest: &[],
                    },
                    LambdaInner::View(view) => Outline::View(view),
                },
                FunctionRef::Unary(primitive) => Outline::Leaf(Node::Unary(primitive)),
                FunctionRef::Binary(primitive) => Outline::Leaf(Node::Binary(primitive)),
                FunctionRef::Iterator(primitive) => Outline::Leaf(Node::Iterator(primitive)),
                FunctionRef::Projection(parts) => match parts.0 {
                    ListInner::Built { items, .. } => {
                        built(Node::Projection { count: items.len() }, items)
                    }
                    ListInner::View(view) => Outline::View(view),
                },
                FunctionRef::Composition(parts) => match parts.0 {
                    ListInner::Built { items, .. } => {
                        built(Node::Composition { count: items.len() }, items)
                    }
                    ListInner::View(view) => Outline::View(view),
                },
                FunctionRef::Derived(derived) => match derived.0 {
                    DerivedInner::Built { iterator, function } => {
                        built(Node::Derived { iterator }, core::slice::from_ref(function))
                    }
                    DerivedInner::View(view) => Outline::View(view),
                },
            },
        }
    }
}

impl<'a> Cursor<'a> {
    /// Reads the object in front without those inside it, and steps over just that.
    fn node(&mut self) -> Option<Node<'a>> {
        let code = *self.rest.first()?;
        Some(match code {
            0 => {
                let header = self.header()?;
                Node::List {
                    attribute: header.attribute,
                    count: header.count,
                }
            }
            98 => {
                let attribute = self.take(3)?.get(1).copied()?;
                Node::Table {
                    attribute: Attribute::from_byte(attribute)?,
                }
            }
            99 | 127 => {
                self.take(1)?;
                Node::Dict {
                    sorted: code == 127,
                }
            }
            100 => {
                self.take(1)?;
                Node::Lambda {
                    context: self.symbol()?,
                }
            }
            104 | 105 => {
                let count = self.order.u32(*self.take(5)?.get(1..)?.first_chunk()?) as usize;
                if code == 104 {
                    Node::Projection { count }
                } else {
                    Node::Composition { count }
                }
            }
            106..=111 => {
                self.take(1)?;
                Node::Derived {
                    iterator: IteratorPrimitive::new(code - 106)?,
                }
            }
            _ => match self.read()? {
                ValueRef::Atom(atom) => Node::Atom(atom),
                ValueRef::Vector(vector) => Node::Vector(vector),
                ValueRef::Function(FunctionRef::Unary(primitive)) => Node::Unary(primitive),
                ValueRef::Function(FunctionRef::Binary(primitive)) => Node::Binary(primitive),
                ValueRef::Function(FunctionRef::Iterator(primitive)) => Node::Iterator(primitive),
                _ => return None,
            },
        })
    }
}

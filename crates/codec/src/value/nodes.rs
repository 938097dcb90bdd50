//! A value as a flat sequence of objects, each told without those inside it: what comparison,
//! hashing, printing and writing in the other byte order go by.

use super::function::{BinaryPrimitive, FunctionRef, IteratorPrimitive, UnaryPrimitive};
use super::list::Inner as ListInner;
use super::objects::Objects;
use super::symbol::SymbolRef;
use super::types::Attribute;
use super::view::View;
use super::{Atom, ValueRef, Vector};

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
pub(crate) struct Nodes<'a>(Objects<'a>);

impl<'a> Nodes<'a> {
    pub(crate) fn of(value: ValueRef<'a>) -> Self {
        Self(Objects::of(value))
    }

    pub(crate) fn of_view(view: View<'a>) -> Self {
        Self(Objects::of_view(view))
    }
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;

    #[inline]
    fn next(&mut self) -> Option<Node<'a>> {
        self.0.next().map(|(value, _)| value.node())
    }
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
}

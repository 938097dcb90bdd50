//! Functions: they travel as data, and q evaluates them where they arrive.

use core::fmt;
use std::sync::Arc;

use super::item::Char;
use super::items::Items;
use super::keep::Keep;
use super::list::{Inner as ListInner, ListRef};
use super::symbol::{Symbol, SymbolRef};
use super::view::{SharedView, View};
use super::{Value, ValueRef, Vector};

/// A function.
///
/// ```text
/// {x+y}          64 00 0a 00 05000000 7b782b797d     lambda: context, NUL, text as a char vector
/// ::  +  /       65 00   66 01   67 01               primitive: its code
/// +[1]           68 02000000 66 01 f9 0100…          projection: count, function, arguments
/// '[~:;~:]       69 02000000 65 0f 65 0f             composition: count, functions
/// +/             6b 66 01                            derived: 6a to 6f for ' / \ ': /: \:
/// ```
///
/// Codes and layouts: KX's pages on serialization and types; the codes of the primitives as
/// studio, mgkdb and qStudio have them, 0 to 44, 0 to 36 and 0 to 5 being what KX's C library
/// accepts.
#[derive(Clone)]
pub struct Function(pub(super) Repr);

#[derive(Clone)]
pub(super) enum Repr {
    Unary(UnaryPrimitive),
    Binary(BinaryPrimitive),
    Iterator(IteratorPrimitive),
    Built(Arc<Built>),
    View(SharedView),
}

pub(super) enum Built {
    Lambda(Symbol, Items<Char>),
    Projection(Vec<Value>),
    Composition(Vec<Value>),
    Derived(IteratorPrimitive, Value),
}

impl Function {
    /// `::`, the identity: what q's functions without a value return.
    pub const IDENTITY: Self = Self(Repr::Unary(UnaryPrimitive::IDENTITY));

    /// Makes a lambda of its source text, braces included, in the root namespace.
    pub fn lambda(text: impl AsRef<[u8]>) -> Self {
        Self::lambda_in(Symbol::NULL, text)
    }

    /// Makes a lambda of the namespace that it belongs to, without the leading dot (empty for the
    /// root), and its source text, braces included.
    pub fn lambda_in(context: Symbol, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref().iter().map(|byte| Char(*byte)).collect();
        Self::built(Built::Lambda(context, text))
    }

    /// Makes a projection of a function and its arguments up to the last given one;
    /// [`UnaryPrimitive::ELIDED`] stands for those left out before it.
    ///
    /// ```
    /// use hopen_codec::value::{BinaryPrimitive, Function, UnaryPrimitive, Value};
    ///
    /// let minus = BinaryPrimitive::new(2).expect("it has that code");
    /// let from_ten = Function::projection(minus, [Value::from(10_i64)]);
    /// assert_eq!(Value::from(from_ten).to_string(), "-[10]");
    /// let gap = Value::from(UnaryPrimitive::ELIDED);
    /// let less_one = Function::projection(Function::lambda("{x-y}"), [gap, Value::from(1_i64)]);
    /// assert_eq!(Value::from(less_one).to_string(), "{x-y}[;1]");
    /// ```
    pub fn projection(
        function: impl Into<Value>,
        arguments: impl IntoIterator<Item = Value>,
    ) -> Self {
        Self::built(Built::Projection(
            [function.into()].into_iter().chain(arguments).collect(),
        ))
    }

    /// Makes a composition of functions, the last of them applied first.
    pub fn composition(functions: impl IntoIterator<Item = Value>) -> Self {
        Self::built(Built::Composition(functions.into_iter().collect()))
    }

    /// Applies an iterator to a function: `+` and `/` make `+/`.
    pub fn derived(iterator: IteratorPrimitive, function: impl Into<Value>) -> Self {
        Self::built(Built::Derived(iterator, function.into()))
    }

    /// Borrows the function.
    #[inline]
    pub fn as_ref(&self) -> FunctionRef<'_> {
        match &self.0 {
            Repr::Unary(primitive) => FunctionRef::Unary(*primitive),
            Repr::Binary(primitive) => FunctionRef::Binary(*primitive),
            Repr::Iterator(primitive) => FunctionRef::Iterator(*primitive),
            Repr::Built(built) => match &**built {
                Built::Lambda(context, text) => {
                    FunctionRef::Lambda(LambdaRef(LambdaInner::Built { context, text }))
                }
                Built::Projection(parts) => FunctionRef::Projection(ListRef::of_items(parts)),
                Built::Composition(parts) => FunctionRef::Composition(ListRef::of_items(parts)),
                Built::Derived(iterator, function) => {
                    FunctionRef::Derived(DerivedRef(DerivedInner::Built {
                        iterator: *iterator,
                        function,
                    }))
                }
            },
            Repr::View(view) => FunctionRef::of_view(view.as_view()),
        }
    }

    fn built(built: Built) -> Self {
        Self(Repr::Built(Arc::new(built)))
    }

    pub(crate) const fn of_view(view: SharedView) -> Self {
        Self(Repr::View(view))
    }
}

impl From<UnaryPrimitive> for Function {
    fn from(primitive: UnaryPrimitive) -> Self {
        Self(Repr::Unary(primitive))
    }
}

impl From<BinaryPrimitive> for Function {
    fn from(primitive: BinaryPrimitive) -> Self {
        Self(Repr::Binary(primitive))
    }
}

impl From<IteratorPrimitive> for Function {
    fn from(primitive: IteratorPrimitive) -> Self {
        Self(Repr::Iterator(primitive))
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// A borrowed function.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum FunctionRef<'a> {
    /// Type 100: its source text, and the namespace that it was made in.
    Lambda(LambdaRef<'a>),
    /// Type 101: a primitive of one argument, the identity `::` and the elided argument.
    Unary(UnaryPrimitive),
    /// Type 102: a primitive of two arguments.
    Binary(BinaryPrimitive),
    /// Type 103: an iterator by itself.
    Iterator(IteratorPrimitive),
    /// Type 104: a function and its arguments up to the last given one;
    /// [`UnaryPrimitive::ELIDED`] stands for those left out before it.
    Projection(ListRef<'a>),
    /// Type 105: functions, the last of them applied first.
    Composition(ListRef<'a>),
    /// Types 106 to 111: a function and the iterator applied to it.
    Derived(DerivedRef<'a>),
}

impl<'a> FunctionRef<'a> {
    /// Reads a function with parts.
    #[inline]
    pub(super) fn of_view(view: View<'a>) -> Self {
        match view.code() {
            100 => Self::Lambda(LambdaRef(LambdaInner::View(view))),
            104 => Self::Projection(ListRef::of_view(view)),
            105 => Self::Composition(ListRef::of_view(view)),
            _ => Self::Derived(DerivedRef(DerivedInner::View(view))),
        }
    }

    /// Makes an owner of the function.
    pub(super) fn keep(self, keep: Keep<'_>) -> Function {
        let view = match self {
            Self::Unary(primitive) => return primitive.into(),
            Self::Binary(primitive) => return primitive.into(),
            Self::Iterator(primitive) => return primitive.into(),
            Self::Lambda(LambdaRef(LambdaInner::Built { context, text })) => {
                let text = text.as_ref().in_storage(|text| keep.bytes(text));
                return Function::built(Built::Lambda(context.clone(), text));
            }
            Self::Projection(ListRef(ListInner::Built { items, .. })) => {
                return Function::built(Built::Projection(keep.values(items)));
            }
            Self::Composition(ListRef(ListInner::Built { items, .. })) => {
                return Function::built(Built::Composition(keep.values(items)));
            }
            Self::Derived(DerivedRef(DerivedInner::Built { iterator, function })) => {
                return Function::derived(iterator, keep.value(function));
            }
            Self::Lambda(LambdaRef(LambdaInner::View(view)))
            | Self::Projection(ListRef(ListInner::View(view)))
            | Self::Composition(ListRef(ListInner::View(view)))
            | Self::Derived(DerivedRef(DerivedInner::View(view))) => view,
        };
        Function::of_view(keep.view(view))
    }
}

impl fmt::Debug for FunctionRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ValueRef::Function(*self), f)
    }
}

/// A lambda: the namespace that it was made in, and its source text.
#[derive(Clone, Copy)]
pub struct LambdaRef<'a>(pub(super) LambdaInner<'a>);

#[derive(Clone, Copy)]
pub(super) enum LambdaInner<'a> {
    Built {
        context: &'a Symbol,
        text: &'a Items<Char>,
    },
    View(View<'a>),
}

impl<'a> LambdaRef<'a> {
    /// Returns the namespace that it was made in, without the leading dot; empty for the root.
    pub fn context(self) -> SymbolRef<'a> {
        match self.0 {
            LambdaInner::Built { context, .. } => context.as_ref(),
            LambdaInner::View(view) => view.cursor(1).symbol().unwrap_or_default(),
        }
    }

    /// Returns the source text, braces included.
    pub fn text(self) -> &'a [u8] {
        self.chars().map_or(&[], |text| text.as_bytes())
    }

    /// Returns the source text as the vector that it is on the wire.
    pub(crate) fn chars(self) -> Option<Items<Char, &'a [u8]>> {
        match self.0 {
            LambdaInner::Built { text, .. } => Some(text.as_ref()),
            LambdaInner::View(view) => {
                let mut cursor = view.cursor(1);
                cursor.symbol()?;
                let text = cursor.read()?;
                if let ValueRef::Vector(Vector::Char(text)) = text {
                    Some(text)
                } else {
                    None
                }
            }
        }
    }
}

impl fmt::Debug for LambdaRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ValueRef::Function(FunctionRef::Lambda(*self)), f)
    }
}

/// A function and the iterator applied to it: `+/` is `+` and `/`.
#[derive(Clone, Copy)]
pub struct DerivedRef<'a>(pub(super) DerivedInner<'a>);

#[derive(Clone, Copy)]
pub(super) enum DerivedInner<'a> {
    Built {
        iterator: IteratorPrimitive,
        function: &'a Value,
    },
    View(View<'a>),
}

impl<'a> DerivedRef<'a> {
    /// Returns the iterator.
    pub fn iterator(self) -> IteratorPrimitive {
        match self.0 {
            DerivedInner::Built { iterator, .. } => iterator,
            DerivedInner::View(view) => IteratorPrimitive(view.code().saturating_sub(106)),
        }
    }

    /// Returns what the iterator is applied to.
    pub fn function(self) -> ValueRef<'a> {
        match self.0 {
            DerivedInner::Built { function, .. } => function.as_ref(),
            DerivedInner::View(view) => view.cursor(1).read().unwrap_or(ValueRef::EMPTY),
        }
    }
}

impl fmt::Debug for DerivedRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&ValueRef::Function(FunctionRef::Derived(*self)), f)
    }
}

/// Makes the type of a primitive's code.
macro_rules! primitive {
    ($(#[doc = $doc:literal])+ $name:ident, $names:ident, $($also:pat)?) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(u8);

        impl $name {
            /// Returns the primitive with this code, or `None` where there is none.
            pub const fn new(code: u8) -> Option<Self> {
                match code {
                    $($also => Some(Self(code)),)?
                    _ if (code as usize) < $names.len() => Some(Self(code)),
                    _ => None,
                }
            }

            /// Returns the code.
            pub const fn code(self) -> u8 {
                self.0
            }

            /// Returns how q spells it.
            pub fn name(self) -> &'static str {
                $names.get(usize::from(self.0)).copied().unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}: {})"), self.0, self.name())
            }
        }
    };
}

primitive! {
    /// A primitive of one argument: a code from 0 to 44, or 255 for an argument left out.
    UnaryPrimitive, UNARY, 255
}

impl UnaryPrimitive {
    /// `::`, the identity.
    pub const IDENTITY: Self = Self(0);
    /// The argument that is left out of a projection: the gap in `f[;1]`. Its name is empty.
    pub const ELIDED: Self = Self(255);
}

primitive! {
    /// A primitive of two arguments: a code from 0 to 36.
    BinaryPrimitive, BINARY,
}

primitive! {
    /// An iterator: `'` each, `/` over, `\` scan, `':` prior, `/:` each right, `\:` each left; a
    /// code from 0 to 5.
    IteratorPrimitive, ITERATORS,
}

impl IteratorPrimitive {
    /// Returns the type of the functions that it derives: 106 to 111.
    pub(crate) const fn derived_type(self) -> u8 {
        106 + self.0
    }
}

const UNARY: [&str; 45] = [
    "::", "+:", "-:", "*:", "%:", "&:", "|:", "^:", "=:", "<:", ">:", "$:", ",:", "#:", "_:", "~:",
    "!:", "?:", "@:", ".:", "0::", "1::", "2::", "avg", "last", "sum", "prd", "min", "max", "exit",
    "getenv", "abs", "sqrt", "log", "exp", "sin", "asin", "cos", "acos", "tan", "atan", "enlist",
    "var", "dev", "hopen",
];

const BINARY: [&str; 37] = [
    ":", "+", "-", "*", "%", "&", "|", "^", "=", "<", ">", "$", ",", "#", "_", "~", "!", "?", "@",
    ".", "0:", "1:", "2:", "in", "within", "like", "bin", "ss", "insert", "wsum", "wavg", "div",
    "xexp", "setenv", "binr", "cov", "cor",
];

const ITERATORS: [&str; 6] = ["'", "/", "\\", "':", "/:", "\\:"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_that_kx_s_validator_accepts() {
        let accepted =
            |new: fn(u8) -> bool| (0..=255).filter(|code| new(*code)).collect::<Vec<u8>>();
        let unary: Vec<u8> = (0..=44).chain([255]).collect();
        assert_eq!(accepted(|code| UnaryPrimitive::new(code).is_some()), unary);
        let binary: Vec<u8> = (0..=36).collect();
        assert_eq!(
            accepted(|code| BinaryPrimitive::new(code).is_some()),
            binary
        );
        let iterators: Vec<u8> = (0..=5).collect();
        assert_eq!(
            accepted(|code| IteratorPrimitive::new(code).is_some()),
            iterators
        );
    }

    #[test]
    fn names_are_those_of_q() {
        assert_eq!(UnaryPrimitive::new(41).unwrap().name(), "enlist");
        assert_eq!(UnaryPrimitive::ELIDED.name(), "");
        assert_eq!(BinaryPrimitive::new(28).unwrap().name(), "insert");
    }
}

//! Equality and hashing: structural, of built and received values alike.

use core::hash::{Hash, Hasher};

use super::{Nodes, Value, ValueRef};

impl PartialEq for ValueRef<'_> {
    /// The same types, attributes and items. Items are the same bit for bit, so that `-0.0` does
    /// not equal `0.0`, but any NaN equals any NaN. The byte order that a value came in does not
    /// count. This is not q's `~`, which ignores attributes and takes floats for equal that are
    /// nearly so.
    fn eq(&self, other: &Self) -> bool {
        Nodes::of(*self).eq(Nodes::of(*other))
    }
}

impl Eq for ValueRef<'_> {}

impl Hash for ValueRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for node in Nodes::of(*self) {
            node.hash(state);
        }
    }
}

impl PartialEq for Value {
    /// As [`ValueRef`]'s.
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

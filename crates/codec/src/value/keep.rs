//! Owners of what was borrowed: with copies of the bytes, or sharing those of a message.

use bytes::Bytes;

use super::view::{SharedView, View};
use super::{SymbolRef, Value, ValueRef};

/// How an owner gets its bytes.
#[derive(Clone, Copy)]
pub(super) enum Keep<'k> {
    /// By a copy.
    Copied,
    /// From this message, or by a copy where they do not lie within.
    Shared(&'k Bytes),
}

impl Keep<'_> {
    pub(super) fn bytes(self, bytes: &[u8]) -> Bytes {
        if let Self::Shared(message) = self {
            let (within, range) = (message.as_ptr_range(), bytes.as_ptr_range());
            if range.start >= within.start && range.end <= within.end {
                return message.slice_ref(bytes);
            }
        }
        Bytes::copy_from_slice(bytes)
    }

    pub(super) fn view(self, view: View<'_>) -> SharedView {
        SharedView {
            object: self.bytes(view.object()),
            order: view.order(),
            needs: None,
        }
    }

    /// Keeps the values that a program put into another.
    pub(super) fn values<C: FromIterator<Value>>(self, values: &[Value]) -> C {
        values.iter().map(|value| self.value(value)).collect()
    }

    /// Keeps a value that a program put into another. What is received ends the recursion, so that
    /// only a program's own nesting takes stack.
    pub(super) fn value(self, value: &Value) -> Value {
        value.as_ref().keep(self)
    }
}

impl ValueRef<'_> {
    /// Copies the value, so that it keeps nothing of the message that it, or a part of it, came
    /// in. [`Value::clone`] copies nothing and shares; [`Value::share`] takes a part out of a
    /// received value without a copy.
    ///
    /// ```
    /// use hopen_codec::value::{Value, ValueRef};
    ///
    /// fn last_price(answer: &Value) -> Option<Value> {
    ///     // A few bytes of an answer that may be large and is not to be kept.
    ///     Some(answer.as_ref().elements()?.last()?.detach())
    /// }
    ///
    /// let answer = Value::from(("a long text", 101.5));
    /// assert_eq!(last_price(&answer), Some(Value::from(101.5)));
    /// ```
    ///
    /// A value that a *program* nests takes stack in proportion to its depth here, as it does when
    /// it is dropped; a received one does not.
    #[must_use]
    pub fn detach(self) -> Value {
        self.keep(Keep::Copied)
    }

    /// Keeps the value by sharing `message`, or by a copy where it does not lie within.
    pub(crate) fn share(self, message: &Bytes) -> Value {
        self.keep(Keep::Shared(message))
    }

    /// Makes an owner of the value.
    fn keep(self, keep: Keep<'_>) -> Value {
        match self {
            Self::Atom(atom) => Value::Atom(atom.map_symbol(SymbolRef::to_symbol)),
            Self::Vector(vector) => Value::Vector(vector.in_storage(|bytes| keep.bytes(bytes))),
            Self::List(list) => Value::List(list.keep(keep)),
            Self::Dict(dict) => Value::Dict(dict.keep(keep)),
            Self::Table(table) => Value::Table(table.keep(keep)),
            Self::Function(function) => Value::Function(function.keep(keep)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::decode::decode;
    use crate::message::Body;
    use crate::sym;
    use crate::value::{
        Attribute, Dict, Function, Items, IteratorPrimitive, List, Table, UnaryPrimitive, Vector,
    };

    #[test]
    fn a_copy_lets_go_of_the_message() {
        for at in 0..BUILT {
            let (message, freed) = Message::received();
            let (name, built) = built(&message)[at].clone();
            let copy = built.as_ref().detach();
            let also = Value::from(built.as_ref());
            assert_eq!((&copy, &also), (&built, &built), "{name}");
            drop(message);
            assert!(!freed.load(Ordering::Relaxed), "{name}: the original is");
            drop(built);
            assert!(freed.load(Ordering::Relaxed), "{name}: no copy is");
            assert_eq!(copy, also, "{name}");
        }
    }

    #[test]
    fn a_clone_shares_the_message() {
        for at in 0..BUILT {
            let (message, freed) = Message::received();
            let (name, built) = built(&message)[at].clone();
            let clone = built.clone();
            drop(built);
            drop(message);
            assert!(!freed.load(Ordering::Relaxed), "{name}");
            drop(clone);
            assert!(freed.load(Ordering::Relaxed), "{name}");
        }
    }

    #[test]
    fn a_part_shares_the_bytes_that_it_lies_in() {
        let (message, freed) = Message::received();
        let ValueRef::List(list) = message.as_ref() else {
            panic!("it is a list")
        };
        for (at, part) in list.iter().enumerate() {
            let shared = message.share(part);
            assert_eq!(shared.as_ref(), part);
            if let Some(bytes) = shared.bytes() {
                assert!(lies_in(bytes, &message), "item {at}");
            }
        }
        let vector = message.share(list.get(0).unwrap());
        let twice = vector.share(vector.as_ref());
        assert_eq!(
            twice.bytes().unwrap().as_ptr(),
            vector.bytes().unwrap().as_ptr()
        );
        drop(message);
        assert!(!freed.load(Ordering::Relaxed));
        drop((vector, twice));
        assert!(freed.load(Ordering::Relaxed));
    }

    #[test]
    fn what_is_no_part_is_copied() {
        let (message, _) = Message::received();
        let (other, _) = Message::received();
        for part in [other.as_ref(), Value::from(vec![1_i64]).as_ref()] {
            let copy = message.share(part);
            assert_eq!(copy.as_ref(), part);
            assert!(!lies_in(copy.bytes().unwrap(), &message));
            assert!(!lies_in(copy.bytes().unwrap(), &other));
        }
        // Values that a program made are no one block of bytes.
        let built = Value::from((&message, 1_i64));
        let part = built.as_ref().elements().unwrap().next().unwrap();
        assert!(!lies_in(built.share(part).bytes().unwrap(), &message));
    }

    #[test]
    fn a_nesting_that_a_peer_made_takes_no_stack() {
        let mut body = b"\0\0\x01\0\0\0".repeat(500_000);
        body.extend_from_slice(b"\0\0\0\0\0\0");
        let nested = decode(body.into(), ByteOrder::Little).unwrap().unwrap();
        let built = Value::from((nested, 1_i64));
        assert_eq!(built.as_ref().detach(), built);
    }

    const BUILT: usize = 12;

    /// Values that a program makes of a received one.
    fn built(message: &Value) -> [(&'static str, Value); BUILT] {
        let (vector, _, table, _) = message
            .to::<(ValueRef<'_>, ValueRef<'_>, ValueRef<'_>, ValueRef<'_>)>()
            .unwrap();
        let list = List::try_from(message.clone()).unwrap();
        let table = Table::try_from(message.share(table)).unwrap();
        let named = |column: &Value| Table::new([(sym!("a"), column.clone())]).unwrap();
        let each = IteratorPrimitive::new(0).unwrap();
        let one = 1_i64;
        [
            ("itself", message.clone()),
            ("a vector of it", message.share(vector)),
            ("a list", list.with_attribute(Attribute::Grouped).into()),
            ("a tuple", (message, one).into()),
            ("a tuple in a tuple", (one, (message, one)).into()),
            ("keys", Dict::new(message, one).into()),
            ("values", Dict::sorted(one, message).into()),
            ("a column", named(message).into()),
            ("a table", table.with_attribute(Attribute::Sorted).into()),
            (
                "an argument",
                Function::projection(UnaryPrimitive::IDENTITY, [message.clone()]).into(),
            ),
            (
                "what is composed",
                Function::composition([message.clone(), Value::IDENTITY]).into(),
            ),
            (
                "what an iterator is applied to",
                Function::derived(each, message).into(),
            ),
        ]
    }

    /// The bytes of a message, which tell when they are freed.
    struct Message {
        bytes: Vec<u8>,
        freed: Arc<AtomicBool>,
    }

    impl Message {
        /// Returns a vector, a text, a table and a lambda as a peer sends them.
        fn received() -> (Value, Arc<AtomicBool>) {
            let freed = Arc::new(AtomicBool::new(false));
            let table = Table::new([(sym!("a"), vec![2_i64, 3].into())]).unwrap();
            let value = Value::from((
                Vector::Long(Items::from(vec![4; 100])),
                "text",
                table,
                Function::lambda("{x+y}"),
            ));
            let message = Self {
                bytes: Body::encode(&value).unwrap().chunks().concat(),
                freed: Arc::clone(&freed),
            };
            let received = decode(Bytes::from_owner(message), ByteOrder::Little);
            (received.unwrap().unwrap(), freed)
        }
    }

    impl AsRef<[u8]> for Message {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }

    impl Drop for Message {
        fn drop(&mut self) {
            self.freed.store(true, Ordering::Relaxed);
        }
    }

    fn lies_in(bytes: &Bytes, message: &Value) -> bool {
        let within = message.bytes().unwrap().as_ptr_range();
        within.contains(&bytes.as_ptr())
    }
}

//! A value and all that is inside it, one after the other.

use core::fmt;

use super::ValueRef;
use super::objects::Objects;

/// Iterates over a value and all values inside it, each with its depth.
///
/// Made by [`ValueRef::walk`].
#[derive(Clone)]
pub struct Walk<'a> {
    objects: Objects<'a>,
    levels: Levels,
}

impl<'a> ValueRef<'a> {
    /// Iterates over the value and all values inside it, depth first, each before those inside
    /// it: a value of depth 0, what it holds at depth 1, and so on.
    ///
    /// ```
    /// use hopen_codec::{sym, value::Value};
    ///
    /// let call = Value::from((sym!("upd"), (1_i64, "ab")));
    /// let all: Vec<String> =
    ///     call.as_ref().walk().map(|(depth, value)| format!("{depth} {value}")).collect();
    /// assert_eq!(all, ["0 (`upd;(1;\"ab\"))", "1 `upd", "1 (1;\"ab\")", "2 1", "2 \"ab\""]);
    /// ```
    ///
    /// Inside a list are its items, inside a dictionary its keys and its values, inside a table
    /// the vector of its names and what holds the columns, inside a lambda its text, inside
    /// another function its parts. Atoms and vectors hold no values.
    ///
    /// A program that calls [`ListRef::iter`](super::ListRef::iter) in a recursion reads what is
    /// deep inside a received value once for every level around it, and a peer decides how many
    /// there are. This takes time in proportion to the value, whatever the nesting, no stack, and
    /// of memory less than thrice the bytes that were received. What is done with each value
    /// counts separately: to print all of them, as above, reads each once for every level.
    pub fn walk(self) -> Walk<'a> {
        Walk {
            objects: Objects::of(self),
            levels: Levels::of_one(),
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (usize, ValueRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<(usize, ValueRef<'a>)> {
        let depth = self.levels.next()?;
        let Some((value, inside)) = self.objects.next() else {
            self.levels = Levels::default();
            return None;
        };
        self.levels.enter(inside);
        Some((depth, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.levels.left, None)
    }
}

impl core::iter::FusedIterator for Walk<'_> {}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("depth", &self.levels.depth)
            .finish_non_exhaustive()
    }
}

/// How many objects are still to come on each level of a walk.
///
/// A peer decides how many levels there are, at three bytes each: a dictionary whose keys are a
/// dictionary takes one, and its values two. So a level is left as soon as its last object begins,
/// which most nesting is, and those that wait take two numbers of variable length each, which
/// together are shorter than what the level took in its message.
#[derive(Clone, Default)]
struct Levels {
    depth: usize,
    /// How many objects are still to come at this depth.
    left: usize,
    /// The depth of the level that waits last.
    outer: usize,
    /// Of each level that waits: how many objects are still to come there, and how much deeper it
    /// is than the one that waits before it.
    waiting: Numbers,
}

impl Levels {
    fn of_one() -> Self {
        Self {
            left: 1,
            ..Self::default()
        }
    }

    /// Returns the depth of the next object, unless there is none.
    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.left == 0 {
            // None waits that has no object to come.
            let deeper = self.waiting.pop()?;
            self.left = self.waiting.pop()?;
            self.depth = self.outer;
            self.outer -= deeper;
        }
        self.left -= 1;
        Some(self.depth)
    }

    /// Goes on with so many objects inside the last one.
    #[inline]
    fn enter(&mut self, inside: usize) {
        if inside == 0 {
            return;
        }
        if self.left > 0 {
            self.waiting.push(self.left);
            self.waiting.push(self.depth - self.outer);
            self.outer = self.depth;
        }
        self.left = inside;
        self.depth += 1;
    }
}

/// A stack of numbers, each of which takes one byte for 7 of its bits.
#[derive(Clone, Default)]
struct Numbers(Vec<u8>);

impl Numbers {
    /// The bit of a byte that says that there are higher ones below it.
    const MORE: u8 = 0x80;

    #[inline]
    fn push(&mut self, number: usize) {
        if number >= usize::from(Self::MORE) {
            self.push_long(number);
        } else {
            self.0.push(number as u8);
        }
    }

    fn push_long(&mut self, number: usize) {
        let bytes = number.ilog2() / 7;
        self.0.push((number >> (7 * bytes)) as u8);
        for byte in (0..bytes).rev() {
            self.0.push((number >> (7 * byte)) as u8 | Self::MORE);
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<usize> {
        let mut byte = self.0.pop()?;
        let mut number = usize::from(byte & !Self::MORE);
        let mut shift = 7;
        while byte & Self::MORE != 0 {
            byte = self.0.pop()?;
            number |= usize::from(byte & !Self::MORE) << shift;
            shift += 7;
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::decode::decode;
    use crate::strategy;
    use crate::sym;
    use crate::value::{
        Dict, Function, FunctionRef, IteratorPrimitive, Table, UnaryPrimitive, Value, Vector,
    };

    #[test]
    fn everything_inside_a_value_comes_behind_it() {
        let table = Table::new([(sym!("a"), vec![1_i64].into())]).unwrap();
        let value = Value::from((
            Dict::new("kk", (1_i64, "vv")),
            Value::from(table),
            Function::lambda("{x}"),
            Function::projection(Function::lambda("{y}"), [Value::from(2_i64)]),
            Function::derived(IteratorPrimitive::new(1).unwrap(), UnaryPrimitive::IDENTITY),
            (),
        ));
        let expected = [
            (1, "\"kk\"!(1;\"vv\")"),
            (2, "\"kk\""),
            (2, "(1;\"vv\")"),
            (3, "1"),
            (3, "\"vv\""),
            (1, "+(,`a)!,,1"),
            (2, ",`a"),
            (2, ",,1"),
            (3, ",1"),
            (1, "{x}"),
            (2, "\"{x}\""),
            (1, "{y}[2]"),
            (2, "{y}"),
            (3, "\"{y}\""),
            (2, "2"),
            (1, "::/"),
            (2, "::"),
            (1, "::"),
        ];
        for value in [&value, &strategy::receive(&value, ByteOrder::Big)] {
            let mut walk = value.as_ref().walk();
            assert_eq!(walk.next(), Some((0, value.as_ref())));
            assert_eq!(walk.size_hint(), (6, None));
            let inside: Vec<_> = walk
                .map(|(depth, value)| (depth, value.to_string()))
                .collect();
            let inside: Vec<_> = inside.iter().map(|(d, text)| (*d, text.as_str())).collect();
            assert_eq!(inside, expected);
        }
    }

    #[test]
    fn a_walk_that_is_over_stays_over() {
        let value = Value::from((1_i64,));
        let mut walk = value.as_ref().walk();
        assert_eq!(walk.by_ref().count(), 2);
        assert!(walk.next().is_none());
        assert_eq!(format!("{walk:?}"), "Walk { depth: 1, .. }");
    }

    #[test]
    fn what_nests_takes_time_and_memory_in_proportion_to_its_bytes() {
        const LEVELS: usize = 300_000;
        let atom = [0xfc, 1];
        for (start, end) in [
            // In the last place, in the first one, and in the keys of dictionaries.
            (&b"\0\0\x01\0\0\0"[..], &[][..]),
            (b"\0\0\x02\0\0\0\xfc\x01", &[]),
            (b"\0\0\x02\0\0\0", &atom),
            (b"\x63", &atom),
            (b"\x63\x6a\x6a", &atom),
            (b"\0\0\xff\0\0\0", &atom.repeat(254)),
        ] {
            let levels = LEVELS / (start.len() + end.len());
            let body = [&start.repeat(levels), &atom[..], &end.repeat(levels)].concat();
            let length = body.len();
            let value = decode(body.into(), ByteOrder::Little).unwrap().unwrap();
            let (mut deepest, mut atoms, mut memory) = (0, 0, 0);
            let mut walk = value.as_ref().walk();
            while let Some((depth, value)) = walk.next() {
                deepest = deepest.max(depth);
                atoms += usize::from(matches!(value, ValueRef::Atom(_)));
                memory = memory.max(walk.levels.waiting.0.capacity());
            }
            let steps = start.iter().filter(|byte| **byte == 0x6a).count() + 1;
            assert_eq!(deepest, steps * levels);
            let beside = end.len() / 2 + usize::from(start.ends_with(&atom));
            assert_eq!(atoms, 1 + levels * beside);
            assert!(memory <= 2 * length, "{memory} bytes for {length}");
        }
    }

    proptest! {
        #[test]
        fn a_walk_is_the_recursion_written_flat(value in strategy::value(4, 6)) {
            let mut expected = Vec::new();
            recurse(0, value.as_ref(), &mut expected);
            prop_assert!(value.as_ref().walk().eq(expected.iter().copied()));
            let received = strategy::receive(&value, ByteOrder::Big);
            prop_assert!(received.as_ref().walk().eq(expected.iter().copied()));
            let half_built = Value::from((1_i64, &received, &received));
            let inside = || expected.iter().map(|(depth, value)| (depth + 1, *value));
            let behind = half_built.as_ref().walk().skip(2);
            prop_assert!(behind.eq(inside().chain(inside())));
        }

        #[test]
        fn numbers_come_back_last_first(numbers in prop::collection::vec(number(), 0..50)) {
            let mut stack = Numbers::default();
            for number in &numbers {
                stack.push(*number);
            }
            for number in numbers.iter().rev() {
                prop_assert_eq!(stack.pop(), Some(*number));
            }
            prop_assert_eq!(stack.pop(), None);
        }
    }

    /// Numbers of every length.
    fn number() -> impl Strategy<Value = usize> {
        (any::<usize>(), 0..usize::BITS).prop_map(|(number, shift)| number >> shift)
    }

    fn recurse<'a>(depth: usize, value: ValueRef<'a>, all: &mut Vec<(usize, ValueRef<'a>)>) {
        all.push((depth, value));
        let mut inside = Vec::new();
        match value {
            ValueRef::Atom(_) | ValueRef::Vector(_) => {}
            ValueRef::List(list) => inside.extend(list),
            ValueRef::Dict(dict) => inside.extend([dict.keys(), dict.values()]),
            ValueRef::Table(table) => {
                let (names, columns) = table.parts();
                inside.extend([ValueRef::Vector(Vector::Symbol(names)), columns]);
            }
            ValueRef::Function(function) => match function {
                FunctionRef::Lambda(lambda) => {
                    inside.extend(
                        lambda
                            .chars()
                            .map(|text| ValueRef::Vector(Vector::Char(text))),
                    );
                }
                FunctionRef::Projection(parts) | FunctionRef::Composition(parts) => {
                    inside.extend(parts);
                }
                FunctionRef::Derived(derived) => inside.push(derived.function()),
                FunctionRef::Unary(_) | FunctionRef::Binary(_) | FunctionRef::Iterator(_) => {}
            },
        }
        for value in inside {
            recurse(depth + 1, value, all);
        }
    }
}

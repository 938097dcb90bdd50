//! Access by position to what has no fixed width.

/// A list or symbol vector with a note of where each item starts, so that `get` does not walk.
///
/// Made by [`ListRef::index`](super::ListRef::index) and [`Symbols::index`](super::Symbols::index).
/// It takes four bytes an item, eight where the items take 4 GiB or more together.
#[derive(Clone, Debug)]
pub struct Indexed<C> {
    of: C,
    offsets: Offsets,
}

impl<C: Copy> Indexed<C> {
    /// Notes the offsets that `walk` pushes, `count` of them, each below `bytes`.
    pub(super) fn new(of: C, count: usize, bytes: usize, walk: impl FnOnce(&mut Offsets)) -> Self {
        // The check of the message saw to the count: no item takes less than a byte.
        let count = count.min(bytes);
        let mut offsets = match u32::try_from(bytes) {
            Ok(_) => Offsets::Short(Vec::with_capacity(count)),
            Err(_) => Offsets::Long(Vec::with_capacity(count)),
        };
        walk(&mut offsets);
        Self { of, offsets }
    }

    /// Returns what was indexed.
    pub fn of(&self) -> C {
        self.of
    }

    /// Returns how many items there are.
    pub fn len(&self) -> usize {
        match &self.offsets {
            Offsets::Short(offsets) => offsets.len(),
            Offsets::Long(offsets) => offsets.len(),
        }
    }

    /// Returns whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn offset(&self, index: usize) -> Option<usize> {
        match &self.offsets {
            Offsets::Short(offsets) => offsets.get(index).map(|offset| *offset as usize),
            Offsets::Long(offsets) => offsets.get(index).copied(),
        }
    }
}

/// Where items start.
#[derive(Clone, Debug)]
pub(super) enum Offsets {
    Short(Vec<u32>),
    Long(Vec<usize>),
}

impl Offsets {
    pub(super) fn push(&mut self, offset: usize) {
        match self {
            Self::Short(offsets) => offsets.push(offset as u32),
            Self::Long(offsets) => offsets.push(offset),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::strategy;
    use crate::value::{List, ListRef, Symbol, Symbols, Value};

    #[test]
    fn an_index_takes_four_bytes_an_item() {
        for count in [0, 1, 5, 1_000, 1_025] {
            let list: List = (0..count as i64).map(Value::from).collect();
            let built = Value::from(list);
            let received = strategy::receive(&built, ByteOrder::Little);
            for value in [built, received] {
                let index = value.to::<ListRef<'_>>().unwrap().index();
                assert_eq!((index.len(), taken(&index.offsets)), (count, 4 * count));
            }
            let names = (0..count).map(|at| Symbol::new(at.to_string()).unwrap());
            let symbols = Symbols::from_iter(names);
            let index = symbols.as_ref().index();
            assert_eq!((index.len(), taken(&index.offsets)), (count, 4 * count));
        }
    }

    fn taken(offsets: &Offsets) -> usize {
        match offsets {
            Offsets::Short(offsets) => 4 * offsets.capacity(),
            Offsets::Long(offsets) => 8 * offsets.capacity(),
        }
    }
}

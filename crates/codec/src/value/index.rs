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
    /// Notes the offsets that `walk` pushes, each below `bytes`.
    pub(super) fn new(of: C, bytes: usize, walk: impl FnOnce(&mut Offsets)) -> Self {
        let mut offsets = match u32::try_from(bytes) {
            Ok(_) => Offsets::Short(Vec::new()),
            Err(_) => Offsets::Long(Vec::new()),
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

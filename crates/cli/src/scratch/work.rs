//! How much one query may cost.

use super::signal::Signal;

/// What an evaluation may still read and make, in bytes.
///
/// A short text can ask for a lot: each `+` between two names may go over all that both hold. So
/// everything that is gone over or made is paid for, and never given back, which bounds the memory
/// and the time that one query takes.
pub(super) struct Work {
    left: u64,
}

impl Work {
    /// Returns what one query may cost: 1 GiB, as long as the longest message that a server takes
    /// by default.
    pub(super) fn of_one_query() -> Self {
        Self {
            left: 1024 * 1024 * 1024,
        }
    }

    /// Returns what an evaluation may cost that is to come to its end soon.
    #[cfg(test)]
    pub(super) fn of(bytes: u64) -> Self {
        Self { left: bytes }
    }

    /// Pays for bytes that are read or made; `wsfull` where that is more than is left.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), Signal> {
        self.left = self.left.checked_sub(bytes).ok_or(Signal::WorkspaceFull)?;
        Ok(())
    }

    /// Pays for items of a width in bytes, which are to be made; `limit` where those are more than
    /// a vector may have.
    pub(super) fn spend_items(&mut self, count: usize, width: usize) -> Result<(), Signal> {
        if count > MOST_ITEMS {
            return Err(Signal::Limit);
        }
        self.spend(count as u64 * width as u64)
    }
}

/// How many items a vector or list that is made here has at most.
pub(super) const MOST_ITEMS: usize = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone() {
        let mut work = Work::of(10);
        assert_eq!(work.spend(7), Ok(()));
        assert_eq!(work.spend(4), Err(Signal::WorkspaceFull));
        assert_eq!(work.spend_items(3, 1), Ok(()));
        assert_eq!(work.spend(1), Err(Signal::WorkspaceFull));
        assert_eq!(work.spend(0), Ok(()));
    }

    #[test]
    fn a_vector_is_limited_whatever_is_left() {
        let mut work = Work::of(u64::MAX);
        assert_eq!(work.spend_items(MOST_ITEMS, 8), Ok(()));
        assert_eq!(work.spend_items(MOST_ITEMS + 1, 8), Err(Signal::Limit));
        assert_eq!(work.spend_items(usize::MAX, 8), Err(Signal::Limit));
    }
}

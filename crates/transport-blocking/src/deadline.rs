//! The end of waiting.

use std::time::{Duration, Instant};

/// When something has to be done by: an instant, or never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// Waiting for ever.
    pub(crate) const NEVER: Self = Self(None);

    /// Returns the deadline that is so far away. `None`, and more than the clock can tell, is
    /// never; zero has passed at once.
    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// Returns the deadline at an instant; `None` is never.
    pub(crate) const fn at(instant: Option<Instant>) -> Self {
        Self(instant)
    }

    /// Returns the one of two that passes first.
    pub(crate) fn or_earlier(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self(Some(one.min(other))),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Returns how much time is left: `None` is for ever, zero is none.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0
            .map(|instant| instant.saturating_duration_since(Instant::now()))
    }

    /// Returns whether no time is left.
    pub(crate) fn has_passed(self) -> bool {
        self.left() == Some(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_out_and_one_beyond_the_clock_never_pass() {
        for never in [
            Deadline::NEVER,
            Deadline::after(None),
            Deadline::after(Some(Duration::MAX)),
        ] {
            assert_eq!(never.left(), None);
            assert!(!never.has_passed());
        }
    }

    #[test]
    fn zero_has_passed_at_once() {
        let deadline = Deadline::after(Some(Duration::ZERO));
        assert_eq!(deadline.left(), Some(Duration::ZERO));
        assert!(deadline.has_passed());
    }

    #[test]
    fn of_two_the_earlier_passes_first_and_never_is_the_latest() {
        let zero = Deadline::after(Some(Duration::ZERO));
        let hour = Deadline::after(Some(Duration::from_secs(3600)));
        for (one, other, passes) in [
            (zero, hour, true),
            (hour, zero, true),
            (zero, Deadline::NEVER, true),
            (Deadline::NEVER, zero, true),
            (hour, Deadline::NEVER, false),
        ] {
            assert_eq!(one.or_earlier(other).has_passed(), passes);
        }
        assert_eq!(Deadline::NEVER.or_earlier(Deadline::NEVER).left(), None);
    }

    #[test]
    fn what_is_left_is_never_more_than_was_given() {
        let hour = Duration::from_secs(3600);
        let deadline = Deadline::after(Some(hour));
        let left = deadline.left().unwrap();
        assert!(left > Duration::ZERO && left <= hour);
        assert!(!deadline.has_passed());
    }
}

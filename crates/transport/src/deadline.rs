//! The end of waiting.

use std::time::{Duration, Instant};

/// When something has to be done by: an instant, or never. It knows the time, and a transport waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Waiting for ever.
    pub const NEVER: Self = Self(None);

    /// Returns the deadline that is so far away. `None`, and more than the clock can tell, is
    /// never; zero has passed at once.
    pub fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// Returns the end of a time-out for opening a handle; no time at all is none, as 0 is to KX's C
    /// library.
    pub fn of_opening(timeout: Option<Duration>) -> Self {
        Self::after(timeout.filter(|timeout| !timeout.is_zero()))
    }

    /// Returns the deadline at an instant; `None` is never.
    pub const fn at(instant: Option<Instant>) -> Self {
        Self(instant)
    }

    /// Returns the one of two that passes first.
    pub fn or_earlier(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self(Some(one.min(other))),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Returns how much time is left: `None` is for ever, zero is none.
    pub fn left(self) -> Option<Duration> {
        self.0
            .map(|instant| instant.saturating_duration_since(Instant::now()))
    }

    /// Returns the instant; `None` is never.
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }

    /// Returns whether no time is left.
    pub fn has_passed(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
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
    fn no_time_to_open_a_handle_is_no_time_out() {
        for timeout in [None, Some(Duration::ZERO)] {
            assert_eq!(Deadline::of_opening(timeout), Deadline::NEVER);
        }
        let minute = Some(Duration::from_secs(60));
        assert!(Deadline::of_opening(minute).left().is_some());
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

//! The end of waiting.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::Timer;

/// When something has to be done by: an instant, or never. Its timers run under any executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// Waiting for ever.
    pub(crate) const NEVER: Self = Self(None);

    /// Returns the deadline that is so far away. `None`, and more than the clock can tell, is
    /// never; zero has passed at once.
    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// Returns the end of a time-out for opening a handle; no time at all is none, as 0 is to KX's C
    /// library.
    pub(crate) fn of_opening(timeout: Option<Duration>) -> Self {
        Self::after(timeout.filter(|timeout| !timeout.is_zero()))
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
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Waits for it.
    pub(crate) async fn passes(self) {
        let mut alarm = self.alarm();
        poll_fn(|context| match alarm.has_passed(context) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// Starts to wait for it.
    pub(crate) fn alarm(self) -> Alarm {
        Alarm {
            deadline: self,
            timer: None,
        }
    }
}

/// Waits for a deadline.
pub(crate) struct Alarm {
    deadline: Deadline,
    /// Made when it is waited for.
    timer: Option<Timer>,
}

impl Alarm {
    /// Returns what it waits for.
    pub(crate) const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Returns whether the deadline has passed; if not, the task is woken when it does.
    pub(crate) fn has_passed(&mut self, context: &mut Context<'_>) -> bool {
        match self.deadline.0 {
            None => false,
            Some(instant) if Instant::now() >= instant => true,
            Some(instant) => {
                let timer = self.timer.get_or_insert_with(|| Timer::at(instant));
                matches!(Pin::new(timer).poll(context), Poll::Ready(_))
            }
        }
    }
}

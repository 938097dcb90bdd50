//! Waiting for a deadline.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::time::Instant;

use async_io::Timer;
use hopen_transport::Deadline;

/// Waits for a deadline. Its timer runs under any executor.
pub(crate) struct Alarm {
    deadline: Deadline,
    /// Made when it is waited for.
    timer: Option<Timer>,
}

impl Alarm {
    /// Starts to wait.
    pub(crate) const fn of(deadline: Deadline) -> Self {
        Self {
            deadline,
            timer: None,
        }
    }

    /// Returns what it waits for.
    pub(crate) const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Returns whether the deadline has passed; if not, the task is woken when it does.
    pub(crate) fn has_passed(&mut self, context: &mut Context<'_>) -> bool {
        match self.deadline.instant() {
            None => false,
            Some(instant) if Instant::now() >= instant => true,
            Some(instant) => {
                let timer = self.timer.get_or_insert_with(|| Timer::at(instant));
                matches!(Pin::new(timer).poll(context), Poll::Ready(_))
            }
        }
    }
}

/// Waits for a deadline.
pub(crate) async fn passes(deadline: Deadline) {
    let mut alarm = Alarm::of(deadline);
    poll_fn(|context| match alarm.has_passed(context) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

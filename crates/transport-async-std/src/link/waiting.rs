//! Tasks that wait for what somebody else reads or writes for them.

use core::task::Waker;
use std::collections::BTreeMap;

use hopen_codec::session::{Position, Question, Session};
use hopen_transport::Broken;

use super::{Core, Link};

/// What a task waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wants {
    /// Its turn to ask.
    Turn(Question),
    /// The response to its question.
    Response(Question),
    /// A message that is no response. Each wakes one task, those first that have waited longest.
    Message,
    /// That everything up to there is written.
    Written(Position),
    /// That fewer bytes than so many wait to go out.
    Room(usize),
    /// Nothing but the end.
    End,
}

/// Those who wait, in the order in which they came.
pub(super) struct Waiting {
    tasks: BTreeMap<u64, (Wants, Waker)>,
    places: u64,
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Self {
            tasks: BTreeMap::new(),
            places: 0,
        }
    }

    /// Takes out those whose wait is over, to be woken.
    pub(super) fn wake(&mut self, session: &Session<Broken>, woken: &mut Vec<Waker>) {
        if self.tasks.is_empty() {
            return;
        }
        let has_failed = session.is_over() || !session.is_writable();
        let mut messages = session.kept();
        let ready = self.tasks.extract_if(.., |_, (wants, _)| {
            has_failed
                || match *wants {
                    Wants::Turn(question) => session.is_next(question),
                    Wants::Response(question) => session.has_response(question),
                    Wants::Message => {
                        let is_for_it = messages > 0;
                        messages = messages.saturating_sub(1);
                        is_for_it
                    }
                    Wants::Written(end) => session.has_gone(end),
                    Wants::Room(limit) => session.unsent() < limit,
                    Wants::End => false,
                }
        });
        woken.extend(ready.map(|(_, (_, waker))| waker));
    }
}

/// A task's place among those who wait. It is given back when the future is dropped.
pub(super) struct Place<'a> {
    link: &'a Link,
    wants: Wants,
    number: Option<u64>,
}

impl<'a> Place<'a> {
    pub(super) const fn new(link: &'a Link, wants: Wants) -> Self {
        Self {
            link,
            wants,
            number: None,
        }
    }

    /// Has the task woken. Of several the last counts that the future was polled by.
    pub(super) fn waits(&mut self, core: &mut Core, waker: &Waker) {
        let waiting = &mut core.waiting;
        let number = *self.number.get_or_insert_with(|| {
            waiting.places += 1;
            waiting.places
        });
        waiting.tasks.insert(number, (self.wants, waker.clone()));
    }

    /// Gives the place back: what was waited for has come.
    pub(super) fn is_left(&mut self, core: &mut Core) {
        if let Some(number) = self.number.take() {
            core.waiting.tasks.remove(&number);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.number.is_some() {
            let mut core = self.link.lock();
            self.is_left(&mut core);
            // It may have been woken for something that is there for another now.
            core.changed();
        }
    }
}

//! A q process, as far as asking and answering go.

use std::collections::{BTreeMap, VecDeque};

use crate::wire::Said;

/// A q process with one handle.
#[derive(Default)]
pub(crate) struct Q {
    /// What it waits for and evaluates, the innermost last.
    pub(crate) stack: Vec<Frame>,
    pub(crate) inbox: VecDeque<Said>,
    /// What it does with each of our messages.
    pub(crate) plans: BTreeMap<i64, Plan>,
    /// Our requests whose answers it has put off.
    pub(crate) put_off: VecDeque<i64>,
    asked: i64,
}

impl Q {
    pub(crate) fn ask(&mut self) -> Said {
        self.asked += 1;
        let number = 100 + self.asked;
        self.stack.push(Frame::Waits(number));
        Said::Sync(number)
    }

    /// Returns whether it evaluates something, or has something to take in.
    pub(crate) fn can_go_on(&self) -> bool {
        matches!(self.stack.last(), Some(Frame::Evaluates { .. })) || !self.inbox.is_empty()
    }

    /// Takes one step. Returns what it sends.
    pub(crate) fn go_on(&mut self) -> Result<Option<Said>, Misattributed> {
        match self.stack.last_mut() {
            Some(Frame::Evaluates { plan, .. }) if plan.calls > 0 => {
                plan.calls -= 1;
                Ok(Some(self.ask()))
            }
            Some(&mut Frame::Evaluates { request, plan }) => {
                self.stack.pop();
                let Some(number) = request else {
                    return Ok(None);
                };
                let defers = match plan.defers {
                    Defers::Never => false,
                    Defers::Idle => self.stack.is_empty(),
                    Defers::Always => true,
                };
                if defers {
                    self.put_off.push_back(number);
                    return Ok(None);
                }
                Ok(Some(Said::Response(number)))
            }
            Some(Frame::Waits(_)) | None => self.take_in().map(|()| None),
        }
    }

    /// Returns whether something that has come will call back.
    pub(crate) fn is_to_call_back(&self) -> bool {
        self.inbox.iter().any(|said| match said {
            Said::Sync(number) | Said::Async(number) => self.plans[number].calls > 0,
            Said::Response(_) | Said::Error(_) => false,
        })
    }

    fn take_in(&mut self) -> Result<(), Misattributed> {
        match self.inbox.pop_front() {
            Some(Said::Sync(number)) => self.evaluate(number, Some(number)),
            Some(Said::Async(number)) => self.evaluate(number, None),
            Some(Said::Response(answer)) => {
                let wanted = match self.stack.pop() {
                    Some(Frame::Waits(number)) => Some(number),
                    Some(Frame::Evaluates { .. }) | None => None,
                };
                if wanted != Some(answer) {
                    return Err(Misattributed { wanted, answer });
                }
            }
            Some(Said::Error(text)) => panic!("we answer with numbers, not with '{text}"),
            None => {}
        }
        Ok(())
    }

    fn evaluate(&mut self, number: i64, request: Option<i64>) {
        let plan = self.plans[&number];
        self.stack.push(Frame::Evaluates { request, plan });
    }
}

#[derive(Debug)]
pub(crate) enum Frame {
    Waits(i64),
    Evaluates {
        /// The request, if it is one and not an async.
        request: Option<i64>,
        plan: Plan,
    },
}

/// What q does with something that we send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How often it calls back, one call after the other.
    pub(crate) calls: usize,
    pub(crate) defers: Defers,
}

impl Plan {
    /// Calls back so often and answers.
    pub(crate) const fn calls(calls: usize) -> Self {
        Self {
            calls,
            defers: Defers::Never,
        }
    }
}

/// When q puts its answer off (`-30!`) until it is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defers {
    Never,
    /// Where it does not wait for us.
    Idle,
    Always,
}

/// A wait of q took the answer to another request, or an answer came that nobody waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misattributed {
    pub(crate) wanted: Option<i64>,
    pub(crate) answer: i64,
}

//! Whether what has come of a run is right, or the documented error.

use std::io::ErrorKind;

use hopen_codec::connection::ProtocolError;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::value::Value;

use crate::conversation::end::{Failure, Transport};
use crate::conversation::fault::{Direction, Errno, Fault, Kind};
use crate::conversation::scenario::{Call, Line, Outcome, Scenario};
use crate::damage::{Bytes, sent, sent_after};
use crate::reference::{After, Reference, Writes, ends_it, reference};
use crate::run::Run;

/// What has come of a run, where it is explained.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// What comes where nothing is wrong.
    Right,
    /// The same, and nothing was wrong: fewer bytes have passed.
    NotReached,
    /// A value that the damaged bytes say.
    Spelled,
    /// As it was, up to an error of this name.
    Error(&'static str),
}

/// Knows what may come of a conversation over a transport.
pub(crate) struct Judge<'a> {
    scenario: &'a Scenario,
    transport: &'a dyn Transport,
    undisturbed: Reference,
    /// What the peer reads where nothing is wrong.
    read: Vec<u8>,
}

impl<'a> Judge<'a> {
    /// Fails where an undisturbed run is not as the scenario and the reference say.
    pub(crate) fn new(scenario: &'a Scenario, transport: &'a dyn Transport, run: &Run) -> Self {
        let undisturbed = reference(scenario, &sent(scenario), After::Closes, None);
        let expected = scenario.ours.iter().flat_map(|step| step.outcomes.clone());
        assert!(
            undisturbed.outcomes.iter().cloned().eq(expected),
            "the reference is wrong"
        );
        let mut read = Vec::new();
        for line in &scenario.theirs {
            if let Line::Expect(bytes) = line {
                read.extend_from_slice(bytes);
            }
        }
        assert!(
            undisturbed.says == read,
            "the reference says something else"
        );
        let judge = Self {
            scenario,
            transport,
            undisturbed,
            read,
        };
        judge.is_undisturbed(run).expect("nothing is wrong");
        judge
    }

    /// Returns what has come of a run, or why it should not have.
    pub(crate) fn verdict(&self, fault: Fault, run: &Run) -> Result<Verdict, String> {
        if !run.has_happened {
            return self.is_undisturbed(run).map(|()| Verdict::NotReached);
        }
        let layer = self.transport.layer();
        match (layer, fault.direction, fault.kind) {
            (
                _,
                _,
                Kind::Split
                | Kind::ByteByByte
                | Kind::PauseUntilRead
                | Kind::PauseUntilStep(_)
                | Kind::Interrupted
                | Kind::NotReady,
            ) => self.is_undisturbed(run).map(|()| Verdict::Right),
            _ if layer.is_encrypted() => self.is_right_or_over(fault, run, &self.undisturbed),
            (_, Direction::ToUs, Kind::Close | Kind::Reset) => {
                let bytes = Bytes::of(self.scenario, fault).bytes;
                let most = reference(self.scenario, &bytes, After::Closes, None);
                self.is_right_or_over(fault, run, &most)
            }
            (_, Direction::FromUs, Kind::Close | Kind::Reset) => {
                let bytes = sent_after(self.scenario, fault.offset);
                let most = reference(self.scenario, &bytes, After::Closes, None);
                self.is_right_or_over(fault, run, &most)
            }
            (_, Direction::ToUs, _) => {
                let bytes = Bytes::of(self.scenario, fault).bytes;
                let after = if let Kind::Fails(errno) = fault.kind {
                    let error = errno.error();
                    After::Fails(self.transport.fails_with(&error), error.kind())
                } else {
                    After::Closes
                };
                self.is_exactly(run, &reference(self.scenario, &bytes, after, None))
            }
            (_, Direction::FromUs, _) => self.is_not_written(fault, run),
        }
    }

    fn is_undisturbed(&self, run: &Run) -> Result<(), String> {
        self.is_exactly(run, &self.undisturbed)?;
        if run.read != self.read || run.is_broken {
            return Err(format!("the peer has read {:02x?}", run.read));
        }
        Ok(())
    }

    /// It is what the reference says, and the peer has got what it was told it has.
    fn is_exactly(&self, run: &Run, expected: &Reference) -> Result<Verdict, String> {
        let is_same = run.outcomes == expected.outcomes && run.rest == expected.rest;
        if !is_same && !self.is_sooner(run, expected) {
            return Err(differs(run, expected));
        }
        let steps = run.outcomes.len() - usize::from(!is_same);
        let acknowledged = expected.acknowledged[..steps].last().copied().unwrap_or(0);
        if !expected.says.starts_with(&run.read) || run.read.len() < acknowledged {
            return Err(format!(
                "the peer has read {:02x?} and should have {:02x?}, {acknowledged} bytes at least",
                run.read, expected.says,
            ));
        }
        if run.outcomes == self.undisturbed.outcomes && run.rest == self.undisturbed.rest {
            return Ok(Verdict::Right);
        }
        // What a step was to receive may come out behind an error, by another call.
        let is_new = |outcome: &Outcome| {
            let is_known = |known: &Outcome| {
                known == outcome || value(known).is_some() && value(known) == value(outcome)
            };
            let is_value = !matches!(outcome, Outcome::Failed(_));
            is_value && !self.undisturbed.outcomes.iter().any(is_known)
        };
        if run.outcomes.iter().chain(&run.rest).any(is_new) {
            return Ok(Verdict::Spelled);
        }
        Ok(Verdict::Error(first_error(run, &self.undisturbed)))
    }

    /// Whoever waits until something is written takes in what comes, and may come upon what ends
    /// the connection before a step asks for that: this step or the next that writes fails. Nothing
    /// is lost then: what had come before comes out behind.
    fn is_sooner(&self, run: &Run, expected: &Reference) -> bool {
        let Some((last, done)) = run.outcomes.split_last() else {
            return false;
        };
        let mut steps = self.scenario.ours.iter();
        let mut outcomes = 0;
        let step = steps.find(|step| {
            outcomes += step.outcomes.len();
            outcomes > done.len()
        });
        let writes = step.is_some_and(|step| {
            matches!(step.call, Call::Flush | Call::Respond(..) | Call::Set(_))
        });
        writes
            && expected.outcomes.starts_with(done)
            && Some(last) == expected.rest.last()
            && Some(last) == run.rest.last()
            && self.received(&run.outcomes, &run.rest)
                == self.received(&expected.outcomes, &expected.rest)
    }

    /// Our writer fails at some byte: every step that needs nothing more to be written is as it
    /// was, and none that does is done.
    fn is_not_written(&self, fault: Fault, run: &Run) -> Result<Verdict, String> {
        let (failure, kind) = if let Kind::Fails(errno) = fault.kind {
            let error = errno.error();
            (self.transport.fails_with(&error), error.kind())
        } else {
            (self.transport.takes_nothing(), ErrorKind::WriteZero)
        };
        let bytes = sent_after(self.scenario, fault.offset);
        let writes = Writes {
            limit: fault.offset,
            failure,
            kind,
        };
        let most = reference(self.scenario, &bytes, After::Nothing, Some(writes));
        let queued = &most.queued;
        let least = queued
            .iter()
            .take_while(|queued| **queued <= fault.offset)
            .count();
        let steps = run.outcomes.len() - 1;
        let most_steps = most.outcomes.len() - 1;
        let is_as_it_was = run.outcomes[..steps] == most.outcomes[..steps.min(most_steps)];
        if steps < least.min(most_steps) || !is_as_it_was {
            return Err(differs(run, &most));
        }
        if run.outcomes.last() != most.outcomes.last() || run.rest.last() != most.rest.last() {
            return Err(differs(run, &most));
        }
        self.is_in_order(run)?;
        let acknowledged = most.acknowledged[..steps].last().copied().unwrap_or(0);
        if !self.read.starts_with(&run.read)
            || !(acknowledged..=fault.offset).contains(&run.read.len())
        {
            return Err(format!(
                "the peer has read {:02x?}, and {acknowledged} bytes at least were to be there",
                run.read
            ));
        }
        Ok(Verdict::Error(first_error(run, &self.undisturbed)))
    }

    /// The connection breaks somewhere, or is damaged beneath TLS: what had come of the steps is as
    /// it was, up to an error that the break may give. No more has come than could.
    fn is_right_or_over(
        &self,
        fault: Fault,
        run: &Run,
        most: &Reference,
    ) -> Result<Verdict, String> {
        if !self.read.starts_with(&run.read) {
            return Err(format!("the peer has read {:02x?}", run.read));
        }
        let is_damaged = matches!(fault.kind, Kind::Flip(_) | Kind::Replace(_));
        if run.outcomes == self.undisturbed.outcomes && run.rest == self.undisturbed.rest {
            let is_seen = fault.direction == Direction::ToUs || fault.offset < run.looked_at;
            if is_damaged && is_seen && run.is_encrypted && !run.is_broken {
                return Err("nobody has noticed".into());
            }
            return Ok(Verdict::Right);
        }
        let steps = run.outcomes.len() - 1;
        let possible = most
            .outcomes
            .get(..steps)
            .ok_or_else(|| differs(run, most))?;
        let Some(Outcome::Failed(failure)) = run.outcomes.last() else {
            return Err(differs(run, most));
        };
        let again = run
            .rest
            .last()
            .is_none_or(|last| Some(last) == run.outcomes.last());
        if run.outcomes[..steps] != *possible || !ends_it(&run.outcomes[steps]) || !again {
            return Err(differs(run, most));
        }
        self.is_in_order(run)?;
        let is_told = fault.direction == Direction::ToUs && is_damaged && run.is_encrypted;
        if is_told && !matches!(failure, Failure::Tls(_)) || !self.may_come(failure, fault.kind) {
            return Err(format!("this error is not documented: {failure:?}"));
        }
        Ok(Verdict::Error(name(failure)))
    }

    /// What was received asynchronously is what the peer has sent, in its order, once.
    fn is_in_order(&self, run: &Run) -> Result<(), String> {
        let sent = self.received(&self.undisturbed.outcomes, &[]);
        let found = self.received(&run.outcomes, &run.rest);
        if sent.starts_with(&found) {
            Ok(())
        } else {
            Err(format!("of {sent:?} have come {found:?}"))
        }
    }

    /// Returns the async messages that came of some steps, and behind them.
    fn received(&self, outcomes: &[Outcome], rest: &[Outcome]) -> Vec<Value> {
        let receives = self.scenario.ours.iter().flat_map(|step| {
            let receives = matches!(step.call, Call::Recv(_) | Call::Receive);
            step.outcomes.iter().map(move |_| receives)
        });
        let of_steps = outcomes.iter().zip(receives);
        let of_steps = of_steps.filter_map(|(outcome, receives)| receives.then_some(outcome));
        let mut values = Vec::new();
        for outcome in of_steps.chain(rest) {
            if let Outcome::Value(value) | Outcome::Async(value) = outcome {
                values.push(value.clone());
            }
        }
        values
    }

    /// Whether an error is one of those that a connection may end with that is cut, closed or reset
    /// somewhere, or damaged beneath TLS.
    fn may_come(&self, failure: &Failure, kind: Kind) -> bool {
        use ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
        };
        let is_encrypted = self.transport.layer().is_encrypted();
        let is_damaged = matches!(kind, Kind::Flip(_) | Kind::Replace(_));
        if let Kind::Fails(errno) = kind {
            // A client takes a connection that is closed over its login for a refusal.
            let refuses = matches!(errno, Errno::ConnectionReset | Errno::BrokenPipe);
            return *failure == self.transport.fails_with(&errno.error())
                || refuses && *failure == Failure::Access;
        }
        if kind == Kind::TakesNothing {
            return *failure == self.transport.takes_nothing();
        }
        if let Failure::Io(kind, _) | Failure::Hop(kind) = failure {
            // NotConnected where it was reset as soon as it was made, UnexpectedEof where TLS's own
            // handshake was cut.
            let is_made = matches!(failure, Failure::Io(..));
            return matches!(kind, ConnectionReset | BrokenPipe | ConnectionAborted)
                || *kind == NotConnected && !is_made
                || *kind == UnexpectedEof && is_encrypted;
        }
        if matches!(failure, Failure::Tls(_) | Failure::Mismatch) {
            return is_encrypted && is_damaged;
        }
        matches!(
            failure,
            Failure::Closed
                | Failure::Access
                | Failure::Login(HandshakeError::LoginCutOff { .. })
                | Failure::Protocol(
                    ProtocolError::Truncated { .. } | ProtocolError::ClosedBeforeResponse
                )
        )
    }
}

/// Returns what was received, however.
const fn value(outcome: &Outcome) -> Option<&Value> {
    match outcome {
        Outcome::Value(value) | Outcome::Async(value) | Outcome::Request(value) => Some(value),
        Outcome::Login(_)
        | Outcome::Opened(_)
        | Outcome::Done
        | Outcome::Closed(_)
        | Outcome::Failed(_) => None,
    }
}

/// Returns the first error that would not have come.
fn first_error(run: &Run, undisturbed: &Reference) -> &'static str {
    let all = run.outcomes.iter().chain(&run.rest);
    let expected = undisturbed.outcomes.iter().chain(&undisturbed.rest);
    let error = |(found, expected): (&Outcome, &Outcome)| {
        if let Outcome::Failed(failure) = found
            && found != expected
        {
            return Some(name(failure));
        }
        None
    };
    all.zip(expected).find_map(error).unwrap_or("another login")
}

fn name(failure: &Failure) -> &'static str {
    match failure {
        Failure::Access => "access",
        Failure::Login(_) => "login",
        Failure::Timeout(_) => "timeout",
        Failure::Remote(_) => "remote",
        Failure::Send(_) => "send",
        Failure::QueueFull => "queue",
        Failure::BadMessage(_) => "badmsg",
        Failure::Protocol(ProtocolError::Truncated { .. }) => "truncated",
        Failure::Protocol(ProtocolError::ClosedBeforeResponse) => "unanswered",
        Failure::Protocol(ProtocolError::Frame(_)) => "frame",
        Failure::Protocol(_) => "protocol",
        Failure::KeptAsyncs => "kept",
        Failure::Hop(_) => "hop",
        Failure::Io(..) => "conn",
        Failure::Tls(_) => "tls",
        Failure::Mismatch => "mismatch",
        Failure::Closed => "close",
        Failure::Other(_) => "other",
    }
}

fn differs(run: &Run, expected: &Reference) -> String {
    let all = [&run.outcomes, &run.rest, &expected.outcomes, &expected.rest];
    let [came, rest, expected, expected_rest] = all.map(|outcomes| {
        outcomes
            .iter()
            .map(shortened)
            .collect::<Vec<_>>()
            .join(", ")
    });
    format!("came {came}, then {rest}; should come {expected}, then {expected_rest}")
}

fn shortened(outcome: &Outcome) -> String {
    format!("{outcome:?}").chars().take(SHOWN).collect()
}

/// How many characters of an outcome are shown.
const SHOWN: usize = 100;

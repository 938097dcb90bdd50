//! Runs a scenario and records what came of it.

use std::iter;
use std::sync::mpsc::{self, Sender};
use std::thread;

use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::end::{Connect, End, Ends, Failure, Message, Transport};
use crate::peer::{self, Way};
use crate::scenario::{Call, Outcome, Scenario};
use crate::watchdog;

/// What came of a run.
#[derive(Clone, PartialEq)]
pub(crate) struct Record {
    outcomes: Vec<Outcome>,
    /// What the peer has read, or what was wrong with that.
    read: Result<Vec<u8>, String>,
}

impl Record {
    /// Fails where it did not go as the scenario says.
    pub(crate) fn check(&self, name: &str, scenario: &Scenario) {
        let expected = scenario.ours.iter().flat_map(|step| &step.outcomes);
        for (number, (found, expected)) in self.outcomes.iter().zip(expected.clone()).enumerate() {
            assert!(
                found == expected,
                "{name}: outcome {number} is\n{}\nand should be\n{}\n{}",
                shortened(found),
                shortened(expected),
                self.read.as_ref().err().map_or("", String::as_str),
            );
        }
        assert_eq!(self.outcomes.len(), expected.count(), "{name}");
        if let Err(fault) = &self.read {
            panic!("{name}: the peer: {fault}");
        }
    }
}

/// Runs a scenario over a transport.
pub(crate) fn run(name: &str, scenario: &Scenario, transport: &dyn Transport, way: Way) -> Record {
    let Ends { ours, theirs } = transport.connect(&scenario.opening);
    let (teller, told) = mpsc::channel();
    let script = scenario.theirs.clone();
    let scenario = scenario.clone();
    watchdog::ends(name, move || {
        let peer = thread::spawn(move || {
            let wire = theirs().map_err(|error| error.to_string())?;
            peer::follow(&script, way, wire, &told)
        });
        let mut program = Program {
            connect: Some(ours),
            end: None,
            tickets: Vec::new(),
            teller,
        };
        let mut outcomes = Vec::new();
        for step in &scenario.ours {
            let found = program.call(&step.call, &scenario);
            let goes_on = found == step.outcomes;
            outcomes.extend(found);
            if !goes_on {
                break;
            }
        }
        program.finish();
        let read = peer.join().expect("the peer does not panic");
        Record { outcomes, read }
    })
}

/// What runs at our end.
struct Program {
    connect: Option<Connect>,
    end: Option<Box<dyn End>>,
    tickets: Vec<Option<Ticket>>,
    teller: Sender<()>,
}

impl Program {
    fn call(&mut self, call: &Call, scenario: &Scenario) -> Vec<Outcome> {
        if let Call::Open(timeout) = call {
            let connect = self.connect.take().expect("a scenario opens once");
            let opened = connect(scenario.opening.clone(), scenario.config.clone(), *timeout);
            let login = opened.login.map(Outcome::Login);
            let end = match opened.end {
                Ok(Some(end)) => {
                    let capability = end.capability();
                    self.end = Some(end);
                    Some(Outcome::Opened(capability))
                }
                Ok(None) => None,
                Err(failure) => Some(Outcome::Failed(failure)),
            };
            return login.into_iter().chain(end).collect();
        }
        vec![self.call_open(call).unwrap_or_else(Outcome::Failed)]
    }

    /// Writes what waits and closes.
    fn finish(self) {
        if let Some(mut end) = self.end {
            // A peer that is ahead has answered what is not written yet. Where the connection has
            // ended this fails, and what the peer was to read is for its script to say.
            let _ = end.flush();
        }
    }

    fn call_open(&mut self, call: &Call) -> Result<Outcome, Failure> {
        let end = self.end.as_mut().expect("a scenario opens first");
        match call {
            Call::Open(_) => unreachable!("it is open"),
            Call::Get(query, timeout) => end.get(query.clone(), *timeout).map(Outcome::Value),
            Call::Set(message) => end.set(message.clone()).map(|()| Outcome::Done),
            Call::TrySet(message) => end.try_set(message.clone()).map(|()| Outcome::Done),
            Call::Flush => end.flush().map(|()| Outcome::Done),
            Call::Recv(timeout) => end.recv(*timeout).map(Outcome::Value),
            Call::Receive => Ok(match end.receive()? {
                Message::Async(value) => Outcome::Async(value),
                Message::Request(ticket, value) => {
                    self.tickets.push(Some(ticket));
                    Outcome::Request(value)
                }
            }),
            Call::Respond(request, answer) => {
                let ticket = self.tickets.get_mut(*request).and_then(Option::take);
                let answer: Result<Value, RemoteError> = answer.clone();
                end.respond(ticket.expect("it was asked"), answer)?;
                Ok(Outcome::Done)
            }
            Call::Close => {
                let end = self.end.take().expect("it is open");
                Ok(Outcome::Closed(end.close()))
            }
            Call::Tell => {
                // If the peer has gone it says why.
                let _ = self.teller.send(());
                Ok(Outcome::Done)
            }
        }
    }
}

/// Returns the start of what may be long.
fn shortened(outcome: &Outcome) -> String {
    let text = format!("{outcome:?}");
    let dots = iter::repeat_n('…', usize::from(text.chars().count() > SHOWN));
    text.chars().take(SHOWN).chain(dots).collect()
}

/// How many characters of an outcome are shown.
const SHOWN: usize = 1000;

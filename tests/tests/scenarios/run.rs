//! Runs a scenario and records what came of it.

use std::iter;
use std::sync::{Arc, mpsc};
use std::thread;

use crate::conversation::end::{Ends, Transport};
use crate::conversation::fault::Faults;
use crate::conversation::program::Program;
use crate::conversation::scenario::{Outcome, Scenario};
use crate::peer::{self, Way};
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
    let Ends { ours, theirs } = transport.connect(&scenario.opening, &Arc::new(Faults::none()));
    let (teller, told) = mpsc::channel();
    let script = scenario.theirs.clone();
    let scenario = scenario.clone();
    watchdog::ends(name, move || {
        let peer = thread::spawn(move || {
            let wire = theirs().map_err(|error| error.to_string())?;
            peer::follow(&script, way, wire, &told)
        });
        let mut program = Program::new(ours, teller);
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

/// Returns the start of what may be long.
fn shortened(outcome: &Outcome) -> String {
    let text = format!("{outcome:?}");
    let dots = iter::repeat_n('…', usize::from(text.chars().count() > SHOWN));
    text.chars().take(SHOWN).chain(dots).collect()
}

/// How many characters of an outcome are shown.
const SHOWN: usize = 1000;

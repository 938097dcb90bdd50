//! Runs a conversation with a fault, and records what comes of it.

use std::io::{self, Read, Write};
use std::sync::{Arc, mpsc};
use std::thread;

use crate::conversation::end::{Ends, Transport, Wire};
use crate::conversation::fault::{Direction, Fault, Faults, Layer};
use crate::conversation::program::Program;
use crate::conversation::scenario::{Call, Line, Outcome, Scenario};
use crate::damage::Bytes;
use crate::reference::ends_it;
use crate::watchdog;

/// What has come of a run.
pub(crate) struct Run {
    /// What has come of the steps, up to the first failure that ends the connection.
    pub(crate) outcomes: Vec<Outcome>,
    /// What is received behind that, up to the same failure again.
    pub(crate) rest: Vec<Outcome>,
    /// What the peer has read.
    pub(crate) read: Vec<u8>,
    /// Whether the peer found less than it expected, or could not go on.
    pub(crate) is_broken: bool,
    /// Whether what was to happen has happened.
    pub(crate) has_happened: bool,
    /// Whether what was damaged is encrypted. What frames it is not, and the version there TLS says
    /// to ignore.
    pub(crate) is_encrypted: bool,
    /// How many bytes had come to the peer when it closed: what comes later nobody looks at.
    pub(crate) looked_at: usize,
    /// How many bytes went to us and from us, on the wire.
    pub(crate) passed: [usize; 2],
}

/// Runs a conversation over a transport.
pub(crate) fn run(scenario: &Scenario, transport: &dyn Transport, fault: Option<Fault>) -> Run {
    let layer = transport.layer();
    let faults = Arc::new(Faults::new(fault, layer));
    let Ends { ours, theirs } = transport.connect(&scenario.opening, &faults);
    let says = match fault {
        Some(fault) if !layer.is_encrypted() => Bytes::of(scenario, fault).says,
        _ => usize::MAX,
    };
    let name = format!("{} over {}, {fault:?}", scenario.name, transport.name());
    let scenario = scenario.clone();
    watchdog::ends(name, move || {
        let script = scenario.theirs.clone();
        let watched = Arc::clone(&faults);
        let peer = thread::spawn(move || Peer::follow(&script, theirs, layer, says, &watched));
        let (teller, _told) = mpsc::channel();
        let mut program = Program::new(ours, teller);
        let mut outcomes = Vec::new();
        let mut is_open = true;
        for (number, step) in scenario.ours.iter().enumerate() {
            faults.begins(number);
            outcomes.extend(program.call(&step.call, &scenario));
            if outcomes.last().is_some_and(ends_it) {
                is_open = !matches!(step.call, Call::Open(_));
                break;
            }
        }
        faults.begins(usize::MAX);
        let mut rest = Vec::new();
        while is_open && !rest.last().is_some_and(ends_it) {
            rest.extend(program.call(&Call::Recv(None), &scenario));
        }
        program.leave();
        let peer = peer.join().expect("the peer does not panic");
        Run {
            outcomes,
            rest,
            read: peer.read,
            is_broken: peer.is_broken,
            looked_at: peer.looked_at,
            is_encrypted: faults.is_encrypted(),
            has_happened: faults.has_happened(),
            passed: [Direction::ToUs, Direction::FromUs].map(|direction| faults.passed(direction)),
        }
    })
}

/// A peer that goes on as long as it can, and reads whatever comes for what it expects.
struct Peer {
    reader: Option<Box<dyn Read + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    read: Vec<u8>,
    is_broken: bool,
    looked_at: usize,
}

impl Peer {
    /// Follows the script, and closes after it has written `says` bytes or more.
    fn follow(
        script: &[Line],
        connect: Box<dyn FnOnce() -> io::Result<Wire> + Send>,
        layer: Layer,
        says: usize,
        faults: &Faults,
    ) -> Self {
        let mut peer = Self {
            reader: None,
            writer: None,
            read: Vec::new(),
            is_broken: true,
            looked_at: usize::MAX,
        };
        if let Ok(wire) = connect() {
            peer.reader = Some(wire.reader);
            peer.writer = Some(wire.writer);
            peer.is_broken = peer.goes_through(script, says, faults).is_err();
        }
        peer.reader = None;
        if !layer.is_ours() {
            // A socket that is broken is closed. Of two streams only one is broken.
            peer.writer = None;
        }
        peer
    }

    fn goes_through(&mut self, script: &[Line], says: usize, faults: &Faults) -> io::Result<()> {
        let mut said = 0;
        for line in script {
            match line {
                Line::Expect(bytes) => self.expect(bytes.len())?,
                Line::Send(bytes) => {
                    if let Some(writer) = &mut self.writer {
                        writer.write_all(bytes)?;
                    }
                    said += bytes.len();
                    if said >= says {
                        self.writer = None;
                        break;
                    }
                }
                Line::Close => {
                    self.looked_at = faults.passed(Direction::FromUs);
                    self.writer = None;
                }
                Line::Ignore => break,
                Line::Wait => unreachable!("nobody tells this peer anything"),
            }
        }
        let reader = self.reader.as_mut().expect("it is connected");
        reader.read_to_end(&mut self.read).map(drop)
    }

    fn expect(&mut self, count: usize) -> io::Result<()> {
        let reader = self.reader.as_mut().expect("it is connected");
        let read = reader.take(count as u64).read_to_end(&mut self.read)?;
        if read < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

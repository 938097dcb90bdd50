//! What is wrong with the bytes of a connection, as data, and the streams that do it.
//!
//! ```text
//!  Layer::OurStreams           our end ◀─ FaultyReader, ─▶ FaultyWriter ═ pipes ═ peer
//!  Layer::OurStreamsUnderTls   the same, beneath TLS on both sides
//!  Layer::OurPolled            the same two with PolledReader, PolledWriter: streams of futures-io
//!  Layer::OurPolledUnderTls
//!  Layer::PeerSocket           our end ════ socket ════ Faulty ═ peer
//!  Layer::PeerUnderTls         the same, beneath TLS on both sides
//! ```
//!
//! A [`Fault`] happens at one place of one direction, counted in bytes on the wire. Nothing waits
//! for a time: what is delayed waits until the other side has got somewhere.

use core::task::{Context, Poll, Waker};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

mod polled;
mod records;
mod streams;

pub(crate) use polled::{PolledReader, PolledWriter};
use records::{Records, Sense};
pub(crate) use streams::{Faulty, FaultyReader, FaultyWriter, Heard};

/// Where bytes are damaged, which decides what can happen to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// In the reader and the writer that our end was given.
    OurStreams,
    /// There too, beneath our TLS.
    OurStreamsUnderTls,
    /// In the streams of futures-io that our end was given.
    OurPolled,
    /// There too, beneath our TLS.
    OurPolledUnderTls,
    /// At the peer's end of a socket.
    PeerSocket,
    /// There too, beneath the peer's TLS.
    PeerUnderTls,
}

impl Layer {
    /// Returns whether bytes are damaged beneath TLS.
    pub(crate) const fn is_encrypted(self) -> bool {
        match self {
            Self::OurStreams | Self::OurPolled | Self::PeerSocket => false,
            Self::OurStreamsUnderTls | Self::OurPolledUnderTls | Self::PeerUnderTls => true,
        }
    }

    /// Returns whether the streams are ours.
    pub(crate) const fn is_ours(self) -> bool {
        match self {
            Self::OurStreams
            | Self::OurStreamsUnderTls
            | Self::OurPolled
            | Self::OurPolledUnderTls => true,
            Self::PeerSocket | Self::PeerUnderTls => false,
        }
    }
}

/// Something that happens to the bytes of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) direction: Direction,
    /// How many bytes pass before.
    pub(crate) offset: usize,
    pub(crate) kind: Kind,
}

/// Where bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the peer to our end.
    ToUs,
    /// From our end to the peer.
    FromUs,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A read or write ends here.
    Split,
    /// From here on each byte is read or written by itself.
    ByteByByte,
    /// Nothing more is written until the peer has read what was.
    PauseUntilRead,
    /// Nothing more is written until our program has got to this step.
    PauseUntilStep(usize),
    /// Reads and writes are interrupted by a signal, three times.
    Interrupted,
    /// A stream is not ready, and wakes the task at once, three times.
    NotReady,
    /// Nothing more comes; the other direction goes on.
    End,
    /// The peer closes both directions.
    Close,
    /// The peer resets the connection.
    Reset,
    /// The byte has this bit flipped.
    Flip(u8),
    /// The byte is this one instead.
    Replace(u8),
    /// Reading or writing fails from here on.
    Fails(Errno),
    /// Writing takes nothing from here on.
    TakesNothing,
}

/// An error of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errno {
    ConnectionReset,
    BrokenPipe,
    TimedOut,
    WouldBlock,
    StorageFull,
    InputOutput,
    ConnectionAborted,
    NoBuffers,
    NotConnected,
}

impl Errno {
    pub(crate) const ALL: [Self; 9] = [
        Self::ConnectionReset,
        Self::BrokenPipe,
        Self::TimedOut,
        Self::WouldBlock,
        Self::StorageFull,
        Self::InputOutput,
        Self::ConnectionAborted,
        Self::NoBuffers,
        Self::NotConnected,
    ];

    pub(crate) fn error(self) -> io::Error {
        // Linux's numbers on most of its processors, and what std makes of them.
        let (number, kind) = match self {
            Self::ConnectionReset => (104, ErrorKind::ConnectionReset),
            Self::BrokenPipe => (32, ErrorKind::BrokenPipe),
            Self::TimedOut => (110, ErrorKind::TimedOut),
            Self::WouldBlock => (11, ErrorKind::WouldBlock),
            Self::StorageFull => (28, ErrorKind::StorageFull),
            Self::InputOutput => (5, ErrorKind::Other),
            Self::ConnectionAborted => (103, ErrorKind::ConnectionAborted),
            Self::NoBuffers => (105, ErrorKind::OutOfMemory),
            Self::NotConnected => (107, ErrorKind::NotConnected),
        };
        if cfg!(target_os = "linux") {
            io::Error::from_raw_os_error(number)
        } else {
            kind.into()
        }
    }
}

/// What is wrong with a connection, how far its bytes are, and how far those who use it.
pub(crate) struct Faults {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    fault: Option<Fault>,
    to_us: Passage,
    from_us: Passage,
    has_happened: bool,
    /// Whether it has happened to something that TLS has encrypted.
    is_encrypted: bool,
    /// How many signals have interrupted, or how often a stream was not ready.
    signals: usize,
    /// How many bytes the peer has read.
    heard: usize,
    /// The step at which our program is.
    step: usize,
    /// Tasks that wait for either.
    waiting: Vec<Waker>,
}

/// How far a direction is.
#[derive(Default)]
struct Passage {
    passed: usize,
    has_ended: bool,
    /// What TLS frames, where the layer is beneath it.
    records: Option<Records>,
}

impl Faults {
    /// Nothing is wrong; bytes are only counted.
    pub(crate) fn none() -> Self {
        Self::new(None, Layer::PeerSocket)
    }

    pub(crate) fn new(fault: Option<Fault>, layer: Layer) -> Self {
        let passage = || Passage {
            records: layer.is_encrypted().then(Records::default),
            ..Passage::default()
        };
        Self {
            state: Mutex::new(State {
                fault,
                to_us: passage(),
                from_us: passage(),
                has_happened: false,
                is_encrypted: false,
                signals: 0,
                heard: 0,
                step: 0,
                waiting: Vec::new(),
            }),
            changed: Condvar::new(),
        }
    }

    /// Returns whether the bytes have got to where something is wrong.
    pub(crate) fn has_happened(&self) -> bool {
        self.lock().has_happened
    }

    /// Returns whether that is something that TLS has encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.lock().is_encrypted
    }

    /// Returns how many bytes have passed.
    pub(crate) fn passed(&self, direction: Direction) -> usize {
        self.lock().passage(direction).passed
    }

    /// Returns whether the connection has been reset.
    fn has_reset(&self) -> bool {
        let state = self.lock();
        let is_reset = state.fault.is_some_and(|fault| fault.kind == Kind::Reset);
        is_reset && state.has_happened
    }

    /// Is told at which step our program is.
    pub(crate) fn begins(&self, step: usize) {
        let mut state = self.lock();
        state.step = step;
        self.tell(state);
    }

    fn hears(&self, count: usize) {
        let mut state = self.lock();
        state.heard = state.heard.saturating_add(count);
        self.tell(state);
    }

    fn tell(&self, mut state: MutexGuard<'_, State>) {
        let waiting = core::mem::take(&mut state.waiting);
        drop(state);
        self.changed.notify_all();
        for waker in waiting {
            waker.wake();
        }
    }

    /// Reads what may be read, and damages it.
    fn read(
        &self,
        direction: Direction,
        room: &mut [u8],
        stream: &mut impl Read,
    ) -> io::Result<usize> {
        let room = match self.turn(direction, room.len()) {
            Turn::Pass(count) => &mut room[..count],
            Turn::Ends | Turn::TakesNothing => return Ok(0),
            Turn::Fails(error) => return Err(error),
            Turn::Breaks(_) => return Err(ErrorKind::ConnectionReset.into()),
            Turn::Waits | Turn::NotReady => unreachable!("this thread waits"),
        };
        let count = stream.read(room)?;
        self.has_read(direction, &mut room[..count]);
        Ok(count)
    }

    /// Damages what was read.
    fn has_read(&self, direction: Direction, bytes: &mut [u8]) {
        let read = bytes.to_vec();
        let mut state = self.lock();
        if state.damage(direction, bytes) == Sense::Lost {
            state.passage(direction).has_ended = true;
        }
        state.passes(direction, &read);
    }

    /// Writes what may be written, damaged.
    fn write<S: Write>(
        &self,
        direction: Direction,
        bytes: &[u8],
        stream: &mut S,
        break_off: impl Fn(&mut S, Break) -> io::Result<()>,
    ) -> io::Result<usize> {
        let bytes = match self.turn(direction, bytes.len()) {
            Turn::Pass(count) => &bytes[..count],
            // The writer is not told.
            Turn::Ends => {
                break_off(stream, Break::End)?;
                return Ok(bytes.len());
            }
            Turn::TakesNothing => return Ok(0),
            Turn::Fails(error) => return Err(error),
            Turn::Breaks(how) => {
                break_off(stream, how)?;
                return Err(ErrorKind::ConnectionReset.into());
            }
            Turn::Waits | Turn::NotReady => unreachable!("this thread waits"),
        };
        let mut damaged = bytes.to_vec();
        let sense = self.lock().damage(direction, &mut damaged);
        if sense == Sense::Lost {
            stream.write_all(&damaged)?;
            let mut state = self.lock();
            state.passes(direction, bytes);
            state.passage(direction).has_ended = true;
            drop(state);
            break_off(stream, Break::End)?;
            return Ok(bytes.len());
        }
        let count = stream.write(&damaged)?;
        self.lock().passes(direction, &bytes[..count]);
        Ok(count)
    }

    /// Decides about the next bytes of a direction, of which there are so many or room for them, and
    /// waits where they are delayed.
    fn turn(&self, direction: Direction, wanted: usize) -> Turn {
        let mut state = self.lock();
        loop {
            let turn = state.turn(direction, wanted);
            if !matches!(turn, Turn::Waits) {
                return turn;
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Decides in the same way, and has the task woken where they are delayed.
    fn poll_turn(&self, direction: Direction, wanted: usize, context: &Context<'_>) -> Poll<Turn> {
        let mut state = self.lock();
        let turn = state.turn(direction, wanted);
        if matches!(turn, Turn::Waits) {
            state.waiting.push(context.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        if matches!(turn, Turn::NotReady) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(turn)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Decides about the next bytes of a direction, of which there are so many or room for them.
    fn turn(&mut self, direction: Direction, wanted: usize) -> Turn {
        let broken = self.fault.filter(|_| self.has_happened);
        match broken.map(|fault| fault.kind) {
            // It was both directions that broke.
            Some(Kind::Close) => return Turn::Breaks(Break::Close),
            Some(Kind::Reset) => return Turn::Breaks(Break::Reset),
            _ => {}
        }
        let passage = self.passage(direction);
        if passage.has_ended {
            return Turn::Ends;
        }
        let passed = passage.passed;
        let Some(fault) = self.fault.filter(|fault| fault.direction == direction) else {
            return Turn::Pass(wanted);
        };
        if let Kind::Flip(_) | Kind::Replace(_) = fault.kind {
            return Turn::Pass(wanted);
        }
        if passed < fault.offset {
            return Turn::Pass(wanted.min(fault.offset - passed));
        }
        if wanted == 0 {
            return Turn::Pass(0);
        }
        self.has_happened = true;
        match fault.kind {
            Kind::ByteByByte => Turn::Pass(1),
            Kind::PauseUntilRead if self.heard < fault.offset => Turn::Waits,
            Kind::PauseUntilStep(step) if self.step < step => Turn::Waits,
            Kind::Interrupted if self.signals < 3 => {
                self.signals += 1;
                Turn::Fails(ErrorKind::Interrupted.into())
            }
            Kind::NotReady if self.signals < 3 => {
                self.signals += 1;
                Turn::NotReady
            }
            Kind::End => Turn::Ends,
            Kind::Close => Turn::Breaks(Break::Close),
            Kind::Reset => Turn::Breaks(Break::Reset),
            Kind::Fails(errno) => Turn::Fails(errno.error()),
            Kind::TakesNothing => Turn::TakesNothing,
            Kind::Split
            | Kind::PauseUntilRead
            | Kind::PauseUntilStep(_)
            | Kind::Interrupted
            | Kind::NotReady
            | Kind::Flip(_)
            | Kind::Replace(_) => Turn::Pass(wanted),
        }
    }

    const fn passage(&mut self, direction: Direction) -> &mut Passage {
        match direction {
            Direction::ToUs => &mut self.to_us,
            Direction::FromUs => &mut self.from_us,
        }
    }

    /// Damages bytes that are about to pass. Says whether TLS can still tell its records apart.
    fn damage(&mut self, direction: Direction, bytes: &mut [u8]) -> Sense {
        let start = self.passage(direction).passed;
        let Some(fault) = self.fault.filter(|fault| fault.direction == direction) else {
            return Sense::Kept;
        };
        let place = fault.offset.checked_sub(start);
        let Some((place, byte)) = place.and_then(|place| Some((place, bytes.get(place).copied()?)))
        else {
            return Sense::Kept;
        };
        let damaged = fault.kind.damaged(byte);
        if damaged == byte {
            return Sense::Kept;
        }
        let sense = match &self.passage(direction).records {
            Some(records) => records.clone().sense(&bytes[..=place]),
            None => Sense::Kept,
        };
        self.has_happened = true;
        self.is_encrypted = self.passage(direction).records.is_some() && sense == Sense::Kept;
        bytes[place] = damaged;
        sense
    }

    /// Counts bytes that pass, as they were before anything was wrong with them.
    fn passes(&mut self, direction: Direction, bytes: &[u8]) {
        let passage = self.passage(direction);
        passage.passed += bytes.len();
        if let Some(records) = &mut passage.records {
            for byte in bytes {
                records.goes_over(*byte);
            }
        }
    }
}

impl Kind {
    /// Returns what becomes of a byte.
    pub(crate) const fn damaged(self, byte: u8) -> u8 {
        if let Self::Flip(bit) = self {
            byte ^ (1 << bit)
        } else if let Self::Replace(other) = self {
            other
        } else {
            byte
        }
    }
}

/// What the next bytes do.
enum Turn {
    /// So many pass.
    Pass(usize),
    Ends,
    TakesNothing,
    Fails(io::Error),
    Breaks(Break),
    /// They come later, when the other side has got somewhere.
    Waits,
    /// They come when they are asked for again.
    NotReady,
}

/// How a peer breaks off.
#[derive(Clone, Copy)]
enum Break {
    End,
    Close,
    Reset,
}

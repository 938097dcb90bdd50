//! What is wrong with the bytes of a connection, as data, and the streams that do it.
//!
//! ```text
//!            Layer::OurStreams                      Layer::PeerSocket, PeerUnderTls
//!  our end ◀── FaultyReader ◀── pipe ◀── peer      our end ◀── socket ◀── Faulty ◀── (TLS) ◀── peer
//!          ──▶ FaultyWriter ──▶ pipe ──▶                   ──▶        ──▶        ──▶       ──▶
//! ```
//!
//! A [`Fault`] happens at one place of one direction, counted in bytes on the wire. Nothing waits
//! for a time: what is delayed waits until the other side has got somewhere.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::wire::{Socket, Stream};

/// Where bytes are damaged, which decides what can happen to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// In the reader and the writer that our end was given.
    OurStreams,
    /// There too, beneath our TLS.
    OurStreamsUnderTls,
    /// At the peer's end of a socket.
    PeerSocket,
    /// There too, beneath the peer's TLS.
    PeerUnderTls,
}

impl Layer {
    /// Returns whether bytes are damaged beneath TLS.
    pub(crate) const fn is_encrypted(self) -> bool {
        matches!(self, Self::OurStreamsUnderTls | Self::PeerUnderTls)
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
    /// How many signals have interrupted.
    signals: usize,
    /// How many bytes the peer has read.
    heard: usize,
    /// The step at which our program is.
    step: usize,
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
                signals: 0,
                heard: 0,
                step: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Returns whether the bytes have got to where something is wrong.
    pub(crate) fn has_happened(&self) -> bool {
        self.lock().has_happened
    }

    /// Returns how many bytes have passed.
    pub(crate) fn passed(&self, direction: Direction) -> usize {
        self.lock().passage(direction).passed
    }

    /// Is told at which step our program is.
    pub(crate) fn begins(&self, step: usize) {
        self.lock().step = step;
        self.changed.notify_all();
    }

    fn hears(&self, count: usize) {
        let mut state = self.lock();
        state.heard = state.heard.saturating_add(count);
        self.changed.notify_all();
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
        };
        let count = stream.read(room)?;
        let read = room[..count].to_vec();
        let mut state = self.lock();
        if state.damage(direction, &mut room[..count]) == Sense::Lost {
            state.passage(direction).has_ended = true;
        }
        state.passes(direction, &read);
        Ok(count)
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

    /// Decides about the next bytes of a direction, of which there are so many or room for them.
    fn turn(&self, direction: Direction, wanted: usize) -> Turn {
        let mut state = self.lock();
        let passage = state.passage(direction);
        if passage.has_ended {
            return Turn::Ends;
        }
        let passed = passage.passed;
        let Some(fault) = state.fault.filter(|fault| fault.direction == direction) else {
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
        state.has_happened = true;
        match fault.kind {
            Kind::ByteByByte => Turn::Pass(1),
            Kind::PauseUntilRead => {
                let wait = |state: &mut State| state.heard < fault.offset;
                drop(self.changed.wait_while(state, wait));
                Turn::Pass(wanted)
            }
            Kind::PauseUntilStep(step) => {
                let wait = |state: &mut State| state.step < step;
                drop(self.changed.wait_while(state, wait));
                Turn::Pass(wanted)
            }
            Kind::Interrupted if state.signals < 3 => {
                state.signals += 1;
                Turn::Fails(ErrorKind::Interrupted.into())
            }
            Kind::End => Turn::Ends,
            Kind::Close => Turn::Breaks(Break::Close),
            Kind::Reset => Turn::Breaks(Break::Reset),
            Kind::Fails(errno) => Turn::Fails(errno.error()),
            Kind::TakesNothing => Turn::TakesNothing,
            Kind::Split | Kind::Interrupted | Kind::Flip(_) | Kind::Replace(_) => {
                Turn::Pass(wanted)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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
        match self {
            Self::Flip(bit) => byte ^ (1 << bit),
            Self::Replace(other) => other,
            _ => byte,
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
}

/// How a peer breaks off.
#[derive(Clone, Copy)]
enum Break {
    End,
    Close,
    Reset,
}

/// A reader of ours.
pub(crate) struct FaultyReader<R> {
    inner: R,
    faults: Arc<Faults>,
}

impl<R> FaultyReader<R> {
    pub(crate) const fn new(inner: R, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<R: Read> Read for FaultyReader<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.faults.read(Direction::ToUs, room, &mut self.inner)
    }
}

/// A writer of ours.
pub(crate) struct FaultyWriter<W> {
    inner: W,
    faults: Arc<Faults>,
}

impl<W> FaultyWriter<W> {
    pub(crate) const fn new(inner: W, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<W: Write> Write for FaultyWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let nothing = |_: &mut W, _| Ok(());
        let faults = &self.faults;
        faults.write(Direction::FromUs, bytes, &mut self.inner, nothing)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The peer's reader, where only our streams are faulty: it says how far it is.
pub(crate) struct Heard<R> {
    inner: R,
    faults: Arc<Faults>,
}

impl<R> Heard<R> {
    pub(crate) const fn new(inner: R, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<R: Read> Read for Heard<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(room)?;
        self.faults.hears(count);
        Ok(count)
    }
}

impl<R> Drop for Heard<R> {
    fn drop(&mut self) {
        self.faults.hears(usize::MAX);
    }
}

/// The peer's socket.
pub(crate) struct Faulty<S> {
    inner: S,
    faults: Arc<Faults>,
}

impl<S> Faulty<S> {
    pub(crate) const fn new(inner: S, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl<S: Socket> Read for Faulty<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.faults.read(Direction::FromUs, room, &mut self.inner);
        if read.is_err() && self.resets() {
            self.inner.reset_on_drop()?;
        }
        read
    }
}

impl<S: Socket> Write for Faulty<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let break_off = |stream: &mut S, how| match how {
            Break::End => stream.end_writing(),
            Break::Close => Ok(()),
            Break::Reset => stream.reset_on_drop(),
        };
        let faults = &self.faults;
        faults.write(Direction::ToUs, bytes, &mut self.inner, break_off)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<S: Socket> Stream for Faulty<S> {
    fn end_writing(&mut self) -> io::Result<()> {
        if self.resets() {
            // That would come before the reset.
            return Ok(());
        }
        self.inner.end_writing()
    }
}

impl<S: Socket> Socket for Faulty<S> {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::new(self.inner.try_clone()?, Arc::clone(&self.faults)))
    }

    fn send_at_once(&self) -> io::Result<()> {
        self.inner.send_at_once()
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        self.inner.reset_on_drop()
    }
}

impl<S> Faulty<S> {
    /// Returns whether the connection has been reset.
    fn resets(&self) -> bool {
        let state = self.faults.lock();
        let is_reset = state.fault.is_some_and(|fault| fault.kind == Kind::Reset);
        is_reset && state.has_happened
    }
}

/// Whether who reads damaged bytes can tell where something ends, or waits for what never comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    Kept,
    Lost,
}

/// Where the bytes of a direction are in the records of TLS: 5 bytes with the kind first and the
/// length last, and what is in them, which is encrypted where the kind is 23.
#[derive(Clone, Default)]
struct Records {
    header: Vec<u8>,
    /// How many bytes of the record are to come.
    left: usize,
}

impl Records {
    /// Goes over bytes, and says whether the last of them may be damaged without anybody waiting
    /// for more: one that is encrypted.
    fn sense(mut self, bytes: &[u8]) -> Sense {
        let mut sense = Sense::Lost;
        for byte in bytes {
            sense = self.goes_over(*byte);
        }
        sense
    }

    fn goes_over(&mut self, byte: u8) -> Sense {
        if self.left == 0 {
            self.header.push(byte);
            if let [_, _, _, high, low] = self.header[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
            }
            return Sense::Lost;
        }
        self.left -= 1;
        let is_encrypted = self.header.first() == Some(&23);
        if self.left == 0 {
            self.header.clear();
        }
        if is_encrypted {
            Sense::Kept
        } else {
            Sense::Lost
        }
    }
}

//! What happens to bytes between the codec and the medium.
//!
//! ```text
//!  codec ── outbox ──▶ stage ── wire ──▶ medium
//!        ◀── input ───       ◀── wire ──
//! ```
//!
//! A stage does no I/O. Toward the medium it turns what the codec wrote into what goes on the wire;
//! from the medium it turns what arrived into the codec's input.

use bytes::BytesMut;
use hopen_codec::outbox::Outbox;
use hopen_tls::TlsError;
use zeroize::Zeroize;

mod tls;

pub use tls::Tls;

/// What happens to bytes on their way.
#[expect(
    clippy::exhaustive_enums,
    reason = "a connection is plain or encrypted"
)]
#[derive(Default)]
pub enum Stage {
    /// Nothing: what the codec writes is what goes on the wire, in the same buffers.
    #[default]
    Plain,
    /// They are encrypted.
    Tls(Box<Tls>),
}

/// What has arrived and is not used up. It belongs to whoever reads, so that reading needs no lock.
/// What is left of it is wiped: it may be half a login.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Intake {
    /// The codec's input.
    pub input: BytesMut,
    /// What a stage has not turned into that yet.
    pub wire: BytesMut,
    /// Whether the last read brought much.
    is_busy: bool,
    /// How many bytes have come over the wire.
    came: u64,
}

impl Intake {
    /// Returns whether nothing of a message is there.
    pub fn is_empty(&self) -> bool {
        self.input.is_empty() && self.wire.is_empty()
    }

    /// Returns whether little is to be read: nobody knows whether more than a short message comes.
    pub(crate) fn takes_little(&self) -> bool {
        !self.is_busy && self.is_empty()
    }

    /// Is told how many bytes were read, which says how many are worth a try next.
    pub const fn has_come(&mut self, count: usize) {
        self.came += count as u64;
        self.is_busy = count >= LITTLE;
    }

    /// Returns how many bytes [have come](Self::has_come), where a part of a message is there: more of
    /// it is to follow.
    pub fn half(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.came)
    }

    /// Gives back the memory in which nothing is, for as long as nothing comes.
    pub fn rest(&mut self) {
        self.is_busy = false;
        for buffer in [&mut self.input, &mut self.wire] {
            if buffer.is_empty() {
                *buffer = BytesMut::new();
            }
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.input.zeroize();
        self.wire.zeroize();
    }
}

/// How many bytes are read where nobody knows whether anything comes: most messages are smaller, an
/// idle connection need not keep more, and a buffer has to be filled with zeros before each read.
pub const LITTLE: usize = 4 * 1024;

impl Stage {
    /// Returns what is to be written to the medium, of what the codec has put in the outbox.
    pub fn outgoing<'a>(&'a mut self, outbox: &'a mut Outbox) -> &'a mut Outbox {
        match self {
            Self::Plain => outbox,
            Self::Tls(tls) => tls.outgoing(outbox),
        }
    }

    /// Is told that the medium has taken `count` bytes of [`outgoing`](Self::outgoing), and returns
    /// how many of the codec's are on their way with them, to the last.
    pub fn taken(&mut self, count: usize) -> usize {
        match self {
            Self::Plain => count,
            Self::Tls(tls) => tls.taken(),
        }
    }

    /// Returns how many of the codec's bytes have left the outbox, and have not been taken.
    pub fn pending(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Tls(tls) => tls.pending(),
        }
    }

    /// Returns the buffer to read into and how much to try to read, where the codec has room for
    /// `room` bytes behind its input.
    pub fn buffer<'a>(&self, intake: &'a mut Intake, room: usize) -> (&'a mut BytesMut, usize) {
        match self {
            Self::Plain => (&mut intake.input, room),
            Self::Tls(_) => Tls::buffer(intake),
        }
    }

    /// Turns some of what was read into input of the codec, `room` bytes at most, and returns how
    /// many: 0 where more has to be read first, or nothing more comes.
    pub fn incoming(&mut self, intake: &mut Intake, room: usize) -> Result<usize, TlsError> {
        match self {
            Self::Plain => Ok(0),
            Self::Tls(tls) => tls.incoming(intake, room),
        }
    }

    /// Returns whether something was given to [`outgoing`](Self::outgoing) that will not go.
    pub(crate) const fn is_used_up(&self) -> bool {
        match self {
            Self::Plain => false,
            Self::Tls(tls) => tls.is_used_up(),
        }
    }

    /// Returns whether the other side has said that nothing more comes. A plain one says so by
    /// closing.
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Plain => false,
            Self::Tls(tls) => tls.has_ended(),
        }
    }

    /// Says to the other side that nothing more comes, if there is a way to say so; what says it is
    /// to be written like everything else.
    pub fn end(&mut self) {
        match self {
            Self::Plain => {}
            Self::Tls(tls) => tls.end(),
        }
    }

    /// Drops what has left the outbox and not been taken, and returns how many bytes of the codec's
    /// that were.
    pub fn drop_unsent(&mut self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Tls(tls) => tls.drop_unsent(),
        }
    }
}

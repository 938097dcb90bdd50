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
use zeroize::Zeroize;

/// What happens to bytes on their way.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Nothing: what the codec writes is what goes on the wire, in the same buffers.
    Plain,
}

/// What has arrived and is not used up. It belongs to whoever reads, so that reading needs no lock.
/// What is left of it is wiped: it may be half a login.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    /// The codec's input.
    pub(crate) input: BytesMut,
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.input.zeroize();
    }
}

impl Stage {
    /// Returns what is to be written to the medium, of what the codec has put in the outbox.
    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "a stage that encrypts is another one afterwards"
    )]
    pub(crate) fn outgoing<'a>(&mut self, outbox: &'a mut Outbox) -> &'a mut Outbox {
        match self {
            Self::Plain => outbox,
        }
    }

    /// Returns the buffer to read into and how much to try to read, where the codec has room for
    /// `room` bytes behind its input.
    pub(crate) fn buffer<'a>(
        &self,
        intake: &'a mut Intake,
        room: usize,
    ) -> (&'a mut BytesMut, usize) {
        match self {
            Self::Plain => (&mut intake.input, room),
        }
    }
}

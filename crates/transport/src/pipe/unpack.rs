//! What unpacks the bytes of a pipe, if they are packed.

use hopen_codec::gzip::{Gunzip, GzipError};

/// A gzip stage, and what was read and is not unpacked.
pub(super) struct Unpack {
    gunzip: Gunzip,
    /// From `taken` to `arrived` it is not unpacked, and what is behind is to be read to.
    packed: Vec<u8>,
    taken: usize,
    arrived: usize,
}

impl Unpack {
    /// Begins with what has come already, and reads so many bytes at once.
    pub(super) fn new(come: &[u8], at_once: usize) -> Self {
        let mut packed = come.to_vec();
        packed.resize(packed.len().max(at_once), 0);
        Self {
            gunzip: Gunzip::default(),
            packed,
            taken: 0,
            arrived: come.len(),
        }
    }

    /// Unpacks as much as there is room for. Nothing says that more has to be read.
    pub(super) fn unpack(&mut self, room: &mut [u8]) -> Result<usize, GzipError> {
        let mut input = self
            .packed
            .get(self.taken..self.arrived)
            .unwrap_or_default();
        let outcome = self.gunzip.receive(&mut input, room);
        self.taken = self.arrived - input.len();
        outcome
    }

    /// Is told that nothing more comes.
    pub(super) fn end(&self) -> Result<(), GzipError> {
        self.gunzip.receive_eof()
    }

    /// Returns where to read to, behind what is not unpacked: all of it, once everything is.
    pub(super) fn room_mut(&mut self) -> &mut [u8] {
        let unread = self.unread();
        self.packed.get_mut(unread..).unwrap_or_default()
    }

    /// Returns the same to look at.
    pub(super) fn room(&self) -> &[u8] {
        self.packed.get(self.unread()..).unwrap_or_default()
    }

    /// Is told how much was read to it.
    pub(super) fn came(&mut self, count: usize) {
        let unread = self.unread();
        if unread == 0 {
            self.taken = 0;
        }
        self.arrived = unread + count;
    }

    /// Returns from where on nothing is to be kept.
    const fn unread(&self) -> usize {
        if self.taken == self.arrived {
            0
        } else {
            self.arrived
        }
    }
}

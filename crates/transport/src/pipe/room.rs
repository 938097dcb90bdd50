//! How more comes into a pipe's input: by reading, or by unpacking what was read.

use core::fmt;
use core::ops::{Deref, DerefMut};
use std::io;

use bytes::BytesMut;

use super::Inflow;
use crate::error::{PipeError, PipeErrorKind};

/// Where to read to. Dropped, it leaves the [`Inflow`] as it was: nothing was read.
#[must_use = "without being told what was read it forgets it"]
pub struct Room<'i> {
    inflow: &'i mut Inflow,
    /// Where in the input it begins, and with that how much of the input was there before.
    start: usize,
}

impl Room<'_> {
    /// Is told what came of reading once. Nothing read is the end of the pipe, which is not asked
    /// again; a signal does not count.
    ///
    /// # Errors
    ///
    /// Where reading failed. It may be tried again.
    pub fn filled(self, outcome: io::Result<usize>) -> Result<(), PipeError> {
        match outcome {
            Ok(count) => {
                // No more than there was room for, whatever the reader says.
                let count = count.min(self.len());
                // Without room nothing is no end.
                self.inflow.ended |= count == 0 && !self.is_empty();
                self.came(count);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(self.inflow.error(self.start, PipeErrorKind::Read(error))),
        }
    }

    fn came(mut self, count: usize) {
        match &mut self.inflow.unpack {
            Some(unpack) => unpack.came(count),
            None => self.start += count,
        }
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.inflow.input.truncate(self.start);
    }
}

impl Deref for Room<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.inflow.unpack {
            Some(unpack) => unpack.room(),
            None => self.inflow.input.get(self.start..).unwrap_or_default(),
        }
    }
}

impl DerefMut for Room<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.inflow.unpack {
            Some(unpack) => unpack.room_mut(),
            None => self.inflow.input.get_mut(self.start..).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Room<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room")
            .field("bytes", &self.len())
            .finish_non_exhaustive()
    }
}

impl Inflow {
    /// Returns where to read to: as many bytes as were [asked for](super::Next::Read), or as are read of what
    /// is packed.
    pub fn room(&mut self, count: usize) -> Room<'_> {
        let start = self.input.len();
        if self.unpack.is_none() {
            self.input.resize(start + count, 0);
        }
        Room {
            inflow: self,
            start,
        }
    }

    /// Gets up to `count` bytes more behind the input, in a buffer that is used again where it can be.
    pub(super) fn more(&mut self, count: usize) -> Result<More, PipeError> {
        let held = self.input.len();
        if held < LEAST_READ && self.input.capacity() > 4 * Self::LARGEST_READ {
            // What is left of the buffer of a long line is not for others to fill.
            let mut fresh = BytesMut::with_capacity(held + Self::LARGEST_READ);
            fresh.extend_from_slice(&self.input);
            self.input = fresh;
        }
        if self.input.capacity() - held < LEAST_READ {
            self.input.reserve(Self::LARGEST_READ);
        }
        let spare = self.input.capacity() - held;
        self.more_to(count.min(spare).min(Self::LARGEST_READ))
    }

    /// Gets up to `room` bytes more behind the input: what is read already and packed, or what has to
    /// be read.
    pub(super) fn more_to(&mut self, room: usize) -> Result<More, PipeError> {
        let Some(unpack) = &mut self.unpack else {
            return Ok(if self.ended {
                More::Ended
            } else {
                More::Read(room)
            });
        };
        let start = self.input.len();
        self.input.resize(start + room, 0);
        let outcome = unpack.unpack(self.input.get_mut(start..).unwrap_or_default());
        let count = *outcome.as_ref().unwrap_or(&0);
        self.input.truncate(start + count);
        let outcome = outcome.and_then(|count| {
            if count > 0 {
                Ok(More::Came)
            } else if self.ended {
                unpack.end().map(|()| More::Ended)
            } else {
                Ok(More::Read(room))
            }
        });
        outcome.map_err(|error| self.error(start, PipeErrorKind::Gzip(error)))
    }
}

/// What became of getting more.
pub(super) enum More {
    Came,
    Read(usize),
    Ended,
}

/// The least room that is worth a read.
const LEAST_READ: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_is_given_up_leaves_nothing() {
        for packed in [false, true] {
            let mut inflow = Inflow::default();
            inflow.input.extend_from_slice(b"ab");
            if packed {
                inflow.gunzip();
            }
            let before = inflow.input.len();
            let mut room = inflow.room(10);
            room.fill(b'x');
            drop(room);
            assert_eq!(inflow.input.len(), before);
            assert!(!inflow.ended);
        }
    }
}

//! Where a pipe's bytes come from: the reader, and what unpacks them if they are packed.

use std::io::{self, Read};

use hopen_codec::gzip::Gunzip;

use super::{LARGEST_READ, PipeErrorKind};

/// A reader, with a gzip stage behind it or without.
pub(super) struct Source<R> {
    reader: R,
    stage: Option<Box<Stage>>,
    /// Whether the reader has come to its end. It is not asked again: a pipe would start anew with
    /// the next writer, a terminal with the next line.
    ended: bool,
}

struct Stage {
    gunzip: Gunzip,
    /// What was read and is not unpacked, from `taken` to `arrived`.
    packed: Vec<u8>,
    taken: usize,
    arrived: usize,
}

impl<R: Read> Source<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self {
            reader,
            stage: None,
            ended: false,
        }
    }

    #[cfg(test)]
    pub(super) const fn reader(&self) -> &R {
        &self.reader
    }

    /// Puts a gzip stage behind the reader and gives it what has come already. Returns whether there
    /// was none.
    pub(super) fn gunzip(&mut self, come: &[u8]) -> bool {
        if self.stage.is_some() {
            return false;
        }
        let mut packed = come.to_vec();
        packed.resize(packed.len().max(LARGEST_READ), 0);
        self.stage = Some(Box::new(Stage {
            gunzip: Gunzip::default(),
            packed,
            taken: 0,
            arrived: come.len(),
        }));
        true
    }

    /// Reads, as a reader does: no more than once, but that a packed stream may need more to give
    /// one byte. Nothing is its end.
    pub(super) fn read(&mut self, room: &mut [u8]) -> Result<usize, PipeErrorKind> {
        if room.is_empty() {
            return Ok(0);
        }
        let Some(stage) = &mut self.stage else {
            return read(&mut self.reader, room, &mut self.ended).map_err(PipeErrorKind::Read);
        };
        loop {
            let count = stage.unpack(room)?;
            if count > 0 {
                return Ok(count);
            }
            if self.ended {
                stage.gunzip.receive_eof().map_err(PipeErrorKind::Gzip)?;
                return Ok(0);
            }
            stage.taken = 0;
            stage.arrived = 0;
            stage.arrived = read(&mut self.reader, &mut stage.packed, &mut self.ended)
                .map_err(PipeErrorKind::Read)?;
        }
    }
}

impl Stage {
    /// Unpacks as much as there is room for. Nothing says that more has to be read.
    fn unpack(&mut self, room: &mut [u8]) -> Result<usize, PipeErrorKind> {
        let mut input = self
            .packed
            .get(self.taken..self.arrived)
            .unwrap_or_default();
        let outcome = self.gunzip.receive(&mut input, room);
        self.taken = self.arrived - input.len();
        outcome.map_err(PipeErrorKind::Gzip)
    }
}

/// Reads once; a signal does not count.
fn read(reader: &mut impl Read, room: &mut [u8], ended: &mut bool) -> io::Result<usize> {
    while !*ended {
        match reader.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // No more than there was room for, whatever the reader says.
            Ok(count) if count > 0 => return Ok(count.min(room.len())),
            Ok(_) => *ended = true,
            Err(error) => return Err(error),
        }
    }
    Ok(0)
}

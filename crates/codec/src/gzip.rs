//! Unpacking gzip, in front of pipes and files.
//!
//! ```text
//! 1f 8b 08 flags  time  xfl os │ extra │ name 00 │ comment 00 │ crc16 │ data │ crc32 length
//! 1  1  1  1      4     1   1  │ 2+n   │ n+1     │ n+1        │ 2     │ n    │ 4     4
//!                                4       8         10 (hex)     2               the flag
//! └ a member; another may follow, and behind the last one any number of zeros
//! ```
//!
//! Numbers are little endian. The data are in the deflate format, the CRC and the length (its lowest
//! 32 bits) those of the unpacked bytes. Source: [RFC 1952](https://www.rfc-editor.org/rfc/rfc1952);
//! what may stand between and behind members was observed with gzip 1.12.
//!
//! [`Gunzip`] takes packed bytes and fills the room that it is given: what a few bytes unpack to may
//! be a thousand times as long, and comes as fast as the caller asks for it.
//!
//! ```
//! use hopen_codec::gzip::Gunzip;
//!
//! // printf 'hello' | gzip -n
//! let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";
//! let mut gunzip = Gunzip::default();
//! let mut room = [0; 4];
//! let mut input = &packed[..20];
//! assert_eq!(gunzip.receive(&mut input, &mut room)?, 4);
//! assert_eq!(room, *b"hell");
//! assert_eq!(gunzip.receive(&mut input, &mut room)?, 1); // "o"
//! assert_eq!(gunzip.receive(&mut input, &mut room)?, 0); // more bytes needed
//! input = &packed[20..];
//! assert_eq!(gunzip.receive(&mut input, &mut room)?, 0); // the CRC and the length are right
//! gunzip.receive_eof()?;
//! # Ok::<(), hopen_codec::gzip::GzipError>(())
//! ```

use core::fmt;

use bytes::Buf;
use flate2::{Crc, Decompress, FlushDecompress, Status};

mod error;
mod header;

pub use error::GzipError;

use header::{Header, MAGIC};

/// Unpacks a stream of gzip members, one behind the other, as gzip itself does.
///
/// [`receive`](Self::receive) takes packed bytes and fills room with unpacked ones, until it returns
/// nothing: then more input is needed. [`receive_eof`](Self::receive_eof) says whether the stream may
/// end there.
///
/// It holds 32 KiB of unpacked bytes and as much again to look back at, whatever the stream promises.
/// Its `Debug` form shows none of them.
pub struct Gunzip {
    state: State,
    inflate: Decompress,
    /// Of what the member has unpacked to so far.
    crc: Crc,
    /// What is unpacked and was not yet taken, from `taken` on.
    ready: Vec<u8>,
    taken: usize,
    /// How many packed bytes were taken.
    offset: u64,
    failed: Option<GzipError>,
}

/// What comes next.
#[derive(Debug)]
enum State {
    /// A member: the first, or another one, or zeros. It begins here.
    Boundary { first: bool },
    /// The rest of a header.
    Header(Header),
    /// Deflated data.
    Data,
    /// The rest of the CRC and the length.
    Trailer { bytes: [u8; 8], arrived: usize },
    /// More of the zeros behind the last member.
    Padding,
}

impl Gunzip {
    /// The longest header in bytes: 128 KiB.
    ///
    /// A name or a comment without end would give nothing for ever, to somebody who waits for the
    /// first line. An extra field may have 64 KiB by its own length, which leaves as much for the
    /// two others; file names have some hundred bytes.
    pub const LONGEST_HEADER: u64 = 128 * 1024;

    /// Takes packed bytes from the front of `input`, fills `output` with unpacked ones, and returns
    /// how many these are. 0 says that all of `input` was taken and more is needed (or that there is
    /// no room). What was not taken stays in `input`.
    ///
    /// # Errors
    ///
    /// Where the bytes are no gzip, see [`GzipError`]. What was unpacked before comes out first, also
    /// of a member whose CRC turns out to be wrong. Every later call returns the same error.
    pub fn receive(&mut self, input: &mut impl Buf, output: &mut [u8]) -> Result<usize, GzipError> {
        let mut written = 0;
        while let Some(room) = output.get_mut(written..).filter(|room| !room.is_empty()) {
            let copied = self.hand_out(room);
            written += copied;
            if copied > 0 {
                continue;
            }
            if let Some(error) = self.failed {
                return if written == 0 {
                    Err(error)
                } else {
                    Ok(written)
                };
            }
            match self.step(input) {
                Ok(Step::Done) => {}
                Ok(Step::NeedsInput) => break,
                Err(error) => self.failed = Some(error),
            }
        }
        Ok(written)
    }

    /// Says whether the stream may end here, with the bytes that were taken.
    ///
    /// # Errors
    ///
    /// [`GzipError::Truncated`] in the middle of a member, and where there was none at all. Otherwise
    /// the error that [`receive`](Self::receive) gave.
    pub fn receive_eof(&self) -> Result<(), GzipError> {
        match (self.failed, &self.state) {
            (Some(error), _) => Err(error),
            (None, State::Boundary { first: false } | State::Padding) => Ok(()),
            (
                None,
                State::Boundary { first: true }
                | State::Header(_)
                | State::Data
                | State::Trailer { .. },
            ) => Err(GzipError::Truncated {
                offset: self.offset,
            }),
        }
    }

    /// Copies what is ready to `room`, as far as it goes.
    fn hand_out(&mut self, room: &mut [u8]) -> usize {
        let ready = self.ready.get(self.taken..).unwrap_or_default();
        let count = ready.len().min(room.len());
        let (to, from) = (room.get_mut(..count), ready.get(..count));
        if let (Some(to), Some(from)) = (to, from) {
            to.copy_from_slice(from);
        }
        self.taken += count;
        count
    }

    /// Takes one more byte outside the data, or some bytes of the data.
    fn step(&mut self, input: &mut impl Buf) -> Result<Step, GzipError> {
        if let State::Data = self.state {
            return self.inflate(input);
        }
        if !input.has_remaining() {
            return Ok(Step::NeedsInput);
        }
        let byte = input.get_u8();
        let offset = self.offset;
        self.offset += 1;
        match &mut self.state {
            State::Boundary { first } => {
                self.state = match (byte, *first) {
                    (byte, first) if byte == MAGIC[0] => State::Header(Header::new(offset, first)),
                    (0, false) => State::Padding,
                    (byte, true) => return Err(GzipError::NotGzip { offset, byte }),
                    (_, false) => return Err(GzipError::TrailingGarbage { offset }),
                };
            }
            State::Header(header) => {
                if header.take(byte, offset)? {
                    self.state = State::Data;
                    self.inflate.reset(false);
                    self.crc.reset();
                }
            }
            State::Data => {}
            State::Trailer { bytes, arrived } => {
                if let Some(place) = bytes.get_mut(*arrived) {
                    *place = byte;
                }
                *arrived += 1;
                if *arrived == bytes.len() {
                    let bytes = *bytes;
                    self.state = State::Boundary { first: false };
                    self.check(bytes)?;
                }
            }
            State::Padding if byte == 0 => {}
            State::Padding => return Err(GzipError::TrailingGarbage { offset }),
        }
        Ok(Step::Done)
    }

    /// Unpacks the next bytes. The inflater may have some to give without more input.
    fn inflate(&mut self, input: &mut impl Buf) -> Result<Step, GzipError> {
        let (packed, unpacked) = (self.inflate.total_in(), self.inflate.total_out());
        // It has a window of this size, and what it unpacks at once ends where that does. With room
        // for just so much it keeps nothing back, so that all that precedes a fault comes out.
        let room = WINDOW - (unpacked % WINDOW as u64) as usize;
        self.taken = 0;
        self.ready.resize(room, 0);
        let outcome =
            self.inflate
                .decompress(input.chunk(), &mut self.ready, FlushDecompress::None);
        let taken = self.inflate.total_in() - packed;
        let made = self.inflate.total_out() - unpacked;
        input.advance(taken as usize);
        self.offset += taken;
        self.ready.truncate(made as usize);
        self.crc.update(&self.ready);
        match outcome {
            Ok(Status::StreamEnd) => {
                self.state = State::Trailer {
                    bytes: [0; 8],
                    arrived: 0,
                };
            }
            Ok(Status::Ok | Status::BufError) if taken == 0 && made == 0 => {
                return Ok(Step::NeedsInput);
            }
            Ok(Status::Ok | Status::BufError) => {}
            Err(_) => {
                return Err(GzipError::Corrupt {
                    offset: self.offset,
                });
            }
        }
        Ok(Step::Done)
    }

    /// Checks a member that is complete against its last 8 bytes.
    fn check(&self, trailer: [u8; 8]) -> Result<(), GzipError> {
        let [a, b, c, d, length @ ..] = trailer;
        let offset = self.offset - trailer.len() as u64;
        let (stored, computed) = (u32::from_le_bytes([a, b, c, d]), self.crc.sum());
        if stored != computed {
            return Err(GzipError::Crc {
                offset,
                stored,
                computed,
            });
        }
        let (stored, computed) = (u32::from_le_bytes(length), self.crc.amount());
        if stored != computed {
            return Err(GzipError::Length {
                offset: offset + 4,
                stored,
                computed,
            });
        }
        Ok(())
    }
}

impl Default for Gunzip {
    fn default() -> Self {
        Self {
            state: State::Boundary { first: true },
            inflate: Decompress::new(false),
            crc: Crc::new(),
            ready: Vec::new(),
            taken: 0,
            offset: 0,
            failed: None,
        }
    }
}

impl fmt::Debug for Gunzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gunzip")
            .field("state", &self.state)
            .field("offset", &self.offset)
            .field("ready", &(self.ready.len() - self.taken))
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

enum Step {
    /// Something was taken, or is ready.
    Done,
    NeedsInput,
}

/// How far back deflated data can refer, in bytes.
const WINDOW: usize = 32 * 1024;

#[cfg(test)]
mod tests;

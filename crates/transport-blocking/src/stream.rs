//! Moving bytes between a socket and the codec's buffers.

use std::io::{self, IoSlice, Read, Write};

use bytes::{Buf, BytesMut};
use hopen_codec::outbox::Outbox;

/// Reads up to `wanted` bytes behind what `input` holds, waiting for some. Returns how many came,
/// none where the peer has closed.
pub(crate) fn read(
    mut stream: impl Read,
    input: &mut BytesMut,
    wanted: usize,
) -> io::Result<usize> {
    let start = input.len();
    input.resize(start + wanted, 0);
    let room = input.get_mut(start..).unwrap_or_default();
    let read = loop {
        match stream.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    input.truncate(start + *read.as_ref().unwrap_or(&0));
    read
}

/// Writes some of what waits in the outbox and takes it out. Returns how many bytes that were.
pub(crate) fn write(mut stream: impl Write, outbox: &mut Outbox) -> io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let count = outbox.chunks_vectored(&mut slices);
    let slices = slices.get(..count).unwrap_or_default();
    let written = loop {
        match stream.write_vectored(slices) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => break written?,
        }
    };
    outbox.advance(written);
    Ok(written)
}

/// Returns whether an error says that a socket's time-out has passed.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock)
}

/// How many pieces of the outbox are written at once.
const SLICES: usize = 16;

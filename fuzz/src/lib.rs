//! What the fuzz targets do, a module for each, and what they have in common: how an input is
//! divided, and how a transport delivers it.

use bytes::BytesMut;

pub mod body;
pub mod client_handshake;
pub mod frames;
pub mod gzip;
pub mod listen_address;
pub mod password_file;
pub mod server_handshake;

/// Takes a field of up to 255 bytes from the front of an input: its length, and the field.
pub fn take_field<'a>(input: &mut &'a [u8]) -> &'a [u8] {
    let Some((length, rest)) = input.split_first() else {
        return &[];
    };
    let (field, rest) = rest.split_at(rest.len().min(usize::from(*length)));
    *input = rest;
    field
}

/// Delivers `wire` as a transport does: in chunks of the given sizes (less one) in turn, as far as
/// there is room. `step` takes what has come and returns how much may come next; it is over where
/// that is nothing. Returns what is left of the input and what was not delivered.
pub fn deliver<'a>(
    wire: &'a [u8],
    chunks: &[u8],
    mut step: impl FnMut(&mut BytesMut) -> usize,
) -> (BytesMut, &'a [u8]) {
    let mut input = BytesMut::new();
    let mut chunks = chunks.iter().cycle();
    let mut rest = wire;
    loop {
        let room = step(&mut input);
        assert!(room <= input.capacity() - input.len());
        if room == 0 || rest.is_empty() {
            return (input, rest);
        }
        let chunk = chunks
            .next()
            .map_or(usize::MAX, |size| usize::from(*size) + 1);
        let (now, later) = rest.split_at(chunk.min(room).min(rest.len()));
        input.extend_from_slice(now);
        rest = later;
    }
}

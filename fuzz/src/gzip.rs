//! A gzip stream, in chunks of any sizes and to rooms of any sizes: a field with the sizes of the
//! chunks, a field with those of the rooms, and the stream.

use hopen_codec::gzip::{Gunzip, GzipError};

use crate::take_field;

/// Looks at one input.
pub fn look_at(mut input: &[u8]) {
    let chunks = take_field(&mut input);
    let rooms = take_field(&mut input);
    let outcome = unpack(input, chunks, rooms);
    assert_eq!(outcome, unpack(input, &[], &[]));
    match outcome.error {
        Some(error) => assert!(offset(error) <= input.len() as u64),
        None => assert!(input.len() >= SMALLEST_MEMBER || outcome.plain.len() == MOST_PLAIN),
    }
}

/// What a stream came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The first of the unpacked bytes: a bomb is not blown up.
    plain: Vec<u8>,
    error: Option<GzipError>,
}

/// Unpacks a stream that comes in chunks of the given sizes (less one) in turn, as far as
/// [`MOST_PLAIN`].
fn unpack(mut rest: &[u8], chunks: &[u8], rooms: &[u8]) -> Outcome {
    let mut sizes = chunks.iter().cycle();
    let mut rooms = rooms.iter().cycle();
    let mut gunzip = Gunzip::default();
    let (mut input, mut room) = (&rest[..0], vec![0; LARGEST_ROOM]);
    let mut plain = Vec::new();
    loop {
        let size = rooms
            .next()
            .map_or(LARGEST_ROOM, |size| usize::from(*size) + 1);
        let room = &mut room[..size.min(MOST_PLAIN - plain.len())];
        match gunzip.receive(&mut input, room) {
            Ok(0) if room.is_empty() => return Outcome { plain, error: None },
            Ok(0) => {
                assert!(input.is_empty());
                if rest.is_empty() {
                    let error = gunzip.receive_eof().err();
                    return Outcome { plain, error };
                }
                let size = sizes
                    .next()
                    .map_or(usize::MAX, |size| usize::from(*size) + 1);
                (input, rest) = rest.split_at(size.min(rest.len()));
            }
            Ok(count) => plain.extend_from_slice(&room[..count]),
            Err(error) => {
                assert_eq!(gunzip.receive(&mut input, room), Err(error));
                assert_eq!(gunzip.receive_eof(), Err(error));
                let error = Some(error);
                return Outcome { plain, error };
            }
        }
    }
}

fn offset(error: GzipError) -> u64 {
    match error {
        GzipError::NotGzip { offset, .. }
        | GzipError::UnknownMethod { offset, .. }
        | GzipError::UnknownFlags { offset, .. }
        | GzipError::HeaderTooLong { offset, .. }
        | GzipError::HeaderCrc { offset, .. }
        | GzipError::Corrupt { offset }
        | GzipError::Crc { offset, .. }
        | GzipError::Length { offset, .. }
        | GzipError::TrailingGarbage { offset }
        | GzipError::Truncated { offset } => offset,
        other => panic!("{other:?} is new"),
    }
}

/// Several times what the inflater can look back at.
const MOST_PLAIN: usize = 200_000;
const LARGEST_ROOM: usize = 100_000;
/// A header, an empty block, the CRC and the length.
const SMALLEST_MEMBER: usize = 20;

//! The decompressor. Groups with room to spare on both sides are done without asking for it at
//! each token, and with copies of fixed size that write more than they should: what is too much
//! is overwritten by the tokens after it.

use super::{DecompressError, GROUP, HEADER, LONGEST_MATCH};

/// Returns the `length` bytes that the tokens from `start` on stand for.
pub(super) fn decompress(
    payload: &[u8],
    start: usize,
    length: usize,
) -> Result<Vec<u8>, DecompressError> {
    let mut body = Vec::new();
    if body.try_reserve_exact(length).is_err() {
        let claimed = length as u64 + HEADER;
        return Err(DecompressError::OutOfMemory { claimed });
    }
    let mut state = State {
        read: start,
        written: 0,
        literal: None,
        table: [EMPTY; 256],
    };
    while state.written < length {
        // Zeroed a step ahead of the tokens, in the cache, and never where they do not come.
        let end = length.min(state.written + STEP);
        body.resize(end, 0);
        if end - state.written > GROUP_SPACE {
            state.whole_groups(payload, &mut body)?;
        }
        if length - state.written <= GROUP_SPACE || payload.len() - state.read < GROUP_BYTES {
            body.resize(length.min(state.written + GROUP_SPACE), 0);
            state.group(payload, &mut body, length)?;
        }
    }
    Ok(body)
}

struct State {
    read: usize,
    written: usize,
    /// The byte before, if it is a literal: its place goes into the table with the next byte.
    literal: Option<u8>,
    table: [usize; 256],
}

impl State {
    /// Does groups as long as the largest has room in the payload and in the body.
    fn whole_groups(&mut self, payload: &[u8], body: &mut [u8]) -> Result<(), DecompressError> {
        let mut read = self.read;
        let mut written = self.written;
        let mut literal = self.literal;
        let table = &mut self.table;
        while body.len() - written >= GROUP_SPACE
            && let Some(group) = payload[read..].first_chunk::<GROUP_BYTES>()
        {
            let mut flags = group[0];
            let mut used = 1;
            for _ in 0..GROUP {
                if flags & 1 == 0 {
                    let byte = group[used];
                    body[written] = byte;
                    if let Some(before) = literal {
                        table[usize::from(before ^ byte)] = written - 1;
                    }
                    literal = Some(byte);
                    used += 1;
                    written += 1;
                } else {
                    let slot = group[used];
                    let length = usize::from(group[used + 1]) + 2;
                    let from = table[usize::from(slot)];
                    if from == EMPTY {
                        let offset = (read + used) as u64;
                        return Err(DecompressError::EmptySlot { offset, slot });
                    }
                    let first = copy_with_room(body, from, written, length);
                    if let Some(before) = literal {
                        table[usize::from(before ^ first)] = written - 1;
                        literal = None;
                    }
                    table[usize::from(slot)] = written;
                    used += 2;
                    written += length;
                }
                flags >>= 1;
            }
            read += used;
        }
        self.read = read;
        self.written = written;
        self.literal = literal;
        Ok(())
    }

    /// Does one group, which may be the last of the `end` bytes, with a look at every byte.
    fn group(
        &mut self,
        payload: &[u8],
        body: &mut [u8],
        end: usize,
    ) -> Result<(), DecompressError> {
        let mut flags = self.next(payload, end)?;
        for _ in 0..GROUP {
            let missing = end - self.written;
            if missing == 0 {
                break;
            }
            let offset = self.read as u64;
            let byte = self.next(payload, end)?;
            if flags & 1 == 0 {
                body[self.written] = byte;
                if let Some(before) = self.literal {
                    self.table[usize::from(before ^ byte)] = self.written - 1;
                }
                self.literal = Some(byte);
                self.written += 1;
            } else {
                let slot = byte;
                let length = usize::from(self.next(payload, end)?) + 2;
                let from = self.table[usize::from(slot)];
                if from == EMPTY {
                    return Err(DecompressError::EmptySlot { offset, slot });
                }
                if length > missing {
                    return Err(DecompressError::MatchTooLong {
                        offset,
                        length: length as u64,
                        missing: missing as u64,
                    });
                }
                if body.len() - self.written >= length + COPY_OVERRUN {
                    copy_with_room(body, from, self.written, length);
                } else {
                    for place in 0..length {
                        body[self.written + place] = body[from + place];
                    }
                }
                if let Some(before) = self.literal.take() {
                    self.table[usize::from(before ^ body[self.written])] = self.written - 1;
                }
                self.table[usize::from(slot)] = self.written;
                self.written += length;
            }
            flags >>= 1;
        }
        Ok(())
    }

    fn next(&mut self, payload: &[u8], end: usize) -> Result<u8, DecompressError> {
        let Some(byte) = payload.get(self.read) else {
            return Err(DecompressError::TokensEnd {
                offset: self.read as u64,
                missing: (end - self.written) as u64,
            });
        };
        self.read += 1;
        Ok(*byte)
    }
}

/// Copies `length` bytes within `body`, from `from` to `to` and on into the copy where they
/// overlap; returns the first. What is behind the copy, up to [`COPY_OVERRUN`] bytes, is garbage.
#[inline(always)]
fn copy_with_room(body: &mut [u8], from: usize, to: usize, length: usize) -> u8 {
    let word = u64::from_le_bytes(*chunk(body, from));
    *chunk_mut(body, to) = word.to_le_bytes();
    let distance = to - from;
    if length > 8 || distance < length {
        if length <= 16 && distance >= 8 {
            *chunk_mut::<8>(body, to + 8) = *chunk::<8>(body, from + 8);
        } else {
            copy_long(body, from, to, length);
        }
    }
    word as u8
}

#[inline(never)]
fn copy_long(body: &mut [u8], from: usize, to: usize, length: usize) {
    let distance = to - from;
    if distance >= length {
        body.copy_within(from..from + length, to);
    } else if distance >= 16 {
        for at in (0..length).step_by(16) {
            *chunk_mut::<16>(body, to + at) = *chunk::<16>(body, from + at);
        }
    } else {
        // A pattern of 2 to 15 bytes: as often as it fits into 16, and those again and again.
        let bits = distance as u32 * 8;
        let mut pattern = u128::from_le_bytes(*chunk::<16>(body, from)) & ((1 << bits) - 1);
        let mut filled = bits;
        while filled < 128 {
            pattern |= pattern << filled;
            filled *= 2;
        }
        let pattern = pattern.to_le_bytes();
        let whole = 16 - 16 % distance;
        if whole == 16 {
            let (chunks, _) = body[to..to + length.next_multiple_of(16)].as_chunks_mut::<16>();
            chunks.fill(pattern);
        } else {
            for at in (0..length).step_by(whole) {
                *chunk_mut::<16>(body, to + at) = pattern;
            }
        }
    }
}

#[inline(always)]
fn chunk<const N: usize>(body: &[u8], at: usize) -> &[u8; N] {
    body[at..]
        .first_chunk()
        .expect("a place is copied from or to only where the body has room behind it")
}

#[inline(always)]
fn chunk_mut<const N: usize>(body: &mut [u8], at: usize) -> &mut [u8; N] {
    body[at..]
        .first_chunk_mut()
        .expect("a place is copied from or to only where the body has room behind it")
}

/// A slot that no token has filled: no body has that many bytes.
const EMPTY: usize = usize::MAX;

/// The most bytes that a group takes: its flags and eight matches.
const GROUP_BYTES: usize = 1 + 2 * GROUP;

/// How far a copy may write behind its end.
const COPY_OVERRUN: usize = 16;

/// The most bytes that a group writes, garbage included.
const GROUP_SPACE: usize = GROUP * LONGEST_MATCH + COPY_OVERRUN;

/// How far ahead of the tokens the body is zeroed.
const STEP: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_repeats_what_it_runs_into_at_every_distance_and_length() {
        let from = 3;
        for distance in (2..=40).chain([255, 256, 257, 258, 600]) {
            for length in 2..=LONGEST_MATCH {
                let to = from + distance;
                let mut body: Vec<u8> = (0..to).map(|place| (place * 37 + 11) as u8).collect();
                let mut expected = body.clone();
                for place in 0..length {
                    expected.push(expected[from + place]);
                }
                body.resize(to + length + COPY_OVERRUN, 0);
                let first = copy_with_room(&mut body, from, to, length);
                assert_eq!(first, expected[to]);
                body.truncate(to + length);
                assert_eq!(body, expected, "{length} bytes at a distance of {distance}");
            }
        }
    }
}

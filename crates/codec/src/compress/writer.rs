//! The compressor. It has to find the matches that KX's finds, all of them and no others.

use super::{Form, GROUP, HEADER, LONGEST_MATCH};
use crate::byte_order::ByteOrder;

/// Returns the payload, or `None` where KX's compressor gives up.
pub(super) fn compress(form: Form, body: &[u8], order: ByteOrder) -> Option<Vec<u8>> {
    let total = body.len() as u64 + HEADER;
    // KX's buffer is half of the message and holds the header of the compressed one as well.
    let room = usize::try_from((total / 2).checked_sub(HEADER)?).ok()?;
    if room < form.length_width() + GROUP_BYTES {
        return None;
    }
    let mut payload = Vec::with_capacity(room);
    match form {
        Form::Short => payload.extend(order.u32_bytes(u32::try_from(total).ok()?)),
        Form::Long => payload.extend(order.u64_bytes(total)),
    }
    let mut table = Table::new();
    let mut place = 0;
    while place < body.len() {
        if payload.len() + GROUP_BYTES > room {
            return None;
        }
        let start = payload.len();
        payload.resize(start + GROUP_BYTES, 0);
        let group: &mut [u8; GROUP_BYTES] = payload[start..]
            .first_chunk_mut()
            .expect("the payload was made longer by a group");
        // Without the end in sight the loop over the tokens has one way out and is unrolled.
        let used = if body.len() - place > GROUP * LONGEST_MATCH + 8 {
            table.group::<false>(body, &mut place, group)
        } else {
            table.group::<true>(body, &mut place, group)
        };
        payload.truncate(start + used);
    }
    payload.shrink_to_fit();
    Some(payload)
}

/// The places of earlier tokens by slot, each with the eight bytes found there: most matches are
/// measured without going back to the place.
struct Table {
    words: [u64; 256],
    places: [usize; 256],
    /// The latest token. A literal's may be put in only after the next token has been looked up;
    /// a match's is in already, and putting it in again changes nothing.
    latest: (u8, u64, usize),
}

impl Table {
    fn new() -> Self {
        // A word that does not belong in its slot: its first two bytes are never those of a
        // token that looks there, so that an empty slot needs no test of its own.
        let words = core::array::from_fn(|slot| (slot as u64 ^ 1) << 8);
        Self {
            words,
            places: [0; 256],
            latest: (0, words[0], 0),
        }
    }

    /// Writes the tokens of a group and returns how many bytes they take. `END` is whether the
    /// body may end within it.
    #[inline(always)]
    fn group<const END: bool>(
        &mut self,
        body: &[u8],
        place: &mut usize,
        group: &mut [u8; GROUP_BYTES],
    ) -> usize {
        let mut flags = 0;
        let mut used = 1;
        for token in 0..GROUP {
            let rest = &body[*place..];
            if END && rest.is_empty() {
                break;
            }
            let length = if END && rest.len() < 8 {
                self.find_at_end(body, *place)
            } else {
                let word = rest.first_chunk().expect("eight bytes are left");
                self.find(body, *place, u64::from_le_bytes(*word))
            };
            if let Some(length) = length {
                flags |= 1 << token;
                group[used] = rest[0] ^ rest[1];
                // Not above 255: a match is 2 to 257 bytes.
                group[used + 1] = (length - 2) as u8;
                used += 2;
                *place += length;
            } else {
                group[used] = rest[0];
                used += 1;
                *place += 1;
            }
        }
        group[0] = flags;
        used
    }

    /// Returns the length of the match at `place`, where `word` is; a literal has none.
    #[inline(always)]
    fn find(&mut self, body: &[u8], place: usize, word: u64) -> Option<usize> {
        let slot = word as u8 ^ (word >> 8) as u8;
        let found = self.places[usize::from(slot)];
        let difference = self.words[usize::from(slot)] ^ word;
        let (latest_slot, latest_word, latest_place) = self.latest;
        self.put(latest_slot, latest_word, latest_place);
        self.latest = (slot, word, place);
        if difference as u16 != 0 {
            return None;
        }
        self.put(slot, word, place);
        if difference == 0 {
            return Some(extend(body, found, place));
        }
        // Not trailing_zeros: branches can be foreseen, and then the next token need not wait.
        let mut length = 2;
        let mut rest = difference >> 16;
        while rest as u8 == 0 {
            rest >>= 8;
            length += 1;
        }
        Some(length)
    }

    /// As `find`, where fewer than eight bytes are left.
    #[cold]
    fn find_at_end(&mut self, body: &[u8], place: usize) -> Option<usize> {
        let rest = &body[place..];
        if rest.len() < 3 {
            // KX's compressor looks no further than the third byte from the end.
            return None;
        }
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        let length = self.find(body, place, u64::from_le_bytes(word))?;
        Some(length.min(rest.len()))
    }

    #[inline(always)]
    fn put(&mut self, slot: u8, word: u64, place: usize) {
        self.words[usize::from(slot)] = word;
        self.places[usize::from(slot)] = place;
    }
}

/// Returns how many bytes at `place` equal those at `found`; the first eight do.
#[inline(never)]
fn extend(body: &[u8], found: usize, place: usize) -> usize {
    let longest = (body.len() - place).min(LONGEST_MATCH);
    let old = &body[found..found + longest];
    let new = &body[place..place + longest];
    let (old_words, _) = old.as_chunks::<8>();
    let (new_words, _) = new.as_chunks::<8>();
    let mut length = 0;
    for (old, new) in old_words.iter().zip(new_words) {
        let difference = u64::from_le_bytes(*old) ^ u64::from_le_bytes(*new);
        if difference != 0 {
            return length + difference.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    while length < longest && old[length] == new[length] {
        length += 1;
    }
    length
}

/// The most bytes that a group takes: its flags and eight matches.
const GROUP_BYTES: usize = 1 + 2 * GROUP;

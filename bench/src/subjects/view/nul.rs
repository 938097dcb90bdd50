//! Where symbols end. Safe code that the compiler turns into vector instructions.

/// The length of the symbol that `bytes` begin with, or `None` if no NUL ends it.
#[inline(always)]
pub fn first(bytes: &[u8]) -> Option<usize> {
    if let Some(word) = bytes.first_chunk() {
        let zeros = first_zero(u64::from_le_bytes(*word));
        if zeros != 0 {
            return Some(zeros.trailing_zeros() as usize / 8);
        }
    }
    first_far(bytes)
}

/// As [`first`], for a symbol of 8 letters and more or at the end of the message.
#[inline(never)]
fn first_far(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(0, bytes)
}

/// Where the `n`-th NUL ends: the length of a symbol vector's items, terminators included.
#[inline]
pub fn nth_end(bytes: &[u8], n: usize) -> Option<usize> {
    let mut left = n;
    let mut at = 0;
    if n >= 32 {
        while let Some(block) = bytes[at..].first_chunk() {
            let count = count(block);
            if count >= left {
                break;
            }
            left -= count;
            at += BLOCK;
        }
    }
    nth_near(bytes, at, left)
}

/// Below 256, so that the NULs of a block can be counted in a byte: a sum of bytes is what the
/// compiler does sixteen at a time. In this form only: sums in an array of lanes it may do one by
/// one.
const BLOCK: usize = 192;

#[inline(always)]
fn count(block: &[u8; BLOCK]) -> usize {
    usize::from(block.iter().map(|byte| u8::from(*byte == 0)).sum::<u8>())
}

/// As [`nth_end`], word by word.
#[inline]
fn nth_near(bytes: &[u8], mut at: usize, mut left: usize) -> Option<usize> {
    if left == 0 {
        return Some(at);
    }
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let mut zeros = all_zeros(u64::from_le_bytes(*word));
        let count = ((zeros >> 7).wrapping_mul(ONES) >> 56) as usize;
        if count >= left {
            for _ in 1..left {
                zeros &= zeros - 1;
            }
            return Some(at + zeros.trailing_zeros() as usize / 8 + 1);
        }
        left -= count;
        at += 8;
    }
    let tail = bytes.get(at..)?;
    let nuls = tail.iter().enumerate().filter(|(_, byte)| **byte == 0);
    nuls.map(|(i, _)| at + i + 1).nth(left - 1)
}

/// The symbols that a NUL each ends, one after the other.
///
/// The NULs of 64 bytes at a time become the bits of a word, so that the next symbol does not
/// wait for the last one: finding each on its own is a chain of a load and a dozen steps.
pub struct Symbols<'a> {
    bytes: &'a [u8],
    start: usize,
    /// The NULs not yet reached among the 64 bytes at `block`.
    nuls: u64,
    block: usize,
}

impl<'a> Symbols<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            start: 0,
            nuls: nuls_at(bytes, 0),
            block: 0,
        }
    }
}

impl<'a> Iterator for Symbols<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        while self.nuls == 0 {
            self.block += 64;
            if self.block >= self.bytes.len() {
                return None;
            }
            self.nuls = nuls_at(self.bytes, self.block);
        }
        let end = self.block + self.nuls.trailing_zeros() as usize;
        self.nuls &= self.nuls - 1;
        let symbol = self.bytes.get(self.start..end)?;
        self.start = end + 1;
        Some(symbol)
    }
}

/// The NULs of the 64 bytes at `block`, or of fewer at the end, as bits.
#[inline]
fn nuls_at(bytes: &[u8], block: usize) -> u64 {
    let rest = &bytes[block..];
    match rest.first_chunk::<64>() {
        Some(block) => {
            let words = block.as_chunks::<8>().0;
            let mut nuls = 0;
            for (i, word) in words.iter().enumerate() {
                // Gathers the top bits of eight bytes in the top byte.
                let zeros = all_zeros(u64::from_le_bytes(*word)) >> 7;
                nuls |= (zeros.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
            }
            nuls
        }
        None => rest
            .iter()
            .rev()
            .fold(0, |nuls, byte| nuls << 1 | u64::from(*byte == 0)),
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// A word whose lowest set bit marks the lowest byte of `word` that is 0.
#[inline(always)]
const fn first_zero(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & !LOW
}

/// The top bit of every byte of `word` that is 0.
#[inline(always)]
const fn all_zeros(word: u64) -> u64 {
    !(((word & LOW) + LOW) | word | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_symbols_is_where_a_byte_loop_finds_it() {
        let bytes: Vec<u8> = (0..2000_u32).map(|i| (i * i % 7 % 3) as u8).collect();
        let ends = || {
            bytes
                .iter()
                .enumerate()
                .filter(|(_, b)| **b == 0)
                .map(|(i, _)| i + 1)
        };
        for (n, end) in ends().enumerate() {
            assert_eq!(nth_end(&bytes, n + 1), Some(end));
        }
        assert_eq!(nth_end(&bytes, ends().count() + 1), None);
        assert_eq!(nth_end(&bytes, 0), Some(0));
        let symbols: Vec<_> = bytes.split(|byte| *byte == 0).collect();
        assert!(Symbols::new(&bytes).eq(symbols[..symbols.len() - 1].iter().copied()));
    }
}

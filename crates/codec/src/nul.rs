//! Finding NUL bytes: the ends of symbols.
//!
//! A symbol vector is so many NUL-terminated texts one behind the other, so its end is the end of
//! its n-th NUL. Short distances are searched eight bytes at a time, long ones by counting whole
//! blocks, which the compiler turns into vector instructions.

/// Returns the position of the first NUL.
#[inline(always)]
pub(crate) fn find(bytes: &[u8]) -> Option<usize> {
    if let Some(word) = bytes.first_chunk() {
        let zeros = first_zero(u64::from_le_bytes(*word));
        if zeros != 0 {
            return Some(zeros.trailing_zeros() as usize / 8);
        }
    }
    find_far(bytes)
}

/// As [`find`], where the NUL is not among the first eight bytes, or there are fewer.
#[inline(never)]
fn find_far(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let zeros = first_zero(u64::from_le_bytes(*word));
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let tail = bytes.get(at..)?;
    tail.iter()
        .position(|byte| *byte == 0)
        .map(|found| at + found)
}

/// Returns the position behind the `n`-th NUL, or `None` where there are fewer.
#[inline]
pub(crate) fn end_of_nth(bytes: &[u8], n: usize) -> Option<usize> {
    if n > bytes.len() {
        return None;
    }
    let (mut at, mut left) = if n < FEW {
        (0, n)
    } else {
        skip_blocks(bytes, n)
    };
    if left == 0 {
        return Some(at);
    }
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let mut zeros = all_zeros(u64::from_le_bytes(*word));
        // The bits are one to a byte, so that a product adds them up.
        let found = ((zeros >> 7).wrapping_mul(ONES) >> 56) as usize;
        if found >= left {
            for _ in 1..left {
                zeros &= zeros - 1;
            }
            return Some(at + zeros.trailing_zeros() as usize / 8 + 1);
        }
        left -= found;
        at += 8;
    }
    for (index, byte) in bytes.get(at..)?.iter().enumerate() {
        if *byte == 0 {
            left -= 1;
            if left == 0 {
                return Some(at + index + 1);
            }
        }
    }
    None
}

/// Counts whole blocks as long as the `n`-th NUL lies behind them. Returns where it stopped and
/// how many NULs are left to find there, at least one.
fn skip_blocks(bytes: &[u8], n: usize) -> (usize, usize) {
    let (mut at, mut left) = (0, n);
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let found = usize::from(block.iter().map(|byte| u8::from(*byte == 0)).sum::<u8>());
        if found >= left {
            break;
        }
        left -= found;
        at += BLOCK;
    }
    (at, left)
}

/// Returns a bit for each NUL of a block, the lowest for its first byte.
#[inline]
pub(crate) fn all_of_block(block: &[u8; BITS]) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let mut nuls = 0;
    for (index, word) in words.iter().enumerate() {
        let zeros = all_zeros(u64::from_le_bytes(*word)) >> 7;
        // The product moves the lowest bit of each byte to the highest byte, side by side.
        nuls |= (zeros.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index);
    }
    nuls
}

/// Marks the first zero byte of a word (and perhaps some behind it) with its highest bit.
#[inline]
const fn first_zero(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// Marks every zero byte of a word, and no other, with its highest bit.
#[inline]
const fn all_zeros(word: u64) -> u64 {
    !(((word & !HIGHS) + !HIGHS) | word | !HIGHS)
}

/// The bytes of a block whose NULs are told as bits.
pub(crate) const BITS: usize = 64;
/// Below this many the blocks do not pay.
const FEW: usize = 32;
/// Counts in a byte may not exceed 255.
const BLOCK: usize = 192;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn end_by_bytes(bytes: &[u8], n: usize) -> Option<usize> {
        if n == 0 {
            return Some(0);
        }
        bytes
            .iter()
            .enumerate()
            .filter(|(_, b)| **b == 0)
            .nth(n - 1)
            .map(|(at, _)| at + 1)
    }

    proptest! {
        #[test]
        fn finds_what_a_search_byte_by_byte_finds(
            bytes in prop::collection::vec(prop::sample::select(vec![0_u8, 1, 0x7f, 0x80, 0x81, 255]), 0..1200),
            n in 0_usize..600,
        ) {
            prop_assert_eq!(find(&bytes), bytes.iter().position(|b| *b == 0));
            prop_assert_eq!(end_of_nth(&bytes, n), end_by_bytes(&bytes, n));
        }
    }

    proptest! {
        #[test]
        fn each_nul_of_a_block_has_its_bit(
            block in prop::array::uniform32(prop::array::uniform2(0_u8..4)),
        ) {
            let block: [u8; BITS] = block.concat().try_into().expect("64 bytes");
            let bit = |at| u64::from(block[at] == 0) << at;
            prop_assert_eq!(all_of_block(&block), (0..BITS).map(bit).sum::<u64>());
        }
    }

    #[test]
    fn every_count_of_a_block_of_zeros_is_right() {
        let bytes = vec![0; 1000];
        for n in 0..=1000 {
            assert_eq!(end_of_nth(&bytes, n), Some(n));
        }
        assert_eq!(end_of_nth(&bytes, 1001), None);
        assert_eq!(end_of_nth(&bytes, usize::MAX), None);
    }
}

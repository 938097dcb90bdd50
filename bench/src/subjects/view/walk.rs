//! The walk over a body: once to check it, later to step over an item that nobody has read.

use super::nul;

/// The byte order of a message. A word wide, as everything in a `ValueRef` is: where a length of
/// one variant overlaps narrow fields of another, it is stored in parts, and loading it stalls.
#[repr(u64)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Little,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the workloads are little-endian")
    )]
    Big,
}

/// Checks that `body` is one value and nothing more.
#[inline]
pub fn check(body: &[u8], order: Order) -> Option<()> {
    let end = match order {
        Order::Little => walk::<false, true>(body, 0, 1),
        Order::Big => walk::<true, true>(body, 0, 1),
    };
    (end? == body.len()).then_some(())
}

/// Where the `objects` that `bytes` begin with end. They have been checked.
pub fn skip(bytes: &[u8], objects: u64, order: Order) -> usize {
    let end = match order {
        Order::Little => walk::<false, false>(bytes, 0, objects),
        Order::Big => walk::<true, false>(bytes, 0, objects),
    };
    end.map_or(bytes.len(), |end| end.min(bytes.len()))
}

/// Steps over `pending` objects and returns where they end, which may be behind the end of
/// `body` if the last one is cut short.
///
/// No stack: what a list, dictionary or function contains is added to the objects that are
/// still to come.
fn walk<const BIG: bool, const CHECK: bool>(
    body: &[u8],
    mut at: usize,
    mut pending: u64,
) -> Option<usize> {
    while pending != 0 {
        pending -= 1;
        let kind = *body.get(at)?;
        match kind as i8 {
            -7 | -9 | -12 | -15 | -16 => at += 9,
            -11 => at += 2 + nul::first(body.get(at + 1..)?)?,
            -6 | -8 | -13 | -14 | -17 | -18 | -19 => at += 5,
            -4 | -10 => at += 2,
            -5 => at += 3,
            -2 => at += 17,
            -1 => {
                if CHECK && *body.get(at + 1)? > 1 {
                    return None;
                }
                at += 2;
            }
            0..=19 => {
                let (count, items) = count::<BIG, CHECK>(body, at + 1)?;
                at = items;
                match kind {
                    0 => {
                        // An object takes two bytes at least.
                        if count > body.len() as u64 / 2 {
                            return None;
                        }
                        pending += count;
                    }
                    11 => {
                        let rest = body.get(at..)?;
                        at += nul::nth_end(rest, usize::try_from(count).ok()?)?;
                    }
                    1 => {
                        let bytes = body.get(at..)?.get(..usize::try_from(count).ok()?)?;
                        if CHECK && bytes.iter().fold(0, |all, byte| all | byte) > 1 {
                            return None;
                        }
                        at += bytes.len();
                    }
                    _ => {
                        let size = count.checked_mul(u64::from(WIDTHS[usize::from(kind)]))?;
                        if size > (body.len() - at) as u64 || size == 0 && count != 0 {
                            return None;
                        }
                        at += size as usize;
                    }
                }
            }
            99 | 127 => {
                at += 1;
                pending += 2;
            }
            98 => {
                at += 2;
                if CHECK {
                    check_table::<BIG>(body, at)?;
                }
                pending += 1;
            }
            _ => (at, pending) = function::<BIG, CHECK>(body, at, pending)?,
        }
    }
    Some(at)
}

/// Bytes of an item of each vector type; 0 where there is no such vector or no fixed size.
pub const WIDTHS: [u8; 20] = [0, 1, 16, 0, 1, 2, 4, 8, 4, 8, 1, 0, 8, 4, 4, 8, 8, 4, 4, 4];

/// Reads a vector's attribute and count, which stand at `at`; returns where its items begin.
#[inline(always)]
pub fn count<const BIG: bool, const CHECK: bool>(body: &[u8], at: usize) -> Option<(u64, usize)> {
    let head: &[u8; 5] = body.get(at..)?.first_chunk()?;
    let count = [head[1], head[2], head[3], head[4]];
    let count = if BIG {
        u32::from_be_bytes(count)
    } else {
        u32::from_le_bytes(count)
    };
    if head[0] <= 4 {
        return Some((u64::from(count), at + 5));
    }
    wide_count::<BIG, CHECK>(body, at)
}

/// As [`count`], for a count of eight bytes, or none at all.
#[cold]
#[inline(never)]
fn wide_count<const BIG: bool, const CHECK: bool>(body: &[u8], at: usize) -> Option<(u64, usize)> {
    if !(0x80..=0x84).contains(body.get(at)?) {
        return None;
    }
    let count = *body.get(at + 1..)?.first_chunk()?;
    let count = if BIG {
        u64::from_be_bytes(count)
    } else {
        u64::from_le_bytes(count)
    };
    Some((count, at + 9))
}

/// A table is a dictionary of a symbol vector to a list or a symbol.
#[inline(always)]
fn check_table<const BIG: bool>(body: &[u8], at: usize) -> Option<()> {
    let attribute = *body.get(at - 1)?;
    if body.get(at..at + 2)? != [99, 11] || !(attribute <= 4 || (0x80..=0x84).contains(&attribute))
    {
        return None;
    }
    let (count, items) = count::<BIG, true>(body, at + 2)?;
    let columns = items + nul::nth_end(body.get(items..)?, usize::try_from(count).ok()?)?;
    matches!(body.get(columns)?, 0 | 0xf5).then_some(())
}

#[cold]
#[inline(never)]
fn function<const BIG: bool, const CHECK: bool>(
    body: &[u8],
    mut at: usize,
    mut pending: u64,
) -> Option<(usize, u64)> {
    let kind = *body.get(at)?;
    let code = *body.get(at + 1)?;
    match kind {
        100 => {
            at += 2 + nul::first(&body[at + 1..])?;
            pending += 1;
        }
        101 if !CHECK || code <= 44 || code == 255 => at += 2,
        102 if !CHECK || code <= 36 => at += 2,
        103 if !CHECK || code <= 5 => at += 2,
        104 | 105 => {
            let count: &[u8; 4] = body.get(at + 1..)?.first_chunk()?;
            let count = if BIG {
                u32::from_be_bytes(*count)
            } else {
                u32::from_le_bytes(*count)
            };
            at += 5;
            pending += u64::from(count);
        }
        106..=111 => {
            at += 1;
            pending += 1;
        }
        _ => return None,
    }
    Some((at, pending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_of_a_message_is_refused() {
        for workload in crate::workloads::all()
            .iter()
            .filter(|workload| workload.small)
        {
            let body = &workload.message[8..];
            assert!(check(body, Order::Little).is_some());
            assert!(check(body, Order::Big).is_none());
            for end in 0..body.len() {
                assert!(check(&body[..end], Order::Little).is_none(), "{end}");
            }
        }
    }
}

//! Reads the pieces of a body, and steps over whole objects.

use core::ops::Range;

use hopen_codec::byte_order::ByteOrder;
use hopen_codec::value::BasicType;

/// The bytes of a body that the codec has checked, or of its start, and a place in them.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) order: ByteOrder,
    pub(super) at: usize,
}

/// The bytes end here.
pub(super) struct End;

impl<'a> Reader<'a> {
    /// Steps over so many objects and all that is inside them. Returns how many bytes that were;
    /// where they are not all there, none.
    pub(super) fn pass_over(&mut self, objects: usize) -> Result<usize, End> {
        let start = self.at;
        let passed = self.step_over(objects);
        if passed.is_err() {
            self.at = start;
        }
        passed.map(|()| self.at - start)
    }

    fn step_over(&mut self, objects: usize) -> Result<(), End> {
        let mut left = objects;
        while left > 0 {
            left -= 1;
            let code = self.byte(0)? as i8;
            let header = || -> Result<(usize, usize), End> {
                let width = count_width(self.byte(1)?);
                Ok((2 + width, self.number_at(self.at + 2, width)?))
            };
            match code {
                0 => {
                    let (length, count) = header()?;
                    self.take(length)?;
                    left = left.saturating_add(count);
                }
                98 => {
                    self.take(3)?;
                    left += 2;
                }
                99 | 127 => {
                    self.take(1)?;
                    left += 2;
                }
                100 => {
                    self.take(1)?;
                    self.name()?;
                    left += 1;
                }
                101..=103 => drop(self.take(2)?),
                104 | 105 => {
                    left = left.saturating_add(self.number_at(self.at + 1, 4)?);
                    self.take(5)?;
                }
                106..=111 => {
                    self.take(1)?;
                    left += 1;
                }
                11 => {
                    let (length, count) = header()?;
                    self.take(length)?;
                    for _ in 0..count {
                        self.name()?;
                    }
                }
                _ => {
                    let basic = BasicType::from_number(code.unsigned_abs()).ok_or(End)?;
                    match (basic.width(), code < 0) {
                        (None, _) => {
                            self.take(1)?;
                            self.name()?;
                        }
                        (Some(width), true) => drop(self.take(1 + width)?),
                        (Some(width), false) => {
                            let (length, count) = header()?;
                            self.take(length)?;
                            self.take(count.checked_mul(width).ok_or(End)?)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Steps over a name and its NUL.
    pub(super) fn name(&mut self) -> Result<Range<usize>, End> {
        let name = self.name_at(self.at)?;
        self.at = name.end;
        Ok(name)
    }

    pub(super) fn name_at(&self, start: usize) -> Result<Range<usize>, End> {
        let rest = self.bytes.get(start..).ok_or(End)?;
        let end = rest.iter().position(|byte| *byte == 0).ok_or(End)?;
        Ok(start..start + end + 1)
    }

    pub(super) fn part(&self, range: &Range<usize>) -> Result<&'a [u8], End> {
        self.bytes.get(range.clone()).ok_or(End)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], End> {
        let end = self.at.checked_add(count).ok_or(End)?;
        let taken = self.part(&(self.at..end))?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn byte(&self, offset: usize) -> Result<u8, End> {
        self.bytes.get(self.at + offset).copied().ok_or(End)
    }

    /// Returns the number in the next `width` bytes.
    pub(super) fn number(&self, width: usize) -> Result<usize, End> {
        self.number_at(self.at, width)
    }

    pub(super) fn number_at(&self, start: usize, width: usize) -> Result<usize, End> {
        let bytes = self.part(&(start..start + width))?;
        usize::try_from(number(bytes, self.order)).map_err(|_| End)
    }
}

/// Reads a number of up to 8 bytes.
pub(super) fn number(bytes: &[u8], order: ByteOrder) -> u64 {
    let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match order {
        ByteOrder::Little => bytes.iter().rev().fold(0, push),
        ByteOrder::Big => bytes.iter().fold(0, push),
    }
}

/// Returns how many bytes the count behind an attribute takes.
pub(super) fn count_width(attribute: u8) -> usize {
    if attribute & WIDE_COUNT == 0 { 4 } else { 8 }
}

/// The bit of an attribute that makes the count behind it one of 8 bytes.
pub(super) const WIDE_COUNT: u8 = 0x80;

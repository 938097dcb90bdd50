//! What precedes the items of a vector or a list: type, attribute, count.

use super::types::Attribute;
use crate::byte_order::ByteOrder;

/// The start of a vector or general list.
///
/// ```text
/// byte 0  type
/// byte 1  attribute; bit 0x80: the count takes eight bytes
/// 2..6    count, or 2..10
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct VectorHeader {
    pub(crate) code: u8,
    pub(crate) attribute: Attribute,
    pub(crate) count: usize,
    /// How many bytes it takes: 6, or 10 with a wide count.
    pub(crate) length: usize,
}

impl VectorHeader {
    /// The bytes of a header whose count takes four bytes.
    pub(crate) const SHORT: usize = 6;
    /// The bytes of a header whose count takes eight bytes.
    pub(crate) const WIDE: usize = 10;
    /// The bit of the attribute byte that announces a count of eight bytes.
    pub(crate) const WIDE_BIT: u8 = 0x80;

    #[inline]
    pub(crate) fn new(code: u8, attribute: Attribute, count: usize, wide_count: bool) -> Self {
        let wide = wide_count || u32::try_from(count).is_err();
        Self {
            code,
            attribute,
            count,
            length: if wide { Self::WIDE } else { Self::SHORT },
        }
    }

    /// Reads the header of an object that has been checked before. Of bytes that are no such
    /// object comes an empty one.
    #[inline(always)]
    pub(crate) fn of_checked(object: &[u8], order: ByteOrder) -> Self {
        let empty = Self {
            code: 0,
            attribute: Attribute::None,
            count: 0,
            length: object.len(),
        };
        let Some([code, attribute, c0, c1, c2, c3]) = object.first_chunk::<{ Self::SHORT }>()
        else {
            return empty;
        };
        let (code, wide) = (*code, *attribute & Self::WIDE_BIT != 0);
        let attribute =
            Attribute::from_byte(*attribute & !Self::WIDE_BIT).unwrap_or(Attribute::None);
        if !wide {
            let count = order.u32([*c0, *c1, *c2, *c3]) as usize;
            return Self {
                code,
                attribute,
                count,
                length: Self::SHORT,
            };
        }
        let Some(count) = object.get(2..).and_then(<[u8]>::first_chunk) else {
            return empty;
        };
        let count = usize::try_from(order.u64(*count)).unwrap_or(0);
        Self {
            code,
            attribute,
            count,
            length: Self::WIDE,
        }
    }

    #[inline]
    pub(crate) fn is_wide(&self) -> bool {
        self.length == Self::WIDE
    }

    /// Writes the header to the start of `room`, which is at least `self.length` bytes long.
    pub(crate) fn write(&self, order: ByteOrder, room: &mut [u8]) {
        let bytes = self.to_bytes(order);
        for (to, from) in room.iter_mut().zip(&bytes[..self.length]) {
            *to = *from;
        }
    }

    /// Returns the bytes of a header that is not wide, little endian, in a number: in a register.
    /// What is written to memory byte by byte and read from there as one is waited for.
    #[inline]
    pub(crate) fn to_word(self, order: ByteOrder) -> u64 {
        let count = u32::from_le_bytes(order.u32_bytes(self.count as u32));
        u64::from(self.code) | u64::from(self.attribute.to_byte()) << 8 | u64::from(count) << 16
    }

    /// Returns the header's bytes, of which the first `self.length` count.
    #[inline]
    pub(crate) fn to_bytes(self, order: ByteOrder) -> [u8; Self::WIDE] {
        let mut bytes = [0; Self::WIDE];
        bytes[0] = self.code;
        if self.is_wide() {
            bytes[1] = self.attribute.to_byte() | Self::WIDE_BIT;
            bytes[2..].copy_from_slice(&order.u64_bytes(self.count as u64));
        } else {
            bytes[1] = self.attribute.to_byte();
            bytes[2..Self::SHORT].copy_from_slice(&order.u32_bytes(self.count as u32));
        }
        bytes
    }
}

//! The header of a member, byte by byte: nobody needs what its fields hold, so nothing of them is
//! kept.

use flate2::Crc;

use super::{Gunzip, GzipError};

/// What a member begins with.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The rest of a header, from its second byte on.
#[derive(Debug)]
pub(super) struct Header {
    /// Where it begins.
    start: u64,
    /// Whether it is that of the first member.
    first: bool,
    /// The fields that are still to come.
    flags: u8,
    field: Field,
    crc: Crc,
}

/// The field that the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum Field {
    /// The ten bytes that are always there; the place in them.
    Fixed(u8),
    /// The length of the extra field.
    ExtraLength { low: Option<u8> },
    /// The extra field, of which so many bytes are left.
    Extra { left: u16 },
    /// The name of the file, up to a NUL.
    Name,
    /// A comment, up to a NUL.
    Comment,
    /// The checksum of the header.
    HeaderCrc { low: Option<u8> },
}

impl Header {
    /// Returns a header that begins at `start`, of which the first byte has come.
    pub(super) fn new(start: u64, first: bool) -> Self {
        let mut crc = Crc::new();
        crc.update(&MAGIC[..1]);
        Self {
            start,
            first,
            flags: 0,
            field: Field::Fixed(1),
            crc,
        }
    }

    /// Takes the byte at `offset` and returns whether it is the last one.
    pub(super) fn take(&mut self, byte: u8, offset: u64) -> Result<bool, GzipError> {
        if offset - self.start >= Gunzip::LONGEST_HEADER {
            return Err(GzipError::HeaderTooLong {
                offset: self.start,
                limit: Gunzip::LONGEST_HEADER,
            });
        }
        if !matches!(self.field, Field::HeaderCrc { .. }) {
            self.crc.update(&[byte]);
        }
        let next = match self.field {
            Field::Fixed(place) => {
                self.take_fixed(place, byte, offset)?;
                if place < LAST_FIXED {
                    Some(Field::Fixed(place + 1))
                } else {
                    self.next_field()
                }
            }
            Field::ExtraLength { low: None } => Some(Field::ExtraLength { low: Some(byte) }),
            Field::ExtraLength { low: Some(low) } => match u16::from_le_bytes([low, byte]) {
                0 => self.next_field(),
                left => Some(Field::Extra { left }),
            },
            Field::Extra { left: 1 } => self.next_field(),
            Field::Extra { left } => Some(Field::Extra { left: left - 1 }),
            Field::Name if byte == 0 => self.next_field(),
            Field::Comment if byte == 0 => self.next_field(),
            text @ (Field::Name | Field::Comment) => Some(text),
            Field::HeaderCrc { low: None } => Some(Field::HeaderCrc { low: Some(byte) }),
            Field::HeaderCrc { low: Some(low) } => {
                self.check(u16::from_le_bytes([low, byte]), offset - 1)?;
                None
            }
        };
        let Some(next) = next else {
            return Ok(true);
        };
        self.field = next;
        Ok(false)
    }

    fn take_fixed(&mut self, place: u8, byte: u8, offset: u64) -> Result<(), GzipError> {
        match place {
            1 if byte != MAGIC[1] && self.first => Err(GzipError::NotGzip { offset, byte }),
            1 if byte != MAGIC[1] => Err(GzipError::TrailingGarbage { offset: self.start }),
            2 if byte != DEFLATE => Err(GzipError::UnknownMethod { offset, byte }),
            3 if byte & RESERVED != 0 => Err(GzipError::UnknownFlags { offset, byte }),
            3 => {
                self.flags = byte;
                Ok(())
            }
            // Time, effort and system.
            _ => Ok(()),
        }
    }

    /// Returns the first of the fields that are still to come, in the order in which they do.
    fn next_field(&mut self) -> Option<Field> {
        let (flag, field) = [
            (EXTRA, Field::ExtraLength { low: None }),
            (NAME, Field::Name),
            (COMMENT, Field::Comment),
            (HEADER_CRC, Field::HeaderCrc { low: None }),
        ]
        .into_iter()
        .find(|(flag, _)| self.flags & flag != 0)?;
        self.flags &= !flag;
        Some(field)
    }

    fn check(&self, stored: u16, offset: u64) -> Result<(), GzipError> {
        let computed = self.crc.sum() as u16;
        if stored == computed {
            Ok(())
        } else {
            Err(GzipError::HeaderCrc {
                offset,
                stored,
                computed,
            })
        }
    }
}

/// The last of the bytes that are always there.
const LAST_FIXED: u8 = 9;
/// The only method that there is.
const DEFLATE: u8 = 8;

const HEADER_CRC: u8 = 0x02;
const EXTRA: u8 = 0x04;
const NAME: u8 = 0x08;
const COMMENT: u8 = 0x10;
/// Flags that say of fields that nobody knows where they end.
const RESERVED: u8 = 0xe0;

//! What can be wrong with a gzip stream.

use core::{error, fmt};

/// Why a stream is no gzip. Offsets count its packed bytes from the first. The stream has no next
/// byte then; what was unpacked before has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GzipError {
    /// It does not begin with `1f 8b`.
    NotGzip {
        /// Where: 0 or 1.
        offset: u64,
        /// What stands there.
        byte: u8,
    },
    /// The member is not deflated.
    UnknownMethod {
        /// Where that is said.
        offset: u64,
        /// The method.
        byte: u8,
    },
    /// The header has fields that RFC 1952 does not know.
    UnknownFlags {
        /// Where that is said.
        offset: u64,
        /// The flags.
        byte: u8,
    },
    /// The header of a member does not end.
    HeaderTooLong {
        /// Where it begins.
        offset: u64,
        /// The longest that is read, in bytes.
        limit: u64,
    },
    /// The header is not what it was.
    HeaderCrc {
        /// Where its checksum is.
        offset: u64,
        /// That checksum.
        stored: u16,
        /// The checksum of the header as it came.
        computed: u16,
    },
    /// The data are not deflated data.
    Corrupt {
        /// How far they were understood.
        offset: u64,
    },
    /// The data are not what was packed.
    Crc {
        /// Where their checksum is.
        offset: u64,
        /// That checksum.
        stored: u32,
        /// The checksum of what came out.
        computed: u32,
    },
    /// There are more or fewer data than were packed.
    Length {
        /// Where their length is.
        offset: u64,
        /// That length, modulo 2^32.
        stored: u32,
        /// The length of what came out, modulo 2^32.
        computed: u32,
    },
    /// Something that is neither a member nor zeros follows the last member. gzip ignores it with a
    /// warning and the exit status 2; here too all members before it have come out.
    TrailingGarbage {
        /// Where it begins.
        offset: u64,
    },
    /// The stream ends in the middle of a member, or before the first.
    Truncated {
        /// How many bytes there are.
        offset: u64,
    },
}

impl fmt::Display for GzipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGzip { offset, byte } => write!(
                f,
                "no gzip: byte {offset} is {byte:#04x}, and gzip begins with 1f 8b"
            ),
            Self::UnknownMethod { offset, byte } => write!(
                f,
                "gzip byte {offset} is {byte:#04x}, which is no known way to pack"
            ),
            Self::UnknownFlags { offset, byte } => write!(
                f,
                "gzip byte {offset} is {byte:#04x}, which announces unknown fields"
            ),
            Self::HeaderTooLong { offset, limit } => write!(
                f,
                "the gzip header at byte {offset} is longer than {limit} bytes"
            ),
            Self::HeaderCrc {
                offset,
                stored,
                computed,
            } => write!(
                f,
                "the gzip header is damaged: its CRC is {computed:04x}, by byte {offset} it was {stored:04x}"
            ),
            Self::Corrupt { offset } => {
                write!(f, "the gzip data are damaged at or before byte {offset}")
            }
            Self::Crc {
                offset,
                stored,
                computed,
            } => write!(
                f,
                "the gzip data are damaged: their CRC is {computed:08x}, by byte {offset} it was {stored:08x}"
            ),
            Self::Length {
                offset,
                stored,
                computed,
            } => write!(
                f,
                "the gzip data are damaged: they have {computed} bytes, by byte {offset} they had {stored}"
            ),
            Self::TrailingGarbage { offset } => {
                write!(f, "what follows the gzip data at byte {offset} is no gzip")
            }
            Self::Truncated { offset } => {
                write!(f, "the gzip data end too early, at byte {offset}")
            }
        }
    }
}

impl error::Error for GzipError {}

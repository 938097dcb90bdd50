//! What can be wrong with a message, and where.

use core::fmt;

use hopen_codec::decode::DecodeError;
use hopen_codec::encode::EncodeError;
use hopen_codec::frame::{FrameError, Header};

/// Why a message cannot be read. `Display` begins with the place, in bytes from the start of the
/// message: `at byte 13: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// What should be a hex digit is none.
    Digit {
        /// The byte that the digit belongs to.
        offset: usize,
        /// Where it is in the line, from 1.
        column: usize,
        /// What stands there.
        found: u8,
    },
    /// The line ends after the first digit of a byte.
    HalfByte {
        /// The byte.
        offset: usize,
        /// Where its digit is in the line, from 1.
        column: usize,
    },
    /// The header is none.
    Frame(FrameError),
    /// The input ends inside the message.
    Truncated {
        /// How many bytes there are.
        arrived: u64,
        /// How many there should be, where that much of the header is there.
        announced: Option<u64>,
    },
    /// More bytes stand on the line than belong to the message.
    Trailing {
        /// The length of the message.
        length: u64,
        /// How many bytes follow it.
        count: u64,
    },
    /// The body is no value.
    Decode(DecodeError),
    /// The value cannot be written again.
    Encode(EncodeError),
}

impl Fault {
    /// Returns the place in the message, in bytes from its start. In a compressed message what
    /// follows the header is counted as it is without compression.
    fn offset(&self) -> u64 {
        match self {
            Self::Digit { offset, .. } | Self::HalfByte { offset, .. } => *offset as u64,
            Self::Frame(error) => match error {
                FrameError::UnknownByteOrder { .. } => 0,
                FrameError::UnknownKind { .. } => 1,
                FrameError::UnknownCompression { .. } => 2,
                FrameError::WithoutBody { .. } | FrameError::AboveLimit { .. } | _ => 4,
            },
            Self::Truncated { arrived, .. } => *arrived,
            Self::Trailing { length, .. } => *length,
            Self::Decode(error) => error.offset,
            Self::Encode(_) => Header::LENGTH as u64,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: ", self.offset())?;
        match self {
            Self::Digit {
                column,
                found: found @ b'!'..=b'~',
                ..
            } => {
                write!(
                    f,
                    "'{}' in column {column} is no hex digit",
                    char::from(*found)
                )
            }
            Self::Digit { column, found, .. } => {
                write!(
                    f,
                    "the byte 0x{found:02x} in column {column} is no hex digit"
                )
            }
            Self::HalfByte { column, .. } => {
                write!(
                    f,
                    "the last byte has one hex digit, in column {column}, and needs two"
                )
            }
            Self::Frame(error) => fmt::Display::fmt(error, f),
            Self::Truncated {
                arrived,
                announced: Some(announced),
            } => {
                write!(
                    f,
                    "the input ends after {arrived} of the message's {announced} bytes"
                )
            }
            Self::Truncated {
                arrived,
                announced: None,
            } => {
                write!(
                    f,
                    "the input ends after {arrived} of a header's {} bytes",
                    Header::LENGTH
                )
            }
            Self::Trailing { length, count: 1 } => {
                write!(f, "1 byte follows the message of {length} bytes")
            }
            Self::Trailing { length, count } => {
                write!(f, "{count} bytes follow the message of {length} bytes")
            }
            Self::Decode(error) => fmt::Display::fmt(&error.kind, f),
            Self::Encode(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl From<FrameError> for Fault {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<EncodeError> for Fault {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

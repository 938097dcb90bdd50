//! The 8 bytes in front of a message; their layout is in [`frame`](crate::frame).

use core::{error, fmt};

use crate::byte_order::ByteOrder;
use crate::compress::Form;
use crate::config::Limits;

/// The first 8 bytes of a message; see the [module](crate::frame) for their layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Header {
    /// The byte order of the length and of the body.
    pub order: ByteOrder,
    /// What the message is for.
    pub kind: MessageKind,
    /// How the body is compressed, if it is.
    pub form: Option<Form>,
    /// The length of the message in bytes, header included.
    pub length: u64,
}

impl Header {
    /// The length of a header in bytes.
    pub const LENGTH: usize = 8;

    /// Returns the header of a message of `length` bytes, header included.
    pub const fn new(order: ByteOrder, kind: MessageKind, form: Option<Form>, length: u64) -> Self {
        Self {
            order,
            kind,
            form,
            length,
        }
    }

    /// Reads a header.
    ///
    /// # Errors
    ///
    /// A byte that KX's validator would refuse, or a length that leaves no body.
    pub const fn parse(bytes: [u8; Self::LENGTH]) -> Result<Self, FrameError> {
        let [order, kind, form, high, low @ ..] = bytes;
        let Some(order) = ByteOrder::from_byte(order) else {
            return Err(FrameError::UnknownByteOrder { byte: order });
        };
        let Some(kind) = MessageKind::from_byte(kind) else {
            return Err(FrameError::UnknownKind { byte: kind });
        };
        let form = match form {
            0 => None,
            1 => Some(Form::Short),
            2 => Some(Form::Long),
            byte => return Err(FrameError::UnknownCompression { byte }),
        };
        let length = (high as u64) << 32 | order.u32(low) as u64;
        if length <= Self::LENGTH as u64 {
            return Err(FrameError::WithoutBody { length });
        }
        Ok(Self {
            order,
            kind,
            form,
            length,
        })
    }

    /// Returns the bytes of this header.
    ///
    /// # Panics
    ///
    /// When `length` is above [`Limits::LARGEST_MESSAGE`]: cut to 40 bits it would lose the
    /// stream.
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        assert!(
            self.length <= Limits::LARGEST_MESSAGE,
            "a message's length has 40 bits"
        );
        let form = match self.form {
            None => 0,
            Some(Form::Short) => 1,
            Some(Form::Long) => 2,
        };
        let [a, b, c, d] = self.order.u32_bytes(self.length as u32);
        let high = (self.length >> 32) as u8;
        [
            self.order.to_byte(),
            self.kind.to_byte(),
            form,
            high,
            a,
            b,
            c,
            d,
        ]
    }
}

/// Why a header is not accepted. The peer's fault, and fatal: where the next message would begin
/// is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// Byte 0 is neither `00` nor `01`.
    UnknownByteOrder {
        /// The byte.
        byte: u8,
    },
    /// Byte 1 is none of `00`, `01`, `02`.
    UnknownKind {
        /// The byte.
        byte: u8,
    },
    /// Byte 2 is none of `00`, `01`, `02`.
    UnknownCompression {
        /// The byte.
        byte: u8,
    },
    /// The length leaves no room for a body.
    WithoutBody {
        /// The length in bytes, header included.
        length: u64,
    },
    /// The length is above the limit.
    AboveLimit {
        /// The length in bytes, header included.
        length: u64,
        /// The longest that is accepted.
        limit: u64,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownByteOrder { byte } => {
                write!(f, "header byte 0 is {byte:#04x}, which is no byte order")
            }
            Self::UnknownKind { byte } => {
                write!(
                    f,
                    "header byte 1 is {byte:#04x}, which is no kind of message"
                )
            }
            Self::UnknownCompression { byte } => {
                write!(f, "header byte 2 is {byte:#04x}, which is no compression")
            }
            Self::WithoutBody { length } => {
                write!(
                    f,
                    "the header announces {length} bytes, which leaves no body"
                )
            }
            Self::AboveLimit { length, limit } => {
                write!(
                    f,
                    "the header announces {length} bytes; the limit is {limit}"
                )
            }
        }
    }
}

impl error::Error for FrameError {}

/// What a message is for: byte 1 of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "KX's validator knows these three and refuses others"
)]
pub enum MessageKind {
    /// `0`: nobody waits for an answer (set, `(neg h) x`).
    Async,
    /// `1`: the sender waits for a response (get, `h x`).
    Sync,
    /// `2`: the answer to a sync message.
    Response,
}

impl MessageKind {
    /// Returns the kind that a header's second byte stands for.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Async),
            1 => Some(Self::Sync),
            2 => Some(Self::Response),
            _ => None,
        }
    }

    /// Returns the header byte of this kind.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Async => 0,
            Self::Sync => 1,
            Self::Response => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_written_in_both_byte_orders() {
        use ByteOrder::{Big, Little};
        use MessageKind::{Async, Response, Sync};

        let (short, long) = (Some(Form::Short), Some(Form::Long));
        let cases: [(&[u8; 8], Header); 6] = [
            (
                b"\x01\0\0\0\x0d\0\0\0",
                Header::new(Little, Async, None, 13),
            ),
            (b"\0\x01\0\0\0\0\0\x0d", Header::new(Big, Sync, None, 13)),
            (
                b"\x01\x02\x01\0\x0d\0\0\0",
                Header::new(Little, Response, short, 13),
            ),
            // Sent by KX's C library.
            (
                b"\x01\0\0\x01\x83\0\0\0",
                Header::new(Little, Async, None, 4_294_967_427),
            ),
            // Byte 3 is the highest in big endian as well.
            (
                b"\0\0\x02\x01\0\0\0\x83",
                Header::new(Big, Async, long, 4_294_967_427),
            ),
            (
                b"\x01\0\0\xff\xff\xff\xff\xff",
                Header::new(Little, Async, None, (1 << 40) - 1),
            ),
        ];
        for (bytes, header) in cases {
            assert_eq!(Header::parse(*bytes), Ok(header));
            assert_eq!(header.to_bytes(), *bytes);
        }
    }

    #[test]
    #[should_panic(expected = "40 bits")]
    fn a_length_of_more_than_40_bits_is_not_cut() {
        let _ = Header::new(ByteOrder::Little, MessageKind::Async, None, 1 << 40).to_bytes();
    }

    #[test]
    fn every_byte_that_is_not_a_header_is_refused() {
        for byte in 0..=u8::MAX {
            let parse = |place: usize| {
                let mut bytes = *b"\x01\0\0\0\x0d\0\0\0";
                bytes[place] = byte;
                Header::parse(bytes).err()
            };
            let refused = |greatest, error| (byte > greatest).then_some(error);
            if byte > 1 {
                assert_eq!(parse(0), Some(FrameError::UnknownByteOrder { byte }));
            }
            assert_eq!(parse(1), refused(2, FrameError::UnknownKind { byte }));
            assert_eq!(
                parse(2),
                refused(2, FrameError::UnknownCompression { byte })
            );
            assert_eq!(parse(3), None);
            let length = u64::from(byte);
            assert_eq!(
                parse(4),
                (byte < 9).then_some(FrameError::WithoutBody { length })
            );
        }
    }
}

//! The byte order of a message: byte 0 of its header, for the lengths and every number in it.

/// The byte order of a message and of the numbers in a received value.
///
/// On the wire it is the first byte of a message: `01` little endian, `00` big endian
/// ([KX, IPC protocol](https://code.kx.com/q/basics/ipc/)). We write little endian unless asked
/// for the other; both are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are two byte orders on the wire"
)]
pub enum ByteOrder {
    /// Least significant byte first; header byte `01`.
    #[default]
    Little,
    /// Most significant byte first; header byte `00`.
    Big,
}

impl ByteOrder {
    /// Returns the order that a header's first byte stands for, or `None` where it is neither
    /// `00` nor `01`.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Big),
            1 => Some(Self::Little),
            _ => None,
        }
    }

    /// Returns the header byte of this order.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Big => 0,
            Self::Little => 1,
        }
    }

    #[inline]
    pub(crate) const fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    #[inline]
    pub(crate) const fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }

    #[inline]
    pub(crate) const fn u32_bytes(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    #[inline]
    pub(crate) const fn u64_bytes(self, number: u64) -> [u8; 8] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

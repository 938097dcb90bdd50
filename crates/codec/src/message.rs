//! Messages: a kind and a body. The body stays as bytes until somebody asks for its value.

use bytes::Bytes;

use crate::byte_order::ByteOrder;
use crate::compress::Form;

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

/// A message: what it is for and what it carries.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// What it is for.
    pub kind: MessageKind,
    /// What it carries.
    pub body: Body,
}

/// What a message carries, as bytes.
#[derive(Clone, Debug)]
pub struct Body {
    order: ByteOrder,
    form: Option<Form>,
    payload: Bytes,
}

impl Body {
    /// Takes over what followed a header: the bytes of a value, or of a compressed one.
    pub(crate) fn received(order: ByteOrder, form: Option<Form>, payload: Bytes) -> Self {
        Self {
            order,
            form,
            payload,
        }
    }
}

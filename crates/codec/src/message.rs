//! Messages: a kind and a body. A body stays as bytes until somebody asks for its value.
//!
//! ```text
//! 01 01 00 00 12000000   0a 00 04000000 322b3321
//! │  │  │  │  │          the body: a value, or an error in its place
//! │  │  │  │  length, header included: bits 0 to 31
//! │  │  │  its bits 32 to 39
//! │  │  0 plain, 1 and 2 compressed
//! │  0 async, 1 sync, 2 response
//! 1 little endian, 0 big endian
//! ```
//!
//! So a relay forwards bodies that it never decodes, a broadcast encodes once and sends many times,
//! and a body that is no value is reported without losing the messages behind it.
//!
//! ```
//! use bytes::Buf;
//! use hopen_codec::config::Limits;
//! use hopen_codec::message::{Body, Message, MessageKind};
//! use hopen_codec::outbox::Outbox;
//! use hopen_codec::value::Value;
//!
//! let body = Body::encode(&Value::from("2+3!"))?;
//! let mut outbox = Outbox::default();
//! Message::new(MessageKind::Sync, body.clone()).write(&mut outbox);
//! assert_eq!(
//!     outbox.copy_to_bytes(outbox.remaining())[..],
//!     *b"\x01\x01\0\0\x12\0\0\0\x0a\0\x04\0\0\x002+3!"
//! );
//! assert_eq!(body.decode(&Limits::client())?, Ok(Value::from("2+3!")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

pub use crate::header::MessageKind;

use crate::byte_order::ByteOrder;
use crate::compress::{self, Form};
use crate::config::{Capability, Limits};
use crate::decode::{self, DecodeError};
use crate::encode::{self, EncodeError, Feature};
use crate::header::Header;
use crate::outbox::{Draft, Outbox};
use crate::remote_error::RemoteError;
use crate::value::Value;

/// A message: what it is for and what it carries.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// What it is for.
    pub kind: MessageKind,
    /// What it carries.
    pub body: Body,
}

impl Message {
    /// Makes a message.
    pub const fn new(kind: MessageKind, body: Body) -> Self {
        Self { kind, body }
    }

    /// Writes the message as it is. Whether the peer understands it is
    /// [`Body::check_for`]'s to say.
    pub fn write(&self, outbox: &mut Outbox) {
        outbox.put_slice(&self.header().to_bytes());
        self.body
            .chunks()
            .iter()
            .for_each(|chunk| outbox.put_bytes(chunk.clone()));
    }

    /// Returns the header that goes before the body.
    pub fn header(&self) -> Header {
        let length = Header::LENGTH as u64 + self.body.len();
        Header::new(self.body.order, self.kind, self.body.form, length)
    }
}

/// What a message carries, as bytes: a value, or an error in its place, perhaps compressed.
///
/// Cheap to clone: the bytes are shared.
#[derive(Clone)]
pub struct Body {
    order: ByteOrder,
    form: Option<Form>,
    chunks: Chunks,
    /// What peers must understand; not known of what was received.
    needs: Option<Needs>,
    /// Whether the compressor has given it up, so that it is not asked again for each peer.
    is_incompressible: bool,
}

/// The bytes: mostly one piece, more where large vectors were shared.
#[derive(Clone)]
enum Chunks {
    One(Bytes),
    Many(Arc<[Bytes]>),
}

/// What a peer must understand to be sent a body.
#[derive(Clone, Copy)]
struct Needs {
    feature: Option<Feature>,
    /// The length of the body without compression.
    length: u64,
}

impl Body {
    /// Encodes a value, little endian.
    ///
    /// # Errors
    ///
    /// Where the wire has no room for it: a function of 2^32 parts or more, a message of 1 TiB or
    /// more.
    pub fn encode(value: &Value) -> Result<Self, EncodeError> {
        Self::encode_in(value, ByteOrder::Little)
    }

    /// Encodes a value in a byte order of choice.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn encode_in(value: &Value, order: ByteOrder) -> Result<Self, EncodeError> {
        let mut outbox = Outbox::default();
        let mut draft = Draft::new(&mut outbox, Capability::MAX.longest_message());
        let needs = Needs {
            feature: encode::write(value, order, &mut draft)?,
            length: draft.len(),
        };
        needs.check(Capability::MAX)?;
        let chunks = match draft.piece() {
            // It may be kept for long, so it has no room left behind it.
            Some(bytes) => Chunks::One(Bytes::copy_from_slice(bytes)),
            None => {
                draft.finish(&[]);
                Chunks::of(outbox)
            }
        };
        Ok(Self {
            order,
            form: None,
            chunks,
            needs: Some(needs),
            is_incompressible: false,
        })
    }

    /// Encodes an error, which takes the place of a value.
    pub fn error(error: &RemoteError) -> Self {
        Self::error_in(error, ByteOrder::Little)
    }

    /// Encodes an error, in a message of a byte order of choice.
    pub fn error_in(error: &RemoteError, order: ByteOrder) -> Self {
        let text = error.as_bytes();
        let mut bytes = BytesMut::with_capacity(text.len() + 2);
        bytes.extend_from_slice(&[decode::ERROR]);
        bytes.extend_from_slice(text);
        bytes.extend_from_slice(&[0]);
        let needs = Needs {
            feature: None,
            length: bytes.len() as u64,
        };
        Self {
            order,
            form: None,
            chunks: Chunks::One(bytes.freeze()),
            needs: Some(needs),
            is_incompressible: false,
        }
    }

    /// Takes over the bytes of a value: what follows a message's header, or what a file of
    /// serialised values holds. They are checked when they are decoded.
    pub const fn from_bytes(bytes: Bytes, order: ByteOrder) -> Self {
        Self::received(order, None, bytes)
    }

    /// Takes over what followed a header: the bytes of a value, or of a compressed one.
    pub(crate) const fn received(order: ByteOrder, form: Option<Form>, payload: Bytes) -> Self {
        Self {
            order,
            form,
            chunks: Chunks::One(payload),
            needs: None,
            is_incompressible: false,
        }
    }

    /// Decompresses the body if it is compressed, checks it, and makes a value of it, or the error
    /// that stands in its place. The value shares the body's bytes.
    ///
    /// # Errors
    ///
    /// Where the body is no value: the error says what is wrong and where.
    pub fn decode(&self, limits: &Limits) -> Result<Result<Value, RemoteError>, DecodeError> {
        decode::decode(self.plain(limits)?, self.order)
    }

    /// Returns the same body compressed, as KX's C library would send it to a peer on another host;
    /// the same body as it is where KX would not compress it: a message of less than
    /// [`compress::THRESHOLD`] bytes, or one that does not shrink to less than half. To compress what
    /// comes out once more is to do nothing.
    #[must_use]
    pub fn compress(&self) -> Self {
        self.compress_from(compress::THRESHOLD)
    }

    /// As [`compress`](Self::compress), for messages of at least `shortest` bytes, header
    /// included: other senders have other thresholds.
    #[must_use]
    pub fn compress_from(&self, shortest: usize) -> Self {
        let is_done = self.form.is_some() || self.is_incompressible;
        if is_done || Header::LENGTH as u64 + self.len() < shortest as u64 {
            return self.clone();
        }
        match compress::compress(&self.contiguous(), self.order) {
            Some(compressed) => Self {
                order: self.order,
                form: Some(compressed.form),
                chunks: Chunks::One(compressed.payload.into()),
                needs: self.needs,
                is_incompressible: false,
            },
            None => Self {
                is_incompressible: true,
                ..self.clone()
            },
        }
    }

    /// Returns the same body without compression.
    ///
    /// # Errors
    ///
    /// Where the compressed bytes make no message.
    pub fn decompress(&self, limits: &Limits) -> Result<Self, DecodeError> {
        if self.form.is_none() {
            return Ok(self.clone());
        }
        Ok(Self {
            order: self.order,
            form: None,
            chunks: Chunks::One(self.plain(limits)?),
            needs: self.needs,
            is_incompressible: false,
        })
    }

    /// Checks that a peer of this capability may be sent the body. Of a received body the value is
    /// checked for it, where the capability is not the highest.
    ///
    /// # Errors
    ///
    /// Where the peer would not understand it; a received body that is no value is
    /// [`EncodeError::Invalid`].
    pub fn check_for(&self, capability: Capability, limits: &Limits) -> Result<(), EncodeError> {
        if let Some(needs) = &self.needs {
            return needs.check(capability);
        }
        if self.is_empty() {
            return Err(EncodeError::Invalid(DecodeError::EMPTY));
        }
        if capability == Capability::MAX {
            return Ok(());
        }
        let plain = self.plain(limits).map_err(EncodeError::Invalid)?;
        let length = plain.len() as u64;
        let feature = if plain.first() == Some(&decode::ERROR) {
            None
        } else {
            let needs = decode::check(&plain, self.order).map_err(EncodeError::Invalid)?;
            Feature::of(needs)
        };
        Needs { feature, length }.check(capability)
    }

    /// Returns how many bytes the body takes on the wire, without the header.
    pub fn len(&self) -> u64 {
        self.chunks().iter().map(|chunk| chunk.len() as u64).sum()
    }

    /// Returns whether the body is empty. No valid body is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the byte order.
    pub const fn byte_order(&self) -> ByteOrder {
        self.order
    }

    /// Returns how the body is compressed, if it is.
    pub const fn form(&self) -> Option<Form> {
        self.form
    }

    /// Returns the bytes, in one piece or in several.
    pub fn chunks(&self) -> &[Bytes] {
        match &self.chunks {
            Chunks::One(chunk) => core::slice::from_ref(chunk),
            Chunks::Many(chunks) => chunks,
        }
    }

    /// Returns the bytes in one piece, without compression.
    fn plain(&self, limits: &Limits) -> Result<Bytes, DecodeError> {
        let bytes = self.contiguous();
        match self.form {
            None => Ok(bytes),
            Some(form) => {
                Ok(compress::decompress(form, &bytes, self.order, limits.message)?.into())
            }
        }
    }

    fn contiguous(&self) -> Bytes {
        match &self.chunks {
            Chunks::One(chunk) => chunk.clone(),
            Chunks::Many(chunks) => chunks.concat().into(),
        }
    }
}

impl Chunks {
    fn of(outbox: Outbox) -> Self {
        let mut chunks = outbox.into_chunks();
        match (chunks.pop(), chunks.is_empty()) {
            (None, _) => Self::One(Bytes::new()),
            (Some(chunk), true) => Self::One(chunk),
            (Some(chunk), false) => {
                chunks.push(chunk);
                Self::Many(chunks.into())
            }
        }
    }
}

impl Needs {
    fn check(&self, capability: Capability) -> Result<(), EncodeError> {
        let length = Header::LENGTH as u64 + self.length;
        encode::check_for(self.feature, length, capability)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("order", &self.order)
            .field("form", &self.form)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::DecompressError;
    use crate::decode::DecodeErrorKind;
    use crate::value::{Byte, Items};

    #[test]
    fn a_message_may_not_grow_beyond_the_limit() {
        let value = Value::from(vec![0_i64; 1000]);
        let body = Body::encode(&value).unwrap().compress();
        assert!(body.form().is_some());
        let mut limits = Limits::client();
        limits.message = 8 + 6 + 8 * 1000;
        assert_eq!(body.decode(&limits), Ok(Ok(value)));
        limits.message -= 1;
        let error = body.decode(&limits).unwrap_err();
        assert!(
            matches!(
                error.kind,
                DecodeErrorKind::Compression(DecompressError::ClaimAboveLimit { .. })
            ),
            "{error}"
        );
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn two_to_the_31_items_take_the_highest_capability() {
        // Zeros that nobody reads take no memory.
        let count = 1 << 31;
        let value = Value::from(Items::<Byte>::from(vec![0_u8; count]));
        let body = Body::encode(&value).unwrap();
        assert_eq!(body.chunks()[0][..], *b"\x04\0\0\0\0\x80");
        for number in 0..=5 {
            let capability = Capability::new(number).unwrap();
            assert_eq!(
                body.check_for(capability, &Limits::client()),
                Err(EncodeError::NotUnderstood {
                    feature: Feature::WideCount,
                    capability
                })
            );
        }
        assert_eq!(body.check_for(Capability::V6, &Limits::client()), Ok(()));
    }

    #[test]
    fn two_gibibytes_take_capability_5() {
        let half = vec![0_u8; 1 << 30];
        let half = Value::from(Items::<Byte>::from(half));
        let value = Value::from(vec![half.clone(), half]);
        let body = Body::encode(&value).unwrap();
        let length = Header::LENGTH as u64 + body.len();
        assert_eq!(length, 8 + 6 + 2 * (6 + (1 << 30)));
        for number in 0..=4 {
            let capability = Capability::new(number).unwrap();
            assert_eq!(
                body.check_for(capability, &Limits::client()),
                Err(EncodeError::TooLong {
                    length,
                    limit: i32::MAX as u64
                })
            );
        }
        assert_eq!(body.check_for(Capability::V5, &Limits::client()), Ok(()));
    }

    #[test]
    fn a_wide_count_is_written_as_it_was_read_in_either_order() {
        for (little, big) in [
            (
                &b"\0\x80\x01\0\0\0\0\0\0\0\xff\x01"[..],
                &b"\0\x80\0\0\0\0\0\0\0\x01\xff\x01"[..],
            ),
            (
                b"\x05\x81\x01\0\0\0\0\0\0\0\x02\0",
                b"\x05\x81\0\0\0\0\0\0\0\x01\0\x02",
            ),
            (
                b"\x0b\x80\x01\0\0\0\0\0\0\0a\0",
                b"\x0b\x80\0\0\0\0\0\0\0\x01a\0",
            ),
        ] {
            let body = Body::from_bytes(Bytes::copy_from_slice(little), ByteOrder::Little);
            let value = body.decode(&Limits::client()).unwrap().unwrap();
            let recoded = Body::encode_in(&value, ByteOrder::Big).unwrap();
            assert_eq!(recoded.chunks()[0], big);
            for body in [&body, &recoded] {
                assert!(body.check_for(Capability::V5, &Limits::client()).is_err());
                assert!(body.check_for(Capability::V6, &Limits::client()).is_ok());
            }
            let back = recoded.decode(&Limits::client()).unwrap().unwrap();
            assert_eq!(Body::encode(&back).unwrap().chunks()[0], little);
        }
    }

    #[test]
    fn what_does_not_shrink_is_not_tried_again() {
        let noise = Body::encode(&Value::from(noise())).unwrap();
        let tried = noise.compress();
        assert!(!noise.is_incompressible && tried.is_incompressible);
        assert_eq!((tried.form(), tried.compress().form()), (None, None));
        assert_eq!(tried.chunks(), noise.chunks());
    }

    #[test]
    fn a_fault_of_compression_says_where_it_came_in() {
        let body = Body::encode(&Value::from(vec![0_i64; 1000]))
            .unwrap()
            .compress();
        let payload = body.chunks()[0].slice(..10);
        let short = Body::received(ByteOrder::Little, body.form(), payload);
        // The claim is more than ten bytes can become.
        assert_eq!(short.decode(&Limits::client()).unwrap_err().offset, 8);
        let mut payload = body.chunks()[0].to_vec();
        let claim = payload.len() as u64;
        payload.truncate(payload.len() - 1);
        let cut = Body::received(ByteOrder::Little, body.form(), payload.into());
        let error = cut.decode(&Limits::client()).unwrap_err();
        assert!(error.offset > 8 && error.offset <= 8 + claim, "{error}");
    }

    /// Bytes that repeat nothing.
    fn noise() -> Vec<i64> {
        let mut state = 1_i64;
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state
        };
        (0..1000).map(next).collect()
    }
}

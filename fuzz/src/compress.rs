//! A body that is compressed and comes back: a byte for its byte order and for what makes it, and
//! that: the body, or pieces to be repeated, or what decides on a value.

use bytes::Bytes;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::compress::{Compressed, DecompressError, Form, THRESHOLD, compress, decompress};
use hopen_codec::config::Limits;
use hopen_codec::message::Body;

use crate::{any_value, byte_order, decompress, take_field};

/// Looks at one input.
pub fn look_at(input: &[u8]) {
    let Some((&kind, rest)) = input.split_first() else {
        return;
    };
    let order = byte_order(kind);
    let body = match kind >> 1 & 3 {
        0 => rest.to_vec(),
        1 | 2 => repeated(rest),
        _ => {
            let Some(value) = any_value(rest) else {
                return;
            };
            let body = Body::encode_in(&value, order).expect("there is room");
            body.chunks().concat()
        }
    };
    check(&body, order);
}

/// Pieces, each behind the number of times that it is there.
fn repeated(mut input: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some((&times, rest)) = input.split_first()
        && body.len() < LONGEST
    {
        input = rest;
        body.extend(take_field(&mut input).repeat(times.into()));
    }
    body
}

fn check(body: &[u8], order: ByteOrder) {
    let compressed = compress(body, order);
    assert_eq!(compress(body, order), compressed);
    check_threshold(body, order, compressed.is_some());
    let Some(Compressed { form, payload, .. }) = compressed else {
        return;
    };
    let length = body.len() as u64 + 8;
    assert!((payload.len() as u64 + 8) * 2 <= length);
    let limit = length - 1;
    match decompress(form, &payload, order, limit) {
        Err(DecompressError::ClaimAboveLimit { claimed, .. }) => assert_eq!(claimed, length),
        other => panic!("{other:?} with a limit of {limit}"),
    }
    assert!(decompress::check(form, &payload, order, length).as_deref() == Some(body));

    assert_eq!(form, Form::Short);
    // Only the length knows a byte order.
    let other = byte_order(u8::from(order == ByteOrder::Big));
    let twin = compress(body, other).expect("it compressed before");
    assert!(twin.payload[LENGTH..] == payload[LENGTH..]);
    // The message is whole or it is none.
    for length in [payload.len() - 1, payload.len() / 2] {
        assert!(decompress(form, &payload[..length], order, limit + 1).is_err());
    }
}

/// A body is offered from the threshold on, and no other.
fn check_threshold(bytes: &[u8], order: ByteOrder, becomes_smaller: bool) {
    let plain = Body::from_bytes(Bytes::copy_from_slice(bytes), order);
    let sent = plain.compress();
    let is_offered = bytes.len() + 8 >= THRESHOLD;
    assert_eq!(sent.form().is_some(), is_offered && becomes_smaller);
    let back = sent.decompress(&Limits::server()).expect("we wrote it");
    assert_eq!(back.chunks().concat(), bytes);
}

/// Far more than it takes for the largest match to come from the largest distance.
const LONGEST: usize = 100_000;
/// The bytes of the length before the tokens.
const LENGTH: usize = 4;

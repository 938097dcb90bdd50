//! A body of any bytes, in the byte order that the first one says.

use bytes::Bytes;
use hopen_codec::byte_order::ByteOrder::{self, Big, Little};
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::value::Value;

/// Looks at one input.
pub fn look_at(input: &[u8]) {
    let Some((order, bytes)) = input.split_first() else {
        return;
    };
    let order = if order & 1 == 0 { Big } else { Little };
    match body(bytes, order).decode(&Limits::server()) {
        Ok(Ok(value)) => check(&value, bytes, order),
        Ok(Err(error)) => {
            assert!(!error.to_string().contains(char::is_control));
            assert_eq!(Body::error_in(&error, order).chunks().concat(), bytes);
        }
        Err(error) => {
            assert!((8..=8 + bytes.len() as u64).contains(&error.offset));
            assert!(!error.to_string().contains(char::is_control));
        }
    }
}

/// What is a value comes back as the same bytes, also by way of the other byte order.
fn check(value: &Value, bytes: &[u8], order: ByteOrder) {
    assert_eq!(value, &value.clone());
    assert_eq!(encode(value, order), bytes);
    let text = value.to_string();
    assert!(!text.contains(char::is_control));

    let other = if order == Big { Little } else { Big };
    let recoded = encode(value, other);
    let twin = body(&recoded, other).decode(&Limits::server());
    let twin = twin.expect("a value").expect("no error");
    assert_eq!(value, &twin);
    assert_eq!(text, twin.to_string());
    assert_eq!(encode(&twin, order), bytes);
    assert_eq!(encode(&twin.as_ref().detach(), other), recoded);
}

fn encode(value: &Value, order: ByteOrder) -> Vec<u8> {
    let body = Body::encode_in(value, order).expect("there is room");
    body.chunks().concat()
}

fn body(bytes: &[u8], order: ByteOrder) -> Body {
    Body::from_bytes(Bytes::copy_from_slice(bytes), order)
}

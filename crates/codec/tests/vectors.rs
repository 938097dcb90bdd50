//! Every message that KX's own code was seen to emit, in both directions.

use bytes::{Buf, BytesMut};
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::Limits;
use hopen_codec::frame::FrameDecoder;
use hopen_codec::message::{Body, Message};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;

const PUBLIC: &str = include_str!("vectors/public.jsonl");
const COMPRESSED: &str = include_str!("vectors/compressed_public.jsonl");

#[test]
fn every_message_is_encoded_as_it_was_read() {
    let rows = rows(PUBLIC);
    assert_eq!(rows.len(), 397);
    for row in rows {
        let bytes = row.bytes("hex");
        let message = read(&bytes);
        let again = Message::new(
            message.kind,
            encode(&message.body, message.body.byte_order()),
        );
        assert_eq!(written(&again), bytes, "{}", row.text("name"));
    }
}

#[test]
fn the_first_byte_of_the_body_is_the_type_of_the_value() {
    for row in rows(PUBLIC) {
        let body = read(&row.bytes("hex")).body;
        let code = row.0["wire_type"].as_i64();
        let found = match body.decode(&Limits::client()).expect("a value") {
            Ok(value) => i64::from(value.value_type().code()),
            Err(_) => -128,
        };
        assert_eq!(Some(found), code, "{}", row.text("name"));
    }
}

#[test]
fn both_byte_orders_hold_the_same_value() {
    let rows = rows(PUBLIC);
    let mut twins = 0;
    for big in &rows {
        let Some(name) = big.0["le_twin"].as_str() else {
            continue;
        };
        let little = rows
            .iter()
            .find(|row| row.text("name") == name)
            .expect("a twin");
        let (little, big) = (
            read(&little.bytes("hex")).body,
            read(&big.bytes("hex")).body,
        );
        assert_eq!(big.byte_order(), ByteOrder::Big);
        let (value, twin) = (value(&little), value(&big));
        assert_eq!(value, twin, "{name}");
        assert_eq!(
            bytes_of(&encode(&little, ByteOrder::Big)),
            bytes_of(&big),
            "{name}"
        );
        assert_eq!(
            bytes_of(&encode(&big, ByteOrder::Little)),
            bytes_of(&little),
            "{name}"
        );
        twins += 1;
    }
    assert_eq!(
        twins,
        rows.iter()
            .filter(|row| row.text("name").ends_with("_be"))
            .count()
    );
}

#[test]
fn a_copy_of_a_value_is_the_same_value() {
    for row in rows(PUBLIC) {
        let body = read(&row.bytes("hex")).body;
        let Ok(value) = body.decode(&Limits::client()).expect("a value") else {
            continue;
        };
        let copy = value.as_ref().detach();
        assert_eq!(copy, value, "{}", row.text("name"));
        let copy = Body::encode_in(&copy, body.byte_order()).expect("a value of KX's");
        assert_eq!(bytes_of(&copy), bytes_of(&body), "{}", row.text("name"));
    }
}

#[test]
fn every_prefix_is_an_error_and_names_where_it_ends() {
    for row in rows(PUBLIC) {
        let bytes = row.bytes("hex");
        let body = &bytes[8..];
        for length in 0..body.len() {
            let prefix = body[..length].to_vec();
            let order = ByteOrder::from_byte(bytes[0]).expect("a byte order");
            let error = Body::from_bytes(prefix.into(), order)
                .decode(&Limits::client())
                .expect_err("a part of a value is none");
            assert!(
                error.offset <= 8 + length as u64,
                "{}: {error}",
                row.text("name")
            );
        }
    }
}

#[test]
fn every_compressed_message_is_read() {
    let rows = rows(COMPRESSED);
    assert_eq!(rows.len(), 80);
    for row in rows {
        let plain = read(&row.bytes("raw_hex")).body;
        let compressed = read(&row.bytes("compressed_hex")).body;
        assert_eq!(compressed.form().is_some(), row.0["compressed"] == true);
        let read = compressed.decompress(&Limits::client()).expect("a message");
        assert_eq!(bytes_of(&read), bytes_of(&plain), "{}", row.text("name"));
        assert_eq!(value(&compressed), value(&plain), "{}", row.text("name"));
    }
}

#[test]
fn messages_are_compressed_as_kx_s_c_library_compresses_them() {
    let mut checked = 0;
    for row in rows(COMPRESSED) {
        let rule = row.text("emit_rule");
        if rule != "both" && !rule.starts_with("libe:") {
            continue;
        }
        let message = read(&row.bytes("raw_hex"));
        let compressed = Message::new(message.kind, message.body.compress());
        assert_eq!(
            written(&compressed),
            row.bytes("compressed_hex"),
            "{}",
            row.text("name")
        );
        checked += 1;
    }
    assert_eq!(checked, 67);
}

/// A line of a file of vectors.
struct Row(serde_json::Value);

impl Row {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().expect("a text")
    }

    fn bytes(&self, field: &str) -> Vec<u8> {
        hex::decode(self.text(field)).expect("hex digits")
    }
}

fn rows(lines: &str) -> Vec<Row> {
    lines
        .lines()
        .map(|line| Row(serde_json::from_str(line).expect("JSON")))
        .collect()
}

fn read(bytes: &[u8]) -> Message {
    let mut input = BytesMut::from(bytes);
    let mut frames = FrameDecoder::new(Limits::LARGEST_MESSAGE);
    let message = frames
        .decode(&mut input)
        .expect("a frame")
        .expect("a whole one");
    assert!(input.is_empty());
    message
}

fn written(message: &Message) -> Vec<u8> {
    let mut outbox = Outbox::default();
    message.write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).to_vec()
}

/// Decodes a body and encodes what came out.
fn encode(body: &Body, order: ByteOrder) -> Body {
    match body.decode(&Limits::client()).expect("a value") {
        Ok(value) => Body::encode_in(&value, order).expect("a value of KX's"),
        Err(error) => Body::error_in(&error, order),
    }
}

fn value(body: &Body) -> Value {
    body.decode(&Limits::client())
        .expect("a value")
        .expect("no error")
}

fn bytes_of(body: &Body) -> Vec<u8> {
    body.chunks().concat()
}

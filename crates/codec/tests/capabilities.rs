//! What a peer of each capability may be sent, as KX's C library was seen to do it
//! (`Capability` has the table): an error on our side, and nothing written.

use bytes::{Buf, Bytes, BytesMut};
use hopen_codec::auth::Credentials;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::compress::Form;
use hopen_codec::config::{Capability, Compression, Config, Limits};
use hopen_codec::connection::{Connection, Incoming, Outgoing, SendError, Ticket};
use hopen_codec::encode::{EncodeError, Feature};
use hopen_codec::frame::Header;
use hopen_codec::handshake::{ClientHandshake, Progress};
use hopen_codec::message::{Body, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::strategy;
use hopen_codec::sym;
use hopen_codec::value::{Dict, Function, Guid, List, Table, Timespan, Timestamp, Value};

#[test]
fn what_a_peer_does_not_understand_is_not_sent_to_it() {
    for (name, value, feature) in cases() {
        for received in [false, true] {
            // Received in the order that is not sent, so that it is written anew.
            let value = if received {
                strategy::receive(&value, ByteOrder::Big)
            } else {
                value.clone()
            };
            for capability in CAPABILITIES {
                let may = feature.is_none_or(|feature| feature.capability() <= capability);
                let refused = feature
                    .filter(|_| !may)
                    .map(|feature| EncodeError::NotUnderstood {
                        feature,
                        capability,
                    });
                for what in ways(&value) {
                    let what = what.as_outgoing(&value);
                    assert_eq!(sent(what, capability), refused, "{name} to {capability}");
                    if let Outgoing::Body(body) = what {
                        let checked = body.check_for(capability, &Limits::client());
                        assert_eq!(checked.err(), refused, "{name} to {capability}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_count_of_eight_bytes_takes_the_highest_capability() {
    // As for more than 2^31-1 items, of which only the header is made up.
    let wide: [&[u8]; 4] = [
        b"\x04\x84\x02\0\0\0\0\0\0\0\xaa\xbb",
        b"\x0b\x80\x01\0\0\0\0\0\0\0a\0",
        b"\0\x80\x01\0\0\0\0\0\0\0\xfc\x01",
        b"\0\0\x01\0\0\0\x02\x80\0\0\0\0\0\0\0\0",
    ];
    for bytes in wide {
        let received = Body::from_bytes(Bytes::from_static(bytes), ByteOrder::Little);
        let decoded = received.decode(&Limits::client());
        let value = decoded.expect("a value").expect("no error");
        let encoded = Body::encode(&value).expect("there is room");
        for capability in CAPABILITIES {
            let refused = (capability < Capability::V6).then_some(EncodeError::NotUnderstood {
                feature: Feature::WideCount,
                capability,
            });
            for what in [(&received).into(), (&encoded).into(), (&value).into()] {
                assert_eq!(
                    sent(what, capability),
                    refused,
                    "{bytes:02x?} to {capability}"
                );
            }
        }
    }
}

#[test]
fn an_answer_that_the_peer_does_not_understand_becomes_an_error() {
    let (guid, long) = (Value::from(Guid([7; 16])), columns(32, 64 << 20));
    for (value, text) in [(&guid, "type"), (&long, "limit")] {
        for what in [value.into(), Outgoing::from(&Body::encode(value).unwrap())] {
            let mut connection = connection(Capability::V2);
            let mut outbox = Outbox::default();
            let ticket = asked(&mut connection);
            let refused = connection.respond(ticket, Ok::<Outgoing<'_>, _>(what), &mut outbox);
            assert!(matches!(refused, Err(SendError::Encode(_))));
            let response = outbox.copy_to_bytes(outbox.remaining());
            let body = [b"\x80", text.as_bytes(), b"\0"].concat();
            assert_eq!(response[..4], [1, 2, 0, 0]);
            assert_eq!(response[8..], body);
        }
    }
}

#[test]
fn messages_of_2_gib_take_capability_5() {
    const MIB: usize = 1 << 20;
    // The length is that of the header, the list, 32 vectors and what is in them.
    let around = 8 + 6 + 32 * 6;
    let longest = i32::MAX as usize - around;
    let fits = parts(&[64 * MIB; 31], longest - 31 * 64 * MIB);
    let too_long = parts(&[64 * MIB; 31], longest - 31 * 64 * MIB + 1);
    for capability in CAPABILITIES {
        for what in ways(&fits) {
            assert_eq!(sent(what.as_outgoing(&fits), capability), None);
        }
        let refused = (capability < Capability::V5).then_some(EncodeError::TooLong {
            length: 1 << 31,
            limit: i32::MAX as u64,
        });
        for what in ways(&too_long) {
            assert_eq!(sent(what.as_outgoing(&too_long), capability), refused);
        }
    }
}

#[test]
fn the_length_of_a_message_above_4_gib_reaches_into_the_header_s_fourth_byte() {
    let value = columns(65, 64 << 20);
    let length = 8 + 6 + 65 * (6 + (64 << 20)) as u64;
    for what in ways(&value) {
        let mut outbox = Outbox::default();
        let mut connection = connection(Capability::V5);
        connection
            .notify(what.as_outgoing(&value), &mut outbox)
            .unwrap();
        assert_eq!(outbox.len() as u64, length);
        let header = outbox.chunk().first_chunk().expect("a header");
        assert_eq!(header[3], 1);
        let expected = Header::new(ByteOrder::Little, MessageKind::Async, None, length);
        assert_eq!(Header::parse(*header), Ok(expected));
    }
}

#[test]
fn only_peers_that_understand_it_are_sent_compressed_messages() {
    let zeros = Value::from(vec![0_i64; 1000]);
    let compressed = Body::encode(&zeros).unwrap().compress();
    assert_eq!(compressed.form(), Some(Form::Short));
    for capability in CAPABILITIES {
        let understands = ![Capability::V0, Capability::V2].contains(&capability);
        for (local, forwards) in [(false, true), (true, false)] {
            let mut config = Config::client();
            config.peer_is_local = local;
            let mut outbox = Outbox::default();
            let form = |what: Outgoing<'_>, outbox: &mut Outbox| {
                let mut connection = connected(config.clone(), capability);
                connection.notify(what, outbox).unwrap();
                let message = outbox.copy_to_bytes(outbox.remaining());
                let header = Header::parse(*message.first_chunk().expect("a header")).unwrap();
                assert_eq!(header.length, message.len() as u64);
                header.form
            };
            let expected = (understands && forwards).then_some(Form::Short);
            assert_eq!(form((&zeros).into(), &mut outbox), expected);
            // What came compressed goes on as it came, where it is understood.
            let expected = understands.then_some(Form::Short);
            assert_eq!(form((&compressed).into(), &mut outbox), expected);
        }
    }
}

/// Values and what a peer must know to be sent them.
fn cases() -> Vec<(&'static str, Value, Option<Feature>)> {
    let timespan = Value::from(Timespan(1));
    let guid = Value::from(Guid([1; 16]));
    let column = |name, items: Value| Value::from(Table::new([(name, items)]).expect("one column"));
    let (spans, guids) = (Some(Feature::Timespan), Some(Feature::Guid));
    vec![
        ("a long", Value::from(1_i64), None),
        ("chars", Value::from("2+3"), None),
        ("a timespan", timespan.clone(), spans),
        ("a timestamp", Value::from(Timestamp(1)), spans),
        ("timespans", Value::from(vec![Timespan(1)]), spans),
        ("timestamps", Value::from(vec![Timestamp(1)]), spans),
        ("no timespans", Value::from(Vec::<Timespan>::new()), spans),
        ("a guid", guid.clone(), guids),
        ("guids", Value::from(vec![Guid([1; 16])]), guids),
        ("no guids", Value::from(Vec::<Guid>::new()), guids),
        (
            "a list with a timespan",
            Value::from((1_i64, timespan.clone())),
            spans,
        ),
        (
            "a list with a guid and a timespan",
            Value::from((guid.clone(), timespan.clone())),
            guids,
        ),
        (
            "a list in a list",
            Value::from(List::from(vec![Value::from((1_i64, guid.clone()))])),
            guids,
        ),
        (
            "a dictionary",
            Value::from(Dict::new(vec![sym!("a")], vec![Timespan(1)])),
            spans,
        ),
        (
            "a table",
            column(sym!("time"), Value::from(vec![Timestamp(1)])),
            spans,
        ),
        (
            "a keyed table",
            Value::from(Dict::new(
                column(sym!("id"), Value::from(vec![Guid([1; 16])])),
                column(sym!("time"), Value::from(vec![Timestamp(1)])),
            )),
            guids,
        ),
        (
            "a projection",
            Value::from(Function::projection(Function::lambda("{x+y}"), [timespan])),
            spans,
        ),
        (
            "a composition",
            Value::from(Function::composition([guid.clone()])),
            guids,
        ),
    ]
}

/// A way to send a value.
enum Way {
    Value,
    Body(Body),
}

impl Way {
    fn as_outgoing<'a>(&'a self, value: &'a Value) -> Outgoing<'a> {
        match self {
            Self::Value => value.into(),
            Self::Body(body) => body.into(),
        }
    }
}

/// As a value, as a body that was encoded, and as one that was received.
fn ways(value: &Value) -> Vec<Way> {
    let encoded = Body::encode(value).expect("there is room");
    let mut ways = vec![Way::Value, Way::Body(encoded.clone())];
    if encoded.len() < 1 << 20 {
        let bytes = Bytes::from(encoded.chunks().concat());
        ways.push(Way::Body(Body::from_bytes(bytes, ByteOrder::Little)));
    }
    ways
}

/// Sends it as a request, as an async and as a response. Returns why it was refused, in all three,
/// with nothing written but the response.
fn sent(what: Outgoing<'_>, capability: Capability) -> Option<EncodeError> {
    let mut connection = connection(capability);
    let mut outbox = Outbox::default();
    let outcome = |result: Result<(), SendError>, outbox: &mut Outbox| match result {
        Ok(()) => {
            assert!(outbox.clear() > 8);
            None
        }
        Err(SendError::Encode(error)) => Some(error),
        Err(other) => panic!("{other}"),
    };
    let result = connection.notify(what, &mut outbox);
    let refused = outcome(result, &mut outbox);
    assert!(outbox.is_empty());

    let result = connection.request(what, &mut outbox);
    assert_eq!(outcome(result, &mut outbox), refused);
    assert!(outbox.is_empty());
    assert_eq!(connection.is_awaiting(), refused.is_none());

    let ticket = asked(&mut connection);
    let result = connection.respond(ticket, Ok::<Outgoing<'_>, _>(what), &mut outbox);
    assert_eq!(outcome(result, &mut outbox), refused);
    if refused.is_some() {
        // An error in its place, for the peer waits.
        assert_eq!(outbox.chunk()[8], 0x80);
    }
    refused
}

/// Has the peer ask something.
fn asked(connection: &mut Connection) -> Ticket {
    let mut input = BytesMut::from(&b"\x01\x01\0\0\x0a\0\0\0\x65\0"[..]);
    match connection.receive(&mut input, &mut Outbox::default()) {
        Ok(Some(Incoming::Request(ticket, _))) => ticket,
        other => panic!("{other:?}"),
    }
}

/// A list of so many vectors of so many bytes, which all share their memory.
fn columns(count: usize, length: usize) -> Value {
    let column = zeros(length);
    Value::from(List::from(vec![column; count]))
}

/// A list of vectors of these lengths, which are all the same, and a last one.
fn parts(lengths: &[usize], last: usize) -> Value {
    let column = zeros(lengths[0]);
    let mut columns = vec![column; lengths.len()];
    columns.push(zeros(last));
    Value::from(List::from(columns))
}

/// Booleans that take no memory before somebody reads them.
fn zeros(length: usize) -> Value {
    Value::from(vec![false; length])
}

/// A connection on which nothing is compressed.
fn connection(capability: Capability) -> Connection {
    let mut config = Config::client();
    config.compression = Compression::Never;
    connected(config, capability)
}

/// A connection whose server answered with this capability.
fn connected(config: Config, capability: Capability) -> Connection {
    let anonymous = Credentials::anonymous();
    let client = ClientHandshake::start(&anonymous, config, &mut Outbox::default());
    let client = client.expect("the login is empty");
    let mut input = BytesMut::from(&[capability.number()][..]);
    match client.receive(&mut input).expect("any byte is a reply") {
        Progress::Done(connection) => connection,
        Progress::NeedsInput(_) => panic!("the reply was there"),
    }
}

const CAPABILITIES: [Capability; 7] = [
    Capability::V0,
    Capability::V1,
    Capability::V2,
    Capability::V3,
    Capability::V4,
    Capability::V5,
    Capability::V6,
];

//! A connection against messages written by hand.

use bytes::{Buf, Bytes};

use super::*;
use crate::auth::Credentials;
use crate::config::Compression;
use crate::encode::Feature;
use crate::handshake::{ClientHandshake, Progress};
use crate::sym;
use crate::value::{Guid, Timespan};

#[test]
fn a_request_is_answered_before_the_next_one_goes_out() {
    let (mut connection, mut outbox) = connected(6);
    connection
        .request(&Value::from("1+1"), &mut outbox)
        .unwrap();
    let sent = outbox.len();
    assert_eq!(
        connection.request(&Value::from("2+2"), &mut outbox),
        Err(SendError::RequestOutstanding)
    );
    assert_eq!(outbox.len(), sent);
    let mut input = message(MessageKind::Response, &Value::from(2_i64));
    let Ok(Some(Incoming::Response(body))) = connection.receive(&mut input, &mut outbox) else {
        panic!("a response was there");
    };
    let limits = connection.config().limits;
    assert_eq!(body.decode(&limits).unwrap(), Ok(Value::from(2_i64)));
    assert!(connection.request(&Value::from("2+2"), &mut outbox).is_ok());
}

#[test]
fn what_arrives_before_the_response_comes_out_in_order() {
    let (mut connection, mut outbox) = connected(6);
    connection
        .request(&Value::from("1+1"), &mut outbox)
        .unwrap();
    let mut input = message(MessageKind::Async, &Value::from(1_i64));
    input.unsplit(message(MessageKind::Sync, &Value::from(2_i64)));
    input.unsplit(message(MessageKind::Response, &Value::from(3_i64)));
    assert!(matches!(
        connection.receive(&mut input, &mut outbox),
        Ok(Some(Incoming::Async(_)))
    ));
    assert!(matches!(
        connection.receive(&mut input, &mut outbox),
        Ok(Some(Incoming::Request(..)))
    ));
    assert!(matches!(
        connection.receive(&mut input, &mut outbox),
        Ok(Some(Incoming::Response(_)))
    ));
    assert!(matches!(
        connection.receive(&mut input, &mut outbox),
        Ok(None)
    ));
}

#[test]
fn a_ticket_is_good_for_its_connection() {
    let (mut connection, mut outbox) = connected(6);
    let (mut other, _) = connected(6);
    let ticket = asked(&mut connection, "1+1");
    let two = Value::from(2_i64);
    // The first request of either.
    let foreign = asked(&mut other, "a");
    assert_eq!(
        connection.respond(foreign, Ok(&two), &mut outbox),
        Err(SendError::NothingToAnswer)
    );
    assert!(outbox.is_empty());
    connection.respond(ticket, Ok(&two), &mut outbox).unwrap();
    assert_eq!(drain(&mut outbox), message(MessageKind::Response, &two));
}

#[test]
fn an_answer_that_was_given_up_is_waited_for_before_the_next_request() {
    let (mut connection, mut outbox) = connected(6);
    let query = Value::from("slow");
    connection.give_up();
    connection.request(&query, &mut outbox).unwrap();
    assert!(connection.is_awaiting());
    connection.give_up();
    assert!(!connection.is_awaiting());
    outbox.clear();
    assert_eq!(
        connection.request(&query, &mut outbox),
        Err(SendError::LateResponseOutstanding)
    );
    let mut input = message(MessageKind::Response, &Value::from("late"));
    assert!(matches!(
        connection.receive(&mut input, &mut outbox),
        Ok(Some(Incoming::LateResponse))
    ));
    assert!(outbox.is_empty());
    connection.request(&query, &mut outbox).unwrap();
    let mut input = message(MessageKind::Response, &Value::from("in time"));
    assert!(matches!(
        connection.receive(&mut input, &mut outbox),
        Ok(Some(Incoming::Response(_)))
    ));
}

#[test]
fn a_close_with_nobody_waiting_is_clean() {
    let (mut connection, mut outbox) = connected(6);
    connection
        .request(&Value::from("slow"), &mut outbox)
        .unwrap();
    connection.give_up();
    let _unanswered = asked(&mut connection, "who?");
    assert_eq!(connection.receive_eof(&BytesMut::new()), Ok(()));
}

#[test]
fn a_request_while_the_peer_waits_for_an_answer_is_reentrant() {
    let (mut connection, mut outbox) = connected(6);
    let query = Value::from("calls back");
    let own = asked(&mut connection, "before");
    connection.request(&query, &mut outbox).unwrap();
    let ticket = asked(&mut connection, "who?");
    for _ in 0..2 {
        assert_eq!(
            connection.request(&query, &mut outbox),
            Err(SendError::Reentrant)
        );
        connection.give_up();
    }
    connection.notify(&query, &mut outbox).unwrap();
    connection.respond(ticket, Ok(&query), &mut outbox).unwrap();
    assert_eq!(
        connection.request(&query, &mut outbox),
        Err(SendError::LateResponseOutstanding)
    );
    outbox.clear();
    // What was asked before is answered behind our own.
    connection.respond(own, Ok(&query), &mut outbox).unwrap();
    assert_eq!((outbox.len(), connection.owed()), (0, 1));
    let answer = message(MessageKind::Response, &query);
    assert_eq!(connection.held(), answer.len());
    let late = connection.receive(&mut answer.clone(), &mut outbox);
    assert!(matches!(late, Ok(Some(Incoming::LateResponse))));
    assert_eq!(drain(&mut outbox), answer);
    assert_eq!((connection.held(), connection.owed()), (0, 0));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (mut connection, mut outbox) = pipelined();
    for n in 0..3_i64 {
        connection.request(&Value::from(n), &mut outbox).unwrap();
    }
    let limits = connection.config().limits;
    for n in 0..3_i64 {
        assert!(connection.is_awaiting());
        let mut input = message(MessageKind::Response, &Value::from(n));
        let Ok(Some(Incoming::Response(body))) = connection.receive(&mut input, &mut outbox) else {
            panic!("a response was there");
        };
        assert_eq!(body.decode(&limits).unwrap(), Ok(Value::from(n)));
    }
    assert!(!connection.is_awaiting());
}

#[test]
fn a_call_back_amid_pipelined_requests_ends_the_connection() {
    let (mut connection, mut outbox) = pipelined();
    let query = Value::from("calls back");
    connection.request(&query, &mut outbox).unwrap();
    // Of one request there is no doubt yet.
    let ticket = asked(&mut connection, "who?");
    assert_eq!(
        connection.request(&query, &mut outbox),
        Err(SendError::Reentrant)
    );
    connection.respond(ticket, Ok(&query), &mut outbox).unwrap();
    connection.request(&query, &mut outbox).unwrap();
    let mut input = message(MessageKind::Sync, &Value::from("who?"));
    for _ in 0..2 {
        assert_eq!(
            connection.receive(&mut input, &mut outbox).unwrap_err(),
            ProtocolError::CalledBack
        );
    }
}

#[test]
fn giving_up_a_pipelined_request_ends_the_connection() {
    let (mut connection, mut outbox) = pipelined();
    let query = Value::from("slow");
    connection.request(&query, &mut outbox).unwrap();
    connection.give_up();
    assert_eq!(
        connection.notify(&query, &mut outbox),
        Err(SendError::Failed(ProtocolError::GivenUp))
    );
    assert_eq!(
        connection.receive_eof(&BytesMut::new()),
        Err(ProtocolError::GivenUp)
    );
}

#[test]
fn a_peer_has_so_many_requests_open_and_no_more() {
    let (mut connection, mut outbox) = connected(6);
    connection.config.limits.requests = 2;
    let [first, _second] = [asked(&mut connection, "1"), asked(&mut connection, "2")];
    let answer = Value::from(1_i64);
    connection.respond(first, Ok(&answer), &mut outbox).unwrap();
    let _third = asked(&mut connection, "3");
    let mut input = message(MessageKind::Sync, &Value::from("4"));
    assert_eq!(
        connection.receive(&mut input, &mut outbox).unwrap_err(),
        ProtocolError::TooManyRequests { limit: 2 }
    );
}

#[test]
fn an_answer_that_cannot_be_sent_becomes_an_error_response() {
    let (mut connection, mut outbox) = connected(0);
    let ticket = asked(&mut connection, "now");
    let sent = connection.respond(ticket, Ok(&Value::from(Timespan(1))), &mut outbox);
    assert!(matches!(
        sent,
        Err(SendError::Encode(EncodeError::NotUnderstood { .. }))
    ));
    assert_eq!(drain(&mut outbox)[..], *b"\x01\x02\0\0\x0e\0\0\0\x80type\0");
}

#[test]
fn a_large_value_that_is_refused_leaves_what_waits_as_it_was() {
    let (mut connection, mut outbox) = connected(2);
    let column = Value::from(vec![1_i64; 100_000]);
    let updates = Value::from(vec![
        Value::from((sym!("upd"), 1_i64, column.clone()));
        10_000
    ]);
    let refused = Value::from((updates, Guid([1; 16])));
    let half = Value::from(vec![column; 2000]);
    let too_long = Value::from((half.clone(), half));
    connection.notify(&Value::from("1+1"), &mut outbox).unwrap();
    for _ in 0..2 {
        assert!(matches!(
            connection.notify(&refused, &mut outbox),
            Err(SendError::Encode(EncodeError::NotUnderstood {
                feature: Feature::Guid,
                ..
            }))
        ));
        let length = 8 + 6 + 2 * (6 + 2000 * (6 + 800_000));
        assert_eq!(
            connection.notify(&too_long, &mut outbox),
            Err(SendError::Encode(EncodeError::TooLong {
                length,
                limit: i32::MAX as u64
            }))
        );
        connection.notify(&Value::from("1+1"), &mut outbox).unwrap();
    }
    let sent = message(MessageKind::Async, &Value::from("1+1"));
    assert_eq!(drain(&mut outbox), sent.repeat(3));
}

#[test]
fn a_response_to_nothing_ends_the_connection() {
    let (mut connection, mut outbox) = connected(6);
    let mut input = message(MessageKind::Response, &Value::from(3_i64));
    input.unsplit(message(MessageKind::Async, &Value::from(1_i64)));
    for _ in 0..2 {
        assert_eq!(
            connection.receive(&mut input, &mut outbox).unwrap_err(),
            ProtocolError::UnexpectedResponse
        );
    }
}

#[test]
fn a_close_at_each_byte_is_told_apart_from_a_clean_one() {
    let bytes = message(MessageKind::Async, &Value::from(sym!("a")));
    for end in 0..bytes.len() {
        let (mut connection, mut outbox) = connected(6);
        let mut input = BytesMut::from(&bytes[..end]);
        assert!(
            connection
                .receive(&mut input, &mut outbox)
                .unwrap()
                .is_none()
        );
        let announced = (end >= 8).then_some(bytes.len() as u64);
        let expected = match end {
            0 => Ok(()),
            _ => Err(ProtocolError::Truncated {
                arrived: end as u64,
                announced,
            }),
        };
        assert_eq!(connection.receive_eof(&input), expected, "{end}");
    }
    let (mut connection, mut outbox) = connected(6);
    connection.request(&Value::from("1"), &mut outbox).unwrap();
    for _ in 0..2 {
        assert_eq!(
            connection.receive_eof(&BytesMut::new()),
            Err(ProtocolError::ClosedBeforeResponse)
        );
    }
}

#[test]
fn an_answer_that_is_too_large_is_called_limit() {
    let (mut connection, mut outbox) = connected(3);
    let ticket = asked(&mut connection, "all");
    let wide = Body::from_bytes(
        Bytes::from_static(b"\x04\x80\x01\0\0\0\0\0\0\0\xaa"),
        ByteOrder::Little,
    );
    assert!(connection.respond(ticket, Ok(&wide), &mut outbox).is_err());
    assert_eq!(
        drain(&mut outbox)[..],
        *b"\x01\x02\0\0\x0f\0\0\0\x80limit\0"
    );
}

#[test]
fn after_a_failure_nothing_is_sent() {
    let (mut connection, mut outbox) = connected(6);
    let ticket = asked(&mut connection, "who?");
    connection.request(&Value::from("1"), &mut outbox).unwrap();
    outbox.clear();
    let error = connection
        .receive(&mut BytesMut::from(&b"HTTP/1.1 400"[..]), &mut outbox)
        .unwrap_err();
    assert!(matches!(error, ProtocolError::Frame(_)));
    assert!(!connection.is_awaiting());
    let one = Value::from(1_i64);
    assert_eq!(
        connection.request(&one, &mut outbox),
        Err(SendError::Failed(error))
    );
    assert_eq!(
        connection.notify(&one, &mut outbox),
        Err(SendError::Failed(error))
    );
    assert_eq!(
        connection.respond(ticket, Ok(&one), &mut outbox),
        Err(SendError::Failed(error))
    );
    assert!(outbox.is_empty());
}

#[test]
fn a_message_without_a_body_is_not_sent() {
    let (mut connection, mut outbox) = connected(6);
    let nothing = Body::from_bytes(Bytes::new(), ByteOrder::Little);
    let sent = connection.notify(&nothing, &mut outbox);
    assert!(matches!(
        sent,
        Err(SendError::Encode(EncodeError::Invalid(_)))
    ));
    assert!(outbox.is_empty());
}

#[test]
fn only_what_pays_toward_a_peer_that_understands_it_is_compressed() {
    let value = Value::from(vec![7_i64; 1000]);
    for (capability, compression, compressed) in [
        (6, Compression::Auto, true),
        (2, Compression::Auto, false),
        (0, Compression::Always, false),
        (1, Compression::Always, true),
        (6, Compression::Never, false),
    ] {
        let (mut connection, mut outbox) = connected(capability);
        connection.config.compression = compression;
        connection.notify(&value, &mut outbox).unwrap();
        let mut sent = drain(&mut outbox);
        assert_eq!(sent[2] == 1, compressed, "{capability} {compression:?}");
        let Ok(Some(Incoming::Async(body))) = connection.receive(&mut sent, &mut outbox) else {
            panic!("a message was sent");
        };
        assert_eq!(
            body.decode(&connection.config().limits).unwrap(),
            Ok(value.clone())
        );
    }
}

#[test]
fn a_body_on_its_way_through_is_checked_for_its_new_peer() {
    let received = |value: &Value| {
        let (mut connection, mut outbox) = connected(6);
        let mut input = message(MessageKind::Async, value);
        match connection.receive(&mut input, &mut outbox) {
            Ok(Some(Incoming::Async(body))) => body,
            other => panic!("{other:?}"),
        }
    };
    let guid = received(&Value::from(vec![Value::from(Guid([7; 16]))]));
    let (mut old, mut outbox) = connected(1);
    assert!(matches!(
        old.notify(&guid, &mut outbox),
        Err(SendError::Encode(_))
    ));
    assert!(outbox.is_empty());
    let (mut new, mut outbox) = connected(3);
    new.notify(&guid, &mut outbox).unwrap();
    assert_eq!(drain(&mut outbox)[8..], guid.chunks()[0]);

    let nonsense = Body::from_bytes(Bytes::from_static(b"\x03"), ByteOrder::Little);
    assert!(matches!(
        new.notify(&nonsense, &mut outbox),
        Err(SendError::Encode(EncodeError::Invalid(_)))
    ));
    // A compressed body is taken apart for a peer that does not understand it.
    let zipped = Body::encode(&Value::from(vec![7_i64; 1000]))
        .unwrap()
        .compress();
    assert!(zipped.form().is_some());
    let (mut oldest, mut outbox) = connected(0);
    oldest.notify(&zipped, &mut outbox).unwrap();
    let (mut never, mut plain) = connected(6);
    never.config.compression = Compression::Never;
    never.notify(&zipped, &mut plain).unwrap();
    assert_eq!(drain(&mut plain)[2], 0);
    assert_eq!(
        drain(&mut outbox),
        message(MessageKind::Async, &Value::from(vec![7_i64; 1000]))
    );
}

fn connected(capability: u8) -> (Connection, Outbox) {
    let mut outbox = Outbox::default();
    let login = Credentials::anonymous();
    let client = ClientHandshake::start(&login, Config::client(), &mut outbox).unwrap();
    outbox.clear();
    match client.receive(&mut BytesMut::from(&[capability][..])) {
        Ok(Progress::Done(connection)) => (connection, outbox),
        other => panic!("{other:?}"),
    }
}

fn pipelined() -> (Connection, Outbox) {
    let (mut connection, outbox) = connected(6);
    connection.config.requests = Requests::Pipelined;
    (connection, outbox)
}

fn asked(connection: &mut Connection, text: &str) -> Ticket {
    let mut input = message(MessageKind::Sync, &Value::from(text));
    match connection.receive(&mut input, &mut Outbox::default()) {
        Ok(Some(Incoming::Request(ticket, _))) => ticket,
        other => panic!("{other:?}"),
    }
}

fn message(kind: MessageKind, value: &Value) -> BytesMut {
    let mut outbox = Outbox::default();
    Message::new(kind, Body::encode(value).unwrap()).write(&mut outbox);
    drain(&mut outbox)
}

fn drain(outbox: &mut Outbox) -> BytesMut {
    let mut bytes = BytesMut::new();
    while outbox.has_remaining() {
        let chunk = outbox.chunk().len();
        bytes.extend_from_slice(&outbox.copy_to_bytes(chunk));
    }
    bytes
}

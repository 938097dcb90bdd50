//! What holds for every value, message, login and way of cutting them into pieces.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use bytes::{Buf, Bytes, BytesMut};
use hopen_codec::auth::Credentials;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::{Capability, Config, Limits};
use hopen_codec::connection::{Connection, Incoming};
use hopen_codec::frame::FrameDecoder;
use hopen_codec::handshake::{ClientHandshake, Progress};
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::strategy;
use hopen_codec::value::{
    Atom, Byte, Char, Date, Datetime, DictRef, FunctionRef, Guid, Items, ListRef, Minute, Month,
    Second, Symbol, SymbolRef, Symbols, TableRef, Time, Timespan, Timestamp, Value, ValueRef,
    Vector,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_value_comes_back_from_its_bytes(
        value in strategy::value(4, 6),
        order in strategy::byte_order(),
    ) {
        let bytes = encode(&value, order);
        let received = decode(&bytes, order);
        same(&value, &received);
        prop_assert_eq!(encode(&received, order), bytes);
    }

    #[test]
    fn the_other_byte_order_and_back_is_where_it_began(
        value in strategy::value(4, 6),
        order in strategy::byte_order(),
    ) {
        let bytes = encode(&value, order);
        let received = decode(&bytes, order);
        let recoded = encode(&received, other(order));
        let twin = decode(&recoded, other(order));
        same(&received, &twin);
        let back = encode(&twin, order);
        same(&received, &decode(&back, order));
        prop_assert_eq!(encode(&received, other(order)), encode(&twin, other(order)));
        prop_assert_eq!(back, bytes);
    }

    #[test]
    fn received_and_built_values_read_alike(
        value in strategy::value(3, 5),
        order in strategy::byte_order(),
    ) {
        let received = decode(&encode(&value, order), order);
        read_alike(value.as_ref(), received.as_ref());
    }

    #[test]
    fn copies_and_parts_are_the_same_values(value in strategy::value(3, 5)) {
        let copy = value.as_ref().detach();
        same(&value, &copy);
        prop_assert_eq!(
            encode(&copy, ByteOrder::Little),
            encode(&value, ByteOrder::Little)
        );
        let received = strategy::receive(&value, ByteOrder::Big);
        let parts = parts(value.as_ref()).into_iter().zip(parts(received.as_ref()));
        for (part, of_received) in parts {
            let part = value.share(part);
            let shared = received.share(of_received);
            same(&part, &shared);
            prop_assert_eq!(encode(&part, ByteOrder::Big), encode(&shared, ByteOrder::Big));
            let copy = of_received.detach();
            prop_assert_eq!(encode(&part, ByteOrder::Big), encode(&copy, ByteOrder::Big));
        }
    }

    #[test]
    fn another_attribute_is_all_that_changes(
        value in strategy::value(2, 4),
        attribute in strategy::attribute(),
        order in strategy::byte_order(),
    ) {
        let received = strategy::receive(&value, order);
        let with_attribute = |value: &Value| match value.clone() {
            Value::Vector(vector) => Some(Value::Vector(vector.with_attribute(attribute))),
            Value::List(list) => Some(Value::List(list.with_attribute(attribute))),
            Value::Table(table) => Some(Value::Table(table.with_attribute(attribute))),
            Value::Atom(_) | Value::Dict(_) | Value::Function(_) | _ => None,
        };
        if let (Some(built), Some(received)) = (with_attribute(&value), with_attribute(&received)) {
            same(&built, &received);
            let mut expected = encode(&value, order);
            expected[1] = expected[1] & 0x80 | attribute.to_byte();
            for value in [built, received] {
                let found = encode(&value, order);
                // A general list that is taken apart keeps no note of a needlessly wide count.
                if found.len() == expected.len() {
                    prop_assert_eq!(found, &*expected);
                } else {
                    prop_assert_eq!(expected[1] & 0x80, 0x80);
                }
            }
        }
    }

    #[test]
    fn values_with_the_same_bytes_are_equal(
        one in strategy::value(2, 2),
        another in strategy::value(2, 2),
        order in strategy::byte_order(),
    ) {
        // Not the other way round: equal values may differ in NaNs and in the width of counts.
        if encode(&one, order) == encode(&another, order) {
            prop_assert_eq!(&one, &another);
        }
        let again = decode(&encode(&one, order), order);
        prop_assert_eq!(&one, &again);
        prop_assert_eq!(hash(&one), hash(&again));
    }

    #[test]
    fn a_printed_value_is_one_line_without_control_characters(value in strategy::value(4, 6)) {
        let text = value.to_string();
        prop_assert!(!text.contains(char::is_control), "{:?}", text);
    }

    #[test]
    fn a_stream_of_messages_may_come_in_any_chunks(
        sent in prop::collection::vec(strategy::message(3, 6), 0..6),
        chunks in chunks(),
    ) {
        let wire: Vec<u8> = sent.iter().flat_map(written).collect();
        let mut frames = FrameDecoder::new(Limits::LARGEST_MESSAGE);
        let mut received = Vec::new();
        let rest = feed(&wire, &chunks, |input| {
            while let Some(message) = frames.decode(input).expect("messages") {
                received.push(message);
            }
            frames.make_room(input)
        });
        prop_assert!(rest.is_empty());
        prop_assert_eq!(received.len(), sent.len());
        for (received, sent) in received.iter().zip(&sent) {
            prop_assert_eq!(received.kind, sent.kind);
            prop_assert_eq!(written(received), written(sent));
            let limits = Limits::client();
            prop_assert_eq!(received.body.decode(&limits), sent.body.decode(&limits));
        }
    }

    #[test]
    fn a_compressed_body_decompresses_to_what_it_was(
        value in strategy::value(2, 6),
        times in 1..400_usize,
        order in strategy::byte_order(),
    ) {
        let value = Value::List(vec![value; times].into());
        let body = Body::encode_in(&value, order).expect("there is room");
        let compressed = body.compress();
        let limits = Limits::client();
        let plain = compressed.decompress(&limits).expect("it was compressed just now");
        prop_assert_eq!(plain.form(), None);
        prop_assert_eq!(plain.chunks().concat(), body.chunks().concat());
        prop_assert_eq!(compressed.decode(&limits), Ok(Ok(value)));
        if compressed.form().is_some() {
            prop_assert!(body.len() > 2000 && compressed.len() < body.len() / 2);
        }
    }

    #[test]
    fn what_is_not_as_it_was_sent_is_a_value_or_an_error_with_its_place(
        (order, bytes) in (strategy::value(3, 6), strategy::byte_order()).prop_flat_map(
            |(value, order)| (Just(order), strategy::mutated(encode(&value, order))),
        ),
    ) {
        match Body::from_bytes(bytes.clone().into(), order).decode(&Limits::client()) {
            Ok(Ok(value)) => sound(&value, &bytes, order),
            Ok(Err(error)) => {
                let again = Body::error_in(&error, order).chunks().concat();
                prop_assert_eq!(again, bytes);
            }
            Err(error) => {
                prop_assert!((8..=8 + bytes.len() as u64).contains(&error.offset), "{}", error);
                prop_assert!(!error.to_string().contains(char::is_control));
            }
        }
    }

    #[test]
    fn a_compressed_message_that_is_not_as_it_was_sent_is_a_value_or_an_error_with_its_place(
        bytes in strategy::compressed(2, 6).prop_flat_map(|body| {
            let message = Message::new(MessageKind::Async, body);
            strategy::mutated(written(&message))
        }),
    ) {
        let limits = Limits::client();
        let mut input = BytesMut::from(&bytes[..]);
        let decoded = FrameDecoder::new(limits.message).decode(&mut input);
        if let Ok(Some(message)) = decoded {
            match message.body.decode(&limits) {
                Ok(Ok(value)) => {
                    let plain = message.body.decompress(&limits).expect("it was decoded");
                    let order = message.body.byte_order();
                    sound(&value, &plain.chunks().concat(), order);
                }
                Ok(Err(_)) => {}
                Err(error) => {
                    let most = 128 * bytes.len() as u64;
                    prop_assert!((8..=most).contains(&error.offset), "{}", error);
                }
            }
        }
    }

    #[test]
    fn a_login_is_what_was_given_and_a_capability_and_a_nul(
        credentials in strategy::credentials(),
        offered in 0..=6_u8,
    ) {
        let mut login = credentials.user().to_vec();
        if let Some(password) = credentials.password() {
            login.push(b':');
            login.extend_from_slice(password.expose());
        }
        let parsed = Credentials::parse(&login).expect("there is no NUL");
        prop_assert_eq!(&parsed, &credentials);
        let ambiguous = offered == 0 && login.last().is_some_and(|byte| *byte < 0x20);
        if offered > 0 {
            login.push(offered);
        }
        login.push(0);

        let mut outbox = Outbox::default();
        let started = ClientHandshake::start(&credentials, config(offered), &mut outbox);
        prop_assert_eq!(started.is_err(), ambiguous);
        let expected = if ambiguous { &[][..] } else { &login };
        prop_assert_eq!(outbox.copy_to_bytes(outbox.remaining()), expected);
    }

    #[test]
    fn the_reply_to_a_login_and_what_follows_may_come_in_any_chunks(
        offered in 0..=6_u8,
        reply in any::<u8>(),
        sent in prop::collection::vec(strategy::message(2, 4), 0..4),
        chunks in chunks(),
    ) {
        let sent: Vec<Message> = sent
            .into_iter()
            .filter(|message| message.kind != MessageKind::Response)
            .collect();
        let mut wire = vec![reply];
        wire.extend(sent.iter().flat_map(written));
        let anonymous = Credentials::anonymous();
        let started = ClientHandshake::start(&anonymous, config(offered), &mut Outbox::default());
        let mut client = Client {
            handshake: Some(started.expect("nothing ends in no control byte")),
            ..Client::default()
        };
        let rest = feed(&wire, &chunks, |input| client.step(input));
        prop_assert!(rest.is_empty());
        let connection = client.connection.expect("the reply has come");
        prop_assert_eq!(connection.capability().number(), offered.min(reply));
        let received: Vec<_> = client
            .received
            .iter()
            .map(|incoming| match incoming {
                Incoming::Async(body) => (0, body.chunks().concat()),
                Incoming::Request(_, body) => (1, body.chunks().concat()),
                other @ (Incoming::Response(_) | Incoming::LateResponse) => {
                    panic!("nothing was asked: {other:?}")
                }
            })
            .collect();
        let sent: Vec<_> = sent
            .iter()
            .map(|message| (message.kind.to_byte(), message.body.chunks().concat()))
            .collect();
        prop_assert_eq!(received, sent);
    }
}

/// Checks what holds for every value that was decoded from these bytes.
fn sound(value: &Value, bytes: &[u8], order: ByteOrder) {
    assert_eq!(encode(value, order), bytes);
    let copy = value.as_ref().detach();
    same(value, &copy);
    assert_eq!(encode(&copy, order), bytes);
    let text = value.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
    let twin = decode(&encode(value, other(order)), other(order));
    same(value, &twin);
    read_alike(value.as_ref(), twin.as_ref());
}

/// Checks that two values are one and the same to everybody who looks at them.
fn same(one: &Value, another: &Value) {
    assert_eq!(one, &one.clone());
    assert_eq!(one, another);
    assert_eq!(another, one);
    assert_eq!(hash(one), hash(another));
    assert_eq!(one.value_type(), another.value_type());
    assert_eq!(one.to_string(), another.to_string());
}

/// Reads two equal values in every way there is, and those inside them.
fn read_alike(one: ValueRef<'_>, another: ValueRef<'_>) {
    assert_eq!(one, another);
    assert_eq!(one.to_string(), another.to_string());
    convert_alike(one, another);
    assert_eq!(one.elements().is_some(), another.elements().is_some());
    assert!(
        one.elements()
            .into_iter()
            .flatten()
            .eq(another.elements().into_iter().flatten())
    );
    match (one, another) {
        (ValueRef::Atom(one), ValueRef::Atom(another)) => assert_eq!(one, another),
        (ValueRef::Vector(one), ValueRef::Vector(another)) => vectors_alike(one, another),
        (ValueRef::List(one), ValueRef::List(another)) => {
            assert_eq!(one.attribute(), another.attribute());
            lists_alike(one, another);
        }
        (ValueRef::Dict(one), ValueRef::Dict(another)) => {
            assert_eq!(one.is_sorted(), another.is_sorted());
            assert_eq!(one.keyed_table().is_some(), another.keyed_table().is_some());
            assert_eq!(one.parts(), (one.keys(), one.values()));
            assert_eq!(another.parts(), (another.keys(), another.values()));
            assert!(one.iter().eq(another));
            for (key, _) in one {
                if let ValueRef::Atom(Atom::Symbol(name)) = key {
                    assert!(one.get(name).is_some());
                    assert_eq!(one.get(name), another.get(name));
                }
            }
            read_alike(one.keys(), another.keys());
            read_alike(one.values(), another.values());
        }
        (ValueRef::Table(one), ValueRef::Table(another)) => tables_alike(one, another),
        (ValueRef::Function(one), ValueRef::Function(another)) => functions_alike(one, another),
        _ => panic!("{one} is of another kind than {another}"),
    }
}

/// Converts two equal values to whatever there is; mostly that fails, in both alike.
fn convert_alike(one: ValueRef<'_>, another: ValueRef<'_>) {
    macro_rules! to {
        ($($type:ty)*) => {$(
            // As text, where any NaN is the same as any other.
            let converted = [one, another].map(|value| format!("{:?}", value.to::<$type>()));
            assert_eq!(converted[0], converted[1]);
        )*};
    }
    macro_rules! to_items {
        ($($item:ty)*) => {$(
            to! { $item Vec<$item> Items<$item> Items<$item, &[u8]> }
        )*};
    }
    macro_rules! to_nullable_items {
        ($($item:ty)*) => {$(
            to_items! { $item }
            to! { Option<$item> Vec<Option<$item>> }
        )*};
    }
    to_items! { bool Byte Char }
    to_nullable_items! { Guid i16 i32 i64 f32 f64 Timestamp Month Date Datetime }
    to_nullable_items! { Timespan Minute Second Time }
    to! { Symbol Option<Symbol> SymbolRef<'_> Option<SymbolRef<'_>> }
    to! { Vec<Symbol> Vec<SymbolRef<'_>> Symbols Symbols<&[u8]> }
    to! { &str String &[u8] Vec<u8> Vec<&str> Vec<String> Vec<&[u8]> Vec<Vec<u8>> }
    to! { Atom Atom<SymbolRef<'_>> Vector<&[u8]> Vec<Value> Vec<ValueRef<'_>> }
    to! { ListRef<'_> DictRef<'_> TableRef<'_> FunctionRef<'_> () }
    to! { (ValueRef<'_>,) (i64, i64) (ValueRef<'_>, f64) (SymbolRef<'_>, Value, &str) }
}

fn vectors_alike(one: Vector<&[u8]>, another: Vector<&[u8]>) {
    assert_eq!(one, another);
    assert_eq!(one.basic_type(), another.basic_type());
    assert_eq!(one.attribute(), another.attribute());
    assert_eq!(
        (one.len(), one.is_empty()),
        (another.len(), another.is_empty())
    );
    // Their `Debug` lists the items.
    assert_eq!(format!("{one:?}"), format!("{another:?}"));
    if let (Vector::Symbol(one), Vector::Symbol(another)) = (one, another) {
        let (indexed, also) = (one.index(), another.index());
        assert_eq!((indexed.len(), also.len()), (one.len(), one.len()));
        for (at, symbol) in one.iter().enumerate() {
            assert_eq!(another.get(at), Some(symbol));
            assert_eq!(indexed.get(at), Some(symbol));
            assert_eq!(also.get(at), Some(symbol));
        }
        assert_eq!((one.get(one.len()), another.get(one.len())), (None, None));
        assert_eq!((indexed.get(one.len()), also.get(one.len())), (None, None));
    }
}

fn lists_alike(one: ListRef<'_>, another: ListRef<'_>) {
    assert_eq!(
        (one.len(), one.is_empty()),
        (another.len(), another.is_empty())
    );
    assert_eq!(
        (one.iter().len(), another.iter().len()),
        (one.len(), one.len())
    );
    assert_eq!(
        (one.iter().count(), another.iter().count()),
        (one.len(), one.len())
    );
    let (indexed, also) = (one.index(), another.index());
    assert_eq!((indexed.len(), also.len()), (one.len(), one.len()));
    for (at, (item, its_twin)) in one.iter().zip(another).enumerate() {
        read_alike(item, its_twin);
        for again in [one.get(at), another.get(at), indexed.get(at), also.get(at)] {
            assert_eq!(again, Some(item));
        }
    }
    assert_eq!((one.get(one.len()), another.get(one.len())), (None, None));
    assert_eq!((indexed.get(one.len()), also.get(one.len())), (None, None));
}

fn tables_alike(one: TableRef<'_>, another: TableRef<'_>) {
    assert_eq!(one.attribute(), another.attribute());
    assert_eq!(one.names(), another.names());
    assert_eq!(one.source(), another.source());
    assert_eq!(one.rows(), another.rows());
    assert_eq!(one.columns().count(), another.columns().count());
    for ((name, column), (its_name, its_column)) in one.columns().zip(another.columns()) {
        assert_eq!(name, its_name);
        read_alike(column, its_column);
        assert_eq!(one.column(name), another.column(name));
    }
    assert_eq!(one.column("no such"), another.column("no such"));
}

fn functions_alike(one: FunctionRef<'_>, another: FunctionRef<'_>) {
    match (one, another) {
        (FunctionRef::Lambda(one), FunctionRef::Lambda(another)) => {
            assert_eq!(one.context(), another.context());
            assert_eq!(one.text(), another.text());
        }
        (FunctionRef::Projection(one), FunctionRef::Projection(another))
        | (FunctionRef::Composition(one), FunctionRef::Composition(another)) => {
            lists_alike(one, another);
        }
        (FunctionRef::Derived(one), FunctionRef::Derived(another)) => {
            assert_eq!(one.iterator(), another.iterator());
            read_alike(one.function(), another.function());
        }
        (FunctionRef::Unary(one), FunctionRef::Unary(another)) => assert_eq!(one, another),
        (FunctionRef::Binary(one), FunctionRef::Binary(another)) => assert_eq!(one, another),
        (FunctionRef::Iterator(one), FunctionRef::Iterator(another)) => assert_eq!(one, another),
        _ => panic!("{one:?} is of another kind than {another:?}"),
    }
}

/// Returns the values right inside a value.
fn parts(value: ValueRef<'_>) -> Vec<ValueRef<'_>> {
    match value {
        ValueRef::List(list) => list.iter().collect(),
        ValueRef::Dict(dict) => vec![dict.keys(), dict.values()],
        ValueRef::Table(table) => table.columns().map(|(_, column)| column).collect(),
        ValueRef::Function(FunctionRef::Projection(parts) | FunctionRef::Composition(parts)) => {
            parts.iter().collect()
        }
        ValueRef::Function(FunctionRef::Derived(derived)) => vec![derived.function()],
        ValueRef::Atom(_) | ValueRef::Vector(_) | ValueRef::Function(_) | _ => Vec::new(),
    }
}

/// A client, from its login on.
#[derive(Default)]
struct Client {
    handshake: Option<ClientHandshake>,
    connection: Option<Connection>,
    received: Vec<Incoming>,
}

impl Client {
    /// Takes what has come, and returns how much may come next.
    fn step(&mut self, input: &mut BytesMut) -> usize {
        if let Some(handshake) = self.handshake.take() {
            match handshake.receive(input).expect("any byte is a reply") {
                Progress::Done(connection) => self.connection = Some(connection),
                Progress::NeedsInput(handshake) => {
                    let room = handshake.make_room(input);
                    self.handshake = Some(handshake);
                    return room;
                }
            }
        }
        let connection = self.connection.as_mut().expect("the reply has come");
        let mut outbox = Outbox::default();
        while let Some(incoming) = connection.receive(input, &mut outbox).expect("messages") {
            self.received.push(incoming);
        }
        connection.make_room(input)
    }
}

/// Does what a transport does: appends as many bytes as there is room for, or less, and calls
/// `step`, which returns how many more there is room for. Returns what is left of the input.
fn feed(wire: &[u8], chunks: &[usize], mut step: impl FnMut(&mut BytesMut) -> usize) -> BytesMut {
    let mut input = BytesMut::new();
    let mut room = step(&mut input);
    let mut chunks = chunks.iter().cycle();
    let mut rest = wire;
    while !rest.is_empty() {
        assert!(room > 0 && room <= input.capacity() - input.len());
        let chunk = *chunks.next().expect("there are chunks");
        let (now, later) = rest.split_at(chunk.min(room).min(rest.len()));
        input.extend_from_slice(now);
        rest = later;
        room = step(&mut input);
    }
    input
}

fn chunks() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        1 => Just(vec![1]),
        3 => prop::collection::vec(1..40_usize, 1..10),
        1 => prop::collection::vec(1..5_000_usize, 1..10),
    ]
}

fn config(capability: u8) -> Config {
    let mut config = Config::client();
    config.capability = Capability::new(capability).expect("one of seven");
    config
}

fn encode(value: &Value, order: ByteOrder) -> Vec<u8> {
    let body = Body::encode_in(value, order).expect("there is room");
    body.chunks().concat()
}

fn decode(bytes: &[u8], order: ByteOrder) -> Value {
    let body = Body::from_bytes(Bytes::copy_from_slice(bytes), order);
    let decoded = body.decode(&Limits::client());
    decoded.expect("a value").expect("no error")
}

fn other(order: ByteOrder) -> ByteOrder {
    match order {
        ByteOrder::Little => ByteOrder::Big,
        ByteOrder::Big => ByteOrder::Little,
    }
}

fn written(message: &Message) -> Vec<u8> {
    let mut outbox = Outbox::default();
    message.write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).to_vec()
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

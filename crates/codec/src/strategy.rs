//! Strategies for property tests: everything that the codec carries, for tests of what is built on
//! it (feature `proptest`).
//!
//! Edges are likelier than chance would have them: nulls and infinities, NaNs of any payload,
//! symbols about as long as are kept inline, empty vectors, counts of eight bytes. What only a peer
//! can make is among the values as well: tables by reference or of columns that differ in length.
//!
//! ```
//! use hopen_codec::message::Body;
//! use hopen_codec::strategy;
//! use proptest::prelude::*;
//!
//! proptest!(|(value in strategy::value(2, 4))| {
//!     prop_assert!(Body::encode(&value).is_ok());
//! });
//! ```

use bytes::Bytes;
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;

use crate::address::{Address, Endpoint, Target};
use crate::auth::Credentials;
use crate::byte_order::ByteOrder;
use crate::compress;
use crate::decode;
use crate::message::{Body, Message, MessageKind};
use crate::remote_error::RemoteError;
use crate::value::{
    Atom, Attribute, BinaryPrimitive, Byte, Char, Date, Datetime, Dict, Function, Guid, Items,
    IteratorPrimitive, List, Minute, Month, Second, Symbol, Symbols, Table, Time, Timespan,
    Timestamp, UnaryPrimitive, Value, Vector,
};

/// Values of every kind: of at most `depth` values inside each other, with up to `items` items in
/// a vector or list. Some of them were built, some were received, and some are built of received
/// ones.
pub fn value(depth: u32, items: usize) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        6 => atom().prop_map(Value::Atom),
        6 => vector(0..=items).prop_map(Value::Vector),
        1 => primitive(),
        1 => lambda(items),
        1 => wide_vector(items),
        1 => table_by_reference(),
    ];
    let nodes = 4 * depth.max(1);
    leaf.prop_recursive(depth, nodes, 4, move |inner| {
        let some = move |inner: &BoxedStrategy<Value>| vec(inner.clone(), 0..=items.min(4));
        prop_oneof![
            4 => list(some(&inner)),
            2 => dict(inner.clone(), inner.clone()),
            2 => table(items, inner.clone()).prop_map(Value::Table),
            1 => keyed_table(items, inner.clone()),
            1 => ragged_table(some(&inner)),
            1 => wide_list(some(&inner)),
            1 => projection(inner.clone(), some(&inner)),
            1 => some(&inner).prop_map(|parts| Value::Function(Function::composition(parts))),
            1 => (iterator(), inner.clone())
                .prop_map(|(iterator, of)| Value::Function(Function::derived(iterator, of))),
            2 => (inner.clone(), byte_order()).prop_map(|(value, order)| receive(&value, order)),
        ]
    })
    .boxed()
}

/// Values that were received, in either byte order.
pub fn received(depth: u32, items: usize) -> impl Strategy<Value = Value> {
    (value(depth, items), byte_order()).prop_map(|(value, order)| receive(&value, order))
}

/// Messages of every kind, in either byte order, compressed or not: values and errors.
pub fn message(depth: u32, items: usize) -> impl Strategy<Value = Message> {
    let body = prop_oneof![
        8 => (value(depth, items), byte_order()).prop_map(|(value, order)| encode(&value, order)),
        1 => (remote_error(), byte_order())
            .prop_map(|(error, order)| Body::error_in(&error, order)),
        2 => compressed(depth, items),
    ];
    (message_kind(), body).prop_map(|(kind, body)| Message::new(kind, body))
}

/// Compressed bodies, also of values that nobody would compress for being small.
pub fn compressed(depth: u32, items: usize) -> impl Strategy<Value = Body> {
    (value(depth, items), 1..100_usize, byte_order()).prop_filter_map(
        "some do not become smaller",
        |(value, times, order)| {
            let body = encode(&Value::List(vec![value; times].into()), order);
            let compressed = compress::compress(&body.chunks().concat(), order)?;
            let payload = compressed.payload.into();
            Some(Body::received(order, Some(compressed.form), payload))
        },
    )
}

/// Bytes made wrong in a few places: changed, put in, taken out, cut off, or with other counts.
pub fn mutated(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let count = || {
        select(vec![
            0_u32,
            1,
            2,
            3,
            0xff,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_ffff,
        ])
    };
    let change = prop_oneof![
        4 => (any::<Index>(), 1..=u8::MAX).prop_map(|(at, by)| Change::Flip(at, by)),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Truncate),
        2 => (any::<Index>(), count(), byte_order())
            .prop_map(|(at, count, order)| Change::Count(at, order.u32_bytes(count))),
    ];
    vec(change, 1..4).prop_map(move |changes| {
        let mut bytes = bytes.clone();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        bytes
    })
}

/// Credentials with and without a password, of any bytes that they may have.
pub fn credentials() -> impl Strategy<Value = Credentials> {
    let user = bytes_without(b"\0:");
    let password = proptest::option::weighted(0.8, bytes_without(b"\0"));
    (user, password).prop_map(|(user, password)| {
        let credentials = match password {
            Some(password) => Credentials::new(user, password),
            None => Credentials::user_only(user),
        };
        credentials.expect("neither has a byte that it may not have")
    })
}

/// What a handle is opened to, as a handle string can say it: every kind, users and passwords of
/// any characters that they may have.
pub fn target() -> impl Strategy<Value = Target> {
    let host = "[a-z0-9._-]{1,12}|[0-9a-f]{1,4}::[0-9a-f]{1,4}|";
    let endpoint = (0..4, host, 1..=u16::MAX).prop_map(|(kind, host, port)| match kind {
        0 => Endpoint::Tcp { host, port },
        1 => Endpoint::Tcps { host, port },
        2 => Endpoint::Unix { port },
        _ => Endpoint::Unixs { port },
    });
    let user = "[^\\x00-\\x1f:\\x7f-\\u{ad}\\u{600}-\\u{10ffff}]{0,6}";
    let password = proptest::option::of("[^\\x00]{0,12}");
    let process = (endpoint, user, password).prop_map(|(endpoint, user, password)| {
        let mut address = Address::new(endpoint);
        let credentials = match password {
            Some(password) => Credentials::new(user, password),
            None => Credentials::user_only(user),
        };
        address.credentials = credentials.expect("neither has a byte that it may not have");
        Target::Process(address)
    });
    let path = "/[a-z./ ]{0,12}";
    prop_oneof![
        3 => process,
        1 => path.prop_map(|path| Target::Pipe { path }),
        1 => path.prop_map(|path| Target::File { path }),
    ]
}

/// Either byte order.
pub fn byte_order() -> impl Strategy<Value = ByteOrder> {
    select(vec![ByteOrder::Little, ByteOrder::Big])
}

/// Every kind of message.
pub fn message_kind() -> impl Strategy<Value = MessageKind> {
    select(vec![
        MessageKind::Async,
        MessageKind::Sync,
        MessageKind::Response,
    ])
}

/// Errors of any text.
pub fn remote_error() -> impl Strategy<Value = RemoteError> {
    bytes_without(b"\0").prop_map(|text| RemoteError::new(text).expect("there is no NUL"))
}

/// Symbols of any bytes but NUL, mostly of a length where something changes.
pub fn symbol() -> impl Strategy<Value = Symbol> {
    bytes_without(b"\0").prop_map(|name| Symbol::new(name).expect("there is no NUL"))
}

/// Attributes, most often none.
pub fn attribute() -> impl Strategy<Value = Attribute> {
    prop_oneof![
        4 => Just(Attribute::None),
        4 => select(vec![
            Attribute::Sorted,
            Attribute::Unique,
            Attribute::Parted,
            Attribute::Grouped,
        ]),
    ]
}

/// Makes the strategies of atoms and vectors from those of the items.
macro_rules! basic_types {
    ($($variant:ident: $item:expr;)*) => {
        /// Atoms of all basic types.
        pub fn atom() -> impl Strategy<Value = Atom> {
            Union::new([
                $($item.prop_map(Atom::$variant).boxed(),)*
                symbol().prop_map(Atom::Symbol).boxed(),
            ])
        }

        /// Vectors of all basic types, built, with and without attributes.
        pub fn vector(count: impl Into<SizeRange>) -> impl Strategy<Value = Vector> {
            let count = count.into();
            let vectors = Union::new([
                $(vec($item, count.clone())
                    .prop_map(|items| Vector::$variant(Items::from(items)))
                    .boxed(),)*
                vec(symbol(), count)
                    .prop_map(|names| Vector::Symbol(Symbols::from_iter(&names)))
                    .boxed(),
            ]);
            (vectors, attribute()).prop_map(|(vector, attribute)| vector.with_attribute(attribute))
        }
    };
}

basic_types! {
    Boolean: any::<bool>();
    Guid: prop_oneof![Just([0; 16]), any::<[u8; 16]>()].prop_map(Guid);
    Byte: any::<u8>().prop_map(Byte);
    Short: prop_oneof![select(vec![i16::MIN, i16::MAX, -i16::MAX, 0]), any::<i16>()];
    Int: int();
    Long: long();
    Real: prop_oneof![
        select(vec![f32::NAN, f32::INFINITY, -f32::INFINITY, 0.0, -0.0, 1.5]),
        any::<u32>().prop_map(f32::from_bits),
    ];
    Float: float();
    Char: any::<u8>().prop_map(Char);
    Timestamp: long().prop_map(Timestamp);
    Month: int().prop_map(Month);
    Date: int().prop_map(Date);
    Datetime: float().prop_map(Datetime);
    Timespan: long().prop_map(Timespan);
    Minute: int().prop_map(Minute);
    Second: int().prop_map(Second);
    Time: int().prop_map(Time);
}

/// Encodes a value in this byte order and decodes what came of it.
pub fn receive(value: &Value, order: ByteOrder) -> Value {
    decoded(encode(value, order).chunks().concat(), order)
}

/// A change of bytes at a place among them.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
    Count(Index, [u8; 4]),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        match self {
            Self::Flip(at, by) => bytes[at.index(length)] ^= by,
            Self::Set(at, byte) => bytes[at.index(length)] = *byte,
            Self::Insert(at, byte) => bytes.insert(at.index(length + 1), *byte),
            Self::Remove(at) => drop(bytes.remove(at.index(length))),
            Self::Truncate(at) => bytes.truncate(at.index(length)),
            Self::Count(at, count) => {
                let places = &mut bytes[at.index(length)..];
                places
                    .iter_mut()
                    .zip(count)
                    .for_each(|(byte, count)| *byte = *count);
            }
        }
    }
}

fn int() -> impl Strategy<Value = i32> {
    prop_oneof![
        1 => select(vec![i32::MIN, i32::MAX, -i32::MAX, 0, -1]),
        1 => -100_000..100_000,
        1 => any::<i32>(),
    ]
}

fn long() -> impl Strategy<Value = i64> {
    prop_oneof![
        1 => select(vec![i64::MIN, i64::MAX, -i64::MAX, 0, -1]),
        1 => -100_000..100_000_i64,
        1 => any::<i64>(),
    ]
}

/// Every bit pattern, NaNs among them.
fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        1 => select(vec![f64::NAN, -f64::NAN, f64::INFINITY, -f64::INFINITY, 0.0, -0.0]),
        1 => -10_000.0..10_000.0,
        1 => any::<u64>().prop_map(f64::from_bits),
    ]
}

/// Texts and arbitrary bytes without these.
fn bytes_without(refused: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let length = || prop_oneof![4 => 0..6_usize, 2 => 6..10_usize, 2 => 20..26_usize];
    let text = length().prop_flat_map(|length| vec(b'a'..=b'z', length));
    let unicode = "\\PC{0,8}".prop_map(String::into_bytes);
    let bytes = length().prop_flat_map(|length| vec(any::<u8>(), length));
    prop_oneof![2 => text, 1 => unicode, 2 => bytes].prop_map(move |mut bytes: Vec<u8>| {
        bytes.retain(|byte| !refused.contains(byte));
        bytes
    })
}

fn list(items: impl Strategy<Value = Vec<Value>>) -> impl Strategy<Value = Value> {
    (items, attribute())
        .prop_map(|(items, attribute)| Value::List(List::from(items).with_attribute(attribute)))
}

fn dict(
    keys: impl Strategy<Value = Value>,
    values: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Value> {
    (keys, values, any::<bool>()).prop_map(|(keys, values, sorted)| {
        Value::Dict(if sorted {
            Dict::sorted(keys, values)
        } else {
            Dict::new(keys, values)
        })
    })
}

fn keyed_table(items: usize, inner: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let part = || table(items, inner.clone()).prop_map(Value::Table);
    dict(part(), part())
}

/// Tables of columns of one count: vectors, and lists of `inner`.
fn table(items: usize, inner: BoxedStrategy<Value>) -> impl Strategy<Value = Table> {
    let columns = (0..=items).prop_flat_map(move |rows| {
        let column = prop_oneof![
            4 => vector(rows).prop_map(Value::Vector),
            1 => vec(inner.clone(), rows).prop_map(|items| Value::List(items.into())),
        ];
        vec((symbol(), column), 1..5)
    });
    (columns, attribute()).prop_map(|(columns, attribute)| {
        let table = Table::new(columns).expect("the columns have the same count");
        table.with_attribute(attribute)
    })
}

/// A table of columns of any count, as a peer may send it.
fn ragged_table(columns: impl Strategy<Value = Vec<Value>>) -> impl Strategy<Value = Value> {
    (vec(symbol(), 0..5), columns, attribute(), byte_order()).prop_map(
        |(names, columns, attribute, order)| {
            received_table(&names, &Value::List(columns.into()), attribute, order)
        },
    )
}

fn table_by_reference() -> impl Strategy<Value = Value> {
    (vec(symbol(), 0..5), symbol(), attribute(), byte_order()).prop_map(
        |(names, source, attribute, order)| {
            received_table(&names, &Value::Atom(Atom::Symbol(source)), attribute, order)
        },
    )
}

fn received_table(
    names: &[Symbol],
    columns: &Value,
    attribute: Attribute,
    order: ByteOrder,
) -> Value {
    let names = Value::Vector(Vector::Symbol(Symbols::from_iter(names)));
    let mut bytes = vec![98, attribute.to_byte(), 99];
    for part in [&names, columns] {
        bytes.extend(encode(part, order).chunks().concat());
    }
    decoded(bytes, order)
}

/// A vector whose count took eight bytes, though four would have done.
fn wide_vector(items: usize) -> impl Strategy<Value = Value> {
    (vector(0..=items), byte_order())
        .prop_map(|(vector, order)| widened(&Value::Vector(vector), order))
}

/// A list whose count took eight bytes, though four would have done.
fn wide_list(items: impl Strategy<Value = Vec<Value>>) -> impl Strategy<Value = Value> {
    (items, byte_order()).prop_map(|(items, order)| widened(&Value::List(items.into()), order))
}

fn widened(value: &Value, order: ByteOrder) -> Value {
    let bytes = encode(value, order).chunks().concat();
    let (header, items) = bytes.split_at(6);
    let count = [header[2], header[3], header[4], header[5]];
    let count = order.u64_bytes(order.u32(count).into());
    let header = [header[0], header[1] | 0x80];
    decoded([&header, &count[..], items].concat(), order)
}

fn lambda(length: usize) -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\{[ -~]{0,8}\\}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..=length)
    ];
    (symbol(), text).prop_map(|(context, text)| Value::Function(Function::lambda_in(context, text)))
}

fn primitive() -> impl Strategy<Value = Value> {
    let unary = prop_oneof![0..=44_u8, Just(255)]
        .prop_filter_map("there is one", UnaryPrimitive::new)
        .prop_map(Function::from);
    let binary = (0..=36_u8)
        .prop_filter_map("there is one", BinaryPrimitive::new)
        .prop_map(Function::from);
    prop_oneof![unary, binary, iterator().prop_map(Function::from)].prop_map(Value::Function)
}

fn iterator() -> impl Strategy<Value = IteratorPrimitive> {
    (0..=5_u8).prop_filter_map("there is one", IteratorPrimitive::new)
}

/// Projections, some of whose arguments are left out.
fn projection(
    function: impl Strategy<Value = Value>,
    arguments: impl Strategy<Value = Vec<Value>>,
) -> impl Strategy<Value = Value> {
    (function, arguments, any::<u8>()).prop_map(|(function, mut arguments, elided)| {
        for (place, argument) in arguments.iter_mut().enumerate() {
            if elided >> (place % 8) & 1 == 1 {
                *argument = Value::Function(UnaryPrimitive::ELIDED.into());
            }
        }
        Value::Function(Function::projection(function, arguments))
    })
}

fn encode(value: &Value, order: ByteOrder) -> Body {
    Body::encode_in(value, order).expect("the wire has room for it")
}

fn decoded(bytes: Vec<u8>, order: ByteOrder) -> Value {
    decode::decode(Bytes::from(bytes), order)
        .expect("it was encoded just now")
        .expect("it is no error")
}

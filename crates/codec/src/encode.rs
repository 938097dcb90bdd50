//! From a value to the bytes of a body.
//!
//! A value is gone over twice: once to know its length and what a peer must understand to be sent
//! it, so that an error leaves nothing written, and once to write it. What was received is written
//! as it came, in one piece; a vector that a program made goes out from where it is, shared if it
//! is large.

use core::fmt;

use bytes::Bytes;

use crate::byte_order::ByteOrder;
use crate::config::Capability;
use crate::decode::{DecodeError, check};
use crate::header::Header;
use crate::outbox::Outbox;
use crate::value::{
    Atom, Attribute, BasicType, Built, Item, Items, Node, Nodes, Outline, SharedView, Symbols,
    Value, Vector, VectorHeader, WideCount, with_atom, with_vector,
};

/// Writes a value's bytes.
pub(crate) fn write(value: &Value, order: ByteOrder, out: &mut impl Sink) {
    let mut open: Vec<core::slice::Iter<'_, Value>> = Vec::new();
    let mut siblings = core::slice::from_ref(value).iter();
    loop {
        while let Some(value) = siblings.next() {
            if let Some(inside) = write_start(value, order, out) {
                let outer = core::mem::replace(&mut siblings, inside.iter());
                // What is last in what holds it leaves nothing to come back to: in an update with
                // a row at its end nothing is remembered, and nothing allocated.
                if !outer.as_slice().is_empty() {
                    open.push(outer);
                }
            }
        }
        match open.pop() {
            Some(outer) => siblings = outer,
            None => return,
        }
    }
}

/// Where encoded bytes go.
pub(crate) trait Sink {
    /// Takes a few bytes.
    fn bytes(&mut self, bytes: &[u8]);

    /// Takes bytes that may be shared.
    fn shared(&mut self, bytes: &Bytes);

    /// Takes the bytes of items of this width, in the other byte order.
    fn swapped(&mut self, bytes: &[u8], width: usize);

    /// Is told what the bytes that come next need.
    fn needs(&mut self, _: Feature) {}

    /// Is told of a received value that comes next as it is.
    fn needs_of(&mut self, _: &SharedView) {}

    /// Is told that a function has more parts than its count has room for.
    fn too_many_parts(&mut self) {}
}

/// The length of a value's bytes, and what peers must understand to be sent them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measure {
    pub(crate) length: u64,
    pub(crate) feature: Option<Feature>,
    too_many_parts: bool,
}

impl Measure {
    pub(crate) fn of(value: &Value, order: ByteOrder) -> Result<Self, EncodeError> {
        let mut measure = Self::default();
        write(value, order, &mut measure);
        if measure.too_many_parts {
            Err(EncodeError::TooManyParts)
        } else {
            Ok(measure)
        }
    }
}

impl Sink for Measure {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
    }

    #[inline]
    fn shared(&mut self, bytes: &Bytes) {
        self.length += bytes.len() as u64;
    }

    fn swapped(&mut self, bytes: &[u8], _: usize) {
        self.length += bytes.len() as u64;
    }

    #[inline]
    fn needs(&mut self, feature: Feature) {
        self.feature = self.feature.max(Some(feature));
    }

    fn needs_of(&mut self, view: &SharedView) {
        let needs = view.needs.or_else(|| check(&view.object, view.order).ok());
        if let Some(feature) = needs.and_then(Feature::of) {
            self.needs(feature);
        }
    }

    fn too_many_parts(&mut self) {
        self.too_many_parts = true;
    }
}

/// Room for all of a value's bytes, as long as was measured.
pub(crate) struct Room<'a>(pub(crate) &'a mut [u8]);

impl Sink for Room<'_> {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        let room = core::mem::take(&mut self.0);
        let (here, rest) = room
            .split_at_mut_checked(bytes.len())
            .expect("what is written is as long as what was measured");
        here.copy_from_slice(bytes);
        self.0 = rest;
    }

    #[inline]
    fn shared(&mut self, bytes: &Bytes) {
        self.bytes(bytes);
    }

    fn swapped(&mut self, bytes: &[u8], width: usize) {
        swap(bytes, width, |bytes| self.bytes(bytes));
    }
}

impl Sink for Outbox {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }

    #[inline]
    fn shared(&mut self, bytes: &Bytes) {
        if bytes.len() < Self::SHARE {
            self.put_slice(bytes);
        } else {
            self.put_bytes(bytes.clone());
        }
    }

    fn swapped(&mut self, bytes: &[u8], width: usize) {
        swap(bytes, width, |bytes| self.put_slice(bytes));
    }
}

/// Checks that a peer of this capability may be sent a body of this length that has this.
pub(crate) fn check_for(
    feature: Option<Feature>,
    length: u64,
    capability: Capability,
) -> Result<(), EncodeError> {
    if let Some(feature) = feature
        && feature.capability() > capability
    {
        return Err(EncodeError::NotUnderstood {
            feature,
            capability,
        });
    }
    let (length, limit) = (length + Header::LENGTH as u64, capability.longest_message());
    if length > limit {
        Err(EncodeError::TooLong { length, limit })
    } else {
        Ok(())
    }
}

/// Reverses the bytes of each item and hands them on in pieces.
pub(crate) fn swap(bytes: &[u8], width: usize, mut put: impl FnMut(&[u8])) {
    const PIECE: usize = 1024;
    let mut room = [0; PIECE];
    for piece in bytes.chunks(PIECE) {
        let room = &mut room[..piece.len()];
        room.copy_from_slice(piece);
        room.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        put(room);
    }
}

/// What not every peer understands, by the capability that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Feature {
    /// A timestamp or timespan: capability 1.
    Timespan,
    /// A guid: capability 3.
    Guid,
    /// A vector or list of more than 2^31-1 items, or one whose count takes eight bytes as it came
    /// in: capability 6.
    WideCount,
}

impl Feature {
    /// Returns the lowest capability that has it.
    pub const fn capability(self) -> Capability {
        match self {
            Self::Timespan => Capability::V1,
            Self::Guid => Capability::V3,
            Self::WideCount => Capability::V6,
        }
    }
}

impl Feature {
    /// Returns what a body has that takes this capability.
    pub(crate) fn of(needs: Capability) -> Option<Self> {
        match needs {
            Capability::V0 => None,
            Capability::V1 => Some(Self::Timespan),
            Capability::V3 => Some(Self::Guid),
            _ => Some(Self::WideCount),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timespan => "a timestamp or timespan",
            Self::Guid => "a guid",
            Self::WideCount => "a count of eight bytes or above 2^31-1",
        })
    }
}

/// A value that cannot be sent, by a fault on our side: nothing was written, and the connection
/// goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The peer does not understand what is in the value; q says `type`, or `limit` for a vector
    /// that is too long.
    NotUnderstood {
        /// What it does not understand.
        feature: Feature,
        /// The capability of the connection.
        capability: Capability,
    },
    /// The message is longer than the peer can take; q says `limit`.
    TooLong {
        /// The length of the message in bytes, header included.
        length: u64,
        /// The longest that may be sent.
        limit: u64,
    },
    /// A projection or composition has 2^32 parts or more, for which the wire has no room.
    TooManyParts,
    /// What was received, and is to be sent on, is no value.
    Invalid(DecodeError),
}

impl EncodeError {
    /// Returns what q signals in this case: `type` or `limit`.
    pub const fn q_text(&self) -> &'static str {
        match self {
            Self::NotUnderstood {
                feature: Feature::Timespan | Feature::Guid,
                ..
            }
            | Self::Invalid(_) => "type",
            Self::NotUnderstood {
                feature: Feature::WideCount,
                ..
            }
            | Self::TooLong { .. }
            | Self::TooManyParts => "limit",
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnderstood {
                feature,
                capability,
            } => write!(
                f,
                "{feature} takes a peer of capability {}, this one has {capability}",
                feature.capability()
            ),
            Self::TooLong { length, limit } => {
                write!(f, "a message of {length} bytes, where {limit} may be sent")
            }
            Self::TooManyParts => f.write_str("a function of 2^32 parts or more"),
            Self::Invalid(error) => write!(f, "what was received is no value: {error}"),
        }
    }
}

impl core::error::Error for EncodeError {}

/// Writes a value's own bytes, without those of the values inside it, which are returned.
#[inline]
fn write_start<'a>(value: &'a Value, order: ByteOrder, out: &mut impl Sink) -> Option<&'a [Value]> {
    match value {
        Value::Atom(atom) => write_atom(atom, order, out),
        Value::Vector(vector) => write_vector(vector, order, out),
        Value::List(_) | Value::Dict(_) | Value::Table(_) | Value::Function(_) => {
            return match value.built() {
                Some(built) => Some(write_built(built, order, out)),
                None => write_other(value, order, out),
            };
        }
    }
    None
}

/// Writes the start of what a program made, and returns the values that follow.
#[inline]
fn write_built<'a>(built: Built<'a>, order: ByteOrder, out: &mut impl Sink) -> &'a [Value] {
    match built {
        Built::List { attribute, items } => {
            write_list(attribute, items.len(), WideCount(false), order, out);
            items
        }
        Built::Dict { sorted, parts } => {
            out.bytes(&[dict_code(sorted)]);
            parts
        }
        Built::Table {
            attribute,
            names,
            columns,
        } => {
            out.bytes(&table_start(attribute));
            write_symbols(names, order, out);
            core::slice::from_ref(columns)
        }
    }
}

/// Writes what was received, or a function.
fn write_other<'a>(value: &'a Value, order: ByteOrder, out: &mut impl Sink) -> Option<&'a [Value]> {
    if let Some(view) = value.view()
        && view.order == order
    {
        out.needs_of(view);
        out.shared(&view.object);
        return None;
    }
    let value = value.as_ref();
    match value.outline() {
        Outline::Leaf => write_node(&value.node(), order, out),
        Outline::View(view) => {
            Nodes::of_view(view).for_each(|node| write_node(&node, order, out));
        }
        Outline::Built { first, rest } => {
            write_node(&value.node(), order, out);
            if let Some(vector) = first {
                write_vector(&vector, order, out);
            }
            return Some(rest);
        }
    }
    None
}

/// Writes one object without those inside it.
fn write_node(node: &Node<'_>, order: ByteOrder, out: &mut impl Sink) {
    match node {
        Node::Atom(atom) => write_atom(atom, order, out),
        Node::Vector(vector) => write_vector(vector, order, out),
        Node::List {
            attribute,
            count,
            wide,
        } => write_list(*attribute, *count, *wide, order, out),
        Node::Dict { sorted } => out.bytes(&[dict_code(*sorted)]),
        Node::Table { attribute } => out.bytes(&table_start(*attribute)),
        Node::Lambda { context } => {
            out.bytes(&[100]);
            out.bytes(context);
            out.bytes(&[0]);
        }
        Node::Unary(primitive) => out.bytes(&[101, primitive.code()]),
        Node::Binary(primitive) => out.bytes(&[102, primitive.code()]),
        Node::Iterator(primitive) => out.bytes(&[103, primitive.code()]),
        Node::Projection { count } => write_parts(104, *count, order, out),
        Node::Composition { count } => write_parts(105, *count, order, out),
        Node::Derived { iterator } => out.bytes(&[iterator.derived_type()]),
    }
}

fn write_parts(code: u8, count: usize, order: ByteOrder, out: &mut impl Sink) {
    out.bytes(&[code]);
    match u32::try_from(count) {
        Ok(count) => out.bytes(&order.u32_bytes(count)),
        Err(_) => out.too_many_parts(),
    }
}

#[inline]
fn write_atom<S: AsRef<[u8]>>(atom: &Atom<S>, order: ByteOrder, out: &mut impl Sink) {
    with_atom!(
        atom,
        item => write_item(*item, order, out),
        symbol => {
            out.bytes(&[(BasicType::Symbol.number() as i8).wrapping_neg() as u8]);
            out.bytes(symbol.as_ref());
            out.bytes(&[0]);
        }
    );
}

#[inline]
fn write_item<T: Item>(item: T, order: ByteOrder, out: &mut impl Sink) {
    const LONGEST: usize = 17;
    if let Some(feature) = Feature::of(T::TYPE.capability()) {
        out.needs(feature);
    }
    let mut bytes = [0; LONGEST];
    bytes[0] = (T::TYPE.number() as i8).wrapping_neg() as u8;
    let bytes = &mut bytes[..=T::WIDTH];
    item.to_wire(order, &mut bytes[1..]);
    out.bytes(bytes);
}

#[inline]
fn write_list(
    attribute: Attribute,
    count: usize,
    wide: WideCount,
    order: ByteOrder,
    out: &mut impl Sink,
) {
    if wide.0 || count > i32::MAX as usize {
        out.needs(Feature::WideCount);
    }
    write_header(VectorHeader::new(0, attribute, count, wide.0), order, out);
}

const fn dict_code(sorted: bool) -> u8 {
    if sorted { 127 } else { 99 }
}

const fn table_start(attribute: Attribute) -> [u8; 3] {
    [98, attribute.to_byte(), 99]
}

#[inline]
fn write_header(header: VectorHeader, order: ByteOrder, out: &mut impl Sink) {
    let bytes = header.to_bytes(order);
    // Of a length that the compiler knows, a few bytes are a few instructions.
    match bytes.first_chunk::<{ VectorHeader::SHORT }>() {
        Some(short) if !header.is_wide() => out.bytes(short),
        _ => out.bytes(&bytes),
    }
}

fn write_vector<B: Storage>(vector: &Vector<B>, order: ByteOrder, out: &mut impl Sink) {
    with_vector!(
        vector,
        items => write_items(items, order, out),
        symbols => write_symbols(symbols, order, out)
    );
}

fn write_items<T: Item, B: Storage>(items: &Items<T, B>, order: ByteOrder, out: &mut impl Sink) {
    let count = items.len();
    if let Some(feature) = Feature::of(T::TYPE.capability()) {
        out.needs(feature);
    }
    if items.wide_count() || count > i32::MAX as usize {
        out.needs(Feature::WideCount);
    }
    let number = T::TYPE.number();
    let header = VectorHeader::new(number, items.attribute(), count, items.wide_count());
    write_header(header, order, out);
    if items.byte_order() == order || !T::SWAPS {
        items.as_bytes().put(out);
    } else {
        out.swapped(items.as_bytes().as_ref(), T::WIDTH);
    }
}

#[inline]
fn write_symbols<B: Storage>(symbols: &Symbols<B>, order: ByteOrder, out: &mut impl Sink) {
    let header = symbols.header();
    if header.is_wide() || header.count > i32::MAX as usize {
        out.needs(Feature::WideCount);
    }
    write_header(
        VectorHeader {
            attribute: symbols.attribute(),
            ..header
        },
        order,
        out,
    );
    symbols.object().put_from(header.length, out);
}

/// What holds the bytes of a vector: shared where they can be.
trait Storage: AsRef<[u8]> {
    fn put(&self, out: &mut impl Sink);
    fn put_from(&self, start: usize, out: &mut impl Sink);
}

impl Storage for Bytes {
    #[inline]
    fn put(&self, out: &mut impl Sink) {
        out.shared(self);
    }

    #[inline]
    fn put_from(&self, start: usize, out: &mut impl Sink) {
        let start = start.min(self.len());
        if self.len() < Outbox::SHARE {
            out.bytes(&self[start..]);
        } else {
            out.shared(&self.slice(start..));
        }
    }
}

impl Storage for &[u8] {
    #[inline]
    fn put(&self, out: &mut impl Sink) {
        out.bytes(self);
    }

    #[inline]
    fn put_from(&self, start: usize, out: &mut impl Sink) {
        out.bytes(self.get(start..).unwrap_or_default());
    }
}

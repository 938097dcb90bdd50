//! From a value to the bytes of a body.
//!
//! A value is gone over once: its length, and what a peer must understand to be sent it, are known
//! when it is written, and an error then takes back what was. What was received is written as it
//! came, in one piece; a vector that a program made goes out from where it is, shared if it is
//! large.

use core::fmt;

use bytes::Bytes;

use crate::byte_order::ByteOrder;
use crate::config::Capability;
use crate::decode::{DecodeError, check};
use crate::outbox::{Draft, Outbox};
use crate::value::{
    Atom, Attribute, BasicType, Built, IsSymbol, Item, Items, NATIVE, Node, Nodes, Outline,
    Symbols, Value, Vector, VectorHeader, WideCount, with_atom, with_vector,
};

/// Writes a value's bytes and returns what a peer must understand to be sent them.
pub(crate) fn write(
    value: &Value,
    order: ByteOrder,
    draft: &mut Draft<'_>,
) -> Result<Option<Feature>, EncodeError> {
    let mut writer = Writer {
        draft,
        order,
        feature: None,
        has_too_many_parts: false,
    };
    writer.write(value);
    if writer.has_too_many_parts {
        Err(EncodeError::TooManyParts)
    } else {
        Ok(writer.feature)
    }
}

/// Checks that a peer of this capability may be sent a message of this length that has this.
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
    let limit = capability.longest_message();
    if length > limit {
        Err(EncodeError::TooLong { length, limit })
    } else {
        Ok(())
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

/// Writes values, and notes what a peer must understand.
struct Writer<'w, 'o> {
    draft: &'w mut Draft<'o>,
    order: ByteOrder,
    feature: Option<Feature>,
    /// Whether a function has more parts than its count has room for.
    has_too_many_parts: bool,
}

impl Writer<'_, '_> {
    /// Writes a value with all that is inside.
    fn write(&mut self, value: &Value) {
        let mut open: Vec<core::slice::Iter<'_, Value>> = Vec::new();
        let mut siblings = core::slice::from_ref(value).iter();
        loop {
            while let Some(value) = siblings.next() {
                if let Some(inside) = self.write_start(value) {
                    let outer = core::mem::replace(&mut siblings, inside.iter());
                    // What is last in what holds it leaves nothing to come back to: in an update
                    // with a row at its end nothing is remembered, and nothing allocated.
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

    /// Writes a value's own bytes, without those of the values inside it, which are returned.
    #[inline(always)]
    fn write_start<'a>(&mut self, value: &'a Value) -> Option<&'a [Value]> {
        match value {
            Value::Atom(atom) => self.write_atom(atom),
            Value::Vector(vector) => self.write_vector(vector),
            Value::List(_) | Value::Dict(_) | Value::Table(_) | Value::Function(_) => {
                return match value.built() {
                    Some(built) => Some(self.write_built(built)),
                    None => self.write_other(value),
                };
            }
        }
        None
    }

    /// Writes the start of what a program made, and returns the values that follow.
    #[inline]
    fn write_built<'a>(&mut self, built: Built<'a>) -> &'a [Value] {
        match built {
            Built::List { attribute, items } => {
                self.write_list(attribute, items.len(), WideCount(false));
                items
            }
            Built::Dict { sorted, parts } => {
                self.put(&[dict_code(sorted)]);
                parts
            }
            Built::Table {
                attribute,
                names,
                columns,
            } => {
                self.write_table(attribute);
                self.write_symbols(names);
                core::slice::from_ref(columns)
            }
        }
    }

    /// Writes what was received, or a function.
    #[inline(never)]
    fn write_other<'a>(&mut self, value: &'a Value) -> Option<&'a [Value]> {
        if let Some(view) = value.view()
            && view.order == self.order
        {
            let needs = view.needs.or_else(|| check(&view.object, view.order).ok());
            self.needs(needs.and_then(Feature::of));
            self.draft.put_bytes(&view.object);
            return None;
        }
        let value = value.as_ref();
        match value.outline() {
            Outline::Leaf => self.write_node(&value.node()),
            Outline::View(view) => Nodes::of_view(view).for_each(|node| self.write_node(&node)),
            Outline::Built { first, rest } => {
                self.write_node(&value.node());
                if let Some(vector) = first {
                    self.write_vector(&vector);
                }
                return Some(rest);
            }
        }
        None
    }

    /// Writes one object without those inside it.
    #[inline(never)]
    fn write_node(&mut self, node: &Node<'_>) {
        match node {
            Node::Atom(atom) => self.write_atom(atom),
            Node::Vector(vector) => self.write_vector(vector),
            Node::List {
                attribute,
                count,
                wide,
            } => self.write_list(*attribute, *count, *wide),
            Node::Dict { sorted } => self.put(&[dict_code(*sorted)]),
            Node::Table { attribute } => self.write_table(*attribute),
            Node::Lambda { context } => {
                self.put(&[100]);
                self.put(context);
                self.put(&[0]);
            }
            Node::Unary(primitive) => self.put(&[101, primitive.code()]),
            Node::Binary(primitive) => self.put(&[102, primitive.code()]),
            Node::Iterator(primitive) => self.put(&[103, primitive.code()]),
            Node::Projection { count } => self.write_parts(104, *count),
            Node::Composition { count } => self.write_parts(105, *count),
            Node::Derived { iterator } => self.put(&[iterator.derived_type()]),
        }
    }

    fn write_parts(&mut self, code: u8, count: usize) {
        self.put(&[code]);
        match u32::try_from(count) {
            Ok(count) => self.put(&self.order.u32_bytes(count)),
            Err(_) => self.has_too_many_parts = true,
        }
    }

    #[inline]
    fn write_atom<S: AsRef<[u8]> + IsSymbol>(&mut self, atom: &Atom<S>) {
        with_atom!(
            atom,
            item => self.write_item(*item),
            symbol => {
                self.put(&[atom_code(BasicType::Symbol)]);
                let name = symbol.as_ref();
                match symbol.padded() {
                    // The first zero behind it ends it.
                    Some(padded) if name.len() < padded.len() => {
                        self.draft.put_start(padded, name.len() + 1);
                    }
                    _ => {
                        self.put(name);
                        self.put(&[0]);
                    }
                }
            }
        );
    }

    #[inline]
    fn write_item<T: Item>(&mut self, item: T) {
        self.needs(Feature::of(T::TYPE.capability()));
        self.put(&[atom_code(T::TYPE)]);
        if T::SWAPS && self.order != NATIVE {
            self.put_swapped_item(item);
        } else {
            self.put(bytemuck::bytes_of(&item));
        }
    }

    #[inline]
    fn write_list(&mut self, attribute: Attribute, count: usize, wide: WideCount) {
        self.write_header(VectorHeader::new(0, attribute, count, wide.0));
    }

    #[inline]
    fn write_table(&mut self, attribute: Attribute) {
        let start = u32::from_le_bytes([98, attribute.to_byte(), 99, 0]);
        self.draft.put_start(&start.to_le_bytes(), 3);
    }

    fn write_vector<B: Storage>(&mut self, vector: &Vector<B>) {
        with_vector!(
            vector,
            items => self.write_items(items),
            symbols => self.write_symbols(symbols)
        );
    }

    #[inline]
    fn write_items<T: Item, B: Storage>(&mut self, items: &Items<T, B>) {
        self.needs(Feature::of(T::TYPE.capability()));
        let number = T::TYPE.number();
        let (attribute, count) = (items.attribute(), items.len());
        self.write_header(VectorHeader::new(
            number,
            attribute,
            count,
            items.wide_count(),
        ));
        if T::SWAPS && items.byte_order() != self.order {
            self.put_swapped(items.as_bytes().as_ref(), T::WIDTH);
        } else {
            items.as_bytes().put(self.draft);
        }
    }

    #[inline]
    fn write_symbols<B: Storage>(&mut self, symbols: &Symbols<B>) {
        let header = symbols.header();
        self.write_header(VectorHeader {
            attribute: symbols.attribute(),
            ..header
        });
        symbols.object().put_from(header.length, self.draft);
    }

    #[inline]
    fn write_header(&mut self, header: VectorHeader) {
        if header.is_wide() || header.count > i32::MAX as usize {
            self.needs(Some(Feature::WideCount));
        }
        if header.is_wide() {
            self.put(&header.to_bytes(self.order));
        } else {
            self.put(&header.to_word(self.order).to_le_bytes()[..VectorHeader::SHORT]);
        }
    }

    /// Apart, so that an item that is not swapped stays in its register.
    #[inline(never)]
    fn put_swapped_item<T: Item>(&mut self, item: T) {
        let mut room = [0; size_of::<u64>()];
        let room = &mut room[..T::WIDTH];
        item.to_wire(self.order, room);
        self.put(room);
    }

    /// Reverses the bytes of each item, in pieces.
    #[inline(never)]
    fn put_swapped(&mut self, bytes: &[u8], width: usize) {
        const PIECE: usize = 1024;
        let mut room = [0; PIECE];
        for piece in bytes.chunks(PIECE) {
            let room = &mut room[..piece.len()];
            room.copy_from_slice(piece);
            room.chunks_exact_mut(width).for_each(<[u8]>::reverse);
            self.put(room);
        }
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.draft.put_slice(bytes);
    }

    #[inline]
    fn needs(&mut self, feature: Option<Feature>) {
        self.feature = self.feature.max(feature);
    }
}

/// The type byte of an atom.
const fn atom_code(basic_type: BasicType) -> u8 {
    basic_type.number().wrapping_neg()
}

const fn dict_code(sorted: bool) -> u8 {
    if sorted { 127 } else { 99 }
}

/// What holds the bytes of a vector: shared where they can be.
trait Storage: AsRef<[u8]> {
    fn put(&self, draft: &mut Draft<'_>);
    fn put_from(&self, start: usize, draft: &mut Draft<'_>);
}

impl Storage for Bytes {
    #[inline]
    fn put(&self, draft: &mut Draft<'_>) {
        match self.as_array::<8>() {
            // The column of one row: of a length that the compiler knows, it takes no call.
            Some(item) => draft.put_slice(item),
            None => draft.put_bytes(self),
        }
    }

    #[inline]
    fn put_from(&self, start: usize, draft: &mut Draft<'_>) {
        let start = start.min(self.len());
        if self.len() < Outbox::SHARE {
            draft.put_slice(&self[start..]);
        } else {
            draft.put_bytes(&self.slice(start..));
        }
    }
}

impl Storage for &[u8] {
    #[inline]
    fn put(&self, draft: &mut Draft<'_>) {
        draft.put_slice(self);
    }

    #[inline]
    fn put_from(&self, start: usize, draft: &mut Draft<'_>) {
        draft.put_slice(self.get(start..).unwrap_or_default());
    }
}

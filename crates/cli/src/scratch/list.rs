//! Values put one behind the other.
//!
//! They are put together as they stand on the wire, where all items of one type look alike whatever
//! the type is, and read back. So what is made here is one block of bytes like a value that was
//! received: it is dropped and copied without recursion, however often lists were put into lists.
//!
//! ```text
//! 1 2,3          07 00 03000000 0100… 0200… | 0300…
//! (1;"a")        00 00 02000000 f9 0100… | f6 61
//! ```

use bytes::Bytes;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::value::{BasicType, Value, ValueType};

use super::signal::Signal;
use super::work::{MOST_ITEMS, Work};

/// Makes a list of its items: a vector where all are atoms of one type, as q does.
pub(super) fn of(items: &[Value], work: &mut Work) -> Result<Value, Signal> {
    let atoms = items.iter().all(|item| matches!(item, Value::Atom(_)));
    if let Some(basic) = common_type(items).filter(|_| atoms) {
        return vector(basic, items, work);
    }
    let mut list = Builder::new(ValueType::LIST);
    for item in items {
        list.push(item, work)?;
    }
    Ok(list.finish())
}

/// Joins two values: a vector where both are atoms or vectors of one type, else a list.
/// [KX, Join](https://code.kx.com/q/ref/join/).
///
/// What is empty adds nothing, not even its type; two empty ones of different types join to the
/// one that has a type, or to the first (not checked against a live q).
pub(super) fn join(x: &Value, y: &Value, work: &mut Work) -> Result<Value, Signal> {
    for part in [x, y] {
        if matches!(part, Value::Dict(_)) {
            return Err(Signal::missing("dictionary"));
        }
        if matches!(part, Value::Table(_)) {
            return Err(Signal::missing("table"));
        }
    }
    let parts: Vec<Value> = [x, y]
        .into_iter()
        .filter(|part| !is_empty(part))
        .cloned()
        .collect();
    if parts.is_empty() {
        let typed = if matches!(x, Value::List(_)) { y } else { x };
        return Ok(typed.clone());
    }
    if let Some(basic) = common_type(&parts) {
        return vector(basic, &parts, work);
    }
    let mut list = Builder::new(ValueType::LIST);
    for part in &parts {
        match part.as_ref().elements() {
            Some(elements) => {
                for element in elements {
                    list.push(&part.share(element), work)?;
                }
            }
            None => list.push(part, work)?,
        }
    }
    Ok(list.finish())
}

fn vector(basic: BasicType, parts: &[Value], work: &mut Work) -> Result<Value, Signal> {
    let mut vector = Builder::new(ValueType::vector(basic));
    for part in parts {
        vector.append(part, work)?;
    }
    Ok(vector.finish())
}

/// Returns the type of which all values are atoms or vectors.
fn common_type(values: &[Value]) -> Option<BasicType> {
    let (first, rest) = values.split_first()?;
    let basic = first.value_type().basic_type()?;
    rest.iter()
        .all(|value| value.value_type().basic_type() == Some(basic))
        .then_some(basic)
}

fn is_empty(value: &Value) -> bool {
    value
        .as_ref()
        .elements()
        .is_some_and(|items| items.len() == 0)
}

/// A vector or list that is being made, as little endian bytes.
struct Builder {
    bytes: Vec<u8>,
    count: usize,
}

impl Builder {
    fn new(value_type: ValueType) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[0] = value_type.code() as u8;
        Self { bytes, count: 0 }
    }

    /// Adds a value as an item of a list.
    fn push(&mut self, value: &Value, work: &mut Work) -> Result<(), Signal> {
        self.add(&encode(value, work)?, 1)
    }

    /// Adds an atom, or the items of a vector, to a vector of its type.
    fn append(&mut self, value: &Value, work: &mut Work) -> Result<(), Signal> {
        let object = encode(value, work)?;
        let header = match object[..] {
            [_, attribute, ..] if matches!(value, Value::Vector(_)) => {
                HEADER + if attribute & WIDE_COUNT == 0 { 0 } else { 4 }
            }
            // The type of an atom.
            _ => 1,
        };
        let count = value.as_ref().elements().map_or(1, |items| items.len());
        self.add(object.get(header..).unwrap_or_default(), count)
    }

    fn add(&mut self, bytes: &[u8], count: usize) -> Result<(), Signal> {
        self.count = self.count.saturating_add(count);
        if self.count > MOST_ITEMS {
            return Err(Signal::Limit);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(mut self) -> Value {
        let count = self.count as u32;
        self.bytes[HEADER - 4..HEADER].copy_from_slice(&count.to_le_bytes());
        let body = Body::from_bytes(Bytes::from(self.bytes), ByteOrder::Little);
        match body.decode(&Limits::client()) {
            Ok(Ok(value)) => value,
            Ok(Err(_)) | Err(_) => unreachable!("encoded items behind a header are a value"),
        }
    }
}

/// Encodes a value, little endian, and pays for it.
fn encode(value: &Value, work: &mut Work) -> Result<Vec<u8>, Signal> {
    // What cannot be encoded is too long for it.
    let body = Body::encode(value).map_err(|_| Signal::Limit)?;
    work.spend(body.len())?;
    Ok(body.chunks().concat())
}

/// The bytes in front of the items: type, attribute and a count of four bytes.
const HEADER: usize = 6;

/// The bit of the attribute that says that the count has eight bytes.
const WIDE_COUNT: u8 = 0x80;

#[cfg(test)]
mod tests {
    use hopen_codec::strategy;
    use hopen_codec::sym;
    use hopen_codec::value::{Attribute, Char, Dict, ValueRef};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_of_one_type_join_to_a_vector() {
        let none = || Value::from(Vec::<Value>::new());
        let longs = |longs: &[i64]| Value::from(longs);
        for (x, y, joined) in [
            (longs(&[1, 2]), longs(&[3]), "1 2 3"),
            (1_i64.into(), 2_i64.into(), "1 2"),
            (1_i64.into(), longs(&[2, 3]), "1 2 3"),
            (1_i64.into(), 2.5.into(), "(1;2.5)"),
            (longs(&[1, 2]), "a".into(), "(1;2;\"a\")"),
            ("ab".into(), Char(b'c').into(), "\"abc\""),
            (
                sym!("a").into(),
                Value::from([sym!("b"), sym!("")]),
                "`a`b`",
            ),
            (none(), 1_i64.into(), ",1"),
            (longs(&[1, 2]), none(), "1 2"),
            (none(), none(), "()"),
            (none(), longs(&[]), "`long$()"),
            (longs(&[]), none(), "`long$()"),
            (longs(&[]), "".into(), "`long$()"),
            (longs(&[]), "ab".into(), "\"ab\""),
            (Value::from((1_i64, "ab")), longs(&[2, 3]), "(1;\"ab\";2;3)"),
            (Value::IDENTITY, 1_i64.into(), "(::;1)"),
            (1_i32.into(), 2_i32.into(), "1 2i"),
        ] {
            assert_eq!(join_of(&x, &y).unwrap().to_string(), joined);
        }
        let dict = Value::from(Dict::new(1_i64, 2_i64));
        assert_eq!(join_of(&dict, &dict), Err(Signal::missing("dictionary")));
    }

    #[test]
    fn a_list_has_as_many_items_as_may_be() {
        let half = Value::from(vec![true; MOST_ITEMS / 2]);
        let whole = join_of(&half, &half).unwrap();
        assert_eq!(whole.as_ref().elements().unwrap().len(), MOST_ITEMS);
        assert_eq!(join_of(&whole, &true.into()), Err(Signal::Limit));
    }

    proptest! {
        #[test]
        fn a_list_holds_what_was_put_into_it(
            items in prop::collection::vec(strategy::value(2, 4), 0..5),
        ) {
            let list = of(&items, &mut Work::of_one_query()).unwrap();
            let inside = list.as_ref().elements().unwrap();
            prop_assert!(inside.eq(items.iter().map(Value::as_ref)));
        }

        #[test]
        fn a_join_has_the_items_of_both(x in strategy::value(2, 4), y in strategy::value(2, 4)) {
            let items = |value: &Value| match value.as_ref().elements() {
                Some(elements) => elements.map(ValueRef::detach).collect(),
                None => vec![value.clone()],
            };
            match join_of(&x, &y) {
                Ok(joined) => prop_assert_eq!(items(&joined), [items(&x), items(&y)].concat()),
                Err(signal) => {
                    let is = |of| [&x, &y].map(Value::value_type).contains(&of);
                    prop_assert!(
                        is(ValueType::TABLE) || is(ValueType::DICT) || is(ValueType::SORTED_DICT),
                        "{signal:?}"
                    );
                }
            }
        }

        #[test]
        fn atoms_of_one_type_become_a_vector(vector in strategy::vector(1..5)) {
            let vector = Value::Vector(vector.with_attribute(Attribute::None));
            let atoms: Vec<Value> =
                vector.as_ref().elements().unwrap().map(ValueRef::detach).collect();
            prop_assert_eq!(of(&atoms, &mut Work::of_one_query()), Ok(vector));
        }
    }

    fn join_of(x: &Value, y: &Value) -> Result<Value, Signal> {
        join(x, y, &mut Work::of_one_query())
    }
}

//! Names and their values.

use std::collections::HashMap;

use hopen_codec::message::Body;
use hopen_codec::sym;
use hopen_codec::value::{Symbol, SymbolRef, Table, Timespan, Value};

use super::functions;
use super::signal::Signal;
use super::work::Work;

/// What was given a name.
pub(super) struct Names {
    named: HashMap<Symbol, Named>,
    /// The bytes that all names and their values take.
    bytes: u64,
}

/// A value with a name.
struct Named {
    value: Value,
    /// The bytes that it takes on the wire, and those of its name.
    bytes: u64,
}

impl Names {
    /// Returns the names that are there from the start: `trade`.
    pub(super) fn new() -> Self {
        Self {
            named: HashMap::from([(
                sym!("trade"),
                Named {
                    value: trade(),
                    bytes: 0,
                },
            )]),
            bytes: 0,
        }
    }

    /// Gives a value a name. The value is copied, so that it keeps nothing of the message that it
    /// came in.
    pub(super) fn assign(
        &mut self,
        name: Symbol,
        value: &Value,
        work: &mut Work,
    ) -> Result<(), Signal> {
        if functions::named(name.as_ref()).is_some() {
            return Err(Signal::Assign);
        }
        // What cannot be encoded is too long for it.
        let body = Body::encode(value).map_err(|_| Signal::Limit)?;
        let bytes = body.len() + name.len() as u64;
        work.spend(bytes)?;
        let before = self.named.get(&*name).map(|named| named.bytes);
        if before.is_none() && self.named.len() == MOST_NAMES {
            return Err(Signal::Limit);
        }
        let all = self.bytes - before.unwrap_or(0) + bytes;
        if all > MOST_BYTES {
            return Err(Signal::WorkspaceFull);
        }
        self.bytes = all;
        let value = value.as_ref().detach();
        self.named.insert(name, Named { value, bytes });
        Ok(())
    }

    /// Returns the value of a name, without a copy.
    pub(super) fn get(&self, name: SymbolRef<'_>) -> Result<Value, Signal> {
        if let Some(function) = functions::named(name) {
            return Ok(function.into());
        }
        match self.named.get(name.as_bytes()) {
            Some(named) => Ok(named.value.clone()),
            None => Err(Signal::Undefined(name.to_symbol())),
        }
    }
}

/// Makes a small table to try things on.
fn trade() -> Value {
    const MINUTE: i64 = 60 * 1_000_000_000;
    let times = [570, 570, 571, 573, 573, 575].map(|minutes| Timespan(minutes * MINUTE));
    let names = [
        sym!("ibm"),
        sym!("msft"),
        sym!("ibm"),
        sym!("amd"),
        sym!("msft"),
        sym!("ibm"),
    ];
    let prices = [101.25, 52.5, 101.5, 33.75, 52.25, 101.0];
    let sizes = [300_i64, 200, 100, 500, 400, 250];
    Table::new([
        (sym!("time"), times.into()),
        (sym!("sym"), names.into()),
        (sym!("price"), prices.into()),
        (sym!("size"), sizes.into()),
    ])
    .expect("the columns are of one count")
    .into()
}

/// How many names there may be.
const MOST_NAMES: usize = 1000;

/// How many bytes all names and their values may take.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_replaced_gives_its_memory_back() {
        let mut names = Names::new();
        let large = Value::from(vec![0_u8; 200 * 1024 * 1024]);
        for _ in 0..2 {
            assign(&mut names, "a", &large).unwrap();
        }
        assert_eq!(assign(&mut names, "b", &large), Err(Signal::WorkspaceFull));
        assign(&mut names, "a", &Value::from(1_i64)).unwrap();
        assign(&mut names, "b", &large).unwrap();
        assert_eq!(names.get(sym!("a").as_ref()), Ok(Value::from(1_i64)));
        assert_eq!(names.get(sym!("b").as_ref()), Ok(large));
    }

    #[test]
    fn there_are_so_many_names_and_no_more() {
        let mut names = Names::new();
        let value = Value::from(1_i64);
        for name in 1..MOST_NAMES {
            assign(&mut names, &format!("a{name}"), &value).unwrap();
        }
        assert_eq!(assign(&mut names, "b", &value), Err(Signal::Limit));
        assign(&mut names, "a1", &value).unwrap();
    }

    #[test]
    fn a_value_takes_its_encoded_length_and_that_of_its_name() {
        let chars = MOST_BYTES as usize - 6 - "name".len();
        let value = Value::from(vec![b'x'; chars]);
        let mut names = Names::new();
        assert_eq!(
            assign(&mut names, "names", &value),
            Err(Signal::WorkspaceFull)
        );
        assign(&mut names, "name", &value).unwrap();
    }

    #[test]
    fn the_names_of_functions_are_taken() {
        let mut names = Names::new();
        let value = Value::from(1_i64);
        assert_eq!(assign(&mut names, "til", &value), Err(Signal::Assign));
        assert_eq!(
            names.get(sym!("nosuch").as_ref()),
            Err(Signal::Undefined(sym!("nosuch")))
        );
    }

    fn assign(names: &mut Names, name: &str, value: &Value) -> Result<(), Signal> {
        let name = Symbol::new(name).unwrap();
        names.assign(name, value, &mut Work::of_one_query())
    }
}

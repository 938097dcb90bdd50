//! Subscribing as to kdb+tick's tickerplant: what is asked, answered and published.
//!
//! ```text
//!  subscriber                                             tickerplant
//!     │ ── sync   (".u.sub";`trade;`ibm`amd) ─────────────────▶ │  [Topic]
//!     │ ◀─ answer (`trade;+`time`sym`price!…)  no rows ──────── │  [Schema]
//!     │ ◀─ async  (`upd;`trade;+`time`sym`price!…) ──────────── │  [Publication::Update]
//!     │ ◀─ async  (`upd;`trade;+`time`sym`price!…) ──────────── │
//!     │ ◀─ async  (`.u.end;2026.11.24)  once a day ──────────── │  [Publication::EndOfDay]
//! ```
//!
//! These are conventions about ordinary messages: those of
//! [kdb-tick](https://github.com/KxSystems/kdb-tick)'s `tick/u.q`, which KX's
//! [pages](https://code.kx.com/q/architecture/) build on and other publishers follow. They were read
//! from its source and not tried on a live q. Nothing here connects or waits: the transports'
//! subscribers do, and they connect again where a connection is lost.
//!
//! ```
//! use hopen_codec::sym;
//! use hopen_codec::tick::{Data, Publication, Schema, Topic};
//! use hopen_codec::value::{Table, Value};
//!
//! let topic = Topic::table(sym!("trade")).only([sym!("ibm"), sym!("amd")]);
//! assert_eq!(Value::from(topic).to_string(), r#"(".u.sub";`trade;`ibm`amd)"#);
//!
//! let rows = Table::new([(sym!("price"), vec![101.25, 101.5].into())])?;
//! let answer = Value::from((sym!("trade"), rows.clone()));
//! assert_eq!(Schema::read_all(&answer)?[0].table, sym!("trade"));
//!
//! let message = Value::from((sym!("upd"), sym!("trade"), rows));
//! let Publication::Update { table, data } = Publication::read(message) else { panic!("it is one") };
//! assert_eq!((table, data.rows()), (sym!("trade"), Some(2)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::fmt;

use crate::sym;
use crate::value::{Symbol, SymbolRef, Symbols, TableRef, Value, ValueRef, ValueType};

mod publication;

pub use publication::{Data, Publication};

/// What is subscribed to: a table, or all of them, and which symbols of it.
///
/// It converts into the question that is asked for it: the name of the function as a text, which
/// makes it a list of three items whatever they are, and its arguments.
///
/// A tickerplant selects the rows by their column `sym`. Who subscribes to a table again on the same
/// connection replaces what it had of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    function: Symbol,
    table: Symbol,
    symbols: Which,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    All,
    Only(Vec<Symbol>),
}

impl Topic {
    /// The function that subscribes, of a tickerplant as it comes: `.u.sub`.
    pub const FUNCTION: Symbol = sym!(".u.sub");

    /// All tables.
    pub const fn all_tables() -> Self {
        Self::table(Symbol::NULL)
    }

    /// The table of this name; the null symbol is all tables.
    pub const fn table(name: Symbol) -> Self {
        Self {
            function: Self::FUNCTION,
            table: name,
            symbols: Which::All,
        }
    }

    /// Takes the rows of these symbols only; none at all is no row. The null symbol among them is a
    /// symbol like others, where `` ` `` alone would be all.
    #[must_use]
    pub fn only(self, symbols: impl IntoIterator<Item = Symbol>) -> Self {
        Self {
            symbols: Which::Only(symbols.into_iter().collect()),
            ..self
        }
    }

    /// Returns whether these are all tables and not one.
    pub fn is_all_tables(&self) -> bool {
        self.table == Symbol::NULL
    }

    /// Subscribes by another function than [`FUNCTION`](Self::FUNCTION), which takes and answers the
    /// same.
    #[must_use]
    pub fn by(self, function: Symbol) -> Self {
        Self { function, ..self }
    }
}

impl From<Topic> for Value {
    fn from(topic: Topic) -> Self {
        let symbols: Self = match topic.symbols {
            Which::All => Symbol::NULL.into(),
            Which::Only(symbols) => symbols.into_iter().collect::<Symbols>().into(),
        };
        (topic.function.as_ref().as_bytes(), topic.table, symbols).into()
    }
}

/// How a table looks, as a tickerplant answers it to who subscribes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schema {
    /// Its name.
    pub table: Symbol,
    /// The table without rows. One that the tickerplant keeps keyed comes as a keyed table, with the
    /// rows that it has.
    pub schema: Value,
}

impl Schema {
    /// Reads the answer to a [`Topic`]: a name and a table, or a list of such pairs where all tables
    /// were subscribed to.
    ///
    /// ```
    /// use hopen_codec::tick::Schema;
    /// use hopen_codec::value::Value;
    ///
    /// let error = Schema::read_all(&Value::from(5_i64)).unwrap_err();
    /// assert_eq!(error.to_string(), "the answer to a subscription is no name and table (long atom)");
    /// ```
    ///
    /// # Errors
    ///
    /// Where it is neither.
    pub fn read_all(answer: &Value) -> Result<Vec<Self>, AnswerError> {
        let wrong = |value: ValueRef<'_>| AnswerError {
            found: value.value_type(),
        };
        if let Some(schema) = Self::of_pair(answer, answer.as_ref()) {
            return Ok(vec![schema]);
        }
        let ValueRef::List(pairs) = answer.as_ref() else {
            return Err(wrong(answer.as_ref()));
        };
        pairs
            .iter()
            .map(|pair| Self::of_pair(answer, pair).ok_or_else(|| wrong(pair)))
            .collect()
    }

    /// Iterates over the columns, those of the key first.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        let (keys, values) = match self.schema.as_ref() {
            ValueRef::Table(table) => (None, Some(table)),
            ValueRef::Dict(dict) => dict.keyed_table().unzip(),
            ValueRef::Atom(_) | ValueRef::Vector(_) | ValueRef::List(_) | ValueRef::Function(_) => {
                (None, None)
            }
        };
        let keys = keys.into_iter().flat_map(TableRef::columns);
        let values = values.into_iter().flat_map(TableRef::columns);
        keys.map(|column| (ColumnKind::Key, column))
            .chain(values.map(|column| (ColumnKind::Value, column)))
            .map(|(kind, (name, column))| Column {
                kind,
                name: name.to_symbol(),
                value_type: column.value_type(),
            })
    }

    fn of_pair(answer: &Value, pair: ValueRef<'_>) -> Option<Self> {
        let mut items = pair.elements()?;
        let table = items.next()?.to::<SymbolRef<'_>>().ok()?;
        let schema = items.next()?;
        let is_table = match schema {
            ValueRef::Table(_) => true,
            ValueRef::Dict(dict) => dict.keyed_table().is_some(),
            ValueRef::Atom(_) | ValueRef::Vector(_) | ValueRef::List(_) | ValueRef::Function(_) => {
                false
            }
        };
        (is_table && items.next().is_none()).then(|| Self {
            table: table.to_symbol(),
            schema: answer.share(schema),
        })
    }
}

/// A column of a table, without what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "rows and attributes are not of the columns"
)]
pub struct Column {
    /// Whether it is of the key.
    pub kind: ColumnKind,
    /// Its name.
    pub name: Symbol,
    /// Its type: a vector's, or a list's where its items may be of any.
    pub value_type: ValueType,
}

/// Whether a column is of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "q has no others")]
pub enum ColumnKind {
    /// It is one of those that a keyed table is keyed by.
    Key,
    /// It is not.
    Value,
}

/// The answer to a subscription is none: the process is no tickerplant, or the function is another.
/// The connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerError {
    /// What stands where the name of a table and the table should.
    pub found: ValueType,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the answer to a subscription is no name and table ({})",
            self.found
        )
    }
}

impl core::error::Error for AnswerError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::strategy;
    use crate::value::{Attribute, Dict, List, Table, Vector};

    fn table(price: impl Into<Value>) -> Table {
        let names: Symbols = [sym!("ibm")].into_iter().collect();
        let names = Value::Vector(Vector::Symbol(names.with_attribute(Attribute::Grouped)));
        Table::new([(sym!("sym"), names), (sym!("price"), price.into())]).unwrap()
    }

    #[test]
    fn a_topic_is_asked_for_as_tick_takes_it() {
        for (topic, question) in [
            (Topic::all_tables(), r#"(".u.sub";`;`)"#),
            (Topic::table(sym!("trade")), r#"(".u.sub";`trade;`)"#),
            (
                Topic::table(sym!("trade")).only([sym!("ibm")]),
                r#"(".u.sub";`trade;,`ibm)"#,
            ),
            (
                Topic::all_tables().only([sym!("ibm"), sym!("amd")]),
                r#"(".u.sub";`;`ibm`amd)"#,
            ),
            (
                Topic::table(sym!("trade")).only([]),
                r#"(".u.sub";`trade;`symbol$())"#,
            ),
            (
                Topic::table(sym!("t")).by(sym!(".ps.subscribe")),
                r#"(".ps.subscribe";`t;`)"#,
            ),
        ] {
            assert_eq!(Value::from(topic).to_string(), question);
        }
    }

    #[test]
    fn an_answer_is_one_schema_or_a_list_of_them() {
        let one = Value::from((sym!("trade"), table(vec![1.5])));
        let keyed = Dict::keyed_table(table(vec![1.5]), table(vec![1_i64])).unwrap();
        let other = Value::from((sym!("last"), keyed));
        let names = |answer: &Value| {
            let schemas = Schema::read_all(answer).unwrap();
            let names = schemas.into_iter().map(|schema| schema.table);
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&one), [sym!("trade")]);
        assert_eq!(names(&other), [sym!("last")]);
        let both = Value::from(vec![one, other]);
        assert_eq!(names(&both), [sym!("trade"), sym!("last")]);
        // A tickerplant without tables.
        assert!(names(&List::from(vec![]).into()).is_empty());
        let received = strategy::receive(&both, crate::byte_order::ByteOrder::Big);
        assert_eq!(names(&received), [sym!("trade"), sym!("last")]);
    }

    #[test]
    fn an_answer_that_is_none_is_told_by_its_type() {
        let one = Value::from((sym!("trade"), table(vec![1.5])));
        for (answer, found) in [
            (Value::IDENTITY, Value::IDENTITY.value_type()),
            (sym!("trade").into(), Value::from(sym!("a")).value_type()),
            (table(vec![1.5]).into(), ValueType::TABLE),
            (
                vec![one, Value::from(1_i64)].into(),
                Value::from(1_i64).value_type(),
            ),
            (
                (sym!("trade"), 1_i64).into(),
                Value::from(sym!("a")).value_type(),
            ),
            (
                vec![Value::from((sym!("trade"), table(vec![1.5]), 1_i64))].into(),
                ValueType::LIST,
            ),
        ] {
            let answer: Value = answer;
            let error = Schema::read_all(&answer).unwrap_err();
            assert_eq!(error, AnswerError { found }, "{answer}");
        }
    }

    #[test]
    fn columns_are_told_by_key_name_and_type() {
        let shown = |schema: Value| {
            let table = sym!("trade");
            let columns = Schema { table, schema };
            let columns = columns.columns().map(|column| {
                let Column {
                    kind,
                    name,
                    value_type,
                } = column;
                format!("{kind:?} {name} {value_type}")
            });
            columns.collect::<Vec<_>>()
        };
        assert_eq!(
            shown(table(vec![1.5]).into()),
            ["Value sym symbol vector", "Value price float vector"]
        );
        let key = Table::new([(sym!("sym"), vec![sym!("ibm")].into())]).unwrap();
        let rest = Table::new([(sym!("texts"), vec![Value::from("a")].into())]).unwrap();
        let keyed = Dict::keyed_table(key, rest).unwrap();
        assert_eq!(
            shown(keyed.into()),
            ["Key sym symbol vector", "Value texts list"]
        );
        assert_eq!(shown(Value::IDENTITY), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_name_and_a_table_are_an_answer_and_nothing_else_is(
            table in strategy::symbol(),
            schema in strategy::value(2, 4),
        ) {
            let is_table = match schema.as_ref() {
                ValueRef::Table(_) => true,
                ValueRef::Dict(dict) => dict.keyed_table().is_some(),
                ValueRef::Atom(_)
                | ValueRef::Vector(_)
                | ValueRef::List(_)
                | ValueRef::Function(_) => false,
            };
            let expected = Schema { table: table.clone(), schema: schema.clone() };
            let answer = strategy::receive(
                &(table, schema).into(),
                crate::byte_order::ByteOrder::Little,
            );
            match Schema::read_all(&answer) {
                Ok(schemas) => prop_assert!(is_table && schemas == [expected]),
                Err(_) => prop_assert!(!is_table),
            }
        }

        #[test]
        fn any_answer_is_read_or_refused(answer in strategy::value(3, 4)) {
            if let Ok(schemas) = Schema::read_all(&answer) {
                prop_assert!(schemas.len() <= answer.as_ref().elements().into_iter().flatten().count());
            }
        }
    }
}

//! What a tickerplant sends to those who have subscribed.

use crate::value::{Date, Symbol, SymbolRef, Table, Value, ValueRef};

/// An async message, as a subscriber takes it.
///
/// ```text
/// (`upd;`trade;+`time`sym`price!…)      Update: a table, which is what a tickerplant sends
/// (`upd;`trade;(09:30:00 …;`ibm …;…))           its columns, as in a tickerplant's log
/// (`upd;`trade;(09:30:00;`ibm;101.25))          one row of atoms, as a feed may send it
/// (`.u.end;2026.11.24)                  EndOfDay
/// ```
///
/// The function may also be `.u.upd`, and a text instead of a symbol: PyKX publishes so.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what comes is to be handled in full"
)]
pub enum Publication {
    /// Rows of a table.
    Update {
        /// The name of the table.
        table: Symbol,
        /// Its rows.
        data: Data,
    },
    /// This day has ended in the tickerplant: what comes from here on is of the next.
    EndOfDay(Date),
    /// Something else.
    Other(Value),
}

/// Rows, in one of the forms that a q program's `upd` takes. All of them share the bytes of the
/// message.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "who takes updates has to know every form"
)]
pub enum Data {
    /// A table. Nothing says that its columns are of one count: [`TableRef::rows`] looks.
    ///
    /// [`TableRef::rows`]: crate::value::TableRef::rows
    Table(Table),
    /// A list of columns without their names, the first of which is a vector or list.
    Columns(Value),
    /// A list or vector whose first item is an atom: one row.
    Row(Value),
}

impl Publication {
    /// Reads a message. What is none of the others comes back as it was.
    pub fn read(message: Value) -> Self {
        match Self::of(&message) {
            Some(publication) => publication,
            None => Self::Other(message),
        }
    }

    fn of(message: &Value) -> Option<Self> {
        let mut items = message.as_ref().elements()?;
        let (function, first, second) = (name(items.next()?)?, items.next()?, items.next());
        if items.next().is_some() {
            return None;
        }
        match (function, second) {
            (b"upd" | b".u.upd", Some(data)) => Some(Self::Update {
                table: first.to::<SymbolRef<'_>>().ok()?.to_symbol(),
                data: Data::of(message, data)?,
            }),
            (b".u.end", None) => first.to().ok().map(Self::EndOfDay),
            _ => None,
        }
    }
}

impl Data {
    /// Returns how many rows there are; `None` where the columns of a table differ in their counts,
    /// or are elsewhere. Of bare columns the first is counted.
    pub fn rows(&self) -> Option<usize> {
        match self {
            Self::Table(table) => table.as_ref().rows().ok(),
            Self::Columns(columns) => match columns.as_ref().elements()?.next() {
                Some(ValueRef::Vector(vector)) => Some(vector.len()),
                Some(ValueRef::List(list)) => Some(list.len()),
                None => Some(0),
                Some(_) => None,
            },
            Self::Row(_) => Some(1),
        }
    }

    fn of(message: &Value, data: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Table(_) = data {
            let Value::Table(table) = message.share(data) else {
                return None;
            };
            return Some(Self::Table(table));
        }
        let first = data.elements()?.next();
        let data = message.share(data);
        Some(match first {
            Some(ValueRef::Atom(_)) => Self::Row(data),
            Some(ValueRef::Vector(_) | ValueRef::List(_)) => Self::Columns(data),
            // A row may begin with a function, or with a dictionary; nobody inserts those.
            Some(_) => return None,
            None => Self::Columns(data),
        })
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Table(one), Self::Table(other)) => {
                Value::Table(one.clone()) == Value::Table(other.clone())
            }
            (Self::Columns(one), Self::Columns(other)) | (Self::Row(one), Self::Row(other)) => {
                one == other
            }
            _ => false,
        }
    }
}

impl From<Data> for Value {
    fn from(data: Data) -> Self {
        match data {
            Data::Table(table) => table.into(),
            Data::Columns(value) | Data::Row(value) => value,
        }
    }
}

/// Returns what a symbol or a text says.
fn name(value: ValueRef<'_>) -> Option<&[u8]> {
    let symbol = value.to::<SymbolRef<'_>>().map(SymbolRef::as_bytes);
    symbol.ok().or_else(|| value.to::<&[u8]>().ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::byte_order::ByteOrder;
    use crate::value::List;
    use crate::{strategy, sym};

    fn table() -> Table {
        Table::new([
            (sym!("sym"), vec![sym!("ibm"), sym!("amd")].into()),
            (sym!("price"), vec![101.25, 101.5].into()),
        ])
        .unwrap()
    }

    #[test]
    fn what_a_tickerplant_sends_is_read_however_it_is_spelled() {
        let columns = || Value::from((vec![sym!("ibm")], vec![101.25]));
        let row = || Value::from((sym!("ibm"), 101.25));
        for (message, seen) in [
            (
                Value::from((sym!("upd"), sym!("trade"), table())),
                "table 2",
            ),
            ((".u.upd", sym!("trade"), table()).into(), "table 2"),
            (("upd", sym!("trade"), columns()).into(), "columns 1"),
            ((sym!(".u.upd"), sym!("trade"), row()).into(), "row 1"),
            // A row whose atoms are of one type is a vector to q.
            ((sym!("upd"), sym!("t"), vec![1_i64, 2]).into(), "row 1"),
            (
                (sym!("upd"), sym!("t"), List::from(vec![])).into(),
                "columns 0",
            ),
            ((sym!(".u.end"), Date(9824)).into(), "end 2026.11.24"),
            ((".u.end", Date(9824)).into(), "end 2026.11.24"),
            ((sym!("upd"), sym!("trade")).into(), "other"),
            ((sym!("upd"), sym!("trade"), 1_i64).into(), "other"),
            ((sym!("upd"), "trade", table()).into(), "other"),
            ((sym!("upd"), sym!("trade"), table(), 1_i64).into(), "other"),
            ((sym!("upd2"), sym!("trade"), table()).into(), "other"),
            ((sym!(".u.end"), 1_i64).into(), "other"),
            ((sym!(".u.end"), Date(0), 1_i64).into(), "other"),
            (vec![sym!("upd"), sym!("t"), sym!("x")].into(), "other"),
            ("upd".into(), "other"),
            (5_i64.into(), "other"),
            (table().into(), "other"),
        ] {
            let message: Value = message;
            for message in [
                strategy::receive(&message, ByteOrder::Little),
                strategy::receive(&message, ByteOrder::Big),
                message,
            ] {
                let text = match Publication::read(message.clone()) {
                    Publication::Update { data, .. } => {
                        let kind = match data {
                            Data::Table(_) => "table",
                            Data::Columns(_) => "columns",
                            Data::Row(_) => "row",
                        };
                        format!("{kind} {}", data.rows().unwrap())
                    }
                    Publication::EndOfDay(day) => format!("end {day}"),
                    Publication::Other(other) => {
                        assert_eq!(other, message);
                        "other".to_owned()
                    }
                };
                assert_eq!(text, seen, "{message}");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_published_can_be_put_together_again(
            data in strategy::value(2, 4),
            table in strategy::symbol(),
            is_received in any::<bool>(),
        ) {
            let mut message = Value::from((sym!("upd"), table, data));
            if is_received {
                message = strategy::receive(&message, ByteOrder::Little);
            }
            let again = match Publication::read(message.clone()) {
                Publication::Update { table, data } => {
                    let is_row = matches!(data, Data::Row(_));
                    prop_assert!(!is_row || data.rows() == Some(1));
                    Value::from((sym!("upd"), table, Value::from(data)))
                }
                Publication::EndOfDay(_) => panic!("it was none"),
                Publication::Other(other) => other,
            };
            prop_assert_eq!(again, message);
        }

        #[test]
        fn any_message_is_read(message in strategy::value(3, 4)) {
            if let Publication::Other(other) = Publication::read(message.clone()) {
                prop_assert_eq!(other, message);
            }
        }
    }
}

//! A body of any bytes, as what a tickerplant sends: a publication, and the answer to a subscription.

use bytes::Bytes;
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::tick::{Data, Publication, Schema};
use hopen_codec::value::{Value, ValueRef};

use crate::byte_order;

/// Looks at one input: the byte order in its first byte, then a body.
pub fn look_at(input: &[u8]) {
    let Some((order, bytes)) = input.split_first() else {
        return;
    };
    let body = Body::from_bytes(Bytes::copy_from_slice(bytes), byte_order(*order));
    let Ok(Ok(value)) = body.decode(&Limits::server()) else {
        return;
    };
    read_publication(&value);
    read_answer(&value);
}

/// What is read is what stands in the message, and what is none of a tickerplant's comes back.
fn read_publication(value: &Value) {
    let items: Vec<ValueRef<'_>> = value
        .as_ref()
        .elements()
        .map(Iterator::collect)
        .unwrap_or_default();
    match Publication::read(value.clone()) {
        Publication::Other(other) => assert_eq!(&other, value),
        Publication::EndOfDay(date) => {
            assert_eq!(items.len(), 2);
            assert_eq!(items[1], Value::from(date).as_ref());
        }
        Publication::Update { table, data } => {
            assert_eq!(items.len(), 3);
            assert_eq!(items[1], Value::from(table).as_ref());
            let rows = data.rows();
            let data = match data {
                Data::Table(table) => Value::Table(table),
                Data::Columns(columns) => columns,
                Data::Row(row) => {
                    assert_eq!(rows, Some(1));
                    row
                }
            };
            assert_eq!(items[2], data.as_ref());
        }
    }
}

/// Each schema has a table, whose columns can be told.
fn read_answer(value: &Value) {
    match Schema::read_all(value) {
        Ok(schemas) => {
            for schema in schemas {
                let columns = schema.columns().count();
                match schema.schema.as_ref() {
                    ValueRef::Table(table) => assert_eq!(columns, table.columns().count()),
                    ValueRef::Dict(dict) => assert!(dict.keyed_table().is_some()),
                    other => panic!("{other} is no table"),
                }
            }
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
}

//! The codec of this workspace.

use bytes::Bytes;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::value::{Atom, Value, ValueRef, Vector};

use crate::subject;
use crate::workloads::symbol_sum;

pub struct Subject {
    body: Body,
    limits: Limits,
}

impl Default for Subject {
    fn default() -> Self {
        let body = Body::from_bytes(Bytes::new(), ByteOrder::Little);
        Self {
            body,
            limits: Limits::client(),
        }
    }
}

impl subject::Subject for Subject {
    type Value = Value;

    fn name(&self) -> &'static str {
        "hopen"
    }

    fn load(&mut self, message: &[u8]) {
        let bytes = Bytes::copy_from_slice(&message[8..]);
        self.body = Body::from_bytes(bytes, ByteOrder::Little);
    }

    fn decode(&self) -> Option<Value> {
        self.body.decode(&self.limits).ok()?.ok()
    }

    fn visit(&self, value: &Value) -> u64 {
        visit(value.as_ref())
    }
}

/// What is small is read where it stands in its list; only what contains something is a call.
#[inline(always)]
fn visit(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Atom(atom) => match atom {
            Atom::Long(long) => long as u64,
            Atom::Timestamp(timestamp) => timestamp.0 as u64,
            Atom::Float(float) => float.to_bits(),
            Atom::Symbol(symbol) => symbol_sum(symbol.as_bytes()),
            _ => 0,
        },
        other => visit_compound(other),
    }
}

fn visit_compound(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Vector(vector) => match vector {
            Vector::Long(items) => items
                .into_iter()
                .fold(0, |sum, long| sum.wrapping_add(long as u64)),
            Vector::Timestamp(items) => items
                .into_iter()
                .fold(0, |sum, item| sum.wrapping_add(item.0 as u64)),
            Vector::Float(items) => items
                .into_iter()
                .fold(0, |sum, float| sum.wrapping_add(float.to_bits())),
            Vector::Char(items) => items.into_iter().map(|char| u64::from(char.0)).sum(),
            Vector::Symbol(items) => items
                .into_iter()
                .map(|symbol| symbol_sum(symbol.as_bytes()))
                .sum(),
            _ => 0,
        },
        ValueRef::List(list) => list
            .iter()
            .fold(0, |sum, item| sum.wrapping_add(visit(item))),
        ValueRef::Dict(dict) => {
            let (keys, values) = dict.parts();
            visit(keys).wrapping_add(visit(values))
        }
        ValueRef::Table(table) => {
            let names = visit(ValueRef::Vector(Vector::Symbol(table.names())));
            table
                .columns()
                .fold(names, |sum, (_, column)| sum.wrapping_add(visit(column)))
        }
        _ => 0,
    }
}

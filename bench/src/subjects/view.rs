//! A checked view: decoding walks the body once and keeps its bytes; values come out of them
//! when they are asked for.

pub mod items;
pub mod nul;
pub mod read;
pub mod walk;

use crate::subject;
use crate::workloads::symbol_sum;
use bytes::Bytes;
use read::{Atom, ValueRef, Vector};
use walk::Order;

#[derive(Default)]
pub struct Subject(Bytes);

impl subject::Subject for Subject {
    type Value = View;

    fn name(&self) -> &'static str {
        "view"
    }

    fn load(&mut self, message: &[u8]) {
        self.0 = Bytes::copy_from_slice(&message[8..]);
    }

    fn decode(&self) -> Option<View> {
        View::decode(self.0.clone(), Order::Little)
    }

    fn visit(&self, value: &View) -> u64 {
        visit(value.root())
    }
}

/// A received value: its bytes, which have been checked.
pub struct View {
    body: Bytes,
    order: Order,
}

impl View {
    #[inline]
    pub fn decode(body: Bytes, order: Order) -> Option<Self> {
        walk::check(&body, order)?;
        Some(Self { body, order })
    }

    pub fn root(&self) -> ValueRef<'_> {
        ValueRef::first(&self.body, self.order)
    }
}

/// What is small is read where it stands in its list; only what contains something is a call.
#[inline(always)]
pub fn visit(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Atom(atom) => match atom {
            Atom::Long(long) | Atom::Timestamp(long) => long as u64,
            Atom::Float(float) => float.to_bits(),
            Atom::Symbol(symbol) => symbol_sum(symbol),
            _ => 0,
        },
        other => visit_compound(other),
    }
}

fn visit_compound(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Vector(vector) => match vector {
            Vector::Long(items) | Vector::Timestamp(items) => items
                .iter()
                .fold(0, |sum, long| sum.wrapping_add(long as u64)),
            Vector::Float(items) => items
                .iter()
                .fold(0, |sum, float| sum.wrapping_add(float.to_bits())),
            Vector::Char(items) => items.iter().map(u64::from).sum(),
            Vector::Symbol(items) => items.iter().map(symbol_sum).sum(),
            _ => 0,
        },
        ValueRef::List(list) => list
            .iter()
            .fold(0, |sum, item| sum.wrapping_add(visit(item))),
        ValueRef::Dict(dict) => {
            let (keys, values) = dict.parts();
            visit(keys).wrapping_add(visit(values))
        }
        ValueRef::Table(table) => visit(ValueRef::Dict(table.dict())),
        ValueRef::Atom(_) | ValueRef::Function(_) => 0,
    }
}

//! The codec of this workspace.

use std::cell::RefCell;

use bytes::{Buf, Bytes, BytesMut};
use hopen_codec::auth::Credentials;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::compress::{self, Form};
use hopen_codec::config::{Compression, Config, Limits};
use hopen_codec::connection::Connection;
use hopen_codec::frame::FrameDecoder;
use hopen_codec::handshake::{ClientHandshake, Progress};
use hopen_codec::message::Body;
use hopen_codec::outbox::Outbox;
use hopen_codec::value::{Atom, Dict, List, Symbol, Symbols, Table, Value, ValueRef, Vector};

use crate::subject::{self, Rank};
use crate::workloads::{Workload, symbol_sum};

pub struct Subject {
    limits: Limits,
    body: Body,
    compressed: Option<Body>,
    /// The items of a symbol vector, as a program may have them.
    symbols: Vec<Symbol>,
    /// Where messages go out, as a transport has it: one for all of them.
    connection: RefCell<(Connection, Outbox)>,
}

impl Default for Subject {
    fn default() -> Self {
        Self {
            limits: Limits::client(),
            body: Body::from_bytes(Bytes::new(), ByteOrder::Little),
            compressed: None,
            symbols: Vec::new(),
            connection: RefCell::new((connected(), Outbox::default())),
        }
    }
}

impl Subject {
    /// Sends an async message, in place of the one before it.
    pub fn send(&self, value: &Value) -> Option<()> {
        let (connection, outbox) = &mut *self.connection.borrow_mut();
        outbox.clear();
        connection.notify(value, outbox).ok()
    }
}

impl subject::Subject for Subject {
    type Value = Value;
    type Own = Value;
    /// What is in the outbox, or what was compressed.
    type Output = Option<Body>;

    fn name(&self) -> &'static str {
        "hopen"
    }

    fn rank(&self) -> Rank {
        Rank::Ours
    }

    fn load(&mut self, workload: &Workload) {
        self.body = body(&workload.message);
        self.compressed = workload.compressed.as_deref().map(body);
        self.symbols = match subject::Subject::decode(self).expect("a value") {
            Value::Vector(Vector::Symbol(symbols)) => {
                symbols.iter().map(|symbol| symbol.to_symbol()).collect()
            }
            _ => Vec::new(),
        };
    }

    fn decode(&self) -> Option<Value> {
        self.body.decode(&self.limits).ok()?.ok()
    }

    fn visit(&self, value: &Value) -> Option<u64> {
        Some(visit(value.as_ref()))
    }

    fn own(&self) -> Option<Value> {
        Some(own(self.decode()?.as_ref()))
    }

    fn encode(&self, own: &Value) -> Option<Option<Body>> {
        self.send(own)?;
        Some(None)
    }

    fn encode_symbols(&self) -> Option<Option<Body>> {
        if self.symbols.is_empty() {
            return None;
        }
        self.send(&Value::from(Symbols::from_iter(&self.symbols)))?;
        Some(None)
    }

    fn encode_compressed(&self, own: &Value) -> Option<Option<Body>> {
        Some(Some(Body::encode(own).ok()?.compress()))
    }

    fn bytes(&self, output: &Option<Body>) -> Vec<u8> {
        match output {
            Some(body) => body.chunks().concat(),
            None => {
                let outbox = &mut self.connection.borrow_mut().1;
                outbox.copy_to_bytes(outbox.remaining()).into()
            }
        }
    }

    fn compress(&self, message: Vec<u8>) -> Option<Option<Vec<u8>>> {
        let compressed = compress::compress(message.get(8..)?, ByteOrder::Little);
        Some(compressed.map(|compressed| compressed.payload))
    }

    fn decompress(&self, message: Vec<u8>) -> Option<Vec<u8>> {
        let payload = message.get(8..)?;
        compress::decompress(Form::Short, payload, ByteOrder::Little, self.limits.message).ok()
    }

    fn decode_compressed(&self) -> Option<Value> {
        self.compressed.as_ref()?.decode(&self.limits).ok()?.ok()
    }
}

/// Returns a connection to a peer of capability 3, which is sent nothing compressed.
fn connected() -> Connection {
    let mut config = Config::client();
    config.compression = Compression::Never;
    let mut outbox = Outbox::default();
    let start = ClientHandshake::start(&Credentials::anonymous(), config, &mut outbox);
    match start
        .expect("a login")
        .receive(&mut BytesMut::from(&[3][..]))
    {
        Ok(Progress::Done(connection)) => connection,
        _ => panic!("a byte is all that a client waits for"),
    }
}

fn body(message: &[u8]) -> Body {
    let mut frames = FrameDecoder::new(Limits::LARGEST_MESSAGE);
    let message = frames.decode(&mut BytesMut::from(message));
    message.expect("a message").expect("a whole one").body
}

/// Builds the value of a workload as a program would have it.
pub(crate) fn own_of(workload: &Workload) -> Value {
    let value = body(&workload.message).decode(&Limits::client());
    own(value.expect("a value").expect("no error").as_ref())
}

/// Builds a value as a program would have, that shares nothing with a message.
fn own(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Vector(Vector::Symbol(symbols)) => Value::from(Symbols::from_iter(symbols)),
        ValueRef::Atom(_) | ValueRef::Vector(_) => value.detach(),
        ValueRef::List(list) => Value::from(list.iter().map(own).collect::<List>()),
        ValueRef::Dict(dict) => {
            let (keys, values) = dict.parts();
            Value::from(Dict::new(own(keys), own(values)))
        }
        ValueRef::Table(table) => {
            let columns = table
                .columns()
                .map(|(name, column)| (name.to_symbol(), own(column)));
            Value::from(Table::new(columns).expect("columns of one length"))
        }
        _ => panic!("in no workload"),
    }
}

/// What is small is read where it stands in its list; only what contains something is a call.
#[inline(always)]
pub(crate) fn visit(value: ValueRef<'_>) -> u64 {
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

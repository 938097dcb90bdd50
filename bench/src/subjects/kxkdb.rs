//! kxkdb. Its decoder is an async function that never waits, so it is polled once, without a
//! runtime. kdb-plus-fixed and kdbplus have the same decoder and encoder (their files differ in
//! formatting) but keep them private, so this one stands for them.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ::kxkdb::ipc::{K, Query};
use ::kxkdb::qtype;

use crate::subject;
use crate::workloads::{Workload, symbol_sum};

#[derive(Default)]
pub struct Subject {
    body: Vec<u8>,
}

impl subject::Subject for Subject {
    type Value = K;
    type Own = K;
    type Output = Vec<u8>;

    fn name(&self) -> &'static str {
        "kxkdb"
    }

    fn load(&mut self, workload: &Workload) {
        self.body = workload.message[8..].to_vec();
    }

    fn decode(&self) -> Option<K> {
        Some(ready(K::q_ipc_decode(&self.body, 1)))
    }

    fn visit(&self, value: &K) -> Option<u64> {
        visit(value)
    }

    fn own(&self) -> Option<K> {
        self.decode()
    }

    fn encode(&self, own: &K) -> Option<Vec<u8>> {
        Some(own.q_ipc_encode())
    }

    fn encode_compressed(&self, own: &K) -> Option<Vec<u8>> {
        Some(ready(own.serialize(2, false)))
    }

    fn bytes(&self, output: &Vec<u8>) -> Vec<u8> {
        output.clone()
    }
}

pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it has nothing to wait for"),
    }
}

pub(crate) fn visit(value: &K) -> Option<u64> {
    Some(match value.get_type() {
        qtype::SYMBOL_ATOM => symbol_sum(value.get_symbol().ok()?.as_bytes()),
        qtype::LONG_ATOM | qtype::TIMESTAMP_ATOM => value.get_long().ok()? as u64,
        qtype::FLOAT_ATOM => value.get_float().ok()?.to_bits(),
        qtype::LONG_LIST | qtype::TIMESTAMP_LIST => {
            let longs = value.as_vec::<i64>().ok()?.iter();
            longs.fold(0, |sum, long| sum.wrapping_add(*long as u64))
        }
        qtype::FLOAT_LIST => {
            let floats = value.as_vec::<f64>().ok()?.iter();
            floats.fold(0, |sum, float| sum.wrapping_add(float.to_bits()))
        }
        qtype::STRING => value.as_string().ok()?.bytes().map(u64::from).sum(),
        qtype::SYMBOL_LIST => value
            .as_vec::<String>()
            .ok()?
            .iter()
            .map(|symbol| symbol_sum(symbol.as_bytes()))
            .sum(),
        qtype::TABLE => visit(value.get_dictionary().ok()?)?,
        qtype::COMPOUND_LIST | qtype::DICTIONARY => {
            let mut values = value.as_vec::<K>().ok()?.iter();
            values.try_fold(0, |sum: u64, value| Some(sum.wrapping_add(visit(value)?)))?
        }
        _ => return None,
    })
}

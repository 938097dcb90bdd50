//! kdb_codec, by the cheapest of its functions: those that leave the header out.

use ::kdb_codec::{K, compress_sync, decompress_sync, qtype};

use crate::subject;
use crate::workloads::{Workload, symbol_sum};

#[derive(Default)]
pub struct Subject {
    message: Vec<u8>,
    compressed: Option<Vec<u8>>,
}

impl subject::Subject for Subject {
    type Value = K;
    type Own = K;
    type Output = Vec<u8>;

    fn name(&self) -> &'static str {
        "kdb_codec"
    }

    fn load(&mut self, workload: &Workload) {
        self.message.clone_from(&workload.message);
        self.compressed.clone_from(&workload.compressed);
    }

    fn decode(&self) -> Option<K> {
        K::q_ipc_decode(self.message.get(8..)?, 1).ok()
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
        Some(own.ipc_msg_encode(2, true))
    }

    fn bytes(&self, output: &Vec<u8>) -> Vec<u8> {
        output.clone()
    }

    fn compress(&self, message: Vec<u8>) -> Option<Option<Vec<u8>>> {
        let (shrank, message) = compress_sync(message);
        Some(shrank.then_some(message))
    }

    fn decompress(&self, mut message: Vec<u8>) -> Option<Vec<u8>> {
        decompress_sync(message.split_off(8), 1, None).ok()
    }

    fn decode_compressed(&self) -> Option<K> {
        Some(K::ipc_msg_decode(self.compressed.as_ref()?).ok()?.1)
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

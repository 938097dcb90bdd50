//! The limit of all who copy: the bytes of the message, moved once to memory of their own.

use crate::subject::{self, Rank};
use crate::workloads::Workload;

#[derive(Default)]
pub struct Subject {
    message: Vec<u8>,
}

impl subject::Subject for Subject {
    type Value = Vec<u8>;
    type Own = ();
    type Output = Vec<u8>;

    fn name(&self) -> &'static str {
        "memcpy"
    }

    fn rank(&self) -> Rank {
        Rank::Limit
    }

    fn load(&mut self, workload: &Workload) {
        self.message.clone_from(&workload.message);
    }

    fn decode(&self) -> Option<Vec<u8>> {
        Some(self.message.clone())
    }

    fn visit(&self, _: &Vec<u8>) -> Option<u64> {
        None
    }

    fn own(&self) -> Option<()> {
        Some(())
    }

    fn encode(&self, (): &()) -> Option<Vec<u8>> {
        Some(self.message.clone())
    }

    fn bytes(&self, output: &Vec<u8>) -> Vec<u8> {
        output.clone()
    }
}

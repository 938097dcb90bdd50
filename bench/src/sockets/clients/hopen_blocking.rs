//! The blocking transport of this workspace.

use std::error::Error;

use hopen_blocking::{Handle, hopen};
use hopen_codec::value::Value;

use crate::sockets::client::{self, NoRuntime};
use crate::sockets::{Address, Medium};
use crate::subject::Rank;
use crate::subjects;
use crate::workloads::Workload;

pub struct Library;

impl client::Library for Library {
    type Runtime = NoRuntime;
    type Connection = Connection;

    fn name(&self) -> &'static str {
        "hopen blocking"
    }

    fn rank(&self) -> Rank {
        Rank::Ours
    }

    fn runtime(&self) -> Result<NoRuntime, Box<dyn Error>> {
        Ok(NoRuntime)
    }

    async fn connect(&self, to: Address) -> Result<Connection, Box<dyn Error>> {
        Ok(Connection {
            handle: hopen(handle(to).as_str())?,
            message: Value::from(0_i64),
        })
    }
}

pub struct Connection {
    handle: Handle,
    message: Value,
}

impl client::Connection for Connection {
    type Value = Value;

    fn load(&mut self, workload: &Workload) -> Result<(), Box<dyn Error>> {
        self.message = subjects::hopen::own_of(workload);
        Ok(())
    }

    async fn get(&mut self, question: &str) -> Result<Value, Box<dyn Error>> {
        Ok(self.handle.get(question)?)
    }

    async fn set(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.handle.set(self.message.clone())?)
    }

    async fn flush(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.handle.flush()?)
    }

    fn visit(&self, value: &Value) -> Option<u64> {
        Some(subjects::hopen::visit(value.as_ref()))
    }
}

/// Returns what q's `hopen` takes for an address.
pub(super) fn handle(to: Address) -> String {
    match to.medium {
        Medium::Tcp => format!(":127.0.0.1:{}", to.port),
        Medium::Unix => format!(":unix://{}", to.port),
    }
}

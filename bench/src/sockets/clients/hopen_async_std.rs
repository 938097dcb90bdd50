//! The async transport of this workspace.

use std::error::Error;
use std::future::Future;

use async_std::task;
use hopen_async_std::{Handle, hopen};
use hopen_codec::value::Value;

use super::hopen_blocking::handle;
use crate::sockets::Address;
use crate::sockets::client::{self, Runtime};
use crate::subject::Rank;
use crate::subjects;
use crate::workloads::Workload;

pub struct Library;

/// async-std's, which is one for the whole process.
pub struct AsyncStd;

impl Runtime for AsyncStd {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        task::block_on(future)
    }
}

impl client::Library for Library {
    type Runtime = AsyncStd;
    type Connection = Connection;

    fn name(&self) -> &'static str {
        "hopen async"
    }

    fn rank(&self) -> Rank {
        Rank::Ours
    }

    fn runtime(&self) -> Result<AsyncStd, Box<dyn Error>> {
        Ok(AsyncStd)
    }

    async fn connect(&self, to: Address) -> Result<Connection, Box<dyn Error>> {
        Ok(Connection {
            handle: hopen(handle(to).as_str()).await?,
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
        Ok(self.handle.get(question).await?)
    }

    async fn set(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.handle.set(self.message.clone()).await?)
    }

    async fn flush(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.handle.flush().await?)
    }

    fn visit(&self, value: &Value) -> Option<u64> {
        Some(subjects::hopen::visit(value.as_ref()))
    }
}

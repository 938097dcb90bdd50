//! kdb_codec's `QStream`, which writes each message by itself, on a runtime of one thread: there is one
//! connection, and nothing to do beside it.

use std::error::Error;

use kdb_codec::{ConnectionMethod, K, QStream};
use tokio::runtime::{Builder, Runtime};

use crate::sockets::client;
use crate::sockets::{Address, Medium};
use crate::subjects;
use crate::workloads::Workload;

pub struct Library;

impl client::Library for Library {
    type Runtime = Runtime;
    type Connection = Connection;

    fn name(&self) -> &'static str {
        "kdb_codec"
    }

    fn runtime(&self) -> Result<Runtime, Box<dyn Error>> {
        Ok(Builder::new_current_thread().enable_all().build()?)
    }

    async fn connect(&self, to: Address) -> Result<Connection, Box<dyn Error>> {
        let (method, host) = match to.medium {
            Medium::Tcp => (ConnectionMethod::TCP, "127.0.0.1"),
            Medium::Unix => (ConnectionMethod::UDS, ""),
        };
        Ok(Connection {
            stream: QStream::connect(method, host, to.port, "u:p").await?,
            message: K::new_long(0),
        })
    }
}

pub struct Connection {
    stream: QStream,
    message: K,
}

impl client::Connection for Connection {
    type Value = K;

    fn load(&mut self, workload: &Workload) -> Result<(), Box<dyn Error>> {
        self.message = K::q_ipc_decode(&workload.message[8..], 1)?;
        Ok(())
    }

    async fn get(&mut self, question: &str) -> Result<K, Box<dyn Error>> {
        Ok(self.stream.send_sync_message(&question).await?)
    }

    async fn set(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.stream.send_async_message(&self.message).await?)
    }

    fn visit(&self, value: &K) -> Option<u64> {
        subjects::kdb_codec::visit(value)
    }
}

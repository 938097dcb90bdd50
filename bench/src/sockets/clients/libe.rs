//! KX's C library, as C programs use it: `k` with a function's text and its arguments. It writes each
//! message by itself.

use std::error::Error;

use crate::sockets::Address;
use crate::sockets::client::{self, NoRuntime};
use crate::subjects::libe::{Handle, Libe, NAME, Object};
use crate::workloads::Workload;

pub struct Library(pub Libe);

impl client::Library for Library {
    type Runtime = NoRuntime;
    type Connection = Connection;

    fn name(&self) -> &'static str {
        NAME
    }

    fn runtime(&self) -> Result<NoRuntime, Box<dyn Error>> {
        Ok(NoRuntime)
    }

    async fn connect(&self, to: Address) -> Result<Connection, Box<dyn Error>> {
        let Self(libe) = self;
        Ok(Connection {
            libe: *libe,
            handle: libe.connect(to.medium, to.port).ok_or("no connection")?,
            message: None,
        })
    }
}

pub struct Connection {
    libe: Libe,
    handle: Handle,
    message: Option<Object>,
}

impl client::Connection for Connection {
    type Value = Object;

    fn load(&mut self, workload: &Workload) -> Result<(), Box<dyn Error>> {
        self.message = self.libe.value_of(&workload.message);
        Ok(())
    }

    async fn get(&mut self, question: &str) -> Result<Object, Box<dyn Error>> {
        Ok(self.handle.get(question).ok_or("no answer")?)
    }

    async fn set(&mut self) -> Result<(), Box<dyn Error>> {
        let message = self.message.as_ref().ok_or("no message")?;
        let sent = self.handle.set(c"upd", c"trade", message);
        Ok(sent.ok_or("it cannot be sent")?)
    }

    fn visit(&self, value: &Object) -> Option<u64> {
        Some(value.visit())
    }
}

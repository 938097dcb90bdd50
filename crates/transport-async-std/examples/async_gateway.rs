//! A gateway: asks two processes what a client asks, and answers with the list of both answers.
//!
//! ```text
//!  client ── get ──▶ request ─┬─ get ──▶ SharedHandle ──▶ process
//!         ◀─ answer ── both ◀─┴─ get ──▶ SharedHandle ──▶ process
//! ```
//!
//! Each process has one handle, which the tasks of all clients share: a process answers one request
//! after the other anyway. A client waits for its own answer and keeps no other waiting.
//!
//! ```sh
//! cargo run --example async_gateway -- 5000 :localhost:5010 :localhost:5011
//! ```

use std::env;
use std::error::Error;
use std::io::{self, Write};

use hopen_async_std::server::{Answer, Client, Handler, Server, ServerOptions};
use hopen_async_std::{Listener, Options, SharedHandle, hopen};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use smol::future::try_zip;
use smol::lock::Mutex;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [listen, one, other] = &arguments[..] else {
        return Err("async_gateway PORT HANDLE HANDLE".into());
    };
    let gateway = Gateway::before([one.try_into()?, other.try_into()?]);
    let listener = Listener::bind(listen.as_str())?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let server = Server::new(listener, gateway, ServerOptions::default());
    // Where tasks run on async-std's threads this is `server.run()`.
    smol::block_on(server.run_with(|task| smol::spawn(task).detach()));
    Ok(())
}

/// What answers the clients.
pub(crate) struct Gateway {
    processes: [Process; 2],
}

impl Gateway {
    /// Makes one that connects to these processes when there is something to ask.
    pub(crate) fn before(processes: [Options; 2]) -> Self {
        let processes = processes.map(|options| Process {
            options,
            open: Mutex::new(None),
        });
        Self { processes }
    }
}

impl Handler for Gateway {
    async fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
        let [one, other] = &self.processes;
        // With the first error the other answer is given up.
        let both = try_zip(one.ask(query.clone()), other.ask(query)).await;
        both.map(|(one, other)| vec![one, other].into()).into()
    }
}

/// A process that is asked.
struct Process {
    options: Options,
    /// Locked while it is opened, so that it is opened once.
    open: Mutex<Option<SharedHandle>>,
}

impl Process {
    async fn ask(&self, query: Value) -> Result<Value, RemoteError> {
        let asked = async { self.connected().await?.get(query).await };
        match asked.await {
            Ok(answer) => Ok(answer),
            Err(hopen_async_std::Error::Remote(error)) => Err(error),
            Err(error) => {
                // The next one tries it again.
                *self.open.lock().await = None;
                let text = format!("gateway: {error}");
                Err(RemoteError::new(text).expect("an error's text has no NUL"))
            }
        }
    }

    async fn connected(&self) -> Result<SharedHandle, hopen_async_std::Error> {
        let mut open = self.open.lock().await;
        if let Some(handle) = &*open {
            return Ok(handle.clone());
        }
        let (handle, driver) = hopen(self.options.clone()).await?.into_shared();
        // What ends it is told to whoever asks next.
        smol::spawn(driver).detach();
        Ok(open.insert(handle).clone())
    }
}

//! A gateway of the async transport in front of `hopen serve`: who asks it is answered by the process.
//!
//! ```text
//!  other people's client ── Server ── SharedHandle ── hopen serve
//!                        ◀───────── pushed ─────────
//! ```

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_std::stream::StreamExt;
use async_std::task::{self, JoinHandle};
use hopen_async_std::server::{Answer, Client, Control, Decision, Handler, Server, ServerOptions};
use hopen_async_std::{Error, ListenOptions, Listener, Login, Options, SharedHandle, hopen};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::serving::Serving;

/// A gateway that runs; it ends when this is dropped.
pub(crate) struct Gateway {
    pub(crate) port: u16,
    control: Control,
    running: Option<JoinHandle<usize>>,
}

impl Gateway {
    /// Starts one before a process, which it asks as this user. Who may ask it the process says.
    pub(crate) fn before(serving: &Serving, credentials: &str) -> Self {
        let listen = ListenOptions::try_from("127.0.0.1:0W").expect("it is one");
        Self::listening(listen, serving, credentials)
    }

    /// Starts one that listens as it is told.
    pub(crate) fn listening(listen: ListenOptions, serving: &Serving, credentials: &str) -> Self {
        let listener = Listener::bind(listen).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let desk = Desk {
            process: serving.handle(""),
            credentials: credentials.to_owned(),
            handles: Mutex::default(),
        };
        let server = Server::new(listener, desk, ServerOptions::default());
        Self {
            port,
            control: server.control(),
            running: Some(task::spawn(server.run())),
        }
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.control.stop(PATIENCE);
        if let Some(running) = self.running.take() {
            task::block_on(running);
        }
    }
}

/// Passes on what clients ask, each over a handle of its own.
struct Desk {
    process: String,
    credentials: String,
    handles: Mutex<BTreeMap<u64, SharedHandle>>,
}

impl Desk {
    fn handle_of(&self, client: &Client) -> Option<SharedHandle> {
        let handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        handles.get(&client.handle()).cloned()
    }
}

impl Handler for Desk {
    async fn login(&self, login: &Login) -> Decision {
        let credentials = login.credentials().clone();
        let options = Options::try_from(self.process.as_str()).expect("it is a handle");
        let asked = options.credentials_from(move || Ok(credentials.clone()));
        match hopen(asked).await {
            Ok(_) => Decision::Accept,
            Err(_) => Decision::Refuse,
        }
    }

    async fn opened(&self, client: &Client) {
        let process = format!("{}{}", self.process, self.credentials);
        let handle = hopen(process).await.expect("the process runs");
        let (handle, driver) = handle.into_shared();
        task::spawn(driver);
        let (mut pushed, client) = (handle.asyncs(), client.clone());
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        handles.insert(client.handle(), handle);
        task::spawn(async move {
            while let Some(Ok(message)) = pushed.next().await {
                if client.set(message).is_err() {
                    return;
                }
            }
        });
    }

    async fn request(&self, client: &Client, query: Value) -> Answer<'_> {
        let Some(handle) = self.handle_of(client) else {
            return Err(RemoteError::new("gone").expect("no NUL is in it")).into();
        };
        let answer = handle.get(query).await.map_err(|error| {
            if let Error::Remote(error) = error {
                return error;
            }
            RemoteError::new(error.to_string()).expect("texts have no NUL")
        });
        answer.into()
    }

    async fn notice(&self, client: &Client, message: Value) {
        if let Some(handle) = self.handle_of(client) {
            handle.set(message).await.expect("the process runs");
        }
    }

    async fn closed(&self, client: &Client, _why: &Error) {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = handles.remove(&client.handle()) {
            handle.close();
        }
    }
}

/// How long answers that are owed may take when it ends.
const PATIENCE: Duration = Duration::from_secs(60);

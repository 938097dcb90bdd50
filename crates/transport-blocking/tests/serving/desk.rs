//! The handler of these tests, a server that has it, and the gateway.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

pub(crate) use hopen_blocking::Login;
pub(crate) use hopen_blocking::server::Control;
use hopen_blocking::server::{
    Answer, BadMessage, Client, Decision, Handler, Server, ServerOptions,
};
use hopen_blocking::{Error, ListenOptions, Listener, Options};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::{Guid, Value};

use crate::support::{Desk, Event, large};

#[path = "../../examples/gateway.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod example;

/// What is dropped to let a request be answered.
pub(crate) type Gate = mpsc::Sender<()>;

impl Desk {
    /// Starts a server.
    pub(crate) fn start(
        self,
        listen: ListenOptions,
        options: ServerOptions,
    ) -> (u16, Control, JoinHandle<usize>) {
        serve(listen, self, options)
    }
}

/// Starts the gateway of `examples/` before two processes.
pub(crate) fn gateway(processes: [Options; 2]) -> (u16, Control, JoinHandle<usize>) {
    let listen = "localhost:0W".try_into().unwrap();
    let gateway = example::Gateway::start(processes).unwrap();
    serve(listen, gateway, ServerOptions::default())
}

fn serve(
    listen: ListenOptions,
    handler: impl Handler + 'static,
    options: ServerOptions,
) -> (u16, Control, JoinHandle<usize>) {
    let listener = Listener::bind(listen).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server::new(listener, handler, options).unwrap();
    (port, server.control(), thread::spawn(move || server.run()))
}

impl Handler for Desk {
    fn login(&self, login: &Login) -> Decision {
        (self.login)(login)
    }

    fn opened(&self, client: &Client) {
        assert_ne!(client.user(), b"opened panics");
        self.tell(Event::Opened(client.clone()));
    }

    fn request(&self, client: &Client, query: Value) -> Answer<'_> {
        match query.to::<&str>() {
            Ok("panic") => panic!("a secret"),
            Ok("error") => Err(RemoteError::new("wrong").unwrap()).into(),
            Ok("guid") => Ok(Value::from(Guid([1; 16]))).into(),
            Ok("user") => Ok(client.user().into()).into(),
            Ok("large") => Ok(large()).into(),
            Ok("later") => Answer::deferred(|reply| self.tell(Event::Asked(reply))),
            Ok("never") => Answer::deferred(drop),
            Ok("panic later") => Answer::deferred(|_| panic!("a secret")),
            Ok("slowly") => {
                let (gate, is_open) = mpsc::channel();
                self.tell(Event::Evaluates(gate));
                // It ends when the gate is dropped.
                is_open.recv().unwrap_err();
                Ok("slowly".into()).into()
            }
            _ => Ok(query).into(),
        }
    }

    fn notice(&self, client: &Client, message: Value) {
        assert_ne!(message, "panic".into());
        self.tell(Event::Notice(client.clone(), message));
    }

    fn closed(&self, client: &Client, why: &Error) {
        self.tell(Event::Closed(client.handle(), why.to_string()));
    }

    fn bad_message(&self, _client: &Client, message: &BadMessage) {
        self.tell(Event::Bad(message.clone()));
    }

    fn text(&self, login: &Login, line: &[u8]) -> Vec<u8> {
        assert_ne!(line, b"panic");
        [login.credentials().user(), b" says ", line, b"\n"].concat()
    }
}

//! What the scratch process does with its clients.

use std::sync::{Arc, Mutex, PoisonError};

use hopen_blocking::Login;
use hopen_blocking::server::{Answer, Client, Decision, Handler};
use hopen_codec::auth::Credentials;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_console::Console;

use super::feed::{Asked, Feed};
use crate::scratch::Scratch;
use crate::status::report;

/// One state for all clients, as in q.
pub(super) struct Process {
    /// Who may log in; everybody if it is empty.
    users: Vec<Credentials>,
    scratch: Mutex<Scratch>,
    feed: Option<Arc<Feed>>,
}

impl Process {
    pub(super) fn new(users: Vec<Credentials>, feed: Option<Arc<Feed>>) -> Self {
        Self {
            users,
            scratch: Mutex::new(Scratch::new()),
            feed,
        }
    }

    /// Evaluates one query; the others wait, as they do for q.
    fn evaluate(&self, query: &Value) -> Result<Value, RemoteError> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        scratch.evaluate(query)
    }

    /// Returns what is asked of the feed, if there is one and it is asked.
    fn asked(&self, query: &Value) -> Option<(&Feed, Result<Asked, RemoteError>)> {
        Some((self.feed.as_deref()?, Feed::read(query)?))
    }
}

impl Handler for Process {
    fn login(&self, login: &Login) -> Decision {
        // All of them are compared: the time tells nothing about which comes first.
        let found = self
            .users
            .iter()
            .filter(|user| *user == login.credentials());
        if found.count() > 0 || self.users.is_empty() {
            Decision::Accept
        } else {
            Decision::Refuse
        }
    }

    fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
        match self.asked(&query) {
            None => self.evaluate(&query).into(),
            Some((_, Err(error))) => Err(error).into(),
            Some((feed, Ok(asked))) => Answer::deferred(move |reply| {
                let client = reply.client().clone();
                // Where it cannot be answered the client has gone, and is forgotten.
                feed.act(&client, asked, |answer| drop(reply.answer(Ok(answer))));
            }),
        }
    }

    fn notice(&self, client: &Client, message: Value) {
        let done = match self.asked(&message) {
            None => self.evaluate(&message).map(drop),
            Some((feed, asked)) => asked.map(|asked| feed.act(client, asked, drop)),
        };
        if let Err(error) = done {
            report(format_args!("{client}: '{error}"));
        }
    }

    fn closed(&self, client: &Client, _why: &hopen_blocking::Error) {
        if let Some(feed) = &self.feed {
            feed.forget(client);
        }
    }

    /// Answers as q's console would.
    fn text(&self, _login: &Login, line: &[u8]) -> Vec<u8> {
        let answer = self.evaluate(&Value::from(line));
        match answer {
            Ok(value) => Console::new().show(value.as_ref()).to_string(),
            Err(error) => format!("'{error}\n"),
        }
        .into()
    }
}

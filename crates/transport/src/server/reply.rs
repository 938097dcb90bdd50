//! Answers, given at once or later.

use core::fmt;
use std::sync::Weak;

use hopen_codec::connection::Ticket;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use super::{Client, Line};
use crate::Error;

/// What a handler does with a request.
#[expect(
    clippy::exhaustive_enums,
    reason = "it is answered now or it is deferred"
)]
pub enum Answer<'a> {
    /// It is answered. The client's next message is read when it has taken the answer.
    Now(Result<Value, RemoteError>),
    /// It is answered later, by what this function is given: [`Answer::deferred`].
    Deferred(Box<dyn FnOnce(Reply) + Send + 'a>),
}

impl<'a> Answer<'a> {
    /// Puts the answer off: `-30!(::)`. The function is called at once and gives the [`Reply`] to
    /// whoever is to answer. Meanwhile more is read from the client, and answers go out in the order in
    /// which the client takes them, whenever they are given.
    ///
    /// ```
    /// # use hopen_codec::value::Value;
    /// # use hopen_transport::server::{Answer, Reply};
    /// struct Elsewhere {
    ///     work: std::sync::mpsc::Sender<(Value, Reply)>,
    /// }
    ///
    /// impl Elsewhere {
    ///     fn answer(&self, query: Value) -> Answer<'_> {
    ///         // Where nobody takes it, the reply is dropped, which is an answer too.
    ///         Answer::deferred(|reply| drop(self.work.send((query, reply))))
    ///     }
    /// }
    /// ```
    pub fn deferred(take: impl FnOnce(Reply) + Send + 'a) -> Self {
        Self::Deferred(Box::new(take))
    }
}

impl From<Result<Value, RemoteError>> for Answer<'_> {
    fn from(answer: Result<Value, RemoteError>) -> Self {
        Self::Now(answer)
    }
}

impl fmt::Debug for Answer<'_> {
    /// Which it is; answers are nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(Ok(_)) => "Now(Ok(..))",
            Self::Now(Err(_)) => "Now(Err(..))",
            Self::Deferred(_) => "Deferred(..)",
        })
    }
}

/// The right and the duty to answer a request that was [put off](Answer::deferred), once and from any
/// thread or task. One that is dropped answers with the error `no answer`, so that no client waits for ever.
#[must_use = "dropped, it answers with an error"]
pub struct Reply {
    line: Weak<dyn Line>,
    client: Client,
    /// Taken when it is used.
    ticket: Option<Ticket>,
}

impl Reply {
    /// Takes the duty over.
    #[doc(hidden)]
    pub const fn new(line: Weak<dyn Line>, client: Client, ticket: Ticket) -> Self {
        Self {
            line,
            client,
            ticket: Some(ticket),
        }
    }

    /// Answers: `-30!(h;0b;result)`, or of an error `-30!(h;1b;"error")`. It does not wait: what the
    /// system does not take at once is queued.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`] where the connection is over, [`Error::Send`] where the client does not
    /// understand the answer, which it is told instead, [`Error::QueueFull`] where more than
    /// [`Limits::queue`](hopen_codec::config::Limits::queue) bytes wait for it already: it is cut off.
    pub fn answer(mut self, answer: Result<impl Into<Value>, RemoteError>) -> Result<(), Error> {
        match answer {
            Ok(value) => self.send(Ok(&value.into())),
            Err(error) => self.send(Err(error)),
        }
    }

    /// Returns who waits for it.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    fn send(&mut self, answer: Result<&Value, RemoteError>) -> Result<(), Error> {
        match (self.ticket.take(), self.line.upgrade()) {
            (Some(ticket), Some(line)) => line.push_response(ticket, answer),
            _ => Err(Error::BadHandle),
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            log::warn!("{}: a request was dropped without an answer", self.client);
            if let Err(error) = self.send(Err(no_answer())) {
                log::debug!("{}: {error}", self.client);
            }
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

fn no_answer() -> RemoteError {
    RemoteError::new("no answer").expect("a literal without a NUL")
}

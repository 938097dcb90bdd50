//! What a program does with its clients.

use core::future::{Future, ready};
use std::sync::Arc;

use hopen_codec::value::Value;

use super::{Answer, BadMessage, Client, Decision};
use crate::{Error, Login};

/// What a program does with its clients: q's `.z.pw`, `.z.po`, `.z.pg` and so on. Only
/// [`request`](Self::request) has to be there. They are written as `async fn`.
///
/// Every connection calls from a task of its own, and many at the same time; of one connection one
/// call comes after the other, from [`opened`](Self::opened) to [`closed`](Self::closed). q evaluates
/// one query after the other, whoever sends it; a mutex around what they work on does the same:
///
/// ```
/// use async_std::sync::Mutex;
/// use hopen_async_std::server::{Answer, Client, Handler};
/// use hopen_codec::value::Value;
///
/// #[derive(Default)]
/// struct Counter {
///     count: Mutex<i64>,
/// }
///
/// impl Handler for Counter {
///     async fn request(&self, _client: &Client, _query: Value) -> Answer<'_> {
///         let mut count = self.count.lock().await;
///         *count += 1;
///         Ok((*count).into()).into()
///     }
/// }
/// ```
///
/// A call that panics ends itself and not the process: a request is answered by the error `panic`, a
/// login is refused, a connection whose `opened` panics is closed. That it has is logged. A call whose
/// connection is cut off as the server ends is dropped, but for `closed`.
pub trait Handler: Send + Sync {
    /// Decides whether a client may log in, after [the password
    /// file](super::ServerOptions::passwords): `.z.pw`. It may take its time, as for a question to
    /// another host: no other client waits for it.
    ///
    /// A token of several KiB is a password like others; up to
    /// [`Limits::login`](hopen_codec::config::Limits::login) bytes arrive here. The client is not told
    /// why it is refused.
    fn login(&self, login: &Login) -> impl Future<Output = Decision> + Send {
        let _ = login;
        ready(Decision::Accept)
    }

    /// Is told that a client has logged in: `.z.po`. A clone of `client` can be kept, to send to it.
    fn opened(&self, client: &Client) -> impl Future<Output = ()> + Send {
        let _ = client;
        ready(())
    }

    /// Answers a request, now or later: `.z.pg`.
    fn request<'a>(
        &'a self,
        client: &Client,
        query: Value,
    ) -> impl Future<Output = Answer<'a>> + Send;

    /// Takes an async message, which nobody waits for: `.z.ps`. Without a handler it is dropped.
    fn notice(&self, client: &Client, message: Value) -> impl Future<Output = ()> + Send {
        let _ = (client, message);
        ready(())
    }

    /// Is told that a connection is over, once for each that was [`opened`](Self::opened), whoever has
    /// closed it and why: `.z.pc`. Nothing can be sent to the client any more.
    ///
    /// [`Error::Closed`] is a client that has closed, [`Error::BadHandle`] this side,
    /// [`Error::QueueFull`] a slow reader; what else a message or the network has done is as for a
    /// [`Handle`](crate::Handle).
    fn closed(&self, client: &Client, why: &Error) -> impl Future<Output = ()> + Send {
        let _ = (client, why);
        ready(())
    }

    /// Is told of a message that is none: `.z.bm`. The connection is closed afterwards, as q closes
    /// it, and a request is not answered.
    fn bad_message(
        &self,
        client: &Client,
        message: &BadMessage,
    ) -> impl Future<Output = ()> + Send {
        let _ = (client, message);
        ready(())
    }

    /// Answers a line that somebody has typed into qcon: `.z.pq`. Called only where
    /// [`ServerOptions::text`](super::ServerOptions::text) says so, for a `login` that is let in. What
    /// is returned is shown as it is: the console's form of a value and a newline, or an error as
    /// `'type` and a newline.
    fn text(&self, login: &Login, line: &[u8]) -> impl Future<Output = Vec<u8>> + Send {
        let _ = (login, line);
        ready(b"'nyi\n".to_vec())
    }
}

impl<H: Handler + ?Sized> Handler for Arc<H> {
    fn login(&self, login: &Login) -> impl Future<Output = Decision> + Send {
        (**self).login(login)
    }

    fn opened(&self, client: &Client) -> impl Future<Output = ()> + Send {
        (**self).opened(client)
    }

    fn request<'a>(
        &'a self,
        client: &Client,
        query: Value,
    ) -> impl Future<Output = Answer<'a>> + Send {
        (**self).request(client, query)
    }

    fn notice(&self, client: &Client, message: Value) -> impl Future<Output = ()> + Send {
        (**self).notice(client, message)
    }

    fn closed(&self, client: &Client, why: &Error) -> impl Future<Output = ()> + Send {
        (**self).closed(client, why)
    }

    fn bad_message(
        &self,
        client: &Client,
        message: &BadMessage,
    ) -> impl Future<Output = ()> + Send {
        (**self).bad_message(client, message)
    }

    fn text(&self, login: &Login, line: &[u8]) -> impl Future<Output = Vec<u8>> + Send {
        (**self).text(login, line)
    }
}

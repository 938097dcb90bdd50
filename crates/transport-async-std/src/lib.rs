//! Handles to kdb+ processes for async programs, over TCP, Unix domain sockets, TLS, any stream of
//! futures-io, named pipes and files.
//!
//! ```no_run
//! use hopen_async_std::hopen;
//! use hopen_codec::sym;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let mut h = hopen(":localhost:5010:ann:secret").await?;
//! let five: i64 = h.get("2+3").await?.to()?; // sync: waits for the answer
//! h.set((sym!("upd"), sym!("trade"), vec![101.25, 101.5])).await?; // async: nobody answers
//! h.flush().await?; // what was set is written now, at 64 KiB, or before the next get
//! let update = h.recv().await?; // the next async message of the other side
//! h.close();
//! # Ok(())
//! # }
//! ```
//!
//! | type | what |
//! | --- | --- |
//! | [`Handle`] | an open connection, for one task at a time |
//! | [`SharedHandle`], [`Driver`], [`Asyncs`] | the same for any number of tasks, and the future that moves bytes for them |
//! | [`Subscriber`] | updates of a tickerplant, connected again where it is lost; its [`Event`]s |
//! | [`Channel`] | a connection before its login, over any stream |
//! | [`Listener`], [`Login`] | the server's side: connections come in, logins are accepted or refused |
//! | [`Pipe`] | a named pipe, device or reader: bytes, lines, messages, packed or not |
//! | [`FileHandle`] | a file that is appended to: text, lines, values |
//! | [`Opened`] | any of them, as the handle says |
//! | [`server`] | the whole of it: a task for each connection, handlers, deferred answers, broadcasts |
//!
//! It runs under any executor: only the two files that open sockets name async-std, whose sockets
//! are async-io's with a reactor of their own, as the timers are. This crate moves bytes; what they mean and what goes
//! when is [`hopen_codec`]'s to know.
#![forbid(unsafe_code)]

use hopen_codec::session::Role;
use hopen_codec::value::Value;
use hopen_transport::Deadline;

mod alarm;
mod channel;
mod connect;
mod file;
mod handle;
mod link;
mod listener;
mod medium;
mod open;
mod pair;
mod pipe;
#[cfg(test)]
#[path = "../../transport-blocking/src/secrets.rs"]
mod secrets;
pub mod server;
mod shared;
mod socket;
mod subscriber;
#[cfg(test)]
mod wait;

pub use channel::{Channel, Login};
pub use file::FileHandle;
pub use handle::{Handle, Received};
pub use hopen_transport::pipe::Lines;
pub use hopen_transport::subscription::{
    Backoff, Event, Gap, Request, SchemaChange, SubscriberOptions,
};
pub use hopen_transport::{
    Error, FileError, FileErrorKind, LOGIN_TIMEOUT, ListenOptions, Options, Phase, PipeError,
    PipeErrorKind, UnixSocket,
};
pub use listener::Listener;
pub use open::{Opened, open_any, open_file, open_pipe};
pub use pipe::{Pipe, PipeSource};
pub use shared::{Asyncs, Driver, SharedHandle};
pub use subscriber::{Stopper, Subscriber};

/// Opens a handle to a process: connects and logs in.
///
/// Takes what q's `hopen` takes for a process: `":host:port[:user[:password]]"`, the same by
/// `tcps://`, `":unix://port"` and `":unixs://port"`, a bare port, any of them with a time-out
/// (`(":host:5010", Duration::from_secs(2))`), and [`Options`] for the rest. Where the host's name has
/// several addresses all are tried; if none can be reached, the error is that of the first.
///
/// # Errors
///
/// Where the handle is none ([`Error::Address`]), the connection fails ([`Error::Hop`]), the login
/// is refused ([`Error::Access`]), or the time-out passes ([`Error::Timeout`]).
pub async fn hopen<T>(to: T) -> Result<Handle, Error>
where
    T: TryInto<Options>,
    T::Error: Into<Error>,
{
    let options = to.try_into().map_err(Into::into)?;
    let deadline = Deadline::of_opening(options.timeout);
    connect::connect(&options, deadline, Role::Client).await
}

/// Opens a handle, asks one question, and closes it again: `` `:host:port "1+1" ``. A time-out is
/// for all of it, the answer too.
///
/// # Errors
///
/// As [`hopen`] and [`Handle::get`], and [`Error::ExpectedResponse`] where something else comes
/// before the answer.
pub async fn one_shot<T>(to: T, query: impl Into<Value>) -> Result<Value, Error>
where
    T: TryInto<Options>,
    T::Error: Into<Error>,
{
    let options = to.try_into().map_err(Into::into)?;
    let query = query.into();
    let deadline = Deadline::of_opening(options.timeout);
    let mut handle = connect::connect(&options, deadline, Role::OneShot).await?;
    let answer = handle.get_until(query, deadline).await?;
    handle.close();
    Ok(answer)
}

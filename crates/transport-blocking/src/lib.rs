//! Handles to kdb+ processes, for clients and servers, over TCP, pipes, and any reader and writer.
//!
//! ```no_run
//! use hopen_blocking::hopen;
//! use hopen_codec::sym;
//!
//! let mut h = hopen(":localhost:5010:ann:secret")?;
//! let five: i64 = h.get("2+3")?.to()?; // sync: waits for the answer
//! let sum = h.get((sym!("add"), 2_i64, 3_i64))?; // calls a function: tuples are lists
//! h.set((sym!("upd"), sym!("trade"), vec![101.25, 101.5]))?; // async: nobody answers
//! h.flush()?; // what was set is written now, at 64 KiB, or before the next get
//! let update = h.recv()?; // the next async message of the other side
//! h.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | type | what |
//! | --- | --- |
//! | [`Handle`] | an open connection, for one thread at a time |
//! | [`SharedHandle`], [`Driver`] | the same for any number of threads, and the one that reads for them |
//! | [`Channel`] | a connection before its login; also over pipes, or any reader and writer |
//! | [`Listener`], [`Login`] | the server's side: connections come in, logins are accepted or refused |
//! | [`Pipe`] | a named pipe, device or reader: bytes, lines, messages, packed or not |
//! | [`FileHandle`] | a file that is appended to: text, lines, values |
//! | [`Opened`] | any of them, as the handle says |
//! | [`Subscriber`] | updates of a tickerplant, connected again where it is lost; its [`Event`]s |
//! | [`server`] | the whole of it: a thread for each connection, handlers, deferred answers, broadcasts |
//!
//! This crate moves bytes; what they mean and what goes when is [`hopen_codec`]'s to know.
#![forbid(unsafe_code)]

use hopen_codec::session::Role;
use hopen_transport::Deadline;

mod channel;
mod connect;
mod handle;
mod link;
mod listener;
mod medium;
mod open;
mod pipe;
#[cfg(test)]
mod secrets;
pub mod server;
mod shared;
mod subscriber;
#[cfg(test)]
mod wait;

pub use channel::{Channel, Login};
pub use handle::{Handle, Received};
pub use hopen_transport::subscription::{
    Backoff, Event, Gap, Request, SchemaChange, SubscriberOptions,
};
pub use hopen_transport::{
    Error, FileError, FileErrorKind, FileHandle, LOGIN_TIMEOUT, ListenOptions, Options, Phase,
    PipeError, PipeErrorKind, UnixSocket,
};
pub use listener::Listener;
pub use open::{Opened, open_any, open_file, open_pipe};
pub use pipe::{Lines, Pipe};
pub use shared::{Driver, SharedHandle};
pub use subscriber::{Stopper, Subscriber};

/// Opens a handle to a process: connects and logs in.
///
/// Takes what q's `hopen` takes for a TCP connection: `":host:port[:user[:password]]"`, a bare
/// port, either of them with a time-out (`(":host:5010", Duration::from_secs(2))`), and
/// [`Options`] for the rest. Where the host's name has several addresses all are tried; if none can
/// be reached, the error is that of the first.
///
/// # Errors
///
/// Where the handle is none ([`Error::Address`]), the connection fails ([`Error::Hop`]), the login
/// is refused ([`Error::Access`]), or the time-out passes ([`Error::Timeout`]).
pub fn hopen<T>(to: T) -> Result<Handle, Error>
where
    T: TryInto<Options>,
    T::Error: Into<Error>,
{
    let options = to.try_into().map_err(Into::into)?;
    let deadline = Deadline::of_opening(options.timeout);
    connect::connect(&options, deadline, Role::Client)
}

/// Opens a handle, asks one question, and closes it again: `` `:host:port "1+1" ``. A time-out is
/// for all of it, the answer too. (KX's page does not say what it covers in q.)
///
/// # Errors
///
/// As [`hopen`] and [`Handle::get`], and [`Error::ExpectedResponse`] where something else comes
/// before the answer, as q signals `expected response` then.
pub fn one_shot<T>(
    to: T,
    query: impl Into<hopen_codec::value::Value>,
) -> Result<hopen_codec::value::Value, Error>
where
    T: TryInto<Options>,
    T::Error: Into<Error>,
{
    let options = to.try_into().map_err(Into::into)?;
    let deadline = Deadline::of_opening(options.timeout);
    let mut handle = connect::connect(&options, deadline, Role::OneShot)?;
    let answer = handle.get_until(query, deadline)?;
    handle.close();
    Ok(answer)
}

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_goes_to_other_threads() {
        const fn goes<T: Send + Sync>() {}
        const {
            goes::<Handle>();
            goes::<SharedHandle>();
            goes::<Driver>();
            goes::<Channel>();
            goes::<Login>();
            goes::<Listener>();
            goes::<Options>();
            goes::<Error>();
            goes::<Received>();
            goes::<Subscriber>();
            goes::<Stopper>();
            goes::<Event>();
            goes::<Opened>();
            goes::<server::Server>();
            goes::<server::Control>();
            goes::<server::Client>();
            goes::<server::Reply>();
            goes::<server::ServerOptions>();
        }
    }
}

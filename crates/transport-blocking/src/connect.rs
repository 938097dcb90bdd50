//! From an address to a handle: connection and login.

use std::io;

use hopen_codec::address::Endpoint;

use crate::channel::{Channel, login_deadline};
use crate::deadline::Deadline;
use crate::{Error, Handle, Options};

mod tcp;

/// Connects and logs in.
pub(crate) fn connect(options: &Options) -> Result<Handle, Error> {
    let deadline = login_deadline(options.timeout);
    let channel = reach(&options.address.endpoint, deadline)?;
    channel.log_in_until(
        &options.address.credentials,
        options.config.clone(),
        deadline,
    )
}

fn reach(endpoint: &Endpoint, deadline: Deadline) -> Result<Channel, Error> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = tcp::connect(host, *port, deadline)?;
            Channel::of_tcp(stream).map_err(Error::Hop)
        }
        Endpoint::Unix { port } => of_unix_socket(*port, deadline),
        Endpoint::Tcps { .. } | Endpoint::Unixs { .. } => {
            Err(unsupported("TLS is not supported yet"))
        }
    }
}

/// Connects to the Unix domain socket of a port.
#[cfg(unix)]
fn of_unix_socket(port: u16, deadline: Deadline) -> Result<Channel, Error> {
    Ok(Channel::unix(crate::unix_socket::connect(port, deadline)?))
}

#[cfg(not(unix))]
fn of_unix_socket(_: u16, _: Deadline) -> Result<Channel, Error> {
    Err(unsupported("Unix domain sockets are not supported here"))
}

fn unsupported(what: &str) -> Error {
    Error::Hop(io::Error::new(io::ErrorKind::Unsupported, what))
}

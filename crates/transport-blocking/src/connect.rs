//! From an address to a handle: connection and login.

use hopen_codec::address::Endpoint;
use hopen_codec::session::Role;
use hopen_transport::Deadline;

use crate::channel::Channel;
use crate::{Error, Handle, Options};

mod tcp;
#[cfg(unix)]
pub(crate) mod unix;

/// Connects and logs in.
pub(crate) fn connect(options: &Options, deadline: Deadline, role: Role) -> Result<Handle, Error> {
    let credentials = options.login()?;
    // Before anything is connected to: what is wrong with it is no fault of the server's.
    let tls = options.tls_toward()?;
    let mut channel = reach(&options.address.endpoint, deadline)?;
    if let Some((client, host)) = tls {
        channel = channel.start_tls_until(&client, host, deadline)?;
    }
    channel.log_in_until(&credentials, options.config.clone(), deadline, role)
}

fn reach(endpoint: &Endpoint, deadline: Deadline) -> Result<Channel, Error> {
    match endpoint {
        Endpoint::Tcp { host, port } | Endpoint::Tcps { host, port } => {
            let stream = tcp::connect(host, *port, deadline)?;
            Channel::of_tcp(stream).map_err(Error::hop)
        }
        Endpoint::Unix { port } | Endpoint::Unixs { port } => of_unix_socket(*port, deadline),
    }
}

/// Connects to the Unix domain socket of a port.
#[cfg(unix)]
fn of_unix_socket(port: u16, deadline: Deadline) -> Result<Channel, Error> {
    Ok(Channel::unix(unix::connect(port, deadline)?))
}

#[cfg(not(unix))]
fn of_unix_socket(_: u16, _: Deadline) -> Result<Channel, Error> {
    let what = "Unix domain sockets are not supported here";
    let kind = std::io::ErrorKind::Unsupported;
    Err(Error::hop(std::io::Error::new(kind, what)))
}

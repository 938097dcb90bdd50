//! From a port to a connection by its Unix domain socket: one name after the other.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use hopen_transport::unix_socket::{Name, names};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::{Error, Phase};
use hopen_transport::Deadline;

/// Connects to the socket of a port.
pub(crate) fn connect(port: u16, deadline: Deadline) -> Result<UnixStream, Error> {
    connect_to(&names(port), deadline)
}

/// Tries one name after the other. Of the failures the first counts: that of the name that q
/// listens on here.
fn connect_to(names: &[Name], deadline: Deadline) -> Result<UnixStream, Error> {
    let mut failure = None;
    for name in names {
        if deadline.has_passed() {
            failure.get_or_insert(Error::Timeout(Phase::Connect));
            break;
        }
        match connect_by(name, deadline) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(Error::Timeout(Phase::Connect));
            }
            Err(error) => {
                failure.get_or_insert_with(|| Error::hop(error));
            }
        }
    }
    Err(failure.unwrap_or(Error::Timeout(Phase::Connect)))
}

/// Connects. A server whose queue of connections is full keeps a client waiting, for which the
/// system takes the time-out of writing.
fn connect_by(name: &Name, deadline: Deadline) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_write_timeout(deadline.left().map(|left| left.max(LEAST_WAIT)))?;
    socket.connect(&SockAddr::unix(name.to_os_string())?)?;
    socket.set_write_timeout(None)?;
    Ok(OwnedFd::from(socket).into())
}

/// The least time to wait for a server: none at all is no time-out to the system.
const LEAST_WAIT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::path::Path;

    use hopen_transport::unix_socket::Beside;

    use super::*;

    #[test]
    fn a_client_finds_a_socket_under_each_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let names = names_in(folder.path());
        for name in &names {
            let listening = Beside::bind(name.clone()).unwrap();
            let mut client = connect_to(&names, patience()).unwrap();
            let (mut server, _) = listening.listener.accept().unwrap();
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
        }
        let error = connect_to(&names, patience()).unwrap_err();
        assert_eq!(error.to_string(), "hop. OS reports: Connection refused");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_server_that_takes_no_more_connections_is_waited_for_no_longer_than_said() {
        let folder = tempfile::tempdir().unwrap();
        let name = Name::File(folder.path().join("kx.5010"));
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let address = SockAddr::unix(name.to_os_string()).unwrap();
        socket.bind(&address).unwrap();
        socket.listen(0).unwrap();
        let _waiting = connect_by(&name, patience()).unwrap();
        for brief in [Duration::ZERO, Duration::from_millis(20)] {
            let deadline = Deadline::after(Some(brief));
            let error = connect_to(std::slice::from_ref(&name), deadline).unwrap_err();
            assert!(matches!(error, Error::Timeout(Phase::Connect)), "{error}");
        }
    }

    /// Returns what a client tries, in a folder of the test's own.
    fn names_in(folder: &Path) -> Vec<Name> {
        let path = folder.join("kx.5010");
        vec![
            #[cfg(target_os = "linux")]
            Name::Abstract(path.clone()),
            #[cfg(target_os = "linux")]
            Name::Filled(path.clone()),
            Name::File(path),
        ]
    }

    /// Longer than anything takes that does not fail.
    fn patience() -> Deadline {
        Deadline::after(Some(Duration::from_secs(60)))
    }
}
